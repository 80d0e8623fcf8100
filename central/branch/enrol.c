#include "central/branch/enrol.h"

#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/base/pki.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PEM_MAX       8192 /* of PKI_CERT_MAX bytes DER */
#define ENROL_STEP_MS 2000

void enrolment_clear(struct enrolment *r)
{
	buf_clear(&r->csr);
}

bool enrol_limit_take(struct enrol_limit *l, int64_t now_ms)
{
	int64_t from = l->full_ms > now_ms ? l->full_ms : now_ms;
	if (from + ENROL_STEP_MS - now_ms > (int64_t)ENROL_BURST * ENROL_STEP_MS)
		return false;
	l->full_ms = from + ENROL_STEP_MS;
	return true;
}

/* A name or an address, no wildcard. */
static bool san_is_valid(struct bytes san)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-";
	if (san.len == 0 || san.len >= sizeof(((struct enrolment *)0)->sans[0]))
		return false;
	for (size_t i = 0; i < san.len; i++) {
		if (memchr(allowed, san.data[i], sizeof(allowed) - 1) == NULL)
			return false;
	}
	return true;
}

static bool sans_parse(const struct json *j, struct enrolment *r, struct err *e)
{
	const struct json *sans = json_get(j, "sans");
	if (sans == NULL)
		return true;
	if (json_kind(sans) != JSON_KIND_ARRAY || json_len(sans) > ENROL_SANS_MAX)
		return err_set(e, ERR_INPUT, "sans: expected at most %d names", ENROL_SANS_MAX);
	for (size_t i = 0; i < json_len(sans); i++) {
		const struct json *one = json_at(sans, i);
		if (json_kind(one) != JSON_KIND_TEXT || !san_is_valid(json_text_value(one)))
			return err_set(e, ERR_INPUT, "sans: number %zu is no host name or address", i);
		struct bytes san = json_text_value(one);
		snprintf(r->sans[i], sizeof(r->sans[i]), "%.*s", (int)san.len, (const char *)san.data);
	}
	r->sans_len = json_len(sans);
	return true;
}

static bool request_parse(const struct json *j, struct enrolment *r, struct err *e)
{
	const char *token = NULL, *csr = NULL, *seal_key = NULL;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "token csr seal_key sans", e) || !json_text(j, "token", 256, &token, e) ||
	    !json_text(j, "csr", PKI_CERT_MAX, &csr, e) || !json_text(j, "seal_key", 256, &seal_key, e) ||
	    !sans_parse(j, r, e) || !pki_from_pem(bytes_of(csr), "CERTIFICATE REQUEST", &r->csr, e))
		return false;
	if (!hex_decode(seal_key, r->seal_key, POINT_LEN))
		return err_set(e, ERR_INPUT, "seal_key: expected %d hex digits", 2 * POINT_LEN);
	sha256(bytes_of(token), r->token_hash);
	return true;
}

/* A key that nothing can be sealed to would surface only when the branch asks for its first epoch key. */
static bool seal_key_check(const struct enrolment *r, const struct random *random, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, 512);
	bool ok = seal_to(r->seal_key, random, bytes_of("xb/1/proof"), bytes_of("proof"), &sealed, NULL);
	buf_clear(&sealed);
	return ok || err_set(e, ERR_INPUT, "seal_key: no point of the curve");
}

static bool token_judge(struct db_query *q, int64_t now_s, struct enrolment *r, struct buf *cert, struct err *e)
{
	bool row = false;
	if (!db_bind_bytes(q, 1, (struct bytes){ r->token_hash, HASH_LEN }, e) || !db_next(q, &row, e))
		return false;
	bool used = row && db_int(q, 2) != 0;
	bool again = used && bytes_equal(db_bytes(q, 3), (struct bytes){ r->request_hash, HASH_LEN });
	if (!row || db_int(q, 1) <= now_s || (used && !again))
		return err_set(e, ERR_DENIED, "the token is unknown, used up or expired");
	if (db_int(q, 4) != 0)
		return err_set(e, ERR_CONFLICT, "the branch is revoked");
	snprintf(r->branch, sizeof(r->branch), "%s", db_text(q, 0));
	if (again) {
		struct bytes stored = db_bytes(q, 5);
		buf_add(cert, stored.data, stored.len);
	}
	return buf_ok(cert, "certificate", e);
}

