/* Models and scores, for operators. */
#include "central/api/args.h"
#include "central/carbon/push.h"
#include "central/centrald.h"
#include "central/score/facts.h"
#include "central/score/outcomes.h"
#include "protocol/rule.h"

#include <string.h>

#define SCORES_SHOWN_MAX 1000

/* --- models --- */

static bool flag(struct api_call *call, const char *key)
{
	const char *v = http_query(call->request, key);
	return v != NULL && strcmp(v, "1") == 0;
}

static bool hash_asked(struct api_call *call, const char **hash, struct err *e)
{
	*hash = http_query(call->request, "hash");
	return *hash != NULL || err_set(e, ERR_INPUT, "hash: say which model");
}

static void model_put(void *arg, const struct model *m)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_text(w, "family", m->family);
	json_put_text(w, "hash", m->hash);
	json_put_text(w, "role", model_role_name(m->role));
	json_put_text(w, "role_zh", model_role_zh(m->role));
	json_put_text(w, "name", m->name);
	json_put_text(w, "description", m->description);
	json_put_bool(w, "sample", m->sample);
	json_put_int(w, "faults", (int64_t)m->faults);
	json_put_text(w, "imported_by", m->imported_by);
	json_put_int(w, "imported_s", m->imported_s);
	json_put_text(w, "set_by", m->set_by);
	json_put_int(w, "set_s", m->set_s);
	json_close(w, '}');
}

static bool models_answer(struct api_call *call, const char *family, struct err *e)
{
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "models", '[');
	bool ok = model_each(&call->central->release, family, model_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool models_show(struct api_call *call, struct err *e)
{
	return models_answer(call, http_query(call->request, "family"), e);
}

/* The draft that it is, or what became of it before. */
static bool model_take(struct api_call *call, struct err *e)
{
	char hash[MODEL_HEX + 1];
	int64_t id = 0;
	const char *source = http_query(call->request, "source");
	return model_import(&call->central->release, call->path_rest, http_body(call->request), flag(call, "force"),
			    source != NULL ? source : "", call->operator, call->now_s, hash, &id, e) &&
	       api_release_answer(call, id, e);
}

static bool model_end(struct api_call *call, struct err *e)
{
	const char *hash = NULL;
	return hash_asked(call, &hash, e) &&
	       model_retire(&call->central->release, call->path_rest, hash, call->operator, call->now_s, e) &&
	       models_answer(call, call->path_rest, e);
}

static bool model_give(struct api_call *call, struct err *e)
{
	const char *hash = NULL;
	call->content_type = "application/xml";
	return hash_asked(call, &hash, e) && model_document(&call->central->release, hash, call->out, e);
}

/* --- scores --- */

static bool kind_asked(struct api_call *call, enum identifier_kind *kind, struct err *e)
{
	const char *text = http_query(call->request, "kind");
	return text == NULL || (identifier_kind_of(text, kind) && *kind <= IDENTIFIER_PARTY_LAST) ||
	       err_set(e, ERR_INPUT, "kind: there is no kind of document '%.32s'", text);
}

static bool summary_answer(struct api_call *call, const struct scores_summary *s)
{
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "rows", (int64_t)s->rows);
	json_put_int(&call->json, "models", (int64_t)s->models);
	json_put_int(&call->json, "scores", (int64_t)s->scores);
	json_put_int(&call->json, "valid", (int64_t)s->champion_valid);
	json_put_int(&call->json, "invalid", (int64_t)s->champion_invalid);
	json_put_int(&call->json, "knocked_out", (int64_t)s->knocked_out);
	json_close(&call->json, '}');
	return true;
}

/* The body is the table; kind: of the subjects; date: of inputs for which the table says none. */
static bool scores_take(struct api_call *call, struct err *e)
{
	struct scores_summary s;
	struct scores_run r = { call->path_rest, call->operator, IDENTIFIER_USCC, SCORES_NO_DAY, call->now_s };
	const char *day = http_query(call->request, "date");
	if (!kind_asked(call, &r.kind, e))
		return false;
	if (day != NULL && !day_parse(bytes_of(day), &r.day, e))
		return err_wrap(e, "date");
	return scores_run(&call->central->release, &r, http_body(call->request), &s, e) && summary_answer(call, &s);
}

static bool carbon_points(void *arg, const struct identifier *subject, int64_t *points, struct err *e)
{
	struct api_call *call = arg;
	struct carbon_push of;
	struct carbon c = { .release = &call->central->release, .operator= call->operator, .now_s = call->now_s };
	return carbon_pushed(&c, subject->kind, subject->canonical, INT32_MAX, points, &of, e) ||
	       err_wrap(e, "carbon account");
}

/* The body names the subjects; as_of: by what counted at the end of that day, today when it is not said. */
static bool facts_take(struct api_call *call, struct err *e)
{
	struct scores_summary s;
	struct scores_run r = { call->path_rest, call->operator, IDENTIFIER_USCC, SCORES_NO_DAY, call->now_s };
	const struct facts_accounts accounts = { carbon_points, call };
	const char *as_of = http_query(call->request, "as_of");
	int64_t day = (call->now_s + 28800) / 86400;
	if (!kind_asked(call, &r.kind, e))
		return false;
	if (as_of != NULL && !day_parse(bytes_of(as_of), &day, e))
		return err_wrap(e, "as_of");
	return facts_score(&call->central->release, &r, day, &accounts, http_body(call->request), &s, e) &&
	       summary_answer(call, &s);
}

