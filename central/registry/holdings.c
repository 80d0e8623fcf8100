#include "central/registry/holdings.h"

#include "central/registry/code_set.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX      64    /* certificates of one kind of one holder that are looked at */
#define REPLY_ROOM    60000 /* of one message: the rest is seals and names */
#define BODY_OVERHEAD 128   /* of each: media type, times, CBOR */

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- consents --- */

bool consent_add(struct release_context *c, const struct consent_new *n, const char *operator, int64_t now_s,
		 int64_t *id, struct err *e)
{
	uint8_t holder[HASH_LEN];
	if (!code_set_is_valid(n->kinds, HOLDINGS_SET_MAX) || !code_set_is_valid(n->purposes, HOLDINGS_SET_MAX) ||
	    !code_set_is_valid(n->branches, HOLDINGS_SET_MAX))
		return err_set(e, ERR_INPUT, "kinds, purposes and branches: name them, or \"*\"");
	if (n->to_s <= n->from_s || n->to_s <= now_s)
		return err_set(e, ERR_INPUT, "to: it would have ended already");
	registry_holder_hash(c->vault_key, n->holder_kind, n->holder, holder);
	if (!db_begin(c->db, e))
		return false;
	bool ok =
		db_run(c->db, e,
		       "INSERT INTO consent (holder, kinds, purposes, branches, from_s, to_s, created_by, created_s)"
		       " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		       "btttiiti", (struct bytes){ holder, HASH_LEN }, n->kinds, n->purposes, n->branches, n->from_s,
		       n->to_s, operator, now_s) &&
		db_run_int(c->db, id, e, "SELECT MAX(id) FROM consent", "") &&
		audit_add(c->db, now_s, operator, "consent.add", n->branches, n->purposes, e);
	return finish(c, ok, e);
}

bool consent_find(struct release_context *c, const uint8_t holder[HASH_LEN], const char *branch, const char *kind,
		  const char *purpose, int64_t now_s, int64_t *to_s, struct err *e)
{
	struct db_query *q = db_query(
		c->db,
		"SELECT kinds, purposes, branches, to_s FROM consent WHERE holder = ? AND from_s <= ? AND to_s > ?",
		e);
	bool row = false;
	*to_s = 0;
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e) && db_bind_int(q, 2, now_s, e) &&
		  db_bind_int(q, 3, now_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		if (code_set_has(db_text(q, 0), kind) && code_set_has(db_text(q, 1), purpose) &&
		    code_set_has(db_text(q, 2), branch) && db_int(q, 3) > *to_s)
			*to_s = db_int(q, 3);
	db_finish(q);
	return ok;
}

/* --- items --- */

static bool item_add(struct release_context *c, const char *branch, enum prefetch_kind kind, const char *certificate,
		     const char *purpose, int64_t until_s, struct err *e)
{
	return db_run(c->db, e,
		      "INSERT INTO prefetch (branch, seq, kind, certificate, purpose, until_s) VALUES (?1,"
		      " (SELECT COALESCE(MAX(seq), 0) + 1 FROM prefetch WHERE branch = ?1), ?2, ?3, ?4, ?5)",
		      "titti", branch, (int64_t)kind, certificate, purpose, until_s);
}

/* What a branch may hold of a holder: set aside for it, or given when it asked. */
struct there {
	char branch[NAME_MAX_LEN + 1], certificate[ECERT_ID_MAX + 1], kind[ECERT_PART_MAX + 1],
		purpose[PURPOSE_MAX + 1];
	int64_t until_s;      /* of the booking; 0: it was asked for */
	int64_t consent_to_s; /* 0: no consent covers it any more */
};

