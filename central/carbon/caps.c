#include "central/carbon/caps.h"

#include "central/carbon/group.h"
#include "central/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S     86400
#define CHINA_S   28800
#define DAYS_MEMO 64

/* Points of one person and day: of one activity, or (mark 0) of all. */
struct earned {
	struct id128 person; /* zero: free */
	int32_t day;
	uint32_t mark;
	bool loaded; /* with what the ledger has; before that this batch's own alone */
	int64_t points;
};

struct caps {
	struct carbon *c;
	const struct carbon_rules *rules;
	struct ledger_reader *reader; /* opened by the first who comes near a cap */
	bool capped, aliases;         /* aliases: somebody has more than one account */
	struct {
		int32_t day;
		uint32_t before; /* the last row known before that day began */
		bool there;
	} days[DAYS_MEMO];
	struct id128 *noted; /* owned; as many slots */
	size_t slots;        /* a power of two, above two a report */
	struct earned earned[];
};

uint32_t carbon_activity_mark(const char *code)
{
	uint8_t h[HASH_LEN];
	sha256(bytes_of(code), h);
	uint32_t mark = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
	return mark == 0 ? 1 : mark;
}

struct caps *caps_new(struct carbon *c, const struct carbon_rules *rules, size_t reports, struct err *e)
{
	int64_t n = 0;
	size_t slots = 4;
	while (slots < 4 * reports)
		slots *= 2;
	struct caps *x = calloc(1, sizeof(*x) + slots * sizeof(x->earned[0]));
	if (x == NULL)
		abort();
	x->slots = slots;
	x->noted = calloc(slots, sizeof(*x->noted));
	if (x->noted == NULL)
		abort();
	x->c = c;
	x->rules = rules;
	x->capped = carbon_rules_capped(rules);
	if (!x->capped)
		return x;
	if (db_run_int(c->release->db, &n, e,
		       "SELECT (SELECT COUNT(*) FROM carbon_alias WHERE ended_s = 0) +"
		       " (SELECT COUNT(*) FROM subject_alias WHERE ended_s IS NULL)",
		       "")) {
		x->aliases = n > 0;
		return x;
	}
	caps_free(x);
	return NULL;
}

void caps_free(struct caps *x)
{
	if (x == NULL)
		return;
	ledger_reader_close(x->reader);
	free(x->noted);
	free(x);
}

static size_t noted_slot(const struct caps *x, struct id128 activity)
{
	size_t at = activity.lo % x->slots;
	while (!id128_is_zero(x->noted[at]) && !id128_same(x->noted[at], activity))
		at = (at + 1) % x->slots;
	return at;
}

void caps_note(struct caps *x, struct id128 activity)
{
	x->noted[noted_slot(x, activity)] = activity;
}

bool caps_noted(const struct caps *x, struct id128 activity)
{
	return !id128_is_zero(x->noted[noted_slot(x, activity)]);
}

/* Rows up to this one were known before the day began, so none of them is of it: nothing is credited for a day to come. */
static bool before_day(struct caps *x, int32_t day, uint32_t *before, struct err *e)
{
	size_t at = (uint32_t)day % DAYS_MEMO;
	if (!x->days[at].there || x->days[at].day != day) {
		if (!ledger_reader_known(x->reader, (int64_t)day * DAY_S - CHINA_S - 1, before, e))
			return false;
		x->days[at].there = true;
		x->days[at].day = day;
		x->days[at].before = *before;
	}
	*before = x->days[at].before;
	return true;
}

static bool account_add(struct caps *x, struct id128 id, struct earned *n, struct err *e)
{
	const struct ledger_core *core = ledger_core(x->c->ledger);
	const struct core_account a = core_account_find(core, id);
	uint32_t before;
	struct ledger_row row;
	if (!before_day(x, n->day, &before, e))
		return false;
	for (uint32_t seq = a.number == 0 ? 0 : a.last; seq > before;) {
		if (!ledger_source_row(ledger_reader_db(x->reader), seq, &row, e))
			return false;
		bool is_earned = row.credit == a.number && row.kind == TRANSFER_SINGLE && row.code == CARBON_EARN &&
				 row.effective_day == n->day && !core_is_reversed(core, seq);
		if (is_earned && (n->mark == 0 || (uint32_t)(row.data.hi >> 32) == n->mark))
			n->points += row.amount;
		seq = row.debit == a.number ? row.prev_debit : row.prev_credit;
	}
	return true;
}

static bool earned_load(struct caps *x, const struct carbon_group *g, struct earned *n, struct err *e)
{
	if (x->reader == NULL && (x->reader = ledger_reader_open(x->c->ledger_path, e)) == NULL)
		return false;
	for (size_t i = 0; i < g->len; i++)
		if (!account_add(x, g->accounts[i], n, e))
			return false;
	return true;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct earned *earned_of(struct caps *x, const struct carbon_group *g, int32_t day, uint32_t mark)
{
	uint64_t at = (g->accounts[0].lo ^ (uint64_t)day * 0x9e3779b97f4a7c15U ^ mark) % x->slots;
	for (; !id128_is_zero(x->earned[at].person); at = (at + 1) % x->slots) {
		struct earned *n = &x->earned[at];
		if (id128_same(n->person, g->accounts[0]) && n->day == day && n->mark == mark)
			return n;
	}
	struct earned fresh = { g->accounts[0], day, mark, false, 0 };
	x->earned[at] = fresh;
	return &x->earned[at];
}

/* All that ever came to the person's accounts is at least what came for one day: far from the cap nothing is read. */
static int64_t credited(const struct caps *x, const struct carbon_group *g)
{
	int64_t sum = 0;
	for (size_t i = 0; i < g->len; i++)
		sum += core_account_find(ledger_core(x->c->ledger), g->accounts[i]).sums.credits_posted;
	return sum;
}

/* Lowers points to what this cap leaves. */
static bool cap_look(struct caps *x, const struct carbon_group *g, struct earned *n, int64_t most, int64_t *points,
		     struct err *e)
{
	if (!n->loaded && credited(x, g) + n->points + *points > most) {
		if (!earned_load(x, g, n, e))
			return false;
		n->loaded = true;
	}
	*points = least(*points, most - n->points);
	return true;
}

bool caps_take(struct caps *x, const struct carbon_report *r, struct id128 account, int64_t *points, struct err *e)
{
	struct carbon_group g = { 1, { account } };
	struct earned *all = NULL, *kind = NULL;
	if (!x->capped)
		return true;
	const struct carbon_activity *a = carbon_rules_activity(x->rules, r->activity);
	assert(a != NULL);
	if (x->aliases && !carbon_group_load(x->c, r->holder_kind, r->holder, &g, e))
		return false;
	if (a->daily_most != INT64_MAX) {
		kind = earned_of(x, &g, r->day, carbon_activity_mark(a->code));
		if (!cap_look(x, &g, kind, a->daily_most, points, e))
			return false;
	}
	if (x->rules->daily_most != INT64_MAX) {
		all = earned_of(x, &g, r->day, 0);
		if (!cap_look(x, &g, all, x->rules->daily_most, points, e))
			return false;
	}
	if (*points <= 0)
		return err_set(e, ERR_FULL, "当日积分已达上限 / what one day can earn is reached");
	if (kind != NULL)
		kind->points += *points;
	if (all != NULL)
		all->points += *points;
	return true;
}
