/* Carbon accounts asked by a branch, over a line of our making: both real sync cores, real sealing, a real ledger, simulated time. */
#include "central/branch/branches.h"
#include "central/carbon/carbon.h"
#include "central/registry/holdings.h"
#include "protocol/sealed.h"
#include "tests/support/accounts.h"
#include "tests/support/pair.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define WHO "branch haidian / teller-1 / E1024"

static struct {
	unsigned calls;
	enum err_code code;
	char text[240];
	struct account_answer answer;
} told;

static const char *anna;

static void on_account(void *arg, const struct account_answer *a, const struct err *why)
{
	(void)arg;
	told.calls++;
	told.code = why != NULL ? why->code : ERR_NONE;
	snprintf(told.text, sizeof(told.text), "%s", why != NULL ? why->text : "");
	if (a != NULL)
		told.answer = *a;
}

static struct account_query question(enum account_step step, uint8_t request)
{
	struct account_query q = { .step = step,
				   .holder_kind = IDENTIFIER_RESIDENT_ID,
				   .purpose = "redeem",
				   .terminal = "teller-1",
				   .officer = "E1024",
				   .request = { request } };
	snprintf(q.holder, sizeof(q.holder), "%s", anna);
	return q;
}

static struct account_query redemption(uint8_t request, uint64_t trees)
{
	struct account_query q = question(ACCOUNT_REDEEM, request);
	snprintf(q.kind, sizeof(q.kind), "tree_planting");
	snprintf(q.reference, sizeof(q.reference), "tree order %u", request);
	q.quantity = trees;
	return q;
}

static struct account_query ending(enum account_step step, uint8_t request, uint64_t quantity)
{
	struct account_query q = question(step, request);
	q.holder_kind = (enum identifier_kind)0;
	q.holder[0] = '\0';
	q.quantity = quantity;
	snprintf(q.redemption, sizeof(q.redemption), "%s", told.answer.redemption);
	return q;
}

static bool ask(struct pair *p, const struct account_query *q, struct err *e)
{
	bool ok = sync_ask_account(p->sim.sync, q, p->sim.now_ms, on_account, p, e);
	p->sim.next_run_ms = p->sim.now_ms;
	return ok;
}

static enum err_code asked(struct pair *p, const struct account_query *q)
{
	struct err e = { 0 };
	CU_ASSERT_TRUE(ask(p, q, &e));
	sim_run(&p->sim, 2000);
	return told.code;
}

static struct carbon carbon_of(struct pair *p)
{
	struct err e = { 0 };
	if (p->ledger == NULL) {
		snprintf(p->ledger_path, sizeof(p->ledger_path), "%s/ledger.db", p->centre.dir);
		p->ledger = ledger_open(p->ledger_path, &e);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->ledger);
	return (struct carbon){ &p->centre.release, p->ledger, p->ledger_path, "alice", pair_instant(p).s };
}

static void earn(struct pair *p, unsigned bills)
{
	static unsigned n;
	struct carbon c = carbon_of(p);
	for (unsigned i = 0; i < bills; i++) {
		struct carbon_result out;
		struct carbon_report r = { .holder_kind = IDENTIFIER_RESIDENT_ID,
					   .activity = "online_bill",
					   .day = ledger_day_of(c.now_s),
					   .quantity = 1 };
		snprintf(r.holder, sizeof(r.holder), "%s", anna);
		snprintf(r.reference, sizeof(r.reference), "bill %u", n++);
		CU_ASSERT_TRUE_FATAL(carbon_report(&c, &r, 1, &out, NULL) && out.points == 5);
	}
}

static int64_t points(struct pair *p)
{
	struct carbon c = carbon_of(p);
	struct carbon_standing s;
	CU_ASSERT_TRUE_FATAL(carbon_standing(&c, IDENTIFIER_RESIDENT_ID, anna, &s, NULL));
	return s.points;
}

static int64_t consented(struct pair *p)
{
	struct consent_new n = { .holder_kind = IDENTIFIER_RESIDENT_ID,
				 .kinds = ACCOUNT_CONSENT,
				 .purposes = "redeem",
				 .branches = "haidian",
				 .from_s = 0,
				 .to_s = INT64_MAX };
	int64_t id = 0;
	snprintf(n.holder, sizeof(n.holder), "%s", anna);
	CU_ASSERT_TRUE_FATAL(consent_add(&p->centre.release, &n, "alice", CENTRE_NOW_S, &id, NULL));
	return id;
}

/* With 200 points. */
static struct pair *pair_up(uint64_t seed)
{
	struct pair *p = pair_new(seed);
	memset(&told, 0, sizeof(told));
	anna = accounts_holder(1);
	centre_publish_document(&p->centre, "carbon");
	earn(p, 40);
	sim_line(&p->sim, true);
	sim_run(&p->sim, 5000);
	return p;
}

static int64_t reads(struct pair *p)
{
	return centre_count(&p->centre,
			    "SELECT count(*) FROM subject_read WHERE who = '" WHO "' AND purpose = 'redeem'");
}

