/* Both real sync cores at the two ends of a line of our making, in simulated time. */
#include "tests/support/centre.h"
#include "tests/support/simulation.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#define LIST   "black-test"
#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)

struct pair {
	struct sim sim;
	struct centre centre;
	struct central_sync *central;
	uint64_t version; /* of the list, published */
};

static struct instant instant(const struct pair *p)
{
	return (struct instant){ p->sim.now_ms, CENTRE_NOW_S + p->sim.now_ms / 1000 };
}

static bool central_publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			    struct err *e)
{
	struct pair *p = arg;
	(void)expiry_s;
	if (set_random(&p->sim.seed) % 100 < p->sim.lose)
		return err_set(e, ERR_FULL, "too much on its way");
	sim_broadcast(&p->sim, topic, payload, retain);
	return true;
}

static bool central_subscribe(void *arg, const char *filter, struct err *e)
{
	(void)arg, (void)filter, (void)e;
	return true;
}

static bool central_sign(void *arg, struct bytes payload, struct err *e)
{
	struct pair *p = arg;
	struct head h;
	struct buf message;
	buf_init(&message, COSE_MAX);
	bool ok = head_decode(payload, &h, e) &&
		  head_sign(&h, p->centre.head_scalar, p->centre.head_point, &random_system, &message, e);
	if (ok)
		central_sync_signed(p->central, buf_bytes(&message), NULL, instant(p));
	head_clear(&h);
	buf_clear(&message);
	return ok;
}

static void central_message(void *arg, const char *topic, struct bytes payload)
{
	struct pair *p = arg;
	central_sync_message(p->central, topic, payload, instant(p));
}

static int64_t central_run(void *arg)
{
	struct pair *p = arg;
	return central_sync_run(p->central, instant(p));
}

static void central_start(struct pair *p)
{
	struct central_sync_config c = { .release = &p->centre.release,
					 .transport = { p, central_publish, central_subscribe, central_subscribe },
					 .signer = { p, central_sign },
					 .push_size_max = 100000,
					 .seal_scalar = p->centre.seal_scalar,
					 .seal_point = p->centre.seal_point };
	p->central = central_sync_new(&c);
	central_sync_up(p->central, instant(p));
	p->sim.next_central_ms = p->sim.now_ms;
}

/* kill -9, and started again. */
static void central_restart(struct pair *p)
{
	central_sync_free(p->central);
	centre_reopen(&p->centre);
	central_start(p);
}

static void publish(struct pair *p, unsigned first, unsigned n)
{
	centre_publish_list(&p->centre, first, n);
	p->version++;
	central_sync_released(p->central);
	p->sim.next_central_ms = p->sim.now_ms;
}

static struct pair *pair_new(uint64_t seed)
{
	struct pair *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	centre_open(&p->centre);
	sim_init(&p->sim, test_dir(), seed);
	memcpy(p->sim.head_point, p->centre.head_point, POINT_LEN);
	memcpy(p->sim.seal_point, p->centre.seal_point, POINT_LEN);
	sim_restart(&p->sim, 0);
	p->sim.silent = true;
	p->sim.central = p;
	p->sim.central_message = central_message;
	p->sim.central_run = central_run;
	centre_enrol(&p->centre, "haidian", p->sim.branch_point);
	centre_publish_document(&p->centre, "rules");
	centre_publish_document(&p->centre, "catalogue");
	central_start(p);
	return p;
}

static void pair_free(struct pair *p)
{
	central_sync_free(p->central);
	sim_clear(&p->sim);
	centre_close(&p->centre);
	free(p);
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
			central_restart(p);
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

static CU_TestInfo tests[] = {
	{ "a branch gets what central publishes, and central knows it",
	  a_branch_gets_what_central_publishes_and_central_knows_it },
	{ "both ends agree after lost lines and killed ends", both_ends_agree_after_lost_lines_and_killed_ends },
	CU_TEST_INFO_NULL,
};

SUITE(sync_pair, NULL, NULL, tests);
