#include "central/ingest/ndjson.h"

#include <string.h>

struct scan {
	const char *at, *end;
	struct buf *scratch;
};

static void space_skip(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static bool taken(struct scan *s, char c)
{
	space_skip(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool hex_read(struct scan *s, uint32_t *out)
{
	*out = 0;
	if (s->end - s->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = *s->at++;
		uint32_t v = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
			     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
						    : 16;
		if (v == 16)
			return false;
		*out = *out << 4 | v;
	}
	return true;
}

static bool utf8_put(struct buf *b, uint32_t c)
{
	if (c < 0x80)
		return buf_add_u8(b, (uint8_t)c);
	if (c < 0x800)
		return buf_add_u8(b, (uint8_t)(0xc0 | c >> 6)) && buf_add_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	if (c < 0x10000)
		return buf_add_u8(b, (uint8_t)(0xe0 | c >> 12)) && buf_add_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
		       buf_add_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
	return buf_add_u8(b, (uint8_t)(0xf0 | c >> 18)) && buf_add_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f))) &&
	       buf_add_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f))) && buf_add_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
}

static bool unicode_read(struct scan *s)
{
	uint32_t c = 0, low = 0;
	if (!hex_read(s, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u')
			return false;
		s->at += 2;
		if (!hex_read(s, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
	}
	return utf8_put(s->scratch, c);
}

/* Behind a backslash. */
static bool escape_read(struct scan *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (s->at == s->end)
		return false;
	char c = *s->at++;
	if (c == 'u')
		return unicode_read(s);
	const char *found = c == '\0' ? NULL : strchr(from, c);
	return found != NULL && buf_add_u8(s->scratch, (uint8_t)to[found - from]);
}

/* at is behind the opening quote. The scratch never grows beyond the line's length, so what points into it stays. */
static bool text_read(struct scan *s, struct bytes *out)
{
	const char *from = s->at;
	while (s->at < s->end && *s->at != '"' && *s->at != '\\' && (unsigned char)*s->at >= 0x20)
		s->at++;
	if (s->at < s->end && *s->at == '"') {
		*out = (struct bytes){ (const uint8_t *)from, (size_t)(s->at++ - from) };
		return true;
	}
	size_t start = s->scratch->len;
	buf_add(s->scratch, from, (size_t)(s->at - from));
	while (s->at < s->end && *s->at != '"') {
		if ((unsigned char)*s->at < 0x20)
			return false;
		if (*s->at == '\\') {
			s->at++;
			if (!escape_read(s))
				return false;
		} else if (!buf_add_u8(s->scratch, (uint8_t)*s->at++)) {
			return false;
		}
	}
	if (s->at++ >= s->end)
		return false;
	*out = (struct bytes){ s->scratch->data + start, s->scratch->len - start };
	return true;
}

static bool digits_skip(struct scan *s)
{
	const char *from = s->at;
	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > from;
}

static bool fraction_skip(struct scan *s)
{
	if (s->at == s->end || *s->at != '.')
		return true;
	s->at++;
	return digits_skip(s);
}

static bool exponent_skip(struct scan *s)
{
	if (s->at == s->end || (*s->at != 'e' && *s->at != 'E'))
		return true;
	s->at++;
	if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
		s->at++;
	return digits_skip(s);
}

static bool number_read(struct scan *s, struct bytes *out)
{
	const char *from = s->at;
	if (s->at < s->end && *s->at == '-')
		s->at++;
	const char *first = s->at;
	if (!digits_skip(s) || (*first == '0' && s->at - first > 1) || !fraction_skip(s) || !exponent_skip(s))
		return false;
	*out = (struct bytes){ (const uint8_t *)from, (size_t)(s->at - from) };
	return true;
}

static bool word_read(struct scan *s, struct bytes *out)
{
	static const char *const words[] = { "true", "false", "null" };
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);
		if ((size_t)(s->end - s->at) < len || memcmp(s->at, words[i], len) != 0)
			continue;
		s->at += len;
		*out = i == 2 ? (struct bytes){ NULL, 0 } : bytes_of(words[i]);
		return true;
	}
	return false;
}

static bool value_read(struct scan *s, struct bytes *out)
{
	space_skip(s);
	if (s->at == s->end)
		return false;
	if (*s->at == '"') {
		s->at++;
		return text_read(s, out);
	}
	return *s->at == '-' || (*s->at >= '0' && *s->at <= '9') ? number_read(s, out) : word_read(s, out);
}

bool ndjson_parse(struct bytes line, struct buf *scratch, struct ndjson_member members[NDJSON_MEMBERS_MAX],
		  size_t *len)
{
	struct scan s = { (const char *)line.data, (const char *)line.data + line.len, scratch };
	*len = 0;
	buf_reset(scratch);
	if (line.len == 0 || buf_grow(scratch, line.len) == NULL)
		return false;
	scratch->len = 0;
	if (!taken(&s, '{'))
		return false;
	bool more = !taken(&s, '}');
	while (more) {
		if (*len == NDJSON_MEMBERS_MAX || !taken(&s, '"'))
			return false;
		struct ndjson_member *m = &members[*len];
		if (!text_read(&s, &m->key) || !taken(&s, ':') || !value_read(&s, &m->value))
			return false;
		for (size_t i = 0; i < *len; i++) {
			if (bytes_equal(members[i].key, m->key))
				return false;
		}
		++*len;
		more = taken(&s, ',');
		if (!more && !taken(&s, '}'))
			return false;
	}
	space_skip(&s);
	return s.at == s.end;
}
