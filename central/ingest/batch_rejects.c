/*
 * Rejected rows for the department: where and why, then the row's own cells, so that it can be put right in the file it came from.
 * UTF-8 goes out with a byte order mark and GB18030 as GB18030, since a spreadsheet opens each rightly. A cell that a spreadsheet would take
 * for a formula gets an apostrophe in front; a plain number does not.
 */
#include "central/csv_out.h"
#include "central/ingest/batch.h"
#include "central/ingest/rows.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)16 * CSV_ROW_MAX)

struct listing {
	struct release_context *c;
	const struct batch *b;
	const struct schema *schema;
	struct rows_keys keys;
	struct transcoder *transcoder;
	struct buf raw, text, line;
	struct buf *out;
};

static void cell_add(struct listing *l, struct bytes t)
{
	csv_out_cell(&l->line, l->line.len == 0, t);
}

static void cell_of(struct listing *l, struct bytes raw)
{
	buf_reset(&l->text);
	if (l->b->intake.encoding == ENCODING_GB18030 && transcoder_utf8(l->transcoder, raw, &l->text))
		raw = buf_bytes(&l->text);
	cell_add(l, raw);
}

static bool line_end(struct listing *l, struct err *e)
{
	buf_add_str(&l->line, "\r\n");
	bool ok = buf_ok(&l->line, "a rejected row", e);
	if (ok && l->b->intake.encoding == ENCODING_GB18030)
		ok = transcoder_gb18030(l->transcoder, buf_bytes(&l->line), l->out) ||
		     err_set(e, ERR_FULL, "the rejected rows are too many for one answer");
	else if (ok)
		buf_add(l->out, l->line.data, l->line.len);
	buf_reset(&l->line);
	return ok;
}

static const char *label_of(const struct listing *l, size_t column)
{
	int field = l->b->format == INTAKE_NDJSON      ? (int)column
		    : column < l->b->intake.labels_len ? l->b->intake.map[column]
						       : -1;
	if (field < 0 || (size_t)field >= l->schema->fields_len)
		return "";
	const struct schema_field *f = &l->schema->fields[field];
	return f->title[0] != '\0' ? f->title : f->name;
}

static bool head_add(struct listing *l, struct err *e)
{
	static const char *const fixed[] = { "行 row", "列 column", "代码 code", "原因", "reason" };
	if (l->b->intake.encoding == ENCODING_UTF8)
		buf_add(l->out, "\xef\xbb\xbf", 3);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		cell_add(l, bytes_of(fixed[i]));
	for (size_t i = 0; l->b->format == INTAKE_CSV && i < l->b->intake.labels_len; i++)
		cell_add(l, bytes_of(label_of(l, i)));
	if (l->b->format == INTAKE_NDJSON)
		cell_add(l, bytes_of("原行 raw"));
	return line_end(l, e);
}

enum part { PART_COLUMN, PART_CODE, PART_ZH, PART_EN };

static void fault_part(const struct listing *l, enum part part, unsigned column, unsigned fault, struct buf *out)
{
	switch (part) {
	case PART_COLUMN:
		if (column > 0)
			buf_add_fmt(out, "%u", column);
		break;
	case PART_CODE: buf_add_str(out, fault_code(fault)); break;
	case PART_ZH:
	case PART_EN:
		if (column > 0 && label_of(l, column - 1)[0] != '\0')
			buf_add_fmt(out, "%s: ", label_of(l, column - 1));
		buf_add_str(out, part == PART_ZH ? fault_zh(fault) : fault_en(fault));
		break;
	}
}

static void faults_add(struct listing *l, int64_t row, struct bytes faults)
{
	struct buf text;
	buf_init(&text, 65536);
	buf_add_fmt(&text, "%lld", (long long)row);
	cell_add(l, buf_bytes(&text));
	for (int part = PART_COLUMN; part <= PART_EN; part++) {
		buf_reset(&text);
		for (size_t i = 0; i + 3 <= faults.len; i += 3) {
			if (i > 0)
				buf_add_str(&text, "; ");
			fault_part(l, (enum part)part, (unsigned)(faults.data[i] | faults.data[i + 1] << 8),
				   faults.data[i + 2], &text);
		}
		cell_add(l, buf_bytes(&text));
	}
	buf_clear(&text);
}

