#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_MAX   16777216U
#define START_MS  20000
#define PORT_MS   5000
#define LISTENING "127.0.0.1"
#define WORDS_MAX 40
#define LINE_SIZE 2000

static void fail(const char *what, const char *detail)
{
	printf("\n    %s: %s\n", what, detail);
	fflush(stdout);
	CU_FAIL_FATAL("the world is not as it should be");
	abort();
}

static void log_path(const struct world *w, const char *name, char out[160])
{
	snprintf(out, 160, "%s/%s.log", w->dir, name);
}

static void log_tail(const char *dir, const char *name)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	if (child_run_words(&out, "tail -n 25 %s/%s.log", dir, name) == 0)
		printf("\n    --- %s.log\n%s", name, buf_str(&out));
	buf_clear(&out);
}

/* Splits line at single spaces and runs it. */
static int run_line(char *line, struct buf *out)
{
	const char *argv[WORDS_MAX + 1];
	size_t n = 0;
	for (char *state = NULL, *word = strtok_r(line, " ", &state); word != NULL && n < WORDS_MAX;
	     word = strtok_r(NULL, " ", &state))
		argv[n++] = word;
	argv[n] = NULL;
	struct buf own;
	buf_init(&own, OUT_MAX);
	int status = child_run(argv, out != NULL ? out : &own);
	buf_clear(&own);
	return status;
}

static int PRINTF(5, 0)
	ctl_run(struct world *w, const char *who, struct buf *out, bool json, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "centralctl -d %s %s", w->central_dir, json ? "--json " : "");
	if (who != NULL)
		n += snprintf(line + n, sizeof(line) - (size_t)n, "--token-file %s/%s.token ", w->dir, who);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	return run_line(line, out);
}

int world_ctl(struct world *w, const char *who, struct buf *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int status = ctl_run(w, who, out, false, fmt, ap);
	va_end(ap);
	return status;
}

void world_expect(struct world *w, int status, const char *words, const char *who, const char *command)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	int got = world_ctl(w, who, &out, "%s", command);
	if (got != status || strstr(buf_str(&out), words) == NULL)
		printf("\n    %s: exit %d, %s", command, got, buf_str(&out));
	CU_ASSERT_EQUAL(got, status);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), words));
	buf_clear(&out);
}

static struct json *parsed(int status, struct buf *out, const char *fmt)
{
	struct err e = { 0 };
	struct json *j = status == 0 ? json_parse(buf_bytes(out), &e) : NULL;
	if (j == NULL) {
		printf("\n    %s (exit %d): %s %.2000s\n", fmt, status, e.text, buf_str(out));
		fail("a tool failed", fmt);
	}
	buf_clear(out);
	return j;
}

struct json *world_ctl_json(struct world *w, const char *who, const char *fmt, ...)
{
	struct buf out;
	va_list ap;
	buf_init(&out, OUT_MAX);
	va_start(ap, fmt);
	int status = ctl_run(w, who, &out, true, fmt, ap);
	va_end(ap);
	return parsed(status, &out, fmt);
}

static int PRINTF(4, 0) branchctl_run(struct world_branch *b, struct buf *out, bool json, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "branchctl -d %s %s", b->dir, json ? "--json " : "");
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	return run_line(line, out);
}

int world_branchctl(struct world_branch *b, struct buf *out, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int status = branchctl_run(b, out, false, fmt, ap);
	va_end(ap);
	return status;
}

struct json *world_branchctl_json(struct world_branch *b, const char *fmt, ...)
{
	struct buf out;
	va_list ap;
	buf_init(&out, OUT_MAX);
	va_start(ap, fmt);
	int status = branchctl_run(b, &out, true, fmt, ap);
	va_end(ap);
	return parsed(status, &out, fmt);
}

static bool tool_works(void *arg)
{
	char line[200];
	snprintf(line, sizeof(line), "%s", (const char *)arg);
	return run_line(line, NULL) == 0;
}

