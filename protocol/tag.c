#include "protocol/tag.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ITERATIONS_MAX 100000U
#define PLAIN_LEN      40

void tag_key_init(struct tag_key *k, uint32_t epoch, uint32_t iterations, const uint8_t secret[32])
{
	assert(iterations >= 1 && iterations <= ITERATIONS_MAX);
	k->epoch = epoch;
	k->iterations = iterations;
	hmac_key_init(&k->hmac, (struct bytes){ secret, 32 });
}

void tag_key_wipe(struct tag_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

static uint64_t tag_over(const struct tag_key *k, struct bytes text)
{
	uint8_t mac[HASH_LEN];
	if (k->iterations == 1)
		hmac_key_sign(&k->hmac, text, mac);
	else
		pbkdf2_block(&k->hmac, text, k->iterations, mac);
	uint64_t tag = 0;
	for (size_t i = 0; i < 8; i++)
		tag = tag << 8 | mac[i];
	return tag;
}

uint64_t tag_of(const struct tag_key *k, const struct identifier *id)
{
	uint8_t text[1 + sizeof(id->canonical)];
	size_t len = strlen(id->canonical);
	text[0] = (uint8_t)id->kind;
	memcpy(text + 1, id->canonical, len);
	return tag_over(k, (struct bytes){ text, 1 + len });
}

uint64_t tag_canary(const struct tag_key *k, const char *list, unsigned n)
{
	char text[NAME_MAX_LEN + 16];
	int len = snprintf(text + 1, sizeof(text) - 1, "%.*s/%u", NAME_MAX_LEN, list, n);
	text[0] = 0;
	return tag_over(k, (struct bytes){ (const uint8_t *)text, 1 + (size_t)len });
}

static void put_u32(uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static struct bytes seal_context(const char *branch, char text[NAME_MAX_LEN + 16])
{
	snprintf(text, NAME_MAX_LEN + 16, "xb/1/epoch/%.*s", NAME_MAX_LEN, branch);
	return bytes_of(text);
}

bool tag_key_seal(uint32_t epoch, uint32_t iterations, const uint8_t secret[32], const char *branch,
		  const uint8_t point[POINT_LEN], const struct random *r, struct buf *out, struct err *e)
{
	uint8_t plain[PLAIN_LEN];
	char context[NAME_MAX_LEN + 16];
	put_u32(plain, epoch);
	put_u32(plain + 4, iterations);
	memcpy(plain + 8, secret, 32);
	bool ok = seal_to(point, r, seal_context(branch, context), (struct bytes){ plain, PLAIN_LEN }, out, e);
	explicit_bzero(plain, sizeof(plain));
	return ok;
}

bool tag_key_unseal(struct bytes sealed, const char *branch, const uint8_t scalar[SCALAR_LEN],
		    const uint8_t point[POINT_LEN], uint32_t *epoch, uint32_t *iterations, uint8_t secret[32],
		    struct err *e)
{
	char context[NAME_MAX_LEN + 16];
	struct buf plain;
	bool ok = false;
	buf_init(&plain, PLAIN_LEN);
	if (!seal_open(scalar, point, seal_context(branch, context), sealed, &plain, e))
		goto out;
	if (plain.len != PLAIN_LEN) {
		err_set(e, ERR_INPUT, "an epoch key of %zu bytes instead of %d", plain.len, PLAIN_LEN);
		goto out;
	}
	uint32_t work = get_u32(plain.data + 4);
	if (work == 0 || work > ITERATIONS_MAX) {
		err_set(e, ERR_INPUT, "an epoch key that asks for %u iterations", work);
		goto out;
	}
	*epoch = get_u32(plain.data);
	*iterations = work;
	memcpy(secret, plain.data + 8, 32);
	ok = true;
out:
	if (plain.len > 0)
		explicit_bzero(plain.data, plain.len);
	buf_clear(&plain);
	return ok;
}
