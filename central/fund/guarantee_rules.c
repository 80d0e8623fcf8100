#include "central/fund/guarantee_rules.h"

#include "central/release/document.h"
#include "protocol/head.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BPS_ALL      10000
#define LEVERAGE_MAX 1000
#define WORDING_MAX  96

/* Sums of products of 64-bit amounts. */
__extension__ typedef __int128 int128;

static bool name_take(const struct json *j, const char *key, char out[NAME_MAX_LEN + 1], struct err *e)
{
	const char *text;
	if (!json_text(j, key, NAME_MAX_LEN, &text, e))
		return false;
	snprintf(out, NAME_MAX_LEN + 1, "%s", text);
	return name_is_valid(text) || err_set(e, ERR_INPUT, "%s: '%.40s' is no name", key, text);
}

static bool wording_check(const struct json *j, struct err *e)
{
	const char *text;
	return json_text(j, "zh", WORDING_MAX, &text, e) && json_text(j, "en", WORDING_MAX, &text, e);
}

static bool share_take(const struct json *j, struct guarantee_share *s, struct err *e)
{
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	return json_only(j, "party bps funded", e) && name_take(j, "party", s->party, e) &&
	       json_int(j, "bps", 1, BPS_ALL, &s->bps, e) && json_bool(j, "funded", &s->funded, e);
}

static bool shares_take(const struct json *all, struct guarantee_programme *p, struct err *e)
{
	int64_t sum = 0;
	if (all == NULL || json_kind(all) != JSON_KIND_ARRAY || json_len(all) == 0 ||
	    json_len(all) > GUARANTEE_PARTIES_MAX)
		return err_set(e, ERR_INPUT, "shares: expected 1 to %d", GUARANTEE_PARTIES_MAX);
	for (size_t i = 0; i < json_len(all); i++) {
		if (!share_take(json_at(all, i), &p->shares[i], e))
			return err_wrap(e, "shares[%zu]", i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->shares[k].party, p->shares[i].party) == 0)
				return err_set(e, ERR_INPUT, "shares: '%s' stands there twice", p->shares[i].party);
		sum += p->shares[i].bps;
	}
	p->shares_len = json_len(all);
	return sum == BPS_ALL ||
	       err_set(e, ERR_INPUT, "shares: they sum to %lld basis points, not 10,000", (long long)sum);
}

static bool programme_take(const struct json *j, struct guarantee_programme *p, struct err *e)
{
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	return json_only(j, "code zh en leverage enterprise_cap shares", e) && name_take(j, "code", p->code, e) &&
	       wording_check(j, e) && json_int(j, "leverage", 1, LEVERAGE_MAX, &p->leverage, e) &&
	       json_int(j, "enterprise_cap", 1, GUARANTEE_FEN_MAX, &p->enterprise_cap, e) &&
	       shares_take(json_get(j, "shares"), p, e);
}

static bool programmes_take(const struct json *all, struct guarantee_rules *r, struct err *e)
{
	if (all == NULL || json_kind(all) != JSON_KIND_ARRAY || json_len(all) == 0 ||
	    json_len(all) > GUARANTEE_PROGRAMMES_MAX)
		return err_set(e, ERR_INPUT, "programmes: expected 1 to %d", GUARANTEE_PROGRAMMES_MAX);
	for (; r->len < json_len(all); r->len++) {
		struct guarantee_programme *p = &r->programmes[r->len];
		if (!programme_take(json_at(all, r->len), p, e))
			return err_wrap(e, "programmes[%zu]", r->len);
		if (guarantee_programme_find(r, p->code, NULL) != NULL)
			return err_set(e, ERR_INPUT, "programmes: '%s' stands there twice", p->code);
	}
	return true;
}

static bool rules_take(const struct json *j, struct guarantee_rules *r, struct err *e)
{
	const char *type;
	bool sample;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	const struct json *title = json_get(j, "title");
	if (!json_only(j, "type title sample programmes", e) || !json_text(j, "type", 16, &type, e) ||
	    !json_bool(j, "sample", &sample, e))
		return false;
	if (strcmp(type, "guarantee") != 0 || title == NULL || !json_is_object(title))
		return err_set(e, ERR_INPUT, "expected the type guarantee, and a title {\"zh\", \"en\"}");
	return (wording_check(title, e) || err_wrap(e, "title")) && programmes_take(json_get(j, "programmes"), r, e);
}

struct guarantee_rules *guarantee_rules_decode(struct bytes cbor, struct err *e)
{
	struct buf text;
	struct guarantee_rules *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	buf_init(&text, (size_t)8 * DOCUMENT_MAX);
	struct json *j = document_to_json(cbor, &text, e) ? json_parse(buf_bytes(&text), e) : NULL;
	bool ok = j != NULL && rules_take(j, r, e);
	json_free(j);
	buf_clear(&text);
	if (ok)
		return r;
	free(r);
	return NULL;
}

const struct guarantee_programme *guarantee_programme_find(const struct guarantee_rules *r, const char *code,
							   struct err *e)
{
	for (size_t i = 0; i < r->len; i++)
		if (strcmp(r->programmes[i].code, code) == 0)
			return &r->programmes[i];
	(void)err_set(e, ERR_MISSING, "there is no programme '%.40s'", code);
	return NULL;
}

void guarantee_split(int64_t amount, const int64_t *weights, size_t n, int64_t *parts)
{
	int128 sum = 0;
	int64_t left = amount;
	bool given[GUARANTEE_PARTIES_MAX] = { false };
	assert(n > 0 && n <= GUARANTEE_PARTIES_MAX);
	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	assert(sum > 0);
	for (size_t i = 0; i < n; i++) {
		parts[i] = (int64_t)((int128)amount * weights[i] / sum);
		left -= parts[i];
	}
	for (; left > 0; left--) {
		size_t most = n;
		int128 largest = -1;
		for (size_t i = 0; i < n; i++) {
			int128 remainder = (int128)amount * weights[i] % sum;
			if (!given[i] && remainder > largest) {
				largest = remainder;
				most = i;
			}
		}
		assert(most < n);
		given[most] = true;
		parts[most]++;
	}
}
