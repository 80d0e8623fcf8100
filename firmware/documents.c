#include "firmware/documents.h"
#include "protocol/base/log.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

/* A document of a kind this version makes no use of is kept for the version that does. */
struct parsed {
	struct rule_set *rules;
	struct catalogue *catalogue;
	struct issuers *issuers;
	struct kinds *kinds;
};

struct documents {
	struct db *db; /* borrowed */
	struct parsed held;
	struct check_policy policy; /* both borrow from held */
	struct verify_policy verify_policy;
};

static void parsed_clear(struct parsed *p)
{
	rule_set_free(p->rules);
	catalogue_free(p->catalogue);
	issuers_free(p->issuers);
	kinds_free(p->kinds);
}

static bool document_parse(const char *name, struct bytes bytes, struct parsed *p, struct err *e)
{
	*p = (struct parsed){ 0 };
	if (strcmp(name, DOCUMENT_RULES) == 0)
		return (p->rules = rule_set_parse(bytes, e)) != NULL;
	if (strcmp(name, DOCUMENT_CATALOGUE) == 0)
		return (p->catalogue = catalogue_parse(bytes, e)) != NULL;
	if (strcmp(name, DOCUMENT_ISSUERS) == 0)
		return (p->issuers = issuers_parse(bytes, e)) != NULL;
	if (strcmp(name, DOCUMENT_KINDS) == 0)
		return (p->kinds = kinds_parse(bytes, e)) != NULL;
	/* What an update says is judged against this box elsewhere. */
	return cbor_check(bytes, e);
}

/* Keys that cannot be used are said when they come, each with its reason. */
static void issuers_report(const struct issuers *s, uint64_t version)
{
	log_info("issuers", "version=%llu issuers=%zu keys_accepted=%zu keys_total=%zu", (unsigned long long)version,
		 s->issuers_len, s->keys_len, s->keys_total);
	for (size_t i = 0; i < s->faults_len; i++)
		log_info("issuer key left out", "issuer=%s kid=%s why=\"%s\"", s->faults[i].issuer, s->faults[i].kid,
			 s->faults[i].why);
}

static void document_take(struct documents *d, struct parsed *p, uint64_t version, int64_t confirmed_s)
{
	if (p->rules != NULL) {
		rule_set_free(d->held.rules);
		d->policy.rules = d->held.rules = p->rules;
		d->policy.rules_version = version;
	}
	if (p->catalogue != NULL) {
		catalogue_free(d->held.catalogue);
		d->policy.catalogue = d->held.catalogue = p->catalogue;
		d->policy.catalogue_version = version;
	}
	if (p->issuers != NULL) {
		issuers_free(d->held.issuers);
		d->verify_policy.issuers = d->held.issuers = p->issuers;
		d->verify_policy.issuers_version = version;
		d->verify_policy.issuers_confirmed_s = confirmed_s;
		issuers_report(p->issuers, version);
	}
	if (p->kinds != NULL) {
		kinds_free(d->held.kinds);
		d->verify_policy.kinds = d->held.kinds = p->kinds;
		d->verify_policy.kinds_version = version;
	}
}

/* One that an older version stored and this one cannot read counts as not there: sync fetches it again. */
static bool documents_load(struct documents *d, struct err *e)
{
	bool row = false, ok;
	struct parsed p;
	struct db_query *q = db_query(d->db, "SELECT name, version, bytes, confirmed_s FROM document", e);
	if (q == NULL)
		return false;
	while ((ok = db_next(q, &row, e)) && row)
		if (document_parse(db_text(q, 0), db_bytes(q, 2), &p, NULL))
			document_take(d, &p, (uint64_t)db_int(q, 1), db_int(q, 3));
	db_finish(q);
	return ok;
}

struct documents *documents_open(struct db *db, struct err *e)
{
	struct documents *d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->db = db;
	d->verify_policy.issuers_confirmed_s = -1;
	if (documents_load(d, e))
		return d;
	documents_close(d);
	return NULL;
}

void documents_close(struct documents *d)
{
	if (d == NULL)
		return;
	parsed_clear(&d->held);
	free(d);
}

const struct check_policy *documents_policy(const struct documents *d)
{
	return &d->policy;
}

const struct verify_policy *documents_verify_policy(const struct documents *d)
{
	return &d->verify_policy;
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

bool documents_read(const struct documents *d, const char *name, struct buf *out, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(d->db, "SELECT bytes FROM document WHERE name = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, name, e) && db_next(q, &row, e);
	if (ok && row) {
		struct bytes bytes = db_bytes(q, 0);
		buf_add(out, bytes.data, bytes.len);
	}
	db_finish(q);
	if (!ok)
		return false;
	return row ? buf_ok(out, "document", e) : err_set(e, ERR_MISSING, "no document %s is held", name);
}

static bool document_store(struct db *db, const char *name, uint64_t version, struct bytes bytes, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (db_run(db, e,
		   "INSERT INTO document (name, version, bytes, confirmed_s) VALUES (?, ?, ?, -1) ON CONFLICT (name)"
		   " DO UPDATE SET version = excluded.version, bytes = excluded.bytes, confirmed_s = -1",
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
		document_take(d, &p, version, -1);
		return true;
	}
	parsed_clear(&p);
	return err_wrap(e, "document %s", name);
}

bool documents_confirm(struct documents *d, const char *name, uint64_t version, int64_t issued_s, struct err *e)
{
	if (!db_run(d->db, e, "UPDATE document SET confirmed_s = ? WHERE name = ? AND version = ?", "iti", issued_s,
		    name, (int64_t)version))
		return err_wrap(e, "document %s", name);
	if (strcmp(name, DOCUMENT_ISSUERS) == 0 && d->verify_policy.issuers_version == version)
		d->verify_policy.issuers_confirmed_s = issued_s;
	return true;
}
