#include "protocol/scan.h"

#include <string.h>

static const char *const code_names[SCAN_CODE_LAST + 1] = {
	[SCAN_DAMAGED] = "SCAN_DAMAGED",
	[SCAN_NOT_OURS] = "NOT_OURS",
	[SCAN_FORMAT] = "FORMAT",
	[SCAN_ALG_REFUSED] = "ALG_REFUSED",
	[SCAN_ISSUER_UNKNOWN] = "ISSUER_UNKNOWN",
	[SCAN_SIGNATURE_BAD] = "SIGNATURE_BAD",
	[SCAN_ISSUER_NOT_ENTITLED] = "ISSUER_NOT_ENTITLED",
	[SCAN_KEY_OUT_OF_PERIOD] = "KEY_OUT_OF_PERIOD",
	[SCAN_KEY_COMPROMISED] = "KEY_COMPROMISED",
	[SCAN_CLOCK_UNTRUSTED] = "CLOCK_UNTRUSTED",
	[SCAN_NOT_YET_VALID] = "NOT_YET_VALID",
	[SCAN_EXPIRED] = "EXPIRED",
	[SCAN_REVOKED] = "REVOKED",
	[SCAN_SUSPENDED] = "SUSPENDED",
	[SCAN_SUPERSEDED] = "SUPERSEDED",
	[SCAN_STATUS_STALE] = "STATUS_STALE",
	[SCAN_HOLDER_MISMATCH] = "HOLDER_MISMATCH",
	[SCAN_HOLDER_NOT_CHECKED] = "HOLDER_NOT_CHECKED",
	[SCAN_NOT_ACCEPTED_FOR_BUSINESS] = "NOT_ACCEPTED_FOR_BUSINESS",
	[SCAN_ACCEPTED] = "ACCEPTED",
};

static const char *const outcome_words[SCAN_REFUSE + 1][3] = {
	[SCAN_ACCEPT] = { "accept", "接受", "accept" },
	[SCAN_ACCEPT_WITH_DUTY] = { "accept_with_duty", "接受，联网后复核", "accept, to be looked at again" },
	[SCAN_REFER] = { "refer", "转人工", "refer" },
	[SCAN_REFUSE] = { "refuse", "拒绝", "refuse" },
};

const char *scan_code_name(enum scan_code c)
{
	return c >= SCAN_DAMAGED && c <= SCAN_CODE_LAST ? code_names[c] : "UNKNOWN";
}

static const char *outcome_word(enum scan_outcome o, int which)
{
	return o >= SCAN_ACCEPT && o <= SCAN_REFUSE ? outcome_words[o][which] : "unknown";
}

const char *scan_outcome_name(enum scan_outcome o)
{
	return outcome_word(o, 0);
}

const char *scan_outcome_zh(enum scan_outcome o)
{
	return outcome_word(o, 1);
}

const char *scan_outcome_en(enum scan_outcome o)
{
	return outcome_word(o, 2);
}

bool scan_outcome_of(const char *name, enum scan_outcome *o)
{
	for (int i = SCAN_ACCEPT; i <= SCAN_REFUSE; i++) {
		if (strcmp(outcome_words[i][0], name) != 0)
			continue;
		*o = (enum scan_outcome)i;
		return true;
	}
	return false;
}

/* --- fields: a key and its value --- */

static void put_uint(struct buf *out, uint64_t key, uint64_t v)
{
	cbor_put_uint(out, key);
	cbor_put_uint(out, v);
}

static void put_int(struct buf *out, uint64_t key, int64_t v)
{
	cbor_put_uint(out, key);
	cbor_put_int(out, v);
}

static void put_text(struct buf *out, uint64_t key, const char *v)
{
	cbor_put_uint(out, key);
	cbor_put_text(out, v);
}

static void put_bytes(struct buf *out, uint64_t key, const void *data, size_t len)
{
	cbor_put_uint(out, key);
	cbor_put_bytes(out, (struct bytes){ data, len });
}

#define GET_TEXT(c, key, field, e) cbor_key_string(c, key, field, sizeof(field), e)

/* At least 1, since no number of ours is 0. */
static bool get_enum(struct cbor *c, uint64_t key, uint64_t last, uint64_t *v, struct err *e)
{
	if (!cbor_key_uint(c, key, last, v, e))
		return false;
	return *v != 0 || err_set(e, ERR_INPUT, "field %llu is 0", (unsigned long long)key);
}

static bool get_int(struct cbor *c, uint64_t key, int64_t least, int64_t *v, struct err *e)
{
	if (!cbor_expect_key(c, key, e) || !cbor_get_int(c, v, e))
		return false;
	return *v >= least ||
	       err_set(e, ERR_INPUT, "field %llu is below %lld", (unsigned long long)key, (long long)least);
}

/* --- scans --- */

