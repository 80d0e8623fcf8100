#include "firmware/lists_state.h"
#include "protocol/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names */

/* Where the name is, or where it would go. */
static size_t lists_place(const struct lists *l, const char *name)
{
	size_t lo = 0, hi = l->len;
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		if (strcmp(l->items[middle]->name, name) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

struct list *lists_find(const struct lists *l, const char *name)
{
	size_t at = lists_place(l, name);
	return at < l->len && strcmp(l->items[at]->name, name) == 0 ? l->items[at] : NULL;
}

struct list *lists_take(struct lists *l, const char *name)
{
	size_t at = lists_place(l, name);
	if (at < l->len && strcmp(l->items[at]->name, name) == 0)
		return l->items[at];
	if (l->len == LISTS_MAX || strlen(name) > NAME_MAX_LEN)
		return NULL;
	struct list *list = calloc(1, sizeof(*list));
	if (list == NULL)
		abort();
	snprintf(list->name, sizeof(list->name), "%s", name);
	list->confirmed_s = -1;
	memmove(l->items + at + 1, l->items + at, (l->len - at) * sizeof(struct list *));
	l->items[at] = list;
	l->len++;
	return list;
}

void lists_path(const struct lists *l, const uint8_t hash[HASH_LEN], const char *suffix, char out[LISTS_PATH_MAX])
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(hash, HASH_LEN, hex);
	snprintf(out, LISTS_PATH_MAX, "%s/%s%s", l->dir, hex, suffix);
}

/* Faults */

void list_set_fault(struct list *list, const char *why)
{
	snprintf(list->fault, sizeof(list->fault), "%s", why);
	/* Not in the middle of a character: it goes into a message. */
	size_t len = strlen(list->fault);
	while (!utf8_is_valid((struct bytes){ (const uint8_t *)list->fault, len }))
		list->fault[--len] = 0;
}

void lists_fault(struct lists *l, const char *name, const char *why)
{
	struct list *list = lists_take(l, name);
	if (list != NULL)
		list_set_fault(list, why);
}

void lists_damage(struct lists *l, struct list *list, const char *why)
{
	list_view_free(list->view);
	list->view = NULL;
	memset(list->hash, 0, HASH_LEN);
	list_set_fault(list, why);
	l->counters.faults++;
}

bool list_canaries(const struct list_view *v, uint64_t hit, uint64_t miss, struct err *e)
{
	uint32_t value;
	if (!layers_find(&v->layers, hit, &value))
		return err_set(e, ERR_CONFLICT, "lists: the entry known to be listed is not found");
	if (layers_find(&v->layers, miss, &value))
		return err_set(e, ERR_CONFLICT, "lists: the entry known not to be listed is found");
	return true;
}

/* Keys */

static const struct tag_key *lists_key(const struct lists *l, uint32_t epoch)
{
	for (size_t i = 0; i < l->keys_len; i++)
		if (l->keys[i]->epoch == epoch)
			return l->keys[i];
	return NULL;
}

static void lists_keys_clear(struct lists *l)
{
	for (size_t i = 0; i < l->keys_len; i++) {
		tag_key_wipe(l->keys[i]);
		free(l->keys[i]);
	}
	free(l->keys);
	l->keys = NULL;
	l->keys_len = 0;
}

bool lists_has_epoch(const struct lists *l, uint32_t epoch)
{
	return lists_key(l, epoch) != NULL;
}

bool lists_add_epoch(struct lists *l, uint32_t epoch, uint32_t iterations, const uint8_t secret[32], struct err *e)
{
	if (lists_key(l, epoch) != NULL)
		return true;
	if (!db_begin(l->db, e))
		return false;
	if (!list_store_key(l, epoch, iterations, secret, e) || !db_commit(l->db, e)) {
		db_rollback(l->db);
		return false;
	}
	lists_keys_clear(l);
	return lists_load_keys(l, e);
}

void lists_wipe(struct lists *l)
{
	lists_keys_clear(l);
}

void lists_drop_keys(struct lists *l)
{
	size_t kept = 0;
	uint32_t least = UINT32_MAX;
	for (size_t i = 0; i < l->len; i++)
		if (l->items[i]->version > 0 && l->items[i]->epoch < least)
			least = l->items[i]->epoch;
	for (size_t i = 0; i < l->keys_len; i++) {
		if (l->keys[i]->epoch >= least) {
			l->keys[kept++] = l->keys[i];
			continue;
		}
		tag_key_wipe(l->keys[i]);
		free(l->keys[i]);
	}
	l->keys_len = kept;
}

/* For the check */

static enum lookup_result source_list(void *arg, const char *name, struct check_list *state)
{
	const struct lists *l = arg;
	const struct list *list = lists_find(l, name);
	if (list == NULL || list->version == 0)
		return LOOKUP_NOT_COVERED;
	state->version = list->version;
	state->confirmed_s = list->confirmed_s;
	state->key = lists_key(l, list->epoch);
	return list->view == NULL || state->key == NULL ? LOOKUP_ERROR : LOOKUP_NOT_LISTED;
}

static enum lookup_result source_find(void *arg, const char *name, uint64_t tag, uint32_t *value)
{
	const struct list *list = lists_find(arg, name);
	if (list == NULL || list->view == NULL)
		return LOOKUP_ERROR;
	return layers_find(&list->view->layers, tag, value) ? LOOKUP_HIT : LOOKUP_NOT_LISTED;
}

const struct check_source *lists_source(struct lists *l)
{
	return &l->source;
}

/* Opening */

struct lists *lists_open(struct db *db, const struct vault *vault, const char *dir, struct loop *loop, struct err *e)
{
	struct lists *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	l->db = db;
	l->vault = vault;
	l->loop = loop;
	l->source = (struct check_source){ .arg = l, .list = source_list, .find = source_find };
	if (snprintf(l->dir, sizeof(l->dir), "%s/lists", dir) >= (int)sizeof(l->dir)) {
		err_set(e, ERR_INPUT, "the directory's name is too long: %.100s", dir);
		goto out;
	}
	if (!file_make_dir(l->dir, e) || !lists_load_keys(l, e) || !lists_load(l, e) || !lists_sweep(l, e))
		goto out;
	l->idle = loop_timer_new(loop, lists_idle, l);
	lists_verify(l);
	return l;
out:
	lists_close(l);
	return NULL;
}

void lists_close(struct lists *l)
{
	if (l == NULL)
		return;
	lists_job_kill(l);
	loop_timer_free(l->idle);
	list_view_free(l->work.next);
	for (size_t i = 0; i < l->len; i++) {
		list_view_free(l->items[i]->view);
		free(l->items[i]);
	}
	lists_keys_clear(l);
	free(l);
}

/* What is said of them */

size_t lists_info(const struct lists *l, struct list_info out[LISTS_MAX])
{
	for (size_t i = 0; i < l->len; i++) {
		const struct list *list = l->items[i];
		out[i] = (struct list_info){ .version = list->version,
					     .count = list->count,
					     .epoch = list->epoch,
					     .confirmed_s = list->confirmed_s,
					     .damaged = list->version > 0 && list->view == NULL };
		memcpy(out[i].name, list->name, sizeof(out[i].name));
		memcpy(out[i].hash, list->hash, HASH_LEN);
		memcpy(out[i].fault, list->fault, sizeof(out[i].fault));
		if (list->view == NULL)
			continue;
		out[i].layers = list->view->layers.deltas_len;
		out[i].size_bytes = list_view_size(list->view);
	}
	return l->len;
}

uint64_t lists_version(const struct lists *l, const char *name, uint32_t *epoch)
{
	const struct list *list = lists_find(l, name);
	if (list == NULL || list->view == NULL)
		return 0;
	*epoch = list->epoch;
	return list->version;
}

void lists_counters(const struct lists *l, struct lists_counters *out)
{
	*out = l->counters;
}
