#include "protocol/base/frame.h"
#include "protocol/base/limits.h"
#include "tests/test.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct err e;
static struct buf out;
static struct loop *loop;
static struct frame_pipe *ours;
static int peer;
static struct {
	unsigned frames, broken;
	uint8_t type;
	size_t len;
	enum err_code why;
	bool free_at_frame;
} seen;

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	(void)arg;
	seen.frames++;
	seen.type = type;
	seen.len = payload.len;
	if (seen.free_at_frame) {
		frame_pipe_free(ours);
		ours = NULL;
	}
}

static void on_broken(void *arg, const struct err *why)
{
	(void)arg;
	seen.broken++;
	seen.why = why->code;
}

static void setup(void)
{
	int pair[2];
	e = (struct err){ 0 };
	memset(&seen, 0, sizeof(seen));
	buf_init(&out, 2 * (size_t)FRAME_MAX);
	loop = loop_new();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	peer = pair[1];
	ours = frame_pipe_new(loop, pair[0], &(struct frame_events){ on_frame, on_broken }, NULL);
}

static void teardown(void)
{
	frame_pipe_free(ours);
	if (peer >= 0)
		close(peer);
	loop_free(loop);
	buf_clear(&out);
}

static void peer_says(const void *data, size_t len)
{
	ssize_t n = send(peer, data, len, MSG_NOSIGNAL);
	assert(n == (ssize_t)len);
	loop_once(loop, 100);
}

static void a_frame_comes_back_as_it_went(void)
{
	struct frame f;
	CU_ASSERT_TRUE(frame_encode(17, bytes_of("abc"), &out, &e));
	CU_ASSERT_EQUAL(memcmp(out.data,
			       "\0\0\0\4\x11"
			       "abc",
			       8),
			0);
	CU_ASSERT_TRUE(frame_decode(buf_bytes(&out), &f, &e));
	CU_ASSERT_EQUAL(f.type, 17);
	CU_ASSERT_EQUAL(f.size, 8);
	CU_ASSERT_TRUE(bytes_equal(f.payload, bytes_of("abc")));
	for (size_t n = 0; n < out.len; n++) {
		CU_ASSERT_TRUE(frame_decode((struct bytes){ out.data, n }, &f, &e));
		CU_ASSERT_EQUAL(f.size, 0);
	}
}

static void a_frame_too_long_or_empty_is_refused(void)
{
	struct frame f;
	static const uint8_t empty[] = { 0, 0, 0, 0 }, longest[] = { 0, 4, 0, 0 }, over[] = { 0, 4, 0, 1 };
	CU_ASSERT_FALSE(frame_decode((struct bytes){ empty, 4 }, &f, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_TRUE(frame_decode((struct bytes){ longest, 4 }, &f, &e));
	CU_ASSERT_FALSE(frame_decode((struct bytes){ over, 4 }, &f, &e));
	uint8_t *big = calloc(1, FRAME_MAX);
	assert(big != NULL);
	CU_ASSERT_TRUE(frame_encode(16, (struct bytes){ big, FRAME_MAX - 1 }, &out, &e));
	CU_ASSERT_FALSE(frame_encode(16, (struct bytes){ big, FRAME_MAX }, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	free(big);
}

static void frames_arrive_whatever_the_pieces(void)
{
	for (int i = 0; i < 3; i++)
		CU_ASSERT_TRUE(frame_encode((uint8_t)(16 + i), bytes_of("payload"), &out, &e));
	for (size_t i = 0; i < out.len; i++)
		peer_says(out.data + i, 1);
	CU_ASSERT_EQUAL(seen.frames, 3);
	peer_says(out.data, out.len);
	CU_ASSERT_EQUAL(seen.frames, 6);
	CU_ASSERT_EQUAL(seen.type, 18);
	CU_ASSERT_EQUAL(seen.len, 7);
	CU_ASSERT_EQUAL(seen.broken, 0);
}

static void what_is_no_frame_breaks_the_pipe_once(void)
{
	peer_says("\xff\xff\xff\xffgarbage", 11);
	CU_ASSERT_EQUAL(seen.broken, 1);
	CU_ASSERT_EQUAL(seen.why, ERR_INPUT);
	peer_says("\0\0\0\1\x10", 5);
	CU_ASSERT_EQUAL(seen.broken, 1);
	CU_ASSERT_EQUAL(seen.frames, 0);
	CU_ASSERT_FALSE(frame_pipe_send(ours, 16, bytes_of("x")));
}

static void a_peer_that_leaves_is_told(void)
{
	close(peer);
	peer = -1;
	loop_once(loop, 100);
	CU_ASSERT_EQUAL(seen.broken, 1);
	CU_ASSERT_EQUAL(seen.why, ERR_MISSING);
}

static void a_pipe_may_be_freed_inside_its_callback(void)
{
	seen.free_at_frame = true;
	peer_says("\0\0\0\1\x10\0\0\0\1\x10", 10);
	CU_ASSERT_EQUAL(seen.frames, 1);
}

static void a_peer_that_reads_nothing_fills_a_bounded_queue(void)
{
	uint8_t *big = calloc(1, 65536);
	size_t sent = 0, got = 0;
	assert(big != NULL);
	while (sent < 1000 && frame_pipe_send(ours, 16, (struct bytes){ big, 65536 }))
		sent++;
	CU_ASSERT_TRUE(sent >= FRAME_QUEUE_MAX / 65600 && sent < 100);
	CU_ASSERT_EQUAL(seen.broken, 0);
	for (int i = 0; i < 2000 && got < sent * 65541; i++) { /* then all of it arrives */
		ssize_t n = recv(peer, big, 65536, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		else
			loop_once(loop, 10);
	}
	CU_ASSERT_EQUAL(got, sent * 65541);
	CU_ASSERT_TRUE(frame_pipe_send(ours, 16, bytes_of("x")));
	free(big);
}

static CU_TestInfo tests[] = {
	{ "a frame comes back as it went", a_frame_comes_back_as_it_went },
	{ "a frame too long or empty is refused", a_frame_too_long_or_empty_is_refused },
	{ "frames arrive whatever the pieces", frames_arrive_whatever_the_pieces },
	{ "what is no frame breaks the pipe, once", what_is_no_frame_breaks_the_pipe_once },
	{ "a peer that leaves is told", a_peer_that_leaves_is_told },
	{ "a pipe may be freed inside its callback", a_pipe_may_be_freed_inside_its_callback },
	{ "a peer that reads nothing fills a bounded queue", a_peer_that_reads_nothing_fills_a_bounded_queue },
	CU_TEST_INFO_NULL,
};
SUITE(frame, setup, teardown, tests);
