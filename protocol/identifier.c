/*
 * One kind is one row of `kinds`; a rule's wording is one row of `faults`. Here the text is folded to the few
 * characters that numbers use, handed to the kind's parser, and the answer put into words. Bounded: one pass
 * over at most TEXT_BYTES_MAX bytes.
 */
#include "protocol/identifier.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "protocol/identifier_kinds.h"
#include "protocol/region.h"

#define TEXT_BYTES_MAX ((size_t)4 * PERSON_NAME_MAX) /* spaces and full-width forms fit; more is no identifier */

struct kind {
	const char *name, *zh, *en;
	identifier_parser *parse;
	size_t head, tail; /* characters a mask shows */
};

static const struct kind kinds[IDENTIFIER_KIND_LAST + 1] = {
	[IDENTIFIER_RESIDENT_ID] = { "resident_id", "居民身份证", "resident ID", identifier_resident, 6, 4 },
	[IDENTIFIER_HKMO_RESIDENCE_PERMIT] = { "hkmo_residence_permit", "港澳居民居住证",
					       "residence permit for Hong Kong and Macao residents",
					       identifier_residence_permit, 6, 4 },
	[IDENTIFIER_TW_RESIDENCE_PERMIT] = { "tw_residence_permit", "台湾居民居住证",
					     "residence permit for Taiwan residents", identifier_residence_permit, 6,
					     4 },
	[IDENTIFIER_FOREIGNER_PR_15] = { "foreigner_pr_15", "外国人永久居留身份证（15位）",
					 "permanent residence card of 15 characters", identifier_foreigner_15, 3, 4 },
	[IDENTIFIER_FOREIGNER_PR_18] = { "foreigner_pr_18", "外国人永久居留身份证（18位）",
					 "permanent residence card of 18 digits", identifier_foreigner_18, 6, 4 },
	[IDENTIFIER_HKMO_TRAVEL_PERMIT] = { "hkmo_travel_permit", "港澳居民来往内地通行证",
					    "travel permit for Hong Kong and Macao residents", identifier_hkmo_travel,
					    3, 2 },
	[IDENTIFIER_TW_TRAVEL_PERMIT] = { "tw_travel_permit", "台湾居民来往大陆通行证",
					  "travel permit for Taiwan residents", identifier_tw_travel, 2, 2 },
	[IDENTIFIER_PASSPORT] = { "passport", "护照", "passport", identifier_passport, 2, 2 },
	[IDENTIFIER_USCC] = { "uscc", "统一社会信用代码", "unified social credit code", identifier_uscc, 6, 4 },
	[IDENTIFIER_ORG_CODE] = { "org_code", "组织机构代码", "organisation code", identifier_org_code, 2, 2 },
	[IDENTIFIER_CNAPS] = { "cnaps", "支付系统行号", "CNAPS bank code", identifier_cnaps, 3, 3 },
	[IDENTIFIER_BANK_CARD] = { "bank_card", "银行卡号", "bank card", identifier_bank_card, 6, 4 },
	[IDENTIFIER_NAME] = { "name", "名称", "name", identifier_name, 1, 0 },
	[IDENTIFIER_FOREIGN_ID] = { "foreign_id", "其他证件", "other document", identifier_foreign, 2, 2 },
	[IDENTIFIER_ECERT] = { "ecert", "电子证照", "e-certificate", identifier_ecert, 6, 4 },
};

