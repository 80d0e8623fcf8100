/* Issuers, their keys, and the registry of e-certificates, for operators. */
#include "central/api/args.h"
#include "central/branch/uses.h"
#include "central/centrald.h"
#include "central/registry/issuer_keys.h"
#include "central/registry/registry.h"
#include "central/signer/signer.h"
#include "central/store/store.h"
#include "protocol/cose.h"
#include "protocol/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX_TEXT ISSUER_KINDS_TEXT_MAX
#define FOUND_MAX      200

static void registry_changed(const struct central *central)
{
	if (central->revoked != NULL)
		central->revoked(central->revoked_arg);
}

/* --- issuers --- */

static bool profile_take(const struct json *j, enum ecert_profile *out, struct err *e)
{
	const char *profile = NULL;
	*out = ECERT_XB1;
	if (!json_text_opt(j, "profile", 8, &profile, e))
		return false;
	if (profile == NULL || strcmp(profile, ecert_profile_name(ECERT_XB1)) == 0)
		return true;
	*out = ECERT_HC1;
	return strcmp(profile, ecert_profile_name(ECERT_HC1)) == 0 ||
	       err_set(e, ERR_INPUT, "profile: expected xb1 or hc1");
}

static bool issuer_take(const struct json *j, struct issuer_new *n, struct buf *kinds, struct err *e)
{
	const struct json *name = json_get(j, "name");
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "code name profile kinds", e) || !json_text(j, "code", ECERT_PART_MAX, &n->code, e) ||
	    !profile_take(j, &n->profile, e) || !api_set(j, "kinds", ECERT_PART_MAX, kinds, e))
		return false;
	if (name == NULL || !json_is_object(name))
		return err_set(e, ERR_INPUT, "name: expected {\"zh\", \"en\"}");
	n->kinds = buf_str(kinds);
	return json_text(name, "zh", 200, &n->name_zh, e) && json_text(name, "en", 200, &n->name_en, e);
}

static bool issuer_read(struct api_call *call, const struct json *j, struct err *e)
{
	struct issuer_new n = { 0 };
	struct buf kinds;
	buf_init(&kinds, KINDS_MAX_TEXT);
	bool ok = issuer_take(j, &n, &kinds, e) &&
		  issuer_add(call->central->release.db, &n, call->operator, call->now_s, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "code", n.code);
		json_close(&call->json, '}');
	}
	buf_clear(&kinds);
	return ok;
}

static bool issuer_create(struct api_call *call, struct err *e)
{
	struct json *j = json_parse(http_body(call->request), e);
	if (j == NULL)
		return false;
	bool ok = issuer_read(call, j, e);
	json_free(j);
	return ok;
}

/* The document as it would be published now. */
static bool issuers_show(struct api_call *call, struct err *e)
{
	return issuers_document(call->central->release.db, call->out, e);
}

static bool document_draft(struct api_call *call, const char *operator, int64_t * id, struct err *e)
{
	struct buf json;
	buf_init(&json, 16U << 20);
	bool ok = issuers_document(call->central->release.db, &json, e) &&
		  document_draft_import(&call->central->release, "issuers", "registry", buf_bytes(&json), operator,
					call->now_s, id, e);
	buf_clear(&json);
	return ok;
}

