/*
 * Three versions of a small list made from the bytes: built and merged deltas agree, and layers merge to the last version,
 * byte for byte. The tags are few, so that versions collide.
 */
#include "protocol/delta.h"
#include "protocol/layers.h"
#include "protocol/segment_write.h"

#include <stdlib.h>
#include <string.h>

#define TAGS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct segment opened(const struct buf *b)
{
	struct segment s;
	must(segment_open(buf_bytes(b), &s, NULL) && segment_check(&s, NULL));
	return s;
}

/* One byte a tag: even, the tag is in with that value. */
static struct segment snapshot(const uint8_t *data, size_t size, uint64_t version, struct buf *b)
{
	struct entry entries[TAGS];
	struct segment_head head = { .name = "a", .version = version };
	for (size_t i = 0; i < size && i < TAGS; i++)
		if (data[i] % 2 == 0)
			entries[head.entries++] = (struct entry){ i * i * i << (data[0] % 46), data[i] };
	must(segment_build(&head, entries, b, NULL));
	return opened(b);
}

static void must_merge(const struct layers *l, const struct segment *last)
{
	struct layers_merge m;
	struct segment_cursor c;
	struct entry entries[3], entry;
	uint32_t value;
	size_t got;
	segment_cursor_init(&c, last);
	layers_merge_init(&m, l);
	while (layers_merge_next(&m, entries, 3, &got))
		for (size_t i = 0; i < got; i++) {
			must(segment_cursor_next(&c, &entry) && entry.tag == entries[i].tag);
			must(layers_find(l, entry.tag, &value) && value == entry.value && value == entries[i].value);
		}
	must(!segment_cursor_next(&c, &entry));
	must(layers_count(l) == last->head.entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b[6];
	struct layers l;
	size_t third = size / 3;
	if (third == 0)
		return 0;
	for (size_t i = 0; i < 6; i++)
		buf_init(&b[i], 1 << 20);
	struct segment one = snapshot(data, third, 1, &b[0]);
	struct segment two = snapshot(data + third, third, 2, &b[1]);
	struct segment three = snapshot(data + 2 * third, third, 3, &b[2]);
	must(delta_build(&one, &two, &b[3], NULL));
	must(delta_build(&two, &three, &b[4], NULL));
	must(delta_build(&one, &three, &b[5], NULL));
	struct segment first = opened(&b[3]), second = opened(&b[4]);
	buf_reset(&b[2]);
	must(delta_merge(&first, &second, &b[2], NULL) && bytes_equal(buf_bytes(&b[2]), buf_bytes(&b[5])));
	buf_reset(&b[2]);
	three = snapshot(data + 2 * third, third, 3, &b[2]);
	must(layers_init(&l, &one, NULL));
	must(layers_check_delta(&l, &first, NULL) && layers_push(&l, &first, NULL));
	must(layers_check_delta(&l, &second, NULL) && layers_push(&l, &second, NULL));
	must_merge(&l, &three);
	for (size_t i = 0; i < 6; i++)
		buf_clear(&b[i]);
	return 0;
}
