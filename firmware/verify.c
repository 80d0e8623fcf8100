#include "firmware/verify.h"

#include "protocol/hcert.h"
#include "protocol/sign1.h"

#include <stdio.h>
#include <string.h>

/* One run over one certificate. */
struct run {
	const struct verify_setting *s;
	const struct verify_request *r;
	struct verdict *v;
};

/* --- findings --- */

static bool find(struct verdict *v, enum scan_code code, enum scan_outcome outcome, const char *detail)
{
	if (v->findings_len == 0) {
		v->code = code;
		snprintf(v->detail, sizeof(v->detail), "%.199s", detail);
	}
	v->findings[v->findings_len++] = (struct verify_finding){ code, outcome };
	if (outcome > v->outcome)
		v->outcome = outcome;
	return false;
}

static void verdict_start(const struct verify_setting *s, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->code = SCAN_ACCEPTED;
	v->outcome = SCAN_ACCEPT;
	v->issuers_age_s = v->list_age_s = -1;
	if (s == NULL)
		return;
	v->issuers_version = s->policy->issuers_version;
	v->kinds_version = s->policy->kinds_version;
	if (s->policy->issuers == NULL || s->policy->issuers_confirmed_s < 0)
		return;
	v->issuers_age_s = s->now_s - s->policy->issuers_confirmed_s;
	if (v->issuers_age_s < 0)
		v->issuers_age_s = 0;
}

void verify_damaged(enum scan_text_hint hint, struct verdict *out)
{
	verdict_start(NULL, out);
	out->hint = hint;
	(void)find(out, SCAN_DAMAGED, SCAN_REFER, "");
}

/* --- text, compression --- */

static bool envelope_fail(struct verdict *v, enum envelope_fault fault, const struct err *e)
{
	switch (fault) {
	case ENVELOPE_OK: break;
	case ENVELOPE_EMPTY: v->hint = SCAN_HINT_EMPTY; break;
	case ENVELOPE_TOO_LONG: v->hint = SCAN_HINT_TOO_LONG; break;
	case ENVELOPE_NOT_OURS: return find(v, SCAN_NOT_OURS, SCAN_REFER, "");
	case ENVELOPE_ALPHABET:
	case ENVELOPE_CHECKSUM: v->hint = SCAN_HINT_LETTERS; break;
	case ENVELOPE_BASE45:
	case ENVELOPE_CUT_OFF: v->hint = SCAN_HINT_CUT_OFF; break;
	case ENVELOPE_NOT_ZLIB:
	case ENVELOPE_TOO_LARGE:
	case ENVELOPE_TRAILING: v->layer = LAYER_ZLIB; return find(v, SCAN_FORMAT, SCAN_REFUSE, e->text);
	}
	return find(v, SCAN_DAMAGED, SCAN_REFER, e->text);
}

/* --- signature --- */

static bool format_fail(struct verdict *v, enum verify_layer layer, const struct err *e)
{
	v->layer = layer;
	return find(v, SCAN_FORMAT, SCAN_REFUSE, e->text);
}

/* Signed by one of the keys of this kid; the algorithm is the protected header's and the key's. */
static bool signature_check(struct run *run, enum ecert_profile profile, const struct sign1 *message)
{
	struct verdict *v = run->v;
	const struct issuers *issuers = run->s->policy->issuers;
	char detail[120];
	bool alg_fits = false;
	if (!message->has_alg)
		return find(v, SCAN_ALG_REFUSED, SCAN_REFUSE, "the protected header names no algorithm");
	if (message->alg != ALG_ES256 && message->alg != ALG_PS256) {
		snprintf(detail, sizeof(detail), "%s is not taken", alg_name(message->alg));
		return find(v, SCAN_ALG_REFUSED, SCAN_REFUSE, detail);
	}
	if (issuers == NULL || message->kid.data == NULL ||
	    issuers_next(issuers, profile, message->kid, NULL) == NULL)
		return find(v, SCAN_ISSUER_UNKNOWN, SCAN_REFER,
			    issuers == NULL ? "there is no list of issuers yet" : "no issuer has such a key");
	for (const struct issuer_key *k = NULL; (k = issuers_next(issuers, profile, message->kid, k)) != NULL;) {
		if (public_key_alg(k->key) != message->alg)
			continue;
		alg_fits = true;
		if (!sign1_verify(message, k->key, (struct bytes){ NULL, 0 }, NULL))
			continue;
		v->key = k;
		v->authentic = true;
		return true;
	}
	if (!alg_fits)
		return find(v, SCAN_ALG_REFUSED, SCAN_REFUSE, "the algorithm is not the key's");
	return find(v, SCAN_SIGNATURE_BAD, SCAN_REFUSE, "");
}

