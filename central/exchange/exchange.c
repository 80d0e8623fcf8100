#include "central/exchange/exchange.h"

#include "central/store/store.h"
#include "protocol/base/file.h"
#include "protocol/base/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX      8192
#define WAIT_FIRST_S 5
#define WAIT_MAX_S   3600
#define COLUMNS                                                                                                      \
	"name, url, certificate, key, ca, direction, kind, what, subject, subject_key, after, batch_max, batch,"     \
	" batches, tries, next_s, period, cursor, pages, asked_by, ok_s, fault, created_by, created_s"

const char *exchange_kind_name(enum exchange_kind k)
{
	static const char *const names[] = { "", "scores", "releases", "records" };
	return names[k];
}

const char *exchange_subject_name(enum exchange_subject s)
{
	static const char *const names[] = { "none", "hash", "sealed" };
	return names[s];
}

int64_t exchange_wait_s(const struct random *r, int64_t tries)
{
	uint32_t dice = 0;
	int64_t wait = WAIT_FIRST_S;
	for (int64_t i = 1; i < tries && wait < WAIT_MAX_S; i++)
		wait *= 2;
	if (wait > WAIT_MAX_S)
		wait = WAIT_MAX_S;
	r->fill(r->arg, (uint8_t *)&dice, sizeof(dice));
	return wait - (int64_t)(dice % (uint32_t)(wait / 2 + 1));
}

/* --- what an operator gives --- */

static bool port_read(const char *text, const char *end, int *port, struct err *e)
{
	char *behind = NULL;
	unsigned long n = strtoul(text, &behind, 10);
	if (*text < '0' || *text > '9' || behind != end || n == 0 || n > 65535)
		return err_set(e, ERR_INPUT, "url: expected a port from 1 to 65535");
	*port = (int)n;
	return true;
}

static bool path_read(const char *path, struct exchange_url *out, struct err *e)
{
	for (const char *p = path; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '#')
			return err_set(e, ERR_INPUT, "url: a character in its path has to be percent-encoded");
	if (*path == '?' || strlen(path) >= sizeof(out->path))
		return err_set(e, ERR_INPUT, "url: its path is missing or too long");
	snprintf(out->path, sizeof(out->path), "%s", *path != '\0' ? path : "/");
	return true;
}

