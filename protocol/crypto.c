#include "protocol/crypto.h"

#include <assert.h>
#include <mbedtls/base64.h>
#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void random_system_fill(void *arg, uint8_t *out, size_t len)
{
	(void)arg;
	while (len > 0) {
		ssize_t got = getrandom(out, len, 0);
		if (got <= 0)
			abort();
		out += got;
		len -= (size_t)got;
	}
}

const struct random random_system = { random_system_fill, NULL };

/* mbedTLS's shape of a random source. */
static int random_mbedtls(void *arg, unsigned char *out, size_t len)
{
	const struct random *r = arg;
	r->fill(r->arg, out, len);
	return 0;
}

static void *random_arg(const struct random *r)
{
	void *p = NULL;
	memcpy(&p, &r, sizeof(p)); /* mbedTLS takes void *, and only hands it back */
	return p;
}

/* Hashes. mbedTLS's SHA-256 context is plain memory (2.28, without hardware acceleration), so ours holds one by value. */

_Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(((struct sha256_stream *)0)->state),
	       "sha256_stream is too small");

static mbedtls_sha256_context *sha256_context(struct sha256_stream *s)
{
	return (mbedtls_sha256_context *)(void *)s->state;
}

void sha256_start(struct sha256_stream *s)
{
	mbedtls_sha256_init(sha256_context(s));
	if (mbedtls_sha256_starts_ret(sha256_context(s), 0) != 0)
		abort();
}

void sha256_add(struct sha256_stream *s, struct bytes data)
{
	if (data.len > 0 && mbedtls_sha256_update_ret(sha256_context(s), data.data, data.len) != 0)
		abort();
}

void sha256_finish(struct sha256_stream *s, uint8_t out[HASH_LEN])
{
	if (mbedtls_sha256_finish_ret(sha256_context(s), out) != 0)
		abort();
	mbedtls_sha256_free(sha256_context(s));
}

void sha256(struct bytes data, uint8_t out[HASH_LEN])
{
	struct sha256_stream s;
	sha256_start(&s);
	sha256_add(&s, data);
	sha256_finish(&s, out);
}

void hmac_key_init(struct hmac_key *k, struct bytes key)
{
	uint8_t block[64] = { 0 }, pad[64];
	if (key.len > sizeof(block))
		sha256(key, block);
	else if (key.len > 0)
		memcpy(block, key.data, key.len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x36;
	sha256_start(&k->inner);
	sha256_add(&k->inner, (struct bytes){ pad, sizeof(pad) });
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = block[i] ^ 0x5c;
	sha256_start(&k->outer);
	sha256_add(&k->outer, (struct bytes){ pad, sizeof(pad) });
	explicit_bzero(block, sizeof(block));
	explicit_bzero(pad, sizeof(pad));
}

void hmac_key_sign(const struct hmac_key *k, struct bytes data, uint8_t out[HASH_LEN])
{
	struct sha256_stream s = k->inner;
	sha256_add(&s, data);
	sha256_finish(&s, out);
	s = k->outer;
	sha256_add(&s, (struct bytes){ out, HASH_LEN });
	sha256_finish(&s, out);
}

void hmac_sha256(struct bytes key, struct bytes data, uint8_t out[HASH_LEN])
{
	struct hmac_key k;
	hmac_key_init(&k, key);
	hmac_key_sign(&k, data, out);
	explicit_bzero(&k, sizeof(k));
}

void pbkdf2_block(const struct hmac_key *k, struct bytes salt, uint32_t iterations, uint8_t out[HASH_LEN])
{
	assert(iterations > 0);
	struct buf first;
	uint8_t u[HASH_LEN];
	buf_init(&first, salt.len + 4);
	buf_add(&first, salt.data, salt.len);
	buf_add(&first, "\0\0\0\1", 4);
	hmac_key_sign(k, buf_bytes(&first), u);
	memcpy(out, u, HASH_LEN);
	for (uint32_t i = 1; i < iterations; i++) {
		hmac_key_sign(k, (struct bytes){ u, HASH_LEN }, u);
		for (size_t b = 0; b < HASH_LEN; b++)
			out[b] ^= u[b];
	}
	explicit_bzero(u, sizeof(u));
	buf_clear(&first);
}

void hkdf_sha256(struct bytes secret, struct bytes salt, struct bytes info, uint8_t *out, size_t len)
{
	assert(len <= (size_t)255 * HASH_LEN);
	uint8_t prk[HASH_LEN], t[HASH_LEN];
	struct buf in;
	buf_init(&in, HASH_LEN + info.len + 1);
	hmac_sha256(salt, secret, prk);
	for (uint8_t n = 1; len > 0; n++) {
		size_t take = len < HASH_LEN ? len : HASH_LEN;
		buf_reset(&in);
		if (n > 1)
			buf_add(&in, t, HASH_LEN);
		buf_add(&in, info.data, info.len);
		buf_add_u8(&in, n);
		hmac_sha256((struct bytes){ prk, HASH_LEN }, buf_bytes(&in), t);
		memcpy(out, t, take);
		out += take;
		len -= take;
	}
	explicit_bzero(prk, sizeof(prk));
	explicit_bzero(t, sizeof(t));
	buf_clear(&in);
}

/* AES-256-GCM */

enum { NONCE_LEN = 12, MAC_LEN = 16 };

bool aead_seal(const uint8_t key[32], const struct random *r, struct bytes aad, struct bytes plain, struct buf *out,
	       struct err *e)
{
	uint8_t *at = buf_grow(out, plain.len + AEAD_OVERHEAD);
	if (at == NULL)
		return buf_ok(out, "sealed data", e);
	mbedtls_gcm_context gcm;
	mbedtls_gcm_init(&gcm);
	r->fill(r->arg, at, NONCE_LEN);
	uint8_t *text = at + NONCE_LEN;
	bool ok = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) == 0 &&
		  mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.len, at, NONCE_LEN, aad.data, aad.len,
					    plain.data, text, MAC_LEN, text + plain.len) == 0;
	mbedtls_gcm_free(&gcm);
	return ok || err_set(e, ERR_IO, "AES-GCM failed");
}

