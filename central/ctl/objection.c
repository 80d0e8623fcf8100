/* centralctl: objection. */
#include "central/ctl/ctl.h"
#include "central/ctl/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 16384

static bool sent(struct ctl *c, const char *path, struct buf *body, struct err *e)
{
	bool printed = false;
	struct json *j =
		buf_ok(body, "the request", e) ? ctl_call(c, "POST", path, buf_bytes(body), &printed, e) : NULL;
	buf_wipe(body);
	if (j == NULL)
		return false;
	if (!printed)
		printf("  异议 / objection %lld %s / %s\n", (long long)ctl_int(j, "objection"),
		       ctl_text(j, "state_zh"), ctl_text(j, "state"));
	json_free(j);
	return true;
}

static bool number_read(const char *text, const char *what, int64_t *out, struct err *e)
{
	char *end = NULL;
	*out = strtoll(text, &end, 10);
	return (end != text && *end == '\0' && *out > 0) ||
	       err_set(e, ERR_INPUT, "%s: expected a number, as subject show gives it", what);
}

static const char *option_or_none(const struct ctl *c, const char *name)
{
	const char *v = ctl_option(c, name);
	return v != NULL ? v : "";
}

static bool objection_open(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	int64_t batch = 0, row = 0;
	if (!number_read(c->argv[1], "batch", &batch, e) || !number_read(c->argv[2], "row", &row, e))
		return false;
	buf_init(&body, BODY_MAX);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", c->argv[0]);
	json_put_int(&w, "batch", batch);
	json_put_int(&w, "row", row);
	json_put_text(&w, "field", option_or_none(c, "field"));
	json_put_text(&w, "reason", option_or_none(c, "reason"));
	json_close(&w, '}');
	return sent(c, "/v1/objections", &body, e);
}

/* --correct FIELD=VALUE, as often as there are fields. */
static bool corrections_put(const struct ctl *c, struct json_out *w, struct err *e)
{
	char field[128];
	bool any = false;
	for (int i = 0; i < c->options_len; i++) {
		const char *text = c->option_values[i], *eq = strchr(text, '=');
		if (strcmp(c->option_names[i], "correct") != 0)
			continue;
		if (eq == NULL || eq == text || (size_t)(eq - text) >= sizeof(field))
			return err_set(e, ERR_INPUT, "--correct: expected FIELD=VALUE");
		if (!any)
			json_open(w, "correction", '{');
		any = true;
		snprintf(field, sizeof(field), "%.*s", (int)(eq - text), text);
		json_put_text(w, field, eq + 1);
	}
	if (any)
		json_close(w, '}');
	return true;
}

static bool objection_decide(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	char path[80];
	int64_t id = 0;
	bool upheld = strcmp(c->argv[1], "upheld") == 0;
	if (!number_read(c->argv[0], "objection", &id, e))
		return false;
	if (!upheld && strcmp(c->argv[1], "rejected") != 0)
		return err_set(e, ERR_INPUT, "expected upheld or rejected");
	snprintf(path, sizeof(path), "/v1/objections/%lld/decide", (long long)id);
	buf_init(&body, BODY_MAX);
	json_open(&w, NULL, '{');
	json_put_bool(&w, "upheld", upheld);
	json_put_text(&w, "reason", option_or_none(c, "reason"));
	json_put_bool(&w, "withdraw", ctl_option(c, "withdraw") != NULL);
	bool ok = corrections_put(c, &w, e);
	json_close(&w, '}');
	if (ok)
		return sent(c, path, &body, e);
	buf_wipe(&body);
	return false;
}

static void row_print(const struct json *o, const char *today)
{
	const struct json *hold = json_get(o, "hold");
	const char *state = ctl_text(o, "state"), *due = ctl_text(o, "due");
	bool open = strcmp(state, "open") == 0 || strcmp(state, "proposed") == 0;
	printf("  %lld %s / %s · %s · %s %s · 批次 / batch %lld 行 / row %lld %s\n",
	       (long long)ctl_int(o, "objection"), ctl_text(o, "state_zh"), state, ctl_text(o, "masked"),
	       ctl_text(o, "source"), ctl_text(o, "period"), (long long)ctl_int(o, "batch"),
	       (long long)ctl_int(o, "row"), ctl_text(o, "field"));
	printf("    %s · %s %s · 期限 / due %s%s%s\n", ctl_text(o, "reason"), ctl_text(o, "opened_by"),
	       ctl_time(ctl_int(o, "opened_s")), due, open && strcmp(due, today) < 0 ? " 已超期 / overdue" : "",
	       open && hold != NULL && json_kind(hold) == JSON_KIND_BOOL && json_bool_value(hold)
		       ? " · 暂停使用 / held"
		       : "");
	if (ctl_text(o, "inputs")[0] != '\0')
		printf("    评分不用 / scores do without: %s\n", ctl_text(o, "inputs"));
	if (ctl_int(o, "proposed_s") > 0)
		printf("    提出 / proposed by %s %s\n", ctl_text(o, "proposed_by"),
		       ctl_time(ctl_int(o, "proposed_s")));
	if (ctl_text(o, "decided_why")[0] != '\0')
		printf("    %s · %s %s\n", ctl_text(o, "decided_why"), ctl_text(o, "decided_by"),
		       ctl_time(ctl_int(o, "decided_s")));
}

static bool objection_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", ctl_option(c, "all") != NULL ? "/v1/objections?all=1" : "/v1/objections",
				  (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "objections");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		row_print(json_at(all, i), ctl_text(j, "today"));
	if (!printed && len == 0)
		printf("  没有异议 / none\n");
	json_free(j);
	return true;
}

const struct ctl_command ctl_objection_commands[] = {
	{ "objection", "open", 3, "NUMBER BATCH ROW --reason TEXT [--field COLUMN] [--kind resident_id|uscc|…]",
	  "reason field kind", objection_open },
	{ "objection", "list", 0, "[--all]", "|all", objection_list },
	{ "objection", "decide", 2, "ID upheld|rejected --reason TEXT [--correct COLUMN=VALUE … | --withdraw]",
	  "reason correct|withdraw", objection_decide },
	{ 0 },
};
