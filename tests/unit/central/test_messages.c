/* Real-time messages: a day's batch that grows, each message once. */
#include "central/department/certificates.h"
#include "central/department/messages.h"
#include "central/ingest/message.h"
#include "central/ingest/subject.h"
#include "protocol/base/json.h"
#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static struct buf ack;
static struct err err;

static void setup(void)
{
	department_open();
	buf_init(&ack, 131072);
	err = (struct err){ 0 };
	CU_ASSERT_TRUE_FATAL(department_import("'cadence':'monthly'", "'cadence':'message'"));
	CU_ASSERT_TRUE_FATAL(db_exec(department->db,
				     "INSERT INTO department_certificate (name, department, token_hash, made_s,"
				     " expires_s, serial, enrolled_s, revoked_s) VALUES"
				     " ('dept.tax.1', 'tax', x'00', 1, 2, 'ab', 1, 0),"
				     " ('dept.court.1', 'court', x'01', 1, 2, 'ab', 1, 0)",
				     &err));
}

static void teardown(void)
{
	buf_clear(&ack);
	department_close();
}

static void row_add(struct buf *rows, unsigned i, const char *month, const char *revenue)
{
	char code[19];
	department_uscc(i, code);
	buf_add_fmt(rows, "{\"uscc\":\"%s\",\"month\":\"%s\",\"revenue\":\"%s\"}\n", code, month, revenue);
}

/* n rows from the first on; the answer is in ack. */
static bool send_rows(const char *id, unsigned first, unsigned n, int64_t now_s)
{
	struct buf rows;
	buf_init(&rows, 1U << 20);
	for (unsigned i = first; i < first + n; i++)
		row_add(&rows, i, "2026-10", "5");
	const struct message_new m = {
		.source = "tax-revenue", .id = id, .sender = "dept.tax.1", .rows = buf_bytes(&rows)
	};
	buf_reset(&ack);
	err = (struct err){ 0 };
	bool ok = message_take(department, &m, now_s, &ack, &err);
	buf_clear(&rows);
	return ok;
}

static bool send_text(const char *id, const char *text)
{
	const struct message_new m = {
		.source = "tax-revenue", .id = id, .sender = "dept.tax.1", .rows = bytes_of(text)
	};
	buf_reset(&ack);
	err = (struct err){ 0 };
	return message_take(department, &m, CENTRE_NOW_S, &ack, &err);
}

static int64_t answered(const char *key)
{
	struct json *j = json_parse(buf_bytes(&ack), NULL);
	int64_t v = -1;
	CU_ASSERT_TRUE(j != NULL && json_int(j, key, 0, INT64_MAX, &v, NULL));
	json_free(j);
	return v;
}

static bool says(const char *what)
{
	bool there = strstr(buf_str(&ack), what) != NULL;
	if (!there)
		printf("\n    not said: %s\n    %s", what, buf_str(&ack));
	return there;
}

static void records_count(void *arg, const struct subject_record *r)
{
	(void)r;
	++*(int *)arg;
}

static int records_of(unsigned i)
{
	struct subject_group g;
	struct identifier id;
	char code[19];
	int n = 0;
	bool more = false;
	department_uscc(i, code);
	CU_ASSERT_TRUE(identifier_parse(IDENTIFIER_USCC, code, 18, CENTRE_NOW_S / DAY_S, &id, NULL, NULL) &&
		       subject_group(department, &id, &g, &err) &&
		       subject_read(department, &g, "test", "alice", CENTRE_NOW_S, records_count, &n, &more, &err));
	return n;
}

static void a_days_messages_are_one_batch_found_by_subject_at_once(void)
{
	CU_ASSERT_TRUE_FATAL(send_rows("a", 1, 3, CENTRE_NOW_S));
	int64_t id = answered("batch");
	CU_ASSERT_EQUAL(answered("accepted"), 3);
	CU_ASSERT_EQUAL(records_of(2), 1);
	CU_ASSERT_TRUE(send_rows("b", 100, 50, CENTRE_NOW_S + 60));
	CU_ASSERT_EQUAL(answered("batch"), id);
	struct batch b = department_batch(id);
	CU_ASSERT_TRUE(b.growing && b.state == BATCH_CURRENT);
	CU_ASSERT_EQUAL(batch_rows(&b), 53);
	CU_ASSERT_STRING_EQUAL(b.created_by, "dept.tax.1");
	for (unsigned i = 100; i < 150; i++)
		CU_ASSERT_EQUAL(records_of(i), 1);
	CU_ASSERT_EQUAL(records_of(3), 1);
	CU_ASSERT_EQUAL(records_of(4), 0);
}

