#include "protocol/account.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <string.h>

static struct err e;
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct account_query sample(enum account_step step)
{
	struct account_query q = { .step = step,
				   .holder_kind = IDENTIFIER_RESIDENT_ID,
				   .holder = "330802185001010013",
				   .purpose = "积分兑换",
				   .terminal = "teller-1",
				   .officer = "E1024",
				   .kind = "tree_planting",
				   .quantity = 2,
				   .reference = "order 7",
				   .redemption = "br.0123" };
	bytes_fill(q.id, sizeof(q.id), 3);
	bytes_fill(q.request, sizeof(q.request), 9);
	return q;
}

static bool question_take(struct bytes bytes, struct err *why)
{
	struct account_query q;
	return account_query_decode(bytes, &q, why);
}

static bool answer_take(struct bytes bytes, struct err *why)
{
	struct account_answer a;
	return account_answer_decode(bytes, &a, why);
}

static void a_question_comes_back_whatever_its_step(void)
{
	for (enum account_step step = ACCOUNT_SHOW; step <= ACCOUNT_STEP_LAST; step++) {
		struct account_query q = sample(step), back;
		buf_reset(&out);
		CU_ASSERT_TRUE_FATAL(account_query_encode(&q, &out, &e) && cbor_check(buf_bytes(&out), &e));
		CU_ASSERT_TRUE_FATAL(account_query_decode(buf_bytes(&out), &back, &e));
		CU_ASSERT_TRUE(back.step == step && back.holder_kind == q.holder_kind && back.quantity == 2);
		CU_ASSERT_TRUE(memcmp(back.id, q.id, 16) == 0 && memcmp(back.request, q.request, 16) == 0);
		CU_ASSERT_TRUE(strcmp(back.holder, q.holder) == 0 && strcmp(back.purpose, q.purpose) == 0 &&
			       strcmp(back.terminal, q.terminal) == 0 && strcmp(back.officer, q.officer) == 0 &&
			       strcmp(back.kind, q.kind) == 0 && strcmp(back.reference, q.reference) == 0 &&
			       strcmp(back.redemption, q.redemption) == 0);
		CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), question_take));
	}
}

static void a_question_that_leaves_out_what_its_step_needs_is_refused(void)
{
	for (unsigned i = 0; i < 9; i++) {
		struct account_query q = sample(i < 6 ? ACCOUNT_REDEEM : i < 7 ? ACCOUNT_SHOW : ACCOUNT_POST);
		switch (i) {
		case 0: q.purpose[0] = '\0'; break;
		case 1: q.officer[0] = '\0'; break;
		case 2: q.terminal[0] = '\0'; break;
		case 3: q.kind[0] = '\0'; break;
		case 4: q.quantity = 0; break;
		case 5: q.reference[0] = '\0'; break;
		case 6: q.holder_kind = (enum identifier_kind)0; break;
		case 7: q.redemption[0] = '\0'; break;
		default: q.step = (enum account_step)0; break;
		}
		buf_reset(&out);
		CU_ASSERT_TRUE(account_query_encode(&q, &out, &e));
		CU_ASSERT_FALSE(question_take(buf_bytes(&out), &e));
	}
}

static void an_account_comes_back_with_its_offers(void)
{
	struct account_answer a = { .step = ACCOUNT_SHOW,
				    .rules_version = 4,
				    .points = 120,
				    .pending = 30,
				    .accounts = 2,
				    .expiring = 7,
				    .expires_day = 20900,
				    .level_zh = "二星",
				    .level_en = "two stars",
				    .offers_len = 2,
				    .offers = { { "tree_planting", "认养植树", "a tree", "tree", 50, 1, 2 },
						{ "consumption", "消费抵扣", "deducted", "fen", 1, 10, 1200 } } },
			      back;
	CU_ASSERT_TRUE_FATAL(account_answer_encode(&a, &out, &e) &&
			     account_answer_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.points == 120 && back.pending == 30 && back.accounts == 2 && back.rules_version == 4);
	CU_ASSERT_TRUE(back.expiring == 7 && back.expires_day == 20900 && strcmp(back.level_zh, "二星") == 0);
	CU_ASSERT_TRUE(back.offers_len == 2 && back.offers[1].left == 1200 && back.offers[1].per == 10 &&
		       strcmp(back.offers[0].zh, "认养植树") == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), answer_take));
}

static void a_redemption_comes_back(void)
{
	struct account_answer a = { .step = ACCOUNT_POST,
				    .rules_version = 4,
				    .redemption = "br.0123",
				    .state = "posted",
				    .state_zh = "已兑换",
				    .kind = "consumption",
				    .unit = "fen",
				    .reference = "order 7",
				    .quantity = 700,
				    .cost = 70,
				    .posted_quantity = 300,
				    .posted_points = 30,
				    .made_s = 1795500000,
				    .expires_s = 1795586400 },
			      back;
	CU_ASSERT_TRUE_FATAL(account_answer_encode(&a, &out, &e) &&
			     account_answer_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.quantity == 700 && back.cost == 70 && back.posted_quantity == 300 &&
		       back.posted_points == 30 && back.made_s == a.made_s && back.expires_s == a.expires_s);
	CU_ASSERT_TRUE(strcmp(back.redemption, "br.0123") == 0 && strcmp(back.state_zh, "已兑换") == 0 &&
		       strcmp(back.unit, "fen") == 0 && strcmp(back.reference, "order 7") == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), answer_take));
}

static CU_TestInfo tests[] = {
	{ "a question comes back, whatever its step", a_question_comes_back_whatever_its_step },
	{ "a question that leaves out what its step needs is refused",
	  a_question_that_leaves_out_what_its_step_needs_is_refused },
	{ "an account comes back with its offers", an_account_comes_back_with_its_offers },
	{ "a redemption comes back", a_redemption_comes_back },
	CU_TEST_INFO_NULL,
};
SUITE(account, setup, teardown, tests);
