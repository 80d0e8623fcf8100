#include "central/ledger/dailies.h"

#include "protocol/base/file.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

/* --- what was signed is still what the chain says --- */

static bool chain_has(struct db *db, const struct daily_head *h, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT hash FROM batch WHERE no = ?", e);
	char day[11];
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, (int64_t)h->batches, e) && db_next(q, &row, e);
	bool same = ok && row && bytes_equal(db_bytes(q, 0), (struct bytes){ h->hash, HASH_LEN });
	db_finish(q);
	day_format(h->day, day);
	if (!ok || same)
		return ok;
	return err_set(
		e, ERR_CONFLICT,
		"ledger.db does not have batch %llu as it was signed on %s: it was put back to an older state, or "
		"rewritten; stop, and restore the newest backup",
		(unsigned long long)h->batches, day);
}

/* Of ledger.db; h->batches 0 when there is none. */
static bool newest_taken(struct db *db, struct daily_head *h, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT payload FROM daily ORDER BY day DESC LIMIT 1", e);
	bool row = false;
	*h = (struct daily_head){ 0 };
	bool ok = q != NULL && db_next(q, &row, e) && (!row || daily_decode(db_bytes(q, 0), h, e));
	db_finish(q);
	return ok;
}

static bool newer_take(void *arg, struct bytes message, struct err *e)
{
	struct daily_head *newest = arg, h;
	if (!daily_open(message, NULL, &h, e))
		return false;
	if (newest->batches == 0 || h.day > newest->day)
		*newest = h;
	return true;
}

static bool newest_written(const char *file, struct daily_head *h, struct err *e)
{
	struct buf lines;
	struct err why = { 0 };
	*h = (struct daily_head){ 0 };
	buf_init(&lines, DAILIES_FILE_MAX);
	bool ok = file_read(file, &lines, &why);
	if (ok)
		ok = dailies_read(buf_bytes(&lines), newer_take, h, e) || err_wrap(e, "%.100s", file);
	else
		ok = why.code == ERR_MISSING || err_set(e, why.code, "%s", why.text);
	buf_clear(&lines);
	return ok;
}

static bool clock_check(int32_t today, int32_t other, const char *what, struct err *e)
{
	char day[11], text[11];
	day_format(today, text);
	day_format(other, day);
	return today >= other ||
	       err_set(e, ERR_STALE,
		       "the clock says %s, and %s is of %s: it went back; no head is signed until it is set right",
		       text, what, day);
}

static bool taken_store(struct ledger *l, const struct daily_head *h, struct err *e)
{
	struct buf payload;
	struct db *db = ledger_db(l);
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	bool ok = daily_encode(h, &payload, e) && db_begin(db, e);
	if (ok) {
		ok = db_run(db, e, "INSERT INTO daily (day, payload) VALUES (?, ?)", "ib", (int64_t)h->day,
			    buf_bytes(&payload)) &&
		     db_commit(db, e);
		if (!ok)
			db_rollback(db);
	}
	buf_clear(&payload);
	return ok;
}

/* Nothing speaks against a head of today over h, when there is such a head. */
static bool newest_check(struct db *db, const struct daily_head *h, int32_t today, const char *what, struct err *e)
{
	return h->batches == 0 || (chain_has(db, h, e) && clock_check(today, h->day, what, e));
}

static bool taken_now(struct ledger *l, int64_t now_s, struct err *e)
{
	static struct daily_head h;
	struct ledger_head head = ledger_head(l);
	daily_fill(ledger_core(l), now_s, &h);
	h.batches = head.batches;
	for (size_t i = 0; i < HASH_LEN; i++) /* of a memcpy from it gcc's analyzer says it is not initialised */
		h.hash[i] = head.hash[i];
	return taken_store(l, &h, e);
}

bool dailies_take(struct ledger *l, const char *file, int64_t now_s, struct err *e)
{
	static struct daily_head taken, written;
	struct db *db = ledger_db(l);
	const struct ledger_head head = ledger_head(l);
	int32_t today = ledger_day_of(now_s);
	if (!newest_taken(db, &taken, e) || !newest_written(file, &written, e) ||
	    !newest_check(db, &written, today, "the newest signed head", e) ||
	    !newest_check(db, &taken, today, "the newest head", e))
		return false;
	if (head.batches == 0)
		return true;
	if (!clock_check(today, ledger_day_of(head.time_s), "the newest batch", e))
		return false;
	if (taken.batches > 0 && taken.day == today)
		return true;
	if (written.batches > 0 && written.day == today)
		return err_set(e, ERR_CONFLICT,
			       "today's head was signed and is not in ledger.db: it is an older copy");
	return taken_now(l, now_s, e);
}

/* --- signing --- */

