/* branchctl carbon: a customer's carbon account, and what its points buy. */
#include "firmware/tool.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"
#include "protocol/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who asks, and under which request id. */
struct asking {
	const char *officer, *again; /* again: NULL, a new one */
	char id[17];
	struct buf body;
	struct json_out w;
};

static bool asking_begin(struct tool *t, struct asking *a)
{
	uint8_t random[8];
	a->officer = tool_option(t, "--officer");
	a->again = tool_option(t, "--request-id");
	random_system.fill(random_system.arg, random, sizeof(random));
	hex_encode(random, sizeof(random), a->id);
	buf_init(&a->body, HTTP_BODY_MAX);
	a->w = (struct json_out){ &a->body, false };
	json_open(&a->w, NULL, '{');
	json_put_text(&a->w, "request_id", a->again != NULL ? a->again : a->id);
	json_put_text(&a->w, "officer", a->officer != NULL ? a->officer : "");
	return a->officer != NULL;
}

static int asking_end(struct tool *t, struct asking *a, const char *path, void (*show)(const struct json *j))
{
	struct err e = { 0 };
	json_close(&a->w, '}');
	int status = buf_ok(&a->body, "the request", &e) ? tool_show(t, "POST", path, buf_bytes(&a->body), show)
							 : tool_fail(&e);
	buf_wipe(&a->body);
	if (status == TOOL_FAILED && a->again == NULL)
		fprintf(stderr, "重试时请加 To try again: --request-id %s\n", a->id);
	return status;
}

static int asking_drop(struct asking *a)
{
	buf_wipe(&a->body);
	return TOOL_USAGE;
}

/* KIND:NUMBER; a number alone is a resident's. */
static void holder_put(struct asking *a, const char *holder)
{
	char kind[NAME_MAX_LEN + 1] = "resident_id";
	const char *colon = strchr(holder, ':');
	if (colon != NULL)
		snprintf(kind, sizeof(kind), "%.*s", (int)(colon - holder), holder);
	json_open(&a->w, "holder", '{');
	json_put_text(&a->w, "kind", kind);
	json_put_text(&a->w, "number", colon != NULL ? colon + 1 : holder);
	json_close(&a->w, '}');
}

static bool quantity_put(struct asking *a, const char *text)
{
	char *end = NULL;
	long long n = strtoll(text, &end, 10);
	json_put_int(&a->w, "quantity", n);
	return end != text && *end == '\0' && n > 0;
}

/* --- what is shown --- */

static void show_account(const struct json *j)
{
	const struct json *level = json_get(j, "level"), *next = json_get(j, "expires_next"), *o;
	printf("%s 积分 points %lld · 兑换中 held %lld · 等级 level %s (%s)", tool_text(j, "holder_masked"),
	       tool_int(j, "points"), tool_int(j, "pending"), tool_text(level, "zh"), tool_text(level, "en"));
	if (next != NULL)
		printf(" · 最近到期 expires next %s: %lld", tool_text(next, "day"), tool_int(next, "points"));
	printf("\n");
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

/* --- commands --- */

/* HOLDER PURPOSE */
int tool_carbon_show(struct tool *t)
{
	struct asking a;
	if (!asking_begin(t, &a) || !tool_words(t, 2))
		return asking_drop(&a);
	holder_put(&a, t->argv[0]);
	json_put_text(&a.w, "purpose", t->argv[1]);
	return asking_end(t, &a, "/v1/carbon/account", show_account);
}

/* HOLDER PURPOSE KIND QUANTITY REFERENCE */
int tool_carbon_redeem(struct tool *t)
{
	struct asking a;
	if (!asking_begin(t, &a) || !tool_words(t, 5))
		return asking_drop(&a);
	holder_put(&a, t->argv[0]);
	json_put_text(&a.w, "purpose", t->argv[1]);
	json_put_text(&a.w, "kind", t->argv[2]);
	json_put_text(&a.w, "reference", t->argv[4]);
	if (!quantity_put(&a, t->argv[3]))
		return asking_drop(&a);
	return asking_end(t, &a, "/v1/carbon/redemptions", show_redemption);
}

/* The redemption's name goes into the address. */
static int redemption_end(struct tool *t, const char *end, bool may_be_less)
{
	static const char fine[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_";
	const char *quantity = may_be_less ? tool_option(t, "--quantity") : NULL;
	struct asking a;
	char path[160];
	if (!asking_begin(t, &a) || !tool_words(t, 1) || strspn(t->argv[0], fine) != strlen(t->argv[0]) ||
	    (quantity != NULL && !quantity_put(&a, quantity)))
		return asking_drop(&a);
	json_put_text(&a.w, "end", end);
	snprintf(path, sizeof(path), "/v1/carbon/redemptions/%.100s", t->argv[0]);
	return asking_end(t, &a, path, show_redemption);
}

int tool_carbon_post(struct tool *t)
{
	return redemption_end(t, "post", true);
}

int tool_carbon_void(struct tool *t)
{
	return redemption_end(t, "void", false);
}
