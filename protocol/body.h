/*
 * Certificates' bodies on their way between branch and central: asked for by query, or set aside for a branch that expects the
 * customer (prefetch). They travel sealed: a query to central's seal key, an answer to the branch's.
 */
#ifndef PROTOCOL_BODY_H
#define PROTOCOL_BODY_H

#include "protocol/ecert.h"
#include "protocol/message.h"
#include "protocol/sealed.h"

#define PURPOSE_MAX 64 /* UTF-8 bytes: what a body is wanted for */

/* QUERY_CERTIFICATE. The query's body is sealed_put to central, as BODY_QUERY_CONTEXT. */
#define BODY_QUERY_CONTEXT    "xb/1/certificate-query/"
#define BODY_REPLY_CONTEXT    "xb/1/certificate-reply/"
#define BODY_PREFETCH_CONTEXT "xb/1/certificate-prefetch/"
struct body_query {
	uint8_t id[16]; /* equal to the query's, so that a sealed body cannot be put under another */
	enum identifier_kind holder_kind;
	char holder[PERSON_NAME_MAX + 1]; /* canonical */
	char type[ECERT_PART_MAX + 1];
	char purpose[PURPOSE_MAX + 1];
	char terminal[NAME_MAX_LEN + 1];
};
bool body_query_encode(const struct body_query *q, struct buf *out, struct err *e) CHECKED;
bool body_query_decode(struct bytes data, struct body_query *q, struct err *e) CHECKED;

/* One certificate as it travels and is cached. */
#define BODY_FILE_MAX 49152U /* with its code it fits one message */
struct body {
	struct bytes cose;        /* the signed message; borrowed */
	char media_type[64];      /* of the file; "" without one */
	struct bytes file;        /* borrowed; data NULL: none */
	bool file_left_out;       /* there is one that did not fit */
	int64_t consent_to_s;     /* the holder's consent ends; INT64_MAX never */
	enum ecert_status status; /* as central knows it now */
};
/* CBOR [cose, media type, file or null, left out, consent's end or null, status], as one item among others. */
void body_put(const struct body *b, struct buf *out);
/* Borrows from what c reads. */
bool body_get(struct cbor *c, struct body *b, struct err *e) CHECKED;
/* The reply's body, when its status is ERR_NONE: sealed_put to the branch, as BODY_REPLY_CONTEXT. */
#define BODIES_MAX 16
struct body_reply {
	uint8_t id[16]; /* the query's */
	bool more;      /* some did not fit */
	size_t bodies_len;
	struct body bodies[BODIES_MAX]; /* newest first */
};
bool body_reply_encode(const struct body_reply *r, struct buf *out, struct err *e) CHECKED;
/* Borrows from data. */
bool body_reply_decode(struct bytes data, struct body_reply *r, struct err *e) CHECKED;

/*
 * QUERY_PREFETCH: body CBOR uint, the last sequence the branch has taken (0: none yet). The reply's body is the next item,
 * sealed_put to the branch as BODY_PREFETCH_CONTEXT. PREFETCH_NONE carries the newest sequence
 * there is: one below what the branch has taken means that central was restored, and the branch begins at 0 again.
 */
enum prefetch_kind { PREFETCH_NONE, PREFETCH_PUT, PREFETCH_ERASE };
struct prefetch_item {
	uint8_t id[16]; /* the query's */
	enum prefetch_kind kind;
	uint64_t seq;
	enum identifier_kind holder_kind; /* put */
	char holder[PERSON_NAME_MAX + 1]; /* put: canonical */
	char type[ECERT_PART_MAX + 1];    /* put */
	char purpose[PURPOSE_MAX + 1];    /* put: what the holder agreed to; for nothing else may it be given out */
	struct body body; /* put; one of the same certificate and purpose takes the earlier one's place */
	char identity[PERSON_NAME_MAX + 1]; /* erase, for every purpose: ecert_identity's canonical text */
};
bool prefetch_item_encode(const struct prefetch_item *p, struct buf *out, struct err *e) CHECKED;
/* Borrows from data. */
bool prefetch_item_decode(struct bytes data, struct prefetch_item *p, struct err *e) CHECKED;

/* Down, command: CBOR uint. A nudge only: what it says is asked for anyway, later. */
enum down_command { COMMAND_PREFETCH = 1 };
bool down_command_encode(enum down_command c, struct buf *out, struct err *e) CHECKED;
bool down_command_decode(struct bytes data, enum down_command *c, struct err *e) CHECKED;

#endif
