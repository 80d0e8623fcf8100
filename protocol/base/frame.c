/*
 * Invariants: in holds no complete frame between turns; out holds only what the socket did not take, and while it does the
 * loop watches for writing. `busy` counts callbacks running: a pipe freed inside one lives on as `dead` until they return.
 */
#include "protocol/base/frame.h"

#include "protocol/base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_STEP     16384U
#define READ_PER_TURN (4 * FRAME_MAX) /* then others get their turn */

struct frame_pipe {
	struct loop_fd *watch;
	int fd;
	struct frame_events on;
	void *arg;
	struct buf in, out;
	size_t out_at; /* sent already */
	unsigned busy;
	bool broken, dead;
};

bool frame_decode(struct bytes data, struct frame *f, struct err *e)
{
	*f = (struct frame){ 0 };
	if (data.len < FRAME_HEAD)
		return true;
	size_t len =
		(size_t)data.data[0] << 24 | (size_t)data.data[1] << 16 | (size_t)data.data[2] << 8 | data.data[3];
	if (len == 0 || len > FRAME_MAX)
		return err_set(e, ERR_INPUT, "a frame of %zu bytes (1 to %d are allowed)", len, FRAME_MAX);
	if (data.len - FRAME_HEAD < len)
		return true;
	f->type = data.data[FRAME_HEAD];
	f->payload = (struct bytes){ data.data + FRAME_HEAD + 1, len - 1 };
	f->size = FRAME_HEAD + len;
	return true;
}

bool frame_encode(uint8_t type, struct bytes payload, struct buf *out, struct err *e)
{
	if (payload.len > FRAME_MAX - 1)
		return err_set(e, ERR_FULL, "a frame of %zu bytes (at most %d are allowed)", payload.len + 1,
			       FRAME_MAX);
	size_t len = payload.len + 1;
	const uint8_t head[] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
				 type };
	if (out->max - out->len < sizeof(head) + payload.len)
		return err_set(e, ERR_FULL, "the queue of frames is full");
	buf_add(out, head, sizeof(head));
	buf_add(out, payload.data, payload.len);
	return buf_ok(out, "queue of frames", e);
}

static void pipe_release(struct frame_pipe *p)
{
	if (p->in.data != NULL)
		explicit_bzero(p->in.data, p->in.cap);
	if (p->out.data != NULL)
		explicit_bzero(p->out.data, p->out.cap);
	buf_clear(&p->in);
	buf_clear(&p->out);
	free(p);
}

static void pipe_watch(struct frame_pipe *p)
{
	unsigned what = p->broken ? 0 : LOOP_READ | (p->out.len > p->out_at ? LOOP_WRITE : 0);
	loop_fd_set(p->watch, what);
}

static void pipe_break(struct frame_pipe *p, const struct err *why)
{
	if (p->broken)
		return;
	p->broken = true;
	pipe_watch(p);
	p->on.broken(p->arg, why);
}

static void pipe_break_io(struct frame_pipe *p, int error)
{
	struct err e;
	if (error == EPIPE || error == ECONNRESET)
		err_set(&e, ERR_MISSING, "the other side closed the channel");
	else
		err_set(&e, ERR_IO, "the channel failed: %s", strerror(error));
	pipe_break(p, &e);
}

/* Returns 0, or the errno that ended it. */
static int pipe_flush(struct frame_pipe *p)
{
	while (p->out_at < p->out.len) {
		ssize_t n = send(p->fd, p->out.data + p->out_at, p->out.len - p->out_at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		explicit_bzero(p->out.data + p->out_at, (size_t)n);
		p->out_at += (size_t)n;
	}
	buf_reset(&p->out);
	p->out_at = 0;
	return 0;
}

/* Hands out the complete frames, keeps the rest. */
static void pipe_dispatch(struct frame_pipe *p)
{
	size_t at = 0;
	struct err e;
	while (!p->dead && !p->broken) {
		struct frame f;
		if (!frame_decode((struct bytes){ p->in.data + at, p->in.len - at }, &f, &e)) {
			pipe_break(p, &e);
			break;
		}
		if (f.size == 0)
			break;
		p->on.frame(p->arg, f.type, f.payload);
		at += f.size;
	}
	if (at == 0)
		return;
	memmove(p->in.data, p->in.data + at, p->in.len - at);
	explicit_bzero(p->in.data + p->in.len - at, at);
	p->in.len -= at;
}

/* One read; false when there is nothing more for now. */
static bool pipe_read(struct frame_pipe *p)
{
	size_t had = p->in.len;
	uint8_t *to = buf_grow(&p->in, READ_STEP);
	if (to == NULL)
		abort(); /* in holds less than one frame here, and its maximum leaves room for a step */
	ssize_t n;
	do {
		n = recv(p->fd, to, READ_STEP, 0);
	} while (n < 0 && errno == EINTR);
	p->in.len = had + (n > 0 ? (size_t)n : 0);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0)
		pipe_break_io(p, n < 0 ? errno : EPIPE);
	else
		pipe_dispatch(p);
	return !p->dead && !p->broken;
}

static void pipe_take(struct frame_pipe *p)
{
	for (size_t n = 0; n < READ_PER_TURN / READ_STEP && !p->dead && !p->broken && pipe_read(p); n++)
		;
}

static void pipe_leave(struct frame_pipe *p)
{
	p->busy--;
	if (p->dead && p->busy == 0)
		pipe_release(p);
}

static void pipe_ready(void *arg, unsigned what)
{
	struct frame_pipe *p = arg;
	p->busy++;
	if (what & LOOP_WRITE) {
		int error = pipe_flush(p);
		if (error != 0)
			pipe_break_io(p, error);
		if (!p->dead)
			pipe_watch(p);
	}
	if (what & LOOP_READ)
		pipe_take(p);
	pipe_leave(p);
}

void frame_pipe_poll(struct frame_pipe *p)
{
	if (p->busy > 0)
		return; /* called from inside a frame: the rest comes when that returns */
	p->busy++;
	pipe_take(p);
	pipe_leave(p);
}

struct frame_pipe *frame_pipe_new(struct loop *l, int fd, const struct frame_events *on, void *arg)
{
	struct frame_pipe *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	*p = (struct frame_pipe){ .fd = fd, .on = *on, .arg = arg };
	buf_init(&p->in, FRAME_HEAD + FRAME_MAX + READ_STEP);
	buf_init(&p->out, FRAME_QUEUE_MAX);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	p->watch = loop_fd_new(l, fd, LOOP_READ, pipe_ready, p);
	return p;
}

void frame_pipe_free(struct frame_pipe *p)
{
	if (p == NULL)
		return;
	loop_fd_free(p->watch);
	p->watch = NULL;
	close(p->fd);
	p->dead = true;
	if (p->busy == 0)
		pipe_release(p);
}

/* Moves what is unsent to the front, so that a queue which never empties does not grow. */
static void pipe_compact(struct frame_pipe *p)
{
	if (p->out_at < FRAME_MAX)
		return;
	memmove(p->out.data, p->out.data + p->out_at, p->out.len - p->out_at);
	p->out.len -= p->out_at;
	p->out_at = 0;
}

bool frame_pipe_send(struct frame_pipe *p, uint8_t type, struct bytes payload)
{
	pipe_compact(p);
	if (p->broken || !frame_encode(type, payload, &p->out, NULL))
		return false;
	if (pipe_flush(p) != 0) /* reading will say why */
		return false;
	pipe_watch(p);
	return true;
}
