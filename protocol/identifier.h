/*
 * The numbers (and names) a person, organisation, bank or card is known by: parse, canonicalise, validate,
 * mask.
 *
 * The canonical form is what tags are computed over: every way of writing one identifier gives the same
 * bytes. Full-width characters become ASCII, letters upper case; spaces and hyphens that people type are
 * dropped. Each kind's own rule:
 *
 *   resident_id             GB 11643-1999, 18 characters; the 15 digits of GB 11643-1989 become 18
 *   hkmo_residence_permit   the same build under 810000 (Hong Kong) and 820000 (Macao)
 *   tw_residence_permit     the same build under 830000
 *   foreigner_pr_15         nationality (ISO 3166 alpha-3), area (4), birth date (YYMMDD), order, check digit
 *   foreigner_pr_18         9, province (2), nationality (ISO 3166 numeric), birth date, order (3), check (ISO 7064
 *                           MOD 11-2)
 *   hkmo_travel_permit      H or M and the holder's 8 digits for life; two more digits (the renewal count) are checked
 *                           and dropped, so that a renewed permit stays the same person
 *   tw_travel_permit        the holder's 8 digits for life; the booklet's renewal count and "(B)" are dropped likewise
 *   passport                document number, 5 to 12 of A-Z 0-9: typed, or out of the MRZ of ICAO 9303-4 (line 2, or both)
 *   uscc                    GB 32100-2015, 18 characters
 *   org_code                GB 11714-1997, 9 characters, the hyphen dropped
 *   cnaps                   bank code of the People's Bank's payment system, 12 digits
 *   bank_card               ISO/IEC 7812, 12 to 19 digits, Luhn
 *   name                    UTF-8, spaces trimmed and collapsed (none beside a Chinese character), one form of middle dot
 *   foreign_id              any other document: 3 to 40 of A-Z 0-9, punctuation dropped
 *   ecert                   an e-certificate, "<issuer>/<id>" (ecert.h, ecert_identity): printable ASCII, 3 to
 *                           IDENTIFIER_ECERT_MAX characters; nothing is dropped, since an id may have hyphens
 *
 * A region that we do not know is a warning, never a fault: codes come and go, and no table is complete.
 */
#ifndef PROTOCOL_IDENTIFIER_H
#define PROTOCOL_IDENTIFIER_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/base/err.h"
#include "protocol/base/limits.h"

/* On the wire and inside tags: a value never changes its meaning. */
enum identifier_kind {
	IDENTIFIER_RESIDENT_ID = 1,
	IDENTIFIER_HKMO_RESIDENCE_PERMIT = 2,
	IDENTIFIER_TW_RESIDENCE_PERMIT = 3,
	IDENTIFIER_FOREIGNER_PR_15 = 4,
	IDENTIFIER_FOREIGNER_PR_18 = 5,
	IDENTIFIER_HKMO_TRAVEL_PERMIT = 6,
	IDENTIFIER_TW_TRAVEL_PERMIT = 7,
	IDENTIFIER_PASSPORT = 8,
	IDENTIFIER_USCC = 9,
	IDENTIFIER_ORG_CODE = 10,
	IDENTIFIER_CNAPS = 11,
	IDENTIFIER_BANK_CARD = 12,
	IDENTIFIER_NAME = 13,
	IDENTIFIER_FOREIGN_ID = 14,
	IDENTIFIER_ECERT = 15,
};
#define IDENTIFIER_PARTY_LAST IDENTIFIER_FOREIGN_ID /* above it nobody is known by */
#define IDENTIFIER_KIND_LAST  IDENTIFIER_ECERT
#define IDENTIFIER_ECERT_MAX  (ECERT_PART_MAX + 1 + ECERT_ID_MAX)

/* One value a rule. They are tried roughly in this order, and a number with several faults reports the first.
 */
enum identifier_fault {
	IDENTIFIER_FAULT_NONE,
	IDENTIFIER_FAULT_EMPTY,
	IDENTIFIER_FAULT_ALPHABET, /* a character this kind does not use, invalid UTF-8, NUL */
	IDENTIFIER_FAULT_LENGTH,
	IDENTIFIER_FAULT_PREFIX,       /* the fixed first letter or digit is not this kind's: H or M, 9, the MRZ's P
				  */
	IDENTIFIER_FAULT_KIND,         /* a number of another kind: 810000… is a residence permit, not a resident ID
				*/
	IDENTIFIER_FAULT_REGION,       /* not the region this kind is issued under: 810000 or 820000, 830000 */
	IDENTIFIER_FAULT_DATE,         /* no such day, or before 1800 */
	IDENTIFIER_FAULT_FUTURE,       /* born after today */
	IDENTIFIER_FAULT_EXPIRY,       /* the MRZ's expiry is no such day */
	IDENTIFIER_FAULT_SEX,          /* the MRZ's sex is none of M F < */
	IDENTIFIER_FAULT_CHECK_DIGIT,  /* of the number itself */
	IDENTIFIER_FAULT_CHECK_BIRTH,  /* MRZ: of the birth date */
	IDENTIFIER_FAULT_CHECK_EXPIRY, /* MRZ: of the expiry date */
	IDENTIFIER_FAULT_CHECK_OPTIONAL,  /* MRZ: of the optional data */
	IDENTIFIER_FAULT_CHECK_COMPOSITE, /* MRZ: over all of line 2 */
};
#define IDENTIFIER_FAULT_LAST IDENTIFIER_FAULT_CHECK_COMPOSITE

/* Bits of identifier.warnings */
#define IDENTIFIER_WARN_UNKNOWN_REGION 1U /* no province or prefecture of GB/T 2260 */
#define IDENTIFIER_WARN_REGION_NOT_YET 2U /* the code came into use after the birth date */
#define IDENTIFIER_WARN_REGION_RETIRED 4U /* the code had gone out of use by the birth date */
#define IDENTIFIER_WARN_UPGRADED_15    8U /* 15 digits were given */

struct identifier {
	enum identifier_kind kind;
	char canonical[PERSON_NAME_MAX + 1]; /* NUL-terminated; only a name is longer than IDENTIFIER_MAX_LEN */
	unsigned warnings;
	int birth_year, birth_month, birth_day; /* 0 where the kind, or the document, does not tell */
	char sex;                               /* 'M', 'F' or 0 */
};

/* "resident_id" …; asserts that the kind exists. */
const char *identifier_kind_name(enum identifier_kind kind);
const char *identifier_kind_zh(enum identifier_kind kind);
const char *identifier_kind_en(enum identifier_kind kind);
/* False when no kind is so called; *kind is then untouched. */
bool identifier_kind_of(const char *name, enum identifier_kind *kind) CHECKED;

/*
 * Reads `len` bytes of text as an identifier of this kind. `today` is days since 1970-01-01, for birth dates
 * that lie in the future; 0 leaves that unchecked. On failure *fault says which rule and e (ERR_INPUT) the
 * sentence, without the number; *out is cleared. fault may be NULL. A kind out of range is ERR_INPUT too,
 * with IDENTIFIER_FAULT_KIND, since kinds come off the wire.
 */
bool identifier_parse(enum identifier_kind kind, const char *text, size_t len, int64_t today, struct identifier *out,
		      enum identifier_fault *fault, struct err *e) CHECKED;

/* What screens and logs may show: 330802********0012, a name's first character and "**". Cut to fit; size >
 * 0. */
void identifier_mask(const struct identifier *, char *out, size_t size);

const char *identifier_fault_name(enum identifier_fault); /* "check_digit", for the API */
const char *identifier_fault_zh(enum identifier_fault);
const char *identifier_fault_en(enum identifier_fault);

#endif
