#include "central/ledger/daily.h"

#include <string.h>

#define CONTEXT "xb/1/ledger-head"
#define VERSION 1

/* --- sums --- */

struct sum {
	uint32_t ledger;
	int128 net[ACCOUNT_RETIRE + 1], pending;
};

struct sums {
	struct sum at[DAILY_LEDGERS_MAX + 1];
	size_t len;
};

int64_t daily_clamp(int128 sum)
{
	if (sum > INT64_MAX)
		return INT64_MAX;
	return sum < INT64_MIN ? INT64_MIN : (int64_t)sum;
}

/* NULL: there are enough of lower numbers. One that falls out for a lower one never comes back. */
static struct sum *sum_of(struct sums *s, uint32_t ledger)
{
	size_t at = 0;
	while (at < s->len && s->at[at].ledger < ledger)
		at++;
	if (at < s->len && s->at[at].ledger == ledger)
		return &s->at[at];
	if (at == DAILY_LEDGERS_MAX)
		return NULL;
	memmove(&s->at[at + 1], &s->at[at], (s->len - at) * sizeof(s->at[0]));
	memset(&s->at[at], 0, sizeof(s->at[at]));
	s->at[at].ledger = ledger;
	if (s->len < DAILY_LEDGERS_MAX)
		s->len++;
	return &s->at[at];
}

void daily_fill(const struct ledger_core *c, int64_t now_s, struct daily_head *out)
{
	static struct sums s;
	s.len = 0;
	memset(out, 0, sizeof(*out));
	out->day = ledger_day_of(now_s);
	out->time_s = now_s;
	out->accounts = core_accounts_len(c);
	out->rows = core_rows_len(c);
	for (uint32_t i = 1; i <= out->accounts; i++) {
		const struct core_account a = core_account_at(c, i);
		struct sum *sum = sum_of(&s, a.ledger);
		if (sum == NULL)
			continue;
		int128 net = (int128)a.sums.debits_posted - a.sums.credits_posted;
		sum->net[a.class] += a.class == ACCOUNT_ISSUE ? net : -net;
		sum->pending += a.sums.debits_pending;
	}
	out->sums_len = s.len;
	for (size_t i = 0; i < s.len; i++)
		out->sums[i] =
			(struct daily_sums){ s.at[i].ledger, daily_clamp(s.at[i].net[ACCOUNT_ISSUE]),
					     daily_clamp(s.at[i].net[ACCOUNT_HOLD]),
					     daily_clamp(s.at[i].net[ACCOUNT_RETIRE]), daily_clamp(s.at[i].pending) };
}

bool daily_same(const struct daily_head *a, const struct daily_head *b)
{
	bool same = a->day == b->day && a->time_s == b->time_s && a->batches == b->batches &&
		    memcmp(a->hash, b->hash, HASH_LEN) == 0 && a->accounts == b->accounts && a->rows == b->rows &&
		    a->sums_len == b->sums_len;
	for (size_t i = 0; same && i < a->sums_len; i++) {
		const struct daily_sums *x = &a->sums[i], *y = &b->sums[i];
		same = x->ledger == y->ledger && x->issued == y->issued && x->held == y->held &&
		       x->retired == y->retired && x->pending == y->pending;
	}
	return same;
}

/* --- bytes --- */

bool daily_encode(const struct daily_head *h, struct buf *out, struct err *e)
{
	cbor_put_array(out, 8);
	cbor_put_uint(out, VERSION);
	cbor_put_int(out, h->day);
	cbor_put_int(out, h->time_s);
	cbor_put_uint(out, h->batches);
	cbor_put_bytes(out, (struct bytes){ h->hash, HASH_LEN });
	cbor_put_uint(out, h->accounts);
	cbor_put_uint(out, h->rows);
	cbor_put_array(out, h->sums_len);
	for (size_t i = 0; i < h->sums_len; i++) {
		const struct daily_sums *s = &h->sums[i];
		cbor_put_array(out, 5);
		cbor_put_uint(out, s->ledger);
		cbor_put_int(out, s->issued);
		cbor_put_int(out, s->held);
		cbor_put_int(out, s->retired);
		cbor_put_int(out, s->pending);
	}
	return buf_ok(out, "a day's head of the ledger", e);
}

static bool sums_decode(struct cbor *c, struct daily_head *h, struct err *e)
{
	if (!cbor_get_array(c, DAILY_LEDGERS_MAX, &h->sums_len, e))
		return false;
	for (size_t i = 0; i < h->sums_len; i++) {
		struct daily_sums *s = &h->sums[i];
		uint64_t ledger;
		if (!cbor_expect_array(c, 5, e) || !cbor_get_uint_max(c, UINT32_MAX, &ledger, e) ||
		    !cbor_get_int(c, &s->issued, e) || !cbor_get_int(c, &s->held, e) ||
		    !cbor_get_int(c, &s->retired, e) || !cbor_get_int(c, &s->pending, e))
			return false;
		if (i > 0 && ledger <= h->sums[i - 1].ledger)
			return err_set(e, ERR_INPUT, "the sums of a day's head are not in the order of ledgers");
		s->ledger = (uint32_t)ledger;
	}
	return true;
}

static bool numbers_decode(struct cbor *c, struct daily_head *h, struct err *e)
{
	uint64_t accounts = 0, rows = 0;
	int64_t day = 0;
	bool ok = cbor_get_int(c, &day, e) && cbor_get_int(c, &h->time_s, e) && cbor_get_uint(c, &h->batches, e) &&
		  cbor_get_bytes_exact(c, h->hash, HASH_LEN, e) && cbor_get_uint_max(c, UINT32_MAX, &accounts, e) &&
		  cbor_get_uint_max(c, UINT32_MAX, &rows, e);
	if (!ok)
		return false;
	h->accounts = (uint32_t)accounts;
	h->rows = (uint32_t)rows;
	if (h->time_s < -1000000000000 || h->time_s > 1000000000000 || day != ledger_day_of(h->time_s) ||
	    h->batches == 0)
		return err_set(e, ERR_INPUT, "its day is not its time's, or it is of no batch");
	h->day = (int32_t)day;
	return true;
}

bool daily_decode(struct bytes payload, struct daily_head *h, struct err *e)
{
	struct cbor c = cbor_over(payload);
	uint64_t version;
	memset(h, 0, sizeof(*h));
	if (!cbor_expect_array(&c, 8, e) || !cbor_get_uint(&c, &version, e))
		return err_wrap(e, "a day's head of the ledger");
	if (version != VERSION)
		return err_set(e, ERR_STALE, "a day's head of version %llu: this program knows version %d",
			       (unsigned long long)version, VERSION);
	return (numbers_decode(&c, h, e) && sums_decode(&c, h, e) && cbor_end(&c, e)) ||
	       err_wrap(e, "a day's head of the ledger");
}

bool daily_sign(struct bytes payload, const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN],
		const struct random *r, struct buf *out, struct err *e)
{
	return cose_sign(scalar, point, r, CONTEXT, payload, out, e);
}

bool daily_open(struct bytes message, const uint8_t *point, struct daily_head *h, struct err *e)
{
	struct cose c;
	if (!cose_parse(message, &c, e) || (point != NULL && !cose_verify(&c, point, CONTEXT, e)))
		return err_wrap(e, "a day's head of the ledger");
	return daily_decode(c.payload, h, e);
}
