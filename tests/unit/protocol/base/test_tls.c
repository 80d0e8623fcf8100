#include "protocol/base/tls.h"
#include "protocol/crypto.h"
#include "tests/support/identity.h"
#include "tests/test.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOW_S (IDENTITY_FROM_S + 1000000)

static struct err e, client_e;
static struct identity ca, other_ca, server_id, client_id, short_id, stranger_id, server_as_client_id;
static struct tls_config *server_config, *client_config;
static struct tls *server, *client;
static int fds[2];

static int suite_setup_done;

static void make_identities(void)
{
	if (suite_setup_done++ > 0)
		return;
	identity_ca(&ca, "Test CA");
	identity_ca(&other_ca, "Test CA");
	identity_issue(&ca, &server_id, "central", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &client_id, "b0001", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &short_id, "b0002", PKI_CLIENT, NOW_S - 100, NOW_S + 100);
	identity_issue(&other_ca, &stranger_id, "b0001", PKI_SERVER_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	identity_issue(&ca, &server_as_client_id, "b0003", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
}

static void setup(void)
{
	make_identities();
	e = client_e = (struct err){ 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
}

static void teardown(void)
{
	tls_free(server);
	tls_free(client);
	tls_config_free(server_config);
	tls_config_free(client_config);
	server = client = NULL;
	server_config = client_config = NULL;
	close(fds[0]);
	close(fds[1]);
}

/* id NULL: none. */
static struct tls_config *config(bool is_server, const struct identity *id, const struct identity *trusted,
				 bool required)
{
	struct tls_identity i = { .peer_required = required };
	if (id != NULL) {
		i.cert = buf_bytes(&id->cert);
		i.key = buf_bytes(&id->key);
	}
	if (trusted != NULL)
		i.ca = buf_bytes(&trusted->cert);
	struct tls_config *c = tls_config_new(is_server, &i, &e);
	assert(c != NULL);
	tls_config_clock(c, NOW_S);
	return c;
}

/* Both to their ends; what the server and the client came to. */
static void shake(const char *name, enum tls_step *s, enum tls_step *c)
{
	server = tls_new(server_config, fds[0], NULL, &e);
	client = tls_new(client_config, fds[1], name, &e);
	assert(server != NULL && client != NULL);
	*s = *c = TLS_WANT_READ;
	for (int i = 0; i < 50 && (*s == TLS_WANT_READ || *c == TLS_WANT_READ); i++) {
		if (*c == TLS_WANT_READ)
			*c = tls_handshake(client, &client_e);
		if (*s == TLS_WANT_READ)
			*s = tls_handshake(server, &e);
	}
}

static void check_shake(const char *name, enum tls_step want_server, enum tls_step want_client)
{
	enum tls_step s, c;
	shake(name, &s, &c);
	CU_ASSERT_EQUAL(s, want_server);
	CU_ASSERT_EQUAL(c, want_client);
}

static void both_sides_learn_each_others_name(void)
{
	server_config = config(true, &server_id, &ca, true);
	client_config = config(false, &client_id, &ca, false);
	check_shake("localhost", TLS_DONE, TLS_DONE);
	CU_ASSERT_STRING_EQUAL(tls_peer(server), "b0001");
	CU_ASSERT_STRING_EQUAL(tls_peer(client), "central");
}

static void a_client_without_a_certificate(bool required, enum tls_step want)
{
	enum tls_step s, c;
	server_config = config(true, &server_id, &ca, required);
	client_config = config(false, NULL, &ca, false);
	shake("localhost", &s, &c);
	CU_ASSERT_EQUAL(s, want);
	CU_ASSERT_STRING_EQUAL(tls_peer(server), "");
	CU_ASSERT_EQUAL(e.code, want == TLS_DONE ? ERR_NONE : ERR_DENIED);
}

static void a_required_certificate_must_be_shown(void)
{
	a_client_without_a_certificate(true, TLS_FAILED);
}

static void an_optional_certificate_may_be_missing(void)
{
	a_client_without_a_certificate(false, TLS_DONE);
}

static void refuses_client(const struct identity *id, bool required, int64_t now_s, enum err_code why)
{
	enum tls_step s, c;
	server_config = config(true, &server_id, &ca, required);
	client_config = config(false, id, &ca, false);
	tls_config_clock(server_config, now_s);
	shake("localhost", &s, &c);
	CU_ASSERT_EQUAL(s, TLS_FAILED);
	CU_ASSERT_EQUAL(e.code, why);
	CU_ASSERT_STRING_EQUAL(tls_peer(server), "");
	teardown();
	setup();
}

static void a_foreign_certificate_is_refused_even_where_none_is_needed(void)
{
	refuses_client(&stranger_id, true, NOW_S, ERR_DENIED);
	refuses_client(&stranger_id, false, NOW_S, ERR_DENIED);
}

static void a_certificate_for_another_use_is_refused(void)
{
	refuses_client(&server_as_client_id, true, NOW_S, ERR_DENIED);
	refuses_client(&server_as_client_id, false, NOW_S, ERR_DENIED);
}

static void periods_go_by_the_trusted_clock(void)
{
	refuses_client(&short_id, true, NOW_S + 101, ERR_STALE);
	refuses_client(&short_id, false, NOW_S - 101, ERR_STALE);
	refuses_client(&client_id, true, IDENTITY_TO_S + 1, ERR_STALE);
	server_config = config(true, &server_id, &ca, true);
	client_config = config(false, &short_id, &ca, false);
	check_shake("localhost", TLS_DONE, TLS_DONE);
}

static void a_server_past_its_date_is_refused(void)
{
	server_config = config(true, &server_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	tls_config_clock(client_config, IDENTITY_TO_S + 1);
	enum tls_step s, c;
	shake("localhost", &s, &c);
	CU_ASSERT_EQUAL(c, TLS_FAILED);
	CU_ASSERT_EQUAL(client_e.code, ERR_STALE);
}

static void without_a_clock_no_period_is_judged(void)
{
	server_config = config(true, &server_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	tls_config_clock(client_config, 0);
	check_shake("localhost", TLS_DONE, TLS_DONE);
}

static void check_server_name(const char *name, bool good)
{
	server_config = config(true, &server_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	enum tls_step s, c;
	shake(name, &s, &c);
	CU_ASSERT_EQUAL(c, good ? TLS_DONE : TLS_FAILED);
	CU_ASSERT_EQUAL(client_e.code, good ? ERR_NONE : ERR_DENIED);
	teardown();
	setup();
}

static void a_server_must_carry_the_name_asked_for(void)
{
	check_server_name("localhost", true);
	check_server_name("127.0.0.1", true);
	check_server_name("127.0.0.2", false);
	check_server_name("::1", false);
	check_server_name("central", false); /* its CN, but alternative names rule */
	check_server_name("localhost.example", false);
}

static void a_server_of_another_ca_is_refused(void)
{
	server_config = config(true, &stranger_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	enum tls_step s, c;
	shake("localhost", &s, &c);
	CU_ASSERT_EQUAL(c, TLS_FAILED);
	CU_ASSERT_EQUAL(client_e.code, ERR_DENIED);
}

static void bytes_go_both_ways_and_closing_is_told(void)
{
	uint8_t *sent = malloc(100000), *got = malloc(100000);
	size_t put = 0, have = 0, n;
	assert(sent != NULL && got != NULL);
	random_system.fill(NULL, sent, 100000);
	server_config = config(true, &server_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	check_shake("localhost", TLS_DONE, TLS_DONE);
	for (int i = 0; i < 10000 && have < 100000; i++) {
		if (put < 100000 && tls_write(client, sent + put, 100000 - put, &n, &e) == TLS_DONE)
			put += n;
		if (i % 3 == 0 && tls_read(server, got + have, 100000 - have, &n, &e) == TLS_DONE)
			have += n;
	}
	CU_ASSERT_EQUAL(have, 100000);
	CU_ASSERT_EQUAL(memcmp(sent, got, 100000), 0);
	CU_ASSERT_EQUAL(tls_read(server, got, 10, &n, &e), TLS_WANT_READ);
	CU_ASSERT_EQUAL(tls_close(client), TLS_DONE);
	CU_ASSERT_EQUAL(tls_read(server, got, 10, &n, &e), TLS_CLOSED);
	CU_ASSERT_EQUAL(tls_write(server, sent, 3000, &n, &e), TLS_DONE); /* the other direction goes on */
	CU_ASSERT_EQUAL(tls_read(client, got, 1000, &n, &e), TLS_DONE);
	CU_ASSERT_EQUAL(tls_pending(client), 2000);
	free(sent);
	free(got);
}

static void changed_bytes_end_the_connection(void)
{
	uint8_t raw[4096], got[64];
	size_t n;
	server_config = config(true, &server_id, NULL, false);
	client_config = config(false, NULL, &ca, false);
	check_shake("localhost", TLS_DONE, TLS_DONE);
	CU_ASSERT_EQUAL(tls_write(client, (const uint8_t *)"hello", 5, &n, &e), TLS_DONE);
	ssize_t len = recv(fds[0], raw, sizeof(raw), 0);
	assert(len > 10);
	raw[len - 1] ^= 1;
	CU_ASSERT_EQUAL(send(fds[1], raw, (size_t)len, 0), len);
	CU_ASSERT_EQUAL(tls_read(server, got, sizeof(got), &n, &e), TLS_FAILED);
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

/* A client of the library itself, which keeps its session. */

static int raw_random(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	random_system.fill(NULL, out, len);
	return 0;
}

static int raw_send(void *arg, const unsigned char *from, size_t size)
{
	ssize_t n = send(*(int *)arg, from, size, MSG_NOSIGNAL);
	return n < 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)n;
}

static int raw_recv(void *arg, unsigned char *to, size_t size)
{
	ssize_t n = recv(*(int *)arg, to, size, 0);
	return n < 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)n;
}

struct raw {
	mbedtls_ssl_config config;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	mbedtls_ssl_session session;
	bool has_session;
	unsigned certificates_sent; /* a resumed handshake sends none */
};

static void raw_init(struct raw *r, const struct identity *id)
{
	memset(r, 0, sizeof(*r));
	mbedtls_ssl_config_init(&r->config);
	mbedtls_x509_crt_init(&r->cert);
	mbedtls_pk_init(&r->key);
	mbedtls_ssl_session_init(&r->session);
	mbedtls_ssl_config_defaults(&r->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
				    MBEDTLS_SSL_PRESET_DEFAULT);
	mbedtls_ssl_conf_rng(&r->config, raw_random, NULL);
	mbedtls_ssl_conf_authmode(&r->config, MBEDTLS_SSL_VERIFY_NONE);
	mbedtls_x509_crt_parse_der(&r->cert, id->cert.data, id->cert.len);
	mbedtls_pk_parse_key(&r->key, id->key.data, id->key.len, NULL, 0);
	mbedtls_ssl_conf_own_cert(&r->config, &r->cert, &r->key);
}

static void raw_clear(struct raw *r)
{
	mbedtls_ssl_config_free(&r->config);
	mbedtls_x509_crt_free(&r->cert);
	mbedtls_pk_free(&r->key);
	mbedtls_ssl_session_free(&r->session);
}

/* One connection; returns what the server came to and whether it was resumed. */
static enum tls_step raw_shake(struct raw *r, bool *resumed)
{
	mbedtls_ssl_context ssl;
	mbedtls_ssl_init(&ssl);
	mbedtls_ssl_setup(&ssl, &r->config);
	mbedtls_ssl_set_bio(&ssl, &fds[1], raw_send, raw_recv, NULL);
	if (r->has_session)
		mbedtls_ssl_set_session(&ssl, &r->session);
	server = tls_new(server_config, fds[0], NULL, &e);
	assert(server != NULL);
	enum tls_step s = TLS_WANT_READ;
	int c = MBEDTLS_ERR_SSL_WANT_READ;
	*resumed = true;
	for (int i = 0; i < 100 && (s == TLS_WANT_READ || c == MBEDTLS_ERR_SSL_WANT_READ); i++) {
		if (c == MBEDTLS_ERR_SSL_WANT_READ && ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER)
			c = mbedtls_ssl_handshake_step(&ssl);
		if (c == 0 && ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER)
			c = MBEDTLS_ERR_SSL_WANT_READ;
		if (ssl.state == MBEDTLS_SSL_CLIENT_KEY_EXCHANGE)
			*resumed = false;
		if (s == TLS_WANT_READ)
			s = tls_handshake(server, &e);
	}
	if (s == TLS_DONE && c == 0)
		r->has_session = mbedtls_ssl_get_session(&ssl, &r->session) == 0;
	mbedtls_ssl_free(&ssl);
	return s;
}

static void again(void)
{
	tls_free(server);
	server = NULL;
	close(fds[0]);
	close(fds[1]);
	setup();
}

static void a_resumed_session_keeps_the_peers_name(void)
{
	struct raw r;
	bool resumed;
	server_config = config(true, &server_id, &ca, true);
	raw_init(&r, &short_id);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_DONE);
	CU_ASSERT_FALSE(resumed);
	CU_ASSERT_TRUE_FATAL(r.has_session);
	again();
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_DONE);
	CU_ASSERT_TRUE(resumed);
	CU_ASSERT_STRING_EQUAL(tls_peer(server), "b0002");
	raw_clear(&r);
}

static void resumption_lets_no_certificate_past_its_date_in(void)
{
	struct raw r;
	bool resumed;
	server_config = config(true, &server_id, &ca, true);
	raw_init(&r, &short_id);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_DONE);
	again();
	tls_config_clock(server_config, NOW_S + 101);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_FAILED);
	CU_ASSERT_TRUE(resumed);
	CU_ASSERT_EQUAL(e.code, ERR_STALE);
	CU_ASSERT_STRING_EQUAL(tls_peer(server), "");
	raw_clear(&r);
}

static void a_ticket_of_another_server_opens_nothing(void)
{
	struct raw r;
	bool resumed;
	server_config = config(true, &server_id, NULL, false);
	raw_init(&r, &stranger_id);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_DONE); /* asked for none */
	again();
	tls_config_free(server_config);
	server_config = config(true, &server_id, &ca, true);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_FAILED);
	CU_ASSERT_FALSE(resumed);
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	raw_clear(&r);
}

static void older_versions_and_other_suites_are_refused(void)
{
	static const int cbc[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 0 };
	struct raw r;
	bool resumed;
	server_config = config(true, &server_id, NULL, false);
	raw_init(&r, &client_id);
	mbedtls_ssl_conf_max_version(&r.config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_2);
	mbedtls_ssl_conf_min_version(&r.config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_1);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_FAILED);
	raw_clear(&r);
	again();
	raw_init(&r, &client_id);
	mbedtls_ssl_conf_ciphersuites(&r.config, cbc);
	CU_ASSERT_EQUAL(raw_shake(&r, &resumed), TLS_FAILED);
	raw_clear(&r);
}

