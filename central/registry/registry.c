#include "central/registry/registry.h"

#include "central/registry/issuer_keys.h"
#include "central/registry/revocation.h"
#include "central/release/document.h"
#include "central/store/store.h"
#include "protocol/ecert_id.h"
#include "protocol/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHINA_S     28800
#define QR_M_MAX    3391 /* alphanumeric characters in one QR code of version 40 at level M (ISO/IEC 18004, table 7) */
#define SEALED_MAX  2048
#define SERIALS_MAX 99999999

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

void registry_holder_hash(const uint8_t vault_key[32], enum identifier_kind kind, const char *canonical,
			  uint8_t out[HASH_LEN])
{
	char text[PERSON_NAME_MAX + 32];
	size_t len = (size_t)snprintf(text, sizeof(text), "xb/1/holder/%d/%s", (int)kind, canonical);
	hmac_sha256((struct bytes){ vault_key, 32 }, (struct bytes){ (const uint8_t *)text, len }, out);
}

struct kinds *registry_kinds(struct release_context *c, struct err *e)
{
	struct release now;
	struct file_map map;
	if (!release_current(c, "kinds", &now, e))
		return NULL;
	if (now.version == 0) {
		(void)err_set(e, ERR_MISSING, "no document of certificate kinds was published yet");
		return NULL;
	}
	if (!objects_map(c->objects, now.content.hash, &map, e))
		return NULL;
	struct kinds *k = kinds_parse(map.bytes, e);
	file_unmap(&map);
	return k;
}

/* --- issuing --- */

void registry_issue_clear(struct registry_issue *i)
{
	buf_clear(&i->cwt);
	buf_clear(&i->file);
	explicit_bzero(&i->request, sizeof(i->request));
}

/* What makes two requests the same. */
static void request_hash(const struct registry_request *r, uint8_t out[HASH_LEN])
{
	struct sha256_stream s;
	struct registry_request plain = *r;
	plain.file = (struct bytes){ NULL, 0 };
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)&plain, sizeof(plain) });
	sha256_finish(&s, out);
}

/* Of a request answered before; *again stays false for a new one. */
static bool repeated(struct release_context *c, const struct registry_issue *i, char id[ECERT_ID_MAX + 1],
		     bool *again, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT id, request_hash FROM certificate WHERE request_id = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, i->request.request_id, e) && db_next(q, &row, e);
	if (ok && row) {
		snprintf(id, ECERT_ID_MAX + 1, "%s", db_text(q, 0));
		*again = true;
		ok = bytes_equal(db_bytes(q, 1), (struct bytes){ i->hash, HASH_LEN }) ||
		     err_set(e, ERR_CONFLICT, "request_id: it was used before for another certificate");
	}
	db_finish(q);
	return ok;
}

static int64_t months_later(int64_t time_s, int months)
{
	time_t local = (time_t)(time_s + CHINA_S);
	struct tm tm;
	if (gmtime_r(&local, &tm) == NULL)
		return time_s;
	tm.tm_mon += months;
	return (int64_t)timegm(&tm) - CHINA_S;
}

static bool times_set(struct registry_issue *i, const struct kind *kind, int64_t now_s, struct err *e)
{
	struct ecert *c = &i->cert;
	c->issued_s = now_s;
	c->from_s = i->request.from_s != 0 ? i->request.from_s : now_s;
	c->to_s = i->request.to_s != 0     ? i->request.to_s
		  : kind->valid_months > 0 ? months_later(c->from_s, kind->valid_months)
					   : ECERT_NO_END;
	if (c->to_s <= c->from_s)
		return err_set(e, ERR_INPUT, "to: it would end before it begins");
	return c->to_s > now_s || err_set(e, ERR_INPUT, "to: it would have expired already");
}

