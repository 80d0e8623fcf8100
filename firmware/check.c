#include "firmware/check.h"
#include "protocol/entry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_SLOP_S 300 /* a head may be this much newer than our clock before we doubt its age */
#define IDS_MAX      3   /* of a party: its number, the organisation code inside it, its name */
#define EPOCHS_MAX   4   /* tags remembered; lists of more epochs have theirs computed again */

struct party {
	const char *role;
	const struct check_party *given;
	size_t ids_len;
	struct identifier ids[IDS_MAX];
	bool by_name[IDS_MAX];
	enum identifier_fault fault;
	bool numbered; /* ids[0] is the number (or the name of a party known by name) */
	bool answered; /* by a black list */
	bool asked;    /* a black list applies to it */
	size_t epochs_len;
	uint32_t epochs[EPOCHS_MAX];
	uint64_t tags[EPOCHS_MAX][IDS_MAX];
};

struct run {
	const struct check_setting *s;
	const struct check_request *r;
	struct decision *out;
	int64_t today; /* days since 1970-01-01 */
	size_t parties_len;
	struct party parties[DECISION_PARTIES_MAX];
	bool hit, stale, error, unheld; /* of black lists */
	bool late;                      /* a black list is past its age, whatever it said */
	bool facts_full;
};

static void party_add(struct run *run, struct party *p, enum identifier_kind kind, const char *text)
{
	struct identifier *id = &p->ids[p->ids_len];
	enum identifier_fault fault = IDENTIFIER_FAULT_NONE;
	if (!identifier_parse(kind, text, strlen(text), run->today, id, &fault, NULL)) {
		if (p->fault == IDENTIFIER_FAULT_NONE)
			p->fault = fault;
		return;
	}
	p->by_name[p->ids_len++] = kind == IDENTIFIER_NAME;
}

/* The organisation code is characters 9 to 17 of a credit code; where it is none, nothing is lost. */
static void party_add_org_code(struct run *run, struct party *p)
{
	char code[10];
	memcpy(code, p->ids[0].canonical + 8, 9);
	code[9] = '\0';
	if (identifier_parse(IDENTIFIER_ORG_CODE, code, 9, run->today, &p->ids[p->ids_len], NULL, NULL))
		p->by_name[p->ids_len++] = false;
}

static void party_init(struct run *run, const char *role, const struct check_party *given)
{
	struct party *p = &run->parties[run->parties_len];
	struct decision_party *shown = &run->out->parties[run->parties_len++];
	bool named = given->kind == IDENTIFIER_NAME;
	*p = (struct party){ .role = role, .given = given };
	party_add(run, p, given->kind, named ? given->name : given->number);
	p->numbered = p->ids_len > 0;
	if (p->numbered && given->kind == IDENTIFIER_USCC)
		party_add_org_code(run, p);
	if (!named && given->name[0] != '\0')
		party_add(run, p, IDENTIFIER_NAME, given->name);
	snprintf(shown->role, sizeof(shown->role), "%s", role);
	snprintf(shown->kind, sizeof(shown->kind), "%s", identifier_kind_name(given->kind));
	if (p->numbered)
		identifier_mask(&p->ids[0], shown->masked, sizeof(shown->masked));
	else
		snprintf(shown->masked, sizeof(shown->masked), "***");
	run->out->parties_len = run->parties_len;
}

/* The tags of a party under one key: computed once per epoch. */
static const uint64_t *party_tags(struct party *p, const struct tag_key *key)
{
	size_t i = 0;
	while (i < p->epochs_len && p->epochs[i] != key->epoch)
		i++;
	if (i < p->epochs_len)
		return p->tags[i];
	if (i == EPOCHS_MAX)
		i--;
	else
		p->epochs_len++;
	p->epochs[i] = key->epoch;
	for (size_t j = 0; j < p->ids_len; j++)
		p->tags[i][j] = tag_of(key, &p->ids[j]);
	return p->tags[i];
}

