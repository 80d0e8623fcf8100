/* A zlib stream: never more than the maximum comes out of it, and what does can be packed and unpacked again. */
#include "protocol/base/limits.h"
#include "protocol/zip.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out, packed, again;
	enum zip_fault fault;
	buf_init(&out, (size_t)4 * ECERT_COSE_MAX);
	buf_init(&packed, (size_t)4 * ECERT_COSE_MAX);
	buf_init(&again, (size_t)4 * ECERT_COSE_MAX);
	if (zip_inflate((struct bytes){ data, size }, ECERT_COSE_MAX, &out, &fault, NULL)) {
		if (fault != ZIP_OK || out.len > ECERT_COSE_MAX || !zip_deflate(buf_bytes(&out), &packed, NULL) ||
		    !zip_inflate(buf_bytes(&packed), out.len, &again, &fault, NULL) ||
		    !bytes_equal(buf_bytes(&out), buf_bytes(&again)))
			abort();
	} else if (fault == ZIP_OK || out.len != 0) {
		abort();
	}
	buf_clear(&out);
	buf_clear(&packed);
	buf_clear(&again);
	return 0;
}
