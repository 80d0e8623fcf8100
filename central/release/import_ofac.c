/*
 * The US OFAC's SDN.CSV: ent_num, name, type, program, title, call sign, vessel type, tonnage, GRT, flag, owner, remarks; null is
 * "-0-". Remarks are sentences between semicolons: "National ID No. 110… (China) expires …; alt. Passport G1… (China)".
 * Taken are numbers given for China. A number is listed under the kind it proves to be, and whatever does not is
 * listed as foreign_id, so that none is lost. Of an organisation with such a number its names are listed too: the main
 * one and those that the remarks give as a.k.a. or f.k.a.
 */
#include "central/release/import_row.h"

#include <string.h>

enum { OFAC_NAME = 1, OFAC_TYPE = 2, OFAC_REMARKS = 11 };

static bool is_null(struct bytes f)
{
	return f.len == 0 || bytes_equal(f, bytes_of("-0-"));
}

static bool starts_with(struct bytes text, const char *with)
{
	size_t n = strlen(with);
	return text.len >= n && memcmp(text.data, with, n) == 0;
}

static struct bytes skipped(struct bytes text, size_t n)
{
	return (struct bytes){ text.data + n, text.len - n };
}

/* Cuts the next sentence off the front of remarks. Semicolons inside single quotes (names) do not end one. */
static bool remark_next(struct bytes *remarks, struct bytes *one)
{
	while (remarks->len > 0 && (remarks->data[0] == ' ' || remarks->data[0] == ';'))
		*remarks = skipped(*remarks, 1);
	if (remarks->len == 0)
		return false;
	const uint8_t *semicolon = memchr(remarks->data, ';', remarks->len);
	size_t n = semicolon == NULL ? remarks->len : (size_t)(semicolon - remarks->data);
	*one = (struct bytes){ remarks->data, n };
	*remarks = skipped(*remarks, n);
	while (one->len > 0 && (one->data[one->len - 1] == '.' || one->data[one->len - 1] == ' '))
		one->len--;
	return true;
}

/* The labels that stand before a number that names somebody; kinds are tried in order, foreign_id takes the rest. */
static const struct {
	const char *label;
	enum identifier_kind kinds[3]; /* 0 ends */
} labels[] = {
	{ "Passport ", { IDENTIFIER_PASSPORT } },
	{ "National ID No. ", { IDENTIFIER_RESIDENT_ID } },
	{ "National Foreign ID Number ",
	  { IDENTIFIER_RESIDENT_ID, IDENTIFIER_FOREIGNER_PR_15, IDENTIFIER_FOREIGNER_PR_18 } },
	{ "Citizen's Card Number ", { IDENTIFIER_RESIDENT_ID } },
	{ "Identification Number ", { IDENTIFIER_RESIDENT_ID, IDENTIFIER_USCC } },
	{ "Personal ID Card ", { IDENTIFIER_RESIDENT_ID } },
	{ "Residency Number ", { IDENTIFIER_RESIDENT_ID, IDENTIFIER_FOREIGNER_PR_15, IDENTIFIER_FOREIGNER_PR_18 } },
	{ "Unified Social Credit Code (USCC) ", { IDENTIFIER_USCC } },
	{ "United Social Credit Code Certificate (USCCC) ", { IDENTIFIER_USCC } },
	{ "Organization Code ", { IDENTIFIER_ORG_CODE, IDENTIFIER_USCC } },
	{ "Registration Number ", { IDENTIFIER_USCC } },
	{ "Registration ID ", { IDENTIFIER_USCC } },
	{ "Business Registration Number ", { IDENTIFIER_USCC } },
	{ "Business Number ", { IDENTIFIER_USCC } },
	{ "Enterprise Number ", { IDENTIFIER_USCC } },
	{ "Company Number ", { IDENTIFIER_USCC } },
	{ "Tax ID No. ", { IDENTIFIER_USCC } },
};