static bool issuers_publish(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	if (!document_draft(call, call->operator, & id, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "release", id);
	json_close(&call->json, '}');
	return true;
}

/* A key that is lost cannot wait for a second person. */
static bool issuers_publish_now(struct api_call *call, struct err *e)
{
	struct release_context *c = &call->central->release;
	int64_t id = 0;
	if (!document_draft(call, call->operator, & id, e) ||
	    !release_submit(c, id, call->operator, false, call->now_s, e) ||
	    !release_approve(c, id, REGISTRY_OPERATOR, call->now_s, e) ||
	    !release_publish(c, id, REGISTRY_OPERATOR, call->now_s, e))
		return false;
	if (call->central->sync != NULL)
		central_sync_released(call->central->sync);
	return true;
}

/* --- keys --- */

struct rotation {
	struct central *central;
	struct api_later *later;
	char issuer[ECERT_PART_MAX + 1], operator[NAME_MAX_LEN + 1];
	int64_t overlap_s, now_s;
};

static void rotation_gone(void *arg)
{
	struct rotation *r = arg;
	signer_cancel(r->central->signer, r);
	free(r);
}

static bool rotation_store(struct rotation *r, struct bytes result, char kid_hex[17], struct err *e)
{
	struct cbor c = cbor_over(result);
	uint8_t point[POINT_LEN], kid[COSE_KID_LEN];
	struct bytes sealed;
	struct buf der;
	if (!cbor_expect_array(&c, 2, e) || !cbor_get_bytes_exact(&c, point, POINT_LEN, e) ||
	    !cbor_get_bytes(&c, &sealed, e))
		return false;
	cose_kid(point, kid);
	hex_encode(kid, sizeof(kid), kid_hex);
	buf_init(&der, PUBLIC_KEY_DER_MAX);
	struct issuer_key_new n = { .issuer = r->issuer,
				    .kid = kid,
				    .kid_len = sizeof(kid),
				    .alg = alg_name(ALG_ES256),
				    .sealed = sealed,
				    .from_s = r->now_s,
				    .to_s = INT64_MAX,
				    .overlap_s = r->overlap_s };
	bool ok = public_key_der(point, &der, e);
	n.der = buf_bytes(&der);
	ok = ok && issuer_key_add(r->central->release.db, &n, r->operator, r->now_s, e);
	buf_clear(&der);
	return ok;
}

static void rotation_done(void *arg, struct bytes result, const struct err *why)
{
	struct rotation *r = arg;
	struct err e = { 0 };
	struct buf out;
	struct json_out w = { &out, false };
	char kid[17];
	buf_init(&out, 1024);
	bool ok = result.data != NULL && rotation_store(r, result, kid, &e);
	if (ok) {
		json_open(&w, NULL, '{');
		json_put_text(&w, "issuer", r->issuer);
		json_put_text(&w, "kid", kid);
		json_close(&w, '}');
	}
	api_finish(r->later, ok ? &out : NULL, result.data == NULL ? why : &e);
	buf_clear(&out);
	free(r);
}

/* POST …/rotate?overlap_days=: a new key signs from now on; the first one is made the same way. */
static bool key_rotate(struct api_call *call, struct err *e)
{
	int64_t days = 0;
	if (!api_query_int(call, "overlap_days", 0, 3650, 90, &days, e))
		return false;
	struct rotation *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->central = call->central;
	r->overlap_s = days * 86400;
	r->now_s = call->now_s;
	snprintf(r->issuer, sizeof(r->issuer), "%.32s", call->path_rest);
	snprintf(r->operator, sizeof(r->operator), "%s", call->operator);
	if (!signer_issuer_key(call->central->signer, r->issuer, rotation_done, r, e)) {
		free(r);
		return false;
	}
	r->later = api_later(call, rotation_gone, r);
	return true;
}

static bool key_read(struct api_call *call, const struct json *j, struct err *e)
{
	const char *kid = NULL, *base64 = NULL;
	uint8_t id[ECERT_KID_MAX];
	struct buf der;
	struct key_certificate says = { 0 };
	bool ok = json_is_object(j) || err_set(e, ERR_INPUT, "expected an object");
	ok = ok && json_only(j, "kid key", e) && json_text(j, "kid", (size_t)2 * ECERT_KID_MAX, &kid, e) &&
	     json_text(j, "key", 16384, &base64, e);
	if (ok && (strlen(kid) % 2 != 0 || !hex_decode(kid, id, strlen(kid) / 2)))
		ok = err_set(e, ERR_INPUT, "kid: expected lower-case hex");
	buf_init(&der, 16384);
	ok = ok && base64_decode(bytes_of(base64), &der, e);
	struct public_key *key = ok ? public_key_parse(buf_bytes(&der), e) : NULL;
	struct public_key *certified = key != NULL ? public_key_of_certificate(buf_bytes(&der), &says, NULL) : NULL;
	if (key != NULL) {
		struct issuer_key_new n = { .issuer = call->path_rest,
					    .kid = id,
					    .kid_len = strlen(kid) / 2,
					    .alg = alg_name(public_key_alg(key)),
					    .der = buf_bytes(&der),
					    .from_s = says.from_s,
					    .to_s = certified != NULL ? says.to_s + 1 : INT64_MAX,
					    .overlap_s = -1 };
		ok = issuer_key_add(call->central->release.db, &n, call->operator, call->now_s, e);
	} else if (ok) {
		ok = err_wrap(e, "key");
	}
	public_key_free(key);
	public_key_free(certified);
	buf_clear(&der);
	if (ok) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "kid", kid);
		json_close(&call->json, '}');
	}
	return ok;
}

