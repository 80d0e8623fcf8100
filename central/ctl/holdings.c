/* centralctl: consent, booking, access. */
#include "central/ctl/ctl.h"
#include "protocol/base/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bytes nothing = { NULL, 0 };

/* "a,b" as ["a","b"]; otherwise when the option was not given. */
static void set_put(struct json_out *w, const char *key, const char *given, const char *otherwise)
{
	const char *at = given != NULL ? given : otherwise;
	json_open(w, key, '[');
	for (;;) {
		size_t len = strcspn(at, ",");
		json_put_text_n(w, NULL, (struct bytes){ (const uint8_t *)at, len });
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	json_close(w, ']');
}

static void holder_put(const struct ctl *c, struct json_out *w, const char *number)
{
	json_open(w, "holder", '{');
	if (ctl_option(c, "holder-kind") != NULL)
		json_put_text(w, "kind", ctl_option(c, "holder-kind"));
	json_put_text(w, "number", number);
	json_close(w, '}');
}

/* A time of an option, as a number; false when it is none. */
static bool time_put(struct json_out *w, const char *key, const char *text, struct err *e)
{
	char *end = NULL;
	long long v = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || v < 0)
		return err_set(e, ERR_INPUT, "'%.40s': expected seconds since 1970-01-01 UTC", text);
	json_put_int(w, key, v);
	return true;
}

static struct json *send(struct ctl *c, const char *path, const struct buf *body, bool *printed, struct err *e)
{
	return buf_ok(body, "the request", e) ? ctl_call(c, "POST", path, buf_bytes(body), printed, e) : NULL;
}

static bool consent_add(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	bool printed = false, ok = true;
	buf_init(&body, 65536);
	json_open(&w, NULL, '{');
	holder_put(c, &w, c->argv[0]);
	set_put(&w, "kinds", ctl_option(c, "kinds"), "*");
	set_put(&w, "purposes", c->argv[1], "");
	set_put(&w, "branches", ctl_option(c, "branches"), "*");
	if (ctl_option(c, "from") != NULL)
		ok = time_put(&w, "from_s", ctl_option(c, "from"), e);
	if (ok && ctl_option(c, "to") != NULL)
		ok = time_put(&w, "to_s", ctl_option(c, "to"), e);
	json_close(&w, '}');
	struct json *j = ok ? send(c, "/v1/consents", &body, &printed, e) : NULL;
	buf_clear(&body);
	if (j == NULL)
		return false;
	if (!printed)
		printf("已登记授权 %lld / consent recorded. 撤回 / to withdraw: centralctl consent withdraw %lld\n",
		       (long long)ctl_int(j, "consent"), (long long)ctl_int(j, "consent"));
	json_free(j);
	return true;
}

static bool consent_withdraw(struct ctl *c, struct err *e)
{
	char path[96];
	bool printed = false;
	if (c->argv[0][strspn(c->argv[0], "0123456789")] != '\0')
		return err_set(e, ERR_INPUT, "'%.40s': expected a consent's number", c->argv[0]);
	snprintf(path, sizeof(path), "/v1/consents/%.20s/withdraw", c->argv[0]);
	struct json *j = ctl_call(c, "POST", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("授权 %s 已撤回，%lld 个网点将删除所存证照 / withdrawn; so many branches erase what they "
		       "hold\n",
		       c->argv[0], (long long)ctl_int(j, "branches"));
	json_free(j);
	return true;
}

/* GET what a holder's rows are, each printed by one. */
static bool rows_show(struct ctl *c, const char *path, const char *array, void (*one)(const struct json *j),
		      struct err *e)
{
	struct buf query;
	bool printed = false;
	buf_init(&query, 4096);
	buf_add_str(&query, path);
	http_query_add(&query, "holder", c->argv[0]);
	http_query_add(&query, "purpose", c->argv[1]);
	if (ctl_option(c, "holder-kind") != NULL)
		http_query_add(&query, "holder_kind", ctl_option(c, "holder-kind"));
	struct json *j = ctl_call(c, "GET", buf_str(&query), nothing, &printed, e);
	buf_clear(&query);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, array);
	size_t len = all != NULL ? json_len(all) : 0;
	for (size_t i = 0; !printed && i < len; i++)
		one(json_at(all, i));
	if (!printed && len == 0)
		printf("  没有 / none\n");
	json_free(j);
	return true;
}

static void consent_line(const struct json *j)
{
	printf("  授权 / consent %lld · 种类 / kinds %s · 用途 / purposes %s · 网点 / branches %s\n    自 / from %s "
	       "· 至 / "
	       "until %s · %s\n",
	       (long long)ctl_int(j, "consent"), ctl_text(j, "kinds"), ctl_text(j, "purposes"),
	       ctl_text(j, "branches"), ctl_time(ctl_int(j, "from_s")),
	       ctl_int(j, "to_s") != 0 ? ctl_time(ctl_int(j, "to_s")) : "撤回为止 / withdrawn",
	       ctl_text(j, "created_by"));
}

static bool consent_list(struct ctl *c, struct err *e)
{
	return rows_show(c, "/v1/consents", "consents", consent_line, e);
}

static void access_line(const struct json *j)
{
	printf("  %s · 网点 / branch %s · 终端 / terminal %s · 种类 / kind %s · 用途 / purpose %s · %s · %lld\n",
	       ctl_time(ctl_int(j, "time_s")), ctl_text(j, "branch"), ctl_text(j, "terminal"), ctl_text(j, "kind"),
	       ctl_text(j, "purpose"), ctl_text(j, "result"), (long long)ctl_int(j, "given"));
}

static bool access_list(struct ctl *c, struct err *e)
{
	return rows_show(c, "/v1/accesses", "accesses", access_line, e);
}

static bool booking_add(struct ctl *c, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	bool printed = false;
	buf_init(&body, 65536);
	json_open(&w, NULL, '{');
	json_put_text(&w, "branch", c->argv[0]);
	holder_put(c, &w, c->argv[1]);
	json_put_text(&w, "purpose", c->argv[2]);
	set_put(&w, "kinds", ctl_option(c, "kinds"), "*");
	bool ok = time_put(&w, "until_s", c->argv[3], e);
	json_close(&w, '}');
	struct json *j = ok ? send(c, "/v1/bookings", &body, &printed, e) : NULL;
	buf_clear(&body);
	if (j == NULL)
		return false;
	if (!printed)
		printf("已为网点 %s 备好 %lld 份证照 / certificates set aside for the branch\n",
		       ctl_text(j, "branch"), (long long)ctl_int(j, "certificates"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_holdings_commands[] = {
	{ "consent", "add", 2,
	  "HOLDER PURPOSE,… [--holder-kind resident_id] [--kinds CODE,…] [--branches BRANCH,…] [--from UNIX_SECONDS] "
	  "[--to UNIX_SECONDS]",
	  "holder-kind kinds branches from to", consent_add },
	{ "consent", "list", 2, "HOLDER PURPOSE [--holder-kind resident_id]", "holder-kind", consent_list },
	{ "consent", "withdraw", 1, "NUMBER", "", consent_withdraw },
	{ "booking", "add", 4,
	  "BRANCH HOLDER PURPOSE UNTIL_UNIX_SECONDS [--holder-kind resident_id] [--kinds CODE,…]",
	  "holder-kind kinds", booking_add },
	{ "access", "list", 2, "HOLDER PURPOSE [--holder-kind resident_id]", "holder-kind", access_list },
	{ 0 },
};
