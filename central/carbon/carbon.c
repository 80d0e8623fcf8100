#include "central/carbon/carbon.h"

#include "central/carbon/caps.h"
#include "central/carbon/group.h"
#include "central/fund/book.h"
#include "central/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct id128 own_account(uint64_t code)
{
	return (struct id128){ 0x636172626f6e0000U, code }; /* "carbon" */
}

static struct bytes word(const char *text, int len)
{
	return (struct bytes){ (const uint8_t *)text, (size_t)len };
}

static struct book book_of(const struct carbon *c)
{
	return (struct book){ c->ledger, c->operator, c->now_s };
}

static struct carbon_rules *rules_read(struct carbon *c, const struct release *of, struct err *e)
{
	struct file_map map;
	if (of->version == 0) {
		(void)err_set(e, ERR_MISSING,
			      "no standard of carbon points was published yet (document import carbon FILE)");
		return NULL;
	}
	if (!objects_map(c->release->objects, of->content.hash, &map, e))
		return NULL;
	struct carbon_rules *r = carbon_rules_decode(map.bytes, e);
	file_unmap(&map);
	if (r != NULL)
		r->version = (int64_t)of->version;
	return r;
}

struct carbon_rules *carbon_rules_current(struct carbon *c, struct err *e)
{
	struct release now;
	return release_current(c->release, "carbon", &now, e) ? rules_read(c, &now, e) : NULL;
}

struct carbon_rules *carbon_rules_at(struct carbon *c, int64_t at_s, struct err *e)
{
	struct release then = { 0 };
	int64_t id = 0;
	if (!db_run_int(c->release->db, &id, e,
			"SELECT COALESCE((SELECT id FROM release WHERE name = 'carbon' AND state = ? AND published_s "
			"< ? ORDER BY version DESC LIMIT 1), 0)",
			"ii", (int64_t)RELEASE_PUBLISHED, at_s) ||
	    (id != 0 && !release_load(c->release, id, &then, e)))
		return NULL;
	return rules_read(c, &then, e);
}

struct id128 carbon_account(const uint8_t holder[HASH_LEN])
{
	return book_id("carbon/subject", (struct bytes){ holder, HASH_LEN }, "");
}

/* --- accounts --- */

static bool own_accounts_make(struct carbon *c, struct err *e)
{
	const struct ledger_account own[] = {
		{ own_account(CARBON_ISSUED), CARBON_LEDGER, CARBON_ISSUED, ACCOUNT_ISSUE, 0, "碳积分 发放 issued" },
		{ own_account(CARBON_REDEEMED), CARBON_LEDGER, CARBON_REDEEMED, ACCOUNT_RETIRE, 0,
		  "碳积分 兑换 redeemed" },
		{ own_account(CARBON_EXPIRED), CARBON_LEDGER, CARBON_EXPIRED, ACCOUNT_RETIRE, 0,
		  "碳积分 过期 expired" },
	};
	const struct book b = book_of(c);
	return book_accounts(&b, own, 3, e);
}

/* --- reports --- */

struct reports {
	struct ledger_transfer t[LEDGER_BATCH_MAX];
	struct ledger_account fresh[LEDGER_BATCH_MAX];
	enum ledger_status status[LEDGER_BATCH_MAX];
	uint32_t of[LEDGER_BATCH_MAX]; /* which report */
	size_t len, fresh_len;
};

