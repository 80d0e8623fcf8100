#include "tests/support/checks.h"
#include "tests/support/documents.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static void a_subject_on_no_list_passes(void)
{
	checks_fresh();
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_PASS);
	CU_ASSERT_EQUAL(with.decision.reasons_len, 0);
	CU_ASSERT_EQUAL(with.decision.evidence_len, 4);
	CU_ASSERT_FALSE(with.decision.follow_up);
	CU_ASSERT_EQUAL(with.decision.rules_version, 5);
	CU_ASSERT_EQUAL(with.decision.catalogue_version, 6);
	CU_ASSERT_EQUAL(with.decision.evidence[0].version, 42);
	CU_ASSERT_EQUAL(with.decision.evidence[0].age_s, 60);
	CU_ASSERT_STRING_EQUAL(with.decision.parties[0].masked, "330802********0013");
	CU_ASSERT_NOT_EQUAL(with.decision.parties[0].tag, 0);
	CU_ASSERT_STRING_EQUAL(fact("list.black-fraud"), "not_listed");
	CU_ASSERT_STRING_EQUAL(fact("age_years"), "176");
	CU_ASSERT_STRING_EQUAL(fact("identifier.status"), "valid");
	CU_ASSERT_STRING_EQUAL(fact("any_list_hit"), "false");
}

