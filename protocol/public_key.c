#include "protocol/public_key.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct public_key {
	mbedtls_pk_context pk;
	int64_t alg;
};

const char *alg_name(int64_t alg)
{
	static const struct {
		int64_t alg;
		const char *name;
	} names[] = {
		{ -7, "ES256" },   { -8, "EdDSA" },   { -16, "SHA-256" }, { -35, "ES384" },  { -36, "ES512" },
		{ -37, "PS256" },  { -38, "PS384" },  { -39, "PS512" },   { -47, "ES256K" }, { -257, "RS256" },
		{ -258, "RS384" }, { -259, "RS512" }, { -65535, "RS1" },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].alg == alg)
			return names[i].name;
	return "unknown algorithm";
}

void public_key_free(struct public_key *k)
{
	if (k == NULL)
		return;
	mbedtls_pk_free(&k->pk);
	free(k);
}

static struct public_key *key_empty(void)
{
	struct public_key *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	mbedtls_pk_init(&k->pk);
	return k;
}

/* One we can use; otherwise it is freed. */
static struct public_key *key_check(struct public_key *k, struct err *e)
{
	mbedtls_pk_type_t type = mbedtls_pk_get_type(&k->pk);
	size_t bits = mbedtls_pk_get_bitlen(&k->pk);
	if (type == MBEDTLS_PK_ECKEY && mbedtls_pk_ec(k->pk)->grp.id == MBEDTLS_ECP_DP_SECP256R1 &&
	    mbedtls_ecp_check_pubkey(&mbedtls_pk_ec(k->pk)->grp, &mbedtls_pk_ec(k->pk)->Q) == 0) {
		k->alg = ALG_ES256;
		return k;
	}
	if (type == MBEDTLS_PK_RSA && bits >= 2048 && bits <= 4096) {
		k->alg = ALG_PS256;
		mbedtls_rsa_set_padding(mbedtls_pk_rsa(k->pk), MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
		return k;
	}
	if (type == MBEDTLS_PK_ECKEY)
		(void)err_set(e, ERR_INPUT, "the key is on another curve than P-256, or not on it");
	else if (type == MBEDTLS_PK_RSA)
		(void)err_set(e, ERR_INPUT, "an RSA key of %zu bits; 2,048 to 4,096 are taken", bits);
	else
		(void)err_set(e, ERR_INPUT, "the key is neither of P-256 nor RSA");
	public_key_free(k);
	return NULL;
}

static int64_t time_of(const mbedtls_x509_time *t)
{
	struct tm tm = { .tm_year = t->year - 1900,
			 .tm_mon = t->mon - 1,
			 .tm_mday = t->day,
			 .tm_hour = t->hour,
			 .tm_min = t->min,
			 .tm_sec = t->sec };
	return (int64_t)timegm(&tm);
}

static void uses_take(const mbedtls_x509_crt *crt, struct key_certificate *c)
{
	const mbedtls_x509_sequence *s = &crt->ext_key_usage;
	for (; s != NULL && s->buf.p != NULL && c->uses_len < KEY_USES_MAX; s = s->next)
		if (mbedtls_oid_get_numeric_string(c->uses[c->uses_len], sizeof(c->uses[0]), &s->buf) > 0)
			c->uses_len++;
}

struct public_key *public_key_of_certificate(struct bytes der, struct key_certificate *c, struct err *e)
{
	mbedtls_x509_crt crt;
	struct public_key *k = NULL;
	memset(c, 0, sizeof(*c));
	mbedtls_x509_crt_init(&crt);
	if (mbedtls_x509_crt_parse_der(&crt, der.data, der.len) != 0) {
		(void)err_set(e, ERR_INPUT, "it is no X.509 certificate that can be read");
	} else {
		c->from_s = time_of(&crt.valid_from);
		c->to_s = time_of(&crt.valid_to);
		uses_take(&crt, c);
		k = key_empty();
		/* The key moves over; the certificate is freed without it. */
		k->pk = crt.pk;
		mbedtls_pk_init(&crt.pk);
		k = key_check(k, e);
	}
	mbedtls_x509_crt_free(&crt);
	return k;
}

struct public_key *public_key_parse(struct bytes der, struct err *e)
{
	struct key_certificate ignored;
	struct public_key *k = key_empty();
	if (der.len > 0 && mbedtls_pk_parse_public_key(&k->pk, der.data, der.len) == 0)
		return key_check(k, e);
	public_key_free(k);
	return public_key_of_certificate(der, &ignored, e);
}

static struct public_key *point_key(const uint8_t point[POINT_LEN], struct err *e)
{
	struct public_key *k = key_empty();
	if (mbedtls_pk_setup(&k->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) != 0 ||
	    mbedtls_ecp_group_load(&mbedtls_pk_ec(k->pk)->grp, MBEDTLS_ECP_DP_SECP256R1) != 0)
		abort();
	if (mbedtls_ecp_point_read_binary(&mbedtls_pk_ec(k->pk)->grp, &mbedtls_pk_ec(k->pk)->Q, point, POINT_LEN) ==
	    0)
		return key_check(k, e);
	public_key_free(k);
	(void)err_set(e, ERR_INPUT, "the public key is not a point of P-256");
	return NULL;
}

struct public_key *public_key_of_point(const uint8_t point[POINT_LEN], struct err *e)
{
	return point_key(point, e);
}

int64_t public_key_alg(const struct public_key *k)
{
	return k->alg;
}

bool public_key_der(const uint8_t point[POINT_LEN], struct buf *out, struct err *e)
{
	uint8_t der[PUBLIC_KEY_DER_MAX];
	struct public_key *k = point_key(point, e);
	if (k == NULL)
		return false;
	int len = mbedtls_pk_write_pubkey_der(&k->pk, der, sizeof(der)); /* at the end of der */
	public_key_free(k);
	return (len > 0 && buf_add(out, der + sizeof(der) - (size_t)len, (size_t)len)) ||
	       err_set(e, ERR_FULL, "no room for a public key");
}

static bool verify_ec(mbedtls_ecp_keypair *ec, const uint8_t hash[HASH_LEN], struct bytes signature)
{
	mbedtls_mpi r, s;
	if (signature.len != SIGNATURE_LEN)
		return false;
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	bool ok = mbedtls_mpi_read_binary(&r, signature.data, 32) == 0 &&
		  mbedtls_mpi_read_binary(&s, signature.data + 32, 32) == 0 &&
		  mbedtls_ecdsa_verify(&ec->grp, hash, HASH_LEN, &ec->Q, &r, &s) == 0;
	mbedtls_mpi_free(&r);
	mbedtls_mpi_free(&s);
	return ok;
}

static bool verify_rsa(mbedtls_rsa_context *rsa, const uint8_t hash[HASH_LEN], struct bytes signature)
{
	return signature.len == mbedtls_rsa_get_len(rsa) &&
	       mbedtls_rsa_rsassa_pss_verify_ext(rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC, MBEDTLS_MD_SHA256, HASH_LEN,
						 hash, MBEDTLS_MD_SHA256, HASH_LEN, signature.data) == 0;
}

bool public_key_verify(struct public_key *k, struct bytes data, struct bytes signature, struct err *e)
{
	uint8_t hash[HASH_LEN];
	sha256(data, hash);
	bool ok = k->alg == ALG_ES256 ? verify_ec(mbedtls_pk_ec(k->pk), hash, signature)
				      : verify_rsa(mbedtls_pk_rsa(k->pk), hash, signature);
	return ok || err_set(e, ERR_DENIED, "the signature does not match");
}
