#include "central/department/asked.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A line up to its CR LF; false when there is none. */
static bool line_take(struct bytes *rest, struct bytes *line)
{
	const uint8_t *end = rest->len > 0 ? memmem(rest->data, rest->len, "\r\n", 2) : NULL;
	if (end == NULL)
		return false;
	*line = (struct bytes){ rest->data, (size_t)(end - rest->data) };
	rest->data += line->len + 2;
	rest->len -= line->len + 2;
	return true;
}

static bool word_take(struct bytes *line, char *out, size_t size)
{
	const uint8_t *end = memchr(line->data, ' ', line->len);
	size_t len = end != NULL ? (size_t)(end - line->data) : line->len;
	if (len == 0 || len >= size)
		return false;
	memcpy(out, line->data, len);
	out[len] = '\0';
	size_t used = end != NULL ? len + 1 : len;
	line->data += used;
	line->len -= used;
	return true;
}

static bool first_line(struct bytes line, struct asked *h, struct err *e)
{
	char target[sizeof(h->path) + sizeof(h->query)], version[16];
	if (memchr(line.data, '\0', line.len) != NULL || !word_take(&line, h->method, sizeof(h->method)) ||
	    !word_take(&line, target, sizeof(target)) || !word_take(&line, version, sizeof(version)) ||
	    strncmp(version, "HTTP/1.", 7) != 0)
		return err_set(e, ERR_INPUT, "that is no HTTP/1.1 request");
	char *query = strchr(target, '?');
	if (query != NULL)
		*query++ = '\0';
	if (target[0] != '/' || strlen(target) >= sizeof(h->path) ||
	    (query != NULL && strlen(query) >= sizeof(h->query)))
		return err_set(e, ERR_INPUT, "the request's address is malformed or too long");
	snprintf(h->path, sizeof(h->path), "%s", target);
	snprintf(h->query, sizeof(h->query), "%s", query != NULL ? query : "");
	return true;
}

static bool size_parse(const char *text, struct asked *h, struct err *e)
{
	size_t len = strlen(text);
	uint64_t v = 0;
	if (len == 0 || len > 18 || strspn(text, "0123456789") != len || h->sized)
		return err_set(e, ERR_INPUT, "Content-Length: expected one number");
	for (size_t i = 0; i < len; i++)
		v = v * 10 + (uint64_t)(text[i] - '0');
	h->size = v;
	h->sized = true;
	return true;
}

/* "Name: value"; what is not asked for is passed over. */
static bool field_take(struct bytes line, struct asked *h, struct err *e)
{
	char name[32], value[64];
	const uint8_t *colon = memchr(line.data, ':', line.len);
	if (colon == NULL || colon == line.data || memchr(line.data, '\0', line.len) != NULL)
		return err_set(e, ERR_INPUT, "a line of the request's head is malformed");
	size_t len = (size_t)(colon - line.data), from = len + 1, to = line.len;
	while (from < to && (line.data[from] == ' ' || line.data[from] == '\t'))
		from++;
	while (to > from && (line.data[to - 1] == ' ' || line.data[to - 1] == '\t'))
		to--;
	if (len >= sizeof(name))
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)len, (const char *)line.data);
	/* Cut, it is no number any more: one so long is none either. */
	snprintf(value, sizeof(value), "%.*s", (int)(to - from), (const char *)line.data + from);
	if (strcasecmp(name, "Content-Length") == 0)
		return size_parse(value, h, e);
	if (strcasecmp(name, "Transfer-Encoding") == 0)
		h->chunked = true;
	if (strcasecmp(name, "Expect") == 0)
		h->expects = strcasecmp(value, "100-continue") == 0;
	return true;
}

bool asked_parse(struct bytes data, struct asked *out, size_t *used, struct err *e)
{
	struct bytes rest = data, line = { 0 };
	*used = 0;
	*out = (struct asked){ 0 };
	const uint8_t *end = data.len > 0 ? memmem(data.data, data.len, "\r\n\r\n", 4) : NULL;
	size_t len = end != NULL ? (size_t)(end - data.data) + 4 : data.len;
	if (len > ASKED_MAX)
		return err_set(e, ERR_FULL, "the request's head is longer than %u bytes", ASKED_MAX);
	if (end == NULL)
		return true;
	rest.len = len;
	if (!line_take(&rest, &line))
		return err_set(e, ERR_INPUT, "that is no HTTP/1.1 request");
	if (!first_line(line, out, e))
		return false;
	while (line_take(&rest, &line) && line.len > 0) {
		if (!field_take(line, out, e))
			return false;
	}
	*used = len;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* From text, up to an '&' or the end. */
static bool decode(const char *text, char out[ASKED_VALUE_MAX + 1])
{
	size_t len = 0;
	for (; *text != '\0' && *text != '&'; text++) {
		int c = (unsigned char)*text;
		if (c == '+')
			c = ' ';
		if (c == '%') {
			int high = hex_digit(text[1]), low = high >= 0 ? hex_digit(text[2]) : -1;
			if (low < 0)
				return false;
			c = high * 16 + low;
			text += 2;
		}
		if (c < 32 || c == 127 || len == ASKED_VALUE_MAX)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return true;
}

bool asked_query(const struct asked *h, const char *key, char out[ASKED_VALUE_MAX + 1])
{
	size_t len = strlen(key);
	for (const char *at = h->query; at != NULL; at = strchr(at, '&')) {
		at += *at == '&';
		if (strncmp(at, key, len) == 0 && at[len] == '=')
			return decode(at + len + 1, out);
	}
	out[0] = '\0';
	return false;
}
