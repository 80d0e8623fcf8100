/*
 * The credit report of an enterprise, asked of central by a branch (QUERY_REPORT): an officer at a terminal says whose, what for and as of
 * which day; central makes the report, and the branch fetches it part by part, each an answer of its own that is sealed to the branch's key,
 * as the question is to central's. Questions of one report bear the same `request`, so that a lost answer is asked for again and the
 * report is logged and made once; the hash in every part is the whole's, so that parts of two reports are never put together.
 */
#ifndef PROTOCOL_INQUIRY_H
#define PROTOCOL_INQUIRY_H

#include "protocol/body.h"

#define INQUIRY_QUERY_CONTEXT "xb/1/report-query/" /* sealed.h */
#define INQUIRY_REPLY_CONTEXT "xb/1/report-reply/"

#define INQUIRY_REQUEST_LEN 16
#define INQUIRY_OFFICER_MAX 64        /* UTF-8 bytes: who asks, as the bank's own system names him */
#define INQUIRY_NUMBER_MAX  31        /* of a report */
#define INQUIRY_PART        65536U    /* bytes of all parts but the last; with its seal it fits one message */
#define INQUIRY_BYTES_MAX   16777216U /* a report of a thousand facts is about 1 MB */
#define INQUIRY_PARTS_MAX   (INQUIRY_BYTES_MAX / INQUIRY_PART)
#define INQUIRY_TODAY       INT64_MIN

enum inquiry_format { INQUIRY_HTML = 1, INQUIRY_PDF };
#define INQUIRY_FORMAT_LAST INQUIRY_PDF
const char *inquiry_format_name(enum inquiry_format f); /* "html", "pdf" */
bool inquiry_format_of(const char *name, enum inquiry_format *f);

struct inquiry {
	uint8_t id[16];                       /* equal to the query's */
	uint8_t request[INQUIRY_REQUEST_LEN]; /* of the report */
	uint64_t part;                        /* from 0 */
	enum identifier_kind kind;
	char number[PERSON_NAME_MAX + 1]; /* canonical */
	char purpose[PURPOSE_MAX + 1];
	int64_t day; /* as of the end of it, days since 1970; INQUIRY_TODAY: the day it is in China when central answers first */
	enum inquiry_format format;
	char terminal[NAME_MAX_LEN + 1], officer[INQUIRY_OFFICER_MAX + 1]; /* neither is "" */
};
bool inquiry_encode(const struct inquiry *q, struct buf *out, struct err *e) CHECKED;
bool inquiry_decode(struct bytes data, struct inquiry *q, struct err *e) CHECKED;

struct inquiry_part {
	uint8_t id[16];         /* the query's */
	uint8_t hash[HASH_LEN]; /* SHA-256 of the whole report */
	uint64_t size, part;    /* of the whole; which */
	char number[INQUIRY_NUMBER_MAX + 1];
	struct bytes data; /* borrowed */
};
/* How long a part of a report of that size is; 0: there is none such. */
size_t inquiry_part_len(uint64_t size, uint64_t part);
bool inquiry_part_encode(const struct inquiry_part *p, struct buf *out, struct err *e) CHECKED;
/* Borrows from data. ERR_INPUT also for a part that is not as long as it must be. */
bool inquiry_part_decode(struct bytes data, struct inquiry_part *p, struct err *e) CHECKED;

#endif
