/* Every line of ledger_cases.tsv, on a real file; after each case the file is opened again and must give the same state. */
#include "central/ledger/ledger.h"
#include "protocol/base/file.h"
#include "protocol/rule.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS  9
#define PENDING 16 /* lines of one batch */

enum field { TIME, WHAT, ID, DEBIT, CREDIT, AMOUNT, REF, MORE, EXPECTED };

struct line {
	char *field[FIELDS];
	int number;
};

static struct ledger *book;
static char path[128];
static unsigned checked;
static struct line batch[PENDING];
static size_t batch_len;

static struct id128 id_of(const char *text)
{
	if (strcmp(text, "-") == 0)
		return (struct id128){ 0, 0 };
	if (text[0] >= 'A' && text[0] <= 'Z')
		return (struct id128){ 0xacc0, (uint64_t)text[0] };
	return (struct id128){ 0, strtoull(text, NULL, 10) };
}

/* The value behind name= in a line's "more"; NULL when it is not there. */
static const char *more(const struct line *l, const char *name)
{
	static char value[32];
	const char *at = strstr(l->field[MORE], name);
	if (at == NULL)
		return NULL;
	at += strlen(name);
	if (*at == '=')
		at++;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, " "), at);
	return value;
}

static uint64_t more_int(const struct line *l, const char *name, uint64_t otherwise)
{
	const char *v = more(l, name);
	return v != NULL ? strtoull(v, NULL, 10) : otherwise;
}

static uint8_t kind_of(const char *word)
{
	static const char *const kinds[] = { "", "single", "pending", "post", "void", "reversal", "expire" };
	for (uint8_t i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], word) == 0)
			return i;
	return 0;
}

static struct ledger_transfer transfer_of(const struct line *l)
{
	uint8_t kind = kind_of(l->field[WHAT]);
	bool fresh = kind == TRANSFER_SINGLE || kind == TRANSFER_PENDING;
	struct ledger_transfer t = { .id = id_of(l->field[ID]),
				     .debit = id_of(l->field[DEBIT]),
				     .credit = id_of(l->field[CREDIT]),
				     .ref = id_of(l->field[REF]),
				     .kind = kind };
	int64_t day = 0;
	t.amount =
		l->field[AMOUNT][0] == '-' && l->field[AMOUNT][1] == '\0' ? 0 : strtoll(l->field[AMOUNT], NULL, 10);
	t.ledger = (uint32_t)more_int(l, "ledger", fresh ? 1 : 0);
	t.code = (uint16_t)more_int(l, "code", fresh ? 1 : 0);
	t.timeout_s = (uint32_t)more_int(l, "timeout", 0);
	t.data.lo = more_int(l, "data", 0);
	if (more(l, "day") != NULL && day_parse(bytes_of(more(l, "day")), &day, NULL)) {
		t.flags |= TRANSFER_EFFECTIVE_GIVEN;
		t.effective_day = (int32_t)day;
	}
	if (more(l, "linked") != NULL || more(l, "open") != NULL)
		t.flags |= TRANSFER_LINKED;
	return t;
}

static void expect(const struct line *l, const char *got)
{
	checked++;
	if (strcmp(l->field[EXPECTED], got) == 0)
		return;
	printf("\n  line %d: expected %s, got %s", l->number, l->field[EXPECTED], got);
	CU_FAIL("a line of the table");
}

static void batch_run(void)
{
	struct ledger_transfer t[PENDING];
	enum ledger_status status[PENDING];
	struct err e = { 0 };
	for (size_t i = 0; i < batch_len; i++)
		t[i] = transfer_of(&batch[i]);
	CU_ASSERT_TRUE_FATAL(
		ledger_transfers(book, strtoll(batch[0].field[TIME], NULL, 10), "alice", t, batch_len, status, &e));
	for (size_t i = 0; i < batch_len; i++)
		expect(&batch[i], ledger_status_name(status[i]));
	batch_len = 0;
}