/* The public half of one who signs elsewhere; of a certificate its period comes along. */
static bool key_add(struct api_call *call, struct err *e)
{
	struct json *j = json_parse(http_body(call->request), e);
	if (j == NULL)
		return false;
	bool ok = key_read(call, j, e);
	json_free(j);
	return ok;
}

/* POST …/withdraw?kid=&lost_since_s=: with the latter it is compromised and the branches are told at once. */
static bool key_withdraw(struct api_call *call, struct err *e)
{
	const char *kid = http_query(call->request, "kid");
	int64_t since = 0;
	if (kid == NULL)
		return err_set(e, ERR_INPUT, "kid: say which key");
	if (!api_query_int(call, "lost_since_s", 0, INT64_MAX, -1, &since, e) ||
	    !issuer_key_withdraw(call->central->release.db, call->path_rest, kid, since >= 0, since, call->operator,
				 call->now_s, e) ||
	    (since >= 0 && !issuers_publish_now(call, e)))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "kid", kid);
	json_put_bool(&call->json, "published", since >= 0);
	json_close(&call->json, '}');
	return true;
}

/* --- certificates --- */

static void row_put(struct json_out *w, const struct registry_row *r)
{
	struct identifier id;
	char masked[96] = "";
	if (r->holder_kind != 0 && identifier_parse(r->holder_kind, r->holder, strlen(r->holder), 0, &id, NULL, NULL))
		identifier_mask(&id, masked, sizeof(masked));
	json_put_text(w, "id", r->id);
	json_put_text(w, "issuer", r->issuer);
	json_put_text(w, "kind", r->kind);
	json_put_text(w, "status", ecert_status_name(r->status));
	json_put_text(w, "status_zh", ecert_status_zh(r->status));
	json_put_text(w, "status_reason", r->status_reason);
	json_put_text(w, "status_by", r->status_by);
	json_put_int(w, "status_s", r->status_s);
	json_put_text(w, "reinstate_by", r->reinstate_by);
	json_put_int(w, "issued_s", r->issued_s);
	if (r->to_s == ECERT_NO_END)
		json_put_null(w, "to_s");
	else
		json_put_int(w, "to_s", r->to_s);
	json_put_text(w, "holder_masked", masked);
	json_put_int(w, "file_size", (int64_t)r->file_size);
}

/* One certificate with its code's text. */
static bool certificate_put(struct release_context *c, const char *id, struct json_out *w, struct err *e)
{
	struct registry_row r;
	struct buf cose, text;
	buf_init(&cose, (size_t)2 * ECERT_COSE_MAX);
	buf_init(&text, (size_t)2 * ECERT_TEXT_MAX);
	bool ok = registry_load(c, id, &r, &cose, NULL, e) && envelope_seal(ECERT_XB1, buf_bytes(&cose), &text, e);
	if (ok) {
		json_open(w, NULL, '{');
		row_put(w, &r);
		json_put_text(w, "text", buf_str(&text));
		json_close(w, '}');
	}
	buf_clear(&cose);
	buf_clear(&text);
	return ok;
}

