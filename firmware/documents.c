#include "firmware/documents.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

struct documents {
	struct db *db; /* borrowed */
	struct rule_set *rules;
	struct catalogue *catalogue;
	struct check_policy policy; /* borrows the two */
};

/* A document of a kind this version makes no use of is kept for the version that does. */
struct parsed {
	struct rule_set *rules;
	struct catalogue *catalogue;
};

static bool document_parse(const char *name, struct bytes bytes, struct parsed *p, struct err *e)
{
	*p = (struct parsed){ NULL, NULL };
	if (strcmp(name, DOCUMENT_RULES) == 0)
		p->rules = rule_set_parse(bytes, e);
	else if (strcmp(name, DOCUMENT_CATALOGUE) == 0)
		p->catalogue = catalogue_parse(bytes, e);
	else
		return cbor_check(bytes, e);
	return p->rules != NULL || p->catalogue != NULL;
}

static void document_take(struct documents *d, struct parsed *p, uint64_t version)
{
	if (p->rules != NULL) {
		rule_set_free(d->rules);
		d->rules = p->rules;
		d->policy.rules = p->rules;
		d->policy.rules_version = version;
	}
	if (p->catalogue != NULL) {
		catalogue_free(d->catalogue);
		d->catalogue = p->catalogue;
		d->policy.catalogue = p->catalogue;
		d->policy.catalogue_version = version;
	}
}

/* One that an older version stored and this one cannot read counts as not there: sync fetches it again. */
static bool documents_load(struct documents *d, struct err *e)
{
	bool row = false, ok;
	struct parsed p;
	struct db_query *q = db_query(d->db, "SELECT name, version, bytes FROM document", e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row)
		if (document_parse(db_text(q, 0), db_bytes(q, 2), &p, NULL))
			document_take(d, &p, (uint64_t)db_int(q, 1));
	db_finish(q);
	return ok;
}

struct documents *documents_open(struct db *db, struct err *e)
{
	struct documents *d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->db = db;
	if (documents_load(d, e))
		return d;
	documents_close(d);
	return NULL;
}

void documents_close(struct documents *d)
{
	if (d == NULL)
		return;
	rule_set_free(d->rules);
	catalogue_free(d->catalogue);
	free(d);
}

const struct check_policy *documents_policy(const struct documents *d)
{
	return &d->policy;
}

uint64_t documents_version(const struct documents *d, const char *name)
{
	int64_t version = 0;
	if (strcmp(name, DOCUMENT_RULES) == 0)
		return d->policy.rules_version;
	if (strcmp(name, DOCUMENT_CATALOGUE) == 0)
		return d->policy.catalogue_version;
	if (!db_run_int(d->db, &version, NULL, "SELECT version FROM document WHERE name = ?", "t", name))
		return 0;
	return (uint64_t)version;
}

static bool document_store(struct db *db, const char *name, uint64_t version, struct bytes bytes, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (db_run(db, e,
		   "INSERT INTO document (name, version, bytes) VALUES (?, ?, ?) ON CONFLICT (name)"
		   " DO UPDATE SET version = excluded.version, bytes = excluded.bytes",
		   "tib", name, (int64_t)version, bytes) &&
	    db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

bool documents_apply(struct documents *d, const char *name, uint64_t version, struct bytes bytes, struct err *e)
{
	struct parsed p;
	if (!name_is_valid(name) || version == 0 || version > INT64_MAX)
		return err_set(e, ERR_INPUT, "document: no name or version");
	if (!document_parse(name, bytes, &p, e))
		return err_wrap(e, "document %s version %llu", name, (unsigned long long)version);
	if (document_store(d->db, name, version, bytes, e)) {
		document_take(d, &p, version);
		return true;
	}
	rule_set_free(p.rules);
	catalogue_free(p.catalogue);
	return err_wrap(e, "document %s", name);
}
