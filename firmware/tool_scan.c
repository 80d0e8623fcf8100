/* branchctl scan: certificates' codes from a pipe or a picture, one verdict each. */
#include "firmware/scans.h"
#include "firmware/tool.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <string.h>

#define INPUT_MAX ((size_t)2 * SCAN_IMAGE_MAX)

struct asked {
	const char *business, *holder, *holder_name;
};

static bool is_picture(const struct buf *in)
{
	return (in->len > 8 && memcmp(in->data, "\x89PNG", 4) == 0) ||
	       (in->len > 3 && memcmp(in->data, "\xff\xd8\xff", 3) == 0);
}

/* KIND:NUMBER; a number alone is a resident's. */
static void put_holder(struct json_out *w, const struct asked *a)
{
	const char *colon = strchr(a->holder, ':');
	json_open(w, "holder", '{');
	if (colon == NULL)
		json_put_text(w, "kind", "resident_id");
	else
		json_put_text_n(w, "kind", (struct bytes){ (const uint8_t *)a->holder, (size_t)(colon - a->holder) });
	json_put_text(w, "number", colon == NULL ? a->holder : colon + 1);
	if (a->holder_name != NULL)
		json_put_text(w, "name", a->holder_name);
	json_close(w, '}');
}

static void compose(const struct asked *a, struct bytes code, bool picture, struct buf *out)
{
	struct json_out w = { out, false };
	struct buf base64;
	char id[48] = "branchctl-";
	uint8_t random[16];
	random_system.fill(random_system.arg, random, sizeof(random));
	hex_encode(random, sizeof(random), id + strlen(id));
	json_open(&w, NULL, '{');
	json_put_text(&w, "request_id", id);
	if (picture) {
		buf_init(&base64, 2 * INPUT_MAX);
		base64_encode(code, &base64);
		json_put_text_n(&w, "image", buf_bytes(&base64));
		buf_clear(&base64);
	} else {
		json_put_text_n(&w, "text", code);
	}
	if (a->business != NULL)
		json_put_text(&w, "business", a->business);
	if (a->holder != NULL)
		put_holder(&w, a);
	json_close(&w, '}');
}

static void show_words(const struct json *j, const char *key)
{
	const struct json *text = json_get(j, key);
	printf("%s %s", tool_text(text, "zh"), tool_text(text, "en"));
}

void tool_show_verdict(const struct json *j)
{
	const struct json *c = json_get(j, "certificate"), *hint = json_get(j, "hint"), *item;
	printf("结论 Outcome: ");
	show_words(j, "outcome_text");
	printf("\n%s: ", tool_text(j, "code"));
	show_words(j, "text");
	printf("\n");
	if (hint != NULL)
		printf("提示 Hint: %s %s\n", tool_text(hint, "zh"), tool_text(hint, "en"));
	for (size_t i = 1; (item = tool_item(j, "findings", i)) != NULL; i++) {
		printf("另 Also: %s ", tool_text(item, "code"));
		show_words(item, "text");
		printf("\n");
	}
	if (c != NULL) {
		printf("证照 Certificate: %s · %s\n", tool_text(c, "id"), tool_text(json_get(c, "kind"), "zh"));
		printf("编号 Number: %s · 持有人 holder %s %s\n", tool_text(c, "number"), tool_text(c, "holder_name"),
		       tool_text(c, "holder_masked"));
		printf("颁发 Issued: %s %s · 有效期至 until %s\n", tool_text(json_get(c, "issuer_name"), "zh"),
		       tool_text(c, "issued"), tool_text(c, "to")[0] != '\0' ? tool_text(c, "to") : "长期 no end");
	}
}

static void show(const struct json *j)
{
	tool_show_verdict(j);
	printf("扫描编号 Scan: %s\n", tool_text(j, "scan_id"));
}

/* *accepted stays true while every verdict accepts. */
static bool scan_one(struct tool *t, const struct asked *a, struct bytes code, bool picture, bool *accepted,
		     struct err *e)
{
	struct buf body, answer;
	buf_init(&body, 3 * INPUT_MAX);
	buf_init(&answer, 262144);
	compose(a, code, picture, &body);
	bool ok = buf_ok(&body, "the code", e) && tool_call(t, "POST", "/v1/scans", buf_bytes(&body), &answer, e);
	struct json *j = ok ? json_parse(buf_bytes(&answer), e) : NULL;
	if (j != NULL && t->raw)
		printf("%.*s\n", (int)answer.len, (const char *)answer.data);
	else if (j != NULL)
		show(j);
	*accepted &= j != NULL && strncmp(tool_text(j, "outcome"), "accept", 6) == 0;
	json_free(j);
	buf_clear(&body);
	buf_clear(&answer);
	return ok && j != NULL;
}

static bool scan_lines(struct tool *t, const struct asked *a, const struct buf *in, bool *accepted, struct err *e)
{
	size_t scans = 0;
	for (size_t at = 0; at < in->len;) {
		const uint8_t *end = memchr(in->data + at, '\n', in->len - at);
		size_t len = end != NULL ? (size_t)(end - in->data) - at : in->len - at;
		struct bytes line = { in->data + at, len };
		at += len + 1;
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			continue;
		scans++;
		if (!scan_one(t, a, line, false, accepted, e))
			return false;
	}
	return scans > 0 || err_set(e, ERR_INPUT, "没有读到内容 nothing to scan was given");
}

int tool_scan(struct tool *t)
{
	struct asked a = { tool_option(t, "--business"), tool_option(t, "--holder"),
			   tool_option(t, "--holder-name") };
	struct err e = { 0 };
	struct buf in;
	bool accepted = true;
	if (!tool_words(t, 1))
		return TOOL_USAGE;
	buf_init(&in, INPUT_MAX);
	bool ok = file_read(strcmp(t->argv[0], "-") == 0 ? "/dev/stdin" : t->argv[0], &in, &e);
	if (ok)
		ok = is_picture(&in) ? scan_one(t, &a, buf_bytes(&in), true, &accepted, &e)
				     : scan_lines(t, &a, &in, &accepted, &e);
	buf_clear(&in);
	if (!ok)
		return tool_fail(&e);
	return accepted ? TOOL_DONE : TOOL_FAILED;
}
