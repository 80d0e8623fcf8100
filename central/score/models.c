#include "central/score/models.h"

#include "central/score/lint.h"
#include "central/score/pmml.h"
#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_LEAST 8

const char *model_role_name(enum model_role r)
{
	return r == MODEL_CHAMPION ? "champion" : r == MODEL_CHALLENGER ? "challenger" : "retired";
}

const char *model_role_zh(enum model_role r)
{
	return r == MODEL_CHAMPION ? "现用" : r == MODEL_CHALLENGER ? "挑战" : "停用";
}

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- importing --- */

struct first_fault {
	bool any;
	struct lint_finding finding;
};

static void fault_keep(void *arg, const struct lint_finding *f)
{
	struct first_fault *first = arg;
	if (first->any || !lint_is_fault(f->kind))
		return;
	first->any = true;
	first->finding = *f;
}

static bool lint_check(const struct card *card, bool force, size_t *faults, struct err *e)
{
	struct first_fault first = { 0 };
	*faults = lint_run(card, fault_keep, &first);
	if (*faults == 0 || force)
		return true;
	const char *name = card->characteristics[first.finding.characteristic].name;
	return err_set(e, ERR_DENIED, "%zu faults, the first: %s, characteristic %zu %.40s %.60s: %s", *faults,
		       lint_kind_name(first.finding.kind), first.finding.characteristic + 1, name != NULL ? name : "",
		       first.finding.where, first.finding.what);
}

static bool room_check(struct release_context *c, const char *family, struct err *e)
{
	int64_t n = 0;
	if (!db_run_int(c->db, &n, e, "SELECT count(*) FROM model_role WHERE family = ? AND role <> 3", "t", family))
		return false;
	return n <= MODEL_ACTIVE_MAX ||
	       err_set(e, ERR_FULL, "%d models of %s are in use: retire one first", MODEL_ACTIVE_MAX, family);
}

static bool rows_insert(struct release_context *c, const char *family, const struct card *card, struct bytes document,
			const char *hash, size_t faults, const char *operator, int64_t now_s, struct err *e)
{
	return db_run(c->db, e,
		      "INSERT INTO model (hash, name, description, sample, faults, document, imported_by, imported_s)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
		      "tttiibti", hash, card->name != NULL ? card->name : "",
		      card->description != NULL ? card->description : "", (int64_t)card->sample, (int64_t)faults,
		      document, operator, now_s) &&
	       db_run(c->db, e,
		      "INSERT INTO model_role (family, hash, role, set_by, set_s) VALUES (?, ?, 2, ?, ?)"
		      " ON CONFLICT (family, hash) DO UPDATE SET role = 2, set_by = excluded.set_by, set_s = "
		      "excluded.set_s"
		      " WHERE model_role.role = 3",
		      "ttti", family, hash, operator, now_s) &&
	       room_check(c, family, e) && audit_add(c->db, now_s, operator, "model.import", family, hash, e);
}

bool model_import(struct release_context *c, const char *family, struct bytes pmml, bool force, const char *operator,
		  int64_t now_s, char *hash, struct err *e)
{
	struct buf document;
	uint8_t digest[HASH_LEN];
	size_t faults = 0;
	if (!name_is_valid(family))
		return err_set(e, ERR_INPUT, "a family's name is made of a-z, 0-9, - and _");
	struct card *card = pmml_read(pmml, e);
	if (card == NULL)
		return false;
	buf_init(&document, DOCUMENT_MAX);
	bool ok = lint_check(card, force, &faults, e) && pmml_write(card, &document, e);
	if (ok) {
		sha256(buf_bytes(&document), digest);
		hex_encode(digest, HASH_LEN, hash);
		ok = db_begin(c->db, e) &&
		     finish(c, rows_insert(c, family, card, buf_bytes(&document), hash, faults, operator, now_s, e),
			    e);
	}
	buf_clear(&document);
	card_free(card);
	return ok;
}

/* --- finding --- */

