/* The library of green enterprises and projects. */
#include "central/api/green.h"
#include "central/centrald.h"
#include "central/green/history.h"
#include "protocol/rule.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX 16777216U
#define REASON_MAX     256

static void sheet_put(struct json_out *w, const struct sheet_result *s)
{
	json_put_int(w, "accepted", (int64_t)s->accepted);
	json_put_int(w, "repeated", (int64_t)s->repeated);
	json_put_int(w, "rejected", (int64_t)s->rejected);
	json_open(w, "rejects", '[');
	for (size_t i = 0; i < s->rejects_len; i++) {
		json_open(w, NULL, '{');
		json_put_int(w, "row", s->rejects[i].row);
		json_put_text(w, "field", s->rejects[i].field);
		json_put_text(w, "code", s->rejects[i].code);
		json_put_text(w, "zh", s->rejects[i].zh);
		json_put_text(w, "en", s->rejects[i].en);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static bool format_of(const struct api_call *call, enum intake_format *format, struct err *e)
{
	const char *name = http_query(call->request, "format");
	if (http_body(call->request).len > FILE_BYTES_MAX)
		return err_set(e, ERR_FULL, "more than %u MiB: split the file", FILE_BYTES_MAX >> 20);
	return intake_format_of(name != NULL ? name : "csv", format) ||
	       err_set(e, ERR_INPUT, "format: expected csv or ndjson");
}

/* POST ?format=csv|ndjson; green/library.h has the columns. */
static bool ratings_import(struct api_call *call, struct err *e)
{
	enum intake_format format = INTAKE_CSV;
	struct green_import *out = calloc(1, sizeof(*out));
	if (out == NULL)
		abort();
	bool ok =
		format_of(call, &format, e) && green_import(&call->central->release, format, http_body(call->request),
							    call->operator, call->now_s, out, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		sheet_put(&call->json, &out->sheet);
		json_put_int(&call->json, "conflicts", (int64_t)out->conflicts);
		json_close(&call->json, '}');
	}
	free(out);
	return ok;
}

bool api_green_day(const struct api_call *call, const struct json *j, const char *key, int64_t *day, struct err *e)
{
	const char *text = NULL;
	*day = green_day_of_s(call->now_s);
	if (!json_text_opt(j, key, 10, &text, e))
		return false;
	return text == NULL || day_parse(bytes_of(text), day, e) || err_wrap(e, "%s", key);
}

enum form { FORM_JSON, FORM_CSV, FORM_HTML };

static bool asked_form(const struct json *j, enum form most, enum form *form, struct err *e)
{
	static const char *const words[] = { "json", "csv", "html" };
	const char *text = NULL;
	*form = FORM_JSON;
	if (!json_text_opt(j, "format", 8, &text, e))
		return false;
	for (int f = FORM_JSON; text != NULL && f <= (int)most; f++) {
		if (strcmp(text, words[f]) == 0) {
			*form = (enum form)f;
			return true;
		}
	}
	return text == NULL ||
	       err_set(e, ERR_INPUT,
		       most == FORM_HTML ? "format: expected json, csv or html" : "format: expected json or csv");
}

bool api_green_subject(const struct json *j, struct identifier *id, struct err *e)
{
	return api_holder(j, "subject", id, e) &&
	       (id->kind == IDENTIFIER_USCC || id->kind == IDENTIFIER_ORG_CODE ||
		err_set(e, ERR_INPUT, "subject: the library is of enterprises: uscc or org_code"));
}

static void content_type(struct api_call *call, enum form form)
{
	if (form == FORM_CSV)
		call->content_type = "text/csv; charset=utf-8";
	else if (form == FORM_HTML)
		call->content_type = "text/html; charset=utf-8";
}

static bool history_write(struct api_call *call, const struct green_history *h, enum form form, struct err *e)
{
	content_type(call, form);
	switch (form) {
	case FORM_CSV: return green_history_csv(h, call->out, e);
	case FORM_HTML: return green_history_html(h, call->out, e);
	case FORM_JSON: break;
	}
	return green_history_json(h, call->out, e);
}

/* POST {"subject", "purpose", "as_of"?, "format"?} */
static bool history_show(struct api_call *call, struct err *e)
{
	struct identifier id;
	enum form form = FORM_JSON;
	struct green_request q = { .subject = &id, .who = call->operator};
	struct green_history *h = NULL;
	struct json *j = api_body(call, "subject purpose as_of format", e);
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &q.purpose, e) && api_green_subject(j, &id, e) &&
		  api_green_day(call, j, "as_of", &q.day, e) && asked_form(j, FORM_HTML, &form, e) &&
		  (h = green_history(&call->central->release, &q, call->now_s, e)) != NULL &&
		  history_write(call, h, form, e);
	green_history_free(h);
	json_free(j);
	return ok;
}

/* POST {"purpose", "as_of"?, "format"?} */
static bool library_show(struct api_call *call, struct err *e)
{
	struct release_context *c = &call->central->release;
	const char *purpose = NULL;
	int64_t day = 0;
	enum form form = FORM_JSON;
	struct json *j = api_body(call, "purpose as_of format", e);
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &purpose, e) &&
		  api_green_day(call, j, "as_of", &day, e) && asked_form(j, FORM_CSV, &form, e);
	content_type(call, form);
	ok = ok &&
	     (form == FORM_CSV ? green_library_csv(c, purpose, call->operator, day, call->now_s, call->out, e)
			       : green_library_json(c, purpose, call->operator, day, call->now_s, call->out, e));
	json_free(j);
	return ok;
}

