/* A signed message: what is taken is written again, byte for byte, around the signature it came with. */
#include "protocol/cose.h"
#include "protocol/base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t point[POINT_LEN] = { 4 };
	struct bytes all = { data, size };
	struct cose c;
	struct buf again;
	if (!cose_parse(all, &c, NULL))
		return 0;
	if (cose_verify(&c, point, "xb/1/head", NULL)) /* that is no point */
		abort();
	buf_init(&again, COSE_MAX);
	buf_add(&again, "\xd2\x84", 2);
	cbor_put_bytes(&again, c.message.protected_header);
	cbor_put_map(&again, 0);
	cbor_put_bytes(&again, c.payload);
	cbor_put_bytes(&again, c.message.signature);
	if (!cbor_check(all, NULL) || !bytes_equal(buf_bytes(&again), all))
		abort();
	buf_clear(&again);
	return 0;
}
