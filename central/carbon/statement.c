#include "central/carbon/statement.h"

#include "central/carbon/caps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

static const struct {
	const char *zh, *en;
} kinds[STATEMENT_KINDS] = {
	[STATEMENT_EARNED] = { "获得", "earned" },
	[STATEMENT_REDEEMED] = { "兑换", "redeemed" },
	[STATEMENT_EXPIRED] = { "过期", "expired" },
	[STATEMENT_REVERSED] = { "冲正", "reversed" },
};

const char *statement_kind_zh(enum statement_kind k)
{
	return kinds[k].zh;
}

const char *statement_kind_en(enum statement_kind k)
{
	return kinds[k].en;
}

/* Room for one more; lengths double. */
static void *room(void *p, size_t len, size_t size)
{
	p = (len & (len - 1)) != 0 ? p : realloc(p, (len == 0 ? 1 : len * 2) * size);
	if (p == NULL)
		abort();
	return p;
}

/* --- the ledger's rows of his accounts, by their links: nothing of anybody else is read --- */

struct ours {
	struct ledger_row row;
	bool in; /* to his account, not from it */
};
struct gathered {
	struct ours *rows; /* owned; newest first within an account */
	size_t len;
};

static bool rows_gather(struct ledger_reader *r, const struct core_account *a, uint32_t last, struct gathered *g,
			struct err *e)
{
	struct ledger_row row;
	struct ledger_sums all = { 0 };
	for (uint32_t seq = a->number == 0 ? 0 : a->last; seq != 0;) {
		if (!ledger_source_row(ledger_reader_db(r), seq, &row, e))
			return false;
		if (row.debit == a->number)
			ledger_sums_debit(&all, &row, 1);
		else
			ledger_sums_credit(&all, &row, 1);
		if (row.seq <= last) {
			if (g->len == STATEMENT_ROWS_MAX)
				return err_set(e, ERR_FULL, "more than %d rows: no statement is made",
					       STATEMENT_ROWS_MAX);
			g->rows = room(g->rows, g->len, sizeof(*g->rows));
			g->rows[g->len++] = (struct ours){ row, row.credit == a->number };
		}
		seq = row.debit == a->number ? row.prev_debit : row.prev_credit;
		if (seq >= row.seq)
			return err_set(e, ERR_IO, "row %u of the ledger is damaged", row.seq);
	}
	return memcmp(&all, &a->sums, sizeof(all)) == 0 || err_set(e, ERR_IO,
								   "an account's rows are not what the ledger says "
								   "it holds: no statement is made (ledger verify)");
}

static bool moves_points(const struct ledger_row *row)
{
	return row->kind == TRANSFER_SINGLE || row->kind == TRANSFER_POST || row->kind == TRANSFER_REVERSAL;
}

/* --- what expires next, of one account --- */

struct earned_day {
	int32_t day;
	int64_t points;
};

static int day_compare(const void *left, const void *right)
{
	const struct earned_day *a = left, *b = right;
	return (a->day > b->day) - (a->day < b->day);
}

/* spent: with what is held. The first day with something left of it counts, together with other accounts' of that day. */
static void expiring_add(const struct gathered *g, int64_t spent, int64_t valid_days, int64_t *points, int32_t *day)
{
	size_t n = 0;
	struct earned_day *in = calloc(g->len + 1, sizeof(*in));
	if (in == NULL)
		abort();
	for (size_t i = 0; i < g->len; i++)
		if (g->rows[i].in && moves_points(&g->rows[i].row))
			in[n++] = (struct earned_day){ g->rows[i].row.effective_day, g->rows[i].row.amount };
	qsort(in, n, sizeof(*in), day_compare);
	for (size_t i = 0; i < n; i++) {
		int64_t left = spent < in[i].points ? in[i].points - spent : 0;
		int32_t until = in[i].day + (int32_t)valid_days;
		spent -= in[i].points - left;
		if (left == 0 || (*points > 0 && until > *day))
			continue;
		*points = *points > 0 && until == *day ? *points + left : left;
		*day = until;
	}
	free(in);
}

