#include "central/fund/guarantee.h"
#include "central/ledger/verify.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct centre centre;
static struct guarantee_desk desk;
static char path[128];

/* Products of 64-bit amounts. */
__extension__ typedef __int128 int128;

#define FIRM  "91330800MA2ABCDE1X"
#define OTHER "91330800MA2ABCDE2Y"

static void setup(void)
{
	centre_open(&centre);
	snprintf(path, sizeof(path), "%s/ledger.db", centre.dir);
	desk = (struct guarantee_desk){ &centre.release, { ledger_open(path, NULL), "alice", CENTRE_NOW_S } };
	assert(desk.book.ledger != NULL);
	centre_publish_document(&centre, "guarantee");
}

static void teardown(void)
{
	struct ledger_verdict v;
	struct ledger_reader *r = ledger_reader_open(path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r);
	CU_ASSERT_TRUE(ledger_verify(r, &v, NULL) && ledger_verdict_is_clean(&v));
	ledger_reader_close(r);
	ledger_close(desk.book.ledger);
	centre_close(&centre);
}

static void capital(const char *request, const char *party, int64_t fen)
{
	struct err e = { 0 };
	bool ok = guarantee_capital(&desk, request, "small_firms", party, fen, &e);
	if (!ok)
		printf("%s\n", e.text);
	CU_ASSERT_TRUE(ok);
}

static struct guarantee_standing show(const char *name)
{
	struct guarantee_standing s;
	CU_ASSERT_TRUE(guarantee_show(&desk, name, &s, NULL));
	return s;
}

static void parties(int64_t fund_capital, int64_t fund_liable, int64_t bank_liable)
{
	int64_t c, l;
	guarantee_party(&desk, "small_firms", "fund", &c, &l);
	CU_ASSERT_EQUAL(c, fund_capital);
	CU_ASSERT_EQUAL(l, fund_liable);
	guarantee_party(&desk, "small_firms", "bank", &c, &l);
	CU_ASSERT_EQUAL(c, 0);
	CU_ASSERT_EQUAL(l, bank_liable);
}

static void parts_sum_to_the_fen_and_none_is_above_its_weight(void)
{
	static const int64_t sets[][4] = {
		{ 4000, 2667, 3333, 0 },
		{ 2500, 2500, 2500, 2500 },
		{ 1, 9999, 0, 0 },
		{ 3334, 3333, 3333, 0 },
		{ 7, 5, 3, 1 },
		{ 0, 0, 1, 0 },
		{ GUARANTEE_FEN_MAX, GUARANTEE_FEN_MAX, 1, 0 },
	};
	for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
		int64_t sum = 0, parts[4];
		for (size_t i = 0; i < 4; i++)
			sum += sets[k][i];
		for (int64_t amount = 0; amount <= (sum < 10000 ? sum : 10000); amount++) {
			int64_t got = 0;
			guarantee_split(amount, sets[k], 4, parts);
			for (size_t i = 0; i < 4; i++) {
				int128 exact = (int128)amount * sets[k][i];
				CU_ASSERT(parts[i] >= 0 && parts[i] <= sets[k][i]);
				/* less than a fen from its exact share */
				CU_ASSERT((int128)parts[i] * sum - exact < sum &&
					  exact - (int128)parts[i] * sum < sum);
				got += parts[i];
			}
			CU_ASSERT_EQUAL(got, amount);
		}
	}
	int64_t parts[3];
	guarantee_split(100, (const int64_t[]){ 3333, 3333, 3334 }, 3, parts);
	CU_ASSERT(parts[0] == 33 && parts[1] == 33 && parts[2] == 34); /* the largest remainder */
	guarantee_split(1, (const int64_t[]){ 5000, 5000 }, 2, parts);
	CU_ASSERT(parts[0] == 1 && parts[1] == 0); /* of equal ones the first */
}