/* By branch and certificate; *out is the caller's to free. */
static bool there_load(struct release_context *c, const uint8_t holder[HASH_LEN], struct there **out, size_t *len,
		       struct err *e)
{
	bool row = false;
	size_t room = 0;
	*out = NULL;
	*len = 0;
	struct db_query *q = db_query(
		c->db,
		"SELECT p.branch, c.id, c.kind, p.purpose, MAX(p.until_s) FROM prefetch p JOIN certificate c"
		" ON c.id = p.certificate WHERE c.holder = ?1 AND p.kind = 1 GROUP BY p.branch, c.id, c.kind, "
		"p.purpose"
		" UNION SELECT DISTINCT a.branch, c.id, c.kind, a.purpose, 0 FROM body_access a JOIN certificate c"
		" ON c.holder = a.holder AND c.kind = a.kind WHERE a.holder = ?1 AND a.given > 0"
		" ORDER BY 1, 2",
		e);
	bool ok = q != NULL && db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		if (*len == room) {
			room = room * 2 + 16;
			*out = realloc(*out, room * sizeof(**out));
			if (*out == NULL)
				abort();
		}
		struct there *t = &(*out)[(*len)++];
		memset(t, 0, sizeof(*t));
		snprintf(t->branch, sizeof(t->branch), "%s", db_text(q, 0));
		snprintf(t->certificate, sizeof(t->certificate), "%s", db_text(q, 1));
		snprintf(t->kind, sizeof(t->kind), "%s", db_text(q, 2));
		snprintf(t->purpose, sizeof(t->purpose), "%s", db_text(q, 3));
		t->until_s = db_int(q, 4);
	}
	if (q != NULL)
		db_finish(q);
	return ok;
}

static bool same_place(const struct there *a, const struct there *b)
{
	return strcmp(a->branch, b->branch) == 0 && strcmp(a->certificate, b->certificate) == 0;
}

/* One certificate at one branch: erased there for every purpose when some purpose is no longer covered, and what is booked for a purpose
   that still is set aside anew. */
static bool place_settle(struct release_context *c, const struct there *all, size_t len, int64_t now_s,
			 holdings_touched *touched, void *arg, struct err *e)
{
	size_t uncovered = 0;
	for (size_t i = 0; i < len; i++)
		uncovered += all[i].consent_to_s == 0;
	if (uncovered == 0)
		return true;
	bool ok = item_add(c, all->branch, PREFETCH_ERASE, all->certificate, "", 0, e);
	for (size_t i = 0; ok && i < len; i++)
		if (all[i].consent_to_s > 0 && all[i].until_s > now_s)
			ok = item_add(c, all->branch, PREFETCH_PUT, all->certificate, all[i].purpose, all[i].until_s,
				      e);
	if (ok)
		touched(arg, all->branch);
	return ok;
}

static bool items_take_back(struct release_context *c, const uint8_t holder[HASH_LEN], int64_t now_s,
			    holdings_touched *touched, void *arg, struct err *e)
{
	struct there *all;
	size_t len;
	bool ok = there_load(c, holder, &all, &len, e);
	for (size_t i = 0; ok && i < len; i++)
		ok = consent_find(c, holder, all[i].branch, all[i].kind, all[i].purpose, now_s, &all[i].consent_to_s,
				  e);
	for (size_t i = 0, same; ok && i < len; i += same) {
		for (same = 1; i + same < len && same_place(&all[i], &all[i + same]); same++)
			;
		ok = place_settle(c, &all[i], same, now_s, touched, arg, e);
	}
	free(all);
	return ok;
}

static bool withdraw(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		     holdings_touched *touched, void *arg, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT holder, to_s FROM consent WHERE id = ?", e);
	uint8_t holder[HASH_LEN];
	char subject[24];
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, id, e) && db_next(q, &row, e);
	if (ok && !row)
		ok = err_set(e, ERR_MISSING, "there is no consent %lld", (long long)id);
	else if (ok && db_int(q, 1) <= now_s)
		ok = err_set(e, ERR_CONFLICT, "consent %lld has ended already", (long long)id);
	else if (ok && db_bytes(q, 0).len != HASH_LEN)
		ok = err_set(e, ERR_IO, "consent %lld is damaged", (long long)id);
	if (ok)
		memcpy(holder, db_bytes(q, 0).data, HASH_LEN);
	db_finish(q);
	snprintf(subject, sizeof(subject), "%lld", (long long)id);
	return ok && db_run(c->db, e, "UPDATE consent SET to_s = ? WHERE id = ?", "ii", now_s, id) &&
	       items_take_back(c, holder, now_s, touched, arg, e) &&
	       audit_add(c->db, now_s, operator, "consent.withdraw", subject, "", e);
}

bool consent_withdraw(struct release_context *c, int64_t id, const char *operator, int64_t now_s,
		      holdings_touched *touched, void *arg, struct err *e)
{
	return db_begin(c->db, e) && finish(c, withdraw(c, id, operator, now_s, touched, arg, e), e);
}

