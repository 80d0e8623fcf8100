#include "central/api/decision.h"

#include "central/branch/journals.h"
#include "central/centrald.h"
#include "central/store/store.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 10000

static void put_hex(struct json_out *w, const char *key, const uint8_t *data, size_t len)
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(data, len < HASH_LEN ? len : HASH_LEN, hex);
	json_put_text(w, key, hex);
}

static void row_put(struct json_out *w, const struct db_query *q)
{
	struct bytes id = db_bytes(q, 0);
	enum outcome outcome = (enum outcome)db_int(q, 5);
	json_open(w, NULL, '{');
	put_hex(w, "id", id.data, id.len);
	json_put_text(w, "branch", db_text(q, 1));
	json_put_int(w, "time_s", db_int(q, 2));
	json_put_text(w, "terminal", db_text(q, 3));
	json_put_text(w, "business", db_text(q, 4));
	json_put_text(w, "outcome", outcome_name(outcome));
	json_put_text(w, "outcome_zh", outcome_zh(outcome));
	json_put_bool(w, "follow_up", db_int(q, 6) != 0);
	json_put_text(w, "masked", db_text(q, 7));
	json_put_text(w, "reasons", db_text(q, 8));
	json_put_int(w, "seq", db_int(q, 9));
	json_close(w, '}');
}

bool api_decision_list(struct api_call *call, struct err *e)
{
	const char *branch = http_query(call->request, "branch"), *named = http_query(call->request, "outcome");
	enum outcome outcome = OUTCOME_PASS;
	int64_t limit = 0;
	bool row = false, ok = false;
	if (!api_query_int(call, "limit", 1, LIST_MAX, 50, &limit, e))
		return false;
	if (named != NULL && !outcome_of(named, &outcome))
		return err_set(e, ERR_INPUT, "outcome: pass, enhanced, refer or refuse");
	struct db_query *q = db_query(
		call->central->release.db,
		"SELECT id, branch, time_s, terminal, business, outcome, follow_up, masked, reasons, seq FROM "
		"decision"
		" WHERE (? IS NULL OR branch = ?) AND (? = 0 OR outcome = ?) ORDER BY time_s DESC, seq DESC LIMIT ?",
		e);
	if (q == NULL)
		return false;
	int64_t wanted = named != NULL ? (int64_t)outcome : 0;
	ok = db_bind_text(q, 1, branch, e) && db_bind_text(q, 2, branch, e) && db_bind_int(q, 3, wanted, e) &&
	     db_bind_int(q, 4, wanted, e) && db_bind_int(q, 5, limit, e);
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "decisions", '[');
	while (ok && (ok = db_next(q, &row, e)) && row)
		row_put(&call->json, q);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

/* A decision found by its id; d borrows from row. */
struct found {
	struct buf row;
	struct journal_row journal;
	struct decision d;
	int64_t epoch_id;
};

static bool found_load(struct api_call *call, struct found *f, struct err *e)
{
	uint8_t id[DECISION_ID_LEN];
	if (!hex_decode(call->path_rest, id, sizeof(id)))
		return err_set(e, ERR_INPUT, "a decision's id is %d hex digits", 2 * DECISION_ID_LEN);
	return journals_decision(call->central->release.db, id, http_query(call->request, "branch"), &f->row,
				 &f->epoch_id, e) &&
	       journal_row_decode(buf_bytes(&f->row), &f->journal, e) && decision_decode(f->journal.body, &f->d, e);
}

static struct found *found_new(void)
{
	struct found *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	buf_init(&f->row, OBJECT_CHUNK);
	return f;
}

static void found_free(struct found *f)
{
	buf_clear(&f->row);
	free(f);
}

