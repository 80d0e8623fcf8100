#include "protocol/scan.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 16);
}

static void teardown(void)
{
	buf_clear(&out);
}

static const uint8_t sealed[] = { 1, 2, 3 };

static struct scan sample(void)
{
	struct scan s = { .request_id = "r-1",
			  .terminal = "teller-1",
			  .source = "image",
			  .business = "loan",
			  .time_s = 1780286400,
			  .code = SCAN_EXPIRED,
			  .outcome = SCAN_REFUSE,
			  .findings_len = 2,
			  .findings = { { SCAN_EXPIRED, SCAN_REFUSE }, { SCAN_HOLDER_NOT_CHECKED, SCAN_REFER } },
			  .hint = 3,
			  .layer = 4,
			  .detail = "a sentence",
			  .profile = ECERT_HC1,
			  .issuer = "XX",
			  .type = "hc1-v",
			  .epoch = UINT32_MAX,
			  .tag = UINT64_MAX,
			  .issued_s = 1,
			  .to_s = INT64_MAX,
			  .kid_len = 2,
			  .kid = { 9, 8 },
			  .issuers_version = 1,
			  .kinds_version = 2,
			  .list_version = 3,
			  .issuers_age_s = -1,
			  .list_age_s = 60,
			  .holder_kind = "passport",
			  .holder_masked = "E******78",
			  .sealed = { sealed, sizeof(sealed) } };
	bytes_fill(s.id, sizeof(s.id), 7);
	return s;
}

static bool decode(struct bytes data, struct err *why)
{
	static struct scan s;
	return scan_decode(data, &s, why);
}

static void a_scan_comes_back_as_it_was(void)
{
	static struct scan s, back;
	struct buf again;
	buf_init(&again, 1 << 16);
	s = sample();
	CU_ASSERT_TRUE_FATAL(scan_encode(&s, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(scan_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.code == SCAN_EXPIRED && back.outcome == SCAN_REFUSE && back.findings_len == 2);
	CU_ASSERT_TRUE(back.findings[1].code == SCAN_HOLDER_NOT_CHECKED && back.findings[1].outcome == SCAN_REFER);
	CU_ASSERT_TRUE(back.tag == UINT64_MAX && back.to_s == INT64_MAX && back.issuers_age_s == -1);
	CU_ASSERT_TRUE(back.profile == ECERT_HC1 && back.kid_len == 2 && back.kid[1] == 8);
	CU_ASSERT_TRUE(back.hint == 3 && back.layer == 4 && strcmp(back.detail, "a sentence") == 0);
	CU_ASSERT_TRUE(bytes_equal(back.sealed, s.sealed));
	CU_ASSERT_TRUE(scan_encode(&back, &again, &e) && bytes_equal(buf_bytes(&again), buf_bytes(&out)));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
	buf_clear(&again);
}

/* What is encoded from these no decoder takes. */
static void numbers_beyond_their_words_are_refused(void)
{
	static struct scan bad[11];
	for (size_t i = 0; i < 11; i++)
		bad[i] = sample();
	bad[0].code = 0;
	bad[1].code = SCAN_CODE_LAST + 1;
	bad[2].outcome = 0;
	bad[3].outcome = SCAN_REFUSE + 1;
	bad[4].findings[0].code = 0;
	bad[5].findings[1].outcome = SCAN_REFUSE + 1;
	bad[6].profile = ECERT_HC1 + 1;
	bad[7].issuers_age_s = -2;
	bad[8].time_s = -1;
	bad[9].list_version = UINT64_MAX;
	bad[10].hint = 256;
	for (size_t i = 0; i < 11; i++) {
		buf_reset(&out);
		CU_ASSERT_TRUE_FATAL(scan_encode(&bad[i], &out, &e));
		CU_ASSERT_TRUE(refuses(buf_bytes(&out), decode));
	}
}

static void what_is_sealed_is_bounded(void)
{
	static struct scan s;
	static uint8_t large[SCAN_SEALED_MAX + 1];
	s = sample();
	s.sealed = (struct bytes){ large, SCAN_SEALED_MAX };
	CU_ASSERT_TRUE(scan_encode(&s, &out, &e) && decode(buf_bytes(&out), &e));
	buf_reset(&out);
	s.sealed.len++;
	CU_ASSERT_TRUE(scan_encode(&s, &out, &e));
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), decode));
}

