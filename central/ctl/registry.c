#include "central/ctl/ctl.h"
#include "central/registry/qr.h"

#include "protocol/base/file.h"
#include "protocol/base/http.h"
#include "protocol/base/limits.h"

#include <stdio.h>
#include <string.h>

#define QR_SCALE 6 /* pixels a module: printed or on a screen, a phone reads it */

static const struct bytes nothing = { NULL, 0 };

static bool name_is_path_safe(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_")] == '\0';
}

/* /v1/<area>/<name><step>, the name looked at first. */
static bool path_make(struct buf *path, const char *area, const char *name, const char *step, struct err *e)
{
	buf_init(path, 4096);
	if (!name_is_path_safe(name))
		return err_set(e, ERR_INPUT, "'%.80s' is no code or identifier", name);
	buf_add_fmt(path, "/v1/%s/%s%s", area, name, step);
	return true;
}

static void option_send(struct ctl *c, struct buf *path, const char *option, const char *key)
{
	if (ctl_option(c, option) != NULL)
		http_query_add(path, key, ctl_option(c, option));
}

/* Sends a JSON file; the caller frees the answer. */
static struct json *file_send(struct ctl *c, const char *path, const char *name, bool *printed, struct err *e)
{
	struct buf file;
	struct json *j = NULL;
	buf_init(&file, HTTP_UPLOAD_MAX);
	if (file_read(name, &file, e))
		j = ctl_call(c, "POST", path, buf_bytes(&file), printed, e);
	buf_clear(&file);
	return j;
}

/* --- issuers --- */

static bool issuer_add(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = file_send(c, "/v1/issuers", c->argv[0], &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("已登记颁发机构 %s / issuer added. 下一步 / next: centralctl issuer rotate %s\n",
		       ctl_text(j, "code"), ctl_text(j, "code"));
	json_free(j);
	return true;
}

static void key_line(const struct json *k)
{
	printf("    公钥 / key %s · %s · 自 %s", ctl_text(k, "kid"), ctl_text(k, "alg"),
	       ctl_time(ctl_int(k, "from_s")));
	printf(" · 至 %s", json_get(k, "to_s") != NULL ? ctl_time(ctl_int(k, "to_s")) : "长期");
	if (json_get(k, "compromised_s") != NULL)
		printf(" · 已泄露 / lost since %s", ctl_time(ctl_int(k, "compromised_s")));
	printf("\n");
}

static bool issuer_list(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/issuers", nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "issuers");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++) {
		const struct json *one = json_at(all, i), *keys = json_get(one, "keys");
		printf("  %s · %s · %s (%s)\n", ctl_text(one, "code"), ctl_text(one, "profile"),
		       ctl_text(json_get(one, "name"), "zh"), ctl_text(json_get(one, "name"), "en"));
		for (size_t k = 0; keys != NULL && k < json_len(keys); k++)
			key_line(json_at(keys, k));
	}
	json_free(j);
	return true;
}

static bool issuer_rotate(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	struct json *j = NULL;
	if (path_make(&path, "issuers", c->argv[0], "/rotate", e)) {
		option_send(c, &path, "overlap-days", "overlap_days");
		j = ctl_call(c, "POST", buf_str(&path), nothing, &printed, e);
	}
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("新公钥 %s 已启用 / a new key signs from now on. 网点获知后方可核验 / branches learn it by: "
		       "centralctl issuer publish\n",
		       ctl_text(j, "kid"));
	json_free(j);
	return true;
}

