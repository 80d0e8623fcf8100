/* Our own list format. A row is one entry: its number, or with kind "name" its name. The name beside a number is for people. */
#include "central/release/import_row.h"

#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

static bool label_is(struct bytes label, const char *name)
{
	return bytes_equal(label, bytes_of(name));
}

static bool column_of(struct bytes label, enum import_column *out)
{
	static const struct {
		const char *en, *zh, *also;
	} names[COLUMNS_LEN] = {
		[COLUMN_KIND] = { "kind", "证件类型", "类型" },
		[COLUMN_NUMBER] = { "number", "证件号码", "号码" },
		[COLUMN_NAME] = { "name", "姓名", "名称" },
		[COLUMN_REASON] = { "reason", "原因", "原因代码" },
		[COLUMN_UNTIL] = { "until", "截止日期", "有效期止" },
		[COLUMN_NOTE] = { "note", "备注", "说明" },
	};
	for (size_t i = 0; i < COLUMNS_LEN; i++) {
		if (label_is(label, names[i].en) || label_is(label, names[i].zh) || label_is(label, names[i].also)) {
			*out = (enum import_column)i;
			return true;
		}
	}
	return false;
}

bool import_csv_header(struct import *im, const struct csv_row *row, struct err *e)
{
	if (row->fault != CSV_OK)
		return err_set(e, ERR_INPUT, "row 1 must name the columns (" IMPORT_COLUMNS "), in UTF-8");
	for (size_t i = 0; i < row->fields_len; i++) {
		enum import_column column = COLUMN_KIND;
		if (row->fields[i].len == 0)
			return err_set(e, ERR_INPUT, "blank-label: column %zu of row 1 has no name", i + 1);
		if (!column_of(row->fields[i], &column))
			return err_set(e, ERR_INPUT, "column %zu of row 1 is none of " IMPORT_COLUMNS, i + 1);
		if (im->columns[column] != 0)
			return err_set(e, ERR_INPUT, "duplicate-label: column %zu of row 1 repeats column %zu", i + 1,
				       im->columns[column]);
		im->columns[column] = i + 1;
	}
	if (im->columns[COLUMN_KIND] == 0 || (im->columns[COLUMN_NUMBER] == 0 && im->columns[COLUMN_NAME] == 0))
		return err_set(e, ERR_INPUT, "row 1 must name the columns kind and number (" IMPORT_COLUMNS ")");
	im->labels_len = row->fields_len;
	return true;
}

static struct bytes cell(const struct import *im, const struct csv_row *row, enum import_column c)
{
	return im->columns[c] == 0 ? (struct bytes){ NULL, 0 } : row->fields[im->columns[c] - 1];
}

static bool kind_of(struct bytes text, enum identifier_kind *kind)
{
	for (int k = 1; k <= IDENTIFIER_KIND_LAST; k++) {
		enum identifier_kind one = (enum identifier_kind)k;
		if (label_is(text, identifier_kind_name(one)) || label_is(text, identifier_kind_zh(one))) {
			*kind = one;
			return true;
		}
	}
	return false;
}

/* 1 … 255; empty takes the default. */
static bool reason_of(const struct import *im, struct bytes text, uint8_t *reason)
{
	unsigned v = 0;
	*reason = im->reason;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		v = v * 10 + (unsigned)(text.data[i] - '0');
		if (v > UINT8_MAX)
			return false;
	}
	if (text.len > 0)
		*reason = (uint8_t)v;
	return *reason > 0;
}

static bool until_of(struct bytes text, uint16_t *last_day)
{
	int64_t day = 0;
	*last_day = ENTRY_NO_END;
	if (text.len == 0 || label_is(text, "长期"))
		return true;
	if (!day_parse(text, &day, NULL) || day < ENTRY_DAY_ZERO || day - ENTRY_DAY_ZERO >= ENTRY_NO_END)
		return false;
	*last_day = (uint16_t)(day - ENTRY_DAY_ZERO);
	return true;
}

static uint32_t field_no(const struct import *im, enum import_column c)
{
	return (uint32_t)im->columns[c];
}

/* The cells before the number; *value is ready when true and *bad is not set. */
static bool import_csv_value(struct import *im, const struct csv_row *row, enum identifier_kind *kind,
			     uint32_t *value, bool *bad, struct err *e)
{
	uint8_t reason = 0;
	uint16_t last_day = 0;
	struct bytes kind_text = cell(im, row, COLUMN_KIND);
	*bad = true;
	if (kind_text.len == 0)
		return import_reject_row(im, row, field_no(im, COLUMN_KIND), "missing-cell", "缺少证件类型",
					 "the kind is missing", e);
	if (!kind_of(kind_text, kind))
		return import_reject_row(im, row, field_no(im, COLUMN_KIND), "constraint-error",
					 "未知的证件类型（例：resident_id、uscc、name）",
					 "an unknown kind (for example resident_id, uscc, name)", e);
	if (!reason_of(im, cell(im, row, COLUMN_REASON), &reason))
		return import_reject_row(im, row, field_no(im, COLUMN_REASON), "type-error",
					 "原因代码应为 1 至 255 的整数", "the reason must be a number from 1 to 255",
					 e);
	if (!until_of(cell(im, row, COLUMN_UNTIL), &last_day))
		return import_reject_row(im, row, field_no(im, COLUMN_UNTIL), "type-error",
					 "截止日期应为 2026-01-31 的格式且为真实日期，或留空",
					 "until must be a real date like 2026-01-31, or empty", e);
	*value = entry_value(reason, last_day);
	*bad = false;
	return true;
}

bool import_csv_row(struct import *im, const struct csv_row *row, struct err *e)
{
	enum identifier_kind kind = IDENTIFIER_NAME;
	uint32_t value = 0;
	bool bad = false;
	if (row->fields_len < im->labels_len)
		return import_reject_row(im, row, (uint32_t)row->fields_len + 1, "missing-cell", "列数少于表头",
					 "fewer fields than the header", e);
	if (row->fields_len > im->labels_len)
		return import_reject_row(im, row, (uint32_t)im->labels_len + 1, "extra-cell", "列数多于表头",
					 "more fields than the header", e);
	if (!import_csv_value(im, row, &kind, &value, &bad, e))
		return false;
	if (bad)
		return true;

	struct bytes number = cell(im, row, COLUMN_NUMBER);
	enum import_column from = COLUMN_NUMBER;
	if (kind == IDENTIFIER_NAME && number.len == 0) {
		number = cell(im, row, COLUMN_NAME);
		from = COLUMN_NAME;
	}
	if (number.len == 0)
		return import_reject_row(im, row, field_no(im, COLUMN_NUMBER), "missing-cell", "缺少号码",
					 "the number is missing", e);
	struct identifier id;
	enum identifier_fault fault = IDENTIFIER_FAULT_NONE;
	if (!identifier_parse(kind, (const char *)number.data, number.len, im->today, &id, &fault, NULL))
		return import_reject_row(im, row, field_no(im, from), "constraint-error", identifier_fault_zh(fault),
					 identifier_fault_en(fault), e);
	return import_emit(im, row, &id, value, e);
}
