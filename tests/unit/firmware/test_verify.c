#include "firmware/verify.h"

#include "protocol/base45.h"
#include "protocol/cose.h"
#include "protocol/ecert_id.h"
#include "protocol/entry.h"
#include "protocol/sign1.h"
#include "protocol/zip.h"
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/sets.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct certificates certs;
static struct verify_policy policy;
static struct verify_setting setting;
static struct verify_request request;
static struct verdict v;
static struct buf text, cose;
static struct ecert cert;

static void fresh(const char *type)
{
	checks_fresh();
	cert = certificate_of(type, "20260601", with.now_s - 86400, &with.lists.key);
	policy = (struct verify_policy){ .issuers = certs.issuers,
					 .issuers_version = 3,
					 .issuers_confirmed_s = with.now_s - 30,
					 .kinds = certs.kinds,
					 .kinds_version = 4 };
	setting = (struct verify_setting){
		.policy = &policy, .source = &checks_source, .now_s = with.now_s, .clock_trusted = true
	};
	request = (struct verify_request){ .business = CERT_BUSINESS, .has_holder = true };
	request.holder.kind = IDENTIFIER_RESIDENT_ID;
	snprintf(request.holder.number, sizeof(request.holder.number), "%s", ADULT);
	request.holder.birth_day = INT64_MIN;
}

static void setup(void)
{
	checks_setup();
	certificates_open(&certs, "", "['*']");
	buf_init(&text, ECERT_TEXT_MAX);
	buf_init(&cose, (size_t)2 * ECERT_COSE_MAX);
	fresh(CERT_TYPE);
}

static void teardown(void)
{
	buf_clear(&text);
	buf_clear(&cose);
	certificates_close(&certs);
	checks_teardown();
}

/* Signs cert as it stands now, and asks. */
static enum scan_code ask(void)
{
	buf_reset(&text);
	certificate_text(&certs, &cert, &text);
	request.text = buf_bytes(&text);
	verify_run(&setting, &request, &v);
	return v.code;
}

static enum scan_code ask_text(const void *data, size_t len)
{
	request.text = (struct bytes){ data, len };
	verify_run(&setting, &request, &v);
	return v.code;
}

/* Any signed message, in its envelope. */
static enum scan_code ask_cose(void)
{
	struct err e = { 0 };
	buf_reset(&text);
	CU_ASSERT_TRUE_FATAL(envelope_seal(ECERT_XB1, buf_bytes(&cose), &text, &e));
	return ask_text(text.data, text.len);
}

static bool found(enum scan_code code, enum scan_outcome outcome)
{
	for (size_t i = 0; i < v.findings_len; i++)
		if (v.findings[i].code == code)
			return v.findings[i].outcome == outcome;
	return false;
}

#define VERDICT(expected, its)                                                                                       \
	do {                                                                                                         \
		CU_ASSERT_STRING_EQUAL(scan_code_name(v.code), scan_code_name(expected));                            \
		CU_ASSERT_STRING_EQUAL(scan_outcome_name(v.outcome), scan_outcome_name(its));                        \
	} while (0)

static void a_good_certificate_of_this_customer_is_accepted(void)
{
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	CU_ASSERT_TRUE(v.authentic && v.findings_len == 0);
	CU_ASSERT_STRING_EQUAL(v.cert.id, cert.id);
	CU_ASSERT_EQUAL(v.issuers_age_s, 30);
	CU_ASSERT_EQUAL(v.list_age_s, 60);
	fresh(CERT_MASKED);
	request.business = "loan";
	cert.holder_is_tagged = false;
	cert = certificate_of(CERT_MASKED, "1", with.now_s, NULL);
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	fresh(CERT_NOBODY);
	request.business = "loan";
	request.has_holder = false;
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	fresh(CERT_TYPE);
	cert.to_s = ECERT_NO_END;
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	CU_ASSERT_TRUE(text.len < 3391); /* one QR code at level M, version 40, alphanumeric */
}

