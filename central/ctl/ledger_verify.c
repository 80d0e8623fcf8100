/* Whether the ledger holds, and its signed daily heads: all but the signing itself is read from DIR beside centrald, or on another machine. */
#include "central/ctl/ledger.h"
#include "central/ledger/dailies.h"
#include "central/ledger/verify.h"
#include "protocol/base/file.h"
#include "protocol/base/pki.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX     8192
#define SIGN_WAIT_S 10

/* --- the public key --- */

/* The public half of DIR/head.key. */
static bool key_own(const struct ctl *c, uint8_t point[POINT_LEN], struct err *e)
{
	char path[300];
	uint8_t scalar[SCALAR_LEN];
	struct buf pem, der;
	snprintf(path, sizeof(path), "%.280s/head.key", c->dir);
	buf_init(&pem, PEM_MAX);
	buf_init(&der, PKI_KEY_MAX);
	bool ok = (file_read(path, &pem, e) && pki_from_pem(buf_bytes(&pem), "EC PRIVATE KEY", &der, e) &&
		   pki_key_raw(buf_bytes(&der), scalar, point, e)) ||
		  err_wrap(e, "%.100s, of which the public half is needed (or give --key)", path);
	explicit_bzero(scalar, sizeof(scalar));
	buf_wipe(&pem);
	buf_wipe(&der);
	return ok;
}

static bool key_read(const struct ctl *c, uint8_t point[POINT_LEN], struct err *e)
{
	const char *hex = ctl_option(c, "key");
	if (hex == NULL)
		return key_own(c, point, e);
	return (strlen(hex) == 2U * POINT_LEN && hex_decode(hex, point, POINT_LEN)) ||
	       err_set(e, ERR_INPUT, "--key: %u hexadecimal digits, as `ledger verify` prints them beside centrald",
		       2U * POINT_LEN);
}

/* --- heads --- */

/* must: a file that is not there is a failure. */
static bool heads_file(const char *path, bool must, struct ledger_signed *s, struct err *e)
{
	struct buf lines;
	struct err why = { 0 };
	buf_init(&lines, DAILIES_FILE_MAX);
	bool ok = file_read(path, &lines, &why);
	if (ok)
		ok = dailies_read(buf_bytes(&lines), ledger_signed_add, s, e) || err_wrap(e, "%.100s", path);
	else
		ok = (!must && why.code == ERR_MISSING) || err_set(e, why.code, "%s", why.text);
	buf_clear(&lines);
	return ok;
}

/* From ledger.db, from the file beside it, and from a copy kept elsewhere. */
static bool heads_load(const struct ctl *c, struct ledger_reader *r, struct ledger_signed *s, struct err *e)
{
	char path[300];
	const char *copy = ctl_option(c, "heads");
	snprintf(path, sizeof(path), "%.280s/ledger.heads", c->dir);
	return dailies_each(ledger_reader_db(r), ledger_signed_add, s, e) && heads_file(path, false, s, e) &&
	       (copy == NULL || heads_file(copy, true, s, e));
}

static bool lines_get(const struct ctl *c, struct buf *out, struct err *e)
{
	struct ledger_reader *r = ctl_ledger_reader(c, e);
	bool ok = r != NULL && dailies_lines(ledger_reader_db(r), out, e);
	ledger_reader_close(r);
	return ok;
}

static bool head_line(void *arg, struct bytes message, struct err *e)
{
	struct daily_head h;
	char day[11], hash[2 * HASH_LEN + 1];
	(void)arg;
	if (!daily_open(message, NULL, &h, e))
		return false;
	day_format(h.day, day);
	hex_encode(h.hash, HASH_LEN, hash);
	printf("%s · 批次 / batch %llu · 账户 / accounts %u · 转账 / transfers %u · %s\n", day,
	       (unsigned long long)h.batches, h.accounts, h.rows, hash);
	for (size_t i = 0; i < h.sums_len; i++)
		printf("    账本 / ledger %u: 发行 / issued %lld = 持有 / held %lld + 注销 / retired %lld（预留 / "
		       "pending %lld）\n",
		       h.sums[i].ledger, (long long)h.sums[i].issued, (long long)h.sums[i].held,
		       (long long)h.sums[i].retired, (long long)h.sums[i].pending);
	return true;
}

bool ctl_ledger_heads(struct ctl *c, struct err *e)
{
	struct buf lines;
	bool exported = strcmp(c->argv[0], "export") == 0;
	if (!exported && strcmp(c->argv[0], "list") != 0)
		return err_set(e, ERR_INPUT, "ledger heads list, or ledger heads export");
	buf_init(&lines, DAILIES_FILE_MAX);
	bool ok = lines_get(c, &lines, e);
	if (ok && exported)
		fwrite(lines.data, 1, lines.len, stdout);
	else if (ok)
		ok = dailies_read(buf_bytes(&lines), head_line, NULL, e);
	buf_clear(&lines);
	return ok;
}

