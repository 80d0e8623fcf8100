#include "protocol/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size }, v;
	if (cbor_check(all, NULL) && cbor_find(all, "a", &v, NULL) && v.data != NULL && !cbor_check(v, NULL))
		__builtin_trap();
	return 0;
}
