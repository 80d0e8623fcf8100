/*
 * Any bytes as a PMML scorecard: refused with a reason, or a card that is written as the text that reads back as itself, that
 * lint gets through, and that tables and plain text score alike.
 */
#include "central/score/fast.h"
#include "central/score/lint.h"
#include "central/score/pmml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct score plain, fast;

static void note(void *arg, const struct lint_finding *f)
{
	(void)arg;
	if (f->kind >= LINT_KINDS || f->what[0] == '\0')
		abort();
}

static void alike(const struct card *c, uint64_t seed)
{
	static const char *const texts[] = { "", "1", "-3.5", "classA", "A", "true", "1e9", "12.2", "5" };
	struct value given[CARD_FIELDS_MAX];
	struct fast *f = fast_new(c);
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < c->fields_len; i++) {
			seed = seed * 6364136223846793005U + 1442695040888963407U;
			given[i] = score_input(&c->fields[i], bytes_of(texts[(seed >> 33) % 9]));
		}
		score_run(c, given, &plain);
		fast_run(f, given, &fast);
		if (plain.fault != fast.fault || plain.reasons_len != fast.reasons_len ||
		    isnan(plain.value) != isnan(fast.value) || plain.value < fast.value || plain.value > fast.value)
			abort();
	}
	fast_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct buf first, second;
	struct card *c = pmml_read((struct bytes){ data, size }, &e);
	if (c == NULL) {
		if (e.text[0] == '\0')
			abort();
		return 0;
	}
	buf_init(&first, DOCUMENT_MAX);
	buf_init(&second, DOCUMENT_MAX);
	if (pmml_write(c, &first, &e)) { /* what is indented may be longer than what was read */
		struct card *again = pmml_read(buf_bytes(&first), &e);
		if (again == NULL || !pmml_write(again, &second, &e) ||
		    !bytes_equal(buf_bytes(&first), buf_bytes(&second)))
			abort();
		card_free(again);
	}
	(void)lint_run(c, note, NULL);
	alike(c, size);
	buf_clear(&first);
	buf_clear(&second);
	card_free(c);
	return 0;
}
