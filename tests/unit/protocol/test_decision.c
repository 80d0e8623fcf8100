#include "protocol/decision.h"
#include "protocol/entry.h"
#include "protocol/journal.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct err e;
static struct buf out, again;
static struct decision d, got, good;
static uint8_t sealed[DECISION_SEALED_MAX + 1];

static struct rule_fact fact(const char *name, struct value v)
{
	struct rule_fact f = { .value = v };
	snprintf(f.name, sizeof(f.name), "%s", name);
	return f;
}

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&out, 1 << 20);
	buf_init(&again, 1 << 20);
	memset(&d, 0, sizeof(d));
	bytes_fill(d.id, DECISION_ID_LEN, 7);
	snprintf(d.request_id, sizeof(d.request_id), "c0ffee:1.2_3-4");
	snprintf(d.terminal, sizeof(d.terminal), "kiosk-1");
	snprintf(d.business, sizeof(d.business), "open_account");
	d.time_s = 1780286400;
	d.outcome = OUTCOME_REFER;
	d.follow_up = true;
	d.rules_version = 3;
	d.catalogue_version = 9;
	d.parties_len = d.evidence_len = d.reasons_len = 1;
	d.parties[0] = (struct decision_party){ "subject", "resident_id", "330802********0013", UINT64_MAX };
	d.evidence[0] =
		(struct decision_evidence){ "black-dishonest", "subject", 12, LOOKUP_HIT, 61, entry_value(3, 9000) };
	d.reasons[0] = (struct decision_reason){ "listed", "LISTED_DISHONEST", OUTCOME_REFER };
	d.facts_len = 5;
	d.facts[0] = fact("age_years", (struct value){ .kind = VALUE_NUMBER, .number = 40 });
	d.facts[1] = fact("amount_yuan", (struct value){ .kind = VALUE_NUMBER, .number = 5000.1 });
	d.facts[2] = fact("birth_date_matches", (struct value){ .kind = VALUE_MISSING });
	d.facts[3] = fact("list.black-dishonest", (struct value){ .kind = VALUE_TEXT, .text = bytes_of("hit") });
	d.facts[4] = fact("verified_online", (struct value){ .kind = VALUE_BOOL, .boolean = true });
	d.sealed_subject = (struct bytes){ sealed, 60 };
	good = d;
}

static void teardown(void)
{
	buf_clear(&out);
	buf_clear(&again);
}

static bool decode(struct bytes data, struct err *why)
{
	return decision_decode(data, &got, why);
}

static bool refused(void)
{
	buf_reset(&out);
	if (!decision_encode(&d, &out, &e))
		return e.code == ERR_INPUT;
	return refuses(buf_bytes(&out), decode);
}

static void a_decision_comes_back_as_it_went(void)
{
	CU_ASSERT_TRUE_FATAL(decision_encode(&d, &out, &e));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&out), &e));
	CU_ASSERT_TRUE_FATAL(decision_decode(buf_bytes(&out), &got, &e));
	CU_ASSERT_EQUAL(memcmp(got.id, d.id, DECISION_ID_LEN), 0);
	CU_ASSERT_STRING_EQUAL(got.request_id, d.request_id);
	CU_ASSERT_STRING_EQUAL(got.terminal, d.terminal);
	CU_ASSERT_STRING_EQUAL(got.business, d.business);
	CU_ASSERT_EQUAL(got.time_s, d.time_s);
	CU_ASSERT_EQUAL(got.outcome, OUTCOME_REFER);
	CU_ASSERT_TRUE(got.follow_up);
	CU_ASSERT_EQUAL(got.rules_version, 3);
	CU_ASSERT_EQUAL(got.catalogue_version, 9);
	CU_ASSERT_STRING_EQUAL(got.parties[0].masked, d.parties[0].masked);
	CU_ASSERT_EQUAL(got.parties[0].tag, UINT64_MAX);
	CU_ASSERT_EQUAL(got.evidence[0].value, d.evidence[0].value);
	CU_ASSERT_EQUAL(got.evidence[0].result, LOOKUP_HIT);
	CU_ASSERT_EQUAL(got.evidence[0].age_s, 61);
	CU_ASSERT_STRING_EQUAL(got.reasons[0].code, "LISTED_DISHONEST");
	CU_ASSERT_EQUAL(got.facts_len, 5);
	CU_ASSERT_EQUAL(got.facts[1].value.number, 5000.1);
	CU_ASSERT_EQUAL(got.facts[2].value.kind, VALUE_MISSING);
	CU_ASSERT_TRUE(bytes_equal(got.facts[3].value.text, bytes_of("hit")));
	CU_ASSERT_TRUE(got.facts[4].value.boolean);
	CU_ASSERT_TRUE(bytes_equal(got.sealed_subject, d.sealed_subject));
	CU_ASSERT_PTR_EQUAL(got.sealed_subject.data, out.data + out.len - 60);
	CU_ASSERT_TRUE(decision_encode(&got, &again, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
}

static void a_decision_cut_anywhere_is_refused(void)
{
	CU_ASSERT_TRUE(decision_encode(&d, &out, &e));
	CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&out), decode));
}

