/*
 * One file as it comes from a department: bytes in the order they stand in the file become parts of a batch (central/ingest/batch.h), at
 * most UPLOAD_PART of them in memory. The last part is taken only when the bytes hash to what the department said the file is, so that a
 * file that was cut or changed under way never counts; whatever ends otherwise leaves nothing but a row of the audit.
 */
#ifndef CENTRAL_DEPARTMENT_UPLOAD_H
#define CENTRAL_DEPARTMENT_UPLOAD_H

#include "central/department/certificates.h"
#include "central/department/asked.h"
#include "central/ingest/batch.h"

#define UPLOAD_SIZE_MAX 17179869184U /* 16 GiB: a day at 1.5 Mbit/s; longer ones come as several periods or by hand */
#define UPLOAD_PART     1048576U     /* a turn of the loop, about 20 ms */

struct upload {
	struct release_context *c;
	struct department department;
	char source[NAME_MAX_LEN + 1], period[BATCH_PERIOD_MAX + 1];
	uint8_t sha256[HASH_LEN]; /* as it was said */
	struct sha256_stream stream;
	uint64_t size, got;
	int64_t batch; /* 0: none is being loaded */
	struct buf in; /* owned */
};
void upload_init(struct upload *u, struct release_context *c, const struct department *d);
/* Whatever is under way is dropped: why goes to the audit. NULL: it ended by itself. */
void upload_clear(struct upload *u, const char *why, int64_t now_s);

/* What the head says of the file. Nothing is stored yet. ERR_DENIED: not this department's source. ERR_FULL: too long. */
bool upload_read(struct upload *u, const char *source, const struct asked *h, struct batch_new *n,
		 char file[ASKED_VALUE_MAX + 1], char as_of[ASKED_VALUE_MAX + 1], struct err *e) CHECKED;
/* *id: its batch; *wanted: the bytes are, otherwise this file was sent before. ERR_CONFLICT while someone else loads it. */
bool upload_begin(struct upload *u, const struct batch_new *n, int64_t now_s, int64_t *id, bool *wanted,
		  struct err *e) CHECKED;
/* The next bytes; more than the file has is ERR_INPUT. After a failure, and once got is size, nothing is under way any more. */
bool upload_bytes(struct upload *u, struct bytes piece, int64_t now_s, struct err *e) CHECKED;

#endif