bool consent_each(struct release_context *c, enum identifier_kind kind, const char *canonical,
		  void (*each)(void *arg, const struct consent_row *r), void *arg, struct err *e)
{
	uint8_t holder[HASH_LEN];
	bool row = false;
	registry_holder_hash(c->vault_key, kind, canonical, holder);
	struct db_query *q = db_query(c->db,
				      "SELECT id, kinds, purposes, branches, from_s, to_s, created_by, created_s FROM"
				      " consent WHERE holder = ? ORDER BY id DESC",
				      e);
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		const struct consent_row r = { db_int(q, 0), db_text(q, 1), db_text(q, 2), db_text(q, 3),
					       db_int(q, 4), db_int(q, 5),  db_text(q, 6), db_int(q, 7) };
		each(arg, &r);
	}
	db_finish(q);
	return ok;
}

/* --- what a holder has --- */

struct held {
	size_t len;
	struct {
		char id[ECERT_ID_MAX + 1], kind[ECERT_PART_MAX + 1];
		enum ecert_status status;
	} rows[HELD_MAX];
	int64_t now_s;
};

/* What has ended, or will never be valid again, is of no use to anybody. */
static void held_take(void *arg, const struct registry_row *r)
{
	struct held *h = arg;
	if (h->len == HELD_MAX || r->to_s <= h->now_s || (r->status != ECERT_VALID && r->status != ECERT_SUSPENDED))
		return;
	snprintf(h->rows[h->len].id, sizeof(h->rows[0].id), "%s", r->id);
	snprintf(h->rows[h->len].kind, sizeof(h->rows[0].kind), "%s", r->kind);
	h->rows[h->len++].status = r->status;
}

static bool held_load(struct release_context *c, enum identifier_kind kind, const char *holder, const char *type,
		      int64_t now_s, struct held *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->now_s = now_s;
	return registry_each_of_holder(c, kind, holder, type, HELD_MAX, held_take, out, e);
}

/* --- bookings --- */

static bool booking_items(struct release_context *c, const struct booking_new *n, int64_t now_s, uint64_t *items,
			  struct err *e)
{
	static struct held held;
	uint8_t holder[HASH_LEN];
	bool denied = false;
	registry_holder_hash(c->vault_key, n->holder_kind, n->holder, holder);
	if (!held_load(c, n->holder_kind, n->holder, "", now_s, &held, e))
		return false;
	for (size_t i = 0; i < held.len; i++) {
		int64_t to_s = 0;
		if (!code_set_has(n->kinds, held.rows[i].kind))
			continue;
		if (!consent_find(c, holder, n->branch, held.rows[i].kind, n->purpose, now_s, &to_s, e))
			return false;
		denied |= to_s == 0;
		if (to_s == 0)
			continue;
		if (!item_add(c, n->branch, PREFETCH_PUT, held.rows[i].id, n->purpose, n->until_s, e))
			return false;
		(*items)++;
	}
	if (*items > 0)
		return true;
	return denied ? err_set(e, ERR_DENIED, "the holder has not consented to this kind, purpose and branch")
		      : err_set(e, ERR_MISSING, "the holder has no such certificate");
}

bool booking_add(struct release_context *c, const struct booking_new *n, const char *operator, int64_t now_s,
		 uint64_t *items, struct err *e)
{
	int64_t known = 0;
	*items = 0;
	if (!code_set_is_valid(n->kinds, HOLDINGS_SET_MAX) || n->purpose[0] == '\0')
		return err_set(e, ERR_INPUT, "kinds and purpose: say which, and what for");
	if (n->until_s <= now_s)
		return err_set(e, ERR_INPUT, "until_s: it would have ended already");
	if (!db_begin(c->db, e))
		return false;
	bool ok = db_run_int(c->db, &known, e, "SELECT COUNT(*) FROM branch WHERE name = ? AND revoked_s = 0", "t",
			     n->branch);
	if (ok && known == 0)
		ok = err_set(e, ERR_MISSING, "there is no branch %.32s", n->branch);
	ok = ok && booking_items(c, n, now_s, items, e) &&
	     audit_add(c->db, now_s, operator, "booking.add", n->branch, n->purpose, e);
	return finish(c, ok, e);
}

/* --- answers --- */

