#include "protocol/sign1.h"

#include "protocol/cbor_normal.h"
#include "protocol/base/limits.h"

#include <string.h>

enum { TAG_SIGN1 = 18, TAG_CWT = 61 };
enum { LABEL_ALG = 1, LABEL_CRIT = 2, LABEL_KID = 4 };
#define SIGNED_ROOM 64 /* the Sig_structure's own bytes */

/* Sig_structure = [ "Signature1", protected, external_aad, payload ] */
static void sig_structure(struct bytes protected_header, struct bytes aad, struct bytes payload, struct buf *out)
{
	buf_init(out, protected_header.len + aad.len + payload.len + SIGNED_ROOM);
	cbor_put_array(out, 4);
	cbor_put_text(out, "Signature1");
	cbor_put_bytes(out, protected_header);
	cbor_put_bytes(out, aad);
	cbor_put_bytes(out, payload);
}

static void protected_put(struct bytes kid, struct buf *out)
{
	cbor_put_map(out, 2);
	cbor_put_uint(out, LABEL_ALG);
	cbor_put_int(out, ALG_ES256);
	cbor_put_uint(out, LABEL_KID);
	cbor_put_bytes(out, kid);
}

bool sign1_sign(const uint8_t scalar[SCALAR_LEN], struct bytes kid, const struct random *r, struct bytes aad,
		struct bytes payload, struct buf *out, struct err *e)
{
	struct buf header, text;
	uint8_t signature[SIGNATURE_LEN];
	buf_init(&header, 64);
	protected_put(kid, &header);
	sig_structure(buf_bytes(&header), aad, payload, &text);
	bool ok = buf_ok(&header, "protected header", e) && buf_ok(&text, "signature structure", e) &&
		  sign_es256(scalar, r, buf_bytes(&text), signature, e);
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
	buf_clear(&text);
	return ok;
}

/* --- reading --- */

static bool strict_protected(struct sign1 *s, struct err *e)
{
	struct cbor c = cbor_over(s->protected_header);
	if (!cbor_expect_map(&c, 2, e) || !cbor_expect_key(&c, LABEL_ALG, e) || !cbor_get_int(&c, &s->alg, e) ||
	    !cbor_key_bytes(&c, LABEL_KID, &s->kid, e) || !cbor_end(&c, e))
		return err_wrap(e, "protected header");
	s->has_alg = true;
	return true;
}

static bool strict_parse(struct cbor *c, struct sign1 *s, struct err *e)
{
	uint64_t tag;
	if (!cbor_get_tag(c, &tag, e))
		return false;
	if (tag != TAG_SIGN1)
		return err_set(e, ERR_INPUT, "tag %llu instead of 18", (unsigned long long)tag);
	return cbor_expect_array(c, 4, e) && cbor_get_bytes(c, &s->protected_header, e) && strict_protected(s, e) &&
	       cbor_expect_map(c, 0, e) && cbor_get_bytes(c, &s->payload, e) && cbor_get_bytes(c, &s->signature, e) &&
	       cbor_end(c, e);
}

/* Labels of a header are integers or text. */
struct label {
	bool is_int;
	int64_t value;
};

static bool label_get(struct cbor *c, struct label *l, struct err *e)
{
	enum cbor_type t;
	struct bytes text;
	*l = (struct label){ 0 };
	if (!cbor_peek(c, &t))
		return err_set(e, ERR_INPUT, "a header ends too early");
	l->is_int = t == CBOR_UINT || t == CBOR_NINT;
	return l->is_int ? cbor_get_int(c, &l->value, e) : cbor_get_text(c, &text, e);
}

/* An algorithm of text is one that nobody has registered: as good as one we do not know. */
static bool alg_get(struct cbor *c, bool *has, int64_t *alg, struct err *e)
{
	enum cbor_type t;
	struct bytes text;
	*has = true;
	if (cbor_peek(c, &t) && t == CBOR_TEXT) {
		*alg = 0;
		return cbor_get_text(c, &text, e);
	}
	return cbor_get_int(c, alg, e);
}

static bool crit_check(struct cbor *c, struct err *e)
{
	size_t n;
	if (!cbor_get_array(c, 16, &n, e))
		return false;
	if (n == 0)
		return err_set(e, ERR_INPUT, "crit is empty");
	for (; n > 0; n--) {
		struct label l;
		if (!label_get(c, &l, e))
			return false;
		if (!l.is_int || (l.value != LABEL_ALG && l.value != LABEL_KID))
			return err_set(e, ERR_INPUT, "a critical header that we do not know");
	}
	return true;
}

