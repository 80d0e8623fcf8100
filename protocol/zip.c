#include "protocol/zip.h"

#include <stdlib.h>
#include <zlib.h>

#define PIECE 4096U

static bool failed(enum zip_fault *fault, enum zip_fault what, struct err *e)
{
	static const char *const why[] = {
		[ZIP_OK] = "",
		[ZIP_NOT_ZLIB] = "it is not compressed",
		[ZIP_CUT_OFF] = "the data ends early",
		[ZIP_DAMAGED] = "the data is damaged",
		[ZIP_TOO_LARGE] = "it inflates to more than is allowed",
		[ZIP_TRAILING] = "something stands behind the data",
	};
	*fault = what;
	return err_set(e, what == ZIP_TOO_LARGE ? ERR_FULL : ERR_INPUT, "zlib: %s", why[what]);
}

/* RFC 1950, section 2.2: method 8, a window of at most 32 KiB, the check bits, no dictionary. */
static bool header_is_zlib(struct bytes d)
{
	return (d.data[0] & 0x0f) == 8 && d.data[0] >> 4 <= 7 && (d.data[0] << 8 | d.data[1]) % 31 == 0 &&
	       (d.data[1] & 0x20) == 0;
}

/* One call of inflate, for at most len bytes; false once it is over, with the verdict. */
static bool inflate_some(z_stream *z, uint8_t *to, size_t len, enum zip_fault *end)
{
	z->next_out = to;
	z->avail_out = (unsigned)len;
	int got = inflate(z, Z_NO_FLUSH);
	*end = ZIP_OK;
	if (got == Z_STREAM_END)
		*end = z->avail_in == 0 ? ZIP_OK : ZIP_TRAILING;
	else if (got != Z_OK && got != Z_BUF_ERROR)
		*end = ZIP_DAMAGED;
	else if (z->avail_out > 0 && z->avail_in == 0)
		*end = ZIP_CUT_OFF;
	else
		return true;
	return false;
}

static enum zip_fault inflate_all(z_stream *z, size_t max, struct buf *out)
{
	size_t before = out->len;
	enum zip_fault end;
	for (;;) {
		size_t room = max - (out->len - before), len = room < PIECE ? room : PIECE;
		uint8_t spare = 0, *to = len > 0 ? buf_grow(out, len) : &spare;
		if (to == NULL)
			return ZIP_TOO_LARGE;
		bool more = inflate_some(z, to, len > 0 ? len : 1, &end);
		if (len == 0 && z->avail_out == 0)
			return ZIP_TOO_LARGE;
		if (len > 0)
			out->len -= z->avail_out;
		if (!more)
			return end;
	}
}

bool zip_inflate(struct bytes data, size_t max, struct buf *out, enum zip_fault *fault, struct err *e)
{
	size_t before = out->len;
	*fault = ZIP_OK;
	if (data.len < 2)
		return failed(fault, ZIP_CUT_OFF, e);
	if (!header_is_zlib(data))
		return failed(fault, ZIP_NOT_ZLIB, e);
	/* zlib takes no const, and does not write. */
	z_stream z = { .next_in = (z_const Bytef *)(uintptr_t)data.data, .avail_in = (unsigned)data.len };
	if (inflateInit(&z) != Z_OK)
		abort();
	enum zip_fault found = inflate_all(&z, max, out);
	inflateEnd(&z);
	if (found == ZIP_OK)
		return true;
	out->len = before;
	return failed(fault, found, e);
}

bool zip_deflate(struct bytes data, struct buf *out, struct err *e)
{
	uLongf len = compressBound(data.len);
	uint8_t *to = buf_grow(out, len);
	if (to == NULL)
		return err_set(e, ERR_FULL, "zlib: %zu bytes do not fit", data.len);
	size_t before = out->len - len;
	if (compress2(to, &len, data.data, data.len, Z_BEST_COMPRESSION) != Z_OK)
		abort();
	out->len = before + len;
	return true;
}
