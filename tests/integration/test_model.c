/* Models and scores as an operator has them: from a file to stored scores and back. */
#include "protocol/base/db.h"
#include "protocol/base/file.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE  "central/sample/enterprise-credit.pmml"
#define COMPANY "91330800MA2DH00A72" /* nobody's */

static struct world w;
static bool opened;
static char hash[65];

static void setup(void)
{
	if (!opened)
		world_open(&w);
	opened = true;
}

static const char *file_of(const char *name, const char *text)
{
	static char path[160];
	snprintf(path, sizeof(path), "%s/%s", w.dir, name);
	FILE *f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	if (f != NULL) {
		fputs(text, f);
		fclose(f);
	}
	return path;
}

static void a_model_s_file_is_looked_at_and_used_without_centrald(void)
{
	char line[400];
	world_expect(&w, 0, "没有缺陷 / no faults", NULL, "model lint " SAMPLE);
	world_expect(&w, 0, "\"faults\":0", NULL, "--json model lint " SAMPLE);
	world_expect(&w, 1, "No such file", NULL, "model lint /nowhere.pmml");
	world_expect(&w, 1, "line 1: XML", NULL, "model lint central/sample/rules.json");
	snprintf(line, sizeof(line), "model score " SAMPLE " --keep id --input %s",
		 file_of("in.csv", "id,public_rating,legal_rep_score,overdue_count,overdue_days_max,suspicious_"
				   "accounts,tax_rating,"
				   "debt_evasion\nx1,A,800,0,0,0,A,false\nx2,Z,800,0,0,0,A,true\n"));
	world_expect(&w, 0, "x1,644,ok,POLICE_BLACKLIST?;LEGAL_REP_DISHONEST?", NULL, line);
	world_expect(&w, 0, "x2,,input 'public_rating' is invalid,DEBT_EVASION;", NULL, line);
	snprintf(line, sizeof(line), "model from-card %s --name small",
		 file_of("card.csv",
			 "variable,bin,points\nbasepoints,,10\nage,\"[-inf,30.0)\",1\nage,\"[30.0,inf)\",2\n"));
	world_expect(&w, 0, "modelName=\"small\"", NULL, line);
	snprintf(line, sizeof(line), "model monitor %s --outcome o --good g --bins 2",
		 file_of("scores.csv", "score,o\n1,b\n2,b\n3,g\n,g\n"));
	world_expect(&w, 0, "auc: 1.00000", NULL, line);
	world_expect(&w, 0, "unscored: 1", NULL, line);
	world_expect(&w, 1, "is needed: --outcome or --reference", NULL, "model monitor x.csv");
}

static void a_champion_takes_two_operators(void)
{
	char line[200];
	world_expect(&w, 1, "needs an operator's token", NULL, "model import enterprise " SAMPLE);
	world_expect(&w, 0, "model-enterprise 第 1 版 · 草稿 (draft)", "alice", "model import enterprise " SAMPLE);
	struct json *j = world_ctl_json(&w, NULL, "release list --name model-enterprise");
	const struct json *release = json_at(json_get(j, "releases"), 0);
	const char *text = NULL;
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(json_text(release, "content_sha256", 64, &text, NULL));
	CU_ASSERT_TRUE_FATAL(json_int(release, "id", 1, INT64_MAX, &id, NULL));
	snprintf(hash, sizeof(hash), "%s", text);
	json_free(j);
	world_expect(&w, 0, "挑战 (challenger)", NULL, "model list");
	snprintf(line, sizeof(line), "release diff %lld", (long long)id);
	world_expect(&w, 0, "+   <Header", NULL, line);
	snprintf(line, sizeof(line), "release submit %lld", (long long)id);
	world_expect(&w, 0, "submitted", "alice", line);
	snprintf(line, sizeof(line), "release approve %lld", (long long)id);
	world_expect(&w, 1, "someone else must decide", "alice", line);
	world_expect(&w, 0, "approved", "bob", line);
	world_expect(&w, 0, "challenger", NULL, "model list");
	snprintf(line, sizeof(line), "release publish %lld", (long long)id);
	world_expect(&w, 0, "published", "bob", line);
	world_expect(&w, 0, "现用 (champion)", NULL, "model list");
	snprintf(line, sizeof(line), "model show %.12s", hash);
	world_expect(&w, 0, "样例", NULL, line);
	snprintf(line, sizeof(line), "model export %s", hash);
	world_expect(&w, 0, "<Scorecard", NULL, line);
}

