/*
 * An object, chunk by chunk, into DIR/fetch/<hash>.part, or into a slot in place, beside its chunk list. The broker keeps chunks, so subscribing to
 * a chunk's topic brings it; when one does not come, central is asked to publish it. The window starts at one chunk and a
 * wait is twice the last gap between arrivals, so a slow line is not choked with repetitions, and only a standstill, never
 * total time, ends a fetch. What an earlier attempt left is believed chunk by chunk, by hash alone.
 */
#include "firmware/sync_state.h"
#include "protocol/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCH_FIRST_MS 2000   /* the broker answers at once, if it has it */
#define FETCH_STALL_MS 180000 /* without one chunk: something else gets its turn */
#define FETCH_WRONG_MS 1000   /* at most one wrong chunk in this time is asked for again at once */
#define FETCH_LACKS    2      /* waits in vain until the broker is taken to have none of the object */
#define SCAN_CHUNKS    16     /* 1 MiB of hashing a turn */

static bool fetch_io(const char *what, const char *path, struct err *e)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	return err_set(e, full ? ERR_FULL : ERR_IO, "%s %.120s: %s", what, path, strerror(errno));
}

static void slots_clear(struct fetch *f)
{
	for (size_t i = 0; i < FETCH_WINDOW; i++)
		f->slots[i] = FETCH_NO_SLOT;
}

static bool slot_has(const struct fetch *f, int64_t chunk)
{
	for (size_t i = 0; i < FETCH_WINDOW; i++)
		if (f->slots[i] == chunk)
			return true;
	return false;
}

static uint32_t slots_used(const struct fetch *f)
{
	uint32_t n = 0;
	for (size_t i = 0; i < FETCH_WINDOW; i++)
		n += f->slots[i] != FETCH_NO_SLOT;
	return n;
}

static void slot_take(struct sync *s, size_t slot, int64_t chunk)
{
	char topic[OBJECT_TOPIC_MAX];
	const struct transport *t = &s->config.transport;
	object_topic(s->fetch.ref.hash, chunk, topic);
	if (t->subscribe(t->arg, topic, NULL))
		s->fetch.slots[slot] = chunk;
}

static void slot_free(struct sync *s, int64_t chunk)
{
	char topic[OBJECT_TOPIC_MAX];
	const struct transport *t = &s->config.transport;
	for (size_t i = 0; i < FETCH_WINDOW; i++) {
		if (s->fetch.slots[i] != chunk)
			continue;
		s->fetch.slots[i] = FETCH_NO_SLOT;
		object_topic(s->fetch.ref.hash, chunk, topic);
		if (s->info.up)
			(void)!t->unsubscribe(t->arg, topic, NULL); /* what comes twice is no matter */
	}
}

static void slots_free(struct sync *s)
{
	for (size_t i = 0; i < FETCH_WINDOW; i++)
		if (s->fetch.slots[i] != FETCH_NO_SLOT)
			slot_free(s, s->fetch.slots[i]);
}

/* Starting and stopping */

/* An object of one chunk is its own chunk list. */
static bool list_is_known(struct fetch *f)
{
	if (f->chunks == 1 && object_list_check(&f->ref, (struct bytes){ f->ref.hash, HASH_LEN }, NULL))
		memcpy(f->hashes, f->ref.hash, HASH_LEN);
	else {
		struct buf list;
		buf_init(&list, (size_t)f->chunks * HASH_LEN);
		bool known = file_read(f->list, &list, NULL) && object_list_check(&f->ref, buf_bytes(&list), NULL);
		if (known)
			memcpy(f->hashes, list.data, list.len);
		buf_clear(&list);
		return known;
	}
	return true;
}

/* Chunks that an older image has at the same place need not come again. */
static bool place_open(struct fetch *f, struct err *e)
{
	f->fd = open(f->part, O_RDWR | O_CLOEXEC);
	return f->fd >= 0 || fetch_io("open", f->part, e);
}

