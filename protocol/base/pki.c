/*
 * mbedTLS 2.28 neither checks a CSR's signature nor writes subject alternative names and extended key usage: both are done
 * here. Periods are judged by the time given: the library's own verdict, by the system's clock, is replaced in a callback.
 */
#include "protocol/base/pki.h"

#include "protocol/base/utf8.h"
#include "protocol/crypto.h"

#include <arpa/inet.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_MAX_CN 64 /* RFC 5280, ub-common-name */
#define SANS_MAX    16
#define SECOND_MIN  946684800LL    /* 2000: before that UTCTime would be wanted and is not written */
#define SECOND_MAX  253402300799LL /* the end of 9999 */

static int fill_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	random_system.fill(random_system.arg, out, len);
	return 0;
}

static bool pki_fail(enum err_code code, const char *what, int ret, struct err *e)
{
	char text[128];
	mbedtls_strerror(ret, text, sizeof(text));
	return err_set(e, code, "%s: %s", what, text);
}

static bool is_p256(const mbedtls_pk_context *pk)
{
	return mbedtls_pk_get_type(pk) == MBEDTLS_PK_ECKEY && mbedtls_pk_ec(*pk)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
}

/* pk is initialised already. */
static bool key_parse(struct bytes key, mbedtls_pk_context *pk, struct err *e)
{
	int ret = key.len > PKI_KEY_MAX ? MBEDTLS_ERR_PK_KEY_INVALID_FORMAT
					: mbedtls_pk_parse_key(pk, key.data, key.len, NULL, 0);
	if (ret != 0)
		return pki_fail(ERR_INPUT, "the private key", ret, e);
	return is_p256(pk) || err_set(e, ERR_INPUT, "the private key is not of the curve P-256");
}

/* The library writes at the buffer's end. */
static bool add_tail(struct buf *out, const uint8_t *work, size_t size, int len, const char *what, struct err *e)
{
	if (len < 0)
		return pki_fail(ERR_INPUT, what, len, e);
	buf_add(out, work + size - (size_t)len, (size_t)len);
	return buf_ok(out, what, e);
}

bool pki_key_new(struct buf *key, struct err *e)
{
	uint8_t work[PKI_KEY_MAX];
	mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool ok = false;
	int ret = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (ret == 0)
		ret = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), fill_random, NULL);
	if (ret == 0)
		ok = add_tail(key, work, sizeof(work), mbedtls_pk_write_key_der(&pk, work, sizeof(work)),
			      "the new key", e);
	else
		pki_fail(ERR_IO, "a new key", ret, e);
	explicit_bzero(work, sizeof(work));
	mbedtls_pk_free(&pk);
	return ok;
}

bool pki_key_raw(struct bytes key, uint8_t scalar[32], uint8_t point[65], struct err *e)
{
	mbedtls_pk_context pk;
	mbedtls_pk_init(&pk);
	bool ok = key_parse(key, &pk, e);
	if (ok) {
		const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(pk);
		size_t len = 0;
		int ret = mbedtls_mpi_write_binary(&pair->d, scalar, 32);
		if (ret == 0)
			ret = mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
							     point, 65);
		ok = ret == 0 || pki_fail(ERR_INPUT, "the private key", ret, e);
	}
	mbedtls_pk_free(&pk);
	return ok;
}

/* "CN=name" for the library's parser of names, in which these characters alone mean themselves. */
static bool subject_of(const char *name, char out[NAME_MAX_CN + 4], struct err *e)
{
	size_t len = strlen(name);
	if (len == 0 || len > NAME_MAX_CN ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ") != len ||
	    name[0] == ' ')
		return err_set(e, ERR_INPUT,
			       "a certificate's name has 1 to %d letters, digits, '.', '_', '-' or spaces",
			       NAME_MAX_CN);
	snprintf(out, NAME_MAX_CN + 4, "CN=%s", name);
	return true;
}