static void account_run(const struct line *l)
{
	struct ledger_account a = { .id = id_of(l->field[ID]) };
	enum ledger_status status;
	const char *class = more(l, "class");
	if (class != NULL)
		a.class = strcmp(class, "issue") == 0 ? ACCOUNT_ISSUE : strcmp(class, "hold") == 0 ? ACCOUNT_HOLD : 0;
	a.ledger = (uint32_t)more_int(l, "ledger", 1);
	a.code = (uint16_t)more_int(l, "code", 1);
	a.flags = (uint8_t)more_int(l, "flags", 0);
	if (more(l, "name") != NULL)
		snprintf(a.name, sizeof(a.name), "%s", more(l, "name"));
	CU_ASSERT_TRUE_FATAL(ledger_accounts(book, 1, "alice", &a, 1, &status, NULL));
	expect(l, ledger_status_name(status));
}

static void balance_run(const struct line *l)
{
	char got[96];
	struct ledger_sums s = core_account_find(ledger_core(book), id_of(l->field[ID])).sums;
	snprintf(got, sizeof(got), "%lld/%lld/%lld/%lld", (long long)s.debits_posted, (long long)s.debits_pending,
		 (long long)s.credits_posted, (long long)s.credits_pending);
	expect(l, got);
}

static void line_run(const struct line *l)
{
	if (strcmp(l->field[WHAT], "balance") == 0) {
		balance_run(l);
	} else if (strcmp(l->field[WHAT], "account") == 0) {
		account_run(l);
	} else if (strcmp(l->field[WHAT], "time") == 0) {
		CU_ASSERT_TRUE(ledger_expire(book, strtoll(l->field[TIME], NULL, 10), NULL));
		expect(l, "ok");
	} else {
		CU_ASSERT_FATAL(batch_len < PENDING);
		batch[batch_len++] = *l;
		if (more(l, "linked") == NULL && more(l, "batch") == NULL)
			batch_run();
	}
}

static void case_end(void)
{
	uint8_t before[HASH_LEN], after[HASH_LEN];
	struct err e = { 0 };
	if (book == NULL)
		return;
	CU_ASSERT_EQUAL(batch_len, 0);
	core_digest(ledger_core(book), before);
	ledger_close(book);
	book = ledger_open(path, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(book);
	core_digest(ledger_core(book), after);
	CU_ASSERT_EQUAL(memcmp(before, after, HASH_LEN), 0);
	ledger_close(book);
	book = NULL;
}

static void case_begin(void)
{
	static const char names[] = "ABCNPXY";
	struct ledger_account a[sizeof(names) - 1];
	enum ledger_status status[sizeof(names) - 1];
	case_end();
	memset(a, 0, sizeof(a));
	for (size_t i = 0; i < sizeof(names) - 1; i++) {
		a[i].id = id_of((char[]){ names[i], '\0' });
		a[i].class = ACCOUNT_HOLD;
		a[i].ledger = names[i] >= 'X' ? 2 : 1;
		a[i].flags = names[i] == 'N' ? ACCOUNT_NO_OVERDRAFT : names[i] == 'P' ? ACCOUNT_NO_OVERPAY : 0;
	}
	snprintf(path, sizeof(path), "%s/ledger.db", test_dir());
	book = ledger_open(path, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(book);
	CU_ASSERT_TRUE(ledger_accounts(book, 0, "alice", a, sizeof(names) - 1, status, NULL));
}

static void every_line_of_the_table_gets_the_status_it_says(void)
{
	struct buf file;
	int number = 0;
	buf_init(&file, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read("tests/unit/central/ledger_cases.tsv", &file, NULL));
	char *text = strdup(buf_str(&file)), *rest = text;
	buf_clear(&file);
	for (char *row = strsep(&rest, "\n"); row != NULL; row = strsep(&rest, "\n")) {
		struct line l = { .number = ++number };
		size_t n = 0;
		if (row[0] == '#' || row[0] == '\0')
			continue;
		if (strncmp(row, "case\t", 5) == 0) {
			case_begin();
			continue;
		}
		for (char *at = row; n < FIELDS && at != NULL;)
			l.field[n++] = strsep(&at, "\t");
		CU_ASSERT_EQUAL_FATAL(n, FIELDS);
		line_run(&l);
	}
	case_end();
	CU_ASSERT(checked >= 300);
	free(text);
}

static CU_TestInfo tests[] = {
	{ "every line of the table gets the status it says", every_line_of_the_table_gets_the_status_it_says },
	CU_TEST_INFO_NULL,
};
SUITE(ledger_cases, NULL, NULL, tests);
