#include "protocol/journal.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out, again, body;
static struct journal_row row;
static struct journal_batch batch, got;
static uint8_t *large;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	buf_init(&body, 1 << 20);
	cbor_put_map(&body, 1);
	cbor_put_uint(&body, 1);
	cbor_put_text(&body, "STARTED");
	row = (struct journal_row){
		.seq = 41, .time_s = 1780286400, .kind = JOURNAL_EVENT, .body = buf_bytes(&body)
	};
	batch = (struct journal_batch){ .first = 41, .rows_len = 2, .rows = { bytes_of("one"), bytes_of("") } };
	bytes_fill(batch.epoch, JOURNAL_EPOCH_LEN, 1);
	bytes_fill(batch.before, HASH_LEN, 50);
	large = calloc(1, JOURNAL_ROW_MAX);
	if (large == NULL)
		abort();
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&again);
	buf_clear(&body);
	free(large);
}

static bool row_decode(struct bytes data, struct err *why)
{
	struct journal_row r;
	return journal_row_decode(data, &r, why);
}

static bool batch_decode(struct bytes data, struct err *why)
{
	return journal_batch_decode(data, &got, why);
}

static bool ack_decode(struct bytes data, struct err *why)
{
	struct journal_ack a;
	return journal_ack_decode(data, &a, why);
}

static bool row_refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(journal_row_encode(&row, &out, &e));
	return refuses(buf_bytes(&out), row_decode);
}

static bool batch_refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(journal_batch_encode(&batch, &out, &e));
	return refuses(buf_bytes(&out), batch_decode);
}

static void a_row_comes_back_as_it_went(void)
{
	struct journal_row r;
	CU_ASSERT_TRUE(journal_row_encode(&row, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(journal_row_decode(buf_bytes(&out), &r, &e));
	CU_ASSERT_EQUAL(r.seq, 41);
	CU_ASSERT_EQUAL(r.time_s, 1780286400);
	CU_ASSERT_EQUAL(r.kind, JOURNAL_EVENT);
	CU_ASSERT_TRUE(bytes_equal(r.body, row.body));
	CU_ASSERT_TRUE(journal_row_encode(&r, &again, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), row_decode));
}

static bool event_decode(struct bytes data, struct err *why)
{
	struct journal_event v;
	return journal_event_decode(data, &v, why);
}

static void an_event_comes_back_as_it_went(void)
{
	const struct journal_event v = { bytes_of(JOURNAL_EVENT_TAMPER), bytes_of("04ab") };
	struct journal_event r;
	CU_ASSERT_TRUE(journal_event_encode(&v, &out, &e));
	CU_ASSERT_TRUE_FATAL(journal_event_decode(buf_bytes(&out), &r, &e));
	CU_ASSERT_TRUE(bytes_equal(r.code, v.code) && bytes_equal(r.detail, v.detail));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), event_decode));
}

static void a_row_has_a_number_a_time_a_kind_and_a_body_of_cbor(void)
{
	struct journal_row good = row;
#define ROW_REFUSED_WITH(change)                                                                                     \
	do {                                                                                                         \
		row = good;                                                                                          \
		change;                                                                                              \
		CU_ASSERT_TRUE(row_refused());                                                                       \
	} while (0)
	ROW_REFUSED_WITH(row.seq = 0);
	ROW_REFUSED_WITH(row.seq = COUNTER_MAX + 1);
	ROW_REFUSED_WITH(row.time_s = -1);
	ROW_REFUSED_WITH(row.time_s = TIME_MAX_S + 1);
	ROW_REFUSED_WITH(row.kind = 0);
	ROW_REFUSED_WITH(row.kind = JOURNAL_KIND_LAST + 1);
	ROW_REFUSED_WITH(row.body.len = 0);
	ROW_REFUSED_WITH(row.body.len--);
	ROW_REFUSED_WITH(row.body = bytes_of("\xa2\x02\x00\x01\x00"));
	row = good;
	row.seq = COUNTER_MAX;
	row.time_s = TIME_MAX_S;
	CU_ASSERT_FALSE(row_refused());
}

static void a_row_above_its_maximum_is_neither_written_nor_read(void)
{
	large[0] = 0x59;
	large[1] = (uint8_t)((JOURNAL_ROW_MAX - 14) >> 8);
	large[2] = (uint8_t)(JOURNAL_ROW_MAX - 14);
	row.body = (struct bytes){ large, JOURNAL_ROW_MAX - 14 + 3 };
	row.seq = 1;
	CU_ASSERT_FALSE(row_refused());
	CU_ASSERT_EQUAL(out.len, JOURNAL_ROW_MAX);
	row.seq = 24;
	buf_reset(&out);
	CU_ASSERT_FALSE(journal_row_encode(&row, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_FULL);
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), row_decode));
}

static void each_hash_stands_on_the_one_before(void)
{
	uint8_t start[HASH_LEN], want[HASH_LEN], hash[HASH_LEN];
	buf_add_str(&out, "xb/1/journal");
	buf_add(&out, batch.epoch, JOURNAL_EPOCH_LEN);
	sha256(buf_bytes(&out), want);
	journal_start_hash(batch.epoch, start);
	CU_ASSERT_EQUAL(memcmp(start, want, HASH_LEN), 0);
	buf_reset(&out);
	buf_add(&out, start, HASH_LEN);
	buf_add_str(&out, "row");
	sha256(buf_bytes(&out), want);
	journal_next_hash(start, bytes_of("row"), hash);
	CU_ASSERT_EQUAL(memcmp(hash, want, HASH_LEN), 0);
	journal_next_hash(start, bytes_of("row"), start); /* in place */
	CU_ASSERT_EQUAL(memcmp(start, want, HASH_LEN), 0);
}