/* --- what wants a person --- */

struct wanting {
	struct json_out *w;
	int64_t until_day; /* 0: conflicts are asked for */
};

static bool wanting_put(void *arg, const struct green_entry *entry, struct err *e)
{
	const struct wanting *x = arg;
	const struct green_standing *s = entry->standing;
	if (x->until_day == 0 ? s->basis != GREEN_BASIS_PRECEDENCE
			      : s->rating == NULL || s->rating->until_day >= x->until_day)
		return true;
	json_open(x->w, NULL, '{');
	json_put_text(x->w, "masked", entry->masked);
	json_put_text(x->w, "project", entry->project);
	green_standing_json(x->w, s);
	json_close(x->w, '}');
	return buf_ok(x->w->out, "the answer", e);
}

static bool wanting_show(struct api_call *call, int64_t until_day, struct err *e)
{
	struct wanting x = { &call->json, until_day };
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "subjects", '[');
	bool ok =
		green_each(&call->central->release, 0, green_day_of_s(call->now_s), GREEN_NEVER, wanting_put, &x, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool conflicts_show(struct api_call *call, struct err *e)
{
	return wanting_show(call, 0, e);
}

/* GET ?days=: the rules' own when it is missing */
static bool expiring_show(struct api_call *call, struct err *e)
{
	int64_t days = 0;
	if (!api_query_int(call, "days", 0, 3660, 0, &days, e) ||
	    (days == 0 && !green_warn_days(&call->central->release, &days, e)))
		return false;
	return wanting_show(call, green_day_of_s(call->now_s) + days, e);
}

static void done_put(struct api_call *call, const char *what, const char *state)
{
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, what, state);
	json_close(&call->json, '}');
}

/* POST {"rating": 0 for none, "reason"} */
static bool conflict_resolve(struct api_call *call, struct err *e)
{
	const char *why = NULL;
	int64_t rating = 0;
	struct json *j = api_body(call, "rating reason", e);
	bool ok =
		j != NULL && json_int(j, "rating", 0, INT64_MAX, &rating, e) &&
		json_text(j, "reason", REASON_MAX, &why, e) &&
		green_resolve(&call->central->release, call->path_rest, rating, why, call->operator, call->now_s, e);
	if (ok)
		done_put(call, "conflict", "resolved");
	json_free(j);
	return ok;
}

const struct api_route api_green_routes[] = {
	{ "POST", "/v1/green/ratings", true, ratings_import },
	{ "POST", "/v1/green/show", true, history_show },
	{ "POST", "/v1/green/library", true, library_show },
	{ "GET", "/v1/green/conflicts", true, conflicts_show },
	{ "POST", "/v1/green/conflicts/%", true, conflict_resolve },
	{ "GET", "/v1/green/expiring", true, expiring_show },
	{ 0 },
};
