#include "central/department/certificates.h"

#include "central/ingest/source.h"
#include "central/store/store.h"
#include "protocol/base/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATES_MAX 9999 /* of one department */

static bool finish(struct db *db, bool ok, struct err *e)
{
	if (ok && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool department_name_parse(const char *name, struct department *out)
{
	size_t prefix = strlen(DEPARTMENT_PREFIX);
	if (strncmp(name, DEPARTMENT_PREFIX, prefix) != 0 || strlen(name) > NAME_MAX_LEN)
		return false;
	const char *dot = strchr(name + prefix, '.');
	size_t digits = dot != NULL ? strlen(dot + 1) : 0;
	if (digits == 0 || digits > 4 || dot[1] == '0' || strspn(dot + 1, "0123456789") != digits)
		return false;
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->code, sizeof(out->code), "%.*s", (int)(dot - name - (ptrdiff_t)prefix), name + prefix);
	return name_is_valid(out->code);
}

/* --- tokens --- */

static bool name_next(struct db *db, const char *code, struct department *out, struct err *e)
{
	int64_t known = 0, n = 0;
	if (!db_run_int(db, &known, e, "SELECT count(*) FROM source WHERE department = ?", "t", code) ||
	    !db_run_int(db, &n, e, "SELECT count(*) FROM department_certificate WHERE department = ?", "t", code))
		return false;
	if (known == 0)
		return err_set(e, ERR_MISSING, "the catalogue of sources has no department '%.40s'; see: source list",
			       code);
	if (n >= CERTIFICATES_MAX)
		return err_set(e, ERR_FULL, "%d certificates were made for this department", CERTIFICATES_MAX);
	char name[64];
	snprintf(name, sizeof(name), DEPARTMENT_PREFIX "%.40s.%lld", code, (long long)n + 1);
	return department_name_parse(name, out) ||
	       err_set(e, ERR_INPUT, "the department's code is too long: %s has at most %d bytes", name,
		       NAME_MAX_LEN);
}

static bool token_add(struct db *db, const struct department *d, const char *token, const char *operator,
		      int64_t now_s, int64_t valid_s, struct err *e)
{
	uint8_t hash[HASH_LEN];
	sha256(bytes_of(token), hash);
	return db_run(db, e,
		      "INSERT INTO department_certificate (name, department, token_hash, made_s, expires_s, serial,"
		      " enrolled_s, revoked_s) VALUES (?, ?, ?, ?, ?, '', 0, 0)",
		      "ttbii", d->name, d->code, (struct bytes){ hash, HASH_LEN }, now_s, now_s + valid_s) &&
	       audit_add(db, now_s, operator, "department.token", d->name, "an enrolment token was made", e);
}

bool department_token_new(struct db *db, const struct random *random, const char *code, const char *operator,
			  int64_t now_s, int64_t valid_s, struct department *out, char token[BRANCH_TOKEN_LEN + 1],
			  struct err *e)
{
	uint8_t secret[BRANCH_TOKEN_LEN / 2];
	random->fill(random->arg, secret, sizeof(secret));
	hex_encode(secret, sizeof(secret), token);
	explicit_bzero(secret, sizeof(secret));
	return db_begin(db, e) &&
	       finish(db, name_next(db, code, out, e) && token_add(db, out, token, operator, now_s, valid_s, e), e);
}

/* --- enrolment --- */

static bool token_judge(struct db_query *q, int64_t now_s, struct enrolment *r, struct buf *cert, struct err *e)
{
	bool row = false;
	if (!db_bind_bytes(q, 1, (struct bytes){ r->token_hash, HASH_LEN }, e) || !db_next(q, &row, e))
		return false;
	bool used = row && db_int(q, 2) != 0;
	bool again = used && bytes_equal(db_bytes(q, 3), (struct bytes){ r->request_hash, HASH_LEN });
	if (!row || db_int(q, 1) <= now_s || db_int(q, 4) != 0 || (used && !again))
		return err_set(e, ERR_DENIED, "the token is unknown, used up, expired or revoked");
	snprintf(r->branch, sizeof(r->branch), "%s", db_text(q, 0));
	struct bytes stored = db_bytes(q, 5);
	if (again)
		buf_add(cert, stored.data, stored.len);
	return buf_ok(cert, "certificate", e);
}

bool department_enrol_begin(struct db *db, const char *header, struct bytes csr, int64_t now_s, struct enrolment *r,
			    struct buf *cert, struct err *e)
{
	static const char scheme[] = "Bearer ";
	*r = (struct enrolment){ .department = true };
	buf_init(&r->csr, PKI_CERT_MAX);
	if (header == NULL || strncmp(header, scheme, sizeof(scheme) - 1) != 0)
		return err_set(e, ERR_DENIED, "send the token: Authorization: Bearer TOKEN");
	if (!pki_from_pem(csr, "CERTIFICATE REQUEST", &r->csr, e))
		return err_wrap(e, "the body is the certificate request, as PEM");
	sha256(bytes_of(header + sizeof(scheme) - 1), r->token_hash);
	sha256(buf_bytes(&r->csr), r->request_hash);
	struct db_query *q = db_query(db,
				      "SELECT name, expires_s, enrolled_s, request, revoked_s, certificate"
				      " FROM department_certificate WHERE token_hash = ?",
				      e);
	if (q == NULL)
		return false;
	bool ok = token_judge(q, now_s, r, cert, e);
	db_finish(q);
	return ok;
}

static bool enrolled(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s, struct err *e)
{
	struct pki_info info;
	char detail[120];
	if (!pki_read(cert, &info, e) ||
	    !db_run(db, e,
		    "UPDATE department_certificate SET enrolled_s = ?, request = ?, certificate = ?, serial = ?"
		    " WHERE token_hash = ? AND enrolled_s = 0 AND revoked_s = 0 AND expires_s > ?",
		    "ibbtbi", now_s, (struct bytes){ r->request_hash, HASH_LEN }, cert, info.serial,
		    (struct bytes){ r->token_hash, HASH_LEN }, now_s))
		return false;
	if (db_changes(db) != 1)
		return err_set(e, ERR_DENIED, "the token is unknown, used up, expired or revoked");
	snprintf(detail, sizeof(detail), "certificate %s was issued for a token", info.serial);
	return audit_add(db, now_s, "", "department.enrol", r->branch, detail, e);
}

bool department_enrol_finish(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s,
			     struct err *e)
{
	return db_begin(db, e) && finish(db, enrolled(db, r, cert, now_s, e), e);
}

/* --- who may send --- */

bool department_may_send(struct db *db, const char *name, struct department *out, struct err *e)
{
	struct err none = { 0 };
	int64_t fine = 0;
	if (!department_name_parse(name, out))
		return err_set(e, ERR_DENIED, "this certificate is no department's");
	if (!db_run_int(db, &fine, &none,
			"SELECT enrolled_s <> 0 AND revoked_s = 0 FROM department_certificate WHERE name = ?", "t",
			name) &&
	    none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	return fine != 0 ||
	       err_set(e, ERR_DENIED, "certificate %s is revoked or not enrolled: ask the centre for a token",
		       out->name);
}

bool department_owns(struct db *db, const struct department *d, const char *source, struct err *e)
{
	struct source s;
	struct err none = { 0 };
	bool there = source_load(db, source, 0, &s, NULL, NULL, &none);
	if (!there && none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	return (there && strcmp(s.department, d->code) == 0) ||
	       err_set(e, ERR_DENIED, "'%.40s' is no source of department %s", source, d->code);
}

static bool revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e)
{
	if (!db_run(db, e, "UPDATE department_certificate SET revoked_s = ? WHERE name = ? AND revoked_s = 0", "it",
		    now_s, name))
		return false;
	if (db_changes(db) != 1)
		return err_set(e, ERR_MISSING, "no certificate '%.40s' that is not revoked; see: department list",
			       name);
	return audit_add(db, now_s, operator, "department.revoke", name, "the certificate was revoked", e);
}

bool department_revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e)
{
	return db_begin(db, e) && finish(db, revoke(db, name, operator, now_s, e), e);
}

bool department_names(struct db *db, bool revoked, struct buf *out, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(db, "SELECT name FROM department_certificate WHERE (revoked_s <> 0) = ? ORDER BY name", e);
	bool ok = q != NULL && db_bind_int(q, 1, revoked, e);
	while (ok && (ok = db_next(q, &row, e)) && row)
		buf_add_fmt(out, "%s\n", db_text(q, 0));
	db_finish(q);
	return ok && buf_ok(out, "names of departments", e);
}

bool department_each(struct db *db, void (*each)(void *arg, const struct department_certificate *c), void *arg,
		     struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q = db_query(
		db, "SELECT name, serial, made_s, enrolled_s, revoked_s FROM department_certificate ORDER BY name",
		e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row) {
		struct department_certificate c = { .made_s = db_int(q, 2),
						    .enrolled_s = db_int(q, 3),
						    .revoked_s = db_int(q, 4) };
		snprintf(c.serial, sizeof(c.serial), "%s", db_text(q, 1));
		if (department_name_parse(db_text(q, 0), &c.department))
			each(arg, &c);
	}
	db_finish(q);
	return ok;
}
