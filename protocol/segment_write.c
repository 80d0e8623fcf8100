#include "protocol/segment_write.h"
#include "protocol/bits.h"

#include <assert.h>
#include <string.h>

bool segment_writer_init(struct segment_writer *w, const struct segment_head *head, uint8_t *memory, struct err *e)
{
	if (head->entries > LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "segment: %u entries, at most %u allowed", head->entries,
			       LIST_ENTRIES_MAX);
	*w = (struct segment_writer){ .head = *head, .memory = memory };
	w->head.removals = 0;
	if (!segment_head_check(&w->head, e))
		return false;
	w->layout = segment_layout(head->entries, head->delta);
	w->next = memory + w->layout.records;
	memset(memory, 0, w->layout.records);
	return true;
}

/* Appends the low len bits of x, of which there are no others. */
static inline void put(struct segment_writer *w, uint64_t x, uint32_t len)
{
	w->word |= x << w->word_len;
	w->word_len += len;
	if (w->word_len < 64)
		return;
	bits_store64(w->next, w->word);
	w->next += 8;
	w->word_len -= 64;
	w->word = w->word_len == 0 ? 0 : x >> (len - w->word_len);
}

static bool entry_check(const struct segment_writer *w, struct entry entry, struct err *e)
{
	uint32_t value_max = w->head.delta ? ENTRY_VALUE_MAX | ENTRY_REMOVED : ENTRY_VALUE_MAX;
	if (w->at == w->head.entries)
		return err_set(e, ERR_INPUT, "segment: more than the %u entries announced", w->head.entries);
	if (entry.value > value_max)
		return err_set(e, ERR_INPUT, "segment: value of entry %u is too wide", w->at);
	if (w->at > 0 && !entry_ascends(w->last, entry))
		return err_set(e, ERR_INPUT, "segment: entry %u is out of order", w->at);
	return true;
}

bool segment_writer_add(struct segment_writer *w, struct entry entry, struct err *e)
{
	if (!entry_check(w, entry, e))
		return false;
	uint64_t bucket = entry.tag >> w->layout.tag_bits, bit = bucket + w->at;
	for (; w->cells <= bucket >> 8; w->cells++)
		bits_store32(w->memory + SEGMENT_HEADER + 4 * (size_t)w->cells, w->at);
	w->memory[w->layout.unary + (bit >> 3)] |= (uint8_t)(1U << (bit & 7));
	put(w, entry.tag & UINT64_MAX >> w->layout.bucket_bits, w->layout.tag_bits);
	put(w, entry.value, w->layout.value_bits);
	w->head.removals += entry_is_removal(entry);
	w->last = entry;
	w->at++;
	return true;
}

static void head_encode(const struct segment_head *head, uint8_t *p)
{
	static const uint8_t magic[4] = { 'X', 'B', 'S', 'G' };
	memcpy(p, magic, sizeof(magic));
	p[4] = 1;
	p[5] = head->delta ? 1 : 0;
	p[6] = (uint8_t)(LIST_VALUE_BITS + p[5]);
	bits_store32(p + 8, head->entries);
	bits_store32(p + 16, head->epoch);
	bits_store32(p + 20, head->removals);
	bits_store64(p + 24, head->version);
	bits_store64(p + 32, head->from);
	memcpy(p + 40, head->name, strlen(head->name));
}

bool segment_writer_finish(struct segment_writer *w, struct err *e)
{
	if (w->at != w->head.entries)
		return err_set(e, ERR_INPUT, "segment: %u entries of the %u announced", w->at, w->head.entries);
	for (; w->cells < w->layout.cells; w->cells++)
		bits_store32(w->memory + SEGMENT_HEADER + 4 * (size_t)w->cells, w->at);
	uint8_t *end = w->memory + w->layout.size;
	uint8_t tail[8];
	bits_store64(tail, w->word);
	memset(w->next, 0, (size_t)(end - w->next));
	memcpy(w->next, tail, (w->word_len + 7) / 8);
	head_encode(&w->head, w->memory);
	return true;
}

bool segment_build(const struct segment_head *head, const struct entry *entries, struct buf *out, struct err *e)
{
	struct segment_writer w;
	if (head->entries > LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "segment: %u entries, at most %u allowed", head->entries,
			       LIST_ENTRIES_MAX);
	uint8_t *memory = buf_grow(out, segment_layout(head->entries, head->delta).size);
	if (memory == NULL)
		return buf_ok(out, "segment", e);
	if (!segment_writer_init(&w, head, memory, e))
		return false;
	for (uint32_t i = 0; i < head->entries; i++)
		if (!segment_writer_add(&w, entries[i], e))
			return false;
	return segment_writer_finish(&w, e);
}
