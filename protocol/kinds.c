#include "protocol/kinds.h"

#include "protocol/fields.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

#define MONTHS_MAX 1200

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);
	if (p == NULL)
		abort();
	return p;
}

void kinds_free(struct kinds *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->kinds_len; i++) {
		free(k->kinds[i].name_zh);
		free(k->kinds[i].name_en);
		free(k->kinds[i].group_zh);
		free(k->kinds[i].group_en);
	}
	for (size_t i = 0; i < k->businesses_len; i++) {
		struct kind_business *b = &k->businesses[i];
		free(b->name_zh);
		free(b->name_en);
		free(b->replaces_zh);
		free(b->replaces_en);
		free(b->accepts);
	}
	free(k->title_zh);
	free(k->title_en);
	free(k->kinds);
	free(k->businesses);
	free(k);
}

/* Both begin with their code. */
static int code_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool code_is_valid(const char *code)
{
	size_t len = strlen(code);
	return len > 0 && (strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len || name_is_valid(code));
}

static bool array_open(struct bytes item, const char *what, size_t max, struct cbor *c, size_t *len, struct err *e)
{
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	*c = cbor_over(item);
	return cbor_get_array(c, max, len, e) || err_wrap(e, "%s", what);
}

/* Sorted now; false with the code that stands there twice. */
static bool sort_check(void *at, size_t n, size_t size, const char *what, struct err *e)
{
	qsort(at, n, size, code_compare);
	for (size_t i = 1; i < n; i++) {
		const char *code = (const char *)at + i * size;
		if (strcmp(code - size, code) == 0)
			return err_set(e, ERR_INPUT, "%s '%.32s' stands there twice", what, code);
	}
	return true;
}

/* --- kinds --- */

static bool holder_parse(struct bytes item, struct kind *k, struct err *e)
{
	static const char *const words[] = { "none", "masked", "tag" };
	char word[16];
	if (!field_text(item, "holder", word, sizeof(word), e))
		return false;
	for (int i = KIND_HOLDER_NONE; i <= KIND_HOLDER_TAG; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		k->holder = (enum kind_holder)i;
		return true;
	}
	return err_set(e, ERR_INPUT, "holder: '%s' is none of none, masked and tag", word);
}

static bool holder_kinds_parse(struct bytes item, struct kind *k, struct err *e)
{
	struct cbor c;
	size_t len;
	char name[NAME_MAX_LEN + 1];
	enum identifier_kind kind;
	if (!array_open(item, "holder_kinds", IDENTIFIER_PARTY_LAST, &c, &len, e))
		return false;
	for (; len > 0; len--) {
		if (!cbor_get_string(&c, name, sizeof(name), e))
			return err_wrap(e, "holder_kinds");
		if (!identifier_kind_of(name, &kind) || kind > IDENTIFIER_PARTY_LAST ||
		    (k->holder_kinds & 1U << kind) != 0)
			return err_set(e, ERR_INPUT, "holder_kinds: unknown or repeated '%s'", name);
		k->holder_kinds |= 1U << kind;
	}
	return (k->holder_kinds == 0) == (k->holder == KIND_HOLDER_NONE) ||
	       err_set(e, ERR_INPUT, "holder_kinds: some with a holder, none without");
}

static bool months_parse(struct bytes item, struct kind *k, struct err *e)
{
	uint64_t months = 0;
	struct cbor c = cbor_over(item);
	if (item.data == NULL)
		return true;
	if (!cbor_get_uint_max(&c, MONTHS_MAX, &months, e))
		return err_wrap(e, "valid_months");
	k->valid_months = (int)months;
	return months > 0 || err_set(e, ERR_INPUT, "valid_months: 0; leave it out for one without end");
}

static bool kind_parse(struct bytes item, struct kind *k, struct err *e)
{
	enum { CODE, NAME, GROUP, HOLDER, HOLDER_KINDS, MONTHS, N };
	static const char *const keys[N] = { "code", "name", "group", "holder", "holder_kinds", "valid_months" };
	struct bytes v[N];
	if (!fields_read(item, keys, N, v, e) || !field_text(v[CODE], "code", k->code, sizeof(k->code), e))
		return false;
	if (!code_is_valid(k->code))
		return err_set(e, ERR_INPUT, "code: '%s' is none", k->code);
	return field_zh_en(v[NAME], "name", &k->name_zh, &k->name_en, e) &&
	       (v[GROUP].data == NULL || field_zh_en(v[GROUP], "group", &k->group_zh, &k->group_en, e)) &&
	       holder_parse(v[HOLDER], k, e) && holder_kinds_parse(v[HOLDER_KINDS], k, e) &&
	       months_parse(v[MONTHS], k, e);
}

/* --- businesses --- */

static bool accepts_has(const struct kind *const *accepts, size_t n, const struct kind *kind)
{
	for (size_t i = 0; i < n; i++)
		if (accepts[i] == kind)
			return true;
	return false;
}

