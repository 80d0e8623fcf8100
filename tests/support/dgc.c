#include "tests/support/dgc.h"

#include "central/release/document.h"
#include "firmware/verify.h"
#include "protocol/cbor_normal.h"
#include "protocol/hcert.h"
#include "protocol/sign1.h"
#include "tests/support/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CASE_MAX (1U << 20)

struct work {
	const struct json *json; /* the case */
	struct issuers *issuers;
	int64_t now_s;
	unsigned uses; /* HCERT_… of its certificate */
	struct verdict verdict;
	const char *text; /* PREFIX */
	struct buf cose;  /* what the envelope held */
	bool has_cose;
};

static const char *member(const struct json *j, const char *key)
{
	const char *v = NULL;
	return json_text_opt(j, key, CASE_MAX, &v, NULL) && v != NULL ? v : "";
}

/* --- the clock: 2021-05-03T18:00:00[.fraction][Z|+02:00|+0200], in UTC when nothing is said --- */

static bool clock_parse(const char *text, int64_t *time_s)
{
	struct tm tm = { 0 };
	int hours = 0, minutes = 0, used = 0;
	char sign = '+';
	if (sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &used) < 6 &&
	    sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) < 3)
		return false;
	const char *zone = text + used;
	if (*zone == '.' || *zone == ',')
		zone += 1 + strspn(zone + 1, "0123456789");
	if (*zone == '+' || *zone == '-')
		if (sscanf(zone, "%c%2d:%2d", &sign, &hours, &minutes) < 3)
			(void)sscanf(zone, "%c%2d%2d", &sign, &hours, &minutes);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	int64_t offset = (int64_t)hours * 3600 + (int64_t)minutes * 60;
	*time_s = (int64_t)timegm(&tm) - (sign == '-' ? -offset : offset);
	return true;
}

/* --- its trust list --- */

static void kinds_put(unsigned uses, struct json_out *w)
{
	json_open(w, "kinds", '[');
	if ((uses & HCERT_VACCINATION) != 0)
		json_put_text(w, NULL, "hc1-v");
	if ((uses & HCERT_TEST) != 0)
		json_put_text(w, NULL, "hc1-t");
	if ((uses & HCERT_RECOVERY) != 0)
		json_put_text(w, NULL, "hc1-r");
	json_close(w, ']');
}

static void titles_put(struct json_out *w, const char *key)
{
	json_open(w, key, '{');
	json_put_text(w, "zh", "测试");
	json_put_text(w, "en", "test");
	json_close(w, '}');
}

/* The kid is the first eight bytes of the certificate's SHA-256 (eHN, "Electronic Health Certificate", section 3.1.3.2). */
static bool issuers_make(struct work *w, const char *certificate, struct err *e)
{
	struct key_certificate says;
	struct buf der, json, cbor;
	struct json_out out = { &json, false };
	char kid[17];
	uint8_t hash[HASH_LEN];
	buf_init(&der, CASE_MAX);
	buf_init(&json, CASE_MAX);
	buf_init(&cbor, CASE_MAX);
	bool ok = base64_decode(bytes_of(certificate), &der, e);
	struct public_key *key = ok ? public_key_of_certificate(buf_bytes(&der), &says, e) : NULL;
	if (key != NULL) {
		sha256(buf_bytes(&der), hash);
		hex_encode(hash, 8, kid);
		json_open(&out, NULL, '{');
		json_put_text(&out, "type", "issuers");
		titles_put(&out, "title");
		json_put_bool(&out, "sample", true);
		json_open(&out, "issuers", '[');
		json_open(&out, NULL, '{');
		json_put_text(&out, "code", "EU");
		json_put_text(&out, "profile", "hc1");
		titles_put(&out, "name");
		json_open(&out, "kinds", '[');
		json_put_text(&out, NULL, "*");
		json_close(&out, ']');
		json_open(&out, "keys", '[');
		json_open(&out, NULL, '{');
		json_put_text(&out, "kid", kid);
		json_put_text(&out, "alg", alg_name(public_key_alg(key)));
		json_put_text(&out, "key", certificate);
		w->uses = hcert_uses(says.uses, says.uses_len);
		kinds_put(w->uses, &out);
		json_close(&out, '}');
		json_close(&out, ']');
		json_close(&out, '}');
		json_close(&out, ']');
		json_close(&out, '}');
		if (document_from_json(buf_bytes(&json), "issuers", &cbor, e))
			w->issuers = issuers_parse(buf_bytes(&cbor), e);
		public_key_free(key);
	}
	buf_clear(&der);
	buf_clear(&json);
	buf_clear(&cbor);
	return w->issuers != NULL;
}