/* The transfer it makes; false and why when it earns nothing. */
static bool report_value(struct carbon *c, const struct carbon_rules *rules, const struct carbon_report *r,
			 struct ledger_transfer *t, struct err *e)
{
	uint8_t holder[HASH_LEN];
	char what[NAME_MAX_LEN + 16];
	int32_t today = ledger_day_of(c->now_s);
	if (r->day > today)
		return err_set(e, ERR_INPUT, "occurred: that day has not come yet");
	if (today - r->day >= rules->valid_days)
		return err_set(e, ERR_STALE, "occurred: points of that day have expired");
	if (r->reference[0] == '\0')
		return err_set(e, ERR_INPUT, "reference: it is empty");
	registry_holder_hash(c->release->vault_key, r->holder_kind, r->holder, holder);
	int len = snprintf(what, sizeof(what), "%s/%d", r->activity, r->day);
	*t = (struct ledger_transfer){ .id = book_id("carbon/activity", word(what, len), r->reference),
				       .debit = own_account(CARBON_ISSUED),
				       .credit = carbon_account(holder),
				       .data = { (uint64_t)rules->version |
							 (uint64_t)carbon_activity_mark(r->activity) << 32,
						 (uint64_t)r->quantity },
				       .effective_day = r->day,
				       .ledger = CARBON_LEDGER,
				       .code = CARBON_EARN,
				       .kind = TRANSFER_SINGLE,
				       .flags = TRANSFER_EFFECTIVE_GIVEN };
	return carbon_rules_points(rules, r->activity, r->quantity, r->day, &t->amount, e);
}

/* Somebody reported it before, or an earlier report of this batch did: that is a repeat, and counts for no cap. */
static bool is_repeat(struct carbon *c, const struct caps *caps, const struct ledger_transfer *t, bool *repeat,
		      struct err *e)
{
	struct ledger_row was;
	*repeat = caps_noted(caps, t->id);
	if (*repeat)
		return true;
	bool ok = core_transfer_find(ledger_core(c->ledger), t->id, &was, e);
	*repeat = ok && was.seq != 0;
	return ok;
}

static bool report_judge(struct carbon *c, const struct carbon_rules *rules, struct caps *caps,
			 const struct carbon_report *r, struct carbon_result *out, struct reports *w, struct err *e)
{
	struct ledger_transfer *t = &w->t[w->len];
	bool repeat = false;
	*out = (struct carbon_result){ .outcome = CARBON_REFUSED };
	if (!report_value(c, rules, r, t, &out->why))
		return true;
	if (carbon_rules_capped(rules) && !is_repeat(c, caps, t, &repeat, e))
		return false;
	if (!repeat && !caps_take(caps, r, t->credit, &t->amount, &out->why))
		return out->why.code == ERR_FULL || err_set(e, out->why.code, "%s", out->why.text);
	if (core_account_find(ledger_core(c->ledger), t->credit).number == 0)
		w->fresh[w->fresh_len++] =
			(struct ledger_account){ t->credit,    CARBON_LEDGER,        CARBON_SUBJECT,
						 ACCOUNT_HOLD, ACCOUNT_NO_OVERDRAFT, "" };
	caps_note(caps, t->id);
	w->len++;
	return true;
}

static bool reports_judge(struct carbon *c, const struct carbon_rules *rules, const struct carbon_report *r, size_t n,
			  struct carbon_result *out, struct reports *w, struct err *e)
{
	struct caps *caps = caps_new(c, rules, n, e);
	bool ok = caps != NULL;
	for (size_t i = 0; ok && i < n; i++) {
		w->of[w->len] = (uint32_t)i;
		ok = report_judge(c, rules, caps, &r[i], &out[i], w, e);
	}
	caps_free(caps);
	return ok;
}

static void result_take(struct carbon_result *out, enum ledger_status status, int64_t points)
{
	if (status == LEDGER_OK) {
		out->outcome = CARBON_CREDITED;
		out->points = points;
	} else if (status == LEDGER_EXISTS || (status >= LEDGER_DIFFERENT_KIND && status <= LEDGER_DIFFERENT_NAME)) {
		out->outcome =
			CARBON_REPEATED; /* somebody reported it before, perhaps of another subject or amount */
	} else {
		err_set(&out->why, ERR_CONFLICT, "%s", ledger_status_name(status));
	}
}

