/* Colour labels and ratings of our own. */
#include "central/api/green.h"
#include "central/centrald.h"
#include "central/green/labels.h"
#include "central/green/own.h"

#include <string.h>

#define REASON_MAX 256
#define JSON_MAX   2097152U

/* --- labels --- */

static void kept_put(struct json_out *w, const struct label_kept *k)
{
	char month[8];
	green_month_format(k->month, month);
	json_put_int(w, "id", k->id);
	json_put_text(w, "month", month);
	json_put_text(w, "label", k->word.code[0] != '\0' ? k->word.code : NULL);
	json_put_text(w, "label_zh", k->word.code[0] != '\0' ? k->word.zh : NULL);
	json_put_text(w, "label_en", k->word.code[0] != '\0' ? k->word.en : NULL);
	json_put_int(w, "version", k->version);
	json_put_text(w, "document", k->document);
	json_put_text(w, "computed_by", k->computed_by);
	json_put_int(w, "computed_s", k->computed_s);
}

/* Today's month when it is missing, as 0. */
static bool asked_month(const struct json *j, int32_t *month, struct err *e)
{
	const char *text = NULL;
	*month = 0;
	if (!json_text_opt(j, "month", 7, &text, e))
		return false;
	return text == NULL || green_month_parse(text, month, e) || err_wrap(e, "month");
}

/* POST {"subject", "purpose", "month"?} */
static bool label_compute(struct api_call *call, struct err *e)
{
	struct identifier id;
	struct label_kept kept;
	struct buf computed;
	bool fresh = false;
	struct label_ask ask = { .subject = &id, .who = call->operator};
	struct json *j = api_body(call, "subject purpose month", e);
	buf_init(&computed, JSON_MAX);
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &ask.purpose, e) && api_green_subject(j, &id, e) &&
		  asked_month(j, &ask.month, e) &&
		  labels_compute(&call->central->release, &ask, call->now_s, &kept, &computed, &fresh, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		kept_put(&call->json, &kept);
		json_put_bool(&call->json, "fresh", fresh);
		json_put_raw(&call->json, "computed", buf_bytes(&computed));
		json_close(&call->json, '}');
	}
	buf_wipe(&computed);
	json_free(j);
	return ok;
}

static bool label_put(void *arg, const struct label_kept *k, struct bytes json, struct err *e)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	kept_put(w, k);
	json_put_raw(w, "computed", json);
	json_close(w, '}');
	return buf_ok(w->out, "the labels", e);
}

static bool labels_put(struct api_call *call, const struct identifier *id, const char *purpose, int64_t day,
		       struct err *e)
{
	struct release_context *c = &call->central->release;
	struct subject_group group;
	struct label_kept kept;
	bool there = false;
	const int64_t known_s = green_day_end_s(day);
	if (day > green_day_of_s(call->now_s))
		return err_set(e, ERR_INPUT, "as_of: this day is still to come");
	if (!subject_group_at(c, id, known_s, &group, e) ||
	    !subject_read_log(c, &group, purpose, call->operator, call->now_s, e) ||
	    !labels_find(c, &group, day, known_s, &kept, &there, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "label", there ? kept.word.code : NULL);
	json_put_text(&call->json, "label_zh", there ? kept.word.zh : NULL);
	json_put_int(&call->json, "id", there ? kept.id : 0);
	json_open(&call->json, "labels", '[');
	bool ok = labels_each(c, &group, known_s, label_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

/* POST {"subject", "purpose", "as_of"?} */
static bool labels_show(struct api_call *call, struct err *e)
{
	struct identifier id;
	const char *purpose = NULL;
	int64_t day = 0;
	struct json *j = api_body(call, "subject purpose as_of", e);
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &purpose, e) && api_green_subject(j, &id, e) &&
		  api_green_day(call, j, "as_of", &day, e) && labels_put(call, &id, purpose, day, e);
	json_free(j);
	return ok;
}

/* --- ratings --- */

static void own_put(struct json_out *w, const struct own_rating *o, struct bytes computed)
{
	json_open(w, NULL, '{');
	json_put_int(w, "rating", o->rated ? o->rating : 0);
	json_put_text(w, "level", o->rated ? o->level.code : NULL);
	json_put_text(w, "level_zh", o->rated ? o->level.zh : NULL);
	json_put_bool(w, "fresh", o->fresh);
	json_put_bool(w, "ended", o->ended);
	json_put_raw(w, "computed", computed);
	json_close(w, '}');
}

/* POST {"subject", "purpose", "project"?} */
static bool own_compute(struct api_call *call, struct err *e)
{
	struct identifier id;
	struct own_rating out;
	struct buf computed;
	struct own_ask ask = { .subject = &id, .who = call->operator};
	struct json *j = api_body(call, "subject purpose project", e);
	buf_init(&computed, JSON_MAX);
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &ask.purpose, e) && api_green_subject(j, &id, e) &&
		  json_text_opt(j, "project", GREEN_PROJECT_MAX, &ask.project, e);
	if (ok && ask.project == NULL)
		ask.project = "";
	ok = ok && own_rate(&call->central->release, &ask, call->now_s, &out, &computed, e);
	if (ok)
		own_put(&call->json, &out, buf_bytes(&computed));
	buf_wipe(&computed);
	json_free(j);
	return ok;
}

/* --- once more --- */

struct wrongs {
	struct json_out *w;
	const char *what;
};

static void wrong_put(void *arg, int64_t id, const char *why)
{
	const struct wrongs *x = arg;
	json_open(x->w, NULL, '{');
	json_put_text(x->w, "what", x->what);
	json_put_int(x->w, "id", id);
	json_put_text(x->w, "why", why);
	json_close(x->w, '}');
}

/* GET ?label=&rating=: those behind these numbers, some; until both counts are 0 */
static bool verify(struct api_call *call, struct err *e)
{
	struct wrongs labels = { &call->json, "label" }, ratings = { &call->json, "rating" };
	struct release_context *c = &call->central->release;
	int64_t label = 0, rating = 0;
	uint64_t labels_len = 0, ratings_len = 0;
	if (!api_query_int(call, "label", 0, INT64_MAX, 0, &label, e) ||
	    !api_query_int(call, "rating", 0, INT64_MAX, 0, &rating, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "wrong", '[');
	bool ok = labels_verify(c, &label, &labels_len, wrong_put, &labels, e) &&
		  own_verify(c, &rating, &ratings_len, wrong_put, &ratings, e);
	json_close(&call->json, ']');
	json_put_int(&call->json, "label", label);
	json_put_int(&call->json, "labels", (int64_t)labels_len);
	json_put_int(&call->json, "rating", rating);
	json_put_int(&call->json, "ratings", (int64_t)ratings_len);
	json_close(&call->json, '}');
	return ok;
}

const struct api_route api_green_own_routes[] = {
	{ "POST", "/v1/green/label", true, label_compute },
	{ "POST", "/v1/green/labels", true, labels_show },
	{ "POST", "/v1/green/rate", true, own_compute },
	{ "GET", "/v1/green/verify", true, verify },
	{ 0 },
};
