#include "central/ctl/ctl.h"

#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX 67108864U
#define TIMEOUT_MS 600000 /* an import of ten million rows */
#define CHINA_S    28800

const char *ctl_option(const struct ctl *c, const char *name)
{
	for (int i = 0; i < c->options_len; i++) {
		if (strcmp(c->option_names[i], name) == 0)
			return c->option_values[i];
	}
	return NULL;
}

bool ctl_fetch(struct ctl *c, const char *method, const char *path, struct bytes body, struct buf *out, struct err *e)
{
	char socket_path[300], headers[200] = "";
	int status = 0;
	snprintf(socket_path, sizeof(socket_path), "%.280s/ctl.sock", c->dir);
	if (c->token[0] != '\0')
		snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", c->token);
	if (!http_call(socket_path, method, path, headers, body, TIMEOUT_MS, &status, out, e)) {
		if (e->code == ERR_MISSING)
			err_set(e, ERR_MISSING, "centrald 没有运行 / centrald is not running (%.150s)", socket_path);
		return false;
	}
	if (status >= 200 && status < 300)
		return true;
	struct json *j = json_parse(buf_bytes(out), NULL);
	const char *message = ctl_text(j, "message");
	if (message[0] != '\0')
		err_set(e, err_named(ctl_text(j, "error")), "%s", message);
	else
		err_set(e, ERR_DENIED, "centrald refused this");
	json_free(j);
	return false;
}

struct json *ctl_call(struct ctl *c, const char *method, const char *path, struct bytes body, bool *printed,
		      struct err *e)
{
	struct buf out;
	struct json *j = NULL;
	buf_init(&out, ANSWER_MAX);
	*printed = false;
	if (ctl_fetch(c, method, path, body, &out, e)) {
		if (c->json) {
			printf("%s\n", buf_str(&out));
			*printed = true;
		}
		j = json_parse(buf_bytes(&out), e);
	}
	buf_clear(&out);
	return j;
}

bool ctl_post(struct ctl *c, const char *path, struct bytes body, const char *done, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", path, body, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("%s\n", done);
	json_free(j);
	return true;
}

bool ctl_number(const char *text, const char *what, int64_t *out, struct err *e)
{
	char *end = NULL;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return (end != text && *end == '\0' && errno == 0) ||
	       err_set(e, ERR_INPUT, "'%.40s' is no number of %s", text, what);
}

bool ctl_post_fen(struct ctl *c, const char *path, const char *const *keys, int n, const char *fen_text,
		  const char *done, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	int64_t fen;
	if (!ctl_number(fen_text, "fen", &fen, e))
		return false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	for (int i = 0; i < n; i++)
		json_put_text(&w, keys[i], c->argv[i]);
	json_put_int(&w, "fen", fen);
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) && ctl_post(c, path, buf_bytes(&body), done, e);
	buf_clear(&body);
	return ok;
}

int64_t ctl_int(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	return v != NULL && json_kind(v) == JSON_KIND_INT ? json_int_value(v) : 0;
}

const char *ctl_text(const struct json *j, const char *key)
{
	const char *v = NULL;
	const struct json *member = j != NULL ? json_get(j, key) : NULL;
	if (member == NULL || json_kind(member) != JSON_KIND_TEXT || !json_text(j, key, ANSWER_MAX, &v, NULL))
		return "";
	return v;
}

const char *ctl_time(int64_t time_s)
{
	static char ring[4][32];
	static unsigned next;
	char *out = ring[next++ % 4];
	time_t t = time_s + CHINA_S;
	struct tm tm;
	if (time_s == 0 || gmtime_r(&t, &tm) == NULL)
		return "-";
	strftime(out, sizeof(ring[0]), "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}