/* --- the same in JSON and in CBOR --- */

static bool same(const struct json *j, struct bytes item, unsigned depth);

static bool is_null(struct bytes item)
{
	return item.len == 1 && item.data[0] == 0xf6;
}

static bool same_object(const struct json *j, struct bytes item, unsigned depth)
{
	struct cbor c = cbor_over(item);
	size_t pairs, members = 0;
	if (!cbor_get_map(&c, SIZE_MAX, &pairs, NULL))
		return false;
	for (; pairs > 0; pairs--) {
		struct bytes key, value;
		if (!cbor_get_text(&c, &key, NULL) || !cbor_get_item(&c, &value, NULL))
			return false;
		members += !is_null(value);
	}
	for (size_t i = 0; i < json_len(j); i++) {
		const char *key;
		struct bytes value;
		const struct json *v = json_member(j, i, &key);
		if (json_kind(v) == JSON_KIND_NULL)
			continue;
		if (!cbor_find(item, key, &value, NULL) || value.data == NULL || !same(v, value, depth + 1))
			return false;
		members--;
	}
	return members == 0;
}

static bool same_array(const struct json *j, struct bytes item, unsigned depth)
{
	struct cbor c = cbor_over(item);
	size_t len;
	if (!cbor_get_array(&c, SIZE_MAX, &len, NULL) || len != json_len(j))
		return false;
	for (size_t i = 0; i < len; i++) {
		struct bytes value;
		if (!cbor_get_item(&c, &value, NULL) || !same(json_at(j, i), value, depth + 1))
			return false;
	}
	return true;
}

static bool same(const struct json *j, struct bytes item, unsigned depth)
{
	struct cbor c = cbor_over(item);
	struct bytes text;
	bool b;
	double d;
	if (depth > JSON_DEPTH_MAX)
		return false;
	switch (json_kind(j)) {
	case JSON_KIND_NULL: return is_null(item);
	case JSON_KIND_BOOL: return cbor_get_bool(&c, &b, NULL) && b == json_bool_value(j);
	case JSON_KIND_INT: return cbor_get_real(&c, &d, NULL) && fabs(d - (double)json_int_value(j)) < 0.5;
	case JSON_KIND_REAL: return cbor_get_real(&c, &d, NULL) && fabs(d - json_double_value(j)) < 1e-9;
	case JSON_KIND_TEXT: return cbor_get_text(&c, &text, NULL) && bytes_equal(text, json_text_value(j));
	case JSON_KIND_ARRAY: return same_array(j, item, depth);
	case JSON_KIND_OBJECT: return same_object(j, item, depth);
	}
	return false;
}

static bool dgc_unwrapped(struct cbor *c, struct buf *inner, struct bytes *dgc)
{
	struct bytes run;
	enum cbor_type t;
	if (!cbor_peek(c, &t) || t != CBOR_BYTES)
		return cbor_get_item(c, dgc, NULL);
	bool ok = cbor_get_bytes(c, &run, NULL) && cbor_normalise(run, inner, NULL);
	*dgc = buf_bytes(inner);
	return ok;
}

/* The certificate inside a CWT, normal CBOR; inner holds what was in a byte string. */
static bool dgc_of_cwt(struct bytes cwt, struct buf *inner, struct bytes *dgc)
{
	struct cbor c = cbor_over(cwt);
	size_t pairs;
	if (!cbor_get_map(&c, 64, &pairs, NULL))
		return false;
	for (; pairs > 0; pairs--) {
		int64_t key, version;
		struct bytes value;
		if (!cbor_get_int(&c, &key, NULL) || !cbor_get_item(&c, &value, NULL))
			return false;
		struct cbor in = cbor_over(value);
		size_t n;
		if (key == -260 && cbor_get_map(&in, 1, &n, NULL) && cbor_get_int(&in, &version, NULL))
			return dgc_unwrapped(&in, inner, dgc);
	}
	return false;
}

