/* Personal carbon accounts, for operators. */
#include "central/api/args.h"
#include "central/api/carbon.h"
#include "central/api/ledger.h"
#include "central/centrald.h"
#include "central/ledger/lines.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool api_carbon_open(struct api_call *call, struct carbon_desk *d, struct err *e)
{
	api_ledger_path(call, d->path);
	d->carbon =
		(struct carbon){ &call->central->release, api_ledger(call, e), d->path, call->operator, call->now_s };
	return d->carbon.ledger != NULL;
}

/* --- reports --- */

static bool report_parse(const struct json *j, struct carbon_report *r, struct err *e)
{
	struct identifier holder;
	const char *activity, *occurred, *reference;
	int64_t day;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "holder activity occurred reference quantity", e) || !api_holder(j, "holder", &holder, e) ||
	    !json_text(j, "activity", NAME_MAX_LEN, &activity, e) || !json_text(j, "occurred", 10, &occurred, e) ||
	    !json_text(j, "reference", CARBON_REFERENCE_MAX, &reference, e) ||
	    !json_int(j, "quantity", 1, CARBON_QUANTITY_MAX, &r->quantity, e))
		return false;
	if (!day_parse(bytes_of(occurred), &day, e))
		return err_wrap(e, "occurred");
	r->day = (int32_t)day;
	r->holder_kind = holder.kind;
	memcpy(r->holder, holder.canonical, sizeof(r->holder));
	snprintf(r->activity, sizeof(r->activity), "%s", activity);
	snprintf(r->reference, sizeof(r->reference), "%s", reference);
	return true;
}

struct sent {
	size_t n;
	struct carbon_report reports[LEDGER_BATCH_MAX];
	struct carbon_result results[LEDGER_BATCH_MAX];
};

static bool reports_parse(struct bytes lines, struct sent *s, struct err *e)
{
	struct bytes line;
	size_t number = 0;
	for (s->n = 0; ledger_line_next(&lines, &line, &number); s->n++) {
		if (s->n == LEDGER_BATCH_MAX)
			return err_set(e, ERR_INPUT, "at most %d lines at once: split it", LEDGER_BATCH_MAX);
		struct json *j = json_parse(line, e);
		bool ok = j != NULL && report_parse(j, &s->reports[s->n], e);
		json_free(j);
		if (!ok)
			return err_wrap(e, "line %zu", number);
	}
	return s->n > 0 || err_set(e, ERR_INPUT, "there is no line: one JSON object a line");
}

static void result_put(struct json_out *w, const struct carbon_report *r, const struct carbon_result *x)
{
	static const char *const words[] = { "credited", "repeated", "refused" };
	static const char *const zh[] = { "已计分", "该行为已计过分", "不计分" };
	json_open(w, NULL, '{');
	json_put_text(w, "activity", r->activity);
	json_put_text(w, "reference", r->reference);
	json_put_text(w, "status", words[x->outcome]);
	json_put_text(w, "zh", zh[x->outcome]);
	json_put_int(w, "points", x->points);
	if (x->outcome == CARBON_REFUSED)
		json_put_text(w, "why", x->why.text);
	json_close(w, '}');
}

/* POST lines {"holder": {"kind","number"}, "activity", "occurred": "2026-01-31", "reference", "quantity"} */
static bool activities_report(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	char detail[48];
	struct sent *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	bool ok = reports_parse(http_body(call->request), s, e);
	snprintf(detail, sizeof(detail), "%zu lines", s->n);
	ok = ok && api_carbon_open(call, &d, e) && api_ledger_audit(call, "carbon.report", detail, e) &&
	     carbon_report(&d.carbon, s->reports, s->n, s->results, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		json_open(&call->json, "results", '[');
		for (size_t i = 0; i < s->n; i++)
			result_put(&call->json, &s->reports[i], &s->results[i]);
		json_close(&call->json, ']');
		json_close(&call->json, '}');
	}
	free(s);
	return ok;
}

/* --- standing --- */

/* GET ?holder=&holder_kind=&purpose= */
static bool account_show(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct identifier holder;
	struct carbon_standing s;
	struct json_out *w = &call->json;
	if (!api_holder_asked(call, "carbon.show", &holder, e) || !api_carbon_open(call, &d, e) ||
	    !carbon_standing(&d.carbon, holder.kind, holder.canonical, &s, e))
		return false;
	json_open(w, NULL, '{');
	json_put_int(w, "points", s.points);
	json_put_int(w, "pending", s.pending);
	json_put_int(w, "accounts", (int64_t)s.accounts);
	json_put_int(w, "rules_version", s.rules_version);
	json_put_text(w, "level_zh", s.level.zh);
	json_put_text(w, "level_en", s.level.en);
	json_close(w, '}');
	return true;
}

static void request_put(struct api_call *call, const char *request, const char *state)
{
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "request", request);
	json_put_text(&call->json, "state", state);
	json_close(&call->json, '}');
}

/* --- expiry, merging --- */

static bool points_expire(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	uint64_t accounts;
	int64_t points;
	if (!api_carbon_open(call, &d, e) || !api_ledger_audit(call, "carbon.expire", "", e) ||
	    !carbon_expire(&d.carbon, &accounts, &points, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "accounts", (int64_t)accounts);
	json_put_int(&call->json, "points", points);
	json_close(&call->json, '}');
	return true;
}

/* POST {"holder": {…}, "into": {…}} */
static bool subjects_merge(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct identifier holder, into;
	struct json *j = api_body(call, "holder into", e);
	bool ok = j != NULL && api_holder(j, "holder", &holder, e) && api_holder(j, "into", &into, e) &&
		  api_carbon_open(call, &d, e) &&
		  carbon_merge(&d.carbon, holder.kind, holder.canonical, into.kind, into.canonical, e);
	if (ok)
		request_put(call, "merge", "merged");
	json_free(j);
	return ok;
}

/* POST {"holder": {…}} */
static bool subjects_unmerge(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct identifier holder;
	struct json *j = api_body(call, "holder", e);
	bool ok = j != NULL && api_holder(j, "holder", &holder, e) && api_carbon_open(call, &d, e) &&
		  carbon_unmerge(&d.carbon, holder.kind, holder.canonical, e);
	if (ok)
		request_put(call, "merge", "ended");
	json_free(j);
	return ok;
}

const struct api_route api_carbon_routes[] = {
	{ "POST", "/v1/carbon/activities", true, activities_report },
	{ "GET", "/v1/carbon/account", true, account_show },
	{ "POST", "/v1/carbon/expire", true, points_expire },
	{ "POST", "/v1/carbon/merges", true, subjects_merge },
	{ "POST", "/v1/carbon/unmerges", true, subjects_unmerge },
	{ 0 },
};
