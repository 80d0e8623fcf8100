/* Personal carbon accounts. */
#include "central/ctl/carbon.h"
#include "protocol/base/file.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

static const struct bytes nothing = { NULL, 0 };

/* --- reports --- */

static bool carbon_report_send(struct ctl *c, struct err *e)
{
	struct buf file;
	bool printed = false;
	uint64_t refused = 0;
	struct json *j = NULL;
	buf_init(&file, HTTP_UPLOAD_MAX);
	if (file_read(strcmp(c->argv[0], "-") == 0 ? "/dev/stdin" : c->argv[0], &file, e))
		j = ctl_call(c, "POST", "/v1/carbon/activities", buf_bytes(&file), &printed, e);
	buf_clear(&file);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "results");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *r = json_at(all, i);
		refused += strcmp(ctl_text(r, "status"), "refused") == 0;
		if (!printed)
			printf("%s\t%s\t%s\t%s\t%lld\t%s\n", ctl_text(r, "activity"), ctl_text(r, "reference"),
			       ctl_text(r, "status"), ctl_text(r, "zh"), (long long)ctl_int(r, "points"),
			       ctl_text(r, "why"));
	}
	json_free(j);
	return refused == 0 || err_set(e, ERR_CONFLICT, "%llu 条未计分 / reports earned nothing: see why",
				       (unsigned long long)refused);
}

static bool carbon_show(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/carbon/account");
	http_query_add(&path, "holder", c->argv[0]);
	http_query_add(&path, "purpose", c->argv[1]);
	if (ctl_option(c, "holder-kind") != NULL)
		http_query_add(&path, "holder_kind", ctl_option(c, "holder-kind"));
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("  积分 / points %lld · 兑换中 / held %lld · 等级 / level %s (%s) · 账户 / accounts %lld · "
		       "标准 / "
		       "standard %lld\n",
		       (long long)ctl_int(j, "points"), (long long)ctl_int(j, "pending"), ctl_text(j, "level_zh"),
		       ctl_text(j, "level_en"), (long long)ctl_int(j, "accounts"),
		       (long long)ctl_int(j, "rules_version"));
	json_free(j);
	return true;
}

/* --- steps --- */

void ctl_holder_put(struct ctl *c, struct json_out *w, const char *key, const char *number)
{
	json_open(w, key, '{');
	if (ctl_option(c, "holder-kind") != NULL)
		json_put_text(w, "kind", ctl_option(c, "holder-kind"));
	json_put_text(w, "number", number);
	json_close(w, '}');
}

static bool carbon_expire(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", "/v1/carbon/expire", nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("过期积分 / points expired: %lld · 账户 / accounts %lld\n", (long long)ctl_int(j, "points"),
		       (long long)ctl_int(j, "accounts"));
	json_free(j);
	return true;
}

static bool merge_send(struct ctl *c, const char *path, const char *into, const char *done, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_holder_put(c, &w, "holder", c->argv[0]);
	if (into != NULL)
		ctl_holder_put(c, &w, "into", into);
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) && ctl_post(c, path, buf_bytes(&body), done, e);
	buf_clear(&body);
	return ok;
}

static bool carbon_merge(struct ctl *c, struct err *e)
{
	return merge_send(c, "/v1/carbon/merges", c->argv[1], "已合并 / merged", e);
}

static bool carbon_unmerge(struct ctl *c, struct err *e)
{
	return merge_send(c, "/v1/carbon/unmerges", NULL, "已解除合并 / no longer merged", e);
}

const struct ctl_command ctl_carbon_commands[] = {
	{ "carbon", "report", 1, "FILE.ndjson|-", "", carbon_report_send },
	{ "carbon", "show", 2, "HOLDER PURPOSE [--holder-kind resident_id]", "holder-kind", carbon_show },
	{ "carbon", "expire", 0, "", "", carbon_expire },
	{ "carbon", "merge", 2, "HOLDER INTO [--holder-kind resident_id]", "holder-kind", carbon_merge },
	{ "carbon", "unmerge", 1, "HOLDER [--holder-kind resident_id]", "holder-kind", carbon_unmerge },
	{ 0 },
};
