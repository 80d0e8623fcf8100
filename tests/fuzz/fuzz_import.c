/* A list file as an operator may give it, in whatever state: each row becomes entries, a reject, or is counted as ignored. */
#include "central/release/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool entry(void *arg, const struct import_entry *v, struct err *e)
{
	struct identifier again;
	(void)e;
	++*(uint64_t *)arg;
	if (v->row == 0 || v->value > ENTRY_VALUE_MAX || v->id.canonical[0] == '\0' ||
	    !identifier_parse(v->id.kind, v->id.canonical, strlen(v->id.canonical), 0, &again, NULL, NULL))
		abort();
	return true;
}

static bool reject(void *arg, const struct import_reject *v, struct err *e)
{
	(void)arg, (void)e;
	if (v->row == 0 || v->code[0] == '\0' || v->zh[0] == '\0' || v->en[0] == '\0')
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t entries = 0;
	const struct import_sink sink = { entry, reject, &entries };
	struct import_summary summary;
	if (import_run((struct bytes){ data, size }, IMPORT_AUTO, 1, 20000, &sink, &summary, NULL) &&
	    summary.entries != entries)
		abort();
	return 0;
}
