#include "protocol/plan.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdlib.h>

struct index {
	struct plan_edge edges[PLAN_EDGES_MAX];
	size_t len;
};

/* The deltas central keeps for versions first … last; a span of n versions costs as the square root of n, roughly. */
static void index_fill(struct index *x, uint64_t first, uint64_t last)
{
	uint64_t from[LIST_DELTA_SPANS];
	x->len = 0;
	for (uint64_t n = first; n <= last; n++)
		for (size_t i = 0, len = plan_spans(n, from); i < len; i++) {
			uint64_t span = n - from[i], size_bytes = 1000;
			for (; span > 1; span /= 2)
				size_bytes = size_bytes * 14 / 10;
			x->edges[x->len++] = (struct plan_edge){ from[i], n, size_bytes };
		}
}

static void leads(const struct plan *p, const struct plan_edge *edges, uint64_t have, uint64_t want)
{
	uint64_t at = have, size_bytes = 0;
	CU_ASSERT_EQUAL_FATAL(p->kind, PLAN_DELTAS);
	for (size_t i = 0; i < p->edges_len; i++) {
		CU_ASSERT_EQUAL(edges[p->edges[i]].from, at);
		at = edges[p->edges[i]].to;
		size_bytes += edges[p->edges[i]].size_bytes;
	}
	CU_ASSERT_EQUAL(at, want);
	CU_ASSERT_EQUAL(p->size_bytes, size_bytes);
}

static struct index x;

static void two_hundred_releases_offline_take_at_most_fifteen_deltas(void)
{
	index_fill(&x, 1, 700);
	size_t most = 0;
	for (uint64_t want = 201; want <= 700; want++) {
		struct plan p = plan_choose(x.edges, x.len, want - 200, want, 1000000000);
		leads(&p, x.edges, want - 200, want);
		most = p.edges_len > most ? p.edges_len : most;
	}
	CU_ASSERT_TRUE(most > 1 && most <= 15); /* 2 log2 200 = 15.3 */
}

static void the_snapshot_is_taken_when_it_is_cheaper_or_the_only_way(void)
{
	index_fill(&x, 400, 700);
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 690, 700, 100).kind, PLAN_SNAPSHOT);
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 690, 700, 100).size_bytes, 100);
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 690, 700, 1000000).kind, PLAN_DELTAS);
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 0, 700, 1000000).kind, PLAN_SNAPSHOT);   /* a new branch */
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 3, 700, 100000000).kind, PLAN_SNAPSHOT); /* too old */
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 701, 700, 1000000).kind, PLAN_SNAPSHOT); /* ahead: damaged */
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 700, 900, 1000000).kind, PLAN_SNAPSHOT); /* not in the index */
	CU_ASSERT_EQUAL(plan_choose(NULL, 0, 1, 2, 1000000).kind, PLAN_SNAPSHOT);
	CU_ASSERT_EQUAL(plan_choose(x.edges, x.len, 700, 700, 1000000).kind, PLAN_NOTHING);
}

static void a_missing_delta_is_gone_round_and_a_gap_needs_the_snapshot(void)
{
	index_fill(&x, 1, 64);
	struct plan p = plan_choose(x.edges, x.len, 32, 64, 1000000);
	CU_ASSERT_EQUAL(p.edges_len, 1);
	x.edges[p.edges[0]] = x.edges[--x.len];
	p = plan_choose(x.edges, x.len, 32, 64, 1000000);
	leads(&p, x.edges, 32, 64);
	CU_ASSERT_EQUAL(p.edges_len, 2);
	size_t kept = 0;
	for (size_t i = 0; i < x.len; i++)
		if (x.edges[i].to <= 40 || x.edges[i].from >= 41)
			x.edges[kept++] = x.edges[i];
	CU_ASSERT_EQUAL(plan_choose(x.edges, kept, 32, 64, 1000000).kind, PLAN_SNAPSHOT);
}

static void of_equally_cheap_ways_the_shorter_is_taken(void)
{
	struct plan_edge edges[] = { { 1, 2, 50 }, { 2, 3, 50 }, { 1, 3, 100 } };
	struct plan p = plan_choose(edges, 3, 1, 3, 1000);
	leads(&p, edges, 1, 3);
	CU_ASSERT_EQUAL(p.edges_len, 1);
	edges[2].size_bytes = 101;
	p = plan_choose(edges, 3, 1, 3, 1000);
	CU_ASSERT_EQUAL(p.edges_len, 2);
	CU_ASSERT_EQUAL(p.size_bytes, 100);
}

