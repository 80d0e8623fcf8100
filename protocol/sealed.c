#include "protocol/sealed.h"

#include "protocol/base/limits.h"
#include "protocol/cbor.h"

#include <stdio.h>

#define CONTEXT_MAX 96

static struct bytes context_of(const char *what, const char *branch, char text[CONTEXT_MAX])
{
	snprintf(text, CONTEXT_MAX, "%s%s", what, branch);
	return bytes_of(text);
}

bool sealed_put(const uint8_t point[POINT_LEN], const struct random *r, const char *what, const char *branch,
		struct bytes plain, struct buf *out, struct err *e)
{
	char context[CONTEXT_MAX];
	struct buf sealed;
	buf_init(&sealed, plain.len + SEAL_OVERHEAD);
	bool ok = seal_to(point, r, context_of(what, branch, context), plain, &sealed, e);
	if (ok)
		cbor_put_bytes(out, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok && buf_ok(out, "what was sealed", e);
}

bool sealed_get(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const char *what,
		const char *branch, struct bytes data, struct buf *plain, struct err *e)
{
	struct cbor c = cbor_over(data);
	struct bytes sealed;
	char context[CONTEXT_MAX];
	return cbor_get_bytes(&c, &sealed, e) && cbor_end(&c, e) &&
	       seal_open(scalar, point, context_of(what, branch, context), sealed, plain, e);
}
