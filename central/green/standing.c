#include "central/green/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const basis[][2] = {
	[GREEN_BASIS_NONE] = { "none", "无评级" },
	[GREEN_BASIS_AGREED] = { "agreed", "评级一致" },
	[GREEN_BASIS_PRECEDENCE] = { "precedence", "评级冲突未裁决，按优先次序" },
	[GREEN_BASIS_RESOLVED] = { "resolved", "评级冲突已裁决" },
};

const char *green_basis_name(enum green_basis b)
{
	return basis[b][0];
}

const char *green_basis_zh(enum green_basis b)
{
	return basis[b][1];
}

static bool is_own(const struct green_rating *r)
{
	return strcmp(r->rater, GREEN_OWN) == 0;
}

/* Whether r is replaced by that one on the day. Of two of our own that begin on one day the later one is the result of more facts. */
static bool is_replaced_by(const struct green_rating *r, const struct green_rating *by, int64_t day)
{
	if (by->from_day > day || strcmp(r->rater, by->rater) != 0)
		return false;
	return by->from_day > r->from_day || (is_own(r) && by->from_day == r->from_day && by->id > r->id);
}

static bool is_current(const struct green_facts *f, const struct green_rating *r, int64_t day)
{
	if (r->from_day > day || r->until_day < day || r->withdrawn_day <= day)
		return false;
	for (size_t i = 0; i < f->ratings_len; i++)
		if (is_replaced_by(r, &f->ratings[i], day))
			return false;
	return true;
}

/* Below 0: a before b. Lower rank, less green, valid longer; the digest only makes an order of it. */
static int precedence(const struct green_rating *a, const struct green_rating *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->ordinal != b->ordinal)
		return a->ordinal > b->ordinal ? -1 : 1;
	if (a->until_day != b->until_day)
		return a->until_day > b->until_day ? -1 : 1;
	return memcmp(a->digest, b->digest, HASH_LEN);
}

static int by_precedence(const void *a, const void *b)
{
	return precedence(*(const struct green_rating *const *)a, *(const struct green_rating *const *)b);
}

/* by_precedence orders by content alone, so the hash is the same however the ratings came. */
static void conflict_key(struct green_standing *s)
{
	struct sha256_stream h;
	sha256_start(&h);
	for (size_t i = 0; i < s->among_len; i++)
		sha256_add(&h, (struct bytes){ s->among[i]->digest, HASH_LEN });
	sha256_finish(&h, s->key);
}

static void resolution_find(const struct green_facts *f, struct green_standing *s)
{
	for (size_t i = 0; i < f->resolutions_len; i++) {
		const struct green_resolution *r = &f->resolutions[i];
		if (memcmp(r->conflict, s->key, HASH_LEN) == 0 &&
		    (s->resolution == NULL || r->resolved_s >= s->resolution->resolved_s))
			s->resolution = r;
	}
}

static void conflict_judge(const struct green_facts *f, struct green_standing *s)
{
	conflict_key(s);
	resolution_find(f, s);
	s->basis = GREEN_BASIS_PRECEDENCE;
	s->rating = s->among[0];
	if (s->resolution == NULL)
		return;
	s->rating = NULL;
	for (size_t i = 0; i < s->among_len; i++)
		if (memcmp(s->among[i]->digest, s->resolution->choice, HASH_LEN) == 0)
			s->rating = s->among[i];
	s->basis = s->rating != NULL ? GREEN_BASIS_RESOLVED : GREEN_BASIS_NONE;
}

void green_standing(const struct green_facts *f, int64_t day, struct green_standing *out)
{
	*out = (struct green_standing){ .basis = GREEN_BASIS_NONE };
	for (size_t i = 0; i < f->ratings_len; i++) {
		const struct green_rating *r = &f->ratings[i];
		if (!is_current(f, r, day))
			continue;
		if (is_own(r))
			out->own = r;
		else
			out->among[out->among_len++] = r;
	}
	if (out->among_len == 0 && out->own != NULL) {
		out->among[out->among_len++] = out->own;
		out->own = NULL;
	}
	if (out->among_len == 0)
		return;
	// NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted
	qsort(out->among, out->among_len, sizeof(out->among[0]), by_precedence);
	for (size_t i = 1; i < out->among_len; i++)
		out->conflict |= out->among[i]->ordinal != out->among[0]->ordinal;
	out->rating = out->among[0];
	out->basis = GREEN_BASIS_AGREED;
	if (out->conflict)
		conflict_judge(f, out);
	if (out->own != NULL && out->rating != NULL && out->own->ordinal == out->rating->ordinal)
		out->own = NULL;
}

/* --- over time --- */

static int by_day(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static bool same(const struct green_standing *a, const struct green_standing *b)
{
	return a->basis == b->basis && a->rating == b->rating && a->own == b->own && a->resolution == b->resolution &&
	       a->conflict == b->conflict && a->among_len == b->among_len && memcmp(a->key, b->key, HASH_LEN) == 0;
}

static size_t days_list(const struct green_facts *f, int64_t *days)
{
	size_t n = 0;
	for (size_t i = 0; i < f->ratings_len; i++) {
		const struct green_rating *r = &f->ratings[i];
		days[n++] = r->from_day;
		days[n++] = r->until_day + 1;
		if (r->withdrawn_day != GREEN_NEVER)
			days[n++] = r->withdrawn_day;
	}
	qsort(days, n, sizeof(*days), by_day);
	return n;
}

void green_spans(const struct green_facts *f, void (*each)(void *arg, const struct green_span *s), void *arg)
{
	int64_t *days = calloc(3 * f->ratings_len + 1, sizeof(*days));
	struct green_span *two = calloc(2, sizeof(*two));
	if (days == NULL || two == NULL)
		abort();
	struct green_span *last = NULL, *next = &two[0];
	size_t n = days_list(f, days);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && days[i] == days[i - 1])
			continue;
		*next = (struct green_span){ .from_day = days[i], .until_day = GREEN_NEVER };
		green_standing(f, days[i], &next->standing);
		if (last != NULL && same(&last->standing, &next->standing))
			continue;
		if (last != NULL) {
			last->until_day = days[i] - 1;
			each(arg, last);
		}
		last = next;
		next = last == &two[0] ? &two[1] : &two[0];
	}
	if (last != NULL)
		each(arg, last);
	free(two);
	free(days);
}

void green_digest(int64_t tag, const struct green_rating *r, uint8_t out[HASH_LEN])
{
	struct buf text;
	buf_init(&text, 1024);
	buf_add_fmt(&text, "xb/green/%lld", (long long)tag);
	buf_add_u8(&text, 0);
	const char *const parts[] = { r->project, r->rater, r->grade, r->reference };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_add(&text, parts[i], strlen(parts[i]) + 1);
	buf_add_fmt(&text, "%lld/%lld", (long long)r->from_day, (long long)r->until_day);
	sha256(buf_bytes(&text), out);
	buf_clear(&text);
}