/* Every sample rule on a made-up case, and not on the case next to it. */
static void each_sample_rule_fires_on_its_case_and_not_on_its_neighbour(void)
{
#define BORN(day) ASK("loan", "resident_id", ADULT, ",'birth_date':'" day "'")
	static const struct listed fraud = { "black-fraud", IDENTIFIER_RESIDENT_ID, ADULT, 0x01ffff };
	static const struct listed other = { "black-fraud", IDENTIFIER_RESIDENT_ID, OTHER, 0x01ffff };
	static const struct listed bank = { "sanctions", IDENTIFIER_RESIDENT_ID, ADULT, 0x01ffff };
	static const struct listed name = { "sanctions", IDENTIFIER_NAME, "示例甲", 0x01ffff };
	static const struct listed debtor = { "black-dishonest", IDENTIFIER_RESIDENT_ID, ADULT, 0x01ffff };
	static const struct {
		const char *rule;
		const struct listed *listed;
		const char *fires, *neighbour;
		enum outcome outcome, next;
	} cases[] = {
		{ "fraud-listed-new-account", &fraud, PLAIN, ASK("loan", "resident_id", ADULT, ""), OUTCOME_REFUSE,
		  OUTCOME_REFER },
		{ "fraud-listed-new-account", &fraud, PLAIN, ASK("open_account", "resident_id", OTHER, ""),
		  OUTCOME_REFUSE, OUTCOME_PASS },
		{ "fraud-listed-other", &fraud, ASK("transfer", "resident_id", ADULT, ""), PLAIN, OUTCOME_REFER,
		  OUTCOME_REFUSE },
		{ "sanctions-number", &bank, PLAIN, ASK("open_account", "resident_id", OTHER, ""), OUTCOME_REFUSE,
		  OUTCOME_PASS },
		{ "sanctions-number", &bank, PLAIN, ASK("open_account", "resident_id", OTHER, ",'name':'示例甲'"),
		  OUTCOME_REFUSE, OUTCOME_PASS },
		{ "name-only-hit", &name, ASK("loan", "resident_id", OTHER, ",'name':'示例甲'"),
		  ASK("loan", "resident_id", OTHER, ",'name':'示例乙'"), OUTCOME_REFER, OUTCOME_PASS },
		{ "dishonest-listed", &debtor, ASK("loan", "resident_id", ADULT, ""), PLAIN, OUTCOME_REFER,
		  OUTCOME_ENHANCED },
		{ "dishonest-listed-account", &debtor, PLAIN, ASK("loan", "resident_id", ADULT, ""), OUTCOME_ENHANCED,
		  OUTCOME_REFER },
		{ "listed-counterparty", &other, TRANSFER(",'amount_yuan':5000"), TRANSFER(",'amount_yuan':4999.99"),
		  OUTCOME_REFUSE, OUTCOME_REFER },
		{ "listed-counterparty-small", &other, TRANSFER(""), TRANSFER(",'amount_yuan':5000"), OUTCOME_REFER,
		  OUTCOME_REFUSE },
		{ "listed-counterparty-small", &other, TRANSFER(",'amount_yuan':1"), PLAIN, OUTCOME_REFER,
		  OUTCOME_PASS },
		{ "identifier-invalid", NULL, ASK("loan", "resident_id", "330802185001010014", ""),
		  ASK("loan", "resident_id", ADULT, ""), OUTCOME_REFER, OUTCOME_PASS },
		{ "minor", NULL, ASK("open_account", "resident_id", CHILD, ""), ASK("loan", "resident_id", CHILD, ""),
		  OUTCOME_REFER, OUTCOME_PASS },
		{ "birth-date-mismatch", NULL, BORN("1850-01-02"), BORN("1850-01-01"), OUTCOME_REFER, OUTCOME_PASS },
		{ "phone-mismatch", NULL, WITH("'verified_online':true,'phone_match':false"),
		  WITH("'verified_online':true,'phone_match':true"), OUTCOME_ENHANCED, OUTCOME_PASS },
		{ "dormant-account", NULL, WITH("'verified_online':true,'dormant':true"),
		  WITH("'verified_online':true,'dormant':'true'"), OUTCOME_ENHANCED, OUTCOME_PASS },
		{ "region-unknown", NULL, ASK("loan", "resident_id", "990101186001010008", ""),
		  ASK("loan", "resident_id", ADULT, ""), OUTCOME_ENHANCED, OUTCOME_PASS },
		{ "not-verified-online", NULL, WITH("'verified_online':false"), WITH("'verified_online':true"),
		  OUTCOME_ENHANCED, OUTCOME_PASS },
		{ "not-verified-online", NULL, WITH(""), WITH("'verified_online':true"), OUTCOME_ENHANCED,
		  OUTCOME_PASS },
	};
	bool seen[RULES_MAX] = { false };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		checks_fresh();
		if (cases[i].listed != NULL)
			with.lists.entries[with.lists.len++] = *cases[i].listed;
		enum outcome outcome = check(cases[i].fires);
		bool fired = reason_of(cases[i].rule, NULL) != NULL;
		enum outcome next = check(cases[i].neighbour);
		if (!fired || outcome != cases[i].outcome || next != cases[i].next)
			printf("\ncase %zu, %s: fired %d, %s then %s\n", i, cases[i].rule, fired,
			       outcome_name(outcome), outcome_name(next));
		CU_ASSERT_TRUE(fired);
		CU_ASSERT_EQUAL(outcome, cases[i].outcome);
		CU_ASSERT_EQUAL(next, cases[i].next);
		CU_ASSERT_PTR_NULL(reason_of(cases[i].rule, NULL));
		for (size_t r = 0; r < with.rules->rules_len; r++)
			seen[r] |= strcmp(with.rules->rules[r].id, cases[i].rule) == 0;
	}
	checks_fresh();
	with.lists.confirmed_s = with.now_s - 259201;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_REFER);
	CU_ASSERT_PTR_NOT_NULL(reason_of("list-stale", "LIST_STALE"));
	with.lists.confirmed_s = with.now_s - 259200;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_PASS);
	for (size_t r = 0; r < with.rules->rules_len; r++)
		CU_ASSERT_TRUE(seen[r] || strcmp(with.rules->rules[r].id, "list-stale") == 0);
	CU_ASSERT(with.rules->rules_len >= 12 && with.rules->sample);
}

