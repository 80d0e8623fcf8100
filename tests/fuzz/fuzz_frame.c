#include "protocol/base/frame.h"
#include "protocol/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	while (frame_decode((struct bytes){ data, size }, &f, NULL) && f.size > 0) {
		if (f.size > size || f.payload.len + FRAME_HEAD + 1 != f.size || f.payload.len >= FRAME_MAX)
			__builtin_trap();
		data += f.size;
		size -= f.size;
	}
	return 0;
}
