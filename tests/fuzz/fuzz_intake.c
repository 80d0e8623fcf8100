/*
 * A department's file in whatever state, CSV or NDJSON, with a schema that has every type: it is read to its end, what is accepted is
 * canonical (checked again it is the same), and cutting it into two windows anywhere changes nothing. The first byte chooses format and
 * encoding, the next two where it is cut.
 */
#include "central/ingest/intake.h"
#include "protocol/crypto.h"

#include <stdlib.h>
#include <string.h>

#define TODAY 20760

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "{\"fields\":[{\"name\":\"i\",\"type\":\"integer\",\"constraints\":{\"required\":true}},{"
			   "\"name\":\"n\",\"type\":"
			   "\"number\",\"unit\":\"元\"},{\"name\":\"d\",\"type\":\"date\",\"asOf\":true},{\"name\":"
			   "\"m\",\"type\":\"yearmonth\"},"
			   "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"r\",\"identifier\":\"resident_id\","
			   "\"subject\":true},{\"name\":\"u\","
			   "\"identifier\":\"uscc\"},{\"name\":\"p\",\"identifier\":\"name\"},{\"name\":\"s\","
			   "\"constraints\":{\"maxLength\":9}},"
			   "{\"name\":\"x\",\"type\":\"date\",\"excelDates\":true}],\"primaryKey\":[\"i\",\"d\"],"
			   "\"missingValues\":[\"-\"]}";

struct outcome {
	const struct schema *schema;
	struct sha256_stream hash;
	uint64_t accepted, rejected;
};

static void add(struct outcome *o, struct bytes t)
{
	uint64_t len = t.len;
	sha256_add(&o->hash, (struct bytes){ (const uint8_t *)&len, sizeof(len) });
	sha256_add(&o->hash, t);
}

static bool accept(void *arg, const struct intake_row *row, struct err *e)
{
	struct outcome *o = arg;
	struct cell c;
	(void)e;
	o->accepted++;
	for (size_t i = 0; i < o->schema->fields_len; i++) {
		const struct schema_field *f = &o->schema->fields[i];
		if (row->cells[i].data == NULL) {
			if (f->required)
				abort();
			continue;
		}
		if (cell_check(f, row->cells[i], TODAY, &c) != FAULT_NONE || c.repair != REPAIR_NONE ||
		    !bytes_equal(c.text, row->cells[i]))
			abort();
		add(o, row->cells[i]);
	}
	return true;
}

static bool reject(void *arg, uint32_t number, const struct row_fault *faults, size_t len, struct bytes raw,
		   struct err *e)
{
	struct outcome *o = arg;
	(void)e;
	o->rejected++;
	if (number == 0 || len == 0)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (fault_code(faults[i].fault)[0] == '\0')
			abort();
	}
	add(o, raw);
	return true;
}

static bool run(const struct schema *schema, enum intake_format format, enum encoding encoding, struct bytes file,
		size_t first, struct outcome *o, uint8_t hash[HASH_LEN])
{
	const struct intake_sink sink = { accept, reject, o };
	struct intake_state s, again;
	struct buf stored;
	size_t used = 0;
	*o = (struct outcome){ .schema = schema };
	sha256_start(&o->hash);
	intake_state_init(&s, encoding);
	/* Made once: between two windows there is nothing in them. One of its own for the second, as after a kill. */
	static struct intake *readers[2][2];
	struct intake **in = readers[format == INTAKE_NDJSON];
	for (int i = 0; i < 2; i++)
		in[i] = in[i] != NULL ? in[i] : intake_new(schema, format, TODAY);
	bool ok = first == 0 || intake_feed(in[0], &s, (struct bytes){ file.data, first }, false, &sink, &used, NULL);
	buf_init(&stored, 65536);
	intake_state_put(&s, &stored);
	if (ok && (!intake_state_parse(buf_bytes(&stored), &again, NULL) || again.offset != used))
		abort();
	ok = ok && intake_feed(in[1], &again, (struct bytes){ file.data + used, file.len - used }, true, &sink, &used,
			       NULL);
	if (ok && (again.offset != file.len || again.accepted != o->accepted || again.rejected != o->rejected))
		abort();
	buf_clear(&stored);
	sha256_finish(&o->hash, hash);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	struct outcome whole, parts;
	uint8_t a[HASH_LEN], b[HASH_LEN];
	if (schema == NULL)
		schema = schema_parse_text(bytes_of(text), NULL);
	if (size < 4 || schema == NULL)
		return 0;
	enum intake_format format = (data[0] & 1) != 0 ? INTAKE_NDJSON : INTAKE_CSV;
	enum encoding encoding = (data[0] & 2) != 0 ? ENCODING_GB18030 : ENCODING_UTF8;
	struct bytes file = { data + 3, size - 3 };
	size_t first = (size_t)(data[1] << 8 | data[2]) % file.len;
	bool ok = run(schema, format, encoding, file, 0, &whole, a);
	if (run(schema, format, encoding, file, first, &parts, b) != ok || (ok && memcmp(a, b, HASH_LEN) != 0))
		abort();
	return 0;
}