bool statement_expiring(struct carbon *c, const struct carbon_group *g, int64_t valid_days, int64_t *points,
			int32_t *day, struct err *e)
{
	*points = 0;
	*day = 0;
	struct ledger_reader *r = ledger_reader_open(c->ledger_path, e);
	bool ok = r != NULL;
	for (size_t i = 0; ok && i < g->len; i++) {
		struct gathered own = { 0 };
		const struct core_account a = core_account_find(ledger_core(c->ledger), g->accounts[i]);
		ok = rows_gather(r, &a, UINT32_MAX, &own, e);
		if (ok)
			expiring_add(&own, a.sums.debits_posted + a.sums.debits_pending, valid_days, points, day);
		free(own.rows);
	}
	ledger_reader_close(r);
	return ok;
}

/* --- activities --- */

static void activity_name(const struct carbon_rules *rules, struct statement_activity *a)
{
	for (size_t i = 0; i < rules->activities_len; i++) {
		const struct carbon_activity *of = &rules->activities[i];
		if (carbon_activity_mark(of->code) != a->mark)
			continue;
		snprintf(a->code, sizeof(a->code), "%s", of->code);
		snprintf(a->zh, sizeof(a->zh), "%s", of->zh);
		snprintf(a->en, sizeof(a->en), "%s", of->en);
	}
}

/* Those the standard has no longer are one together, and so are those behind the limit. */
static size_t activity_of(struct statement *s, const struct carbon_rules *rules, uint32_t mark)
{
	struct statement_activity fresh = { .mark = mark };
	activity_name(rules, &fresh);
	fresh.mark = fresh.code[0] != '\0' ? mark : 0;
	for (size_t i = 0; i < s->activities_len; i++)
		if (s->activities[i].mark == fresh.mark)
			return i;
	s->activities[s->activities_len] = fresh; /* the standard has at most CARBON_ACTIVITIES_MAX */
	return s->activities_len++;
}

static int activity_compare(const void *left, const void *right)
{
	const struct statement_activity *a = left, *b = right;
	if (a->points != b->points)
		return a->points > b->points ? -1 : 1;
	return strcmp(a->code, b->code);
}

/* Most points first; rows follow. */
static void activities_sort(struct statement *s)
{
	uint32_t before[CARBON_ACTIVITIES_MAX + 1];
	for (size_t i = 0; i < s->activities_len; i++)
		before[i] = s->activities[i].mark;
	qsort(s->activities, s->activities_len, sizeof(*s->activities), activity_compare);
	for (size_t i = 0; i < s->len; i++) {
		if (s->rows[i].kind != STATEMENT_EARNED)
			continue;
		size_t at = 0;
		while (s->activities[at].mark != before[s->rows[i].what])
			at++;
		s->rows[i].what = at;
	}
}

/* --- what was bought, as it stood then --- */

/* What a transfer that holds points is called, and whose it is. */
struct statement_hold {
	struct id128 id;
	size_t what; /* index in bought */
};

struct bought {
	struct statement *s;
	int64_t before_s;
	bool full;
};

static void bought_add(void *arg, const struct carbon_redemption *r)
{
	struct bought *b = arg;
	struct statement *s = b->s;
	if (r->made_s >= b->before_s)
		return;
	b->full = b->full || s->bought_len == STATEMENT_BOUGHT_MAX;
	if (b->full)
		return;
	s->bought = room(s->bought, s->bought_len, sizeof(*s->bought));
	s->bought[s->bought_len++] = *r;
}

static int bought_compare(const void *left, const void *right)
{
	const struct carbon_redemption *a = left, *b = right;
	if (a->made_s != b->made_s)
		return a->made_s < b->made_s ? -1 : 1;
	return strcmp(a->request, b->request);
}

static bool holds_name(struct carbon *c, struct statement *s, size_t what, struct err *e)
{
	struct ledger_row held;
	for (size_t n = 0; n < CARBON_GROUP_MAX; n++) {
		struct id128 id = carbon_hold_id(s->bought[what].request, n);
		if (!core_transfer_find(ledger_core(c->ledger), id, &held, e))
			return false;
		if (held.seq == 0)
			break;
		s->holds = room(s->holds, s->holds_len, sizeof(*s->holds));
		s->holds[s->holds_len++] = (struct statement_hold){ id, what };
	}
	return true;
}