struct issuing {
	struct central *central;
	struct api_later *later;
	struct registry_issue issue;
	char operator[NAME_MAX_LEN + 1];
	int64_t now_s;
};

static void issuing_free(struct issuing *i)
{
	registry_issue_clear(&i->issue);
	free(i);
}

static void issuing_gone(void *arg)
{
	struct issuing *i = arg;
	signer_cancel(i->central->signer, i);
	issuing_free(i);
}

static void issuing_done(void *arg, struct bytes cose, const struct err *why)
{
	struct issuing *i = arg;
	struct release_context *c = &i->central->release;
	struct err e = { 0 };
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 65536);
	bool ok = cose.data != NULL && registry_finish(c, &i->issue, cose, i->operator, i->now_s, &e) &&
		  certificate_put(c, i->issue.cert.id, &w, &e);
	if (ok && i->issue.request.supersedes[0] != '\0')
		registry_changed(i->central);
	api_finish(i->later, ok ? &out : NULL, cose.data == NULL ? why : &e);
	buf_clear(&out);
	issuing_free(i);
}

static bool issuing_ask(struct issuing *i, struct err *e)
{
	struct issuer_signing key;
	if (!issuer_signing(i->central->release.db, i->issue.request.issuer, i->now_s, &key, e))
		return false;
	struct signer_certificate q = { .issuer = i->issue.request.issuer,
					.kid = { key.kid, key.kid_len },
					.sealed = buf_bytes(&key.sealed),
					.cwt = buf_bytes(&i->issue.cwt) };
	bool ok = signer_certificate(i->central->signer, &q, issuing_done, i, e);
	buf_clear(&key.sealed);
	return ok;
}

static bool certificate_issue(struct api_call *call, struct err *e)
{
	char id[ECERT_ID_MAX + 1];
	bool again = false;
	struct issuing *i = calloc(1, sizeof(*i));
	if (i == NULL)
		abort();
	i->central = call->central;
	i->now_s = call->now_s;
	snprintf(i->operator, sizeof(i->operator), "%s", call->operator);
	buf_init(&i->issue.file, (size_t)2 * BODY_FILE_MAX);
	buf_init(&i->issue.cwt, ECERT_COSE_MAX);
	bool ok = registry_request_parse(http_body(call->request), &i->issue.request, &i->issue.file, e) &&
		  registry_begin(&call->central->release, &i->issue, call->now_s, id, &again, e);
	if (ok && !again && issuing_ask(i, e)) {
		i->later = api_later(call, issuing_gone, i);
		return true;
	}
	ok = ok && again && certificate_put(&call->central->release, id, &call->json, e);
	issuing_free(i);
	return ok;
}

static bool certificate_show(struct api_call *call, struct err *e)
{
	return certificate_put(&call->central->release, call->path_rest, &call->json, e);
}

static void found_put(void *arg, const struct registry_row *r)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	row_put(w, r);
	json_close(w, '}');
}