static bool accepts_parse(const struct kinds *k, struct bytes item, struct kind_business *b, struct err *e)
{
	struct cbor c;
	size_t len;
	char code[ECERT_PART_MAX + 1];
	if (!array_open(item, "accepts", KINDS_MAX, &c, &len, e))
		return false;
	const struct kind **accepts = zeroed(len, sizeof(const struct kind *));
	bool ok = true;
	size_t n = 0;
	for (; ok && n < len; n++) {
		ok = cbor_get_string(&c, code, sizeof(code), e) || err_wrap(e, "accepts");
		accepts[n] = ok ? kinds_find(k, code) : NULL;
		if (ok && (accepts[n] == NULL || accepts_has(accepts, n, accepts[n])))
			ok = err_set(e, ERR_INPUT, "accepts: unknown or repeated '%s'", code);
	}
	if (!ok) {
		free(accepts);
		return false;
	}
	b->accepts = accepts;
	b->accepts_len = n;
	return true;
}

static bool business_parse(const struct kinds *k, struct bytes item, struct kind_business *b, struct err *e)
{
	enum { CODE, NAME, CHANNEL, ACCEPTS, REPLACES, N };
	static const char *const keys[N] = { "code", "name", "channel", "accepts", "replaces" };
	struct bytes v[N];
	char channel[16];
	if (!fields_read(item, keys, N, v, e) || !field_text(v[CODE], "code", b->code, sizeof(b->code), e) ||
	    !field_zh_en(v[NAME], "name", &b->name_zh, &b->name_en, e) ||
	    !field_text(v[CHANNEL], "channel", channel, sizeof(channel), e))
		return false;
	b->credit = strcmp(channel, "credit") == 0;
	if (!name_is_valid(b->code))
		return err_set(e, ERR_INPUT, "code: '%s' is none", b->code);
	if (!b->credit && strcmp(channel, "counter") != 0)
		return err_set(e, ERR_INPUT, "channel: '%s' is neither counter nor credit", channel);
	return accepts_parse(k, v[ACCEPTS], b, e) &&
	       (v[REPLACES].data == NULL ||
		field_zh_en(v[REPLACES], "replaces", &b->replaces_zh, &b->replaces_en, e));
}

/* --- the document --- */

static bool kinds_list(struct kinds *k, struct bytes list, struct err *e)
{
	struct cbor c;
	size_t len;
	struct bytes item;
	if (!array_open(list, "kinds", KINDS_MAX, &c, &len, e))
		return false;
	k->kinds = zeroed(len, sizeof(*k->kinds));
	for (size_t i = 0; i < len; i++)
		if (!cbor_get_item(&c, &item, e) || !kind_parse(item, &k->kinds[k->kinds_len++], e))
			return err_wrap(e, "kind %zu", i + 1);
	return sort_check(k->kinds, k->kinds_len, sizeof(*k->kinds), "kind", e);
}

static bool businesses_list(struct kinds *k, struct bytes list, struct err *e)
{
	struct cbor c;
	size_t len;
	struct bytes item;
	if (!array_open(list, "businesses", KIND_BUSINESSES_MAX, &c, &len, e))
		return false;
	k->businesses = zeroed(len, sizeof(*k->businesses));
	for (size_t i = 0; i < len; i++)
		if (!cbor_get_item(&c, &item, e) || !business_parse(k, item, &k->businesses[k->businesses_len++], e))
			return err_wrap(e, "business %zu", i + 1);
	return sort_check(k->businesses, k->businesses_len, sizeof(*k->businesses), "business", e);
}

static bool kinds_read(struct kinds *k, struct bytes document, struct err *e)
{
	enum { TYPE, TITLE, SAMPLE, KINDS, BUSINESSES, N };
	static const char *const keys[N] = { "type", "title", "sample", "kinds", "businesses" };
	struct bytes v[N];
	return cbor_check(document, e) && fields_read(document, keys, N, v, e) && field_type(v[TYPE], "kinds", e) &&
	       field_zh_en(v[TITLE], "title", &k->title_zh, &k->title_en, e) &&
	       field_bool(v[SAMPLE], "sample", &k->sample, e) && kinds_list(k, v[KINDS], e) &&
	       businesses_list(k, v[BUSINESSES], e);
}

struct kinds *kinds_parse(struct bytes document, struct err *e)
{
	struct kinds *k = zeroed(1, sizeof(*k));
	if (kinds_read(k, document, e))
		return k;
	kinds_free(k);
	(void)err_wrap(e, "kinds");
	return NULL;
}

const struct kind *kinds_find(const struct kinds *k, const char *code)
{
	return k->kinds_len == 0 ? NULL : bsearch(code, k->kinds, k->kinds_len, sizeof(*k->kinds), code_compare);
}

const struct kind_business *kinds_business(const struct kinds *k, const char *code)
{
	return k->businesses_len == 0
		       ? NULL
		       : bsearch(code, k->businesses, k->businesses_len, sizeof(*k->businesses), code_compare);
}

bool kind_business_accepts(const struct kind_business *b, const struct kind *kind)
{
	return accepts_has(b->accepts, b->accepts_len, kind);
}

size_t kinds_accepting(const struct kinds *k)
{
	size_t n = 0;
	for (size_t i = 0; i < k->businesses_len; i++)
		n += k->businesses[i].accepts_len > 0;
	return n;
}
