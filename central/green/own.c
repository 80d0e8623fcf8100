#include "central/green/own.h"

#include "central/green/labels.h"
#include "central/ingest/source.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERIFY_ROWS 100  /* of one turn */
#define OWN_RANK    1000 /* never compared: where another rating counts this one does not */

struct rating {
	struct release_context *c;
	const struct own_ask *ask;
	int64_t now_s;
	struct green_document document;
	struct green_rules *rules;
	struct subject_group group;
	struct own_facts facts;
	bool covered[GREEN_INDICATORS_MAX];
	struct buf json;
	uint8_t digest[HASH_LEN];
	struct err err; /* of the sources */
};

/* --- facts --- */

static void record_add(void *arg, const struct subject_record *r)
{
	struct rating *k = arg;
	own_facts_add(&k->facts, k->rules, r);
}

static void source_look(void *arg, const struct source *s)
{
	struct rating *k = arg;
	int64_t n = 0;
	if (!db_run_int(
		    k->c->db, &n, &k->err,
		    "SELECT COUNT(*) FROM batch WHERE source = ? AND state IN (4, 5) AND (held = 0 OR decided_s > 0)",
		    "t", s->code) ||
	    n > 0)
		return;
	for (size_t i = 0; i < k->rules->indicators_len; i++)
		if (strcmp(k->rules->indicators[i].indicator, s->indicator) == 0)
			k->covered[i] = false;
}

/* An indicator that no source has is covered by none. */
static void source_first(void *arg, const struct source *s)
{
	struct rating *k = arg;
	for (size_t i = 0; i < k->rules->indicators_len; i++)
		if (strcmp(k->rules->indicators[i].indicator, s->indicator) == 0)
			k->covered[i] = true;
}

static bool covered_find(struct rating *k, struct err *e)
{
	return source_each(k->c->db, source_first, k, e) && source_each(k->c->db, source_look, k, e) &&
	       (k->err.code == ERR_NONE || err_set(e, k->err.code, "%s", k->err.text));
}

static bool label_add(struct rating *k, struct err *e)
{
	struct label_kept label;
	bool there = false;
	struct own_fact *x = &k->facts.facts[k->facts.len++];
	*x = (struct own_fact){ .name = "label", .kind = VALUE_MISSING };
	if (!labels_find(k->c, &k->group, k->facts.day, GREEN_NEVER, &label, &there, e))
		return false;
	if (!there)
		return true;
	x->kind = VALUE_TEXT;
	x->rows = 1;
	x->day = green_day_of_s(label.computed_s);
	snprintf(x->text, sizeof(x->text), "%s", label.word.code);
	snprintf(x->from, sizeof(x->from), "label/%lld", (long long)label.id);
	return true;
}

static bool gather(struct rating *k, struct err *e)
{
	bool more = false;
	own_facts_init(&k->facts, k->rules, green_day_of_s(k->now_s), k->ask->project);
	if (!covered_find(k, e) || !subject_records(k->c, &k->group, record_add, k, &more, e))
		return false;
	if (more)
		return err_set(e, ERR_FULL, "there are more than %d rows of it, so that some would not count",
			       SUBJECT_ROWS_MAX);
	own_facts_end(&k->facts, k->rules, k->covered);
	return label_add(k, e);
}

/* Both parts as JSON; the digest is of document and facts. */
static bool judge(struct rating *k, struct err *e)
{
	struct json_out w = { &k->json, false };
	struct sha256_stream h;
	json_open(&w, NULL, '{');
	own_facts_json(&k->facts, &w, "facts");
	sha256_start(&h);
	sha256_add(&h, bytes_of(k->document.hash));
	sha256_add(&h, buf_bytes(&k->json));
	sha256_finish(&h, k->digest);
	own_result_json(k->rules, &k->facts, &w, "result");
	json_close(&w, '}');
	return buf_ok(&k->json, "the rating", e);
}

/* --- the library --- */

struct before {
	int64_t rating; /* 0: there is none that is in force today */
	uint8_t digest[HASH_LEN], found_by[HASH_LEN];
};

static bool before_of(struct rating *k, int64_t tag, struct before *out, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(
		k->c->db,
		"SELECT r.id, r.digest, o.digest, r.until_day, (SELECT MIN(day) FROM green_withdrawal w WHERE "
		"w.digest ="
		" r.digest) FROM green_rating r JOIN green_own o ON o.rating = r.id WHERE r.tag = ? AND r.project = ?"
		" AND r.id > ? ORDER BY r.id DESC LIMIT 1",
		e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, tag, e) && db_bind_text(q, 2, k->ask->project, e) &&
		  db_bind_int(q, 3, out->rating, e) && db_next(q, &row, e);
	if (ok && row && db_int(q, 3) >= k->facts.day && (db_is_null(q, 4) || db_int(q, 4) > k->facts.day) &&
	    db_bytes(q, 1).len == HASH_LEN && db_bytes(q, 2).len == HASH_LEN) {
		out->rating = db_int(q, 0);
		memcpy(out->digest, db_bytes(q, 1).data, HASH_LEN);
		memcpy(out->found_by, db_bytes(q, 2).data, HASH_LEN);
	}
	db_finish(q);
	return ok;
}

