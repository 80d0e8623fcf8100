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

/* A release of this content that is on its way, or in force; 0 none. */
static bool release_under_way(struct release_context *c, const struct release *r, int64_t *id, struct err *e)
{
	struct release now;
	return release_current(c, r->name, &now, e) &&
	       db_run_int(c->db, id, e,
			  "SELECT COALESCE(MAX(id), 0) FROM release WHERE name = ? AND kind = 3 AND content = ? AND"
			  " ((state < 4 AND base_version = ?) OR (state = 4 AND version = ?))",
			  "tbii", r->name, (struct bytes){ r->content.hash, HASH_LEN }, (int64_t)now.version,
			  (int64_t)now.version);
}

static void release_of(struct release *r, const char *family, const char *source, const uint8_t hash[HASH_LEN],
		       size_t size, size_t faults, const char *operator, int64_t now_s)
{
	*r = (struct release){ .kind = RELEASE_CENTRAL, .created_s = now_s, .content = { .size = size } };
	r->import.rejects = faults;
	memcpy(r->content.hash, hash, HASH_LEN);
	snprintf(r->name, sizeof(r->name), RELEASE_MODEL "%s", family);
	snprintf(r->source, sizeof(r->source), "%s", source);
	snprintf(r->created_by, sizeof(r->created_by), "%s", operator);
}

static bool draft_make(struct release_context *c, struct release *r, int64_t *id, struct err *e)
{
	if (!release_under_way(c, r, id, e))
		return false;
	if (*id != 0)
		return true;
	if (!release_document_insert(c, r, e))
		return false;
	*id = r->id;
	return true;
}

static bool family_check(const char *family, struct err *e)
{
	char name[NAME_MAX_LEN + sizeof(RELEASE_MODEL)];
	snprintf(name, sizeof(name), RELEASE_MODEL "%s", family);
	return (name_is_valid(family) && name_is_valid(name)) ||
	       err_set(e, ERR_INPUT, "a family's name is made of a-z, 0-9, - and _, at most %zu of them",
		       NAME_MAX_LEN - strlen(RELEASE_MODEL));
}

bool model_import(struct release_context *c, const char *family, struct bytes pmml, bool force, const char *source,
		  const char *operator, int64_t now_s, char *hash, int64_t *release, struct err *e)
{
	struct buf document;
	struct release r;
	uint8_t digest[HASH_LEN];
	size_t faults = 0;
	if (!family_check(family, e))
		return false;
	struct card *card = pmml_read(pmml, e);
	if (card == NULL)
		return false;
	buf_init(&document, DOCUMENT_MAX);
	bool ok = lint_check(card, force, &faults, e) && pmml_write(card, &document, e);
	if (ok) {
		sha256(buf_bytes(&document), digest);
		hex_encode(digest, HASH_LEN, hash);
		release_of(&r, family, source, digest, document.len, faults, operator, now_s);
		ok = db_begin(c->db, e) &&
		     finish(c,
			    rows_insert(c, family, card, buf_bytes(&document), hash, faults, operator, now_s, e) &&
				    draft_make(c, &r, release, e),
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

/* One that was retired is back. */
static bool champion_set(struct release_context *c, const char *family, const char *hash, const char *operator,
			 int64_t now_s, struct err *e)
{
	return db_run(c->db, e, "UPDATE model_role SET role = 2, set_by = ?, set_s = ? WHERE family = ? AND role = 1",
		      "tit", operator, now_s, family) &&
	       role_set(c, family, hash, MODEL_CHAMPION, operator, now_s, e) && room_check(c, family, e) &&
	       audit_add(c->db, now_s, operator, "model.champion", family, hash, e);
}

bool model_publish(struct release_context *c, const struct release *r, const char *operator, int64_t now_s,
		   struct err *e)
{
	const char *family = release_family_of(r->name, RELEASE_MODEL);
	char hash[MODEL_HEX + 1];
	int64_t role = 0;
	hex_encode(r->content.hash, HASH_LEN, hash);
	return role_of(c, family, hash, &role, e) && champion_set(c, family, hash, operator, now_s, e);
}

static bool retire(struct release_context *c, const char *family, const char *hash, const char *operator,
		   int64_t now_s, struct err *e)
{
	int64_t role = 0;
	if (!role_of(c, family, hash, &role, e))
		return false;
	if (role != MODEL_CHALLENGER)
		return err_set(e, ERR_CONFLICT,
			       "it is %s: only a challenger is retired, and a champion by publishing another",
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

/* --- of before models had releases --- */

struct adopted {
	struct release r;
	char set_by[NAME_MAX_LEN + 1];
	int64_t set_s;
};

/* A champion without a version in force; *any: there is one. A family whose name is too long for a release's stays as it is. */
static bool orphan_find(struct release_context *c, struct adopted *a, bool *any, struct err *e)
{
	struct db_query *q = db_query(
		c->db,
		"SELECT r.family, r.hash, m.imported_by, m.imported_s, m.faults, r.set_by, r.set_s, m.document"
		" FROM model_role r JOIN model m ON m.hash = r.hash WHERE r.role = 1 AND length(r.family) <= ?"
		" AND NOT EXISTS (SELECT 1 FROM"
		" release x WHERE x.name = 'model-' || r.family AND x.state = 4) ORDER BY r.family LIMIT 1",
		e);
	uint8_t hash[HASH_LEN];
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, (int64_t)(NAME_MAX_LEN - strlen(RELEASE_MODEL)), e) && db_next(q, any, e);
	if (ok && *any) {
		ok = hex_decode(db_text(q, 1), hash, HASH_LEN) ||
		     err_set(e, ERR_IO, "a model's hash is damaged: %.64s", db_text(q, 1));
		if (ok)
			release_of(&a->r, db_text(q, 0), "champion before models had releases", hash,
				   db_bytes(q, 7).len, (size_t)db_int(q, 4), db_text(q, 2), db_int(q, 3));
		snprintf(a->set_by, sizeof(a->set_by), "%s", db_text(q, 5));
		a->set_s = db_int(q, 6);
	}
	db_finish(q);
	return ok;
}

static bool orphan_adopt(struct release_context *c, struct adopted *a, struct err *e)
{
	return release_document_insert(c, &a->r, e) &&
	       db_run(c->db, e,
		      "UPDATE release SET state = 4, submitted_by = created_by, submitted_s = created_s, decided_by "
		      "= ?,"
		      " decided_s = ?, published_by = ?, published_s = ? WHERE id = ?",
		      "titii", a->set_by, a->set_s, a->set_by, a->set_s, a->r.id);
}

bool models_adopt(struct release_context *c, struct err *e)
{
	bool any = true;
	while (any) {
		struct adopted a;
		if (!db_begin(c->db, e))
			return false;
		bool ok = orphan_find(c, &a, &any, e) && (!any || orphan_adopt(c, &a, e));
		if (!finish(c, ok, e))
			return false;
	}
	return true;
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