bool aead_open(const uint8_t key[32], struct bytes aad, struct bytes sealed, struct buf *plain, struct err *e)
{
	if (sealed.len < AEAD_OVERHEAD)
		return err_set(e, ERR_DENIED, "sealed data is too short");
	size_t len = sealed.len - AEAD_OVERHEAD, had = plain->len;
	const uint8_t *text = sealed.data + NONCE_LEN;
	uint8_t *at = buf_grow(plain, len);
	if (at == NULL)
		return buf_ok(plain, "opened data", e);
	mbedtls_gcm_context gcm;
	mbedtls_gcm_init(&gcm);
	bool ok = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256) == 0 &&
		  mbedtls_gcm_auth_decrypt(&gcm, len, sealed.data, NONCE_LEN, aad.data, aad.len, text + len, MAC_LEN,
					   text, at) == 0;
	mbedtls_gcm_free(&gcm);
	if (!ok)
		plain->len = had;
	return ok || err_set(e, ERR_DENIED, "sealed data was altered, or belongs elsewhere");
}

/* P-256 */

struct curve {
	mbedtls_ecp_group group;
	mbedtls_ecp_point point;
	mbedtls_mpi scalar, r, s;
};

static void curve_init(struct curve *c)
{
	mbedtls_ecp_group_init(&c->group);
	mbedtls_ecp_point_init(&c->point);
	mbedtls_mpi_init(&c->scalar);
	mbedtls_mpi_init(&c->r);
	mbedtls_mpi_init(&c->s);
	if (mbedtls_ecp_group_load(&c->group, MBEDTLS_ECP_DP_SECP256R1) != 0)
		abort();
}

static void curve_clear(struct curve *c)
{
	mbedtls_ecp_group_free(&c->group);
	mbedtls_ecp_point_free(&c->point);
	mbedtls_mpi_free(&c->scalar);
	mbedtls_mpi_free(&c->r);
	mbedtls_mpi_free(&c->s);
}

/* Reads a public point and proves that it lies on the curve. */
static bool curve_point(struct curve *c, const uint8_t point[POINT_LEN])
{
	return mbedtls_ecp_point_read_binary(&c->group, &c->point, point, POINT_LEN) == 0 &&
	       mbedtls_ecp_check_pubkey(&c->group, &c->point) == 0;
}

static bool curve_scalar(struct curve *c, const uint8_t scalar[SCALAR_LEN])
{
	return mbedtls_mpi_read_binary(&c->scalar, scalar, SCALAR_LEN) == 0 &&
	       mbedtls_ecp_check_privkey(&c->group, &c->scalar) == 0;
}

static void curve_point_write(struct curve *c, uint8_t point[POINT_LEN])
{
	size_t len = 0;
	if (mbedtls_ecp_point_write_binary(&c->group, &c->point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, point,
					   POINT_LEN) != 0)
		abort();
	assert(len == POINT_LEN);
}

void key_new(const struct random *r, uint8_t scalar[SCALAR_LEN], uint8_t point[POINT_LEN])
{
	struct curve c;
	curve_init(&c);
	if (mbedtls_ecp_gen_keypair(&c.group, &c.scalar, &c.point, random_mbedtls, random_arg(r)) != 0 ||
	    mbedtls_mpi_write_binary(&c.scalar, scalar, SCALAR_LEN) != 0)
		abort();
	curve_point_write(&c, point);
	curve_clear(&c);
}

bool sign_es256(const uint8_t scalar[SCALAR_LEN], const struct random *r, struct bytes data,
		uint8_t out[SIGNATURE_LEN], struct err *e)
{
	struct curve c;
	uint8_t hash[HASH_LEN];
	curve_init(&c);
	sha256(data, hash);
	bool ok = curve_scalar(&c, scalar) &&
		  mbedtls_ecdsa_sign(&c.group, &c.r, &c.s, &c.scalar, hash, HASH_LEN, random_mbedtls,
				     random_arg(r)) == 0 &&
		  mbedtls_mpi_write_binary(&c.r, out, 32) == 0 && mbedtls_mpi_write_binary(&c.s, out + 32, 32) == 0;
	curve_clear(&c);
	return ok || err_set(e, ERR_INPUT, "the signing key is not usable");
}

