/*
 * The claims of the EU's digital COVID certificates (HC1): a CWT whose claim -260 holds, under 1, a certificate by the eHN DGC schema,
 * versions 1.0.0 to 1.3.0 (ec.europa.eu, "EU DCC schema"; Implementing Decision (EU) 2021/1073). Read from any well-formed CBOR.
 *
 * The schema's rules are kept as it states them: ver, nam and dob; exactly one of v, t and r with exactly one entry in it (before version 1.2 with
 * several); each entry's
 * required members; lengths and forms. A member of an entry that is null passes, except for ci. Its value sets (vaccines, tests …) are not asked: no bank decides by them.
 */
#ifndef PROTOCOL_HCERT_H
#define PROTOCOL_HCERT_H

#include "protocol/ecert.h"

enum hcert_layer { HCERT_CWT, HCERT_CLAIMS };

/* type becomes "hc1-v", "hc1-t" or "hc1-r". On failure (ERR_INPUT) the sentence names the member, never its value, and layer says where. */
bool hcert_decode(struct bytes cwt, struct ecert *out, enum hcert_layer *layer, struct err *e) CHECKED;

/* Which kinds a certificate of a signer may sign by its extended key usage (OIDs 1.3.6.1.4.1[.0].1847.2021.1.{1: test, 2: vaccination,
   3: recovery}): bits 1 v, 2 t, 4 r; all when it names none of them. uses are dotted. */
#define HCERT_VACCINATION 1U
#define HCERT_TEST        2U
#define HCERT_RECOVERY    4U
unsigned hcert_uses(char (*uses)[48], size_t uses_len);

#endif