static int64_t redemptions(struct pair *p)
{
	return centre_count(&p->centre, "SELECT count(*) FROM carbon_redemption");
}

static void an_account_is_told_with_what_expires_next_and_what_it_buys(void)
{
	struct pair *p = pair_up(1);
	consented(p);
	struct account_query q = question(ACCOUNT_SHOW, 1);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.answer.points, 200);
	CU_ASSERT_EQUAL(told.answer.pending, 0);
	CU_ASSERT_STRING_EQUAL(told.answer.level_zh, "一星");
	CU_ASSERT_EQUAL(told.answer.expiring, 200);
	CU_ASSERT_EQUAL(told.answer.expires_day, ledger_day_of(CENTRE_NOW_S) + 730);
	CU_ASSERT_EQUAL(told.answer.offers_len, 5);
	CU_ASSERT_STRING_EQUAL(told.answer.offers[4].kind, "tree_planting");
	CU_ASSERT_EQUAL(told.answer.offers[4].left, 4);
	CU_ASSERT_EQUAL(reads(p), 1);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE); /* the same question is the same read */
	CU_ASSERT_EQUAL(reads(p), 1);
	snprintf(q.officer, sizeof(q.officer), "E7");
	CU_ASSERT_EQUAL(asked(p, &q), ERR_CONFLICT);
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM audit WHERE what = 'carbon-show' AND operator "
						 "= '" WHO "'"),
			1);
	pair_free(p);
}

static void without_consent_nothing_is_told_and_the_try_is_in_the_audit(void)
{
	struct pair *p = pair_up(2);
	struct account_query q = question(ACCOUNT_SHOW, 1), buy = redemption(2, 1);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "未授权"));
	CU_ASSERT_EQUAL(asked(p, &buy), ERR_DENIED);
	CU_ASSERT_EQUAL(redemptions(p), 0);
	CU_ASSERT_EQUAL(reads(p), 0);
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM audit WHERE what = 'carbon-refused'"), 2);
	int64_t id = consented(p);
	CU_ASSERT_EQUAL(asked(p, &buy), ERR_NONE); /* the same request, once he consents */
	CU_ASSERT_TRUE(consent_withdraw(&p->centre.release, id, "alice", pair_instant(p).s, NULL, NULL, NULL));
	CU_ASSERT_EQUAL(asked(p, &buy), ERR_NONE); /* it was made: its answer may be had again, */
	CU_ASSERT_EQUAL(redemptions(p), 1);
	q = ending(ACCOUNT_POST, 3, 0);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE); /* and it may end */
	buy = redemption(4, 1);
	CU_ASSERT_EQUAL(asked(p, &buy), ERR_DENIED);
	pair_free(p);
}

static void points_are_held_then_posted_in_part_or_given_back(void)
{
	struct pair *p = pair_up(3);
	consented(p);
	struct account_query q = redemption(1, 3);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(told.answer.state, "pending");
	CU_ASSERT_EQUAL(told.answer.cost, 150);
	CU_ASSERT_STRING_EQUAL(told.answer.reference, "tree order 1");
	CU_ASSERT_EQUAL(points(p), 50);
	q = ending(ACCOUNT_POST, 2, 2);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(told.answer.state, "posted");
	CU_ASSERT_EQUAL(told.answer.posted_points, 100);
	CU_ASSERT_EQUAL(points(p), 100);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE); /* again */
	CU_ASSERT_EQUAL(points(p), 100);
	q = ending(ACCOUNT_VOID, 3, 0);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_CONFLICT);
	q = redemption(4, 1);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	q = ending(ACCOUNT_VOID, 5, 0);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(told.answer.state, "voided");
	CU_ASSERT_EQUAL(points(p), 100);
	q = redemption(6, 9);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "积分不足"));
	q = redemption(1, 2); /* a request is one redemption */
	CU_ASSERT_EQUAL(asked(p, &q), ERR_CONFLICT);
	pair_free(p);
}

static void another_branch_neither_posts_nor_voids_it(void)
{
	struct pair *p = pair_up(4);
	consented(p);
	struct account_query q = redemption(1, 1);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_NONE);
	CU_ASSERT_TRUE(db_exec(p->centre.db, "UPDATE carbon_redemption SET bank = 'chaoyang'", NULL));
	q = ending(ACCOUNT_POST, 2, 0);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_MISSING);
	q = ending(ACCOUNT_VOID, 3, 0);
	CU_ASSERT_EQUAL(asked(p, &q), ERR_MISSING);
	CU_ASSERT_EQUAL(points(p), 150);
	pair_free(p);
}

/* As a teller would, under the same request, until it is said. */
static bool insist(struct pair *p, const struct account_query *q, uint64_t seed)
{
	for (unsigned i = 0; i < 20; i++) {
		struct err e = { 0 };
		if (ask(p, q, &e)) {
			sim_run(&p->sim, 400);
			if ((seed + i) % 2 == 0)
				pair_central_restart(p);
			sim_run(&p->sim, SYNC_ACCOUNT_WAIT_MS + 1000);
		}
		if (told.code == ERR_NONE && told.answer.step == q->step)
			return true;
	}
	return false;
}

