#include "tests/support/checks.h"
#include "tests/support/documents.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct checks with;
static uint64_t seed = 7;
const uint8_t checks_journal_key[32] = { 1, 2, 3 };

static bool is(const char *name, const char *other)
{
	return other != NULL && strcmp(name, other) == 0;
}

static enum lookup_result list_state(void *arg, const char *name, struct check_list *state)
{
	struct lists *l = arg;
	if (is(name, l->unheld))
		return LOOKUP_NOT_COVERED;
	*state = (struct check_list){ 42, l->confirmed_s, &l->key };
	return is(name, l->broken) ? LOOKUP_ERROR : LOOKUP_NOT_LISTED;
}

static enum lookup_result list_find(void *arg, const char *name, uint64_t tag, uint32_t *value)
{
	const struct lists *l = arg;
	if (is(name, l->unreadable))
		return LOOKUP_ERROR;
	if (l->everything) {
		*value = entry_value(255, ENTRY_NO_END);
		return LOOKUP_HIT;
	}
	for (size_t i = 0; i < l->len; i++) {
		const struct listed *v = &l->entries[i];
		struct identifier id;
		if (strcmp(v->list, name) != 0 ||
		    !identifier_parse(v->kind, v->number, strlen(v->number), 0, &id, NULL, NULL) ||
		    tag_of(&l->key, &id) != tag)
			continue;
		*value = v->value;
		return LOOKUP_HIT;
	}
	return LOOKUP_NOT_LISTED;
}

static void seeded_fill(void *arg, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)set_random(arg);
}
static const struct random seeded = { seeded_fill, &seed };
const struct check_source checks_source = { &with.lists, list_state, list_find };

int64_t checks_time(const char *day)
{
	int64_t d = 0;
	if (!day_parse(bytes_of(day), &d, NULL))
		abort();
	return d * 86400 + 4 * 3600; /* noon in China */
}

void checks_setup(void)
{
	with.rules = sample_rules();
	with.catalogue = sample_catalogue();
}

void checks_teardown(void)
{
	rule_set_free(with.rules);
	catalogue_free(with.catalogue);
	buf_clear(&with.sealed);
}

void checks_fresh(void)
{
	static const uint8_t secret[32] = { 9 };
	memset(&with.lists, 0, sizeof(with.lists));
	tag_key_init(&with.lists.key, 3, 1, secret);
	with.now_s = checks_time("2026-06-01");
	with.lists.confirmed_s = with.now_s - 60;
	with.policy = (struct check_policy){ with.rules, 5, with.catalogue, 6 };
}

void list_add(const char *list, enum identifier_kind kind, const char *number, uint32_t value)
{
	if (with.lists.len == LISTED_MAX)
		abort();
	with.lists.entries[with.lists.len++] = (struct listed){ list, kind, number, value };
}

bool request_of(const char *json, struct err *e)
{
	char text[8192];
	snprintf(text, sizeof(text), "%s", json);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	return check_request_parse(bytes_of(text), &with.request, e);
}

void checks_run(bool clock_trusted)
{
	struct err e = { 0 };
	struct check_setting s = { &with.policy,  &checks_source, with.now_s,
				   clock_trusted, &seeded,        checks_journal_key };
	buf_clear(&with.sealed);
	buf_init(&with.sealed, CHECK_SEALED_MAX);
	bool ok = check_run(&s, &with.request, &with.decision, &with.sealed, &e);
	if (!ok)
		printf("\n%s\n", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
}

enum outcome check(const char *json)
{
	struct err e = { 0 };
	bool ok = request_of(json, &e);
	if (!ok)
		printf("\n%s: %s\n", json, e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	checks_run(true);
	return with.decision.outcome;
}

const struct decision_reason *reason_of(const char *rule, const char *code)
{
	for (size_t i = 0; i < with.decision.reasons_len; i++)
		if (strcmp(with.decision.reasons[i].rule, rule) == 0 &&
		    (code == NULL || strcmp(with.decision.reasons[i].code, code) == 0))
			return &with.decision.reasons[i];
	return NULL;
}

bool builtin(const char *code)
{
	return reason_of(RULE_BUILTIN, code) != NULL;
}

const char *fact(const char *name)
{
	static char text[80];
	const struct rule_fact *f = rule_fact_find(with.decision.facts, with.decision.facts_len, name);
	if (f == NULL)
		return "missing";
	if (f->value.kind == VALUE_TEXT)
		snprintf(text, sizeof(text), "%.*s", (int)f->value.text.len, (const char *)f->value.text.data);
	else if (f->value.kind == VALUE_BOOL)
		snprintf(text, sizeof(text), "%s", f->value.boolean ? "true" : "false");
	else
		snprintf(text, sizeof(text), "%g", f->value.number);
	return text;
}
