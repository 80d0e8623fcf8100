#include "protocol/body.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out;
static const uint8_t message[] = { 0xd2, 0x84, 1 };
static uint8_t large[BODY_FILE_MAX + 1];

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	buf_clear(&out);
}

static struct body sample(void)
{
	return (struct body){ .cose = { message, sizeof(message) },
			      .media_type = "image/png",
			      .file = { message, 2 },
			      .consent_to_s = 1780286400,
			      .status = ECERT_SUSPENDED };
}

static void check_body(const struct body *got, const struct body *want)
{
	CU_ASSERT_TRUE(bytes_equal(got->cose, want->cose) && bytes_equal(got->file, want->file));
	CU_ASSERT_TRUE((got->file.data == NULL) == (want->file.data == NULL));
	CU_ASSERT_STRING_EQUAL(got->media_type, want->media_type);
	CU_ASSERT_TRUE(got->file_left_out == want->file_left_out && got->consent_to_s == want->consent_to_s);
	CU_ASSERT_EQUAL(got->status, want->status);
}

static bool query_take(struct bytes data, struct err *why)
{
	struct body_query q;
	return body_query_decode(data, &q, why);
}

static void a_query_comes_back(void)
{
	struct body_query q = { .holder_kind = IDENTIFIER_PASSPORT,
				.holder = "E12345678",
				.type = "T1",
				.purpose = "开户",
				.terminal = "teller-1" },
			  back;
	bytes_fill(q.id, sizeof(q.id), 3);
	CU_ASSERT_TRUE_FATAL(body_query_encode(&q, &out, &e) && cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(body_query_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.holder_kind == IDENTIFIER_PASSPORT && memcmp(back.id, q.id, sizeof(q.id)) == 0);
	CU_ASSERT_TRUE(strcmp(back.holder, q.holder) == 0 && strcmp(back.type, q.type) == 0 &&
		       strcmp(back.purpose, q.purpose) == 0 && strcmp(back.terminal, q.terminal) == 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), query_take));
	for (int i = 0; i < 2; i++) {
		q.holder_kind = i == 0 ? 0 : IDENTIFIER_KIND_LAST + 1;
		buf_reset(&out);
		CU_ASSERT_TRUE(body_query_encode(&q, &out, &e));
		CU_ASSERT_TRUE(refuses(buf_bytes(&out), query_take));
	}
}

/* Sealed it has to fit a query, whatever names are as long as they may be. */
static void the_longest_query_fits_its_message(void)
{
	struct body_query q = { .holder_kind = IDENTIFIER_NAME };
	memset(q.holder, 'N', PERSON_NAME_MAX);
	memset(q.type, 'T', ECERT_PART_MAX);
	memset(q.purpose, 'P', PURPOSE_MAX);
	memset(q.terminal, 't', NAME_MAX_LEN);
	CU_ASSERT_TRUE_FATAL(body_query_encode(&q, &out, &e));
	CU_ASSERT_TRUE(query_take(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(out.len + SEAL_OVERHEAD + 3 <= QUERY_BODY_MAX);
}

static bool reply_take(struct bytes data, struct err *why)
{
	static struct body_reply r;
	return body_reply_decode(data, &r, why);
}

static void a_reply_comes_back_with_all_its_bodies(void)
{
	static struct body_reply r, back;
	r = (struct body_reply){ .more = true, .bodies_len = 3, .bodies = { sample(), sample(), sample() } };
	r.bodies[1].file = (struct bytes){ NULL, 0 };
	r.bodies[1].file_left_out = true;
	r.bodies[1].consent_to_s = INT64_MAX;
	r.bodies[1].status = ECERT_VALID;
	r.bodies[2].media_type[0] = '\0';
	bytes_fill(r.id, sizeof(r.id), 3);
	CU_ASSERT_TRUE_FATAL(body_reply_encode(&r, &out, &e) && cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(body_reply_decode(buf_bytes(&out), &back, &e));
	CU_ASSERT_TRUE(back.more && back.bodies_len == 3 && memcmp(back.id, r.id, sizeof(r.id)) == 0);
	for (size_t i = 0; i < 3; i++)
		check_body(&back.bodies[i], &r.bodies[i]);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), reply_take));
}

