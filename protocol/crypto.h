/*
 * The primitives, over mbedTLS's crypto: SHA-256 (FIPS 180-4), HMAC (RFC 2104), PBKDF2 (RFC 8018), HKDF (RFC 5869),
 * AES-256-GCM (NIST SP 800-38D), ECDSA P-256 with SHA-256 as raw r‖s (RFC 9053 section 2.1), and sealing to a P-256 key.
 * crypto.c alone sees mbedTLS's headers of these. Randomness is a parameter, so that a test can run from a seed.
 */
#ifndef PROTOCOL_CRYPTO_H
#define PROTOCOL_CRYPTO_H

#include "protocol/base/buf.h"

#define HASH_LEN      32
#define SIGNATURE_LEN 64
#define POINT_LEN     65 /* uncompressed P-256 point, 04 ‖ x ‖ y */
#define SCALAR_LEN    32

/* Fills out with random bytes; arg is the caller's. Must not fail (abort instead). */
struct random {
	void (*fill)(void *arg, uint8_t *out, size_t len);
	void *arg;
};
/* The kernel's getrandom(2). */
extern const struct random random_system;

void sha256(struct bytes data, uint8_t out[HASH_LEN]);

struct sha256_stream {
	_Alignas(8) uint8_t state[160]; /* mbedtls_sha256_context; the size is asserted in crypto.c */
};
void sha256_start(struct sha256_stream *s);
void sha256_add(struct sha256_stream *s, struct bytes data);
void sha256_finish(struct sha256_stream *s, uint8_t out[HASH_LEN]);

void hmac_sha256(struct bytes key, struct bytes data, uint8_t out[HASH_LEN]);

/* HMAC with the key's two pads hashed once: 0.6 µs a message instead of 1.3. Wipe with explicit_bzero. */
struct hmac_key {
	struct sha256_stream inner, outer;
};
void hmac_key_init(struct hmac_key *k, struct bytes key);
void hmac_key_sign(const struct hmac_key *k, struct bytes data, uint8_t out[HASH_LEN]);

/* T_1 of PBKDF2-HMAC-SHA-256 with the password's pads in k. */
void pbkdf2_block(const struct hmac_key *k, struct bytes salt, uint32_t iterations, uint8_t out[HASH_LEN]);
/* len ≤ 8160 */
void hkdf_sha256(struct bytes secret, struct bytes salt, struct bytes info, uint8_t *out, size_t len);

/* nonce(12) ‖ ciphertext ‖ tag(16), appended to out. */
#define AEAD_OVERHEAD 28
bool aead_seal(const uint8_t key[32], const struct random *r, struct bytes aad, struct bytes plain, struct buf *out,
	       struct err *e) CHECKED;
/* ERR_DENIED when it is not what was sealed. */
bool aead_open(const uint8_t key[32], struct bytes aad, struct bytes sealed, struct buf *plain,
	       struct err *e) CHECKED;

void key_new(const struct random *r, uint8_t scalar[SCALAR_LEN], uint8_t point[POINT_LEN]);
bool sign_es256(const uint8_t scalar[SCALAR_LEN], const struct random *r, struct bytes data,
		uint8_t out[SIGNATURE_LEN], struct err *e) CHECKED;
/* ERR_DENIED "signature does not match"; ERR_INPUT when point is not on the curve. */
bool verify_es256(const uint8_t point[POINT_LEN], struct bytes data, const uint8_t signature[SIGNATURE_LEN],
		  struct err *e) CHECKED;

/*
 * Sealed to one receiver: ephemeral point(65) ‖ nonce(12) ‖ ciphertext ‖ tag(16). Key = HKDF(ECDH x-coordinate, salt = the
 * two points, info = "xb/1/seal"), AES-256-GCM with the caller's context as additional data.
 */
#define SEAL_OVERHEAD (POINT_LEN + AEAD_OVERHEAD)
bool seal_to(const uint8_t point[POINT_LEN], const struct random *r, struct bytes context, struct bytes plain,
	     struct buf *out, struct err *e) CHECKED;
bool seal_open(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], struct bytes context,
	       struct bytes sealed, struct buf *plain, struct err *e) CHECKED;

/* Constant time. */
bool bytes_same_secret(const uint8_t *a, const uint8_t *b, size_t len);

/* Lower-case hex. out has 2·len+1 bytes. hex_decode wants exactly 2·len lower-case digits. */
void hex_encode(const uint8_t *in, size_t len, char *out);
bool hex_decode(const char *in, uint8_t *out, size_t len);
/* Base64 (RFC 4648 section 4), padded; line breaks are skipped. Appended to out. */
bool base64_decode(struct bytes text, struct buf *out, struct err *e) CHECKED;
void base64_encode(struct bytes data, struct buf *out);

#endif
