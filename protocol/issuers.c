#include "protocol/issuers.h"

#include "protocol/fields.h"
#include "protocol/hcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_DER_MAX 8192U /* a certificate with an RSA key of 4,096 bits is under 3 KiB */

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size);
	if (p == NULL)
		abort();
	return p;
}

static void issuer_key_clear(struct issuer_key *k)
{
	public_key_free(k->key);
	free(k->may.kinds);
}

void issuers_free(struct issuers *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->keys_len; i++)
		issuer_key_clear(&s->keys[i]);
	for (size_t i = 0; i < s->issuers_len; i++) {
		free(s->issuers[i].name_zh);
		free(s->issuers[i].name_en);
		free(s->issuers[i].may.kinds);
	}
	free(s->issuers);
	free(s->keys);
	free(s->faults);
	free(s);
}

/* --- the document --- */

static int kind_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "*" alone, or codes. */
static bool entitlement_parse(struct bytes item, struct entitlement *out, struct err *e)
{
	struct cbor c = cbor_over(item);
	size_t len;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "kinds is missing");
	if (!cbor_get_array(&c, ISSUER_KINDS_MAX, &len, e))
		return err_wrap(e, "kinds");
	char(*kinds)[ECERT_PART_MAX + 1] = zeroed(len, sizeof(*kinds));
	bool ok = true;
	for (size_t i = 0; ok && i < len; i++) {
		ok = cbor_get_string(&c, kinds[i], sizeof(*kinds), e) || err_wrap(e, "kinds");
		if (ok && (kinds[i][0] == '\0' || (strcmp(kinds[i], "*") == 0 && len != 1)))
			ok = err_set(e, ERR_INPUT, "kinds: an empty code, or '*' beside others");
	}
	if (!ok) {
		free(kinds);
		return false;
	}
	out->kinds = kinds;
	out->len = len;
	out->every_kind = len == 1 && strcmp(out->kinds[0], "*") == 0;
	qsort(out->kinds, out->len, sizeof(*out->kinds), kind_compare);
	return true;
}

static bool time_parse(struct bytes item, const char *what, int64_t otherwise, int64_t *out, struct err *e)
{
	struct cbor c = cbor_over(item);
	*out = otherwise;
	return item.data == NULL || cbor_get_time(&c, out, e) || err_wrap(e, "%s", what);
}

/* Hex of either case. */
static bool kid_parse(const char *text, struct issuer_key *k, struct err *e)
{
	char lower[2 * ECERT_KID_MAX + 1];
	size_t len = strlen(text);
	if (len == 0 || len % 2 != 0 || len > (size_t)2 * ECERT_KID_MAX)
		return err_set(e, ERR_INPUT, "kid: 2 to %d hex digits were expected", 2 * ECERT_KID_MAX);
	for (size_t i = 0; i <= len; i++) {
		lower[i] = text[i];
		if (text[i] >= 'A' && text[i] <= 'F')
			lower[i] = (char)(text[i] - 'A' + 'a');
	}
	k->kid_len = len / 2;
	return hex_decode(lower, k->kid, k->kid_len) || err_set(e, ERR_INPUT, "kid: it is not hex");
}

static bool public_parse(struct bytes item, const char *alg, struct issuer_key *k, struct key_certificate *says,
			 struct err *e)
{
	struct cbor c = cbor_over(item);
	struct bytes text;
	struct buf der;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "key is missing");
	if (!cbor_get_text(&c, &text, e))
		return err_wrap(e, "key");
	buf_init(&der, KEY_DER_MAX);
	if (base64_decode(text, &der, e)) {
		k->key = public_key_of_certificate(buf_bytes(&der), says, NULL);
		if (k->key == NULL)
			k->key = public_key_parse(buf_bytes(&der), e);
	}
	buf_clear(&der);
	if (k->key == NULL)
		return err_wrap(e, "key");
	if (strcmp(alg_name(public_key_alg(k->key)), alg) != 0)
		return err_set(e, ERR_INPUT, "alg: '%.32s' is not what such a key is used with", alg);
	return true;
}