static bool access_add(struct release_context *c, const char *branch, const struct body_query *q,
		       enum err_code result, uint64_t given, int64_t now_s, struct err *e)
{
	uint8_t holder[HASH_LEN];
	registry_holder_hash(c->vault_key, q->holder_kind, q->holder, holder);
	return db_run(c->db, e,
		      "INSERT INTO body_access (time_s, branch, terminal, holder, kind, purpose, result, given)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      "ittbttii", now_s, branch, q->terminal, (struct bytes){ holder, HASH_LEN }, q->type, q->purpose,
		      (int64_t)result, (int64_t)given);
}

bool access_each(struct release_context *c, enum identifier_kind kind, const char *canonical, size_t limit,
		 void (*each)(void *arg, const struct access_row *r), void *arg, struct err *e)
{
	uint8_t holder[HASH_LEN];
	bool row = false;
	registry_holder_hash(c->vault_key, kind, canonical, holder);
	struct db_query *q = db_query(c->db,
				      "SELECT time_s, branch, terminal, kind, purpose, result, given FROM body_access"
				      " WHERE holder = ? ORDER BY id DESC LIMIT ?",
				      e);
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ holder, HASH_LEN }, e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		const struct access_row r = { db_int(q, 0),  db_text(q, 1), db_text(q, 2),
					      db_text(q, 3), db_text(q, 4), (enum err_code)db_int(q, 5),
					      db_int(q, 6) };
		each(arg, &r);
	}
	db_finish(q);
	return ok;
}

/* One certificate's body; the buffers live as long as it does. */
static bool body_load(struct release_context *c, const char *id, int64_t consent_to_s, struct body *b,
		      struct buf *cose, struct buf *file, struct err *e)
{
	struct registry_row row;
	buf_init(cose, (size_t)2 * ECERT_COSE_MAX);
	buf_init(file, (size_t)2 * BODY_FILE_MAX);
	if (!registry_load(c, id, &row, cose, file, e))
		return false;
	*b = (struct body){ .cose = buf_bytes(cose), .consent_to_s = consent_to_s, .status = row.status };
	if (file->len > 0) {
		b->file = buf_bytes(file);
		snprintf(b->media_type, sizeof(b->media_type), "%s", row.media_type);
	}
	return true;
}

/* As many as one message holds, newest first; of one that is too much by its file alone the file stays here. */
static bool reply_fill(struct release_context *c, const struct held *held, int64_t consent_to_s, struct body_reply *r,
		       struct buf bufs[2 * BODIES_MAX], struct err *e)
{
	size_t room = REPLY_ROOM;
	for (size_t i = 0; i < held->len; i++) {
		struct body *b = &r->bodies[r->bodies_len];
		r->more = r->bodies_len == BODIES_MAX;
		if (r->more)
			return true;
		struct buf *cose = &bufs[2 * r->bodies_len], *file = cose + 1;
		if (!body_load(c, held->rows[i].id, consent_to_s, b, cose, file, e))
			return false;
		r->more = b->cose.len + BODY_OVERHEAD > room;
		if (r->more)
			return true;
		room -= b->cose.len + BODY_OVERHEAD;
		if (b->file.len > room) {
			b->file = (struct bytes){ NULL, 0 };
			b->file_left_out = true;
		}
		room -= b->file.len;
		r->bodies_len++;
	}
	return true;
}

static bool answer_make(struct release_context *c, const char *branch, const struct body_query *q, int64_t now_s,
			struct body_reply *r, struct buf bufs[2 * BODIES_MAX], struct err *e)
{
	static struct held held;
	uint8_t holder[HASH_LEN];
	int64_t to_s = 0;
	registry_holder_hash(c->vault_key, q->holder_kind, q->holder, holder);
	if (!consent_find(c, holder, branch, q->type, q->purpose, now_s, &to_s, e))
		return false;
	if (to_s == 0)
		return err_set(e, ERR_DENIED, "the holder has not consented to this kind, purpose and branch");
	if (!held_load(c, q->holder_kind, q->holder, q->type, now_s, &held, e))
		return false;
	if (held.len == 0)
		return err_set(e, ERR_MISSING, "the holder has no certificate of this kind");
	return reply_fill(c, &held, to_s, r, bufs, e);
}

