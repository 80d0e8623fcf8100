/* The whole branch in this process with a real gate as its child; central is an HTTP server behind a gate of its own. */
#include "firmware/branch.h"
#include "protocol/base/file.h"
#include "protocol/base/json.h"
#include "protocol/base/tls.h"
#include "tests/support/identity.h"
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_S (IDENTITY_FROM_S + 86400)

ROLE(branch_gate, "gate", gate_main);

static struct loop *loop;
static struct branch *branch;
static struct branch_config config;
static struct identity ca, central_id;
static struct {
	char dir[80];
	struct http_server *server;
	struct proc *gate;
	int port;
	unsigned asked;
} central;

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Turns the loop until it holds. */
static bool until(bool (*holds)(void))
{
	for (int i = 0; i < 1000 && !holds(); i++)
		loop_once(loop, 10);
	return holds();
}

/* Central: whoever asks is certified as branch haidian. */

static void certify(const struct json *request, struct json_out *w)
{
	static const char *const sans[] = { "127.0.0.1" };
	struct buf csr, cert, pem;
	const char *text;
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&cert, PKI_CERT_MAX);
	buf_init(&pem, 8192);
	must(json_text(request, "csr", 8192, &text, NULL) &&
	     pki_from_pem(bytes_of(text), "CERTIFICATE REQUEST", &csr, NULL));
	const struct pki_issue p = { .ca_cert = buf_bytes(&ca.cert),
				     .ca_key = buf_bytes(&ca.key),
				     .csr = buf_bytes(&csr),
				     .name = "haidian",
				     .sans = sans,
				     .sans_len = 1,
				     .use = PKI_SERVER_CLIENT,
				     .from_s = IDENTITY_FROM_S,
				     .to_s = IDENTITY_TO_S,
				     .serial = { 9 } };
	must(pki_issue(&p, &cert, NULL) && pki_to_pem(buf_bytes(&cert), "CERTIFICATE", &pem, NULL));
	json_put_text_n(w, "certificate", buf_bytes(&pem));
	buf_reset(&pem);
	must(pki_to_pem(buf_bytes(&ca.cert), "CERTIFICATE", &pem, NULL));
	json_put_text_n(w, "ca", buf_bytes(&pem));
	buf_clear(&csr);
	buf_clear(&cert);
	buf_clear(&pem);
}

static void central_handle(struct http_request *r, void *arg)
{
	struct buf out;
	struct json_out w = { .out = &out };
	const char *point;
	struct json *request = json_parse(http_body(r), NULL);
	(void)arg;
	central.asked++;
	buf_init(&out, 65536);
	must(request != NULL && json_text(request, "seal_key", 2UL * POINT_LEN, &point, NULL));
	json_open(&w, NULL, '{');
	json_put_text(&w, "branch", "haidian");
	certify(request, &w);
	json_put_text(&w, "head_key", point);
	json_put_text(&w, "central_seal_key", point);
	json_open(&w, "broker", '{');
	json_put_text(&w, "host", "127.0.0.1");
	json_put_int(&w, "port", 1);
	json_close(&w, '}');
	json_put_int(&w, "time_s", NOW_S);
	json_close(&w, '}');
	http_reply(r, 200, "application/json", buf_bytes(&out));
	buf_clear(&out);
	json_free(request);
}

static void central_started(void *arg)
{
	struct gate_config c = { .now_s = NOW_S, .ports_len = 1 };
	struct gate_port *p = &c.ports[0];
	struct buf out;
	(void)arg;
	*p = (struct gate_port){ .inward = true,
				 .name = "enrol",
				 .host = "127.0.0.1",
				 .cert = buf_bytes(&central_id.cert),
				 .key = buf_bytes(&central_id.key) };
	snprintf(c.run_dir, sizeof(c.run_dir), "%s", central.dir);
	snprintf(p->socket, sizeof(p->socket), "%s/api.sock", central.dir);
	buf_init(&out, FRAME_MAX);
	must(gate_config_encode(&c, &out, NULL) && proc_send(central.gate, GATE_CONFIG, buf_bytes(&out)));
	buf_clear(&out);
}

static void central_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct gate_event v;
	(void)arg;
	if (type == GATE_EVENT && gate_event_decode(payload, &v, NULL) && v.kind == GATE_LISTENING)
		central.port = (int)v.number;
}