static bool issuer_key(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	struct json *j = NULL;
	if (path_make(&path, "issuers", c->argv[0], "/keys", e))
		j = file_send(c, buf_str(&path), c->argv[1], &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	if (!printed)
		printf("已加入公钥 %s / key added\n", ctl_text(j, "kid"));
	json_free(j);
	return true;
}

static bool issuer_withdraw(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	struct json *j = NULL;
	if (path_make(&path, "issuers", c->argv[0], "/withdraw", e)) {
		http_query_add(&path, "kid", c->argv[1]);
		option_send(c, &path, "lost-since", "lost_since_s");
		j = ctl_call(c, "POST", buf_str(&path), nothing, &printed, e);
	}
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *now = json_get(j, "published");
	bool published = now != NULL && json_kind(now) == JSON_KIND_BOOL && json_bool_value(now);
	if (!printed)
		printf("公钥 %s 已停用 / key withdrawn%s\n", ctl_text(j, "kid"),
		       published ? "，已通知各网点 / and the branches told"
				 : "；发布 / publish: centralctl issuer publish");
	json_free(j);
	return true;
}

static bool issuer_publish(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", "/v1/issuers/publish", nothing, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("公钥目录草稿：发布单 %lld，请提交并由他人审批 / a draft, release %lld: submit it, and "
		       "someone else approves\n",
		       (long long)ctl_int(j, "release"), (long long)ctl_int(j, "release"));
	json_free(j);
	return true;
}

/* --- certificates --- */

static void certificate_line(const struct json *r)
{
	printf("  %s\n    %s (%s) · 种类 / kind %s · 持有人 / holder %s\n", ctl_text(r, "id"),
	       ctl_text(r, "status_zh"), ctl_text(r, "status"), ctl_text(r, "kind"), ctl_text(r, "holder_masked"));
	printf("    颁发 / issued %s · 有效期至 / until %s", ctl_time(ctl_int(r, "issued_s")),
	       ctl_int(r, "to_s") != 0 ? ctl_time(ctl_int(r, "to_s")) : "长期");
	if (ctl_text(r, "status_reason")[0] != '\0')
		printf(" · %s: %s", ctl_text(r, "status_by"), ctl_text(r, "status_reason"));
	if (ctl_text(r, "reinstate_by")[0] != '\0')
		printf(" · %s 申请恢复，待他人确认 / asked to reinstate it, someone else confirms",
		       ctl_text(r, "reinstate_by"));
	printf("\n");
}

static bool certificate_print(struct json *j, bool printed, bool text)
{
	if (j == NULL)
		return false;
	if (!printed) {
		certificate_line(j);
		if (text)
			printf("    %s\n", ctl_text(j, "text"));
	}
	json_free(j);
	return true;
}

static bool certificate_issue(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = file_send(c, "/v1/certificates", c->argv[0], &printed, e);
	return certificate_print(j, printed, true);
}

static bool certificate_call(struct ctl *c, const char *method, const char *step, bool text, struct err *e)
{
	struct buf path;
	bool printed = false;
	struct json *j = NULL;
	if (path_make(&path, "certificates", c->argv[0], step, e)) {
		option_send(c, &path, "reason", "reason");
		j = ctl_call(c, method, buf_str(&path), nothing, &printed, e);
	}
	buf_clear(&path);
	return certificate_print(j, printed, text);
}

static bool certificate_show(struct ctl *c, struct err *e)
{
	return certificate_call(c, "GET", "", true, e);
}

static bool certificate_revoke(struct ctl *c, struct err *e)
{
	return certificate_call(c, "POST", "/revoke", false, e);
}

static bool certificate_suspend(struct ctl *c, struct err *e)
{
	return certificate_call(c, "POST", "/suspend", false, e);
}

static bool certificate_reinstate(struct ctl *c, struct err *e)
{
	return certificate_call(c, "POST", "/reinstate", false, e);
}

static bool picture_save(const char *text, const char *path, struct err *e)
{
	struct buf png;
	buf_init(&png, 16U << 20);
	bool ok = qr_png(bytes_of(text), QR_SCALE, &png, e) && file_write(path, buf_bytes(&png), 0600, e);
	buf_clear(&png);
	if (ok)
		fprintf(stderr, "已写入二维码图片 / QR code written: %s\n", path);
	return ok;
}

