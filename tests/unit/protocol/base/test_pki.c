#include "protocol/base/file.h"
#include "protocol/base/pki.h"
#include "protocol/crypto.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FROM_S 1767225600LL /* 2026-01-01 */
#define TO_S   2556143999LL /* 2050-12-31 23:59:59: the first years that need GeneralizedTime */

static struct err e;
static struct buf ca_key, ca, key, cert, csr, out;

static void setup(void)
{
	e = (struct err){ 0 };
	struct buf *all[] = { &ca_key, &ca, &key, &cert, &csr, &out };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_init(all[i], 16384);
	struct pki_issue p = { .name = "Test CA", .use = PKI_CA, .from_s = FROM_S, .to_s = TO_S, .serial = { 1 } };
	bool made = pki_key_new(&ca_key, &e) && pki_key_new(&key, &e);
	p.key = buf_bytes(&ca_key);
	if (!made || !pki_issue(&p, &ca, &e) || !pki_csr_new(buf_bytes(&key), "who-asks", &csr, &e))
		abort();
}

static void teardown(void)
{
	struct buf *all[] = { &ca_key, &ca, &key, &cert, &csr, &out };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buf_clear(all[i]);
}

static struct pki_issue leaf(enum pki_use use)
{
	return (struct pki_issue){
		.ca_cert = buf_bytes(&ca),
		.ca_key = buf_bytes(&ca_key),
		.csr = buf_bytes(&csr),
		.name = "b0001",
		.use = use,
		.from_s = FROM_S + 100,
		.to_s = FROM_S + 200,
		.serial = { 0xff, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	};
}

static void a_certificate_says_what_was_ordered(void)
{
	struct pki_issue p = leaf(PKI_CLIENT);
	struct pki_info info;
	uint8_t scalar[32], point[65];
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	CU_ASSERT_TRUE(pki_read(buf_bytes(&cert), &info, &e));
	CU_ASSERT_STRING_EQUAL(info.name, "b0001");
	CU_ASSERT_STRING_EQUAL(info.issuer, "Test CA");
	CU_ASSERT_STRING_EQUAL(info.serial, "00ff02030405060708090a0b0c0d0e0f10");
	CU_ASSERT_EQUAL(info.from_s, FROM_S + 100);
	CU_ASSERT_EQUAL(info.to_s, FROM_S + 200);
	CU_ASSERT_FALSE(info.is_ca);
	CU_ASSERT_TRUE(pki_key_raw(buf_bytes(&key), scalar, point, &e));
	CU_ASSERT_EQUAL(memcmp(point, info.point, 65), 0);
	CU_ASSERT_TRUE(pki_read(buf_bytes(&ca), &info, &e));
	CU_ASSERT_TRUE(info.is_ca);
	CU_ASSERT_EQUAL(info.to_s, TO_S);
}

static void a_key_signs_what_its_point_verifies(void)
{
	uint8_t scalar[32], point[65], signature[SIGNATURE_LEN];
	CU_ASSERT_TRUE_FATAL(pki_key_raw(buf_bytes(&key), scalar, point, &e));
	CU_ASSERT_TRUE(sign_es256(scalar, &random_system, bytes_of("x"), signature, &e));
	CU_ASSERT_TRUE(verify_es256(point, bytes_of("x"), signature, &e));
	CU_ASSERT_FALSE(pki_key_raw(bytes_of("no key"), scalar, point, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void check_verify(enum pki_use use, int64_t now_s, enum err_code want)
{
	e.code = ERR_NONE;
	CU_ASSERT_EQUAL(pki_verify(buf_bytes(&cert), buf_bytes(&ca), use, now_s, &e), want == ERR_NONE);
	CU_ASSERT_EQUAL(e.code, want);
}

static void a_certificate_holds_in_its_period_alone(void)
{
	struct pki_issue p = leaf(PKI_CLIENT);
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	check_verify(PKI_CLIENT, FROM_S + 99, ERR_STALE);
	check_verify(PKI_CLIENT, FROM_S + 100, ERR_NONE);
	check_verify(PKI_CLIENT, FROM_S + 200, ERR_NONE);
	check_verify(PKI_CLIENT, FROM_S + 201, ERR_STALE);
	check_verify(PKI_CLIENT, TO_S + 1, ERR_STALE);
}

static void a_certificate_outlives_no_ca(void)
{
	struct pki_issue p = leaf(PKI_SERVER);
	p.to_s = TO_S + 1000;
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	check_verify(PKI_SERVER, TO_S, ERR_NONE);
	check_verify(PKI_SERVER, TO_S + 1, ERR_STALE);
}

static void a_certificate_serves_its_use_alone(void)
{
	static const struct {
		enum pki_use made;
		bool ca, server, client, both;
	} rows[] = {
		{ PKI_CA, true, false, false, false },
		{ PKI_SERVER, false, true, false, false },
		{ PKI_CLIENT, false, false, true, false },
		{ PKI_SERVER_CLIENT, false, true, true, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki_issue p = leaf(rows[i].made);
		buf_reset(&cert);
		CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
		check_verify(PKI_CA, FROM_S + 150, rows[i].ca ? ERR_NONE : ERR_DENIED);
		check_verify(PKI_SERVER, FROM_S + 150, rows[i].server ? ERR_NONE : ERR_DENIED);
		check_verify(PKI_CLIENT, FROM_S + 150, rows[i].client ? ERR_NONE : ERR_DENIED);
		check_verify(PKI_SERVER_CLIENT, FROM_S + 150, rows[i].both ? ERR_NONE : ERR_DENIED);
	}
}

static void another_ca_of_the_same_name_is_refused(void)
{
	struct buf other_key, other;
	buf_init(&other_key, PKI_KEY_MAX);
	buf_init(&other, PKI_CERT_MAX);
	struct pki_issue p = { .name = "Test CA", .use = PKI_CA, .from_s = FROM_S, .to_s = TO_S, .serial = { 1 } };
	CU_ASSERT_TRUE(pki_key_new(&other_key, &e));
	p.key = buf_bytes(&other_key);
	CU_ASSERT_TRUE(pki_issue(&p, &other, &e));
	struct pki_issue l = leaf(PKI_CLIENT);
	l.ca_cert = buf_bytes(&other); /* its key is another */
	CU_ASSERT_FALSE(pki_issue(&l, &cert, &e));
	l.ca_key = buf_bytes(&other_key);
	CU_ASSERT_TRUE(pki_issue(&l, &cert, &e));
	check_verify(PKI_CLIENT, FROM_S + 150, ERR_DENIED);
	buf_clear(&other_key);
	buf_clear(&other);
}

static void a_leaf_issues_nothing(void)
{
	struct pki_issue p = leaf(PKI_CLIENT);
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	struct pki_issue q = leaf(PKI_CLIENT);
	q.ca_cert = buf_bytes(&cert);
	q.ca_key = buf_bytes(&key);
	CU_ASSERT_FALSE(pki_issue(&q, &out, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static void a_request_not_signed_by_its_key_is_refused(void)
{
	struct pki_issue p = leaf(PKI_CLIENT);
	for (size_t i = 0; i < csr.len; i++) {
		csr.data[i] ^= 1;
		buf_reset(&cert);
		if (pki_issue(&p, &cert, &e))
			CU_FAIL("a changed request was certified");
		csr.data[i] ^= 1;
	}
	csr.data[csr.len - 1] ^= 1;
	CU_ASSERT_FALSE(pki_issue(&p, &cert, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
}

static void cut_short_at_any_byte_nothing_is_read(void)
{
	struct pki_issue p = leaf(PKI_SERVER);
	struct pki_info info;
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	for (size_t n = 0; n < cert.len; n++)
		CU_ASSERT_FALSE(pki_read((struct bytes){ cert.data, n }, &info, &e));
	for (size_t n = 1; n < csr.len; n++) {
		p.csr.len = n;
		CU_ASSERT_FALSE(pki_issue(&p, &out, &e));
	}
	buf_add_u8(&cert, 0);
	CU_ASSERT_FALSE(pki_read(buf_bytes(&cert), &info, &e));
}

static void what_cannot_stand_in_a_certificate_is_refused(void)
{
	static const char *const names[] = { "",
					     "a,O=Bank",
					     "a+b",
					     "x\ny",
					     " lead",
					     "café",
					     "0123456789012345678901234567890123456789012345678901234567890123x" };
	static const char *const bad[] = { "a b" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pki_issue p = leaf(PKI_SERVER);
		p.name = names[i];
		CU_ASSERT_FALSE(pki_issue(&p, &cert, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		CU_ASSERT_FALSE(pki_csr_new(buf_bytes(&key), names[i], &cert, &e));
	}
	struct pki_issue p = leaf(PKI_SERVER);
	p.sans = bad;
	p.sans_len = 1;
	CU_ASSERT_FALSE(pki_issue(&p, &cert, &e));
	p = leaf(PKI_SERVER);
	p.to_s = p.from_s;
	CU_ASSERT_FALSE(pki_issue(&p, &cert, &e));
	p = leaf(PKI_SERVER);
	memset(p.serial, 0, sizeof(p.serial));
	CU_ASSERT_FALSE(pki_issue(&p, &cert, &e));
	CU_ASSERT_EQUAL(cert.len, 0);
}

static void pem_goes_there_and_back(void)
{
	struct buf back;
	buf_init(&back, PKI_CERT_MAX);
	CU_ASSERT_TRUE(pki_to_pem(buf_bytes(&ca), "CERTIFICATE", &out, &e));
	CU_ASSERT_EQUAL(strncmp(buf_str(&out), "-----BEGIN CERTIFICATE-----\nMII", 31), 0);
	CU_ASSERT_TRUE(pki_from_pem(buf_bytes(&out), "CERTIFICATE", &back, &e));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&back), buf_bytes(&ca)));
	CU_ASSERT_FALSE(pki_from_pem(buf_bytes(&out), "EC PRIVATE KEY", &back, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	for (size_t n = 0; n + 2 < out.len; n += 7)
		CU_ASSERT_FALSE(pki_from_pem((struct bytes){ out.data, n }, "CERTIFICATE", &back, NULL));
	buf_clear(&back);
}

static bool keep(const char *dir, const char *name, struct buf *der, const char *label)
{
	char path[128];
	buf_reset(&out);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return pki_to_pem(buf_bytes(der), label, &out, &e) && file_write(path, buf_bytes(&out), 0600, &e);
}

static void check_said(const char *what)
{
	if (strstr(buf_str(&out), what) == NULL) {
		printf("\n%s\n", buf_str(&out));
		CU_FAIL("openssl does not say so");
	}
}

static void openssl_reads_it_the_same_way(void)
{
	static const char *const sans[] = { "localhost", "*.branch.example", "127.0.0.1", "::1" };
	const char *d = test_dir();
	if (child_run_words(&out, "openssl version") != 0) {
		test_skip("openssl");
		return;
	}
	struct pki_issue p = leaf(PKI_SERVER_CLIENT);
	p.sans = sans;
	p.sans_len = 4;
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, &e));
	CU_ASSERT_TRUE_FATAL(keep(d, "ca.pem", &ca, "CERTIFICATE") && keep(d, "cert.pem", &cert, "CERTIFICATE") &&
			     keep(d, "csr.pem", &csr, "CERTIFICATE REQUEST") &&
			     keep(d, "key.pem", &key, "EC PRIVATE KEY"));
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "openssl x509 -noout -text -in %s/cert.pem", d), 0);
	check_said("DNS:localhost, DNS:*.branch.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
	check_said("TLS Web Server Authentication, TLS Web Client Authentication");
	check_said("X509v3 Key Usage: critical\n                Digital Signature\n");
	check_said("CA:FALSE");
	check_said("X509v3 Authority Key Identifier");
	check_said("X509v3 Subject Key Identifier");
	buf_reset(&out);
	CU_ASSERT_EQUAL(
		child_run_words(
			&out,
			"openssl verify -x509_strict -purpose sslserver -attime %lld -CAfile %s/ca.pem %s/cert.pem",
			FROM_S + 150, d, d),
		0);
	buf_reset(&out);
	CU_ASSERT_NOT_EQUAL(child_run_words(&out, "openssl verify -attime %lld -CAfile %s/ca.pem %s/cert.pem",
					    FROM_S + 250, d, d),
			    0);
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "openssl req -noout -verify -in %s/csr.pem", d), 0);
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run_words(&out, "openssl ec -noout -check -in %s/key.pem", d), 0);
}

static CU_TestInfo tests[] = {
	{ "a certificate says what was ordered", a_certificate_says_what_was_ordered },
	{ "a key signs what its point verifies", a_key_signs_what_its_point_verifies },
	{ "a certificate holds in its period alone, by the time given", a_certificate_holds_in_its_period_alone },
	{ "a certificate does not outlive its CA", a_certificate_outlives_no_ca },
	{ "a certificate serves its use alone", a_certificate_serves_its_use_alone },
	{ "another CA of the same name is refused", another_ca_of_the_same_name_is_refused },
	{ "a leaf issues nothing", a_leaf_issues_nothing },
	{ "a request not signed by its key is refused", a_request_not_signed_by_its_key_is_refused },
	{ "cut short at any byte, nothing is read", cut_short_at_any_byte_nothing_is_read },
	{ "what cannot stand in a certificate is refused", what_cannot_stand_in_a_certificate_is_refused },
	{ "PEM goes there and back", pem_goes_there_and_back },
	{ "openssl reads it the same way", openssl_reads_it_the_same_way },
	CU_TEST_INFO_NULL,
};
SUITE(pki, setup, teardown, tests);
