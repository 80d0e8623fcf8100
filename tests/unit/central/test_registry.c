/* The registry of certificates, issuers' keys, and the list of what is not valid, over a real central. */
#include "central/release/document.h"
#include "central/registry/issuer_keys.h"
#include "central/release/objects.h"
#include "central/registry/revocation.h"
#include "protocol/base/file.h"
#include "protocol/ecert_id.h"
#include "protocol/entry.h"
#include "protocol/issuers.h"
#include "protocol/segment.h"
#include "protocol/sign1.h"
#include "protocol/tag.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDER "330802185001010013" /* nobody's */
#define OTHER  "330802187001010020"
#define OF(n)  "'holder':{'kind':'resident_id','number':'" n "','name':'示例甲'}"
#define DAY    86400

static struct centre centre;
static int64_t now_s;

static void setup(void)
{
	centre_open(&centre);
	centre_issuer(&centre);
	now_s = CENTRE_NOW_S;
}

static void teardown(void)
{
	centre_close(&centre);
}

static const char *issued(const char *json)
{
	static char ring[4][ECERT_ID_MAX + 1];
	static unsigned next;
	struct err e = { 0 };
	char *id = ring[next++ % 4];
	bool ok = centre_issue(&centre, json, now_s, id, &e);
	if (!ok)
		fprintf(stderr, "[%s] ", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	return id;
}

static struct registry_row row_of(const char *id)
{
	struct registry_row r;
	CU_ASSERT_TRUE_FATAL(registry_load(&centre.release, id, &r, NULL, NULL, NULL));
	return r;
}

static bool set(const char *id, enum ecert_status status, struct err *e)
{
	return registry_set(&centre.release, id, status, "a reason", "alice", now_s, e);
}

/* --- issuing --- */

static void a_certificates_identifier_is_gb_t_36904s_and_its_claims_what_was_asked(void)
{
	const char *id = issued("'number':'示例第1号'," OF(HOLDER) ",'to':'2030-01-31'");
	struct ecert_id parts;
	struct ecert cert;
	struct sign1 message;
	struct buf cose, memory;
	CU_ASSERT_TRUE(ecert_id_parse(bytes_of(id), &parts, NULL, NULL)); /* its check character too */
	CU_ASSERT_STRING_EQUAL(parts.type, CENTRE_CARD);
	CU_ASSERT_STRING_EQUAL(parts.issuer, CENTRE_ISSUER);
	CU_ASSERT_STRING_EQUAL(parts.version, "001");
	struct registry_row r;
	buf_init(&cose, (size_t)2 * ECERT_COSE_MAX);
	buf_init(&memory, (size_t)2 * ECERT_COSE_MAX);
	CU_ASSERT_TRUE_FATAL(registry_load(&centre.release, id, &r, &cose, NULL, NULL));
	CU_ASSERT_STRING_EQUAL(r.holder, HOLDER);
	CU_ASSERT_STRING_EQUAL(r.holder_name, "示例甲");
	CU_ASSERT_EQUAL(r.status, ECERT_VALID);
	CU_ASSERT_TRUE_FATAL(sign1_parse(buf_bytes(&cose), SIGN1_STRICT, &memory, &message, NULL) &&
			     ecert_decode(message.payload, &cert, NULL));
	CU_ASSERT_STRING_EQUAL(cert.id, id);
	CU_ASSERT_STRING_EQUAL(cert.number, "示例第1号");
	CU_ASSERT_EQUAL(cert.to_s, 1896105600); /* the end of 2030-01-31 in China */
	CU_ASSERT_TRUE(cert.holder_is_tagged);
	buf_clear(&cose);
	buf_clear(&memory);
}

static void a_request_is_judged_field_by_field(void)
{
	static const struct {
		const char *json, *field;
	} bad[] = {
		{ "'number':'1'", "holder" },
		{ "'holder':{'kind':'resident_id'}", "holder.number" },
		{ "'holder':{'kind':'resident_id','number':'330802185001010014'}", "holder.number" },
		{ "'holder':{'kind':'uscc','number':'91330802MA0000103C'}", "holder.kind" },
		{ "'holder':{'kind':'ecert','number':'1'}", "holder.kind" },
		{ "'holder':{'kind':'resident_id','number':'" HOLDER "','age':3}", "holder" },
		{ OF(HOLDER) ",'to':'2020-01-01'", "to:" },
		{ OF(HOLDER) ",'from':'2030-01-02','to':'2030-01-01'", "to:" },
		{ OF(HOLDER) ",'from':'2030-02-30'", "from" },
		{ OF(HOLDER) ",'digest':'00'", "digest" },
		{ OF(HOLDER) ",'file':'AAAA'", "media_type" },
		{ OF(HOLDER) ",'media_type':'image/png'", "media_type" },
		{ OF(HOLDER) ",'media_type':'image/png','file':'AAAA','digest':"
			     "'0000000000000000000000000000000000000000000000000000000000000000'",
		  "digest" },
		{ OF(HOLDER) ",'media_type':'image/png','file':'!'", "file" },
		{ OF(HOLDER) ",'supersedes':'1.2.3'", "supersedes" },
		{ OF(HOLDER) ",'request_id':'a b'", "request_id" },
		{ OF(HOLDER) ",'colour':'red'", "colour" },
	};
	int64_t before = centre_count(&centre, "SELECT COUNT(*) FROM certificate");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		char id[ECERT_ID_MAX + 1];
		bool ok = centre_issue(&centre, bad[i].json, now_s, id, &e);
		if (ok || strstr(e.text, bad[i].field) == NULL)
			fprintf(stderr, "[%s: %s] ", bad[i].json, e.text);
		CU_ASSERT_FALSE(ok);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].field));
		CU_ASSERT_PTR_NULL(strstr(e.text, "330802185001010")); /* no number in a sentence */
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM certificate"), before);
}