static void an_entry_past_its_last_day_never_hits(void)
{
	checks_fresh();
	uint16_t last = (uint16_t)(with.now_s / 86400 - ENTRY_DAY_ZERO);
	list_add("sanctions", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(1, last));
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_REFUSE);
	with.now_s += 12 * 3600 - 1; /* 23:59:59 in China */
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_REFUSE);
	with.now_s += 1;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_PASS);
	CU_ASSERT_STRING_EQUAL(fact("list.sanctions"), "not_listed");
}

static void a_rule_past_its_last_day_is_not_asked(void)
{
	checks_fresh();
	list_add("black-fraud", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(1, ENTRY_NO_END));
	with.now_s = checks_time("2035-12-31");
	with.lists.confirmed_s = with.now_s;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_REFUSE);
	with.now_s = checks_time("2036-01-01");
	with.lists.confirmed_s = with.now_s;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_ENHANCED); /* a hit that no rule speaks of is no pass */
	CU_ASSERT_TRUE(builtin("LISTED"));
}

static void sixteen_years_are_complete_on_the_birthday(void)
{
	checks_fresh();
	CU_ASSERT_EQUAL(check(ASK("open_account", "resident_id", "330802201006010001", "")), OUTCOME_PASS);
	CU_ASSERT_STRING_EQUAL(fact("age_years"), "16");
	CU_ASSERT_EQUAL(check(ASK("open_account", "resident_id", "330802201006020007", "")), OUTCOME_REFER);
	CU_ASSERT_STRING_EQUAL(fact("age_years"), "15");
}

/* A rule set that lets everything pass: what is left is what the code alone enforces. */
static struct rule_set *no_rules_at_all(void)
{
	struct buf document =
		cbor_of("{'type':'rules','title':{'zh':'空','en':'empty'},'sample':true,'rules':[]}", "rules");
	struct rule_set *s = rule_set_parse(buf_bytes(&document), NULL);
	buf_clear(&document);
	return s;
}

static void only_not_listed_in_time_leads_to_pass_whatever_the_rules_say(void)
{
	struct rule_set *empty = no_rules_at_all();
	checks_fresh();
	with.policy.rules = empty;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_PASS);
	with.lists.confirmed_s = with.now_s - 3 * 86400 - 1;
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("LIST_STALE"));
	CU_ASSERT_EQUAL(with.decision.evidence[0].result, LOOKUP_STALE);
	with.lists.confirmed_s = -1;
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("LIST_STALE"));
	CU_ASSERT_EQUAL(with.decision.evidence[0].age_s, -1);
	with.lists.confirmed_s = with.now_s + 86400; /* the clock is behind the head: no age can be told */
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("LIST_STALE"));
	with.lists.confirmed_s = with.now_s;
	with.lists.broken = "sanctions";
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("LIST_ERROR"));
	with.lists.broken = NULL;
	with.lists.unreadable = "black-fraud";
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("LIST_ERROR"));
	with.lists.unreadable = NULL;
	with.lists.unheld = "black-dishonest";
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("NOT_COVERED"));
	with.lists.unheld = NULL;
	CU_ASSERT(check(ASK("open_account", "cnaps", "102332000012", "")) == OUTCOME_REFER);
	CU_ASSERT_TRUE(builtin("NOT_COVERED"));
	CU_ASSERT(check(ASK("open_account", "resident_id", "330802185001010014", "")) == OUTCOME_REFER);
	CU_ASSERT_TRUE(builtin("IDENTIFIER_INVALID"));
	CU_ASSERT_STRING_EQUAL(fact("identifier.status"), "check_digit");
	CU_ASSERT_STRING_EQUAL(with.decision.parties[0].masked, "***");
	list_add("black-dishonest", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(1, ENTRY_NO_END));
	CU_ASSERT(check(PLAIN) == OUTCOME_ENHANCED && builtin("LISTED"));
	rule_set_free(empty);
}

