/* A head's payload and a list's index: what is taken is written again byte for byte. */
#include "protocol/head.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	struct head h;
	struct list_index x;
	struct buf again;
	buf_init(&again, 1 << 20);
	if (head_decode(all, &h, NULL)) {
		must(cbor_check(all, NULL) && head_encode(&h, &again, NULL) && bytes_equal(buf_bytes(&again), all));
		for (size_t i = 0; i < h.entries_len; i++)
			must(head_find(&h, h.entries[i].name) == &h.entries[i]);
	}
	head_clear(&h);
	buf_reset(&again);
	if (list_index_decode(all, &x, NULL))
		must(cbor_check(all, NULL) && list_index_encode(&x, &again, NULL) &&
		     bytes_equal(buf_bytes(&again), all));
	list_index_clear(&x);
	buf_clear(&again);
	return 0;
}