static void a_batch_comes_back_as_it_went(void)
{
	CU_ASSERT_TRUE(journal_batch_encode(&batch, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(journal_batch_decode(buf_bytes(&out), &got, &e));
	CU_ASSERT_EQUAL(memcmp(got.epoch, batch.epoch, JOURNAL_EPOCH_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(got.before, batch.before, HASH_LEN), 0);
	CU_ASSERT_EQUAL(got.first, 41);
	CU_ASSERT_EQUAL(got.rows_len, 2);
	CU_ASSERT_TRUE(bytes_equal(got.rows[0], batch.rows[0]));
	CU_ASSERT_TRUE(bytes_equal(got.rows[1], batch.rows[1]));
	CU_ASSERT_TRUE(journal_batch_encode(&got, &again, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), batch_decode));
}

static void a_batch_has_rows_and_counts_from_one(void)
{
	batch.rows_len = 0;
	CU_ASSERT_TRUE(batch_refused());
	batch.rows_len = 1;
	batch.first = 0;
	CU_ASSERT_TRUE(batch_refused());
	batch.first = COUNTER_MAX - JOURNAL_BATCH + 1;
	CU_ASSERT_TRUE(batch_refused());
	batch.first--;
	CU_ASSERT_FALSE(batch_refused());
}

static void a_poison_row_does_not_take_its_batch_along(void)
{
	batch.rows[1] = bytes_of("\xff\xff");
	CU_ASSERT_FALSE(batch_refused());
	CU_ASSERT_TRUE(bytes_equal(got.rows[1], batch.rows[1]));
}

/* Rows of len bytes until no more fit; the batch must then be taken. */
static size_t batch_full_of(size_t len)
{
	batch.rows_len = 0;
	while (journal_batch_fits(&batch, (struct bytes){ large, len }))
		batch.rows[batch.rows_len++] = (struct bytes){ large, len };
	CU_ASSERT_FALSE(batch_refused());
	CU_ASSERT_TRUE(out.len <= OBJECT_CHUNK);
	return batch.rows_len;
}

static void a_batch_is_cut_by_rows_and_by_bytes(void)
{
	batch.first = COUNTER_MAX - JOURNAL_BATCH;
	CU_ASSERT_EQUAL(batch_full_of(1), JOURNAL_BATCH);
	CU_ASSERT_EQUAL(batch_full_of(300), JOURNAL_BATCH);
	CU_ASSERT_EQUAL(batch_full_of(400), 162);
	CU_ASSERT_EQUAL(batch_full_of(JOURNAL_ROW_MAX), 1);
	CU_ASSERT_EQUAL(batch_full_of(JOURNAL_ROW_MAX / 2), 2);
}

static void a_batch_above_its_maximum_is_refused(void)
{
	batch.rows[0] = (struct bytes){ large, JOURNAL_ROW_MAX };
	batch.rows[1] = (struct bytes){ large, OBJECT_CHUNK - JOURNAL_ROW_MAX };
	CU_ASSERT_TRUE(batch_refused());
	buf_reset(&out);
	hex_read(bytes_of("a4 01 50 00000000000000000000000000000000 02 01 03 5820"
			  "0000000000000000000000000000000000000000000000000000000000000000 04 98 c9"),
		 &out);
	for (size_t i = 0; i <= JOURNAL_BATCH; i++)
		cbor_put_bytes(&out, bytes_of(""));
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), batch_decode));
}

static void an_acknowledgement_comes_back_as_it_went(void)
{
	struct journal_ack a = { .seq = COUNTER_MAX }, b;
	bytes_fill(a.epoch, JOURNAL_EPOCH_LEN, 1);
	bytes_fill(a.hash, HASH_LEN, 2);
	CU_ASSERT_TRUE(journal_ack_encode(&a, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(journal_ack_decode(buf_bytes(&out), &b, &e));
	CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), ack_decode));
	a.seq++;
	buf_reset(&out);
	CU_ASSERT_TRUE(journal_ack_encode(&a, &out, &e));
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), ack_decode));
}

static CU_TestInfo tests[] = {
	{ "a row comes back as it went", a_row_comes_back_as_it_went },
	{ "an event comes back as it went", an_event_comes_back_as_it_went },
	{ "a row has a number, a time, a kind and a body of CBOR",
	  a_row_has_a_number_a_time_a_kind_and_a_body_of_cbor },
	{ "a row above its maximum is neither written nor read",
	  a_row_above_its_maximum_is_neither_written_nor_read },
	{ "each hash stands on the one before", each_hash_stands_on_the_one_before },
	{ "a batch comes back as it went", a_batch_comes_back_as_it_went },
	{ "a batch has rows and counts from one", a_batch_has_rows_and_counts_from_one },
	{ "a poison row does not take its batch along", a_poison_row_does_not_take_its_batch_along },
	{ "a batch is cut by rows and by bytes", a_batch_is_cut_by_rows_and_by_bytes },
	{ "a batch above its maximum is refused", a_batch_above_its_maximum_is_refused },
	{ "an acknowledgement comes back as it went", an_acknowledgement_comes_back_as_it_went },
	CU_TEST_INFO_NULL,
};

SUITE(journal, setup, teardown, tests);