static void over_a_line_that_loses_and_a_central_that_is_killed_it_is_redeemed_once(void)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct pair *p = pair_up(seed * 31);
		consented(p);
		struct account_query q = redemption(1, 2);
		p->sim.lose = 35;
		p->sim.twice = 20;
		p->sim.delay_ms = 300;
		CU_ASSERT_TRUE(insist(p, &q, seed));
		CU_ASSERT_EQUAL(points(p), 100);
		q = ending(seed % 2 == 0 ? ACCOUNT_POST : ACCOUNT_VOID, 2, 0);
		CU_ASSERT_TRUE(insist(p, &q, seed));
		CU_ASSERT_EQUAL(points(p), seed % 2 == 0 ? 100 : 200);
		CU_ASSERT_EQUAL(redemptions(p), 1);
		CU_ASSERT_EQUAL(reads(p), 1);
		CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM audit WHERE what LIKE 'carbon-%'"), 2);
		pair_free(p);
	}
}

static void it_ends_in_time_and_at_once_when_the_line_goes_down(void)
{
	struct pair *p = pair_up(5);
	struct err e = { 0 };
	struct account_query q = question(ACCOUNT_SHOW, 1);
	p->sim.lose = 100;
	CU_ASSERT_TRUE(ask(p, &q, &e));
	sim_run(&p->sim, SYNC_ACCOUNT_WAIT_MS + 1000);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "did not answer in time"));
	for (unsigned i = 0; i < SYNC_ACCOUNTS_MAX; i++)
		CU_ASSERT_TRUE(ask(p, &q, &e));
	CU_ASSERT_FALSE(ask(p, &q, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	sim_line(&p->sim, false);
	CU_ASSERT_EQUAL(told.calls, 1 + SYNC_ACCOUNTS_MAX);
	CU_ASSERT_FALSE(ask(p, &q, &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	pair_free(p);
}

static void a_box_that_was_opened_is_denied(void)
{
	struct pair *p = pair_up(6);
	struct account_query q = question(ACCOUNT_SHOW, 1);
	consented(p);
	CU_ASSERT_TRUE(db_exec(p->centre.db, "UPDATE branch SET tampered_s = 1", NULL));
	CU_ASSERT_EQUAL(asked(p, &q), ERR_DENIED);
	CU_ASSERT_PTR_NOT_NULL(strstr(told.text, "was opened"));
	CU_ASSERT_EQUAL(reads(p), 0);
	pair_free(p);
}

/* Whoever has a sealed question of the branch's cannot say it again under a name of his own. */
static void a_question_sealed_for_another_query_does_nothing(void)
{
	struct pair *p = pair_up(7);
	struct account_query q = redemption(1, 1);
	struct query query = { .id = { 9 }, .type = QUERY_ACCOUNT };
	struct buf plain, body, out;
	consented(p);
	for (uint8_t id = 8; id <= 9; id++) {
		q.id[0] = id;
		buf_init(&plain, QUERY_BODY_MAX);
		buf_init(&body, QUERY_BODY_MAX);
		buf_init(&out, MQTT_PACKET_MAX);
		CU_ASSERT_TRUE(account_query_encode(&q, &plain, NULL) &&
			       sealed_put(p->centre.seal_point, &random_system, ACCOUNT_QUERY_CONTEXT, "haidian",
					  buf_bytes(&plain), &body, NULL));
		query.body = buf_bytes(&body);
		CU_ASSERT_TRUE(query_encode(&query, &out, NULL));
		central_sync_message(p->central, "xb/1/up/haidian/query", buf_bytes(&out), pair_instant(p));
		CU_ASSERT_EQUAL(redemptions(p), id == 9);
		buf_clear(&plain);
		buf_clear(&body);
		buf_clear(&out);
	}
	pair_free(p);
}

static CU_TestInfo tests[] = {
	{ "an account is told with what expires next and what it buys",
	  an_account_is_told_with_what_expires_next_and_what_it_buys },
	{ "without consent nothing is told, and the try is in the audit",
	  without_consent_nothing_is_told_and_the_try_is_in_the_audit },
	{ "points are held, then posted in part or given back", points_are_held_then_posted_in_part_or_given_back },
	{ "another branch neither posts nor voids it", another_branch_neither_posts_nor_voids_it },
	{ "over a line that loses and a central that is killed it is redeemed once",
	  over_a_line_that_loses_and_a_central_that_is_killed_it_is_redeemed_once },
	{ "it ends in time, and at once when the line goes down",
	  it_ends_in_time_and_at_once_when_the_line_goes_down },
	{ "a box that was opened is denied", a_box_that_was_opened_is_denied },
	{ "a question sealed for another query does nothing", a_question_sealed_for_another_query_does_nothing },
	CU_TEST_INFO_NULL,
};
SUITE(sync_account, NULL, NULL, tests);