bool verify_es256(const uint8_t point[POINT_LEN], struct bytes data, const uint8_t signature[SIGNATURE_LEN],
		  struct err *e)
{
	struct curve c;
	uint8_t hash[HASH_LEN];
	curve_init(&c);
	sha256(data, hash);
	bool key = curve_point(&c, point);
	bool ok = key && mbedtls_mpi_read_binary(&c.r, signature, 32) == 0 &&
		  mbedtls_mpi_read_binary(&c.s, signature + 32, 32) == 0 &&
		  mbedtls_ecdsa_verify(&c.group, hash, HASH_LEN, &c.point, &c.r, &c.s) == 0;
	curve_clear(&c);
	if (!key)
		return err_set(e, ERR_INPUT, "the public key is not a point of P-256");
	return ok || err_set(e, ERR_DENIED, "the signature does not match");
}

/* Sealing */

static bool seal_key(const uint8_t scalar[SCALAR_LEN], const uint8_t peer[POINT_LEN],
		     const uint8_t ephemeral[POINT_LEN], const uint8_t receiver[POINT_LEN], const struct random *r,
		     uint8_t key[32])
{
	struct curve c;
	uint8_t shared[32], salt[2 * POINT_LEN];
	curve_init(&c);
	bool ok = curve_point(&c, peer) && curve_scalar(&c, scalar) &&
		  mbedtls_ecdh_compute_shared(&c.group, &c.r, &c.point, &c.scalar, random_mbedtls, random_arg(r)) ==
			  0 &&
		  mbedtls_mpi_write_binary(&c.r, shared, sizeof(shared)) == 0;
	curve_clear(&c);
	if (ok) {
		memcpy(salt, ephemeral, POINT_LEN);
		memcpy(salt + POINT_LEN, receiver, POINT_LEN);
		hkdf_sha256((struct bytes){ shared, sizeof(shared) }, (struct bytes){ salt, sizeof(salt) },
			    bytes_of("xb/1/seal"), key, 32);
	}
	explicit_bzero(shared, sizeof(shared));
	return ok;
}

bool seal_to(const uint8_t point[POINT_LEN], const struct random *r, struct bytes context, struct bytes plain,
	     struct buf *out, struct err *e)
{
	uint8_t scalar[SCALAR_LEN], ephemeral[POINT_LEN], key[32];
	key_new(r, scalar, ephemeral);
	bool ok = seal_key(scalar, point, ephemeral, point, r, key);
	explicit_bzero(scalar, sizeof(scalar));
	if (!ok)
		return err_set(e, ERR_INPUT, "the receiver's key is not a point of P-256");
	buf_add(out, ephemeral, POINT_LEN);
	ok = aead_seal(key, r, context, plain, out, e);
	explicit_bzero(key, sizeof(key));
	return ok;
}

bool seal_open(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], struct bytes context,
	       struct bytes sealed, struct buf *plain, struct err *e)
{
	uint8_t key[32];
	if (sealed.len < SEAL_OVERHEAD)
		return err_set(e, ERR_DENIED, "sealed data is too short");
	if (!seal_key(scalar, sealed.data, sealed.data, point, &random_system, key))
		return err_set(e, ERR_DENIED, "sealed data does not start with a point of P-256");
	bool ok =
		aead_open(key, context, (struct bytes){ sealed.data + POINT_LEN, sealed.len - POINT_LEN }, plain, e);
	explicit_bzero(key, sizeof(key));
	return ok;
}

bool bytes_same_secret(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;
	for (size_t i = 0; i < len; i++)
		differ |= (uint8_t)(a[i] ^ b[i]);
	return differ == 0;
}

void hex_encode(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * len] = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(const char *in, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(in[2 * i]), low = high < 0 ? -1 : hex_digit(in[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return in[2 * len] == 0;
}

bool base64_decode(struct bytes text, struct buf *out, struct err *e)
{
	size_t room = text.len / 4 * 3 + 3, len = 0;
	uint8_t *to = buf_grow(out, room);
	if (to == NULL)
		return err_set(e, ERR_FULL, "base64: %zu characters are too many", text.len);
	bool ok = text.len == 0 || mbedtls_base64_decode(to, room, &len, text.data, text.len) == 0;
	out->len -= room - (ok ? len : 0);
	return ok || err_set(e, ERR_INPUT, "it is not base64");
}

void base64_encode(struct bytes data, struct buf *out)
{
	size_t room = (data.len + 2) / 3 * 4 + 1, len = 0;
	uint8_t *to = buf_grow(out, room);
	if (to == NULL)
		return;
	if (mbedtls_base64_encode(to, room, &len, data.data, data.len) != 0)
		abort();
	out->len -= room - len;
}