static void a_clock_that_is_not_trusted_makes_every_list_stale(void)
{
	checks_fresh();
	CU_ASSERT_TRUE_FATAL(request_of(PLAIN, NULL));
	checks_run(false);
	CU_ASSERT_EQUAL(with.decision.outcome, OUTCOME_REFER);
	CU_ASSERT_STRING_EQUAL(fact("clock_trusted"), "false");
	CU_ASSERT_TRUE(builtin("LIST_STALE"));
}

static void without_rules_or_catalogue_nothing_passes(void)
{
	checks_fresh();
	with.policy = (struct check_policy){ NULL, 0, with.catalogue, 6 };
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("NO_RULES"));
	with.policy = (struct check_policy){ with.rules, 5, NULL, 0 };
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("NO_CATALOGUE"));
	with.policy = (struct check_policy){ NULL, 0, NULL, 0 };
	CU_ASSERT(check(PLAIN) == OUTCOME_REFER && builtin("NO_RULES"));
}

static void a_hit_on_a_stale_list_is_a_hit(void)
{
	checks_fresh();
	list_add("sanctions", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(1, ENTRY_NO_END));
	with.lists.confirmed_s = with.now_s - 30 * 86400;
	CU_ASSERT_EQUAL(check(PLAIN), OUTCOME_REFUSE);
	CU_ASSERT_STRING_EQUAL(fact("list.sanctions"), "hit");
	CU_ASSERT_STRING_EQUAL(fact("list.black-fraud"), "stale");
}

static void a_white_lists_hit_is_a_fact_and_no_verdict(void)
{
	struct rule_set *empty = no_rules_at_all();
	checks_fresh();
	with.policy.rules = empty;
	list_add("white-payroll", IDENTIFIER_USCC, COMPANY, entry_value(1, ENTRY_NO_END));
	CU_ASSERT_EQUAL(check(ASK("open_account", "uscc", COMPANY, "")), OUTCOME_PASS);
	CU_ASSERT_STRING_EQUAL(fact("list.white-payroll"), "hit");
	CU_ASSERT_STRING_EQUAL(fact("any_list_hit"), "false");
	with.lists.unheld = "white-payroll";
	CU_ASSERT_EQUAL(check(ASK("open_account", "uscc", COMPANY, "")), OUTCOME_PASS);
	rule_set_free(empty);
}

static void a_credit_code_is_asked_for_the_organisation_code_inside_it(void)
{
	checks_fresh();
	list_add("sanctions", IDENTIFIER_ORG_CODE, COMPANY_ORG, entry_value(1, ENTRY_NO_END));
	CU_ASSERT_EQUAL(check(ASK("open_account", "uscc", COMPANY, "")), OUTCOME_REFUSE);
	CU_ASSERT_STRING_EQUAL(fact("list.sanctions.by"), "number");
}

static void a_counterpartys_number_does_not_make_the_subjects_namesake_a_hit_by_number(void)
{
	checks_fresh();
	list_add("black-fraud", IDENTIFIER_NAME, "示例甲", entry_value(1, ENTRY_NO_END));
	list_add("black-fraud", IDENTIFIER_RESIDENT_ID, OTHER, entry_value(2, ENTRY_NO_END));
	CU_ASSERT_EQUAL(check("{'request_id':'r','business':'open_account','subject':{'kind':'resident_id','"
			      "number':'" ADULT
			      "','name':'示例甲'},'counterparty':{'kind':'resident_id','number':'" OTHER
			      "'}," FACTS("") "}"),
			OUTCOME_REFER);
	CU_ASSERT_STRING_EQUAL(fact("list.black-fraud.by"), "number");
	CU_ASSERT_STRING_EQUAL(fact("list.black-fraud.reason"), "2");
	CU_ASSERT_STRING_EQUAL(fact("subject.list.black-fraud.by"), "name");
	CU_ASSERT_STRING_EQUAL(fact("counterparty.list.black-fraud.by"), "number");
}

