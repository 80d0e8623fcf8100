/* A check's JSON: the request in, the decision out. */
#include "firmware/check.h"
#include "protocol/base/json.h"
#include "protocol/entry.h"
#include "protocol/head.h"

#include <stdio.h>
#include <string.h>

static bool copied(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text;
	if (!json_text(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

static bool copied_opt(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text;
	if (!json_text_opt(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text != NULL ? text : "");
	return true;
}

static bool party_names(const struct json *j, const char *role, struct check_party *p, struct err *e)
{
	if (p->kind != IDENTIFIER_NAME)
		return copied(j, "number", p->number, sizeof(p->number), e) &&
		       copied_opt(j, "name", p->name, sizeof(p->name), e);
	if (json_get(j, "number") != NULL)
		return err_set(e, ERR_INPUT, "%s.number: a party of kind name has none", role);
	return copied(j, "name", p->name, sizeof(p->name), e);
}

/* The readers of json.h name the whole path themselves. */
bool check_party_parse(const struct json *request, const char *role, struct check_party *p, struct err *e)
{
	const struct json *j = json_get(request, role);
	const char *kind, *birth;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "%s: %s", role, j == NULL ? "missing" : "expected an object");
	if (!json_only(j, "kind number name birth_date", e) || !json_text(j, "kind", NAME_MAX_LEN, &kind, e))
		return false;
	if (!identifier_kind_of(kind, &p->kind) || p->kind > IDENTIFIER_PARTY_LAST)
		return err_set(e, ERR_INPUT, "%s.kind: there is no such kind of identifier", role);
	p->birth_day = INT64_MIN;
	if (!party_names(j, role, p, e) || !json_text_opt(j, "birth_date", 10, &birth, e))
		return false;
	return birth == NULL || day_parse(bytes_of(birth), &p->birth_day, e) || err_wrap(e, "%s.birth_date", role);
}

/* What the check itself says must not be said by the caller. */
static bool fact_is_reserved(const char *name)
{
	static const char *const ours[] = { "business",     "clock_trusted",  "name_given", "has_counterparty",
					    "any_list_hit", "any_list_stale", "age_years",  "birth_date_matches" };
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return strncmp(name, "list", 4) == 0 || strncmp(name, "identifier", 10) == 0 ||
	       strncmp(name, "subject", 7) == 0 || strncmp(name, "counterparty", 12) == 0;
}

static bool fact_name_is_valid(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' && strlen(name) <= NAME_MAX_LEN &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool fact_value(const struct json *j, const char *key, char *text, struct value *v, struct err *e)
{
	const char *given;
	switch (json_kind(json_get(j, key))) {
	case JSON_KIND_BOOL:
		*v = (struct value){ .kind = VALUE_BOOL, .boolean = json_bool_value(json_get(j, key)) };
		break;
	case JSON_KIND_INT:
		*v = (struct value){ .kind = VALUE_NUMBER, .number = (double)json_int_value(json_get(j, key)) };
		break;
	case JSON_KIND_REAL:
		*v = (struct value){ .kind = VALUE_NUMBER, .number = json_double_value(json_get(j, key)) };
		break;
	case JSON_KIND_TEXT:
		if (!json_text(j, key, CHECK_FACT_TEXT_MAX, &given, e))
			return false;
		snprintf(text, CHECK_FACT_TEXT_MAX + 1, "%s", given);
		*v = (struct value){ .kind = VALUE_TEXT, .text = bytes_of(text) };
		break;
	case JSON_KIND_NULL:
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT: return err_set(e, ERR_INPUT, "facts.%s: expected true, false, a number or text", key);
	}
	return strcmp(key, "verified_online") != 0 || v->kind == VALUE_BOOL ||
	       err_set(e, ERR_INPUT, "facts.%s: expected true or false", key);
}

static bool facts_parse(const struct json *facts, struct check_request *r, struct err *e)
{
	if (facts == NULL)
		return true;
	if (!json_is_object(facts))
		return err_set(e, ERR_INPUT, "facts: expected an object");
	if (json_len(facts) > CHECK_FACTS_MAX)
		return err_set(e, ERR_INPUT, "facts: more than %d", CHECK_FACTS_MAX);
	for (size_t i = 0; i < json_len(facts); i++) {
		const char *name;
		(void)json_member(facts, i, &name);
		if (!fact_name_is_valid(name))
			return err_set(e, ERR_INPUT, "facts: a name is 1 to %d of a-z, 0-9 and _", NAME_MAX_LEN);
		if (fact_is_reserved(name))
			return err_set(e, ERR_INPUT, "facts.%s: reserved, the check says it itself", name);
		struct rule_fact *f = &r->facts[r->facts_len];
		snprintf(f->name, sizeof(f->name), "%s", name);
		if (!fact_value(facts, name, r->fact_texts[r->facts_len], &f->value, e))
			return false;
		r->facts_len++;
	}
	return true;
}

static bool request_fields(const struct json *j, struct check_request *r, struct err *e)
{
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "the request is no JSON object");
	if (!json_only(j, "request_id business subject counterparty facts", e) ||
	    !copied(j, "request_id", r->request_id, sizeof(r->request_id), e) ||
	    !copied(j, "business", r->business, sizeof(r->business), e))
		return false;
	if (!request_id_is_valid(r->request_id))
		return err_set(e, ERR_INPUT, "request_id: 1 to %d of A-Z a-z 0-9 _ . : -", REQUEST_ID_MAX_LEN);
	if (!name_is_valid(r->business))
		return err_set(e, ERR_INPUT, "business: not a name of a-z, 0-9, _ and -");
	if (!check_party_parse(j, "subject", &r->subject, e))
		return false;
	r->has_counterparty = json_get(j, "counterparty") != NULL;
	if (r->has_counterparty && !check_party_parse(j, "counterparty", &r->counterparty, e))
		return false;
	return facts_parse(json_get(j, "facts"), r, e);
}

bool check_request_parse(struct bytes text, struct check_request *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	struct json *j = json_parse(text, e);
	if (j == NULL)
		return false;
	bool ok = request_fields(j, r, e);
	json_free(j);
	return ok;
}

static const struct {
	const char *code, *zh, *en;
} builtins[] = {
	{ "NO_RULES", "本机尚无核查规则", "this branch has no rules yet" },
	{ "NO_CATALOGUE", "本机尚无名单目录", "this branch has no list catalogue yet" },
	{ "IDENTIFIER_INVALID", "证件号码不合规则，无法查询名单",
	  "the identifier is invalid, so lists cannot be asked" },
	{ "LIST_ERROR", "名单无法查询", "a list could not be asked" },
	{ "LIST_STALE", "名单超过有效时限，未列入的结论不可靠",
	  "a list is past its age limit, so not being on it proves nothing" },
	{ "NOT_COVERED", "没有名单能回答该证件", "no list held here covers this identifier" },
	{ "LISTED", "名单命中，规则未作规定", "listed, and no rule says what follows" },
};

const char *check_builtin_zh(const char *code)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].code, code) == 0)
			return builtins[i].zh;
	return NULL;
}

