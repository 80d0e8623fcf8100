#include "protocol/message.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct err e;
static struct buf out, again;
static struct status s, got, good;
static uint8_t key[JOURNAL_KEY_MAX + 1];
static struct query q;
static struct reply r;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	memset(&s, 0, sizeof(s));
	s.hello = true;
	snprintf(s.software, sizeof(s.software), "xinbian 0.1");
	s.clock_s = 1780286400;
	s.head_sequence = 77;
	bytes_fill(s.journal_epoch, JOURNAL_EPOCH_LEN, 1);
	s.journal_first = 5;
	s.journal_last = 4;
	s.checks = 1000;
	s.faults = 2;
	s.journal_key = (struct bytes){ key, 125 };
	s.lists_len = 2;
	s.lists[0] = (struct status_list){ .name = "black", .version = 12, .count = 3, .confirmed_s = 1780286400 };
	bytes_fill(s.lists[0].hash, HASH_LEN, 9);
	s.lists[1] = (struct status_list){ .name = "white",
					   .confirmed_s = -1,
					   .fault = "未收到 waiting for the first snapshot" };
	good = s;
	q = (struct query){ .type = QUERY_EPOCH_KEY, .body = bytes_of("\x07") };
	bytes_fill(q.id, sizeof(q.id), 3);
	r = (struct reply){ .status = ERR_MISSING, .text = "no such epoch", .body = bytes_of("body") };
	bytes_fill(r.id, sizeof(r.id), 3);
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&again);
}

static bool decode(struct bytes data, struct err *why)
{
	return status_decode(data, &got, why);
}

static bool query_get(struct bytes data, struct err *why)
{
	struct query x;
	return query_decode(data, &x, why);
}

static bool reply_get(struct bytes data, struct err *why)
{
	struct reply x;
	return reply_decode(data, &x, why);
}

static bool refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(status_encode(&s, &out, &e));
	return refuses(buf_bytes(&out), decode);
}

static bool query_refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(query_encode(&q, &out, &e));
	return refuses(buf_bytes(&out), query_get);
}

static bool reply_refused(void)
{
	buf_reset(&out);
	CU_ASSERT_TRUE(reply_encode(&r, &out, &e));
	return refuses(buf_bytes(&out), reply_get);
}

static void topics_name_branch_and_purpose(void)
{
	char topic[TOPIC_MAX], branch[NAME_MAX_LEN + 1];
	const char *what = NULL;
	topic_down("quzhou-01", "ack", topic);
	CU_ASSERT_STRING_EQUAL(topic, "xb/1/down/quzhou-01/ack");
	CU_ASSERT_FALSE(topic_up_parse(topic, branch, &what));
	topic_up("quzhou-01", "journal", topic);
	CU_ASSERT_STRING_EQUAL(topic, "xb/1/up/quzhou-01/journal");
	CU_ASSERT_TRUE(topic_up_parse(topic, branch, &what));
	CU_ASSERT_STRING_EQUAL(branch, "quzhou-01");
	CU_ASSERT_STRING_EQUAL(what, "journal");
	CU_ASSERT_TRUE(topic_up_parse("xb/1/up/a/query", branch, &what));
	CU_ASSERT_TRUE(topic_up_parse("xb/1/up/a23456789012345678901234567890ab/status", branch, &what));
}

static void other_topics_are_none(void)
{
	static const char *const bad[] = { "",
					   "xb/1/head",
					   "xb/1/up/",
					   "xb/1/up/a",
					   "xb/1/up/a/",
					   "xb/1/up//journal",
					   "xb/1/up/+/journal",
					   "xb/1/up/#/journal",
					   "xb/1/up/A/journal",
					   "xb/1/up/a/journals",
					   "xb/1/up/a/ack",
					   "xb/1/up/a/b/journal",
					   "xb/1/up/a/journal/b",
					   "xb/1/up/../journal",
					   "xb/2/up/a/journal",
					   "xb/1/up/a23456789012345678901234567890abc/journal" };
	char branch[NAME_MAX_LEN + 1];
	const char *what = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(topic_up_parse(bad[i], branch, &what));
}

static void a_status_comes_back_as_it_went(void)
{
	for (int hello = 1; hello >= 0; hello--) {
		s.hello = hello == 1;
		if (!s.hello)
			s.journal_key = (struct bytes){ NULL, 0 };
		CU_ASSERT_FALSE(refused());
		CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
		CU_ASSERT_TRUE(bytes_equal(got.journal_key, s.journal_key));
		CU_ASSERT_EQUAL(got.hello, s.hello);
		CU_ASSERT_STRING_EQUAL(got.software, "xinbian 0.1");
		CU_ASSERT_EQUAL(got.clock_s, 1780286400);
		CU_ASSERT_EQUAL(got.head_sequence, 77);
		CU_ASSERT_EQUAL(got.journal_first, 5);
		CU_ASSERT_EQUAL(got.journal_last, 4);
		CU_ASSERT_EQUAL(got.checks, 1000);
		CU_ASSERT_EQUAL(got.faults, 2);
		CU_ASSERT_EQUAL(memcmp(got.journal_epoch, s.journal_epoch, JOURNAL_EPOCH_LEN), 0);
		CU_ASSERT_EQUAL(memcmp(&got.lists, &s.lists, sizeof(s.lists)), 0);
		buf_reset(&again);
		CU_ASSERT_TRUE(status_encode(&got, &again, &e));
		CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
		CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
	}
}