static bool value_read(struct cbor *c, bool is_protected, int64_t label, struct sign1 *s, struct err *e)
{
	struct bytes skipped;
	switch (label) {
	case LABEL_ALG:
		return is_protected ? alg_get(c, &s->has_alg, &s->alg, e)
				    : alg_get(c, &s->has_outer_alg, &s->outer_alg, e);
	case LABEL_CRIT: return is_protected ? crit_check(c, e) : err_set(e, ERR_INPUT, "crit is not protected");
	case LABEL_KID:
		if (s->kid.data == NULL)
			return cbor_get_bytes(c, &s->kid, e);
		break;
	default: break;
	}
	return cbor_get_item(c, &skipped, e);
}

static bool header_read(struct cbor *c, bool is_protected, struct sign1 *s, struct err *e)
{
	size_t pairs;
	struct bytes skipped;
	if (!cbor_get_map(c, 64, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		struct label l;
		if (!label_get(c, &l, e) ||
		    !(l.is_int ? value_read(c, is_protected, l.value, s, e) : cbor_get_item(c, &skipped, e)))
			return false;
	}
	return true;
}

/* The header's own bytes stay as they are for the signature; what they say is read from a normal copy behind the message. */
static bool foreign_protected(struct sign1 *s, struct buf *memory, struct err *e)
{
	size_t from = memory->len;
	/* No protected headers are signed as no bytes, whichever way they were written (RFC 9052, sections 3 and 4.4). */
	if (s->protected_header.len == 1 && s->protected_header.data[0] == 0xa0)
		s->protected_header.len = 0;
	if (s->protected_header.len == 0)
		return true;
	if (!cbor_normalise(s->protected_header, memory, e))
		return err_wrap(e, "protected header");
	struct cbor c = cbor_over((struct bytes){ memory->data + from, memory->len - from });
	return (header_read(&c, true, s, e) && cbor_end(&c, e)) || err_wrap(e, "protected header");
}

static bool foreign_tags(struct cbor *c, struct err *e)
{
	enum cbor_type t;
	uint64_t tag, before = 0;
	while (cbor_peek(c, &t) && t == CBOR_TAG) {
		if (!cbor_get_tag(c, &tag, e))
			return false;
		bool ok = (tag == TAG_CWT && before == 0) || (tag == TAG_SIGN1 && before != TAG_SIGN1);
		if (!ok)
			return err_set(e, ERR_INPUT, "tag %llu where none, 18 or 61 stands", (unsigned long long)tag);
		before = tag;
	}
	return true;
}

static bool foreign_parse(struct bytes data, struct buf *memory, struct sign1 *s, struct err *e)
{
	if (data.len > ECERT_COSE_MAX)
		return err_set(e, ERR_FULL, "a message of %zu bytes, above %u", data.len, ECERT_COSE_MAX);
	/* Room for both copies at once, so that nothing moves under what is borrowed. */
	size_t room = 2 * CBOR_NORMAL_MAX(data.len);
	if (buf_grow(memory, room) == NULL)
		return err_set(e, ERR_FULL, "no room to read a message of %zu bytes", data.len);
	memory->len -= room;
	if (!cbor_normalise(data, memory, e))
		return false;
	struct cbor c = cbor_over(buf_bytes(memory));
	if (!foreign_tags(&c, e) || !cbor_expect_array(&c, 4, e) || !cbor_get_bytes(&c, &s->protected_header, e) ||
	    !foreign_protected(s, memory, e) || !header_read(&c, false, s, e))
		return false;
	return cbor_get_bytes(&c, &s->payload, e) && cbor_get_bytes(&c, &s->signature, e) && cbor_end(&c, e);
}

bool sign1_parse(struct bytes data, enum sign1_form form, struct buf *memory, struct sign1 *out, struct err *e)
{
	struct cbor c = cbor_over(data);
	memset(out, 0, sizeof(*out));
	buf_reset(memory);
	bool ok = form == SIGN1_STRICT ? strict_parse(&c, out, e) : foreign_parse(data, memory, out, e);
	if (ok && out->kid.len > ECERT_KID_MAX)
		ok = err_set(e, ERR_INPUT, "a key identifier of %zu bytes", out->kid.len);
	return ok || err_wrap(e, "COSE");
}

bool sign1_text(const struct sign1 *s, struct bytes aad, struct buf *out, struct err *e)
{
	sig_structure(s->protected_header, aad, s->payload, out);
	return buf_ok(out, "signature structure", e);
}

bool sign1_verify(const struct sign1 *s, struct public_key *key, struct bytes aad, struct err *e)
{
	struct buf text;
	bool ok = sign1_text(s, aad, &text, e) && public_key_verify(key, buf_bytes(&text), s->signature, e);
	buf_clear(&text);
	return ok;
}
