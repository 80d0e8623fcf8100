#include "firmware/duties.h"

#include "protocol/entry.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static bool count_load(struct duties *d, struct err *e)
{
	int64_t n = 0;
	if (!db_run_int(d->db, &n, e, "SELECT COUNT(*) FROM duty WHERE code = 0", ""))
		return false;
	d->open = (uint64_t)n;
	return true;
}

bool duties_load(struct duties *d, struct db *db, struct record *record, const struct random *random, struct err *e)
{
	*d = (struct duties){ .db = db, .record = record, .random = random };
	return count_load(d, e);
}

bool duties_add(struct duties *d, const struct scan *s, const struct identifier *identity, struct err *e)
{
	struct buf sealed;
	buf_init(&sealed, 512);
	bool ok = aead_seal(record_key(d->record), d->random, (struct bytes){ s->id, SCAN_ID_LEN },
			    bytes_of(identity->canonical), &sealed, e) &&
		  db_run(d->db, e,
			 "INSERT INTO duty (scan, terminal, opened_s, identity, code, closed_s) VALUES (?, ?, ?, ?, "
			 "0, 0)",
			 "btib", (struct bytes){ s->id, SCAN_ID_LEN }, s->terminal, s->time_s, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

/* One that may be looked at. */
struct duty {
	struct duty_turned what;
	struct identifier identity;
};

static bool duty_read(struct duties *d, const struct db_query *q, struct duty *out)
{
	struct bytes id = db_bytes(q, 0);
	struct buf plain;
	memset(out, 0, sizeof(*out));
	if (id.len != SCAN_ID_LEN)
		return false;
	memcpy(out->what.id, id.data, SCAN_ID_LEN);
	snprintf(out->what.terminal, sizeof(out->what.terminal), "%s", db_text(q, 1));
	buf_init(&plain, 512);
	bool ok = aead_open(record_key(d->record), id, db_bytes(q, 2), &plain, NULL) &&
		  identifier_parse(IDENTIFIER_ECERT, (const char *)plain.data, plain.len, 0, &out->identity, NULL,
				   NULL);
	buf_clear(&plain);
	return ok;
}

/* Those scanned before the list was last confirmed. A row that cannot be read is closed as it stands: it would stay for ever. */
static bool duties_due(struct duties *d, int64_t confirmed_s, struct duty *due, size_t *len, struct err *e)
{
	struct db_query *q = db_query(
		d->db,
		"SELECT scan, terminal, identity FROM duty WHERE code = 0 AND opened_s < ? ORDER BY opened_s LIMIT ?",
		e);
	bool row = false;
	*len = 0;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, confirmed_s, e) && db_bind_int(q, 2, DUTIES_TURN, e);
	while (ok && (ok = db_next(q, &row, e)) && row && *len < DUTIES_TURN) {
		if (!duty_read(d, q, &due[*len]))
			due[*len].what.code = SCAN_STATUS_STALE;
		(*len)++;
	}
	db_finish(q);
	return ok;
}

static enum scan_code look(const struct check_source *source, const struct check_list *list, const struct duty *d,
			   int64_t now_s)
{
	uint32_t value = 0;
	int64_t day = (now_s + CHECK_CHINA_S) / DAY_S - ENTRY_DAY_ZERO;
	enum lookup_result found = source->find(source->arg, ECERT_LIST, tag_of(list->key, &d->identity), &value);
	if (found == LOOKUP_ERROR)
		return 0;
	if (found != LOOKUP_HIT || !entry_in_force(value, (uint16_t)day))
		return SCAN_ACCEPTED;
	switch (entry_reason(value)) {
	case ECERT_SUSPENDED: return SCAN_SUSPENDED;
	case ECERT_SUPERSEDED: return SCAN_SUPERSEDED;
	default: return SCAN_REVOKED;
	}
}

static bool duty_close(struct duties *d, const struct duty *duty, uint64_t list_version, int64_t now_s, struct err *e)
{
	struct scan_recheck r = { .code = duty->what.code, .list_version = list_version };
	struct buf body;
	memcpy(r.id, duty->what.id, SCAN_ID_LEN);
	buf_init(&body, 128);
	bool ok = scan_recheck_encode(&r, &body, e) &&
		  record_append(d->record, now_s, JOURNAL_RECHECK, buf_bytes(&body), NULL, e) &&
		  db_run(d->db, e, "UPDATE duty SET code = ?, closed_s = ? WHERE scan = ?", "iib",
			 (int64_t)duty->what.code, now_s, (struct bytes){ duty->what.id, SCAN_ID_LEN });
	buf_clear(&body);
	return ok;
}

static bool duties_close(struct duties *d, struct duty *due, size_t len, const struct check_source *source,
			 const struct check_list *list, int64_t now_s, uint64_t *closed, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		if (due[i].what.code == 0)
			due[i].what.code = look(source, list, &due[i], now_s);
		if (due[i].what.code == 0)
			continue; /* the list cannot be read: another time */
		if (!duty_close(d, &due[i], list->version, now_s, e))
			return false;
		(*closed)++;
	}
	return db_run(d->db, e, "DELETE FROM duty WHERE code <> 0 AND closed_s < ?", "i",
		      now_s - (int64_t)DUTIES_KEEP_DAYS * DAY_S);
}

