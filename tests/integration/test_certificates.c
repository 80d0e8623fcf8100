/* E-certificates through the whole system of real parts: issued at central, scanned at the branch with the line up and down, revoked. */
#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ISSUER "11330800SAMPLE0001"
#define HOLDER "330802185001010013" /* nobody's: order 001 of a day in 1850 */
#define OTHER  "330802187001010020"
#define LOOKED "330802186001010018" /* whose certificates are looked up */
#define BOOKED "330802186001010026" /* who is expected at the branch */

static struct world w;
static struct world_branch *branch;
static bool opened;

static void file_put(const char *name, const char *text, char path[160])
{
	struct err e = { 0 };
	snprintf(path, 160, "%s/%s", w.dir, name);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, &e));
}

static void release_of(const char *command)
{
	struct json *j = world_ctl_json(&w, "alice", "%s", command);
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(json_int(j, json_get(j, "release") != NULL ? "release" : "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_TRUE(world_release(&w, id) > 0);
}

/* Until the branch has the documents in these versions. */
static bool documents_wait(int64_t issuers, int64_t kinds)
{
	for (int i = 0; i < 200; i++) {
		struct json *j = world_branchctl_json(branch, "status");
		const struct json *d = json_get(j, "documents");
		int64_t a = 0, b = 0;
		bool there = json_int(d, "issuers", 0, INT64_MAX, &a, NULL) &&
			     json_int(d, "kinds", 0, INT64_MAX, &b, NULL) && a >= issuers && b >= kinds;
		json_free(j);
		if (there)
			return true;
		usleep(100000);
	}
	return false;
}

static void setup(void)
{
	char path[160];
	if (opened)
		return;
	opened = true;
	world_open(&w);
	release_of("document import kinds central/sample/kinds.json");
	file_put("issuer.json",
		 "{\"code\":\"" ISSUER
		 "\",\"name\":{\"zh\":\"示例政务局\",\"en\":\"Sample bureau\"},\"kinds\":[\"*\"]}",
		 path);
	json_free(world_ctl_json(&w, "alice", "issuer add %s", path));
	json_free(world_ctl_json(&w, "alice", "issuer rotate " ISSUER));
	release_of("issuer publish");
	branch = world_branch_add(&w, "quay");
	CU_ASSERT_TRUE_FATAL(documents_wait(1, 1));
	CU_ASSERT_TRUE_FATAL(world_wait_version(branch, "revoked-certificates", 1, 20000));
}

/* Issued; the identifier and the code's text. */
static void issue(const char *kind, const char *more, char id[160], char *text, size_t size)
{
	char json[2048], path[160];
	const char *found = NULL;
	snprintf(json, sizeof(json), "{\"issuer\":\"" ISSUER "\",\"kind\":\"%s\",\"number\":\"示例第1号\"%s}", kind,
		 more);
	file_put("certificate.json", json, path);
	struct json *j = world_ctl_json(&w, "alice", "certificate issue %s", path);
	CU_ASSERT_TRUE_FATAL(json_text(j, "id", 150, &found, NULL));
	snprintf(id, 160, "%s", found);
	CU_ASSERT_TRUE_FATAL(json_text(j, "text", size - 1, &found, NULL));
	snprintf(text, size, "%s", found);
	json_free(j);
}
#define OF(number) ",\"holder\":{\"kind\":\"resident_id\",\"number\":\"" number "\",\"name\":\"示例甲\"}"
#define OF_HOLDER  OF(HOLDER)

/* POST /v1/scans over HTTPS: the verdict's code. */
static const char *scan(const char *text, const char *business, const char *holder)
{
	static char code[48];
	static unsigned n;
	struct buf body, out;
	const char *found = NULL;
	buf_init(&body, 65536);
	buf_init(&out, 1 << 20);
	struct json_out j = { &body, false };
	char id[32];
	snprintf(id, sizeof(id), "scan-%u", ++n);
	json_open(&j, NULL, '{');
	json_put_text(&j, "request_id", id);
	json_put_text(&j, "text", text);
	json_put_text(&j, "business", business);
	json_open(&j, "holder", '{');
	json_put_text(&j, "kind", "resident_id");
	json_put_text(&j, "number", holder);
	json_close(&j, '}');
	json_close(&j, '}');
	code[0] = '\0';
	CU_ASSERT_EQUAL(world_https(&w, branch, "POST", "/v1/scans", buf_str(&body), &out), 200);
	struct json *answer = json_parse(buf_bytes(&out), NULL);
	if (answer != NULL && json_text(answer, "code", sizeof(code) - 1, &found, NULL))
		snprintf(code, sizeof(code), "%s", found);
	json_free(answer);
	buf_clear(&body);
	buf_clear(&out);
	return code;
}

/* Until the scan's code is this; false after some seconds. */
static bool scan_becomes(const char *text, const char *code, int tries)
{
	for (; tries > 0; tries--) {
		if (strcmp(scan(text, "open_account", HOLDER), code) == 0)
			return true;
		usleep(200000);
	}
	return false;
}

#define IDENTITY_CARD "11330000SAMPLE0000X001"

static void issued_at_central_accepted_at_the_branch_online_and_offline_and_refused_once_revoked(void)
{
	char id[160], text[4400];
	issue(IDENTITY_CARD, OF_HOLDER, id, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ACCEPTED");
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", OTHER), "HOLDER_MISMATCH");
	CU_ASSERT_STRING_EQUAL(scan(text, "transfer", HOLDER), "NOT_ACCEPTED_FOR_BUSINESS");
	world_broker_stop(&w, SIGTERM);
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ACCEPTED");
	/* Revoked while the branch is away: it can't know, and learns it when it is back. */
	json_free(world_ctl_json(&w, "alice", "certificate revoke %s --reason lost", id));
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ACCEPTED");
	world_broker_start(&w);
	CU_ASSERT_TRUE(scan_becomes(text, "REVOKED", 100));
}

static void revoking_reaches_an_online_branch_within_seconds(void)
{
	char id[160], text[4400];
	issue(IDENTITY_CARD, OF_HOLDER, id, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ACCEPTED");
	json_free(world_ctl_json(&w, "alice", "certificate suspend %s --reason asked", id));
	CU_ASSERT_TRUE(scan_becomes(text, "SUSPENDED", 25));
	json_free(world_ctl_json(&w, "alice", "certificate reinstate %s", id));
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", NULL, "certificate reinstate %s", id), 0); /* she asked for it */
	json_free(world_ctl_json(&w, "bob", "certificate reinstate %s", id));
	CU_ASSERT_TRUE(scan_becomes(text, "ACCEPTED", 25));
	json_free(world_ctl_json(&w, "bob", "certificate revoke %s --reason error", id));
	CU_ASSERT_TRUE(scan_becomes(text, "REVOKED", 25));
}

static void a_newer_version_supersedes(void)
{
	char id[160], text[4400], next[160], newer[4400], more[400];
	issue(IDENTITY_CARD, OF_HOLDER, id, text, sizeof(text));
	snprintf(more, sizeof(more), OF_HOLDER ",\"supersedes\":\"%s\"", id);
	issue(IDENTITY_CARD, more, next, newer, sizeof(newer));
	CU_ASSERT_STRING_NOT_EQUAL(id, next);
	CU_ASSERT_TRUE(scan_becomes(text, "SUPERSEDED", 25));
	CU_ASSERT_STRING_EQUAL(scan(newer, "open_account", HOLDER), "ACCEPTED");
}

/* GET /v1/certificates over HTTPS: the status; the body is in answer. */
static struct buf answer;
static int look_up(const char *holder, const char *purpose)
{
	char path[256];
	buf_clear(&answer);
	buf_init(&answer, 1 << 20);
	snprintf(path, sizeof(path), "/v1/certificates?holder=%s&kind=" IDENTITY_CARD "&purpose=%s", holder, purpose);
	return world_https(&w, branch, "GET", path, NULL, &answer);
}

static bool found_has(const char *part)
{
	return strstr(buf_str(&answer), part) != NULL;
}

/* Until the branch keeps so many. */
static bool kept_becomes(int64_t items)
{
	for (int i = 0; i < 50; i++) {
		struct json *j = world_branchctl_json(branch, "cache show");
		int64_t n = -1;
		bool there = json_int(json_get(j, "cache"), "items", 0, INT64_MAX, &n, NULL) && n == items;
		json_free(j);
		if (there)
			return true;
		usleep(200000);
	}
	return false;
}

static int64_t consent_add(const char *holder, const char *words)
{
	struct json *j = world_ctl_json(&w, "alice", "consent add %s %s", holder, words);
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(json_int(j, "consent", 1, INT64_MAX, &id, NULL));
	json_free(j);
	return id;
}

static size_t accesses(const char *holder)
{
	struct json *j = world_ctl_json(&w, "bob", "access list %s complaint", holder);
	size_t n = json_len(json_get(j, "accesses"));
	json_free(j);
	return n;
}

static void a_holders_certificates_are_given_by_consent_kept_for_the_outage_and_erased_with_it(void)
{
	char id[160], text[4400];
	issue(IDENTITY_CARD, OF(LOOKED), id, text, sizeof(text));
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 403);
	int64_t consent = consent_add(LOOKED, "open_account --branches quay --kinds " IDENTITY_CARD);
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 200);
	CU_ASSERT_TRUE(found_has("\"source\":\"central\",\"offline\":false") && found_has(id) &&
		       found_has("\"code\":\"ACCEPTED\""));
	CU_ASSERT_EQUAL(look_up(LOOKED, "loan"), 403);
	CU_ASSERT_EQUAL(look_up(OTHER, "open_account"), 403); /* nor is it told that he has none */
	CU_ASSERT_TRUE(kept_becomes(1));
	world_broker_stop(&w, SIGTERM);
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 200);
	CU_ASSERT_TRUE(found_has("\"source\":\"cache\",\"offline\":true") && found_has(id) &&
		       found_has("\"code\":\"ACCEPTED\""));
	CU_ASSERT_EQUAL(look_up(LOOKED, "loan"), 503);
	/* Also after the branch was started anew. */
	world_branch_stop(branch, SIGKILL);
	world_branch_start(&w, branch);
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 200);
	CU_ASSERT_EQUAL(accesses(LOOKED), 3); /* what was asked of central */
	/* Withdrawn while the branch is away: erased once it is back. */
	json_free(world_ctl_json(&w, "alice", "consent withdraw %lld", (long long)consent));
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 200);
	world_broker_start(&w);
	CU_ASSERT_TRUE(kept_becomes(0));
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", NULL, "consent withdraw %lld", (long long)consent), 0);
	CU_ASSERT_EQUAL(look_up(LOOKED, "open_account"), 403);
}