static void scores_are_stored_shown_and_recomputed(void)
{
	char line[400];
	snprintf(line, sizeof(line), "score run enterprise %s",
		 file_of("run.csv",
			 "subject,@date,public_rating,legal_rep_score,overdue_count,overdue_days_max,suspicious_"
			 "accounts,"
			 "tax_rating,debt_evasion,tax_rating@date\n" COMPANY
			 ",2026-02-01,A,800,0,0,0,A,true,2025-12-31\n" COMPANY ",2026-02-01,,800,,0,0,A,,\n"));
	world_expect(&w, 0, "已评分 2 个主体", "alice", line);
	world_expect(&w, 0, "DEBT_EVASION", "alice", "score show " COMPANY " review");
	world_expect(&w, 0, "最早数据 / oldest input 2025-12-31", "alice", "score show " COMPANY " review");
	world_expect(&w, 1, "needs an operator's token", NULL, "score show " COMPANY " review");
	world_expect(&w, 0, "重算 2 个分数，不同 0 个", NULL, "replay");
	snprintf(line, sizeof(line), "score backfill enterprise %.12s", hash);
	world_expect(&w, 0, "补评 0 个", "alice", line);
	world_expect(&w, 0, "id,input,subject,model,role,score,oldest_input,scored_s\n1,1,", "alice",
		     "score export enterprise");
	snprintf(line, sizeof(line), "score export enterprise --model %.12s", hash);
	world_expect(&w, 0, "champion,644,2025-12-31", "alice", line);
	world_expect(&w, 1, "no such model", "alice", "score backfill enterprise 0123456789");
	snprintf(line, sizeof(line), "score run enterprise %s",
		 file_of("bad.csv", "subject,public_ratting\n" COMPANY ",A\n"));
	world_expect(&w, 1, "no model of enterprise has a field 'public_ratting'", "alice", line);
	world_expect(&w, 0, "score.run", NULL, "audit --limit 100");
}

static void inputs_come_out_of_stored_facts_by_a_released_mapping(void)
{
	char line[400];
	int64_t id = 0;
	snprintf(line, sizeof(line), "score run enterprise %s --facts",
		 file_of("subjects.csv", "subject\n" COMPANY "\n"));
	world_expect(&w, 1, "no mapping is published", "alice", line);
	struct json *j = world_ctl_json(&w, "alice",
					"document import inputs-enterprise central/sample/enterprise-inputs.json");
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(world_release(&w, id), 1);
	world_expect(&w, 0, "42", "alice", "source import central/sample/sources.json");
	snprintf(line, sizeof(line), "batch load tax-revenue %s --period 2026-10",
		 file_of("revenue.csv", "统一社会信用代码,月份,营业收入,实缴税额,纳税信用等级\n" COMPANY
					",2026-10,800000,24000,B\n"));
	world_expect(&w, 0, "current", "alice", line);
	world_expect(&w, 0, "5", "alice", "source import central/sample/credit-sources.json");
	snprintf(line, sizeof(line), "batch load public-security-account-alert %s --period 2026-10",
		 file_of("alerts.csv",
			 "统一社会信用代码,预警编号,认定日期,类别\n" COMPANY ",样例1,2026-10-08,涉案账户\n"));
	world_expect(&w, 0, "current", "alice", line);
	snprintf(line, sizeof(line), "batch load finance-overdue %s --period 2026-10",
		 file_of("overdue.csv", "统一社会信用代码,合同编号,逾期起始日,逾期天数\n" COMPANY
					",样例1,2026-03-01,40\n" COMPANY ",样例1,2026-10-09,12\n"));
	world_expect(&w, 0, "current", "alice", line);
	snprintf(line, sizeof(line), "score run enterprise %s --facts",
		 file_of("subjects.csv", "subject\n" COMPANY "\n"));
	world_expect(&w, 1, "needs an operator's token", NULL, line);
	world_expect(&w, 0, "已评分 1 个主体", "alice", line);
	world_expect(&w, 0, "inputs out of stored facts: inputs-enterprise/1 as of", "alice",
		     "score show " COMPANY " review");
	world_expect(&w, 0, "最早数据 / oldest input 2026-03-01", "alice", "score show " COMPANY " review");
	world_expect(&w, 0, "knock-out POLICE_BLACKLIST\n", "alice", "score show " COMPANY " review");
	world_expect(&w, 0, "OVERDUE_COUNT (40)", "alice", "score show " COMPANY " review"); /* twice overdue */
	world_expect(&w, 0, "评分 score enterprise", "alice", "subject reads " COMPANY);
	world_expect(&w, 0, "不同 0 个", NULL, "replay");
	snprintf(line, sizeof(line), "score run enterprise %s --facts --date 2026-01-31",
		 file_of("subjects.csv", "subject\n"));
	world_expect(&w, 1, "--as-of", "alice", line);
}

static void release_of(const char *command)
{
	struct json *j = world_ctl_json(&w, "alice", "%s", command);
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_TRUE(world_release(&w, id) > 0);
}

