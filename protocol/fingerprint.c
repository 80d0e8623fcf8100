#include "protocol/fingerprint.h"
#include "protocol/bits.h"

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static uint64_t mix_low(uint64_t tag, uint32_t value)
{
	return mix(tag + value * 0x9e3779b97f4a7c15U);
}

static uint64_t mix_high(uint64_t tag, uint32_t value)
{
	return mix(~tag + value * 0xd1342543de82ef95U);
}

void fingerprint_add(struct fingerprint *f, uint64_t tag, uint32_t value)
{
	f->sum[0] += mix_low(tag, value);
	f->sum[1] += mix_high(tag, value);
}

void fingerprint_remove(struct fingerprint *f, uint64_t tag, uint32_t value)
{
	f->sum[0] -= mix_low(tag, value);
	f->sum[1] -= mix_high(tag, value);
}

void fingerprint_apply(struct fingerprint *f, const struct segment *s)
{
	struct segment_cursor c;
	struct entry entry;
	segment_cursor_init(&c, s);
	while (segment_cursor_next(&c, &entry)) {
		if (entry_is_removal(entry))
			fingerprint_remove(f, entry.tag, entry.value & ENTRY_VALUE_MAX);
		else
			fingerprint_add(f, entry.tag, entry.value);
	}
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
	return a->sum[0] == b->sum[0] && a->sum[1] == b->sum[1];
}

void fingerprint_encode(const struct fingerprint *f, uint8_t out[FINGERPRINT_BYTES])
{
	bits_store64(out, f->sum[0]);
	bits_store64(out + 8, f->sum[1]);
}

void fingerprint_decode(const uint8_t in[FINGERPRINT_BYTES], struct fingerprint *f)
{
	f->sum[0] = bits_load64(in);
	f->sum[1] = bits_load64(in + 8);
}
