/*
 * Travel permits and passports.
 * Sources: the Exit and Entry Administration's notices on the numbers of permits for Hong Kong and Macao
 * (2010) and Taiwan residents (2008): the first digits are the holder's for life, what follows counts
 * renewals. ICAO Doc 9303-4 for the MRZ.
 */
#include "protocol/identifier_kinds.h"

#include <string.h>

#define MRZ_LINE 44

enum identifier_fault identifier_hkmo_travel(const struct identifier_text *t, struct identifier *out)
{
	if (!identifier_is_digits(t->at + 1, t->len - 1))
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len != 9 && t->len != 11)
		return IDENTIFIER_FAULT_LENGTH;
	if (t->at[0] != 'H' && t->at[0] != 'M')
		return IDENTIFIER_FAULT_PREFIX;
	memcpy(out->canonical, t->at, 9);
	return IDENTIFIER_FAULT_NONE;
}

static bool travel_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/* How many characters at the end are the issuing office: "(B)", "(1)" or a bare letter after ten digits. */
static size_t travel_office(const char *s, size_t len)
{
	if (len == 13 && s[10] == '(' && travel_is_alnum(s[11]) && s[12] == ')')
		return 3;
	return len == 11 && s[10] >= 'A' && s[10] <= 'Z' ? 1 : 0;
}

enum identifier_fault identifier_tw_travel(const struct identifier_text *t, struct identifier *out)
{
	size_t len = t->len - travel_office(t->at, t->len);
	if (!identifier_is_digits(t->at, len))
		return IDENTIFIER_FAULT_ALPHABET;
	if (len != 8 && len != 10)
		return IDENTIFIER_FAULT_LENGTH;
	memcpy(out->canonical, t->at, 8);
	return IDENTIFIER_FAULT_NONE;
}

static bool mrz_checks(const char *s, size_t len, char check)
{
	return check == '0' + identifier_sum_731(s, len, 0) % 10;
}

/* An empty field may have '<' for its check digit. */
static bool mrz_checks_optional(const char *s, size_t len, char check)
{
	if (check != '<')
		return mrz_checks(s, len, check);
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '<')
			return false;
	}
	return true;
}

static enum identifier_fault mrz_check_digits(const char *s)
{
	if (!mrz_checks(s, 9, s[9]))
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	if (!mrz_checks(s + 13, 6, s[19]))
		return IDENTIFIER_FAULT_CHECK_BIRTH;
	if (!mrz_checks(s + 21, 6, s[27]))
		return IDENTIFIER_FAULT_CHECK_EXPIRY;
	if (!mrz_checks_optional(s + 28, 14, s[42]))
		return IDENTIFIER_FAULT_CHECK_OPTIONAL;
	int sum =
		identifier_sum_731(s, 10, 0) + identifier_sum_731(s + 13, 7, 10) + identifier_sum_731(s + 21, 22, 17);
	return s[43] == '0' + sum % 10 ? IDENTIFIER_FAULT_NONE : IDENTIFIER_FAULT_CHECK_COMPOSITE;
}

/* Unknown parts of a birth date stand as "<<"; then the document does not tell the date. */
static enum identifier_fault mrz_birth(const char *s, int expiry_year, int64_t today, struct identifier *out)
{
	bool known = true;
	for (size_t i = 0; i < 6; i += 2) {
		if (s[i] == '<' && s[i + 1] == '<')
			known = false;
		else if (!identifier_is_digits(s + i, 2))
			return IDENTIFIER_FAULT_DATE;
	}
	if (!known)
		return IDENTIFIER_FAULT_NONE;
	int year = 2000 + identifier_number(s, 2), month = identifier_number(s + 2, 2),
	    day = identifier_number(s + 4, 2);
	/* the holder was born before the passport ends, and before today */
	if (year > expiry_year)
		year -= 100;
	enum identifier_fault fault = identifier_born(out, year, month, day, today);
	if (fault == IDENTIFIER_FAULT_FUTURE)
		fault = identifier_born(out, year - 100, month, day, today);
	return fault;
}

static enum identifier_fault mrz_line_2(const char *s, int64_t today, struct identifier *out)
{
	if (!identifier_is_digits(s + 21, 6) ||
	    !identifier_is_day(2000 + identifier_number(s + 21, 2), identifier_number(s + 23, 2),
			       identifier_number(s + 25, 2)))
		return IDENTIFIER_FAULT_EXPIRY;
	enum identifier_fault fault = mrz_birth(s + 13, 2000 + identifier_number(s + 21, 2), today, out);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	if (s[20] != 'M' && s[20] != 'F' && s[20] != '<')
		return IDENTIFIER_FAULT_SEX;
	fault = mrz_check_digits(s);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	size_t len = 0;
	for (size_t i = 0; i < 9; i++) {
		if (s[i] != '<')
			out->canonical[len++] = s[i];
	}
	if (s[20] != '<')
		out->sex = s[20];
	return len >= 5 ? IDENTIFIER_FAULT_NONE : IDENTIFIER_FAULT_LENGTH;
}

enum identifier_fault identifier_passport(const struct identifier_text *t, struct identifier *out)
{
	bool mrz = t->len >= MRZ_LINE || memchr(t->at, '<', t->len) != NULL;
	for (size_t i = 0; i < t->len; i++) {
		if (!travel_is_alnum(t->at[i]) && t->at[i] != '<')
			return IDENTIFIER_FAULT_ALPHABET;
	}
	if (!mrz) {
		if (t->len < 5 || t->len > 12)
			return IDENTIFIER_FAULT_LENGTH;
		memcpy(out->canonical, t->at, t->len);
		return IDENTIFIER_FAULT_NONE;
	}
	if (t->len != MRZ_LINE && t->len != (size_t)2 * MRZ_LINE)
		return IDENTIFIER_FAULT_LENGTH;
	if (t->len == (size_t)2 * MRZ_LINE && t->at[0] != 'P')
		return IDENTIFIER_FAULT_PREFIX;
	return mrz_line_2(t->at + t->len - MRZ_LINE, t->today, out);
}
