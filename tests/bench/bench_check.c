/*
 * Checks a second, each answered only after its journal row is durable, and how long one takes. The API of branchd on a real
 * SQLite journal and the sample rules, behind gate: 64 terminals on TLS connections that stay open, each asking again as soon
 * as it has its answer. The peer is the same server with one commit a check instead of one a turn. Every list of the
 * catalogue is held and empty. Client and server share this machine's cores.
 *
 * XINBIAN_BENCH_SECONDS (5) and XINBIAN_BENCH_CONNS (64) change the run; the database lies under build/, so that a real disk
 * is synced.
 */
#include "central/release/document.h"
#include "firmware/lan.h"
#include "firmware/state.h"
#include "protocol/base/file.h"
#include "protocol/base/gate.h"
#include "protocol/base/pki.h"
#include "protocol/base/tls.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_S       1780286400 /* 2026-06-01 */
#define CONNS_MAX   256
#define LATENCY_MAX 2000000
#define ANSWER_SIZE 16384

struct identity {
	struct buf cert, key;
};
static struct identity ca, server_id;
static char token[TERMINAL_TOKEN_LEN + 1];

static void identity_make(struct identity *id, const struct identity *issuer, const char *name, enum pki_use use)
{
	static const char *const sans[] = { "127.0.0.1" };
	struct pki_issue p = { .name = name,
			       .sans = sans,
			       .sans_len = use == PKI_CA ? 0 : 1,
			       .use = use,
			       .from_s = NOW_S - 86400,
			       .to_s = NOW_S + 86400 * 365L,
			       .serial = { (uint8_t)use, 1 } };
	buf_init(&id->cert, PKI_CERT_MAX);
	buf_init(&id->key, PKI_KEY_MAX);
	bench_must(pki_key_new(&id->key, NULL), "key");
	p.key = buf_bytes(&id->key);
	p.ca_cert = buf_bytes(&issuer->cert);
	p.ca_key = buf_bytes(&issuer->key);
	if (issuer == id)
		p.ca_cert = (struct bytes){ NULL, 0 };
	bench_must(pki_issue(&p, &id->cert, NULL), "certificate");
}

/* The server: a process of its own, with gate as its child. */

static struct tag_key key;
static struct proc *gate;
static int tell_fd;
static char run_dir[108];

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

static void around(void *arg, struct lan_around *out)
{
	(void)arg;
	*out = (struct lan_around){ .branch = "bench" };
}

static size_t infos(void *arg, struct list_info out[LISTS_MAX])
{
	(void)arg, (void)out;
	return 0;
}

static void recorded(void *arg)
{
	(void)arg;
}

static void document_load(struct documents *d, const char *name)
{
	char path[64];
	struct buf json, cbor;
	snprintf(path, sizeof(path), "central/sample/%s.json", name);
	buf_init(&json, DOCUMENT_MAX);
	buf_init(&cbor, DOCUMENT_MAX);
	bench_must(file_read(path, &json, NULL) && document_from_json(buf_bytes(&json), name, &cbor, NULL) &&
			   documents_apply(d, name, 1, buf_bytes(&cbor), NULL),
		   path);
	buf_clear(&json);
	buf_clear(&cbor);
}

static void gate_started(void *arg)
{
	struct gate_config c = { .now_s = NOW_S, .ports_len = 1 };
	struct gate_port *p = &c.ports[0];
	struct buf out;
	(void)arg;
	*p = (struct gate_port){ .inward = true,
				 .name = "https",
				 .host = "127.0.0.1",
				 .cert = buf_bytes(&server_id.cert),
				 .key = buf_bytes(&server_id.key),
				 .ca = buf_bytes(&ca.cert) };
	snprintf(c.run_dir, sizeof(c.run_dir), "%.90s", run_dir);
	snprintf(p->socket, sizeof(p->socket), "%.90s/https.sock", run_dir);
	buf_init(&out, FRAME_MAX);
	bench_must(gate_config_encode(&c, &out, NULL), "gate's configuration");
	proc_send(gate, GATE_CONFIG, buf_bytes(&out));
	buf_clear(&out);
}

static void gate_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct gate_event v;
	struct err e = { 0 };
	(void)arg;
	bench_must(type == GATE_EVENT && gate_event_decode(payload, &v, &e), "an event of gate");
	int port = (int)v.number;
	if (v.kind == GATE_LISTENING && port != 0)
		bench_must(write(tell_fd, &port, sizeof(port)) == (ssize_t)sizeof(port), "pipe");
}