static bool bought_load(struct carbon *c, const struct carbon_group *g, int64_t before_s, struct statement *s,
			struct err *e)
{
	struct bought b = { s, before_s, false };
	if (!carbon_buy_each(c, g, STATEMENT_BOUGHT_MAX + 1, bought_add, &b, e))
		return false;
	if (b.full)
		return err_set(e, ERR_FULL, "more than %d redemptions: no statement is made", STATEMENT_BOUGHT_MAX);
	if (s->bought_len > 0)
		qsort(s->bought, s->bought_len, sizeof(*s->bought), bought_compare);
	bool ok = true;
	for (size_t i = 0; ok && i < s->bought_len; i++) {
		s->bought[i].state = CARBON_NONE;
		s->bought[i].posted_points = s->bought[i].posted_quantity = 0;
		ok = holds_name(c, s, i, e);
	}
	return ok;
}

/* Whose points a row holds; bought_len: of one from before kinds, or nobody's. */
static size_t bought_of(const struct statement *s, struct id128 hold)
{
	for (size_t i = 0; i < s->holds_len; i++)
		if (id128_same(s->holds[i].id, hold))
			return s->holds[i].what;
	return s->bought_len;
}

static const struct ledger_row *row_at(const struct gathered *g, uint32_t seq)
{
	for (size_t i = 0; i < g->len; i++)
		if (g->rows[i].row.seq == seq)
			return &g->rows[i].row;
	return NULL;
}

/* Parts end together; one that a smaller posting left out was voided with it. */
static void state_take(struct carbon_redemption *r, enum carbon_state state)
{
	if (r->state == CARBON_NONE || r->state == CARBON_VOIDED || state == CARBON_POSTED)
		r->state = state;
}

/* A hold: how it has ended by then. */
static void hold_take(struct statement *s, const struct gathered *g, const struct ledger_row *hold)
{
	size_t what = bought_of(s, hold->id);
	enum carbon_state state = CARBON_PENDING;
	if (what == s->bought_len)
		return;
	struct carbon_redemption *r = &s->bought[what];
	for (size_t i = 0; i < g->len; i++) {
		const struct ledger_row *end = &g->rows[i].row;
		if (end->kind == TRANSFER_REVERSAL) {
			const struct ledger_row *post = row_at(g, end->ref);
			if (post != NULL && post->kind == TRANSFER_POST && post->ref == hold->seq) {
				state = CARBON_REVERSED;
				r->posted_points -= end->amount;
			}
		}
		if (end->ref != hold->seq)
			continue;
		if (end->kind == TRANSFER_POST) {
			state = state == CARBON_REVERSED ? state : CARBON_POSTED;
			r->posted_points += end->amount;
		}
		state = end->kind == TRANSFER_VOID     ? CARBON_VOIDED
			: end->kind == TRANSFER_EXPIRE ? CARBON_LAPSED
						       : state;
	}
	state_take(r, state);
	r->posted_quantity = r->posted_points / r->price * r->per;
}

/* --- rows --- */

static enum statement_kind kind_of(const struct ledger_row *row)
{
	if (row->kind == TRANSFER_REVERSAL)
		return STATEMENT_REVERSED;
	return row->code == CARBON_EARN     ? STATEMENT_EARNED
	       : row->code == CARBON_EXPIRE ? STATEMENT_EXPIRED
					    : STATEMENT_REDEEMED;
}

/* What moved points; holds and their ends without posting move none. */
static void row_take(struct statement *s, const struct carbon_rules *rules, const struct gathered *g,
		     const struct ours *own)
{
	const struct ledger_row *row = &own->row;
	struct statement_row *out = &s->rows[s->len++];
	*out = (struct statement_row){ .seq = row->seq,
				       .day = row->effective_day,
				       .kind = kind_of(row),
				       .what = s->bought_len,
				       .points = own->in ? row->amount : -row->amount };
	s->totals[out->kind] += out->points;
	if (out->kind == STATEMENT_REDEEMED) {
		const struct ledger_row *hold = row_at(g, row->ref);
		out->what = hold != NULL ? bought_of(s, hold->id) : s->bought_len;
	}
	if (out->kind != STATEMENT_EARNED)
		return;
	out->what = activity_of(s, rules, (uint32_t)(row->data.hi >> 32));
	out->rules_version = (int64_t)(uint32_t)row->data.hi;
	out->quantity = (int64_t)row->data.lo;
	s->activities[out->what].points += out->points;
	s->activities[out->what].times++;
}

