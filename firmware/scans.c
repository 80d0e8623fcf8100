#include "firmware/scans.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- requests --- */

void scan_request_clear(struct scan_request *r)
{
	buf_clear(&r->text);
	buf_clear(&r->image);
	explicit_bzero(&r->holder, sizeof(r->holder));
}

static bool content_take(const struct json *j, struct scan_request *r, struct err *e)
{
	const char *image = NULL;
	const struct json *text = json_get(j, "text");
	if (!json_text_opt(j, "image", (size_t)2 * SCAN_IMAGE_MAX, &image, e))
		return false;
	if ((text != NULL) == (image != NULL))
		return err_set(e, ERR_INPUT, "text: either text or image was expected");
	snprintf(r->source, sizeof(r->source), "%s", image != NULL ? "image" : "text");
	if (image != NULL)
		return base64_decode(bytes_of(image), &r->image, e) || err_wrap(e, "image");
	/* With whatever a scanner adds, a NUL too. */
	if (json_kind(text) != JSON_KIND_TEXT)
		return err_set(e, ERR_INPUT, "text: expected text");
	struct bytes raw = json_text_value(text);
	buf_add(&r->text, raw.data, raw.len);
	return buf_ok(&r->text, "text", e);
}

static bool request_read(const struct json *j, struct scan_request *r, struct err *e)
{
	const char *id = NULL, *business = NULL;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "request_id text image business holder", e) ||
	    !json_text(j, "request_id", REQUEST_ID_MAX_LEN, &id, e) ||
	    !json_text_opt(j, "business", NAME_MAX_LEN, &business, e) || !content_take(j, r, e))
		return false;
	if (!request_id_is_valid(id))
		return err_set(e, ERR_INPUT, "request_id: letters, digits and ._:- only");
	if (business != NULL && !name_is_valid(business))
		return err_set(e, ERR_INPUT, "business: it is no name");
	snprintf(r->request_id, sizeof(r->request_id), "%s", id);
	snprintf(r->business, sizeof(r->business), "%s", business != NULL ? business : "");
	r->has_holder = json_get(j, "holder") != NULL;
	return !r->has_holder || check_party_parse(j, "holder", &r->holder, e);
}

bool scan_request_parse(struct bytes text, struct scan_request *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->text, SCAN_RAW_MAX);
	buf_init(&r->image, SCAN_IMAGE_MAX + 4);
	struct json *j = json_parse(text, e);
	if (j == NULL)
		return false;
	bool ok = request_read(j, r, e);
	json_free(j);
	return ok;
}

/* --- running --- */

static bool plausible(void *arg, struct bytes text)
{
	struct buf cose;
	enum ecert_profile profile;
	enum envelope_fault fault;
	(void)arg;
	buf_init(&cose, ECERT_COSE_MAX);
	bool ok = envelope_open(text, &profile, &cose, &fault, NULL);
	buf_clear(&cose);
	return ok;
}

void scan_run(const struct verify_setting *s, const struct scan_request *r, struct verdict *out)
{
	static const struct scan_text_judge judge = { plausible, NULL };
	struct scan_text repaired;
	struct buf text;
	buf_init(&text, ECERT_TEXT_MAX);
	scan_text_repair(buf_bytes(&r->text), &judge, &text, &repaired);
	const struct verify_request request = {
		.text = buf_bytes(&text), .business = r->business, .has_holder = r->has_holder, .holder = r->holder
	};
	if (repaired.result == SCAN_TEXT_DAMAGED) {
		verify_damaged(repaired.hint, out);
	} else {
		verify_run(s, &request, out);
		/* What was repaired and is damaged all the same was not repaired well. */
		if (out->code == SCAN_DAMAGED && repaired.result == SCAN_TEXT_REPAIRED)
			verify_damaged(repaired.hint, out);
	}
	buf_clear(&text);
}

/* --- the row --- */

static void certificate_fill(const struct verdict *v, struct scan *out)
{
	out->profile = v->cert.profile;
	snprintf(out->issuer, sizeof(out->issuer), "%s", v->cert.issuer);
	snprintf(out->type, sizeof(out->type), "%s", v->cert.type);
	out->epoch = v->epoch;
	out->tag = v->tag;
	out->issued_s = v->cert.issued_s;
	out->to_s = v->cert.to_s;
	out->kid_len = v->key->kid_len;
	memcpy(out->kid, v->key->kid, v->key->kid_len);
}

static void holder_fill(const struct scan_request *r, struct scan *out)
{
	struct identifier id;
	const char *text = r->holder.kind == IDENTIFIER_NAME ? r->holder.name : r->holder.number;
	snprintf(out->holder_kind, sizeof(out->holder_kind), "%s", identifier_kind_name(r->holder.kind));
	if (identifier_parse(r->holder.kind, text, strlen(text), 0, &id, NULL, NULL))
		identifier_mask(&id, out->holder_masked, sizeof(out->holder_masked));
}

static bool seal(const struct verdict *v, const struct scan_request *r, const struct scan_context *c,
		 const struct scan *s, struct buf *sealed, struct err *e)
{
	struct buf plain, certificate;
	struct json_out w = { &certificate, false };
	buf_init(&plain, SCAN_SEALED_MAX - AEAD_OVERHEAD);
	buf_init(&certificate, VERIFY_CERTIFICATE_MAX);
	if (v->authentic)
		verify_certificate_json(v, &w);
	cbor_put_array(&plain, 3);
	cbor_put_text(&plain, r->has_holder ? r->holder.number : "");
	cbor_put_text(&plain, r->has_holder ? r->holder.name : "");
	cbor_put_text_n(&plain, buf_bytes(&certificate));
	bool ok = buf_ok(&certificate, "certificate", e) && buf_ok(&plain, "what is sealed", e) &&
		  aead_seal(c->journal_key, c->random, (struct bytes){ s->id, SCAN_ID_LEN }, buf_bytes(&plain),
			    sealed, e);
	buf_wipe(&plain);
	buf_clear(&certificate);
	return ok;
}