bool carbon_report(struct carbon *c, const struct carbon_report *r, size_t n, struct carbon_result *out,
		   struct err *e)
{
	if (n > LEDGER_BATCH_MAX)
		return err_set(e, ERR_INPUT, "at most %d reports at once", LEDGER_BATCH_MAX);
	struct carbon_rules *rules = carbon_rules_current(c, e);
	if (rules == NULL)
		return false;
	struct reports *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	const struct book b = book_of(c);
	bool ok = own_accounts_make(c, e) && reports_judge(c, rules, r, n, out, w, e);
	ok = ok && (w->fresh_len == 0 || book_accounts(&b, w->fresh, w->fresh_len, e)) &&
	     (w->len == 0 || ledger_transfers(c->ledger, c->now_s, c->operator, w->t, w->len, w->status, e));
	for (size_t i = 0; ok && i < w->len; i++)
		result_take(&out[w->of[i]], w->status[i], w->t[i].amount);
	free(w);
	free(rules);
	return ok;
}

/* --- standing --- */

bool carbon_standing(struct carbon *c, enum identifier_kind kind, const char *holder, struct carbon_standing *out,
		     struct err *e)
{
	struct carbon_group g;
	*out = (struct carbon_standing){ 0 };
	struct carbon_rules *rules = carbon_rules_current(c, e);
	if (rules == NULL)
		return false;
	const struct book b = book_of(c);
	bool ok = ledger_expire(c->ledger, c->now_s, e) && carbon_group_load(c, kind, holder, &g, e);
	for (size_t i = 0; ok && i < g.len; i++) {
		const struct core_account a = core_account_find(ledger_core(c->ledger), g.accounts[i]);
		out->points += book_free(&b, g.accounts[i]);
		out->pending += a.sums.debits_pending;
		out->accounts += a.number != 0;
	}
	out->rules_version = rules->version;
	out->level = *carbon_rules_level(rules, out->points + out->pending);
	free(rules);
	return ok;
}

/* --- redemption: a chain of pending transfers, one an account that has points --- */

static struct id128 part_id(const char *request, const char *step, size_t part)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%s/%zu", step, part);
	return book_id("carbon/redemption", word(text, len), request);
}

struct id128 carbon_hold_id(const char *request, size_t n)
{
	return part_id(request, "hold", n);
}

static bool request_is_fine(const char *request, struct err *e)
{
	size_t len = strlen(request);
	return (len > 0 && len <= REQUEST_ID_MAX_LEN) ||
	       err_set(e, ERR_INPUT, "request: 1 to %d characters", REQUEST_ID_MAX_LEN);
}

/* Parts over the group's accounts until the points are reached; 0 when there are not enough. */
static size_t parts_make(struct carbon *c, const struct carbon_group *g, const char *request,
			 const struct carbon_hold_new *h, struct ledger_transfer t[CARBON_GROUP_MAX])
{
	size_t n = 0;
	int64_t left = h->points;
	const struct book b = book_of(c);
	for (size_t i = 0; i < g->len && left > 0; i++) {
		int64_t take = book_free(&b, g->accounts[i]);
		take = take < left ? take : left;
		if (take <= 0)
			continue;
		t[n] = (struct ledger_transfer){ .id = part_id(request, "hold", n),
						 .debit = g->accounts[i],
						 .credit = own_account(CARBON_REDEEMED),
						 .data = { (uint64_t)h->rules_version, (uint64_t)h->points },
						 .amount = take,
						 .timeout_s = h->wait_s,
						 .ledger = CARBON_LEDGER,
						 .code = CARBON_REDEEM,
						 .kind = TRANSFER_PENDING };
		left -= take;
		n++;
	}
	return left == 0 ? n : 0;
}

/* The same request again: of the same subject and as many points. */
static bool repeat_check(struct carbon *c, const struct carbon_group *g, const struct ledger_row *was, int64_t points,
			 struct err *e)
{
	const struct core_account a = core_account_at(ledger_core(c->ledger), was->debit);
	for (size_t i = 0; i < g->len; i++)
		if (id128_same(g->accounts[i], a.id) && was->data.lo == (uint64_t)points)
			return true;
	return err_set(e, ERR_CONFLICT, "request: it was used before for another redemption");
}