/* What wins where several answers meet: a hit over all, then what could not be told over what was. */
static int result_rank(enum lookup_result r)
{
	switch (r) {
	case LOOKUP_HIT: return 5;
	case LOOKUP_ERROR: return 4;
	case LOOKUP_STALE: return 3;
	case LOOKUP_NOT_COVERED: return 2;
	case LOOKUP_NOT_LISTED: return 1;
	}
	return 4;
}

static enum lookup_result find_one(const struct run *run, const char *list, uint64_t tag, uint32_t *value)
{
	enum lookup_result r = run->s->source->find(run->s->source->arg, list, tag, value);
	int64_t day = run->today - ENTRY_DAY_ZERO;
	uint16_t today = (uint16_t)(day < 0 ? 0 : day > ENTRY_NO_END - 1 ? ENTRY_NO_END - 1 : day);
	if (r == LOOKUP_HIT)
		return entry_in_force(*value, today) ? LOOKUP_HIT : LOOKUP_NOT_LISTED;
	return r == LOOKUP_NOT_LISTED ? r : LOOKUP_ERROR;
}

static bool is_covered(const struct catalogue_list *l, const struct identifier *id)
{
	return (l->covers & 1U << id->kind) != 0;
}

static int64_t age_of(const struct run *run, const struct check_list *state)
{
	int64_t age_s = run->s->now_s - state->confirmed_s;
	if (state->confirmed_s < 0 || age_s < -CLOCK_SLOP_S)
		return -1;
	return age_s < 0 ? 0 : age_s;
}

struct answer {
	enum lookup_result result;
	bool by_name; /* of a hit */
	bool unheld;  /* the list covers the party, and the branch does not hold it */
	bool late;
};

static struct answer ask(const struct run *run, const struct catalogue_list *l, struct party *p,
			 struct decision_evidence *v)
{
	struct answer a = { .result = LOOKUP_NOT_COVERED };
	struct check_list state = { .confirmed_s = -1 };
	bool covered = false;
	v->age_s = -1;
	for (size_t i = 0; i < p->ids_len; i++)
		covered |= is_covered(l, &p->ids[i]);
	if (!covered)
		return a;
	enum lookup_result ready = run->s->source->list(run->s->source->arg, l->name, &state);
	v->version = state.version;
	v->age_s = age_of(run, &state);
	a.late = v->age_s < 0 || v->age_s > l->max_age_s || !run->s->clock_trusted;
	a.unheld = ready == LOOKUP_NOT_COVERED;
	if (ready != LOOKUP_NOT_LISTED || state.key == NULL) {
		a.result = a.unheld ? LOOKUP_NOT_COVERED : LOOKUP_ERROR;
		return a;
	}
	const uint64_t *tags = party_tags(p, state.key);
	a.result = LOOKUP_NOT_LISTED;
	for (size_t i = 0; i < p->ids_len && a.result != LOOKUP_HIT; i++) {
		uint32_t value = 0;
		if (!is_covered(l, &p->ids[i]))
			continue;
		enum lookup_result r = find_one(run, l->name, tags[i], &value);
		if (result_rank(r) > result_rank(a.result))
			a.result = r;
		if (r == LOOKUP_HIT) {
			a.by_name = p->by_name[i];
			v->value = value;
		}
	}
	if (a.result == LOOKUP_NOT_LISTED && a.late)
		a.result = LOOKUP_STALE;
	return a;
}

/* Facts. A name too long or one too many is remembered, and fails the check as a whole. */
static void fact_add(struct run *run, struct value value, const char *fmt, ...) PRINTF(3, 4);
static void fact_add(struct run *run, struct value value, const char *fmt, ...)
{
	if (run->out->facts_len == DECISION_FACTS_MAX) {
		run->facts_full = true;
		return;
	}
	struct rule_fact *f = &run->out->facts[run->out->facts_len++];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(f->name, sizeof(f->name), fmt, ap);
	va_end(ap);
	run->facts_full |= n < 0 || (size_t)n >= sizeof(f->name);
	f->value = value;
}

static struct value is_text(const char *v)
{
	return (struct value){ .kind = VALUE_TEXT, .text = bytes_of(v) };
}

static struct value is_bool(bool v)
{
	return (struct value){ .kind = VALUE_BOOL, .boolean = v };
}