static void edges_that_do_not_rise_cannot_lead_in_circles(void)
{
	struct plan_edge edges[] = { { 2, 1, 0 },
				     { 2, 2, 0 },
				     { 3, 2, 0 },
				     { 1, 2, 7 },
				     { 2, 9, 0 },
				     { 2, 3, UINT64_MAX },
				     { 2, 3, UINT64_MAX - 1 } };
	CU_ASSERT_EQUAL(plan_choose(edges, 6, 1, 3, 1000).kind, PLAN_SNAPSHOT);
	CU_ASSERT_EQUAL(plan_choose(edges, 7, 1, 3, UINT64_MAX).kind, PLAN_SNAPSHOT); /* the sum would not fit */
	edges[6].size_bytes = 3;
	struct plan p = plan_choose(edges, 7, 1, 3, 1000);
	leads(&p, edges, 1, 3);
	CU_ASSERT_EQUAL(p.size_bytes, 10);
}

static void a_way_of_too_many_steps_is_not_taken(void)
{
	struct plan_edge edges[PLAN_HOPS_MAX + 1];
	for (uint64_t i = 0; i <= PLAN_HOPS_MAX; i++)
		edges[i] = (struct plan_edge){ i + 1, i + 2, 1 };
	struct plan p = plan_choose(edges, PLAN_HOPS_MAX, 1, PLAN_HOPS_MAX + 1, 1000);
	leads(&p, edges, 1, PLAN_HOPS_MAX + 1);
	CU_ASSERT_EQUAL(plan_choose(edges, PLAN_HOPS_MAX + 1, 1, PLAN_HOPS_MAX + 2, 1000).kind, PLAN_SNAPSHOT);
}

/* Against trying everything, on small random indexes. */
static uint64_t cheapest(const struct plan_edge *edges, size_t len, uint64_t at, uint64_t want)
{
	uint64_t best = at == want ? 0 : UINT32_MAX;
	for (size_t i = 0; i < len && at < want; i++)
		if (edges[i].from == at && edges[i].to > at) {
			uint64_t cost = edges[i].size_bytes + cheapest(edges, len, edges[i].to, want);
			best = cost < best ? cost : best;
		}
	return best;
}

static void the_plan_is_the_cheapest_of_all_ways(void)
{
	uint64_t seed = 4;
	for (int round = 0; round < 2000; round++) {
		struct plan_edge edges[14];
		for (size_t i = 0; i < 14; i++)
			edges[i] = (struct plan_edge){ 1 + set_random(&seed) % 7, 1 + set_random(&seed) % 7,
						       1 + set_random(&seed) % 50 };
		uint64_t best = cheapest(edges, 14, 1, 7);
		struct plan p = plan_choose(edges, 14, 1, 7, 100);
		CU_ASSERT_EQUAL(p.kind, best < 100 ? PLAN_DELTAS : PLAN_SNAPSHOT);
		CU_ASSERT_EQUAL(p.size_bytes, best < 100 ? best : 100);
		if (p.kind == PLAN_DELTAS)
			leads(&p, edges, 1, 7);
	}
}

static void the_spans_of_a_version_are_the_powers_of_two_that_divide_it(void)
{
	uint64_t from[LIST_DELTA_SPANS];
	CU_ASSERT_EQUAL(plan_spans(1, from), 0);
	CU_ASSERT_EQUAL(plan_spans(2, from), 1);
	CU_ASSERT_EQUAL(from[0], 1);
	CU_ASSERT_EQUAL(plan_spans(7, from), 1);
	CU_ASSERT_EQUAL(plan_spans(12, from), 3);
	CU_ASSERT_EQUAL(from[0], 11);
	CU_ASSERT_EQUAL(from[2], 8);
	CU_ASSERT_EQUAL(plan_spans(1 << 20, from), LIST_DELTA_SPANS);
	CU_ASSERT_EQUAL(plan_spans(0, from), 0);
}

static CU_TestInfo tests[] = {
	{ "two hundred releases offline take at most fifteen deltas",
	  two_hundred_releases_offline_take_at_most_fifteen_deltas },
	{ "the snapshot is taken when it is cheaper or the only way",
	  the_snapshot_is_taken_when_it_is_cheaper_or_the_only_way },
	{ "a missing delta is gone round and a gap needs the snapshot",
	  a_missing_delta_is_gone_round_and_a_gap_needs_the_snapshot },
	{ "of equally cheap ways the shorter is taken", of_equally_cheap_ways_the_shorter_is_taken },
	{ "edges that do not rise cannot lead in circles", edges_that_do_not_rise_cannot_lead_in_circles },
	{ "a way of too many steps is not taken", a_way_of_too_many_steps_is_not_taken },
	{ "the plan is the cheapest of all ways", the_plan_is_the_cheapest_of_all_ways },
	{ "the spans of a version are the powers of two that divide it",
	  the_spans_of_a_version_are_the_powers_of_two_that_divide_it },
	CU_TEST_INFO_NULL,
};

SUITE(plan, NULL, NULL, tests);