bool pki_csr_new(struct bytes key, const char *name, struct buf *csr, struct err *e)
{
	char subject[NAME_MAX_CN + 4];
	if (!subject_of(name, subject, e))
		return false;
	uint8_t work[PKI_CERT_MAX];
	mbedtls_pk_context pk;
	mbedtls_x509write_csr write;
	mbedtls_pk_init(&pk);
	mbedtls_x509write_csr_init(&write);
	bool ok = false;
	if (!key_parse(key, &pk, e))
		goto out;
	mbedtls_x509write_csr_set_md_alg(&write, MBEDTLS_MD_SHA256);
	mbedtls_x509write_csr_set_key(&write, &pk);
	int ret = mbedtls_x509write_csr_set_subject_name(&write, subject);
	if (ret == 0)
		ret = mbedtls_x509write_csr_der(&write, work, sizeof(work), fill_random, NULL);
	ok = add_tail(csr, work, sizeof(work), ret, "the certificate request", e);
out:
	mbedtls_x509write_csr_free(&write);
	mbedtls_pk_free(&pk);
	return ok;
}

/* The signature proves that whoever asks holds the private key. */
static bool csr_check(mbedtls_x509_csr *csr, struct err *e)
{
	uint8_t hash[HASH_LEN];
	if (!is_p256(&csr->pk) || csr->sig_md != MBEDTLS_MD_SHA256)
		return err_set(e, ERR_INPUT, "a certificate request must be for a P-256 key, signed with SHA-256");
	sha256((struct bytes){ csr->cri.p, csr->cri.len }, hash);
	int ret = mbedtls_pk_verify_ext(csr->sig_pk, csr->sig_opts, &csr->pk, csr->sig_md, hash, sizeof(hash),
					csr->sig.p, csr->sig.len);
	return ret == 0 || pki_fail(ERR_DENIED, "the certificate request's signature", ret, e);
}

struct issuing {
	mbedtls_x509_csr csr;
	mbedtls_pk_context key, ca_key;
	mbedtls_x509_crt ca;
	mbedtls_x509write_cert crt;
	mbedtls_mpi serial;
};

static void issuing_init(struct issuing *i)
{
	mbedtls_x509_csr_init(&i->csr);
	mbedtls_pk_init(&i->key);
	mbedtls_pk_init(&i->ca_key);
	mbedtls_x509_crt_init(&i->ca);
	mbedtls_x509write_crt_init(&i->crt);
	mbedtls_mpi_init(&i->serial);
}

static void issuing_clear(struct issuing *i)
{
	mbedtls_x509_csr_free(&i->csr);
	mbedtls_pk_free(&i->key);
	mbedtls_pk_free(&i->ca_key);
	mbedtls_x509_crt_free(&i->ca);
	mbedtls_x509write_crt_free(&i->crt);
	mbedtls_mpi_free(&i->serial);
}

/* Whose key is certified, and who signs. */
static bool issue_keys(struct issuing *i, const struct pki_issue *p, struct err *e)
{
	if (p->csr.len > 0) {
		int ret = p->csr.len > PKI_CERT_MAX ? MBEDTLS_ERR_X509_INVALID_FORMAT
						    : mbedtls_x509_csr_parse_der(&i->csr, p->csr.data, p->csr.len);
		if (ret != 0)
			return pki_fail(ERR_INPUT, "the certificate request", ret, e);
		if (!csr_check(&i->csr, e))
			return false;
	} else if (!key_parse(p->key, &i->key, e)) {
		return false;
	}
	mbedtls_pk_context *subject = p->csr.len > 0 ? &i->csr.pk : &i->key;
	mbedtls_x509write_crt_set_subject_key(&i->crt, subject);
	if (p->ca_cert.len == 0) {
		if (p->csr.len > 0)
			return err_set(e, ERR_INPUT, "a self-signed certificate is made from its key");
		mbedtls_x509write_crt_set_issuer_key(&i->crt, subject);
		return true;
	}
	int ret = mbedtls_x509_crt_parse_der(&i->ca, p->ca_cert.data, p->ca_cert.len);
	if (ret != 0)
		return pki_fail(ERR_INPUT, "the CA's certificate", ret, e);
	if (!key_parse(p->ca_key, &i->ca_key, e))
		return err_wrap(e, "the CA");
	if (i->ca.ca_istrue == 0 || mbedtls_pk_check_pair(&i->ca.pk, &i->ca_key) != 0)
		return err_set(e, ERR_INPUT, "the CA's certificate is no CA's or not of its key");
	mbedtls_x509write_crt_set_issuer_key(&i->crt, &i->ca_key);
	return true;
}

