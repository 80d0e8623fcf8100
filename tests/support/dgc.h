/*
 * One case of the EU's public test data for digital COVID certificates, run through the branch's real verifier: its certificate is the only
 * key of a list of issuers, its validation clock the trusted clock. Each of its EXPECTEDRESULTS is then asked of what came out.
 */
#ifndef TESTS_SUPPORT_DGC_H
#define TESTS_SUPPORT_DGC_H

#include "protocol/base/json.h"

/* What a case expects, in the order of its steps. */
enum dgc_step {
	DGC_UNPREFIX,
	DGC_BASE45,
	DGC_COMPRESSION,
	DGC_DECODE,
	DGC_VERIFY,
	DGC_SCHEMA,
	DGC_EXPIRATION,
	DGC_KEY_USAGE,
	DGC_OBJECT, /* the CBOR alone says what the JSON says */
	DGC_JSON,   /* what the code says is what the JSON says */
	DGC_ENCODE, /* the COSE message, enveloped by us, opens to itself */
	DGC_STEPS
};

struct dgc_result {
	size_t expected, met;
	size_t pictures;  /* expectations about the picture, which the data has no longer */
	char failed[400]; /* "VERIFY expected true: ISSUER_UNKNOWN; …" */
};
/* False when the file is no such case. */
bool dgc_run(const struct json *test_case, struct dgc_result *out, struct err *e) CHECKED;

#endif