static void gate_stopped(void *arg, const char *why)
{
	(void)arg;
	bench_must(false, why);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void server_open(struct loop *loop, struct lan_config *c, struct clock *clock)
{
	c->db = state_open(run_dir, NULL);
	bench_must(c->db != NULL, "database");
	static struct vault vault;
	bench_must(vault_open(&vault, run_dir, &random_system, NULL), "vault");
	c->record = record_open(c->db, &vault, &random_system, NULL);
	c->terminals = terminals_open(c->db, NULL);
	struct documents *documents = documents_open(c->db, NULL);
	bench_must(c->record != NULL && c->terminals != NULL && documents != NULL, "tables");
	document_load(documents, DOCUMENT_RULES);
	document_load(documents, DOCUMENT_CATALOGUE);
	bench_must(clock_load(clock, c->db, loop_now_ms(), NOW_S, NULL) && db_begin(c->db, NULL) &&
			   clock_head(clock, c->db, NOW_S, loop_now_ms(), NULL) && db_commit(c->db, NULL) &&
			   terminal_add(c->terminals, "bench", false, NOW_S, &random_system, token, NULL),
		   "state");
	bench_must(write(tell_fd, token, sizeof(token)) == (ssize_t)sizeof(token), "pipe");
	c->loop = loop;
	c->documents = documents;
	c->clock = clock;
}

static int server_run(bool commit_each)
{
	static const struct proc_events on = { gate_started, gate_frame, gate_stopped };
	static const struct check_source source = { NULL, list_state, list_find };
	static char exe[512];
	char path[108];
	struct loop *loop = loop_new();
	struct clock clock;
	struct lan_config c = { .random = &random_system,
				.commit_each = commit_each,
				.around = around,
				.lists = infos,
				.recorded = recorded };
	snprintf(exe, sizeof(exe), "%s/branchd",
		 getenv("XINBIAN_BIN") != NULL ? getenv("XINBIAN_BIN") : "build/release");
	const struct proc_options options = { .exe = exe };
	tag_key_init(&key, 1, 1, (const uint8_t[32]){ 1 });
	server_open(loop, &c, &clock);
	struct lan *lan = lan_new(&c);
	lan_ready(lan, &source);
	snprintf(path, sizeof(path), "%.90s/https.sock", run_dir);
	const struct http_config h = { .path = path, .body_max = HTTP_BODY_MAX, .idle_timeout_s = 60 };
	struct http_server *server = http_listen(loop, &h, lan_handle, lan, NULL);
	bench_must(server != NULL, "socket");
	struct loop_signal *term = loop_signal_new(loop, SIGTERM, stop, loop);
	gate = proc_start_with(loop, "gate", &options, &on, NULL);
	loop_run(loop);
	proc_stop(gate);
	http_close(server);
	loop_signal_free(term);
	lan_free(lan);
	return 0;
}

/* The terminals. */

struct terminal {
	int fd;
	struct tls *tls;
	double asked_s;
	size_t sent, got;
	char request[1024], answer[ANSWER_SIZE + 1];
	size_t request_len;
};
static struct terminal terminals[CONNS_MAX];
static struct pollfd polls[CONNS_MAX];
static double *latencies;
static size_t latencies_len;
static unsigned long next_id;

static void ask(struct terminal *t)
{
	char body[512];
	int len = snprintf(
		body, sizeof(body),
		"{\"request_id\":\"b-%lu\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		"\"number\":\"330802185001010013\"},\"facts\":{\"verified_online\":true}}",
		next_id++);
	t->request_len = (size_t)snprintf(t->request, sizeof(t->request),
					  "POST /v1/checks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
					  "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
					  token, len, body);
	t->sent = t->got = 0;
	t->asked_s = bench_now_s();
}

static void wait_for(struct terminal *t, enum tls_step step)
{
	bench_must(step == TLS_WANT_READ || step == TLS_WANT_WRITE, "a connection");
	polls[t - terminals].events = step == TLS_WANT_READ ? POLLIN : POLLOUT;
}

static bool answered(struct terminal *t)
{
	t->answer[t->got] = '\0';
	const char *end = strstr(t->answer, "\r\n\r\n"), *length = strstr(t->answer, "Content-Length: ");
	if (end == NULL)
		return false;
	bench_must(strncmp(t->answer, "HTTP/1.1 200", 12) == 0 && length != NULL, t->answer);
	return t->got >= (size_t)(end + 4 - t->answer) + strtoull(length + 16, NULL, 10);
}

/* Writes and reads until it has to wait; true when an answer was complete. */
static bool move(struct terminal *t)
{
	struct err e = { 0 };
	size_t n = 0;
	while (t->sent < t->request_len) {
		enum tls_step step =
			tls_write(t->tls, (const uint8_t *)t->request + t->sent, t->request_len - t->sent, &n, &e);
		if (step != TLS_DONE) {
			wait_for(t, step);
			return false;
		}
		t->sent += n;
	}
	for (;;) {
		enum tls_step step = tls_read(t->tls, (uint8_t *)t->answer + t->got, ANSWER_SIZE - t->got, &n, &e);
		if (step != TLS_DONE) {
			wait_for(t, step);
			return false;
		}
		t->got += n;
		if (answered(t))
			return true;
	}
}

static void connect_all(size_t conns, int port, struct tls_config *config)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < conns; i++) {
		struct terminal *t = &terminals[i];
		struct err e = { 0 };
		enum tls_step step;
		t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bench_must(connect(t->fd, (struct sockaddr *)&a, sizeof(a)) == 0, "connect");
		bench_must(fcntl(t->fd, F_SETFL, O_NONBLOCK) == 0, "socket");
		t->tls = tls_new(config, t->fd, "127.0.0.1", &e);
		bench_must(t->tls != NULL, e.text);
		polls[i].fd = t->fd;
		while ((step = tls_handshake(t->tls, &e)) != TLS_DONE) {
			bench_must(step == TLS_WANT_READ || step == TLS_WANT_WRITE, e.text);
			polls[i].events = step == TLS_WANT_READ ? POLLIN : POLLOUT;
			poll(&polls[i], 1, 1000);
		}
	}
}

