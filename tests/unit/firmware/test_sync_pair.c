/* Both real sync cores at the two ends of a line of our making, in simulated time. */
#include "central/registry/holdings.h"
#include "tests/support/pair.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define LIST   "black-test"
#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)

static void publish(struct pair *p, unsigned first, unsigned n)
{
	centre_publish_list(&p->centre, first, n);
	p->version++;
	central_sync_released(p->central);
	p->sim.next_central_ms = p->sim.now_ms;
}

static bool is_current(struct sim *s)
{
	const struct pair *p = s->central;
	uint32_t epoch;
	return lists_version(s->lists, LIST, &epoch) == p->version &&
	       documents_version(s->documents_held, "rules") == 1 &&
	       documents_version(s->documents_held, "catalogue") == 1;
}

/* What central believes of the branch is what the branch has, byte for byte. */
static bool is_known(struct sim *s)
{
	struct pair *p = s->central;
	struct list_info have = sim_list(s, LIST);
	int64_t same = 0;
	return db_run_int(p->centre.db, &same, NULL,
			  "SELECT count(*) FROM branch_list WHERE list = ? AND version = ? AND hash = ?", "tib", LIST,
			  (int64_t)have.version, (struct bytes){ have.hash, HASH_LEN }) &&
	       same == 1;
}

static void a_branch_gets_what_central_publishes_and_central_knows_it(void)
{
	struct pair *p = pair_new(1);
	publish(p, 0, 20000);
	sim_line(&p->sim, true);
	CU_ASSERT_TRUE(sim_until(&p->sim, is_current, 5 * MINUTE));
	CU_ASSERT_TRUE(sim_until(&p->sim, is_known, MINUTE));
	publish(p, 100, 20050);
	CU_ASSERT_TRUE(sim_until(&p->sim, is_current, MINUTE));
	CU_ASSERT_EQUAL(sim_info(&p->sim).deltas, 1);
	CU_ASSERT_EQUAL(sim_info(&p->sim).faults, 0);
	struct head h = { 0 };
	CU_ASSERT_TRUE(release_head_fill(&p->centre.release, &h, NULL));
	const struct head_entry *entry = head_find(&h, LIST);
	CU_ASSERT_PTR_NOT_NULL(entry);
	if (entry != NULL)
		CU_ASSERT_EQUAL(sim_list(&p->sim, LIST).count, entry->count);
	head_clear(&h);
	sim_record(&p->sim, 300);
	CU_ASSERT_TRUE(sim_until(&p->sim, sim_is_acknowledged, MINUTE));
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM journal_row"), 300);
	pair_free(p);
}

static void storm(uint64_t seed)
{
	struct pair *p = pair_new(seed);
	int64_t rows = 0;
	p->sim.lose = (unsigned)(set_random(&seed) % 35);
	p->sim.twice = (unsigned)(set_random(&seed) % 35);
	p->sim.delay_ms = (int64_t)(set_random(&seed) % 3000);
	publish(p, 0, 9000);
	for (unsigned i = 0; i < 12; i++) {
		uint64_t roll = set_random(&seed);
		if (roll % 3 == 0)
			publish(p, i * 20, 9000);
		sim_line(&p->sim, roll % 4 != 0);
		if (roll % 5 == 0)
			pair_central_restart(p);
		if (roll % 7 == 0)
			sim_forget(&p->sim);
		if (roll % 6 == 0)
			sim_restart(&p->sim, 0);
		sim_record(&p->sim, (unsigned)(roll >> 8) % 50);
		rows += (int64_t)((unsigned)(roll >> 8) % 50);
		sim_run(&p->sim, (int64_t)(roll >> 16) % (4 * MINUTE));
	}
	p->sim.lose = 0;
	sim_line(&p->sim, false);
	sim_line(&p->sim, true);
	CU_ASSERT_TRUE(sim_until(&p->sim, is_current, 2 * HOUR));
	CU_ASSERT_TRUE(sim_until(&p->sim, sim_is_acknowledged, 2 * HOUR));
	CU_ASSERT_TRUE(sim_until(&p->sim, is_known, 2 * HOUR));
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM journal_row"), rows);
	CU_ASSERT_EQUAL(centre_count(&p->centre, "SELECT count(*) FROM journal_epoch"), 1);
	pair_free(p);
}

static void both_ends_agree_after_lost_lines_and_killed_ends(void)
{
	for (uint64_t seed = 1; seed <= 6; seed++)
		storm(seed * 77);
}

/* --- certificates' bodies --- */

