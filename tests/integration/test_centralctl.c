/* centralctl as an operator meets it: exit 0 done, 1 refused or failed, 2 not understood, and a sentence that says what to do. */
#include "tests/support/world.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct world w;
static bool opened;

static void setup(void)
{
	if (!opened)
		world_open(&w);
	opened = true;
}

/* Runs it; the words must stand in what it prints. */
static void expect(int status, const char *words, const char *who, const char *command)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	int got = world_ctl(&w, who, &out, "%s", command);
	if (got != status || strstr(buf_str(&out), words) == NULL)
		printf("\n    %s: exit %d, %s", command, got, buf_str(&out));
	CU_ASSERT_EQUAL(got, status);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), words));
	buf_clear(&out);
}

static void what_is_not_understood_is_2_and_shows_the_usage(void)
{
	expect(2, "usage", NULL, "");
	expect(2, "no such command", NULL, "release explode");
	expect(2, "arguments are missing", NULL, "release approve");
	expect(2, "one argument too many", NULL, "release approve 1 2");
	expect(2, "--colour is not understood", NULL, "release list --colour red");
	expect(2, "-x is not understood", NULL, "-x release list");
}

static void a_step_without_a_token_or_with_a_wrong_one_is_refused(void)
{
	expect(1, "needs an operator's token", NULL, "release submit 1");
	expect(0, "revoked", NULL, "operator revoke alice");
	expect(1, "not known or was revoked", "alice", "release submit 1");
	expect(1, "there is, or was, an operator alice", NULL, "operator add alice");
	expect(1, "there is no operator nobody", NULL, "operator revoke nobody");
	expect(1, "a-z, 0-9", NULL, "operator add Al/ice");
}

static void bad_input_is_named_and_changes_nothing(void)
{
	char path[160], line[300];
	expect(1, "there is no release 99", "bob", "release show 99");
	expect(1, "expected a number", "bob", "release show abc");
	expect(1, "No such file", "bob", "list import black-fraud /nowhere.csv");
	expect(1, "format: expected auto", "bob",
	       "list import black-fraud central/sample/black-fraud.csv --format xls");
	expect(1, "mode: expected replace", "bob",
	       "list import black-fraud central/sample/black-fraud.csv --mode merge");
	expect(1, "reason: expected a number from 1 to 255", "bob",
	       "list import black-fraud central/sample/black-fraud.csv --reason 0");
	expect(1, "a-z, 0-9", "bob", "list import Black/# central/sample/black-fraud.csv");
	expect(1, "is a document, not a list", "bob", "list import rules central/sample/black-fraud.csv");
	expect(1, "is a list, not a document", "bob", "document import sanctions central/sample/rules.json");
	expect(1, "never published", "bob", "release rollback sanctions 7");
	snprintf(path, sizeof(path), "%s/rules.json", w.dir);
	snprintf(line, sizeof(line), "document import rules %s", path);
	FILE *f = fopen(path, "we");
	if (f == NULL)
		return;
	fputs("{\"type\":\"rules\",\"rules\":[{\"id\":\"x\",\"outcome\":\"explode\"}]}", f);
	fclose(f);
	expect(1, "sample is missing", "bob", line);
	struct json *j = world_ctl_json(&w, NULL, "release list --limit 100");
	const struct json *all = json_get(j, "releases");
	size_t ours = 0;
	for (size_t i = 0; i < json_len(all); i++) {
		const char *name = NULL;
		CU_ASSERT_TRUE_FATAL(json_text(json_at(all, i), "name", 64, &name, NULL));
		ours += strcmp(name, "revoked-certificates") != 0; /* which centrald publishes by itself */
	}
	CU_ASSERT_EQUAL(ours, 4); /* the world's own */
	json_free(j);
}

static void what_was_done_stands_in_the_audit(void)
{
	expect(0, "release.publish", NULL, "audit --limit 100");
	expect(0, "operator.revoke", NULL, "audit");
}

static void without_centrald_it_says_so(void)
{
	world_close(&w);
	expect(1, "centrald is not running", NULL, "status");
}

static CU_TestInfo tests[] = {
	{ "what is not understood is 2 and shows the usage", what_is_not_understood_is_2_and_shows_the_usage },
	{ "a step without a token or with a wrong one is refused",
	  a_step_without_a_token_or_with_a_wrong_one_is_refused },
	{ "bad input is named and changes nothing", bad_input_is_named_and_changes_nothing },
	{ "what was done stands in the audit", what_was_done_stands_in_the_audit },
	{ "without centrald it says so", without_centrald_it_says_so },
	CU_TEST_INFO_NULL,
};
SUITE(centralctl, setup, NULL, tests);