static void an_empty_decision_is_one_too(void)
{
	d.parties_len = d.evidence_len = d.reasons_len = d.facts_len = 0;
	d.sealed_subject.len = 0;
	d.terminal[0] = '\0';
	CU_ASSERT_FALSE(refused());
}

#define REFUSED_WITH(change)                                                                                         \
	do {                                                                                                         \
		d = good;                                                                                            \
		change;                                                                                              \
		CU_ASSERT_TRUE(refused());                                                                           \
	} while (0)
#define SET(field, value) snprintf(field, sizeof(field), "%s", value)

static void names_of_a_decision_are_names(void)
{
	REFUSED_WITH(SET(d.request_id, ""));
	REFUSED_WITH(SET(d.request_id, "a b"));
	REFUSED_WITH(SET(d.request_id, "a'b"));
	REFUSED_WITH(SET(d.request_id, "a/b"));
	REFUSED_WITH(SET(d.terminal, "a#"));
	REFUSED_WITH(SET(d.business, ""));
	REFUSED_WITH(SET(d.business, "Open"));
	REFUSED_WITH(SET(d.parties[0].role, "other"));
	REFUSED_WITH(SET(d.parties[0].kind, ""));
	REFUSED_WITH(SET(d.parties[0].masked, "\xff"));
	REFUSED_WITH(SET(d.evidence[0].list, "../list"));
	REFUSED_WITH(SET(d.evidence[0].role, ""));
	REFUSED_WITH(SET(d.reasons[0].rule, "a b"));
	REFUSED_WITH(SET(d.reasons[0].code, ""));
	REFUSED_WITH(SET(d.reasons[0].code, "listed"));
	REFUSED_WITH(SET(d.facts[0].name, ""));
	REFUSED_WITH(SET(d.facts[0].name, "a b"));
}

static void numbers_of_a_decision_keep_to_their_bounds(void)
{
	REFUSED_WITH(d.time_s = -1);
	REFUSED_WITH(d.time_s = TIME_MAX_S + 1);
	REFUSED_WITH(d.outcome = 0);
	REFUSED_WITH(d.outcome = OUTCOME_REFUSE + 1);
	REFUSED_WITH(d.rules_version = COUNTER_MAX + 1);
	REFUSED_WITH(d.catalogue_version = COUNTER_MAX + 1);
	REFUSED_WITH(d.evidence[0].version = COUNTER_MAX + 1);
	REFUSED_WITH(d.evidence[0].result = 0);
	REFUSED_WITH(d.evidence[0].result = LOOKUP_ERROR + 1);
	REFUSED_WITH(d.evidence[0].age_s = -2);
	REFUSED_WITH(d.evidence[0].age_s = TIME_MAX_S + 1);
	REFUSED_WITH(d.evidence[0].value = ENTRY_VALUE_MAX + 1);
	REFUSED_WITH(d.reasons[0].outcome = 0);
	REFUSED_WITH(d.sealed_subject = ((struct bytes){ sealed, sizeof(sealed) }));
}