static bool holder_set(struct release_context *c, struct registry_issue *i, const struct kind *kind, int64_t now_s,
		       struct err *e)
{
	struct registry_request *r = &i->request;
	struct identifier id;
	if (kind->holder == KIND_HOLDER_NONE)
		return r->holder_kind == 0 || err_set(e, ERR_INPUT, "holder: this kind of certificate has none");
	if (r->holder_kind == 0)
		return err_set(e, ERR_INPUT, "holder is missing");
	if ((kind->holder_kinds & 1U << r->holder_kind) == 0)
		return err_set(e, ERR_INPUT, "holder.kind: this kind of certificate is not for holders known by %s",
			       identifier_kind_name(r->holder_kind));
	if (!identifier_parse(r->holder_kind, r->holder, strlen(r->holder), (now_s + CHINA_S) / 86400, &id, NULL, e))
		return err_wrap(e, "holder.number");
	snprintf(r->holder, sizeof(r->holder), "%s", id.canonical);
	snprintf(i->cert.holder_name, sizeof(i->cert.holder_name), "%s", r->holder_name);
	i->cert.holder_kind = r->holder_kind;
	if (kind->holder == KIND_HOLDER_MASKED) {
		identifier_mask(&id, i->cert.holder_masked, sizeof(i->cert.holder_masked));
		return true;
	}
	struct tag_key key;
	if (!revocation_key(c, now_s, &key, e))
		return false;
	i->cert.holder_is_tagged = true;
	i->cert.holder_epoch = key.epoch;
	i->cert.holder_tag = tag_of(&key, &id);
	tag_key_wipe(&key);
	return true;
}

/* A new serial, or the next version of what is superseded. */
static bool id_set(struct release_context *c, struct registry_issue *i, int64_t now_s, struct err *e)
{
	struct registry_request *r = &i->request;
	struct ecert_id id = { .version = "001" };
	int64_t serial = 0;
	if (r->supersedes[0] != '\0') {
		struct registry_row old;
		if (!registry_load(c, r->supersedes, &old, NULL, NULL, e) ||
		    !ecert_id_parse(bytes_of(r->supersedes), &id, NULL, e))
			return err_wrap(e, "supersedes");
		if (strcmp(old.issuer, r->issuer) != 0 || strcmp(old.kind, r->kind) != 0)
			return err_set(e, ERR_CONFLICT, "supersedes: that is of another issuer or kind");
		if (old.status == ECERT_REVOKED || old.status == ECERT_SUPERSEDED)
			return err_set(e, ERR_CONFLICT, "supersedes: that is %s already",
				       ecert_status_name(old.status));
		int version = (id.version[0] - '0') * 100 + (id.version[1] - '0') * 10 + (id.version[2] - '0') + 1;
		if (version > 999)
			return err_set(e, ERR_FULL, "supersedes: it has 999 versions");
		snprintf(id.version, sizeof(id.version), "%03d", version % 1000);
	} else {
		time_t local = (time_t)(now_s + CHINA_S);
		struct tm tm = { 0 };
		if (!db_run_int(c->db, &serial, e,
				"UPDATE issuer SET serial = serial + 1 WHERE code = ? RETURNING serial", "t",
				r->issuer))
			return false;
		if (serial > SERIALS_MAX || gmtime_r(&local, &tm) == NULL)
			return err_set(e, ERR_FULL, "the issuer has used up its serials");
		snprintf(id.type, sizeof(id.type), "%s", r->kind);
		snprintf(id.issuer, sizeof(id.issuer), "%s", r->issuer);
		snprintf(id.serial, sizeof(id.serial), "%04d%02d%02d%08d", (tm.tm_year + 1900) % 10000,
			 (tm.tm_mon + 1) % 100, tm.tm_mday % 100, (int)serial);
	}
	snprintf(i->cert.issuer, sizeof(i->cert.issuer), "%s", r->issuer);
	return ecert_id_compose(&id, i->cert.id, e);
}

