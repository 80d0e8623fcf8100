#include "tests/support/accounts.h"

#include "central/ledger/verify.h"
#include "protocol/base/file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void ledger_begin(struct accounts *a)
{
	a->carbon.release = &a->centre.release;
	a->carbon.ledger = ledger_open(a->path, NULL);
	assert(a->carbon.ledger != NULL);
}

void accounts_open(struct accounts *a)
{
	centre_open(&a->centre);
	snprintf(a->path, sizeof(a->path), "%s/ledger.db", a->centre.dir);
	a->carbon = (struct carbon){ .ledger_path = a->path, .operator= "alice", .now_s = CENTRE_NOW_S };
	ledger_begin(a);
	centre_publish_document(&a->centre, "carbon");
}

void accounts_reopen(struct accounts *a)
{
	ledger_close(a->carbon.ledger);
	centre_reopen(&a->centre);
	ledger_begin(a);
}

void accounts_close(struct accounts *a)
{
	struct ledger_verdict v;
	struct ledger_reader *r = ledger_reader_open(a->path, NULL);
	assert(r != NULL);
	bool clean = ledger_verify(r, &v, NULL) && ledger_verdict_is_clean(&v);
	assert(clean);
	ledger_reader_close(r);
	ledger_close(a->carbon.ledger);
	centre_close(&a->centre);
}

const char *accounts_holder(unsigned n)
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	static char ring[8][24];
	static unsigned at;
	char *out = ring[at++ % 8];
	int sum = 0;
	snprintf(out, sizeof(ring[0]), "33080219900101%03u", n % 1000);
	for (int i = 0; i < 17; i++)
		sum += (out[i] - '0') * weights[i];
	out[17] = "10X98765432"[sum % 11];
	out[18] = '\0';
	return out;
}

struct carbon_result accounts_credit(struct accounts *a, const char *holder, const char *activity, int32_t days_ago,
				     const char *reference, int64_t quantity)
{
	struct carbon_report r = { .holder_kind = IDENTIFIER_RESIDENT_ID,
				   .quantity = quantity,
				   .day = ledger_day_of(a->carbon.now_s) - days_ago };
	struct carbon_result out;
	snprintf(r.holder, sizeof(r.holder), "%s", holder);
	snprintf(r.activity, sizeof(r.activity), "%s", activity);
	snprintf(r.reference, sizeof(r.reference), "%s", reference);
	bool ok = carbon_report(&a->carbon, &r, 1, &out, NULL);
	assert(ok);
	return out;
}

void accounts_earn(struct accounts *a, const char *holder, int64_t points, int32_t days_ago)
{
	static unsigned n;
	for (; points > 0; points -= 5) {
		char reference[24];
		snprintf(reference, sizeof(reference), "earned %u", n++);
		struct carbon_result r = accounts_credit(a, holder, "online_bill", days_ago, reference, 1);
		assert(r.points == 5);
	}
}

struct carbon_standing accounts_standing(struct accounts *a, const char *holder)
{
	struct carbon_standing s;
	bool ok = carbon_standing(&a->carbon, IDENTIFIER_RESIDENT_ID, holder, &s, NULL);
	assert(ok);
	return s;
}

void accounts_standard(struct accounts *a, const char *from, const char *to)
{
	struct buf file, bent;
	struct err e = { 0 };
	int64_t id = 0;
	struct release_context *c = &a->centre.release;
	buf_init(&file, 65536);
	buf_init(&bent, 65536);
	bool ok = file_read("central/sample/carbon.json", &file, &e);
	const char *text = buf_str(&file), *at = strstr(text, from);
	assert(ok && at != NULL);
	buf_add(&bent, text, (size_t)(at - text));
	buf_add_str(&bent, to);
	buf_add_str(&bent, at + strlen(from));
	ok = document_draft_import(c, "carbon", "x", buf_bytes(&bent), "alice", CENTRE_NOW_S, &id, &e) &&
	     release_submit(c, id, "alice", true, CENTRE_NOW_S, &e) &&
	     release_approve(c, id, "bob", CENTRE_NOW_S, &e) && release_publish(c, id, "bob", CENTRE_NOW_S, &e);
	if (!ok)
		printf("\n  %s", e.text);
	assert(ok);
	buf_clear(&file);
	buf_clear(&bent);
}
