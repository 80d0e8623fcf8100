/*
 * Between identifier.c and the files that know one family of numbers each; nobody else includes it.
 * A parser gets upper-case ASCII without spaces and hyphens (names: the bytes as they came), 1 to
 * IDENTIFIER_TEXT_MAX of them, fills the canonical form and what else it learns into a cleared *out, and
 * answers with the rule that was broken.
 */
#ifndef PROTOCOL_IDENTIFIER_KINDS_H
#define PROTOCOL_IDENTIFIER_KINDS_H

#include "protocol/identifier.h"

#define IDENTIFIER_TEXT_MAX 88 /* both lines of a TD3 MRZ */

struct identifier_text {
	const char *at;
	size_t len;
	int64_t today; /* days since 1970, or 0 */
};

typedef enum identifier_fault identifier_parser(const struct identifier_text *, struct identifier *out);

identifier_parser identifier_resident, identifier_residence_permit; /* identifier_resident.c */
identifier_parser identifier_foreigner_15, identifier_foreigner_18; /* identifier_foreigner.c */
identifier_parser identifier_hkmo_travel, identifier_tw_travel;     /* identifier_travel.c */
identifier_parser identifier_passport;                              /* identifier_travel.c */
identifier_parser identifier_uscc, identifier_org_code;             /* identifier_enterprise.c */
identifier_parser identifier_cnaps, identifier_bank_card;           /* identifier_bank.c */
identifier_parser identifier_name, identifier_foreign;              /* identifier_name.c */
identifier_parser identifier_ecert;                                 /* identifier_name.c */

/* The next character, with full-width forms as ASCII, every kind of space as ' ' and every kind of dash as
   '-'; *at moves past it. 0 for a character without width, to be left out; -1 for NUL, a control character or
   bytes that are no UTF-8. */
int32_t identifier_char(const char **at, const char *end);

bool identifier_is_digits(const char *s, size_t len);
/* The value of up to 8 digits, which the caller has checked. */
int identifier_number(const char *s, size_t len);
/* Takes the birth date if there is such a day (from 1800 on) and it is not after today. */
enum identifier_fault identifier_born(struct identifier *out, int year, int month, int day, int64_t today);
bool identifier_is_day(int year, int month, int day);
/* The check character of ISO 7064 MOD 11-2 over 17 digits. */
char identifier_check_11_2(const char *digits);
/* The digit of ICAO 9303: weights 7 3 1 over 0-9, A-Z as 10 to 35 and '<' as 0. `sum` carries on from an
   earlier part whose length was a multiple of 3 plus `phase`. */
int identifier_sum_731(const char *s, size_t len, size_t phase);
/* Sets a warning when the region is unknown, or was not in use in the month of birth. */
void identifier_warn_region(struct identifier *out, int code);

#endif