static void parties_put(struct json_out *w, const struct decision *d)
{
	json_open(w, "parties", '[');
	for (size_t i = 0; i < d->parties_len; i++) {
		json_open(w, NULL, '{');
		json_put_text(w, "role", d->parties[i].role);
		json_put_text(w, "kind", d->parties[i].kind);
		json_put_text(w, "masked", d->parties[i].masked);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void evidence_put(struct json_out *w, const struct decision *d)
{
	json_open(w, "lists", '[');
	for (size_t i = 0; i < d->evidence_len; i++) {
		const struct decision_evidence *v = &d->evidence[i];
		json_open(w, NULL, '{');
		json_put_text(w, "list", v->list);
		json_put_text(w, "role", v->role);
		json_put_text(w, "result", lookup_name(v->result));
		json_put_int(w, "version", (int64_t)v->version);
		json_put_int(w, "age_s", v->age_s);
		if (v->result == LOOKUP_HIT)
			json_put_int(w, "value", v->value);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void reasons_put(struct json_out *w, const struct decision *d)
{
	json_open(w, "reasons", '[');
	for (size_t i = 0; i < d->reasons_len; i++) {
		json_open(w, NULL, '{');
		json_put_text(w, "rule", d->reasons[i].rule);
		json_put_text(w, "code", d->reasons[i].code);
		json_put_text(w, "outcome", outcome_name(d->reasons[i].outcome));
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void facts_put(struct json_out *w, const struct decision *d)
{
	json_open(w, "facts", '{');
	for (size_t i = 0; i < d->facts_len; i++) {
		const struct rule_fact *f = &d->facts[i];
		switch (f->value.kind) {
		case VALUE_MISSING: json_put_null(w, f->name); break;
		case VALUE_BOOL: json_put_bool(w, f->name, f->value.boolean); break;
		case VALUE_NUMBER: json_put_real(w, f->name, f->value.number); break;
		case VALUE_TEXT: json_put_text_n(w, f->name, f->value.text); break;
		}
	}
	json_close(w, '}');
}

bool api_decision_show(struct api_call *call, struct err *e)
{
	struct json_out *w = &call->json;
	struct found *f = found_new();
	const struct decision *d = &f->d;
	bool ok = found_load(call, f, e);
	if (ok) {
		json_open(w, NULL, '{');
		put_hex(w, "id", d->id, DECISION_ID_LEN);
		json_put_int(w, "seq", (int64_t)f->journal.seq);
		json_put_text(w, "request_id", d->request_id);
		json_put_text(w, "terminal", d->terminal);
		json_put_text(w, "business", d->business);
		json_put_int(w, "time_s", d->time_s);
		json_put_text(w, "outcome", outcome_name(d->outcome));
		json_put_text(w, "outcome_zh", outcome_zh(d->outcome));
		json_put_bool(w, "follow_up", d->follow_up);
		json_put_int(w, "rules_version", (int64_t)d->rules_version);
		json_put_int(w, "catalogue_version", (int64_t)d->catalogue_version);
		parties_put(w, d);
		reasons_put(w, d);
		evidence_put(w, d);
		facts_put(w, d);
		json_close(w, '}');
	}
	found_free(f);
	return ok;
}

/* What a branch seals: one map a party, {1: role, 2: kind, 3: number, 4: name}. */
static bool subject_put(struct json_out *w, struct bytes plain, struct err *e)
{
	struct cbor c = cbor_over(plain);
	size_t len = 0;
	char role[16], kind[NAME_MAX_LEN + 1], number[PERSON_NAME_MAX + 1], name[PERSON_NAME_MAX + 1];
	if (!cbor_get_array(&c, DECISION_PARTIES_MAX, &len, e))
		return false;
	json_open(w, NULL, '{');
	json_open(w, "parties", '[');
	for (size_t i = 0; i < len; i++) {
		if (!cbor_expect_map(&c, 4, e) || !cbor_key_string(&c, 1, role, sizeof(role), e) ||
		    !cbor_key_string(&c, 2, kind, sizeof(kind), e) ||
		    !cbor_key_string(&c, 3, number, sizeof(number), e) ||
		    !cbor_key_string(&c, 4, name, sizeof(name), e))
			return false;
		json_open(w, NULL, '{');
		json_put_text(w, "role", role);
		json_put_text(w, "kind", kind);
		json_put_text(w, "number", number);
		json_put_text(w, "name", name);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	explicit_bzero(number, sizeof(number));
	explicit_bzero(name, sizeof(name));
	return cbor_end(&c, e);
}

static bool unseal_audit(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	if (!db_begin(db, e))
		return false;
	if (audit_add(db, call->now_s, call->operator, "decision.unseal", call->path_rest, "the subject was shown",
		      e) &&
	    db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool api_decision_subject(struct api_call *call, struct err *e)
{
	const struct release_context *release = &call->central->release;
	struct found *f = found_new();
	struct buf plain;
	buf_init(&plain, 8192);
	bool ok = found_load(call, f, e) && unseal_audit(call, e) &&
		  journals_unseal(release->db, f->epoch_id, &f->d, release->vault_key, &plain, e) &&
		  subject_put(&call->json, buf_bytes(&plain), e);
	buf_wipe(&plain);
	found_free(f);
	return ok;
}
