#include "protocol/cose.h"

#include "protocol/base/limits.h"

#include <string.h>

void cose_kid(const uint8_t point[POINT_LEN], uint8_t kid[COSE_KID_LEN])
{
	uint8_t hash[HASH_LEN];
	sha256((struct bytes){ point, POINT_LEN }, hash);
	memcpy(kid, hash, COSE_KID_LEN);
}

bool cose_sign(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const struct random *r,
	       const char *context, struct bytes payload, struct buf *out, struct err *e)
{
	uint8_t kid[COSE_KID_LEN];
	cose_kid(point, kid);
	return sign1_sign(scalar, (struct bytes){ kid, COSE_KID_LEN }, r, bytes_of(context), payload, out, e);
}

bool cose_parse(struct bytes data, struct cose *out, struct err *e)
{
	struct buf unused;
	if (data.len > COSE_MAX)
		return err_set(e, ERR_FULL, "a signed message of %zu bytes, above %u", data.len, COSE_MAX);
	buf_init(&unused, 0);
	if (!sign1_parse(data, SIGN1_STRICT, &unused, &out->message, e))
		return false;
	if (out->message.alg != ALG_ES256)
		return err_set(e, ERR_INPUT, "COSE: algorithm %s instead of ES256", alg_name(out->message.alg));
	if (out->message.kid.len != COSE_KID_LEN || out->message.signature.len != SIGNATURE_LEN)
		return err_set(e, ERR_INPUT, "COSE: a key identifier or a signature of another length");
	memcpy(out->kid, out->message.kid.data, COSE_KID_LEN);
	out->payload = out->message.payload;
	return true;
}

bool cose_verify(const struct cose *c, const uint8_t point[POINT_LEN], const char *context, struct err *e)
{
	struct buf text;
	bool ok = sign1_text(&c->message, bytes_of(context), &text, e) &&
		  verify_es256(point, buf_bytes(&text), c->message.signature.data, e);
	buf_clear(&text);
	return ok;
}
