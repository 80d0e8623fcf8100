#include "central/green/labels.h"

#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX    2097152U
#define VERIFY_ROWS 100 /* of one turn */
#define COLUMNS                                                                                                      \
	"l.id, l.month, l.label, l.label_zh, l.label_en, l.version, l.document, l.computed_by, l.computed_s, "       \
	"l.sample"

static void kept_read(const struct db_query *q, struct label_kept *k)
{
	*k = (struct label_kept){ .id = db_int(q, 0),
				  .month = (int32_t)db_int(q, 1),
				  .version = db_int(q, 5),
				  .computed_s = db_int(q, 8) };
	k->sample = db_int(q, 9) != 0;
	snprintf(k->word.code, sizeof(k->word.code), "%s", db_text(q, 2));
	snprintf(k->word.zh, sizeof(k->word.zh), "%s", db_text(q, 3));
	snprintf(k->word.en, sizeof(k->word.en), "%s", db_text(q, 4));
	snprintf(k->document, sizeof(k->document), "%s", db_text(q, 6));
	snprintf(k->computed_by, sizeof(k->computed_by), "%s", db_text(q, 7));
}

/* --- computing --- */

struct computing {
	struct release_context *c;
	const struct label_ask *ask;
	int64_t now_s;
	struct green_document document;
	struct label_rules *rules;
	struct subject_group group;
	struct label_inputs inputs;
	struct label_result result;
	struct buf json;
	uint8_t digest[HASH_LEN];
};

static void record_add(void *arg, const struct subject_record *r)
{
	struct computing *k = arg;
	label_inputs_add(&k->inputs, k->rules, r);
}

static bool gather(struct computing *k, struct err *e)
{
	bool more = false;
	if (!subject_records(k->c, &k->group, record_add, k, &more, e))
		return false;
	label_inputs_order(&k->inputs);
	return !more || err_set(e, ERR_FULL, "there are more than %d rows of it, so that some would not count",
				SUBJECT_ROWS_MAX);
}

/* Both parts as JSON; the digest is of document and inputs. */
static bool judge(struct computing *k, struct err *e)
{
	struct json_out w = { &k->json, false };
	struct sha256_stream h;
	label_judge(k->rules, &k->inputs, &k->result);
	json_open(&w, NULL, '{');
	label_inputs_json(&k->inputs, &w, "inputs");
	sha256_start(&h);
	sha256_add(&h, bytes_of(k->document.hash));
	sha256_add(&h, buf_bytes(&k->json));
	sha256_finish(&h, k->digest);
	label_result_json(k->rules, &k->inputs, &k->result, &w, "result");
	json_close(&w, '}');
	return buf_ok(&k->json, "the label", e);
}

/* The newest of the month, of any of the subject's numbers. */
static bool newest(struct release_context *c, const struct subject_group *g, int32_t month, struct label_kept *out,
		   uint8_t digest[HASH_LEN], struct err *e)
{
	bool row = false, ok = true;
	*out = (struct label_kept){ 0 };
	for (size_t i = 0; ok && i < g->len; i++) {
		struct db_query *q = db_query(c->db,
					      "SELECT " COLUMNS ", l.digest FROM carbon_label l WHERE tag = ? AND"
					      " month = ? AND id > ? ORDER BY id DESC LIMIT 1",
					      e);
		if (q == NULL)
			return false;
		ok = db_bind_int(q, 1, g->tags[i], e) && db_bind_int(q, 2, month, e) &&
		     db_bind_int(q, 3, out->id, e) && db_next(q, &row, e);
		if (ok && row) {
			kept_read(q, out);
			if (db_bytes(q, 10).len == HASH_LEN)
				memcpy(digest, db_bytes(q, 10).data, HASH_LEN);
		}
		db_finish(q);
	}
	return ok;
}

static bool insert(struct computing *k, int64_t tag, struct label_kept *out, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, JSON_MAX + AEAD_OVERHEAD);
	bool ok = green_seal(k->c, "label", tag, out->month, buf_bytes(&k->json), &sealed, e) &&
		  db_run(k->c->db, e,
			 "INSERT INTO carbon_label (tag, month, label, label_zh, label_en, document, version, "
			 "sample, digest,"
			 " sealed, computed_by, computed_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 "iittttiibbti", tag, (int64_t)out->month, out->word.code, out->word.zh, out->word.en,
			 out->document, out->version, (int64_t)out->sample, (struct bytes){ k->digest, HASH_LEN },
			 buf_bytes(&sealed), out->computed_by, out->computed_s) &&
		  db_run_int(k->c->db, &out->id, e, "SELECT MAX(id) FROM carbon_label", "");
	buf_clear(&sealed);
	return ok;
}