static void a_box_with_slots_says_where_it_stands_with_its_update(void)
{
	for (int hello = 1; hello >= 0; hello--) {
		s = good;
		s.hello = hello == 1;
		if (!s.hello)
			s.journal_key = (struct bytes){ NULL, 0 };
		s.update = (struct status_update){ .state = UPDATE_REFUSED,
						   .slot_b = true,
						   .version = 3,
						   .wanted = 4,
						   .failed = 4,
						   .fault = "it fell back here" };
		CU_ASSERT_FALSE(refused());
		CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
		CU_ASSERT_EQUAL(memcmp(&got.update, &s.update, sizeof(s.update)), 0);
		CU_ASSERT_TRUE(bytes_equal(got.journal_key, s.journal_key));
		CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
	}
}

#define REFUSED_WITH(change)                                                                                         \
	do {                                                                                                         \
		s = good;                                                                                            \
		change;                                                                                              \
		CU_ASSERT_TRUE(refused());                                                                           \
	} while (0)

static void a_status_keeps_to_its_bounds(void)
{
	REFUSED_WITH(s.clock_s = -1);
	REFUSED_WITH(s.clock_s = TIME_MAX_S + 1);
	REFUSED_WITH(s.head_sequence = COUNTER_MAX + 1);
	REFUSED_WITH(s.journal_first = COUNTER_MAX + 1);
	REFUSED_WITH(s.journal_last = COUNTER_MAX + 1);
	REFUSED_WITH(s.checks = COUNTER_MAX + 1);
	REFUSED_WITH(s.faults = COUNTER_MAX + 1);
	REFUSED_WITH(s.journal_key.len = 0);
	REFUSED_WITH(s.journal_key.len = sizeof(key));
	REFUSED_WITH(s.lists[1] = s.lists[0]);
	REFUSED_WITH(s.lists[0] = s.lists[1]; s.lists[1] = good.lists[0]);
	REFUSED_WITH(s.lists[0].version = COUNTER_MAX + 1);
	REFUSED_WITH(s.lists[0].count = LIST_ENTRIES_MAX + 1);
	REFUSED_WITH(s.lists[0].confirmed_s = -2);
	REFUSED_WITH(s.lists[0].confirmed_s = TIME_MAX_S + 1);
	REFUSED_WITH(snprintf(s.lists[0].name, sizeof(s.lists[0].name), "a+b"));
	REFUSED_WITH(s.update.state = UPDATE_STATE_LAST + 1);
	REFUSED_WITH(s.update.state = UPDATE_CURRENT; s.update.version = COUNTER_MAX + 1);
	REFUSED_WITH(s.update.state = UPDATE_CURRENT; s.update.wanted = COUNTER_MAX + 1);
	REFUSED_WITH(s.update.state = UPDATE_CURRENT; s.update.failed = COUNTER_MAX + 1);
}

static void only_a_hello_brings_the_journal_key(void)
{
	CU_ASSERT_FALSE(refused());
	out.data[2] = 0xf4; /* says that it is none, and brings one */
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), decode));
	s.hello = false;
	CU_ASSERT_FALSE(refused());
	out.data[2] = 0xf5;
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), decode));
}

static void the_fullest_status_fits_one_message_and_no_more_is_taken(void)
{
	for (size_t i = 0; i < LISTS_MAX; i++) {
		s.lists[i] = (struct status_list){ .version = COUNTER_MAX,
						   .count = LIST_ENTRIES_MAX,
						   .confirmed_s = TIME_MAX_S };
		snprintf(s.lists[i].name, sizeof(s.lists[i].name), "name-of-thirty-two-characters-%02zx", i);
		memset(s.lists[i].fault, 'f', sizeof(s.lists[i].fault) - 1);
	}
	s.lists_len = LISTS_MAX;
	CU_ASSERT_FALSE(refused());
	CU_ASSERT_TRUE(out.len <= OBJECT_CHUNK);
	uint8_t *array = memchr(out.data, 0x98, out.len); /* array of 64: 98 40 */
	CU_ASSERT_PTR_NOT_NULL_FATAL(array);
	CU_ASSERT_EQUAL(array[1], LISTS_MAX);
	array[1]++;
	CU_ASSERT_TRUE(refuses(buf_bytes(&out), decode));
}

static void a_sentence_cut_inside_a_character_ends_before_it(void)
{
	s.lists_len = 1;
	memset(s.lists[0].fault, 'f', sizeof(s.lists[0].fault) - 1);
	memcpy(s.lists[0].fault + sizeof(s.lists[0].fault) - 3, "\xe4\xbf", 3);
	CU_ASSERT_FALSE(refused());
	CU_ASSERT_EQUAL(strlen(got.lists[0].fault), sizeof(s.lists[0].fault) - 3);
}

