#include "protocol/issuers.h"
#include "tests/support/documents.h"
#include "tests/support/keys.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "'name':{'zh':'名','en':'name'}"
#define ISSUER(code, profile, kinds, keys)                                                                           \
	"{'code':'" code "','profile':'" profile "'," NAME ",'kinds':" kinds ",'keys':[" keys "]}"
#define DOCUMENT(issuers) "{'type':'issuers','title':{'zh':'题','en':'title'},'sample':true,'issuers':[" issuers "]}"
#define KEY(kid, rest)    "{'kid':'" kid "','alg':'ES256','key':'$P'" rest "}"
#define PLAIN(kid)        KEY(kid, "")

static struct err e;
static struct buf point_der, certificate, rsa; /* base64 */

static void encode(struct bytes der, struct buf *out)
{
	buf_init(out, 8192);
	base64_encode(der, out);
}

static void encode_hex(const char *hex, struct buf *out)
{
	struct buf der;
	buf_init(&der, 8192);
	hex_read(bytes_of(hex), &der);
	encode(buf_bytes(&der), out);
	buf_clear(&der);
}

static void setup(void)
{
	uint64_t seed = 3;
	struct random seeded = random_seeded(&seed);
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
	struct buf der;
	e = (struct err){ 0 };
	key_new(&seeded, scalar, point);
	buf_init(&der, 256);
	CU_ASSERT_TRUE_FATAL(public_key_der(point, &der, &e));
	encode(buf_bytes(&der), &point_der);
	encode_hex(keys_certificate_hex, &certificate);
	encode_hex(keys_rsa_2048_hex, &rsa);
	buf_clear(&der);
}

static void teardown(void)
{
	buf_clear(&point_der);
	buf_clear(&certificate);
	buf_clear(&rsa);
}

/* JSON with $P, $C and $R for the point, the certificate and the RSA key. */
static struct buf document_of(const char *json)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	for (; *json != '\0'; json++) {
		if (*json != '$') {
			buf_add_u8(&text, (uint8_t)*json);
			continue;
		}
		json++;
		struct buf *key = *json == 'P' ? &point_der : *json == 'C' ? &certificate : &rsa;
		buf_add(&text, key->data, key->len);
	}
	struct buf document = cbor_of(buf_str(&text), NULL);
	buf_clear(&text);
	return document;
}

static struct issuers *issuers_of(const char *json)
{
	struct buf document = document_of(json);
	struct issuers *s = issuers_parse(buf_bytes(&document), &e);
	buf_clear(&document);
	return s;
}

static const struct issuer_key *key_of(const struct issuers *s, enum ecert_profile profile, const char *kid)
{
	return issuers_next(s, profile, bytes_of(kid), NULL);
}

static void a_document_is_read_with_all_it_says(void)
{
	struct issuers *s = issuers_of(DOCUMENT(
		ISSUER("A1", "xb1", "['T2','T1']",
		       KEY("6161", ",'from_s':10,'to_s':20,'compromised_s':15,'kinds':['T1']") "," PLAIN(
			       "6Ab0")) "," ISSUER("XX", "hc1", "['*']", "{'kid':'6262','alg':'PS256','key':'$R'}")));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_TRUE(s->sample && s->issuers_len == 2 && s->keys_len == 3 && s->keys_total == 3 &&
		       s->faults_len == 0);
	const struct issuer_key *a = key_of(s, ECERT_XB1, "aa"), *b = key_of(s, ECERT_XB1, "j\xb0"),
				*c = key_of(s, ECERT_HC1, "bb");
	CU_ASSERT_TRUE_FATAL(a != NULL && b != NULL && c != NULL);
	CU_ASSERT_TRUE(a->from_s == 10 && a->to_s == 20 && a->compromised_s == 15);
	CU_ASSERT_TRUE(b->from_s == INT64_MIN && b->to_s == INT64_MAX && b->compromised_s == INT64_MAX);
	CU_ASSERT_TRUE(public_key_alg(a->key) == ALG_ES256 && public_key_alg(c->key) == ALG_PS256);
	CU_ASSERT_STRING_EQUAL(a->issuer->code, "A1");
	CU_ASSERT_STRING_EQUAL(c->issuer->name_zh, "名");
	/* both the issuer and the key have to cover a kind */
	CU_ASSERT_TRUE(issuer_key_covers(a, "T1") && !issuer_key_covers(a, "T2"));
	CU_ASSERT_TRUE(issuer_key_covers(b, "T1") && issuer_key_covers(b, "T2") && !issuer_key_covers(b, "T3"));
	CU_ASSERT_TRUE(issuer_key_covers(c, "hc1-v") && issuer_key_covers(c, "anything"));
	issuers_free(s);
}