static void a_body_is_within_its_bounds_or_refused(void)
{
	static struct body_reply r;
	for (int i = 0; i < 6; i++) {
		r = (struct body_reply){ .bodies_len = 1, .bodies = { sample() } };
		struct body *b = &r.bodies[0];
		switch (i) {
		case 0: b->file = (struct bytes){ large, BODY_FILE_MAX }; break;
		case 1: b->file = (struct bytes){ large, BODY_FILE_MAX + 1 }; break;
		case 2: b->cose = (struct bytes){ large, ECERT_COSE_MAX + 1 }; break;
		case 3: b->cose.len = 0; break;
		case 4: b->status = ECERT_STATUS_LAST + 1; break;
		default: b->consent_to_s = -1; break;
		}
		buf_reset(&out);
		CU_ASSERT_TRUE_FATAL(body_reply_encode(&r, &out, &e));
		CU_ASSERT_EQUAL(reply_take(buf_bytes(&out), &e), i == 0);
	}
}

static bool item_take(struct bytes data, struct err *why)
{
	static struct prefetch_item p;
	return prefetch_item_decode(data, &p, why);
}

static void each_prefetched_item_comes_back(void)
{
	static struct prefetch_item p, back;
	for (enum prefetch_kind kind = PREFETCH_NONE; kind <= PREFETCH_ERASE; kind++) {
		p = (struct prefetch_item){ .kind = kind, .seq = 5 };
		if (kind == PREFETCH_PUT) {
			p.holder_kind = IDENTIFIER_RESIDENT_ID;
			memcpy(p.holder, "330802185001010013", 19);
			memcpy(p.type, "T1", 3);
			memcpy(p.purpose, "loan", 5);
			p.body = sample();
		} else if (kind == PREFETCH_ERASE) {
			memcpy(p.identity, "A/B", 4);
		}
		buf_reset(&out);
		CU_ASSERT_TRUE_FATAL(prefetch_item_encode(&p, &out, &e) && cbor_check(buf_bytes(&out), &e));
		CU_ASSERT_TRUE_FATAL(prefetch_item_decode(buf_bytes(&out), &back, &e));
		CU_ASSERT_TRUE(back.kind == kind && back.seq == 5 && strcmp(back.identity, p.identity) == 0);
		CU_ASSERT_TRUE(strcmp(back.holder, p.holder) == 0 && strcmp(back.purpose, p.purpose) == 0);
		if (kind == PREFETCH_PUT)
			check_body(&back.body, &p.body);
		CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), item_take));
	}
}

static bool command_take(struct bytes data, struct err *why)
{
	enum down_command c;
	return down_command_decode(data, &c, why);
}

static void a_command_is_one_we_know(void)
{
	enum down_command c = 0;
	CU_ASSERT_TRUE_FATAL(down_command_encode(COMMAND_PREFETCH, &out, &e));
	CU_ASSERT_TRUE(down_command_decode(buf_bytes(&out), &c, &e) && c == COMMAND_PREFETCH);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), command_take));
	CU_ASSERT_TRUE(refuses((struct bytes){ (const uint8_t *)"\0", 1 }, command_take));
	CU_ASSERT_TRUE(refuses((struct bytes){ (const uint8_t *)"\2", 1 }, command_take));
}

static CU_TestInfo tests[] = {
	{ "a query comes back", a_query_comes_back },
	{ "the longest query fits its message", the_longest_query_fits_its_message },
	{ "a reply comes back with all its bodies", a_reply_comes_back_with_all_its_bodies },
	{ "a body is within its bounds, or refused", a_body_is_within_its_bounds_or_refused },
	{ "each prefetched item comes back", each_prefetched_item_comes_back },
	{ "a command is one we know", a_command_is_one_we_know },
	CU_TEST_INFO_NULL,
};
SUITE(body, setup, teardown, tests);