static void a_guarantee_is_shared_released_compensated_and_recovered_to_the_fen(void)
{
	struct err e = { 0 };
	capital("c1", "fund", 1000000);
	capital("c1", "fund", 1000000); /* once */
	capital("c2", "reguarantee", 1000000);
	CU_ASSERT_TRUE(guarantee_commit(&desk, "g1", "small_firms", FIRM, 1000001, &e));
	CU_ASSERT_TRUE(guarantee_commit(&desk, "g1", "small_firms", FIRM, 1000001, &e)); /* once */
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g1", "small_firms", FIRM, 1000002, &e));
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g1", "small_firms", OTHER, 1000001, &e));
	struct guarantee_standing s = show("g1");
	CU_ASSERT(s.len == 3 && s.committed[0] == 400001 && s.committed[1] == 266700 && s.committed[2] == 333300);
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_RELEASE, "r1", "g1", 500000, &e));
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_RELEASE, "r1", "g1", 500000, &e));
	CU_ASSERT_EQUAL(show("g1").committed_sum, 500001);
	CU_ASSERT_FALSE(guarantee_step(&desk, GUARANTEE_RELEASE, "r1", "g1", 1, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(guarantee_step(&desk, GUARANTEE_COMPENSATE, "p1", "g1", 500002, &e));
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_COMPENSATE, "p1", "g1", 300000, &e));
	s = show("g1");
	CU_ASSERT(s.committed_sum == 200001 && s.compensated_sum == 300000);
	parties(1000000 - s.compensated[0], s.committed[0], s.committed[2]);
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_COMPENSATE, "p2", "g1", 200001, &e));
	CU_ASSERT_FALSE(guarantee_step(&desk, GUARANTEE_RECOVER, "b0", "g1", 500002, &e));
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_RECOVER, "b1", "g1", 77777, &e));
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_RECOVER, "b2", "g1", 500001 - 77777, &e));
	s = show("g1");
	CU_ASSERT(s.committed_sum == 0 && s.compensated_sum == 0);
	parties(1000000, 0, 0); /* whoever bore it has it back */
	CU_ASSERT_FALSE(guarantee_step(&desk, GUARANTEE_RELEASE, "r9", "g9", 1, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static void leverage_and_the_enterprise_s_cap_are_never_passed(void)
{
	struct err e = { 0 };
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g0", "small_firms", FIRM, 100, &e)); /* no capital yet */
	capital("c1", "fund", 20000000);
	capital("c2", "reguarantee", 20000000);
	CU_ASSERT_TRUE(guarantee_commit(&desk, "g1", "small_firms", FIRM, 499999999, &e));
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g2", "small_firms", FIRM, 2, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "cap"));
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g3", "small_firms", OTHER, 10, &e)); /* 40 % of it is 4 fen above */
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "fund would be liable"));
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_RELEASE, "r1", "g1", 10, &e));
	CU_ASSERT_TRUE(guarantee_commit(&desk, "g3", "small_firms", OTHER, 10, &e));
	CU_ASSERT_FALSE(guarantee_capital(&desk, "c3", "small_firms", "bank", 5, &e)); /* bears its own */
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g4", "nothing", FIRM, 5, &e));
	CU_ASSERT_FALSE(guarantee_commit(&desk, "g4", "small_firms", FIRM, 0, &e));
}

static void capital_that_is_not_there_is_not_paid_out(void)
{
	struct err e = { 0 };
	capital("c1", "fund", 100);
	capital("c2", "reguarantee", 100);
	CU_ASSERT_TRUE(guarantee_commit(&desk, "g1", "small_firms", FIRM, 1000, &e)); /* 400 of 100 × 10 */
	CU_ASSERT_FALSE(guarantee_step(&desk, GUARANTEE_COMPENSATE, "p1", "g1", 1000, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT(show("g1").committed_sum == 1000 && show("g1").compensated_sum == 0); /* nothing of it */
	CU_ASSERT_TRUE(guarantee_step(&desk, GUARANTEE_COMPENSATE, "p1", "g1", 250, &e));
	parties(0, 300, 250);
}

static void shares_that_do_not_sum_to_all_are_refused(void)
{
	static const char *const bent[] = {
		"{\"type\":\"guarantee\",\"title\":{\"zh\":\"样例\",\"en\":\"a\"},\"sample\":true,\"programmes\":[{"
		"\"code\":\"a\",\"zh\":\"样"
		"例\",\"en\":\"a\",\"leverage\":1,\"enterprise_cap\":1,\"shares\":[{\"party\":\"fund\",\"bps\":9999,"
		"\"funded\":true}]}]}",
		"{\"type\":\"guarantee\",\"title\":{\"zh\":\"样例\",\"en\":\"a\"},\"sample\":true,\"programmes\":[{"
		"\"code\":\"a\",\"zh\":\"样"
		"例\",\"en\":\"a\",\"leverage\":1,\"enterprise_cap\":1,\"shares\":[{\"party\":\"fund\",\"bps\":5000,"
		"\"funded\":true},{"
		"\"party\":\"fund\",\"bps\":5000,\"funded\":true}]}]}",
		"{\"type\":\"guarantee\",\"title\":{\"zh\":\"样例\",\"en\":\"a\"},\"sample\":true,\"programmes\":[]}",
	};
	for (size_t i = 0; i < sizeof(bent) / sizeof(bent[0]); i++) {
		int64_t id = 0;
		CU_ASSERT_FALSE(document_draft_import(&centre.release, "guarantee", "x", bytes_of(bent[i]), "alice",
						      CENTRE_NOW_S, &id, NULL));
	}
}

static CU_TestInfo tests[] = {
	{ "parts sum to the fen and none is above its weight", parts_sum_to_the_fen_and_none_is_above_its_weight },
	{ "a guarantee is shared, released, compensated and recovered to the fen",
	  a_guarantee_is_shared_released_compensated_and_recovered_to_the_fen },
	{ "leverage and the enterprise's cap are never passed", leverage_and_the_enterprise_s_cap_are_never_passed },
	{ "capital that is not there is not paid out", capital_that_is_not_there_is_not_paid_out },
	{ "shares that do not sum to all are refused", shares_that_do_not_sum_to_all_are_refused },
	CU_TEST_INFO_NULL,
};
SUITE(guarantee, setup, teardown, tests);