/* What the certificate of an issuer of the EU says that its key is for. */
static void uses_take(struct key_certificate *says, struct entitlement *out)
{
	static const struct {
		unsigned use;
		const char *kind;
	} all[] = { { HCERT_RECOVERY, "hc1-r" }, { HCERT_TEST, "hc1-t" }, { HCERT_VACCINATION, "hc1-v" } };
	unsigned uses = hcert_uses(says->uses, says->uses_len);
	*out = (struct entitlement){ .kinds = zeroed(3, sizeof(*out->kinds)) };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((uses & all[i].use) != 0)
			snprintf(out->kinds[out->len++], sizeof(*out->kinds), "%s", all[i].kind);
}

/* What is wrong here costs this key alone. kid: what there is of it, for the report. */
static bool key_parse(struct bytes item, struct issuer_key *k, char *kid, size_t kid_size, struct err *e)
{
	enum { KID, ALG, KEY, FROM, TO, COMPROMISED, KINDS, N };
	static const char *const keys[N] = { "kid", "alg", "key", "from_s", "to_s", "compromised_s", "kinds" };
	struct bytes v[N];
	char alg[32];
	struct key_certificate says = { 0 };
	k->may.every_kind = true;
	if (!fields_read(item, keys, N, v, e) || !field_text(v[KID], "kid", kid, kid_size, e) ||
	    !kid_parse(kid, k, e) || !field_text(v[ALG], "alg", alg, sizeof(alg), e) ||
	    !public_parse(v[KEY], alg, k, &says, e) || !time_parse(v[FROM], "from_s", INT64_MIN, &k->from_s, e) ||
	    !time_parse(v[TO], "to_s", INT64_MAX, &k->to_s, e) ||
	    !time_parse(v[COMPROMISED], "compromised_s", INT64_MAX, &k->compromised_s, e) ||
	    (v[KINDS].data != NULL && !entitlement_parse(v[KINDS], &k->may, e)))
		return false;
	if (v[KINDS].data == NULL && says.uses_len > 0 && k->issuer->profile == ECERT_HC1)
		uses_take(&says, &k->may);
	if (k->from_s >= k->to_s)
		return err_set(e, ERR_INPUT, "it ends before it begins");
	return true;
}

static bool kid_same(const struct issuer_key *a, const struct issuer_key *b)
{
	return a->issuer == b->issuer && a->kid_len == b->kid_len && memcmp(a->kid, b->kid, a->kid_len) == 0;
}

static void fault_add(struct issuers *s, const struct issuer *issuer, const char *kid, const struct err *why)
{
	if (s->faults_len == ISSUER_FAULTS_MAX)
		return;
	struct issuer_fault *f = &s->faults[s->faults_len++];
	memcpy(f->issuer, issuer->code, sizeof(f->issuer));
	snprintf(f->kid, sizeof(f->kid), "%s", kid);
	snprintf(f->why, sizeof(f->why), "%.159s", why->text);
}

static void key_add(struct issuers *s, const struct issuer *issuer, struct bytes item)
{
	struct issuer_key *k = &s->keys[s->keys_len];
	char kid[2 * ECERT_KID_MAX + 1] = "";
	struct err why = { 0 };
	s->keys_total++;
	*k = (struct issuer_key){ .issuer = issuer };
	bool ok = key_parse(item, k, kid, sizeof(kid), &why);
	for (size_t i = 0; ok && i < s->keys_len; i++)
		if (kid_same(&s->keys[i], k))
			ok = err_set(&why, ERR_INPUT, "the issuer has this kid already");
	if (ok) {
		s->keys_len++;
		return;
	}
	issuer_key_clear(k);
	fault_add(s, issuer, kid, &why);
}

static bool keys_parse(struct issuers *s, const struct issuer *issuer, struct bytes item, struct err *e)
{
	struct cbor c = cbor_over(item);
	size_t len;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "keys is missing");
	if (!cbor_get_array(&c, ISSUER_KEYS_MAX - s->keys_total, &len, e))
		return err_wrap(e, "keys");
	for (; len > 0; len--) {
		struct bytes key;
		if (!cbor_get_item(&c, &key, e))
			return err_wrap(e, "keys");
		key_add(s, issuer, key);
	}
	return true;
}

