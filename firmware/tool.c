#include "firmware/tool.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 16777216U /* a report */
#define CALL_MS    60000     /* a report takes up to 50 s */

static void take(struct tool *t, int at, int n)
{
	for (int i = at; i + n < t->argc; i++)
		t->argv[i] = t->argv[i + n];
	t->argc -= n;
}

const char *tool_option(struct tool *t, const char *name)
{
	for (int i = 0; i < t->argc; i++) {
		if (strcmp(t->argv[i], name) != 0)
			continue;
		const char *value = i + 1 < t->argc ? t->argv[i + 1] : NULL;
		t->used_wrongly |= value == NULL;
		take(t, i, value == NULL ? 1 : 2);
		return value;
	}
	return NULL;
}

bool tool_flag(struct tool *t, const char *name)
{
	for (int i = 0; i < t->argc; i++) {
		if (strcmp(t->argv[i], name) != 0)
			continue;
		take(t, i, 1);
		return true;
	}
	return false;
}

bool tool_words(const struct tool *t, int n)
{
	if (t->used_wrongly || t->argc != n)
		return false;
	for (int i = 0; i < n; i++)
		if (t->argv[i][0] == '-')
			return false;
	return true;
}

int tool_fail(const struct err *e)
{
	fprintf(stderr, "失败 failed（%s）: %s\n", err_zh(e->code), e->text);
	return TOOL_FAILED;
}

/* {"error","message"} of the API. */
static bool refused(int status, const struct buf *answer, struct err *e)
{
	struct json *j = json_parse(buf_bytes(answer), NULL);
	const char *message = tool_text(j, "message");
	if (*message != '\0')
		err_set(e, err_named(tool_text(j, "error")), "%s", message);
	else
		err_set(e, ERR_DENIED, "HTTP %d", status);
	json_free(j);
	return false;
}

bool tool_call_at(const char *socket, const char *method, const char *path, struct bytes body, struct buf *out,
		  struct err *e)
{
	struct buf answer;
	int status = 0;
	const char *headers = body.data != NULL ? "Content-Type: application/json\r\n" : "";
	buf_init(&answer, ANSWER_MAX);
	bool ok = http_call(socket, method, path, headers, body, CALL_MS, &status, &answer, e) &&
		  (status / 100 == 2 || refused(status, &answer, e));
	if (ok) {
		buf_add(out, answer.data, answer.len);
		ok = buf_ok(out, "answer", e);
	}
	buf_clear(&answer);
	return ok;
}

bool tool_call(const struct tool *t, const char *method, const char *path, struct bytes body, struct buf *out,
	       struct err *e)
{
	char socket[200];
	snprintf(socket, sizeof(socket), "%s/ctl.sock", t->dir);
	return tool_call_at(socket, method, path, body, out, e) ||
	       (e->code == ERR_MISSING && err_wrap(e, "branchd 未运行 is not running"));
}

bool tool_fetch(const struct tool *t, const char *method, const char *path, struct bytes body, struct json **j,
		struct err *e)
{
	struct buf out;
	buf_init(&out, ANSWER_MAX);
	*j = NULL;
	bool ok = tool_call(t, method, path, body, &out, e);
	if (ok && t->raw)
		printf("%s\n", buf_str(&out));
	else if (ok)
		*j = json_parse(buf_bytes(&out), e);
	ok = ok && (t->raw || *j != NULL);
	buf_clear(&out);
	return ok;
}

int tool_show(const struct tool *t, const char *method, const char *path, struct bytes body,
	      void (*show)(const struct json *j))
{
	struct json *j;
	struct err e = { 0 };
	if (!tool_fetch(t, method, path, body, &j, &e))
		return tool_fail(&e);
	if (j != NULL)
		show(j);
	json_free(j);
	return TOOL_DONE;
}

static const struct json *of_kind(const struct json *j, const char *key, enum json_kind kind)
{
	const struct json *member = j != NULL ? json_get(j, key) : NULL;
	return member != NULL && json_kind(member) == kind ? member : NULL;
}

const char *tool_text(const struct json *j, const char *key)
{
	const struct json *member = of_kind(j, key, JSON_KIND_TEXT);
	return member != NULL ? (const char *)json_text_value(member).data : "";
}

long long tool_int(const struct json *j, const char *key)
{
	const struct json *member = of_kind(j, key, JSON_KIND_INT);
	return member != NULL ? (long long)json_int_value(member) : 0;
}

bool tool_bool(const struct json *j, const char *key)
{
	const struct json *member = of_kind(j, key, JSON_KIND_BOOL);
	return member != NULL && json_bool_value(member);
}

const struct json *tool_item(const struct json *j, const char *key, size_t i)
{
	const struct json *array = of_kind(j, key, JSON_KIND_ARRAY);
	return array != NULL && i < json_len(array) ? json_at(array, i) : NULL;
}
