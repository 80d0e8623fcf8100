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

static void what_is_not_understood_is_2_and_shows_the_usage(void)
{
	world_expect(&w, 2, "usage", NULL, "");
	world_expect(&w, 2, "no such command", NULL, "release explode");
	world_expect(&w, 2, "arguments are missing", NULL, "release approve");
	world_expect(&w, 2, "one argument too many", NULL, "release approve 1 2");
	world_expect(&w, 2, "--colour is not understood", NULL, "release list --colour red");
	world_expect(&w, 2, "-x is not understood", NULL, "-x release list");
}

static void a_step_without_a_token_or_with_a_wrong_one_is_refused(void)
{
	world_expect(&w, 1, "needs an operator's token", NULL, "release submit 1");
	world_expect(&w, 0, "revoked", NULL, "operator revoke alice");
	world_expect(&w, 1, "not known or was revoked", "alice", "release submit 1");
	world_expect(&w, 1, "there is, or was, an operator alice", NULL, "operator add alice");
	world_expect(&w, 1, "there is no operator nobody", NULL, "operator revoke nobody");
	world_expect(&w, 1, "a-z, 0-9", NULL, "operator add Al/ice");
}

static void bad_input_is_named_and_changes_nothing(void)
{
	char path[160], line[300];
	world_expect(&w, 1, "there is no release 99", "bob", "release show 99");
	world_expect(&w, 1, "expected a number", "bob", "release show abc");
	world_expect(&w, 1, "No such file", "bob", "list import black-fraud /nowhere.csv");
	world_expect(&w, 1, "format: expected auto", "bob",
		     "list import black-fraud central/sample/black-fraud.csv --format xls");
	world_expect(&w, 1, "mode: expected replace", "bob",
		     "list import black-fraud central/sample/black-fraud.csv --mode merge");
	world_expect(&w, 1, "reason: expected a number from 1 to 255", "bob",
		     "list import black-fraud central/sample/black-fraud.csv --reason 0");
	world_expect(&w, 1, "a-z, 0-9", "bob", "list import Black/# central/sample/black-fraud.csv");
	world_expect(&w, 1, "is a document, not a list", "bob", "list import rules central/sample/black-fraud.csv");
	world_expect(&w, 1, "is a list, not a document", "bob",
		     "document import sanctions central/sample/rules.json");
	world_expect(&w, 1, "never published", "bob", "release rollback sanctions 7");
	snprintf(path, sizeof(path), "%s/rules.json", w.dir);
	snprintf(line, sizeof(line), "document import rules %s", path);
	FILE *f = fopen(path, "we");
	if (f == NULL)
		return;
	fputs("{\"type\":\"rules\",\"rules\":[{\"id\":\"x\",\"outcome\":\"explode\"}]}", f);
	fclose(f);
	world_expect(&w, 1, "sample is missing", "bob", line);
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
	world_expect(&w, 0, "release.publish", NULL, "audit --limit 100");
	world_expect(&w, 0, "operator.revoke", NULL, "audit");
}

static void without_centrald_it_says_so(void)
{
	world_close(&w);
	world_expect(&w, 1, "centrald is not running", NULL, "status");
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