static bool before_find(struct rating *k, struct before *out, struct err *e)
{
	*out = (struct before){ 0 };
	for (size_t i = 0; i < k->group.len; i++)
		if (!before_of(k, k->group.tags[i], out, e))
			return false;
	return true;
}

/* The reference numbers it, so that of one day a rating as it was before last is another row. */
static bool row_make(struct rating *k, const struct green_rule *rule, struct green_rating *r, struct err *e)
{
	int64_t n = 0;
	char hex[2 * HASH_LEN + 1];
	if (!db_run_int(k->c->db, &n, e, "SELECT COALESCE(MAX(rating), 0) + 1 FROM green_own", ""))
		return false;
	hex_encode(k->digest, HASH_LEN, hex);
	*r = (struct green_rating){ .rater = GREEN_OWN,
				    .level = k->rules->levels[rule->level],
				    .ordinal = (int64_t)rule->level,
				    .rank = OWN_RANK,
				    .from_day = k->facts.day,
				    .until_day = k->facts.day + k->rules->own_days,
				    .withdrawn_day = GREEN_NEVER,
				    .rules = k->document.version,
				    .sample = k->rules->sample,
				    .recorded_s = k->now_s };
	snprintf(r->grade, sizeof(r->grade), "%s", r->level.word.code);
	snprintf(r->reference, sizeof(r->reference), "%s %lld/%.16s", rule->word.code, (long long)n, hex);
	snprintf(r->project, sizeof(r->project), "%s", k->ask->project);
	snprintf(r->recorded_by, sizeof(r->recorded_by), "%s", k->ask->who);
	return true;
}

static bool insert(struct rating *k, const struct green_rule *rule, struct own_rating *out, struct err *e)
{
	struct green_rating r = { 0 };
	struct buf sealed;
	int64_t import = 0;
	buf_init(&sealed, OWN_JSON_MAX + AEAD_OVERHEAD);
	bool ok = green_document_keep(k->c, "green", &k->document, e) && row_make(k, rule, &r, e) &&
		  db_run_int(k->c->db, &import, e, "SELECT COALESCE(MAX(import), 0) + 1 FROM green_rating", "") &&
		  green_record(k->c, &k->group.members[0], &r, import, &out->fresh, e) &&
		  (out->fresh || err_set(e, ERR_IO, "two ratings of our own have one digest")) &&
		  green_seal(k->c, "own", r.id, 0, buf_bytes(&k->json), &sealed, e) &&
		  db_run(k->c->db, e,
			 "INSERT INTO green_own (rating, document, version, digest, sealed) VALUES (?, ?, ?, ?, ?)",
			 "itibb", r.id, k->document.hash, k->document.version, (struct bytes){ k->digest, HASH_LEN },
			 buf_bytes(&sealed));
	out->rating = r.id;
	buf_clear(&sealed);
	return ok;
}

static bool withdraw(struct rating *k, const struct before *b, struct err *e)
{
	return db_run(
		k->c->db, e,
		"INSERT INTO green_withdrawal (digest, day, recorded_by, recorded_s) VALUES (?, ?, ?, ?) ON CONFLICT"
		" (digest, day) DO NOTHING",
		"biti", (struct bytes){ b->digest, HASH_LEN }, k->facts.day, k->ask->who, k->now_s);
}

static bool keep(struct rating *k, struct own_rating *out, struct err *e)
{
	struct before b;
	char masked[96], detail[256];
	const struct green_rule *stuck = NULL, *rule = own_judge(k->rules, &k->facts, &stuck);
	if (!before_find(k, &b, e))
		return false;
	out->rated = rule != NULL;
	if (rule != NULL) {
		out->rule = rule->word;
		out->level = k->rules->levels[rule->level].word;
		out->rating = b.rating;
		if (b.rating != 0 && memcmp(b.found_by, k->digest, HASH_LEN) == 0)
			return true;
	}
	out->ended = rule == NULL && b.rating != 0;
	if (rule == NULL && !out->ended)
		return true;
	identifier_mask(&k->group.members[0], masked, sizeof(masked));
	snprintf(detail, sizeof(detail), "%s%s%s%s by green/%lld", k->ask->project,
		 k->ask->project[0] != '\0' ? ": " : "",
		 rule != NULL ? rule->word.code : "no rule decides, the rating before ends",
		 stuck != NULL ? ", for want of a fact" : "", (long long)k->document.version);
	bool ok = db_begin(k->c->db, e) && (rule != NULL ? insert(k, rule, out, e) : withdraw(k, &b, e)) &&
		  audit_add(k->c->db, k->now_s, k->ask->who, "green.rate", masked, detail, e);
	return green_finish(k->c, ok, e);
}