static void a_booked_customers_certificates_are_there_before_he_is_and_gone_once_revoked(void)
{
	char id[160], second[160], text[4400];
	issue(IDENTITY_CARD, OF(BOOKED), id, text, sizeof(text));
	issue(IDENTITY_CARD, OF(BOOKED), second, text, sizeof(text));
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", NULL, "booking add quay " BOOKED " loan 4000000000"), 0);
	(void)consent_add(BOOKED, "loan");
	json_free(world_ctl_json(&w, "alice", "booking add quay " BOOKED " loan 4000000000"));
	CU_ASSERT_TRUE(kept_becomes(2));
	world_broker_stop(&w, SIGTERM);
	CU_ASSERT_EQUAL(look_up(BOOKED, "loan"), 200);
	CU_ASSERT_TRUE(found_has(id) && found_has(second) && found_has("\"offline\":true"));
	CU_ASSERT_EQUAL(look_up(BOOKED, "open_account"), 503);
	world_broker_start(&w);
	json_free(world_ctl_json(&w, "alice", "certificate revoke %s --reason lost", id));
	CU_ASSERT_TRUE(kept_becomes(1));
	world_broker_stop(&w, SIGTERM);
	CU_ASSERT_EQUAL(look_up(BOOKED, "loan"), 200);
	CU_ASSERT_TRUE(!found_has(id) && found_has(second));
	struct json *j = world_branchctl_json(branch, "cache wipe");
	int64_t wiped = 0;
	CU_ASSERT_TRUE(json_int(j, "wiped", 0, 9, &wiped, NULL) && wiped == 1);
	json_free(j);
	CU_ASSERT_EQUAL(look_up(BOOKED, "loan"), 503);
	world_broker_start(&w);
	buf_clear(&answer);
}