static struct value is_number(double v)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = v };
}

static void note_black(struct run *run, struct party *p, struct answer a)
{
	run->hit |= a.result == LOOKUP_HIT;
	run->stale |= a.result == LOOKUP_STALE;
	run->error |= a.result == LOOKUP_ERROR;
	run->unheld |= a.unheld;
	run->late |= a.late && !a.unheld;
	p->answered |= a.result == LOOKUP_HIT || a.result == LOOKUP_NOT_LISTED;
	p->asked = true;
}

/* One list, for every party it applies to. */
static void ask_list(struct run *run, const struct catalogue_list *l)
{
	struct answer worst = { .result = 0 };
	uint32_t value = 0;
	for (size_t i = 0; i < run->parties_len; i++) {
		struct party *p = &run->parties[i];
		if (!catalogue_list_applies(l, run->r->business, i > 0))
			continue;
		struct decision_evidence *v = &run->out->evidence[run->out->evidence_len++];
		snprintf(v->list, sizeof(v->list), "%s", l->name);
		snprintf(v->role, sizeof(v->role), "%s", p->role);
		struct answer a = ask(run, l, p, v);
		v->result = a.result;
		if (!l->white)
			note_black(run, p, a);
		fact_add(run, is_text(lookup_name(a.result)), "%s.list.%s", p->role, l->name);
		if (a.result == LOOKUP_HIT)
			fact_add(run, is_text(a.by_name ? "name" : "number"), "%s.list.%s.by", p->role, l->name);
		bool number_first =
			a.result == LOOKUP_HIT && worst.result == LOOKUP_HIT && worst.by_name && !a.by_name;
		if (worst.result == 0 || result_rank(a.result) > result_rank(worst.result) || number_first) {
			worst = a;
			value = v->value;
		}
	}
	if (worst.result == 0)
		return;
	fact_add(run, is_text(lookup_name(worst.result)), "list.%s", l->name);
	if (worst.result != LOOKUP_HIT)
		return;
	fact_add(run, is_number(entry_reason(value)), "list.%s.reason", l->name);
	fact_add(run, is_text(worst.by_name ? "name" : "number"), "list.%s.by", l->name);
}

static void ask_lists(struct run *run)
{
	const struct catalogue *c = run->s->policy->catalogue;
	for (size_t i = 0; c != NULL && i < c->lists_len; i++)
		ask_list(run, &c->lists[i]);
	for (size_t i = 0; i < run->parties_len; i++) { /* the tag under the newest epoch any list asked for */
		const struct party *p = &run->parties[i];
		uint32_t newest = 0;
		for (size_t j = 0; j < p->epochs_len && p->numbered; j++)
			if (p->epochs[j] >= newest) {
				newest = p->epochs[j];
				run->out->parties[i].tag = p->tags[j][0];
			}
	}
}

/* Completed years on a day. */
static int years_between(int year, int month, int day, int64_t today)
{
	char now[11];
	int y = 0, m = 0, d = 0;
	day_format(today, now);
	if (sscanf(now, "%4d-%2d-%2d", &y, &m, &d) != 3) // NOLINT(cert-err34-c): our own digits
		return 0;
	return y - year - (m < month || (m == month && d < day));
}

static void facts_of_birth(struct run *run, const struct party *p)
{
	char text[11];
	int y = 0, m = 0, d = 0;
	bool given = p->given->birth_day != INT64_MIN;
	bool told = p->numbered && p->ids[0].birth_year != 0;
	if (given) {
		day_format(p->given->birth_day, text);
		given = sscanf(text, "%4d-%2d-%2d", &y, &m, &d) == 3; // NOLINT(cert-err34-c): our own digits
	}
	if (told) {
		const struct identifier *id = &p->ids[0];
		if (given)
			fact_add(run, is_bool(y == id->birth_year && m == id->birth_month && d == id->birth_day),
				 "birth_date_matches");
		y = id->birth_year, m = id->birth_month, d = id->birth_day;
	}
	if (told || given)
		fact_add(run, is_number(years_between(y, m, d, run->today)), "age_years");
}

