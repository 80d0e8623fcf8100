/* First byte: the kind; the rest: the text. What is accepted is its own canonical form, and its mask fits. */
#include "protocol/identifier.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identifier id, again;
	char mask[24];
	if (size == 0 || !identifier_parse((enum identifier_kind)(data[0] % 16), (const char *)data + 1, size - 1,
					   20000, &id, NULL, NULL))
		return 0;
	identifier_mask(&id, mask, sizeof(mask));
	if (!identifier_parse(id.kind, id.canonical, strlen(id.canonical), 20000, &again, NULL, NULL) ||
	    strcmp(id.canonical, again.canonical) != 0)
		abort();
	return 0;
}
