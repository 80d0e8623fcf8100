/* Little-endian integers at any address, and runs of bits packed from the lowest bit of the first byte on. */
#ifndef PROTOCOL_BITS_H
#define PROTOCOL_BITS_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads and stores copy the machine's own order");
_Static_assert(sizeof(size_t) == 8, "sizes of files are computed in size_t");

static inline uint64_t bits_load64(const uint8_t *at)
{
	uint64_t x;
	memcpy(&x, at, sizeof(x));
	return x;
}

static inline uint32_t bits_load32(const uint8_t *at)
{
	uint32_t x;
	memcpy(&x, at, sizeof(x));
	return x;
}

static inline void bits_store64(uint8_t *at, uint64_t x)
{
	memcpy(at, &x, sizeof(x));
}

static inline void bits_store32(uint8_t *at, uint32_t x)
{
	memcpy(at, &x, sizeof(x));
}

/* The n bits (1 to 64) that start at bit. Reads the nine bytes from the first one's byte on. */
static inline uint64_t bits_read(const uint8_t *from, uint64_t bit, unsigned n)
{
	const uint8_t *at = from + (bit >> 3);
	unsigned shift = bit & 7;
	uint64_t x = bits_load64(at) >> shift;
	if (n > 57)
		x |= (uint64_t)at[8] << 1 << (63 - shift);
	return x & UINT64_MAX >> (64 - n);
}

/* For each byte of x the number of ones in it and all lower bytes; the top byte counts the whole word. */
static inline uint64_t bits_prefix_counts(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555U;
	x = (x & 0x3333333333333333U) + (x >> 2 & 0x3333333333333333U);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fU;
	return x * 0x0101010101010101U;
}

/* Where the one numbered rank (from 0) stands in x, whose prefix counts these are; x has more than rank ones. */
static inline unsigned bits_select(uint64_t x, uint64_t prefix_counts, uint64_t rank)
{
	const uint64_t tops = 0x8080808080808080U;
	uint64_t above = ((prefix_counts | tops) - (rank + 1) * 0x0101010101010101U) & tops;
	unsigned byte = (unsigned)__builtin_ctzll(above) & 56;
	rank -= prefix_counts << 8 >> byte & 0xff;
	uint64_t rest = x >> byte;
	while (rank-- > 0)
		rest &= rest - 1;
	return byte + (unsigned)__builtin_ctzll(rest);
}

#endif
