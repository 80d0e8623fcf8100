#include "protocol/decision.h"

#include "protocol/entry.h"
#include "protocol/head.h"

#include <math.h>
#include <string.h>

const char *lookup_name(enum lookup_result r)
{
	switch (r) {
	case LOOKUP_HIT: return "hit";
	case LOOKUP_NOT_LISTED: return "not_listed";
	case LOOKUP_STALE: return "stale";
	case LOOKUP_NOT_COVERED: return "not_covered";
	case LOOKUP_ERROR: return "error";
	}
	return "unknown";
}

bool request_id_is_valid(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
	size_t len = strlen(id);
	return len > 0 && len <= REQUEST_ID_MAX_LEN && strspn(id, allowed) == len;
}

static bool role_is_valid(const char *role)
{
	return strcmp(role, "subject") == 0 || strcmp(role, "counterparty") == 0;
}

/* What rules can be run on again: facts found by binary search, with values that compare. */
static bool facts_check(const struct decision *d, struct err *e)
{
	for (size_t i = 0; i < d->facts_len; i++) {
		const struct rule_fact *f = &d->facts[i];
		if (f->name[0] == '\0' || f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] != '\0')
			return err_set(e, ERR_INPUT, "a fact whose name is none");
		if (i > 0 && strcmp(d->facts[i - 1].name, f->name) >= 0)
			return err_set(e, ERR_INPUT, "fact %s is out of order or there twice", f->name);
		if (f->value.kind == VALUE_NUMBER && !isfinite(f->value.number))
			return err_set(e, ERR_INPUT, "fact %s is no finite number", f->name);
		if (f->value.kind == VALUE_TEXT && f->value.text.len > DECISION_TEXT_MAX)
			return err_set(e, ERR_INPUT, "fact %s is longer than %d bytes", f->name, DECISION_TEXT_MAX);
	}
	return true;
}

static void parties_encode(const struct decision *d, struct buf *out)
{
	cbor_put_array(out, d->parties_len);
	for (size_t i = 0; i < d->parties_len; i++) {
		const struct decision_party *p = &d->parties[i];
		cbor_put_array(out, 4);
		cbor_put_text(out, p->role);
		cbor_put_text(out, p->kind);
		cbor_put_text(out, p->masked);
		cbor_put_uint(out, p->tag);
	}
}

static void evidence_encode(const struct decision *d, struct buf *out)
{
	cbor_put_array(out, d->evidence_len);
	for (size_t i = 0; i < d->evidence_len; i++) {
		const struct decision_evidence *v = &d->evidence[i];
		cbor_put_array(out, 6);
		cbor_put_text(out, v->list);
		cbor_put_text(out, v->role);
		cbor_put_uint(out, v->version);
		cbor_put_uint(out, v->result);
		cbor_put_int(out, v->age_s);
		cbor_put_uint(out, v->value);
	}
}

static void reasons_encode(const struct decision *d, struct buf *out)
{
	cbor_put_array(out, d->reasons_len);
	for (size_t i = 0; i < d->reasons_len; i++) {
		const struct decision_reason *r = &d->reasons[i];
		cbor_put_array(out, 3);
		cbor_put_text(out, r->rule);
		cbor_put_text(out, r->code);
		cbor_put_uint(out, r->outcome);
	}
}

static void facts_encode(const struct decision *d, struct buf *out)
{
	cbor_put_array(out, d->facts_len);
	for (size_t i = 0; i < d->facts_len; i++) {
		const struct rule_fact *f = &d->facts[i];
		cbor_put_array(out, 2);
		cbor_put_text(out, f->name);
		switch (f->value.kind) {
		case VALUE_MISSING: cbor_put_null(out); break;
		case VALUE_BOOL: cbor_put_bool(out, f->value.boolean); break;
		case VALUE_NUMBER: cbor_put_real(out, f->value.number); break;
		case VALUE_TEXT: cbor_put_text_n(out, f->value.text); break;
		}
	}
}

