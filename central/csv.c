#include "central/csv.h"

#include "protocol/base/utf8.h"

#include <stdlib.h>
#include <string.h>

void csv_init(struct csv *c, struct bytes data)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	*c = (struct csv){ .data = data, .scratch = malloc(CSV_ROW_MAX) };
	if (c->scratch == NULL)
		abort();
	if (data.len >= sizeof(bom) && memcmp(data.data, bom, sizeof(bom)) == 0)
		c->at = sizeof(bom);
	if (data.len > c->at && data.data[data.len - 1] == 0x1a)
		c->data.len--;
}

void csv_clear(struct csv *c)
{
	free(c->scratch);
	*c = (struct csv){ 0 };
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct bytes trimmed(struct bytes f)
{
	while (f.len > 0 && is_space(f.data[0]))
		f.data++, f.len--;
	while (f.len > 0 && is_space(f.data[f.len - 1]))
		f.len--;
	return f;
}

/* Where the line that starts at from ends (its LF or the end of the data). */
static size_t line_end(const struct csv *c, size_t from)
{
	const uint8_t *lf = memchr(c->data.data + from, '\n', c->data.len - from);
	return lf == NULL ? c->data.len : (size_t)(lf - c->data.data);
}

static enum csv_fault csv_plain(const struct csv *c, size_t *at, struct bytes *out)
{
	const uint8_t *d = c->data.data;
	size_t end = c->data.len, from = *at, p = from;
	while (p < end && d[p] != ',' && d[p] != '\n')
		p++;
	bool cr = p > from && d[p - 1] == '\r' && (p == end || d[p] == '\n');
	*out = trimmed((struct bytes){ d + from, p - from - cr });
	*at = p;
	return CSV_OK;
}

/* p is behind the opening quote. Unquotes into the scratch from *used on; *at is then behind the closing quote. */
static enum csv_fault csv_unquote(const struct csv *c, size_t p, size_t *at, size_t *used, struct bytes *out)
{
	const uint8_t *d = c->data.data;
	uint8_t *text = (uint8_t *)c->scratch + *used;
	size_t len = 0, limit = CSV_ROW_MAX - *used;
	for (; p < c->data.len; p++) {
		if (d[p] == '"') {
			if (p + 1 == c->data.len || d[p + 1] != '"')
				break;
			p++;
		}
		if (len == limit)
			return CSV_QUOTE;
		text[len++] = d[p];
	}
	if (p == c->data.len)
		return CSV_QUOTE;
	*used += len;
	*out = trimmed((struct bytes){ text, len });
	*at = p + 1;
	return CSV_OK;
}

/* One field, from *at. Leaves *at on the separator, the line end or the end of the data. */
static enum csv_fault csv_field(const struct csv *c, size_t *at, size_t *used, struct bytes *out)
{
	const uint8_t *d = c->data.data;
	size_t end = c->data.len, p = *at;
	while (p < end && is_space(d[p]))
		p++;
	if (p == end || d[p] != '"')
		return csv_plain(c, at, out);
	enum csv_fault f = csv_unquote(c, p + 1, &p, used, out);
	if (f != CSV_OK)
		return f;
	while (p < end && is_space(d[p]))
		p++;
	if (p < end && d[p] == '\r' && (p + 1 == end || d[p + 1] == '\n'))
		p++;
	*at = p;
	return p == end || d[p] == ',' || d[p] == '\n' ? CSV_OK : CSV_QUOTE;
}

static enum csv_fault csv_fields(const struct csv *c, size_t *at, struct csv_row *row)
{
	size_t used = 0;
	for (;;) {
		if (row->fields_len == CSV_FIELDS_MAX)
			return CSV_TOO_MANY;
		enum csv_fault f = csv_field(c, at, &used, &row->fields[row->fields_len]);
		if (f != CSV_OK)
			return f;
		row->fields_len++;
		if (*at == c->data.len || c->data.data[*at] == '\n')
			return CSV_OK;
		(*at)++;
	}
}

static bool csv_is_blank(const struct csv_row *row)
{
	for (size_t i = 0; i < row->fields_len; i++)
		if (row->fields[i].len > 0)
			return false;
	return true;
}

bool csv_next(struct csv *c, struct csv_row *row)
{
	if (c->at >= c->data.len)
		return false;
	size_t from = c->at, end = from;
	*row = (struct csv_row){ .number = ++c->row };
	row->fault = csv_fields(c, &end, row);
	if (row->fault != CSV_OK)
		end = line_end(c, from);
	c->at = end + 1;
	if (end > from && c->data.data[end - 1] == '\r')
		end--;
	row->raw = (struct bytes){ c->data.data + from, end - from };
	if (row->fault == CSV_OK && row->raw.len > CSV_ROW_MAX)
		row->fault = CSV_TOO_LONG;
	if (row->fault == CSV_OK && !utf8_is_valid(row->raw))
		row->fault = CSV_ENCODING;
	if (row->fault == CSV_OK && csv_is_blank(row))
		row->fault = CSV_BLANK;
	return true;
}
