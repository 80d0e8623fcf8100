#include "central/ingest/encoding.h"

#include "protocol/base/utf8.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

/* The analyzer takes what iconv_open did not open, (iconv_t)-1, for something that leaks. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* One direction; cd means something once it is open. */
struct direction {
	iconv_t cd;
	bool open;
};

struct transcoder {
	struct direction to_utf8, to_gb;
};

static const char *const names[] = {
	[ENCODING_AUTO] = "auto", [ENCODING_UTF8] = "utf-8", [ENCODING_GB18030] = "gb18030"
};

bool encoding_of(const char *name, enum encoding *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum encoding)i;
			return true;
		}
	}
	return false;
}

const char *encoding_name(enum encoding c)
{
	return names[c];
}

struct transcoder *transcoder_new(void)
{
	struct transcoder *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	return t;
}

void transcoder_free(struct transcoder *t)
{
	if (t == NULL)
		return;
	if (t->to_utf8.open)
		iconv_close(t->to_utf8.cd);
	if (t->to_gb.open)
		iconv_close(t->to_gb.cd);
	free(t);
}

static bool convert(struct direction *d, const char *to, const char *from, struct bytes in, struct buf *out)
{
	if (!d->open) {
		d->cd = iconv_open(to, from);
		d->open = d->cd != (iconv_t)-1; // NOLINT(performance-no-int-to-ptr): POSIX says so
	}
	if (!d->open)
		return false;
	size_t room = 4 * in.len + 4, left = in.len,
	       before = out->len; /* four bytes a byte is more than either takes */
	uint8_t *at = buf_grow(out, room);
	if (at == NULL)
		return false;
	char *src = (char *)(uintptr_t)in.data, *dst = (char *)at;
	iconv(d->cd, NULL, NULL, NULL, NULL);
	size_t rc = iconv(d->cd, &src, &left, &dst, &room);
	bool ok = rc == 0 && left == 0;
	out->len = ok ? (size_t)((uint8_t *)dst - out->data) : before;
	return ok;
}

bool transcoder_utf8(struct transcoder *t, struct bytes gb18030, struct buf *out)
{
	return convert(&t->to_utf8, "UTF-8", "GB18030", gb18030, out);
}

bool transcoder_gb18030(struct transcoder *t, struct bytes utf8, struct buf *out)
{
	return convert(&t->to_gb, "GB18030", "UTF-8", utf8, out);
}

static bool starts(struct bytes t, const char *with, size_t len)
{
	return t.len >= len && memcmp(t.data, with, len) == 0;
}

/* Up to the last line end, so that no character is cut. */
static struct bytes whole_lines(struct bytes t)
{
	const uint8_t *lf = memrchr(t.data, '\n', t.len);
	return lf == NULL ? (struct bytes){ t.data, 0 } : (struct bytes){ t.data, (size_t)(lf - t.data) };
}

bool encoding_guess(struct bytes start, bool whole, enum encoding *out, struct err *e)
{
	if (starts(start, "PK\3\4", 4) || starts(start, "\xd0\xcf\x11\xe0", 4))
		return err_set(e, ERR_INPUT, "the file is an Excel workbook; save it as CSV (UTF-8) and send that");
	if (starts(start, "\xff\xfe", 2) || starts(start, "\xfe\xff", 2))
		return err_set(e, ERR_INPUT, "the file is UTF-16; save it as CSV (UTF-8) and send that");
	*out = ENCODING_UTF8;
	struct bytes sample = whole ? start : whole_lines(start);
	if (starts(start, "\xef\xbb\xbf", 3) || sample.len == 0 || utf8_is_valid(sample))
		return true;
	struct transcoder *t = transcoder_new();
	struct buf text;
	buf_init(&text, 4 * sample.len + 16);
	if (transcoder_utf8(t, sample, &text))
		*out = ENCODING_GB18030;
	buf_clear(&text);
	transcoder_free(t);
	return true;
}