const char *check_builtin_en(const char *code)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].code, code) == 0)
			return builtins[i].en;
	return NULL;
}

static void put_zh_en(struct json_out *w, const char *key, const char *zh, const char *en)
{
	json_open(w, key, '{');
	json_put_text(w, "zh", zh);
	json_put_text(w, "en", en);
	json_close(w, '}');
}

static void put_time(struct json_out *w, int64_t time_s)
{
	char day[11], text[40];
	int64_t local_s = time_s + CHECK_CHINA_S;
	int second = (int)(local_s % CHECK_DAY_S);
	day_format(local_s / CHECK_DAY_S, day);
	snprintf(text, sizeof(text), "%sT%02d:%02d:%02d+08:00", day, second / 3600, second / 60 % 60, second % 60);
	json_put_text(w, "time", text);
}

static const struct rule *rule_of(const struct decision *d, const struct check_policy *policy, const char *id)
{
	if (policy == NULL || policy->rules == NULL || policy->rules_version != d->rules_version)
		return NULL;
	for (size_t i = 0; i < policy->rules->rules_len; i++)
		if (strcmp(policy->rules->rules[i].id, id) == 0)
			return &policy->rules->rules[i];
	return NULL;
}

static void put_reason(struct json_out *w, const struct decision *d, const struct check_policy *policy,
		       const struct decision_reason *r)
{
	json_open(w, NULL, '{');
	json_put_text(w, "rule", r->rule);
	json_put_text(w, "code", r->code);
	json_put_text(w, "outcome", outcome_name(r->outcome));
	const struct rule *rule = rule_of(d, policy, r->rule);
	if (rule != NULL) {
		put_zh_en(w, "basis", rule->basis_zh, rule->basis_en);
		put_zh_en(w, "text", rule->text_zh, rule->text_en);
	} else if (strcmp(r->rule, RULE_BUILTIN) == 0 && check_builtin_zh(r->code) != NULL) {
		put_zh_en(w, "text", check_builtin_zh(r->code), check_builtin_en(r->code));
	}
	json_close(w, '}');
}