static bool keep(struct computing *k, struct label_kept *out, struct err *e)
{
	char masked[96], month[8], detail[160];
	int64_t tag = 0;
	*out = (struct label_kept){ .month = k->inputs.month,
				    .version = k->document.version,
				    .computed_s = k->now_s,
				    .sample = k->rules->sample };
	if (k->result.colour != NULL)
		out->word = k->result.colour->word;
	snprintf(out->document, sizeof(out->document), "%s", k->document.hash);
	snprintf(out->computed_by, sizeof(out->computed_by), "%s", k->ask->who);
	identifier_mask(&k->group.members[0], masked, sizeof(masked));
	green_month_format(out->month, month);
	snprintf(detail, sizeof(detail), "%s: %s, by " CARBON_LABEL_DOCUMENT "/%lld", month,
		 out->word.code[0] != '\0' ? out->word.code : "none", (long long)out->version);
	bool ok = db_begin(k->c->db, e) && green_document_keep(k->c, CARBON_LABEL_DOCUMENT, &k->document, e) &&
		  green_subject_keep(k->c, &k->group.members[0], &tag, e) && insert(k, tag, out, e) &&
		  audit_add(k->c->db, k->now_s, k->ask->who, "green.label", masked, detail, e);
	return green_finish(k->c, ok, e);
}

static bool month_choose(struct computing *k, struct err *e)
{
	const int32_t now = green_month_of_day(green_day_of_s(k->now_s));
	k->inputs.month = k->ask->month != 0 ? k->ask->month : now - 1;
	return k->inputs.month < now || err_set(e, ERR_INPUT, "month: it is not over yet");
}

static bool compute(struct computing *k, struct label_kept *out, bool *fresh, struct err *e)
{
	uint8_t digest[HASH_LEN] = { 0 };
	if (!month_choose(k, e) || !green_document_current(k->c, CARBON_LABEL_DOCUMENT, &k->document, e))
		return false;
	k->rules = label_rules_decode(buf_bytes(&k->document.cbor), e);
	if (k->rules == NULL || !subject_group(k->c, k->ask->subject, &k->group, e) ||
	    !subject_read_log(k->c, &k->group, k->ask->purpose, k->ask->who, k->now_s, e) || !gather(k, e) ||
	    !judge(k, e) || !newest(k->c, &k->group, k->inputs.month, out, digest, e))
		return false;
	*fresh = out->id == 0 || memcmp(digest, k->digest, HASH_LEN) != 0;
	return !*fresh || keep(k, out, e);
}

bool labels_compute(struct release_context *c, const struct label_ask *q, int64_t now_s, struct label_kept *out,
		    struct buf *json, bool *fresh, struct err *e)
{
	struct computing *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	k->c = c;
	k->ask = q;
	k->now_s = now_s;
	buf_init(&k->json, JSON_MAX);
	bool ok = compute(k, out, fresh, e);
	if (ok && json != NULL)
		buf_add(json, k->json.data, k->json.len);
	free(k->rules);
	green_document_clear(&k->document);
	buf_wipe(&k->json);
	explicit_bzero(k, sizeof(*k));
	free(k);
	return ok;
}

/* --- reading --- */

/* Of each month the newest row; older ones than are asked for have no place. */
struct finding {
	int32_t first;
	struct label_kept months[LABEL_OLD_MONTHS + 1];
};

static bool find_of(struct release_context *c, int64_t tag, int64_t known_s, struct finding *f, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(c->db,
				      "SELECT " COLUMNS " FROM carbon_label l WHERE tag = ? AND month BETWEEN ? AND ?"
				      " AND computed_s < ?",
				      e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, tag, e) && db_bind_int(q, 2, f->first, e) &&
		  db_bind_int(q, 3, f->first + LABEL_OLD_MONTHS, e) && db_bind_int(q, 4, known_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct label_kept *k = &f->months[db_int(q, 1) - f->first];
		if (db_int(q, 0) > k->id)
			kept_read(q, k);
	}
	db_finish(q);
	return ok;
}

