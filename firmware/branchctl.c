/* branchctl [-d DIR] [--json] COMMAND …: the branch's tool. It speaks to branchd over DIR/ctl.sock. */
#include "firmware/branch.h"
#include "firmware/state.h"
#include "firmware/tool.h"
#include "protocol/base/file.h"
#include "protocol/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENROL_WAIT_MS 15000 /* until gate has opened its socket */

static int cmd_init(struct tool *t)
{
	char path[512], host[256];
	int port;
	struct buf ini;
	struct err e = { 0 };
	const char *listen = tool_option(t, "--listen");
	if (listen == NULL || !tool_words(t, 0))
		return TOOL_USAGE;
	snprintf(path, sizeof(path), "%s/branch.ini", t->dir);
	buf_init(&ini, 4096);
	buf_add_fmt(&ini,
		    "; branchd 的配置 configuration of branchd\n"
		    "[branch]\n; 终端连接的地址 where terminals connect\nlisten = %s\n"
		    "[journal]\n; turn：同一轮的核查一次落盘 checks that come together share a commit; request：逐笔 "
		    "one by one\n"
		    "commit = turn\n"
		    "[log]\n; info, debug\nlevel = info\n",
		    listen);
	bool ok = branch_address(listen, host, &port, &e) && file_make_dir(t->dir, &e);
	if (ok && access(path, F_OK) == 0)
		ok = err_set(&e, ERR_CONFLICT, "%s 已存在 is there already", path);
	ok = ok && file_write(path, buf_bytes(&ini), 0600, &e);
	buf_clear(&ini);
	if (!ok)
		return tool_fail(&e);
	printf("已创建 created: %s\n下一步 next: branchd -c %s\n", path, path);
	return TOOL_DONE;
}

static int cmd_status(struct tool *t)
{
	return tool_words(t, 0) ? tool_show(t, "GET", "/v1/status", (struct bytes){ NULL, 0 }, tool_show_status)
				: TOOL_USAGE;
}

static int cmd_list_show(struct tool *t)
{
	struct json *j;
	struct err e = { 0 };
	if (!tool_words(t, 0) && !tool_words(t, 1))
		return TOOL_USAGE;
	const char *wanted = t->argc == 1 ? t->argv[0] : NULL;
	bool ok = tool_fetch(t, "GET", "/v1/status", (struct bytes){ NULL, 0 }, &j, &e);
	if (ok && j != NULL && tool_show_lists(j, wanted) == 0 && wanted != NULL)
		ok = err_set(&e, ERR_MISSING, "没有这个名单 there is no list %.40s", wanted);
	json_free(j);
	return ok ? TOOL_DONE : tool_fail(&e);
}

static int cmd_decision_show(struct tool *t)
{
	char path[128];
	if (!tool_words(t, 1) || strlen(t->argv[0]) != 2UL * DECISION_ID_LEN)
		return TOOL_USAGE;
	snprintf(path, sizeof(path), "/v1/decisions/%.64s", t->argv[0]);
	return tool_show(t, "GET", path, (struct bytes){ NULL, 0 }, tool_show_decision);
}

/* check */

static bool is_number(const char *text, double *v)
{
	char *end;
	*v = strtod(text, &end);
	return *text != '\0' && *end == '\0' && strspn(text, "0123456789.-") == strlen(text);
}

static bool put_fact(struct json_out *w, const char *fact)
{
	char name[64];
	double number;
	const char *value = strchr(fact, '=');
	if (value == NULL || value == fact || (size_t)(value - fact) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(value - fact), fact);
	value++;
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		json_put_bool(w, name, *value == 't');
	else if (is_number(value, &number))
		json_put_real(w, name, number);
	else
		json_put_text(w, name, value);
	return true;
}

static void put_optional(struct json_out *w, const char *key, const char *value)
{
	if (value != NULL)
		json_put_text(w, key, value);
}

