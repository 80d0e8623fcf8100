/* A batch is what is marked with its number, so it is the same when it is sent again; and what the platform said to it. */
#include "central/exchange/exchange.h"

#include "central/ingest/ndjson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static bool batch_mark(struct release_context *c, struct exchange *x, struct err *e)
{
	x->batch = ++x->batches;
	if (!db_run(c->db, e,
		    "UPDATE exchange_out SET batch = ? WHERE id IN (SELECT id FROM exchange_out WHERE exchange = ? "
		    "AND state "
		    "= 1 ORDER BY id LIMIT ?)",
		    "iti", x->batch, x->name, x->batch_max))
		return false;
	if (db_changes(c->db) == 0)
		x->batch = 0;
	return exchange_save(c, x, e);
}

/* Its lines, and the hash of their keys. */
static bool batch_read(struct release_context *c, const struct exchange *x, struct buf *body, size_t *n,
		       uint8_t hash[HASH_LEN], struct err *e)
{
	struct db_query *q = db_query(
		c->db,
		"SELECT key, body FROM exchange_out WHERE exchange = ? AND state = 1 AND batch = ? ORDER BY id", e);
	struct sha256_stream s;
	bool row = false;
	*n = 0;
	if (q == NULL)
		return false;
	sha256_start(&s);
	bool ok = db_bind_text(q, 1, x->name, e) && db_bind_int(q, 2, x->batch, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		sha256_add(&s, bytes_of(db_text(q, 0)));
		sha256_add(&s, bytes_of("\n"));
		buf_add_str(body, db_text(q, 1));
		buf_add_u8(body, '\n');
		++*n;
	}
	db_finish(q);
	sha256_finish(&s, hash);
	return ok && buf_ok(body, "the batch", e);
}

bool exchange_batch(struct release_context *c, struct exchange *x, struct buf *body, char key[2 * HASH_LEN + 1],
		    struct err *e)
{
	uint8_t hash[HASH_LEN];
	size_t n = 0;
	key[0] = '\0';
	if (x->batch != 0 && !batch_read(c, x, body, &n, hash, e))
		return false;
	if (n == 0) {
		if (!db_begin(c->db, e) || !finish(c, batch_mark(c, x, e), e))
			return false;
		if (x->batch == 0)
			return true;
		if (!batch_read(c, x, body, &n, hash, e))
			return false;
	}
	hex_encode(hash, HASH_LEN, key);
	return true;
}

static bool is_for_later(int64_t status)
{
	return status < 200 || status >= 500 || status == 408 || status == 409 || status == 425 || status == 429;
}

struct result {
	struct bytes key, error;
	int64_t status;
};