/* Its blocks are reserved at once: a full disk is noticed before anything is fetched. */
static bool part_open(struct fetch *f, struct err *e)
{
	if (f->in_place)
		return place_open(f, e);
	f->fd = open(f->part, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	f->scanned = f->fd < 0 ? f->chunks : 0;
	if (f->fd < 0)
		f->fd = open(f->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return fetch_io("create", f->part, e);
	if (ftruncate(f->fd, (off_t)f->ref.size) != 0 ||
	    (fallocate(f->fd, 0, 0, (off_t)f->ref.size) != 0 && errno != EOPNOTSUPP))
		return fetch_io("reserve space for", f->part, e);
	return true;
}

bool fetch_start(struct sync *s, const struct object_ref *ref, struct err *e)
{
	return fetch_start_in(s, ref, NULL, e);
}

bool fetch_start_in(struct sync *s, const struct object_ref *ref, const char *path, struct err *e)
{
	char hex[2 * HASH_LEN + 1];
	struct fetch *f = &s->fetch;
	uint32_t chunks = object_chunks(ref->size);
	hex_encode(ref->hash, HASH_LEN, hex);
	*f = (struct fetch){ .active = true,
			     .ref = *ref,
			     .in_place = path != NULL,
			     .fd = -1,
			     .chunks = chunks,
			     .window = 1,
			     .wait_ms = FETCH_FIRST_MS,
			     .progress_ms = s->now_ms,
			     .wrong_ms = s->now_ms - FETCH_WRONG_MS };
	if (path != NULL)
		snprintf(f->part, sizeof(f->part), "%s", path);
	else
		snprintf(f->part, sizeof(f->part), "%s/%s.part", s->dir, hex);
	snprintf(f->list, sizeof(f->list), "%s/%s.list", s->dir, hex);
	slots_clear(f);
	f->hashes = calloc(chunks, HASH_LEN);
	f->have = calloc(chunks, 1);
	if (f->hashes == NULL || f->have == NULL)
		abort();
	f->has_list = list_is_known(f);
	if (part_open(f, e))
		return true;
	fetch_stop(s, true);
	return false;
}

void fetch_stop(struct sync *s, bool remove)
{
	struct fetch *f = &s->fetch;
	if (!f->active)
		return;
	slots_free(s);
	if (f->fd >= 0)
		close(f->fd);
	if (remove && !((f->in_place || file_remove(f->part, NULL)) && file_remove(f->list, NULL)))
		s->info.faults++; /* the sweep tries again */
	free(f->hashes);
	free(f->have);
	*f = (struct fetch){ .fd = -1 };
}

void fetch_sweep(struct sync *s)
{
	char path[SYNC_PATH_MAX * 2];
	DIR *dir = opendir(s->dir);
	if (dir == NULL)
		return;
	// cppcheck-suppress readdirCalled ; there are no threads
	for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, d->d_name);
		if (d->d_name[0] != '.' && !file_remove(path, NULL))
			s->info.faults++;
	}
	closedir(dir);
}

void fetch_up(struct sync *s)
{
	struct fetch *f = &s->fetch;
	slots_clear(f);
	f->window = 1;
	f->wait_ms = FETCH_FIRST_MS;
	f->progress_ms = s->now_ms;
}

/* Going on */

/* False while there is more to look at. */
static bool fetch_scan(struct fetch *f)
{
	static uint8_t data[OBJECT_CHUNK];
	struct bytes list = { f->hashes, (size_t)f->chunks * HASH_LEN };
	for (int i = 0; i < SCAN_CHUNKS && f->scanned < f->chunks; i++) {
		uint32_t n = f->scanned++, size = object_chunk_size(f->ref.size, n);
		if (f->have[n] != 0 || pread(f->fd, data, size, (off_t)n * OBJECT_CHUNK) != (ssize_t)size)
			continue;
		if (object_chunk_check(&f->ref, list, n, (struct bytes){ data, size }, NULL)) {
			f->have[n] = 1;
			f->got++;
		}
	}
	return f->scanned == f->chunks;
}

static void fetch_fill_list(struct sync *s)
{
	slot_take(s, 0, -1);
	if (s->fetch.asking)
		ask_object(s, s->fetch.ref.hash, -1, 1);
}

/* The next chunks to come: those not there and not asked for yet, without a gap where central is asked for a range. */
static void fetch_fill_chunks(struct sync *s, uint32_t used)
{
	struct fetch *f = &s->fetch;
	size_t slot = 0;
	while (f->missing < f->chunks && f->have[f->missing] != 0)
		f->missing++;
	uint32_t first = f->missing, end = f->chunks;
	if (f->asking && end - first > f->window)
		end = first + f->window;
	for (uint32_t n = first; n < end && used < f->window; n++) {
		if (f->have[n] != 0 || slot_has(f, n))
			continue;
		while (f->slots[slot] != FETCH_NO_SLOT)
			slot++;
		slot_take(s, slot, n);
		used++;
	}
	if (f->asking && end > first)
		ask_object(s, f->ref.hash, first, end - first);
}

/* Central is asked for a window at a time, and for the next when all of it has come. */
static void fetch_fill(struct sync *s)
{
	struct fetch *f = &s->fetch;
	uint32_t used = slots_used(f);
	if (used >= f->window || (used > 0 && (f->asking || !f->has_list)))
		return;
	if (used == 0)
		f->asked_ms = s->now_ms;
	if (f->has_list)
		fetch_fill_chunks(s, used);
	else
		fetch_fill_list(s);
}

