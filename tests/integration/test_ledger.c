/* The ledger as an operator meets it: centralctl, centrald, a file of lines. */
#include "protocol/base/file.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;
static bool opened;

static void setup(void)
{
	if (!opened)
		world_open(&w);
	opened = true;
}

/* Lines with ' for ". */
static void send(int status, const char *words, const char *who, const char *verb, const char *lines)
{
	char path[120], command[160];
	snprintf(path, sizeof(path), "%s/lines", w.dir);
	FILE *f = fopen(path, "we");
	if (f == NULL)
		abort();
	for (const char *at = lines; *at != '\0'; at++)
		fputc(*at == '\'' ? '"' : *at, f);
	fclose(f);
	snprintf(command, sizeof(command), "ledger %s %s", verb, path);
	world_expect(&w, status, words, who, command);
}

static const char accounts[] = "{'id':'1','ledger':1,'class':'issue','name':'发行'}\n"
			       "{'id':'a1','ledger':1,'class':'hold','limit':'no_overdraft'}\n"
			       "{'id':'ff','ledger':1,'class':'retire'}\n";

static void a_change_needs_an_operator_and_stands_in_the_audit(void)
{
	world_expect(&w, 1, "there is no ledger yet", NULL, "ledger verify");
	send(1, "needs an operator's token", NULL, "create", accounts);
	send(0, "已记 3", "alice", "create", accounts);
	send(0, "重复 3", "bob", "create", accounts);
	send(1, "needs an operator's token", NULL, "transfer",
	     "{'id':'9','kind':'single','debit':'1','credit':'a1','amount':1,'ledger':1}\n");
	world_expect(&w, 0, "ledger.create", NULL, "audit");
}

static void each_transfer_gets_its_status_and_one_that_fails_is_exit_1(void)
{
	static const char lines[] =
		"{'id':'100','kind':'single','debit':'1','credit':'a1','amount':500,'ledger':1,'effective':'2026-01-"
		"31'}\n"
		"{'id':'101','kind':'pending','debit':'a1','credit':'ff','amount':200,'ledger':1}\n"
		"{'id':'102','kind':'post','ref':'101','amount':150}\n";
	send(0, "\tok\t", "alice", "transfer", lines);
	send(0, "重复 3", "alice", "transfer", lines);
	send(1, "exceeds_credits", "alice", "transfer",
	     "{'id':'103','kind':'single','debit':'a1','credit':'ff','amount':351,'ledger':1}\n");
	send(1, "exists_with_different_amount", "alice", "transfer",
	     "{'id':'102','kind':'post','ref':'101','amount':151}\n");
	send(1, "line 2: ", "alice", "transfer",
	     "{'id':'104','kind':'single','debit':'1','credit':'a1','amount':1,'ledger':1}\n{'id':'105','knd':'"
	     "single'}\n");
	world_expect(&w, 0, "500", NULL, "ledger show a1");
	world_expect(&w, 1, "no account", NULL, "ledger show a2");
}

static void what_is_read_is_read_beside_centrald(void)
{
	world_expect(&w, 0, "\t-350\t", NULL, "ledger balance --account a1");
	world_expect(&w, 0, "\t-500\t", NULL, "ledger balance --account a1 --as-of 2026-02-01");
	world_expect(&w, 0, "\t0\t", NULL, "ledger balance --account a1 --as-of 2026-01-30");
	world_expect(&w, 0, "通过", NULL, "ledger verify");
	world_expect(&w, 0, "2026-01-31=", NULL, "ledger export");
	world_expect(&w, 1, "a date is written", NULL, "ledger balance --as-of yesterday");
	struct json *j = world_ctl_json(&w, NULL, "ledger verify");
	bool holds = false;
	CU_ASSERT_TRUE(json_bool(j, "holds", &holds, NULL) && holds);
	json_free(j);
}

static void a_killed_centrald_comes_back_with_the_same_head(void)
{
	struct buf before, after;
	buf_init(&before, 65536);
	buf_init(&after, 65536);
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &before, "ledger head"), 0);
	world_central_stop(&w, SIGKILL);
	world_expect(&w, 0, "通过", NULL, "ledger verify");
	world_central_start(&w);
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &after, "ledger head"), 0);
	CU_ASSERT_EQUAL(strncmp(buf_str(&before), buf_str(&after), 64), 0);
	buf_clear(&before);
	buf_clear(&after);
}

static void the_head_of_a_day_is_signed_once_and_finds_a_ledger_put_back(void)
{
	char command[200], kept[120], ledger[160];
	struct buf first, again;
	snprintf(kept, sizeof(kept), "%s/heads", w.dir);
	snprintf(ledger, sizeof(ledger), "%s/ledger.db", w.central_dir);
	buf_init(&first, 65536);
	buf_init(&again, 65536);
	send(0, "已记 1", "alice", "transfer",
	     "{'id':'200','kind':'single','debit':'1','credit':'a1','amount':5,'ledger':1}\n");
	world_expect(&w, 1, "needs an operator's token", NULL, "ledger sign");
	world_expect(&w, 0, "已签名", "alice", "ledger sign");
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &first, "ledger heads export"), 0);
	send(0, "已记 1", "alice", "transfer",
	     "{'id':'201','kind':'single','debit':'1','credit':'a1','amount':6,'ledger':1}\n");
	world_central_stop(&w, SIGKILL);
	world_central_start(&w);
	world_expect(&w, 0, "已签名", "bob", "ledger sign"); /* today's is there */
	CU_ASSERT_EQUAL(world_ctl(&w, NULL, &again, "ledger heads export"), 0);
	CU_ASSERT(first.len > 100 && bytes_equal(buf_bytes(&first), buf_bytes(&again)));
	CU_ASSERT_TRUE(file_write(kept, buf_bytes(&first), 0600, NULL));
	world_expect(&w, 0, "发行 / issued", NULL, "ledger heads list");
	world_expect(&w, 0, "newest signed", NULL, "ledger head");
	snprintf(command, sizeof(command), "ledger verify --heads %s", kept);
	world_expect(&w, 0, "公钥", NULL, command);
	world_central_stop(&w, SIGTERM);
	CU_ASSERT_TRUE(file_remove(ledger, NULL)); /* and begun anew */
	world_central_start(&w);
	send(0, "已记 3", "alice", "create", accounts);
	world_expect(&w, 1, "older copy", NULL, command);
	world_expect(&w, 1, "older copy", NULL, "ledger verify"); /* the file beside it */
	world_expect(&w, 1, "put back to an older state", "alice", "ledger sign");
	world_expect(&w, 0, "ledger.head", NULL, "status");
	buf_clear(&first);
	buf_clear(&again);
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "a change needs an operator and stands in the audit", a_change_needs_an_operator_and_stands_in_the_audit },
	{ "each transfer gets its status, and one that fails is exit 1",
	  each_transfer_gets_its_status_and_one_that_fails_is_exit_1 },
	{ "what is read is read beside centrald", what_is_read_is_read_beside_centrald },
	{ "a killed centrald comes back with the same head", a_killed_centrald_comes_back_with_the_same_head },
	{ "the head of a day is signed once and finds a ledger put back",
	  the_head_of_a_day_is_signed_once_and_finds_a_ledger_put_back },
	CU_TEST_INFO_NULL,
};
SUITE(ledger_system, setup, NULL, tests);