#define HOLDER "330802185001010013" /* nobody's */

static struct pair *pair_with_holder(uint64_t seed, int64_t *consent)
{
	struct pair *p = pair_new(seed);
	char id[ECERT_ID_MAX + 1];
	const struct consent_new n = { IDENTIFIER_RESIDENT_ID, HOLDER, "*", "*", "*", 1, INT64_MAX };
	centre_issuer(&p->centre);
	CU_ASSERT_TRUE_FATAL(centre_issue(&p->centre, "'holder':{'kind':'resident_id','number':'" HOLDER "'}",
					  CENTRE_NOW_S, id, NULL));
	CU_ASSERT_TRUE_FATAL(consent_add(&p->centre.release, &n, "alice", CENTRE_NOW_S, consent, NULL));
	sim_line(&p->sim, true);
	sim_run(&p->sim, MINUTE);
	return p;
}

static void book(struct pair *p, unsigned times)
{
	const struct booking_new n = { "haidian", IDENTIFIER_RESIDENT_ID, HOLDER, "*", "loan", INT64_MAX };
	uint64_t items;
	for (unsigned i = 0; i < times; i++)
		CU_ASSERT_TRUE(booking_add(&p->centre.release, &n, "alice", CENTRE_NOW_S, &items, NULL));
}

static void nudge(void *arg, const char *branch)
{
	struct pair *p = arg;
	central_sync_nudge(p->central, branch);
	p->sim.next_central_ms = p->sim.now_ms;
}

static uint64_t wanted; /* items */
static bool has_all(struct sim *s)
{
	const struct pair *p = s->central;
	return p->taken == wanted;
}

static void what_is_set_aside_comes_when_nudged_and_by_itself_and_again_until_it_is_taken(void)
{
	int64_t consent = 0;
	struct pair *p = pair_with_holder(5, &consent);
	book(p, 3);
	nudge(p, "haidian");
	wanted = 3;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 5000));
	book(p, 1); /* nobody tells the branch */
	wanted = 4;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 11 * MINUTE));
	book(p, 1);
	p->refuse = 3;
	nudge(p, "haidian");
	wanted = 5;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 10 * MINUTE));
	CU_ASSERT_EQUAL(p->refusals, 3);
	CU_ASSERT_EQUAL(p->puts, 5);
	CU_ASSERT_TRUE(consent_withdraw(&p->centre.release, consent, "alice", CENTRE_NOW_S + 1, nudge, p, NULL));
	wanted = 6;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 5000));
	CU_ASSERT_EQUAL(p->erasures, 1);
	/* A branch that starts anew goes on where it was. */
	sim_restart(&p->sim, 0);
	sim_line(&p->sim, true);
	sim_run(&p->sim, MINUTE);
	CU_ASSERT_EQUAL(p->again, 0);
	pair_free(p);
}

static void a_central_that_was_restored_gives_all_of_it_again(void)
{
	int64_t consent = 0;
	struct pair *p = pair_with_holder(6, &consent);
	book(p, 5);
	nudge(p, "haidian");
	wanted = 5;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 5000));
	CU_ASSERT_TRUE(db_exec(p->centre.db, "DELETE FROM prefetch WHERE seq > 2", NULL));
	p->taken = 0;
	wanted = 2;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 25 * MINUTE));
	book(p, 1);
	wanted = 3;
	CU_ASSERT_TRUE(sim_until(&p->sim, has_all, 25 * MINUTE));
	pair_free(p);
}

static void every_item_is_taken_in_order_over_lost_lines_and_killed_ends(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		int64_t consent = 0;
		struct pair *p = pair_with_holder(seed * 31, &consent);
		wanted = 0;
		p->sim.lose = 20;
		p->sim.twice = 20;
		p->sim.delay_ms = 1500;
		for (unsigned i = 0; i < 20; i++) {
			uint64_t roll = set_random(&p->sim.seed);
			book(p, (unsigned)(roll % 4));
			wanted += roll % 4;
			nudge(p, "haidian");
			sim_line(&p->sim, roll % 5 != 0);
			if (roll % 7 == 0)
				pair_central_restart(p);
			if (roll % 6 == 0)
				sim_restart(&p->sim, 0);
			sim_run(&p->sim, (int64_t)(roll >> 16) % MINUTE);
		}
		p->sim.lose = 0;
		sim_line(&p->sim, false);
		sim_line(&p->sim, true);
		CU_ASSERT_TRUE(sim_until(&p->sim, has_all, HOUR));
		CU_ASSERT_EQUAL(p->puts, wanted);
		pair_free(p);
	}
}

