/* Any text under the scanner, all the way: repaired, verified without a single key; there is always a verdict, and never trust. */
#include "firmware/verify.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verify_policy policy;
	static const struct verify_setting setting = { .policy = &policy, .now_s = 1780286400 };
	static struct verdict v;
	struct verify_request r = { .text = { data, size }, .business = "loan" };
	struct scan_text repaired;
	struct buf text;
	buf_init(&text, ECERT_TEXT_MAX);
	scan_text_repair(r.text, NULL, &text, &repaired);
	for (int i = 0; i < 2; i++) {
		verify_run(&setting, &r, &v);
		if (v.authentic || v.code == SCAN_ACCEPTED || v.outcome < SCAN_REFER || v.findings_len != 1 ||
		    v.cert.id[0] != '\0')
			abort();
		r.text = buf_bytes(&text);
	}
	buf_clear(&text);
	return 0;
}
