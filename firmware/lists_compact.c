/*
 * Merging a list's layers, in a child. Either into a new base file that takes their place, because there are
 * many of them, or only to know the hash of what they give: equal to the head's snapshot hash, it proves that
 * the list is byte for byte central's. A hash that differs from it means that the list is damaged, however it
 * came about.
 */
#include "firmware/lists_state.h"
#include "protocol/segment_write.h"

#include <stdio.h>
#include <string.h>

#define MERGE_SLICE      512
#define PROVE_MAX_BYTES  268435456U /* of memory that the child may take for a proof */
#define COMPACT_AGAIN_MS 60000      /* after a failure, a full disk for instance */
#define QUIET_MS         500

static struct segment_head merged_head(const struct layers *layers)
{
	struct segment_head head = layers->base.head;
	head.version = layers_version(layers);
	head.entries = (uint32_t)layers_count(layers);
	return head;
}

static size_t merged_size(const struct list_view *v)
{
	return segment_layout((uint32_t)layers_count(&v->layers), false).size;
}

static bool merge_into(const struct layers *layers, uint8_t *memory, struct err *e)
{
	struct segment_writer writer;
	struct layers_merge merge;
	struct entry slice[MERGE_SLICE];
	size_t got;
	struct segment_head head = merged_head(layers);
	if (!segment_writer_init(&writer, &head, memory, e))
		return false;
	layers_merge_init(&merge, layers);
	while (layers_merge_next(&merge, slice, MERGE_SLICE, &got))
		for (size_t i = 0; i < got; i++)
			if (!segment_writer_add(&writer, slice[i], e))
				return false;
	return segment_writer_finish(&writer, e);
}

/* Compaction */

static void compact_path(const struct lists *l, char out[LISTS_PATH_MAX])
{
	snprintf(out, LISTS_PATH_MAX, "%s/compacted.tmp", l->dir);
}

static void compact_work(struct lists *l, struct lists_result *r)
{
	struct file_create file;
	struct segment s;
	char path[LISTS_PATH_MAX];
	const struct list_view *v = l->work.list->view;
	compact_path(l, path);
	if (!file_create(path, merged_size(v), &file, &r->err))
		return;
	struct bytes bytes = { file.data, file.size };
	if (!merge_into(&v->layers, file.data, &r->err) || !segment_open(bytes, &s, &r->err) ||
	    !filter_add_segment(&l->work.next->filter, &s, &r->err)) {
		file_create_abort(&file);
		return;
	}
	sha256(bytes, r->hash);
	if (file_create_finish(&file, &r->err))
		r->err.code = ERR_NONE;
}

static bool compact_store(struct lists *l, const struct list *list, const struct list_view *v, struct err *e)
{
	if (!db_begin(l->db, e))
		return false;
	if (list_drop_layers(l, list, e) && list_store(l, list, e) && list_store_layer(l, list, 0, &v->files[0], e) &&
	    list_canaries(v, list->canary_hit, list->canary_miss, e) && db_commit(l->db, e))
		return true;
	db_rollback(l->db);
	return false;
}

static bool compact_switch(struct lists *l, struct list *list, const uint8_t hash[HASH_LEN], bool proven,
			   struct err *e)
{
	char aside[LISTS_PATH_MAX], path[LISTS_PATH_MAX];
	struct list before = *list;
	struct list_view *next = l->work.next;
	compact_path(l, aside);
	lists_path(l, hash, "", path);
	if (!file_rename(aside, path, e) || !list_view_map(next, path, hash, e))
		return false;
	list_view_use_filters(next);
	if (proven)
		memcpy(list->hash, hash, HASH_LEN);
	if (!compact_store(l, list, next, e)) {
		*list = before;
		return false;
	}
	list_view_free(list->view);
	list->view = next;
	l->work.next = NULL;
	l->counters.compactions++;
	return true;
}

/* What the merged hash says of the list. False when the list has been found damaged. */
static bool list_judge(struct lists *l, struct list *list, const uint8_t hash[HASH_LEN], bool *proven)
{
	bool known = list->head_version == list->version;
	if (known)
		list->proven_version = list->version;
	*proven = known && memcmp(list->head_hash, hash, HASH_LEN) == 0;
	if (known && !*proven)
		lists_damage(l, list, "its hash is not that of the version the head names");
	return !known || *proven;
}

/* The list may have been confirmed or found damaged meanwhile, but not changed: no step starts while a child
 * is at work. */