static bool message_says(const struct buf *cose, const struct json *expected)
{
	struct buf memory, normal, inner;
	struct sign1 s;
	struct bytes dgc;
	buf_init(&memory, CASE_MAX);
	buf_init(&normal, CASE_MAX);
	buf_init(&inner, CASE_MAX);
	bool ok = sign1_parse(buf_bytes(cose), SIGN1_FOREIGN, &memory, &s, NULL) &&
		  cbor_normalise(s.payload, &normal, NULL) && dgc_of_cwt(buf_bytes(&normal), &inner, &dgc) &&
		  same(expected, dgc, 0);
	buf_clear(&memory);
	buf_clear(&normal);
	buf_clear(&inner);
	return ok;
}

static bool hex_take(const char *hex, struct buf *out)
{
	size_t len = strlen(hex);
	if (len == 0 || len % 2 != 0 || strspn(hex, "0123456789abcdefABCDEF") != len)
		return false;
	hex_read(bytes_of(hex), out);
	return true;
}

/* The CBOR member is the certificate itself, or (some write it so) the whole CWT. */
static bool object_says(const char *hex, const struct json *expected)
{
	struct buf raw, normal, inner;
	struct bytes dgc;
	buf_init(&raw, CASE_MAX);
	buf_init(&normal, CASE_MAX);
	buf_init(&inner, CASE_MAX);
	bool ok = hex_take(hex, &raw) && cbor_normalise(buf_bytes(&raw), &normal, NULL) &&
		  (same(expected, buf_bytes(&normal), 0) ||
		   (dgc_of_cwt(buf_bytes(&normal), &inner, &dgc) && same(expected, dgc, 0)));
	buf_clear(&raw);
	buf_clear(&normal);
	buf_clear(&inner);
	return ok;
}

static bool encodes(const char *hex)
{
	struct buf cose, text, back;
	enum ecert_profile profile;
	enum envelope_fault fault;
	buf_init(&cose, CASE_MAX);
	buf_init(&text, CASE_MAX);
	buf_init(&back, CASE_MAX);
	bool ok = hex_take(hex, &cose) && envelope_seal(ECERT_HC1, buf_bytes(&cose), &text, NULL) &&
		  envelope_open(buf_bytes(&text), &profile, &back, &fault, NULL) && profile == ECERT_HC1 &&
		  bytes_equal(buf_bytes(&cose), buf_bytes(&back));
	buf_clear(&cose);
	buf_clear(&text);
	buf_clear(&back);
	return ok;
}

/* --- what came out --- */

static bool found(const struct verdict *v, enum scan_code code)
{
	for (size_t i = 0; i < v->findings_len; i++)
		if (v->findings[i].code == code)
			return true;
	return false;
}

/* The claims of a message that does not verify: some cases state what its dates and its signer's usage would have said. */
static bool claims_of(const struct work *w, struct ecert *cert)
{
	struct buf memory;
	struct sign1 s;
	enum hcert_layer layer;
	buf_init(&memory, CASE_MAX);
	bool ok = w->has_cose && sign1_parse(buf_bytes(&w->cose), SIGN1_FOREIGN, &memory, &s, NULL) &&
		  hcert_decode(s.payload, cert, &layer, NULL);
	buf_clear(&memory);
	return ok;
}

static bool in_force(const struct work *w)
{
	const struct verdict *v = &w->verdict;
	struct ecert cert;
	if (v->authentic)
		return !found(v, SCAN_NOT_YET_VALID) && !found(v, SCAN_EXPIRED);
	return claims_of(w, &cert) && cert.from_s <= w->now_s + VERIFY_SKEW_S && w->now_s <= cert.to_s;
}

static bool is_entitled(const struct work *w)
{
	static const char *const types[] = { "hc1-v", "hc1-t", "hc1-r" };
	const struct verdict *v = &w->verdict;
	struct ecert cert;
	if (v->authentic)
		return !found(v, SCAN_ISSUER_NOT_ENTITLED);
	if (!claims_of(w, &cert))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (strcmp(types[i], cert.type) == 0)
			return (w->uses & 1U << i) != 0;
	return false;
}

