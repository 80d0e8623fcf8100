#include "tests/support/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_seeded(void *arg, uint8_t *out, size_t len)
{
	uint64_t *seed = arg;
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 6364136223846793005U + 1442695040888963407U;
		out[i] = (uint8_t)(*seed >> 56);
	}
}

struct random random_seeded(uint64_t *seed)
{
	return (struct random){ fill_seeded, seed };
}

void bytes_fill(uint8_t *out, size_t len, uint8_t from)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(from + i);
}

static int digit(uint8_t c)
{
	const char *all = "0123456789abcdefABCDEF", *at = c != 0 ? strchr(all, c) : NULL;
	if (at == NULL)
		abort();
	return at - all < 16 ? (int)(at - all) : (int)(at - all) - 6;
}

void hex_read(struct bytes hex, struct buf *out)
{
	int high = -1;
	for (size_t i = 0; i < hex.len; i++) {
		if (hex.data[i] == ' ' || hex.data[i] == '\n')
			continue;
		int d = digit(hex.data[i]);
		if (high >= 0)
			buf_add_u8(out, (uint8_t)(high << 4 | d));
		high = high >= 0 ? -1 : d;
	}
	if (high >= 0 || out->failed)
		abort();
}

bool refuses(struct bytes data, decoder *decode)
{
	struct err e = { 0 };
	return !decode(data, &e) && e.code != ERR_NONE && e.text[0] != '\0';
}

bool refuses_cut_and_longer(struct bytes data, decoder *decode)
{
	bool all = true;
	for (size_t len = 0; len <= data.len + 1; len++) {
		if (len == data.len)
			continue;
		uint8_t *copy = malloc(len > 0 ? len : 1); /* ends where the memory does, for the sanitizer */
		if (copy == NULL)
			abort();
		memcpy(copy, data.data, len < data.len ? len : data.len);
		if (len > data.len)
			copy[data.len] = 0;
		if (!refuses((struct bytes){ copy, len }, decode)) {
			printf(" [taken: %zu of %zu bytes] ", len, data.len);
			all = false;
		}
		free(copy);
	}
	return all;
}