/* From the options; false when they are not enough. */
static bool check_compose(struct tool *t, struct json_out *w)
{
	char id[48] = "branchctl-";
	uint8_t random[16];
	const char *given = tool_option(t, "--request-id"), *business = tool_option(t, "--business");
	const char *kind = tool_option(t, "--kind"), *fact;
	random_system.fill(random_system.arg, random, sizeof(random));
	hex_encode(random, sizeof(random), id + strlen(id));
	json_open(w, NULL, '{');
	json_put_text(w, "request_id", given != NULL ? given : id);
	json_put_text(w, "business", business != NULL ? business : "open_account");
	json_open(w, "subject", '{');
	json_put_text(w, "kind", kind);
	put_optional(w, "number", tool_option(t, "--number"));
	put_optional(w, "name", tool_option(t, "--name"));
	put_optional(w, "birth_date", tool_option(t, "--birth-date"));
	json_close(w, '}');
	json_open(w, "facts", '{');
	while ((fact = tool_option(t, "--fact")) != NULL)
		if (!put_fact(w, fact))
			return false;
	json_close(w, '}');
	json_close(w, '}');
	return kind != NULL && tool_words(t, 0);
}

static bool file_or_stdin(const char *path, struct buf *out, struct err *e)
{
	return file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, out, e);
}

static int cmd_check(struct tool *t)
{
	struct buf body;
	struct err e = { 0 };
	struct json_out w = { .out = &body };
	const char *file = tool_option(t, "--json");
	int status = TOOL_USAGE;
	buf_init(&body, HTTP_BODY_MAX);
	if (file != NULL && !file_or_stdin(file, &body, &e))
		status = tool_fail(&e);
	else if (file != NULL ? tool_words(t, 0) : check_compose(t, &w))
		status = tool_show(t, "POST", "/v1/checks", buf_bytes(&body), tool_show_decision);
	buf_clear(&body);
	return status;
}

/* journal verify: reads the database itself, so that neither branchd is needed nor any check waits. */

static bool journal_verify(struct db *db, uint64_t *rows, struct err *e)
{
	if (!db_exec(db, "BEGIN", e)) /* one view of it all, while branchd goes on writing */
		return false;
	struct record *r = record_open(db, NULL, &random_system, e);
	bool ok = r != NULL && record_verify(r, rows, e);
	record_close(r);
	return db_exec(db, "COMMIT", ok ? e : NULL) && ok;
}

static int cmd_journal_verify(struct tool *t)
{
	char path[512];
	uint64_t rows = 0;
	struct err e = { 0 };
	if (!tool_words(t, 0))
		return TOOL_USAGE;
	snprintf(path, sizeof(path), "%s/branch.db", t->dir);
	struct db *db = db_open(path, DB_READ, &e);
	bool ok = db != NULL && journal_verify(db, &rows, &e);
	db_close(db);
	if (!ok)
		return tool_fail(&e);
	printf(t->raw ? "{\"rows\":%llu}\n" : "日志完整 the journal is whole: %llu 行 rows\n",
	       (unsigned long long)rows);
	return TOOL_DONE;
}

/* terminals */

static void show_token(const struct json *j)
{
	printf("终端 Terminal: %s\n", tool_text(j, "name"));
	if (*tool_text(j, "token") != '\0')
		printf("令牌 Token (只显示一次 shown this once): %s\n", tool_text(j, "token"));
	else
		printf("凭客户端证书 By client certificate, CN=%s\n", tool_text(j, "name"));
}

static int cmd_terminal_add(struct tool *t)
{
	struct buf body;
	struct json_out w = { .out = &body };
	bool certificate = tool_flag(t, "--certificate");
	if (!tool_words(t, 1))
		return TOOL_USAGE;
	buf_init(&body, 1024);
	json_open(&w, NULL, '{');
	json_put_text(&w, "name", t->argv[0]);
	json_put_bool(&w, "certificate", certificate);
	json_close(&w, '}');
	int status = tool_show(t, "POST", "/v1/terminals", buf_bytes(&body), show_token);
	buf_clear(&body);
	return status;
}