static void a_key_is_found_by_profile_and_whole_kid(void)
{
	struct issuers *s = issuers_of(DOCUMENT(ISSUER("A", "xb1", "['*']", PLAIN("6161")) "," ISSUER(
		"B", "xb1", "['*']", PLAIN("6161") "," PLAIN("61")) "," ISSUER("A", "hc1", "['*']", PLAIN("6161"))));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	unsigned seen = 0;
	for (const struct issuer_key *k = NULL; (k = issuers_next(s, ECERT_XB1, bytes_of("aa"), k)) != NULL; seen++)
		CU_ASSERT_TRUE(k->issuer->profile == ECERT_XB1 && k->kid_len == 2);
	CU_ASSERT_EQUAL(seen, 2);
	const struct issuer_key *h = key_of(s, ECERT_HC1, "aa");
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	CU_ASSERT_PTR_NULL(issuers_next(s, ECERT_HC1, bytes_of("aa"), h));
	CU_ASSERT_PTR_NOT_NULL(key_of(s, ECERT_XB1, "a"));
	CU_ASSERT_PTR_NULL(key_of(s, ECERT_HC1, "a"));
	CU_ASSERT_PTR_NULL(key_of(s, ECERT_XB1, "aaa"));
	CU_ASSERT_PTR_NULL(key_of(s, ECERT_XB1, ""));
	issuers_free(s);
}

/* Each beside a good key, which stays. */
static void a_bad_key_costs_itself_alone_and_is_reported(void)
{
	static const struct {
		const char *key, *kid, *says;
	} bad[] = {
		{ PLAIN("6161"), "6161", "has this kid already" },
		{ PLAIN("616"), "616", "kid" },
		{ PLAIN(""), "", "kid" },
		{ PLAIN("61zz"), "61zz", "kid: it is not hex" },
		{ "{'kid':'63','alg':'ES256','key':'$R'}", "63", "alg" },
		{ "{'kid':'63','alg':'ES384','key':'$P'}", "63", "alg: 'ES384'" },
		{ "{'kid':'63','alg':'ES256','key':'!'}", "63", "key" },
		{ "{'kid':'63','alg':'ES256','key':'MAA='}", "63", "key" },
		{ "{'kid':'63','alg':'ES256'}", "63", "key is missing" },
		{ "{'kid':'63','key':'$P'}", "63", "alg is missing" },
		{ "{'alg':'ES256','key':'$P'}", "", "kid is missing" },
		{ KEY("63", ",'from_s':5,'to_s':5"), "63", "ends before it begins" },
		{ KEY("63", ",'from_s':-1"), "63", "from_s" },
		{ KEY("63", ",'kinds':['*','T1']"), "63", "kinds" },
		{ KEY("63", ",'use':1"), "", "unknown field 'use'" },
		{ "7", "", "" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char json[4096];
		snprintf(json, sizeof(json),
			 DOCUMENT(ISSUER("A", "xb1", "['*']", PLAIN("6161") ",%s," PLAIN("6464"))), bad[i].key);
		struct issuers *s = issuers_of(json);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_TRUE(s->keys_len == 2 && s->keys_total == 3 && key_of(s, ECERT_XB1, "dd") != NULL);
		CU_ASSERT_EQUAL_FATAL(s->faults_len, 1);
		CU_ASSERT_STRING_EQUAL(s->faults[0].issuer, "A");
		CU_ASSERT_STRING_EQUAL(s->faults[0].kid, bad[i].kid);
		CU_ASSERT_TRUE(s->faults[0].why[0] != '\0' && strstr(s->faults[0].why, bad[i].says) != NULL);
		if (strstr(s->faults[0].why, bad[i].says) == NULL)
			printf("\n%s: %s\n", bad[i].key, s->faults[0].why);
		issuers_free(s);
	}
}

/* Its certificate says: tests and vaccinations. */
static void a_key_of_the_eu_signs_what_its_certificate_says_unless_kinds_are_given(void)
{
	struct issuers *s = issuers_of(DOCUMENT(
		ISSUER("XX", "hc1", "['*']",
		       "{'kid':'61','alg':'ES256','key':'$C'},{'kid':'62','alg':'ES256','key':'$C','kinds':['hc1-r']}"
		       "," PLAIN("63")) "," ISSUER("A", "xb1", "['*']", "{'kid':'64','alg':'ES256','key':'$C'}")));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	const struct issuer_key *said = key_of(s, ECERT_HC1, "a"), *given = key_of(s, ECERT_HC1, "b"),
				*bare = key_of(s, ECERT_HC1, "c"), *ours = key_of(s, ECERT_XB1, "d");
	CU_ASSERT_TRUE_FATAL(said != NULL && given != NULL && bare != NULL && ours != NULL);
	CU_ASSERT_TRUE(issuer_key_covers(said, "hc1-t") && issuer_key_covers(said, "hc1-v"));
	CU_ASSERT_FALSE(issuer_key_covers(said, "hc1-r"));
	CU_ASSERT_TRUE(issuer_key_covers(given, "hc1-r") && !issuer_key_covers(given, "hc1-v"));
	CU_ASSERT_TRUE(issuer_key_covers(bare, "hc1-r") && issuer_key_covers(ours, "T1"));
	issuers_free(s);
}

static void a_document_is_refused_with_the_reason(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
		{ "{}", "type is missing" },
		{ "{'type':'kinds','title':{'zh':'a','en':'b'},'sample':true,'issuers':[]}",
		  "'issuers' was expected" },
		{ "{'type':'issuers','title':{'zh':'a','en':'b'},'sample':true}", "issuers is missing" },
		{ "{'type':'issuers','title':{'zh':'a','en':'b'},'sample':true,'issuers':[],'x':1}",
		  "unknown field 'x'" },
		{ DOCUMENT(ISSUER("A", "xb2", "['*']", "")), "issuer 1: profile: 'xb2'" },
		{ DOCUMENT(ISSUER("", "xb1", "['*']", "")), "code" },
		{ DOCUMENT(ISSUER("A", "xb1", "['*']", "") "," ISSUER("A", "xb1", "['*']", "")),
		  "issuer 2: the issuer stands there twice" },
		{ DOCUMENT(ISSUER("A", "xb1", "['*','T']", "")), "kinds" },
		{ DOCUMENT(ISSUER("A", "xb1", "['']", "")), "kinds" },
		{ DOCUMENT(ISSUER("A", "xb1", "'*'", "")), "kinds" },
		{ DOCUMENT("{'code':'A','profile':'xb1'," NAME ",'keys':[]}"), "kinds is missing" },
		{ DOCUMENT("{'code':'A','profile':'xb1'," NAME ",'kinds':['*']}"), "keys is missing" },
		{ DOCUMENT("{'code':'A','profile':'xb1','kinds':['*'],'keys':[]}"), "name" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct err){ 0 };
		struct issuers *s = issuers_of(bad[i].json);
		CU_ASSERT_PTR_NULL(s);
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
		if (strstr(e.text, bad[i].says) == NULL)
			printf("\n%s: %s\n", bad[i].json, e.text);
		issuers_free(s);
	}
}