static bool claims_make(struct release_context *c, struct registry_issue *i, int64_t now_s, struct err *e)
{
	struct registry_request *r = &i->request;
	struct kinds *kinds = registry_kinds(c, e);
	if (kinds == NULL)
		return false;
	const struct kind *kind = kinds_find(kinds, r->kind);
	bool ok = kind != NULL || err_set(e, ERR_INPUT, "kind: there is no kind of certificate '%s'", r->kind);
	ok = ok && issuer_may(c->db, r->issuer, r->kind, e) && times_set(i, kind, now_s, e) &&
	     holder_set(c, i, kind, now_s, e) && id_set(c, i, now_s, e);
	kinds_free(kinds);
	if (!ok)
		return false;
	snprintf(i->cert.number, sizeof(i->cert.number), "%s", r->number);
	i->cert.profile = ECERT_XB1;
	i->cert.has_digest = r->has_digest;
	memcpy(i->cert.digest, r->digest, HASH_LEN);
	return ecert_encode(&i->cert, &i->cwt, e);
}

bool registry_begin(struct release_context *c, struct registry_issue *i, int64_t now_s, char id[ECERT_ID_MAX + 1],
		    bool *again, struct err *e)
{
	*again = false;
	memset(&i->cert, 0, sizeof(i->cert));
	buf_init(&i->cwt, ECERT_COSE_MAX);
	request_hash(&i->request, i->hash);
	if (i->request.request_id[0] != '\0') {
		if (!repeated(c, i, id, again, e))
			return false;
		if (*again)
			return true;
	}
	if (!db_begin(c->db, e))
		return false;
	return finish(c, claims_make(c, i, now_s, e), e);
}

/* --- sealed parts --- */

static struct bytes context_of(const char *what, const char *id, char text[ECERT_ID_MAX + 64])
{
	snprintf(text, ECERT_ID_MAX + 64, "xb/1/vault/certificate/%s/%s", what, id);
	return bytes_of(text);
}

static bool part_seal(struct release_context *c, const char *what, const char *id, struct bytes plain,
		      struct buf *out, struct err *e)
{
	char context[ECERT_ID_MAX + 64];
	return aead_seal(c->vault_key, c->random, context_of(what, id, context), plain, out, e);
}

static bool part_open(struct release_context *c, const char *what, const char *id, struct bytes sealed,
		      struct buf *out, struct err *e)
{
	char context[ECERT_ID_MAX + 64];
	return aead_open(c->vault_key, context_of(what, id, context), sealed, out, e) || err_wrap(e, "certificate");
}

/* CBOR [holder kind, holder, holder's name, number]. */
static bool holder_seal(struct release_context *c, const struct registry_issue *i, struct buf *out, struct err *e)
{
	struct buf plain;
	buf_init(&plain, SEALED_MAX);
	cbor_put_array(&plain, 4);
	cbor_put_uint(&plain, i->request.holder_kind);
	cbor_put_text(&plain, i->request.holder);
	cbor_put_text(&plain, i->request.holder_name);
	cbor_put_text(&plain, i->request.number);
	bool ok = part_seal(c, "holder", i->cert.id, buf_bytes(&plain), out, e);
	buf_wipe(&plain);
	return ok;
}

static bool holder_open(struct release_context *c, struct bytes sealed, struct registry_row *r, struct err *e)
{
	struct buf plain;
	uint64_t kind;
	buf_init(&plain, SEALED_MAX);
	bool ok = part_open(c, "holder", r->id, sealed, &plain, e);
	struct cbor in = cbor_over(buf_bytes(&plain));
	ok = ok && cbor_expect_array(&in, 4, e) && cbor_get_uint_max(&in, IDENTIFIER_KIND_LAST, &kind, e) &&
	     cbor_get_string(&in, r->holder, sizeof(r->holder), e) &&
	     cbor_get_string(&in, r->holder_name, sizeof(r->holder_name), e) &&
	     cbor_get_string(&in, r->number, sizeof(r->number), e);
	if (ok)
		r->holder_kind = (enum identifier_kind)kind;
	buf_wipe(&plain);
	return ok;
}