static void facts_are_sorted_finite_and_short(void)
{
	char text[DECISION_TEXT_MAX + 2] = { 0 };
	memset(text, 'a', DECISION_TEXT_MAX + 1);
	REFUSED_WITH(d.facts[1] = d.facts[0]);
	REFUSED_WITH(d.facts[0] = d.facts[4]);
	REFUSED_WITH(d.facts[0].value.number = (double)NAN);
	REFUSED_WITH(d.facts[0].value.number = -(double)INFINITY);
	REFUSED_WITH(d.facts[3].value.text = bytes_of(text));
	REFUSED_WITH(d.facts[3].value.text = bytes_of("\xc3"));
}

/* One fact, then no subject: the tail of the smallest decision, with a value in hex. */
static bool value_refused(const char *value)
{
	d = good;
	d.parties_len = d.evidence_len = d.reasons_len = d.facts_len = 0;
	buf_reset(&out);
	CU_ASSERT_TRUE(decision_encode(&d, &out, &e));
	out.len -= 1 + 1 + 2 + 60; /* facts' array, key 14, head and bytes of the subject */
	hex_read(bytes_of("81 82 61 61"), &out);
	hex_read(bytes_of(value), &out);
	hex_read(bytes_of("0e 40"), &out);
	return refuses(buf_bytes(&out), decode);
}

static void a_fact_has_one_way_of_being_written(void)
{
	CU_ASSERT_FALSE(value_refused("f6"));
	CU_ASSERT_FALSE(value_refused("f9 4900")); /* 10.0 */
	CU_ASSERT_TRUE(value_refused("0a"));
	CU_ASSERT_TRUE(value_refused("29"));
	CU_ASSERT_TRUE(value_refused("fa 41200000")); /* 10.0 */
	CU_ASSERT_TRUE(value_refused("f9 7e00"));     /* NaN */
	CU_ASSERT_TRUE(value_refused("f7"));          /* undefined */
	CU_ASSERT_TRUE(value_refused("41 61"));
	CU_ASSERT_TRUE(value_refused("81 f5"));
	CU_ASSERT_TRUE(value_refused("c1 f9 4900"));
}

static void fill(char *to, size_t size, char first, char rest)
{
	memset(to, rest, size - 1);
	to[0] = first;
	to[size - 1] = '\0';
}
#define FILL(field, first, rest) fill(field, sizeof(field), first, rest)

/* Every field as long, every number as large as it may be. */
static void make_fullest(void)
{
	static char text[DECISION_TEXT_MAX + 1];
	FILL(text, 'x', 'x');
	FILL(d.request_id, 'r', 'r');
	FILL(d.terminal, 't', 't');
	FILL(d.business, 'b', 'b');
	d.time_s = TIME_MAX_S;
	d.rules_version = d.catalogue_version = COUNTER_MAX;
	d.parties_len = DECISION_PARTIES_MAX;
	for (size_t i = 0; i < d.parties_len; i++) {
		SET(d.parties[i].role, "counterparty");
		FILL(d.parties[i].kind, 'k', 'k');
		FILL(d.parties[i].masked, '*', '*');
		d.parties[i].tag = UINT64_MAX;
	}
	d.evidence_len = DECISION_EVIDENCE_MAX;
	for (size_t i = 0; i < d.evidence_len; i++) {
		d.evidence[i] = (struct decision_evidence){ "",         "counterparty", COUNTER_MAX,
							    LOOKUP_HIT, TIME_MAX_S,     ENTRY_VALUE_MAX };
		FILL(d.evidence[i].list, 'l', 'l');
	}
	d.reasons_len = DECISION_REASONS_MAX;
	for (size_t i = 0; i < d.reasons_len; i++) {
		FILL(d.reasons[i].rule, 'r', 'r');
		FILL(d.reasons[i].code, 'C', 'C');
		d.reasons[i].outcome = OUTCOME_REFUSE;
	}
	d.facts_len = DECISION_FACTS_MAX;
	for (size_t i = 0; i < d.facts_len; i++) {
		FILL(d.facts[i].name, (char)('a' + i / 26), 'f');
		d.facts[i].name[1] = (char)('a' + i % 26);
		d.facts[i].value = (struct value){ .kind = VALUE_TEXT, .text = bytes_of(text) };
	}
	d.sealed_subject = (struct bytes){ sealed, DECISION_SEALED_MAX };
}

