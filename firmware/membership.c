#include "firmware/membership.h"
#include "firmware/state.h"
#include "protocol/base/json.h"

#include <stdio.h>
#include <string.h>

#define PEM_MAX 8192 /* PKI_CERT_MAX in base64, and its lines */

/* Loading and storing: each value under its own key of the state table. */

#define KEY_BRANCH "member.branch"

struct field {
	const char *key;
	uint8_t *at;
	size_t len;
};

static bool load_exact(struct db *db, const struct field *f, struct err *e)
{
	struct buf out;
	buf_init(&out, f->len);
	bool ok = meta_get(db, f->key, &out, e) &&
		  (out.len == f->len || err_set(e, ERR_IO, "state: %s is damaged", f->key));
	if (ok)
		memcpy(f->at, out.data, f->len);
	buf_wipe(&out);
	return ok;
}

static bool load_text(struct db *db, const char *key, char *out, size_t size, struct err *e)
{
	struct buf text;
	buf_init(&text, size - 1);
	bool ok = meta_get(db, key, &text, e);
	if (ok)
		memcpy(out, buf_str(&text), text.len + 1);
	buf_clear(&text);
	return ok;
}

#define SEAL_CONTEXT "member/seal-scalar"
#define SEAL_KEY     "member.seal_scalar"

static bool store_seal(struct db *db, const struct vault *vault, const struct membership *m, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, SCALAR_LEN + AEAD_OVERHEAD);
	bool ok = vault_seal_secret(vault, SEAL_CONTEXT, m->sync.seal_scalar, &sealed, e) &&
		  meta_put(db, SEAL_KEY, buf_bytes(&sealed), e);
	buf_clear(&sealed);
	return ok;
}