void world_broker_start(struct world *w)
{
	char conf[160], log[160];
	snprintf(conf, sizeof(conf), "%s/mosquitto.conf", w->central_dir);
	log_path(w, "broker", log);
	w->broker = child_start((const char *const[]){ "mosquitto", "-c", conf, NULL }, log);
}

void world_broker_stop(struct world *w, int signo)
{
	child_stop(w->broker, signo);
	w->broker = 0;
}

void world_central_start(struct world *w)
{
	char conf[160], log[160], probe[200];
	snprintf(conf, sizeof(conf), "%s/central.ini", w->central_dir);
	log_path(w, "central", log);
	w->central = child_start((const char *const[]){ "centrald", "-c", conf, NULL }, log);
	snprintf(probe, sizeof(probe), "centralctl -d %s status", w->central_dir);
	if (!wait_until(tool_works, probe, START_MS)) {
		log_tail(w->dir, "central");
		fail("centrald does not start", conf);
	}
}

void world_central_stop(struct world *w, int signo)
{
	int status = child_stop(w->central, signo);
	w->central = 0;
	if (signo == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		log_tail(w->dir, "central");
		CU_FAIL("centrald did not end cleanly");
	}
}

static void operator_add(struct world *w, const char *name)
{
	struct json *j = world_ctl_json(w, NULL, "operator add %s", name);
	const char *token = NULL;
	char path[160];
	struct err e;
	snprintf(path, sizeof(path), "%s/%s.token", w->dir, name);
	if (!json_text(j, "token", 200, &token, &e) || !file_write(path, bytes_of(token), 0600, &e))
		fail("an operator's token", e.text);
	json_free(j);
}

static int64_t int_of(const struct json *j, const char *key)
{
	int64_t v = 0;
	struct err e;
	if (!json_int(j, key, INT64_MIN, INT64_MAX, &v, &e))
		fail(key, e.text);
	return v;
}

int64_t world_release(struct world *w, int64_t id)
{
	json_free(world_ctl_json(w, "alice", "release submit %lld --force", (long long)id));
	json_free(world_ctl_json(w, "bob", "release approve %lld", (long long)id));
	struct json *done = world_ctl_json(w, "bob", "release publish %lld", (long long)id);
	int64_t version = int_of(done, "version");
	json_free(done);
	return version;
}

static int64_t take_through(struct world *w, struct json *draft)
{
	int64_t id = int_of(draft, "id");
	json_free(draft);
	return world_release(w, id);
}

int64_t world_publish(struct world *w, const char *list, const char *file, const char *options)
{
	return take_through(w, world_ctl_json(w, "alice", "list import %s %s %s", list, file, options));
}

/* Branches reach us as `host`; all the same nothing listens beyond 127.0.0.1. */
static void listen_here(struct world *w, const char *host)
{
	char path[160], text[160];
	struct buf said;
	buf_init(&said, OUT_MAX);
	snprintf(path, sizeof(path), "%s/mosquitto.conf", w->central_dir);
	snprintf(text, sizeof(text), "s/^listener \\([0-9]*\\) %s$/listener \\1 " LISTENING "/", host);
	bool ok = child_run((const char *const[]){ "sed", "-i", text, path, NULL }, &said) == 0;
	snprintf(path, sizeof(path), "%s/central.ini", w->central_dir);
	snprintf(text, sizeof(text),
		 "s/^listen = .*/listen = " LISTENING "/;s/^\\[broker\\]$/&\\nconnect = " LISTENING "/");
	if (!ok || child_run((const char *const[]){ "sed", "-i", text, path, NULL }, &said) != 0)
		fail("central's configuration", buf_str(&said));
	buf_clear(&said);
}

void world_open(struct world *w)
{
	world_open_as(w, LISTENING);
}