static void a_scan_that_was_changed_is_damaged_and_never_a_bad_signature(void)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	uint64_t seed = 5;
	char changed[ECERT_TEXT_MAX];
	ask();
	size_t len = text.len;
	for (size_t cut = 4; cut < len; cut += 3) {
		CU_ASSERT_EQUAL(ask_text(text.data, cut), SCAN_DAMAGED);
		CU_ASSERT_EQUAL(v.hint, SCAN_HINT_CUT_OFF);
	}
	for (int i = 0; i < 5000; i++) {
		memcpy(changed, text.data, len);
		size_t at = 4 + set_random(&seed) % (len - 4);
		changed[at] = alphabet[set_random(&seed) % 45];
		if (changed[at] == (char)text.data[at])
			continue;
		ask_text(changed, len);
		CU_ASSERT_FALSE(v.authentic);
		CU_ASSERT_TRUE(v.code == SCAN_DAMAGED || v.code == SCAN_FORMAT);
		CU_ASSERT_TRUE(v.code == SCAN_DAMAGED || v.layer == LAYER_ZLIB); /* bytes behind the stream */
	}
	memcpy(changed, text.data, len);
	changed[len / 2] = 'a';
	CU_ASSERT_EQUAL(ask_text(changed, len), SCAN_DAMAGED);
	CU_ASSERT_EQUAL(v.hint, SCAN_HINT_LETTERS);
	VERDICT(SCAN_DAMAGED, SCAN_REFER);
	CU_ASSERT_EQUAL(ask_text("", 0), SCAN_DAMAGED);
	CU_ASSERT_EQUAL(v.hint, SCAN_HINT_EMPTY);
	memset(changed, '0', sizeof(changed));
	char *long_text = calloc(1, ECERT_TEXT_MAX + 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(long_text);
	CU_ASSERT_EQUAL(ask_text(long_text, ECERT_TEXT_MAX + 1), SCAN_DAMAGED);
	CU_ASSERT_EQUAL(v.hint, SCAN_HINT_TOO_LONG);
	free(long_text);
	verify_damaged(SCAN_HINT_LAYOUT, &v);
	VERDICT(SCAN_DAMAGED, SCAN_REFER);
}

static void another_code_is_not_ours(void)
{
	ask_text("https://example.org/pay", 23);
	VERDICT(SCAN_NOT_OURS, SCAN_REFER);
	ask_text("XB2:ABC", 7);
	VERDICT(SCAN_NOT_OURS, SCAN_REFER);
}

static void a_malformed_certificate_says_which_layer(void)
{
	struct buf bomb, zipped;
	struct err e = { 0 };
	buf_init(&bomb, 1 << 22);
	buf_init(&zipped, 1 << 22);
	memset(buf_grow(&bomb, 3 << 20), 0, 3 << 20);
	CU_ASSERT_TRUE_FATAL(zip_deflate(buf_bytes(&bomb), &zipped, &e));
	buf_reset(&text);
	buf_add_str(&text, "XB1:");
	zipped.len = zipped.len < 2800 ? zipped.len : 2800; /* it stops at the limit, long before its end */
	base45_encode(buf_bytes(&zipped), &text);
	ask_text(text.data, text.len);
	VERDICT(SCAN_FORMAT, SCAN_REFUSE);
	CU_ASSERT_EQUAL(v.layer, LAYER_ZLIB);
	buf_reset(&cose);
	buf_add_str(&cose, "no message");
	ask_cose();
	VERDICT(SCAN_FORMAT, SCAN_REFUSE);
	CU_ASSERT_EQUAL(v.layer, LAYER_COSE);
	buf_reset(&cose);
	uint64_t seed = 1;
	struct random seeded = random_seeded(&seed);
	CU_ASSERT_TRUE_FATAL(sign1_sign(certs.scalar, (struct bytes){ certs.kid, 8 }, &seeded,
					(struct bytes){ NULL, 0 }, bytes_of("\xa0"), &cose, &e));
	ask_cose();
	VERDICT(SCAN_FORMAT, SCAN_REFUSE);
	CU_ASSERT_EQUAL(v.layer, LAYER_CLAIMS);
	CU_ASSERT_FALSE(v.authentic);
	buf_clear(&bomb);
	buf_clear(&zipped);
}

/* The certificate's message with another algorithm in its protected header. */
static void algorithm_set(uint8_t to)
{
	static const uint8_t es256[] = { 0x01, 0x26 };
	buf_reset(&cose);
	certificate_sign(&certs, &cert, &cose);
	uint8_t *at = memmem(cose.data, 32, es256, sizeof(es256));
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	at[1] = to;
}