bool holdings_answer(struct release_context *c, const char *branch, const struct body_query *q, int64_t now_s,
		     struct buf *out, struct err *e)
{
	struct body_reply r = { .more = false };
	struct buf bufs[2 * BODIES_MAX] = { 0 };
	struct err why = { 0 };
	memcpy(r.id, q->id, sizeof(r.id));
	bool given = answer_make(c, branch, q, now_s, &r, bufs, &why) && body_reply_encode(&r, out, &why);
	bool told =
		db_begin(c->db, e) &&
		finish(c, access_add(c, branch, q, given ? ERR_NONE : why.code, given ? r.bodies_len : 0, now_s, e),
		       e);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_clear(&bufs[i]);
	if (told && !given)
		return err_set(e, why.code, "%s", why.text);
	return told;
}

/* --- set aside --- */

struct item_row {
	uint64_t seq;
	enum prefetch_kind kind;
	char certificate[ECERT_ID_MAX + 1], purpose[PURPOSE_MAX + 1];
	int64_t until_s;
};

/* Bookings that are over are passed by. seq 0: there is none behind. *newest: of all there are. */
static bool item_next(struct release_context *c, const char *branch, uint64_t after, int64_t now_s,
		      struct item_row *out, int64_t *newest, struct err *e)
{
	bool row = false;
	memset(out, 0, sizeof(*out));
	if (!db_run_int(c->db, newest, e, "SELECT COALESCE(MAX(seq), 0) FROM prefetch WHERE branch = ?", "t", branch))
		return false;
	struct db_query *q = db_query(c->db,
				      "SELECT seq, kind, certificate, purpose, until_s FROM prefetch WHERE branch = ?"
				      " AND seq > ? AND (kind <> 1 OR until_s > ?) ORDER BY seq LIMIT 1",
				      e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, branch, e) && db_bind_int(q, 2, (int64_t)after, e) &&
		  db_bind_int(q, 3, now_s, e) && db_next(q, &row, e);
	if (ok && row) {
		out->seq = (uint64_t)db_int(q, 0);
		out->kind = (enum prefetch_kind)db_int(q, 1);
		snprintf(out->certificate, sizeof(out->certificate), "%s", db_text(q, 2));
		snprintf(out->purpose, sizeof(out->purpose), "%s", db_text(q, 3));
		out->until_s = db_int(q, 4);
	}
	db_finish(q);
	return ok;
}

/* What is set aside and may still be given: otherwise it is something to erase, and the branch goes on to the next. */
static bool put_fill(struct release_context *c, const char *branch, const struct item_row *row,
		     const struct registry_row *r, int64_t now_s, struct prefetch_item *i, struct buf *cose,
		     struct buf *file, struct err *e)
{
	uint8_t holder[HASH_LEN];
	int64_t consent_to_s = 0;
	registry_holder_hash(c->vault_key, r->holder_kind, r->holder, holder);
	if (!consent_find(c, holder, branch, r->kind, row->purpose, now_s, &consent_to_s, e))
		return false;
	if (consent_to_s == 0 || r->to_s <= now_s || r->status != ECERT_VALID) {
		i->kind = PREFETCH_ERASE;
		return true;
	}
	i->holder_kind = r->holder_kind;
	snprintf(i->holder, sizeof(i->holder), "%s", r->holder);
	snprintf(i->type, sizeof(i->type), "%s", r->kind);
	snprintf(i->purpose, sizeof(i->purpose), "%s", row->purpose);
	return body_load(c, row->certificate, consent_to_s < row->until_s ? consent_to_s : row->until_s, &i->body,
			 cose, file, e);
}

bool holdings_prefetch(struct release_context *c, const char *branch, const uint8_t id[16], uint64_t after,
		       int64_t now_s, struct buf *out, struct err *e)
{
	struct item_row row;
	struct registry_row r = { .status = ECERT_VALID };
	struct buf cose = { 0 }, file = { 0 };
	int64_t newest = 0;
	if (!item_next(c, branch, after, now_s, &row, &newest, e))
		return false;
	struct prefetch_item i = { .kind = row.kind, .seq = row.seq };
	memcpy(i.id, id, sizeof(i.id));
	bool ok = true;
	if (row.seq == 0)
		i.seq = (uint64_t)newest;
	else
		ok = registry_load(c, row.certificate, &r, NULL, NULL, e);
	if (ok && i.kind == PREFETCH_PUT)
		ok = put_fill(c, branch, &row, &r, now_s, &i, &cose, &file, e);
	if (ok && i.kind == PREFETCH_ERASE)
		snprintf(i.identity, sizeof(i.identity), "%s", r.identity);
	ok = ok && prefetch_item_encode(&i, out, e);
	buf_clear(&cose);
	buf_clear(&file);
	return ok;
}
