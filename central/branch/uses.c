#include "central/branch/uses.h"

#include <stdio.h>
#include <string.h>

bool uses_is(enum journal_kind kind)
{
	return kind == JOURNAL_SCAN || kind == JOURNAL_RECHECK || kind == JOURNAL_LOOKUP;
}

bool uses_read(const struct journal_row *r, union use *u, struct err *e)
{
	if (r->kind == JOURNAL_SCAN)
		return scan_decode(r->body, &u->scan, e);
	if (r->kind == JOURNAL_RECHECK)
		return scan_recheck_decode(r->body, &u->recheck, e);
	return scan_lookup_decode(r->body, &u->lookup, e);
}

static bool scan_add(struct db *db, const struct use_place *at, const struct scan *s, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO scan (epoch_id, seq, id, branch, time_s, terminal, source, business, code, "
		      "outcome, profile,"
		      " type, issuer, masked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "iibtitttiiittt", at->epoch_id, (int64_t)at->seq, (struct bytes){ s->id, SCAN_ID_LEN },
		      at->branch, s->time_s, s->terminal, s->source, s->business, (int64_t)s->code,
		      (int64_t)s->outcome, (int64_t)s->profile, s->type, s->issuer, s->holder_masked);
}

static bool recheck_add(struct db *db, const struct use_place *at, const struct scan_recheck *r, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO scan_recheck (epoch_id, seq, id, branch, time_s, code, list_version)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "iibtiii", at->epoch_id, (int64_t)at->seq, (struct bytes){ r->id, SCAN_ID_LEN }, at->branch,
		      at->time_s, (int64_t)r->code, (int64_t)r->list_version);
}

static bool lookup_add(struct db *db, const struct use_place *at, const struct scan_lookup *l, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO scan_lookup (epoch_id, seq, branch, time_s, terminal, holder_kind, masked, type, "
		      "purpose,"
		      " source, result, given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "iitittttttii", at->epoch_id, (int64_t)at->seq, at->branch, at->time_s, l->terminal,
		      l->holder_kind, l->holder_masked, l->type, l->purpose, l->source, (int64_t)l->result,
		      (int64_t)l->given);
}

bool uses_add(struct db *db, const struct use_place *at, enum journal_kind kind, const union use *u, struct err *e)
{
	if (kind == JOURNAL_SCAN)
		return scan_add(db, at, &u->scan, e);
	if (kind == JOURNAL_RECHECK)
		return recheck_add(db, at, &u->recheck, e);
	return lookup_add(db, at, &u->lookup, e);
}

/* A scan of a restored box may stand here twice, under two epochs; its id says that it is one. */
static const char counting[] = "SELECT business, count(*), sum(accepted), sum(turned), max(CASE WHEN accepted > "
			       "turned THEN time_s ELSE 0 END) FROM"
			       " (SELECT s.id AS id, s.business AS business, min(s.time_s) AS time_s,"
			       "  max(CASE WHEN s.outcome <= ? THEN 1 ELSE 0 END) AS accepted,"
			       "  max(CASE WHEN s.outcome <= ? AND EXISTS (SELECT 1 FROM scan_recheck r WHERE r.id = "
			       "s.id AND r.branch = s.branch"
			       "   AND r.code <> ?) THEN 1 ELSE 0 END) AS turned"
			       "  FROM scan s WHERE s.time_s >= ? AND s.time_s < ? AND (? IS NULL OR s.branch = ?) "
			       "GROUP BY s.id, s.branch, s.business)"
			       " AS one GROUP BY business ORDER BY business";

bool uses_each(struct db *db, const struct use_filter *f, void (*each)(void *arg, const struct use_count *u),
	       void *arg, struct err *e)
{
	bool row = false;
	struct db_query *q = db_query(db, counting, e);
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, SCAN_ACCEPT_WITH_DUTY, e) && db_bind_int(q, 2, SCAN_ACCEPT_WITH_DUTY, e) &&
		  db_bind_int(q, 3, SCAN_ACCEPTED, e) && db_bind_int(q, 4, f->from_s, e) &&
		  db_bind_int(q, 5, f->to_s, e) && db_bind_text(q, 6, f->branch, e) &&
		  db_bind_text(q, 7, f->branch, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct use_count u = { .scans = db_int(q, 1), .accepted = db_int(q, 2), .turned = db_int(q, 3) };
		snprintf(u.business, sizeof(u.business), "%s", db_text(q, 0));
		if (u.business[0] != '\0') {
			u.substitutions = u.accepted - u.turned;
			u.last_s = db_int(q, 4);
		}
		each(arg, &u);
	}
	db_finish(q);
	return ok;
}
