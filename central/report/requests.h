/*
 * Credit reports asked for by branches (protocol/inquiry.h). Who asked stands in the log of reads, in the audit and on the report as
 * "branch NAME / TERMINAL / OFFICER", which no operator can be called. A question asked again under the same request is the same read: it
 * is logged anew only if it is now another report, since something new counts.
 */
#ifndef CENTRAL_REPORT_REQUESTS_H
#define CENTRAL_REPORT_REQUESTS_H

#include "central/report/report.h"
#include "protocol/inquiry.h"

#define REPORT_REQUEST_KEPT_S 604800 /* so long a request is known again */

/* The report, appended to out, and its number. ERR_CONFLICT: the request was used with another question; ERR_INPUT for a number that is no
   enterprise's or a day to come; ERR_FULL: it is longer than INQUIRY_BYTES_MAX. */
bool report_request_answer(struct release_context *c, const char *branch, const struct inquiry *q, int64_t now_s,
			   struct buf *out, char number[REPORT_NUMBER], struct err *e) CHECKED;
/* What makes two questions the same, whatever part is asked for. */
bool report_question_hash(const struct inquiry *q, uint8_t hash[HASH_LEN], struct err *e) CHECKED;

#endif
