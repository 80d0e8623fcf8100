/*
 * Real-time sources: rows as NDJSON in messages. All messages of a source that come on one day (China's) are one batch, which counts from
 * its first row on and grows until the day is over; then it is closed. A message is one transaction: its rows, its rejects, the answer it
 * gets. The same message again, by its id, is answered with the same bytes and adds nothing; the same id with other rows is refused. A key
 * that stands in an earlier message of the day is rejected as it would be in a file: the first one counts.
 *
 * A day that grows takes no file; once it is closed a file supersedes it, as any period.
 */
#ifndef CENTRAL_INGEST_MESSAGE_H
#define CENTRAL_INGEST_MESSAGE_H

#include "central/ingest/batch.h"

#define MESSAGE_ID_MAX      64
#define MESSAGE_ROWS_MAX    262144U /* bytes; a turn of the loop, about 5 ms */
#define MESSAGE_ANSWER_MAX  65536U
#define MESSAGE_REJECTS_MAX 100 /* named in an answer; all are kept with the batch */

struct message_new {
	const char *source, *id, *sender; /* sender: the certificate's name */
	struct bytes rows;
};
/* The answer, JSON, is appended to ack. ERR_INPUT; ERR_CONFLICT: the id was used for other rows, or a file counts, or waits, for this day. */
bool message_take(struct release_context *c, const struct message_new *m, int64_t now_s, struct buf *ack,
		  struct err *e) CHECKED;
/* Closes what grew on days before. */
bool message_close_days(struct release_context *c, int64_t now_s, struct err *e) CHECKED;

#endif