void world_open_as(struct world *w, const char *host)
{
	*w = (struct world){ .broker_port = free_port(), .central_port = free_port() };
	snprintf(w->dir, sizeof(w->dir), "%s", test_dir());
	snprintf(w->central_dir, sizeof(w->central_dir), "%s/central", w->dir);
	struct buf out;
	buf_init(&out, OUT_MAX);
	if (world_ctl(w, NULL, &out, "init --host %s --broker-port %d --api-port %d", host, w->broker_port,
		      w->central_port) != 0)
		fail("centralctl init", buf_str(&out));
	buf_clear(&out);
	listen_here(w, host);
	world_broker_start(w);
	world_central_start(w);
	operator_add(w, "alice");
	operator_add(w, "bob");
	take_through(w, world_ctl_json(w, "alice", "document import rules central/sample/rules.json"));
	take_through(w, world_ctl_json(w, "alice", "document import catalogue central/sample/catalogue.json"));
	world_publish(w, "black-dishonest", "central/sample/black-dishonest.csv", "");
	world_publish(w, "sanctions", "central/sample/sanctions.csv", "");
}

void world_close(struct world *w)
{
	for (size_t i = 0; i < w->branches_len; i++) {
		if (w->branches[i].pid > 0)
			world_branch_stop(&w->branches[i], SIGTERM);
	}
	if (w->central > 0)
		world_central_stop(w, SIGTERM);
	if (w->broker > 0)
		world_broker_stop(w, SIGTERM);
}

/* Somebody listens there: branchd answers its own socket a moment before gate does the terminals'. */
static bool port_is_open(void *arg)
{
	const struct world_branch *b = arg;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->api_port) };
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A full queue is somebody, too. */
	bool open = fd >= 0 && (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
	if (fd >= 0)
		close(fd);
	return open;
}

void world_branch_start(struct world *w, struct world_branch *b)
{
	char conf[160], log[160], probe[200];
	snprintf(conf, sizeof(conf), "%s/branch.ini", b->dir);
	log_path(w, b->name, log);
	b->pid = child_start((const char *const[]){ "branchd", "-c", conf, NULL }, log);
	snprintf(probe, sizeof(probe), "branchctl -d %s status", b->dir);
	if (!wait_until(tool_works, probe, START_MS)) {
		log_tail(w->dir, b->name);
		fail("branchd does not start", conf);
	}
	/* A branch that is not enrolled opens no port; one whose port never opens is what a test may be about. */
	if (b->terminal_token[0] != '\0')
		(void)!wait_until(port_is_open, b, PORT_MS);
}

void world_branch_stop(struct world_branch *b, int signo)
{
	int status = child_stop(b->pid, signo);
	b->pid = 0;
	if (signo == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		char dir[120];
		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(b->dir, '/') - b->dir), b->dir);
		log_tail(dir, b->name);
		CU_FAIL("branchd did not end cleanly");
	}
}

void world_enrol_token(struct world *w, const char *name, char token[200])
{
	struct json *j = world_ctl_json(w, "alice", "branch token %s", name);
	const char *text = NULL;
	struct err e;
	if (!json_text(j, "token", 199, &text, &e))
		fail("an enrolment token", e.text);
	snprintf(token, 200, "%s", text);
	json_free(j);
}

int world_enrol(struct world *w, struct world_branch *b, struct buf *out)
{
	char token[200];
	world_enrol_token(w, b->name, token);
	return world_branchctl(b, out, "enrol --central " LISTENING ":%d --ca %s/ca.pem --token %s --san " LISTENING,
			       w->central_port, w->central_dir, token);
}

static void enrol(struct world *w, struct world_branch *b)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	if (world_enrol(w, b, &out) != 0) {
		log_tail(w->dir, b->name);
		log_tail(w->dir, "central");
		fail("enrolment", buf_str(&out));
	}
	buf_clear(&out);
}

static void terminal_add(struct world_branch *b)
{
	struct json *j = world_branchctl_json(b, "terminal add kiosk-1");
	const char *token = NULL;
	struct err e;
	if (!json_text(j, "token", 120, &token, &e))
		fail("a terminal's token", e.text);
	snprintf(b->terminal_token, sizeof(b->terminal_token), "%s", token);
	json_free(j);
}