static const struct fault {
	const char *name, *zh, *en;
} faults[IDENTIFIER_FAULT_LAST + 1] = {
	[IDENTIFIER_FAULT_NONE] = { "none", "有效", "is valid" },
	[IDENTIFIER_FAULT_EMPTY] = { "empty", "号码为空", "is empty" },
	[IDENTIFIER_FAULT_ALPHABET] = { "alphabet", "含有不允许的字符", "has a character that may not stand there" },
	[IDENTIFIER_FAULT_LENGTH] = { "length", "长度不符", "has the wrong length" },
	[IDENTIFIER_FAULT_PREFIX] = { "prefix", "首位字符不符合该证件的规则", "does not begin as this kind does" },
	[IDENTIFIER_FAULT_KIND] = { "kind", "证件类型选择有误", "is a number of another kind of document" },
	[IDENTIFIER_FAULT_REGION] = { "region", "地区码不属于该证件", "has a region this kind is not issued under" },
	[IDENTIFIER_FAULT_DATE] = { "date", "出生日期不存在", "has a birth date that is no day" },
	[IDENTIFIER_FAULT_FUTURE] = { "future", "出生日期晚于今天", "has a birth date after today" },
	[IDENTIFIER_FAULT_EXPIRY] = { "expiry", "有效期日期不存在", "has an expiry date that is no day" },
	[IDENTIFIER_FAULT_SEX] = { "sex", "性别代码不符", "has a sex that is none of M, F and <" },
	[IDENTIFIER_FAULT_CHECK_DIGIT] = { "check_digit", "校验码错误", "has a check digit that does not match" },
	[IDENTIFIER_FAULT_CHECK_BIRTH] = { "check_birth", "机读区出生日期校验码错误",
					   "has a birth date whose check digit does not match" },
	[IDENTIFIER_FAULT_CHECK_EXPIRY] = { "check_expiry", "机读区有效期校验码错误",
					    "has an expiry date whose check digit does not match" },
	[IDENTIFIER_FAULT_CHECK_OPTIONAL] = { "check_optional", "机读区可选数据校验码错误",
					      "has optional data whose check digit does not match" },
	[IDENTIFIER_FAULT_CHECK_COMPOSITE] = { "check_composite", "机读区总校验码错误",
					       "has a composite check digit that does not match" },
};

static const struct kind *kind_get(enum identifier_kind kind)
{
	assert((unsigned)kind >= 1 && (unsigned)kind <= IDENTIFIER_KIND_LAST);
	return &kinds[kind];
}

const char *identifier_kind_name(enum identifier_kind kind)
{
	return kind_get(kind)->name;
}

const char *identifier_kind_zh(enum identifier_kind kind)
{
	return kind_get(kind)->zh;
}

const char *identifier_kind_en(enum identifier_kind kind)
{
	return kind_get(kind)->en;
}

bool identifier_kind_of(const char *name, enum identifier_kind *kind)
{
	for (int k = 1; k <= IDENTIFIER_KIND_LAST; k++) {
		if (strcmp(kinds[k].name, name) == 0) {
			*kind = (enum identifier_kind)k;
			return true;
		}
	}
	return false;
}

static const struct fault *fault_get(enum identifier_fault fault)
{
	assert((unsigned)fault <= IDENTIFIER_FAULT_LAST);
	return &faults[fault];
}

const char *identifier_fault_name(enum identifier_fault fault)
{
	return fault_get(fault)->name;
}

const char *identifier_fault_zh(enum identifier_fault fault)
{
	return fault_get(fault)->zh;
}

const char *identifier_fault_en(enum identifier_fault fault)
{
	return fault_get(fault)->en;
}

bool identifier_is_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

int identifier_number(const char *s, size_t len)
{
	int n = 0;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (s[i] - '0');
	return n;
}

bool identifier_is_day(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days since 1970-01-01, for years from 1 on: years are taken to begin in March, so that the leap day comes
 * last. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;
	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

enum identifier_fault identifier_born(struct identifier *out, int year, int month, int day, int64_t today)
{
	if (year < 1800 || !identifier_is_day(year, month, day))
		return IDENTIFIER_FAULT_DATE;
	if (today > 0 && days_of(year, month, day) > today)
		return IDENTIFIER_FAULT_FUTURE;
	out->birth_year = year;
	out->birth_month = month;
	out->birth_day = day;
	return IDENTIFIER_FAULT_NONE;
}

char identifier_check_11_2(const char *digits)
{
	int sum = 0;
	for (size_t i = 0; i < 17; i++)
		sum = (sum + (digits[i] - '0')) * 2;
	return "10X98765432"[sum % 11];
}

int identifier_sum_731(const char *s, size_t len, size_t phase)
{
	static const int weights[] = { 7, 3, 1 };
	int sum = 0;
	for (size_t i = 0; i < len; i++) {
		int value = s[i] == '<' ? 0 : s[i] <= '9' ? s[i] - '0' : s[i] - 'A' + 10;
		sum += value * weights[(phase + i) % 3];
	}
	return sum;
}

void identifier_warn_region(struct identifier *out, int code)
{
	switch (region_at(code, out->birth_year, out->birth_month)) {
	case REGION_KNOWN: break;
	case REGION_UNKNOWN: out->warnings |= IDENTIFIER_WARN_UNKNOWN_REGION; break;
	case REGION_NOT_YET: out->warnings |= IDENTIFIER_WARN_REGION_NOT_YET; break;
	case REGION_RETIRED: out->warnings |= IDENTIFIER_WARN_REGION_RETIRED; break;
	}
}

enum fold { FOLD_KEEP, FOLD_DROP, FOLD_REFUSE };

static enum fold fold_char(enum identifier_kind kind, int32_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))
		return FOLD_KEEP;
	if (c == ' ' || c == '-' || c == 0)
		return FOLD_DROP;
	if (c < 0 || c >= 0x80)
		return FOLD_REFUSE;
	if (kind == IDENTIFIER_FOREIGN_ID)
		return FOLD_DROP;
	const char *also = kind == IDENTIFIER_PASSPORT ? "<" : kind == IDENTIFIER_TW_TRAVEL_PERMIT ? "()" : "";
	return strchr(also, c) != NULL ? FOLD_KEEP : FOLD_REFUSE;
}

