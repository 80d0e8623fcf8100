/* Claims of our certificates: what is taken is written again byte for byte, and has an identity. */
#include "protocol/ecert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	struct ecert c;
	struct identifier identity;
	struct buf again;
	if (!ecert_decode(all, &c, NULL))
		return 0;
	buf_init(&again, 8192);
	if (!cbor_check(all, NULL) || !ecert_encode(&c, &again, NULL) || !bytes_equal(buf_bytes(&again), all) ||
	    !ecert_identity(&c, &identity, NULL))
		abort();
	buf_clear(&again);
	return 0;
}
