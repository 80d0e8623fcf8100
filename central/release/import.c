#include "central/release/import.h"

#include "central/csv.h"
#include "central/release/import_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool import_format_of(const char *name, enum import_format *f)
{
	static const char *const names[] = {
		[IMPORT_AUTO] = "auto", [IMPORT_CSV] = "csv", [IMPORT_OFAC] = "ofac-sdn"
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*f = (enum import_format)i;
			return true;
		}
	}
	return false;
}

bool import_reject_row(struct import *im, const struct csv_row *row, uint32_t field, const char *code, const char *zh,
		       const char *en, struct err *e)
{
	struct import_reject r = { .row = row->number, .field = field, .code = code, .raw = row->raw };
	if (field > 0) {
		snprintf(r.zh, sizeof(r.zh), "第 %llu 行第 %u 列：%s", (unsigned long long)row->number, field, zh);
		snprintf(r.en, sizeof(r.en), "row %llu, field %u: %s", (unsigned long long)row->number, field, en);
	} else {
		snprintf(r.zh, sizeof(r.zh), "第 %llu 行：%s", (unsigned long long)row->number, zh);
		snprintf(r.en, sizeof(r.en), "row %llu: %s", (unsigned long long)row->number, en);
	}
	im->summary->rejects++;
	return im->sink->reject(im->sink->arg, &r, e);
}

bool import_emit(struct import *im, const struct csv_row *row, const struct identifier *id, uint32_t value,
		 struct err *e)
{
	struct import_entry v = { .row = row->number, .id = *id, .value = value };
	im->summary->entries++;
	return im->sink->entry(im->sink->arg, &v, e);
}

/* Rows that no format can use; *done says that this one was answered here. */
static bool import_fault(struct import *im, const struct csv_row *row, bool *done, struct err *e)
{
	*done = row->fault != CSV_OK;
	switch (row->fault) {
	case CSV_OK: return true;
	case CSV_BLANK:
		return import_reject_row(im, row, 0, "blank-row", "整行为空，请删除", "the row is empty; remove it",
					 e);
	case CSV_OPEN:
	case CSV_QUOTE:
		return import_reject_row(im, row, 0, "source-error", "引号不成对，请检查双引号",
					 "a quote is not closed; check the double quotes", e);
	case CSV_TOO_LONG:
		return import_reject_row(im, row, 0, "source-error", "行过长（超过 128 KiB）", "longer than 128 KiB",
					 e);
	case CSV_TOO_MANY:
		return import_reject_row(im, row, 0, "extra-cell", "列数超过 64", "more than 64 fields", e);
	case CSV_ENCODING:
		return import_reject_row(im, row, 0, "encoding-error", "不是 UTF-8 编码，请另存为 UTF-8",
					 "not UTF-8; save the file as UTF-8", e);
	}
	return true;
}

/* SDN.CSV has no header: a number, 12 columns, "-0-" somewhere. */
static bool import_looks_like_ofac(struct bytes file)
{
	struct csv c;
	struct csv_row row;
	csv_init(&c, file);
	bool ofac =
		csv_next(&c, &row) && row.fault == CSV_OK && row.fields_len == OFAC_FIELDS && row.fields[0].len > 0;
	for (size_t i = 0; ofac && i < row.fields[0].len; i++)
		ofac = row.fields[0].data[i] >= '0' && row.fields[0].data[i] <= '9';
	ofac = ofac && memmem(row.raw.data, row.raw.len, "-0-", 3) != NULL;
	csv_clear(&c);
	return ofac;
}

bool import_run(struct bytes file, enum import_format format, uint8_t value_reason, int64_t today,
		const struct import_sink *sink, struct import_summary *out, struct err *e)
{
	if (format == IMPORT_AUTO)
		format = import_looks_like_ofac(file) ? IMPORT_OFAC : IMPORT_CSV;
	*out = (struct import_summary){ .format = format };
	struct import im = { .sink = sink, .summary = out, .reason = value_reason, .today = today };
	struct csv c;
	struct csv_row row;
	bool ok = false, done = false;
	csv_init(&c, file);
	if (format == IMPORT_CSV) {
		if (!csv_next(&c, &row)) {
			err_set(e, ERR_INPUT,
				"the file is empty; the first row must name the columns: " IMPORT_COLUMNS);
			goto out;
		}
		if (!import_csv_header(&im, &row, e))
			goto out;
	}
	while (csv_next(&c, &row)) {
		out->rows++;
		if (!import_fault(&im, &row, &done, e))
			goto out;
		if (done)
			continue;
		if (format == IMPORT_CSV ? !import_csv_row(&im, &row, e) : !import_ofac_row(&im, &row, e))
			goto out;
	}
	ok = true;
out:
	csv_clear(&c);
	return ok;
}
