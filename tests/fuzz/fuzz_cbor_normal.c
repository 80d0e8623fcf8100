/* Foreign CBOR: what comes out is deterministic, within its bound, and stays as it is; what was deterministic is not changed but for tags 0 and 1. */
#include "protocol/cbor_normal.h"
#include "protocol/base/limits.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	struct buf out, again;
	if (size > ECERT_COSE_MAX)
		return 0;
	buf_init(&out, CBOR_NORMAL_MAX(ECERT_COSE_MAX));
	buf_init(&again, CBOR_NORMAL_MAX(ECERT_COSE_MAX));
	bool ok = cbor_normalise(all, &out, NULL), strict = cbor_check(all, NULL);
	bool dated = size > 0 && (memchr(data, 0xc0, size) != NULL || memchr(data, 0xc1, size) != NULL);
	if (strict && !dated && !(ok && bytes_equal(buf_bytes(&out), all)))
		abort();
	if (ok &&
	    (out.len > CBOR_NORMAL_MAX(size) || !cbor_check(buf_bytes(&out), NULL) ||
	     !cbor_normalise(buf_bytes(&out), &again, NULL) || !bytes_equal(buf_bytes(&out), buf_bytes(&again))))
		abort();
	if (!ok && out.len != 0)
		abort();
	buf_clear(&out);
	buf_clear(&again);
	return 0;
}
