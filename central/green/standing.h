/*
 * What somebody is, out of the ratings that are known of him: pure functions over a set, whose order does not matter.
 *
 * As of a day:
 *   1 Of each rater the rating that begins last, up to the day, replaces his earlier ones for good, also when it has ended since.
 *   2 Of those, the ones valid on the day and not withdrawn count. One of our own (GREEN_OWN) counts only where no other does.
 *   3 All of one level: that level. Otherwise there is a conflict, named by the hash of the ratings in it: two raters disagree, or one
 *     contradicts himself (two grades that begin on one day).
 *   4 An operator's resolution of just this conflict decides: one of the ratings, or none. It is void once another rating joins or one ends.
 *   5 Without a resolution the rater of the lowest rank counts, of one rank the less green level; the conflict stays open and visible.
 * A rating keeps level and rank as the rules said when it was taken in: later rules judge later ratings.
 */
#ifndef CENTRAL_GREEN_STANDING_H
#define CENTRAL_GREEN_STANDING_H

#include "central/green/rules.h"

#define GREEN_REFERENCE_MAX 64
#define GREEN_WHY_MAX       150
#define GREEN_RATINGS_MAX   512 /* of one enterprise or project */
#define GREEN_PROJECT_MAX   40
#define GREEN_NEVER         INT64_MAX

struct green_rating {
	int64_t id;
	char rater[NAME_MAX_LEN + 1], grade[GREEN_GRADE_MAX + 1], reference[GREEN_REFERENCE_MAX + 1];
	struct green_level level;
	int64_t ordinal, rank; /* of the level, 0 the greenest */
	int64_t from_day, until_day, withdrawn_day;
	int64_t rules; /* version */
	bool sample;   /* they were */
	char project[GREEN_PROJECT_MAX + 1];
	char recorded_by[NAME_MAX_LEN + 1];
	int64_t recorded_s;
	uint8_t digest[HASH_LEN]; /* of subject and content: the same row has the same */
};
struct green_resolution {
	uint8_t conflict[HASH_LEN], choice[HASH_LEN]; /* choice: a rating's digest; zero none of them */
	char why[GREEN_WHY_MAX + 1], resolved_by[NAME_MAX_LEN + 1];
	int64_t resolved_s;
};
/* All that is known of one enterprise or one project. */
struct green_facts {
	size_t ratings_len, resolutions_len;
	struct green_rating ratings[GREEN_RATINGS_MAX];
	struct green_resolution resolutions[GREEN_RATINGS_MAX];
};

enum green_basis {
	GREEN_BASIS_NONE,       /* no rating, or a resolution for none */
	GREEN_BASIS_AGREED,     /* one rating, or several of one level */
	GREEN_BASIS_PRECEDENCE, /* of a conflict that is open */
	GREEN_BASIS_RESOLVED,
};
const char *green_basis_name(enum green_basis b);
const char *green_basis_zh(enum green_basis b);

struct green_standing {
	enum green_basis basis;
	const struct green_rating *rating; /* the one that counts; NULL none. Points into the facts */
	const struct green_rating *own;    /* our own where it does not count and is of another level; else NULL */
	const struct green_resolution *resolution; /* or NULL */
	bool conflict;                             /* also a resolved one */
	uint8_t key[HASH_LEN];                     /* the conflict's */
	size_t among_len;                          /* ratings that count or disagree */
	const struct green_rating *among[GREEN_RATINGS_MAX];
};
void green_standing(const struct green_facts *f, int64_t day, struct green_standing *out);

/* The days on which something changes, one after the other: from which day on what holds. n: at most max; returns how many there are. */
struct green_span {
	int64_t from_day, until_day; /* inclusive; GREEN_NEVER open */
	struct green_standing standing;
};
void green_spans(const struct green_facts *f, void (*each)(void *arg, const struct green_span *s), void *arg);

/* The rating's digest from its content. */
void green_digest(int64_t tag, const struct green_rating *r, uint8_t out[HASH_LEN]);

#endif
