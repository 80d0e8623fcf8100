/* What an operator does with departments' files, by centralctl and by HTTP, on a real centrald. */
#include "protocol/base/file.h"
#include "tests/support/department.h"
#include "tests/support/lone_central.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct lone_central central;
static struct buf out;
static char csv[160];

static void setup(void)
{
	buf_init(&out, 1U << 24);
	if (central.pid == 0)
		lone_central_open(&central);
	snprintf(csv, sizeof(csv), "%s.csv", central.dir);
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

/* n good rows of the sample's tax-revenue, then these. */
static void file_put(unsigned n, const char *more)
{
	struct buf file;
	char code[19];
	buf_init(&file, 1U << 24);
	buf_add_str(&file, "统一社会信用代码,月份,营业收入,实缴税额,纳税信用等级\n");
	for (unsigned i = 1; i <= n; i++) {
		department_uscc(i, code);
		buf_add_fmt(&file, "%s,2026-10,%u,%u,A\n", code, i * 10, i);
	}
	buf_add_str(&file, more);
	CU_ASSERT_TRUE_FATAL(file_write(csv, buf_bytes(&file), 0600, NULL));
	buf_clear(&file);
}

static void the_sample_catalogue_has_35_departments_4_categories_12_indicators(void)
{
	struct json *j = lone_central_json(&central, "source import central/sample/sources.json");
	int64_t added = 0;
	CU_ASSERT_TRUE(j != NULL && json_int(j, "added", 0, 1000, &added, NULL));
	json_free(j);
	j = lone_central_json(&central, "source list");
	const struct json *all = j != NULL ? json_get(j, "sources") : NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	CU_ASSERT_EQUAL(json_len(all), (size_t)added);
	static const char *const keys[] = { "department", "category", "indicator" };
	static const size_t want[] = { 35, 4, 12 };
	for (size_t k = 0; k < 3; k++) {
		size_t different = 0;
		for (size_t i = 0; i < json_len(all); i++) {
			const char *mine = NULL, *other = NULL;
			bool first = json_text(json_at(all, i), keys[k], 64, &mine, NULL), sample = false;
			for (size_t n = 0; first && n < i; n++)
				first = json_text(json_at(all, n), keys[k], 64, &other, NULL) &&
					strcmp(mine, other) != 0;
			different += first;
			CU_ASSERT_TRUE(json_bool(json_at(all, i), "sample", &sample, NULL) && sample);
		}
		CU_ASSERT_EQUAL(different, want[k]);
	}
	json_free(j);
}

static void a_file_is_checked_loaded_and_its_rejects_come_back(void)
{
	char rejects[180];
	struct stat st;
	snprintf(rejects, sizeof(rejects), "%s.rejects.csv", central.dir);
	file_put(500, "3.30801E+17,2026-10,5,5,A\n");
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch check %s --source tax-revenue", csv), 1);
	CU_ASSERT_TRUE(says("type-error") && says("科学计数法"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load tax-revenue %s", csv), 1);
	CU_ASSERT_TRUE(says("--period"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load tax-revenue %s --period 2026-10 --rejects %s",
					 csv, rejects),
			0);
	CU_ASSERT_TRUE(says("已生效") && says("收录 / accepted 500") && says("退回 / rejected 1"));
	buf_reset(&out);
	CU_ASSERT_TRUE(file_read(rejects, &out, NULL) && says("\"502\",\"1\",\"type-error\"") &&
		       says("\"3.30801E+17\""));
	CU_ASSERT_TRUE(stat(rejects, &st) == 0 && (st.st_mode & 0777) == 0600);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load tax-revenue %s --period 2026-10", csv), 0);
	CU_ASSERT_TRUE(says("已载入过"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source list --department tax"), 0);
	CU_ASSERT_TRUE(says("2026-10") && says("500 行"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch load no-such %s --period 2026-10", csv), 1);
	CU_ASSERT_TRUE(says("source list"));
}

static void a_held_batch_counts_after_a_person_said_why(void)
{
	file_put(100, "");
	struct json *j = lone_central_json(&central, "batch load tax-revenue %s --period 2026-10", csv);
	const char *state = NULL;
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(j != NULL && json_text(j, "state", 32, &state, NULL) &&
			     json_int(j, "id", 1, 1000, &id, NULL));
	CU_ASSERT_STRING_EQUAL(state, "held");
	json_free(j);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source show tax-revenue"), 0);
	CU_ASSERT_TRUE(says("500 行"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch release %lld", (long long)id), 1);
	CU_ASSERT_TRUE(says("--reason"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch release %lld --reason 部门确认", (long long)id), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "source show tax-revenue"), 0);
	CU_ASSERT_TRUE(says("100 行"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("batch.release") && says("部门确认"));
}

static void a_short_file_is_taken_in_one_request(void)
{
	struct buf token;
	buf_init(&token, 256);
	CU_ASSERT_TRUE_FATAL(file_read(central.token, &token, NULL));
	file_put(100, "");
	buf_reset(&out);
	const char *url = "http://x/v1/sources/statistics-revenue/upload?period=2026-10&format=csv";
	char socket[160], bearer[200], data[180];
	snprintf(socket, sizeof(socket), "%s/ctl.sock", central.dir);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", buf_str(&token));
	snprintf(data, sizeof(data), "@%s", csv);
	const char *argv[] = {
		"curl", "-sS", "--unix-socket", socket, "-H", bearer, "--data-binary", data, url, NULL
	};
	CU_ASSERT_EQUAL(child_run(argv, &out), 0);
	CU_ASSERT_TRUE(says("\"state\":\"current\"") && says("\"accepted\":100"));
	argv[4] = "-H", argv[5] = "X: y";
	buf_reset(&out);
	CU_ASSERT_EQUAL(child_run(argv, &out), 0);
	CU_ASSERT_TRUE(says("\"error\":\"denied\""));
	buf_clear(&token);
}

static void what_was_superseded_is_erased_and_a_report_as_of_then_says_so(void)
{
	char path[160], code[19];
	snprintf(path, sizeof(path), "%s/central.db", central.dir);
	lone_central_stop(&central, SIGTERM);
	/* years ago, as time goes */
	const char *argv[] = { "sqlite3", path,
			       "UPDATE batch SET finished_s = 1700000000, superseded_s = 1750000000 WHERE state = 5;",
			       NULL };
	CU_ASSERT_EQUAL(child_run(argv, &out), 0);
	lone_central_start(&central);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch expire --older-than 30 --dry-run"), 0);
	CU_ASSERT_TRUE(says("到期 / due: 1"));
	department_uscc(7, code);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "report enterprise %s 复核 --as-of 2024-06-01 --out %s.html",
					 code, csv),
			0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch expire --older-than 30"), 1);
	CU_ASSERT_TRUE(says("--reason"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch expire --older-than 30 --reason 保存期满"), 0);
	CU_ASSERT_TRUE(says("已清除 / erased: 1"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch show 1"), 0);
	CU_ASSERT_TRUE(says("行清除于 / rows erased 20"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "batch rejects 1"), 1);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "report enterprise %s 复核 --as-of 2024-06-01 --out %s.html",
					 code, csv),
			1);
	CU_ASSERT_TRUE(says("counted then") && says("read as of 2025-06-15 or later"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "audit"), 0);
	CU_ASSERT_TRUE(says("batch.expire") && says("保存期满"));
}

static void a_subject_is_shown_masked_merged_and_the_reader_is_named(void)
{
	char one[19], two[19];
	department_uscc(7, one);
	department_uscc(8, two);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s 贷前审查", one), 0);
	CU_ASSERT_TRUE(says("tax=7") && says("统计") && strstr(buf_str(&out), one) == NULL);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject merge %s %s --reason 同一企业", one, two), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s 复核", two), 0);
	CU_ASSERT_TRUE(says("tax=7") && says("tax=8"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject unmerge %s --reason 误合并", two), 0);
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject show %s 复核", two), 0);
	CU_ASSERT_TRUE(strstr(buf_str(&out), "tax=7") == NULL && says("tax=8"));
	CU_ASSERT_EQUAL(lone_central_ctl(&central, &out, "subject reads %s", one), 0);
	CU_ASSERT_TRUE(says("alice") && says("贷前审查") && says("复核"));
	lone_central_stop(&central, SIGTERM);
}

static CU_TestInfo tests[] = {
	{ "the sample catalogue has 35 departments, 4 categories, 12 indicators",
	  the_sample_catalogue_has_35_departments_4_categories_12_indicators },
	{ "a file is checked, loaded, and its rejects come back",
	  a_file_is_checked_loaded_and_its_rejects_come_back },
	{ "a held batch counts after a person said why", a_held_batch_counts_after_a_person_said_why },
	{ "a short file is taken in one request", a_short_file_is_taken_in_one_request },
	{ "what was superseded is erased, and a report as of then says so",
	  what_was_superseded_is_erased_and_a_report_as_of_then_says_so },
	{ "a subject is shown masked, merged, and the reader is named",
	  a_subject_is_shown_masked_merged_and_the_reader_is_named },
	CU_TEST_INFO_NULL,
};

SUITE(ingest_programs, setup, teardown, tests);