static void central_stopped(void *arg, const char *why)
{
	(void)arg, (void)why;
}

static bool central_listens(void)
{
	return central.port != 0;
}

static void central_open(void)
{
	static const struct proc_events on = { central_started, central_frame, central_stopped };
	char path[108];
	snprintf(central.dir, sizeof(central.dir), "%.60s", test_dir());
	snprintf(path, sizeof(path), "%s/api.sock", central.dir);
	const struct http_config h = { .path = path, .body_max = HTTP_BODY_MAX, .idle_timeout_s = 10 };
	central.port = 0;
	central.asked = 0;
	central.server = http_listen(loop, &h, central_handle, NULL, NULL);
	must(central.server != NULL);
	central.gate = proc_start(loop, "gate", &on, NULL);
	must(until(central_listens));
}

/* The branch. */

static void branch_start(void)
{
	struct err e = { 0 };
	branch = branch_open(loop, &config, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(branch);
	for (int i = 0; i < 3; i++)
		loop_once(loop, 1);
}

static void setup(void)
{
	loop = loop_new();
	identity_ca(&ca, "test CA");
	identity_issue(&ca, &central_id, "central", PKI_SERVER, IDENTITY_FROM_S, IDENTITY_TO_S);
	config = (struct branch_config){ .listen_host = "127.0.0.1" };
	snprintf(config.dir, sizeof(config.dir), "%.60s/b", test_dir());
	branch_start();
}

static void teardown(void)
{
	if (branch != NULL)
		branch_close(branch);
	branch = NULL;
	if (central.server != NULL) {
		proc_stop(central.gate);
		http_close(central.server);
		central.server = NULL;
	}
	identity_clear(&ca);
	identity_clear(&central_id);
	loop_free(loop);
}

/* Over a Unix socket: answers by turning our loop. */
static struct lan_box_answer *ask_at(const char *socket, const char *method, const char *path, const char *json)
{
	struct lan_box b = { .loop = loop };
	snprintf(b.path, sizeof(b.path), "%s", socket);
	return lan_box_ask(&b, method, path, NULL, json);
}

static struct lan_box_answer *ctl(const char *method, const char *path, const char *json)
{
	char socket[128];
	snprintf(socket, sizeof(socket), "%s/ctl.sock", config.dir);
	return ask_at(socket, method, path, json);
}

static bool has(const struct lan_box_answer *a, const char *part)
{
	return strstr(a->body, part) != NULL;
}

static bool https_is_open(void)
{
	return branch->line.https_port != 0;
}

static bool enrol_is_open(void)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/run/enrol.sock", config.dir);
	return access(path, F_OK) == 0;
}

static bool enrol_failed(void)
{
	return branch->line.enrol_fault[0] != '\0';
}

static int enrol_begin_with(const struct identity *trusted, char request[8192])
{
	struct buf pem, body;
	struct json_out w = { .out = &body };
	struct json_out r;
	buf_init(&pem, 8192);
	buf_init(&body, 16384);
	must(pki_to_pem(buf_bytes(&trusted->cert), "CERTIFICATE", &pem, NULL));
	json_open(&w, NULL, '{');
	json_put_text(&w, "host", "127.0.0.1");
	json_put_int(&w, "port", central.port);
	json_put_text_n(&w, "ca", buf_bytes(&pem));
	json_close(&w, '}');
	struct lan_box_answer *a = ctl("POST", "/enrol/begin", buf_str(&body));
	struct json *j = json_parse(bytes_of(a->body), NULL);
	must(j != NULL);
	const char *csr = "", *seal_key = "";
	(void)!json_text(j, "csr", 8192, &csr, NULL);
	(void)!json_text(j, "seal_key", 256, &seal_key, NULL);
	buf_reset(&body);
	r = (struct json_out){ .out = &body };
	json_open(&r, NULL, '{');
	json_put_text(&r, "token", "t");
	json_put_text(&r, "csr", csr);
	json_put_text(&r, "seal_key", seal_key);
	json_close(&r, '}');
	snprintf(request, 8192, "%s", buf_str(&body));
	int status = a->status;
	json_free(j);
	buf_clear(&pem);
	buf_clear(&body);
	return status;
}