static void score_put(void *arg, const struct score_row *r)
{
	struct json_out *w = arg;
	char day[11];
	day_format(r->oldest_day, day);
	json_open(w, NULL, '{');
	json_put_int(w, "score", r->id);
	json_put_int(w, "input", r->input);
	json_put_text(w, "family", r->family);
	json_put_text(w, "masked", r->masked);
	json_put_text(w, "model", r->hash);
	json_put_text(w, "role", model_role_name(r->role));
	json_put_text(w, "role_zh", model_role_zh(r->role));
	json_put_text(w, "value", r->value);
	json_put_text(w, "oldest_input", day);
	json_put_int(w, "scored_s", r->scored_s);
	json_put_text(w, "scored_by", r->scored_by);
	json_put_text(w, "held", r->held);
	json_put_text(w, "made_by", r->made_by);
	json_put_raw(w, "result", bytes_of(r->result));
	json_close(w, '}');
}

static bool outcomes_take(struct api_call *call, struct err *e)
{
	struct outcomes_summary s;
	struct outcomes_run r = { call->path_rest, call->operator, IDENTIFIER_USCC, call->now_s };
	if (!kind_asked(call, &r.kind, e) ||
	    !outcomes_import(&call->central->release, &r, http_body(call->request), &s, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "rows", (int64_t)s.rows);
	json_put_int(&call->json, "goods", (int64_t)s.goods);
	json_put_int(&call->json, "bads", (int64_t)s.bads);
	json_put_int(&call->json, "unscored", (int64_t)s.unscored);
	json_close(&call->json, '}');
	return true;
}

/* The first row names the model. */
static bool months_table(struct api_call *call, struct err *e)
{
	char model[MODEL_HEX + 1] = "";
	struct buf rows;
	int64_t after = 0, last = 0;
	call->content_type = "text/csv";
	if (!api_query_int(call, "after", 0, INT64_MAX, 0, &after, e))
		return false;
	buf_init(&rows, API_ANSWER_MAX);
	bool ok = outcomes_csv(&call->central->release, call->path_rest, http_query(call->request, "hash"), after,
			       &rows, &last, model, e);
	if (ok) {
		buf_add_fmt(call->out, "%s\n", model);
		buf_add(call->out, rows.data, rows.len);
	}
	buf_clear(&rows);
	return ok;
}

static bool scores_show(struct api_call *call, struct err *e)
{
	struct identifier subject;
	if (!api_holder_asked(call, "score.search", &subject, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "scores", '[');
	bool ok = scores_each(&call->central->release, subject.kind, subject.canonical, SCORES_SHOWN_MAX, score_put,
			      &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

/* CSV; the header only with the first slice. */
static bool scores_table(struct api_call *call, struct err *e)
{
	int64_t after = 0, last = 0;
	call->content_type = "text/csv";
	if (!api_query_int(call, "after", 0, INT64_MAX, 0, &after, e))
		return false;
	if (after == 0)
		buf_add_str(call->out, SCORES_CSV_HEAD);
	return scores_csv(&call->central->release, call->path_rest, http_query(call->request, "hash"), after,
			  call->out, &last, e);
}

static bool backfill(struct api_call *call, struct err *e)
{
	const char *hash = NULL;
	int64_t after = 0;
	struct scores_backfill b;
	if (!hash_asked(call, &hash, e) || !api_query_int(call, "after", 0, INT64_MAX, 0, &after, e) ||
	    !scores_backfill(&call->central->release, call->path_rest, hash, after, call->operator, call->now_s, &b,
			     e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "last", b.last);
	json_put_int(&call->json, "scored", (int64_t)b.scored);
	json_close(&call->json, '}');
	return true;
}

static bool replay(struct api_call *call, struct err *e)
{
	int64_t after = 0;
	struct scores_replay r;
	if (!api_query_int(call, "after", 0, INT64_MAX, 0, &after, e) ||
	    !scores_replay(&call->central->release, after, SCORES_REPLAY_MAX, &r, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "last", r.last);
	json_put_int(&call->json, "checked", (int64_t)r.checked);
	json_put_int(&call->json, "different", (int64_t)r.different);
	json_put_int(&call->json, "first_different", r.first_different);
	json_put_text(&call->json, "first", r.first_what);
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_score_routes[] = {
	{ "GET", "/v1/models", false, models_show },
	{ "GET", "/v1/model", false, model_give },
	{ "POST", "/v1/models/%", true, model_take },
	{ "POST", "/v1/models/%/retire", true, model_end },
	{ "POST", "/v1/scores/%", true, scores_take },
	{ "POST", "/v1/scores/%/backfill", true, backfill },
	{ "POST", "/v1/scores/%/facts", true, facts_take },
	{ "POST", "/v1/scores/%/outcomes", true, outcomes_take },
	{ "GET", "/v1/scores/%/months", false, months_table },
	{ "GET", "/v1/scores/%", true, scores_table },
	{ "GET", "/v1/scores", true, scores_show },
	{ "GET", "/v1/replay", false, replay },
	{ 0 },
};
