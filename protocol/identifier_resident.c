/*
 * Numbers of the resident ID's build: region (6), birth date (8), order (3, odd for men), check character.
 * Sources: GB 11643-1999 and GB 11643-1989 (15 digits: two-digit year, no check character; the orders 996 to
 * 999 were kept for those already over a hundred, so they mean a birth in the 1800s). Residence permits:
 * State Council decree of 2018.
 */
#include "protocol/identifier_kinds.h"

#include <string.h>

static enum identifier_fault resident_alphabet(const struct identifier_text *t)
{
	size_t digits = t->len == 18 && t->at[17] == 'X' ? 17 : t->len;
	return identifier_is_digits(t->at, digits) ? IDENTIFIER_FAULT_NONE : IDENTIFIER_FAULT_ALPHABET;
}

/* Date, then check character, of 18 characters whose alphabet is right. */
static enum identifier_fault resident_finish(const char *s, int64_t today, struct identifier *out)
{
	enum identifier_fault fault = identifier_born(out, identifier_number(s + 6, 4), identifier_number(s + 10, 2),
						      identifier_number(s + 12, 2), today);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	if (s[17] != identifier_check_11_2(s))
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, s, 18);
	out->sex = (s[16] - '0') % 2 == 1 ? 'M' : 'F';
	return IDENTIFIER_FAULT_NONE;
}

static bool resident_is_permit(const char *s)
{
	return memcmp(s, "810000", 6) == 0 || memcmp(s, "820000", 6) == 0 || memcmp(s, "830000", 6) == 0;
}

static void resident_upgrade(const char *old, char *s)
{
	memcpy(s, old, 6);
	s[6] = '1';
	s[7] = identifier_number(old + 12, 3) >= 996 ? '8' : '9';
	memcpy(s + 8, old + 6, 9);
	s[17] = identifier_check_11_2(s);
}

enum identifier_fault identifier_resident(const struct identifier_text *t, struct identifier *out)
{
	if (resident_alphabet(t) != IDENTIFIER_FAULT_NONE)
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len != 18 && t->len != 15)
		return IDENTIFIER_FAULT_LENGTH;
	if (resident_is_permit(t->at))
		return IDENTIFIER_FAULT_KIND;
	char upgraded[18];
	const char *s = t->at;
	if (t->len == 15) {
		resident_upgrade(t->at, upgraded);
		s = upgraded;
	}
	enum identifier_fault fault = resident_finish(s, t->today, out);
	if (fault != IDENTIFIER_FAULT_NONE)
		return fault;
	if (t->len == 15)
		out->warnings |= IDENTIFIER_WARN_UPGRADED_15;
	identifier_warn_region(out, identifier_number(s, 6));
	return IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_residence_permit(const struct identifier_text *t, struct identifier *out)
{
	if (resident_alphabet(t) != IDENTIFIER_FAULT_NONE)
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len != 18)
		return IDENTIFIER_FAULT_LENGTH;
	bool taiwan = out->kind == IDENTIFIER_TW_RESIDENCE_PERMIT;
	if (!resident_is_permit(t->at) || (t->at[1] == '3') != taiwan)
		return IDENTIFIER_FAULT_REGION;
	return resident_finish(t->at, t->today, out);
}
