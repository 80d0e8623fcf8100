#include "central/csv.h"

#include "protocol/base/utf8.h"

#include <stdlib.h>
#include <string.h>

void csv_init_part(struct csv *c, struct bytes window, bool first, bool more)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	c->data = window;
	c->at = 0;
	c->more = more;
	if (c->scratch == NULL)
		c->scratch = malloc(CSV_ROW_MAX);
	if (c->scratch == NULL)
		abort();
	if (first && window.len >= sizeof(bom) && memcmp(window.data, bom, sizeof(bom)) == 0)
		c->at = sizeof(bom);
	if (!more && window.len > c->at && window.data[window.len - 1] == 0x1a)
		c->data.len--;
}

void csv_init(struct csv *c, struct bytes data)
{
	*c = (struct csv){ 0 };
	csv_init_part(c, data, true, false);
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
		return CSV_OPEN;
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

/* Goes behind the row that was too long; false when its end is not in this window. */
static bool csv_skip(struct csv *c)
{
	size_t end = line_end(c, c->at);
	bool found = end < c->data.len;
	c->at = found ? end + 1 : c->data.len;
	c->skip = !found && c->more;
	return found;
}

/* Where the row ends, fault and all; false when only the next window tells. */
static bool csv_row_end(struct csv *c, size_t from, struct csv_row *row, size_t *end)
{
	bool wait = c->more && c->data.len - from < CSV_WINDOW_MIN;
	if (row->fault == CSV_OPEN && wait)
		return false;
	if (row->fault == CSV_OPEN)
		row->fault = CSV_QUOTE;
	if (row->fault != CSV_OK)
		*end = line_end(c, from);
	if (*end < c->data.len || !c->more)
		return true;
	if (wait)
		return false;
	c->skip = true;
	if (row->fault == CSV_OK)
		row->fault = CSV_TOO_LONG;
	return true;
}

static enum csv_fault csv_judge(const struct csv *c, const struct csv_row *row)
{
	if (row->raw.len > CSV_ROW_MAX)
		return CSV_TOO_LONG;
	if (c->raw_text ? memchr(row->raw.data, 0, row->raw.len) != NULL : !utf8_is_valid(row->raw))
		return CSV_ENCODING;
	return csv_is_blank(row) ? CSV_BLANK : CSV_OK;
}

bool csv_next(struct csv *c, struct csv_row *row)
{
	if ((c->skip && !csv_skip(c)) || c->at >= c->data.len)
		return false;
	size_t from = c->at, end = from;
	row->number = c->row + 1;
	row->fields_len = 0;
	row->fault = csv_fields(c, &end, row);
	if (!csv_row_end(c, from, row, &end))
		return false;
	c->row++;
	c->at = end < c->data.len ? end + 1 : c->data.len;
	if (end > from && c->data.data[end - 1] == '\r')
		end--;
	row->raw = (struct bytes){ c->data.data + from, end - from };
	if (row->fault == CSV_OK)
		row->fault = csv_judge(c, row);
	return true;
}