static void show_revoked(const struct json *j)
{
	printf("已撤销 revoked: %s\n", tool_text(j, "name"));
}

static int cmd_terminal_revoke(struct tool *t)
{
	char path[128];
	if (!tool_words(t, 1) || !name_is_valid(t->argv[0]))
		return TOOL_USAGE;
	snprintf(path, sizeof(path), "/v1/terminals/%.32s/revoke", t->argv[0]);
	return tool_show(t, "POST", path, bytes_of("{}"), show_revoked);
}

static int cmd_terminal_list(struct tool *t)
{
	return tool_words(t, 0) ? tool_show(t, "GET", "/v1/terminals", (struct bytes){ NULL, 0 }, tool_show_terminals)
				: TOOL_USAGE;
}

/* enrol */

static bool enrol_begin_call(const struct tool *t, const char *host, int port, const char *ca_path,
			     struct buf *answer, struct err *e)
{
	struct buf ca, body;
	struct json_out w = { .out = &body };
	buf_init(&ca, PKI_CERT_MAX * 2UL);
	buf_init(&body, HTTP_BODY_MAX);
	bool ok = file_read(ca_path, &ca, e);
	json_open(&w, NULL, '{');
	json_put_text(&w, "host", host);
	json_put_int(&w, "port", port);
	json_put_text_n(&w, "ca", buf_bytes(&ca));
	json_close(&w, '}');
	ok = ok && tool_call(t, "POST", "/enrol/begin", buf_bytes(&body), answer, e);
	buf_clear(&ca);
	buf_clear(&body);
	return ok;
}

/* The address terminals connect to, where it is one of its own. */
static void put_listen_san(const struct tool *t, struct json_out *w)
{
	static const char *const said[] = { "localhost", "127.0.0.1", "0.0.0.0", "::" };
	char path[512];
	struct branch_config c;
	snprintf(path, sizeof(path), "%s/branch.ini", t->dir);
	if (!branch_config_load(path, &c, NULL))
		return;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (strcmp(c.listen_host, said[i]) == 0)
			return;
	json_put_text(w, NULL, c.listen_host);
}

static void put_sans(struct tool *t, struct json_out *w)
{
	const char *san = tool_option(t, "--san");
	json_open(w, "sans", '[');
	if (san == NULL) {
		json_put_text(w, NULL, "localhost");
		json_put_text(w, NULL, "127.0.0.1");
		put_listen_san(t, w);
	}
	for (; san != NULL; san = tool_option(t, "--san"))
		json_put_text(w, NULL, san);
	json_close(w, ']');
}

/* Why gate could not reach central, as far as branchd has heard. */
static bool enrol_faulted(const struct tool *t, struct err *e)
{
	struct buf out;
	buf_init(&out, HTTP_BODY_MAX);
	struct json *j = tool_call(t, "GET", "/enrol", (struct bytes){ NULL, 0 }, &out, NULL)
				 ? json_parse(buf_bytes(&out), NULL)
				 : NULL;
	const char *fault = tool_text(j, "fault");
	bool faulted = *fault != '\0';
	if (faulted)
		err_set(e, ERR_IO, "%s", fault);
	json_free(j);
	buf_clear(&out);
	return faulted;
}

/* Through gate to central. The same request may be sent again: central then gives the same answer. */
static bool enrol_ask(const struct tool *t, const char *socket, struct bytes body, struct buf *answer, struct err *e)
{
	int64_t until_ms = loop_now_ms() + ENROL_WAIT_MS;
	for (;;) {
		*e = (struct err){ 0 };
		if (tool_call_at(socket, "POST", "/v1/enrol", body, answer, e))
			return true;
		if (e->code == ERR_DENIED || enrol_faulted(t, e) || loop_now_ms() > until_ms)
			return err_wrap(e, "中心 central");
		usleep(200000);
	}
}