static bool recheck_decode(struct bytes data, struct err *why)
{
	struct scan_recheck r;
	return scan_recheck_decode(data, &r, why);
}

static bool lookup_decode(struct bytes data, struct err *why)
{
	struct scan_lookup l;
	return scan_lookup_decode(data, &l, why);
}

static void rechecks_and_look_ups_come_back(void)
{
	struct scan_recheck r = { .code = SCAN_REVOKED, .list_version = 9 }, r_back;
	struct scan_lookup l = { "teller-1", "resident_id", "330802********0013", "T1", "loan", "central", ERR_STALE,
				 3 },
			   l_back;
	bytes_fill(r.id, sizeof(r.id), 1);
	CU_ASSERT_TRUE_FATAL(scan_recheck_encode(&r, &out, &e) && cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(scan_recheck_decode(buf_bytes(&out), &r_back, &e));
	CU_ASSERT_TRUE(r_back.code == SCAN_REVOKED && r_back.list_version == 9 &&
		       memcmp(r.id, r_back.id, sizeof(r.id)) == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), recheck_decode));
	buf_reset(&out);
	CU_ASSERT_TRUE_FATAL(scan_lookup_encode(&l, &out, &e) && cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(scan_lookup_decode(buf_bytes(&out), &l_back, &e));
	CU_ASSERT_TRUE(l_back.result == ERR_STALE && l_back.given == 3 && strcmp(l_back.purpose, "loan") == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), lookup_decode));
	l.given = BODIES_MAX + 1;
	buf_reset(&out);
	CU_ASSERT_TRUE(scan_lookup_encode(&l, &out, &e));
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), lookup_decode));
}

static void codes_and_outcomes_have_their_names(void)
{
	enum scan_outcome o;
	CU_ASSERT_STRING_EQUAL(scan_code_name(SCAN_DAMAGED), "SCAN_DAMAGED");
	CU_ASSERT_STRING_EQUAL(scan_code_name(SCAN_ACCEPTED), "ACCEPTED");
	for (enum scan_code c = SCAN_DAMAGED; c <= SCAN_CODE_LAST; c++)
		CU_ASSERT_TRUE(strcmp(scan_code_name(c), "UNKNOWN") != 0 && scan_code_name(c)[0] != '\0');
	CU_ASSERT_STRING_EQUAL(scan_code_name(0), "UNKNOWN");
	CU_ASSERT_STRING_EQUAL(scan_code_name(SCAN_CODE_LAST + 1), "UNKNOWN");
	for (enum scan_outcome each = SCAN_ACCEPT; each <= SCAN_REFUSE; each++) {
		CU_ASSERT_TRUE(scan_outcome_of(scan_outcome_name(each), &o) && o == each);
		CU_ASSERT_TRUE(scan_outcome_zh(each)[0] != '\0' && scan_outcome_en(each)[0] != '\0');
	}
	CU_ASSERT_FALSE(scan_outcome_of("unknown", &o) || scan_outcome_of("", &o));
}

static CU_TestInfo tests[] = {
	{ "a scan comes back as it was", a_scan_comes_back_as_it_was },
	{ "numbers beyond their words are refused", numbers_beyond_their_words_are_refused },
	{ "what is sealed is bounded", what_is_sealed_is_bounded },
	{ "rechecks and look-ups come back", rechecks_and_look_ups_come_back },
	{ "codes and outcomes have their names", codes_and_outcomes_have_their_names },
	CU_TEST_INFO_NULL,
};
SUITE(scan, setup, teardown, tests);
