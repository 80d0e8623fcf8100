/*
 * Bytes as a segment: never read outside; what is accepted is canonical. The first byte chooses between the bytes as they
 * are and a header completed so that its lengths fit, which the fuzzer would seldom hit.
 */
#include "protocol/segment.h"
#include "protocol/segment_write.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_rebuild(const struct segment *s)
{
	struct segment_cursor c;
	struct segment_writer w;
	struct entry entry;
	uint32_t value;
	uint8_t *again = malloc(s->bytes.len);
	if (again == NULL || !segment_writer_init(&w, &s->head, again, NULL))
		abort();
	segment_cursor_init(&c, s);
	while (segment_cursor_next(&c, &entry))
		if (!segment_writer_add(&w, entry, NULL) || !segment_find(s, entry.tag, &value))
			abort();
	if (!segment_writer_finish(&w, NULL) || memcmp(again, s->bytes.data, s->bytes.len) != 0)
		abort();
	free(again);
}

static void use(const uint8_t *data, size_t size)
{
	struct segment s;
	struct segment_cursor c;
	struct entry entry;
	uint32_t value[2];
	if (!segment_open((struct bytes){ data, size }, &s, NULL))
		return;
	segment_cursor_init(&c, &s);
	while (segment_cursor_next(&c, &entry))
		segment_find_all(&s, entry.tag ^ size, value);
	if (segment_check(&s, NULL))
		must_rebuild(&s);
}

/* A body of size bytes under a header that asks for just so many, padded with zeros. */
static void use_completed(bool delta, const uint8_t *data, size_t size)
{
	uint32_t n = (uint32_t)(size / 10);
	struct segment_layout layout = segment_layout(n, delta);
	uint8_t *memory = calloc(1, layout.size);
	if (memory == NULL)
		abort();
	memcpy(memory, (const uint8_t[]){ 'X', 'B', 'S', 'G', 1, delta, (uint8_t)(LIST_VALUE_BITS + delta) }, 7);
	memcpy(memory + 8, &n, sizeof(n));
	memory[20] = size > 0 && delta ? data[0] : 0;
	memory[24] = 2;
	memory[32] = delta;
	memory[40] = 'a';
	size_t room = layout.size - SEGMENT_HEADER;
	if (size > 0)
		memcpy(memory + SEGMENT_HEADER, data, size < room ? size : room);
	use(memory, layout.size);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] < 128)
		use(data + 1, size - 1);
	else
		use_completed(data[0] & 1, data + 1, size - 1);
	return 0;
}