enum scan_field {
	F_ID = 1,
	F_REQUEST,
	F_TERMINAL,
	F_SOURCE,
	F_BUSINESS,
	F_TIME,
	F_CODE,
	F_OUTCOME,
	F_FINDINGS,
	F_PROFILE,
	F_ISSUER,
	F_TYPE,
	F_EPOCH,
	F_TAG,
	F_ISSUED,
	F_TO,
	F_KID,
	F_ISSUERS,
	F_KINDS,
	F_LIST,
	F_ISSUERS_AGE,
	F_LIST_AGE,
	F_HOLDER_KIND,
	F_HOLDER_MASKED,
	F_SEALED,
	F_HINT,
	F_LAYER,
	F_DETAIL,
};

bool scan_encode(const struct scan *s, struct buf *out, struct err *e)
{
	cbor_put_map(out, F_DETAIL);
	put_bytes(out, F_ID, s->id, SCAN_ID_LEN);
	put_text(out, F_REQUEST, s->request_id);
	put_text(out, F_TERMINAL, s->terminal);
	put_text(out, F_SOURCE, s->source);
	put_text(out, F_BUSINESS, s->business);
	put_int(out, F_TIME, s->time_s);
	put_uint(out, F_CODE, s->code);
	put_uint(out, F_OUTCOME, s->outcome);
	cbor_put_uint(out, F_FINDINGS);
	cbor_put_array(out, s->findings_len);
	for (size_t i = 0; i < s->findings_len; i++) {
		cbor_put_array(out, 2);
		cbor_put_uint(out, s->findings[i].code);
		cbor_put_uint(out, s->findings[i].outcome);
	}
	put_uint(out, F_PROFILE, s->profile);
	put_text(out, F_ISSUER, s->issuer);
	put_text(out, F_TYPE, s->type);
	put_uint(out, F_EPOCH, s->epoch);
	put_uint(out, F_TAG, s->tag);
	put_int(out, F_ISSUED, s->issued_s);
	put_int(out, F_TO, s->to_s);
	put_bytes(out, F_KID, s->kid, s->kid_len);
	put_uint(out, F_ISSUERS, s->issuers_version);
	put_uint(out, F_KINDS, s->kinds_version);
	put_uint(out, F_LIST, s->list_version);
	put_int(out, F_ISSUERS_AGE, s->issuers_age_s);
	put_int(out, F_LIST_AGE, s->list_age_s);
	put_text(out, F_HOLDER_KIND, s->holder_kind);
	put_text(out, F_HOLDER_MASKED, s->holder_masked);
	put_bytes(out, F_SEALED, s->sealed.data, s->sealed.len);
	put_uint(out, F_HINT, s->hint);
	put_uint(out, F_LAYER, s->layer);
	put_text(out, F_DETAIL, s->detail);
	return buf_ok(out, "scan", e);
}

static bool findings_decode(struct cbor *c, struct scan *s, struct err *e)
{
	if (!cbor_key_array(c, F_FINDINGS, SCAN_FINDINGS_MAX, &s->findings_len, e))
		return false;
	for (size_t i = 0; i < s->findings_len; i++) {
		uint64_t code, outcome;
		if (!cbor_expect_array(c, 2, e) || !cbor_get_uint_max(c, SCAN_CODE_LAST, &code, e) ||
		    !cbor_get_uint_max(c, SCAN_REFUSE, &outcome, e))
			return false;
		if (code == 0 || outcome == 0)
			return err_set(e, ERR_INPUT, "a finding of code or outcome 0");
		s->findings[i] = (struct scan_finding){ (enum scan_code)code, (enum scan_outcome)outcome };
	}
	return true;
}

static bool scan_head_decode(struct cbor *c, struct scan *s, struct err *e)
{
	uint64_t code, outcome;
	if (!cbor_expect_map(c, F_DETAIL, e) || !cbor_key_bytes_exact(c, F_ID, s->id, SCAN_ID_LEN, e) ||
	    !GET_TEXT(c, F_REQUEST, s->request_id, e) || !GET_TEXT(c, F_TERMINAL, s->terminal, e) ||
	    !GET_TEXT(c, F_SOURCE, s->source, e) || !GET_TEXT(c, F_BUSINESS, s->business, e) ||
	    !cbor_key_time(c, F_TIME, &s->time_s, e) || !get_enum(c, F_CODE, SCAN_CODE_LAST, &code, e) ||
	    !get_enum(c, F_OUTCOME, SCAN_REFUSE, &outcome, e) || !findings_decode(c, s, e))
		return false;
	s->code = (enum scan_code)code;
	s->outcome = (enum scan_outcome)outcome;
	return true;
}