/* Nothing has come for too long: what is asked for is asked for afresh, of central too. */
static bool fetch_again(struct sync *s)
{
	struct fetch *f = &s->fetch;
	if (s->now_ms - f->progress_ms >= FETCH_STALL_MS)
		return err_set(&f->err, ERR_MISSING, "nothing has come for %d s", FETCH_STALL_MS / 1000);
	slots_free(s);
	f->lacks += !f->asking;
	f->asking = true;
	f->window = 1;
	f->wait_ms = sync_backoff(s, f->wait_ms * 2, 0, SYNC_WAIT_MAX_MS);
	return true;
}

enum fetch_state fetch_run(struct sync *s, int64_t *due_ms)
{
	struct fetch *f = &s->fetch;
	*due_ms = SYNC_NEVER;
	if (f->err.code != ERR_NONE)
		return FETCH_FAILED;
	if (f->has_list && !fetch_scan(f)) {
		*due_ms = s->now_ms;
		return FETCH_GOING;
	}
	if (f->got == f->chunks)
		return FETCH_DONE;
	if (!s->info.up)
		return FETCH_GOING;
	if (slots_used(f) > 0 && s->now_ms >= f->asked_ms + f->wait_ms && !fetch_again(s))
		return FETCH_FAILED;
	fetch_fill(s);
	*due_ms = slots_used(f) > 0 ? f->asked_ms + f->wait_ms : s->now_ms + 1000;
	return FETCH_GOING;
}

/* What comes */

static void fetch_arrived(struct sync *s, int64_t chunk)
{
	struct fetch *f = &s->fetch;
	int64_t wait_ms = 2 * (s->now_ms - f->progress_ms);
	uint32_t window_max = f->in_place ? FETCH_WINDOW_IMAGE : FETCH_WINDOW;
	slot_free(s, chunk);
	f->wait_ms = wait_ms < FETCH_FIRST_MS     ? FETCH_FIRST_MS
		     : wait_ms > SYNC_WAIT_MAX_MS ? SYNC_WAIT_MAX_MS
						  : wait_ms;
	f->asking = f->lacks >= FETCH_LACKS;
	f->progress_ms = s->now_ms;
	f->asked_ms = s->now_ms;
	f->window = f->window * 2 > window_max ? window_max : f->window * 2;
	s->info.chunks++;
}

static void fetch_wrong(struct sync *s, int64_t chunk, const struct err *e)
{
	struct fetch *f = &s->fetch;
	s->info.chunks_refused++;
	sync_note(s, "chunk", e);
	if (s->now_ms - f->wrong_ms < FETCH_WRONG_MS)
		return; /* the wait ends by itself */
	f->wrong_ms = s->now_ms;
	ask_object(s, f->ref.hash, chunk, 1);
}

static void fetch_take_list(struct sync *s, struct bytes data)
{
	struct fetch *f = &s->fetch;
	struct err e = { 0 };
	if (f->has_list)
		return;
	if (!object_list_check(&f->ref, data, &e)) {
		fetch_wrong(s, -1, &e);
		return;
	}
	memcpy(f->hashes, data.data, data.len);
	f->has_list = true;
	if (!file_write(f->list, data, 0600, &e))
		f->err = e;
	fetch_arrived(s, -1);
}

void fetch_message(struct sync *s, const uint8_t hash[HASH_LEN], int64_t chunk, struct bytes data)
{
	struct fetch *f = &s->fetch;
	struct err e = { 0 };
	if (!f->active)
		return;
	bool ours = memcmp(hash, f->ref.hash, HASH_LEN) == 0;
	if (ours && chunk < 0) {
		fetch_take_list(s, data);
		return;
	}
	f->asked_ms = s->now_ms; /* the line is busy, if only with what has come before, or of what was put off */
	if (!ours)
		return;
	if (!f->has_list || chunk >= f->chunks || f->have[chunk] != 0)
		return;
	if (!object_chunk_check(&f->ref, (struct bytes){ f->hashes, (size_t)f->chunks * HASH_LEN }, (uint32_t)chunk,
				data, &e)) {
		fetch_wrong(s, chunk, &e);
		return;
	}
	ssize_t n = pwrite(f->fd, data.data, data.len, (off_t)chunk * OBJECT_CHUNK);
	if (n != (ssize_t)data.len) {
		if (n >= 0)
			errno = ENOSPC;
		fetch_io("write", f->part, &f->err);
		return;
	}
	/* So that the end need not wait for all of it to reach the disk. */
	if (f->in_place)
		(void)!sync_file_range(f->fd, (off_t)chunk * OBJECT_CHUNK, n, SYNC_FILE_RANGE_WRITE);
	f->have[chunk] = 1;
	f->got++;
	fetch_arrived(s, chunk);
}
