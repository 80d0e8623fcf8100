/*
 * One step to another version. First everything is read and proven (lists_check.c; in a child when it is
 * large), then the file is renamed to its place, then rows, memory and canaries change together or not at
 * all: until the commit has succeeded each failure puts all three back.
 */
#include "firmware/lists_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE_BYTES  262144 /* what takes no longer than a few milliseconds to read and prove */
#define PROVE_AFTER_MS 500    /* a quiet moment, when nothing else is coming in */

bool lists_head(struct lists *l, const struct head_entry *entry, int64_t issued_s, struct err *e)
{
	struct list *list = lists_take(l, entry->name);
	struct fingerprint promised;
	struct err why = { 0 };
	if (list == NULL)
		return true; /* fetching it will say that there is no room; the other lists must not suffer */
	list->head_version = entry->version;
	memcpy(list->head_hash, entry->object.hash, HASH_LEN);
	if (list->view == NULL || list->version != entry->version)
		return true;
	fingerprint_decode(entry->fingerprint, &promised);
	if (list->epoch != entry->epoch || list->count != entry->count ||
	    !fingerprint_equal(&promised, &list->fingerprint)) {
		lists_damage(l, list, "what is held is not what the head says of this version");
		return true;
	}
	if (!list_canaries(list->view, entry->canary_hit, entry->canary_miss, &why)) {
		list_set_fault(list, why.text);
		l->counters.faults++;
		return true;
	}
	list->canary_hit = entry->canary_hit;
	list->canary_miss = entry->canary_miss;
	list->start_version = list->version;
	list->start_count = list->count;
	list->start_changes = 0;
	list->fault[0] = 0;
	if (issued_s > list->confirmed_s)
		list->confirmed_s = issued_s;
	lists_idle_soon(l, PROVE_AFTER_MS);
	return list_store(l, list, e);
}

bool lists_ready(const struct lists *l, const char *name)
{
	const struct list *list = lists_find(l, name);
	if (lists_job_is_running(l))
		return false;
	return list == NULL || list->view == NULL || list->view->layers.deltas_len < LIST_LAYERS_MAX;
}

/* The list as it is after the step; what is not known any more is cleared. */
static void list_advance(struct list *list, const struct lists_work *w, const struct lists_result *r)
{
	list->version = w->is_delta ? w->edge.to : w->entry.version;
	list->count = r->count;
	list->epoch = w->entry.epoch;
	list->fingerprint = r->fingerprint;
	list->start_changes = r->changes;
	list->canary_hit = w->entry.canary_hit;
	list->canary_miss = w->entry.canary_miss;
	memset(list->hash, 0, HASH_LEN);
	if (!w->is_delta)
		memcpy(list->hash, w->entry.object.hash, HASH_LEN);
	if (list->version != w->entry.version)
		return;
	if (w->issued_s > list->confirmed_s)
		list->confirmed_s = w->issued_s;
	list->start_version = list->version;
	list->start_count = list->count;
	list->start_changes = 0;
	list->fault[0] = 0;
}

static bool delta_store(struct lists *l, const struct list *list, struct err *e)
{
	const struct list_view *v = list->view;
	size_t place = v->files_len - 1;
	if (!db_begin(l->db, e))
		return false;
	if (list_store(l, list, e) && list_store_layer(l, list, place, &v->files[place], e) &&
	    list_canaries(v, list->canary_hit, list->canary_miss, e) && db_commit(l->db, e))
		return true;
	db_rollback(l->db);
	return false;
}

/* Fails always, for a step that failed. Where the file cannot go back it is left over, and goes at the next
 * opening. */
static bool file_put_back(const char *path, const char *where, struct err *e)
{
	if (rename(path, where) != 0)
		err_wrap(e, "the file could not be put back");
	return false;
}

static bool delta_switch(struct lists *l, const struct lists_result *r, struct err *e)
{
	struct lists_work *w = &l->work;
	struct list *list = w->list, before = *list;
	char path[LISTS_PATH_MAX];
	if (list->view == NULL)
		return err_set(e, ERR_CONFLICT, "the list has been found damaged meanwhile");
	lists_path(l, w->edge.object.hash, "", path);
	if (!file_rename(w->path, path, e))
		return false;
	if (!list_view_map(list->view, path, w->edge.object.hash, e))
		goto out;
	list->view->crowded |= r->crowded;
	list_view_use_filters(list->view);
	list_advance(list, w, r);
	if (delta_store(l, list, e)) {
		l->counters.deltas++;
		return true;
	}
	list_view_unmap_last(list->view);
	*list = before;
out:
	return file_put_back(path, w->path, e);
}

