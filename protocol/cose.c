#include "protocol/cose.h"

#include "protocol/base/limits.h"

#include <string.h>

#define TAG_SIGN1   18
#define HEADER_ALG  1
#define HEADER_KID  4
#define ALG_ES256   (-7)
#define CONTEXT_MAX 256

void cose_kid(const uint8_t point[POINT_LEN], uint8_t kid[COSE_KID_LEN])
{
	uint8_t hash[HASH_LEN];
	sha256((struct bytes){ point, POINT_LEN }, hash);
	memcpy(kid, hash, COSE_KID_LEN);
}

/* Sig_structure = [ "Signature1", protected, external_aad, payload ] */
static bool sig_structure(struct bytes protected_header, const char *context, struct bytes payload, struct buf *out,
			  struct err *e)
{
	buf_init(out, payload.len + CONTEXT_MAX);
	cbor_put_array(out, 4);
	cbor_put_text(out, "Signature1");
	cbor_put_bytes(out, protected_header);
	cbor_put_bytes(out, bytes_of(context));
	cbor_put_bytes(out, payload);
	return buf_ok(out, "signature structure", e);
}

static void protected_encode(const uint8_t point[POINT_LEN], struct buf *out)
{
	uint8_t kid[COSE_KID_LEN];
	cose_kid(point, kid);
	buf_init(out, 64);
	cbor_put_map(out, 2);
	cbor_put_uint(out, HEADER_ALG);
	cbor_put_int(out, ALG_ES256);
	cbor_put_uint(out, HEADER_KID);
	cbor_put_bytes(out, (struct bytes){ kid, COSE_KID_LEN });
}

bool cose_sign(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const struct random *r,
	       const char *context, struct bytes payload, struct buf *out, struct err *e)
{
	struct buf header, signed_bytes;
	uint8_t signature[SIGNATURE_LEN];
	protected_encode(point, &header);
	bool ok = sig_structure(buf_bytes(&header), context, payload, &signed_bytes, e) &&
		  sign_es256(scalar, r, buf_bytes(&signed_bytes), signature, e);
	if (ok) {
		cbor_put_tag(out, TAG_SIGN1);
		cbor_put_array(out, 4);
		cbor_put_bytes(out, buf_bytes(&header));
		cbor_put_map(out, 0);
		cbor_put_bytes(out, payload);
		cbor_put_bytes(out, (struct bytes){ signature, SIGNATURE_LEN });
		ok = buf_ok(out, "signed message", e);
	}
	buf_clear(&header);
	buf_clear(&signed_bytes);
	return ok;
}

static bool protected_decode(struct bytes header, uint8_t kid[COSE_KID_LEN], struct err *e)
{
	struct cbor c = cbor_over(header);
	int64_t alg = 0;
	if (!cbor_expect_map(&c, 2, e) || !cbor_expect_key(&c, HEADER_ALG, e) || !cbor_get_int(&c, &alg, e))
		return false;
	if (alg != ALG_ES256)
		return err_set(e, ERR_INPUT, "algorithm %lld instead of ES256", (long long)alg);
	return cbor_expect_key(&c, HEADER_KID, e) && cbor_get_bytes_exact(&c, kid, COSE_KID_LEN, e) &&
	       cbor_end(&c, e);
}

bool cose_parse(struct bytes data, struct cose *out, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t tag = 0;
	if (data.len > COSE_MAX)
		return err_set(e, ERR_FULL, "a signed message of %zu bytes, above %u", data.len, COSE_MAX);
	if (!cbor_get_tag(&c, &tag, e))
		return err_wrap(e, "COSE");
	if (tag != TAG_SIGN1)
		return err_set(e, ERR_INPUT, "COSE: tag %llu instead of 18", (unsigned long long)tag);
	if (!cbor_expect_array(&c, 4, e) || !cbor_get_bytes(&c, &out->protected_header, e) ||
	    !protected_decode(out->protected_header, out->kid, e) || !cbor_expect_map(&c, 0, e) ||
	    !cbor_get_bytes(&c, &out->payload, e) || !cbor_get_bytes_exact(&c, out->signature, SIGNATURE_LEN, e) ||
	    !cbor_end(&c, e))
		return err_wrap(e, "COSE");
	return true;
}

bool cose_verify(const struct cose *c, const uint8_t point[POINT_LEN], const char *context, struct err *e)
{
	struct buf signed_bytes;
	bool ok = sig_structure(c->protected_header, context, c->payload, &signed_bytes, e) &&
		  verify_es256(point, buf_bytes(&signed_bytes), c->signature, e);
	buf_clear(&signed_bytes);
	return ok;
}
