#include "central/ingest/siphash.h"

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static uint64_t turned(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1], v[2] += v[3];
		v[1] = turned(v[1], 13) ^ v[0], v[3] = turned(v[3], 16) ^ v[2];
		v[0] = turned(v[0], 32);
		v[2] += v[1], v[0] += v[3];
		v[1] = turned(v[1], 17) ^ v[2], v[3] = turned(v[3], 21) ^ v[0];
		v[2] = turned(v[2], 32);
	}
}

struct siphash siphash_of(const uint8_t key[16], struct bytes data)
{
	uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU ^ 0xee, k0 ^ 0x6c7967656e657261U,
			  k1 ^ 0x7465646279746573U };
	size_t whole = data.len / 8 * 8;
	for (size_t at = 0; at < whole; at += 8) {
		uint64_t m = load(data.data + at, 8);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	uint64_t last = (uint64_t)data.len << 56;
	if (data.len > whole)
		last |= load(data.data + whole, data.len - whole);
	v[3] ^= last;
	rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xee;
	rounds(v, 4);
	struct siphash h = { .high = v[0] ^ v[1] ^ v[2] ^ v[3] };
	v[1] ^= 0xdd;
	rounds(v, 4);
	h.low = v[0] ^ v[1] ^ v[2] ^ v[3];
	return h;
}