static void an_algorithm_that_is_not_ours_or_not_the_keys_is_refused(void)
{
	algorithm_set(0x27); /* EdDSA */
	ask_cose();
	VERDICT(SCAN_ALG_REFUSED, SCAN_REFUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(v.detail, "EdDSA"));
	algorithm_set(0x05); /* HMAC 256/256 */
	ask_cose();
	VERDICT(SCAN_ALG_REFUSED, SCAN_REFUSE);
	struct err e = { 0 };
	struct sign1 s;
	struct buf memory, again;
	buf_init(&memory, 16384);
	buf_init(&again, 16384);
	buf_reset(&cose);
	certificate_sign(&certs, &cert, &cose);
	CU_ASSERT_TRUE_FATAL(sign1_parse(buf_bytes(&cose), SIGN1_STRICT, &memory, &s, &e));
	/* PS256 with a key of a curve */
	hex_read(bytes_of("d2 84 4e a2 01 3824 04 48"), &again);
	buf_add(&again, certs.kid, 8);
	hex_read(bytes_of("a0"), &again);
	cbor_put_bytes(&again, s.payload);
	cbor_put_bytes(&again, s.signature);
	buf_reset(&text);
	CU_ASSERT_TRUE_FATAL(envelope_seal(ECERT_XB1, buf_bytes(&again), &text, &e));
	ask_text(text.data, text.len);
	VERDICT(SCAN_ALG_REFUSED, SCAN_REFUSE);
	CU_ASSERT_FALSE(v.authentic);
	buf_clear(&memory);
	buf_clear(&again);
}

static void an_issuer_whose_key_is_not_held_is_unknown_and_not_called_a_forger(void)
{
	certs.kid[0] ^= 1;
	ask();
	certs.kid[0] ^= 1;
	VERDICT(SCAN_ISSUER_UNKNOWN, SCAN_REFER);
	CU_ASSERT_EQUAL(v.issuers_age_s, 30);
	CU_ASSERT_EQUAL(v.findings_len, 1);
	policy.issuers = NULL;
	policy.issuers_version = 0;
	ask();
	VERDICT(SCAN_ISSUER_UNKNOWN, SCAN_REFER);
	CU_ASSERT_EQUAL(v.issuers_age_s, -1);
}

static void a_signature_that_does_not_match_shows_nothing_of_the_claims(void)
{
	buf_reset(&cose);
	certificate_sign(&certs, &cert, &cose);
	cose.data[cose.len - 1] ^= 1;
	ask_cose();
	VERDICT(SCAN_SIGNATURE_BAD, SCAN_REFUSE);
	CU_ASSERT_FALSE(v.authentic);
	CU_ASSERT_EQUAL(v.findings_len, 1);
	CU_ASSERT_EQUAL(v.cert.id[0], '\0');
	CU_ASSERT_EQUAL(v.identity.canonical[0], '\0');
	struct buf json;
	buf_init(&json, 65536);
	struct json_out w = { &json, false };
	json_open(&w, NULL, '{');
	verify_json(&v, &w);
	json_close(&w, '}');
	CU_ASSERT_PTR_NULL(strstr(buf_str(&json), "\"certificate\""));
	CU_ASSERT_PTR_NULL(strstr(buf_str(&json), CERT_ISSUER));
	buf_clear(&json);
}