static void der_add(struct buf *out, uint8_t tag, struct bytes value)
{
	buf_add_u8(out, tag);
	if (value.len >= 256)
		buf_add_u8(out, 0x82);
	else if (value.len >= 128)
		buf_add_u8(out, 0x81);
	if (value.len >= 256)
		buf_add_u8(out, (uint8_t)(value.len >> 8));
	buf_add_u8(out, (uint8_t)value.len);
	buf_add(out, value.data, value.len);
}

#define DER_SEQUENCE 0x30
#define DER_OID      0x06
#define SAN_DNS      0x82 /* context tags of GeneralName, RFC 5280 section 4.2.1.6 */
#define SAN_IP       0x87

static bool set_sans(struct issuing *i, const struct pki_issue *p, struct buf *names, struct buf *out, struct err *e)
{
	if (p->sans_len == 0)
		return true;
	if (p->sans_len > SANS_MAX)
		return err_set(e, ERR_FULL, "at most %d alternative names", SANS_MAX);
	for (size_t n = 0; n < p->sans_len; n++) {
		uint8_t ip[16];
		const char *san = p->sans[n];
		size_t len = strlen(san);
		if (inet_pton(AF_INET, san, ip) == 1)
			der_add(names, SAN_IP, (struct bytes){ ip, 4 });
		else if (inet_pton(AF_INET6, san, ip) == 1)
			der_add(names, SAN_IP, (struct bytes){ ip, 16 });
		else if (len > 0 && len <= 253 &&
			 strspn(san, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") == len)
			der_add(names, SAN_DNS, bytes_of(san));
		else
			return err_set(e, ERR_INPUT, "'%.60s' is neither a host's name nor an address", san);
	}
	der_add(out, DER_SEQUENCE, buf_bytes(names));
	if (!buf_ok(names, "alternative names", e) || !buf_ok(out, "alternative names", e))
		return false;
	int ret = mbedtls_x509write_crt_set_extension(&i->crt, MBEDTLS_OID_SUBJECT_ALT_NAME,
						      MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, out->data,
						      out->len);
	return ret == 0 || pki_fail(ERR_IO, "alternative names", ret, e);
}

static struct bytes oid(const char *der)
{
	return bytes_of(der); /* none of ours holds a zero byte */
}

static bool set_uses(struct issuing *i, enum pki_use use, struct buf *oids, struct buf *out, struct err *e)
{
	if (use == PKI_CA)
		return true;
	if (use == PKI_SERVER || use == PKI_SERVER_CLIENT)
		der_add(oids, DER_OID, oid(MBEDTLS_OID_SERVER_AUTH));
	if (use == PKI_CLIENT || use == PKI_SERVER_CLIENT)
		der_add(oids, DER_OID, oid(MBEDTLS_OID_CLIENT_AUTH));
	der_add(out, DER_SEQUENCE, buf_bytes(oids));
	if (!buf_ok(out, "extended key usage", e))
		return false;
	int ret = mbedtls_x509write_crt_set_extension(&i->crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
						      MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, out->data,
						      out->len);
	return ret == 0 || pki_fail(ERR_IO, "extended key usage", ret, e);
}

static bool issue_extensions(struct issuing *i, const struct pki_issue *p, struct err *e)
{
	struct buf parts[4];
	for (size_t n = 0; n < 4; n++)
		buf_init(&parts[n], PKI_CERT_MAX);
	bool ok = false, ca = p->use == PKI_CA;
	/* A CA below another issues leaves only. */
	int ret = mbedtls_x509write_crt_set_basic_constraints(&i->crt, ca, ca && p->ca_cert.len > 0 ? 0 : -1);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_key_usage(&i->crt, ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN |
										   MBEDTLS_X509_KU_CRL_SIGN
								      : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_subject_key_identifier(&i->crt);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_authority_key_identifier(&i->crt);
	if (ret != 0)
		pki_fail(ERR_IO, "the certificate's extensions", ret, e);
	else
		ok = set_uses(i, p->use, &parts[0], &parts[1], e) && set_sans(i, p, &parts[2], &parts[3], e);
	for (size_t n = 0; n < 4; n++)
		buf_clear(&parts[n]);
	return ok;
}

static void time_text(int64_t s, char out[16])
{
	time_t t = (time_t)s;
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(out, 16, "%Y%m%d%H%M%S", &tm);
}

static bool issue_facts(struct issuing *i, const struct pki_issue *p, struct err *e)
{
	char subject[NAME_MAX_CN + 4], issuer[256], from[16], to[16];
	if (!subject_of(p->name, subject, e))
		return false;
	if (p->from_s < SECOND_MIN || p->to_s > SECOND_MAX || p->from_s >= p->to_s)
		return err_set(e, ERR_INPUT, "a certificate's period must lie between 2000 and 9999");
	snprintf(issuer, sizeof(issuer), "%s", subject);
	if (p->ca_cert.len > 0 && mbedtls_x509_dn_gets(issuer, sizeof(issuer), &i->ca.subject) < 0)
		return err_set(e, ERR_INPUT, "the CA's name is too long");
	time_text(p->from_s, from);
	time_text(p->to_s, to);
	mbedtls_x509write_crt_set_version(&i->crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&i->crt, MBEDTLS_MD_SHA256);
	int ret = mbedtls_mpi_read_binary(&i->serial, p->serial, sizeof(p->serial));
	if (ret == 0 && mbedtls_mpi_cmp_int(&i->serial, 0) == 0)
		return err_set(e, ERR_INPUT, "a certificate's serial number must not be zero");
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_serial(&i->crt, &i->serial);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_validity(&i->crt, from, to);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_subject_name(&i->crt, subject);
	if (ret == 0)
		ret = mbedtls_x509write_crt_set_issuer_name(&i->crt, issuer);
	return ret == 0 || pki_fail(ERR_INPUT, "the certificate", ret, e);
}

/* The issuer's name went through text, which a CA made elsewhere may not survive. */
static bool issue_check(const struct issuing *i, const uint8_t *der, size_t len, struct err *e)
{
	mbedtls_x509_crt made;
	mbedtls_x509_crt_init(&made);
	int ret = mbedtls_x509_crt_parse_der(&made, der, len);
	bool same = ret == 0 && bytes_equal((struct bytes){ made.issuer_raw.p, made.issuer_raw.len },
					    (struct bytes){ i->ca.subject_raw.p, i->ca.subject_raw.len });
	mbedtls_x509_crt_free(&made);
	if (ret != 0)
		return pki_fail(ERR_IO, "the new certificate", ret, e);
	return same || err_set(e, ERR_INPUT, "the CA's name has parts that cannot be copied");
}

bool pki_issue(const struct pki_issue *p, struct buf *cert, struct err *e)
{
	uint8_t work[PKI_CERT_MAX];
	struct issuing i;
	bool ok = false;
	issuing_init(&i);
	if (!issue_keys(&i, p, e) || !issue_facts(&i, p, e) || !issue_extensions(&i, p, e))
		goto out;
	int len = mbedtls_x509write_crt_der(&i.crt, work, sizeof(work), fill_random, NULL);
	if (len > 0 && p->ca_cert.len > 0 && !issue_check(&i, work + sizeof(work) - (size_t)len, (size_t)len, e))
		goto out;
	ok = add_tail(cert, work, sizeof(work), len, "the certificate", e);
out:
	issuing_clear(&i);
	return ok;
}

static int64_t second_of(const mbedtls_x509_time *t)
{
	struct tm tm = { .tm_year = t->year - 1900,
			 .tm_mon = t->mon - 1,
			 .tm_mday = t->day,
			 .tm_hour = t->hour,
			 .tm_min = t->min,
			 .tm_sec = t->sec };
	return (int64_t)timegm(&tm);
}

/* The one common name; out is "" when there is none. False when there are several or it is no text we can show. */
static bool common_name(const mbedtls_x509_name *n, char out[NAME_MAX_CN + 1])
{
	out[0] = 0;
	for (; n != NULL; n = n->next) {
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) != 0)
			continue;
		struct bytes text = { n->val.p, n->val.len };
		bool is_text = n->val.tag == MBEDTLS_ASN1_UTF8_STRING ||
			       n->val.tag == MBEDTLS_ASN1_PRINTABLE_STRING || n->val.tag == MBEDTLS_ASN1_IA5_STRING;
		if (out[0] != 0 || !is_text || text.len == 0 || text.len > NAME_MAX_CN || !utf8_is_valid(text))
			return false;
		for (size_t i = 0; i < text.len; i++) {
			if (text.data[i] < 0x20 || text.data[i] == 0x7f)
				return false;
		}
		memcpy(out, text.data, text.len);
		out[text.len] = 0;
	}
	return true;
}

static bool cert_parse(struct bytes cert, mbedtls_x509_crt *crt, struct err *e)
{
	int ret = cert.len > PKI_CERT_MAX ? MBEDTLS_ERR_X509_INVALID_FORMAT
					  : mbedtls_x509_crt_parse_der(crt, cert.data, cert.len);
	if (ret != 0)
		return pki_fail(ERR_INPUT, "the certificate", ret, e);
	return crt->raw.len == cert.len || err_set(e, ERR_INPUT, "the certificate has bytes behind its end");
}

bool pki_read(struct bytes cert, struct pki_info *out, struct err *e)
{
	*out = (struct pki_info){ 0 };
	mbedtls_x509_crt crt;
	mbedtls_x509_crt_init(&crt);
	bool ok = false;
	size_t len = 0;
	if (!cert_parse(cert, &crt, e))
		goto out;
	if (!common_name(&crt.subject, out->name) || out->name[0] == 0 || !common_name(&crt.issuer, out->issuer)) {
		err_set(e, ERR_INPUT, "the certificate must have one common name of at most %d bytes", NAME_MAX_CN);
		goto out;
	}
	if (2 * crt.serial.len >= sizeof(out->serial)) {
		err_set(e, ERR_INPUT, "the certificate's serial number is longer than 20 bytes");
		goto out;
	}
	hex_encode(crt.serial.p, crt.serial.len, out->serial);
	out->from_s = second_of(&crt.valid_from);
	out->to_s = second_of(&crt.valid_to);
	out->is_ca = crt.ca_istrue != 0;
	if (is_p256(&crt.pk)) {
		const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(crt.pk);
		mbedtls_ecp_point_write_binary(&pair->grp, &pair->Q, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, out->point,
					       sizeof(out->point));
	}
	ok = true;
out:
	mbedtls_x509_crt_free(&crt);
	return ok;
}

#define PERIOD_FLAGS (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)

static int judge_period(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	const int64_t *now_s = arg;
	(void)depth;
	*flags &= ~(uint32_t)PERIOD_FLAGS;
	if (*now_s < second_of(&crt->valid_from))
		*flags |= MBEDTLS_X509_BADCERT_FUTURE;
	if (*now_s > second_of(&crt->valid_to))
		*flags |= MBEDTLS_X509_BADCERT_EXPIRED;
	return 0;
}

static bool use_allows(const mbedtls_x509_crt *crt, enum pki_use use)
{
	if (use == PKI_CA)
		return crt->ca_istrue != 0 &&
		       mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_KEY_CERT_SIGN) == 0;
	if ((crt->ext_types & MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE) == 0)
		return false;
	struct bytes server = oid(MBEDTLS_OID_SERVER_AUTH), client = oid(MBEDTLS_OID_CLIENT_AUTH);
	bool serves = mbedtls_x509_crt_check_extended_key_usage(crt, (const char *)server.data, server.len) == 0;
	bool calls = mbedtls_x509_crt_check_extended_key_usage(crt, (const char *)client.data, client.len) == 0;
	return (use == PKI_CLIENT || serves) && (use == PKI_SERVER || calls);
}

