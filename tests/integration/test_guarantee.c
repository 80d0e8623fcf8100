/* The guarantee fund and subsidy budgets as an operator meets them. */
#include "tests/support/world.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

/* Made up; its check character is right. */
#define FIRM_NUMBER "91330802MA0000103C"

static struct world w;
static bool opened;

static void setup(void)
{
	if (!opened)
		world_open(&w);
	opened = true;
}

static void a_guarantee_goes_from_commitment_to_recovery_by_hand(void)
{
	int64_t id = 0;
	world_expect(&w, 1, "no programmes were published", "alice", "guarantee capital c1 small_firms fund 1000000");
	struct json *j = world_ctl_json(&w, "alice", "document import guarantee central/sample/guarantee.json");
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(world_release(&w, id), 1);
	world_expect(&w, 1, "needs an operator's token", NULL, "guarantee capital c1 small_firms fund 1000000");
	world_expect(&w, 0, "capital recorded", "alice", "guarantee capital c1 small_firms fund 1000000");
	world_expect(&w, 0, "capital recorded", "alice", "guarantee capital c2 small_firms reguarantee 1000000");
	world_expect(&w, 1, "enterprise", "alice", "guarantee commit g1 small_firms XYZ 1000");
	world_expect(&w, 1, "enterprise", "alice", "guarantee commit g1 small_firms 91330802MA0000103D 1000");
	world_expect(&w, 1, "no number of fen", "alice", "guarantee commit g1 small_firms " FIRM_NUMBER " 10.00");
	world_expect(&w, 1, "no number of fen", "alice",
		     "guarantee commit g1 small_firms " FIRM_NUMBER " 99999999999999999999");
	world_expect(&w, 0, "committed", "alice", "guarantee commit g1 small_firms " FIRM_NUMBER " 1000");
	world_expect(&w, 1, "liable for more", "alice", "guarantee commit g2 small_firms " FIRM_NUMBER " 100000000");
	world_expect(&w, 0, "released", "alice", "guarantee release r1 g1 400");
	world_expect(&w, 0, "compensated", "bob", "guarantee compensate p1 g1 600");
	world_expect(&w, 0, "capital 999760 ", NULL, "guarantee party small_firms fund");
	world_expect(&w, 0, "recovered", "bob", "guarantee recover b1 g1 600");
	world_expect(&w, 0, "committed 0 ", NULL, "guarantee show g1");
	world_expect(&w, 1, "no guarantee", NULL, "guarantee show g9");
	world_expect(&w, 0, "guarantee.compensate", NULL, "audit");
	world_expect(&w, 0, "通过", NULL, "ledger verify");
}

static void a_claim_is_held_paid_and_not_paid_again_by_hand(void)
{
	world_expect(&w, 1, "needs an operator's token", NULL, "subsidy appropriate a1 loans-2026 1000");
	world_expect(&w, 0, "appropriated", "alice", "subsidy appropriate a1 loans-2026 1000");
	world_expect(&w, 0, "held", "alice", "subsidy claim k1 loans-2026 firm 600");
	world_expect(&w, 1, "余额不足", "alice", "subsidy claim k2 loans-2026 firm 401");
	world_expect(&w, 0, "paid", "bob", "subsidy pay k1 --fen 500");
	world_expect(&w, 1, "different_amount", "bob", "subsidy pay k1");
	world_expect(&w, 1, "already_posted", "bob", "subsidy release k1");
	world_expect(&w, 0, "left 500 ", NULL, "subsidy show loans-2026");
	world_expect(&w, 0, "subsidy.pay", NULL, "audit");
	world_expect(&w, 0, "通过", NULL, "ledger verify");
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "a guarantee goes from commitment to recovery by hand",
	  a_guarantee_goes_from_commitment_to_recovery_by_hand },
	{ "a claim is held, paid, and not paid again, by hand", a_claim_is_held_paid_and_not_paid_again_by_hand },
	CU_TEST_INFO_NULL,
};
SUITE(guarantee_system, setup, NULL, tests);
