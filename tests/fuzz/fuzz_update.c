/* Any bytes as the update document, or as a boot record's sector: refused, or what comes back as it went. */
#include "firmware/slots.h"
#include "protocol/update.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void document(struct bytes data)
{
	struct update u;
	if (!update_parse(data, &u, NULL))
		return;
	if (!update_arch_is_valid(u.arch) || u.version == 0 || u.version > COUNTER_MAX || u.object.size == 0 ||
	    u.object.size > OBJECT_MAX || u.title_zh == NULL || u.title_en == NULL ||
	    (u.notes_zh == NULL) != (u.notes_en == NULL))
		abort();
	update_clear(&u);
}

/* Its checksum set right, or nothing would get past it. */
static void record(const uint8_t *data, size_t size)
{
	uint8_t sector[SLOTS_SECTOR] = { 0 }, again[SLOTS_SECTOR];
	struct slots s;
	bool changed;
	memcpy(sector, data, size < sizeof(sector) ? size : sizeof(sector));
	sha256((struct bytes){ sector, SLOTS_SECTOR - HASH_LEN }, sector + SLOTS_SECTOR - HASH_LEN);
	if (!slots_decode(sector, &s, NULL))
		return;
	struct slots next = s;
	if (slots_boot(&next, &changed) == SLOT_NONE)
		abort();
	slots_encode(&next, again);
	if (!slots_decode(again, &s, NULL) || s.good != next.good || s.trying != next.trying)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	document((struct bytes){ data, size });
	record(data, size);
	return 0;
}