bool ctl_ledger_sign(struct ctl *c, struct err *e)
{
	const struct bytes nothing = { NULL, 0 };
	bool printed = false;
	char day[11];
	struct json *j = ctl_call(c, "POST", "/v1/ledger/sign", nothing, &printed, e);
	if (j == NULL)
		return false;
	snprintf(day, sizeof(day), "%.10s", ctl_text(j, "day"));
	json_free(j);
	if (printed)
		return true;
	for (int i = 0; i < SIGN_WAIT_S * 10; i++) {
		j = ctl_call(c, "GET", "/v1/ledger", nothing, &printed, e);
		const struct json *newest = j != NULL ? json_get(j, "signed") : NULL;
		bool is_there = json_is_object(newest) && strcmp(ctl_text(newest, "day"), day) == 0;
		if (is_there)
			printf("已签名 / signed: %s · 批次 / batch %lld · %s\n", day,
			       (long long)ctl_int(newest, "batches"), ctl_text(newest, "head"));
		bool failed = j == NULL;
		json_free(j);
		if (is_there || failed)
			return is_there;
		usleep(100000);
	}
	return err_set(e, ERR_IO, "the signer has not signed it yet: see `ledger heads list` later, and `status`");
}

/* --- the verdict --- */

static void verdict_json(const struct ledger_verdict *v, const struct ledger_signed *s, const char *head)
{
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 65536);
	json_open(&w, NULL, '{');
	json_put_bool(&w, "holds", ledger_verdict_is_clean(v));
	json_put_text(&w, "head", head);
	json_put_int(&w, "batches", (int64_t)v->head.batches);
	json_put_int(&w, "accounts", v->accounts);
	json_put_int(&w, "transfers", v->rows);
	if (s->len > 0) {
		char day[11];
		day_format(s->heads[s->len - 1].day, day);
		json_put_text(&w, "signed_day", day);
		json_put_int(&w, "signed_batches", (int64_t)s->heads[s->len - 1].batches);
	}
	json_open(&w, "invariants", '[');
	for (size_t i = 0; i < INVARIANT_COUNT; i++) {
		json_open(&w, NULL, '{');
		json_put_text(&w, "name", ledger_invariant_name((enum ledger_invariant)i));
		json_put_int(&w, "looked", (int64_t)v->looked[i]);
		json_put_int(&w, "broken", (int64_t)v->broken[i]);
		if (v->broken[i] > 0)
			json_put_text(&w, "first", v->first[i]);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	printf("%s\n", buf_str(&out));
	buf_clear(&out);
}

static void verdict_text(const struct ledger_verdict *v, const struct ledger_signed *s, const char *head)
{
	for (size_t i = 0; i < INVARIANT_COUNT; i++) {
		enum ledger_invariant of = (enum ledger_invariant)i;
		printf("  %s %s / %s: %llu\n", v->broken[i] == 0 ? "通过" : "不符", ledger_invariant_zh(of),
		       ledger_invariant_en(of), (unsigned long long)v->looked[i]);
		if (v->broken[i] > 0)
			printf("       %llu 处 / broken; 首处 / first: %s\n", (unsigned long long)v->broken[i],
			       v->first[i]);
	}
	printf("  账户 / accounts %u · 转账 / transfers %u · 批次 / batches %llu · %s\n  链头 / head %s\n",
	       v->accounts, v->rows, (unsigned long long)v->head.batches, ctl_time(v->head.time_s), head);
	if (s->len == 0) {
		printf("  尚无签名的链头 / no signed head yet\n");
		return;
	}
	const struct daily_head *newest = &s->heads[s->len - 1];
	char day[11], hex[2 * POINT_LEN + 1];
	day_format(newest->day, day);
	hex_encode(newest->hash, HASH_LEN, hex);
	printf("  最近签名 / newest signed %s · 批次 / batch %llu · %s\n", day, (unsigned long long)newest->batches,
	       hex);
	hex_encode(s->point, POINT_LEN, hex);
	printf("  公钥 / key %s\n", hex);
}

bool ctl_ledger_verify(struct ctl *c, struct err *e)
{
	static struct ledger_verdict v;
	struct ledger_signed s;
	uint8_t point[POINT_LEN];
	char head[2 * HASH_LEN + 1];
	if (!key_read(c, point, e))
		return false;
	struct ledger_reader *r = ctl_ledger_reader(c, e);
	if (r == NULL)
		return false;
	ledger_signed_init(&s, point);
	bool ok = heads_load(c, r, &s, e) && ledger_verify_signed(r, &s, &v, e);
	ledger_reader_close(r);
	hex_encode(v.head.hash, HASH_LEN, head);
	if (ok && c->json)
		verdict_json(&v, &s, head);
	else if (ok)
		verdict_text(&v, &s, head);
	ledger_signed_clear(&s);
	if (!ok)
		return false;
	return ledger_verdict_is_clean(&v) ||
	       err_set(e, ERR_IO,
		       "账本不符，请停用并从备份恢复 / the ledger does not hold: restore ledger.db from a backup");
}