/* The kind a number proves to be; foreign_id when none of those its label allows. */
static bool number_parse(struct bytes number, size_t label, int64_t today, struct identifier *id)
{
	const char *text = (const char *)number.data;
	for (size_t i = 0; i < 3 && labels[label].kinds[i] != 0; i++)
		if (identifier_parse(labels[label].kinds[i], text, number.len, today, id, NULL, NULL))
			return true;
	return identifier_parse(IDENTIFIER_FOREIGN_ID, text, number.len, today, id, NULL, NULL);
}

/* True when the sentence gives a number for China; *label says under which label, *number what stands there. */
static bool remark_number(struct bytes remark, size_t *label, struct bytes *number)
{
	static const char china[] = " (China)";
	const uint8_t *at = memmem(remark.data, remark.len, china, sizeof(china) - 1);
	if (at == NULL)
		return false;
	remark.len = (size_t)(at - remark.data);
	if (starts_with(remark, "alt. "))
		remark = skipped(remark, 5);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (starts_with(remark, labels[i].label)) {
			*label = i;
			*number = skipped(remark, strlen(labels[i].label));
			return number->len > 0;
		}
	}
	return false;
}

/* a.k.a. 'NAME' or f.k.a. 'NAME' */
static bool remark_name(struct bytes remark, struct bytes *name)
{
	if (!starts_with(remark, "a.k.a. '") && !starts_with(remark, "f.k.a. '"))
		return false;
	*name = skipped(remark, 8);
	if (name->len < 2 || name->data[name->len - 1] != '\'')
		return false;
	name->len--;
	return true;
}

static bool import_ofac_name(struct import *im, const struct csv_row *row, struct bytes name, uint32_t value,
			     struct err *e)
{
	struct identifier id;
	if (!identifier_parse(IDENTIFIER_NAME, (const char *)name.data, name.len, 0, &id, NULL, NULL))
		return import_reject_row(im, row, OFAC_NAME + 1, "constraint-error", "名称无法识别",
					 "the name cannot be used", e);
	return import_emit(im, row, &id, value, e);
}

static bool import_ofac_names(struct import *im, const struct csv_row *row, uint32_t value, struct err *e)
{
	struct bytes remarks = row->fields[OFAC_REMARKS], one, name;
	if (!import_ofac_name(im, row, row->fields[OFAC_NAME], value, e))
		return false;
	while (remark_next(&remarks, &one))
		if (remark_name(one, &name) && !import_ofac_name(im, row, name, value, e))
			return false;
	return true;
}

bool import_ofac_row(struct import *im, const struct csv_row *row, struct err *e)
{
	if (row->fields_len != OFAC_FIELDS)
		return import_reject_row(im, row, 0, row->fields_len < OFAC_FIELDS ? "missing-cell" : "extra-cell",
					 "SDN 文件每行应为 12 列", "a row of SDN.CSV has 12 fields", e);
	struct bytes remarks = row->fields[OFAC_REMARKS], one, number;
	uint32_t value = entry_value(im->reason, ENTRY_NO_END);
	bool chinese = false;
	while (!is_null(row->fields[OFAC_REMARKS]) && remark_next(&remarks, &one)) {
		struct identifier id;
		size_t label = 0;
		if (!remark_number(one, &label, &number))
			continue;
		chinese = true;
		if (!number_parse(number, label, im->today, &id)) {
			if (!import_reject_row(im, row, OFAC_REMARKS + 1, "constraint-error",
					       "备注中的证件号码无法识别", "a number in the remarks cannot be used",
					       e))
				return false;
			continue;
		}
		if (!import_emit(im, row, &id, value, e))
			return false;
	}
	if (!chinese) {
		im->summary->ignored++;
		return true;
	}
	/* A person's name alone would hit every namesake. */
	return bytes_equal(row->fields[OFAC_TYPE], bytes_of("individual")) || import_ofac_names(im, row, value, e);
}