static bool enrol_run(struct tool *t, const struct json *begun, const char *token, struct buf *last, struct err *e)
{
	struct buf body, answer;
	struct json_out w = { .out = &body };
	buf_init(&body, HTTP_BODY_MAX);
	buf_init(&answer, HTTP_BODY_MAX);
	json_open(&w, NULL, '{');
	json_put_text(&w, "token", token);
	json_put_text(&w, "csr", tool_text(begun, "csr"));
	json_put_text(&w, "seal_key", tool_text(begun, "seal_key"));
	put_sans(t, &w);
	json_close(&w, '}');
	bool ok = enrol_ask(t, tool_text(begun, "socket"), buf_bytes(&body), &answer, e) &&
		  tool_call(t, "POST", "/enrol/finish", buf_bytes(&answer), last, e);
	buf_clear(&body);
	buf_clear(&answer);
	return ok;
}

static int enrol_at(struct tool *t, const char *host, int port, const char *ca, const char *token)
{
	struct buf begun, last;
	struct err e = { 0 };
	buf_init(&begun, HTTP_BODY_MAX);
	buf_init(&last, HTTP_BODY_MAX);
	struct json *j = NULL;
	if (enrol_begin_call(t, host, port, ca, &begun, &e))
		j = json_parse(buf_bytes(&begun), &e);
	bool ok = j != NULL && enrol_run(t, j, token, &last, &e);
	json_free(j);
	if (ok)
		printf(t->raw ? "%s\n" : "已注册 enrolled: %s\n", buf_str(&last));
	buf_clear(&begun);
	buf_clear(&last);
	return ok ? TOOL_DONE : tool_fail(&e);
}

static int cmd_enrol(struct tool *t)
{
	char host[256];
	int port;
	struct err e = { 0 };
	const char *central = tool_option(t, "--central"), *ca = tool_option(t, "--ca"),
		   *token = tool_option(t, "--token");
	if (central == NULL || ca == NULL || token == NULL || t->used_wrongly)
		return TOOL_USAGE;
	for (int i = 0; i < t->argc; i += 2)
		if (strcmp(t->argv[i], "--san") != 0 || i + 1 == t->argc)
			return TOOL_USAGE;
	if (!branch_address(central, host, &port, &e))
		return tool_fail(&e);
	return enrol_at(t, host, port, ca, token);
}