/* The key and the issuer as given, for one question. */
static void with_issuers(const char *key_members, const char *kinds)
{
	struct buf cbor;
	struct err e = { 0 };
	buf_init(&cbor, 65536);
	certificates_issuers(&certs, key_members, kinds, &cbor);
	struct issuers *s = issuers_parse(buf_bytes(&cbor), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	policy.issuers = s;
	ask();
	policy.issuers = certs.issuers;
	issuers_free(s);
	buf_clear(&cbor);
}

static void an_issuer_signs_only_what_it_may_and_only_as_itself(void)
{
	with_issuers("", "['" CERT_MASKED "']");
	VERDICT(SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE);
	with_issuers(",'kinds':['" CERT_MASKED "']", "['*']");
	VERDICT(SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE);
	with_issuers(",'kinds':['" CERT_TYPE "']", "['" CERT_TYPE "','" CERT_MASKED "']");
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	with_issuers("", "[]");
	VERDICT(SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE);
	struct ecert_id id;
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(ecert_id_parse(bytes_of(cert.id), &id, NULL, &e));
	snprintf(id.issuer, sizeof(id.issuer), "OTHER");
	snprintf(cert.issuer, sizeof(cert.issuer), "OTHER");
	CU_ASSERT_TRUE_FATAL(ecert_id_compose(&id, cert.id, &e));
	ask();
	VERDICT(SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE);
}

static void a_key_signs_in_its_period_and_a_lost_one_not_at_all(void)
{
	char members[80];
	snprintf(members, sizeof(members), ",'to_s':%lld", (long long)cert.issued_s);
	with_issuers(members, "['*']");
	VERDICT(SCAN_KEY_OUT_OF_PERIOD, SCAN_REFUSE);
	snprintf(members, sizeof(members), ",'from_s':%lld,'to_s':%lld", (long long)cert.issued_s,
		 (long long)cert.issued_s + 1);
	with_issuers(members, "['*']");
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT); /* the key has ended since; what it signed in time stands */
	snprintf(members, sizeof(members), ",'from_s':%lld", (long long)cert.issued_s + 1);
	with_issuers(members, "['*']");
	VERDICT(SCAN_KEY_OUT_OF_PERIOD, SCAN_REFUSE);
	snprintf(members, sizeof(members), ",'compromised_s':%lld", (long long)cert.issued_s);
	with_issuers(members, "['*']");
	VERDICT(SCAN_KEY_COMPROMISED, SCAN_REFUSE);
	snprintf(members, sizeof(members), ",'compromised_s':%lld", (long long)cert.issued_s + 1);
	with_issuers(members, "['*']");
	VERDICT(SCAN_KEY_COMPROMISED, SCAN_REFER);
}

static void an_untrusted_clock_is_said(void)
{
	setting.clock_trusted = false;
	ask();
	VERDICT(SCAN_CLOCK_UNTRUSTED, SCAN_REFER);
}

static void times_are_kept_to_the_second_with_five_minutes_of_skew_at_the_start(void)
{
	cert.from_s = with.now_s + VERIFY_SKEW_S;
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	cert.from_s++;
	ask();
	VERDICT(SCAN_NOT_YET_VALID, SCAN_REFUSE);
	fresh(CERT_TYPE);
	cert.issued_s = with.now_s + VERIFY_SKEW_S + 1;
	ask();
	VERDICT(SCAN_NOT_YET_VALID, SCAN_REFUSE);
	fresh(CERT_TYPE);
	cert.to_s = with.now_s + 1;
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	cert.to_s = with.now_s;
	ask();
	VERDICT(SCAN_EXPIRED, SCAN_REFUSE);
}

static void status_set(enum ecert_status status, uint16_t last_day)
{
	struct err e = { 0 };
	static struct identifier id;
	fresh(CERT_TYPE);
	CU_ASSERT_TRUE_FATAL(ecert_identity(&cert, &id, &e));
	list_add(ECERT_LIST, IDENTIFIER_ECERT, id.canonical, entry_value((uint8_t)status, last_day));
	ask();
}

static void a_listed_certificate_is_revoked_suspended_or_superseded(void)
{
	status_set(ECERT_REVOKED, ENTRY_NO_END);
	VERDICT(SCAN_REVOKED, SCAN_REFUSE);
	status_set(ECERT_SUSPENDED, ENTRY_NO_END);
	VERDICT(SCAN_SUSPENDED, SCAN_REFER);
	status_set(ECERT_SUPERSEDED, ENTRY_NO_END);
	VERDICT(SCAN_SUPERSEDED, SCAN_REFUSE);
	status_set((enum ecert_status)77, ENTRY_NO_END); /* a reason of a later version */
	VERDICT(SCAN_REVOKED, SCAN_REFUSE);
	status_set(ECERT_SUSPENDED, 1); /* the suspension ended long ago */
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	CU_ASSERT_TRUE(v.has_tag);
}