static void a_message_that_comes_again_adds_nothing_and_gets_the_same_answer(void)
{
	char first[512];
	CU_ASSERT_TRUE_FATAL(send_rows("a", 1, 3, CENTRE_NOW_S));
	snprintf(first, sizeof(first), "%s", buf_str(&ack));
	CU_ASSERT_TRUE(send_rows("a", 1, 3, CENTRE_NOW_S + 3 * DAY_S));
	CU_ASSERT_STRING_EQUAL(buf_str(&ack), first);
	CU_ASSERT_FALSE(send_rows("a", 1, 4, CENTRE_NOW_S));
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT SUM(accepted) FROM batch"), 3);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
}

static void a_row_that_is_no_good_comes_back_with_its_place_and_reason(void)
{
	struct buf rows;
	buf_init(&rows, 65536);
	row_add(&rows, 1, "2026-10", "5");
	row_add(&rows, 2, "2026-10", "much");
	buf_add_str(&rows, "no json\n");
	row_add(&rows, 1, "2026-10", "6");
	CU_ASSERT_TRUE_FATAL(send_text("a", buf_str(&rows)));
	CU_ASSERT_EQUAL(answered("accepted"), 1);
	CU_ASSERT_EQUAL(answered("rejected"), 3);
	CU_ASSERT_TRUE(says("\"row\":2,\"column\":\"revenue\",\"code\":\"type-error\"") &&
		       says("\"row\":3,\"column\":\"\",\"code\":\"source-error\"") &&
		       says("\"row\":4,\"column\":\"\",\"code\":\"primary-key\""));
	/* rows count from the message's own first one, and a key of an earlier message is known */
	buf_reset(&rows);
	row_add(&rows, 9, "2026-10", "5");
	row_add(&rows, 1, "2026-10", "7");
	rows.len--; /* the last line may lack its end */
	CU_ASSERT_TRUE(send_text("b", buf_str(&rows)));
	CU_ASSERT_EQUAL(answered("accepted"), 1);
	CU_ASSERT_TRUE(says("\"row\":2,\"column\":\"\",\"code\":\"primary-key\""));
	CU_ASSERT_EQUAL(records_of(1), 1);
	struct batch b = department_batch(answered("batch"));
	CU_ASSERT_FALSE(b.intake.cut);
	CU_ASSERT_EQUAL((int64_t)b.intake.rejected + b.duplicates, 4);
	buf_clear(&rows);
}

static void what_is_no_message_changes_nothing(void)
{
	static char large[MESSAGE_ROWS_MAX + 2];
	static const char *const ids[] = { "", "a/b", "a b", "ä",
					   "0123456789012345678901234567890123456789012345678901234567890123x" };
	memset(large, '\n', sizeof(large) - 1);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		CU_ASSERT_FALSE(send_rows(ids[i], 1, 1, CENTRE_NOW_S));
	CU_ASSERT_FALSE(send_text("a", ""));
	CU_ASSERT_FALSE(send_text("a", large));
	CU_ASSERT_EQUAL(err.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
	CU_ASSERT_TRUE_FATAL(department_import(NULL, NULL)); /* monthly again */
	CU_ASSERT_FALSE(send_rows("a", 1, 1, CENTRE_NOW_S));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "monthly"));
}

static void a_day_is_closed_once_it_is_over_and_only_then_takes_a_file(void)
{
	struct buf file;
	char day[] = "2026-11-24"; /* CENTRE_NOW_S */
	CU_ASSERT_TRUE_FATAL(send_rows("a", 1, 30, CENTRE_NOW_S));
	int64_t first = answered("batch");
	department_file(&file, 1, 30, "2026-11", "");
	CU_ASSERT_EQUAL(department_load(day, buf_bytes(&file)), 0);
	CU_ASSERT_EQUAL(department_err.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(message_close_days(department, CENTRE_NOW_S, &err));
	CU_ASSERT_TRUE(department_batch(first).growing);
	CU_ASSERT_TRUE(send_rows("b", 1, 30, CENTRE_NOW_S + DAY_S));
	int64_t second = answered("batch");
	CU_ASSERT_NOT_EQUAL(second, first);
	CU_ASSERT_FALSE(department_batch(first).growing);
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch_key"), 30);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'batch.closed'"), 1);
	int64_t third = department_load(day, buf_bytes(&file));
	CU_ASSERT_TRUE_FATAL(third != 0);
	/* its content speaks of a month, so it waits for a person; the day counts until then */
	CU_ASSERT_EQUAL(department_batch(third).held, BATCH_HOLD_STALE);
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_CURRENT);
	CU_ASSERT_TRUE(batch_release(department, third, "asked", "alice", CENTRE_NOW_S + DAY_S, &err));
	CU_ASSERT_EQUAL(department_batch(third).state, BATCH_CURRENT);
	CU_ASSERT_EQUAL(department_batch(first).state, BATCH_SUPERSEDED);
	CU_ASSERT_EQUAL(department_batch(second).state, BATCH_CURRENT);
	CU_ASSERT_FALSE(send_rows("c", 1, 1, CENTRE_NOW_S)); /* a clock put back: a file counts */
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
	buf_clear(&file);
}

