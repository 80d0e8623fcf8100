#include "firmware/state.h"
#include "firmware/terminal.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

struct box {
	const char *dir;
	struct db *db;
	struct terminals *terminals;
};

static void box_open(struct box *b)
{
	b->db = state_open(b->dir, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->db);
	b->terminals = terminals_open(b->db, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->terminals);
}

static struct box fresh(void)
{
	struct box b = { .dir = test_dir() };
	box_open(&b);
	return b;
}

static void shut(struct box *b)
{
	terminals_close(b->terminals);
	db_close(b->db);
}

static bool add(struct box *b, const char *name, char token[TERMINAL_TOKEN_LEN + 1], struct err *e)
{
	return terminal_add(b->terminals, name, false, 1000, &random_system, token, e);
}

static void a_token_names_its_terminal_and_no_other_does(void)
{
	struct box b = fresh();
	char one[TERMINAL_TOKEN_LEN + 1], two[TERMINAL_TOKEN_LEN + 1];
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-2", two, NULL));
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-1", one, NULL));
	CU_ASSERT_EQUAL(strlen(one), TERMINAL_TOKEN_LEN);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, one), "kiosk-1");
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, two), "kiosk-2");
	one[5] = one[5] == 'a' ? 'b' : 'a';
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, one));
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, ""));
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, "kiosk-1"));
	CU_ASSERT_STRING_EQUAL(terminals_at(b.terminals, 0)->name, "kiosk-1");
	CU_ASSERT_EQUAL(terminals_len(b.terminals), 2);
	shut(&b);
}

static void terminals_are_there_again_after_reopening_and_no_token_is_stored(void)
{
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1];
	int64_t n = -1;
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-1", token, NULL));
	shut(&b);
	box_open(&b);
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, token), "kiosk-1");
	CU_ASSERT_TRUE(db_run_int(b.db, &n, NULL, "SELECT count(*) FROM terminal WHERE token_hash = ?", "t", token));
	CU_ASSERT_EQUAL(n, 0);
	shut(&b);
}

static void a_revoked_token_is_no_longer_known_also_after_reopening(void)
{
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1], again[TERMINAL_TOKEN_LEN + 1];
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-1", token, NULL));
	CU_ASSERT_TRUE(terminal_revoke(b.terminals, "kiosk-1", 2000, &e));
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, token));
	CU_ASSERT_TRUE(terminal_revoke(b.terminals, "kiosk-1", 3000, &e));
	shut(&b);
	box_open(&b);
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, token));
	CU_ASSERT_FALSE(terminals_at(b.terminals, 0)->enabled);
	CU_ASSERT_EQUAL(terminals_at(b.terminals, 0)->revoked_s, 2000);
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-1", again, &e));
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, token));
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, again), "kiosk-1");
	CU_ASSERT_EQUAL(terminals_len(b.terminals), 1);
	CU_ASSERT_FALSE(terminal_revoke(b.terminals, "kiosk-2", 2000, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	shut(&b);
}

static void a_certificate_names_only_a_terminal_that_was_added_with_one(void)
{
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1];
	CU_ASSERT_TRUE_FATAL(add(&b, "by-token", token, NULL));
	CU_ASSERT_TRUE_FATAL(terminal_add(b.terminals, "by-card", true, 1000, &random_system, token, NULL));
	CU_ASSERT_STRING_EQUAL(token, "");
	CU_ASSERT_PTR_NULL(terminal_of_token(b.terminals, token));
	CU_ASSERT_STRING_EQUAL(terminal_of_certificate(b.terminals, "by-card"), "by-card");
	CU_ASSERT_PTR_NULL(terminal_of_certificate(b.terminals, "by-token"));
	CU_ASSERT_PTR_NULL(terminal_of_certificate(b.terminals, "by-car"));
	CU_ASSERT_PTR_NULL(terminal_of_certificate(b.terminals, ""));
	CU_ASSERT_TRUE(terminal_revoke(b.terminals, "by-card", 2000, NULL));
	CU_ASSERT_PTR_NULL(terminal_of_certificate(b.terminals, "by-card"));
	shut(&b);
}

static void a_name_that_is_none_or_taken_is_refused(void)
{
	static const char *const bad[] = { "",
					   "local",
					   "Kiosk",
					   "a b",
					   "a/b",
					   "#",
					   "+",
					   "%",
					   "'; DROP TABLE terminal;--",
					   "\xe4\xb8\xad",
					   "0123456789012345678901234567890123" };
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1];
	struct err e = { 0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.code = ERR_NONE;
		CU_ASSERT_FALSE(add(&b, bad[i], token, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	}
	CU_ASSERT_TRUE(add(&b, "kiosk-1", token, &e));
	CU_ASSERT_FALSE(add(&b, "kiosk-1", token, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	shut(&b);
}

static void the_last_place_can_be_taken_and_no_further_one(void)
{
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1], name[16];
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA synchronous = OFF", NULL));
	for (int i = TERMINALS_MAX; i > 0; i--) {
		snprintf(name, sizeof(name), "t-%d", i);
		CU_ASSERT_TRUE_FATAL(add(&b, name, token, &e));
	}
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, token), "t-1");
	CU_ASSERT_FALSE(add(&b, "one-more", token, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	for (size_t i = 1; i < terminals_len(b.terminals); i++)
		CU_ASSERT_TRUE(strcmp(terminals_at(b.terminals, i - 1)->name, terminals_at(b.terminals, i)->name) <
			       0);
	shut(&b);
}

static void what_could_not_be_stored_is_not_known(void)
{
	struct box b = fresh();
	char token[TERMINAL_TOKEN_LEN + 1], other[TERMINAL_TOKEN_LEN + 1];
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(add(&b, "kiosk-1", token, NULL));
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = ON", NULL));
	CU_ASSERT_FALSE(add(&b, "kiosk-2", other, &e));
	CU_ASSERT_STRING_EQUAL(other, "");
	CU_ASSERT_FALSE(terminal_revoke(b.terminals, "kiosk-1", 1, &e));
	CU_ASSERT_STRING_EQUAL(terminal_of_token(b.terminals, token), "kiosk-1");
	CU_ASSERT_EQUAL(terminals_len(b.terminals), 1);
	shut(&b);
}

static CU_TestInfo tests[] = {
	{ "a token names its terminal and no other does", a_token_names_its_terminal_and_no_other_does },
	{ "terminals are there again after reopening and no token is stored",
	  terminals_are_there_again_after_reopening_and_no_token_is_stored },
	{ "a revoked token is no longer known, also after reopening",
	  a_revoked_token_is_no_longer_known_also_after_reopening },
	{ "a certificate names only a terminal that was added with one",
	  a_certificate_names_only_a_terminal_that_was_added_with_one },
	{ "a name that is none or taken is refused", a_name_that_is_none_or_taken_is_refused },
	{ "the last place can be taken and no further one", the_last_place_can_be_taken_and_no_further_one },
	{ "what could not be stored is not known", what_could_not_be_stored_is_not_known },
	CU_TEST_INFO_NULL,
};
SUITE(terminal, NULL, NULL, tests);
