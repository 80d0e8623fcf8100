/* zlib's format (RFC 1950) in bounded memory; zip.c alone includes zlib.h. */
#ifndef PROTOCOL_ZIP_H
#define PROTOCOL_ZIP_H

#include "protocol/base/buf.h"

enum zip_fault {
	ZIP_OK,
	ZIP_NOT_ZLIB, /* the header is none, or wants a dictionary */
	ZIP_CUT_OFF,  /* the data ends before the stream does */
	ZIP_DAMAGED,  /* deflate's data or the checksum is wrong */
	ZIP_TOO_LARGE,
	ZIP_TRAILING, /* something stands behind the stream */
};

/* At most max bytes are appended to out, whatever the stream says; on failure (ERR_INPUT, ERR_FULL) none. */
bool zip_inflate(struct bytes data, size_t max, struct buf *out, enum zip_fault *fault, struct err *e) CHECKED;
/* At the best level. */
bool zip_deflate(struct bytes data, struct buf *out, struct err *e) CHECKED;

#endif
