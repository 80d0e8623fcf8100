/* Claims of the EU's certificates: however they are written they say the same, in text that is whole. */
#include "protocol/base/limits.h"
#include "protocol/base/utf8.h"
#include "protocol/cbor_normal.h"
#include "protocol/hcert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_text(const char *s, size_t room)
{
	size_t len = strnlen(s, room);
	return len < room && utf8_is_valid((struct bytes){ (const uint8_t *)s, len });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes all = { data, size };
	static struct ecert c, same;
	enum hcert_layer layer;
	struct identifier identity;
	struct buf normal;
	bool ok = hcert_decode(all, &c, &layer, NULL);
	if (size > ECERT_COSE_MAX)
		return 0;
	buf_init(&normal, CBOR_NORMAL_MAX(ECERT_COSE_MAX));
	if (ok && (!cbor_normalise(all, &normal, NULL) ||
		   (normal.len <= ECERT_COSE_MAX &&
		    (!hcert_decode(buf_bytes(&normal), &same, &layer, NULL) || memcmp(&c, &same, sizeof(c)) != 0))))
		abort();
	if (ok &&
	    (c.profile != ECERT_HC1 || !is_text(c.issuer, sizeof(c.issuer)) || !is_text(c.id, sizeof(c.id)) ||
	     !is_text(c.type, sizeof(c.type)) || !is_text(c.holder_name, sizeof(c.holder_name)) ||
	     !is_text(c.standard_name, sizeof(c.standard_name)) || !is_text(c.birth_date, sizeof(c.birth_date))))
		abort();
	if (ok)
		(void)ecert_identity(&c, &identity, NULL);
	buf_clear(&normal);
	return 0;
}
