#include "central/release/list_inner.h"

#include "protocol/cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct list_plan *plan_new(struct release_context *c, const char *name, const char *operator, int64_t now_s)
{
	struct list_plan *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->c = c;
	p->r = (struct release){ .kind = RELEASE_LIST, .created_s = now_s };
	snprintf(p->r.name, sizeof(p->r.name), "%s", name);
	snprintf(p->r.created_by, sizeof(p->r.created_by), "%s", operator);
	return p;
}

void list_plan_free(struct list_plan *p)
{
	if (p == NULL)
		return;
	tag_key_wipe(&p->base.key);
	free(p);
}

static bool epoch_make(struct release_context *c, struct release *r, struct err *e)
{
	if (!db_begin(c->db, e))
		return false;
	if (release_epoch_of(c, r->name, r->created_s, &r->epoch, e) && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static bool import_plan(struct list_plan *p, struct err *e)
{
	if (!epoch_make(p->c, &p->r, e) || !list_base_load(p->c, &p->r, &p->base, e))
		return false;
	if (p->base.now.version == 0)
		return p->mode != DRAFT_REMOVE ||
		       err_set(e, ERR_MISSING, "list %s is not published yet: nothing to remove from", p->r.name);
	return p->base.now.kind == RELEASE_LIST ||
	       err_set(e, ERR_CONFLICT, "%s is a document, not a list", p->r.name);
}

struct list_plan *list_plan_import(struct release_context *c, const struct list_draft *d, struct err *e)
{
	if (!name_is_valid(d->name)) {
		err_set(e, ERR_INPUT, "a list's name is made of a-z, 0-9, - and _, at most %d of them", NAME_MAX_LEN);
		return NULL;
	}
	struct list_plan *p = plan_new(c, d->name, d->operator, d->now_s);
	snprintf(p->r.source, sizeof(p->r.source), "%s", d->source);
	p->format = d->format;
	p->mode = d->mode;
	p->reason = d->reason;
	if (import_plan(p, e))
		return p;
	list_plan_free(p);
	return NULL;
}

struct list_plan *list_plan_again(struct release_context *c, const struct release *old, const char *operator,
				  int64_t now_s, struct err *e)
{
	int64_t canary = 0;
	struct list_plan *p = plan_new(c, old->name, operator, now_s);
	snprintf(p->r.source, sizeof(p->r.source), "rollback to version %llu", (unsigned long long)old->version);
	p->r.epoch = old->epoch;
	p->again = true;
	p->old = *old;
	if (db_run_int(c->db, &canary, e, "SELECT canary_hit FROM release WHERE id = ?", "i", old->id) &&
	    list_base_load(c, &p->r, &p->base, e)) {
		p->old_canary = (uint64_t)canary;
		return p;
	}
	list_plan_free(p);
	return NULL;
}

int64_t list_plan_id(const struct list_plan *p)
{
	return p->r.id;
}

/* --- rows --- */

static bool reject_store(const struct list_plan *p, struct cbor *in, struct err *e)
{
	uint64_t row = 0, field = 0;
	char code[64], zh[160], en[160];
	struct bytes sealed;
	return cbor_expect_array(in, 6, e) && cbor_get_uint(in, &row, e) && cbor_get_uint(in, &field, e) &&
	       cbor_get_string(in, code, sizeof(code), e) && cbor_get_string(in, zh, sizeof(zh), e) &&
	       cbor_get_string(in, en, sizeof(en), e) && cbor_get_bytes(in, &sealed, e) &&
	       db_run(p->c->db, e,
		      "INSERT INTO reject (release, row, field, code, zh, en, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "iiitttb", p->r.id, (int64_t)row, (int64_t)field, code, zh, en, sealed);
}

static bool shown_store(const struct list_plan *p, struct cbor *in, struct err *e)
{
	uint64_t tag = 0;
	char masked[96];
	return cbor_expect_array(in, 2, e) && cbor_get_uint(in, &tag, e) &&
	       cbor_get_string(in, masked, sizeof(masked), e) &&
	       db_run(p->c->db, e,
		      "INSERT INTO shown (release, tag, masked) VALUES (?, ?, ?) ON CONFLICT (release, tag) DO "
		      "NOTHING",
		      "iit", p->r.id, (int64_t)tag, masked);
}

/* What the plan says of itself stays as it is. */
static void built_take(struct release *r, const struct release *b)
{
	r->base_version = b->base_version;
	r->version = b->version;
	r->import = b->import;
	r->duplicates = b->duplicates;
	r->count = b->count;
	r->base_count = b->base_count;
	r->added = b->added;
	r->removed = b->removed;
	r->changed = b->changed;
	memcpy(r->fingerprint, b->fingerprint, sizeof(r->fingerprint));
	r->content = b->content;
	r->delta = b->delta;
}

static bool store_begin(struct list_plan *p, struct bytes built, struct err *e)
{
	struct list_built head;
	if (built.len < sizeof(head))
		return err_set(e, ERR_IO, "the draft was cut short");
	memcpy(&head, built.data, sizeof(head));
	built_take(&p->r, &head.r);
	p->at = sizeof(head);
	p->rejects_left = head.rejects;
	p->shown_left = head.shown;
	p->in_parts = head.rejects + head.shown > LIST_STORE_ROWS;
	return release_insert(p->c, &p->r, p->base.canary_hit, p->base.canary_miss, p->in_parts, e);
}

static bool rows_store(struct list_plan *p, struct bytes built, struct err *e)
{
	struct cbor in = cbor_over((struct bytes){ built.data + p->at, built.len - p->at });
	for (size_t n = 0; n < LIST_STORE_ROWS && p->rejects_left + p->shown_left > 0; n++) {
		bool is_reject = p->rejects_left > 0;
		if (!(is_reject ? reject_store(p, &in, e) : shown_store(p, &in, e)))
			return false;
		*(is_reject ? &p->rejects_left : &p->shown_left) -= 1;
	}
	p->at += (size_t)(in.at - in.start);
	return true;
}

bool list_plan_store(struct list_plan *p, struct bytes built, bool *done, struct err *e)
{
	struct db *db = p->c->db;
	*done = false;
	if (!db_begin(db, e))
		return false;
	bool ok = (p->at > 0 || store_begin(p, built, e)) && rows_store(p, built, e);
	bool last = p->rejects_left + p->shown_left == 0;
	if (ok && last && p->in_parts)
		ok = release_finish(p->c, &p->r, e);
	if (!ok || !db_commit(db, e)) {
		db_rollback(db);
		return false;
	}
	*done = last;
	return true;
}

bool list_plan_run(struct list_plan *p, struct bytes file, int64_t *id, struct err *e)
{
	struct buf built;
	bool done = false;
	buf_init(&built, LIST_BUILT_MAX);
	bool ok = list_plan_build(p, file, &built, e);
	while (ok && !done)
		ok = list_plan_store(p, buf_bytes(&built), &done, e);
	*id = p->r.id;
	buf_clear(&built);
	return ok;
}

bool list_draft_import(struct release_context *c, const struct list_draft *d, struct bytes file, int64_t *id,
		       struct err *e)
{
	struct list_plan *p = list_plan_import(c, d, e);
	bool ok = p != NULL && list_plan_run(p, file, id, e);
	list_plan_free(p);
	return ok;
}

bool draft_mode_of(const char *name, enum draft_mode *m)
{
	static const char *const names[] = { "replace", "add", "remove" };
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(name, names[i]) == 0) {
			*m = (enum draft_mode)(i + 1);
			return true;
		}
	}
	return false;
}
