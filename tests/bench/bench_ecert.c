/*
 * Certificates verified a second, from the scanned text to the verdict (verify_run: base45, inflate, CBOR, COSE, claims, trust list,
 * signature, times, status, holder, business), beside what cannot be avoided: mbedTLS's ECDSA verify of the same signatures under
 * the same key, with the curve loaded and the hash, r and s at hand. XINBIAN_BENCH_CERTS (256) certificates, each with its own
 * signature, are gone through by turns; what is reported is the median of the rounds.
 */
#include "protocol/sign1.h"
#include "tests/bench/bench.h"
#include "tests/support/certificates.h"
#include "tests/support/checks.h" /* the customer's number */

#include <mbedtls/ecdsa.h>

#define ROUNDS 9
#define NOW_S  1780286400 /* 2026-06-01 */

struct scanned {
	struct buf text;
	uint8_t hash[HASH_LEN];
	mbedtls_mpi r, s;
};

static struct certificates certs;
static mbedtls_ecp_group group;
static mbedtls_ecp_point point;
static struct scanned *scans;
static size_t n;

/* The list of what is revoked: held, fresh, empty. */
static struct tag_key key;

static enum lookup_result list_state(void *arg, const char *name, struct check_list *state)
{
	(void)arg, (void)name;
	*state = (struct check_list){ 1, NOW_S, &key };
	return LOOKUP_NOT_LISTED;
}

static enum lookup_result list_find(void *arg, const char *name, uint64_t tag, uint32_t *value)
{
	(void)arg, (void)name, (void)tag, (void)value;
	return LOOKUP_NOT_LISTED;
}

static const struct check_source source = { NULL, list_state, list_find };

static void scan_make(struct scanned *s, size_t serial)
{
	char digits[24];
	struct buf cose, memory, signed_text;
	struct sign1 message;
	struct err e = { 0 };
	buf_init(&s->text, ECERT_TEXT_MAX);
	buf_init(&cose, ECERT_COSE_MAX);
	buf_init(&memory, ECERT_COSE_MAX);
	snprintf(digits, sizeof(digits), "%020zu", serial);
	struct ecert cert = certificate_of(CERT_TYPE, digits, NOW_S - 86400, &key);
	certificate_sign(&certs, &cert, &cose);
	bench_must(envelope_seal(ECERT_XB1, buf_bytes(&cose), &s->text, &e), e.text);
	bench_must(sign1_parse(buf_bytes(&cose), SIGN1_STRICT, &memory, &message, &e) &&
			   sign1_text(&message, (struct bytes){ NULL, 0 }, &signed_text, &e),
		   e.text);
	sha256(buf_bytes(&signed_text), s->hash);
	mbedtls_mpi_init(&s->r);
	mbedtls_mpi_init(&s->s);
	bench_must(mbedtls_mpi_read_binary(&s->r, message.signature.data, 32) == 0 &&
			   mbedtls_mpi_read_binary(&s->s, message.signature.data + 32, 32) == 0,
		   "r, s");
	buf_clear(&cose);
	buf_clear(&memory);
	buf_clear(&signed_text);
}

/* By turns, so that whatever else the machine does meets both. */
static void round_run(const struct verify_setting *setting, struct verify_request *request, double *ours,
		      double *peer)
{
	static struct verdict v;
	double ours_s = 0, peer_s = 0;
	for (size_t i = 0; i < n; i++) {
		double start = bench_now_s();
		bool ok =
			mbedtls_ecdsa_verify(&group, scans[i].hash, HASH_LEN, &point, &scans[i].r, &scans[i].s) == 0;
		double middle = bench_now_s();
		request->text = buf_bytes(&scans[i].text);
		verify_run(setting, request, &v);
		ours_s += bench_now_s() - middle;
		peer_s += middle - start;
		bench_must(ok && v.code == SCAN_ACCEPTED && v.outcome == SCAN_ACCEPT, "an accepted certificate");
	}
	*ours = (double)n / ours_s;
	*peer = (double)n / peer_s;
}

/* All but the signature: microseconds. */
static double open_us(void)
{
	struct buf cose, memory;
	struct sign1 message;
	struct ecert cert;
	enum ecert_profile profile;
	enum envelope_fault fault;
	buf_init(&cose, ECERT_COSE_MAX);
	buf_init(&memory, ECERT_COSE_MAX);
	double start = bench_now_s();
	for (size_t i = 0; i < n; i++) {
		buf_reset(&cose);
		bench_must(envelope_open(buf_bytes(&scans[i].text), &profile, &cose, &fault, NULL) &&
				   sign1_parse(buf_bytes(&cose), SIGN1_STRICT, &memory, &message, NULL) &&
				   ecert_decode(message.payload, &cert, NULL),
			   "a certificate");
	}
	double us = (bench_now_s() - start) / (double)n * 1e6;
	buf_clear(&cose);
	buf_clear(&memory);
	return us;
}

static void prepare(void)
{
	static const uint8_t secret[32] = { 1 };
	tag_key_init(&key, 7, 1, secret);
	certificates_open(&certs, "", "['*']");
	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&point);
	bench_must(mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0 &&
			   mbedtls_ecp_point_read_binary(&group, &point, certs.point, POINT_LEN) == 0,
		   "key");
	n = bench_env("XINBIAN_BENCH_CERTS", 256);
	scans = calloc(n, sizeof(*scans));
	bench_must(scans != NULL && n > 0, "XINBIAN_BENCH_CERTS");
	for (size_t i = 0; i < n; i++)
		scan_make(&scans[i], i);
}

int main(void)
{
	double ours[ROUNDS], peer[ROUNDS], open[ROUNDS];
	prepare();
	const struct verify_policy policy = { .issuers = certs.issuers,
					      .issuers_version = 1,
					      .issuers_confirmed_s = NOW_S,
					      .kinds = certs.kinds,
					      .kinds_version = 1 };
	const struct verify_setting setting = { &policy, &source, NOW_S, true };
	struct verify_request request = { .business = CERT_BUSINESS, .has_holder = true };
	request.holder.kind = IDENTIFIER_RESIDENT_ID;
	snprintf(request.holder.number, sizeof(request.holder.number), "%s", ADULT);
	request.holder.birth_day = INT64_MIN;
	printf("%zu certificates of %zu characters each\n", n, scans[0].text.len);
	for (int i = 0; i < ROUNDS; i++) {
		round_run(&setting, &request, &ours[i], &peer[i]);
		open[i] = open_us();
	}
	bench_row("ecert.verify", bench_median(ours, ROUNDS), "1/s", "mbedTLS ECDSA verify",
		  bench_median(peer, ROUNDS), false);
	bench_row("ecert.open", bench_median(open, ROUNDS), "us", NULL, 0, true);
	return 0;
}