/* Into at most IDENTIFIER_TEXT_MAX characters of `folded`. */
static enum identifier_fault fold_text(enum identifier_kind kind, const char *text, size_t len, char *folded,
				       size_t *n)
{
	const char *at = text, *end = text + len;
	*n = 0;
	while (at < end) {
		int32_t c = identifier_char(&at, end);
		if (c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		enum fold fold = fold_char(kind, c);
		if (fold == FOLD_REFUSE)
			return IDENTIFIER_FAULT_ALPHABET;
		if (fold == FOLD_DROP)
			continue;
		if (*n == IDENTIFIER_TEXT_MAX)
			return IDENTIFIER_FAULT_LENGTH;
		folded[(*n)++] = (char)c;
	}
	return *n == 0 ? IDENTIFIER_FAULT_EMPTY : IDENTIFIER_FAULT_NONE;
}

static enum identifier_fault parse(const char *text, size_t len, int64_t today, struct identifier *out)
{
	if (len == 0)
		return IDENTIFIER_FAULT_EMPTY;
	if (len > TEXT_BYTES_MAX)
		return IDENTIFIER_FAULT_LENGTH;
	struct identifier_text t = { .at = text, .len = len, .today = today };
	char folded[IDENTIFIER_TEXT_MAX];
	if (out->kind != IDENTIFIER_NAME && out->kind != IDENTIFIER_ECERT) {
		enum identifier_fault fault = fold_text(out->kind, text, len, folded, &t.len);
		if (fault != IDENTIFIER_FAULT_NONE)
			return fault;
		t.at = folded;
	}
	return kinds[out->kind].parse(&t, out);
}

bool identifier_parse(enum identifier_kind kind, const char *text, size_t len, int64_t today, struct identifier *out,
		      enum identifier_fault *fault, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if ((unsigned)kind < 1 || (unsigned)kind > IDENTIFIER_KIND_LAST) {
		if (fault != NULL)
			*fault = IDENTIFIER_FAULT_KIND;
		return err_set(e, ERR_INPUT, "there is no kind of identifier with the number %d", (int)kind);
	}
	out->kind = kind;
	enum identifier_fault found = parse(text, len, today, out);
	if (fault != NULL)
		*fault = found;
	if (found == IDENTIFIER_FAULT_NONE)
		return true;
	memset(out, 0, sizeof(*out));
	return err_set(e, ERR_INPUT, "the %s %s", kinds[kind].en, faults[found].en);
}

static void mask_name(const char *canonical, char *out, size_t size)
{
	const char *at = canonical, *end = canonical + strlen(canonical);
	if (at < end)
		(void)identifier_char(&at, end);
	int first = (int)(at - canonical);
	/* a name of one character would be shown whole */
	if ((size_t)first + 3 > size || at == end)
		first = 0;
	snprintf(out, size, "%.*s**", first, canonical);
}

/* Half of a short number stays hidden, six characters of a longer one; of one under six only the first shows.
 */
static void mask_number(const struct kind *kind, const char *canonical, char *out, size_t size)
{
	size_t len = strlen(canonical), head = kind->head, tail = len < 6 ? 0 : kind->tail;
	size_t shown = len < 6 ? 1 : len < 12 ? len / 2 : len - 6;
	if (head > shown - tail)
		head = shown - tail;
	size_t n = 0;
	for (; n < len && n + 1 < size; n++)
		out[n] = '*';
	for (size_t i = 0; i < n; i++) {
		if (i < head || i >= len - tail)
			out[i] = canonical[i];
	}
	out[n] = '\0';
}

void identifier_mask(const struct identifier *id, char *out, size_t size)
{
	assert(size > 0);
	if (id->kind == IDENTIFIER_NAME)
		mask_name(id->canonical, out, size);
	else
		mask_number(kind_get(id->kind), id->canonical, out, size);
}
