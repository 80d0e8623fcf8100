/*
 * Catching up: which deltas central keeps and which of them bring a branch from one version to another most cheaply.
 * Version n has deltas from n − 1, from n − 2 if 2 divides n, from n − 4 if 4 does, and so on for LIST_DELTA_SPANS spans: a
 * skip list, in which any two versions less than 2^LIST_DELTA_SPANS apart are at most twice the logarithm of that apart.
 */
#ifndef PROTOCOL_PLAN_H
#define PROTOCOL_PLAN_H

#include "protocol/base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A delta that can be fetched. */
struct plan_edge {
	uint64_t from; /* versions */
	uint64_t to;
	uint64_t size_bytes;
};

enum plan_kind {
	PLAN_NOTHING,  /* have is want */
	PLAN_DELTAS,   /* fetch and apply edges[0], edges[1] … */
	PLAN_SNAPSHOT, /* fetch the snapshot of want */
};

struct plan {
	enum plan_kind kind;
	size_t edges[PLAN_HOPS_MAX]; /* indexes into the edges given */
	size_t edges_len;
	uint64_t size_bytes; /* to fetch altogether */
};

/*
 * The cheapest way from version have (0: nothing) to want; of equally cheap ones the one with fewest steps. Edges that do
 * not rise and edges past PLAN_EDGES_MAX are not looked at. The snapshot if no way by deltas is cheaper, shorter than
 * PLAN_HOPS_MAX steps, or there at all, and also when have lies above want (a list never goes back: its bytes are wrong).
 */
struct plan plan_choose(const struct plan_edge *edges, size_t edges_len, uint64_t have, uint64_t want,
			uint64_t snapshot_size_bytes);

/* The versions from which central builds deltas to version n, nearest first; returns how many. Versions start at 1. */
size_t plan_spans(uint64_t n, uint64_t from[LIST_DELTA_SPANS]);

#endif