static void a_repeated_request_gets_the_same_certificate_and_another_under_its_id_a_conflict(void)
{
	char id[ECERT_ID_MAX + 1], again[ECERT_ID_MAX + 1];
	struct err e = { 0 };
	int64_t before = centre_count(&centre, "SELECT COUNT(*) FROM certificate");
	CU_ASSERT_TRUE(centre_issue(&centre, "'request_id':'r-1'," OF(HOLDER), now_s, id, &e));
	CU_ASSERT_TRUE(centre_issue(&centre, "'request_id':'r-1'," OF(HOLDER), now_s + 5, again, &e));
	CU_ASSERT_STRING_EQUAL(id, again);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM certificate"), before + 1);
	CU_ASSERT_FALSE(centre_issue(&centre, "'request_id':'r-1'," OF(OTHER), now_s, again, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
}

static void a_serial_is_never_given_out_twice_also_after_a_failure(void)
{
	struct registry_issue i = { 0 };
	char id[ECERT_ID_MAX + 1] = "", first[ECERT_ID_MAX + 1];
	bool again = false;
	static const char json[] = "{\"issuer\":\"" CENTRE_ISSUER "\",\"kind\":\"" CENTRE_CARD
				   "\",\"holder\":{\"kind\":\"resident_id\",\"number\":\"" HOLDER "\"}}";
	buf_init(&i.file, 16);
	CU_ASSERT_TRUE_FATAL(registry_request_parse(bytes_of(json), &i.request, &i.file, NULL) &&
			     registry_begin(&centre.release, &i, now_s, id, &again, NULL));
	snprintf(first, sizeof(first), "%s", i.cert.id);
	registry_issue_clear(&i); /* the signer never answered */
	CU_ASSERT_STRING_NOT_EQUAL(issued(OF(HOLDER)), first);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) - COUNT(DISTINCT id) FROM certificate"), 0);
}

static void nothing_personal_stands_in_the_database(void)
{
	char path[160];
	struct buf all;
	(void)issued("'number':'示例编号七七七'," OF(
		HOLDER) ",'media_type':'text/plain','file':'bWFkZS11cCBwaWN0dXJl'"); /* "made-up picture" */
	static const char *const files[] = { "central.db", "central.db-wal" };
	for (size_t i = 0; i < 2; i++) {
		buf_init(&all, 64U << 20);
		snprintf(path, sizeof(path), "%s/%s", centre.dir, files[i]);
		CU_ASSERT_TRUE(file_read(path, &all, NULL));
		static const char *const words[] = { HOLDER, "示例甲", "示例编号七七七", "made-up picture" };
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			CU_ASSERT_PTR_NULL(memmem(all.data, all.len, words[k], strlen(words[k])));
		buf_clear(&all);
	}
}

/* --- steps --- */

static void what_supersedes_is_the_next_version_and_ends_the_one_before(void)
{
	char json[400], first[ECERT_ID_MAX + 1];
	struct err e = { 0 };
	char id[ECERT_ID_MAX + 1];
	struct ecert_id old, new;
	snprintf(first, sizeof(first), "%s", issued(OF(HOLDER)));
	snprintf(json, sizeof(json), OF(HOLDER) ",'supersedes':'%s'", first);
	const char *second = issued(json);
	CU_ASSERT_TRUE(ecert_id_parse(bytes_of(first), &old, NULL, NULL) &&
		       ecert_id_parse(bytes_of(second), &new, NULL, NULL));
	CU_ASSERT_STRING_EQUAL(new.serial, old.serial);
	CU_ASSERT_STRING_EQUAL(new.version, "002");
	CU_ASSERT_EQUAL(row_of(first).status, ECERT_SUPERSEDED);
	CU_ASSERT_STRING_EQUAL(row_of(first).status_reason, second);
	CU_ASSERT_FALSE(centre_issue(&centre, json, now_s, id, &e)); /* once */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
}

static void revoked_is_for_good_and_suspended_ends_by_two_people(void)
{
	struct release_context *c = &centre.release;
	struct err e = { 0 };
	bool done = true;
	const char *id = issued(OF(HOLDER));
	CU_ASSERT_FALSE(registry_set(c, id, ECERT_SUSPENDED, "", "alice", now_s, &e)); /* no reason */
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_FALSE(set(id, ECERT_VALID, &e));
	CU_ASSERT_FALSE(set(id, ECERT_SUPERSEDED, &e));
	CU_ASSERT_FALSE(registry_reinstate(c, id, "alice", now_s, &done, &e)); /* it is valid */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(set(id, ECERT_SUSPENDED, &e));
	CU_ASSERT_FALSE(set(id, ECERT_SUSPENDED, &e));
	CU_ASSERT_TRUE(registry_reinstate(c, id, "alice", now_s, &done, &e));
	CU_ASSERT_FALSE(done);
	CU_ASSERT_EQUAL(row_of(id).status, ECERT_SUSPENDED);
	CU_ASSERT_FALSE(registry_reinstate(c, id, "alice", now_s, &done, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_TRUE(registry_reinstate(c, id, "bob", now_s, &done, &e));
	CU_ASSERT_TRUE(done);
	CU_ASSERT_EQUAL(row_of(id).status, ECERT_VALID);
	CU_ASSERT_TRUE(set(id, ECERT_SUSPENDED, &e));
	CU_ASSERT_TRUE(set(id, ECERT_REVOKED, &e)); /* from suspended, too */
	CU_ASSERT_FALSE(set(id, ECERT_REVOKED, &e));
	CU_ASSERT_FALSE(registry_reinstate(c, id, "bob", now_s, &done, &e));
	CU_ASSERT_EQUAL(row_of(id).status, ECERT_REVOKED);
	CU_ASSERT_FALSE(set("1.2.156.3005.2.none", ECERT_REVOKED, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	/* Each step is in the audit under who took it. */
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE operator = 'bob' AND what = "
					      "'certificate.reinstated'"),
			1);
}

static unsigned seen;
static void see(void *arg, const struct registry_row *r)
{
	const char *holder = arg;
	CU_ASSERT_STRING_EQUAL(r->holder, holder);
	seen++;
}

static void a_holder_is_found_by_his_number_and_nobody_else_with_him(void)
{
	struct release_context *c = &centre.release;
	char lonely[] = "330802186001010018"; /* nobody's either */
	int64_t all = centre_count(&centre, "SELECT COUNT(*) FROM certificate");
	(void)issued("'holder':{'kind':'resident_id','number':'330802186001010018'}");
	(void)issued("'holder':{'kind':'resident_id','number':'330802186001010018'}");
	seen = 0;
	CU_ASSERT_TRUE(registry_each_of_holder(c, IDENTIFIER_RESIDENT_ID, lonely, "", 10, see, lonely, NULL));
	CU_ASSERT_EQUAL(seen, 2);
	seen = 0;
	CU_ASSERT_TRUE(registry_each_of_holder(c, IDENTIFIER_RESIDENT_ID, lonely, CENTRE_CARD, 1, see, lonely, NULL));
	CU_ASSERT_EQUAL(seen, 1);
	CU_ASSERT_TRUE(registry_each_of_holder(c, IDENTIFIER_RESIDENT_ID, lonely, "another", 10, see, lonely, NULL) &&
		       registry_each_of_holder(c, IDENTIFIER_PASSPORT, lonely, "", 10, see, lonely, NULL));
	CU_ASSERT_EQUAL(seen, 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM certificate"), all + 2);
}

/* --- the list --- */

static struct release list_now(void)
{
	struct release r;
	CU_ASSERT_TRUE_FATAL(release_current(&centre.release, ECERT_LIST, &r, NULL));
	return r;
}

/* What the published list says of a certificate: its status' number, 0 it is not there. */
static unsigned listed(const char *id)
{
	struct release r = list_now();
	struct tag_key key;
	struct identifier identity;
	struct registry_row row = row_of(id);
	struct file_map map;
	struct segment s;
	uint32_t value = 0;
	CU_ASSERT_TRUE_FATAL(
		identifier_parse(IDENTIFIER_ECERT, row.identity, strlen(row.identity), 0, &identity, NULL, NULL));
	CU_ASSERT_TRUE_FATAL(revocation_key(&centre.release, now_s, &key, NULL));
	CU_ASSERT_TRUE_FATAL(objects_map(&centre.objects, r.content.hash, &map, NULL));
	CU_ASSERT_TRUE_FATAL(segment_open(map.bytes, &s, NULL));
	bool hit = segment_find(&s, tag_of(&key, &identity), &value);
	file_unmap(&map);
	return hit ? entry_reason(value) : 0;
}

static bool publish(void)
{
	bool published = false;
	CU_ASSERT_TRUE_FATAL(revocation_publish(&centre.release, now_s, &published, NULL));
	return published;
}

static void what_is_not_valid_is_listed_with_its_reason_and_nothing_else(void)
{
	char json[400], valid[ECERT_ID_MAX + 1], suspended[ECERT_ID_MAX + 1], revoked[ECERT_ID_MAX + 1],
		superseded[ECERT_ID_MAX + 1];
	snprintf(valid, sizeof(valid), "%s", issued(OF(HOLDER)));
	snprintf(suspended, sizeof(suspended), "%s", issued(OF(HOLDER)));
	snprintf(revoked, sizeof(revoked), "%s", issued(OF(HOLDER)));
	snprintf(superseded, sizeof(superseded), "%s", issued(OF(HOLDER)));
	(void)publish();
	snprintf(json, sizeof(json), OF(HOLDER) ",'supersedes':'%s'", superseded);
	(void)issued(json);
	CU_ASSERT_TRUE(set(suspended, ECERT_SUSPENDED, NULL) && set(revoked, ECERT_REVOKED, NULL));
	CU_ASSERT_EQUAL(listed(revoked), 0);
	uint64_t before = list_now().version;
	CU_ASSERT_TRUE(publish());
	CU_ASSERT_EQUAL(list_now().version, before + 1);
	CU_ASSERT_EQUAL(listed(valid), 0);
	CU_ASSERT_EQUAL(listed(suspended), ECERT_SUSPENDED);
	CU_ASSERT_EQUAL(listed(revoked), ECERT_REVOKED);
	CU_ASSERT_EQUAL(listed(superseded), ECERT_SUPERSEDED);
	/* Besides the canary. */
	CU_ASSERT_EQUAL((int64_t)list_now().count - 1,
			centre_count(&centre, "SELECT COUNT(*) FROM certificate WHERE status <> 0"));
	CU_ASSERT_FALSE(publish()); /* nothing changed */
	CU_ASSERT_EQUAL(list_now().version, before + 1);
}

static void a_revocation_that_a_crash_has_cut_from_its_list_is_published_at_the_next_start(void)
{
	char id[ECERT_ID_MAX + 1];
	snprintf(id, sizeof(id), "%s", issued(OF(HOLDER)));
	(void)publish();
	CU_ASSERT_TRUE(set(id, ECERT_REVOKED, NULL));
	centre_reopen(&centre); /* as after kill -9 */
	CU_ASSERT_EQUAL(listed(id), 0);
	CU_ASSERT_TRUE(publish());
	CU_ASSERT_EQUAL(listed(id), ECERT_REVOKED);
}

/* --- issuers' keys --- */

/* The document as branches would read it. */
static struct issuers *document(void)
{
	struct buf json, cbor;
	struct err e = { 0 };
	buf_init(&json, 1 << 20);
	buf_init(&cbor, 1 << 20);
	CU_ASSERT_TRUE_FATAL(issuers_document(centre.db, &json, &e));
	CU_ASSERT_TRUE_FATAL(document_from_json(buf_bytes(&json), "issuers", &cbor, &e));
	struct issuers *s = issuers_parse(buf_bytes(&cbor), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	buf_clear(&json);
	buf_clear(&cbor);
	return s;
}

static void key_add(uint8_t kid_byte, int64_t at_s, int64_t overlap_s)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN], kid[8] = { kid_byte };
	struct buf der;
	key_new(&random_system, scalar, point);
	buf_init(&der, 4096);
	CU_ASSERT_TRUE_FATAL(public_key_der(point, &der, NULL));
	const struct issuer_key_new n = { .issuer = CENTRE_ISSUER,
					  .kid = kid,
					  .kid_len = sizeof(kid),
					  .alg = alg_name(ALG_ES256),
					  .der = buf_bytes(&der),
					  .sealed = bytes_of("sealed"),
					  .from_s = at_s,
					  .to_s = INT64_MAX,
					  .overlap_s = overlap_s };
	struct err e = { 0 };
	CU_ASSERT_TRUE_FATAL(issuer_key_add(centre.db, &n, "alice", at_s, &e));
	CU_ASSERT_FALSE(issuer_key_add(centre.db, &n, "alice", at_s, &e)); /* this kid is taken */
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	buf_clear(&der);
}

static uint8_t signing(int64_t at_s)
{
	struct issuer_signing s;
	CU_ASSERT_TRUE_FATAL(issuer_signing(centre.db, CENTRE_ISSUER, at_s, &s, NULL));
	buf_clear(&s.sealed);
	return s.kid[0];
}

static const struct issuer_key *key_of(const struct issuers *s, uint8_t kid_byte)
{
	const uint8_t kid[8] = { kid_byte };
	return issuers_next(s, ECERT_XB1, (struct bytes){ kid, sizeof(kid) }, NULL);
}

static void a_rotated_key_goes_on_verifying_for_its_overlap_and_the_new_one_signs(void)
{
	key_add(1, now_s + 1, 0);
	CU_ASSERT_EQUAL(signing(now_s + 1), 1);
	key_add(2, now_s + 2, 30 * DAY);
	CU_ASSERT_EQUAL(signing(now_s + 2), 2);
	struct issuers *s = document();
	CU_ASSERT_PTR_NOT_NULL_FATAL(key_of(s, 1));
	CU_ASSERT_PTR_NOT_NULL_FATAL(key_of(s, 2));
	CU_ASSERT_EQUAL(key_of(s, 1)->to_s, now_s + 2 + 30 * DAY);
	CU_ASSERT_EQUAL(s->keys_len, s->keys_total);
	issuers_free(s);
	key_add(5, now_s + 3, 0); /* a shorter overlap is the last key's alone */
	s = document();
	CU_ASSERT_EQUAL(key_of(s, 1)->to_s, now_s + 2 + 30 * DAY);
	CU_ASSERT_EQUAL(key_of(s, 2)->to_s, now_s + 3);
	issuers_free(s);
}

static void a_withdrawn_key_ends_now_and_a_lost_one_says_since_when(void)
{
	struct err e = { 0 };
	key_add(3, now_s + 3, 0);
	key_add(4, now_s + 4, 30 * DAY);
	CU_ASSERT_TRUE(
		issuer_key_withdraw(centre.db, CENTRE_ISSUER, "0400000000000000", false, 0, "alice", now_s + 5, &e));
	struct issuer_signing none;
	CU_ASSERT_FALSE(
		issuer_signing(centre.db, CENTRE_ISSUER, now_s + 6, &none, &e)); /* 3 only goes on verifying */
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_TRUE(issuer_key_withdraw(centre.db, CENTRE_ISSUER, "0300000000000000", true, now_s - 10, "alice",
					   now_s + 7, &e));
	CU_ASSERT_FALSE(issuer_key_withdraw(centre.db, CENTRE_ISSUER, "ff", true, 0, "alice", now_s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	struct issuers *s = document();
	CU_ASSERT_PTR_NOT_NULL_FATAL(key_of(s, 3));
	CU_ASSERT_EQUAL(key_of(s, 3)->compromised_s, now_s - 10);
	CU_ASSERT_EQUAL(key_of(s, 4)->to_s, now_s + 5);
	issuers_free(s);
}

static void an_issuer_signs_what_it_is_entitled_to(void)
{
	const struct issuer_new n = { "11330800SAMPLE0002", "示例二局", "Second sample", ECERT_XB1, "A,B" };
	struct err e = { 0 };
	CU_ASSERT_TRUE(issuer_add(centre.db, &n, "alice", now_s, &e));
	CU_ASSERT_FALSE(issuer_add(centre.db, &n, "alice", now_s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(issuer_may(centre.db, n.code, "A", &e) && issuer_may(centre.db, n.code, "B", &e));
	CU_ASSERT_FALSE(issuer_may(centre.db, n.code, "C", &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	CU_ASSERT_FALSE(issuer_may(centre.db, n.code, "A,B", &e));
	CU_ASSERT_FALSE(issuer_may(centre.db, "nobody", "A", &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static CU_TestInfo tests[] = {
	{ "a certificate's identifier is GB/T 36904's, and its claims what was asked",
	  a_certificates_identifier_is_gb_t_36904s_and_its_claims_what_was_asked },
	{ "a request is judged field by field", a_request_is_judged_field_by_field },
	{ "a repeated request gets the same certificate, and another under its id a conflict",
	  a_repeated_request_gets_the_same_certificate_and_another_under_its_id_a_conflict },
	{ "a serial is never given out twice, also after a failure",
	  a_serial_is_never_given_out_twice_also_after_a_failure },
	{ "nothing personal stands in the database", nothing_personal_stands_in_the_database },
	{ "what supersedes is the next version and ends the one before",
	  what_supersedes_is_the_next_version_and_ends_the_one_before },
	{ "revoked is for good, and suspended ends by two people",
	  revoked_is_for_good_and_suspended_ends_by_two_people },
	{ "a holder is found by his number, and nobody else with him",
	  a_holder_is_found_by_his_number_and_nobody_else_with_him },
	{ "what is not valid is listed with its reason, and nothing else",
	  what_is_not_valid_is_listed_with_its_reason_and_nothing_else },
	{ "a revocation that a crash has cut from its list is published at the next start",
	  a_revocation_that_a_crash_has_cut_from_its_list_is_published_at_the_next_start },
	{ "a rotated key goes on verifying for its overlap, and the new one signs",
	  a_rotated_key_goes_on_verifying_for_its_overlap_and_the_new_one_signs },
	{ "a withdrawn key ends now, and a lost one says since when",
	  a_withdrawn_key_ends_now_and_a_lost_one_says_since_when },
	{ "an issuer signs what it is entitled to", an_issuer_signs_what_it_is_entitled_to },
	CU_TEST_INFO_NULL,
};
SUITE(registry, setup, teardown, tests);