bool dailies_unsigned(struct ledger *l, struct buf *out, struct err *e)
{
	struct db_query *q = db_query(ledger_db(l),
				      "SELECT payload FROM daily WHERE day NOT IN (SELECT day FROM daily_signed)"
				      " ORDER BY day LIMIT 1",
				      e);
	bool row = false;
	bool ok = q != NULL && db_next(q, &row, e);
	if (ok && row)
		ok = buf_add(out, db_bytes(q, 0).data, db_bytes(q, 0).len) || err_set(e, ERR_FULL, "a day's head");
	db_finish(q);
	return ok;
}

/* The payload taken that day is this. */
static bool taken_is(struct db *db, int32_t day, struct bytes payload, struct err *e)
{
	struct db_query *q = db_query(db, "SELECT payload FROM daily WHERE day = ?", e);
	bool row = false;
	bool ok = q != NULL && db_bind_int(q, 1, day, e) && db_next(q, &row, e);
	if (ok && (!row || !bytes_equal(db_bytes(q, 0), payload)))
		ok = err_set(e, ERR_DENIED, "a signature over another head than was taken");
	db_finish(q);
	return ok;
}

bool dailies_put(struct ledger *l, struct bytes message, const uint8_t point[POINT_LEN], struct err *e)
{
	struct daily_head h;
	struct cose c;
	struct db *db = ledger_db(l);
	if (!daily_open(message, point, &h, e) || !cose_parse(message, &c, e) || !taken_is(db, h.day, c.payload, e) ||
	    !db_begin(db, e))
		return false;
	if (db_run(db, e, "INSERT INTO daily_signed (day, message) VALUES (?, ?) ON CONFLICT (day) DO NOTHING", "ib",
		   (int64_t)h.day, message) &&
	    db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

/* --- reading --- */

bool dailies_each(struct db *db, bool (*each)(void *arg, struct bytes message, struct err *e), void *arg,
		  struct err *e)
{
	int64_t there = 0;
	bool row = false;
	if (!db_run_int(db, &there, e, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'daily_signed'", ""))
		return false;
	if (there == 0)
		return true;
	struct db_query *q = db_query(db, "SELECT message FROM daily_signed ORDER BY day", e);
	bool ok = q != NULL;
	while (ok && (ok = db_next(q, &row, e)) && row)
		ok = each(arg, db_bytes(q, 0), e);
	db_finish(q);
	return ok;
}

static bool line_put(void *arg, struct bytes message, struct err *e)
{
	struct buf *out = arg;
	struct daily_head h;
	char day[11], hash[2 * HASH_LEN + 1];
	if (!daily_open(message, NULL, &h, e))
		return false;
	day_format(h.day, day);
	hex_encode(h.hash, HASH_LEN, hash);
	buf_add_fmt(out, "%s %llu %s ", day, (unsigned long long)h.batches, hash);
	base64_encode(message, out);
	return buf_add_str(out, "\n") || err_set(e, ERR_FULL, "too many daily heads");
}

bool dailies_lines(struct db *db, struct buf *out, struct err *e)
{
	return dailies_each(db, line_put, out, e);
}

bool dailies_write(struct ledger *l, const char *file, struct err *e)
{
	struct buf lines, was;
	buf_init(&lines, DAILIES_FILE_MAX);
	buf_init(&was, DAILIES_FILE_MAX);
	bool ok = dailies_lines(ledger_db(l), &lines, e);
	if (ok && !(file_read(file, &was, NULL) && bytes_equal(buf_bytes(&was), buf_bytes(&lines))))
		ok = file_write(file, buf_bytes(&lines), 0640, e);
	buf_clear(&lines);
	buf_clear(&was);
	return ok;
}

static bool line_take(struct bytes line, bool (*each)(void *arg, struct bytes message, struct err *e), void *arg,
		      struct err *e)
{
	struct buf message;
	size_t at = line.len;
	while (at > 0 && line.data[at - 1] != ' ')
		at--;
	buf_init(&message, DAILY_MESSAGE_MAX);
	bool ok = base64_decode((struct bytes){ line.data + at, line.len - at }, &message, e) &&
		  each(arg, buf_bytes(&message), e);
	buf_clear(&message);
	return ok;
}

bool dailies_read(struct bytes lines, bool (*each)(void *arg, struct bytes message, struct err *e), void *arg,
		  struct err *e)
{
	for (size_t number = 1; lines.len > 0; number++) {
		const uint8_t *end = memchr(lines.data, '\n', lines.len);
		size_t len = end != NULL ? (size_t)(end - lines.data) : lines.len;
		if (len > 0 && !line_take((struct bytes){ lines.data, len }, each, arg, e))
			return err_wrap(e, "line %zu", number);
		len += end != NULL;
		lines = (struct bytes){ lines.data + len, lines.len - len };
	}
	return true;
}
