/* Carbon accounts as an operator meets them, from the standard's publication to a redemption. */
#include "tests/support/world.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct world w;
static bool opened;
static char anna[20], bob[20];

static void setup(void)
{
	if (!opened)
		world_open(&w);
	opened = true;
	world_number(1, anna);
	world_number(2, bob);
}

static void report(int status, const char *words, const char *who, const char *number, const char *activity,
		   const char *reference)
{
	char path[120], command[160], day[16];
	time_t now = time(NULL);
	struct tm tm;
	if (gmtime_r(&now, &tm) == NULL)
		abort();
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	snprintf(path, sizeof(path), "%s/reports", w.dir);
	FILE *f = fopen(path, "we");
	if (f == NULL)
		abort();
	fprintf(f,
		"{\"holder\":{\"number\":\"%s\"},\"activity\":\"%s\",\"occurred\":\"%s\",\"reference\":\"%s\","
		"\"quantity\":1}\n",
		number, activity, day, reference);
	fclose(f);
	snprintf(command, sizeof(command), "carbon report %s", path);
	world_expect(&w, status, words, who, command);
}

static void nothing_is_credited_before_a_standard_was_approved_by_two(void)
{
	report(1, "no standard of carbon points", "alice", anna, "bus_ride", "t1");
	struct json *j = world_ctl_json(&w, "alice", "document import carbon central/sample/carbon.json");
	int64_t id = 0;
	CU_ASSERT_TRUE_FATAL(json_int(j, "id", 1, INT64_MAX, &id, NULL));
	json_free(j);
	CU_ASSERT_EQUAL(world_release(&w, id), 1);
	report(1, "needs an operator's token", NULL, anna, "bus_ride", "t1");
	report(0, "credited", "alice", anna, "bus_ride", "t1");
	report(0, "repeated", "bob", anna, "bus_ride", "t1");
	report(0, "repeated", "bob", bob, "bus_ride", "t1");
	report(1, "no activity", "bob", anna, "space_flight", "t1");
}

static void points_are_redeemed_and_subjects_merged_by_hand(void)
{
	char line[200];
	report(0, "credited", "bob", bob, "online_bill", "b1");
	snprintf(line, sizeof(line), "carbon merge %s %s", anna, bob);
	world_expect(&w, 0, "merged", "alice", line);
	snprintf(line, sizeof(line), "carbon redeem gift-1 %s consumption 70", anna);
	world_expect(&w, 1, "--bank", "alice", line);
	snprintf(line, sizeof(line), "carbon redeem gift-1 %s consumption 75 --bank bank-a --reference o-1", anna);
	world_expect(&w, 1, "a multiple of 10", "alice", line);
	snprintf(line, sizeof(line), "carbon redeem gift-1 %s consumption 70 --bank bank-a --reference o-1", anna);
	world_expect(&w, 0, "held", "alice", line);
	world_expect(&w, 0, "held", "alice", line); /* again */
	world_expect(&w, 0, "redeemed", "alice", "carbon post gift-1");
	world_expect(&w, 1, "already_posted", "alice", "carbon void gift-1");
	snprintf(line, sizeof(line), "carbon show %s test", bob);
	world_expect(&w, 0, "points 2 ", "alice", line);
	world_expect(&w, 1, "needs an operator's token", NULL, line);
	snprintf(line, sizeof(line), "carbon redemptions %s test", bob);
	world_expect(&w, 0, "consumption 70 / 70 fen", "alice", line);
	snprintf(line, sizeof(line), "carbon redeem gift-2 %s consumption 30 --bank bank-a --reference o-2", anna);
	world_expect(&w, 1, "not enough points", "alice", line);
	snprintf(line, sizeof(line), "carbon unmerge %s", anna);
	world_expect(&w, 0, "no longer merged", "alice", line);
	world_expect(&w, 0, "points expired: 0", "alice", "carbon expire");
	world_expect(&w, 0, "carbon.redeem", NULL, "audit");
	world_expect(&w, 0, "points in all 2", "alice", "carbon push");
	world_expect(&w, 0, "pushed before", "bob", "carbon push");
	world_expect(&w, 0, "carbon_pushed", NULL, "carbon verify");
	world_expect(&w, 0, "通过", NULL, "ledger verify");
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "nothing is credited before a standard was approved by two",
	  nothing_is_credited_before_a_standard_was_approved_by_two },
	{ "points are redeemed and subjects merged by hand", points_are_redeemed_and_subjects_merged_by_hand },
	CU_TEST_INFO_NULL,
};
SUITE(carbon_system, setup, NULL, tests);