static struct lan_box_answer *ask_central(const char *request)
{
	char socket[128];
	snprintf(socket, sizeof(socket), "%s/run/enrol.sock", config.dir);
	return ask_at(socket, "POST", "/v1/enrol", request);
}

static void enrol(void)
{
	char request[8192];
	CU_ASSERT_EQUAL_FATAL(enrol_begin_with(&ca, request), 200);
	CU_ASSERT_TRUE_FATAL(until(enrol_is_open));
	const struct lan_box_answer *a = ask_central(request);
	CU_ASSERT_EQUAL_FATAL(a->status, 200);
	a = ctl("POST", "/enrol/finish", a->body);
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "{\"branch\":\"haidian\"}"));
	CU_ASSERT_TRUE(until(https_is_open));
}

static void step_wait(int fd, enum tls_step step)
{
	struct pollfd p = { .fd = fd, .events = step == TLS_WANT_WRITE ? POLLOUT : POLLIN };
	loop_once(loop, 5);
	poll(&p, 1, 5);
}

/* GET over TLS, as a terminal would; false when it could not be had. */
static bool https_get(const char *path, char *out, size_t size)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)branch->line.https_port) };
	char request[256];
	size_t done = 0, n = 0, len;
	const struct tls_identity trust = { .ca = buf_bytes(&ca.cert) };
	struct tls_config *c = tls_config_new(false, &trust, NULL);
	must(c != NULL);
	tls_config_clock(c, NOW_S);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	struct tls *t = tls_new(c, fd, "127.0.0.1", NULL);
	must(t != NULL);
	enum tls_step step = TLS_WANT_READ;
	for (int i = 0; i < 500 && (step = tls_handshake(t, NULL)) != TLS_DONE && step != TLS_FAILED; i++)
		step_wait(fd, step);
	len = (size_t)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
			       path);
	if (step == TLS_DONE)
		step = tls_write(t, (const uint8_t *)request, len, &n, NULL);
	for (int i = 0; i < 500 && done < size - 1 && (step == TLS_DONE || step == TLS_WANT_READ); i++) {
		step = tls_read(t, (uint8_t *)out + done, size - 1 - done, &n, NULL);
		if (step == TLS_DONE)
			done += n;
		else if (step == TLS_WANT_READ)
			step_wait(fd, step);
	}
	out[done] = '\0';
	tls_free(t);
	tls_config_free(c);
	close(fd);
	return strncmp(out, "HTTP/1.1 ", 9) == 0;
}

static void before_it_is_enrolled_the_local_socket_works_and_nothing_is_checked(void)
{
	CU_ASSERT_TRUE(has(ctl("GET", "/v1/status", NULL), "\"enrolled\":false,\"loading\":false"));
	const struct lan_box_answer *a = ctl("GET", "/healthz", NULL);
	CU_ASSERT_EQUAL(a->status, 503);
	CU_ASSERT_TRUE(has(a, "not_enrolled"));
	CU_ASSERT_EQUAL(ctl("POST", "/v1/checks", lan_box_check("r-1", ""))->status, 503);
	CU_ASSERT_EQUAL(ctl("POST", "/enrol/finish", "{}")->status, 409);
	CU_ASSERT_EQUAL(ctl("POST", "/enrol/begin", "{\"host\":\"x\",\"port\":0,\"ca\":\"\"}")->status, 400);
	CU_ASSERT_EQUAL(ctl("POST", "/enrol/begin", "{\"host\":\"x\",\"port\":1,\"ca\":\"no PEM\"}")->status, 400);
	CU_ASSERT_PTR_NULL(branch->line.gate);
}

