#include "central/ingest/fault.h"

#include <stddef.h>

struct text {
	const char *code, *zh, *en;
};

static const struct text texts[] = {
	[FAULT_NONE] = { "", "", "" },
	[FAULT_MISSING_CELL] = { "missing-cell", "缺少这一列的单元格，请补齐分隔符",
				 "the row ends before this column; add the missing separators" },
	[FAULT_EXTRA_CELL] = { "extra-cell", "多出单元格，检查内容中的逗号是否加了引号",
			       "more cells than columns; put quotes round text that holds a comma" },
	[FAULT_BLANK_ROW] = { "blank-row", "整行为空，请删除", "the row is empty; remove it" },
	[FAULT_QUOTE] = { "source-error", "引号不成对，请检查双引号",
			  "a quote is not closed, or text follows it; check the double quotes" },
	[FAULT_TOO_LONG] = { "source-error", "行过长（超过 128 KiB），多为引号未闭合",
			     "longer than 128 KiB; a quote was left open, most often" },
	[FAULT_TOO_MANY] = { "extra-cell", "列数超过 64", "more than 64 cells" },
	[FAULT_ENCODING] = { "encoding-error", "编码有误：按 UTF-8 或 GB18030 重新导出（--encoding）",
			     "not in the file's encoding; export as UTF-8 or GB18030 and say which (--encoding)" },
	[FAULT_CUT] = { "encoding-error", "文件在此行中间断开，请重新传送整个文件",
			"the file ends in the middle of this row; send the whole file again" },
	[FAULT_JSON] = { "source-error", "不是一层的 JSON 对象",
			 "not a flat JSON object: one object a line, no nested values, no key twice" },
	[FAULT_INTEGER] = { "type-error", "应为整数", "expected a whole number" },
	[FAULT_NUMBER] = { "type-error", "应为数字", "expected a number" },
	[FAULT_BOOLEAN] = { "type-error", "应为 true/false 或 是/否", "expected true or false, or 是 or 否" },
	[FAULT_DATE] = { "type-error", "应为日期，如 2026-01-31", "expected a date, as 2026-01-31" },
	[FAULT_MONTH] = { "type-error", "应为年月，如 2026-01", "expected a month, as 2026-01" },
	[FAULT_NO_SUCH_DAY] = { "type-error", "没有这一天", "there is no such day" },
	[FAULT_DAY_OR_MONTH] = { "type-error", "日与月无法区分，请写作 2026-01-31",
				 "day and month cannot be told apart; write 2026-01-31" },
	[FAULT_EXCEL_SERIAL] = { "type-error", "疑为 Excel 日期序号，请把该列设为日期格式后再导出",
				 "looks like Excel's number of a day; format the column as a date and export again" },
	[FAULT_SCIENTIFIC] = { "type-error", "科学计数法丢失了末位数字，请把该列设为文本后从原系统重新导出",
			       "in scientific notation the last digits are lost; export again with the column as "
			       "text" },
	[FAULT_REQUIRED] = { "constraint-error", "必填", "must not be empty" },
	[FAULT_MINIMUM] = { "constraint-error", "小于下限，请核对单位（元、万元）",
			    "below the least allowed; check the unit" },
	[FAULT_MAXIMUM] = { "constraint-error", "大于上限，请核对单位（元、万元）或日期",
			    "above the most allowed; check the unit, or the date" },
	[FAULT_MIN_LENGTH] = { "constraint-error", "过短", "too short" },
	[FAULT_MAX_LENGTH] = { "constraint-error", "过长", "too long" },
	[FAULT_ENUM] = { "constraint-error", "不在允许的取值之中", "none of the values allowed" },
	[FAULT_PRIMARY_KEY] = { "primary-key", "主键与前面某行重复，只收第一行",
				"the key stands in an earlier row already; the first one counts" },
	[FAULT_BLANK_LABEL] = { "blank-label", "列名为空", "the column has no name" },
	[FAULT_DUPLICATE_LABEL] = { "duplicate-label", "列名重复", "the column's name stands before" },
	[FAULT_MISSING_LABEL] = { "missing-label", "缺少目录规定的列", "a column of the schema is missing" },
	[FAULT_EXTRA_LABEL] = { "extra-label", "多出目录没有的列，未收录",
				"no column of the schema; it was left out" },
	[FAULT_INCORRECT_LABEL] = { "incorrect-label", "列名或列的位置与目录不同",
				    "the column has another name, or another place, than in the schema" },
};
#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static bool is_identifier(unsigned fault)
{
	return fault > FAULT_IDENTIFIER && fault <= FAULT_LAST;
}

const char *fault_code(unsigned fault)
{
	return fault < TEXTS ? texts[fault].code : is_identifier(fault) ? "constraint-error" : "";
}

const char *fault_zh(unsigned fault)
{
	return fault < TEXTS          ? texts[fault].zh
	       : is_identifier(fault) ? identifier_fault_zh((enum identifier_fault)(fault - FAULT_IDENTIFIER))
				      : "";
}

const char *fault_en(unsigned fault)
{
	return fault < TEXTS          ? texts[fault].en
	       : is_identifier(fault) ? identifier_fault_en((enum identifier_fault)(fault - FAULT_IDENTIFIER))
				      : "";
}

static const char *const repairs[][2] = {
	[REPAIR_NONE] = { "", "" },
	[REPAIR_WIDTH] = { "full-width", "全角转半角" },
	[REPAIR_ID_15] = { "id-15", "15 位身份证号升为 18 位" },
	[REPAIR_ID_FORM] = { "id-form", "证件号码写法" },
	[REPAIR_DATE_FORM] = { "date-form", "日期写法" },
	[REPAIR_EXCEL_DATE] = { "excel-date", "Excel 日期序号" },
	[REPAIR_GROUPED] = { "grouped-number", "千分位" },
	[REPAIR_UNIT] = { "unit", "单位换算" },
	[REPAIR_NUMBER_FORM] = { "number-form", "数字写法" },
	[REPAIR_TRAILING] = { "trailing-separator", "行末多余分隔符" },
};

const char *repair_name(unsigned repair)
{
	return repair <= REPAIR_LAST ? repairs[repair][0] : "";
}

const char *repair_zh(unsigned repair)
{
	return repair <= REPAIR_LAST ? repairs[repair][1] : "";
}
