/* Objections, and the rules of credit reports. */
#include "central/api/args.h"
#include "central/centrald.h"
#include "central/report/objections.h"
#include "protocol/rule.h"

#define REASON_MAX  256
#define LISTED_MAX  1000
#define VALUE_LIMIT 512

static void id_answer(struct api_call *call, int64_t id, enum objection_state state)
{
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "objection", id);
	json_put_text(&call->json, "state", objection_state_name(state));
	json_put_text(&call->json, "state_zh", objection_state_zh(state));
	json_close(&call->json, '}');
}

static bool take(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "subject batch row field reason", e);
	struct identifier subject;
	const char *field = NULL;
	struct objection_new n = { .subject = &subject, .operator= call->operator};
	int64_t id = 0;
	bool ok = j != NULL && json_int(j, "batch", 1, INT64_MAX, &n.batch, e) &&
		  json_int(j, "row", 1, UINT32_MAX, &n.row, e) &&
		  json_text_opt(j, "field", SCHEMA_NAME_MAX, &field, e) &&
		  json_text(j, "reason", REASON_MAX, &n.why, e) && api_holder(j, "subject", &subject, e);
	n.field = field != NULL ? field : "";
	ok = ok && objection_open(&call->central->release, &n, call->now_s, &id, e);
	if (ok)
		id_answer(call, id, OBJECTION_OPEN);
	json_free(j);
	return ok;
}

static bool changes_read(const struct json *j, struct objection_decision *d, struct err *e)
{
	const struct json *all = json_get(j, "correction");
	if (all == NULL)
		return true;
	if (!json_is_object(all) || json_len(all) > OBJECTION_CHANGES_MAX)
		return err_set(e, ERR_INPUT, "correction: expected at most %d fields and what is right",
			       OBJECTION_CHANGES_MAX);
	for (; d->changes_len < json_len(all); d->changes_len++) {
		struct objection_change *c = &d->changes[d->changes_len];
		(void)json_member(all, d->changes_len, &c->field);
		if (!json_text(all, c->field, VALUE_LIMIT, &c->value, e))
			return err_wrap(e, "correction");
	}
	return true;
}

static bool decide(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "upheld reason withdraw correction", e);
	struct objection_decision d = { .operator= call->operator};
	enum objection_state state = OBJECTION_OPEN;
	bool ok = j != NULL && json_bool(j, "upheld", &d.upheld, e) &&
		  json_text(j, "reason", REASON_MAX, &d.why, e) &&
		  (json_get(j, "withdraw") == NULL || json_bool(j, "withdraw", &d.withdraw, e)) &&
		  changes_read(j, &d, e) && api_id(call, &d.id, e) &&
		  objection_decide(&call->central->release, &d, call->now_s, &state, e);
	if (ok)
		id_answer(call, d.id, state);
	json_free(j);
	return ok;
}

static void day_put(struct json_out *w, const char *key, int64_t day)
{
	char text[11];
	day_format(day, text);
	json_put_text(w, key, text);
}

static void objection_put(void *arg, const struct objection_row *r)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_int(w, "objection", r->id);
	json_put_text(w, "state", objection_state_name(r->state));
	json_put_text(w, "state_zh", objection_state_zh(r->state));
	json_put_text(w, "masked", r->masked);
	json_put_text(w, "source", r->source);
	json_put_text(w, "period", r->period);
	json_put_int(w, "batch", r->batch);
	json_put_int(w, "row", r->row);
	json_put_text(w, "field", r->field);
	json_put_text(w, "reason", r->why);
	json_put_bool(w, "hold", r->hold);
	json_put_text(w, "inputs", r->inputs);
	json_put_int(w, "rules", r->rules);
	json_put_text(w, "opened_by", r->opened_by);
	json_put_int(w, "opened_s", r->opened_s);
	day_put(w, "due", r->due_day);
	json_put_bool(w, "withdraw", r->withdraw);
	json_put_text(w, "proposed_by", r->proposed_by);
	json_put_int(w, "proposed_s", r->proposed_s);
	json_put_text(w, "decided_by", r->decided_by);
	json_put_int(w, "decided_s", r->decided_s);
	json_put_text(w, "decided_why", r->decided_why);
	json_close(w, '}');
}

static bool list(struct api_call *call, struct err *e)
{
	int64_t all = 0;
	if (!api_query_int(call, "all", 0, 1, 0, &all, e))
		return false;
	json_open(&call->json, NULL, '{');
	day_put(&call->json, "today", (call->now_s + 28800) / 86400);
	json_open(&call->json, "objections", '[');
	bool ok = objection_each(&call->central->release, all == 1, LISTED_MAX, objection_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool rules_take(struct api_call *call, struct err *e)
{
	struct credit_rules r = { 0 };
	bool ok = credit_rules_import(&call->central->release, http_body(call->request), call->operator, call->now_s,
				      e) &&
		  credit_rules_load(&call->central->release, INT64_MAX, &r, NULL, e);
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "rules", r.id);
	json_put_bool(&call->json, "sample", r.sample);
	json_put_int(&call->json, "due_working_days", r.due_working_days);
	json_close(&call->json, '}');
	credit_rules_clear(&r);
	return ok;
}

static bool rules_show(struct api_call *call, struct err *e)
{
	struct credit_rules r = { 0 };
	bool ok = credit_rules_load(&call->central->release, INT64_MAX, &r, call->out, e);
	credit_rules_clear(&r);
	return ok;
}

const struct api_route api_objection_routes[] = {
	{ "POST", "/v1/objections", true, take },
	{ "GET", "/v1/objections", true, list },
	{ "POST", "/v1/objections/%/decide", true, decide },
	{ "POST", "/v1/credit-rules", true, rules_take },
	{ "GET", "/v1/credit-rules", false, rules_show },
	{ 0 },
};