/* Nothing of what it says may be judged, or shown, before this is true. */
static bool signed_open(struct run *run, enum ecert_profile profile, struct bytes cose, struct buf *memory)
{
	struct verdict *v = run->v;
	struct sign1 message;
	struct err e = { 0 };
	struct ecert cert;
	if (!sign1_parse(cose, profile == ECERT_XB1 ? SIGN1_STRICT : SIGN1_FOREIGN, memory, &message, &e))
		return format_fail(v, LAYER_COSE, &e);
	enum hcert_layer layer = HCERT_CLAIMS;
	bool readable = profile == ECERT_XB1 ? ecert_decode(message.payload, &cert, &e)
					     : hcert_decode(message.payload, &cert, &layer, &e);
	if (!readable || !ecert_identity(&cert, &v->identity, &e))
		return format_fail(v, layer == HCERT_CWT ? LAYER_CWT : LAYER_CLAIMS, &e);
	if (signature_check(run, profile, &message)) {
		v->cert = cert;
		return true;
	}
	memset(&v->identity, 0, sizeof(v->identity));
	return false;
}

/* --- key and times --- */

static void key_check(struct run *run)
{
	struct verdict *v = run->v;
	const struct issuer_key *k = v->key;
	const struct ecert *c = &v->cert;
	if (c->profile == ECERT_XB1 && strcmp(k->issuer->code, c->issuer) != 0)
		(void)find(v, SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE, "the key is another issuer's");
	else if (!issuer_key_covers(k, c->type))
		(void)find(v, SCAN_ISSUER_NOT_ENTITLED, SCAN_REFUSE, "the issuer may not sign this kind");
	if (c->issued_s < k->from_s || c->issued_s >= k->to_s)
		(void)find(v, SCAN_KEY_OUT_OF_PERIOD, SCAN_REFUSE, "");
	if (k->compromised_s != INT64_MAX)
		(void)find(v, SCAN_KEY_COMPROMISED, c->issued_s < k->compromised_s ? SCAN_REFER : SCAN_REFUSE, "");
}

static void time_check(struct run *run)
{
	struct verdict *v = run->v;
	int64_t now_s = run->s->now_s;
	if (!run->s->clock_trusted)
		(void)find(v, SCAN_CLOCK_UNTRUSTED, SCAN_REFER, "");
	int64_t from_s = v->cert.from_s > v->cert.issued_s ? v->cert.from_s : v->cert.issued_s;
	if (from_s > now_s + VERIFY_SKEW_S)
		(void)find(v, SCAN_NOT_YET_VALID, SCAN_REFUSE, "");
	/* "On or after which it MUST NOT be accepted" (RFC 8392 section 3.1.4); the EU's issuers mean the last second. */
	if (now_s > v->cert.to_s || (v->cert.profile == ECERT_XB1 && now_s == v->cert.to_s))
		(void)find(v, SCAN_EXPIRED, SCAN_REFUSE, "");
}

/* --- status --- */

static uint16_t entry_day(int64_t now_s)
{
	int64_t day = (now_s + CHECK_CHINA_S) / CHECK_DAY_S - ENTRY_DAY_ZERO;
	return (uint16_t)(day < 0 ? 0 : day > ENTRY_NO_END - 1 ? ENTRY_NO_END - 1 : day);
}