struct healthy {
	struct world *w;
	struct world_branch *b;
};
static bool is_healthy(void *arg)
{
	struct healthy *h = arg;
	struct buf out;
	buf_init(&out, OUT_MAX);
	int status = world_https(h->w, h->b, "GET", "/v1/status", NULL, &out);
	struct json *j = status == 200 ? json_parse(buf_bytes(&out), NULL) : NULL;
	int64_t rules = 0, catalogue = 0;
	const struct json *documents = j != NULL ? json_get(j, "documents") : NULL;
	bool ok = documents != NULL && json_int(documents, "rules", 1, INT64_MAX, &rules, NULL) &&
		  json_int(documents, "catalogue", 1, INT64_MAX, &catalogue, NULL);
	json_free(j);
	buf_clear(&out);
	return ok;
}

struct world_branch *world_branch_remote(struct world *w, const char *name, int api_port)
{
	if (w->branches_len == WORLD_BRANCHES_MAX)
		abort();
	struct world_branch *b = &w->branches[w->branches_len++];
	*b = (struct world_branch){ .api_port = api_port };
	snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

struct world_branch *world_branch_add(struct world *w, const char *name)
{
	struct world_branch *b = world_branch_remote(w, name, free_port());
	struct buf out;
	char dir[sizeof(b->dir)];
	snprintf(dir, sizeof(dir), "%s/%s", w->dir, name);
	memcpy(b->dir, dir, sizeof(dir));
	buf_init(&out, OUT_MAX);
	if (world_branchctl(b, &out, "init --listen " LISTENING ":%d", b->api_port) != 0)
		fail("branchctl init", buf_str(&out));
	buf_clear(&out);
	world_branch_start(w, b);
	enrol(w, b);
	terminal_add(b);
	struct healthy h = { w, b };
	if (!wait_until(is_healthy, &h, START_MS)) {
		log_tail(w->dir, b->name);
		log_tail(w->dir, "central");
		log_tail(w->dir, "broker");
		fail("the branch gets no rules and catalogue", name);
	}
	return b;
}

int world_https(struct world *w, const struct world_branch *b, const char *method, const char *path, const char *body,
		struct buf *out)
{
	char url[300], ca[160], auth[200], data[160] = "";
	struct buf all;
	struct err e;
	snprintf(url, sizeof(url), "https://" LISTENING ":%d%s", b->api_port, path);
	snprintf(ca, sizeof(ca), "%s/ca.pem", w->central_dir);
	snprintf(auth, sizeof(auth), "Authorization: Bearer %s", b->terminal_token);
	if (body != NULL) {
		snprintf(data, sizeof(data), "@%s/body", w->dir);
		if (!file_write(data + 1, bytes_of(body), 0600, &e))
			fail("a request's body", e.text);
	}
	const char *argv[] = { "curl",       "-s",
			       "--max-time", "20",
			       "--cacert",   ca,
			       "-X",         method,
			       "-H",         auth,
			       "-H",         "Content-Type: application/json",
			       "-w",         "\n%{http_code}",
			       url,          body != NULL ? "--data-binary" : NULL,
			       data,         NULL };
	buf_init(&all, OUT_MAX);
	child_run(argv, &all);
	const char *text = buf_str(&all), *last = strrchr(text, '\n');
	int status = last != NULL ? (int)strtol(last + 1, NULL, 10) : 0;
	if (out != NULL && last != NULL)
		buf_add(out, text, (size_t)(last - text));
	buf_clear(&all);
	return status;
}

int world_check(struct world *w, const struct world_branch *b, const char *request_id, const char *kind,
		const char *number, char outcome[16])
{
	char body[600];
	struct buf out;
	snprintf(body, sizeof(body),
		 "{\"request_id\":\"%s\",\"business\":\"open_account\",\"subject\":{\"kind\":\"%s\",\"number\":\"%"
		 "s\"}}",
		 request_id, kind, number);
	buf_init(&out, OUT_MAX);
	int status = world_https(w, b, "POST", "/v1/checks", body, &out);
	struct json *j = json_parse(buf_bytes(&out), NULL);
	const char *text = NULL;
	outcome[0] = '\0';
	if (j != NULL && json_text(j, "outcome", 15, &text, NULL))
		snprintf(outcome, 16, "%s", text);
	json_free(j);
	buf_clear(&out);
	return status;
}

/* The member of array all whose key has that value, or NULL. */
static const struct json *find_by(const struct json *all, const char *key, const char *value)
{
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const char *text = NULL;
		if (json_text(json_at(all, i), key, 200, &text, NULL) && strcmp(text, value) == 0)
			return json_at(all, i);
	}
	return NULL;
}

