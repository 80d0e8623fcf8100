#include "protocol/ecert.h"

#include "protocol/base/utf8.h"
#include "protocol/ecert_id.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define OID ECERT_ID_OID

enum claim { CLAIM_ISS = 1, CLAIM_EXP = 4, CLAIM_NBF = 5, CLAIM_IAT = 6, CLAIM_CTI = 7 };
enum own { OWN_NUMBER = 1, OWN_KIND, OWN_NAME, OWN_MASKED, OWN_TAG, OWN_DIGEST };

const char *ecert_profile_name(enum ecert_profile p)
{
	return p == ECERT_HC1 ? "hc1" : "xb1";
}

static const char *const status_names[ECERT_STATUS_LAST + 1][2] = {
	[ECERT_VALID] = { "valid", "有效" },
	[ECERT_REVOKED] = { "revoked", "已吊销" },
	[ECERT_SUSPENDED] = { "suspended", "已暂停" },
	[ECERT_SUPERSEDED] = { "superseded", "已被新版取代" },
};

const char *ecert_status_name(enum ecert_status s)
{
	return (unsigned)s <= ECERT_STATUS_LAST ? status_names[s][0] : "unknown";
}

const char *ecert_status_zh(enum ecert_status s)
{
	return (unsigned)s <= ECERT_STATUS_LAST ? status_names[s][1] : "未知";
}

/* The identifier's parts into issuer, type and version; the text itself in upper case. */
static bool id_take(struct ecert *c, const char *text, struct err *e)
{
	struct ecert_id id;
	if (!ecert_id_parse(bytes_of(text), &id, NULL, e))
		return false;
	_Static_assert(sizeof(id.type) == sizeof(c->type) && sizeof(id.issuer) == sizeof(c->issuer) &&
			       sizeof(id.version) <= sizeof(c->version),
		       "parts fit");
	memcpy(c->type, id.type, sizeof(id.type));
	memcpy(c->version, id.version, sizeof(id.version));
	memcpy(c->id, text, strlen(text) + 1);
	if (strcmp(c->issuer, id.issuer) != 0)
		return err_set(e, ERR_INPUT, "iss is not the issuer in the identifier");
	return true;
}

static bool times_are_good(const struct ecert *c)
{
	bool ends = c->to_s != ECERT_NO_END;
	return c->issued_s >= 0 && c->issued_s <= TIME_MAX_S && c->from_s >= 0 && c->from_s <= TIME_MAX_S &&
	       (!ends || (c->to_s > c->from_s && c->to_s <= TIME_MAX_S));
}

static bool holder_check(const struct ecert *c, struct err *e)
{
	bool masked = c->holder_masked[0] != '\0';
	if (c->holder_kind == 0)
		return (!c->holder_is_tagged && !masked) ||
		       err_set(e, ERR_INPUT, "the holder's document is of no kind");
	return (c->holder_kind <= IDENTIFIER_KIND_LAST && c->holder_kind != IDENTIFIER_ECERT &&
		c->holder_is_tagged != masked) ||
	       err_set(e, ERR_INPUT, "the holder's document is none, or both or neither masked and a tag");
}

static bool claims_check(const struct ecert *c, struct err *e)
{
	struct ecert copy = *c;
	if (!id_take(&copy, c->id, e))
		return false;
	if (!times_are_good(c))
		return err_set(e, ERR_INPUT, "the times are none, or it would end before it begins");
	if (!holder_check(c, e))
		return false;
	if (!utf8_is_valid(bytes_of(c->number)) || !utf8_is_valid(bytes_of(c->holder_name)) ||
	    !utf8_is_valid(bytes_of(c->holder_masked)))
		return err_set(e, ERR_INPUT, "text that is not UTF-8");
	return true;
}

static void text_put(struct buf *out, enum own key, const char *text)
{
	if (text[0] == '\0')
		return;
	cbor_put_uint(out, key);
	cbor_put_text(out, text);
}

