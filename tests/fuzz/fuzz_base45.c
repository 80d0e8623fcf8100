/* Base45: what is taken is written again, character for character; what is not says where, and leaves nothing. */
#include "protocol/base45.h"

#include <stdlib.h>

#define ROOM (1 << 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { data, size };
	struct buf out, again;
	size_t bad_at = SIZE_MAX;
	buf_init(&out, ROOM);
	buf_init(&again, ROOM);
	if (base45_decode(text, &out, &bad_at, NULL)) {
		base45_encode(buf_bytes(&out), &again);
		if (!bytes_equal(buf_bytes(&again), text))
			abort();
	} else if (bad_at > size || out.len != 0) {
		abort();
	}
	buf_clear(&out);
	buf_clear(&again);
	return 0;
}