bool labels_find(struct release_context *c, const struct subject_group *g, int64_t day, int64_t known_s,
		 struct label_kept *out, bool *there, struct err *e)
{
	struct finding f = { .first = green_month_of_day(day) - LABEL_OLD_MONTHS };
	*there = false;
	*out = (struct label_kept){ 0 };
	for (size_t i = 0; i < g->len; i++)
		if (!find_of(c, g->tags[i], known_s, &f, e))
			return false;
	for (int m = LABEL_OLD_MONTHS; m >= 0 && !*there; m--) {
		*there = f.months[m].word.code[0] != '\0';
		*out = f.months[m];
	}
	return true;
}

static bool each_of(struct release_context *c, int64_t tag, int64_t known_s,
		    bool (*each)(void *arg, const struct label_kept *k, struct bytes json, struct err *e), void *arg,
		    struct err *e)
{
	struct label_kept k;
	struct buf json;
	bool row = false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT " COLUMNS ", l.sealed FROM carbon_label l WHERE tag = ? AND computed_s < ?"
			 " ORDER BY id",
			 e);
	if (q == NULL)
		return false;
	buf_init(&json, JSON_MAX);
	bool ok = db_bind_int(q, 1, tag, e) && db_bind_int(q, 2, known_s, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		kept_read(q, &k);
		buf_reset(&json);
		ok = green_open(c, "label", tag, k.month, db_bytes(q, 10), &json, e) &&
		     each(arg, &k, buf_bytes(&json), e);
	}
	db_finish(q);
	buf_wipe(&json);
	return ok;
}

bool labels_each(struct release_context *c, const struct subject_group *g, int64_t known_s,
		 bool (*each)(void *arg, const struct label_kept *k, struct bytes json, struct err *e), void *arg,
		 struct err *e)
{
	for (size_t i = 0; i < g->len; i++)
		if (!each_of(c, g->tags[i], known_s, each, arg, e))
			return false;
	return true;
}

/* --- once more --- */

static bool again(struct computing *k, const struct db_query *q, const struct label_kept *kept, struct buf *was,
		  struct err *e)
{
	struct json *j = NULL;
	if (!green_open(k->c, "label", db_int(q, 11), kept->month, db_bytes(q, 10), was, e) ||
	    !green_document_load(k->c, kept->document, &k->document, e))
		return false;
	k->rules = label_rules_decode(buf_bytes(&k->document.cbor), e);
	j = k->rules != NULL ? json_parse(buf_bytes(was), e) : NULL;
	bool ok = j != NULL && label_inputs_read(json_get(j, "inputs"), &k->inputs, e) && judge(k, e);
	json_free(j);
	if (!ok)
		return false;
	const char *code = k->result.colour != NULL ? k->result.colour->word.code : "";
	if (strcmp(code, kept->word.code) != 0 || !bytes_equal(buf_bytes(was), buf_bytes(&k->json)))
		return err_set(e, ERR_CONFLICT, "it comes out otherwise: '%s', and was kept as '%s'", code,
			       kept->word.code);
	return bytes_equal(db_bytes(q, 12), (struct bytes){ k->digest, HASH_LEN }) ||
	       err_set(e, ERR_CONFLICT, "its digest is another");
}

static bool verify_row(struct release_context *c, const struct db_query *q, struct err *why)
{
	struct label_kept kept;
	struct buf was;
	struct computing *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	k->c = c;
	buf_init(&k->json, JSON_MAX);
	buf_init(&was, JSON_MAX);
	kept_read(q, &kept);
	bool ok = again(k, q, &kept, &was, why);
	buf_wipe(&was);
	buf_wipe(&k->json);
	free(k->rules);
	green_document_clear(&k->document);
	explicit_bzero(k, sizeof(*k));
	free(k);
	return ok;
}

bool labels_verify(struct release_context *c, int64_t *after, uint64_t *n,
		   void (*wrong)(void *arg, int64_t id, const char *why), void *arg, struct err *e)
{
	bool row = false, ok = true;
	struct db_query *q = db_query(c->db,
				      "SELECT " COLUMNS ", l.sealed, l.tag, l.digest FROM carbon_label l WHERE id > ?"
				      " ORDER BY id LIMIT ?",
				      e);
	*n = 0;
	if (q == NULL)
		return false;
	ok = db_bind_int(q, 1, *after, e) && db_bind_int(q, 2, VERIFY_ROWS, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct err why = { 0 };
		*after = db_int(q, 0);
		if (!verify_row(c, q, &why))
			wrong(arg, *after, why.text);
		++*n;
	}
	db_finish(q);
	return ok;
}