static void ask_and_note(struct terminal *t, bool note)
{
	while (move(t)) {
		if (note && latencies_len < LATENCY_MAX)
			latencies[latencies_len++] = bench_now_s() - t->asked_s;
		ask(t);
	}
}

/* Answers a second. The first half second is not counted. */
static double drive(size_t conns, double seconds)
{
	double start = bench_now_s() + 0.5, end = start + seconds, now = 0;
	latencies_len = 0;
	for (size_t i = 0; i < conns; i++) {
		ask(&terminals[i]);
		ask_and_note(&terminals[i], false);
	}
	while ((now = bench_now_s()) < end) {
		bench_must(poll(polls, conns, 5000) > 0, "an answer within 5 s");
		for (size_t i = 0; i < conns; i++)
			if (polls[i].revents != 0)
				ask_and_note(&terminals[i], now >= start);
	}
	return (double)latencies_len / seconds;
}

static void disconnect(size_t conns)
{
	for (size_t i = 0; i < conns; i++) {
		tls_free(terminals[i].tls);
		close(terminals[i].fd);
	}
}

struct figures {
	double rps, p50_ms, p99_ms;
};

static struct figures figures_of(double rps)
{
	qsort(latencies, latencies_len, sizeof(*latencies), bench_compare);
	bench_must(latencies_len > 0, "an answer");
	return (struct figures){ rps, latencies[latencies_len / 2] * 1e3, latencies[latencies_len * 99 / 100] * 1e3 };
}

static void remove_dir(void)
{
	char command[160];
	static const char *const files[] = { "branch.db", "branch.db-wal", "branch.db-shm", "https.sock" };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(command, sizeof(command), "%s/%s", run_dir, files[i]);
		unlink(command);
	}
	rmdir(run_dir);
}

static struct figures run(size_t conns, double seconds, bool commit_each)
{
	int pipes[2], port = 0;
	struct err e = { 0 };
	char cwd[64];
	bench_must(getcwd(cwd, sizeof(cwd)) != NULL, "a shorter directory");
	snprintf(run_dir, sizeof(run_dir), "%s/build/bench-XXXXXX", cwd);
	bench_must(mkdtemp(run_dir) != NULL && pipe2(pipes, O_CLOEXEC) == 0, "directory");
	pid_t pid = fork();
	if (pid == 0) {
		tell_fd = pipes[1];
		_exit(server_run(commit_each));
	}
	close(pipes[1]);
	bench_must(read(pipes[0], token, sizeof(token)) == (ssize_t)sizeof(token) &&
			   read(pipes[0], &port, sizeof(port)) == (ssize_t)sizeof(port),
		   "the server's port");
	const struct tls_identity trust = { .ca = buf_bytes(&ca.cert) };
	struct tls_config *config = tls_config_new(false, &trust, &e);
	bench_must(config != NULL, e.text);
	tls_config_clock(config, NOW_S);
	connect_all(conns, port, config);
	struct figures f = figures_of(drive(conns, seconds));
	disconnect(conns);
	tls_config_free(config);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	close(pipes[0]);
	remove_dir();
	return f;
}

int main(void)
{
	size_t conns = bench_env("XINBIAN_BENCH_CONNS", 64);
	double seconds = (double)bench_env("XINBIAN_BENCH_SECONDS", 5);
	bench_must(conns > 0 && conns <= CONNS_MAX && seconds >= 1, "XINBIAN_BENCH_CONNS, XINBIAN_BENCH_SECONDS");
	latencies = calloc(LATENCY_MAX, sizeof(*latencies));
	bench_must(latencies != NULL, "memory");
	identity_make(&ca, &ca, "bench CA", PKI_CA);
	identity_make(&server_id, &ca, "bench", PKI_SERVER_CLIENT);
	printf("%zu terminals on kept TLS connections through gate, %.0f s a run; SQLite WAL, synchronous=FULL\n",
	       conns, seconds);
	struct figures ours = run(conns, seconds, false), peer = run(conns, seconds, true),
		       alone = run(1, seconds, false);
	printf("median %.2f ms, peer %.2f ms\n", ours.p50_ms, peer.p50_ms);
	bench_row("check.durable_rps", ours.rps, "1/s", "one commit a request", peer.rps, false);
	bench_row("check.latency_p99", ours.p99_ms, "ms", "one commit a request", peer.p99_ms, true);
	bench_row("check.latency_p99_alone", alone.p99_ms, "ms", NULL, 0, true);
	return 0;
}