static const struct command {
	const char *word, *second; /* second NULL: one word */
	const char *usage, *says;
	int (*run)(struct tool *t);
} commands[] = {
	{ "init", NULL, "--listen ADDRESS:PORT", "创建目录和 branch.ini · make DIR and branch.ini", cmd_init },
	{ "enrol", NULL, "--central HOST:PORT --ca CA.pem --token TOKEN [--san NAME]…", "向中心注册 · join a central",
	  cmd_enrol },
	{ "status", NULL, "", "状态 · what this branch holds", cmd_status },
	{ "check", NULL,
	  "--json FILE | --kind KIND --number NUMBER [--name NAME] [--birth-date DAY] [--business NAME] [--fact "
	  "NAME=VALUE]… "
	  "[--request-id ID]",
	  "核查 · check as the terminal \"local\"", cmd_check },
	{ "scan", NULL, "-|FILE [--business NAME] [--holder [KIND:]NUMBER] [--holder-name NAME]",
	  "核验电子证照，标准输入每行一码，或图片；全部接受则返回0 · verify e-certificates, one code a line, or a "
	  "picture; exit 0 when "
	  "all are accepted",
	  tool_scan },
	{ "certificate", "find", "[KIND_OF_DOCUMENT:]HOLDER KIND PURPOSE",
	  "查询持有人的电子证照：在线问中心，断线用本机所存 · a holder's certificates of a kind: from central, or "
	  "kept here while the "
	  "line is down",
	  tool_certificate },
	{ "report", NULL,
	  "NUMBER PURPOSE --officer NAME --out FILE.html|FILE.pdf [--as-of DAY] [--kind uscc|org_code] [--request-id "
	  "ID]",
	  "企业信用报告，由中心出具，断线不出 · an enterprise's credit report, made at central; none while the line "
	  "is down",
	  tool_report },
	{ "carbon", "show", "[KIND_OF_DOCUMENT:]HOLDER PURPOSE --officer NAME [--request-id ID]",
	  "客户碳账户：余额、等级、最近到期、可兑换；断线不查 · a customer's carbon account at central; none while "
	  "the "
	  "line is down",
	  tool_carbon_show },
	{ "carbon", "redeem",
	  "[KIND_OF_DOCUMENT:]HOLDER PURPOSE KIND QUANTITY REFERENCE --officer NAME [--request-id ID]",
	  "预留兑换，待入账或退回 · hold points for what they buy, until posted or voided", tool_carbon_redeem },
	{ "carbon", "post", "REDEMPTION --officer NAME [--quantity N] [--request-id ID]",
	  "兑换入账，可部分 · post a redemption, also in part", tool_carbon_post },
	{ "carbon", "void", "REDEMPTION --officer NAME [--request-id ID]", "退回积分 · give the points back",
	  tool_carbon_void },
	{ "cache", "show", "", "本机所存证照 · the certificates kept", tool_cache_show },
	{ "cache", "wipe", "", "全部清除 · erase them all", tool_cache_wipe },
	{ "decision", "show", "ID", "查看决定 · show a decision", cmd_decision_show },
	{ "list", "show", "[NAME]", "名单 · the lists held", cmd_list_show },
	{ "journal", "verify", "", "校验日志链 · recompute the journal's chain", cmd_journal_verify },
	{ "terminal", "add", "NAME [--certificate]", "添加终端 · add a terminal, print its token", cmd_terminal_add },
	{ "terminal", "revoke", "NAME", "撤销终端 · revoke a terminal", cmd_terminal_revoke },
	{ "terminal", "list", "", "终端列表 · list terminals", cmd_terminal_list },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage_of(FILE *to, const struct command *c)
{
	fprintf(to, "  branchctl [-d DIR] [--json] %s%s%s %s\n      %s\n", c->word, c->second != NULL ? " " : "",
		c->second != NULL ? c->second : "", c->usage, c->says);
}

static int usage(void)
{
	fprintf(stderr, "用法 usage (DIR: %s; --json: 输出 JSON print the API's JSON):\n", BRANCH_DIR);
	for (size_t i = 0; i < COMMANDS; i++)
		usage_of(stderr, &commands[i]);
	return TOOL_USAGE;
}

static int run(const struct command *c, struct tool *t)
{
	int words = c->second != NULL ? 2 : 1;
	t->argc -= words;
	t->argv += words;
	if (c->run != cmd_check)
		t->raw |= tool_flag(t, "--json");
	int status = c->run(t);
	if (status == TOOL_USAGE) {
		fprintf(stderr, "用法 usage:\n");
		usage_of(stderr, c);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct tool t = { .dir = BRANCH_DIR, .argc = argc - 1, .argv = argv + 1 };
	umask(077);
	while (t.argc > 0 && t.argv[0][0] == '-') {
		bool dir = strcmp(t.argv[0], "-d") == 0 && t.argc > 1;
		if (!dir && strcmp(t.argv[0], "--json") != 0)
			return usage();
		if (dir)
			t.dir = t.argv[1];
		else
			t.raw = true;
		t.argc -= dir ? 2 : 1;
		t.argv += dir ? 2 : 1;
	}
	for (size_t i = 0; i < COMMANDS && t.argc > 0; i++) {
		const struct command *c = &commands[i];
		if (strcmp(t.argv[0], c->word) == 0 &&
		    (c->second == NULL || (t.argc > 1 && strcmp(t.argv[1], c->second) == 0)))
			return run(c, &t);
	}
	return usage();
}
