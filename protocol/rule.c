#include "protocol/rule.h"
#include "protocol/fields.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = { "", "pass", "enhanced", "refer", "refuse" };
static const char *const outcome_zhs[] = { "", "通过", "加强核查", "转人工", "拒绝" };

const char *outcome_name(enum outcome o)
{
	return o >= OUTCOME_PASS && o <= OUTCOME_REFUSE ? outcome_names[o] : "unknown";
}

const char *outcome_zh(enum outcome o)
{
	return o >= OUTCOME_PASS && o <= OUTCOME_REFUSE ? outcome_zhs[o] : "未知";
}

bool outcome_of(const char *name, enum outcome *o)
{
	for (enum outcome i = OUTCOME_PASS; i <= OUTCOME_REFUSE; i++)
		if (strcmp(name, outcome_names[i]) == 0) {
			*o = i;
			return true;
		}
	return false;
}

void rule_set_free(struct rule_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->rules_len; i++) {
		struct rule *r = &s->rules[i];
		free(r->basis_zh);
		free(r->basis_en);
		free(r->text_zh);
		free(r->text_en);
		predicate_free(r->when);
	}
	free(s->rules);
	free(s);
}

bool rule_code_is_valid(const char *code)
{
	if (code[0] < 'A' || code[0] > 'Z')
		return false;
	return code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static bool day_field(struct bytes item, const char *what, int64_t *day, struct err *e)
{
	char text[11];
	return field_text(item, what, text, sizeof(text), e) &&
	       (day_parse(bytes_of(text), day, e) || err_wrap(e, "%s", what));
}

enum rule_key { RULE_ID, RULE_OUTCOME, RULE_CODE, RULE_FROM, RULE_TO, RULE_BASIS, RULE_TEXT, RULE_WHEN, RULE_KEYS };
static const char *const rule_keys[RULE_KEYS] = { "id", "outcome", "code", "from", "to", "basis", "text", "when" };

/* Whatever was allocated stands in *r, for rule_set_free to release. */
static bool rule_fields(const struct bytes *v, struct rule *r, struct err *e)
{
	char outcome[16];
	if (!field_text(v[RULE_OUTCOME], "outcome", outcome, sizeof(outcome), e))
		return false;
	if (!outcome_of(outcome, &r->outcome))
		return err_set(e, ERR_INPUT, "unknown outcome '%s'", outcome);
	if (!field_text(v[RULE_CODE], "code", r->code, sizeof(r->code), e))
		return false;
	if (!rule_code_is_valid(r->code))
		return err_set(e, ERR_INPUT, "code is not written in A-Z, 0-9 and _");
	r->to_day = INT64_MAX;
	if (!day_field(v[RULE_FROM], "from", &r->from_day, e) ||
	    (v[RULE_TO].data != NULL && !day_field(v[RULE_TO], "to", &r->to_day, e)))
		return false;
	if (r->to_day < r->from_day)
		return err_set(e, ERR_INPUT, "the last day lies before the first");
	if (!field_zh_en(v[RULE_BASIS], "basis", &r->basis_zh, &r->basis_en, e) ||
	    !field_zh_en(v[RULE_TEXT], "text", &r->text_zh, &r->text_en, e))
		return false;
	if (v[RULE_WHEN].data == NULL)
		return err_set(e, ERR_INPUT, "when is missing");
	r->when = predicate_parse(v[RULE_WHEN], e);
	return r->when != NULL || err_wrap(e, "when");
}

static bool rule_parse(const struct rule_set *s, struct bytes item, struct rule *r, struct err *e)
{
	struct bytes v[RULE_KEYS];
	if (!fields_read(item, rule_keys, RULE_KEYS, v, e) || !field_text(v[RULE_ID], "id", r->id, sizeof(r->id), e))
		return err_wrap(e, "rule %zu", s->rules_len);
	if (!name_is_valid(r->id) || strcmp(r->id, RULE_BUILTIN) == 0)
		return err_set(e, ERR_INPUT, "rule %zu: its id is no name, or one that is kept", s->rules_len);
	for (size_t i = 0; i + 1 < s->rules_len; i++)
		if (strcmp(s->rules[i].id, r->id) == 0)
			return err_set(e, ERR_INPUT, "rule %s stands there twice", r->id);
	return rule_fields(v, r, e) || err_wrap(e, "rule %s", r->id);
}

static bool rules_parse(struct rule_set *s, struct bytes item, struct err *e)
{
	size_t len;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "rules is missing");
	struct cbor c = cbor_over(item);
	if (!cbor_get_array(&c, RULES_MAX, &len, e))
		return err_wrap(e, "rules");
	s->rules = calloc(len > 0 ? len : 1, sizeof(*s->rules));
	if (s->rules == NULL)
		abort();
	for (; len > 0; len--) {
		struct bytes one;
		if (!cbor_get_item(&c, &one, e))
			return false;
		struct rule *r = &s->rules[s->rules_len++];
		if (!rule_parse(s, one, r, e))
			return false;
	}
	return true;
}

static bool document_parse(struct rule_set *s, struct bytes document, struct err *e)
{
	enum { TYPE, TITLE, SAMPLE, RULES, KEYS };
	static const char *const keys[KEYS] = { "type", "title", "sample", "rules" };
	struct bytes v[KEYS];
	char *zh = NULL, *en = NULL;
	if (document.len > DOCUMENT_MAX)
		return err_set(e, ERR_FULL, "a document is at most %u bytes", DOCUMENT_MAX);
	if (!cbor_check(document, e) || !fields_read(document, keys, KEYS, v, e) ||
	    !field_type(v[TYPE], "rules", e) || !field_bool(v[SAMPLE], "sample", &s->sample, e) ||
	    !field_zh_en(v[TITLE], "title", &zh, &en, e))
		return false;
	free(zh);
	free(en);
	return rules_parse(s, v[RULES], e);
}

struct rule_set *rule_set_parse(struct bytes document, struct err *e)
{
	struct rule_set *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	if (document_parse(s, document, e))
		return s;
	rule_set_free(s);
	return NULL;
}

size_t rule_set_eval(const struct rule_set *s, const struct rule_fact *facts, size_t facts_len, int64_t day,
		     size_t *fired, size_t max, enum outcome *outcome)
{
	size_t n = 0;
	*outcome = OUTCOME_PASS;
	for (size_t i = 0; i < s->rules_len; i++) {
		const struct rule *r = &s->rules[i];
		if (day < r->from_day || day > r->to_day || predicate_eval(r->when, facts, facts_len) != TRUTH_TRUE)
			continue;
		if (r->outcome > *outcome)
			*outcome = r->outcome;
		if (n < max)
			fired[n++] = i;
	}
	return n;
}
