/*
 * Random reports, redemptions, mergers and expiries of carbon accounts from a seed, against a model that is a few arrays: every outcome, every
 * standing, and at the end of each sequence every invariant of the ledger and of carbon accounts. XINBIAN_CARBON_SEQUENCES for more.
 */
#include "central/carbon/check.h"
#include "central/carbon/group.h"
#include "central/ledger/verify.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEQUENCES  500
#define OPERATIONS 500
#define SUBJECTS   6
#define REFERENCES 150 /* few enough that the same activity is reported again */
#define REQUESTS   40
#define BATCH_MOST 20
#define DAYS       4

static struct centre centre;
static struct carbon carbon;
static char path[128];
static uint64_t seed;

static uint64_t any(uint64_t below)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15U;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return (x ^ x >> 31) % below;
}

/* --- the model --- */

enum request_state { NEVER, HELD, POSTED, VOIDED };

static struct model {
	bool credited[2][DAYS][REFERENCES];
	int64_t earned[SUBJECTS];
	int into[SUBJECTS]; /* himself: not merged */
	struct {
		enum request_state state;
		int64_t points;
	} requests[REQUESTS];
	int64_t free[SUBJECTS],
		pending[SUBJECTS]; /* by the account's own subject, as the books say; sums only are compared */
	uint64_t credits, refused, repeated, redeemed, short_of, merged;
} m;

static int root_of(int subject)
{
	return m.into[subject];
}

static int64_t group_sum(const int64_t *of, int subject)
{
	int64_t sum = 0;
	for (int i = 0; i < SUBJECTS; i++)
		if (root_of(i) == root_of(subject))
			sum += of[i];
	return sum;
}

static void holder_of(int subject, char out[32])
{
	snprintf(out, 32, "33080219900101%04d", subject);
}

/* What each account has, from the ledger: the model knows only what a group has in all. */
static void accounts_read(int64_t free[SUBJECTS], int64_t pending[SUBJECTS])
{
	for (int i = 0; i < SUBJECTS; i++) {
		char holder[32];
		uint8_t hash[HASH_LEN];
		holder_of(i, holder);
		registry_holder_hash(carbon.release->vault_key, IDENTIFIER_RESIDENT_ID, holder, hash);
		const struct ledger_sums s = core_account_find(ledger_core(carbon.ledger), carbon_account(hash)).sums;
		pending[i] = s.debits_pending;
		free[i] = s.credits_posted - s.debits_posted - s.debits_pending;
	}
}

/* --- steps --- */

static bool reports_step(size_t n)
{
	static struct carbon_report reports[BATCH_MOST];
	static struct carbon_result results[BATCH_MOST];
	int who[BATCH_MOST], which[BATCH_MOST], day[BATCH_MOST], reference[BATCH_MOST];
	for (size_t i = 0; i < n; i++) {
		struct carbon_report *r = &reports[i];
		who[i] = (int)any(SUBJECTS);
		which[i] = (int)any(2);
		day[i] = (int)any(DAYS);
		reference[i] = (int)any(REFERENCES);
		memset(r, 0, sizeof(*r));
		r->holder_kind = IDENTIFIER_RESIDENT_ID;
		holder_of(who[i], r->holder);
		snprintf(r->activity, sizeof(r->activity), "%s", which[i] == 0 ? "bus_ride" : "bicycle_ride");
		snprintf(r->reference, sizeof(r->reference), "r%d", reference[i]);
		r->day = ledger_day_of(CENTRE_NOW_S) - day[i];
		r->quantity = which[i] == 0 ? 1 : (int64_t)any(4000); /* under 1,000 m earn nothing */
		r->quantity += r->quantity == 0;
	}
	if (!carbon_report(&carbon, reports, n, results, NULL))
		return false;
	for (size_t i = 0; i < n; i++) {
		int64_t points = which[i] == 0 ? 4 : reports[i].quantity / 1000 * 3;
		bool *credited = &m.credited[which[i]][day[i]][reference[i]];
		enum carbon_outcome want = points == 0 ? CARBON_REFUSED
					   : *credited ? CARBON_REPEATED
						       : CARBON_CREDITED;
		if (results[i].outcome != want || (want == CARBON_CREDITED && results[i].points != points))
			return false;
		m.refused += want == CARBON_REFUSED;
		m.repeated += want == CARBON_REPEATED;
		if (want != CARBON_CREDITED)
			continue;
		*credited = true;
		m.credits++;
		m.earned[who[i]] += points;
		m.free[who[i]] += points;
	}
	return true;
}