/* --- storing --- */

static bool one_code(const struct registry_issue *i, struct bytes cose, struct err *e)
{
	struct buf text;
	buf_init(&text, (size_t)2 * ECERT_TEXT_MAX);
	bool ok = envelope_seal(ECERT_XB1, cose, &text, e);
	if (ok && text.len > QR_M_MAX)
		ok = err_set(e, ERR_INPUT, "certificate %s takes %zu characters; one QR code holds %d", i->cert.id,
			     text.len, QR_M_MAX);
	buf_clear(&text);
	return ok;
}

struct sealed {
	struct buf holder, cose, file;
	uint8_t hash[HASH_LEN];
	struct identifier identity;
	uint64_t tag;
};

/* What a row says in the clear: parameters 1 to 9. */
static bool row_bind(struct db_query *q, const struct registry_issue *i, const struct sealed *s, const char *operator,
		     int64_t now_s, struct err *e)
{
	const struct registry_request *r = &i->request;
	return db_bind_text(q, 1, i->cert.id, e) && db_bind_text(q, 2, r->issuer, e) &&
	       db_bind_text(q, 3, r->kind, e) && db_bind_text(q, 4, operator, e) && db_bind_int(q, 5, now_s, e) &&
	       db_bind_int(q, 6, i->cert.issued_s, e) &&
	       (i->cert.to_s != ECERT_NO_END ? db_bind_int(q, 7, i->cert.to_s, e) : db_bind_null(q, 7, e)) &&
	       db_bind_int(q, 8, (int64_t)s->tag, e) && db_bind_text(q, 9, s->identity.canonical, e);
}

/* What is sealed, and what it was asked by: parameters 10 to 18. */
static bool row_bind_rest(struct db_query *q, const struct registry_issue *i, const struct sealed *s, struct err *e)
{
	const struct registry_request *r = &i->request;
	return db_bind_bytes(q, 10, (struct bytes){ s->hash, HASH_LEN }, e) &&
	       db_bind_bytes(q, 11, buf_bytes(&s->holder), e) && db_bind_bytes(q, 12, buf_bytes(&s->cose), e) &&
	       db_bind_text(q, 13, r->media_type, e) &&
	       (r->file.data != NULL ? db_bind_bytes(q, 14, buf_bytes(&s->file), e) : db_bind_null(q, 14, e)) &&
	       db_bind_int(q, 15, (int64_t)r->file.len, e) &&
	       (r->request_id[0] != '\0' ? db_bind_text(q, 16, r->request_id, e) : db_bind_null(q, 16, e)) &&
	       db_bind_bytes(q, 17, (struct bytes){ i->hash, HASH_LEN }, e) && db_bind_text(q, 18, r->supersedes, e);
}

static bool row_insert(struct release_context *c, const struct registry_issue *i, const struct sealed *s,
		       const char *operator, int64_t now_s, struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "INSERT INTO certificate (id, issuer, kind, status, status_reason, status_by, status_s,"
			 " reinstate_by, issued_s, to_s, tag, identity, holder, sealed, cose, media_type, file,"
			 " file_size, request_id, request_hash, supersedes)"
			 " VALUES (?, ?, ?, 0, '', ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			 e);
	bool row;
	if (q == NULL)
		return false;
	bool ok = row_bind(q, i, s, operator, now_s, e) && row_bind_rest(q, i, s, e) && db_next(q, &row, e);
	db_finish(q);
	return ok;
}

