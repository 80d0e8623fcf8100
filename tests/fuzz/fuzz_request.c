/* A check's request as a stranger may send it: taken or refused, and what is taken keeps to its bounds. */
#include "firmware/check.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check_request r;
	struct err e = { 0 };
	if (!check_request_parse((struct bytes){ data, size }, &r, &e)) {
		assert(e.code == ERR_INPUT && e.text[0] != '\0');
		return 0;
	}
	assert(request_id_is_valid(r.request_id) && r.facts_len <= CHECK_FACTS_MAX);
	assert(r.subject.kind != IDENTIFIER_NAME || r.subject.number[0] == '\0');
	for (size_t i = 0; i < r.facts_len; i++)
		assert(r.facts[i].value.kind != VALUE_TEXT || r.facts[i].value.text.len <= CHECK_FACT_TEXT_MAX);
	return 0;
}
