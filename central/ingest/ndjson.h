/*
 * One line of NDJSON (RFC 8259 a line): a flat object, whose numbers keep their text, so that 12.10 and eighteen digits arrive as they
 * were written. Nested values, a key twice, half a surrogate and NUL are refused. No allocation.
 */
#ifndef CENTRAL_INGEST_NDJSON_H
#define CENTRAL_INGEST_NDJSON_H

#include "protocol/base/buf.h"

#define NDJSON_MEMBERS_MAX 64

struct ndjson_member {
	struct bytes key, value; /* in the line, or in the scratch; a null has no data */
};

/* line: valid UTF-8 without its line end. scratch is reset first. */
bool ndjson_parse(struct bytes line, struct buf *scratch, struct ndjson_member members[NDJSON_MEMBERS_MAX],
		  size_t *len) CHECKED;

#endif