/* The code's text alone, for other programs, or its QR code as a picture. */
static bool certificate_export(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	struct json *j = NULL;
	if (path_make(&path, "certificates", c->argv[0], "", e))
		j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	bool ok = true;
	if (ctl_option(c, "png") != NULL)
		ok = picture_save(ctl_text(j, "text"), ctl_option(c, "png"), e);
	else if (!printed)
		printf("%s\n", ctl_text(j, "text"));
	json_free(j);
	return ok;
}

static bool certificate_find(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/certificates");
	http_query_add(&path, "holder", c->argv[0]);
	http_query_add(&path, "purpose", c->argv[1]);
	option_send(c, &path, "holder-kind", "holder_kind");
	option_send(c, &path, "kind", "kind");
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "certificates");
	if (!printed && all != NULL && json_len(all) == 0)
		printf("  没有证照 / no certificate\n");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++)
		certificate_line(json_at(all, i));
	json_free(j);
	return true;
}

static double real_of(const struct json *j, const char *key)
{
	const struct json *v = json_get(j, key);
	if (v == NULL)
		return 0;
	return json_kind(v) == JSON_KIND_REAL ? json_double_value(v) : (double)ctl_int(j, key);
}

static bool certificate_uses(struct ctl *c, struct err *e)
{
	struct buf path;
	bool printed = false;
	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/uses");
	option_send(c, &path, "branch", "branch");
	option_send(c, &path, "from", "from_s");
	option_send(c, &path, "to", "to_s");
	struct json *j = ctl_call(c, "GET", buf_str(&path), nothing, &printed, e);
	buf_clear(&path);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "uses");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++) {
		const struct json *u = json_at(all, i);
		printf("  %s %s · 扫描 scans %lld · 接受 accepted %lld · 事后撤回 turned %lld · 替代纸质 "
		       "substitutions %lld · 最近 last %s\n",
		       ctl_text(u, "business"), ctl_text(u, "zh"), (long long)ctl_int(u, "scans"),
		       (long long)ctl_int(u, "accepted"), (long long)ctl_int(u, "turned"),
		       (long long)ctl_int(u, "substitutions"), ctl_time(ctl_int(u, "last_s")));
	}
	if (!printed)
		printf("  可用证照的业务 / businesses that accept certificates: %lld / %lld = %.2f %% · 已使用 / "
		       "used: %lld\n",
		       (long long)ctl_int(j, "accepting"), (long long)ctl_int(j, "businesses"),
		       real_of(j, "rate_percent"), (long long)ctl_int(j, "used"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_registry_commands[] = {
	{ "issuer", "add", 1, "FILE.json", "", issuer_add },
	{ "issuer", "list", 0, "", "", issuer_list },
	{ "issuer", "rotate", 1, "CODE [--overlap-days 90]", "overlap-days", issuer_rotate },
	{ "issuer", "key", 2, "CODE FILE.json", "", issuer_key },
	{ "issuer", "withdraw", 2, "CODE KID [--lost-since UNIX_SECONDS]", "lost-since", issuer_withdraw },
	{ "issuer", "publish", 0, "", "", issuer_publish },
	{ "certificate", "issue", 1, "FILE.json", "", certificate_issue },
	{ "certificate", "show", 1, "ID", "", certificate_show },
	{ "certificate", "export", 1, "ID [--png FILE]", "png", certificate_export },
	{ "certificate", "find", 2, "HOLDER PURPOSE [--holder-kind resident_id] [--kind CODE]", "holder-kind kind",
	  certificate_find },
	{ "certificate", "uses", 0, "[--branch NAME] [--from UNIX_SECONDS] [--to UNIX_SECONDS]", "branch from to",
	  certificate_uses },
	{ "certificate", "revoke", 1, "ID --reason TEXT", "reason", certificate_revoke },
	{ "certificate", "suspend", 1, "ID --reason TEXT", "reason", certificate_suspend },
	{ "certificate", "reinstate", 1, "ID", "", certificate_reinstate },
	{ 0 },
};
