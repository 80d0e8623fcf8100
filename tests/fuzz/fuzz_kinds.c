/* Any bytes as the kinds document: refused, or one in which every kind and business is found by its code. */
#include "protocol/kinds.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kinds *k = kinds_parse((struct bytes){ data, size }, NULL);
	if (k == NULL)
		return 0;
	for (size_t i = 0; i < k->kinds_len; i++)
		if (kinds_find(k, k->kinds[i].code) != &k->kinds[i])
			abort();
	for (size_t i = 0; i < k->businesses_len; i++) {
		const struct kind_business *b = &k->businesses[i];
		if (kinds_business(k, b->code) != b)
			abort();
		for (size_t j = 0; j < b->accepts_len; j++)
			if (!kind_business_accepts(b, b->accepts[j]))
				abort();
	}
	if (kinds_accepting(k) > k->businesses_len)
		abort();
	kinds_free(k);
	return 0;
}