static void rows_take(struct statement *s, const struct carbon_rules *rules, const struct gathered *g)
{
	s->rows = realloc(s->rows, (s->len + g->len + 1) * sizeof(*s->rows));
	if (s->rows == NULL)
		abort();
	for (size_t i = 0; i < g->len; i++) {
		if (moves_points(&g->rows[i].row))
			row_take(s, rules, g, &g->rows[i]);
		else if (g->rows[i].row.kind == TRANSFER_PENDING)
			hold_take(s, g, &g->rows[i].row);
	}
}

static int row_compare(const void *left, const void *right)
{
	const struct statement_row *a = left, *b = right;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* The rows against what the ledger says, which adds them up by itself. */
static bool totals_check(struct statement *s, int64_t ledger, struct err *e)
{
	int64_t balance = 0, totals = 0;
	if (s->len > 0)
		qsort(s->rows, s->len, sizeof(*s->rows), row_compare);
	for (size_t i = 0; i < s->len; i++) {
		balance += s->rows[i].points;
		s->rows[i].balance = balance;
	}
	for (size_t k = 0; k < STATEMENT_KINDS; k++)
		totals += s->totals[k];
	s->balance = balance;
	return (balance == ledger && totals == ledger) ||
	       err_set(e, ERR_IO, "the rows add up to %lld and the ledger says %lld: no statement is made",
		       (long long)balance, (long long)ledger);
}

/* --- the whole --- */

static bool account_take(struct carbon *c, struct ledger_reader *r, struct id128 id, int64_t before_s,
			 const struct carbon_rules *rules, struct statement *s, int64_t *ledger, struct err *e)
{
	const struct ledger_as_of at = { INT32_MAX, before_s - 1 };
	const struct core_account a = core_account_find(ledger_core(c->ledger), id);
	struct gathered own = { 0 };
	struct ledger_sums sums;
	uint32_t last;
	if (a.number == 0)
		return true;
	bool ok = ledger_reader_known(r, at.known_s, &last, e) && ledger_reader_balance(r, a.number, &at, &sums, e) &&
		  rows_gather(r, &a, last, &own, e);
	if (ok && own.len > 0) {
		s->accounts++;
		*ledger += sums.credits_posted - sums.debits_posted;
		s->pending += sums.debits_pending;
		expiring_add(&own, sums.debits_posted + sums.debits_pending, rules->valid_days, &s->expiring,
			     &s->expires_day);
		rows_take(s, rules, &own);
		ok = s->len <= STATEMENT_ROWS_MAX ||
		     err_set(e, ERR_FULL, "more than %d rows: no statement is made", STATEMENT_ROWS_MAX);
	}
	free(own.rows);
	return ok;
}

static bool statement_fill(struct carbon *c, const struct carbon_group *g, int64_t before_s,
			   const struct carbon_rules *rules, struct statement *s, struct err *e)
{
	int64_t ledger = 0;
	struct ledger_reader *r = ledger_reader_open(c->ledger_path, e);
	bool ok = r != NULL && bought_load(c, g, before_s, s, e);
	for (size_t i = 0; ok && i < g->len; i++)
		ok = account_take(c, r, g->accounts[i], before_s, rules, s, &ledger, e);
	ledger_reader_close(r);
	if (!ok || !totals_check(s, ledger, e))
		return false;
	activities_sort(s);
	s->rules_version = rules->version;
	s->level = *carbon_rules_level(rules, s->balance);
	return true;
}

struct statement *statement_load(struct carbon *c, enum identifier_kind kind, const char *holder, int32_t day,
				 struct err *e)
{
	struct carbon_group g;
	int64_t before_s = ((int64_t)day + 1) * DAY_S - CHINA_S;
	struct statement *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->day = day;
	bool ok = day <= ledger_day_of(c->now_s) || err_set(e, ERR_INPUT, "as_of: a day that is still to come");
	ok = ok && ledger_expire(c->ledger, c->now_s, e) && carbon_group_at(c, kind, holder, before_s, &g, e);
	struct carbon_rules *rules = ok ? carbon_rules_at(c, before_s, e) : NULL;
	ok = rules != NULL && statement_fill(c, &g, before_s, rules, s, e);
	free(rules);
	if (ok)
		return s;
	statement_free(s);
	return NULL;
}

void statement_free(struct statement *s)
{
	if (s == NULL)
		return;
	free(s->rows);
	free(s->bought);
	free(s->holds);
	free(s);
}
