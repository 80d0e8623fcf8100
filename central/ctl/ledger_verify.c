/* Whether the ledger holds, and its signed daily heads: all but the signing itself is read from DIR beside centrald, or on another machine. */
#include "central/ctl/ledger.h"
#include "central/carbon/check.h"
#include "central/ledger/dailies.h"
#include "central/ledger/verify.h"
#include "protocol/base/file.h"
#include "protocol/base/pki.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
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
	return (strlen(hex) == (size_t)2 * POINT_LEN && hex_decode(hex, point, POINT_LEN)) ||
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

/* All that was looked at. */
struct verdict {
	struct ledger_verdict ledger;
	struct carbon_verdict carbon; /* nothing looked at: there are no carbon accounts */
	struct ledger_signed heads;
	double took_s;
};

static bool is_clean(const struct verdict *v)
{
	return ledger_verdict_is_clean(&v->ledger) && carbon_verdict_is_clean(&v->carbon);
}

static bool has_carbon(const struct verdict *v)
{
	return v->carbon.looked[CARBON_ALIAS] + v->carbon.looked[CARBON_ISSUE] > 0;
}

static long peak_mib(void)
{
	struct rusage u;
	return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss / 1024 : 0;
}

static void invariant_json(struct json_out *w, const char *name, uint64_t looked, uint64_t broken, const char *first)
{
	json_open(w, NULL, '{');
	json_put_text(w, "name", name);
	json_put_int(w, "looked", (int64_t)looked);
	json_put_int(w, "broken", (int64_t)broken);
	if (broken > 0)
		json_put_text(w, "first", first);
	json_close(w, '}');
}

static void verdict_json(const struct verdict *v, const char *head)
{
	struct buf out;
	struct json_out w = { &out, false };
	const struct ledger_verdict *l = &v->ledger;
	buf_init(&out, 65536);
	json_open(&w, NULL, '{');
	json_put_bool(&w, "holds", is_clean(v));
	json_put_text(&w, "head", head);
	json_put_int(&w, "batches", (int64_t)l->head.batches);
	json_put_int(&w, "accounts", l->accounts);
	json_put_int(&w, "transfers", l->rows);
	if (v->heads.len > 0) {
		char day[11];
		day_format(v->heads.heads[v->heads.len - 1].day, day);
		json_put_text(&w, "signed_day", day);
		json_put_int(&w, "signed_batches", (int64_t)v->heads.heads[v->heads.len - 1].batches);
	}
	json_open(&w, "invariants", '[');
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		invariant_json(&w, ledger_invariant_name((enum ledger_invariant)i), l->looked[i], l->broken[i],
			       l->first[i]);
	for (size_t i = 0; has_carbon(v) && i < CARBON_INVARIANTS; i++)
		invariant_json(&w, carbon_invariant_name((enum carbon_invariant)i), v->carbon.looked[i],
			       v->carbon.broken[i], v->carbon.first[i]);
	json_close(&w, ']');
	json_close(&w, '}');
	printf("%s\n", buf_str(&out));
	buf_clear(&out);
}

static void invariant_text(const char *zh, const char *en, uint64_t looked, uint64_t broken, const char *first)
{
	printf("  %s %s / %s: %llu\n", broken == 0 ? "通过" : "不符", zh, en, (unsigned long long)looked);
	if (broken > 0)
		printf("       %llu 处 / broken; 首处 / first: %s\n", (unsigned long long)broken, first);
}

static void signed_text(const struct ledger_signed *s)
{
	char day[11], hex[2 * POINT_LEN + 1];
	if (s->len == 0) {
		printf("  尚无签名的链头 / no signed head yet\n");
		return;
	}
	const struct daily_head *newest = &s->heads[s->len - 1];
	day_format(newest->day, day);
	hex_encode(newest->hash, HASH_LEN, hex);
	printf("  最近签名 / newest signed %s · 批次 / batch %llu · %s\n", day, (unsigned long long)newest->batches,
	       hex);
	hex_encode(s->point, POINT_LEN, hex);
	printf("  公钥 / key %s\n", hex);
}

static void verdict_text(const struct verdict *v, const char *head)
{
	const struct ledger_verdict *l = &v->ledger;
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		invariant_text(ledger_invariant_zh((enum ledger_invariant)i),
			       ledger_invariant_en((enum ledger_invariant)i), l->looked[i], l->broken[i],
			       l->first[i]);
	for (size_t i = 0; has_carbon(v) && i < CARBON_INVARIANTS; i++)
		invariant_text(carbon_invariant_zh((enum carbon_invariant)i),
			       carbon_invariant_en((enum carbon_invariant)i), v->carbon.looked[i],
			       v->carbon.broken[i], v->carbon.first[i]);
	printf("  账户 / accounts %u · 转账 / transfers %u · 批次 / batches %llu · %s\n  链头 / head %s\n",
	       l->accounts, l->rows, (unsigned long long)l->head.batches, ctl_time(l->head.time_s), head);
	signed_text(&v->heads);
	printf("  用时 / took %.1f s · 内存峰值 / peak memory %ld MiB\n", v->took_s, peak_mib());
}

/* On another machine there may be the ledger alone. */
static bool carbon_look(const struct ctl *c, struct ledger_reader *r, struct carbon_verdict *v, struct err *e)
{
	char path[300];
	struct err why = { 0 };
	int64_t accounts = 0;
	if (!db_run_int(ledger_reader_db(r), &accounts, e, "SELECT COUNT(*) FROM account WHERE ledger = ?", "i",
			(int64_t)CARBON_LEDGER))
		return false;
	if (accounts == 0)
		return true;
	snprintf(path, sizeof(path), "%.280s/central.db", c->dir);
	struct db *db = db_open(path, DB_READ, &why);
	if (db == NULL && why.code != ERR_MISSING)
		return err_set(e, why.code, "%s", why.text);
	bool ok = carbon_check(r, db, v, e);
	db_close(db);
	return ok;
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool ctl_ledger_verify(struct ctl *c, struct err *e)
{
	static struct verdict v;
	uint8_t point[POINT_LEN];
	char head[2 * HASH_LEN + 1];
	double start_s = now_s();
	if (!key_read(c, point, e))
		return false;
	struct ledger_reader *r = ctl_ledger_reader(c, e);
	if (r == NULL)
		return false;
	ledger_signed_init(&v.heads, point);
	bool ok = heads_load(c, r, &v.heads, e) && ledger_verify_signed(r, &v.heads, &v.ledger, e) &&
		  carbon_look(c, r, &v.carbon, e);
	ledger_reader_close(r);
	v.took_s = now_s() - start_s;
	hex_encode(v.ledger.head.hash, HASH_LEN, head);
	if (ok && c->json)
		verdict_json(&v, head);
	else if (ok)
		verdict_text(&v, head);
	ledger_signed_clear(&v.heads);
	if (!ok)
		return false;
	return is_clean(&v) ||
	       err_set(e, ERR_IO,
		       "账本不符，请停用并从备份恢复 / the ledger does not hold: restore ledger.db from a backup");
}
