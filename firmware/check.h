/*
 * The check: may this business go ahead with this subject? A core without globals, sockets, database or clock: time, lists,
 * rules and randomness are parameters, so that a decision can be made again years later.
 *
 * A request's JSON (unknown fields are refused by name):
 *   { "request_id", "business": "open_account",
 *     "subject": { "kind", "number", "name" (optional), "birth_date": "1990-01-31" (optional) },
 *     "counterparty": { the same } (optional),
 *     "facts": { "phone_match": true, "amount_yuan": 5000, … } (optional) }
 * A party of kind "name" has a name and no number. Facts are the caller's: [a-z][a-z0-9_]*, bool, number or text.
 *
 * What the rules see besides the caller's facts (a fact that is not known is missing, so comparisons with it are unknown):
 *   business · clock_trusted · name_given · verified_online (false unless the caller says so) · has_counterparty
 *   identifier.kind · identifier.status ("valid", or the fault: "check_digit") · age_years · birth_date_matches
 *   identifier.warning.unknown_region, .region_not_yet, .region_retired, .upgraded_15 (true or false; of a valid number)
 *   counterparty.identifier.kind, counterparty.identifier.status
 *   (age_years falls back on the birth date given when the number tells none)
 *   list.<name> = "hit" "error" "stale" "not_covered" "not_listed": the first of these over all parties and identifiers
 *   list.<name>.reason (number) · list.<name>.by = "number" or "name": of the hit, a number's before a name's
 *   subject.list.<name>, counterparty.list.<name> = the same for one party, and subject.list.<name>.by of its hit
 *   any_list_hit, any_list_stale (black lists only; stale though it hit counts too)
 *
 * Three things no rules document can undo. Only a black list that answered "not listed" within its age limit can lead to PASS:
 * one that is stale, in error or not held, and a party no black list could be asked about, make it REFER at least. So does an
 * invalid identifier, and having no rules or no catalogue. A black list's hit that no rule speaks of is ENHANCED at least. A hit is
 * a hit on a stale list too, and more evidence takes no hit away. Days are China's (UTC+8); an entry past its last day never hits.
 * A credit code is asked for as itself and as the organisation code inside it.
 */
#ifndef FIRMWARE_CHECK_H
#define FIRMWARE_CHECK_H

#include "protocol/base/json.h"
#include "protocol/catalogue.h"
#include "protocol/decision.h"
#include "protocol/rule.h"
#include "protocol/tag.h"

#define CHECK_CHINA_S 28800 /* UTC+8, no summer time */
#define CHECK_DAY_S   86400

#define CHECK_FACTS_MAX     32 /* the caller's */
#define CHECK_FACT_TEXT_MAX DECISION_TEXT_MAX

struct check_party {
	enum identifier_kind kind;
	char number[PERSON_NAME_MAX + 1]; /* as given; "" for kind name */
	char name[PERSON_NAME_MAX + 1];   /* "" when not given */
	int64_t birth_day;                /* days since 1970-01-01; INT64_MIN when not given */
};

/* Its facts point into it: not to be copied. */
struct check_request {
	char request_id[REQUEST_ID_MAX_LEN + 1];
	char terminal[NAME_MAX_LEN + 1]; /* set by the caller from the credential, "" until then */
	char business[NAME_MAX_LEN + 1];
	struct check_party subject, counterparty;
	bool has_counterparty;
	size_t facts_len;
	struct rule_fact facts[CHECK_FACTS_MAX];
	char fact_texts[CHECK_FACTS_MAX][CHECK_FACT_TEXT_MAX + 1];
};
/* ERR_INPUT names the field: "subject.number: …". */
bool check_request_parse(struct bytes json, struct check_request *r, struct err *e) CHECKED;
/* The member of request that is a party; it must be there. */
bool check_party_parse(const struct json *request, const char *role, struct check_party *p, struct err *e) CHECKED;

/* What the branch holds under a list's name. */
struct check_list {
	uint64_t version;
	int64_t confirmed_s;       /* issue time of the newest head that named this version; -1 never */
	const struct tag_key *key; /* of the list's epoch; borrowed until check_run returns */
};
struct check_source {
	void *arg;
	/* LOOKUP_NOT_LISTED: it can be asked, *state is filled. LOOKUP_NOT_COVERED: it is not held. LOOKUP_ERROR: it is held
	   and cannot be asked (no key, damaged); version and confirmed_s are filled as far as they are known. */
	enum lookup_result (*list)(void *arg, const char *name, struct check_list *state);
	/* LOOKUP_HIT with *value, LOOKUP_NOT_LISTED or LOOKUP_ERROR. Age and last days are judged by the check. */
	enum lookup_result (*find)(void *arg, const char *name, uint64_t tag, uint32_t *value);
};

/* The documents in force; either is NULL when there is none yet. */
struct check_policy {
	const struct rule_set *rules;
	uint64_t rules_version;
	const struct catalogue *catalogue;
	uint64_t catalogue_version;
};

struct check_setting {
	const struct check_policy *policy;
	const struct check_source *source;
	int64_t now_s; /* the trusted clock */
	bool clock_trusted;
	const struct random *random;
	const uint8_t
		*journal_key; /* 32 bytes: the subject is sealed under it, additional data = the decision's id */
};

/*
 * out borrows from r (facts) and from sealed, a buf the caller has initialised (CHECK_SEALED_MAX); both live until the decision is
 * encoded. Fails only when nothing could be decided at all (a limit); "cannot tell" about a list is a successful REFER.
 */
#define CHECK_SEALED_MAX DECISION_SEALED_MAX
bool check_run(const struct check_setting *s, const struct check_request *r, struct decision *out, struct buf *sealed,
	       struct err *e) CHECKED;

/* The reasons the check itself gives (rule RULE_BUILTIN), whatever the rules document says; NULL when code is none of them. */
const char *check_builtin_zh(const char *code);
const char *check_builtin_en(const char *code);

/* What was sealed: CBOR array, one map a party {1: role, 2: kind, 3: number (canonical when valid, else as given), 4: name}. */
bool check_unseal(const struct decision *d, const uint8_t journal_key[32], struct buf *plain, struct err *e) CHECKED;

/*
 * The API's answer, appended to out; the same for a fresh decision and for one read from the journal. A rule's wording is given
 * only while the policy still has the version that decided; rule, code and outcome always stand. policy may be NULL.
 *   { "decision_id" (hex), "request_id", "time" ("2026-01-31T09:30:00+08:00"), "terminal", "business", "outcome",
 *     "outcome_text": {"zh","en"}, "reasons": [ {"rule","code","outcome","basis": {"zh","en"}, "text": {"zh","en"}} ],
 *     "lists": [ {"name","role","result","version","age_s" (null: never confirmed), "reason" and "until" of a hit} ],
 *     "subject": {"kind","masked","warnings": [ … ]}, "counterparty": {"kind","masked"}, "rules_version",
 *     "catalogue_version", "follow_up" }
 */
void check_decision_json(const struct decision *d, const struct check_policy *policy, struct buf *out);

#endif