/* A second signature over the same claims, and another compression of the same message, are the same certificate. */
static void revocation_goes_by_issuer_and_id_and_not_by_text_or_signature(void)
{
	status_set(ECERT_REVOKED, ENTRY_NO_END);
	uint64_t tag = v.tag;
	uint8_t first[64];
	memcpy(first, text.data + text.len - sizeof(first), sizeof(first));
	ask();
	CU_ASSERT_NOT_EQUAL(memcmp(first, text.data + text.len - sizeof(first), sizeof(first)), 0);
	VERDICT(SCAN_REVOKED, SCAN_REFUSE);
	CU_ASSERT_EQUAL(v.tag, tag);
}

static void an_old_list_is_a_duty_and_a_missing_one_is_referred(void)
{
	fresh(CERT_TYPE);
	with.lists.confirmed_s = with.now_s - VERIFY_FRESH_S;
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	with.lists.confirmed_s--;
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY);
	CU_ASSERT_EQUAL(v.list_age_s, VERIFY_FRESH_S + 1);
	with.lists.confirmed_s = with.now_s - 100 * 86400; /* it never stops a branch */
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY);
	with.lists.confirmed_s = -1;
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY);
	fresh(CERT_TYPE);
	with.lists.unheld = ECERT_LIST;
	cert = certificate_of(CERT_NOBODY, "1", with.now_s, NULL);
	request.business = "loan";
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_REFER);
	with.lists.unheld = NULL;
	with.lists.unreadable = ECERT_LIST;
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_REFER);
	setting.source = NULL;
	ask();
	VERDICT(SCAN_STATUS_STALE, SCAN_REFER);
}

static void revoked_on_an_old_list_is_revoked(void)
{
	status_set(ECERT_REVOKED, ENTRY_NO_END);
	with.lists.confirmed_s = with.now_s - 10 * 86400;
	ask();
	VERDICT(SCAN_REVOKED, SCAN_REFUSE);
	CU_ASSERT_TRUE(found(SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY));
}

static void another_customer_is_a_mismatch(void)
{
	snprintf(request.holder.number, sizeof(request.holder.number), "%s", OTHER);
	ask();
	VERDICT(SCAN_HOLDER_MISMATCH, SCAN_REFUSE);
	fresh(CERT_TYPE);
	snprintf(request.holder.name, sizeof(request.holder.name), "示例乙");
	ask();
	VERDICT(SCAN_HOLDER_MISMATCH, SCAN_REFUSE);
	fresh(CERT_TYPE);
	snprintf(request.holder.name, sizeof(request.holder.name), " 示例甲 ");
	ask();
	VERDICT(SCAN_ACCEPTED, SCAN_ACCEPT);
	fresh(CERT_TYPE);
	request.business = "loan";
	cert = certificate_of(CERT_MASKED, "1", with.now_s, NULL);
	snprintf(request.holder.number, sizeof(request.holder.number), "%s", OTHER);
	ask();
	VERDICT(SCAN_HOLDER_MISMATCH, SCAN_REFUSE);
}

static void a_customer_who_was_not_compared_is_said(void)
{
	request.has_holder = false;
	ask();
	VERDICT(SCAN_HOLDER_NOT_CHECKED, SCAN_REFER);
	fresh(CERT_TYPE);
	request.holder.kind = IDENTIFIER_PASSPORT; /* another document tells nothing */
	snprintf(request.holder.number, sizeof(request.holder.number), "E12345678");
	ask();
	VERDICT(SCAN_HOLDER_NOT_CHECKED, SCAN_REFER);
	fresh(CERT_TYPE);
	cert.holder_epoch++; /* its key is not held */
	ask();
	VERDICT(SCAN_HOLDER_NOT_CHECKED, SCAN_REFER);
}

static void a_business_that_does_not_take_the_kind_refuses(void)
{
	request.business = "transfer";
	ask();
	VERDICT(SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFUSE);
	request.business = "fishing";
	ask();
	VERDICT(SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFUSE);
	request.business = "";
	ask();
	VERDICT(SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFER);
	request.business = CERT_BUSINESS;
	policy.kinds = NULL;
	ask();
	VERDICT(SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFER);
}