bool pki_verify(struct bytes cert, struct bytes ca, enum pki_use use, int64_t now_s, struct err *e)
{
	mbedtls_x509_crt crt, root;
	mbedtls_x509_crt_init(&crt);
	mbedtls_x509_crt_init(&root);
	bool ok = false;
	if (!cert_parse(cert, &crt, e))
		goto out;
	if (!cert_parse(ca, &root, e)) {
		err_wrap(e, "the CA");
		goto out;
	}
	uint32_t flags = 0;
	int ret = mbedtls_x509_crt_verify_with_profile(&crt, &root, NULL, &mbedtls_x509_crt_profile_suiteb, NULL,
						       &flags, judge_period, &now_s);
	if (ret != 0 && ret != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		pki_fail(ERR_DENIED, "the certificate", ret, e);
	else if ((flags & ~(uint32_t)PERIOD_FLAGS) != 0)
		err_set(e, ERR_DENIED, "the certificate was not issued by our CA");
	else if (flags != 0)
		err_set(e, ERR_STALE, "the certificate's period %s",
			(flags & MBEDTLS_X509_BADCERT_FUTURE) != 0 ? "has not begun" : "is over");
	else if (!use_allows(&crt, use))
		err_set(e, ERR_DENIED, "the certificate is not for this use");
	else
		ok = true;
out:
	mbedtls_x509_crt_free(&crt);
	mbedtls_x509_crt_free(&root);
	return ok;
}

static void pem_lines(const char *label, char begin[64], char end[64])
{
	snprintf(begin, 64, "-----BEGIN %.40s-----", label);
	snprintf(end, 64, "-----END %.40s-----", label);
}

bool pki_to_pem(struct bytes der, const char *label, struct buf *pem, struct err *e)
{
	char begin[64], end[64], first[66], last[66];
	uint8_t work[2 * PKI_CERT_MAX];
	size_t len = 0;
	pem_lines(label, begin, end);
	snprintf(first, sizeof(first), "%s\n", begin);
	snprintf(last, sizeof(last), "%s\n", end);
	int ret = mbedtls_pem_write_buffer(first, last, der.data, der.len, work, sizeof(work), &len);
	bool ok = ret == 0 || pki_fail(ERR_FULL, "PEM", ret, e);
	if (ok) {
		buf_add(pem, work, len - 1); /* the library counts its NUL */
		ok = buf_ok(pem, "PEM", e);
	}
	explicit_bzero(work, sizeof(work));
	return ok;
}

bool pki_from_pem(struct bytes pem, const char *label, struct buf *der, struct err *e)
{
	char begin[64], end[64];
	struct buf text;
	mbedtls_pem_context c;
	size_t used = 0;
	pem_lines(label, begin, end);
	buf_init(&text, 4 * (size_t)PKI_CERT_MAX);
	mbedtls_pem_init(&c);
	buf_add(&text, pem.data, pem.len);
	bool ok = buf_ok(&text, "PEM", e);
	if (ok) {
		const char *s = buf_str(&text);
		int ret = mbedtls_pem_read_buffer(&c, begin, end, (const unsigned char *)s, NULL, 0, &used);
		ok = ret == 0 || pki_fail(ERR_INPUT, label, ret, e);
	}
	if (ok) {
		buf_add(der, c.buf, c.buflen);
		ok = buf_ok(der, label, e);
	}
	mbedtls_pem_free(&c);
	buf_wipe(&text);
	return ok;
}