static bool prefix_check(const char *prefix, struct err *e)
{
	size_t len = strlen(prefix);
	return (len >= PREFIX_LEAST && len <= MODEL_HEX && strspn(prefix, "0123456789abcdef") == len) ||
	       err_set(e, ERR_INPUT, "expected a model's hash, or its first %d digits or more", PREFIX_LEAST);
}

/* The first row's hash; *n counts rows up to two. */
static bool hash_read(struct db_query *q, char hash[MODEL_HEX + 1], unsigned *n, struct err *e)
{
	bool row = false;
	if (!db_next(q, &row, e))
		return false;
	*n = row;
	if (!row)
		return true;
	snprintf(hash, MODEL_HEX + 1, "%s", db_text(q, 0));
	if (!db_next(q, &row, e))
		return false;
	*n += row;
	return true;
}

/* The one model whose hash begins so, of the family or (NULL) of all. */
static bool hash_find(struct release_context *c, const char *family, const char *prefix, char hash[MODEL_HEX + 1],
		      struct err *e)
{
	static const char of_family[] = "SELECT hash FROM model_role WHERE hash >= ? AND hash < ? AND family = ?",
			  of_all[] = "SELECT hash FROM model WHERE hash >= ? AND hash < ?";
	char end[MODEL_HEX + 2];
	unsigned n = 0;
	if (!prefix_check(prefix, e))
		return false;
	snprintf(end, sizeof(end), "%sg", prefix); /* behind all that begin so */
	struct db_query *q = db_query(c->db, family != NULL ? of_family : of_all, e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, prefix, e) && db_bind_text(q, 2, end, e) &&
		  (family == NULL || db_bind_text(q, 3, family, e)) && hash_read(q, hash, &n, e);
	db_finish(q);
	if (ok && n == 0)
		return err_set(e, ERR_MISSING, "there is no such model");
	return ok && (n == 1 || err_set(e, ERR_CONFLICT, "several models begin so"));
}

static bool role_of(struct release_context *c, const char *family, const char *hash, int64_t *role, struct err *e)
{
	return db_run_int(c->db, role, e, "SELECT role FROM model_role WHERE family = ? AND hash = ?", "tt", family,
			  hash);
}

bool model_find(struct release_context *c, const char *family, const char *prefix, char *hash, enum model_role *role,
		struct err *e)
{
	int64_t found = 0;
	if (!hash_find(c, family, prefix, hash, e) || !role_of(c, family, hash, &found, e))
		return false;
	*role = (enum model_role)found;
	return true;
}

/* --- roles --- */

static bool role_set(struct release_context *c, const char *family, const char *hash, enum model_role role,
		     const char *operator, int64_t now_s, struct err *e)
{
	return db_run(c->db, e, "UPDATE model_role SET role = ?, set_by = ?, set_s = ? WHERE family = ? AND hash = ?",
		      "ititt", (int64_t)role, operator, now_s, family, hash);
}

static bool promote(struct release_context *c, const char *family, const char *hash, const char *operator,
		    int64_t now_s, struct err *e)
{
	int64_t role = 0, own = 0;
	if (!role_of(c, family, hash, &role, e) ||
	    !db_run_int(c->db, &own, e, "SELECT count(*) FROM model WHERE hash = ? AND imported_by = ?", "tt",
			hash, operator))
		return false;
	if (own != 0)
		return err_set(e, ERR_DENIED, "%s imported it: another operator makes it champion", operator);
	if (role != MODEL_CHALLENGER)
		return err_set(e, ERR_CONFLICT, "it is %s, and only a challenger becomes champion",
			       model_role_name((enum model_role)role));
	return db_run(c->db, e, "UPDATE model_role SET role = 2, set_by = ?, set_s = ? WHERE family = ? AND role = 1",
		      "tit", operator, now_s, family) &&
	       role_set(c, family, hash, MODEL_CHAMPION, operator, now_s, e) &&
	       audit_add(c->db, now_s, operator, "model.promote", family, hash, e);
}