static void moved(int subject)
{
	int64_t free[SUBJECTS], pending[SUBJECTS];
	int root = root_of(subject);
	accounts_read(free, pending);
	for (int i = 0; i < SUBJECTS; i++)
		if (root_of(i) == root) {
			m.free[i] = free[i];
			m.pending[i] = pending[i];
		}
}

static bool redeem_step(void)
{
	char holder[32], request[16];
	int subject = (int)any(SUBJECTS), k = (int)any(REQUESTS);
	int64_t points = (int64_t)any(25) + 1, has = group_sum(m.free, subject), held = group_sum(m.pending, subject);
	holder_of(subject, holder);
	snprintf(request, sizeof(request), "q%d", k);
	bool ok = carbon_redeem(&carbon, request, IDENTIFIER_RESIDENT_ID, holder, points, NULL);
	if (m.requests[k].state != NEVER) { /* the same again is fine, another is not */
		bool same = m.requests[k].points == points;
		return ok ? same : true;
	}
	if (ok != (has >= points)) /* never more than there is, and always when there is enough */
		return false;
	m.short_of += !ok;
	if (!ok)
		return true;
	m.requests[k].state = HELD;
	m.requests[k].points = points;
	moved(subject);
	m.redeemed++;
	return group_sum(m.free, subject) == has - points && group_sum(m.pending, subject) == held + points;
}

static bool end_step(void)
{
	char request[16];
	int k = (int)any(REQUESTS);
	bool post = any(2) == 0;
	snprintf(request, sizeof(request), "q%d", k);
	bool ok = carbon_redeem_end(&carbon, request, post, NULL);
	enum request_state was = m.requests[k].state, to = post ? POSTED : VOIDED;
	if (ok != (was == HELD || was == to)) /* once, one way */
		return false;
	if (was == HELD) {
		int64_t before[SUBJECTS], held[SUBJECTS], sum_free = 0, sum_held = 0;
		memcpy(before, m.free, sizeof(before));
		memcpy(held, m.pending, sizeof(held));
		m.requests[k].state = to;
		accounts_read(m.free, m.pending);
		for (int i = 0; i < SUBJECTS; i++) {
			sum_free += m.free[i] - before[i];
			sum_held += m.pending[i] - held[i];
		}
		return sum_held == -m.requests[k].points && sum_free == (post ? 0 : m.requests[k].points);
	}
	return true;
}

static bool is_root_of_others(int subject)
{
	for (int i = 0; i < SUBJECTS; i++)
		if (i != subject && m.into[i] == subject)
			return true;
	return false;
}

static bool merge_step(void)
{
	char from[32], to[32];
	int a = (int)any(SUBJECTS), b = (int)any(SUBJECTS);
	holder_of(a, from);
	holder_of(b, to);
	if (any(2) == 0) {
		bool ok = carbon_unmerge(&carbon, IDENTIFIER_RESIDENT_ID, from, NULL);
		bool could = m.into[a] != a;
		m.into[a] = a;
		return ok == could;
	}
	bool could = a != b && m.into[a] == a && m.into[b] == b && !is_root_of_others(a);
	bool ok = carbon_merge(&carbon, IDENTIFIER_RESIDENT_ID, from, IDENTIFIER_RESIDENT_ID, to, NULL);
	if (ok != could)
		return false;
	if (ok)
		m.into[a] = b;
	m.merged += ok;
	return true;
}

/* Every subject's standing is his group's sum; every account is as the model has it. */
static bool standing_same(void)
{
	int64_t free[SUBJECTS], pending[SUBJECTS];
	accounts_read(free, pending);
	for (int i = 0; i < SUBJECTS; i++) {
		struct carbon_standing s;
		char holder[32];
		holder_of(i, holder);
		if (free[i] != m.free[i] || pending[i] != m.pending[i] || free[i] < 0 ||
		    !carbon_standing(&carbon, IDENTIFIER_RESIDENT_ID, holder, &s, NULL) ||
		    s.points != group_sum(m.free, i) || s.pending != group_sum(m.pending, i))
			return false;
	}
	return true;
}