static bool result_read(struct bytes line, struct buf *scratch, struct result *r)
{
	struct ndjson_member members[NDJSON_MEMBERS_MAX];
	char number[8] = "";
	size_t n = 0;
	*r = (struct result){ 0 };
	if (!ndjson_parse(line, scratch, members, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (bytes_equal(members[i].key, bytes_of("key")))
			r->key = members[i].value;
		else if (bytes_equal(members[i].key, bytes_of("error")))
			r->error = members[i].value;
		else if (bytes_equal(members[i].key, bytes_of("status")) && members[i].value.len == 3)
			memcpy(number, members[i].value.data, 3);
	}
	r->status = strtol(number, NULL, 10);
	return r->key.len > 0 && r->key.len < 96 && r->status >= 100 && r->status <= 599;
}

/* A platform's words for an operator's screen: one line, no control characters, whole UTF-8 (cut at 160 bytes). */
static void words_take(struct bytes words, char *out, size_t size)
{
	size_t len = words.len < size - 1 ? words.len : size - 1;
	while (len > 0 && len < words.len && (words.data[len] & 0xC0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(words.data[i] < ' ' || words.data[i] == 0x7F ? ' ' : words.data[i]);
	out[len] = '\0';
}

static bool result_store(struct release_context *c, const struct exchange *x, const struct result *r, int64_t now_s,
			 struct err *e)
{
	char key[96], words[161], fault[EXCHANGE_FAULT_MAX];
	bool taken = r->status >= 200 && r->status < 300;
	if (is_for_later(r->status))
		return true;
	snprintf(key, sizeof(key), "%.*s", (int)r->key.len, (const char *)r->key.data);
	words_take(r->error, words, sizeof(words));
	snprintf(fault, sizeof(fault), "%lld %s", (long long)r->status, words);
	if (taken)
		return db_run(c->db, e,
			      "UPDATE exchange_out SET state = 2, body = '', fault = '', done_s = ? WHERE exchange = "
			      "? AND key "
			      "= ? AND batch = ? AND state = 1",
			      "itti", now_s, x->name, key, x->batch);
	return db_run(
		c->db, e,
		"UPDATE exchange_out SET state = 3, tries = tries + 1, fault = ?, done_s = ? WHERE exchange = ? AND "
		"key = ? AND batch = ? AND state = 1",
		"titti", fault, now_s, x->name, key, x->batch);
}

/* *malformed: some line is none of ours; those before it count, and the rest is sent again. */
static bool results_store(struct release_context *c, const struct exchange *x, struct bytes body, int64_t now_s,
			  bool *malformed, struct err *e)
{
	struct buf scratch;
	struct result r;
	bool ok = true;
	buf_init(&scratch, EXCHANGE_RECORD_MAX);
	*malformed = false;
	while (ok && !*malformed && body.len > 0) {
		const uint8_t *cut = memchr(body.data, '\n', body.len);
		size_t len = cut != NULL ? (size_t)(cut - body.data) : body.len;
		struct bytes line = { body.data, len > 0 && body.data[len - 1] == '\r' ? len - 1 : len };
		if (line.len > 0) {
			*malformed = !result_read(line, &scratch, &r);
			ok = *malformed || result_store(c, x, &r, now_s, e);
		}
		body.data += cut != NULL ? len + 1 : len;
		body.len -= cut != NULL ? len + 1 : len;
	}
	buf_clear(&scratch);
	return ok;
}

/* What is left of the batch was tried once more; what was tried too often is dead. */
static bool rest_try(struct release_context *c, const struct exchange *x, int64_t now_s, struct err *e)
{
	return db_run(c->db, e,
		      "UPDATE exchange_out SET tries = tries + 1, fault = ? WHERE exchange = ? AND batch = ? AND "
		      "state = 1",
		      "tti", x->fault, x->name, x->batch) &&
	       db_run(c->db, e,
		      "UPDATE exchange_out SET state = 3, done_s = ? WHERE exchange = ? AND batch = ? AND state = 1 "
		      "AND tries "
		      ">= ?",
		      "itii", now_s, x->name, x->batch, (int64_t)EXCHANGE_TRIES);
}

static bool batch_left(struct release_context *c, const struct exchange *x, int64_t *left, struct err *e)
{
	return db_run_int(c->db, left, e,
			  "SELECT count(*) FROM exchange_out WHERE exchange = ? AND batch = ? AND state = 1", "ti",
			  x->name, x->batch);
}

static bool is_refused_whole(int status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

static bool batch_halve(struct release_context *c, struct exchange *x, int64_t left, int64_t now_s, struct err *e)
{
	bool ok = left > 1 ||
		  db_run(c->db, e,
			 "UPDATE exchange_out SET state = 3, tries = tries + 1, fault = ?, done_s = ? WHERE "
			 "exchange = ? AND batch = ? AND state = 1",
			 "titi", x->fault, now_s, x->name, x->batch);
	x->batch_max = left > 1 ? left / 2 : 1;
	x->batch = 0;
	x->next_s = now_s;
	return ok;
}

/* What was taken and what is dead; *malformed as above. */
static bool answer_store(struct release_context *c, const struct exchange *x, int status, struct bytes body,
			 int64_t now_s, bool *malformed, struct err *e)
{
	*malformed = false;
	if (status == 204)
		return db_run(
			c->db, e,
			"UPDATE exchange_out SET state = 2, body = '', fault = '', done_s = ? WHERE exchange = ? AND "
			"batch = ? AND state = 1",
			"iti", now_s, x->name, x->batch);
	return status < 200 || status >= 300 || results_store(c, x, body, now_s, malformed, e);
}

static void batch_ended(struct exchange *x, int64_t now_s)
{
	x->batch = x->tries = 0;
	x->ok_s = x->next_s = now_s;
	x->batch_max = 2 * x->batch_max < EXCHANGE_BATCH_MAX ? 2 * x->batch_max : EXCHANGE_BATCH_MAX;
	x->fault[0] = '\0';
}

static bool batch_again(struct release_context *c, struct exchange *x, int status, bool malformed, int64_t left,
			int64_t now_s, struct err *e)
{
	if (malformed)
		snprintf(x->fault, sizeof(x->fault), "HTTP %d: the answer is no NDJSON of key and status", status);
	else if (status >= 200 && status < 300)
		snprintf(x->fault, sizeof(x->fault), "%lld records are to be sent again", (long long)left);
	else if (status != 0)
		snprintf(x->fault, sizeof(x->fault), "HTTP %d", status);
	x->tries++;
	x->next_s = now_s + exchange_wait_s(c->random, x->tries);
	return rest_try(c, x, now_s, e);
}

static bool answered(struct release_context *c, struct exchange *x, int status, struct bytes body, int64_t now_s,
		     struct err *e)
{
	bool malformed = false;
	int64_t before = 0, left = 0;
	if (!batch_left(c, x, &before, e))
		return false;
	if (is_refused_whole(status) && before > 0) {
		snprintf(x->fault, sizeof(x->fault), "HTTP %d: the batch was refused", status);
		return batch_halve(c, x, before, now_s, e) && exchange_save(c, x, e);
	}
	if (!answer_store(c, x, status, body, now_s, &malformed, e) || !batch_left(c, x, &left, e))
		return false;
	if (left == 0)
		batch_ended(x, now_s);
	else if (!batch_again(c, x, status, malformed, left, now_s, e))
		return false;
	return exchange_save(c, x, e);
}

bool exchange_batch_answered(struct release_context *c, struct exchange *x, int status, struct bytes body,
			     int64_t now_s, struct err *e)
{
	return db_begin(c->db, e) && finish(c, answered(c, x, status, body, now_s, e), e);
}