static struct rating *rating_new(struct release_context *c)
{
	struct rating *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	k->c = c;
	buf_init(&k->json, OWN_JSON_MAX);
	return k;
}

static void rating_free(struct rating *k)
{
	green_rules_free(k->rules);
	green_document_clear(&k->document);
	buf_wipe(&k->json);
	explicit_bzero(k, sizeof(*k));
	free(k);
}

static bool rate(struct rating *k, struct own_rating *out, struct err *e)
{
	if (strlen(k->ask->project) > GREEN_PROJECT_MAX)
		return err_set(e, ERR_INPUT, "project: longer than %d bytes", GREEN_PROJECT_MAX);
	if (!green_document_current(k->c, "green", &k->document, e))
		return false;
	k->rules = green_rules_decode(buf_bytes(&k->document.cbor), e);
	return k->rules != NULL && subject_group(k->c, k->ask->subject, &k->group, e) &&
	       subject_read_log(k->c, &k->group, k->ask->purpose, k->ask->who, k->now_s, e) && gather(k, e) &&
	       judge(k, e) && keep(k, out, e);
}

bool own_rate(struct release_context *c, const struct own_ask *q, int64_t now_s, struct own_rating *out,
	      struct buf *json, struct err *e)
{
	struct rating *k = rating_new(c);
	*out = (struct own_rating){ 0 };
	k->ask = q;
	k->now_s = now_s;
	bool ok = rate(k, out, e);
	if (ok && json != NULL)
		buf_add(json, k->json.data, k->json.len);
	rating_free(k);
	return ok;
}

/* --- once more --- */

static bool again(struct rating *k, const struct db_query *q, struct err *e)
{
	struct buf was;
	buf_init(&was, OWN_JSON_MAX);
	bool ok = green_open(k->c, "own", db_int(q, 0), 0, db_bytes(q, 3), &was, e) &&
		  green_document_load(k->c, db_text(q, 1), &k->document, e);
	k->rules = ok ? green_rules_decode(buf_bytes(&k->document.cbor), e) : NULL;
	struct json *j = k->rules != NULL ? json_parse(buf_bytes(&was), e) : NULL;
	ok = j != NULL && own_facts_read(json_get(j, "facts"), &k->facts, e) && judge(k, e);
	json_free(j);
	const struct green_rule *stuck = NULL, *rule = ok ? own_judge(k->rules, &k->facts, &stuck) : NULL;
	const char *level = rule != NULL ? k->rules->levels[rule->level].word.code : "";
	if (ok && (strcmp(level, db_text(q, 4)) != 0 || !bytes_equal(buf_bytes(&was), buf_bytes(&k->json))))
		ok = err_set(e, ERR_CONFLICT, "it comes out otherwise: '%s', and was kept as '%s'", level,
			     db_text(q, 4));
	if (ok && !bytes_equal(db_bytes(q, 2), (struct bytes){ k->digest, HASH_LEN }))
		ok = err_set(e, ERR_CONFLICT, "its digest is another");
	buf_wipe(&was);
	return ok;
}

bool own_verify(struct release_context *c, int64_t *after, uint64_t *n,
		void (*wrong)(void *arg, int64_t rating, const char *why), void *arg, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT o.rating, o.document, o.digest, o.sealed, r.level FROM green_own o JOIN"
			 " green_rating r ON r.id = o.rating WHERE o.rating > ? ORDER BY o.rating LIMIT ?",
			 e);
	*n = 0;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, *after, e) && db_bind_int(q, 2, VERIFY_ROWS, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct err why = { 0 };
		struct rating *k = rating_new(c);
		*after = db_int(q, 0);
		if (!again(k, q, &why))
			wrong(arg, *after, why.text);
		rating_free(k);
		++*n;
	}
	db_finish(q);
	return ok;
}

bool own_show(struct release_context *c, int64_t rating, struct buf *json, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(c->db, "SELECT sealed FROM green_own WHERE rating = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, rating, e) && db_next(q, &row, e) &&
		  (!row || green_open(c, "own", rating, 0, db_bytes(q, 0), json, e));
	db_finish(q);
	return ok;
}
