/*
 * A model's scores by month: how far each month's distribution is from the first month's (PSI, monitor.h, bins of equal counts of the
 * first month), and how well the scores told good from bad where outcomes are known (AUC, Gini, KS, and IV in bins of equal counts of those). A figure that cannot be told is NAN.
 * PSI below 0.1 is commonly read as no change, above 0.25 as one that has to be looked into (Siddiqi, Credit Risk Scorecards, 2006).
 */
#ifndef CENTRAL_SCORE_MONTHS_H
#define CENTRAL_SCORE_MONTHS_H

#include "central/score/monitor.h"
#include "protocol/base/buf.h"

#define MONTHS_MAX      120 /* ten years */
#define MONTHS_PSI_LOOK 0.1
#define MONTHS_PSI_ACT  0.25

enum months_outcome { MONTHS_UNKNOWN, MONTHS_GOOD, MONTHS_BAD };

struct month {
	char name[8]; /* 2026-10 */
	uint64_t scores, unscored, goods, bads;
	double psi, auc, gini, ks, iv;
};
struct months {
	struct month all[MONTHS_MAX]; /* by name once months_judge was called */
	size_t len;
	struct months_row *rows; /* owned */
	size_t rows_len, rows_cap;
};

void months_init(struct months *m);
void months_clear(struct months *m);
/* score NAN: there was none. ERR_FULL past MONTHS_MAX months or MONITOR_ROWS_MAX scores; ERR_INPUT when the name is no month. */
bool months_add(struct months *m, const char *name, double score, enum months_outcome outcome, struct err *e) CHECKED;
/* Sorts and fills in the figures; bins from 2 to MONITOR_BINS_MAX. */
void months_judge(struct months *m, size_t bins);

/* A picture of its own, the same bytes from the same figures. family and hash are plain names. */
void months_svg(const struct months *m, const char *family, const char *hash, struct buf *out);

#endif
