/* Any bytes as the issuers document: refused, or a list whose keys are counted right and found by their kids. */
#include "protocol/issuers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct issuers *s = issuers_parse((struct bytes){ data, size }, NULL);
	for (size_t i = 0; s != NULL && i < s->keys_len; i++) {
		const struct issuer_key *k = &s->keys[i], *found = NULL;
		struct bytes kid = { k->kid, k->kid_len };
		while ((found = issuers_next(s, k->issuer->profile, kid, found)) != NULL && found != k)
			continue;
		if (found != k)
			abort();
		(void)issuer_key_covers(k, "11100000000013338W009");
	}
	if (s != NULL && (s->keys_len > s->keys_total || s->faults_len > s->keys_total - s->keys_len))
		abort();
	issuers_free(s);
	return 0;
}
