/* centralctl: exchange with other platforms: exchange add, list, push, pull, dead, requeue, end. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

static const struct bytes nothing = { NULL, 0 };

static void platform_line(const struct json *x)
{
	bool out = strcmp(ctl_text(x, "direction"), "push") == 0;
	printf("  %s · %s · %s (%s) %s · %s\n", ctl_text(x, "name"), out ? "推送 / push" : "拉取 / pull",
	       ctl_text(x, "kind"), ctl_text(x, "of")[0] != '\0' ? ctl_text(x, "of") : "*",
	       out && strcmp(ctl_text(x, "subject"), "none") != 0 ? ctl_text(x, "subject") : "", ctl_text(x, "url"));
	if (out)
		printf("    待发 / waiting %lld · 已收 / taken %lld · 死信 / dead %lld",
		       (long long)ctl_int(x, "waiting"), (long long)ctl_int(x, "taken"),
		       (long long)ctl_int(x, "dead"));
	else if (ctl_text(x, "period")[0] != '\0')
		printf("    正在拉取 / pulling %s · 页 / pages %lld", ctl_text(x, "period"),
		       (long long)ctl_int(x, "pages"));
	else
		printf("    空闲 / idle");
	printf(" · 最近成功 / last good %s\n", ctl_time(ctl_int(x, "ok_s")));
	if (ctl_text(x, "fault")[0] != '\0')
		printf("    故障 / fault: %s · 已试 / tries %lld · 下次 / next %s\n", ctl_text(x, "fault"),
		       (long long)ctl_int(x, "tries"), ctl_time(ctl_int(x, "next_s")));
}

static bool platforms_print(struct json *j, bool printed)
{
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "platforms");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		platform_line(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有平台 / no platforms\n");
	json_free(j);
	return true;
}

static bool exchange_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/exchanges", nothing, &printed, e);
	return platforms_print(j, printed);
}

static bool platform_call(struct ctl *c, const char *path, struct bytes body, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", path, body, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		platform_line(j);
	json_free(j);
	return true;
}

static bool needed(const struct ctl *c, struct err *e)
{
	static const char *const names[] = { "certificate", "key", "ca", "kind" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ctl_option(c, names[i]) == NULL)
			return err_set(e, ERR_INPUT, "缺少 / is missing: --%s", names[i]);
	return true;
}

static bool exchange_add_run(struct ctl *c, struct err *e)
{
	const char *kind = ctl_option(c, "kind");
	struct buf body;
	struct json_out w = { &body, false };
	if (!needed(c, e))
		return false;
	buf_init(&body, HTTP_BODY_MAX);
	json_open(&w, NULL, '{');
	json_put_text(&w, "name", c->argv[0]);
	json_put_text(&w, "url", c->argv[1]);
	json_put_text(&w, "direction", strcmp(kind, "records") == 0 ? "pull" : "push");
	for (int i = 0; i < c->options_len; i++)
		json_put_text(&w, strcmp(c->option_names[i], "subject-key") == 0 ? "subject_key" : c->option_names[i],
			      c->option_values[i]);
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) && platform_call(c, "/v1/exchanges", buf_bytes(&body), e);
	buf_clear(&body);
	return ok;
}

static bool exchange_push_run(struct ctl *c, struct err *e)
{
	char path[96];
	bool more = true, printed = false, json = c->json;
	int64_t queued = 0, skipped = 0;
	snprintf(path, sizeof(path), "/v1/exchanges/%.40s/push", c->argv[0]);
	c->json = false; /* one answer for all slices */
	while (more) {
		struct json *j = ctl_call(c, "POST", path, nothing, &printed, e);
		if (j == NULL || !json_bool(j, "more", &more, e)) {
			json_free(j);
			return false;
		}
		queued += ctl_int(j, "queued");
		skipped += ctl_int(j, "skipped");
		json_free(j);
	}
	c->json = json;
	if (json)
		printf("{\"queued\":%lld,\"skipped\":%lld}\n", (long long)queued, (long long)skipped);
	else
		printf("已排队 / queued %lld · 略过（无证件号码留存）/ skipped, their subject's number is not kept "
		       "%lld\n",
		       (long long)queued, (long long)skipped);
	return true;
}

static bool exchange_pull_run(struct ctl *c, struct err *e)
{
	struct buf path;
	if (ctl_option(c, "period") == NULL)
		return err_set(e, ERR_INPUT, "缺少 / is missing: --period 2026-10");
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/exchanges/%.40s/pull", c->argv[0]);
	http_query_add(&path, "period", ctl_option(c, "period"));
	bool ok = buf_ok(&path, "the request", e) && platform_call(c, buf_str(&path), nothing, e);
	buf_clear(&path);
	return ok;
}

static bool exchange_dead_run(struct ctl *c, struct err *e)
{
	char path[96];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/exchanges/%.40s/dead", c->argv[0]);
	struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "dead");
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++) {
		const struct json *d = json_at(all, i);
		printf("  %lld · %s · 已试 / tries %lld · %s · %s\n", (long long)ctl_int(d, "id"), ctl_text(d, "key"),
		       (long long)ctl_int(d, "tries"), ctl_time(ctl_int(d, "made_s")), ctl_text(d, "fault"));
	}
	if (!printed && len == 0)
		printf("  没有死信 / no dead letters\n");
	json_free(j);
	return true;
}

static bool exchange_requeue_run(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 512);
	buf_add_fmt(&path, "/v1/exchanges/%.40s/requeue", c->argv[0]);
	if (ctl_option(c, "id") != NULL)
		http_query_add(&path, "id", ctl_option(c, "id"));
	struct json *j =
		buf_ok(&path, "the request", e) ? ctl_call(c, "POST", buf_str(&path), nothing, &printed, e) : NULL;
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("重新排队 / requeued %lld\n", (long long)ctl_int(j, "requeued"));
	json_free(j);
	return true;
}

static bool exchange_end_run(struct ctl *c, struct err *e)
{
	char path[96];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/exchanges/%.40s/end", c->argv[0]);
	struct json *j = ctl_call(c, "POST", path, nothing, &printed, e);
	return platforms_print(j, printed);
}

const struct ctl_command ctl_exchange_commands[] = {
	{ "exchange", "add", 2,
	  "NAME URL --kind scores|releases|records --certificate PEM --key PEM --ca PEM [--of FAMILY|LIST|SOURCE] "
	  "[--subject hash|sealed --subject-key FILE]",
	  "kind certificate key ca of subject subject-key", exchange_add_run },
	{ "exchange", "list", 0, "", "", exchange_list },
	{ "exchange", "push", 1, "NAME", "", exchange_push_run },
	{ "exchange", "pull", 1, "NAME --period 2026-10", "period", exchange_pull_run },
	{ "exchange", "dead", 1, "NAME", "", exchange_dead_run },
	{ "exchange", "requeue", 1, "NAME [--id N]", "id", exchange_requeue_run },
	{ "exchange", "end", 1, "NAME", "", exchange_end_run },
	{ 0 },
};
