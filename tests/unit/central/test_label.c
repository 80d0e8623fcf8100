/* Colour labels of made-up enterprises. Energy and output by hand: see each number's sum beside it. */
#include "central/green/labels.h"
#include "central/release/document.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCT   (2026 * 12 + 9)
#define MILLI 1000

static struct label_rules *rules;
static struct label_inputs in;
static struct label_result result;

static void rules_open(void)
{
	struct buf cbor = sample_document("carbon-label");
	rules = label_rules_decode(buf_bytes(&cbor), NULL);
	buf_clear(&cbor);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
}

static void rules_close(void)
{
	free(rules);
	rules = NULL;
}

/* A counter that turns by so much a month, twelve months to October 2026. */
static void counter(const char *meter, const char *carrier, const char *unit, int64_t a_month)
{
	int64_t at = 77 * MILLI;
	for (int32_t m = OCT - 11; m <= OCT; m++, at += a_month) {
		struct label_reading *r = &in.readings[in.readings_len++];
		*r = (struct label_reading){
			.month = m, .before = at, .after = at + a_month, .last = LABEL_NONE, .quantity = LABEL_NONE
		};
		snprintf(r->meter, sizeof(r->meter), "%s", meter);
		snprintf(r->carrier, sizeof(r->carrier), "%s", carrier);
		snprintf(r->unit, sizeof(r->unit), "%s", unit);
	}
}

static void outputs(int64_t a_month)
{
	for (int32_t m = OCT - 11; m <= OCT; m++) {
		struct label_output *o = &in.outputs[in.outputs_len++];
		*o = (struct label_output){ .month = m, .quantity = a_month };
		snprintf(o->industry, sizeof(o->industry), "c17");
		snprintf(o->unit, sizeof(o->unit), "万元");
	}
}

static void base(void)
{
	memset(&in, 0, sizeof(in));
	in.month = OCT;
	counter("E1", "electricity", "kWh", 100000 * MILLI);
	counter("G1", "natural_gas", "m3", 5000 * MILLI);
	outputs(700500); /* 700.5 */
}

static void emission_intensity_and_label_are_as_computed_by_hand(void)
{
	base();
	label_judge(rules, &in, &result);
	CU_ASSERT_EQUAL(result.faults_len, 0);
	CU_ASSERT_EQUAL(result.used[0], 1200000000);   /* 12 × 100,000 kWh */
	CU_ASSERT_EQUAL(result.emitted[0], 684000000); /* × 570 g */
	CU_ASSERT_EQUAL(result.emitted[1], 129600000); /* 12 × 5,000 m3 × 2,160 g */
	CU_ASSERT_EQUAL(result.grams, 813600000);
	CU_ASSERT_EQUAL(result.output, 8406000);  /* 12 × 700.5 */
	CU_ASSERT_EQUAL(result.intensity, 96788); /* 813,600,000 / 8,406 = 96,788.01 */
	CU_ASSERT_EQUAL(result.thousandths, 807); /* of 120,000: 806.57 */
	CU_ASSERT_STRING_EQUAL(result.colour->word.code, "light_green");
}

static void a_label_reaches_to_its_bound_and_no_gram_further(void)
{
	/* all of the year's use in its first month, 19,000 of output: 70 % of the benchmark is 84,000 g × 19,000 / 570 g = 2,800,000 kWh */
	static const struct {
		int64_t kwh, intensity;
		const char *label;
	} cases[] = {
		{ 2800000, 84000, "dark_green" },   { 2800016, 84000, "dark_green" }, /* 84,000.48 */
		{ 2800017, 84001, "light_green" },                                    /* 84,000.51 */
		{ 4000000, 120000, "light_green" },                                   /* the benchmark itself */
		{ 4000017, 120001, "yellow" },      { 5200000, 156000, "yellow" },    /* 130 % */
		{ 5200017, 156001, "red" },         { 52000000, 1560000, "red" },     { 0, 0, "dark_green" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&in, 0, sizeof(in));
		in.month = OCT;
		counter("E1", "electricity", "kWh", 0);
		outputs(0);
		in.outputs[0].quantity = 19000 * MILLI;
		in.readings[0].before = 0;
		in.readings[0].after = cases[i].kwh * MILLI;
		for (size_t k = 1; k < 12; k++)
			in.readings[k].before = in.readings[k].after = cases[i].kwh * MILLI;
		label_judge(rules, &in, &result);
		CU_ASSERT_EQUAL(result.faults_len, 0);
		CU_ASSERT_EQUAL(result.intensity, cases[i].intensity);
		CU_ASSERT_PTR_NOT_NULL_FATAL(result.colour);
		CU_ASSERT_STRING_EQUAL(result.colour->word.code, cases[i].label);
	}
}