static void a_query_comes_back_as_it_went(void)
{
	struct query x;
	CU_ASSERT_FALSE(query_refused());
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(query_decode(buf_bytes(&out), &x, &e));
	CU_ASSERT_EQUAL(x.type, QUERY_EPOCH_KEY);
	CU_ASSERT_EQUAL(memcmp(x.id, q.id, sizeof(q.id)), 0);
	CU_ASSERT_TRUE(bytes_equal(x.body, q.body));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), query_get));
}

static void a_query_has_a_known_type_and_a_short_body_of_cbor(void)
{
	static uint8_t long_body[QUERY_BODY_MAX + 1] = { 0x59, (QUERY_BODY_MAX - 3) >> 8,
							 (QUERY_BODY_MAX - 3) & 255 };
	q.body = (struct bytes){ long_body, QUERY_BODY_MAX };
	CU_ASSERT_FALSE(query_refused());
	q.body.len++;
	CU_ASSERT_TRUE(query_refused());
	q.body.len = 0;
	CU_ASSERT_TRUE(query_refused());
	q.body = bytes_of("\x07\x07");
	CU_ASSERT_TRUE(query_refused());
	q.body.len = 1;
	q.type = 0;
	CU_ASSERT_TRUE(query_refused());
	q.type = QUERY_LAST + 1;
	CU_ASSERT_TRUE(query_refused());
}

static void a_reply_comes_back_as_it_went(void)
{
	struct reply x;
	CU_ASSERT_FALSE(reply_refused());
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE(reply_decode(buf_bytes(&out), &x, &e));
	CU_ASSERT_EQUAL(x.status, ERR_MISSING);
	CU_ASSERT_STRING_EQUAL(x.text, "no such epoch");
	CU_ASSERT_TRUE(bytes_equal(x.body, r.body));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), reply_get));
	r.status = ERR_IO + 1;
	CU_ASSERT_TRUE(reply_refused());
	r.status = ERR_NONE;
	r.text[0] = '\0';
	r.body.len = 0;
	CU_ASSERT_FALSE(reply_refused());
}

static bool object_get(struct bytes data, struct err *why)
{
	uint8_t hash[HASH_LEN];
	int64_t first = 0;
	uint32_t count = 0;
	return query_object_decode(data, hash, &first, &count, why);
}

static bool object_refused(int64_t first, uint32_t count)
{
	uint8_t hash[HASH_LEN] = { 5 };
	buf_reset(&out);
	CU_ASSERT_TRUE(query_object_encode(hash, first, count, &out, &e));
	return refuses(buf_bytes(&out), object_get);
}

static void a_query_for_an_object_asks_for_its_list_or_a_window_of_chunks(void)
{
	uint8_t hash[HASH_LEN];
	int64_t first = 0;
	uint32_t count = 0;
	CU_ASSERT_FALSE(object_refused(-1, 1));
	CU_ASSERT_FALSE(object_refused(0, FETCH_WINDOW));
	CU_ASSERT_FALSE(object_refused(3071, 1));
	CU_ASSERT_TRUE(query_object_decode(buf_bytes(&out), hash, &first, &count, &e));
	CU_ASSERT_EQUAL(hash[0], 5);
	CU_ASSERT_EQUAL(first, 3071);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), object_get));
	CU_ASSERT_TRUE(object_refused(-2, 1));
	CU_ASSERT_TRUE(object_refused(-1, 2));
	CU_ASSERT_TRUE(object_refused(3072, 1));
	CU_ASSERT_TRUE(object_refused(0, 0));
	CU_ASSERT_TRUE(object_refused(0, FETCH_WINDOW + 1));
	CU_ASSERT_TRUE(object_refused(INT64_MAX, 1));
}

static CU_TestInfo tests[] = {
	{ "topics name branch and purpose", topics_name_branch_and_purpose },
	{ "other topics are none", other_topics_are_none },
	{ "a status comes back as it went", a_status_comes_back_as_it_went },
	{ "a box with slots says where it stands with its update",
	  a_box_with_slots_says_where_it_stands_with_its_update },
	{ "a status keeps to its bounds", a_status_keeps_to_its_bounds },
	{ "only a hello brings the journal key", only_a_hello_brings_the_journal_key },
	{ "the fullest status fits one message and no more is taken",
	  the_fullest_status_fits_one_message_and_no_more_is_taken },
	{ "a sentence cut inside a character ends before it", a_sentence_cut_inside_a_character_ends_before_it },
	{ "a query comes back as it went", a_query_comes_back_as_it_went },
	{ "a query has a known type and a short body of CBOR", a_query_has_a_known_type_and_a_short_body_of_cbor },
	{ "a reply comes back as it went", a_reply_comes_back_as_it_went },
	{ "a query for an object asks for its list or a window of chunks",
	  a_query_for_an_object_asks_for_its_list_or_a_window_of_chunks },
	CU_TEST_INFO_NULL,
};

SUITE(message, setup, teardown, tests);