static void own_put(const struct ecert *c, struct buf *out)
{
	uint8_t tag[8];
	cbor_put_int(out, ECERT_CLAIM_PRIVATE);
	cbor_put_map(out, (size_t)(c->number[0] != '\0') + (c->holder_kind != 0 ? 2 : 0) +
				  (c->holder_name[0] != '\0') + c->has_digest);
	text_put(out, OWN_NUMBER, c->number);
	if (c->holder_kind != 0) {
		cbor_put_uint(out, OWN_KIND);
		cbor_put_uint(out, c->holder_kind);
	}
	text_put(out, OWN_NAME, c->holder_name);
	text_put(out, OWN_MASKED, c->holder_masked);
	if (c->holder_is_tagged) {
		for (int i = 0; i < 8; i++)
			tag[i] = (uint8_t)(c->holder_tag >> (56 - 8 * i));
		cbor_put_uint(out, OWN_TAG);
		cbor_put_array(out, 2);
		cbor_put_uint(out, c->holder_epoch);
		cbor_put_bytes(out, (struct bytes){ tag, sizeof(tag) });
	}
	if (c->has_digest) {
		cbor_put_uint(out, OWN_DIGEST);
		cbor_put_bytes(out, (struct bytes){ c->digest, HASH_LEN });
	}
}

bool ecert_encode(const struct ecert *c, struct buf *out, struct err *e)
{
	if (!claims_check(c, e))
		return err_wrap(e, "certificate");
	cbor_put_map(out, c->to_s == ECERT_NO_END ? 5 : 6);
	cbor_put_uint(out, CLAIM_ISS);
	cbor_put_text(out, c->issuer);
	if (c->to_s != ECERT_NO_END) {
		cbor_put_uint(out, CLAIM_EXP);
		cbor_put_uint(out, (uint64_t)c->to_s);
	}
	cbor_put_uint(out, CLAIM_NBF);
	cbor_put_uint(out, (uint64_t)c->from_s);
	cbor_put_uint(out, CLAIM_IAT);
	cbor_put_uint(out, (uint64_t)c->issued_s);
	cbor_put_uint(out, CLAIM_CTI);
	cbor_put_bytes(out, bytes_of(c->id + strlen(OID)));
	own_put(c, out);
	return buf_ok(out, "certificate", e);
}

static bool tag_get(struct cbor *in, struct ecert *c, struct err *e)
{
	uint64_t epoch;
	uint8_t tag[8];
	if (!cbor_expect_array(in, 2, e) || !cbor_get_uint_max(in, UINT32_MAX, &epoch, e) ||
	    !cbor_get_bytes_exact(in, tag, sizeof(tag), e))
		return false;
	c->holder_is_tagged = true;
	c->holder_epoch = (uint32_t)epoch;
	for (size_t i = 0; i < sizeof(tag); i++)
		c->holder_tag = c->holder_tag << 8 | tag[i];
	return true;
}

/* A text that stands there is not empty: otherwise one certificate could be written in two ways. */
static bool text_get(struct cbor *in, char *out, size_t size, struct err *e)
{
	return cbor_get_string(in, out, size, e) && (out[0] != '\0' || err_set(e, ERR_INPUT, "an empty text"));
}