static void facts_of_party(struct run *run, const struct party *p, const char *prefix)
{
	fact_add(run, is_text(identifier_kind_name(p->given->kind)), "%sidentifier.kind", prefix);
	fact_add(run, is_text(p->fault == IDENTIFIER_FAULT_NONE ? "valid" : identifier_fault_name(p->fault)),
		 "%sidentifier.status", prefix);
}

static const struct {
	unsigned bit;
	const char *name;
} warnings[] = {
	{ IDENTIFIER_WARN_UNKNOWN_REGION, "unknown_region" },
	{ IDENTIFIER_WARN_REGION_NOT_YET, "region_not_yet" },
	{ IDENTIFIER_WARN_REGION_RETIRED, "region_retired" },
	{ IDENTIFIER_WARN_UPGRADED_15, "upgraded_15" },
};

static void facts_gather(struct run *run)
{
	const struct party *subject = &run->parties[0];
	const struct rule_fact *online = rule_fact_find(run->r->facts, run->r->facts_len, "verified_online");
	for (size_t i = 0; i < run->r->facts_len; i++)
		fact_add(run, run->r->facts[i].value, "%s", run->r->facts[i].name);
	if (online == NULL)
		fact_add(run, is_bool(false), "verified_online");
	fact_add(run, is_text(run->r->business), "business");
	fact_add(run, is_bool(run->s->clock_trusted), "clock_trusted");
	fact_add(run, is_bool(subject->given->name[0] != '\0'), "name_given");
	fact_add(run, is_bool(run->r->has_counterparty), "has_counterparty");
	fact_add(run, is_bool(run->hit), "any_list_hit");
	fact_add(run, is_bool(run->late), "any_list_stale");
	facts_of_party(run, subject, "");
	facts_of_birth(run, subject);
	for (size_t i = 0; subject->numbered && i < sizeof(warnings) / sizeof(warnings[0]); i++)
		fact_add(run, is_bool((subject->ids[0].warnings & warnings[i].bit) != 0), "identifier.warning.%s",
			 warnings[i].name);
	if (run->parties_len > 1)
		facts_of_party(run, &run->parties[1], "counterparty.");
	rule_facts_sort(run->out->facts, run->out->facts_len);
}

static bool unasked(const struct run *run)
{
	if (!run->parties[0].answered)
		return true;
	return run->parties_len > 1 && run->parties[1].asked && !run->parties[1].answered;
}

static bool invalid(const struct run *run)
{
	for (size_t i = 0; i < run->parties_len; i++)
		if (run->parties[i].fault != IDENTIFIER_FAULT_NONE)
			return true;
	return false;
}

#define REASONS_MAX (RULES_MAX + 8)
struct reasons {
	size_t len;
	struct decision_reason list[REASONS_MAX];
};

static void reason_add(struct reasons *all, const char *rule, const char *code, enum outcome outcome)
{
	struct decision_reason *r = &all->list[all->len++];
	snprintf(r->rule, sizeof(r->rule), "%s", rule);
	snprintf(r->code, sizeof(r->code), "%s", code);
	r->outcome = outcome;
}

static void reasons_builtin(const struct run *run, struct reasons *all)
{
	const struct check_policy *policy = run->s->policy;
	const struct {
		bool fires;
		const char *code;
	} builtin[] = {
		{ policy->rules == NULL, "NO_RULES" },
		{ policy->catalogue == NULL, "NO_CATALOGUE" },
		{ invalid(run), "IDENTIFIER_INVALID" },
		{ run->error, "LIST_ERROR" },
		{ run->stale, "LIST_STALE" },
		{ run->unheld || (policy->catalogue != NULL && unasked(run)), "NOT_COVERED" },
	};
	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		if (builtin[i].fires)
			reason_add(all, RULE_BUILTIN, builtin[i].code, OUTCOME_REFER);
}

