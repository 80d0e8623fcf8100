/*
 * A branch's check in memory: lists, the sample rules and catalogue, a clock, and the last request with its
 * decision. checks_fresh before each case; JSON is written with ' for ".
 */
#ifndef TESTS_SUPPORT_CHECKS_H
#define TESTS_SUPPORT_CHECKS_H

#include "firmware/check.h"
#include "protocol/entry.h"

/* Made up: order 000 is given to nobody, and nobody born in the 1850s is alive. */
#define ADULT       "330802185001010013"
#define OTHER       "330802187001010020"
#define CHILD       "330802201501010009"
#define COMPANY     "91330802MA0000103C"
#define COMPANY_ORG "MA0000103"

#define FACTS(facts) "'facts':{'verified_online':true" facts "}"
#define ASK(business, kind, number, more)                                                                            \
	"{'request_id':'r-1','business':'" business "','subject':{'kind':'" kind "','number':'" number "'" more      \
	"}," FACTS("") "}"
#define PLAIN ASK("open_account", "resident_id", ADULT, "")

#define TRANSFER(amount)                                                                                             \
	"{'request_id':'r','business':'transfer','subject':{'kind':'resident_id','number':'" ADULT                   \
	"'},'counterparty':{'kind':'resident_id','number':'" OTHER "'}," FACTS(amount) "}"
#define WITH(facts)                                                                                                  \
	"{'request_id':'r','business':'loan','subject':{'kind':'resident_id','number':'" ADULT "'},'facts':{" facts  \
	"}}"

#define LISTED_MAX 8
struct listed {
	const char *list;
	enum identifier_kind kind;
	const char *number;
	uint32_t value;
};
/* The lists a branch holds, in memory. */
struct lists {
	size_t len;
	struct listed entries[LISTED_MAX];
	const char *unheld, *broken, *unreadable; /* list names, or NULL */
	bool everything;                          /* is a hit */
	int64_t confirmed_s;
	struct tag_key key;
};

struct checks {
	struct lists lists;
	struct rule_set *rules;
	struct catalogue *catalogue;
	struct check_policy policy;
	int64_t now_s;
	struct check_request request;
	struct decision decision;
	struct buf sealed;
};
extern struct checks with;
extern const uint8_t checks_journal_key[32];
extern const struct check_source checks_source; /* with.lists */

/* Before and after each test. */
void checks_setup(void);
void checks_teardown(void);
/* Noon in China on 1 June 2026, empty lists confirmed a minute ago, the samples as policy. */
void checks_fresh(void);
int64_t checks_time(const char *day);
void list_add(const char *list, enum identifier_kind kind, const char *number, uint32_t value);
bool request_of(const char *json, struct err *e);
void checks_run(bool clock_trusted);
/* Parses, runs with a trusted clock, and says the outcome; fails the test where it cannot. */
enum outcome check(const char *json);
/* code NULL: any. */
const struct decision_reason *reason_of(const char *rule, const char *code);
bool builtin(const char *code);
/* A fact of the decision as text, "missing" where there is none; a static buffer. */
const char *fact(const char *name);

#endif
