/*
 * What can be said of a card without any data: values for which a characteristic has no attribute (the score would be invalid),
 * attributes that hold together (the first wins, and its author may not have meant it; a last
 * <True/> means "otherwise" and is none of these), attributes that can never be the one,
 * and points that go against the trend declared. Exact, since each field's values are cut into cells within which nothing changes
 * (cells.h); only values that the data dictionary and the mining schema let through are looked at. A characteristic over several
 * fields is looked at in all combinations of their cells; one with too many (CELLS_WORK_MAX) is reported as not looked at.
 */
#ifndef CENTRAL_SCORE_LINT_H
#define CENTRAL_SCORE_LINT_H

#include "central/score/card.h"

#define LINT_PLACES_MAX 8

enum lint_kind {
	LINT_GAP,
	LINT_OVERLAP,
	LINT_UNREACHABLE,
	LINT_TREND,
	/* Notes; the above are faults. */
	LINT_MISSING, /* no attribute for a missing value, or only the last, "otherwise" */
	LINT_OTHER,   /* no attribute for a text that nothing names, in a field without a list of values */
	LINT_UNCHECKED,
	LINT_KINDS
};
const char *lint_kind_name(enum lint_kind k); /* "gap", "overlap" … */
const char *lint_kind_zh(enum lint_kind k);
bool lint_is_fault(enum lint_kind k);

struct lint_finding {
	enum lint_kind kind;
	size_t characteristic; /* index */
	char where[256];       /* "duration_in_month [8, 16)"; "" of an attribute as such */
	char what[160];        /* English: "attributes 2 and 3 both hold; 2 counts" */
	char what_zh[160];
};
/* In the card's order. Returns the number of faults. */
size_t lint_run(const struct card *c, void (*each)(void *arg, const struct lint_finding *f), void *arg);

#endif
