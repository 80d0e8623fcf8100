/* Any bytes as a catalogue: refused, or a catalogue that can be searched. */
#include "protocol/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalogue *c = catalogue_parse((struct bytes){ data, size }, NULL);
	if (c != NULL && catalogue_find(c, "sanctions") != NULL)
		(void)catalogue_list_applies(catalogue_find(c, "sanctions"), "loan", false);
	catalogue_free(c);
	return 0;
}