static bool snapshot_store(struct lists *l, const struct list *list, const struct list_view *v, struct err *e)
{
	if (!db_begin(l->db, e))
		return false;
	if (list_store(l, list, e) && list_drop_layers(l, list, e) && list_store_layer(l, list, 0, &v->files[0], e) &&
	    db_exec(l->db, "DELETE FROM epoch_key WHERE epoch < (SELECT min(epoch) FROM list)", e) &&
	    list_canaries(v, list->canary_hit, list->canary_miss, e) && db_commit(l->db, e))
		return true;
	db_rollback(l->db);
	return false;
}

static bool snapshot_switch(struct lists *l, const struct lists_result *r, struct err *e)
{
	struct lists_work *w = &l->work;
	struct list *list = w->list, before = *list;
	char path[LISTS_PATH_MAX];
	lists_path(l, w->entry.object.hash, "", path);
	if (!file_rename(w->path, path, e))
		return false;
	if (!list_view_map(w->next, path, w->entry.object.hash, e))
		goto out;
	list_view_use_filters(w->next);
	list_advance(list, w, r);
	if (!snapshot_store(l, list, w->next, e)) {
		*list = before;
		goto out;
	}
	list_view_free(list->view);
	list->view = w->next;
	w->next = NULL;
	l->counters.snapshots++;
	return true;
out:
	return file_put_back(path, w->path, e);
}

/* Clears the work first: who is told may start the next step at once. */
static void apply_end(struct lists *l, const struct err *e)
{
	struct lists_work w = l->work;
	l->work = (struct lists_work){ 0 };
	list_view_free(w.next);
	if (e->code != ERR_NONE) {
		l->counters.faults++;
		if (w.list != NULL)
			list_set_fault(w.list, e->text);
	}
	w.done(w.arg, e);
}

static void apply_checked(struct lists *l, const struct lists_result *r)
{
	struct err e = r->err;
	bool ok = e.code == ERR_NONE && (l->work.is_delta ? delta_switch(l, r, &e) : snapshot_switch(l, r, &e));
	if (ok && !l->work.is_delta) {
		lists_drop_keys(l);
		if (!lists_sweep(l, NULL))
			l->counters.faults++; /* what is left over goes at the next opening */
	}
	lists_idle_soon(l, list_needs_compaction(l->work.list) ? 0 : PROVE_AFTER_MS);
	apply_end(l, &e);
}

/* What need not be read to be refused. Makes the view for a snapshot. */
static bool apply_admit(struct lists *l, struct err *e)
{
	struct lists_work *w = &l->work;
	if (w->list == NULL)
		return err_set(e, ERR_FULL, "more than %d lists", LISTS_MAX);
	if (!lists_ready(l, w->list->name))
		return err_set(e, ERR_CONFLICT, "another step is under way");
	if (!lists_has_epoch(l, w->entry.epoch))
		return err_set(e, ERR_MISSING, "the key of epoch %u is not here", w->entry.epoch);
	if (!w->is_delta) {
		w->next = list_view_new();
		return list_view_reserve(w->next, w->entry.count, e);
	}
	if (w->list->view == NULL || w->list->version != w->edge.from || w->list->epoch != w->entry.epoch)
		return err_set(e, ERR_CONFLICT, "delta from version %llu, held is version %llu",
			       (unsigned long long)w->edge.from, (unsigned long long)w->list->version);
	return true;
}

void lists_apply(struct lists *l, const struct lists_step *step)
{
	struct err e = { 0 };
	if (lists_job_is_running(l)) {
		err_set(&e, ERR_CONFLICT, "another step is under way");
		step->done(step->arg, &e);
		return;
	}
	struct lists_work *w = &l->work;
	*w = (struct lists_work){ .list = lists_take(l, step->entry->name),
				  .entry = *step->entry,
				  .is_delta = step->edge != NULL,
				  .issued_s = step->issued_s,
				  .done = step->done,
				  .arg = step->arg };
	if (step->edge != NULL)
		w->edge = *step->edge;
	snprintf(w->path, sizeof(w->path), "%s", step->path);
	if (!apply_admit(l, &e)) {
		apply_end(l, &e);
		return;
	}
	void (*check)(struct lists *, struct lists_result *) = w->is_delta ? lists_check_delta : lists_check_snapshot;
	if ((w->is_delta ? w->edge.object.size : w->entry.object.size) > AT_ONCE_BYTES) {
		lists_job_start(l, check, apply_checked);
		return;
	}
	struct lists_result r = { 0 };
	check(l, &r);
	apply_checked(l, &r);
}

static void done_for_nobody(void *arg, const struct err *e)
{
	(void)arg, (void)e;
}

void lists_disown(struct lists *l, const void *arg)
{
	if (l->work.done != NULL && l->work.arg == arg)
		l->work.done = done_for_nobody;
}