static bool issuer_parse(struct issuers *s, struct bytes item, struct err *e)
{
	enum { CODE, PROFILE, NAME, KINDS, KEYS, N };
	static const char *const keys[N] = { "code", "profile", "name", "kinds", "keys" };
	struct bytes v[N];
	char profile[8];
	struct issuer *out = &s->issuers[s->issuers_len++];
	if (!fields_read(item, keys, N, v, e) || !field_text(v[CODE], "code", out->code, sizeof(out->code), e) ||
	    !field_text(v[PROFILE], "profile", profile, sizeof(profile), e) ||
	    !field_zh_en(v[NAME], "name", &out->name_zh, &out->name_en, e) ||
	    !entitlement_parse(v[KINDS], &out->may, e))
		return false;
	out->profile = strcmp(profile, ecert_profile_name(ECERT_HC1)) == 0 ? ECERT_HC1 : ECERT_XB1;
	if (strcmp(profile, ecert_profile_name(out->profile)) != 0)
		return err_set(e, ERR_INPUT, "profile: '%s' is none", profile);
	for (size_t i = 0; i + 1 < s->issuers_len; i++)
		if (s->issuers[i].profile == out->profile && strcmp(s->issuers[i].code, out->code) == 0)
			return err_set(e, ERR_INPUT, "the issuer stands there twice");
	if (out->code[0] == '\0')
		return err_set(e, ERR_INPUT, "code is empty");
	return keys_parse(s, out, v[KEYS], e);
}

static int bytes_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int key_compare(const void *a, const void *b)
{
	const struct issuer_key *p = a, *q = b;
	return bytes_compare(p->kid, p->kid_len, q->kid, q->kid_len);
}

static bool issuers_read(struct issuers *s, struct bytes document, struct err *e)
{
	enum { TYPE, TITLE, SAMPLE, ISSUERS, N };
	static const char *const keys[N] = { "type", "title", "sample", "issuers" };
	struct bytes v[N];
	char *zh = NULL, *en = NULL;
	size_t len;
	if (!cbor_check(document, e) || !fields_read(document, keys, N, v, e) || !field_type(v[TYPE], "issuers", e) ||
	    !field_zh_en(v[TITLE], "title", &zh, &en, e))
		return false;
	free(zh);
	free(en);
	if (!field_bool(v[SAMPLE], "sample", &s->sample, e))
		return false;
	if (v[ISSUERS].data == NULL)
		return err_set(e, ERR_INPUT, "issuers is missing");
	struct cbor c = cbor_over(v[ISSUERS]);
	if (!cbor_get_array(&c, ISSUERS_MAX, &len, e))
		return err_wrap(e, "issuers");
	s->issuers = zeroed(len, sizeof(*s->issuers));
	for (size_t i = 0; i < len; i++) {
		struct bytes item;
		if (!cbor_get_item(&c, &item, e) || !issuer_parse(s, item, e))
			return err_wrap(e, "issuer %zu", i + 1);
	}
	qsort(s->keys, s->keys_len, sizeof(*s->keys), key_compare);
	return true;
}

struct issuers *issuers_parse(struct bytes document, struct err *e)
{
	struct issuers *s = zeroed(1, sizeof(*s));
	s->keys = zeroed(ISSUER_KEYS_MAX, sizeof(*s->keys));
	s->faults = zeroed(ISSUER_FAULTS_MAX, sizeof(*s->faults));
	if (issuers_read(s, document, e))
		return s;
	issuers_free(s);
	(void)err_wrap(e, "issuers");
	return NULL;
}

/* --- asking --- */

const struct issuer_key *issuers_next(const struct issuers *s, enum ecert_profile profile, struct bytes kid,
				      const struct issuer_key *after)
{
	size_t low = 0, high = s->keys_len;
	if (after != NULL)
		low = (size_t)(after - s->keys) + 1;
	while (after == NULL && low < high) {
		size_t mid = low + (high - low) / 2;
		if (bytes_compare(s->keys[mid].kid, s->keys[mid].kid_len, kid.data, kid.len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < s->keys_len; low++) {
		const struct issuer_key *k = &s->keys[low];
		if (bytes_compare(k->kid, k->kid_len, kid.data, kid.len) != 0)
			return NULL;
		if (k->issuer->profile == profile)
			return k;
	}
	return NULL;
}

static bool entitlement_covers(const struct entitlement *t, const char *type)
{
	return t->every_kind ||
	       (t->len > 0 && bsearch(type, t->kinds, t->len, sizeof(*t->kinds), kind_compare) != NULL);
}

bool issuer_key_covers(const struct issuer_key *k, const char *type)
{
	return entitlement_covers(&k->issuer->may, type) && entitlement_covers(&k->may, type);
}