static void terminals_are_added_listed_and_revoked_over_the_local_socket(void)
{
	const struct lan_box_answer *a = ctl("POST", "/v1/terminals", "{\"name\":\"kiosk-1\"}");
	CU_ASSERT_EQUAL(a->status, 201);
	const char *token = strstr(a->body, "\"token\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(token);
	char copy[TERMINAL_TOKEN_LEN + 1];
	snprintf(copy, sizeof(copy), "%s", token + strlen("\"token\":\""));
	CU_ASSERT_STRING_EQUAL(terminal_of_token(branch->terminals, copy), "kiosk-1");
	a = ctl("POST", "/v1/terminals", "{\"name\":\"card\",\"certificate\":true}");
	CU_ASSERT_TRUE(has(a, "{\"name\":\"card\",\"token\":null}"));
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals", "{\"name\":\"card\"}")->status, 409);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals", "{\"name\":\"a/b\"}")->status, 400);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals", "{\"name\":\"x\",\"colour\":1}")->status, 400);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals", "[]")->status, 400);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals/kiosk-1/revoke", "{}")->status, 200);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals/nobody/revoke", "{}")->status, 404);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/terminals//revoke", "{}")->status, 404);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/t", "{}")->status, 404);
	CU_ASSERT_PTR_NULL(terminal_of_token(branch->terminals, copy));
	a = ctl("GET", "/v1/terminals", NULL);
	CU_ASSERT_TRUE(has(a, "\"name\":\"kiosk-1\",\"enabled\":false,\"certificate\":false"));
}

static void it_enrols_through_gate_and_opens_https_without_a_restart(void)
{
	char answer[8192];
	central_open();
	enrol();
	CU_ASSERT_EQUAL(central.asked, 1);
	CU_ASSERT_TRUE(has(ctl("GET", "/v1/status", NULL), "\"branch\":\"haidian\""));
	CU_ASSERT_TRUE_FATAL(https_get("/healthz", answer, sizeof(answer)));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "no_rules"));
	CU_ASSERT_TRUE(https_get("/v1/status", answer, sizeof(answer)));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, " 401 "));
	/* Without rules and lists a check refers, and is in the journal. */
	const struct lan_box_answer *a = ctl("POST", "/v1/checks", lan_box_check("r-1", ""));
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_TRUE(has(a, "\"outcome\":\"refer\"") && has(a, "\"terminal\":\"local\""));
	branch_close(branch);
	branch_start();
	CU_ASSERT_TRUE(until(https_is_open));
	CU_ASSERT_STRING_EQUAL(branch->membership.sync.branch, "haidian");
	CU_ASSERT_EQUAL(ctl("POST", "/v1/checks", lan_box_check("r-1", ""))->status, 200);
	CU_ASSERT_TRUE(has(ctl("GET", "/v1/status", NULL), "\"last\":1,"));
}

static void a_killed_gate_comes_back_and_checks_do_not_notice(void)
{
	char answer[8192];
	central_open();
	enrol();
	uint64_t before = proc_restarts(branch->line.gate);
	int pid = proc_pid(branch->line.gate);
	CU_ASSERT_TRUE_FATAL(pid > 0 && kill(pid, SIGKILL) == 0);
	CU_ASSERT_EQUAL(ctl("POST", "/v1/checks", lan_box_check("r-1", ""))->status, 200);
	for (int i = 0; i < 300 && (proc_pid(branch->line.gate) == pid || !https_is_open()); i++)
		loop_once(loop, 10);
	CU_ASSERT_TRUE_FATAL(https_is_open());
	CU_ASSERT_TRUE(proc_restarts(branch->line.gate) > before);
	CU_ASSERT_STRING_EQUAL(branch->line.gate_fault, "");
	CU_ASSERT_TRUE(https_get("/healthz", answer, sizeof(answer)));
}

static void a_central_that_another_ca_certified_is_not_spoken_to(void)
{
	struct identity other;
	char request[8192];
	central_open();
	identity_ca(&other, "test CA");
	CU_ASSERT_EQUAL(enrol_begin_with(&other, request), 200);
	CU_ASSERT_TRUE_FATAL(until(enrol_is_open));
	CU_ASSERT_EQUAL(ask_central(request)->status, 0);
	CU_ASSERT_EQUAL(central.asked, 0);
	CU_ASSERT_TRUE(until(enrol_failed));
	CU_ASSERT_TRUE(has(ctl("GET", "/enrol", NULL), "\"enrolling\":true,\"fault\":\"the peer's certificate"));
	CU_ASSERT_FALSE(branch->membership.is_member);
	identity_clear(&other);
}

static void there_is_one_branchd_a_directory(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = { 0 };
		bool refused = branch_open(loop_new(), &config, &e) == NULL && e.code == ERR_CONFLICT;
		_exit(refused ? 0 : 1);
	}
	int status = -1;
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(ctl("GET", "/v1/status", NULL)->status, 200);
}