static void listed(struct verdict *v, enum ecert_status status)
{
	switch (status) {
	case ECERT_SUSPENDED: (void)find(v, SCAN_SUSPENDED, SCAN_REFER, ""); break;
	case ECERT_SUPERSEDED: (void)find(v, SCAN_SUPERSEDED, SCAN_REFUSE, ""); break;
	case ECERT_VALID: /* no entry is made with it; one that is there all the same is there for a reason */
	case ECERT_REVOKED: (void)find(v, SCAN_REVOKED, SCAN_REFUSE, ""); break;
	}
}

static void status_check(struct run *run)
{
	struct verdict *v = run->v;
	const struct check_source *source = run->s->source;
	struct check_list list = { .confirmed_s = -1 };
	char detail[80] = "the list of revoked certificates is not held";
	uint32_t value = 0;
	enum lookup_result found = LOOKUP_NOT_COVERED;
	if (source != NULL)
		found = source->list(source->arg, ECERT_LIST, &list);
	v->list_version = list.version;
	if (found != LOOKUP_NOT_COVERED && list.confirmed_s >= 0)
		v->list_age_s = run->s->now_s > list.confirmed_s ? run->s->now_s - list.confirmed_s : 0;
	if (found == LOOKUP_NOT_LISTED) {
		v->has_tag = true;
		v->epoch = list.key->epoch;
		v->tag = tag_of(list.key, &v->identity);
		found = source->find(source->arg, ECERT_LIST, v->tag, &value);
	}
	if (found == LOOKUP_HIT && entry_in_force(value, entry_day(run->s->now_s)))
		listed(v, entry_reason(value) <= ECERT_STATUS_LAST ? (enum ecert_status)entry_reason(value)
								   : ECERT_REVOKED);
	if (found == LOOKUP_NOT_COVERED || found == LOOKUP_ERROR) {
		if (found == LOOKUP_ERROR)
			snprintf(detail, sizeof(detail), "the list of revoked certificates cannot be read");
		(void)find(v, SCAN_STATUS_STALE, SCAN_REFER, detail);
	} else if (v->list_age_s < 0) {
		(void)find(v, SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY, "the list was never confirmed");
	} else if (v->list_age_s > VERIFY_FRESH_S) {
		snprintf(detail, sizeof(detail), "the list was confirmed %lld s ago", (long long)v->list_age_s);
		(void)find(v, SCAN_STATUS_STALE, SCAN_ACCEPT_WITH_DUTY, detail);
	}
}

/* --- holder --- */

enum match { MATCH_NOT_ASKED, MATCH_YES, MATCH_NO, MATCH_UNKNOWN };

static enum match name_match(const struct run *run)
{
	const struct ecert *c = &run->v->cert;
	const char *given = run->r->holder.name;
	struct identifier a, b;
	if (given[0] == '\0' || c->holder_name[0] == '\0')
		return MATCH_NOT_ASKED;
	if (!identifier_parse(IDENTIFIER_NAME, given, strlen(given), 0, &a, NULL, NULL) ||
	    !identifier_parse(IDENTIFIER_NAME, c->holder_name, strlen(c->holder_name), 0, &b, NULL, NULL))
		return MATCH_UNKNOWN;
	if (strcmp(a.canonical, b.canonical) == 0)
		return MATCH_YES;
	/* Names of travellers are written in several ways; in Chinese characters they are not. */
	return c->profile == ECERT_HC1 ? MATCH_UNKNOWN : MATCH_NO;
}

static enum match tag_match(const struct run *run, const struct identifier *given)
{
	const struct ecert *c = &run->v->cert;
	struct check_list list = { 0 };
	const struct check_source *source = run->s->source;
	if (source == NULL || source->list(source->arg, ECERT_LIST, &list) != LOOKUP_NOT_LISTED ||
	    list.key->epoch != c->holder_epoch)
		return MATCH_UNKNOWN;
	return tag_of(list.key, given) == c->holder_tag ? MATCH_YES : MATCH_NO;
}

