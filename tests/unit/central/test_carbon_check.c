/* What verify says of carbon accounts: that it holds for what central wrote, and that each break is found. */
#include "central/carbon/check.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct centre centre;
static struct carbon carbon;
static char path[128], central_path[128];

static const char anna[] = "330802199001010011", bob[] = "330802199202020022", carl[] = "330802199303030033";

static void credit(const char *who, const char *reference)
{
	struct carbon_report r = { .holder_kind = IDENTIFIER_RESIDENT_ID, .quantity = 7 };
	struct carbon_result out;
	snprintf(r.holder, sizeof(r.holder), "%s", who);
	snprintf(r.activity, sizeof(r.activity), "bus_ride");
	snprintf(r.reference, sizeof(r.reference), "%s", reference);
	r.day = ledger_day_of(carbon.now_s) - 3;
	CU_ASSERT_TRUE_FATAL(carbon_report(&carbon, &r, 1, &out, NULL));
	CU_ASSERT_EQUAL(out.outcome, CARBON_CREDITED);
}

/* Three subjects, two of them merged, a redemption; the ledger is closed. */
static void story(void)
{
	centre_open(&centre);
	snprintf(path, sizeof(path), "%s/ledger.db", centre.dir);
	snprintf(central_path, sizeof(central_path), "%s/central.db", centre.dir);
	carbon = (struct carbon){ &centre.release, ledger_open(path, NULL), path, "alice", CENTRE_NOW_S };
	assert(carbon.ledger != NULL);
	centre_publish_document(&centre, "carbon");
	credit(anna, "a1");
	credit(anna, "a2");
	credit(bob, "b1");
	credit(carl, "c1");
	CU_ASSERT_TRUE(carbon_merge(&carbon, IDENTIFIER_RESIDENT_ID, bob, IDENTIFIER_RESIDENT_ID, anna, NULL));
	CU_ASSERT_TRUE(carbon_redeem(&carbon, "r1", IDENTIFIER_RESIDENT_ID, anna, 9, NULL));
	CU_ASSERT_TRUE(carbon_redeem_end(&carbon, "r1", true, NULL));
	ledger_close(carbon.ledger);
}

static bool check(struct carbon_verdict *v)
{
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	bool ok = carbon_check(r, centre.db, v, &e);
	CU_ASSERT_TRUE(ok);
	ledger_reader_close(r);
	return ok && carbon_verdict_is_clean(v);
}

static void tamper(const char *file, const char *sql)
{
	struct err e = { 0 };
	struct db *db = db_open(file, DB_WRITE, &e);
	bool ok = db != NULL && db_exec(db, sql, &e);
	if (!ok)
		printf("\n  %s", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	db_close(db);
}

static void what_central_wrote_holds_and_is_counted(void)
{
	struct carbon_verdict v;
	story();
	CU_ASSERT_TRUE(check(&v));
	CU_ASSERT_EQUAL(v.looked[CARBON_ONCE], 4);
	CU_ASSERT_EQUAL(v.looked[CARBON_ISSUE], 4);
	CU_ASSERT(v.looked[CARBON_ALIAS] > 5); /* rows, and an alias */
	centre_close(&centre);
}

static void an_issue_carries_the_standards_version_and_the_quantity(void)
{
	struct ledger_row row;
	story();
	struct db *db = db_open(path, DB_READ, NULL);
	CU_ASSERT_TRUE_FATAL(ledger_source_row(db, 1, &row, NULL));
	CU_ASSERT_EQUAL((uint32_t)row.data.hi, 1); /* above it: the activity's mark */
	CU_ASSERT_EQUAL(row.data.lo, 7);
	db_close(db);
	centre_close(&centre);
}

static void each_break_is_found(void)
{
	static const struct {
		bool central;
		const char *sql;
		enum carbon_invariant broken;
	} cases[] = {
		{ false, "UPDATE transfer SET id = (SELECT id FROM transfer WHERE seq = 1) WHERE seq = 3",
		  CARBON_ONCE },
		{ false, "UPDATE transfer SET data = NULL WHERE seq = 2", CARBON_ISSUE },
		{ false, "UPDATE transfer SET data = x'00000000000000010000000000000000' WHERE seq = 2",
		  CARBON_ISSUE },
		{ false, "UPDATE transfer SET data = x'00000000000000000000000000000001' WHERE seq = 2",
		  CARBON_ISSUE },
		{ false, "UPDATE transfer SET data = x'12345678000000000000000000000001' WHERE seq = 2",
		  CARBON_ISSUE },
		{ false, "UPDATE transfer SET flags = 0 WHERE seq = 2", CARBON_ISSUE },
		{ false, "UPDATE transfer SET code = 2 WHERE seq = 2", CARBON_ISSUE },
		{ false, "UPDATE transfer SET credit = (SELECT credit FROM transfer WHERE seq = 5) WHERE seq = 2",
		  CARBON_ISSUE },
		{ false, "UPDATE transfer SET credit = (SELECT credit FROM transfer WHERE seq = 4) WHERE seq = 5",
		  CARBON_ALIAS },
		{ true,
		  "DROP INDEX carbon_alias_holder; INSERT INTO carbon_alias (holder, target, created_by, created_s, "
		  "ended_by, "
		  "ended_s) SELECT holder, zeroblob(32), 'x', 1, '', 0 FROM carbon_alias",
		  CARBON_ALIAS },
		{ true, "UPDATE carbon_alias SET target = holder", CARBON_ALIAS },
		{ true,
		  "INSERT INTO carbon_alias (holder, target, created_by, created_s, ended_by, ended_s) SELECT "
		  "target, "
		  "zeroblob(32), 'x', 1, '', 0 FROM carbon_alias",
		  CARBON_ALIAS },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct carbon_verdict v;
		story();
		CU_ASSERT_TRUE(check(&v));
		tamper(path, "DROP TRIGGER transfer_stays");
		tamper(cases[i].central ? central_path : path, cases[i].sql);
		CU_ASSERT_FALSE(check(&v));
		if (v.broken[cases[i].broken] == 0)
			printf("\n  not noticed as %s: %s", carbon_invariant_name(cases[i].broken), cases[i].sql);
		CU_ASSERT(v.broken[cases[i].broken] > 0 && v.first[cases[i].broken][0] != '\0');
		centre_close(&centre);
	}
}

static CU_TestInfo tests[] = {
	{ "what central wrote holds and is counted", what_central_wrote_holds_and_is_counted },
	{ "an issue carries the standard's version and the quantity",
	  an_issue_carries_the_standards_version_and_the_quantity },
	{ "each break is found", each_break_is_found },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_check, NULL, NULL, tests);