static bool status_write(struct release_context *c, const char *id, enum ecert_status status, const char *reason,
			 const char *operator, int64_t now_s, struct err *e)
{
	char what[40];
	snprintf(what, sizeof(what), "certificate.%s",
		 status == ECERT_VALID ? "reinstated" : ecert_status_name(status));
	return db_run(c->db, e,
		      "UPDATE certificate SET status = ?, status_reason = ?, status_by = ?, status_s = ?, "
		      "reinstate_by = '' WHERE"
		      " id = ?",
		      "ittit", (int64_t)status, reason, operator, now_s, id) &&
	       revocation_changed(c->db, e) && audit_add(c->db, now_s, operator, what, id, reason, e);
}

static bool store(struct release_context *c, const struct registry_issue *i, struct bytes cose, struct sealed *s,
		  const char *operator, int64_t now_s, struct err *e)
{
	const struct registry_request *r = &i->request;
	registry_holder_hash(c->vault_key, r->holder_kind, r->holder, s->hash);
	return ecert_identity(&i->cert, &s->identity, e) && revocation_tag(c, &s->identity, now_s, &s->tag, e) &&
	       holder_seal(c, i, &s->holder, e) && part_seal(c, "cose", i->cert.id, cose, &s->cose, e) &&
	       (r->file.data == NULL || part_seal(c, "file", i->cert.id, r->file, &s->file, e)) &&
	       row_insert(c, i, s, operator, now_s, e) &&
	       (r->supersedes[0] == '\0' ||
		status_write(c, r->supersedes, ECERT_SUPERSEDED, i->cert.id, operator, now_s, e)) &&
	       audit_add(c->db, now_s, operator, "certificate.issue", i->cert.id, r->kind, e);
}

bool registry_finish(struct release_context *c, const struct registry_issue *i, struct bytes cose,
		     const char *operator, int64_t now_s, struct err *e)
{
	struct sealed s = { 0 };
	if (!one_code(i, cose, e) || !db_begin(c->db, e))
		return false;
	buf_init(&s.holder, SEALED_MAX);
	buf_init(&s.cose, (size_t)2 * ECERT_COSE_MAX);
	buf_init(&s.file, (size_t)2 * BODY_FILE_MAX);
	bool ok = finish(c, store(c, i, cose, &s, operator, now_s, e), e);
	buf_clear(&s.holder);
	buf_clear(&s.cose);
	buf_clear(&s.file);
	return ok;
}

/* --- steps --- */

/* From this status to that: what is revoked or superseded stays so. */
static bool step_check(const struct registry_row *r, enum ecert_status to, struct err *e)
{
	bool ok = r->status == ECERT_VALID || (r->status == ECERT_SUSPENDED && to == ECERT_REVOKED);
	return ok || err_set(e, ERR_CONFLICT, "certificate %s is %s", r->id, ecert_status_name(r->status));
}

bool registry_set(struct release_context *c, const char *id, enum ecert_status status, const char *reason,
		  const char *operator, int64_t now_s, struct err *e)
{
	struct registry_row r;
	if (status != ECERT_REVOKED && status != ECERT_SUSPENDED)
		return err_set(e, ERR_INPUT, "a certificate is revoked or suspended; a newer version supersedes it");
	if (reason[0] == '\0' || strlen(reason) >= sizeof(r.status_reason))
		return err_set(e, ERR_INPUT, "reason: say why, in at most %zu bytes", sizeof(r.status_reason) - 1);
	if (!db_begin(c->db, e))
		return false;
	return finish(c,
		      registry_load(c, id, &r, NULL, NULL, e) && step_check(&r, status, e) &&
			      status_write(c, id, status, reason, operator, now_s, e),
		      e);
}

static bool reinstate(struct release_context *c, const char *id, const char *operator, int64_t now_s, bool *done,
		      struct err *e)
{
	struct registry_row r;
	if (!registry_load(c, id, &r, NULL, NULL, e))
		return false;
	if (r.status != ECERT_SUSPENDED)
		return err_set(e, ERR_CONFLICT, "certificate %s is %s, not suspended", id,
			       ecert_status_name(r.status));
	if (r.reinstate_by[0] == '\0')
		return db_run(c->db, e, "UPDATE certificate SET reinstate_by = ? WHERE id = ?", "tt", operator, id) &&
		       audit_add(c->db, now_s, operator, "certificate.reinstate_asked", id, "", e);
	if (strcmp(r.reinstate_by, operator) == 0)
		return err_set(e, ERR_DENIED, "%s asked for it: someone else must confirm", operator);
	*done = true;
	return status_write(c, id, ECERT_VALID, "", operator, now_s, e);
}

