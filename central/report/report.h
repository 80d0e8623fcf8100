/*
 * The credit report (综合信用报告) of an enterprise as of a day: what counted at the end of that day in China, by the rules, aliases and
 * objections of then. Collected once (report_collect), it becomes HTML or PDF by functions of that struct alone, without clock or
 * database: the same person asking for the same purpose and day is given the same bytes, once the day is over; on the day itself until
 * something new counts. The log of reads therefore ends with the day before.
 *
 * A fact that an objection holds stands under "objections pending" and nowhere else; one that is not held stands in its place, marked.
 * A fact withdrawn is only named. Each fact says source, period, batch and row. Numbers are masked.
 */
#ifndef CENTRAL_REPORT_REPORT_H
#define CENTRAL_REPORT_REPORT_H

#include "central/report/credit_rules.h"
#include "central/score/models.h"

#define REPORT_TEXT_MAX  512
#define REPORT_BYTES_MAX 33554432U
#define REPORT_READS_MAX 50
#define REPORT_FAMILY    "enterprise" /* of models */
#define REPORT_NUMBER    32
#define REPORT_WHO_MAX   256 /* an operator, or branch, terminal and officer (requests.h) */

struct report_objection {
	int64_t id;
	bool open, hold;
	char field[SCHEMA_NAME_MAX + 1], opened[11], due[11], decided[11];
};
struct report_fact {
	struct source source;                   /* its schema is not here */
	char period[12], claimed[11], file[17]; /* the day the file claims; the first digits of its SHA-256 */
	int64_t batch, row;
	enum fact_nature nature;
	bool held, withdrawn, corrected;
	size_t fields_len, objections_len;
	struct buf fields; /* owned: title and value of each, a NUL behind each */
	struct report_objection objections[8];
};
struct report_score {
	bool there;
	int64_t id, input;
	char value[32], hash[MODEL_HEX + 1], scored[11], oldest[11];
	struct buf held, late; /* owned: inputs left out; inputs objected to since; a NUL behind each */
	struct json *result;   /* owned: as scores.h keeps it */
};
struct report_read {
	char time[20], who[REPORT_WHO_MAX], purpose[REPORT_TEXT_MAX];
};

struct report {
	char number[REPORT_NUMBER]; /* names the content: "XB20261123-…" */
	char as_of[11], who[REPORT_WHO_MAX], purpose[REPORT_TEXT_MAX], name[REPORT_TEXT_MAX];
	char masked[SUBJECT_MEMBERS_MAX][96];
	size_t masked_len;
	int64_t rules;
	bool sample, more;
	char green[REPORT_TEXT_MAX];
	size_t green_from; /* a fact's index; facts_len none */
	struct report_score score;
	size_t facts_len;
	struct buf store;
	struct report_fact *facts; /* in store; by source, period and row */
	size_t reads_len;
	struct report_read reads[REPORT_READS_MAX]; /* newest first */
};

struct report_request {
	const struct identifier *subject;
	const char *purpose, *who;
	int64_t day; /* days since 1970 */
	const char *
		given; /* the number of the report he was given before, when he asks again: that read is logged; NULL or "" */
};
/* The read is logged first, with its purpose, and audited. ERR_INPUT for a day to come. Release with report_free. */
struct report *report_collect(struct release_context *c, const struct report_request *q, int64_t now_s,
			      struct err *e) CHECKED;
void report_free(struct report *r);

/* The report as a row of blocks, the same for all forms. */
enum report_block {
	REPORT_TITLE,   /* a Chinese, b English */
	REPORT_SECTION, /* the same */
	REPORT_PAIR,    /* a label, b value */
	REPORT_FACT,    /* a its heading */
	REPORT_FINE,    /* a in small letters: where it is from */
	REPORT_MARK,    /* a: a warning */
	REPORT_NOTE,    /* a */
};
void report_walk(const struct report *r, void (*put)(void *arg, enum report_block kind, const char *a, const char *b),
		 void *arg);
/* Who asked for it, for what, as of when, which report: on every page. */
void report_watermark(const struct report *r, char *out, size_t size);

/* Appended to out. font_path: PDF_FONT of pdf.h. */
bool report_html(const struct report *r, struct buf *out, struct err *e) CHECKED;
bool report_pdf(const struct report *r, const char *font_path, struct buf *out, struct err *e) CHECKED;

#endif