static void an_identity_that_does_not_fit_is_refused(void)
{
	struct tls_identity i = { .cert = buf_bytes(&server_id.cert), .key = buf_bytes(&client_id.key) };
	CU_ASSERT_PTR_NULL(tls_config_new(true, &i, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	i = (struct tls_identity){ 0 };
	CU_ASSERT_PTR_NULL(tls_config_new(true, &i, &e));
	CU_ASSERT_PTR_NULL(tls_config_new(false, &i, &e)); /* no CA */
	i = (struct tls_identity){ .cert = buf_bytes(&server_id.cert),
				   .key = buf_bytes(&server_id.key),
				   .peer_required = true };
	CU_ASSERT_PTR_NULL(tls_config_new(true, &i, &e));
	i.ca = bytes_of("no certificate");
	CU_ASSERT_PTR_NULL(tls_config_new(true, &i, &e));
}

static CU_TestInfo tests[] = {
	{ "both sides learn each other's name", both_sides_learn_each_others_name },
	{ "a required certificate must be shown", a_required_certificate_must_be_shown },
	{ "an optional certificate may be missing", an_optional_certificate_may_be_missing },
	{ "a foreign certificate is refused even where none is needed",
	  a_foreign_certificate_is_refused_even_where_none_is_needed },
	{ "a certificate for another use is refused", a_certificate_for_another_use_is_refused },
	{ "periods go by the trusted clock", periods_go_by_the_trusted_clock },
	{ "a server past its date is refused", a_server_past_its_date_is_refused },
	{ "without a clock no period is judged", without_a_clock_no_period_is_judged },
	{ "a server must carry the name asked for", a_server_must_carry_the_name_asked_for },
	{ "a server of another CA is refused", a_server_of_another_ca_is_refused },
	{ "bytes go both ways, and closing is told", bytes_go_both_ways_and_closing_is_told },
	{ "changed bytes end the connection", changed_bytes_end_the_connection },
	{ "a resumed session keeps the peer's name", a_resumed_session_keeps_the_peers_name },
	{ "resumption lets no certificate past its date in", resumption_lets_no_certificate_past_its_date_in },
	{ "a ticket of another server opens nothing", a_ticket_of_another_server_opens_nothing },
	{ "older versions and other suites are refused", older_versions_and_other_suites_are_refused },
	{ "an identity that does not fit is refused", an_identity_that_does_not_fit_is_refused },
	CU_TEST_INFO_NULL,
};
SUITE(tls, setup, teardown, tests);