static void a_counter_that_was_changed_is_used_up_to_its_last_reading(void)
{
	base();
	/* it ended at last, 300 further on than the month before; the new one went from 0 to after */
	struct label_reading *r = &in.readings[4];
	r->last = r->before + 300 * MILLI;
	r->after = 99700 * MILLI;
	in.readings[5].before = r->after;
	in.readings[5].after = r->after + 100000 * MILLI;
	for (size_t k = 6; k < 12; k++) {
		in.readings[k].before = in.readings[k - 1].after;
		in.readings[k].after = in.readings[k].before + 100000 * MILLI;
	}
	label_judge(rules, &in, &result);
	CU_ASSERT_EQUAL(result.faults_len, 0);
	CU_ASSERT_EQUAL(result.used[0], 1200000000);
	/* what was bought is a quantity */
	for (size_t k = 12; k < 24; k++) {
		in.readings[k].before = in.readings[k].after = LABEL_NONE;
		in.readings[k].quantity = 5000 * MILLI;
	}
	label_judge(rules, &in, &result);
	CU_ASSERT_EQUAL(result.faults_len, 0);
	CU_ASSERT_EQUAL(result.grams, 813600000);
}

enum change {
	BEFORE,
	AFTER,
	LAST,
	QUANTITY,
	MONTH,
	UNIT,
	CARRIER,
	HELD,
	O_QUANTITY,
	O_MONTH,
	O_UNIT,
	O_INDUSTRY,
	O_HELD,
	READINGS,
	OUTPUTS,
	ALL_CARRIERS
};

static void change(enum change what, size_t at, int64_t v, const char *text)
{
	struct label_reading *r = &in.readings[at];
	struct label_output *o = &in.outputs[at];
	switch (what) {
	case BEFORE: r->before = v; break;
	case AFTER: r->after = v; break;
	case LAST: r->last = v; break;
	case QUANTITY: r->quantity = v; break;
	case MONTH: r->month = (int32_t)v; break;
	case UNIT: snprintf(r->unit, sizeof(r->unit), "%s", text); break;
	case CARRIER: snprintf(r->carrier, sizeof(r->carrier), "%s", text); break;
	case HELD: r->held = true; break;
	case O_QUANTITY: o->quantity = v; break;
	case O_MONTH: o->month = (int32_t)v; break;
	case O_UNIT: snprintf(o->unit, sizeof(o->unit), "%s", text); break;
	case O_INDUSTRY: snprintf(o->industry, sizeof(o->industry), "%s", text); break;
	case O_HELD: o->held = true; break;
	case READINGS: in.readings_len = (size_t)v; break;
	case OUTPUTS: in.outputs_len = (size_t)v; break;
	case ALL_CARRIERS:
		for (size_t i = 0; i < 12; i++) {
			snprintf(in.readings[i].carrier, sizeof(in.readings[i].carrier), "%s", text);
			snprintf(in.readings[i].unit, sizeof(in.readings[i].unit), "m3");
		}
	}
}

static bool has_fault(const char *code, const char *of, int32_t month)
{
	for (size_t i = 0; i < result.faults_len && i < LABEL_FAULTS_MAX; i++)
		if (strcmp(result.faults[i].code, code) == 0 && strcmp(result.faults[i].of, of) == 0 &&
		    result.faults[i].month == month)
			return true;
	return false;
}