static void the_fullest_decision_fits_a_journal_row_and_no_more_is_taken(void)
{
	make_fullest();
	CU_ASSERT_FALSE(refused());
	struct journal_row row = { COUNTER_MAX, TIME_MAX_S, JOURNAL_DECISION, buf_bytes(&out) };
	CU_ASSERT_TRUE_FATAL(journal_row_encode(&row, &again, &e));
	CU_ASSERT_TRUE(again.len <= JOURNAL_ROW_MAX);
	static struct journal_batch batch;
	CU_ASSERT_TRUE(journal_batch_fits(&batch, buf_bytes(&again)));
	good = d;
	static const size_t above[] = { DECISION_PARTIES_MAX + 1, DECISION_EVIDENCE_MAX + 1, DECISION_REASONS_MAX + 1,
					DECISION_FACTS_MAX + 1 };
	static const char *const arrays[] = { "0a 83", "0b 990101", "0c 9841", "0d 990101" };
	for (size_t i = 0; i < 4; i++) { /* the decision ends at that array's head, which asks for too many */
		buf_reset(&out);
		d.parties_len = d.evidence_len = d.reasons_len = d.facts_len = 0;
		CU_ASSERT_TRUE(decision_encode(&d, &out, &e));
		out.len -= 3 + DECISION_SEALED_MAX + 1 + 2 * (4 - i);
		hex_read(bytes_of(arrays[i]), &out);
		for (size_t n = 0; n < above[i] * 8; n++)
			buf_add_u8(&out, 0x80);
		CU_ASSERT_FALSE(decode(buf_bytes(&out), &e));
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "more items"));
	}
}

static void a_request_id_is_of_plain_characters(void)
{
	char longest[REQUEST_ID_MAX_LEN + 2];
	FILL(longest, 'Z', '9');
	CU_ASSERT_FALSE(request_id_is_valid(longest));
	longest[REQUEST_ID_MAX_LEN] = '\0';
	CU_ASSERT_TRUE(request_id_is_valid(longest));
	CU_ASSERT_TRUE(request_id_is_valid("A.z_0:-"));
	CU_ASSERT_FALSE(request_id_is_valid(""));
	CU_ASSERT_FALSE(request_id_is_valid("\xe4\xbf\xa1"));
	CU_ASSERT_FALSE(request_id_is_valid("a\n"));
}

static void results_have_names(void)
{
	CU_ASSERT_STRING_EQUAL(lookup_name(LOOKUP_HIT), "hit");
	CU_ASSERT_STRING_EQUAL(lookup_name(LOOKUP_NOT_LISTED), "not_listed");
	CU_ASSERT_STRING_EQUAL(lookup_name(LOOKUP_STALE), "stale");
	CU_ASSERT_STRING_EQUAL(lookup_name(LOOKUP_NOT_COVERED), "not_covered");
	CU_ASSERT_STRING_EQUAL(lookup_name(LOOKUP_ERROR), "error");
}

static CU_TestInfo tests[] = {
	{ "a decision comes back as it went", a_decision_comes_back_as_it_went },
	{ "a decision cut anywhere is refused", a_decision_cut_anywhere_is_refused },
	{ "an empty decision is one too", an_empty_decision_is_one_too },
	{ "names of a decision are names", names_of_a_decision_are_names },
	{ "numbers of a decision keep to their bounds", numbers_of_a_decision_keep_to_their_bounds },
	{ "facts are sorted, finite and short", facts_are_sorted_finite_and_short },
	{ "a fact has one way of being written", a_fact_has_one_way_of_being_written },
	{ "the fullest decision fits a journal row and no more is taken",
	  the_fullest_decision_fits_a_journal_row_and_no_more_is_taken },
	{ "a request id is of plain characters", a_request_id_is_of_plain_characters },
	{ "results have names", results_have_names },
	CU_TEST_INFO_NULL,
};

SUITE(decision, setup, teardown, tests);