static void a_file_that_waits_for_the_day_keeps_messages_out_until_it_is_discarded(void)
{
	struct buf file;
	department_file(&file, 1, 30, "2026-10", "");
	int64_t id = department_load("2026-11-24", buf_bytes(&file));
	CU_ASSERT_TRUE_FATAL(id != 0);
	CU_ASSERT_EQUAL(department_batch(id).state, BATCH_HELD);
	CU_ASSERT_FALSE(send_rows("a", 1, 1, CENTRE_NOW_S));
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
	CU_ASSERT_TRUE(batch_discard(department, id, "not meant", "alice", CENTRE_NOW_S, &err));
	CU_ASSERT_TRUE(send_rows("a", 1, 1, CENTRE_NOW_S));
	buf_clear(&file);
}

static void a_topic_says_whose_it_is_and_the_answer_why_not(void)
{
	static const struct {
		const char *topic, *words;
	} cases[] = {
		{ "xb/1/in/dept.court.1/tax-revenue/1", "no source of department court" },
		{ "xb/1/in/dept.tax.2/tax-revenue/1", "not enrolled" },
		{ "xb/1/in/b1/tax-revenue/1", "no department" },
		{ "xb/1/in/dept.tax.1/no-such/1", "no source of department tax" },
	};
	static const char *const others[] = { "xb/1/up/b1/status",
					      "xb/1/in/dept.tax.1/tax-revenue",
					      "xb/1/in/dept.tax.1//1",
					      "xb/1/in/dept.tax.1/tax-revenue/1/2",
					      "xb/1/in///",
					      "xb/1/in/",
					      "xb/1/up/dept.tax.1/status",
					      "" };
	char to[DEPARTMENT_TOPIC_MAX], name[NAME_MAX_LEN + 1];
	const char *what = NULL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&ack);
		CU_ASSERT_TRUE(
			department_message(department, cases[i].topic, bytes_of("{}"), CENTRE_NOW_S, to, &ack));
		CU_ASSERT_TRUE(says(cases[i].words) && says("\"error\":\"denied\"") && says("\"message_zh\""));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CU_ASSERT_FALSE(department_message(department, others[i], bytes_of("{}"), CENTRE_NOW_S, to, &ack));
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 0);
	/* and on a branch's topic nothing of a department's is taken */
	CU_ASSERT_FALSE(topic_up_parse("xb/1/up/dept.tax.1/status", name, &what));
	buf_reset(&ack);
	CU_ASSERT_TRUE(department_message(department, "xb/1/in/dept.tax.1/tax-revenue/m.1", bytes_of("{}"),
					  CENTRE_NOW_S, to, &ack));
	CU_ASSERT_STRING_EQUAL(to, "xb/1/ack/dept.tax.1/tax-revenue/m.1");
	CU_ASSERT_EQUAL(answered("rejected"), 1);
}

static CU_TestInfo tests[] = {
	{ "a day's messages are one batch, found by subject at once",
	  a_days_messages_are_one_batch_found_by_subject_at_once },
	{ "a message that comes again adds nothing and gets the same answer",
	  a_message_that_comes_again_adds_nothing_and_gets_the_same_answer },
	{ "a row that is no good comes back with its place and reason",
	  a_row_that_is_no_good_comes_back_with_its_place_and_reason },
	{ "what is no message changes nothing", what_is_no_message_changes_nothing },
	{ "a day is closed once it is over, and only then takes a file",
	  a_day_is_closed_once_it_is_over_and_only_then_takes_a_file },
	{ "a file that waits for the day keeps messages out until it is discarded",
	  a_file_that_waits_for_the_day_keeps_messages_out_until_it_is_discarded },
	{ "a topic says whose it is, and the answer why not", a_topic_says_whose_it_is_and_the_answer_why_not },
	CU_TEST_INFO_NULL,
};

SUITE(messages_in, setup, teardown, tests);
