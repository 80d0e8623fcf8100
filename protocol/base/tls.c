/*
 * Invariants: a handshake is DONE only when the peer's certificate, where one was shown, is of our CA, in its period by the
 * trusted clock, of the name asked for, and has a common name we can show. A resumed session brings its certificate along in
 * the ticket, and its period is judged again. Tickets open with keys of this tls_config alone, so they end with it.
 */
#include "protocol/base/tls.h"

#include "protocol/base/pki.h"
#include "protocol/crypto.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICKET_LIFE_S 3600
#define PERIOD_FLAGS  (MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)
#define SAN_TAG_MASK  0x1f
#define SAN_IP        7

struct tls_config {
	bool server, peer_required;
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt cert, ca;
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context tickets;
	int64_t now_s;
};

struct tls {
	struct tls_config *config;
	mbedtls_ssl_context ssl;
	int fd;
	char name[256];
	char peer[65];
	size_t put_again; /* bytes of the write that waits; the library wants the same again */
};

static const int ciphersuites[] = {
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};
static const int hashes[] = { MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_NONE };
static const mbedtls_ecp_group_id curves[] = { MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
					       MBEDTLS_ECP_DP_NONE };

static int fill_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	random_system.fill(random_system.arg, out, len);
	return 0;
}

static bool tls_fail(enum err_code code, const char *what, int ret, struct err *e)
{
	char text[128];
	mbedtls_strerror(ret, text, sizeof(text));
	return err_set(e, code, "%s: %s", what, text);
}

static bool identity_load(struct tls_config *c, const struct tls_identity *id, struct err *e)
{
	if (c->server && id->cert.len == 0)
		return err_set(e, ERR_INPUT, "a server needs a certificate");
	if (!c->server && id->ca.len == 0)
		return err_set(e, ERR_INPUT, "a client needs a CA to judge the server by");
	int ret = 0;
	if (id->cert.len > 0) {
		ret = mbedtls_x509_crt_parse_der(&c->cert, id->cert.data, id->cert.len);
		if (ret != 0)
			return tls_fail(ERR_INPUT, "our certificate", ret, e);
		ret = mbedtls_pk_parse_key(&c->key, id->key.data, id->key.len, NULL, 0);
		if (ret == 0)
			ret = mbedtls_pk_check_pair(&c->cert.pk, &c->key);
		if (ret == 0)
			ret = mbedtls_ssl_conf_own_cert(&c->ssl, &c->cert, &c->key);
		if (ret != 0)
			return tls_fail(ERR_INPUT, "our private key", ret, e);
	}
	if (id->ca.len > 0) {
		ret = mbedtls_x509_crt_parse_der(&c->ca, id->ca.data, id->ca.len);
		if (ret != 0)
			return tls_fail(ERR_INPUT, "the CA's certificate", ret, e);
		mbedtls_ssl_conf_ca_chain(&c->ssl, &c->ca, NULL);
	}
	int mode = id->ca.len == 0                  ? MBEDTLS_SSL_VERIFY_NONE
		   : c->server && !c->peer_required ? MBEDTLS_SSL_VERIFY_OPTIONAL
						    : MBEDTLS_SSL_VERIFY_REQUIRED;
	mbedtls_ssl_conf_authmode(&c->ssl, mode);
	return true;
}