static bool scan_certificate_decode(struct cbor *c, struct scan *s, struct err *e)
{
	uint64_t profile, epoch;
	struct bytes kid;
	if (!cbor_key_uint(c, F_PROFILE, ECERT_HC1, &profile, e) || !GET_TEXT(c, F_ISSUER, s->issuer, e) ||
	    !GET_TEXT(c, F_TYPE, s->type, e) || !cbor_key_uint(c, F_EPOCH, UINT32_MAX, &epoch, e) ||
	    !cbor_key_uint(c, F_TAG, UINT64_MAX, &s->tag, e) || !get_int(c, F_ISSUED, 0, &s->issued_s, e) ||
	    !get_int(c, F_TO, 0, &s->to_s, e) || !cbor_key_bytes(c, F_KID, &kid, e))
		return false;
	if (kid.len > ECERT_KID_MAX)
		return err_set(e, ERR_INPUT, "a key identifier of %zu bytes", kid.len);
	s->profile = (enum ecert_profile)profile;
	s->epoch = (uint32_t)epoch;
	s->kid_len = kid.len;
	if (kid.len > 0)
		memcpy(s->kid, kid.data, kid.len);
	return true;
}

static bool scan_basis_decode(struct cbor *c, struct scan *s, struct err *e)
{
	return cbor_key_uint(c, F_ISSUERS, COUNTER_MAX, &s->issuers_version, e) &&
	       cbor_key_uint(c, F_KINDS, COUNTER_MAX, &s->kinds_version, e) &&
	       cbor_key_uint(c, F_LIST, COUNTER_MAX, &s->list_version, e) &&
	       get_int(c, F_ISSUERS_AGE, -1, &s->issuers_age_s, e) && get_int(c, F_LIST_AGE, -1, &s->list_age_s, e);
}

bool scan_decode(struct bytes data, struct scan *s, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t hint, layer;
	memset(s, 0, sizeof(*s));
	if (!scan_head_decode(&c, s, e) || !scan_certificate_decode(&c, s, e) || !scan_basis_decode(&c, s, e) ||
	    !GET_TEXT(&c, F_HOLDER_KIND, s->holder_kind, e) || !GET_TEXT(&c, F_HOLDER_MASKED, s->holder_masked, e) ||
	    !cbor_key_bytes(&c, F_SEALED, &s->sealed, e) || !cbor_key_uint(&c, F_HINT, 255, &hint, e) ||
	    !cbor_key_uint(&c, F_LAYER, 255, &layer, e) || !GET_TEXT(&c, F_DETAIL, s->detail, e) || !cbor_end(&c, e))
		return err_wrap(e, "scan");
	s->hint = (unsigned)hint;
	s->layer = (unsigned)layer;
	if (s->sealed.len > SCAN_SEALED_MAX)
		return err_set(e, ERR_INPUT, "scan: %zu sealed bytes", s->sealed.len);
	return true;
}

bool scan_recheck_encode(const struct scan_recheck *r, struct buf *out, struct err *e)
{
	cbor_put_map(out, 3);
	put_bytes(out, 1, r->id, SCAN_ID_LEN);
	put_uint(out, 2, r->code);
	put_uint(out, 3, r->list_version);
	return buf_ok(out, "recheck", e);
}

bool scan_recheck_decode(struct bytes data, struct scan_recheck *r, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t code;
	memset(r, 0, sizeof(*r));
	if (!cbor_expect_map(&c, 3, e) || !cbor_key_bytes_exact(&c, 1, r->id, SCAN_ID_LEN, e) ||
	    !get_enum(&c, 2, SCAN_CODE_LAST, &code, e) || !cbor_key_uint(&c, 3, COUNTER_MAX, &r->list_version, e) ||
	    !cbor_end(&c, e))
		return err_wrap(e, "recheck");
	r->code = (enum scan_code)code;
	return true;
}

bool scan_lookup_encode(const struct scan_lookup *l, struct buf *out, struct err *e)
{
	cbor_put_map(out, 8);
	put_text(out, 1, l->terminal);
	put_text(out, 2, l->holder_kind);
	put_text(out, 3, l->holder_masked);
	put_text(out, 4, l->type);
	put_text(out, 5, l->purpose);
	put_text(out, 6, l->source);
	put_uint(out, 7, l->result);
	put_uint(out, 8, l->given);
	return buf_ok(out, "look-up", e);
}

bool scan_lookup_decode(struct bytes data, struct scan_lookup *l, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t result;
	memset(l, 0, sizeof(*l));
	if (!cbor_expect_map(&c, 8, e) || !GET_TEXT(&c, 1, l->terminal, e) || !GET_TEXT(&c, 2, l->holder_kind, e) ||
	    !GET_TEXT(&c, 3, l->holder_masked, e) || !GET_TEXT(&c, 4, l->type, e) ||
	    !GET_TEXT(&c, 5, l->purpose, e) || !GET_TEXT(&c, 6, l->source, e) ||
	    !cbor_key_uint(&c, 7, ERR_IO, &result, e) || !cbor_key_uint(&c, 8, BODIES_MAX, &l->given, e) ||
	    !cbor_end(&c, e))
		return err_wrap(e, "look-up");
	l->result = (enum err_code)result;
	return true;
}