struct wanted {
	struct world *w;
	const struct world_branch *b;
	const char *list;
	int64_t number;
};

static bool version_is(void *arg)
{
	struct wanted *v = arg;
	struct world_branch b = *v->b;
	struct json *j = world_branchctl_json(&b, "status");
	int64_t version = 0;
	const struct json *list = find_by(json_get(j, "lists"), "name", v->list);
	bool ok = list != NULL && json_int(list, "version", 0, INT64_MAX, &version, NULL) && version == v->number;
	json_free(j);
	return ok;
}

bool world_wait_version(struct world_branch *b, const char *list, int64_t version, int timeout_ms)
{
	struct wanted v = { NULL, b, list, version };
	return wait_until(version_is, &v, timeout_ms);
}

static bool applied_is(void *arg)
{
	struct wanted *v = arg;
	struct json *j = world_ctl_json(v->w, NULL, "branch list");
	const struct json *branch = find_by(json_get(j, "branches"), "name", v->b->name);
	const struct json *list = branch != NULL ? find_by(json_get(branch, "lists"), "name", v->list) : NULL;
	int64_t version = 0;
	bool ok = list != NULL && json_int(list, "version", 0, INT64_MAX, &version, NULL) && version == v->number;
	json_free(j);
	return ok;
}

bool world_wait_applied(struct world *w, const struct world_branch *b, const char *list, int64_t version,
			int timeout_ms)
{
	struct wanted v = { w, b, list, version };
	return wait_until(applied_is, &v, timeout_ms);
}

int64_t world_decisions(struct world *w, const struct world_branch *b)
{
	struct json *j = world_ctl_json(w, NULL, "decision list --branch %s --limit 10000", b->name);
	const struct json *all = json_get(j, "decisions");
	int64_t n = all != NULL ? (int64_t)json_len(all) : -1;
	json_free(j);
	return n;
}

static bool decisions_are(void *arg)
{
	struct wanted *v = arg;
	return world_decisions(v->w, v->b) == v->number;
}

bool world_wait_decisions(struct world *w, const struct world_branch *b, int64_t count, int timeout_ms)
{
	struct wanted v = { w, b, NULL, count };
	return wait_until(decisions_are, &v, timeout_ms);
}

void world_number(unsigned i, char out[20])
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	snprintf(out, 20, "330802%04u%02u%02u%03u", 1950 + i / 300000, 1 + i / 25000 % 12, 1 + i / 1000 % 25,
		 i % 1000);
	for (int k = 0; k < 17; k++)
		sum += (out[k] - '0') * weights[k];
	out[17] = "10X98765432"[sum % 11];
	out[18] = '\0';
}

void world_csv(const char *path, unsigned first, unsigned n)
{
	struct buf out;
	struct err e;
	buf_init(&out, OUT_MAX);
	buf_add_str(&out, "kind,number,name,reason,until,note\n");
	for (unsigned i = first; i < first + n; i++) {
		char number[20];
		world_number(i, number);
		buf_add_fmt(&out, "resident_id,%s,,1,,sample\n", number);
	}
	if (!file_write(path, buf_bytes(&out), 0600, &e))
		fail(path, e.text);
	buf_clear(&out);
}