/* --- asking --- */

static struct {
	unsigned calls;
	enum err_code code;
	size_t bodies;
} told;
static void on_bodies(void *arg, const struct body_reply *r, const struct err *why)
{
	(void)arg;
	told.calls++;
	told.code = why->code;
	told.bodies = r != NULL ? r->bodies_len : 0;
}

static bool ask(struct pair *p, const char *purpose, void *arg, struct err *e)
{
	struct body_query q = {
		.holder_kind = IDENTIFIER_RESIDENT_ID, .holder = HOLDER, .type = CENTRE_CARD, .terminal = "kiosk-1"
	};
	snprintf(q.purpose, sizeof(q.purpose), "%s", purpose);
	bool ok = sync_ask_bodies(p->sim.sync, &q, p->sim.now_ms, on_bodies, arg, e);
	p->sim.next_run_ms = p->sim.now_ms;
	return ok;
}

static void a_question_is_answered_or_ends_within_its_time_and_once(void)
{
	int64_t consent = 0;
	struct pair *p = pair_with_holder(9, &consent);
	struct err e = { 0 };
	memset(&told, 0, sizeof(told));
	CU_ASSERT_TRUE(ask(p, "loan", p, &e));
	sim_run(&p->sim, SYNC_BODIES_WAIT_MS - 100);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.code, ERR_NONE);
	CU_ASSERT_EQUAL(told.bodies, 1);
	CU_ASSERT_TRUE(consent_withdraw(&p->centre.release, consent, "alice", CENTRE_NOW_S + 1, nudge, p, NULL));
	CU_ASSERT_TRUE(ask(p, "loan", p, &e));
	sim_run(&p->sim, SYNC_BODIES_WAIT_MS - 100);
	CU_ASSERT_EQUAL(told.calls, 2);
	CU_ASSERT_EQUAL(told.code, ERR_DENIED);
	/* Lost on the way: the wait ends. */
	p->sim.delay_ms = 3 * SYNC_BODIES_WAIT_MS;
	p->sim.twice = 100;
	for (unsigned i = 0; i < SYNC_BODIES_MAX; i++)
		CU_ASSERT_TRUE(ask(p, "loan", p, &e));
	CU_ASSERT_FALSE(ask(p, "loan", p, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	sim_run(&p->sim, SYNC_BODIES_WAIT_MS + 100);
	CU_ASSERT_EQUAL(told.calls, 2 + SYNC_BODIES_MAX);
	sim_run(&p->sim, MINUTE); /* late answers are nobody's */
	CU_ASSERT_EQUAL(told.calls, 2 + SYNC_BODIES_MAX);
	pair_free(p);
}

static void who_waits_is_told_when_the_line_goes_down_unless_he_has_gone(void)
{
	int64_t consent = 0;
	struct pair *p = pair_with_holder(10, &consent);
	struct err e = { 0 };
	int one, two;
	memset(&told, 0, sizeof(told));
	p->sim.delay_ms = 1000;
	CU_ASSERT_TRUE(ask(p, "loan", &one, &e) && ask(p, "loan", &two, &e));
	sync_forget_bodies(p->sim.sync, &one);
	sim_line(&p->sim, false);
	CU_ASSERT_EQUAL(told.calls, 1);
	CU_ASSERT_EQUAL(told.code, ERR_IO);
	CU_ASSERT_FALSE(ask(p, "loan", &one, &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	pair_free(p);
}

static CU_TestInfo tests[] = {
	{ "a branch gets what central publishes, and central knows it",
	  a_branch_gets_what_central_publishes_and_central_knows_it },
	{ "both ends agree after lost lines and killed ends", both_ends_agree_after_lost_lines_and_killed_ends },
	{ "what is set aside comes when nudged, and by itself, and again until it is taken",
	  what_is_set_aside_comes_when_nudged_and_by_itself_and_again_until_it_is_taken },
	{ "a central that was restored gives all of it again", a_central_that_was_restored_gives_all_of_it_again },
	{ "every item is taken, in order, over lost lines and killed ends",
	  every_item_is_taken_in_order_over_lost_lines_and_killed_ends },
	{ "a question is answered or ends within its time, and once",
	  a_question_is_answered_or_ends_within_its_time_and_once },
	{ "who waits is told when the line goes down, unless he has gone",
	  who_waits_is_told_when_the_line_goes_down_unless_he_has_gone },
	CU_TEST_INFO_NULL,
};

SUITE(sync_pair, NULL, NULL, tests);
