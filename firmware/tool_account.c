/* branchctl carbon: a customer's carbon account, and what its points buy. */
#include "firmware/tool.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* KIND:NUMBER; a number alone is a resident's. *number borrows. */
static bool holder_split(const char *holder, char kind[NAME_MAX_LEN + 1], const char **number, struct err *e)
{
	const char *colon = strchr(holder, ':');
	if (colon != NULL && (size_t)(colon - holder) > NAME_MAX_LEN)
		return err_set(e, ERR_INPUT, "没有这种证件 there is no such kind of document: %.40s", holder);
	snprintf(kind, NAME_MAX_LEN + 1, "%.*s", colon != NULL ? (int)(colon - holder) : (int)strlen("resident_id"),
		 colon != NULL ? holder : "resident_id");
	*number = colon != NULL ? colon + 1 : holder;
	return true;
}

static void show_account(const struct json *j)
{
	const struct json *level = json_get(j, "level"), *expiring = json_get(j, "expiring"), *o;
	printf("%s 积分 points %lld · 兑换中 held %lld · 等级 level %s (%s) · %lld 日内到期 expire within: %lld\n",
	       tool_text(j, "holder_masked"), tool_int(j, "points"), tool_int(j, "pending"), tool_text(level, "zh"),
	       tool_text(level, "en"), tool_int(expiring, "within_days"), tool_int(expiring, "points"));
	for (size_t i = 0; (o = tool_item(j, "offers", i)) != NULL; i++)
		printf("  %s\t%s %s\t%lld 积分 points / %lld %s\t可兑 can be had: %lld\n", tool_text(o, "kind"),
		       tool_text(o, "zh"), tool_text(o, "en"), tool_int(o, "points"), tool_int(o, "per"),
		       tool_text(o, "unit"), tool_int(o, "left"));
}

static void show_redemption(const struct json *j)
{
	printf("%s\t%s %s\t%s %lld / %lld %s\t%lld / %lld 积分 points\t%s\n", tool_text(j, "redemption"),
	       tool_text(j, "state_zh"), tool_text(j, "state"), tool_text(j, "kind"), tool_int(j, "posted_quantity"),
	       tool_int(j, "quantity"), tool_text(j, "unit"), tool_int(j, "posted_points"), tool_int(j, "points"),
	       tool_text(j, "reference"));
}

int tool_account(struct tool *t)
{
	struct buf path;
	struct err e = { 0 };
	char kind[NAME_MAX_LEN + 1];
	const char *number = NULL;
	if (!tool_words(t, 2))
		return TOOL_USAGE;
	if (!holder_split(t->argv[0], kind, &number, &e))
		return tool_fail(&e);
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/carbon/account");
	http_query_add(&path, "holder_kind", kind);
	http_query_add(&path, "holder", number);
	http_query_add(&path, "purpose", t->argv[1]);
	int status = buf_ok(&path, "the address", &e)
			     ? tool_show(t, "GET", buf_str(&path), (struct bytes){ NULL, 0 }, show_account)
			     : tool_fail(&e);
	buf_clear(&path);
	return status;
}

static bool number_take(const char *text, int64_t *out, struct err *e)
{
	char *end = NULL;
	*out = strtoll(text, &end, 10);
	return (end != text && *end == '\0' && *out > 0) ||
	       err_set(e, ERR_INPUT, "不是数量 not a quantity: %.40s", text);
}

/* REQUEST HOLDER PURPOSE KIND QUANTITY REFERENCE */
int tool_redeem(struct tool *t)
{
	struct buf body;
	struct json_out w = { &body, false };
	struct err e = { 0 };
	char kind[NAME_MAX_LEN + 1];
	const char *number = NULL;
	int64_t quantity = 0;
	if (!tool_words(t, 6))
		return TOOL_USAGE;
	if (!holder_split(t->argv[1], kind, &number, &e) || !number_take(t->argv[4], &quantity, &e))
		return tool_fail(&e);
	buf_init(&body, HTTP_BODY_MAX);
	json_open(&w, NULL, '{');
	json_put_text(&w, "request_id", t->argv[0]);
	json_open(&w, "holder", '{');
	json_put_text(&w, "kind", kind);
	json_put_text(&w, "number", number);
	json_close(&w, '}');
	json_put_text(&w, "purpose", t->argv[2]);
	json_put_text(&w, "kind", t->argv[3]);
	json_put_int(&w, "quantity", quantity);
	json_put_text(&w, "reference", t->argv[5]);
	json_close(&w, '}');
	int status = tool_show(t, "POST", "/v1/carbon/redemptions", buf_bytes(&body), show_redemption);
	buf_wipe(&body);
	return status;
}

static int redemption_end(struct tool *t, const char *body)
{
	char path[160];
	snprintf(path, sizeof(path), "/v1/carbon/redemptions/%.60s", t->argv[0]);
	return tool_show(t, "POST", path, bytes_of(body), show_redemption);
}

int tool_redemption_post(struct tool *t)
{
	const char *quantity = tool_option(t, "--quantity");
	char body[96];
	struct err e = { 0 };
	int64_t n = 0;
	if (!tool_words(t, 1))
		return TOOL_USAGE;
	if (quantity == NULL)
		return redemption_end(t, "{\"end\":\"post\"}");
	if (!number_take(quantity, &n, &e))
		return tool_fail(&e);
	snprintf(body, sizeof(body), "{\"end\":\"post\",\"quantity\":%lld}", (long long)n);
	return redemption_end(t, body);
}

int tool_redemption_void(struct tool *t)
{
	return tool_words(t, 1) ? redemption_end(t, "{\"end\":\"void\"}") : TOOL_USAGE;
}
