/* The ledger. What changes it goes through centrald; what reads much reads DIR/ledger.db for itself, so that centrald waits for nothing. */
#include "central/ctl/ledger.h"
#include "central/ledger/export.h"
#include "central/ledger/lines.h"
#include "protocol/base/file.h"
#include "protocol/base/limits.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool file_take(const char *name, struct buf *out, struct err *e)
{
	buf_init(out, HTTP_UPLOAD_MAX);
	return file_read(strcmp(name, "-") == 0 ? "/dev/stdin" : name, out, e);
}

/* --- batches --- */

struct tally {
	uint64_t sent, fresh, known;
};

static void results_show(const struct json *j, bool printed, struct tally *t)
{
	const struct json *all = json_get(j, "results");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *r = json_at(all, i);
		const char *status = ctl_text(r, "status");
		t->sent++;
		t->fresh += strcmp(status, "ok") == 0;
		t->known += strcmp(status, "exists") == 0;
		if (!printed)
			printf("%s\t%s\t%s\n", ctl_text(r, "id"), status, ctl_text(r, "zh"));
	}
}

static bool batch_send(struct ctl *c, const char *path, struct bytes lines, struct tally *t, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "POST", path, lines, &printed, e);
	if (j == NULL)
		return t->sent > 0 ? err_wrap(e, "%llu were sent before; send the file again, it counts once",
					      (unsigned long long)t->sent)
				   : false;
	results_show(j, printed, t);
	json_free(j);
	return true;
}

static bool line_is_linked(struct bytes line, bool are_accounts, bool *linked, struct err *e)
{
	struct ledger_account a;
	struct ledger_transfer t = { .flags = 0 };
	struct json *j = json_parse(line, e);
	bool ok = j != NULL && (are_accounts ? ledger_account_parse(j, &a, e) : ledger_transfer_parse(j, &t, e));
	*linked = (t.flags & TRANSFER_LINKED) != 0;
	json_free(j);
	return ok;
}

/* The bytes of the next batch from rest on, cut behind a chain's end. */
static bool batch_cut(struct bytes *rest, bool are_accounts, size_t *number, struct bytes *batch, struct err *e)
{
	struct bytes line, ahead = *rest, behind = *rest;
	size_t n = 0, fits = 0, at = *number, behind_number = *number;
	while (n < LEDGER_BATCH_MAX && ledger_line_next(&ahead, &line, &at)) {
		bool linked = false;
		if (!line_is_linked(line, are_accounts, &linked, e))
			return err_wrap(e, "line %zu", at);
		n++;
		if (linked && ahead.len > 0)
			continue;
		fits = n;
		behind = ahead;
		behind_number = at;
	}
	if (n > 0 && fits == 0)
		return err_set(e, ERR_INPUT, "line %zu: more than %d transfers are linked", at, LEDGER_BATCH_MAX);
	*batch = (struct bytes){ rest->data, rest->len - behind.len };
	*rest = behind;
	*number = behind_number;
	return true;
}

static bool lines_send(struct ctl *c, const char *path, struct bytes all, bool are_accounts, struct tally *t,
		       struct err *e)
{
	for (int pass = 0; pass < 2; pass++) {
		struct bytes rest = all, batch;
		size_t number = 0;
		while (rest.len > 0) {
			if (!batch_cut(&rest, are_accounts, &number, &batch, e))
				return false;
			if (pass == 1 && batch.len > 0 && !batch_send(c, path, batch, t, e))
				return false;
		}
	}
	return true;
}

static bool file_send(struct ctl *c, const char *path, bool are_accounts, struct err *e)
{
	struct buf file;
	struct tally t = { 0 };
	bool ok = file_take(c->argv[0], &file, e) && lines_send(c, path, buf_bytes(&file), are_accounts, &t, e);
	buf_clear(&file);
	if (!ok)
		return false;
	uint64_t refused = t.sent - t.fresh - t.known;
	fprintf(stderr, "已记 %llu，重复 %llu，未记 %llu / recorded, known already, not recorded\n",
		(unsigned long long)t.fresh, (unsigned long long)t.known, (unsigned long long)refused);
	return refused == 0 || err_set(e, ERR_CONFLICT, "%llu of %llu were not recorded: see each one's status",
				       (unsigned long long)refused, (unsigned long long)t.sent);
}