static void an_issuer_without_kinds_signs_nothing_and_one_without_keys_is_no_fault(void)
{
	struct issuers *s =
		issuers_of(DOCUMENT(ISSUER("A", "xb1", "[]", PLAIN("61")) "," ISSUER("B", "xb1", "['*']", "")));
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	const struct issuer_key *k = key_of(s, ECERT_XB1, "a");
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_FALSE(issuer_key_covers(k, "T") || issuer_key_covers(k, "*") || issuer_key_covers(k, ""));
	CU_ASSERT_EQUAL(s->faults_len, 0);
	issuers_free(s);
}

static bool parse(struct bytes data, struct err *why)
{
	struct issuers *s = issuers_parse(data, why);
	bool ok = s != NULL;
	issuers_free(s);
	return ok;
}

static void a_truncated_or_bent_document_never_harms(void)
{
	struct buf document = document_of(DOCUMENT(ISSUER("A", "xb1", "['*']", KEY("61", ",'kinds':['T1']"))));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&document), parse));
	for (size_t i = 0; i < document.len; i++)
		for (unsigned bit = 0; bit < 8; bit += 3) {
			e = (struct err){ 0 };
			document.data[i] ^= (uint8_t)(1U << bit);
			CU_ASSERT_TRUE(parse(buf_bytes(&document), &e) || e.code == ERR_INPUT);
			document.data[i] ^= (uint8_t)(1U << bit);
		}
	buf_clear(&document);
}

static CU_TestInfo tests[] = {
	{ "a document is read with all it says", a_document_is_read_with_all_it_says },
	{ "a key is found by profile and whole kid", a_key_is_found_by_profile_and_whole_kid },
	{ "a bad key costs itself alone and is reported", a_bad_key_costs_itself_alone_and_is_reported },
	{ "a key of the EU signs what its certificate says, unless kinds are given",
	  a_key_of_the_eu_signs_what_its_certificate_says_unless_kinds_are_given },
	{ "a document is refused with the reason", a_document_is_refused_with_the_reason },
	{ "an issuer without kinds signs nothing, and one without keys is no fault",
	  an_issuer_without_kinds_signs_nothing_and_one_without_keys_is_no_fault },
	{ "a truncated or bent document never harms", a_truncated_or_bent_document_never_harms },
	CU_TEST_INFO_NULL,
};
SUITE(issuers, setup, teardown, tests);