bool model_promote(struct release_context *c, const char *family, const char *prefix, const char *operator,
		   int64_t now_s, struct err *e)
{
	char hash[MODEL_HEX + 1] = "";
	return hash_find(c, family, prefix, hash, e) && db_begin(c->db, e) &&
	       finish(c, promote(c, family, hash, operator, now_s, e), e);
}

static bool retire(struct release_context *c, const char *family, const char *hash, const char *operator,
		   int64_t now_s, struct err *e)
{
	int64_t role = 0;
	if (!role_of(c, family, hash, &role, e))
		return false;
	if (role != MODEL_CHALLENGER)
		return err_set(e, ERR_CONFLICT,
			       "it is %s: only a challenger is retired, and a champion by promoting another",
			       model_role_name((enum model_role)role));
	return role_set(c, family, hash, MODEL_RETIRED, operator, now_s, e) &&
	       audit_add(c->db, now_s, operator, "model.retire", family, hash, e);
}

bool model_retire(struct release_context *c, const char *family, const char *prefix, const char *operator,
		  int64_t now_s, struct err *e)
{
	char hash[MODEL_HEX + 1] = "";
	return hash_find(c, family, prefix, hash, e) && db_begin(c->db, e) &&
	       finish(c, retire(c, family, hash, operator, now_s, e), e);
}

/* --- showing --- */

static void row_read(const struct db_query *q, struct model *m)
{
	*m = (struct model){ .role = (enum model_role)db_int(q, 2),
			     .name = db_text(q, 3),
			     .description = db_text(q, 4),
			     .sample = db_int(q, 5) != 0,
			     .faults = (uint64_t)db_int(q, 6),
			     .imported_by = db_text(q, 7),
			     .imported_s = db_int(q, 8),
			     .set_by = db_text(q, 9),
			     .set_s = db_int(q, 10) };
	snprintf(m->family, sizeof(m->family), "%s", db_text(q, 0));
	snprintf(m->hash, sizeof(m->hash), "%s", db_text(q, 1));
}

bool model_each(struct release_context *c, const char *family, void (*each)(void *arg, const struct model *m),
		void *arg, struct err *e)
{
	struct model m;
	bool row = false;
	struct db_query *q =
		db_query(c->db,
			 "SELECT r.family, r.hash, r.role, m.name, m.description, m.sample, m.faults, m.imported_by,"
			 " m.imported_s, r.set_by, r.set_s FROM model_role r JOIN model m ON m.hash = r.hash"
			 " WHERE ? = '' OR r.family = ? ORDER BY r.family, r.role, r.set_s, r.hash",
			 e);
	if (q == NULL)
		return false;
	const char *one = family != NULL ? family : "";
	bool ok = db_bind_text(q, 1, one, e) && db_bind_text(q, 2, one, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		row_read(q, &m);
		each(arg, &m);
	}
	db_finish(q);
	return ok;
}

bool model_document(struct release_context *c, const char *prefix, struct buf *out, struct err *e)
{
	char hash[MODEL_HEX + 1] = "", proof[MODEL_HEX + 1];
	uint8_t digest[HASH_LEN];
	bool row = false;
	if (!hash_find(c, NULL, prefix, hash, e))
		return false;
	struct db_query *q = db_query(c->db, "SELECT document FROM model WHERE hash = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, hash, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "there is no such model"));
	if (ok) {
		sha256(db_bytes(q, 0), digest);
		hex_encode(digest, HASH_LEN, proof);
		ok = strcmp(proof, hash) == 0 || err_set(e, ERR_IO, "model %.16s… is not what its hash says", hash);
	}
	if (ok)
		buf_add(out, db_bytes(q, 0).data, db_bytes(q, 0).len);
	db_finish(q);
	return ok && buf_ok(out, "the model", e);
}

struct card *model_card(struct release_context *c, const char *hash, struct err *e)
{
	struct buf document;
	buf_init(&document, DOCUMENT_MAX);
	struct card *card = model_document(c, hash, &document, e) ? pmml_read(buf_bytes(&document), e) : NULL;
	buf_clear(&document);
	return card;
}
