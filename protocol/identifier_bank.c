/*
 * Banks and cards. Sources: the People's Bank's payment system numbers banks with 3 digits of institution, 4
 * of city, 4 of branch and a check digit of ISO 7064 MOD 11,10 (GB/T 17710); ISO/IEC 7812-1 with the Luhn
 * digit for cards.
 */
#include "protocol/identifier_kinds.h"

#include <string.h>

enum identifier_fault identifier_cnaps(const struct identifier_text *t, struct identifier *out)
{
	if (!identifier_is_digits(t->at, t->len))
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len != 12)
		return IDENTIFIER_FAULT_LENGTH;
	int product = 10;
	for (size_t i = 0; i < 11; i++) {
		int sum = (product + t->at[i] - '0') % 10;
		product = (sum == 0 ? 10 : sum) * 2 % 11;
	}
	if ((product + t->at[11] - '0') % 10 != 1)
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, t->at, t->len);
	return IDENTIFIER_FAULT_NONE;
}

enum identifier_fault identifier_bank_card(const struct identifier_text *t, struct identifier *out)
{
	if (!identifier_is_digits(t->at, t->len))
		return IDENTIFIER_FAULT_ALPHABET;
	if (t->len < 12 || t->len > 19)
		return IDENTIFIER_FAULT_LENGTH;
	int sum = 0;
	for (size_t i = 0; i < t->len; i++) {
		int digit = t->at[t->len - 1 - i] - '0';
		if (i % 2 == 1)
			digit = digit < 5 ? digit * 2 : digit * 2 - 9;
		sum += digit;
	}
	if (sum % 10 != 0)
		return IDENTIFIER_FAULT_CHECK_DIGIT;
	memcpy(out->canonical, t->at, t->len);
	return IDENTIFIER_FAULT_NONE;
}
