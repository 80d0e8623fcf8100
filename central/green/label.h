/*
 * The colour label of an enterprise 碳效标识 for the months up to one: pure functions over what was gathered, in whole numbers. Energy is in thousandths
 * of the carrier's unit, output in thousandths of the industry's, emissions in grams of CO2e.
 *
 *   use of a counter in a month   after - before; (last - before) + after where it was changed or ran over and last is its reading then
 *   emissions of a carrier        use of all its meters × grams / per, rounded half up once
 *   intensity                     all emissions / output, rounded half up to a gram
 *   label                         the first whose up_to thousandths of the benchmark the intensity does not pass
 *
 * What is missing never makes anybody greener: any fault, and there is no label. Each meter and the output must be there in each of the months, once
 * (the same row from two files counts once); one that came or went within them is reported with 0. A counter begins where it ended the month before.
 *
 * Fields of the rows: meter, carrier, unit, month, and either before and after, with last at a change, or quantity (what was bought or
 * billed); of outputs: industry, unit, month, quantity.
 */
#ifndef CENTRAL_GREEN_LABEL_H
#define CENTRAL_GREEN_LABEL_H

#include "central/green/label_rules.h"
#include "central/ingest/subject.h"

#define LABEL_ROWS_MAX   SUBJECT_ROWS_MAX
#define LABEL_METER_MAX  40
#define LABEL_FAULTS_MAX 16
#define LABEL_NONE       (-1) /* of a number: the cell is empty */
#define LABEL_BAD        (-2) /* it is no number from 0 to below 10^12 with at most three decimals */

struct label_place {
	char source[NAME_MAX_LEN + 1];
	int64_t batch, row;
};
struct label_reading {
	char meter[LABEL_METER_MAX + 1], carrier[NAME_MAX_LEN + 1], unit[LABEL_UNIT_MAX + 1];
	int32_t month;
	int64_t before, after, last, quantity;
	bool held; /* by an objection */
	struct label_place place;
};
struct label_output {
	char industry[NAME_MAX_LEN + 1], unit[LABEL_UNIT_MAX + 1];
	int32_t month;
	int64_t quantity;
	bool held;
	struct label_place place;
};
struct label_inputs {
	int32_t month; /* the last one */
	size_t readings_len, outputs_len;
	struct label_reading readings[LABEL_ROWS_MAX];
	struct label_output outputs[LABEL_ROWS_MAX];
};
/* A cell as thousandths; LABEL_NONE, LABEL_BAD. */
int64_t label_thousandths(struct bytes cell);
/* A row, where it is one of the document's indicators and of its months. */
void label_inputs_add(struct label_inputs *in, const struct label_rules *r, const struct subject_record *record);
/* In order, what is there twice once: after the last was added. */
void label_inputs_order(struct label_inputs *in);

struct label_fault {
	const char *code, *zh, *en;   /* static */
	char of[LABEL_METER_MAX + 1]; /* meter, carrier or industry; "" the output */
	int32_t month;                /* 0: all of them */
};
struct label_result {
	const struct label_colour *colour;             /* NULL none: faults says why. Into the rules, as all here */
	const struct label_industry *industry;         /* NULL unknown */
	int64_t grams, output, intensity, thousandths; /* of the benchmark, rounded half up for showing */
	int64_t used[LABEL_CARRIERS_MAX], emitted[LABEL_CARRIERS_MAX];
	size_t faults_len; /* all are counted, LABEL_FAULTS_MAX kept */
	struct label_fault faults[LABEL_FAULTS_MAX];
};
void label_judge(const struct label_rules *r, const struct label_inputs *in, struct label_result *out);

/* Both as one JSON object, a line; in and out are each one member of it. */
void label_inputs_json(const struct label_inputs *in, struct json_out *w, const char *key);
void label_result_json(const struct label_rules *r, const struct label_inputs *in, const struct label_result *x,
		       struct json_out *w, const char *key);
/* ERR_IO: it is not what label_inputs_json wrote. */
bool label_inputs_read(const struct json *j, struct label_inputs *out, struct err *e) CHECKED;

#endif
