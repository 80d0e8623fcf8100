/* Both real sync cores at the two ends of a line of our making, in simulated time: a branch "haidian" and its central. */
#ifndef TESTS_SUPPORT_PAIR_H
#define TESTS_SUPPORT_PAIR_H

#include "central/ledger/ledger.h"
#include "tests/support/centre.h"
#include "tests/support/simulation.h"

struct pair {
	struct sim sim;
	struct centre centre;
	struct central_sync *central;
	struct ledger *ledger; /* opened by the first question that needs it */
	char ledger_path[96];
	uint64_t version; /* of the list, published */
	/* what the branch was given to keep */
	uint64_t taken; /* the last item's number */
	unsigned puts, erasures, again, refusals;
	unsigned refuse; /* so many more are not taken */
	/* reports that central is asked to have made */
	unsigned ordered;
	bool hold_reports; /* until pair_report_give */
	struct inquiry held;
	uint8_t held_question[HASH_LEN];
};

/* Rules and catalogue are published, the branch is enrolled, the line is down. */
struct pair *pair_new(uint64_t seed);
void pair_free(struct pair *p);
struct instant pair_instant(const struct pair *p);
/* The report that was held is made, or why not. */
void pair_report_give(struct pair *p, const struct err *why);
/* Central, kill -9, and started again. */
void pair_central_restart(struct pair *p);

#endif
