/*
 * UTF-8 and GB18030 (GB 18030-2005, which GBK and GB 2312 are part of), over libc's iconv; encoding.c alone includes iconv.h. In GB18030
 * no trailing byte is a comma, a quote or a line end, so rows and cells are cut before they are converted.
 */
#ifndef CENTRAL_INGEST_ENCODING_H
#define CENTRAL_INGEST_ENCODING_H

#include "protocol/base/buf.h"

enum encoding { ENCODING_AUTO, ENCODING_UTF8, ENCODING_GB18030 };
bool encoding_of(const char *name, enum encoding *out) CHECKED; /* "auto", "utf-8", "gb18030" */
const char *encoding_name(enum encoding c);

/* What a file's beginning looks like: UTF-8 when it is that, or plain ASCII, or neither. whole: nothing follows. ERR_INPUT for a workbook
   or UTF-16, which nobody reads here. */
bool encoding_guess(struct bytes start, bool whole, enum encoding *out, struct err *e) CHECKED;

struct transcoder; /* opened at the first character that is not ASCII */
struct transcoder *transcoder_new(void);
void transcoder_free(struct transcoder *t);
/* Appended to out; false when it is no GB18030, or what has no place in it (or in out). */
bool transcoder_utf8(struct transcoder *t, struct bytes gb18030, struct buf *out) CHECKED;
bool transcoder_gb18030(struct transcoder *t, struct bytes utf8, struct buf *out) CHECKED;

#endif