bool registry_reinstate(struct release_context *c, const char *id, const char *operator, int64_t now_s, bool *done,
			struct err *e)
{
	*done = false;
	if (!db_begin(c->db, e))
		return false;
	return finish(c, reinstate(c, id, operator, now_s, done, e), e);
}

/* --- reading --- */

#define COLUMNS                                                                                                      \
	"id, issuer, kind, identity, status, status_reason, status_by, status_s, reinstate_by, issued_s, to_s, "     \
	"sealed,"                                                                                                    \
	" media_type, file_size, cose, file"

static bool row_read(struct release_context *c, const struct db_query *q, struct registry_row *r, struct err *e)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->id, sizeof(r->id), "%s", db_text(q, 0));
	snprintf(r->issuer, sizeof(r->issuer), "%s", db_text(q, 1));
	snprintf(r->kind, sizeof(r->kind), "%s", db_text(q, 2));
	snprintf(r->identity, sizeof(r->identity), "%s", db_text(q, 3));
	r->status = (enum ecert_status)db_int(q, 4);
	snprintf(r->status_reason, sizeof(r->status_reason), "%s", db_text(q, 5));
	snprintf(r->status_by, sizeof(r->status_by), "%s", db_text(q, 6));
	r->status_s = db_int(q, 7);
	snprintf(r->reinstate_by, sizeof(r->reinstate_by), "%s", db_text(q, 8));
	r->issued_s = db_int(q, 9);
	r->to_s = db_is_null(q, 10) ? ECERT_NO_END : db_int(q, 10);
	snprintf(r->media_type, sizeof(r->media_type), "%s", db_text(q, 12));
	r->file_size = (uint64_t)db_int(q, 13);
	return holder_open(c, db_bytes(q, 11), r, e);
}

bool registry_load(struct release_context *c, const char *id, struct registry_row *out, struct buf *cose,
		   struct buf *file, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT " COLUMNS " FROM certificate WHERE id = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, id, e) && db_next(q, &row, e);
	if (ok && !row)
		ok = err_set(e, ERR_MISSING, "there is no certificate %.128s", id);
	ok = ok && row_read(c, q, out, e) && (cose == NULL || part_open(c, "cose", id, db_bytes(q, 14), cose, e)) &&
	     (file == NULL || db_is_null(q, 15) || part_open(c, "file", id, db_bytes(q, 15), file, e));
	db_finish(q);
	return ok;
}

bool registry_each_of_holder(struct release_context *c, enum identifier_kind kind, const char *canonical,
			     const char *type, size_t limit, void (*each)(void *arg, const struct registry_row *row),
			     void *arg, struct err *e)
{
	struct db_query *q =
		db_query(c->db,
			 "SELECT " COLUMNS " FROM certificate WHERE holder = ?1 AND (?2 = '' OR kind = ?2)"
			 " ORDER BY issued_s DESC, id DESC LIMIT ?3",
			 e);
	uint8_t hash[HASH_LEN];
	struct registry_row r;
	bool row = false;
	if (q == NULL)
		return false;
	registry_holder_hash(c->vault_key, kind, canonical, hash);
	bool ok = db_bind_bytes(q, 1, (struct bytes){ hash, HASH_LEN }, e) && db_bind_text(q, 2, type, e) &&
		  db_bind_int(q, 3, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		ok = row_read(c, q, &r, e);
		if (ok)
			each(arg, &r);
	}
	db_finish(q);
	return ok;
}