bool decision_encode(const struct decision *d, struct buf *out, struct err *e)
{
	if (!facts_check(d, e))
		return err_wrap(e, "decision");
	cbor_put_map(out, 14);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ d->id, DECISION_ID_LEN });
	cbor_put_uint(out, 2);
	cbor_put_text(out, d->request_id);
	cbor_put_uint(out, 3);
	cbor_put_text(out, d->terminal);
	cbor_put_uint(out, 4);
	cbor_put_text(out, d->business);
	cbor_put_uint(out, 5);
	cbor_put_int(out, d->time_s);
	cbor_put_uint(out, 6);
	cbor_put_uint(out, d->outcome);
	cbor_put_uint(out, 7);
	cbor_put_bool(out, d->follow_up);
	cbor_put_uint(out, 8);
	cbor_put_uint(out, d->rules_version);
	cbor_put_uint(out, 9);
	cbor_put_uint(out, d->catalogue_version);
	cbor_put_uint(out, 10);
	parties_encode(d, out);
	cbor_put_uint(out, 11);
	evidence_encode(d, out);
	cbor_put_uint(out, 12);
	reasons_encode(d, out);
	cbor_put_uint(out, 13);
	facts_encode(d, out);
	cbor_put_uint(out, 14);
	cbor_put_bytes(out, d->sealed_subject);
	return buf_ok(out, "decision", e);
}

/* 1 … max: the enums count from one. */
static bool choice_get(struct cbor *c, uint64_t max, unsigned *v, struct err *e)
{
	uint64_t got = 0;
	if (!cbor_get_uint_max(c, max, &got, e))
		return false;
	*v = (unsigned)got;
	return got > 0 || err_set(e, ERR_INPUT, "0 where a choice from 1 to %u was expected", (unsigned)max);
}

static bool parties_decode(struct cbor *c, struct decision *d, struct err *e)
{
	if (!cbor_key_array(c, 10, DECISION_PARTIES_MAX, &d->parties_len, e))
		return false;
	for (size_t i = 0; i < d->parties_len; i++) {
		struct decision_party *p = &d->parties[i];
		if (!cbor_expect_array(c, 4, e) || !cbor_get_string(c, p->role, sizeof(p->role), e) ||
		    !name_get(c, p->kind, e) || !cbor_get_string(c, p->masked, sizeof(p->masked), e) ||
		    !cbor_get_uint(c, &p->tag, e))
			return false;
		if (!role_is_valid(p->role))
			return err_set(e, ERR_INPUT, "a party in no role");
	}
	return true;
}

static bool evidence_decode(struct cbor *c, struct decision *d, struct err *e)
{
	if (!cbor_key_array(c, 11, DECISION_EVIDENCE_MAX, &d->evidence_len, e))
		return false;
	for (size_t i = 0; i < d->evidence_len; i++) {
		struct decision_evidence *v = &d->evidence[i];
		unsigned result = 0;
		uint64_t value = 0;
		if (!cbor_expect_array(c, 6, e) || !name_get(c, v->list, e) ||
		    !cbor_get_string(c, v->role, sizeof(v->role), e) ||
		    !cbor_get_uint_max(c, COUNTER_MAX, &v->version, e) || !choice_get(c, LOOKUP_ERROR, &result, e) ||
		    !cbor_get_int(c, &v->age_s, e) || !cbor_get_uint_max(c, ENTRY_VALUE_MAX, &value, e))
			return false;
		if (!role_is_valid(v->role) || v->age_s < -1 || v->age_s > TIME_MAX_S)
			return err_set(e, ERR_INPUT, "evidence of list %s in no role, or of no age", v->list);
		v->result = (enum lookup_result)result;
		v->value = (uint32_t)value;
	}
	return true;
}

static bool reasons_decode(struct cbor *c, struct decision *d, struct err *e)
{
	if (!cbor_key_array(c, 12, DECISION_REASONS_MAX, &d->reasons_len, e))
		return false;
	for (size_t i = 0; i < d->reasons_len; i++) {
		struct decision_reason *r = &d->reasons[i];
		unsigned outcome = 0;
		if (!cbor_expect_array(c, 3, e) || !name_get(c, r->rule, e) ||
		    !cbor_get_string(c, r->code, sizeof(r->code), e) || !choice_get(c, OUTCOME_REFUSE, &outcome, e))
			return false;
		if (!rule_code_is_valid(r->code))
			return err_set(e, ERR_INPUT, "rule %s has a code that is none", r->rule);
		r->outcome = (enum outcome)outcome;
	}
	return true;
}