static void raw_cells(struct listing *l)
{
	struct csv c = { .raw_text = true };
	struct csv_row row;
	csv_init_part(&c, buf_bytes(&l->raw), false, false);
	bool split = l->b->format == INTAKE_CSV && csv_next(&c, &row) && row.fault == CSV_OK && c.at == l->raw.len;
	for (size_t i = 0; split && i < row.fields_len; i++)
		cell_of(l, row.fields[i]);
	if (!split && l->raw.len > 0)
		cell_of(l, buf_bytes(&l->raw));
	csv_clear(&c);
}

/* A key given twice: the record stands among the accepted ones, each cell as it came. */
static bool record_cells(struct listing *l, int64_t number, struct err *e)
{
	struct rows_record *r = malloc(sizeof(*r));
	if (r == NULL)
		abort();
	bool ok = rows_load(l->c->db, &l->keys, l->b->id, (uint32_t)number, l->schema->fields_len, &l->raw, r, e);
	size_t columns = l->b->format == INTAKE_CSV ? l->b->intake.labels_len : l->schema->fields_len;
	for (size_t i = 0; ok && i < columns; i++) {
		int field = l->b->format == INTAKE_CSV ? l->b->intake.map[i] : (int)i;
		struct bytes cell = { NULL, 0 };
		if (field >= 0 && (size_t)field < l->schema->fields_len)
			cell = r->cells[field];
		for (size_t k = 0; k < r->repairs_len; k++) {
			if ((int)r->repairs[k].field == field)
				cell = r->repairs[k].given;
		}
		cell_add(l, cell);
	}
	free(r);
	return ok;
}

static bool row_add(struct listing *l, const struct db_query *q, struct err *e)
{
	char aad[64];
	int64_t row = db_int(q, 0);
	struct bytes sealed = db_bytes(q, 2);
	bool ok = true;
	faults_add(l, row, db_bytes(q, 1));
	buf_reset(&l->raw);
	if (sealed.len == 0) {
		ok = record_cells(l, row, e);
	} else {
		size_t len = rows_aad(aad, l->b->id, (uint32_t)row);
		ok = aead_open(l->keys.reject, (struct bytes){ (const uint8_t *)aad, len }, sealed, &l->raw, e);
		if (ok)
			raw_cells(l);
	}
	return ok && line_end(l, e) && buf_ok(l->out, "the rejected rows", e);
}

static bool rows_list(struct listing *l, struct err *e)
{
	struct db_query *q = db_query(
		l->c->db, "SELECT row, faults, raw FROM batch_reject WHERE batch = ? ORDER BY row LIMIT 50000", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, l->b->id, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = row_add(l, q, e);
	db_finish(q);
	return ok;
}

bool batch_rejects(struct release_context *c, int64_t id, struct buf *out, struct err *e)
{
	struct batch b;
	struct source s;
	struct schema *schema = NULL;
	if (!batch_load(c, id, &b, e) || !source_load(c->db, b.source, b.source_version, &s, &schema, NULL, e))
		return false;
	struct listing l = { .c = c, .b = &b, .schema = schema, .transcoder = transcoder_new(), .out = out };
	rows_keys_make(c->vault_key, &l.keys);
	buf_init(&l.raw, LINE_MAX_BYTES);
	buf_init(&l.text, LINE_MAX_BYTES);
	buf_init(&l.line, LINE_MAX_BYTES);
	bool ok = head_add(&l, e) && rows_list(&l, e);
	buf_wipe(&l.raw);
	buf_wipe(&l.text);
	buf_wipe(&l.line);
	rows_keys_wipe(&l.keys);
	transcoder_free(l.transcoder);
	schema_free(schema);
	return ok;
}
