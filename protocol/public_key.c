#include "protocol/public_key.h"

#include <mbedtls/asn1.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509.h>
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

/* ES256 is SHA-256 on any of these (RFC 9053 section 2.1); issuers of the EU use P-384 too. */
static bool curve_is_taken(mbedtls_ecp_group_id id)
{
	return id == MBEDTLS_ECP_DP_SECP256R1 || id == MBEDTLS_ECP_DP_SECP384R1 || id == MBEDTLS_ECP_DP_SECP521R1;
}

/* One we can use; otherwise it is freed. */
static struct public_key *key_check(struct public_key *k, struct err *e)
{
	mbedtls_pk_type_t type = mbedtls_pk_get_type(&k->pk);
	/* mbedtls_pk_get_bitlen counts whole bytes. */
	size_t bits = type == MBEDTLS_PK_RSA ? mbedtls_mpi_bitlen(&mbedtls_pk_rsa(k->pk)->N) : 0;
	if (type == MBEDTLS_PK_ECKEY && curve_is_taken(mbedtls_pk_ec(k->pk)->grp.id) &&
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
		(void)err_set(e, ERR_INPUT, "the key is on another curve than P-256, P-384 and P-521, or not on it");
	else if (type == MBEDTLS_PK_RSA)
		(void)err_set(e, ERR_INPUT, "an RSA key of %zu bits; 2,048 to 4,096 are taken", bits);
	else
		(void)err_set(e, ERR_INPUT, "the key is neither of a curve nor RSA");
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

/* --- X.509, of which only period, key and uses are read: certificates of issuers have more and odder extensions than mbedTLS takes --- */

struct der {
	unsigned char *at, *end; /* mbedTLS takes no const; nothing is written */
};

/* Moves into the next element of this tag; *whole (may be NULL) is all of it, *in what it holds. */
static bool der_take(struct der *d, int tag, struct der *in, struct der *whole)
{
	size_t len;
	unsigned char *start = d->at;
	if (mbedtls_asn1_get_tag(&d->at, d->end, &len, tag) != 0)
		return false;
	*in = (struct der){ d->at, d->at + len };
	d->at += len;
	if (whole != NULL)
		*whole = (struct der){ start, d->at };
	return true;
}

#define DER_SEQUENCE (MBEDTLS_ASN1_SEQUENCE | MBEDTLS_ASN1_CONSTRUCTED)
#define DER_CONTEXT  (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED)

static bool period_take(struct der *tbs, struct key_certificate *c)
{
	struct der validity;
	mbedtls_x509_time from, to;
	if (!der_take(tbs, DER_SEQUENCE, &validity, NULL) ||
	    mbedtls_x509_get_time(&validity.at, validity.end, &from) != 0 ||
	    mbedtls_x509_get_time(&validity.at, validity.end, &to) != 0)
		return false;
	c->from_s = time_of(&from);
	c->to_s = time_of(&to);
	return true;
}

/* The list of uses may be empty: mbedTLS would refuse the certificate for it. */
static void uses_take(struct der value, struct key_certificate *c)
{
	struct der list, oid;
	if (!der_take(&value, DER_SEQUENCE, &list, NULL))
		return;
	while (c->uses_len < KEY_USES_MAX && der_take(&list, MBEDTLS_ASN1_OID, &oid, NULL)) {
		mbedtls_asn1_buf use = { .len = (size_t)(oid.end - oid.at), .p = oid.at };
		if (mbedtls_oid_get_numeric_string(c->uses[c->uses_len], sizeof(c->uses[0]), &use) > 0)
			c->uses_len++;
	}
}

static void extensions_take(struct der *tbs, struct key_certificate *c)
{
	struct der tagged, list, extension, oid, skipped, value;
	if (!der_take(tbs, DER_CONTEXT | 3, &tagged, NULL) || !der_take(&tagged, DER_SEQUENCE, &list, NULL))
		return;
	while (der_take(&list, DER_SEQUENCE, &extension, NULL)) {
		if (!der_take(&extension, MBEDTLS_ASN1_OID, &oid, NULL))
			return;
		(void)der_take(&extension, MBEDTLS_ASN1_BOOLEAN, &skipped, NULL);
		size_t len = (size_t)(oid.end - oid.at);
		if (len == strlen(MBEDTLS_OID_EXTENDED_KEY_USAGE) &&
		    memcmp(oid.at, MBEDTLS_OID_EXTENDED_KEY_USAGE, len) == 0 &&
		    der_take(&extension, MBEDTLS_ASN1_OCTET_STRING, &value, NULL))
			uses_take(value, c);
	}
}

/* RFC 5280, section 4.1. */
static bool certificate_walk(struct der der, struct public_key *k, struct key_certificate *c)
{
	struct der certificate, tbs, skipped, whole;
	if (!der_take(&der, DER_SEQUENCE, &certificate, NULL) || der.at != der.end ||
	    !der_take(&certificate, DER_SEQUENCE, &tbs, NULL))
		return false;
	(void)der_take(&tbs, DER_CONTEXT | 0, &skipped, NULL); /* version */
	if (!der_take(&tbs, MBEDTLS_ASN1_INTEGER, &skipped, NULL) || !der_take(&tbs, DER_SEQUENCE, &skipped, NULL) ||
	    !der_take(&tbs, DER_SEQUENCE, &skipped, NULL) || !period_take(&tbs, c) ||
	    !der_take(&tbs, DER_SEQUENCE, &skipped, NULL) || !der_take(&tbs, DER_SEQUENCE, &skipped, &whole) ||
	    mbedtls_pk_parse_subpubkey(&whole.at, whole.end, &k->pk) != 0)
		return false;
	(void)der_take(&tbs, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 1, &skipped, NULL); /* unique identifiers */
	(void)der_take(&tbs, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2, &skipped, NULL);
	extensions_take(&tbs, c);
	return true;
}

struct public_key *public_key_of_certificate(struct bytes der, struct key_certificate *c, struct err *e)
{
	unsigned char *at = (unsigned char *)(uintptr_t)der.data;
	struct public_key *k = key_empty();
	memset(c, 0, sizeof(*c));
	if (der.len > 0 && certificate_walk((struct der){ at, at + der.len }, k, c))
		return key_check(k, e);
	public_key_free(k);
	(void)err_set(e, ERR_INPUT, "it is no X.509 certificate with a key that can be read");
	return NULL;
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
	size_t half = (ec->grp.pbits + 7) / 8;
	if (signature.len != 2 * half)
		return false;
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	bool ok = mbedtls_mpi_read_binary(&r, signature.data, half) == 0 &&
		  mbedtls_mpi_read_binary(&s, signature.data + half, half) == 0 &&
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
