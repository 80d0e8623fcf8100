/* centralctl: subject. */
#include "central/ctl/subject.h"
#include "protocol/identifier.h"

#include <stdio.h>
#include <string.h>

void ctl_subject_put(const struct ctl *c, struct json_out *w, const char *key, const char *option, const char *number)
{
	json_open(w, key, '{');
	if (ctl_option(c, option) != NULL)
		json_put_text(w, "kind", ctl_option(c, option));
	/* An enterprise's code is told from a person's by its form, so that nobody has to say it each time. */
	else if (identifier_parse(IDENTIFIER_USCC, number, strlen(number), 0, &(struct identifier){ 0 }, NULL, NULL))
		json_put_text(w, "kind", identifier_kind_name(IDENTIFIER_USCC));
	json_put_text(w, "number", number);
	json_close(w, '}');
}

static struct json *send(struct ctl *c, const char *path, struct buf *body, bool *printed, struct err *e)
{
	struct json *j =
		buf_ok(body, "the request", e) ? ctl_call(c, "POST", path, buf_bytes(body), printed, e) : NULL;
	buf_wipe(body);
	return j;
}

static void numbers_print(const struct json *j)
{
	const struct json *all = json_get(j, "numbers");
	for (size_t i = 0; all != NULL && i < json_len(all); i++)
		printf("  %s %s%s\n", ctl_text(json_at(all, i), "kind"), ctl_text(json_at(all, i), "masked"),
		       i > 0 ? " · 别名 / alias" : "");
}

static void value_print(const struct json *v)
{
	switch (json_kind(v)) {
	case JSON_KIND_TEXT:
		printf("%.*s", (int)json_text_value(v).len, (const char *)json_text_value(v).data);
		break;
	case JSON_KIND_INT: printf("%lld", (long long)json_int_value(v)); break;
	case JSON_KIND_REAL: printf("%.12g", json_double_value(v)); break;
	case JSON_KIND_BOOL: printf("%s", json_bool_value(v) ? "是" : "否"); break;
	case JSON_KIND_NULL:
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT: printf("-"); break;
	}
}

static bool is_so(const struct json *r, const char *key)
{
	const struct json *v = json_get(r, key);
	return v != NULL && json_kind(v) == JSON_KIND_BOOL && json_bool_value(v);
}

static void objections_print(const struct json *r)
{
	const struct json *all = json_get(r, "objections");
	for (size_t i = 0; all != NULL && i < json_len(all); i++)
		printf("    异议 / objection %lld %s %s · %s %s\n", (long long)ctl_int(json_at(all, i), "objection"),
		       ctl_text(json_at(all, i), "state_zh"), ctl_text(json_at(all, i), "state"),
		       ctl_text(json_at(all, i), "field"), ctl_text(json_at(all, i), "due"));
	if (is_so(r, "held"))
		printf("    暂停使用 / held, of no use meanwhile\n");
	if (is_so(r, "withdrawn"))
		printf("    已撤销 / withdrawn, counts no more\n");
	if (is_so(r, "corrected"))
		printf("    已更正 / corrected\n");
}

static void record_print(const struct json *r)
{
	const struct json *fields = json_get(r, "fields");
	printf("  %s · %s · %s · 批次 / batch %lld 行 / row %lld\n   ", ctl_text(r, "department_zh"),
	       ctl_text(r, "indicator_zh"), ctl_text(r, "period"), (long long)ctl_int(r, "batch"),
	       (long long)ctl_int(r, "row"));
	for (size_t i = 0; fields != NULL && i < json_len(fields); i++) {
		const char *name = NULL;
		const struct json *v = json_member(fields, i, &name);
		printf(" %s=", name);
		value_print(v);
	}
	printf("\n");
	objections_print(r);
}

static bool subject_show(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	bool printed = false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", c->argv[0]);
	json_put_text(&w, "purpose", c->argv[1]);
	json_close(&w, '}');
	struct json *j = send(c, "/v1/subjects/show", &body, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "records"), *more = json_get(j, "more");
	size_t len = all != NULL ? json_len(all) : 0;
	if (!printed)
		numbers_print(j);
	for (size_t i = 0; !printed && i < len; i++)
		record_print(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有记录 / no record\n");
	if (!printed && more != NULL && json_kind(more) == JSON_KIND_BOOL && json_bool_value(more))
		printf("  还有更多 / there are more\n");
	json_free(j);
	return true;
}

static bool subject_reads(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	bool printed = false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", c->argv[0]);
	json_close(&w, '}');
	struct json *j = send(c, "/v1/subjects/reads", &body, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "reads");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++)
		printf("  %s · %s · %s\n", ctl_time(ctl_int(json_at(all, i), "time_s")),
		       ctl_text(json_at(all, i), "who"), ctl_text(json_at(all, i), "purpose"));
	json_free(j);
	return true;
}

/* subject NULL: unmerge. */
static bool alias_send(struct ctl *c, const char *path, const char *subject, const char *alias, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	bool printed = false;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	if (subject != NULL)
		ctl_subject_put(c, &w, "subject", "kind", subject);
	ctl_subject_put(c, &w, "alias", "alias-kind", alias);
	json_put_text(&w, "reason", ctl_option(c, "reason") != NULL ? ctl_option(c, "reason") : "");
	json_close(&w, '}');
	struct json *j = send(c, path, &body, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		numbers_print(j);
	json_free(j);
	return true;
}

static bool subject_merge(struct ctl *c, struct err *e)
{
	return alias_send(c, "/v1/subjects/merge", c->argv[0], c->argv[1], e);
}

static bool subject_unmerge(struct ctl *c, struct err *e)
{
	return alias_send(c, "/v1/subjects/unmerge", NULL, c->argv[0], e);
}

const struct ctl_command ctl_subject_commands[] = {
	{ "subject", "show", 2, "NUMBER PURPOSE [--kind resident_id|uscc|…]", "kind", subject_show },
	{ "subject", "reads", 1, "NUMBER [--kind resident_id|uscc|…]", "kind", subject_reads },
	{ "subject", "merge", 2, "NUMBER ALIAS --reason TEXT [--kind KIND] [--alias-kind KIND]",
	  "reason kind alias-kind", subject_merge },
	{ "subject", "unmerge", 1, "ALIAS --reason TEXT [--alias-kind KIND]", "reason alias-kind", subject_unmerge },
	{ 0 },
};
