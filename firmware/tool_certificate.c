/* branchctl certificate and cache: looking up a holder's certificates, and what is kept of them. */
#include "firmware/tool.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

static void show(const struct json *j)
{
	const struct json *note = json_get(j, "note"), *item;
	printf("来源 Source: %s\n",
	       strcmp(tool_text(j, "source"), "central") == 0 ? "中心 central" : "本机所存 cache");
	if (note != NULL)
		printf("注意 Note: %s %s\n", tool_text(note, "zh"), tool_text(note, "en"));
	for (size_t i = 0; (item = tool_item(j, "certificates", i)) != NULL; i++) {
		printf("\n");
		tool_show_verdict(item);
		printf("文件 File: %s\n", tool_text(item, "file_state"));
	}
	if (tool_bool(j, "more"))
		printf("\n还有更多 there are more\n");
}

/* KIND:NUMBER; a number alone is a resident's. */
static bool path_make(const struct tool *t, struct buf *path, struct err *e)
{
	const char *holder = t->argv[0], *colon = strchr(holder, ':');
	char kind[NAME_MAX_LEN + 1];
	buf_add_str(path, "/v1/certificates");
	if (colon != NULL && (size_t)(colon - holder) >= sizeof(kind))
		return err_set(e, ERR_INPUT, "没有这种证件 there is no such kind of document: %.40s", holder);
	if (colon != NULL) {
		snprintf(kind, sizeof(kind), "%.*s", (int)(colon - holder), holder);
		http_query_add(path, "holder_kind", kind);
	}
	http_query_add(path, "holder", colon != NULL ? colon + 1 : holder);
	http_query_add(path, "kind", t->argv[1]);
	http_query_add(path, "purpose", t->argv[2]);
	return buf_ok(path, "the address", e);
}

int tool_certificate(struct tool *t)
{
	struct buf path;
	struct err e = { 0 };
	if (!tool_words(t, 3))
		return TOOL_USAGE;
	buf_init(&path, 8192);
	int status = path_make(t, &path, &e) ? tool_show(t, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, show)
					     : tool_fail(&e);
	buf_clear(&path);
	return status;
}

static void show_cache(const struct json *j)
{
	const struct json *c = json_get(j, "cache");
	printf("所存证照 Certificates kept: %lld · %lld / %lld KiB\n", tool_int(c, "items"),
	       tool_int(c, "size_bytes") / 1024, tool_int(c, "size_max_bytes") / 1024);
	printf("为腾出空间移除 Made room: %lld · 到期、撤销或授权终止而删除 Ended, revoked or no longer consented "
	       "to: %lld\n",
	       tool_int(c, "evicted"), tool_int(c, "erased"));
}

int tool_cache_show(struct tool *t)
{
	return tool_words(t, 0) ? tool_show(t, "GET", "/v1/status", (struct bytes){ NULL, 0 }, show_cache)
				: TOOL_USAGE;
}

static void show_wiped(const struct json *j)
{
	printf("已清除 wiped: %lld\n", tool_int(j, "wiped"));
}

int tool_cache_wipe(struct tool *t)
{
	return tool_words(t, 0) ? tool_show(t, "POST", "/v1/cache/wipe", (struct bytes){ NULL, 0 }, show_wiped)
				: TOOL_USAGE;
}
