#include "protocol/envelope.h"

#include "protocol/base45.h"
#include "protocol/zip.h"

#include <string.h>

#define PREFIX_LEN 4
static const char *const prefixes[] = { [ECERT_XB1] = "XB1:", [ECERT_HC1] = "HC1:" };

static bool failed(enum envelope_fault *fault, enum envelope_fault what)
{
	*fault = what;
	return false;
}

static bool prefix_take(struct bytes text, enum ecert_profile *profile)
{
	for (int p = ECERT_XB1; p <= ECERT_HC1; p++) {
		if (text.len < PREFIX_LEN || memcmp(text.data, prefixes[p], PREFIX_LEN) != 0)
			continue;
		*profile = (enum ecert_profile)p;
		return true;
	}
	return false;
}

static enum envelope_fault zip_failed(enum zip_fault fault)
{
	switch (fault) {
	case ZIP_OK: break;
	case ZIP_NOT_ZLIB: return ENVELOPE_NOT_ZLIB;
	case ZIP_CUT_OFF: return ENVELOPE_CUT_OFF;
	case ZIP_DAMAGED: return ENVELOPE_CHECKSUM;
	case ZIP_TOO_LARGE: return ENVELOPE_TOO_LARGE;
	case ZIP_TRAILING: return ENVELOPE_TRAILING;
	}
	return ENVELOPE_OK;
}

/* Begins as a COSE message does (tag 18 or 61, or an array of four): then somebody left out zlib. Otherwise its first letters were changed. */
static bool is_message(const struct buf *packed)
{
	return packed->len > 1 && (packed->data[0] == 0xd2 || packed->data[0] == 0x84 ||
				   (packed->data[0] == 0xd8 && packed->data[1] == 0x3d));
}

bool envelope_open(struct bytes text, enum ecert_profile *profile, struct buf *cose, enum envelope_fault *fault,
		   struct err *e)
{
	enum zip_fault zip = ZIP_OK;
	size_t bad_at = SIZE_MAX;
	struct buf packed;
	*fault = ENVELOPE_OK;
	if (text.len == 0) {
		(void)err_set(e, ERR_INPUT, "the text is empty");
		return failed(fault, ENVELOPE_EMPTY);
	}
	if (text.len > ECERT_TEXT_MAX) {
		(void)err_set(e, ERR_INPUT, "a text of %zu characters, above %u", text.len, ECERT_TEXT_MAX);
		return failed(fault, ENVELOPE_TOO_LONG);
	}
	if (!prefix_take(text, profile)) {
		(void)err_set(e, ERR_INPUT, "the text begins as no certificate does");
		return failed(fault, ENVELOPE_NOT_OURS);
	}
	buf_init(&packed, ECERT_TEXT_MAX);
	bool ok = base45_decode((struct bytes){ text.data + PREFIX_LEN, text.len - PREFIX_LEN }, &packed, &bad_at, e);
	if (!ok)
		*fault = bad_at < text.len - PREFIX_LEN && !base45_has(text.data[PREFIX_LEN + bad_at])
				 ? ENVELOPE_ALPHABET
				 : ENVELOPE_BASE45;
	else if (!(ok = zip_inflate(buf_bytes(&packed), ECERT_COSE_MAX, cose, &zip, e)))
		*fault = zip == ZIP_NOT_ZLIB && !is_message(&packed) ? ENVELOPE_CHECKSUM : zip_failed(zip);
	buf_clear(&packed);
	return ok;
}

bool envelope_seal(enum ecert_profile profile, struct bytes cose, struct buf *text, struct err *e)
{
	struct buf packed;
	size_t from = text->len;
	if (cose.len > ECERT_COSE_MAX)
		return err_set(e, ERR_FULL, "a certificate of %zu bytes, above %u", cose.len, ECERT_COSE_MAX);
	buf_init(&packed, (size_t)2 * ECERT_COSE_MAX);
	bool ok = zip_deflate(cose, &packed, e);
	if (ok) {
		buf_add_str(text, prefixes[profile]);
		base45_encode(buf_bytes(&packed), text);
		ok = buf_ok(text, "certificate's text", e);
	}
	buf_clear(&packed);
	if (ok && text->len - from > ECERT_TEXT_MAX)
		return err_set(e, ERR_FULL, "a text of %zu characters, above %u", text->len - from, ECERT_TEXT_MAX);
	return ok;
}