static void an_identifier_is_the_same_however_it_is_written(void)
{
	checks_fresh();
	list_add("sanctions", IDENTIFIER_RESIDENT_ID, "33080218700305000X", entry_value(1, ENTRY_NO_END));
	CU_ASSERT_EQUAL(check(ASK("loan", "resident_id", "330802 18700305 000x", "")), OUTCOME_REFUSE);
	CU_ASSERT_EQUAL(check(ASK("loan", "resident_id", "３３０８０２１８７００３０５０００Ｘ", "")),
			OUTCOME_REFUSE);
}

static void more_evidence_never_removes_a_hit(void)
{
	static const char *const names[] = { "black-fraud", "black-dishonest", "sanctions", "white-payroll" };
	static const struct {
		enum identifier_kind kind;
		const char *number;
	} who[] = { { IDENTIFIER_RESIDENT_ID, ADULT },
		    { IDENTIFIER_RESIDENT_ID, OTHER },
		    { IDENTIFIER_NAME, "示例甲" },
		    { IDENTIFIER_NAME, "示例乙" } };
	static const char *const asks[] = { "open_account", "loan", "transfer" };
	uint64_t state = 20261125;
	for (int round = 0; round < 3000; round++) {
		char json[1024];
		checks_fresh();
		with.lists.confirmed_s = with.now_s - (int64_t)(set_random(&state) % (6 * 86400));
		bool party = set_random(&state) % 2 == 0, named = set_random(&state) % 2 == 0;
		const char *business = asks[set_random(&state) % 3];
		snprintf(json, sizeof(json),
			 "{'request_id':'r','business':'%s','subject':{'kind':'resident_id','number':'" ADULT
			 "'%s}%s}",
			 business, named ? ",'name':'示例甲'" : "",
			 party ? ",'counterparty':{'kind':'resident_id','number':'" OTHER "','name':'示例乙'}" : "");
		for (size_t n = set_random(&state) % 4; n > 0; n--) {
			size_t w = set_random(&state) % 4;
			list_add(names[set_random(&state) % 4], who[w].kind, who[w].number,
				 entry_value(1, ENTRY_NO_END));
		}
		enum outcome before = check(json);
		bool hit[4];
		for (size_t i = 0; i < 4; i++) {
			char name[64];
			snprintf(name, sizeof(name), "list.%s", names[i]);
			hit[i] = strcmp(fact(name), "hit") == 0;
		}
		/* One more: an entry, a staler list, a broken one, a counterparty, a name. */
		size_t w = set_random(&state) % 4;
		switch (set_random(&state) % 4) {
		case 0:
			list_add(names[set_random(&state) % 4], who[w].kind, who[w].number,
				 entry_value(2, ENTRY_NO_END));
			break;
		case 1: with.lists.confirmed_s -= 4 * 86400; break;
		case 2:
			snprintf(json, sizeof(json),
				 "{'request_id':'r','business':'%s','subject':{'kind':'resident_id','number':"
				 "'" ADULT "','name':'示例甲'},'counterparty':{'kind':'resident_id','number':'" OTHER
				 "','name':'示例乙'}}",
				 business);
			break;
		default: snprintf(strrchr(json, '}'), 64, ",'facts':{'phone_match':false,'dormant':true}}");
		}
		enum outcome after = check(json);
		if (after < before)
			printf("\nround %d: %s became %s\n", round, outcome_name(before), outcome_name(after));
		CU_ASSERT_FATAL(after >= before);
		for (size_t i = 0; i < 4; i++) {
			char name[64];
			snprintf(name, sizeof(name), "list.%s", names[i]);
			CU_ASSERT_FATAL(!hit[i] || strcmp(fact(name), "hit") == 0);
		}
	}
}