static void a_personal_score_takes_the_points_of_the_carbon_account(void)
{
	char line[400], day[16], number[20];
	time_t now = time(NULL);
	struct tm tm;
	CU_ASSERT_PTR_NOT_NULL_FATAL(gmtime_r(&now, &tm));
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	world_number(1, number);
	release_of("model import personal central/sample/personal-credit.pmml");
	release_of("document import inputs-personal central/sample/personal-inputs.json");
	snprintf(line, sizeof(line), "subject\n%s\n", number);
	const char *csv = file_of("persons.csv", line);
	char run[300];
	snprintf(run, sizeof(run), "score run personal %s --facts --kind resident_id", csv);
	world_expect(&w, 1, "carbon account: ", "alice", run); /* nothing was pushed yet */
	release_of("document import carbon central/sample/carbon.json");
	snprintf(line, sizeof(line),
		 "{\"holder\":{\"number\":\"%s\"},\"activity\":\"bus_ride\",\"occurred\":\"%s\",\"reference\":\"t1\","
		 "\"quantity\":1}\n",
		 number, day);
	snprintf(line, sizeof(line), "carbon report %s", file_of("rides.ndjson", line));
	world_expect(&w, 0, "credited", "alice", line);
	world_expect(&w, 0, "水位 / watermark", "alice", "carbon push");
	world_expect(&w, 0, "已评分 1 个主体", "alice", run);
	snprintf(line, sizeof(line), "score show %s review --kind resident_id", number);
	world_expect(&w, 0, "inputs-personal/1 as of", "alice", line);
	world_expect(&w, 0, "不同 0 个", NULL, "replay");
}

static void outcomes_and_months_tell_how_a_model_does(void)
{
	char line[400], svg[160], month[8];
	time_t now = time(NULL) + 28800;
	struct tm tm;
	struct buf picture;
	CU_ASSERT_PTR_NOT_NULL_FATAL(gmtime_r(&now, &tm));
	strftime(month, sizeof(month), "%Y-%m", &tm);
	snprintf(svg, sizeof(svg), "%s/months.svg", w.dir);
	snprintf(line, sizeof(line), "subject,month,outcome\n" COMPANY ",%s,good\n", month);
	const char *csv = file_of("outcomes.csv", line);
	snprintf(line, sizeof(line), "score outcome enterprise %s", csv);
	world_expect(&w, 1, "needs an operator's token", NULL, line);
	world_expect(&w, 0, "好 / good 1", "alice", line);
	snprintf(line, sizeof(line), "model monitor enterprise --months --svg %s", svg);
	world_expect(&w, 0, month, "alice", line);
	world_expect(&w, 0, "稳定性 PSI", "alice", line);
	world_expect(&w, 0, "\"psi\":0.0,\"goods\":2,\"bads\":0,\"auc\":null", "alice",
		     "--json model monitor enterprise --months");
	world_expect(&w, 1, "no such model", "alice", "model monitor enterprise --months --model 0123456789");
	world_expect(&w, 0, "信息值 IV", "alice", "model monitor enterprise --months");
	world_expect(&w, 1, "either --all or --model", "alice",
		     "model monitor enterprise --months --all --model 01234567");
	snprintf(line, sizeof(line), "model monitor enterprise --months --all --svg %s", svg);
	world_expect(&w, 0, "现用 (champion)", "alice", line);
	snprintf(line, sizeof(line), "%s/months-%.12s.svg", w.dir, hash);
	CU_ASSERT_EQUAL(access(line, R_OK), 0);
	buf_init(&picture, 1 << 20);
	CU_ASSERT_TRUE(file_read(svg, &picture, NULL) && strstr(buf_str(&picture), "模型监测") != NULL);
	buf_clear(&picture);
}

static void a_score_changed_in_the_database_is_found_by_replay(void)
{
	char path[200];
	struct err e = { 0 };
	snprintf(path, sizeof(path), "%s/central.db", w.central_dir);
	struct db *db = db_open(path, DB_WRITE, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(db);
	CU_ASSERT_TRUE(db_exec(db, "UPDATE score SET value = '999' WHERE id = 1", &e));
	db_close(db);
	world_expect(&w, 1, "分数 / score 1: model", NULL, "replay");
	world_close(&w);
	opened = false;
}

static CU_TestInfo tests[] = {
	{ "a model's file is looked at and used without centrald",
	  a_model_s_file_is_looked_at_and_used_without_centrald },
	{ "a champion takes two operators", a_champion_takes_two_operators },
	{ "scores are stored, shown and recomputed", scores_are_stored_shown_and_recomputed },
	{ "outcomes and months tell how a model does", outcomes_and_months_tell_how_a_model_does },
	{ "inputs come out of stored facts by a released mapping",
	  inputs_come_out_of_stored_facts_by_a_released_mapping },
	{ "a personal score takes the points of the carbon account",
	  a_personal_score_takes_the_points_of_the_carbon_account },
	{ "a score changed in the database is found by replay", a_score_changed_in_the_database_is_found_by_replay },
	CU_TEST_INFO_NULL,
};
SUITE(model, setup, NULL, tests);
