#include "central/exchange/http_answer.h"

#include "protocol/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RETRY_MAX_S    86400
#define CHUNK_HEAD_MAX 256

struct head {
	int status;
	size_t len; /* with the empty line */
	bool chunked, has_length;
	uint64_t length;
	char retry_after[40];
};

void http_answer_init(struct http_answer *a, size_t body_max)
{
	*a = (struct http_answer){ 0 };
	buf_init(&a->body, body_max);
}

void http_answer_clear(struct http_answer *a)
{
	buf_wipe(&a->body);
}

static bool number_read(const char *s, size_t len, int base, uint64_t *out)
{
	char text[20];
	char *end = NULL;
	const char *digits = base == 10 ? "0123456789" : "0123456789abcdefABCDEF";
	if (len == 0 || len > 15)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, s);
	if (strspn(text, digits) != len)
		return false;
	*out = strtoull(text, &end, base);
	return true;
}

static bool is_named(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(line, name, len) == 0;
}

static bool value_take(struct head *h, struct bytes name, const char *value, size_t len, struct err *e)
{
	const char *n = (const char *)name.data;
	uint64_t length = 0;
	if (is_named(n, name.len, "Content-Length")) {
		if (!number_read(value, len, 10, &length) || (h->has_length && length != h->length))
			return err_set(e, ERR_INPUT, "the answer's Content-Length cannot be read");
		h->has_length = true;
		h->length = length;
	} else if (is_named(n, name.len, "Transfer-Encoding")) {
		if (h->chunked || !is_named(value, len, "chunked"))
			return err_set(e, ERR_INPUT, "the answer comes in a coding other than chunked");
		h->chunked = true;
	} else if (is_named(n, name.len, "Retry-After")) {
		snprintf(h->retry_after, sizeof(h->retry_after), "%.*s", (int)len, value);
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool field_read(struct head *h, const char *line, size_t len, struct err *e)
{
	const char *colon = memchr(line, ':', len);
	if (colon == NULL || colon == line || is_blank(line[0]) || is_blank(colon[-1]))
		return err_set(e, ERR_INPUT, "the answer has a malformed header");
	struct bytes name = { (const uint8_t *)line, (size_t)(colon - line) };
	size_t left = len - name.len - 1;
	const char *value = colon + 1;
	for (; left > 0 && is_blank(*value); left--)
		value++;
	while (left > 0 && is_blank(value[left - 1]))
		left--;
	return value_take(h, name, value, left, e);
}

static bool status_read(struct head *h, const char *line, size_t len, struct err *e)
{
	uint64_t status = 0;
	if (len < 12 || strncmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' || (len > 12 && line[12] != ' ') ||
	    !number_read(line + 9, 3, 10, &status) || status < 100)
		return err_set(e, ERR_INPUT, "the answer is no HTTP/1.1");
	h->status = (int)status;
	return true;
}

/* *whole false: its end has not come. */
static bool head_read(struct bytes in, struct head *h, bool *whole, struct err *e)
{
	const uint8_t *end = in.len > 0 ? memmem(in.data, in.len, "\r\n\r\n", 4) : NULL;
	*h = (struct head){ 0 };
	*whole = end != NULL;
	size_t len = end != NULL ? (size_t)(end - in.data) + 4 : in.len;
	if (len > HTTP_HEADERS_MAX)
		return err_set(e, ERR_INPUT, "the answer's headers are longer than %u bytes", HTTP_HEADERS_MAX);
	if (!*whole)
		return true;
	h->len = len;
	const char *line = (const char *)in.data, *last = (const char *)end + 2;
	if (memchr(line, '\0', len) != NULL)
		return err_set(e, ERR_INPUT, "the answer has a malformed header");
	for (bool first = true; line < last; first = false) {
		const char *cut = memmem(line, (size_t)(last - line), "\r\n", 2);
		size_t n = (size_t)((cut != NULL ? cut : last) - line);
		if (!(first ? status_read(h, line, n, e) : field_read(h, line, n, e)))
			return false;
		line += n + 2;
	}
	return !(h->chunked && h->has_length) || err_set(e, ERR_INPUT, "the answer has both a length and chunks");
}

static enum http_answer_step chunks_broken(struct err *e)
{
	err_set(e, ERR_INPUT, "the answer's chunks cannot be read");
	return HTTP_ANSWER_BROKEN;
}

static void skip(struct bytes *in, size_t n)
{
	in->data += n;
	in->len -= n;
}

/* The line before a chunk: its size; extensions are passed over. */
static enum http_answer_step chunk_head(struct bytes *in, uint64_t *size, struct err *e)
{
	const uint8_t *line = in->len > 0 ? memmem(in->data, in->len, "\r\n", 2) : NULL;
	if (line == NULL)
		return in->len < CHUNK_HEAD_MAX ? HTTP_ANSWER_MORE : chunks_broken(e);
	size_t head = (size_t)(line - in->data), digits = 0;
	while (digits < head && in->data[digits] != ';' && in->data[digits] != ' ')
		digits++;
	if (!number_read((const char *)in->data, digits, 16, size))
		return chunks_broken(e);
	skip(in, head + 2);
	return HTTP_ANSWER_WHOLE;
}

/* Trailers may follow the last chunk; nothing of ours is in them. */
static enum http_answer_step chunks_end(struct bytes in)
{
	bool whole = in.len >= 2 && (in.data[0] == '\r' || memmem(in.data, in.len, "\r\n\r\n", 4) != NULL);
	return whole ? HTTP_ANSWER_WHOLE : HTTP_ANSWER_MORE;
}

/* Walks the chunks; with out they are appended. */
static enum http_answer_step chunks_read(struct bytes in, struct buf *out, struct err *e)
{
	for (;;) {
		uint64_t size = 0;
		enum http_answer_step step = chunk_head(&in, &size, e);
		if (step != HTTP_ANSWER_WHOLE)
			return step;
		if (size == 0)
			return chunks_end(in);
		if (in.len < size + 2)
			return HTTP_ANSWER_MORE;
		if (memcmp(in.data + size, "\r\n", 2) != 0)
			return chunks_broken(e);
		if (out != NULL)
			buf_add(out, in.data, (size_t)size);
		skip(&in, (size_t)size + 2);
	}
}

static enum http_answer_step body_read(const struct head *h, struct bytes in, bool ended, struct http_answer *out,
				       struct err *e)
{
	bool none = h->status == 204 || h->status == 304;
	enum http_answer_step step = HTTP_ANSWER_WHOLE;
	if (!none && h->chunked)
		step = chunks_read(in, NULL, e);
	else if (!none && h->has_length)
		step = in.len < h->length ? HTTP_ANSWER_MORE : HTTP_ANSWER_WHOLE;
	else if (!none)
		step = ended ? HTTP_ANSWER_WHOLE : HTTP_ANSWER_MORE;
	if (step != HTTP_ANSWER_WHOLE)
		return step;
	out->status = h->status;
	snprintf(out->retry_after, sizeof(out->retry_after), "%s", h->retry_after);
	buf_reset(&out->body);
	if (!none && h->chunked)
		step = chunks_read(in, &out->body, e);
	else if (!none)
		buf_add(&out->body, in.data, h->has_length ? (size_t)h->length : in.len);
	return buf_ok(&out->body, "the answer", e) ? step : HTTP_ANSWER_BROKEN;
}

enum http_answer_step http_answer_read(struct bytes all, bool ended, struct http_answer *out, struct err *e)
{
	enum http_answer_step step = HTTP_ANSWER_MORE;
	struct head h;
	bool whole = false;
	do {
		if (!head_read(all, &h, &whole, e))
			return HTTP_ANSWER_BROKEN;
		all.data += h.len;
		all.len -= h.len;
	} while (whole && h.status < 200);
	if (whole)
		step = body_read(&h, all, ended, out, e);
	if (step != HTTP_ANSWER_MORE || !ended)
		return step;
	err_set(e, ERR_IO, "the connection ended %s the answer", whole ? "in the middle of" : "before");
	return HTTP_ANSWER_BROKEN;
}

int64_t http_retry_after_s(const char *text, int64_t now_s)
{
	struct tm tm = { 0 };
	uint64_t wait = 0;
	int64_t s = 0;
	if (number_read(text, strlen(text), 10, &wait)) {
		s = wait > RETRY_MAX_S ? RETRY_MAX_S : (int64_t)wait;
	} else {
		const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		if (end != NULL && *end == '\0')
			s = (int64_t)timegm(&tm) - now_s;
	}
	if (s < 0)
		return 0;
	return s > RETRY_MAX_S ? RETRY_MAX_S : s;
}