static void the_stored_facts_give_the_same_outcome_again(void)
{
	static struct decision read;
	static const char *const asks[] = { PLAIN, TRANSFER(",'amount_yuan':5000"), WITH("'dormant':true"),
					    ASK("open_account", "resident_id", CHILD, "") };
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct buf stored;
		size_t fired[RULES_MAX];
		enum outcome again;
		checks_fresh();
		list_add("black-fraud", IDENTIFIER_RESIDENT_ID, OTHER, entry_value(1, ENTRY_NO_END));
		enum outcome first = check(asks[i]);
		buf_init(&stored, JOURNAL_ROW_MAX);
		CU_ASSERT_TRUE_FATAL(decision_encode(&with.decision, &stored, NULL));
		CU_ASSERT_TRUE_FATAL(decision_decode(buf_bytes(&stored), &read, NULL));
		size_t n = rule_set_eval(with.rules, read.facts, read.facts_len, (read.time_s + 28800) / 86400, fired,
					 RULES_MAX, &again);
		CU_ASSERT_EQUAL(again, first);
		CU_ASSERT_EQUAL(n, read.reasons_len);
		buf_clear(&stored);
	}
}

static void the_fullest_decision_fits_its_journal_row(void)
{
	struct buf json, stored;
	checks_fresh();
	buf_init(&json, DOCUMENT_MAX);
	buf_add_str(&json, "{'type':'catalogue','title':{'zh':'满','en':'full'},'sample':true,'lists':[");
	for (unsigned i = 0; i < CATALOGUE_QUESTIONS_MAX; i++)
		buf_add_fmt(&json,
			    "%s{'name':'%032u','title':{'zh':'满','en':'full'},'kind':'black','covers':['"
			    "resident_id'],"
			    "'businesses':['*'],'roles':['%s'],'max_age_s':3600}",
			    i > 0 ? "," : "", i, i % 2 != 0 ? "subject" : "counterparty");
	buf_add_str(&json, "]}");
	struct buf document = cbor_of(buf_str(&json), "catalogue");
	struct catalogue *full = catalogue_parse(buf_bytes(&document), NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(full);
	with.policy.catalogue = full;
	with.lists.everything = true;
	buf_reset(&json);
	buf_add_str(&json, "{'request_id':'r','business':'transfer','subject':{'kind':'resident_id','number':'" ADULT
			   "'},'counterparty':{'kind':'resident_id','number':'" OTHER "'},'facts':{");
	for (unsigned i = 0; i < CHECK_FACTS_MAX; i++)
		buf_add_fmt(&json, "%s'f%031u':'%064u'", i > 0 ? "," : "", i, i);
	buf_add_str(&json, "}}");
	(void)check(buf_str(&json));
	buf_init(&stored, JOURNAL_ROW_MAX - 256);
	CU_ASSERT_EQUAL(with.decision.evidence_len, CATALOGUE_QUESTIONS_MAX);
	CU_ASSERT_TRUE(decision_encode(&with.decision, &stored, NULL));
	buf_clear(&stored);
	buf_clear(&document);
	buf_clear(&json);
	catalogue_free(full);
}

static void the_subject_is_sealed_and_only_the_journal_key_opens_it(void)
{
	static const uint8_t wrong[32] = { 3, 2, 1 };
	struct buf plain;
	checks_fresh();
	(void)check(ASK("loan", "resident_id", ADULT, ",'name':'示例甲'"));
	buf_init(&plain, CHECK_SEALED_MAX);
	CU_ASSERT_FALSE(check_unseal(&with.decision, wrong, &plain, NULL));
	buf_reset(&plain);
	CU_ASSERT_TRUE(check_unseal(&with.decision, checks_journal_key, &plain, NULL));
	CU_ASSERT_TRUE(cbor_check(buf_bytes(&plain), NULL));
	CU_ASSERT_PTR_NOT_NULL(memmem(plain.data, plain.len, ADULT, strlen(ADULT)));
	CU_ASSERT_PTR_NOT_NULL(memmem(plain.data, plain.len, "示例甲", strlen("示例甲")));
	buf_reset(&plain);
	with.decision.id[0] ^= 1; /* another decision's */
	CU_ASSERT_FALSE(check_unseal(&with.decision, checks_journal_key, &plain, NULL));
	buf_clear(&plain);
}

static void no_row_holds_the_number_or_the_name_in_the_open(void)
{
	struct buf stored;
	checks_fresh();
	(void)check(ASK("loan", "resident_id", ADULT, ",'name':'示例甲'"));
	buf_init(&stored, JOURNAL_ROW_MAX);
	CU_ASSERT_TRUE(decision_encode(&with.decision, &stored, NULL));
	CU_ASSERT_PTR_NULL(memmem(stored.data, stored.len, ADULT, strlen(ADULT)));
	CU_ASSERT_PTR_NULL(memmem(stored.data, stored.len, "示例甲", strlen("示例甲")));
	buf_clear(&stored);
}

static void a_follow_up_is_due_when_business_went_ahead_unverified(void)
{
	checks_fresh();
	CU_ASSERT_EQUAL(check(WITH("")), OUTCOME_ENHANCED);
	CU_ASSERT_TRUE(with.decision.follow_up);
	CU_ASSERT_EQUAL(check(WITH("'verified_online':true")), OUTCOME_PASS);
	CU_ASSERT_FALSE(with.decision.follow_up);
	list_add("sanctions", IDENTIFIER_RESIDENT_ID, ADULT, entry_value(1, ENTRY_NO_END));
	CU_ASSERT_EQUAL(check(WITH("")), OUTCOME_REFUSE);
	CU_ASSERT_FALSE(with.decision.follow_up);
}

static CU_TestInfo tests[] = {
	{ "a subject on no list passes", a_subject_on_no_list_passes },
	{ "each sample rule fires on its case and not on its neighbour",
	  each_sample_rule_fires_on_its_case_and_not_on_its_neighbour },
	{ "an entry past its last day never hits", an_entry_past_its_last_day_never_hits },
	{ "a rule past its last day is not asked", a_rule_past_its_last_day_is_not_asked },
	{ "sixteen years are complete on the birthday", sixteen_years_are_complete_on_the_birthday },
	{ "only not listed in time leads to pass, whatever the rules say",
	  only_not_listed_in_time_leads_to_pass_whatever_the_rules_say },
	{ "a clock that is not trusted makes every list stale", a_clock_that_is_not_trusted_makes_every_list_stale },
	{ "without rules or catalogue nothing passes", without_rules_or_catalogue_nothing_passes },
	{ "a hit on a stale list is a hit", a_hit_on_a_stale_list_is_a_hit },
	{ "a white list's hit is a fact and no verdict", a_white_lists_hit_is_a_fact_and_no_verdict },
	{ "a credit code is asked for the organisation code inside it",
	  a_credit_code_is_asked_for_the_organisation_code_inside_it },
	{ "a counterparty's number does not make the subject's namesake a hit by number",
	  a_counterpartys_number_does_not_make_the_subjects_namesake_a_hit_by_number },
	{ "an identifier is the same however it is written", an_identifier_is_the_same_however_it_is_written },
	{ "more evidence never removes a hit", more_evidence_never_removes_a_hit },
	{ "the stored facts give the same outcome again", the_stored_facts_give_the_same_outcome_again },
	{ "the fullest decision fits its journal row", the_fullest_decision_fits_its_journal_row },
	{ "the subject is sealed and only the journal key opens it",
	  the_subject_is_sealed_and_only_the_journal_key_opens_it },
	{ "no row holds the number or the name in the open", no_row_holds_the_number_or_the_name_in_the_open },
	{ "a follow-up is due when business went ahead unverified",
	  a_follow_up_is_due_when_business_went_ahead_unverified },
	CU_TEST_INFO_NULL,
};
SUITE(check, checks_setup, checks_teardown, tests);