static bool value_decode(struct cbor *c, struct value *v, struct err *e)
{
	enum cbor_type type = CBOR_NULL;
	*v = (struct value){ .kind = VALUE_MISSING };
	if (!cbor_peek(c, &type))
		return err_set(e, ERR_INPUT, "a fact without a value");
	if (type == CBOR_NULL)
		return cbor_get_null(c, e);
	if (type == CBOR_BOOL) {
		v->kind = VALUE_BOOL;
		return cbor_get_bool(c, &v->boolean, e);
	}
	if (type == CBOR_TEXT) {
		v->kind = VALUE_TEXT;
		return cbor_get_text(c, &v->text, e);
	}
	/* A fact's number is written as a float whatever its value: integers here would be a second form of
	 * the same. */
	if (type != CBOR_REAL)
		return err_set(e, ERR_INPUT, "a fact's value of a type that none has");
	v->kind = VALUE_NUMBER;
	return cbor_get_real(c, &v->number, e);
}

static bool facts_decode(struct cbor *c, struct decision *d, struct err *e)
{
	if (!cbor_key_array(c, 13, DECISION_FACTS_MAX, &d->facts_len, e))
		return false;
	for (size_t i = 0; i < d->facts_len; i++) {
		struct rule_fact *f = &d->facts[i];
		if (!cbor_expect_array(c, 2, e) || !cbor_get_string(c, f->name, sizeof(f->name), e) ||
		    !value_decode(c, &f->value, e))
			return false;
	}
	return true;
}

static bool names_check(const struct decision *d, struct err *e)
{
	if (!request_id_is_valid(d->request_id) || !name_is_valid(d->business) ||
	    (d->terminal[0] != '\0' && !name_is_valid(d->terminal)))
		return err_set(e, ERR_INPUT, "a request id, terminal or business that is none");
	return true;
}

/* Keys 1 to 9. */
static bool outline_decode(struct cbor *c, struct decision *d, struct err *e)
{
	unsigned outcome = 0;
	if (!cbor_expect_map(c, 14, e) || !cbor_key_bytes_exact(c, 1, d->id, DECISION_ID_LEN, e) ||
	    !cbor_key_string(c, 2, d->request_id, sizeof(d->request_id), e) ||
	    !cbor_key_string(c, 3, d->terminal, sizeof(d->terminal), e) ||
	    !cbor_key_string(c, 4, d->business, sizeof(d->business), e) || !cbor_key_time(c, 5, &d->time_s, e) ||
	    !cbor_expect_key(c, 6, e) || !choice_get(c, OUTCOME_REFUSE, &outcome, e) ||
	    !cbor_key_bool(c, 7, &d->follow_up, e) || !cbor_key_uint(c, 8, COUNTER_MAX, &d->rules_version, e) ||
	    !cbor_key_uint(c, 9, COUNTER_MAX, &d->catalogue_version, e))
		return false;
	d->outcome = (enum outcome)outcome;
	return names_check(d, e);
}

static bool decode(struct cbor *c, struct decision *d, struct err *e)
{
	if (!outline_decode(c, d, e) || !parties_decode(c, d, e) || !evidence_decode(c, d, e) ||
	    !reasons_decode(c, d, e) || !facts_decode(c, d, e) || !facts_check(d, e) ||
	    !cbor_key_bytes(c, 14, &d->sealed_subject, e) || !cbor_end(c, e))
		return false;
	return d->sealed_subject.len <= DECISION_SEALED_MAX ||
	       err_set(e, ERR_INPUT, "a sealed subject of %zu bytes", d->sealed_subject.len);
}

bool decision_decode(struct bytes data, struct decision *d, struct err *e)
{
	struct cbor c = cbor_over(data);
	*d = (struct decision){ 0 };
	return decode(&c, d, e) || err_wrap(e, "decision");
}
