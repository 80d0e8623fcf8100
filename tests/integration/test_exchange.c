/* What an operator does with another platform, on a real centrald with the platform as a server of ours. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/support/platform.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct lone_central central;
static struct platform far;
static struct buf out;

static void setup(void)
{
	buf_init(&out, 1U << 24);
	if (central.pid == 0) {
		lone_central_open(&central);
		platform_open(&far, central.dir);
		json_free(lone_central_json(&central, "source import central/sample/sources.json"));
	}
}

static void teardown(void)
{
	buf_clear(&out);
}

static bool says(const char *what)
{
	bool there = strstr(buf_str(&out), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n%s", what, buf_str(&out));
	return there;
}

static bool list_says(const char *what)
{
	for (int i = 0; i < 100; i++) {
		if (lone_central_ctl(&central, &out, "exchange list") == 0 && strstr(buf_str(&out), what) != NULL)
			return true;
		sleep_ms(50);
	}
	return says(what);
}

#define FILES "--certificate client.crt --key client.key --ca ca.crt"

static void records_are_pulled_page_by_page_into_a_batch(void)
{
	char code[19], answer[1000];
	CU_ASSERT_EQUAL(
		lone_central_ctl(
			&central, &out,
			"exchange add province https://localhost:%d/pull --kind records --of tax-revenue " FILES,
			far.port),
		0);
	CU_ASSERT_TRUE(says("拉取 / pull"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange pull province"), 1);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange pull province --period 2026-10"), 0);
	for (unsigned i = 1; i <= 3; i++) {
		char body[600];
		department_uscc(i, code);
		snprintf(body, sizeof(body),
			 "{\"uscc\":\"%s\",\"month\":\"2026-10\",\"revenue\":%u,\"tax\":1,\"grade\":\"A\"}\n"
			 "{\"records\":1,\"more\":%s,\"cursor\":\"p%u\"}\n",
			 code, i * 10, i < 3 ? "true" : "false", i);
		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n", strlen(body),
			 body);
		CU_ASSERT_TRUE(platform_serve(&far, NULL, answer, 15000));
		CU_ASSERT_STRING_EQUAL(far.peer, "central-of-a-city");
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(far.request, "GET /pull?period=2026-10&limit=1000&cursor=p2 HTTP/1.1"));
	CU_ASSERT_TRUE(list_says("空闲 / idle"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch list --source tax-revenue"), 0);
	CU_ASSERT_TRUE(says("exchange:province"));
	CU_ASSERT_TRUE(says("收录 / accepted 3"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange push province"), 1);
	CU_ASSERT_TRUE(says("nothing is pushed to it"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "operator add exchange"), 1);
	CU_ASSERT_TRUE(says("no operator is called so"));
}

static const char *file_put(const char *name, const char *text)
{
	static char path[160];
	struct err e = { 0 };
	snprintf(path, sizeof(path), "%s/%s", central.dir, name);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, &e));
	return path;
}

/* One enterprise scored by a champion, which takes two operators. */
static void score(void)
{
	static const char *const steps[] = { "submit", "approve", "publish" };
	const char *token = NULL;
	struct json *bob = lone_central_json(&central, "operator add bob");
	struct json *j = lone_central_json(&central, "model import enterprise central/sample/enterprise-credit.pmml");
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(bob != NULL && json_text(bob, "token", 128, &token, NULL));
	CU_ASSERT_TRUE_FATAL(j != NULL && json_int(j, "id", 1, INT64_MAX, &id, NULL));
	const char *of_bob = file_put("bob.token", token);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(i == 0 ? lone_central_ctl(&central, &out, "release submit %lld", (long long)id)
				       : child_run_words(&out, "centralctl -d %s --token-file %s release %s %lld",
							 central.dir, of_bob, steps[i], (long long)id),
				0);
	json_free(bob);
	json_free(j);
	CU_ASSERT_EQUAL(lone_central_ctl(
				&central, &out, "score run enterprise %s",
				file_put("in.csv",
					 "subject,@date,public_rating,legal_rep_score,overdue_count,overdue_days_max,"
					 "suspicious_accounts,tax_rating,debt_evasion\n"
					 "91330800MA2DH00A72,2026-02-01,A,800,0,0,0,A,false\n")),
			0);
}

/* The answer of a platform that knows nobody of that number. */
static const char *refusal(char key[96])
{
	static char answer[500];
	char line[300];
	const char *at = strstr(far.request, "{\"key\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(key, 96, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
	snprintf(line, sizeof(line), "{\"key\":\"%s\",\"status\":422,\"error\":\"unknown subject\"}\n", key);
	snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(line), line);
	return answer;
}

static void scores_are_pushed_after_centrald_came_back_and_a_refused_one_is_requeued(void)
{
	static char first[65536];
	char key[96];
	score();
	file_put("agreed.key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	CU_ASSERT_EQUAL(
		lone_central_ctl(&central, &out,
				 "exchange add nation https://localhost:%d/push --kind scores --of enterprise "
				 "--subject hash --subject-key agreed.key " FILES,
				 far.port),
		0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange push nation"), 0);
	CU_ASSERT_TRUE(says("queued 1"));
	CU_ASSERT_TRUE(platform_serve(&far, NULL, NULL, 15000));
	CU_ASSERT_TRUE(list_says("left without an answer") && says("待发 / waiting 1"));
	snprintf(first, sizeof(first), "%s", far.request);
	lone_central_stop(&central, SIGKILL);
	lone_central_start(&central);
	CU_ASSERT_TRUE(platform_serve(&far, NULL, refusal(key), 30000));
	CU_ASSERT_STRING_EQUAL(far.request, first);
	CU_ASSERT_TRUE(list_says("死信 / dead 1"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange dead nation"), 0);
	CU_ASSERT_TRUE(says("422 unknown subject") && says(key));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange requeue nation"), 0);
	CU_ASSERT_TRUE(says("requeued 1"));
	CU_ASSERT_TRUE(platform_serve(&far, NULL, "HTTP/1.1 204 No Content\r\n\r\n", 15000));
	CU_ASSERT_TRUE(list_says("已收 / taken 1"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "exchange end nation"), 0);
	CU_ASSERT_PTR_NULL(strstr(buf_str(&out), "nation"));
	lone_central_stop(&central, SIGTERM);
	platform_close(&far);
}

static CU_TestInfo tests[] = {
	{ "records are pulled page by page into a batch", records_are_pulled_page_by_page_into_a_batch },
	{ "scores are pushed after centrald came back, and a refused one is requeued",
	  scores_are_pushed_after_centrald_came_back_and_a_refused_one_is_requeued },
	CU_TEST_INFO_NULL,
};
SUITE(exchange_system, setup, teardown, tests);