bool carbon_hold(struct carbon *c, const char *request, const struct carbon_group *g, const struct carbon_hold_new *h,
		 struct err *e)
{
	struct ledger_row was;
	struct ledger_transfer t[CARBON_GROUP_MAX];
	if (!request_is_fine(request, e) || !ledger_expire(c->ledger, c->now_s, e) || !own_accounts_make(c, e) ||
	    !core_transfer_find(ledger_core(c->ledger), part_id(request, "hold", 0), &was, e))
		return false;
	if (was.seq != 0)
		return repeat_check(c, g, &was, h->points, e);
	if (h->points <= 0)
		return err_set(e, ERR_INPUT, "points: above zero");
	const struct book b = book_of(c);
	size_t n = parts_make(c, g, request, h, t);
	return n > 0 ? book_chain(&b, t, n, e) : err_set(e, ERR_CONFLICT, "积分不足 / there are not enough points");
}

bool carbon_redeem(struct carbon *c, const char *request, enum identifier_kind kind, const char *holder,
		   int64_t points, struct err *e)
{
	struct carbon_group g;
	const struct carbon_hold_new h = { points, 0, CARBON_WAIT_S };
	return carbon_group_load(c, kind, holder, &g, e) && carbon_hold(c, request, &g, &h, e);
}

/* Of one part: what is still held, or what was taken for good. */
static bool part_read(struct carbon *c, const char *request, size_t n, const struct ledger_row *held,
		      struct carbon_hold *out, struct err *e)
{
	struct ledger_row post;
	const struct ledger_core *core = ledger_core(c->ledger);
	static const enum carbon_state states[] = { [PENDING_OPEN] = CARBON_PENDING,
						    [PENDING_POSTED] = CARBON_POSTED,
						    [PENDING_VOIDED] = CARBON_VOIDED,
						    [PENDING_EXPIRED] = CARBON_LAPSED };
	enum carbon_state state = states[core_pending_state(core, held->seq)];
	out->points += held->amount;
	if (state == CARBON_POSTED) {
		if (!core_transfer_find(ledger_core(c->ledger), part_id(request, "post", n), &post, e))
			return false;
		if (core_is_reversed(core, post.seq))
			state = CARBON_REVERSED;
		else
			out->posted += post.amount;
	}
	/* Parts end together; one that a smaller posting left out was voided with it. */
	if (out->state == CARBON_NONE || out->state == CARBON_VOIDED || state == CARBON_POSTED)
		out->state = state;
	return true;
}

bool carbon_hold_read(struct carbon *c, const char *request, struct carbon_hold *out, struct err *e)
{
	struct ledger_row held;
	*out = (struct carbon_hold){ 0 };
	for (size_t n = 0; n < CARBON_GROUP_MAX; n++) {
		if (!core_transfer_find(ledger_core(c->ledger), part_id(request, "hold", n), &held, e))
			return false;
		if (held.seq == 0)
			break;
		if (!part_read(c, request, n, &held, out, e))
			return false;
	}
	return true;
}

bool carbon_hold_post(struct carbon *c, const char *request, int64_t points, struct err *e)
{
	struct ledger_transfer t[CARBON_GROUP_MAX];
	struct ledger_row hold;
	const struct book b = book_of(c);
	size_t n = 0;
	int64_t left = points;
	for (; n < CARBON_GROUP_MAX; n++) {
		if (!core_transfer_find(ledger_core(c->ledger), part_id(request, "hold", n), &hold, e))
			return false;
		if (hold.seq == 0)
			break;
		int64_t take = hold.amount < left ? hold.amount : left;
		t[n] = (struct ledger_transfer){ .id = part_id(request, take > 0 ? "post" : "void", n),
						 .ref = hold.id,
						 .amount = take,
						 .kind = take > 0 ? TRANSFER_POST : TRANSFER_VOID };
		left -= take;
	}
	if (points <= 0 || left > 0)
		return err_set(e, ERR_INPUT, "that is not what was held");
	return book_chain(&b, t, n, e);
}

bool carbon_redeem_end(struct carbon *c, const char *request, bool post, struct err *e)
{
	struct ledger_transfer t[CARBON_GROUP_MAX];
	struct ledger_row hold;
	const struct book b = book_of(c);
	size_t n = 0;
	if (!request_is_fine(request, e))
		return false;
	for (; n < CARBON_GROUP_MAX; n++) {
		if (!core_transfer_find(ledger_core(c->ledger), part_id(request, "hold", n), &hold, e))
			return false;
		if (hold.seq == 0)
			break;
		t[n] = (struct ledger_transfer){ .id = part_id(request, post ? "post" : "void", n),
						 .ref = hold.id,
						 .kind = post ? TRANSFER_POST : TRANSFER_VOID };
	}
	return n > 0 ? book_chain(&b, t, n, e) : err_set(e, ERR_MISSING, "there is no redemption '%.64s'", request);
}