/* By the document's number; what a mask hides is not compared. */
static enum match number_match(const struct run *run)
{
	const struct ecert *c = &run->v->cert;
	const struct check_party *given = &run->r->holder;
	char masked[PERSON_NAME_MAX + 1];
	struct identifier id;
	if (c->holder_kind == 0 || given->kind != c->holder_kind)
		return MATCH_NOT_ASKED;
	const char *text = given->kind == IDENTIFIER_NAME ? given->name : given->number;
	if (!identifier_parse(given->kind, text, strlen(text), 0, &id, NULL, NULL))
		return MATCH_NO;
	if (c->holder_is_tagged)
		return tag_match(run, &id);
	identifier_mask(&id, masked, sizeof(masked));
	return strcmp(masked, c->holder_masked) == 0 ? MATCH_YES : MATCH_NO;
}

static void holder_check(struct run *run)
{
	struct verdict *v = run->v;
	const struct ecert *c = &v->cert;
	if (c->holder_kind == 0 && c->holder_name[0] == '\0')
		return; /* it is nobody's in particular */
	if (!run->r->has_holder) {
		(void)find(v, SCAN_HOLDER_NOT_CHECKED, SCAN_REFER, "the customer was not given");
		return;
	}
	enum match number = number_match(run), name = name_match(run);
	if (number == MATCH_NO || name == MATCH_NO)
		(void)find(v, SCAN_HOLDER_MISMATCH, SCAN_REFUSE,
			   number == MATCH_NO ? "the document is another's" : "the name is another");
	else if (number == MATCH_UNKNOWN || (number == MATCH_NOT_ASKED && (c->holder_kind != 0 || name != MATCH_YES)))
		(void)find(v, SCAN_HOLDER_NOT_CHECKED, SCAN_REFER,
			   number == MATCH_UNKNOWN ? "the key of its holder's tag is not held"
						   : "the customer was given by another document");
}

/* --- business --- */

static void business_check(struct run *run)
{
	struct verdict *v = run->v;
	const struct kinds *kinds = run->s->policy->kinds;
	const char *business = run->r->business;
	v->kind = kinds != NULL ? kinds_find(kinds, v->cert.type) : NULL;
	if (kinds == NULL) {
		(void)find(v, SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFER, "there is no list of kinds yet");
		return;
	}
	if (business == NULL || business[0] == '\0') {
		(void)find(v, SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFER, "no business was given");
		return;
	}
	const struct kind_business *b = kinds_business(kinds, business);
	if (b == NULL)
		(void)find(v, SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFUSE, "the business is in no list");
	else if (v->kind == NULL || !kind_business_accepts(b, v->kind))
		(void)find(v, SCAN_NOT_ACCEPTED_FOR_BUSINESS, SCAN_REFUSE, "this business does not accept this kind");
}

/* --- all of it --- */

static void cose_run(struct run *run, enum ecert_profile profile, struct bytes cose)
{
	struct buf memory;
	buf_init(&memory, (size_t)3 * ECERT_COSE_MAX);
	if (signed_open(run, profile, cose, &memory)) {
		key_check(run);
		time_check(run);
		status_check(run);
		holder_check(run);
		business_check(run);
	}
	buf_clear(&memory);
}

void verify_cose(const struct verify_setting *s, enum ecert_profile profile, struct bytes cose,
		 const struct verify_request *r, struct verdict *out)
{
	struct run run = { s, r, out };
	verdict_start(s, out);
	cose_run(&run, profile, cose);
}

void verify_run(const struct verify_setting *s, const struct verify_request *r, struct verdict *out)
{
	struct run run = { s, r, out };
	struct buf cose;
	enum ecert_profile profile;
	enum envelope_fault fault;
	struct err e = { 0 };
	verdict_start(s, out);
	buf_init(&cose, ECERT_COSE_MAX);
	if (envelope_open(r->text, &profile, &cose, &fault, &e))
		cose_run(&run, profile, buf_bytes(&cose));
	else
		(void)envelope_fail(out, fault, &e);
	buf_clear(&cose);
}