static void decide(struct run *run)
{
	struct decision *d = run->out;
	const struct rule_set *rules = run->s->policy->rules;
	struct reasons all = { .len = 0 };
	enum outcome by_rules = OUTCOME_PASS;
	size_t fired[RULES_MAX], fired_len = 0;
	if (rules != NULL)
		fired_len = rule_set_eval(rules, d->facts, d->facts_len, run->today, fired, RULES_MAX, &by_rules);
	for (size_t i = 0; i < fired_len; i++) {
		const struct rule *r = &rules->rules[fired[i]];
		reason_add(&all, r->id, r->code, r->outcome);
	}
	reasons_builtin(run, &all);
	if (run->hit && by_rules == OUTCOME_PASS)
		reason_add(&all, RULE_BUILTIN, "LISTED", OUTCOME_ENHANCED);
	d->outcome = OUTCOME_PASS;
	for (enum outcome o = OUTCOME_REFUSE; o >= OUTCOME_PASS; o--)
		for (size_t i = 0; i < all.len; i++) {
			if (all.list[i].outcome != o)
				continue;
			d->outcome = o > d->outcome ? o : d->outcome;
			if (d->reasons_len < DECISION_REASONS_MAX)
				d->reasons[d->reasons_len++] = all.list[i];
		}
	const struct rule_fact *online = rule_fact_find(d->facts, d->facts_len, "verified_online");
	bool verified = online != NULL && online->value.kind == VALUE_BOOL && online->value.boolean;
	d->follow_up = !verified && d->outcome <= OUTCOME_ENHANCED;
}

static bool seal_parties(const struct run *run, struct buf *sealed, struct err *e)
{
	struct buf plain;
	buf_init(&plain, CHECK_SEALED_MAX - AEAD_OVERHEAD);
	cbor_put_array(&plain, run->parties_len);
	for (size_t i = 0; i < run->parties_len; i++) {
		const struct party *p = &run->parties[i];
		cbor_put_map(&plain, 4);
		cbor_put_uint(&plain, 1);
		cbor_put_text(&plain, p->role);
		cbor_put_uint(&plain, 2);
		cbor_put_text(&plain, identifier_kind_name(p->given->kind));
		cbor_put_uint(&plain, 3);
		cbor_put_text(&plain, p->numbered ? p->ids[0].canonical : p->given->number);
		cbor_put_uint(&plain, 4);
		cbor_put_text(&plain, p->given->name);
	}
	struct bytes aad = { run->out->id, DECISION_ID_LEN };
	bool ok = buf_ok(&plain, "subject", e) &&
		  aead_seal(run->s->journal_key, run->s->random, aad, buf_bytes(&plain), sealed, e);
	buf_wipe(&plain);
	return ok;
}

bool check_unseal(const struct decision *d, const uint8_t journal_key[32], struct buf *plain, struct err *e)
{
	return aead_open(journal_key, (struct bytes){ d->id, DECISION_ID_LEN }, d->sealed_subject, plain, e);
}

bool check_run(const struct check_setting *s, const struct check_request *r, struct decision *out, struct buf *sealed,
	       struct err *e)
{
	struct run run = { .s = s, .r = r, .out = out, .today = (s->now_s + CHECK_CHINA_S) / CHECK_DAY_S };
	memset(out, 0, sizeof(*out));
	s->random->fill(s->random->arg, out->id, sizeof(out->id));
	snprintf(out->request_id, sizeof(out->request_id), "%s", r->request_id);
	snprintf(out->terminal, sizeof(out->terminal), "%s", r->terminal);
	snprintf(out->business, sizeof(out->business), "%s", r->business);
	out->time_s = s->now_s;
	out->rules_version = s->policy->rules != NULL ? s->policy->rules_version : 0;
	out->catalogue_version = s->policy->catalogue != NULL ? s->policy->catalogue_version : 0;
	party_init(&run, "subject", &r->subject);
	if (r->has_counterparty)
		party_init(&run, "counterparty", &r->counterparty);
	ask_lists(&run);
	facts_gather(&run);
	bool ok = !run.facts_full || err_set(e, ERR_FULL, "a check holds at most %d facts", DECISION_FACTS_MAX);
	if (ok) {
		decide(&run);
		ok = seal_parties(&run, sealed, e);
		out->sealed_subject = buf_bytes(sealed);
	}
	explicit_bzero(run.parties, sizeof(run.parties));
	return ok;
}