/* --- sequences --- */

static uint64_t looked[INVARIANT_COUNT + CARBON_INVARIANTS];

static bool holds(void)
{
	static struct ledger_verdict v;
	static struct carbon_verdict cv;
	struct err e = { 0 };
	struct ledger_reader *r = ledger_reader_open(path, &e);
	bool ok = r != NULL && ledger_verify(r, &v, &e) && carbon_check(r, centre.db, &cv, &e);
	ledger_reader_close(r);
	for (size_t i = 0; ok && i < INVARIANT_COUNT; i++)
		looked[i] += v.looked[i];
	for (size_t i = 0; ok && i < CARBON_INVARIANTS; i++)
		looked[INVARIANT_COUNT + i] += cv.looked[i];
	return ok && ledger_verdict_is_clean(&v) && carbon_verdict_is_clean(&cv);
}

static void book_begin(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".snapshot" };
	char name[160];
	struct err e = { 0 };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	CU_ASSERT_TRUE_FATAL(db_exec(centre.db, "UPDATE carbon_alias SET ended_s = 1 WHERE ended_s = 0", &e));
	carbon = (struct carbon){ &centre.release, ledger_open(path, &e), path, "alice", CENTRE_NOW_S };
	assert(carbon.ledger != NULL);
	memset(&m, 0, sizeof(m));
	for (int i = 0; i < SUBJECTS; i++)
		m.into[i] = i;
}

static bool sequence_run(void)
{
	bool ok = true;
	uint64_t accounts;
	int64_t points;
	for (size_t done = 0; ok && done < OPERATIONS;) {
		size_t n = 1;
		switch (any(8)) {
		case 0:
		case 1: ok = reports_step(n = 1 + any(BATCH_MOST)); break;
		case 2: ok = merge_step(); break;
		case 3:
		case 4: ok = end_step(); break;
		default: ok = redeem_step(); break;
		}
		done += n;
		carbon.now_s += (int64_t)any(3);
		ok = ok && (any(20) != 0 || standing_same());
	}
	ok = ok && standing_same();
	/* Years later all that is left expires: what was issued is retired. */
	carbon.now_s += 900LL * 86400;
	return ok && carbon_expire(&carbon, &accounts, &points, NULL) && holds();
}

static void outcomes_standings_and_every_invariant_are_as_the_model_says(void)
{
	const char *text = getenv("XINBIAN_CARBON_SEQUENCES"), *was = getenv("TMPDIR");
	size_t n = text != NULL ? strtoull(text, NULL, 10) : SEQUENCES;
	uint64_t credits = 0, refused = 0, repeated = 0, redeemed = 0, short_of = 0, merged = 0;
	char kept[200];
	snprintf(kept, sizeof(kept), "%s", was != NULL ? was : "/tmp");
	if (access("/dev/shm", W_OK) == 0) /* this is about what is stored and not about when */
		setenv("TMPDIR", "/dev/shm", 1);
	centre_open(&centre);
	setenv("TMPDIR", kept, 1);
	snprintf(path, sizeof(path), "%s/ledger.db", centre.dir);
	centre_publish_document(&centre, "carbon");
	for (size_t i = 0; i < n; i++) {
		seed = i * 104729 + 11;
		book_begin();
		bool ok = sequence_run();
		ledger_close(carbon.ledger);
		credits += m.credits, refused += m.refused, repeated += m.repeated;
		redeemed += m.redeemed, short_of += m.short_of, merged += m.merged;
		if (ok)
			continue;
		printf("\n  sequence %zu", i);
		CU_FAIL("they differ");
		break;
	}
	CU_ASSERT(credits > n * 50 && refused > n && repeated > n && redeemed > n * 5 && short_of > n && merged > n);
	for (size_t i = 0; i < INVARIANT_COUNT + CARBON_INVARIANTS; i++)
		CU_ASSERT(looked[i] > 0 || i == INVARIANT_SIGNED || i == INVARIANT_REVERSAL);
	centre_close(&centre);
}

static CU_TestInfo tests[] = {
	{ "outcomes, standings and every invariant are as the model says",
	  outcomes_standings_and_every_invariant_are_as_the_model_says },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_model, NULL, NULL, tests);