static enum err_code config_of(const char *text, struct branch_config *c)
{
	char path[128];
	struct err e = { 0 };
	snprintf(path, sizeof(path), "%s/branch.ini", config.dir);
	must(file_write(path, bytes_of(text), 0600, NULL));
	return branch_config_load(path, c, &e) ? ERR_NONE : e.code;
}

static void a_configuration_is_understood_or_refused(void)
{
	struct branch_config c;
	CU_ASSERT_EQUAL(config_of("", &c), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(c.listen_host, "127.0.0.1");
	CU_ASSERT_EQUAL(c.listen_port, 8443);
	CU_ASSERT_STRING_EQUAL(c.dir, config.dir);
	CU_ASSERT_FALSE(c.commit_each);
	CU_ASSERT_EQUAL(
		config_of("[branch]\nlisten = [::1]:443\n[journal]\ncommit = request\n[log]\nlevel = debug\n", &c),
		ERR_NONE);
	CU_ASSERT_STRING_EQUAL(c.listen_host, "::1");
	CU_ASSERT_EQUAL(c.listen_port, 443);
	CU_ASSERT_TRUE(c.commit_each && c.log_debug);
	CU_ASSERT_EQUAL(config_of("[journal]\ncommit = never\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[log]\nlevel = loud\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[branch]\ncolour = red\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[branch]\nlisten = 8443\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[branch]\nlisten = :8443\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[branch]\nlisten = a:99999\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[branch]\nlisten = a:1x\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(branch_config_load("/nonexistent/branch.ini", &c, &(struct err){ 0 }), false);
}

static void updates_are_configured_by_the_boot_record(void)
{
	struct branch_config c;
	CU_ASSERT_EQUAL(config_of("", &c), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(c.update.boot, "");
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /dev/disk/by-partlabel/xinbian-boot\n", &c), ERR_NONE);
	CU_ASSERT_STRING_EQUAL(c.update.a, "/dev/disk/by-partlabel/xinbian-a");
	CU_ASSERT_STRING_EQUAL(c.update.b, "/dev/disk/by-partlabel/xinbian-b");
	CU_ASSERT_STRING_EQUAL(c.update.running, "/run/xinbian/slot");
	CU_ASSERT_STRING_EQUAL(c.update.image, "/etc/xinbian-image");
	CU_ASSERT_STRING_EQUAL(c.update.reboot, "/run/xinbian-branch/reboot");
	CU_ASSERT_TRUE(c.update.healthy_s == 60 && c.update.tries == 3);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /x\na = /y\nb = /z\nhealthy_s = 5\ntries = 1\n", &c), ERR_NONE);
	CU_ASSERT_TRUE(c.update.healthy_s == 5 && c.update.tries == 1);
	CU_ASSERT_EQUAL(config_of("[update]\ntries = 2\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = x\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /x\na = y\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /x\na = /y\nb = /y\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /x\ntries = 0\n", &c), ERR_INPUT);
	CU_ASSERT_EQUAL(config_of("[update]\nboot = /x\nhealthy_s = 0\n", &c), ERR_INPUT);
}

static CU_TestInfo tests[] = {
	{ "before it is enrolled the local socket works and nothing is checked",
	  before_it_is_enrolled_the_local_socket_works_and_nothing_is_checked },
	{ "terminals are added, listed and revoked over the local socket",
	  terminals_are_added_listed_and_revoked_over_the_local_socket },
	{ "it enrols through gate and opens HTTPS without a restart",
	  it_enrols_through_gate_and_opens_https_without_a_restart },
	{ "a killed gate comes back, and checks do not notice", a_killed_gate_comes_back_and_checks_do_not_notice },
	{ "a central that another CA certified is not spoken to",
	  a_central_that_another_ca_certified_is_not_spoken_to },
	{ "there is one branchd a directory", there_is_one_branchd_a_directory },
	{ "a configuration is understood or refused", a_configuration_is_understood_or_refused },
	{ "updates are configured by the boot record", updates_are_configured_by_the_boot_record },
	CU_TEST_INFO_NULL,
};
SUITE(branch, setup, teardown, tests);