static void keys_rotate_with_overlap_and_a_lost_one_is_told_at_once(void)
{
	char id[160], old[4400], text[4400], kid[40];
	const char *found = NULL;
	issue(IDENTITY_CARD, OF_HOLDER, id, old, sizeof(old));
	struct json *j = world_ctl_json(&w, "alice", "issuer rotate " ISSUER " --overlap-days 30");
	CU_ASSERT_TRUE_FATAL(json_text(j, "kid", 32, &found, NULL));
	snprintf(kid, sizeof(kid), "%s", found);
	json_free(j);
	issue(IDENTITY_CARD, OF_HOLDER, id, text, sizeof(text));
	/* The branch has not heard of the new key yet: it cannot tell, and does not say forged. */
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ISSUER_UNKNOWN");
	release_of("issuer publish");
	CU_ASSERT_TRUE(documents_wait(2, 1));
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "ACCEPTED");
	CU_ASSERT_STRING_EQUAL(scan(old, "open_account", HOLDER), "ACCEPTED");
	json_free(world_ctl_json(&w, "alice", "issuer withdraw " ISSUER " %s --lost-since 1", kid));
	CU_ASSERT_TRUE(documents_wait(3, 1));
	CU_ASSERT_STRING_EQUAL(scan(text, "open_account", HOLDER), "KEY_COMPROMISED");
	CU_ASSERT_STRING_EQUAL(scan(old, "open_account", HOLDER), "ACCEPTED");
	/* The former key only goes on verifying: nothing is signed until there is a new one. */
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", NULL, "certificate issue %s/certificate.json", w.dir), 0);
	json_free(world_ctl_json(&w, "alice", "issuer rotate " ISSUER));
	release_of("issuer publish");
	CU_ASSERT_TRUE(documents_wait(4, 1));
}