/* --- expiry --- */

static struct ledger_transfer expiry_of(const struct core_account *a, int32_t cutoff, int64_t points)
{
	char text[64];
	uint8_t id[16];
	id128_encode(a->id, id);
	/* What had left the account tells two expiries of one day apart. */
	snprintf(text, sizeof(text), "%d/%lld", cutoff, (long long)a->sums.debits_posted);
	return (struct ledger_transfer){ .id = book_id("carbon/expiry", (struct bytes){ id, sizeof(id) }, text),
					 .debit = a->id,
					 .credit = own_account(CARBON_EXPIRED),
					 .amount = points,
					 .ledger = CARBON_LEDGER,
					 .code = CARBON_EXPIRE,
					 .kind = TRANSFER_SINGLE };
}

/* By account number: what was earned up to the cutoff. Release with free. */
static struct ledger_sums *earned_until(struct carbon *c, int32_t cutoff, struct err *e)
{
	uint32_t n = core_accounts_len(ledger_core(c->ledger));
	const struct ledger_as_of at = { cutoff, INT64_MAX };
	struct ledger_reader *r = ledger_reader_open(c->ledger_path, e);
	struct ledger_sums *sums = calloc((size_t)n + 1, sizeof(*sums));
	if (sums == NULL)
		abort();
	bool ok = r != NULL && ledger_reader_balances(r, &at, sums, n, e);
	ledger_reader_close(r);
	if (ok)
		return sums;
	free(sums);
	return NULL;
}

struct expiries {
	struct ledger_transfer t[LEDGER_BATCH_MAX];
	enum ledger_status status[LEDGER_BATCH_MAX];
	size_t len;
	uint64_t accounts;
	int64_t points;
};

static bool expiries_send(struct carbon *c, struct expiries *x, struct err *e)
{
	bool ok = x->len == 0 || ledger_transfers(c->ledger, c->now_s, c->operator, x->t, x->len, x->status, e);
	for (size_t i = 0; ok && i < x->len; i++) {
		if (x->status[i] != LEDGER_OK)
			continue; /* held meanwhile: next time */
		x->accounts++;
		x->points += x->t[i].amount;
	}
	x->len = 0;
	return ok;
}

bool carbon_expire(struct carbon *c, uint64_t *accounts, int64_t *points, struct err *e)
{
	*accounts = 0;
	*points = 0;
	struct carbon_rules *rules = carbon_rules_current(c, e);
	if (rules == NULL)
		return false;
	int32_t cutoff = ledger_day_of(c->now_s) - (int32_t)rules->valid_days;
	free(rules);
	bool ok = own_accounts_make(c, e) && ledger_expire(c->ledger, c->now_s, e);
	struct ledger_sums *earned = ok ? earned_until(c, cutoff, e) : NULL;
	struct expiries *x = calloc(1, sizeof(*x));
	if (x == NULL)
		abort();
	ok = earned != NULL;
	for (uint32_t i = 1; ok && i <= core_accounts_len(ledger_core(c->ledger)); i++) {
		const struct core_account a = core_account_at(ledger_core(c->ledger), i);
		int64_t left = earned[i].credits_posted - a.sums.debits_posted - a.sums.debits_pending;
		if (a.ledger != CARBON_LEDGER || a.code != CARBON_SUBJECT || left <= 0)
			continue;
		x->t[x->len++] = expiry_of(&a, cutoff, left);
		if (x->len == LEDGER_BATCH_MAX)
			ok = expiries_send(c, x, e);
	}
	ok = ok && expiries_send(c, x, e);
	*accounts = x->accounts;
	*points = x->points;
	free(x);
	free(earned);
	return ok;
}