bool exchange_url_read(const char *url, struct exchange_url *out, struct err *e)
{
	static const char scheme[] = "https://";
	*out = (struct exchange_url){ .port = 443 };
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return err_set(e, ERR_INPUT, "url: expected https://host[:port][/path]");
	const char *host = url + sizeof(scheme) - 1, *path = host + strcspn(host, "/?#");
	const char *colon = memchr(host, ':', (size_t)(path - host)), *end = colon != NULL ? colon : path;
	size_t len = (size_t)(end - host);
	if (len == 0 || len >= sizeof(out->host) || strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") < len)
		return err_set(e, ERR_INPUT, "url: expected a name or address in lower case behind https://");
	snprintf(out->host, sizeof(out->host), "%.*s", (int)len, host);
	return (colon == NULL || port_read(colon + 1, path, &out->port, e)) && path_read(path, out, e);
}

static bool pem_load(const char *dir, const char *name, const char *const labels[], struct buf *der, struct err *e)
{
	char path[EXCHANGE_PATH_MAX + 256];
	struct buf pem;
	bool ok = false;
	snprintf(path, sizeof(path), "%s%s%s", name[0] == '/' ? "" : dir, name[0] == '/' ? "" : "/", name);
	buf_init(&pem, PEM_MAX);
	if (file_read(path, &pem, e)) {
		for (size_t i = 0; !ok && labels[i] != NULL; i++) {
			buf_reset(der);
			ok = pki_from_pem(buf_bytes(&pem), labels[i], der, e);
		}
	}
	buf_wipe(&pem);
	return ok || err_wrap(e, "%.100s", name);
}

bool exchange_identity_load(const struct exchange *x, const char *dir, struct exchange_identity *out, struct err *e)
{
	static const char *const certificate[] = { "CERTIFICATE", NULL };
	static const char *const key[] = { "EC PRIVATE KEY", "PRIVATE KEY", NULL };
	struct pki_info info;
	buf_init(&out->certificate, PKI_CERT_MAX);
	buf_init(&out->key, PKI_KEY_MAX);
	buf_init(&out->ca, PKI_CERT_MAX);
	if (pem_load(dir, x->certificate, certificate, &out->certificate, e) &&
	    pem_load(dir, x->key, key, &out->key, e) && pem_load(dir, x->ca, certificate, &out->ca, e) &&
	    pki_read(buf_bytes(&out->certificate), &info, e) && pki_read(buf_bytes(&out->ca), &info, e))
		return true;
	exchange_identity_clear(out);
	return false;
}

void exchange_identity_clear(struct exchange_identity *i)
{
	buf_clear(&i->certificate);
	buf_wipe(&i->key);
	buf_clear(&i->ca);
}

static bool kind_is_fine(struct release_context *c, const struct exchange *x, struct err *e)
{
	int64_t there = 0;
	bool in = x->kind == EXCHANGE_RECORDS;
	if (in != (x->direction == EXCHANGE_PULL))
		return err_set(e, ERR_INPUT, "kind: %s cannot be %s; records are pulled, scores and releases pushed",
			       exchange_kind_name(x->kind), in ? "pushed" : "pulled");
	if ((x->kind == EXCHANGE_SCORES) != (x->subject != EXCHANGE_SUBJECT_NONE))
		return err_set(
			e, ERR_INPUT,
			"subject: scores name their subject by hash or sealed, as agreed; nothing else has one");
	if (x->kind == EXCHANGE_SCORES && !name_is_valid(x->what))
		return err_set(e, ERR_INPUT, "of: say which family's scores");
	if (!in)
		return x->what[0] == '\0' || name_is_valid(x->what) || err_set(e, ERR_INPUT, "of: that is no name");
	return db_run_int(c->db, &there, e, "SELECT count(*) FROM source WHERE code = ?", "t", x->what) &&
	       (there > 0 ||
		err_set(e, ERR_MISSING, "of: there is no source '%s'; see: centralctl source list", x->what));
}

static bool row_insert(struct release_context *c, const struct exchange *x, const char *operator, int64_t now_s,
		       struct err *e)
{
	int64_t live = 0, same = 0;
	if (!db_run_int(c->db, &live, e, "SELECT count(*) FROM exchange WHERE ended_s = 0", "") ||
	    !db_run_int(c->db, &same, e, "SELECT count(*) FROM exchange WHERE name = ?", "t", x->name))
		return false;
	if (same > 0)
		return err_set(e, ERR_CONFLICT, "%s: that name is or was in use; take another", x->name);
	if (live >= EXCHANGES_MAX)
		return err_set(e, ERR_FULL, "there are %d platforms already", EXCHANGES_MAX);
	return db_run(c->db, e,
		      "INSERT INTO exchange (" COLUMNS
		      ", ended_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, 0, 0, "
		      "0, '', '', 0, '', 0, '', ?, ?, 0)",
		      "tttttiitititi", x->name, x->url, x->certificate, x->key, x->ca, (int64_t)x->direction,
		      (int64_t)x->kind, x->what, (int64_t)x->subject, x->subject_key,
		      (int64_t)EXCHANGE_BATCH_MAX, operator, now_s) &&
	       audit_add(c->db, now_s, operator, "exchange.add", x->name, x->url, e);
}

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

bool exchange_add(struct release_context *c, const char *dir, const struct exchange *x, const char *operator,
		  int64_t now_s, struct err *e)
{
	struct exchange_url url;
	struct exchange_identity id;
	struct exchange_agreement a;
	if (!name_is_valid(x->name))
		return err_set(e, ERR_INPUT, "name: expected at most %d of a-z, 0-9, - and _", NAME_MAX_LEN);
	if (!exchange_url_read(x->url, &url, e) || !kind_is_fine(c, x, e) || !exchange_identity_load(x, dir, &id, e))
		return false;
	exchange_identity_clear(&id);
	if (!exchange_agreement_load(x, dir, &a, e) || !db_begin(c->db, e))
		return false;
	explicit_bzero(&a, sizeof(a));
	return finish(c, row_insert(c, x, operator, now_s, e), e);
}

bool exchange_end(struct release_context *c, const char *name, const char *operator, int64_t now_s, struct err *e)
{
	struct exchange x;
	if (!exchange_load(c, name, &x, e) || !db_begin(c->db, e))
		return false;
	bool ok =
		db_run(c->db, e, "UPDATE exchange SET ended_s = ?, period = '' WHERE name = ?", "it", now_s, name) &&
		db_run(c->db, e, "DELETE FROM exchange_page WHERE exchange = ?", "t", name) &&
		audit_add(c->db, now_s, operator, "exchange.end", name, "", e);
	return finish(c, ok, e);
}

/* --- who gets to know whom --- */

bool exchange_agreement_load(const struct exchange *x, const char *dir, struct exchange_agreement *out, struct err *e)
{
	static const char *const certificate[] = { "CERTIFICATE", NULL };
	char path[EXCHANGE_PATH_MAX + 256], hex[2 * HASH_LEN + 1] = "";
	struct pki_info info;
	struct buf b;
	*out = (struct exchange_agreement){ .subject = x->subject };
	if (x->subject == EXCHANGE_SUBJECT_NONE)
		return true;
	buf_init(&b, PKI_CERT_MAX);
	bool ok = true;
	if (x->subject == EXCHANGE_SUBJECT_SEALED) {
		ok = pem_load(dir, x->subject_key, certificate, &b, e) && pki_read(buf_bytes(&b), &info, e);
		if (ok && info.point[0] != 4)
			ok = err_set(e, ERR_INPUT, "%.100s: its key is not of P-256", x->subject_key);
		if (ok)
			memcpy(out->point, info.point, POINT_LEN);
	} else {
		snprintf(path, sizeof(path), "%s%s%s", x->subject_key[0] == '/' ? "" : dir,
			 x->subject_key[0] == '/' ? "" : "/", x->subject_key);
		ok = file_read(path, &b, e);
		if (ok)
			snprintf(hex, sizeof(hex), "%.64s", buf_str(&b));
		ok = ok &&
		     (hex_decode(hex, out->key, HASH_LEN) ||
		      err_set(e, ERR_INPUT, "%.100s: expected 64 lower-case hexadecimal digits", x->subject_key));
		explicit_bzero(hex, sizeof(hex));
	}
	buf_wipe(&b);
	return ok;
}

/* --- rows --- */

static void row_read(const struct db_query *q, struct exchange *x)
{
	*x = (struct exchange){ .direction = (enum exchange_direction)db_int(q, 5),
				.kind = (enum exchange_kind)db_int(q, 6),
				.subject = (enum exchange_subject)db_int(q, 8),
				.after = db_int(q, 10),
				.batch_max = db_int(q, 11),
				.batch = db_int(q, 12),
				.batches = db_int(q, 13),
				.tries = db_int(q, 14),
				.next_s = db_int(q, 15),
				.pages = db_int(q, 18),
				.ok_s = db_int(q, 20),
				.created_s = db_int(q, 23) };
	snprintf(x->name, sizeof(x->name), "%s", db_text(q, 0));
	snprintf(x->url, sizeof(x->url), "%s", db_text(q, 1));
	snprintf(x->certificate, sizeof(x->certificate), "%s", db_text(q, 2));
	snprintf(x->key, sizeof(x->key), "%s", db_text(q, 3));
	snprintf(x->ca, sizeof(x->ca), "%s", db_text(q, 4));
	snprintf(x->what, sizeof(x->what), "%s", db_text(q, 7));
	snprintf(x->subject_key, sizeof(x->subject_key), "%s", db_text(q, 9));
	snprintf(x->period, sizeof(x->period), "%s", db_text(q, 16));
	snprintf(x->cursor, sizeof(x->cursor), "%s", db_text(q, 17));
	snprintf(x->asked_by, sizeof(x->asked_by), "%s", db_text(q, 19));
	snprintf(x->fault, sizeof(x->fault), "%s", db_text(q, 21));
	snprintf(x->created_by, sizeof(x->created_by), "%s", db_text(q, 22));
}

bool exchange_load(struct release_context *c, const char *name, struct exchange *out, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT " COLUMNS " FROM exchange WHERE name = ? AND ended_s = 0", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok =
		db_bind_text(q, 1, name, e) && db_next(q, &row, e) &&
		(row || err_set(e, ERR_MISSING, "there is no platform '%.32s'; see: centralctl exchange list", name));
	if (ok)
		row_read(q, out);
	db_finish(q);
	return ok;
}

bool exchange_all(struct release_context *c, struct exchange out[EXCHANGES_MAX], size_t *len, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT " COLUMNS " FROM exchange WHERE ended_s = 0 ORDER BY name", e);
	bool row = false, ok = q != NULL;
	*len = 0;
	while (ok && *len < EXCHANGES_MAX && (ok = db_next(q, &row, e)) && row)
		row_read(q, &out[(*len)++]);
	if (q != NULL)
		db_finish(q);
	return ok;
}

bool exchange_save(struct release_context *c, const struct exchange *x, struct err *e)
{
	return db_run(c->db, e,
		      "UPDATE exchange SET after = ?, batch_max = ?, batch = ?, batches = ?, tries = ?, next_s = ?, "
		      "period = "
		      "?, cursor = ?, pages = ?, asked_by = ?, ok_s = ?, fault = ? WHERE name = ?",
		      "iiiiiittititt", x->after, x->batch_max, x->batch, x->batches, x->tries, x->next_s, x->period,
		      x->cursor, x->pages, x->asked_by, x->ok_s, x->fault, x->name);
}
