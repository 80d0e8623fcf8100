#include "central/csv_out.h"

#include "protocol/base/utf8.h"

#include <string.h>

static bool is_number(struct bytes t)
{
	size_t at = t.len > 0 && (t.data[0] == '-' || t.data[0] == '+'), digits = 0, points = 0;
	for (; at < t.len; at++) {
		digits += t.data[at] >= '0' && t.data[at] <= '9';
		points += t.data[at] == '.';
	}
	return digits > 0 && points <= 1 && digits + points == t.len - (t.data[0] == '-' || t.data[0] == '+');
}

/* Half-width and full-width signs alike. */
static bool is_formula(struct bytes t)
{
	static const char *const starts[] = { "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t len = strlen(starts[i]);
		if (t.len >= len && memcmp(t.data, starts[i], len) == 0)
			return !is_number(t);
	}
	return false;
}

/* Characters that are none become a question mark. */
static void text_add(struct buf *b, struct bytes t)
{
	const char *at = (const char *)t.data, *end = at + t.len;
	while (at < end) {
		const char *from = at;
		int32_t c = utf8_next(&at, end);
		if (c <= 0) {
			at = from + 1;
			buf_add_u8(b, '?');
			continue;
		}
		if (c == '"')
			buf_add_u8(b, '"');
		buf_add(b, from, (size_t)(at - from));
	}
}

void csv_out_cell(struct buf *line, bool first, struct bytes t)
{
	if (!first)
		buf_add_u8(line, ',');
	buf_add_u8(line, '"');
	if (is_formula(t))
		buf_add_u8(line, '\'');
	text_add(line, t);
	buf_add_u8(line, '"');
}

void csv_out_line(struct buf *out, const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		csv_out_cell(out, i == 0, bytes_of(cells[i]));
	buf_add_str(out, "\r\n");
}
