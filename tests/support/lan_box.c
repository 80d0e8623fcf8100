#include "tests/support/lan_box.h"

#include "firmware/state.h"
#include "protocol/entry.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD_ISSUED_S 1780286400 /* noon in China on 1 June 2026 */

static void must(bool ok)
{
	if (!ok)
		abort();
}

static enum lookup_result list_state(void *arg, const char *name, struct check_list *state)
{
	struct lan_box *b = arg;
	(void)name;
	*state = (struct check_list){ 42, b->confirmed_s, &b->key };
	return b->held;
}

static enum lookup_result list_find(void *arg, const char *name, uint64_t tag, uint32_t *value)
{
	const struct lan_box *b = arg;
	(void)name, (void)tag;
	*value = entry_value(1, ENTRY_NO_END);
	return b->found;
}

static void around(void *arg, struct lan_around *out)
{
	*out = ((const struct lan_box *)arg)->around;
}

static size_t infos(void *arg, struct list_info out[LISTS_MAX])
{
	const struct lan_box *b = arg;
	out[0] = (struct list_info){ .name = "black-a",
				     .version = 42,
				     .count = 7,
				     .epoch = 1,
				     .confirmed_s = b->confirmed_s,
				     .layers = 2,
				     .size_bytes = 1000 };
	out[1] = (struct list_info){ .name = "black-b", .confirmed_s = -1, .fault = "no snapshot yet" };
	return 2;
}

static void recorded(void *arg)
{
	((struct lan_box *)arg)->recorded++;
}

static void documents_fill(struct lan_box *b)
{
	static const char *const names[] = { DOCUMENT_RULES, DOCUMENT_CATALOGUE };
	for (size_t i = 0; i < 2; i++) {
		struct buf bytes = sample_document(names[i]);
		must(documents_apply(b->documents, names[i], 3, buf_bytes(&bytes), NULL));
		buf_clear(&bytes);
	}
}

static bool ask(void *arg, struct body_query *q, sync_bodies_done *done, void *done_arg, struct err *e)
{
	struct lan_box *b = arg;
	if (!b->line_up)
		return err_set(e, ERR_IO, "the line is down");
	memset(q->id, 7, sizeof(q->id));
	b->asked = *q;
	b->asked_done = done;
	b->asked_arg = done_arg;
	return true;
}

static bool inquire(void *arg, const struct inquiry *q, sync_inquiry_done *done, void *done_arg, struct err *e)
{
	struct lan_box *b = arg;
	if (!b->line_up)
		return err_set(e, ERR_IO, "the line is down");
	b->inquired = *q;
	b->inquired_done = done;
	b->inquired_arg = done_arg;
	return true;
}

static bool account(void *arg, const struct account_query *q, sync_account_done *done, void *done_arg, struct err *e)
{
	struct lan_box *b = arg;
	if (!b->line_up)
		return err_set(e, ERR_IO, "the line is down");
	b->accounted = *q;
	b->accounted_done = done;
	b->accounted_arg = done_arg;
	return true;
}

static void forget(void *arg, const void *done_arg)
{
	struct lan_box *b = arg;
	b->forgotten += b->accounted_done != NULL && b->accounted_arg == done_arg;
	b->accounted_done = NULL;
	b->forgotten += b->inquired_done != NULL && b->inquired_arg == done_arg;
	b->inquired_done = NULL;
	b->forgotten += b->asked_done != NULL && b->asked_arg == done_arg;
	b->asked_done = NULL;
}