static bool ledger_create(struct ctl *c, struct err *e)
{
	return file_send(c, "/v1/ledger/accounts", true, e);
}

static bool ledger_transfer_send(struct ctl *c, struct err *e)
{
	return file_send(c, "/v1/ledger/transfers", false, e);
}

/* --- as it is now --- */

static bool ledger_show(struct ctl *c, struct err *e)
{
	char path[96], hex[33];
	struct id128 id;
	bool printed = false;
	if (!id128_parse(c->argv[0], &id, e))
		return false;
	id128_format(id, hex);
	snprintf(path, sizeof(path), "/v1/ledger/accounts/%s", hex);
	struct json *j = ctl_call(c, "GET", path, (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("  %s · 账本 / ledger %lld · 代码 / code %lld · %s · 限额 / limit %s\n"
		       "    借方 / debits %lld（预留 / pending %lld） · 贷方 / credits %lld（预留 / pending %lld）\n",
		       ctl_text(j, "id"), (long long)ctl_int(j, "ledger"), (long long)ctl_int(j, "code"),
		       ctl_text(j, "class"), ctl_text(j, "limit"), (long long)ctl_int(j, "debits_posted"),
		       (long long)ctl_int(j, "debits_pending"), (long long)ctl_int(j, "credits_posted"),
		       (long long)ctl_int(j, "credits_pending"));
	json_free(j);
	return true;
}

static bool ledger_head_show(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = ctl_call(c, "GET", "/v1/ledger", (struct bytes){ NULL, 0 }, &printed, e);
	if (j == NULL)
		return false;
	if (!printed)
		printf("%s\n  批次 / batches %lld · %s · 账户 / accounts %lld · 转账 / transfers %lld · 内存 / "
		       "memory %lld B\n",
		       ctl_text(j, "head"), (long long)ctl_int(j, "batches"), ctl_time(ctl_int(j, "time_s")),
		       (long long)ctl_int(j, "accounts"), (long long)ctl_int(j, "transfers"),
		       (long long)ctl_int(j, "memory_bytes"));
	const struct json *newest = json_get(j, "signed");
	if (!printed && json_is_object(newest))
		printf("  最近签名 / newest signed %s · 批次 / batch %lld · %s\n", ctl_text(newest, "day"),
		       (long long)ctl_int(newest, "batches"), ctl_text(newest, "head"));
	json_free(j);
	return true;
}

/* --- from the file --- */

struct ledger_reader *ctl_ledger_reader(const struct ctl *c, struct err *e)
{
	char path[300];
	snprintf(path, sizeof(path), "%.280s/ledger.db", c->dir);
	return ledger_reader_open(path, e);
}

static bool number_option(const struct ctl *c, const char *name, int64_t otherwise, int64_t *out, struct err *e)
{
	const char *text = ctl_option(c, name);
	char *end = NULL;
	*out = otherwise;
	if (text == NULL)
		return true;
	*out = strtoll(text, &end, 10);
	return (end != text && *end == '\0' && *out >= 0) || err_set(e, ERR_INPUT, "--%s: expected a number", name);
}

static bool as_of_read(const struct ctl *c, struct ledger_as_of *at, struct err *e)
{
	int64_t day = INT32_MAX;
	const char *text = ctl_option(c, "as-of");
	if (text != NULL && !day_parse(bytes_of(text), &day, e))
		return err_wrap(e, "--as-of");
	at->effective_day = (int32_t)day;
	return number_option(c, "known", INT64_MAX, &at->known_s, e);
}

static void balance_line(struct ctl *c, const struct ledger_account *a, const struct ledger_sums *s)
{
	char id[33];
	id128_format(a->id, id);
	if (!c->json) {
		printf("%s\t%u\t%s\t%lld\t%lld\t%lld\t%lld\t%lld\t%s\n", id, a->ledger, ledger_class_name(a->class),
		       (long long)(s->debits_posted - s->credits_posted), (long long)s->debits_posted,
		       (long long)s->credits_posted, (long long)s->debits_pending, (long long)s->credits_pending,
		       a->name);
		return;
	}
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 4096);
	json_open(&w, NULL, '{');
	json_put_text(&w, "id", id);
	json_put_int(&w, "ledger", a->ledger);
	json_put_text(&w, "class", ledger_class_name(a->class));
	json_put_int(&w, "balance", s->debits_posted - s->credits_posted);
	json_put_int(&w, "debits_posted", s->debits_posted);
	json_put_int(&w, "credits_posted", s->credits_posted);
	json_put_int(&w, "debits_pending", s->debits_pending);
	json_put_int(&w, "credits_pending", s->credits_pending);
	json_put_text(&w, "name", a->name);
	json_close(&w, '}');
	printf("%s\n", buf_str(&out));
	buf_clear(&out);
}

static bool balance_one(struct ctl *c, struct ledger_reader *r, const struct ledger_as_of *at, const char *which,
			struct err *e)
{
	struct id128 id;
	struct ledger_account a;
	struct ledger_sums s;
	uint32_t number = 0;
	if (!id128_parse(which, &id, e) || !ledger_reader_find(r, id, &number, &a, e))
		return false;
	if (number == 0)
		return err_set(e, ERR_MISSING, "the ledger has no account %.40s", which);
	if (!ledger_reader_balance(r, number, at, &s, e))
		return false;
	balance_line(c, &a, &s);
	return true;
}

static bool sums_are_zero(const struct ledger_sums *s)
{
	return (s->debits_posted | s->credits_posted | s->debits_pending | s->credits_pending) == 0;
}

static bool balance_all(struct ctl *c, struct ledger_reader *r, const struct ledger_as_of *at, int64_t ledger,
			struct err *e)
{
	uint32_t accounts, rows;
	struct ledger_account a;
	if (!ledger_reader_count(r, &accounts, &rows, e))
		return false;
	struct ledger_sums *sums = calloc((size_t)accounts + 1, sizeof(*sums));
	if (sums == NULL)
		abort();
	bool ok = ledger_reader_balances(r, at, sums, accounts, e);
	for (uint32_t i = 1; ok && i <= accounts; i++) {
		if (sums_are_zero(&sums[i]))
			continue;
		ok = ledger_reader_account(r, i, &a, e);
		if (ok && (ledger == 0 || a.ledger == ledger))
			balance_line(c, &a, &sums[i]);
	}
	free(sums);
	return ok;
}

static bool ledger_balance(struct ctl *c, struct err *e)
{
	struct ledger_as_of at;
	int64_t ledger = 0;
	if (!as_of_read(c, &at, e) || !number_option(c, "ledger", 0, &ledger, e))
		return false;
	struct ledger_reader *r = ctl_ledger_reader(c, e);
	if (r == NULL)
		return false;
	if (!c->json)
		printf("账户 / account\t账本 / ledger\t类别 / class\t余额 / balance\t借 / debits\t贷 / credits\t"
		       "借预留 / pending\t贷预留 / pending\t名称 / name\n");
	const char *which = ctl_option(c, "account");
	bool ok = which != NULL ? balance_one(c, r, &at, which, e) : balance_all(c, r, &at, ledger, e);
	ledger_reader_close(r);
	return ok;
}

static bool ledger_export_run(struct ctl *c, struct err *e)
{
	int64_t ledger = 0;
	if (!number_option(c, "ledger", 0, &ledger, e))
		return false;
	struct ledger_reader *r = ctl_ledger_reader(c, e);
	if (r == NULL)
		return false;
	bool ok = ledger_export(r, (uint32_t)ledger, stdout, e);
	ledger_reader_close(r);
	return ok;
}

const struct ctl_command ctl_ledger_commands[] = {
	{ "ledger", "create", 1, "FILE.ndjson|-", "", ledger_create },
	{ "ledger", "show", 1, "ACCOUNT", "", ledger_show },
	{ "ledger", "transfer", 1, "FILE.ndjson|-", "", ledger_transfer_send },
	{ "ledger", "balance", 0, "[--account ID] [--ledger N] [--as-of 2026-01-31] [--known UNIX_SECONDS]",
	  "account ledger as-of known", ledger_balance },
	{ "ledger", "verify", 0, "[--heads FILE] [--key HEX]", "heads key", ctl_ledger_verify },
	{ "ledger", "export", 0, "[--ledger N]", "ledger", ledger_export_run },
	{ "ledger", "head", 0, "", "", ledger_head_show },
	{ "ledger", "heads", 1, "list|export", "", ctl_ledger_heads },
	{ "ledger", "sign", 0, "", "", ctl_ledger_sign },
	{ 0 },
};
