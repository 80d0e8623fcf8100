#include "protocol/object.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(OBJECT_MAX / OBJECT_CHUNK * HASH_LEN == OBJECT_LIST_MAX, "a chunk list is one message");

#define TOPIC_PREFIX "xb/1/o/"

uint32_t object_chunks(uint64_t size)
{
	assert(size >= 1 && size <= OBJECT_MAX);
	return (uint32_t)((size + OBJECT_CHUNK - 1) / OBJECT_CHUNK);
}

uint32_t object_chunk_size(uint64_t size, uint32_t chunk)
{
	uint32_t chunks = object_chunks(size);
	assert(chunk < chunks);
	return chunk + 1 < chunks ? OBJECT_CHUNK : (uint32_t)(size - (uint64_t)chunk * OBJECT_CHUNK);
}

void object_refer(struct bytes data, struct object_ref *ref, struct buf *chunk_list)
{
	struct sha256_stream whole, list;
	sha256_start(&whole);
	sha256_start(&list);
	for (uint32_t i = 0; i < object_chunks(data.len); i++) {
		struct bytes chunk = { data.data + (size_t)i * OBJECT_CHUNK, object_chunk_size(data.len, i) };
		uint8_t hash[HASH_LEN];
		sha256(chunk, hash);
		sha256_add(&whole, chunk);
		sha256_add(&list, (struct bytes){ hash, HASH_LEN });
		if (chunk_list != NULL)
			buf_add(chunk_list, hash, HASH_LEN);
	}
	sha256_finish(&whole, ref->hash);
	sha256_finish(&list, ref->chunks_hash);
	ref->size = data.len;
}

bool object_list_check(const struct object_ref *ref, struct bytes list, struct err *e)
{
	uint8_t hash[HASH_LEN];
	size_t want = (size_t)object_chunks(ref->size) * HASH_LEN;
	if (list.len != want)
		return err_set(e, ERR_INPUT, "a chunk list of %zu bytes instead of %zu", list.len, want);
	sha256(list, hash);
	if (memcmp(hash, ref->chunks_hash, HASH_LEN) != 0)
		return err_set(e, ERR_DENIED, "the chunk list's hash is not the one signed");
	return true;
}

bool object_chunk_check(const struct object_ref *ref, struct bytes list, uint32_t chunk, struct bytes data,
			struct err *e)
{
	uint8_t hash[HASH_LEN];
	if (chunk >= object_chunks(ref->size) || list.len < ((size_t)chunk + 1) * HASH_LEN)
		return err_set(e, ERR_INPUT, "chunk %" PRIu32 " of an object that has not so many", chunk);
	if (data.len != object_chunk_size(ref->size, chunk))
		return err_set(e, ERR_INPUT, "chunk %" PRIu32 " has %zu bytes instead of %" PRIu32, chunk, data.len,
			       object_chunk_size(ref->size, chunk));
	sha256(data, hash);
	if (memcmp(hash, list.data + (size_t)chunk * HASH_LEN, HASH_LEN) != 0)
		return err_set(e, ERR_DENIED, "chunk %" PRIu32 " does not have the hash it should have", chunk);
	return true;
}

void object_ref_put(struct buf *b, const struct object_ref *ref)
{
	cbor_put_array(b, 3);
	cbor_put_bytes(b, (struct bytes){ ref->hash, HASH_LEN });
	cbor_put_bytes(b, (struct bytes){ ref->chunks_hash, HASH_LEN });
	cbor_put_uint(b, ref->size);
}

bool object_ref_get(struct cbor *c, struct object_ref *ref, struct err *e)
{
	if (!cbor_expect_array(c, 3, e) || !cbor_get_bytes_exact(c, ref->hash, HASH_LEN, e) ||
	    !cbor_get_bytes_exact(c, ref->chunks_hash, HASH_LEN, e) ||
	    !cbor_get_uint_max(c, OBJECT_MAX, &ref->size, e))
		return false;
	return ref->size > 0 || err_set(e, ERR_INPUT, "an object of no bytes");
}

void object_topic(const uint8_t hash[HASH_LEN], int64_t chunk, char *out)
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(hash, HASH_LEN, hex);
	if (chunk < 0)
		snprintf(out, OBJECT_TOPIC_MAX, TOPIC_PREFIX "%s/list", hex);
	else
		snprintf(out, OBJECT_TOPIC_MAX, TOPIC_PREFIX "%s/%" PRId64, hex, chunk);
}

bool object_topic_parse(const char *topic, uint8_t hash[HASH_LEN], int64_t *chunk)
{
	char hex[2 * HASH_LEN + 1];
	size_t prefix = strlen(TOPIC_PREFIX);
	if (strncmp(topic, TOPIC_PREFIX, prefix) != 0 || strnlen(topic, OBJECT_TOPIC_MAX) < prefix + sizeof(hex))
		return false;
	memcpy(hex, topic + prefix, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	const char *at = topic + prefix + sizeof(hex) - 1;
	if (*at++ != '/' || !hex_decode(hex, hash, HASH_LEN))
		return false;
	if (strcmp(at, "list") == 0) {
		*chunk = -1;
		return true;
	}
	if (*at == '\0' || (*at == '0' && at[1] != '\0') || strlen(at) > 6)
		return false;
	int64_t n = 0;
	for (; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return false;
		n = n * 10 + (*at - '0');
	}
	*chunk = n;
	return true;
}