void lan_box_open(struct lan_box *b, bool commit_each)
{
	*b = (struct lan_box){ .dir = test_dir(), .held = LOOKUP_NOT_LISTED, .found = LOOKUP_NOT_LISTED };
	b->loop = loop_new();
	b->db = state_open(b->dir, NULL);
	must(b->db != NULL);
	must(vault_open(&b->vault, b->dir, &random_system, NULL));
	b->record = record_open(b->db, &b->vault, &random_system, NULL);
	b->terminals = terminals_open(b->db, NULL);
	b->documents = documents_open(b->db, NULL);
	must(b->record != NULL && b->terminals != NULL && b->documents != NULL);
	documents_fill(b);
	must(clock_load(&b->clock, b->db, loop_now_ms(), 0, NULL) && db_begin(b->db, NULL) &&
	     clock_head(&b->clock, b->db, HEAD_ISSUED_S, loop_now_ms(), NULL) && db_commit(b->db, NULL));
	b->confirmed_s = HEAD_ISSUED_S - 60;
	must(terminal_add(b->terminals, "kiosk-1", false, 1, &random_system, b->token, NULL) &&
	     terminal_add(b->terminals, "kiosk-2", false, 1, &random_system, b->other, NULL));
	tag_key_init(&b->key, 1, 1, (const uint8_t[32]){ 9 });
	b->around.cert_to_s = HEAD_ISSUED_S + 86400 * 400;
	snprintf(b->around.branch, sizeof(b->around.branch), "haidian");
	must(cache_open(&b->cache, b->db, &b->vault, CACHE_SIZE_DEFAULT, NULL));
	const struct lan_config c = { .loop = b->loop,
				      .db = b->db,
				      .record = b->record,
				      .terminals = b->terminals,
				      .documents = b->documents,
				      .clock = &b->clock,
				      .random = &random_system,
				      .commit_each = commit_each,
				      .around = around,
				      .lists = infos,
				      .recorded = recorded,
				      .ask = ask,
				      .inquire = inquire,
				      .account = account,
				      .forget = forget,
				      .cache = &b->cache,
				      .arg = b };
	b->lan = lan_new(&c);
	b->source = (struct check_source){ b, list_state, list_find };
	lan_ready(b->lan, &b->source);
	snprintf(b->path, sizeof(b->path), "%s/http.sock", b->dir);
	struct http_config h = { .path = b->path, .body_max = HTTP_SCAN_MAX, .idle_timeout_s = 2 };
	b->server = http_listen(b->loop, &h, lan_handle, b->lan, NULL);
	must(b->server != NULL);
}

void lan_box_close(struct lan_box *b)
{
	lan_close(b->lan);
	http_close(b->server);
	lan_free(b->lan);
	documents_close(b->documents);
	terminals_close(b->terminals);
	record_close(b->record);
	vault_close(&b->vault);
	db_close(b->db);
	loop_free(b->loop);
}

int lan_box_connect(const struct lan_box *b, const char *bind_to)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind_to != NULL) {
		size_t len = strlen(bind_to);
		memcpy(a.sun_path + 1, bind_to, len);
		must(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) ==
		     0);
		memset(a.sun_path, 0, sizeof(a.sun_path));
	}
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", b->path);
	must(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

void lan_box_send(int fd, struct bytes data)
{
	must(send(fd, data.data, data.len, MSG_NOSIGNAL) == (ssize_t)data.len);
}

void lan_box_request(int fd, const char *method, const char *path, const char *token, const char *json)
{
	struct buf out;
	buf_init(&out, 131072);
	buf_add_fmt(&out, "%s %s HTTP/1.1\r\nHost: x\r\n", method, path);
	if (token != NULL)
		buf_add_fmt(&out, "Authorization: Bearer %s\r\n", token);
	if (json != NULL)
		buf_add_fmt(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(json));
	buf_add_str(&out, "\r\n");
	if (json != NULL)
		buf_add_str(&out, json);
	must(!out.failed);
	lan_box_send(fd, buf_bytes(&out));
	buf_clear(&out);
}

/* Whether text holds a whole answer; splits it then. */
static bool answer_take(const char *text, size_t len, struct lan_box_answer *a)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length:");
	if (end == NULL)
		return false;
	size_t head = (size_t)(end - text) + 4;
	size_t want = length != NULL && length < end ? strtoull(length + 17, NULL, 10) : 0;
	if (len < head + want)
		return false;
	a->status = (int)strtol(text + 9, NULL, 10);
	snprintf(a->head, sizeof(a->head), "%.*s", (int)head, text);
	memcpy(a->body, text + head, want);
	a->body[want] = '\0';
	return true;
}