bool scan_fill(const struct verdict *v, const struct scan_request *r, const struct scan_context *c, struct scan *out,
	       struct buf *sealed, struct err *e)
{
	memset(out, 0, sizeof(*out));
	c->random->fill(c->random->arg, out->id, SCAN_ID_LEN);
	snprintf(out->request_id, sizeof(out->request_id), "%s", r->request_id);
	snprintf(out->terminal, sizeof(out->terminal), "%s", r->terminal);
	snprintf(out->source, sizeof(out->source), "%s", r->source);
	snprintf(out->business, sizeof(out->business), "%s", r->business);
	out->time_s = c->now_s;
	out->code = v->code;
	out->outcome = v->outcome;
	out->findings_len = v->findings_len;
	for (size_t i = 0; i < v->findings_len; i++)
		out->findings[i] = (struct scan_finding){ v->findings[i].code, v->findings[i].outcome };
	out->hint = v->hint;
	out->layer = v->layer;
	snprintf(out->detail, sizeof(out->detail), "%s", v->detail);
	out->issuers_version = v->issuers_version;
	out->kinds_version = v->kinds_version;
	out->list_version = v->list_version;
	out->issuers_age_s = v->issuers_age_s;
	out->list_age_s = v->list_age_s;
	if (v->authentic)
		certificate_fill(v, out);
	if (r->has_holder)
		holder_fill(r, out);
	if (!seal(v, r, c, out, sealed, e))
		return false;
	out->sealed = buf_bytes(sealed);
	return true;
}

/* --- the answer --- */

/* What the row keeps of the verdict. */
static void verdict_of(const struct scan *s, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->code = s->code;
	v->outcome = s->outcome;
	v->findings_len = s->findings_len;
	for (size_t i = 0; i < s->findings_len; i++)
		v->findings[i] = (struct verify_finding){ s->findings[i].code, s->findings[i].outcome };
	v->hint = s->hint <= SCAN_HINT_LAST ? (enum scan_text_hint)s->hint : SCAN_HINT_NONE;
	v->layer = s->layer <= LAYER_CLAIMS ? (enum verify_layer)s->layer : LAYER_NONE;
	snprintf(v->detail, sizeof(v->detail), "%s", s->detail);
	v->issuers_version = s->issuers_version;
	v->list_version = s->list_version;
	v->issuers_age_s = s->issuers_age_s;
	v->list_age_s = s->list_age_s;
}

static void certificate_put(const struct scan *s, const uint8_t journal_key[32], struct json_out *w)
{
	struct buf plain;
	struct bytes number, name, certificate;
	buf_init(&plain, SCAN_SEALED_MAX);
	if (aead_open(journal_key, (struct bytes){ s->id, SCAN_ID_LEN }, s->sealed, &plain, NULL)) {
		struct cbor in = cbor_over(buf_bytes(&plain));
		if (cbor_expect_array(&in, 3, NULL) && cbor_get_text(&in, &number, NULL) &&
		    cbor_get_text(&in, &name, NULL) && cbor_get_text(&in, &certificate, NULL) && certificate.len > 0)
			json_put_raw(w, "certificate", certificate);
	}
	buf_wipe(&plain);
}

static void time_put(struct json_out *w, int64_t time_s)
{
	char text[40] = "";
	struct tm tm;
	time_t local = (time_t)(time_s + CHECK_CHINA_S);
	if (gmtime_r(&local, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+08:00", &tm) > 0)
		json_put_text(w, "time", text);
	else
		json_put_null(w, "time");
}

static void duty_put(const struct scan *s, enum scan_code turned, struct json_out *w)
{
	if (s->outcome != SCAN_ACCEPT_WITH_DUTY) {
		json_put_null(w, "duty");
		return;
	}
	json_open(w, "duty", '{');
	json_put_text(w, "state", turned == 0 ? "open" : turned == SCAN_ACCEPTED ? "kept" : "turned");
	if (turned != 0) {
		json_put_text(w, "code", scan_code_name(turned));
		json_open(w, "text", '{');
		json_put_text(w, "zh", verify_code_zh(turned));
		json_put_text(w, "en", verify_code_en(turned));
		json_close(w, '}');
	}
	json_close(w, '}');
}

void scan_json(const struct scan *s, const uint8_t journal_key[32], enum scan_code turned, struct buf *out)
{
	struct json_out w = { out, false };
	struct verdict v;
	char id[2 * SCAN_ID_LEN + 1];
	verdict_of(s, &v);
	hex_encode(s->id, SCAN_ID_LEN, id);
	json_open(&w, NULL, '{');
	json_put_text(&w, "scan_id", id);
	json_put_text(&w, "request_id", s->request_id);
	time_put(&w, s->time_s);
	json_put_text(&w, "terminal", s->terminal);
	json_put_text(&w, "source", s->source);
	json_put_text(&w, "business", s->business);
	verify_words_json(&v, &w);
	if (s->type[0] != '\0')
		certificate_put(s, journal_key, &w);
	duty_put(s, turned, &w);
	json_close(&w, '}');
}