static void what_cannot_be_issued_says_which_field(void)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"NOSUCH\"" OF_HOLDER "}", "kind" },
		{ "{\"issuer\":\"NOBODY\",\"kind\":\"" IDENTITY_CARD "\"" OF_HOLDER "}", "issuer" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD "\"}", "holder" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD
		  "\",\"holder\":{\"kind\":\"resident_id\",\"number\":\"330802185001010014\"}}",
		  "holder.number" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD "\",\"from\":\"2026-02-30\"" OF_HOLDER "}",
		  "from" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD "\",\"to\":\"2001-01-01\"" OF_HOLDER "}",
		  "to" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD "\",\"digest\":\"00\"" OF_HOLDER "}",
		  "digest" },
		{ "{\"issuer\":\"" ISSUER "\",\"kind\":\"" IDENTITY_CARD "\",\"x\":1" OF_HOLDER "}", "x" },
	};
	char path[160];
	struct buf out;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 65536);
		file_put("bad.json", cases[i].json, path);
		CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", &out, "certificate issue %s", path), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), cases[i].says));
		buf_clear(&out);
	}
	CU_ASSERT_NOT_EQUAL(
		world_ctl(&w, "alice", NULL, "list import revoked-certificates central/sample/black-fraud.csv"), 0);
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, NULL, NULL, "operator add registry"), 0);
}

static void use_is_counted_per_business_and_the_rate_is_the_samples(void)
{
	bool counted = false;
	int64_t accepting = 0, all = 0;
	for (int i = 0; i < 100 && !counted; i++) {
		struct json *j = world_ctl_json(&w, NULL, "certificate uses");
		const struct json *uses = json_get(j, "uses");
		for (size_t k = 0; uses != NULL && k < json_len(uses); k++) {
			int64_t n = 0;
			const struct json *u = json_at(uses, k);
			counted |= bytes_equal(json_text_value(json_get(u, "business")), bytes_of("open_account")) &&
				   json_int(u, "substitutions", 0, INT64_MAX, &n, NULL) && n >= 5;
		}
		CU_ASSERT_TRUE(json_int(j, "accepting", 0, 1000, &accepting, NULL) &&
			       json_int(j, "businesses", 0, 1000, &all, NULL));
		json_free(j);
		usleep(100000);
	}
	CU_ASSERT_TRUE(counted);
	CU_ASSERT_TRUE(accepting == 44 && all == 69);
	struct buf out;
	buf_init(&out, 65536);
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &out, "certificate uses --branch quay"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "44 / 69 = 63.77 %"));
	buf_clear(&out);
}

/* Specimens that are published as such, and made-up ones. */
static const struct {
	const char *kind, *number;
} holders[] = {
	{ "resident_id", HOLDER },
	{ "hkmo_residence_permit", "810000199408230021" },
	{ "tw_residence_permit", "830000199201300022" },
	{ "foreigner_pr_15", "" },
	{ "foreigner_pr_18", "" },
	{ "passport", "E12345678" },
};