struct lan_box_answer *lan_box_answer(struct lan_box *b, int fd)
{
	static struct lan_box_answer answers[4];
	static unsigned next;
	static char text[sizeof(answers[0].body) + sizeof(answers[0].head)];
	struct lan_box_answer *a = &answers[next++ % 4];
	size_t len = 0;
	a->status = 0;
	a->head[0] = a->body[0] = '\0';
	for (int i = 0; i < 1000; i++) {
		loop_once(b->loop, 5);
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		text[len] = '\0';
		if (n > 0 && answer_take(text, len, a))
			break;
	}
	return a;
}

struct lan_box_answer *lan_box_ask(struct lan_box *b, const char *method, const char *path, const char *token,
				   const char *json)
{
	int fd = lan_box_connect(b, NULL);
	lan_box_request(fd, method, path, token, json);
	struct lan_box_answer *a = lan_box_answer(b, fd);
	close(fd);
	return a;
}

void lan_box_asked_wait(struct lan_box *b)
{
	for (int i = 0; i < 1000 && b->asked_done == NULL; i++)
		loop_once(b->loop, 5);
	must(b->asked_done != NULL);
}

struct lan_box_answer *lan_box_look_up(struct lan_box *b, const char *path, const struct body_reply *r,
				       const struct err *why)
{
	int fd = lan_box_connect(b, NULL);
	lan_box_request(fd, "GET", path, b->token, NULL);
	lan_box_asked_wait(b);
	sync_bodies_done *done = b->asked_done;
	b->asked_done = NULL;
	done(b->asked_arg, r, why);
	struct lan_box_answer *a = lan_box_answer(b, fd);
	close(fd);
	return a;
}

struct lan_box_answer *lan_box_account(struct lan_box *b, const char *path, const char *json,
				       const struct account_answer *a, const struct err *why)
{
	int fd = lan_box_connect(b, NULL);
	b->line_up = true;
	lan_box_request(fd, "POST", path, b->token, json);
	for (int i = 0; i < 1000 && b->accounted_done == NULL; i++)
		loop_once(b->loop, 5);
	must(b->accounted_done != NULL);
	sync_account_done *done = b->accounted_done;
	b->accounted_done = NULL;
	b->line_up = false;
	done(b->accounted_arg, a, why);
	struct lan_box_answer *answer = lan_box_answer(b, fd);
	close(fd);
	return answer;
}

struct lan_box_answer *lan_box_report(struct lan_box *b, const char *json, const char *report, const struct err *why)
{
	const struct sync_inquiry r = { "XB20261124-0123456789abcdef", bytes_of(report != NULL ? report : "") };
	int fd = lan_box_connect(b, NULL);
	b->line_up = true;
	lan_box_request(fd, "POST", "/v1/reports", b->token, json);
	for (int i = 0; i < 1000 && b->inquired_done == NULL; i++)
		loop_once(b->loop, 5);
	must(b->inquired_done != NULL);
	sync_inquiry_done *done = b->inquired_done;
	b->inquired_done = NULL;
	b->line_up = false;
	done(b->inquired_arg, report != NULL ? &r : NULL, why);
	struct lan_box_answer *a = lan_box_answer(b, fd);
	close(fd);
	return a;
}

const char *lan_box_check(const char *request_id, const char *facts)
{
	static char texts[4][1024];
	static unsigned next;
	char *text = texts[next++ % 4];
	snprintf(text, sizeof(texts[0]),
		 "{\"request_id\":\"%s\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		 "\"number\":\"" BOX_NUMBER "\"},\"facts\":{%s}}",
		 request_id, facts);
	return text;
}

double lan_box_metric(struct lan_box *b, const char *name)
{
	char line[160];
	const struct lan_box_answer *a = lan_box_ask(b, "GET", "/metrics", NULL, NULL);
	snprintf(line, sizeof(line), "\n%s ", name);
	const char *at = strstr(a->body, line);
	return at != NULL ? strtod(at + strlen(line), NULL) : -1;
}