static void what_is_wrong_with_a_number_is_named_and_there_is_no_label(void)
{
	static const struct {
		enum change what;
		size_t at;
		int64_t v;
		const char *text, *code, *of;
		int32_t month;
	} cases[] = {
		{ BEFORE, 3, LABEL_BAD, "", "number", "E1", OCT - 8 },
		{ AFTER, 3, LABEL_NONE, "", "number", "E1", OCT - 8 },
		{ LAST, 3, LABEL_BAD, "", "number", "E1", OCT - 8 },
		{ LAST, 3, 5, "", "reset", "E1", OCT - 8 },
		{ QUANTITY, 3, 5, "", "number", "E1", OCT - 8 }, /* both a counter and a quantity */
		{ AFTER, 11, 5, "", "reset", "E1", OCT },
		{ BEFORE, 11, 1100077 * MILLI + 1, "", "break", "E1", OCT },
		{ MONTH, 4, OCT - 8, "", "twice", "E1", OCT - 8 },
		{ MONTH, 4, OCT - 8, "", "missing", "E1", OCT - 7 },
		{ MONTH, 0, OCT - 10, "", "missing", "E1", OCT - 11 },
		{ MONTH, 11, OCT - 1, "", "missing", "E1", OCT },
		{ UNIT, 3, 0, "", "unit", "E1", OCT - 8 },
		{ UNIT, 3, 0, "MWh", "unit", "E1", OCT - 8 },
		{ CARRIER, 3, 0, "steam", "carrier", "E1", OCT - 8 },
		{ CARRIER, 3, 0, "natural_gas", "changed", "E1", OCT - 8 },
		{ HELD, 3, 0, "", "held", "E1", OCT - 8 },
		{ READINGS, 0, 0, "", "no-readings", "", 0 },
		{ OUTPUTS, 0, 0, "", "no-output", "", 0 },
		{ READINGS, 0, 11, "", "missing", "E1", OCT },
		{ OUTPUTS, 0, 11, "", "missing", "", OCT },
		{ ALL_CARRIERS, 0, 0, "natural_gas", "must", "electricity", 0 },
		{ O_QUANTITY, 3, LABEL_BAD, "", "number", "", OCT - 8 },
		{ O_QUANTITY, 3, LABEL_NONE, "", "number", "", OCT - 8 },
		{ O_MONTH, 4, OCT - 8, "", "twice", "", OCT - 8 },
		{ O_UNIT, 3, 0, "t", "unit", "", OCT - 8 },
		{ O_INDUSTRY, 3, 0, "c99", "industry", "c99", OCT - 8 },
		{ O_INDUSTRY, 3, 0, "c34", "changed", "c34", OCT - 8 },
		{ O_HELD, 3, 0, "", "held", "", OCT - 8 },
		{ AFTER, 11, INT64_C(2000000000000000), "", "large", "electricity", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		base();
		change(cases[i].what, cases[i].at, cases[i].v, cases[i].text);
		label_judge(rules, &in, &result);
		CU_ASSERT_PTR_NULL(result.colour);
		CU_ASSERT(result.faults_len > 0);
		if (!has_fault(cases[i].code, cases[i].of, cases[i].month))
			printf("\n    %zu: %s expected, %s %s %d there", i, cases[i].code, result.faults[0].code,
			       result.faults[0].of, (int)result.faults[0].month);
		CU_ASSERT_TRUE(has_fault(cases[i].code, cases[i].of, cases[i].month));
	}
	base();
	for (size_t k = 0; k < 12; k++)
		in.outputs[k].quantity = 0;
	label_judge(rules, &in, &result);
	CU_ASSERT(result.colour == NULL && has_fault("zero", "", 0));
}

static void the_same_row_from_two_files_counts_once_and_another_is_a_fault(void)
{
	base();
	in.readings[24] = in.readings[3];
	snprintf(in.readings[24].place.source, sizeof(in.readings[24].place.source), "another");
	in.outputs[12] = in.outputs[3];
	in.readings_len = 25;
	in.outputs_len = 13;
	label_inputs_order(&in);
	CU_ASSERT(in.readings_len == 24 && in.outputs_len == 12);
	label_judge(rules, &in, &result);
	CU_ASSERT(result.faults_len == 0 && result.grams == 813600000);
	in.readings[24] = in.readings[3];
	in.readings[24].after += 1;
	in.readings_len = 25;
	label_inputs_order(&in);
	label_judge(rules, &in, &result);
	CU_ASSERT(in.readings_len == 25 && result.colour == NULL && has_fault("twice", "E1", OCT - 8));
}

static void what_was_gathered_is_read_back_as_it_was(void)
{
	struct buf one, two;
	struct json_out w = { &one, false };
	static struct label_inputs back;
	buf_init(&one, 1U << 20);
	buf_init(&two, 1U << 20);
	base();
	in.readings[2].held = true;
	in.readings[2].last = LABEL_BAD;
	label_inputs_json(&in, &w, NULL);
	struct json *j = json_parse(buf_bytes(&one), NULL);
	CU_ASSERT_TRUE_FATAL(label_inputs_read(j, &back, NULL));
	json_free(j);
	w = (struct json_out){ &two, false };
	label_inputs_json(&back, &w, NULL);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	j = json_parse(bytes_of("{\"month\":24321,\"readings\":[{}],\"outputs\":[]}"), NULL);
	struct err e = { 0 };
	CU_ASSERT_FALSE(label_inputs_read(j, &back, &e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	json_free(j);
	buf_clear(&one);
	buf_clear(&two);
}

static void documents_that_cannot_be_understood_are_refused_by_name(void)
{
	static const char *const wrong[][3] = {
		{ "\"months\": 12", "\"months\": 13", "months" },
		{ "\"grams\": 570", "\"grams\": -570", "carriers[0].grams" },
		{ "\"per\": 1,", "\"per\": 0,", "carriers[0].per" },
		{ "\"unit\": \"kWh\", ", "", "carriers[0].unit" },
		{ "\"code\": \"natural_gas\"", "\"code\": \"electricity\"", "carriers[1]" },
		{ "\"code\": \"c26\"", "\"code\": \"c17\"", "industries[1]" },
		{ "\"benchmark\": 120000", "\"benchmark\": 999", "industries[0].benchmark" },
		{ "\"up_to\": 1000", "\"up_to\": 700", "labels[1].up_to" },
		{ "\"code\": \"red\", \"zh\": \"红\", \"en\": \"red\"",
		  "\"code\": \"red\", \"zh\": \"红\", \"en\": \"red\", \"up_to\": 2000", "labels[3]" },
		{ "\"code\": \"light_green\"", "\"code\": \"dark_green\"", "labels[1]" },
		{ "\"type\": \"carbon-label\"", "\"type\": \"carbon\"", "type" },
		{ "\"sample\": true", "\"sample\": true, \"more\": 1", "more" },
	};
	struct buf sample = file_text("central/sample/carbon-label.json"), text, cbor;
	buf_init(&text, 1U << 20);
	buf_init(&cbor, 1U << 20);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *whole = buf_str(&sample), *at = strstr(whole, wrong[i][0]);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		struct err e = { 0 };
		buf_reset(&text);
		buf_reset(&cbor);
		buf_add(&text, whole, (size_t)(at - whole));
		buf_add_str(&text, wrong[i][1]);
		buf_add_str(&text, at + strlen(wrong[i][0]));
		CU_ASSERT_FALSE(document_from_json(buf_bytes(&text), "carbon-label", &cbor, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		if (strstr(e.text, wrong[i][2]) == NULL)
			printf("\n    %zu: %s", i, e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, wrong[i][2]));
	}
	/* a number whose source is not named is none */
	const char *whole = buf_str(&sample), *at = strstr(whole, ", \"source\"");
	struct err e = { 0 };
	buf_reset(&text);
	buf_add(&text, whole, (size_t)(at - whole));
	buf_add_str(&text, strchr(at, '}'));
	CU_ASSERT_FALSE(document_from_json(buf_bytes(&text), "carbon-label", &cbor, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "source"));
	buf_clear(&cbor);
	buf_clear(&text);
	buf_clear(&sample);
}

static void numbers_are_thousandths_and_nothing_is_rounded_away(void)
{
	static const struct {
		const char *text;
		int64_t v;
	} cases[] = {
		{ "0", 0 },
		{ "7", 7000 },
		{ "700.5", 700500 },
		{ "0.001", 1 },
		{ "12.34000", 12340 },
		{ "999999999999.999", INT64_C(999999999999999) },
		{ "", LABEL_NONE },
		{ "-1", LABEL_BAD },
		{ "0.0001", LABEL_BAD },
		{ "1.", LABEL_BAD },
		{ ".5", LABEL_BAD },
		{ "1e3", LABEL_BAD },
		{ "1,000", LABEL_BAD },
		{ "1000000000000", LABEL_BAD },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(label_thousandths(bytes_of(cases[i].text)), cases[i].v);
	CU_ASSERT_EQUAL(label_thousandths((struct bytes){ NULL, 0 }), LABEL_NONE);
}

static CU_TestInfo pure_tests[] = {
	{ "numbers are thousandths and nothing is rounded away",
	  numbers_are_thousandths_and_nothing_is_rounded_away },
	{ "emission, intensity and label are as computed by hand",
	  emission_intensity_and_label_are_as_computed_by_hand },
	{ "a label reaches to its bound and no gram further", a_label_reaches_to_its_bound_and_no_gram_further },
	{ "a counter that was changed is used up to its last reading",
	  a_counter_that_was_changed_is_used_up_to_its_last_reading },
	{ "what is wrong with a number is named and there is no label",
	  what_is_wrong_with_a_number_is_named_and_there_is_no_label },
	{ "the same row from two files counts once, and another is a fault",
	  the_same_row_from_two_files_counts_once_and_another_is_a_fault },
	{ "what was gathered is read back as it was", what_was_gathered_is_read_back_as_it_was },
	{ "documents that cannot be understood are refused by name",
	  documents_that_cannot_be_understood_are_refused_by_name },
	CU_TEST_INFO_NULL,
};
SUITE(label, rules_open, rules_close, pure_tests);