bool duties_run(struct duties *d, const struct check_source *source, int64_t now_s,
		void (*turned)(void *arg, const struct duty_turned *t), void *arg, uint64_t *closed, struct err *e)
{
	struct duty due[DUTIES_TURN];
	struct check_list list = { .confirmed_s = -1 };
	size_t len = 0;
	*closed = 0;
	if (d->open == 0 || source == NULL || source->list(source->arg, ECERT_LIST, &list) != LOOKUP_NOT_LISTED ||
	    list.confirmed_s < 0 || now_s - list.confirmed_s > VERIFY_FRESH_S)
		return true;
	if (!duties_due(d, list.confirmed_s, due, &len, e))
		return false;
	if (len == 0)
		return true;
	if (!db_begin(d->db, e))
		return false;
	if (!duties_close(d, due, len, source, &list, now_s, closed, e) || !db_commit(d->db, e)) {
		db_rollback(d->db);
		*closed = 0;
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if (due[i].what.code != 0 && due[i].what.code != SCAN_ACCEPTED)
			turned(arg, &due[i].what);
	return count_load(d, e);
}

bool duties_code(struct duties *d, const uint8_t id[SCAN_ID_LEN], enum scan_code *code, struct err *e)
{
	int64_t n = 0;
	struct err why = { 0 };
	bool ok = db_run_int(d->db, &n, &why, "SELECT code FROM duty WHERE scan = ?", "b",
			     (struct bytes){ id, SCAN_ID_LEN });
	*code = (enum scan_code)n;
	return ok || why.code == ERR_MISSING || err_set(e, why.code, "%s", why.text);
}

bool duties_each(struct duties *d, const char *terminal, size_t limit,
		 void (*each)(void *arg, const struct duty_turned *t, int64_t opened_s), void *arg, struct err *e)
{
	struct db_query *q = db_query(
		d->db,
		"SELECT scan, terminal, code, opened_s FROM duty WHERE code <> ?1 AND (?2 = '' OR terminal = ?2)"
		" ORDER BY opened_s DESC LIMIT ?3",
		e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, SCAN_ACCEPTED, e) && db_bind_text(q, 2, terminal, e) &&
		  db_bind_int(q, 3, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct duty_turned t = { .code = (enum scan_code)db_int(q, 2) };
		struct bytes id = db_bytes(q, 0);
		if (id.len == SCAN_ID_LEN)
			memcpy(t.id, id.data, SCAN_ID_LEN);
		snprintf(t.terminal, sizeof(t.terminal), "%s", db_text(q, 1));
		each(arg, &t, db_int(q, 3));
	}
	db_finish(q);
	return ok;
}