static bool result_of(const struct work *w, enum dgc_step step)
{
	const struct verdict *v = &w->verdict;
	const struct json *json = json_get(w->json, "JSON");
	bool is_text = v->code != SCAN_NOT_OURS;
	switch (step) {
	case DGC_UNPREFIX: return is_text;
	case DGC_BASE45: return w->has_cose || (is_text && v->code != SCAN_DAMAGED);
	case DGC_COMPRESSION: return w->has_cose;
	case DGC_DECODE:
		return w->has_cose && !(v->code == SCAN_FORMAT && (v->layer == LAYER_COSE || v->layer == LAYER_CWT));
	case DGC_VERIFY: return v->authentic;
	case DGC_SCHEMA: return w->has_cose && v->code != SCAN_FORMAT;
	case DGC_EXPIRATION: return in_force(w);
	case DGC_KEY_USAGE: return is_entitled(w);
	case DGC_OBJECT: return json != NULL && object_says(member(w->json, "CBOR"), json);
	case DGC_JSON: return json != NULL && w->has_cose && message_says(&w->cose, json);
	case DGC_ENCODE: return encodes(member(w->json, "COSE"));
	case DGC_STEPS: break;
	}
	return false;
}

/* The names as they are written in the data, some of them wrongly. */
static const struct {
	const char *name;
	enum dgc_step step;
} names[] = {
	{ "EXPECTEDUNPREFIX", DGC_UNPREFIX },
	{ "EXPECTEDB45DECODE", DGC_BASE45 },
	{ "EXPECTEDCOMPRESSION", DGC_COMPRESSION },
	{ "EXPECTEDDECODE", DGC_DECODE },
	{ "EXPECTEDVERIFY", DGC_VERIFY },
	{ "EXPECTEDSCHEMAVALIDATION", DGC_SCHEMA },
	{ "EXPECTEDEXPIRATIONCHECK", DGC_EXPIRATION },
	{ "EXPTECTEDEXPIRED", DGC_EXPIRATION },
	{ "EXPECTEDEXPIRED", DGC_EXPIRATION },
	{ "EXPECTEDKEYUSAGE", DGC_KEY_USAGE },
	{ "EXPECTEDVALIDOBJECT", DGC_OBJECT },
	{ "EXPECTEDVALIDJSON", DGC_JSON },
	{ "EXPECTEDENCODE", DGC_ENCODE },
};

static void expect(const struct work *w, const char *name, bool expected, struct dgc_result *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		out->expected++;
		if (result_of(w, names[i].step) == expected) {
			out->met++;
			return;
		}
		size_t len = strlen(out->failed);
		snprintf(out->failed + len, sizeof(out->failed) - len, "%s%s %s (%s %s)", len > 0 ? "; " : "", name,
			 expected ? "true" : "false", scan_code_name(w->verdict.code), w->verdict.detail);
		return;
	}
	out->pictures += strcmp(name, "EXPECTEDPICTUREDECODE") == 0;
}

static void work_run(struct work *w)
{
	static const struct check_party nobody = { 0 };
	const struct verify_policy policy = { .issuers = w->issuers,
					      .issuers_version = 1,
					      .issuers_confirmed_s = -1 };
	const struct verify_setting setting = { .policy = &policy, .now_s = w->now_s, .clock_trusted = true };
	const struct verify_request request = { .text = bytes_of(w->text), .business = "", .holder = nobody };
	enum ecert_profile profile;
	enum envelope_fault fault;
	w->has_cose = envelope_open(request.text, &profile, &w->cose, &fault, NULL);
	verify_run(&setting, &request, &w->verdict);
}

bool dgc_run(const struct json *test_case, struct dgc_result *out, struct err *e)
{
	const struct json *context = json_get(test_case, "TESTCTX"),
			  *expected = json_get(test_case, "EXPECTEDRESULTS");
	struct work w = { .json = test_case, .text = member(test_case, "PREFIX") };
	memset(out, 0, sizeof(*out));
	if (context == NULL || expected == NULL || !json_is_object(expected))
		return err_set(e, ERR_INPUT, "no TESTCTX or EXPECTEDRESULTS");
	/* Without a clock the present decides nothing that is expected. */
	if (!clock_parse(member(context, "VALIDATIONCLOCK"), &w.now_s))
		w.now_s = (int64_t)time(NULL);
	if (member(context, "CERTIFICATE")[0] != '\0' && !issuers_make(&w, member(context, "CERTIFICATE"), e))
		return err_wrap(e, "its certificate");
	buf_init(&w.cose, ECERT_COSE_MAX);
	work_run(&w);
	for (size_t i = 0; i < json_len(expected); i++) {
		const char *name;
		const struct json *v = json_member(expected, i, &name);
		if (json_kind(v) == JSON_KIND_BOOL)
			expect(&w, name, json_bool_value(v), out);
	}
	issuers_free(w.issuers);
	buf_clear(&w.cose);
	return true;
}