/* GET ?holder_kind= &holder= &kind= &purpose=: an operator's step, in the audit before the answer leaves. */
static bool certificate_find(struct api_call *call, struct err *e)
{
	const char *type = http_query(call->request, "kind");
	struct identifier id;
	if (!api_holder_asked(call, "certificate.search", &id, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "certificates", '[');
	bool ok = registry_each_of_holder(&call->central->release, id.kind, id.canonical, type != NULL ? type : "",
					  FOUND_MAX, found_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool status_step(struct api_call *call, enum ecert_status status, struct err *e)
{
	const char *reason = http_query(call->request, "reason");
	if (!registry_set(&call->central->release, call->path_rest, status, reason != NULL ? reason : "",
			  call->operator, call->now_s, e))
		return false;
	registry_changed(call->central);
	return certificate_show(call, e);
}

static bool certificate_revoke(struct api_call *call, struct err *e)
{
	return status_step(call, ECERT_REVOKED, e);
}

static bool certificate_suspend(struct api_call *call, struct err *e)
{
	return status_step(call, ECERT_SUSPENDED, e);
}

static bool certificate_reinstate(struct api_call *call, struct err *e)
{
	bool done = false;
	if (!registry_reinstate(&call->central->release, call->path_rest, call->operator, call->now_s, &done, e))
		return false;
	if (done)
		registry_changed(call->central);
	return certificate_show(call, e);
}

/* --- use --- */

struct uses_call {
	struct json_out *w;
	const struct kinds *kinds;
	size_t used; /* businesses of the document that substituted a paper */
};

static void use_put(void *arg, const struct use_count *u)
{
	struct uses_call *c = arg;
	const struct kind_business *b = c->kinds != NULL ? kinds_business(c->kinds, u->business) : NULL;
	c->used += b != NULL && b->accepts_len > 0 && u->substitutions > 0;
	json_open(c->w, NULL, '{');
	json_put_text(c->w, "business", u->business);
	json_put_text(c->w, "zh", b != NULL ? b->name_zh : "");
	json_put_text(c->w, "en", b != NULL ? b->name_en : "");
	json_put_int(c->w, "scans", u->scans);
	json_put_int(c->w, "accepted", u->accepted);
	json_put_int(c->w, "turned", u->turned);
	json_put_int(c->w, "substitutions", u->substitutions);
	json_put_int(c->w, "last_s", u->last_s);
	json_close(c->w, '}');
}

/* The substitution rate: businesses that accept some certificate, of all in the kinds document. */
static void rate_put(struct uses_call *c)
{
	size_t all = c->kinds != NULL ? c->kinds->businesses_len : 0,
	       accepting = c->kinds != NULL ? kinds_accepting(c->kinds) : 0;
	json_put_int(c->w, "businesses", (int64_t)all);
	json_put_int(c->w, "accepting", (int64_t)accepting);
	json_put_int(c->w, "used", (int64_t)c->used);
	json_put_real(c->w, "rate_percent", all > 0 ? 100.0 * (double)accepting / (double)all : 0.0);
}

/* GET ?branch= &from_s= &to_s=. */
static bool uses_show(struct api_call *call, struct err *e)
{
	struct release_context *c = &call->central->release;
	struct use_filter f = { .branch = http_query(call->request, "branch") };
	struct err none = { 0 };
	if (!api_query_int(call, "from_s", 0, INT64_MAX, 0, &f.from_s, e) ||
	    !api_query_int(call, "to_s", 0, INT64_MAX, INT64_MAX, &f.to_s, e))
		return false;
	struct kinds *kinds = registry_kinds(c, &none);
	struct uses_call u = { &call->json, kinds, 0 };
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "uses", '[');
	bool ok = uses_each(c->db, &f, use_put, &u, e);
	json_close(&call->json, ']');
	rate_put(&u);
	json_close(&call->json, '}');
	kinds_free(kinds);
	return ok;
}

const struct api_route api_registry_routes[] = {
	{ "GET", "/v1/uses", false, uses_show },
	{ "GET", "/v1/issuers", false, issuers_show },
	{ "POST", "/v1/issuers", true, issuer_create },
	{ "POST", "/v1/issuers/publish", true, issuers_publish },
	{ "POST", "/v1/issuers/%/rotate", true, key_rotate },
	{ "POST", "/v1/issuers/%/keys", true, key_add },
	{ "POST", "/v1/issuers/%/withdraw", true, key_withdraw },
	{ "POST", "/v1/certificates", true, certificate_issue },
	{ "GET", "/v1/certificates", true, certificate_find },
	{ "GET", "/v1/certificates/%", true, certificate_show },
	{ "POST", "/v1/certificates/%/revoke", true, certificate_revoke },
	{ "POST", "/v1/certificates/%/suspend", true, certificate_suspend },
	{ "POST", "/v1/certificates/%/reinstate", true, certificate_reinstate },
	{ 0 },
};
