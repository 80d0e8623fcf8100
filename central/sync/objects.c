/*
 * Two streams. Pushes are what the head needs and is small: documents, indexes, the deltas that lead to the newest version, and
 * every chunk list. Asked is what branches asked for, served first. Bytes are read when their turn comes, so what waits costs
 * forty bytes a chunk. Both end up retained with an expiry: the broker serves thousands of branches from one publication.
 */
#include "central/sync/inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- publishing --- */

static bool recent_is(const struct central_sync *s, const struct chunk_id *id, int64_t now_ms)
{
	for (size_t i = 0; i < RECENT_MAX; i++) {
		const struct recent *r = &s->recent[i];
		if (r->ms != INT64_MIN && now_ms - r->ms < CENTRAL_ASK_AGAIN_MS && r->id.chunk == id->chunk &&
		    memcmp(r->id.hash, id->hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

static void recent_add(struct central_sync *s, const struct chunk_id *id, int64_t now_ms)
{
	s->recent[s->recent_at] = (struct recent){ *id, now_ms };
	s->recent_at = (s->recent_at + 1) % RECENT_MAX;
}

/* False while the transport takes no more; what cannot be read is a fault and passed over. */
static bool chunk_publish(struct central_sync *s, const struct chunk_id *id, uint32_t expiry_s, int64_t now_ms)
{
	const struct transport *t = &s->config.transport;
	char topic[OBJECT_TOPIC_MAX];
	struct buf data;
	struct err e = { 0 };
	bool sent = true;
	buf_init(&data, id->chunk < 0 ? OBJECT_LIST_MAX : OBJECT_CHUNK);
	if (!objects_chunk(s->config.release->objects, id->hash, id->chunk, &data, &e)) {
		sync_fault(s, &e, "object");
	} else {
		object_topic(id->hash, id->chunk, topic);
		sent = t->publish(t->arg, topic, buf_bytes(&data), true, expiry_s, NULL);
		if (sent)
			recent_add(s, id, now_ms);
	}
	buf_clear(&data);
	return sent;
}

/* --- what the head needs --- */

static void push_add(struct central_sync *s, const struct push *old, size_t old_len, const struct object_ref *ref,
		     int64_t now_ms)
{
	int64_t end = ref->size <= s->config.push_size_max ? (int64_t)object_chunks(ref->size) : 0;
	for (size_t i = 0; i < s->pushes_len; i++) {
		if (memcmp(s->pushes[i].hash, ref->hash, HASH_LEN) == 0)
			return;
	}
	struct push *grown = realloc(s->pushes, (s->pushes_len + 1) * sizeof(*grown));
	if (grown == NULL)
		abort();
	s->pushes = grown;
	struct push *p = &s->pushes[s->pushes_len++];
	*p = (struct push){ .next = -1, .end = end, .done_ms = INT64_MIN };
	memcpy(p->hash, ref->hash, HASH_LEN);
	for (size_t i = 0; i < old_len; i++) {
		if (memcmp(old[i].hash, ref->hash, HASH_LEN) != 0)
			continue;
		if (old[i].done_ms == INT64_MIN || now_ms - old[i].done_ms < CENTRAL_PUSH_EVERY_MS)
			*p = old[i];
		return;
	}
}

static void push_index(struct central_sync *s, const struct push *old, size_t old_len, const struct head_entry *entry,
		       int64_t now_ms)
{
	struct file_map map;
	struct list_index x = { 0 };
	struct err e = { 0 };
	push_add(s, old, old_len, &entry->index, now_ms);
	if (!objects_map(s->config.release->objects, entry->index.hash, &map, &e)) {
		sync_fault(s, &e, "index");
		return;
	}
	if (!list_index_decode(map.bytes, &x, &e))
		sync_fault(s, &e, "index");
	for (size_t i = 0; i < x.edges_len; i++) {
		if (x.edges[i].to == entry->version)
			push_add(s, old, old_len, &x.edges[i].object, now_ms);
	}
	list_index_clear(&x);
	file_unmap(&map);
}

static void pushes_build(struct central_sync *s, int64_t now_ms)
{
	struct head h = { 0 };
	struct err e = { 0 };
	struct push *old = s->pushes;
	size_t old_len = s->pushes_len;
	s->pushes_next_ms = now_ms + CENTRAL_PUSH_EVERY_MS;
	s->pushes_stale = false;
	if (!release_head_fill(s->config.release, &h, &e)) {
		sync_fault(s, &e, "objects");
		s->pushes_next_ms = now_ms + CENTRAL_HEAD_EVERY_MS;
		head_clear(&h);
		return;
	}
	s->pushes = NULL;
	s->pushes_len = 0;
	for (size_t i = 0; i < h.entries_len; i++) {
		push_add(s, old, old_len, &h.entries[i].object, now_ms);
		if (h.entries[i].kind == HEAD_LIST)
			push_index(s, old, old_len, &h.entries[i], now_ms);
	}
	head_clear(&h);
	free(old);
}

void sync_objects_forget(struct central_sync *s)
{
	free(s->pushes);
	s->pushes = NULL;
	s->pushes_len = 0;
	s->pushes_stale = true;
	s->asked_len = 0;
	for (size_t i = 0; i < RECENT_MAX; i++)
		s->recent[i].ms = INT64_MIN;
}

/* --- what was asked for --- */

static bool object_size(struct central_sync *s, const uint8_t hash[HASH_LEN], uint64_t *size, struct err *e)
{
	struct file_map map;
	bool known = false;
	if (!release_object_known(s->config.release, hash, &known, e))
		return false;
	if (!known)
		return err_set(e, ERR_MISSING, "no object of this hash");
	if (!objects_map(s->config.release->objects, hash, &map, e))
		return false;
	*size = map.bytes.len;
	file_unmap(&map);
	return true;
}

static bool asked_has(const struct central_sync *s, const struct chunk_id *id)
{
	for (size_t i = 0; i < s->asked_len; i++) {
		const struct chunk_id *a = &s->asked[(s->asked_at + i) % ASKED_MAX];
		if (a->chunk == id->chunk && memcmp(a->hash, id->hash, HASH_LEN) == 0)
			return true;
	}
	return false;
}

bool sync_objects_ask(struct central_sync *s, const uint8_t hash[HASH_LEN], int64_t first, uint32_t count,
		      struct instant now, struct err *e)
{
	uint64_t size = 0;
	if (!object_size(s, hash, &size, e))
		return false;
	int64_t chunks = (int64_t)object_chunks(size);
	if (first >= chunks)
		return err_set(e, ERR_MISSING, "the object has %lld chunks", (long long)chunks);
	for (int64_t i = first; i < first + (int64_t)count && i < chunks; i++) {
		struct chunk_id id = { .chunk = i };
		memcpy(id.hash, hash, HASH_LEN);
		if (recent_is(s, &id, now.ms) || asked_has(s, &id))
			continue;
		if (s->asked_len == ASKED_MAX)
			return err_set(e, ERR_FULL, "too much was asked for: ask again");
		s->asked[(s->asked_at + s->asked_len++) % ASKED_MAX] = id;
	}
	return true;
}

static bool asked_run(struct central_sync *s, int64_t now_ms, unsigned *budget)
{
	while (s->asked_len > 0 && *budget > 0) {
		if (!chunk_publish(s, &s->asked[s->asked_at], CENTRAL_ASK_EXPIRY_S, now_ms))
			return false;
		s->asked_at = (s->asked_at + 1) % ASKED_MAX;
		s->asked_len--;
		s->info.asked++;
		(*budget)--;
	}
	return true;
}

static bool pushes_run(struct central_sync *s, int64_t now_ms, unsigned *budget)
{
	for (size_t i = 0; i<s->pushes_len && * budget> 0; i++) {
		struct push *p = &s->pushes[i];
		while (p->next<p->end && * budget> 0) {
			struct chunk_id id = { .chunk = p->next };
			memcpy(id.hash, p->hash, HASH_LEN);
			if (!chunk_publish(s, &id, CENTRAL_PUSH_EXPIRY_S, now_ms))
				return false;
			p->next++;
			s->info.pushed++;
			(*budget)--;
		}
		if (p->next >= p->end && p->done_ms == INT64_MIN)
			p->done_ms = now_ms;
	}
	return true;
}

bool sync_objects_run(struct central_sync *s, struct instant now, unsigned budget)
{
	if (s->pushes_stale || now.ms >= s->pushes_next_ms)
		pushes_build(s, now.ms);
	return asked_run(s, now.ms, &budget) && pushes_run(s, now.ms, &budget);
}

bool sync_objects_waiting(const struct central_sync *s)
{
	if (s->asked_len > 0)
		return true;
	for (size_t i = 0; i < s->pushes_len; i++) {
		if (s->pushes[i].next < s->pushes[i].end)
			return true;
	}
	return false;
}