static bool own_get(struct cbor *in, struct ecert *c, struct err *e)
{
	size_t pairs;
	uint64_t key, kind;
	if (!cbor_get_map(in, OWN_DIGEST, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		bool ok = cbor_get_uint(in, &key, e);
		if (!ok)
			return false;
		switch (key) {
		case OWN_NUMBER: ok = text_get(in, c->number, sizeof(c->number), e); break;
		case OWN_KIND:
			ok = cbor_get_uint_max(in, IDENTIFIER_KIND_LAST, &kind, e) &&
			     (kind != 0 || err_set(e, ERR_INPUT, "the holder's document is of kind 0"));
			if (ok)
				c->holder_kind = (enum identifier_kind)kind;
			break;
		case OWN_NAME: ok = text_get(in, c->holder_name, sizeof(c->holder_name), e); break;
		case OWN_MASKED: ok = text_get(in, c->holder_masked, sizeof(c->holder_masked), e); break;
		case OWN_TAG: ok = tag_get(in, c, e); break;
		case OWN_DIGEST:
			ok = cbor_get_bytes_exact(in, c->digest, HASH_LEN, e);
			c->has_digest = true;
			break;
		default: return err_set(e, ERR_INPUT, "unknown claim %llu of ours", (unsigned long long)key);
		}
		if (!ok)
			return err_wrap(e, "claim %llu of ours", (unsigned long long)key);
	}
	return true;
}

static bool time_claim(struct cbor *in, enum claim claim, int64_t *time_s, struct err *e)
{
	return cbor_key_time(in, claim, time_s, e);
}

static bool claims_get(struct cbor *in, struct ecert *c, char id[ECERT_ID_MAX + 1], struct err *e)
{
	struct bytes cti;
	int64_t private;
	size_t pairs;
	if (!cbor_get_map(in, 6, &pairs, e) || !cbor_key_string(in, CLAIM_ISS, c->issuer, sizeof(c->issuer), e))
		return false;
	if (pairs != 5 && pairs != 6)
		return err_set(e, ERR_INPUT, "%zu claims instead of 5 or 6", pairs);
	c->to_s = ECERT_NO_END;
	if ((pairs == 6 && !time_claim(in, CLAIM_EXP, &c->to_s, e)) || !time_claim(in, CLAIM_NBF, &c->from_s, e) ||
	    !time_claim(in, CLAIM_IAT, &c->issued_s, e) || !cbor_key_bytes(in, CLAIM_CTI, &cti, e))
		return false;
	if (cti.len > ECERT_ID_MAX - strlen(OID) || memchr(cti.data, '\0', cti.len) != NULL)
		return err_set(e, ERR_INPUT, "an identifier of %zu bytes, or with a NUL", cti.len);
	snprintf(id, ECERT_ID_MAX + 1, "%s%.*s", OID, (int)cti.len, (const char *)cti.data);
	if (!cbor_get_int(in, &private, e))
		return false;
	if (private != ECERT_CLAIM_PRIVATE)
		return err_set(e, ERR_INPUT, "unknown claim %lld", (long long)private);
	return own_get(in, c, e) && cbor_end(in, e);
}

bool ecert_decode(struct bytes cwt, struct ecert *out, struct err *e)
{
	struct cbor in = cbor_over(cwt);
	char id[ECERT_ID_MAX + 1];
	memset(out, 0, sizeof(*out));
	out->profile = ECERT_XB1;
	/* cbor_check: keys in order and never twice, which the readers above do not ask by themselves. */
	if (cbor_check(cwt, e) && claims_get(&in, out, id, e) && id_take(out, id, e) && claims_check(out, e))
		return true;
	memset(out, 0, sizeof(*out));
	return err_wrap(e, "certificate");
}

/* Behind prefix, in whatever case it is written. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncasecmp(text, prefix, len) == 0 ? text + len : text;
}

/* Issuers of the EU write what they like: what is too long, or no printable ASCII, goes by its hash. */
static bool identity_is_plain(const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len <= IDENTIFIER_ECERT_MAX;
}

bool ecert_identity(const struct ecert *c, struct identifier *out, struct err *e)
{
	char text[2 * IDENTIFIER_ECERT_MAX + 1];
	uint8_t hash[HASH_LEN];
	const char *id = c->profile == ECERT_XB1 ? after(c->id, OID) : after(c->id, "URN:UVCI:");
	size_t len = (size_t)snprintf(text, sizeof(text), "%s/%s", c->issuer, id);
	if (!identity_is_plain(text)) {
		sha256((struct bytes){ (const uint8_t *)text, len }, hash);
		len = (size_t)snprintf(text, sizeof(text), "sha256/");
		hex_encode(hash, HASH_LEN, text + len);
		len += (size_t)2 * HASH_LEN;
	}
	return identifier_parse(IDENTIFIER_ECERT, text, len, 0, out, NULL, e);
}