static bool config_setup(struct tls_config *c, const struct tls_identity *id, struct err *e)
{
	int ret = mbedtls_ssl_config_defaults(&c->ssl, c->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
					      MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (ret == 0 && c->server)
		ret = mbedtls_ssl_ticket_setup(&c->tickets, fill_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
					       TICKET_LIFE_S);
	if (ret != 0)
		return tls_fail(ERR_IO, "TLS", ret, e);
	mbedtls_ssl_conf_rng(&c->ssl, fill_random, NULL);
	mbedtls_ssl_conf_min_version(&c->ssl, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_ciphersuites(&c->ssl, ciphersuites);
	mbedtls_ssl_conf_sig_hashes(&c->ssl, hashes);
	mbedtls_ssl_conf_curves(&c->ssl, curves);
	mbedtls_ssl_conf_cert_profile(&c->ssl, &mbedtls_x509_crt_profile_suiteb);
	mbedtls_ssl_conf_renegotiation(&c->ssl, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	if (c->server)
		mbedtls_ssl_conf_session_tickets_cb(&c->ssl, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
						    &c->tickets);
	else
		mbedtls_ssl_conf_session_tickets(&c->ssl, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	return identity_load(c, id, e);
}

struct tls_config *tls_config_new(bool server, const struct tls_identity *id, struct err *e)
{
	struct tls_config *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->server = server;
	c->peer_required = id->peer_required && id->ca.len > 0;
	mbedtls_ssl_config_init(&c->ssl);
	mbedtls_x509_crt_init(&c->cert);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_pk_init(&c->key);
	mbedtls_ssl_ticket_init(&c->tickets);
	bool ok = id->peer_required && id->ca.len == 0 ? err_set(e, ERR_INPUT, "no CA to judge the required peer by")
						       : config_setup(c, id, e);
	if (ok)
		return c;
	tls_config_free(c);
	return NULL;
}

void tls_config_free(struct tls_config *c)
{
	if (c == NULL)
		return;
	mbedtls_ssl_config_free(&c->ssl);
	mbedtls_x509_crt_free(&c->cert);
	mbedtls_x509_crt_free(&c->ca);
	mbedtls_pk_free(&c->key);
	mbedtls_ssl_ticket_free(&c->tickets);
	free(c);
}

void tls_config_clock(struct tls_config *c, int64_t now_s)
{
	c->now_s = now_s;
}

/* Without a clock no period is judged. What we cannot read we cannot judge. */
static uint32_t period_flags(const struct tls_config *c, const mbedtls_x509_crt *crt)
{
	struct pki_info info;
	if (!pki_read((struct bytes){ crt->raw.p, crt->raw.len }, &info, NULL))
		return MBEDTLS_X509_BADCERT_OTHER;
	if (c->now_s == 0)
		return 0;
	return (c->now_s < info.from_s ? MBEDTLS_X509_BADCERT_FUTURE : 0U) |
	       (c->now_s > info.to_s ? MBEDTLS_X509_BADCERT_EXPIRED : 0U);
}

/* mbedTLS 2.28 compares DNS names only. */
static bool address_matches(const char *name, const mbedtls_x509_crt *crt)
{
	uint8_t ip[16];
	size_t len = 0;
	if (inet_pton(AF_INET, name, ip) == 1)
		len = 4;
	else if (inet_pton(AF_INET6, name, ip) == 1)
		len = 16;
	if (len == 0 || (crt->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) == 0)
		return false;
	for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s != NULL; s = s->next) {
		if ((s->buf.tag & SAN_TAG_MASK) == SAN_IP && s->buf.len == len && memcmp(s->buf.p, ip, len) == 0)
			return true;
	}
	return false;
}

static int judge(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	const struct tls *t = arg;
	*flags &= ~(uint32_t)PERIOD_FLAGS;
	*flags |= period_flags(t->config, crt);
	if (depth == 0 && (*flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0 && address_matches(t->name, crt))
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

static int send_some(void *arg, const unsigned char *from, size_t size)
{
	const struct tls *t = arg;
	ssize_t n;
	do {
		n = send(t->fd, from, size, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	return errno == EPIPE || errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int recv_some(void *arg, unsigned char *to, size_t size)
{
	const struct tls *t = arg;
	ssize_t n;
	do {
		n = recv(t->fd, to, size, 0);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN)
		return MBEDTLS_ERR_SSL_WANT_READ;
	return errno == ECONNRESET ? MBEDTLS_ERR_NET_CONN_RESET : MBEDTLS_ERR_NET_RECV_FAILED;
}

struct tls *tls_new(struct tls_config *c, int fd, const char *name, struct err *e)
{
	assert(c->server == (name == NULL));
	struct tls *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	t->config = c;
	t->fd = fd;
	mbedtls_ssl_init(&t->ssl);
	int ret = mbedtls_ssl_setup(&t->ssl, &c->ssl);
	if (ret == 0 && name != NULL) {
		snprintf(t->name, sizeof(t->name), "%s", name);
		ret = name[0] == 0 ? MBEDTLS_ERR_SSL_BAD_INPUT_DATA : mbedtls_ssl_set_hostname(&t->ssl, name);
	}
	mbedtls_ssl_set_verify(&t->ssl, judge, t);
	mbedtls_ssl_set_bio(&t->ssl, t, send_some, recv_some, NULL);
	if (ret == 0)
		return t;
	tls_fail(ERR_INPUT, "a TLS connection", ret, e);
	tls_free(t);
	return NULL;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_free(&t->ssl);
	free(t);
}

static bool refuse_flags(uint32_t flags, struct err *e)
{
	if ((flags & (MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY)) != 0)
		return err_set(e, ERR_DENIED, "the peer shows no certificate");
	if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
		return err_set(e, ERR_DENIED, "the peer's certificate is of another name");
	if ((flags & ~(uint32_t)PERIOD_FLAGS) == 0)
		return err_set(e, ERR_STALE, "the peer's certificate, or its CA's, %s",
			       (flags & MBEDTLS_X509_BADCERT_FUTURE) != 0 ? "is not valid yet" : "is past its date");
	if ((flags & (MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_KEY_USAGE)) != 0)
		return err_set(e, ERR_DENIED, "the peer's certificate is not for this use");
	return err_set(e, ERR_DENIED, "the peer's certificate is not of our CA");
}

/* Also for resumed sessions, in which the library has judged nothing. */
static bool peer_check(struct tls *t, struct err *e)
{
	const struct tls_config *c = t->config;
	const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&t->ssl);
	if (crt == NULL)
		return (c->server && !c->peer_required) || refuse_flags(MBEDTLS_X509_BADCERT_MISSING, e);
	uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl) | period_flags(c, crt) | period_flags(c, &c->ca);
	struct pki_info info;
	if (flags != 0)
		return refuse_flags(flags, e);
	if (!pki_read((struct bytes){ crt->raw.p, crt->raw.len }, &info, e))
		return false;
	snprintf(t->peer, sizeof(t->peer), "%s", info.name);
	return true;
}

static enum tls_step step_of(int ret, const char *doing, struct err *e)
{
	switch (ret) {
	case MBEDTLS_ERR_SSL_WANT_READ: return TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE: return TLS_WANT_WRITE;
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_NET_CONN_RESET: err_set(e, ERR_IO, "%s: the peer hung up", doing); return TLS_FAILED;
	case MBEDTLS_ERR_NET_SEND_FAILED:
	case MBEDTLS_ERR_NET_RECV_FAILED: tls_fail(ERR_IO, doing, ret, e); return TLS_FAILED;
	default: tls_fail(ERR_INPUT, doing, ret, e); return TLS_FAILED;
	}
}

enum tls_step tls_handshake(struct tls *t, struct err *e)
{
	int ret = mbedtls_ssl_handshake(&t->ssl);
	if (ret == 0) {
		if (peer_check(t, e))
			return TLS_DONE;
		mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
					       MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED);
		return TLS_FAILED;
	}
	if (ret == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) { /* the alert's number says why, RFC 5246 section 7.2 */
		err_set(e, ERR_DENIED, "the peer refuses the handshake, alert %d", t->ssl.in_msg[1]);
		return TLS_FAILED;
	}
	uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);
	if (ret == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
		flags = MBEDTLS_X509_BADCERT_MISSING;
	else if ((ret != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && ret != MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE) ||
		 flags == UINT32_MAX)
		flags = 0;
	if (flags != 0) {
		refuse_flags(flags, e);
		return TLS_FAILED;
	}
	return step_of(ret, "handshake", e);
}

enum tls_step tls_read(struct tls *t, uint8_t *to, size_t size, size_t *got, struct err *e)
{
	*got = 0;
	int ret = mbedtls_ssl_read(&t->ssl, to, size);
	if (ret > 0) {
		*got = (size_t)ret;
		return TLS_DONE;
	}
	if (ret == 0 || ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return TLS_CLOSED;
	return step_of(ret, "reading", e);
}

enum tls_step tls_write(struct tls *t, const uint8_t *from, size_t size, size_t *put, struct err *e)
{
	*put = 0;
	assert(size >= t->put_again);
	size_t n = t->put_again > 0 ? t->put_again : size;
	int ret = mbedtls_ssl_write(&t->ssl, from, n);
	t->put_again = ret == MBEDTLS_ERR_SSL_WANT_WRITE ? n : 0;
	if (ret >= 0) {
		*put = (size_t)ret;
		return TLS_DONE;
	}
	return step_of(ret, "writing", e);
}

size_t tls_pending(const struct tls *t)
{
	return mbedtls_ssl_get_bytes_avail(&t->ssl);
}

enum tls_step tls_close(struct tls *t)
{
	int ret = mbedtls_ssl_close_notify(&t->ssl);
	return ret == 0 ? TLS_DONE : step_of(ret, "closing", NULL);
}

const char *tls_peer(const struct tls *t)
{
	return t->peer;
}