bool enrol_begin(struct db *db, const struct random *random, struct bytes body, int64_t now_s, struct enrolment *r,
		 struct buf *cert, struct err *e)
{
	*r = (struct enrolment){ 0 };
	buf_init(&r->csr, PKI_CERT_MAX);
	struct json *j = json_parse(body, e);
	if (j == NULL)
		return false;
	bool ok = request_parse(j, r, e);
	json_free(j);
	if (!ok || !seal_key_check(r, random, e))
		return false;
	sha256(body, r->request_hash);
	struct db_query *q = db_query(db,
				      "SELECT t.branch, t.expires_s, t.used_s, t.request, b.revoked_s, b.certificate"
				      " FROM enrol_token t JOIN branch b ON b.name = t.branch WHERE t.hash = ?",
				      e);
	if (q == NULL)
		return false;
	ok = token_judge(q, now_s, r, cert, e);
	db_finish(q);
	return ok;
}

bool enrol_names_check(const struct enrolment *r, const char *host, struct err *e)
{
	bool loopback =
		strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcasecmp(host, "localhost") == 0;
	bool ours = strcasecmp(r->branch, host) == 0;
	for (size_t i = 0; i < r->sans_len; i++) {
		/* A dot at the end names the same host. */
		size_t len = strlen(r->sans[i]);
		if (len > 0 && r->sans[i][len - 1] == '.')
			len--;
		ours = ours || (len == strlen(host) && strncasecmp(r->sans[i], host, len) == 0);
	}
	return !ours || loopback || err_set(e, ERR_DENIED, "that name is central's own");
}

static bool finish(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s, struct err *e)
{
	if (!db_run(db, e,
		    "UPDATE enrol_token SET used_s = ?, request = ? WHERE hash = ? AND used_s = 0 AND expires_s > ?",
		    "ibbi", now_s, (struct bytes){ r->request_hash, HASH_LEN },
		    (struct bytes){ r->token_hash, HASH_LEN }, now_s))
		return false;
	if (db_changes(db) != 1)
		return err_set(e, ERR_DENIED, "the token is unknown, used up or expired");
	if (!db_run(db, e,
		    "UPDATE branch SET certificate = ?, seal_key = ?, enrolled_s = ?, tampered_s = 0 WHERE name = ? "
		    "AND revoked_s = "
		    "0",
		    "bbit", cert, (struct bytes){ r->seal_key, POINT_LEN }, now_s, r->branch))
		return false;
	if (db_changes(db) != 1)
		return err_set(e, ERR_CONFLICT, "the branch is revoked");
	return audit_add(db, now_s, "", "branch.enrol", r->branch, "a certificate was issued for a token", e);
}

bool enrol_finish(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (finish(db, r, cert, now_s, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool enrol_reply(const struct enrolment *r, const struct enrol_answer *a, struct buf *json, struct err *e)
{
	struct buf cert, ca;
	char head_key[2 * POINT_LEN + 1], seal_key[2 * POINT_LEN + 1];
	buf_init(&cert, PEM_MAX);
	buf_init(&ca, PEM_MAX);
	bool ok = pki_to_pem(a->cert, "CERTIFICATE", &cert, e) && pki_to_pem(a->ca, "CERTIFICATE", &ca, e);
	if (ok) {
		struct json_out w = { json, false };
		hex_encode(a->head_key, POINT_LEN, head_key);
		hex_encode(a->seal_key, POINT_LEN, seal_key);
		json_open(&w, NULL, '{');
		json_put_text(&w, "branch", r->branch);
		json_put_text_n(&w, "certificate", buf_bytes(&cert));
		json_put_text_n(&w, "ca", buf_bytes(&ca));
		json_put_text(&w, "head_key", head_key);
		json_put_text(&w, "central_seal_key", seal_key);
		json_open(&w, "broker", '{');
		json_put_text(&w, "host", a->broker_host);
		json_put_int(&w, "port", a->broker_port);
		json_close(&w, '}');
		json_put_int(&w, "time_s", a->now_s);
		json_close(&w, '}');
		ok = buf_ok(json, "enrolment's answer", e);
	}
	buf_clear(&cert);
	buf_clear(&ca);
	return ok;
}
