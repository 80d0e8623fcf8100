/* A department's request: a head that is whole stays what it is whatever comes behind it, and what is read of its query is bounded. */
#include "central/department/asked.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct asked a, b;
	struct err e = { 0 };
	size_t used = 0, again = 0;
	char value[ASKED_VALUE_MAX + 1];
	if (!asked_parse((struct bytes){ data, size }, &a, &used, &e) || used == 0)
		return 0;
	if (used > size || used > ASKED_MAX || !asked_parse((struct bytes){ data, used }, &b, &again, &e) ||
	    again != used || a.size != b.size || strcmp(a.path, b.path) != 0 || strcmp(a.query, b.query) != 0)
		abort();
	if (asked_query(&a, "period", value) && strlen(value) > ASKED_VALUE_MAX)
		abort();
	return 0;
}
