/* Any bytes as a rule document: refused, or a rule set that can be asked; and as one predicate. */
#include "protocol/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct rule_fact facts[] = { { "age_years", { .kind = VALUE_NUMBER, .number = 18 } },
				     { "business", { .kind = VALUE_TEXT, .text = bytes_of("loan") } } };
	size_t fired[RULES_MAX];
	enum outcome outcome;
	struct rule_set *s = rule_set_parse(in, NULL);
	if (s != NULL)
		(void)rule_set_eval(s, facts, 2, 20000, fired, RULES_MAX, &outcome);
	rule_set_free(s);
	struct predicate *p = predicate_parse(in, NULL);
	if (p != NULL)
		(void)predicate_eval(p, facts, 2);
	predicate_free(p);
	return 0;
}