static const char *reason_text(const struct decision *d, const struct check_policy *policy,
			       const struct decision_evidence *v, const char **en)
{
	if (policy == NULL || policy->catalogue == NULL || policy->catalogue_version != d->catalogue_version)
		return NULL;
	const struct catalogue_list *l = catalogue_find(policy->catalogue, v->list);
	if (l == NULL)
		return NULL;
	*en = l->reason_en[entry_reason(v->value)];
	return l->reason_zh[entry_reason(v->value)];
}

static void put_evidence(struct json_out *w, const struct decision *d, const struct check_policy *policy,
			 const struct decision_evidence *v)
{
	json_open(w, NULL, '{');
	json_put_text(w, "name", v->list);
	json_put_text(w, "role", v->role);
	json_put_text(w, "result", lookup_name(v->result));
	json_put_int(w, "version", (int64_t)v->version);
	if (v->age_s < 0)
		json_put_null(w, "age_s");
	else
		json_put_int(w, "age_s", v->age_s);
	if (v->result == LOOKUP_HIT) {
		const char *en = NULL, *zh = reason_text(d, policy, v, &en);
		char day[11];
		json_put_int(w, "reason", entry_reason(v->value));
		if (zh != NULL)
			put_zh_en(w, "reason_text", zh, en);
		day_format(ENTRY_DAY_ZERO + entry_last_day(v->value), day);
		json_put_text(w, "until", entry_last_day(v->value) == ENTRY_NO_END ? NULL : day);
	}
	json_close(w, '}');
}

static void put_party(struct json_out *w, const struct decision *d, const struct decision_party *p)
{
	static const char prefix[] = "identifier.warning.";
	json_open(w, p->role, '{');
	json_put_text(w, "kind", p->kind);
	json_put_text(w, "masked", p->masked);
	if (strcmp(p->role, "subject") == 0) {
		json_open(w, "warnings", '[');
		for (size_t i = 0; i < d->facts_len; i++) {
			const struct rule_fact *f = &d->facts[i];
			if (strncmp(f->name, prefix, sizeof(prefix) - 1) == 0 && f->value.boolean)
				json_put_text(w, NULL, f->name + sizeof(prefix) - 1);
		}
		json_close(w, ']');
	}
	json_close(w, '}');
}

void check_decision_json(const struct decision *d, const struct check_policy *policy, struct buf *out)
{
	struct json_out w = { .out = out };
	char id[2 * DECISION_ID_LEN + 1];
	hex_encode(d->id, DECISION_ID_LEN, id);
	json_open(&w, NULL, '{');
	json_put_text(&w, "decision_id", id);
	json_put_text(&w, "request_id", d->request_id);
	put_time(&w, d->time_s);
	json_put_text(&w, "terminal", d->terminal);
	json_put_text(&w, "business", d->business);
	json_put_text(&w, "outcome", outcome_name(d->outcome));
	put_zh_en(&w, "outcome_text", outcome_zh(d->outcome), outcome_name(d->outcome));
	json_open(&w, "reasons", '[');
	for (size_t i = 0; i < d->reasons_len; i++)
		put_reason(&w, d, policy, &d->reasons[i]);
	json_close(&w, ']');
	json_open(&w, "lists", '[');
	for (size_t i = 0; i < d->evidence_len; i++)
		put_evidence(&w, d, policy, &d->evidence[i]);
	json_close(&w, ']');
	for (size_t i = 0; i < d->parties_len; i++)
		put_party(&w, d, &d->parties[i]);
	json_put_int(&w, "rules_version", (int64_t)d->rules_version);
	json_put_int(&w, "catalogue_version", (int64_t)d->catalogue_version);
	json_put_bool(&w, "follow_up", d->follow_up);
	json_close(&w, '}');
}
