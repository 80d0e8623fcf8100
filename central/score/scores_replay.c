/* Stored scores, shown and recomputed. */
#include "central/registry/registry.h"
#include "central/score/scores_inner.h"
#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_KEPT 16

bool scores_each(struct release_context *c, enum identifier_kind kind, const char *canonical, size_t limit,
		 void (*each)(void *arg, const struct score_row *r), void *arg, struct err *e)
{
	uint8_t subject[HASH_LEN];
	bool row = false;
	registry_holder_hash(c->vault_key, kind, canonical, subject);
	struct db_query *q = db_query(
		c->db,
		"SELECT s.id, s.input, i.family, s.hash, i.masked, s.value, s.result, s.role, i.oldest_day,"
		" i.scored_s, i.scored_by, i.held, i.made_by FROM score s JOIN score_input i ON i.id = s.input"
		" WHERE i.subject = ? ORDER BY s.input DESC, s.role, s.id LIMIT ?",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_bytes(q, 1, (struct bytes){ subject, HASH_LEN }, e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		const struct score_row r = {
			db_int(q, 0),  db_int(q, 1),  db_text(q, 2),  db_text(q, 3),
			db_text(q, 4), db_text(q, 5), db_text(q, 6),  (enum model_role)db_int(q, 7),
			db_int(q, 8),  db_int(q, 9),  db_text(q, 10), db_text(q, 11),
			db_text(q, 12)
		};
		each(arg, &r);
	}
	db_finish(q);
	return ok;
}

static void csv_row(const struct db_query *q, struct buf *out)
{
	char day[11];
	day_format(db_int(q, 6), day);
	buf_add_fmt(out, "%lld,%lld,%s,%s,%s,%s,%s,%lld\n", (long long)db_int(q, 0), (long long)db_int(q, 1),
		    db_text(q, 2), db_text(q, 3), model_role_name((enum model_role)db_int(q, 4)), db_text(q, 5), day,
		    (long long)db_int(q, 7));
}

bool scores_csv(struct release_context *c, const char *family, const char *prefix, int64_t after, struct buf *out,
		int64_t *last, struct err *e)
{
	char hash[MODEL_HEX + 1] = "";
	enum model_role role = MODEL_RETIRED;
	bool row = false;
	*last = after;
	if (prefix != NULL && !model_find(c, family, prefix, hash, &role, e))
		return false;
	struct db_query *q = db_query(
		c->db,
		"SELECT s.id, s.input, i.masked, s.hash, s.role, s.value, i.oldest_day, i.scored_s FROM score s"
		" JOIN score_input i ON i.id = s.input WHERE s.id > ? AND i.family = ? AND (? = '' OR s.hash = ?)"
		" ORDER BY s.id LIMIT ?",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, after, e) && db_bind_text(q, 2, family, e) && db_bind_text(q, 3, hash, e) &&
		  db_bind_text(q, 4, hash, e) && db_bind_int(q, 5, SCORES_REPLAY_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		*last = db_int(q, 0);
		csv_row(q, out);
	}
	db_finish(q);
	return ok && buf_ok(out, "the scores", e);
}

/* Models read for one call of replay. */
struct replay {
	struct release_context *c;
	struct {
		char hash[MODEL_HEX + 1];
		struct card *card;
	} cards[CARDS_KEPT];
	size_t next;
	struct buf plain, result;
	struct score score;
};

static const struct card *card_of(struct replay *r, const char *hash, struct err *e)
{
	for (size_t i = 0; i < CARDS_KEPT; i++)
		if (r->cards[i].card != NULL && strcmp(r->cards[i].hash, hash) == 0)
			return r->cards[i].card;
	size_t at = r->next++ % CARDS_KEPT;
	card_free(r->cards[at].card);
	r->cards[at].card = model_card(r->c, hash, e);
	snprintf(r->cards[at].hash, sizeof(r->cards[at].hash), "%s", hash);
	return r->cards[at].card;
}

/* The stored inputs through the card, into r->score. */
static bool score_again(struct replay *r, const struct card *card, struct bytes subject, struct bytes sealed,
			struct err *e)
{
	struct value given[CARD_FIELDS_MAX] = { 0 };
	buf_reset(&r->plain);
	if (subject.len != HASH_LEN)
		return err_set(e, ERR_IO, "its subject is damaged");
	if (!score_inputs_open(r->c, subject.data, sealed, &r->plain, e))
		return false;
	struct json *inputs = json_parse(buf_bytes(&r->plain), e);
	if (inputs == NULL)
		return false;
	for (size_t i = 0; i < json_len(inputs); i++) {
		const char *name = NULL;
		const struct json *v = json_member(inputs, i, &name);
		uint32_t at = card_field_find(card, bytes_of(name));
		if (at != CARD_FIELDS_MAX && json_kind(v) == JSON_KIND_TEXT)
			given[at] = score_input(&card->fields[at], json_text_value(v));
	}
	score_run(card, given, &r->score);
	json_free(inputs);
	return true;
}

static bool recompute(struct replay *r, const struct card *card, struct bytes subject, struct bytes sealed,
		      struct err *e)
{
	if (!score_again(r, card, subject, sealed, e))
		return false;
	buf_reset(&r->result);
	score_result_write(card, &r->score, &r->result);
	return buf_ok(&r->result, "the result", e);
}

/* Columns: id, hash, value, result, subject, masked, inputs. What cannot be recomputed is a difference too. */
static void row_check(struct replay *r, const struct db_query *q, struct scores_replay *out)
{
	struct err why = { 0 };
	char value[32] = "";
	const char *hash = db_text(q, 1), *stored = db_text(q, 2);
	const struct card *card = card_of(r, hash, &why);
	bool ok = card != NULL && recompute(r, card, db_bytes(q, 4), db_bytes(q, 6), &why);
	if (ok)
		score_value_write(&r->score, value);
	out->last = db_int(q, 0);
	out->checked++;
	if (ok && strcmp(value, stored) == 0 && strcmp(buf_str(&r->result), db_text(q, 3)) == 0)
		return;
	if (out->different++ > 0)
		return;
	out->first_different = out->last;
	if (ok)
		snprintf(out->first_what, sizeof(out->first_what),
			 "model %.16s…, subject %.60s: stored '%.32s', now '%s'%s", hash, db_text(q, 5), stored,
			 value, strcmp(value, stored) == 0 ? ", for other reasons" : "");
	else
		snprintf(out->first_what, sizeof(out->first_what), "model %.16s…, subject %.60s: %.90s", hash,
			 db_text(q, 5), why.text);
}

static bool rows_check(struct replay *r, int64_t after, size_t limit, struct scores_replay *out, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(r->c->db,
			 "SELECT s.id, s.hash, s.value, s.result, i.subject, i.masked, i.inputs FROM score s"
			 " JOIN score_input i ON i.id = s.input WHERE s.id > ? ORDER BY s.id LIMIT ?",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, after, e) && db_bind_int(q, 2, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		row_check(r, q, out);
	db_finish(q);
	return ok;
}

static struct replay *replay_new(struct release_context *c)
{
	struct replay *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->c = c;
	buf_init(&r->plain, SCORE_INPUTS_MAX);
	buf_init(&r->result, SCORE_RESULT_MAX);
	return r;
}

static void replay_free(struct replay *r)
{
	buf_wipe(&r->plain);
	buf_clear(&r->result);
	for (size_t i = 0; i < CARDS_KEPT; i++)
		card_free(r->cards[i].card);
	free(r);
}

bool scores_replay(struct release_context *c, int64_t after, size_t limit, struct scores_replay *out, struct err *e)
{
	struct replay *r = replay_new(c);
	*out = (struct scores_replay){ .last = after };
	bool ok = rows_check(r, after, limit < SCORES_REPLAY_MAX ? limit : SCORES_REPLAY_MAX, out, e);
	replay_free(r);
	return ok;
}

/* --- a model on inputs that were there before it --- */

static bool input_score(struct replay *r, const struct db_query *q, const char *hash, enum model_role role,
			struct err *e)
{
	const struct card *card = card_of(r, hash, e);
	return card != NULL && score_again(r, card, db_bytes(q, 1), db_bytes(q, 2), e) &&
	       score_insert(r->c, card, &r->score, db_int(q, 0), hash, role, e);
}

static bool inputs_score(struct replay *r, const char *family, const char *hash, enum model_role role, int64_t after,
			 struct scores_backfill *out, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(r->c->db,
			 "SELECT id, subject, inputs FROM score_input i WHERE family = ? AND id > ? AND NOT EXISTS"
			 " (SELECT 1 FROM score s WHERE s.input = i.id AND s.hash = ?) ORDER BY id LIMIT ?",
			 e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, family, e) && db_bind_int(q, 2, after, e) && db_bind_text(q, 3, hash, e) &&
		  db_bind_int(q, 4, SCORES_RUN_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		out->last = db_int(q, 0);
		out->scored++;
		ok = input_score(r, q, hash, role, e) || err_wrap(e, "input %lld", (long long)out->last);
	}
	db_finish(q);
	return ok;
}

bool scores_backfill(struct release_context *c, const char *family, const char *prefix, int64_t after,
		     const char *operator, int64_t now_s, struct scores_backfill *out, struct err *e)
{
	char hash[MODEL_HEX + 1] = "";
	enum model_role role = MODEL_RETIRED;
	*out = (struct scores_backfill){ .last = after };
	if (!model_find(c, family, prefix, hash, &role, e))
		return false;
	if (role == MODEL_RETIRED)
		return err_set(e, ERR_CONFLICT, "it is retired: import it again to use it");
	if (!db_begin(c->db, e))
		return false;
	struct replay *r = replay_new(c);
	bool ok = inputs_score(r, family, hash, role, after, out, e) &&
		  (out->scored == 0 || audit_add(c->db, now_s, operator, "score.backfill", family, hash, e)) &&
		  db_commit(c->db, e);
	replay_free(r);
	if (!ok)
		db_rollback(c->db);
	return ok;
}
