/*
 * Foreigners' permanent residence cards. Source: the National Immigration Administration's notice on the card
 * of 2023, which also tells the build of the 15-character number before it.
 */
#include "protocol/identifier_kinds.h"
#include "protocol/region.h"

#include <string.h>

/* The last year in which a card with a 15-character number was issued: two-digit years after it are of the
 * 1900s. */
#define FOREIGNER_15_LAST_YEAR 2023

static void foreigner_warn(struct identifier *out, int province)
{
	if (!region_is_province(province))
		out->warnings |= IDENTIFIER_WARN_UNKNOWN_REGION;
}

enum identifier_fault identifier_foreigner_15(const struct identifier_text *t, struct identifier *out)
{
	const char *s = t->at;
	for (size_t i = 0; i < t->len; i++) {
		bool letter = s[i] >= 'A' && s[i] <= 'Z';
		if (letter != (i < 3))
			return IDENTIFIER_FAULT_ALPHABET;
	}
	if (t->len != 15)
		return IDENTIFIER_FAULT_LENGTH;
	int year = 2000 + identifier_number(s + 7, 2);
	if (year > FOREIGNER_15_LAST_YEAR)
		year -= 100;
	enum identifier_fault fault =
		identifier_born(out, year, identifier_number(s + 9, 2), identifier_number(s + 11, 2), t->today);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	if (identifier_sum_731(s, 14, 0) % 10 != s[14] - '0')
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, s, 15);
	foreigner_warn(out, identifier_number(s + 3, 2));
	return IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_foreigner_18(const struct identifier_text *t, struct identifier *out)
{
	const char *s = t->at;
	if (!identifier_is_digits(s, t->len == 18 && s[17] == 'X' ? 17 : t->len))
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len != 18)
		return IDENTIFIER_FAULT_LENGTH;
	if (s[0] != '9')
		return IDENTIFIER_FAULT_PREFIX;
	enum identifier_fault fault = identifier_born(out, identifier_number(s + 6, 4), identifier_number(s + 10, 2),
						      identifier_number(s + 12, 2), t->today);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	if (s[17] != identifier_check_11_2(s))
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, s, 18);
	foreigner_warn(out, identifier_number(s + 1, 2));
	return IDENTIFIER_FAULT_NONE;
}