static bool seal_again(struct db *db, const struct vault *vault, const struct membership *m, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (store_seal(db, vault, m, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

/* One that another vault's key sealed is gone: only enrolling again brings one. */
static bool load_seal(struct db *db, const struct vault *vault, struct membership *m, struct err *e)
{
	struct buf stored;
	bool plain = false;
	buf_init(&stored, SCALAR_LEN + AEAD_OVERHEAD);
	bool ok = meta_get(db, SEAL_KEY, &stored, e);
	m->has_seal =
		ok && vault_unseal_secret(vault, SEAL_CONTEXT, buf_bytes(&stored), m->sync.seal_scalar, &plain, NULL);
	buf_wipe(&stored);
	return ok && (!m->has_seal || !plain || seal_again(db, vault, m, e));
}

#define FIELDS(s)                                                                                                    \
	{                                                                                                            \
		{ "member.head_key", (s)->head_key, POINT_LEN },                                                     \
			{ "member.central_seal_key", (s)->central_seal_key, POINT_LEN },                             \
			{ "member.seal_point", (s)->seal_point, POINT_LEN },                                         \
	}
#define FIELDS_LEN 3

static bool cert_end(struct membership *m, struct err *e)
{
	struct pki_info info;
	bool ok = pki_read(buf_bytes(&m->cert), &info, e);
	m->cert_to_s = ok ? info.to_s : 0;
	return ok;
}

static bool load_all(struct db *db, const struct vault *vault, struct membership *m, struct err *e)
{
	const struct field fields[FIELDS_LEN] = FIELDS(&m->sync);
	for (size_t i = 0; i < FIELDS_LEN; i++)
		if (!load_exact(db, &fields[i], e))
			return false;
	return load_seal(db, vault, m, e) && meta_get(db, "member.key", &m->key, e) &&
	       meta_get(db, "member.cert", &m->cert, e) && meta_get(db, "member.ca", &m->ca, e) &&
	       load_text(db, "member.broker_host", m->broker_host, sizeof(m->broker_host), e) &&
	       meta_get_int(db, "member.broker_port", &m->broker_port, e) && cert_end(m, e);
}

bool membership_load(struct db *db, const struct vault *vault, struct membership *m, struct err *e)
{
	struct err missing = { 0 };
	*m = (struct membership){ .is_member = false };
	buf_init(&m->key, PKI_KEY_MAX);
	buf_init(&m->cert, PKI_CERT_MAX);
	buf_init(&m->ca, PKI_CERT_MAX);
	if (!load_text(db, KEY_BRANCH, m->sync.branch, sizeof(m->sync.branch), &missing))
		return missing.code == ERR_MISSING || err_set(e, missing.code, "%s", missing.text);
	m->is_member = load_all(db, vault, m, e);
	return m->is_member || err_wrap(e, "membership");
}

void membership_clear(struct membership *m)
{
	buf_wipe(&m->key);
	buf_clear(&m->cert);
	buf_clear(&m->ca);
	explicit_bzero(&m->sync, sizeof(m->sync));
	m->is_member = m->has_seal = false;
}

static bool store_all(struct db *db, const struct vault *vault, struct membership *m, struct err *e)
{
	const struct field fields[FIELDS_LEN] = FIELDS(&m->sync);
	for (size_t i = 0; i < FIELDS_LEN; i++)
		if (!meta_put(db, fields[i].key, (struct bytes){ fields[i].at, fields[i].len }, e))
			return false;
	return store_seal(db, vault, m, e) && meta_put(db, "member.key", buf_bytes(&m->key), e) &&
	       meta_put(db, "member.cert", buf_bytes(&m->cert), e) &&
	       meta_put(db, "member.ca", buf_bytes(&m->ca), e) &&
	       meta_put(db, "member.broker_host", bytes_of(m->broker_host), e) &&
	       meta_put_int(db, "member.broker_port", m->broker_port, e) &&
	       meta_put(db, KEY_BRANCH, bytes_of(m->sync.branch), e);
}

static bool membership_store(struct db *db, const struct vault *vault, struct membership *m, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (store_all(db, vault, m, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

/* Enrolment */

bool membership_begin(const struct random *r, struct bytes ca_pem, struct membership_request *q, struct err *e)
{
	struct buf csr;
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&q->key, PKI_KEY_MAX);
	buf_init(&q->ca, PKI_CERT_MAX);
	buf_init(&q->csr, PEM_MAX);
	key_new(r, q->seal_scalar, q->seal_point);
	bool ok = pki_from_pem(ca_pem, "CERTIFICATE", &q->ca, e) || err_wrap(e, "ca");
	/* Central names the branch after the token; what stands here is ignored. */
	ok = ok && pki_key_new(&q->key, e) && pki_csr_new(buf_bytes(&q->key), "branch", &csr, e) &&
	     pki_to_pem(buf_bytes(&csr), "CERTIFICATE REQUEST", &q->csr, e);
	buf_clear(&csr);
	if (!ok)
		membership_request_clear(q);
	return ok;
}

void membership_request_clear(struct membership_request *q)
{
	buf_wipe(&q->key);
	buf_clear(&q->ca);
	buf_clear(&q->csr);
	explicit_bzero(q->seal_scalar, sizeof(q->seal_scalar));
}

static bool point_read(const struct json *j, const char *key, uint8_t point[POINT_LEN], struct err *e)
{
	const char *text;
	if (!json_text(j, key, 2UL * POINT_LEN, &text, e))
		return false;
	return (strlen(text) == 2UL * POINT_LEN && hex_decode(text, point, POINT_LEN)) ||
	       err_set(e, ERR_INPUT, "%s: expected %d hex digits", key, POINT_LEN * 2);
}

static bool pem_read(const struct json *j, const char *key, struct buf *der, struct err *e)
{
	const char *pem;
	return json_text(j, key, PEM_MAX, &pem, e) &&
	       (pki_from_pem(bytes_of(pem), "CERTIFICATE", der, e) || err_wrap(e, "%s", key));
}

static bool broker_read(const struct json *j, struct membership *m, struct err *e)
{
	const char *host;
	const struct json *broker = json_get(j, "broker");
	if (!json_is_object(broker))
		return err_set(e, ERR_INPUT, "broker: expected an object");
	if (!json_only(broker, "host port", e) || !json_text(broker, "host", sizeof(m->broker_host) - 1, &host, e) ||
	    !json_int(broker, "port", 1, 65535, &m->broker_port, e))
		return false;
	snprintf(m->broker_host, sizeof(m->broker_host), "%s", host);
	return *host != '\0' || err_set(e, ERR_INPUT, "broker.host: empty");
}

static bool answer_read(const struct json *j, struct membership *m, int64_t *time_s, struct err *e)
{
	const char *branch;
	if (!json_only(j, "branch certificate ca head_key central_seal_key broker time_s", e) ||
	    !json_text(j, "branch", NAME_MAX_LEN, &branch, e) ||
	    !json_int(j, "time_s", 0, INT64_MAX / 2, time_s, e) || !pem_read(j, "certificate", &m->cert, e) ||
	    !pem_read(j, "ca", &m->ca, e) || !point_read(j, "head_key", m->sync.head_key, e) ||
	    !point_read(j, "central_seal_key", m->sync.central_seal_key, e) || !broker_read(j, m, e))
		return false;
	snprintf(m->sync.branch, sizeof(m->sync.branch), "%s", branch);
	return name_is_valid(branch) || err_set(e, ERR_INPUT, "branch: no name");
}

/* That central certified our key, under the name it says, by the CA the operator gave. */
static bool answer_prove(const struct membership *m, const struct membership_request *q, int64_t time_s,
			 struct err *e)
{
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN];
	struct pki_info info;
	if (!bytes_equal(buf_bytes(&m->ca), buf_bytes(&q->ca)))
		return err_set(e, ERR_DENIED, "ca: not the one this enrolment was begun with");
	if (!pki_verify(buf_bytes(&m->cert), buf_bytes(&q->ca), PKI_SERVER_CLIENT, time_s, e) ||
	    !pki_read(buf_bytes(&m->cert), &info, e) || !pki_key_raw(buf_bytes(&q->key), scalar, point, e))
		return err_wrap(e, "certificate");
	explicit_bzero(scalar, sizeof(scalar));
	if (memcmp(info.point, point, POINT_LEN) != 0)
		return err_set(e, ERR_DENIED, "certificate: of another key");
	return strcmp(info.name, m->sync.branch) == 0 || err_set(e, ERR_DENIED, "certificate: of another branch");
}

static bool same_branch(struct db *db, const char *branch, struct err *e)
{
	char now[NAME_MAX_LEN + 1] = "";
	struct err missing = { 0 };
	if (!load_text(db, KEY_BRANCH, now, sizeof(now), &missing))
		return missing.code == ERR_MISSING || err_set(e, missing.code, "%s", missing.text);
	return strcmp(now, branch) == 0 ||
	       err_set(e, ERR_CONFLICT, "this box is branch %s, and its journal is that branch's", now);
}

bool membership_finish(struct db *db, struct vault *vault, const struct membership_request *q, struct bytes answer,
		       struct err *e)
{
	struct membership m = { .is_member = true };
	int64_t time_s = 0;
	struct json *j = json_parse(answer, e);
	if (j == NULL)
		return false;
	buf_init(&m.key, PKI_KEY_MAX);
	buf_init(&m.cert, PKI_CERT_MAX);
	buf_init(&m.ca, PKI_CERT_MAX);
	buf_add(&m.key, q->key.data, q->key.len);
	memcpy(m.sync.seal_scalar, q->seal_scalar, SCALAR_LEN);
	memcpy(m.sync.seal_point, q->seal_point, POINT_LEN);
	bool ok = answer_read(j, &m, &time_s, e) && answer_prove(&m, q, time_s, e) &&
		  same_branch(db, m.sync.branch, e) && (vault->has_key || vault_renew(vault, e)) &&
		  membership_store(db, vault, &m, e);
	json_free(j);
	membership_clear(&m);
	return ok;
}