/* The last of the kind's holders' documents that there is a number for. */
static size_t holder_of(const struct json *kind)
{
	const struct json *of = json_get(kind, "holder_kinds");
	size_t found = 0;
	for (size_t i = 0; i < json_len(of); i++)
		for (size_t h = 0; h < sizeof(holders) / sizeof(holders[0]); h++)
			if (holders[h].number[0] != '\0' &&
			    bytes_equal(json_text_value(json_at(of, i)), bytes_of(holders[h].kind)))
				found = h;
	return found;
}

/* From the picture of its code, by branchctl: the verdict's code, and the identifier shown. */
static bool picture_verified(const char *id, size_t holder)
{
	char picture[160];
	struct buf out;
	const char *code = NULL, *shown = NULL;
	snprintf(picture, sizeof(picture), "%s/code.png", w.dir);
	buf_init(&out, 1 << 20);
	CU_ASSERT_EQUAL_FATAL(world_ctl(&w, "alice", NULL, "certificate export %s --png %s", id, picture), 0);
	/* Exit 1: no business of this name accepts it; everything that is asked before has held. */
	CU_ASSERT_EQUAL(world_branchctl(branch, &out, "--json scan %s --business fishing-licence --holder %s:%s",
					picture, holders[holder].kind, holders[holder].number),
			1);
	struct json *j = json_parse(buf_bytes(&out), NULL);
	bool ok = j != NULL && json_text(j, "code", 64, &code, NULL) &&
		  strcmp(code, "NOT_ACCEPTED_FOR_BUSINESS") == 0 && json_len(json_get(j, "findings")) == 1 &&
		  json_text(json_get(j, "certificate"), "id", 160, &shown, NULL) && strcmp(shown, id) == 0;
	if (!ok)
		printf(" [%s: %s] ", id, buf_str(&out));
	json_free(j);
	buf_clear(&out);
	return ok;
}

/* Last: it takes the longest. */
static void every_kind_of_the_sample_is_issued_drawn_as_a_qr_code_read_from_the_png_and_verified(void)
{
	struct buf file;
	struct err e = { 0 };
	unsigned good = 0;
	buf_init(&file, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read("central/sample/kinds.json", &file, &e));
	struct json *doc = json_parse(buf_bytes(&file), &e);
	const struct json *kinds = json_get(doc, "kinds");
	CU_ASSERT_EQUAL_FATAL(json_len(kinds), 227);
	for (size_t i = 0; i < json_len(kinds); i++) {
		char id[160], text[4400], holder[200];
		const char *code = NULL;
		size_t h = holder_of(json_at(kinds, i));
		CU_ASSERT_TRUE_FATAL(json_text(json_at(kinds, i), "code", 40, &code, NULL));
		snprintf(holder, sizeof(holder),
			 ",\"holder\":{\"kind\":\"%s\",\"number\":\"%s\",\"name\":\"示例甲\"}", holders[h].kind,
			 holders[h].number);
		issue(code, holder, id, text, sizeof(text));
		good += picture_verified(id, h);
	}
	CU_ASSERT_EQUAL(good, 227);
	json_free(doc);
	buf_clear(&file);
}

static void the_system_stops_cleanly(void)
{
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "issued at central, accepted at the branch online and offline, and refused once revoked",
	  issued_at_central_accepted_at_the_branch_online_and_offline_and_refused_once_revoked },
	{ "revoking reaches an online branch within seconds", revoking_reaches_an_online_branch_within_seconds },
	{ "a newer version supersedes", a_newer_version_supersedes },
	{ "a holder's certificates are given by consent, kept for the outage, and erased with it",
	  a_holders_certificates_are_given_by_consent_kept_for_the_outage_and_erased_with_it },
	{ "a booked customer's certificates are there before he is, and gone once revoked",
	  a_booked_customers_certificates_are_there_before_he_is_and_gone_once_revoked },
	{ "keys rotate with overlap, and a lost one is told at once",
	  keys_rotate_with_overlap_and_a_lost_one_is_told_at_once },
	{ "what cannot be issued says which field", what_cannot_be_issued_says_which_field },
	{ "use is counted per business, and the rate is the sample's",
	  use_is_counted_per_business_and_the_rate_is_the_samples },
	{ "every kind of the sample is issued, drawn as a QR code, read from the PNG and verified",
	  every_kind_of_the_sample_is_issued_drawn_as_a_qr_code_read_from_the_png_and_verified },
	{ "the system stops cleanly", the_system_stops_cleanly },
	CU_TEST_INFO_NULL,
};
SUITE(certificates, setup, NULL, tests);