static void the_first_failure_is_the_code_and_the_worst_is_the_outcome(void)
{
	cert.to_s = with.now_s - 1;
	with.lists.confirmed_s = with.now_s - 2 * VERIFY_FRESH_S;
	request.business = "transfer";
	snprintf(request.holder.number, sizeof(request.holder.number), "%s", OTHER);
	setting.clock_trusted = false;
	ask();
	VERDICT(SCAN_CLOCK_UNTRUSTED, SCAN_REFUSE);
	CU_ASSERT_EQUAL(v.findings_len, 5);
	CU_ASSERT_TRUE(found(SCAN_EXPIRED, SCAN_REFUSE) && found(SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY) &&
		       found(SCAN_HOLDER_MISMATCH, SCAN_REFUSE) &&
		       found(SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFUSE));
	for (size_t i = 1; i < v.findings_len; i++)
		CU_ASSERT_TRUE(v.findings[i - 1].code < v.findings[i].code);
}

static void every_code_and_hint_has_words_in_both_languages(void)
{
	for (enum scan_code c = SCAN_DAMAGED; c <= SCAN_CODE_LAST; c++)
		CU_ASSERT_TRUE(strlen(verify_code_zh(c)) > 0 && strlen(verify_code_en(c)) > 0);
	for (enum scan_text_hint h = SCAN_HINT_EMPTY; h <= SCAN_HINT_LAST; h++)
		CU_ASSERT_TRUE(strlen(verify_hint_zh(h)) > 0 && strlen(verify_hint_en(h)) > 0 &&
			       strlen(verify_hint_name(h)) > 0);
	/* Who is not known is not accused. */
	CU_ASSERT_PTR_NULL(strstr(verify_code_zh(SCAN_ISSUER_UNKNOWN), "伪"));
	CU_ASSERT_PTR_NULL(strstr(verify_code_en(SCAN_ISSUER_UNKNOWN), "forg"));
}

static CU_TestInfo tests[] = {
	{ "a good certificate of this customer is accepted", a_good_certificate_of_this_customer_is_accepted },
	{ "a scan that was changed is damaged, and never a bad signature",
	  a_scan_that_was_changed_is_damaged_and_never_a_bad_signature },
	{ "another code is not ours", another_code_is_not_ours },
	{ "a malformed certificate says which layer", a_malformed_certificate_says_which_layer },
	{ "an algorithm that is not ours, or not the key's, is refused",
	  an_algorithm_that_is_not_ours_or_not_the_keys_is_refused },
	{ "an issuer whose key is not held is unknown, and not called a forger",
	  an_issuer_whose_key_is_not_held_is_unknown_and_not_called_a_forger },
	{ "a signature that does not match shows nothing of the claims",
	  a_signature_that_does_not_match_shows_nothing_of_the_claims },
	{ "an issuer signs only what it may, and only as itself",
	  an_issuer_signs_only_what_it_may_and_only_as_itself },
	{ "a key signs in its period, and a lost one not at all",
	  a_key_signs_in_its_period_and_a_lost_one_not_at_all },
	{ "an untrusted clock is said", an_untrusted_clock_is_said },
	{ "times are kept to the second, with five minutes of skew at the start",
	  times_are_kept_to_the_second_with_five_minutes_of_skew_at_the_start },
	{ "a listed certificate is revoked, suspended or superseded",
	  a_listed_certificate_is_revoked_suspended_or_superseded },
	{ "revocation goes by issuer and id, and not by text or signature",
	  revocation_goes_by_issuer_and_id_and_not_by_text_or_signature },
	{ "an old list is a duty, and a missing one is referred",
	  an_old_list_is_a_duty_and_a_missing_one_is_referred },
	{ "revoked on an old list is revoked", revoked_on_an_old_list_is_revoked },
	{ "another customer is a mismatch", another_customer_is_a_mismatch },
	{ "a customer who was not compared is said", a_customer_who_was_not_compared_is_said },
	{ "a business that does not take the kind refuses", a_business_that_does_not_take_the_kind_refuses },
	{ "the first failure is the code, and the worst is the outcome",
	  the_first_failure_is_the_code_and_the_worst_is_the_outcome },
	{ "every code and hint has words in both languages", every_code_and_hint_has_words_in_both_languages },
	CU_TEST_INFO_NULL,
};
SUITE(verify, setup, teardown, tests);
