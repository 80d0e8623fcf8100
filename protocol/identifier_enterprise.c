/*
 * Organisations. Sources: GB 32100-2015 (registration department, category, region (6), organisation code
 * (9), check character modulo 31 over an alphabet without I O S V Z) and GB 11714-1997 (8 characters and a
 * check character modulo 11). Characters 9 to 17 of a unified code are an organisation code, but its own
 * check character is not enforced there: the unified code's covers it, and early codes of sole traders do not
 * keep to it.
 */
#include "protocol/identifier_kinds.h"
#include "protocol/region.h"

#include <string.h>

static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
#define USCC_NATIONAL 10 /* 100000: registered with the central government */

/* -1 for a character outside the alphabet */
static int uscc_value(char c)
{
	static const int8_t letters[26] = { 10, 11, 12, 13, 14, 15, 16, 17, -1, 18, 19, 20, 21,
					    22, -1, 23, 24, 25, -1, 26, 27, -1, 28, 29, 30, -1 };
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'Z' ? letters[c - 'A'] : -1;
}

enum identifier_fault identifier_uscc(const struct identifier_text *t, struct identifier *out)
{
	const char *s = t->at;
	for (size_t i = 0; i < t->len; i++) {
		bool region = i >= 2 && i < 8;
		if (uscc_value(s[i]) < 0 || (region && (s[i] < '0' || s[i] > '9')))
			return IDENTIFIER_FAULT_ALPHABET;
	}
	if (t->len != 18)
		return IDENTIFIER_FAULT_LENGTH;
	int sum = 0, weight = 1;
	for (size_t i = 0; i < 17; i++, weight = weight * 3 % 31)
		sum += uscc_value(s[i]) * weight;
	if (s[17] != uscc_alphabet[(31 - sum % 31) % 31])
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, s, 18);
	int province = identifier_number(s + 2, 2);
	if (!region_is_province(province) && province != USCC_NATIONAL)
		out->warnings |= IDENTIFIER_WARN_UNKNOWN_REGION;
	return IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_org_code(const struct identifier_text *t, struct identifier *out)
{
	static const int weights[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
	const char *s = t->at;
	for (size_t i = 0; i < t->len; i++) {
		bool digit = s[i] >= '0' && s[i] <= '9', letter = s[i] >= 'A' && s[i] <= 'Z';
		if (!digit && !(letter && (i != 8 || s[i] == 'X')))
			return IDENTIFIER_FAULT_ALPHABET;
	}
	if (t->len != 9)
		return IDENTIFIER_FAULT_LENGTH;
	int sum = 0;
	for (size_t i = 0; i < 8; i++)
		sum += (s[i] <= '9' ? s[i] - '0' : s[i] - 'A' + 10) * weights[i];
	if (s[8] != "0X987654321"[sum % 11])
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, s, 9);
	return IDENTIFIER_FAULT_NONE;
}
