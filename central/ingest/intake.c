#include "central/ingest/intake.h"

#include "central/ingest/intake_row.h"

#include <stdlib.h>
#include <string.h>

#define ROW_TEXT_MAX ((size_t)8 * CSV_ROW_MAX) /* of a row, converted (four bytes a byte) and repaired */

static const char *const formats[] = { [INTAKE_CSV] = "csv", [INTAKE_NDJSON] = "ndjson" };

bool intake_format_of(const char *name, enum intake_format *out)
{
	for (int f = INTAKE_CSV; f <= INTAKE_NDJSON; f++) {
		if (strcmp(formats[f], name) == 0) {
			*out = (enum intake_format)f;
			return true;
		}
	}
	return false;
}

const char *intake_format_name(enum intake_format f)
{
	return formats[f];
}

struct intake *intake_new(const struct schema *schema, enum intake_format format, int64_t today)
{
	struct intake *in = calloc(1, sizeof(*in));
	if (in == NULL)
		abort();
	in->schema = schema;
	in->format = format;
	in->today = today;
	in->transcoder = transcoder_new();
	buf_init(&in->text, ROW_TEXT_MAX);
	buf_init(&in->json, ROW_TEXT_MAX);
	buf_init(&in->line, ROW_TEXT_MAX);
	/* All of it at once: cells point in here while more is added. */
	if (buf_grow(&in->text, ROW_TEXT_MAX) == NULL)
		abort();
	return in;
}

void intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	csv_clear(&in->csv);
	transcoder_free(in->transcoder);
	buf_wipe(&in->text);
	buf_wipe(&in->json);
	buf_wipe(&in->line);
	schema_free(in->made);
	free(in);
}

const struct schema *intake_schema(const struct intake *in)
{
	return in->schema;
}

static bool row_counts(struct intake_state *s, struct err *e)
{
	return s->row < INTAKE_ROWS_MAX ||
	       err_set(e, ERR_FULL, "more than %u rows; send the file in several periods", INTAKE_ROWS_MAX);
}

static bool feed_csv(struct intake *in, struct bytes window, bool last, size_t *used, struct err *e)
{
	struct intake_state *s = in->state;
	struct csv *c = &in->csv;
	csv_init_part(c, window, s->offset == 0, !last);
	c->row = s->row;
	c->skip = s->skip;
	c->raw_text = s->encoding == ENCODING_GB18030;
	bool ok = true;
	while (ok && csv_next(c, &in->row)) {
		bool unended = last && c->at >= c->data.len && window.data[window.len - 1] != '\n';
		ok = row_counts(s, e) &&
		     (s->labelled ? intake_csv_row(in, &in->row, unended, e) : intake_labels(in, &in->row, e));
		s->row = (uint32_t)c->row;
	}
	s->skip = c->skip;
	*used = last ? window.len : c->at;
	return ok;
}

/* Behind the row that was too long, as far as the window goes. */
static void line_skip(struct intake_state *s, struct bytes window, size_t *at)
{
	const uint8_t *lf = memchr(window.data, '\n', window.len);
	*at = lf == NULL ? window.len : (size_t)(lf - window.data) + 1;
	s->skip = lf == NULL;
}

/* The line at *at, which moves behind it; false when its end may still come. */
static bool line_next(struct intake_state *s, struct bytes window, bool last, size_t *at, struct bytes *line,
		      bool *ended)
{
	const uint8_t *lf = memchr(window.data + *at, '\n', window.len - *at);
	size_t end = lf == NULL ? window.len : (size_t)(lf - window.data);
	*ended = lf != NULL;
	if (lf == NULL && !last) {
		if (window.len - *at <= CSV_ROW_MAX)
			return false;
		s->skip = true;
	}
	*line = (struct bytes){ window.data + *at, end - *at };
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	*at = lf == NULL ? window.len : end + 1;
	return true;
}

static bool feed_ndjson(struct intake *in, struct bytes window, bool last, size_t *used, struct err *e)
{
	struct intake_state *s = in->state;
	size_t at = s->offset == 0 && window.len >= 3 && memcmp(window.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct bytes line;
	bool ended = false;
	bool ok = in->schema != NULL ||
		  err_set(e, ERR_INPUT, "NDJSON is checked against a source's schema; name the source");
	if (ok && s->skip)
		line_skip(s, window, &at);
	while (ok && at < window.len && line_next(s, window, last, &at, &line, &ended))
		ok = row_counts(s, e) && intake_json_row(in, ++s->row, line, !ended && last, e);
	*used = at;
	s->labelled = true;
	return ok;
}

bool intake_feed(struct intake *in, struct intake_state *s, struct bytes window, bool last,
		 const struct intake_sink *sink, size_t *used, struct err *e)
{
	*used = 0;
	in->state = s;
	in->sink = sink;
	if (s->offset == 0 && window.len == 0 && last)
		return err_set(e, ERR_INPUT, "the file is empty");
	if (s->encoding == ENCODING_AUTO && !encoding_guess(window, last, &s->encoding, e))
		return false;
	bool ok = window.len == 0 || (in->format == INTAKE_CSV ? feed_csv(in, window, last, used, e)
							       : feed_ndjson(in, window, last, used, e));
	if (ok)
		s->offset += *used;
	return ok && (!last || s->labelled || err_set(e, ERR_INPUT, "the file has no rows"));
}
