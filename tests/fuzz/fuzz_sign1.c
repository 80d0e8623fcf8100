/*
 * A signed message in both forms: what it borrows lies in the message or in memory, what is strict is foreign too and says the same, and
 * nothing verifies under a key that signed nothing.
 */
#include "protocol/sign1.h"
#include "protocol/base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct bytes part, struct bytes whole)
{
	return part.data == NULL || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static struct public_key *any_key(void)
{
	/* The base point of P-256 (SEC 2, section 2.4.2). */
	static const uint8_t point[POINT_LEN] = "\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"
						"\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39"
						"\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a"
						"\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e"
						"\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
	static struct public_key *key;
	if (key == NULL)
		key = public_key_of_point(point, NULL);
	return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	struct sign1 foreign, strict;
	struct buf memory, unused;
	const struct bytes none = { NULL, 0 };
	buf_init(&memory, (size_t)3 * ECERT_COSE_MAX);
	buf_init(&unused, 0);
	bool ok = sign1_parse(all, SIGN1_FOREIGN, &memory, &foreign, NULL);
	if (ok && !(lies_in(foreign.kid, buf_bytes(&memory)) && lies_in(foreign.payload, buf_bytes(&memory)) &&
		    lies_in(foreign.signature, buf_bytes(&memory)) &&
		    lies_in(foreign.protected_header, buf_bytes(&memory))))
		abort();
	if (ok && sign1_verify(&foreign, any_key(), none, NULL))
		abort();
	if (size <= ECERT_COSE_MAX && sign1_parse(all, SIGN1_STRICT, &unused, &strict, NULL) &&
	    !(ok && strict.alg == foreign.alg && bytes_equal(strict.kid, foreign.kid) &&
	      bytes_equal(strict.payload, foreign.payload) && lies_in(strict.payload, all)))
		abort();
	buf_clear(&memory);
	return 0;
}