static void compact_done(struct lists *l, const struct lists_result *r)
{
	struct list *list = l->work.list;
	struct err e = r->err;
	bool proven;
	if (e.code == ERR_NONE && list->view != NULL && list_judge(l, list, r->hash, &proven) &&
	    compact_switch(l, list, r->hash, proven, &e))
		list->compact_after_ms = 0;
	if (e.code != ERR_NONE) {
		l->counters.faults++;
		list->compact_after_ms = loop_now_ms() + COMPACT_AGAIN_MS;
		err_wrap(&e, "compaction");
		list_set_fault(list, e.text);
	}
	list_view_free(l->work.next);
	l->work = (struct lists_work){ 0 };
	if (!lists_sweep(l, NULL))
		l->counters.faults++;
	lists_idle_soon(l, QUIET_MS);
}

static void compact_start(struct lists *l, struct list *list)
{
	struct err e = { 0 };
	l->work = (struct lists_work){ .list = list, .next = list_view_new() };
	if (list_view_reserve(l->work.next, layers_count(&list->view->layers), &e)) {
		lists_job_start(l, compact_work, compact_done);
		return;
	}
	struct lists_result r = { .err = e };
	compact_done(l, &r);
}

/* Proof */

static void prove_work(struct lists *l, struct lists_result *r)
{
	const struct list_view *v = l->work.list->view;
	size_t size = merged_size(v);
	struct list_memory memory;
	if (!list_memory_map(&memory, size, &r->err))
		return;
	if (merge_into(&v->layers, memory.data, &r->err))
		sha256((struct bytes){ memory.data, size }, r->hash);
	list_memory_unmap(&memory);
}

static bool prove_store(struct lists *l, const struct list *list, struct err *e)
{
	if (!db_begin(l->db, e))
		return false;
	if (list_store(l, list, e) && db_commit(l->db, e))
		return true;
	db_rollback(l->db);
	return false;
}

/* A proof that could not be made or stored is not made again for this version: the fingerprint stands. */
static void prove_done(struct lists *l, const struct lists_result *r)
{
	struct list *list = l->work.list;
	bool proven;
	l->work = (struct lists_work){ 0 };
	list->proven_version = list->version;
	if (r->err.code == ERR_NONE && list->view != NULL && list_judge(l, list, r->hash, &proven) && proven) {
		memcpy(list->hash, r->hash, HASH_LEN);
		l->counters.proofs++;
		if (!prove_store(l, list, NULL))
			l->counters.faults++;
	}
	lists_idle_soon(l, QUIET_MS);
}

static bool list_needs_proof(const struct list *list)
{
	static const uint8_t none[HASH_LEN];
	return list->view != NULL && list->head_version == list->version && list->proven_version != list->version &&
	       memcmp(list->hash, none, HASH_LEN) == 0 && merged_size(list->view) <= PROVE_MAX_BYTES;
}

/* What is due */

bool list_needs_compaction(const struct list *list)
{
	return list->view != NULL && list->view->layers.deltas_len > 0 &&
	       (list->view->crowded || list->view->layers.deltas_len >= LIST_LAYERS_MAX / 2);
}

void lists_idle_soon(struct lists *l, int64_t after_ms)
{
	int64_t at_ms = loop_now_ms() + after_ms;
	if (l->idle == NULL || (loop_timer_is_set(l->idle) && l->idle_ms <= at_ms))
		return;
	l->idle_ms = at_ms;
	loop_timer_set(l->idle, after_ms);
}

void lists_idle(void *lists)
{
	struct lists *l = lists;
	int64_t now_ms = loop_now_ms(), again_ms = l->verify_ms;
	if (lists_job_is_running(l))
		return; /* its end calls again */
	for (size_t i = 0; i < l->len; i++) {
		struct list *list = l->items[i];
		if (!list_needs_compaction(list))
			continue;
		if (list->compact_after_ms <= now_ms) {
			compact_start(l, list);
			return;
		}
		if (list->compact_after_ms < again_ms)
			again_ms = list->compact_after_ms;
	}
	for (size_t i = 0; i < l->len; i++) {
		if (!list_needs_proof(l->items[i]))
			continue;
		l->work = (struct lists_work){ .list = l->items[i] };
		lists_job_start(l, prove_work, prove_done);
		return;
	}
	if (now_ms >= l->verify_ms)
		lists_verify_all(l);
	else
		lists_idle_soon(l, again_ms - now_ms);
}
