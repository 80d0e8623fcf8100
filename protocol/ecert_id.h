/*
 * The identifier of an e-certificate, GB/T 36904-2018:
 *   1.2.156.3005.2 . type . issuer . serial . version . check
 * type is the defining body's 18 characters and 3 more, issuer as a rule a credit code of 18, version 3 digits; all of 0-9 A-Z. The
 * check character is that of ISO/IEC 7064, MOD 37,36, over type, issuer, serial and version without the dots between them.
 */
#ifndef PROTOCOL_ECERT_ID_H
#define PROTOCOL_ECERT_ID_H

#include "protocol/base/buf.h"
#include "protocol/base/limits.h"

#define ECERT_ID_OID "1.2.156.3005.2."

enum ecert_id_fault {
	ECERT_ID_OK,
	ECERT_ID_BAD_OID,
	ECERT_ID_BAD_PARTS, /* not five, one is empty or too long, a character no part has, a version that is not three digits */
	ECERT_ID_BAD_CHECK,
};
const char *ecert_id_fault_zh(enum ecert_id_fault f);
const char *ecert_id_fault_en(enum ecert_id_fault f);

struct ecert_id {
	char type[ECERT_PART_MAX + 1];
	char issuer[ECERT_PART_MAX + 1];
	char serial[ECERT_PART_MAX + 1];
	char version[4];
	char check;
};
/* fault may be NULL. The error (ERR_INPUT) does not repeat the identifier. */
bool ecert_id_parse(struct bytes text, struct ecert_id *out, enum ecert_id_fault *fault, struct err *e) CHECKED;
/* Sets id->check and writes the identifier. ERR_INPUT when a part is none. */
bool ecert_id_compose(struct ecert_id *id, char out[ECERT_ID_MAX + 1], struct err *e) CHECKED;
/* The check character for these parts, which are what they should be. */
char ecert_id_check(const struct ecert_id *id);

#endif
