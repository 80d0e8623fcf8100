#include "protocol/plan.h"

#include <stdlib.h>

#define NONE SIZE_MAX

/* The cheapest way from have through one edge. */
struct way {
	uint64_t from;
	uint64_t to;
	uint64_t cost; /* bytes of all edges up to and with this one; UINT64_MAX: have is not connected */
	size_t hops;   /* edges of the way */
	size_t before; /* index of the way to from, or NONE */
	size_t edge;   /* index into the caller's edges */
};

/* By from: every edge that ends where another starts comes before it. Then in the caller's order, to be repeatable. */
static int compare(const void *left, const void *right)
{
	const struct way *a = left, *b = right;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->edge > b->edge) - (a->edge < b->edge);
}

static bool better(const struct way *a, const struct way *b)
{
	return a->cost != b->cost ? a->cost < b->cost : a->hops < b->hops;
}

/* The index of the cheapest way, of the first len, that ends at a version; NONE if there is none. */
static size_t cheapest_to(const struct way *ways, size_t len, uint64_t version)
{
	size_t best = NONE;
	for (size_t i = 0; i < len; i++)
		if (ways[i].to == version && ways[i].cost != UINT64_MAX &&
		    (best == NONE || better(&ways[i], &ways[best])))
			best = i;
	return best;
}

/* Completes the way through edge i from the ways before it. */
static void way_join(struct way *ways, size_t i, uint64_t have)
{
	struct way *way = &ways[i];
	uint64_t size_bytes = way->cost;
	way->before = NONE;
	way->hops = 1;
	if (way->from == have)
		return;
	way->cost = UINT64_MAX;
	way->before = cheapest_to(ways, i, way->from);
	if (way->before == NONE || size_bytes >= UINT64_MAX - ways[way->before].cost)
		return;
	way->cost = ways[way->before].cost + size_bytes;
	way->hops = ways[way->before].hops + 1;
}

/* The edges that can lie on a way from have to want. */
static size_t ways_gather(const struct plan_edge *edges, size_t len, uint64_t have, uint64_t want, struct way *ways)
{
	size_t got = 0;
	for (size_t i = 0; i < len && i < PLAN_EDGES_MAX; i++) {
		const struct plan_edge *edge = &edges[i];
		if (edge->from < have || edge->to > want || edge->from >= edge->to || edge->size_bytes == UINT64_MAX)
			continue;
		ways[got++] = (struct way){ .from = edge->from, .to = edge->to, .cost = edge->size_bytes, .edge = i };
	}
	if (got > 1)
		qsort(ways, got, sizeof(*ways), compare);
	return got;
}

static void plan_fill(struct plan *plan, const struct way *ways, size_t last)
{
	plan->kind = PLAN_DELTAS;
	plan->size_bytes = ways[last].cost;
	plan->edges_len = ways[last].hops;
	for (size_t i = last, hop = plan->edges_len; hop-- > 0; i = ways[i].before)
		plan->edges[hop] = ways[i].edge;
}

struct plan plan_choose(const struct plan_edge *edges, size_t edges_len, uint64_t have, uint64_t want,
			uint64_t snapshot_size_bytes)
{
	struct plan plan = { .kind = PLAN_SNAPSHOT, .size_bytes = snapshot_size_bytes };
	if (have == want)
		return (struct plan){ .kind = PLAN_NOTHING };
	if (have == 0 || have > want || edges_len == 0)
		return plan;
	struct way *ways = calloc(edges_len < PLAN_EDGES_MAX ? edges_len : PLAN_EDGES_MAX, sizeof(*ways));
	if (ways == NULL)
		abort();
	size_t len = ways_gather(edges, edges_len, have, want, ways);
	for (size_t i = 0; i < len; i++)
		way_join(ways, i, have);
	size_t last = cheapest_to(ways, len, want);
	if (last != NONE && ways[last].hops <= PLAN_HOPS_MAX && ways[last].cost < snapshot_size_bytes)
		plan_fill(&plan, ways, last);
	free(ways);
	return plan;
}

size_t plan_spans(uint64_t n, uint64_t from[LIST_DELTA_SPANS])
{
	size_t len = 0;
	for (unsigned k = 0; k < LIST_DELTA_SPANS; k++) {
		uint64_t span = UINT64_C(1) << k;
		if (n <= span || n % span != 0)
			break;
		from[len++] = n - span;
	}
	return len;
}
