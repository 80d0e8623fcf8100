#include "central/ingest/message.h"

#include "central/ingest/rows.h"
#include "central/store/store.h"
#include "protocol/base/json.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define DAY_S      86400
#define CHINA_S    28800
#define ENTRY_SIZE 12 /* of batch_index: tag(8) row(4), little-endian */

/* One message on its way in. */
struct taking {
	struct release_context *c;
	const struct message_new *m;
	struct batch b;
	struct source source;
	struct schema *schema;
	uint32_t first; /* the batch's last row before */
	int64_t accepted, rejected, listed;
	struct buf rejects; /* JSON, the elements alone */
	struct json_out w;
	struct err *e;
	bool ok;
};

static bool id_is_fine(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(id);
	return len > 0 && len <= MESSAGE_ID_MAX && strspn(id, allowed) == len;
}

/* What it was answered with, when it came before. */
static bool earlier_find(struct taking *t, const uint8_t hash[HASH_LEN], struct buf *ack, bool *found, struct err *e)
{
	struct db_query *q =
		db_query(t->c->db, "SELECT hash, answer FROM batch_message WHERE source = ? AND id = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, t->m->source, e) && db_bind_text(q, 2, t->m->id, e) && db_next(q, found, e);
	if (ok && *found) {
		ok = bytes_equal(db_bytes(q, 0), (struct bytes){ hash, HASH_LEN }) ||
		     err_set(e, ERR_CONFLICT, "a message with this id came before, with other rows");
		if (ok)
			buf_add_str(ack, db_text(q, 1));
	}
	db_finish(q);
	return ok;
}

/* --- the day's batch --- */

/* One that is loaded, checked or held has the lower number, and would have to push this one out when it comes to count. */
static bool no_file_waits(struct taking *t, const char *day, struct err *e)
{
	int64_t id = 0;
	return db_run_int(t->c->db, &id, e,
			  "SELECT coalesce(min(id), 0) FROM batch WHERE source = ? AND period = ? AND state <= 3",
			  "tt", t->m->source, day) &&
	       (id == 0 ||
		err_set(e, ERR_CONFLICT,
			"a file for %s is on its way, as batch %lld: messages go on once it is discarded, or "
			"tomorrow",
			day, (long long)id));
}

static bool day_open(struct taking *t, const char *day, int64_t now_s, struct err *e)
{
	int64_t id = 0;
	struct batch_new n = { .source = t->m->source,
			       .period = day,
			       .file = "MQTT",
			       .format = INTAKE_NDJSON,
			       .encoding = ENCODING_AUTO };
	return no_file_waits(t, day, e) && batch_insert(t->c, &n, &t->source, day, t->m->sender, now_s, &id, e) &&
	       db_run(t->c->db, e, "UPDATE batch SET state = 4, growing = 1, finished_s = ? WHERE id = ?", "ii",
		      now_s, id) &&
	       batch_load(t->c, id, &t->b, e);
}

static bool day_find(struct taking *t, int64_t now_s, struct err *e)
{
	char day[11];
	int64_t id = 0;
	struct err none = { 0 };
	day_format((now_s + CHINA_S) / DAY_S, day);
	if (!db_run_int(t->c->db, &id, &none, "SELECT id FROM batch WHERE source = ? AND period = ? AND state = 4",
			"tt", t->m->source, day))
		return none.code == ERR_MISSING ? day_open(t, day, now_s, e) : err_set(e, none.code, "%s", none.text);
	if (!batch_load(t->c, id, &t->b, e))
		return false;
	return t->b.growing ||
	       err_set(e, ERR_CONFLICT, "a file counts for %s already, as batch %lld: messages go on tomorrow", day,
		       (long long)id);
}

/* --- rows --- */

static void reject_put(struct taking *t, uint32_t number, size_t column, unsigned fault)
{
	if (t->listed++ >= MESSAGE_REJECTS_MAX)
		return;
	json_open(&t->w, NULL, '{');
	json_put_int(&t->w, "row", number - t->first);
	json_put_text(&t->w, "column",
		      column > 0 && column <= t->schema->fields_len ? t->schema->fields[column - 1].name : "");
	json_put_text(&t->w, "code", fault_code(fault));
	json_put_text(&t->w, "zh", fault_zh(fault));
	json_put_text(&t->w, "en", fault_en(fault));
	json_close(&t->w, '}');
}

static void told(void *arg, uint32_t number, const struct row_fault *faults, size_t len)
{
	struct taking *t = arg;
	for (size_t i = 0; i < len; i++)
		reject_put(t, number, faults[i].field, faults[i].fault);
}

static bool duplicate_put(struct taking *t, uint32_t row)
{
	static const uint8_t fault[] = { 0, 0, FAULT_PRIMARY_KEY };
	t->b.duplicates++;
	reject_put(t, row, 0, FAULT_PRIMARY_KEY);
	return db_run(t->c->db, t->e, "INSERT INTO batch_reject (batch, row, faults, raw) VALUES (?, ?, ?, ?)",
		      "iibb", t->b.id, (int64_t)row, (struct bytes){ fault, sizeof(fault) },
		      (struct bytes){ NULL, 0 });
}

/* A block of its own: blocks of several tags would overlap, and rows_of_subject reads them in order. */
static bool index_put(struct taking *t, const struct rows_tag *tag)
{
	uint8_t entry[ENTRY_SIZE];
	for (int i = 0; i < 8; i++)
		entry[i] = (uint8_t)((uint64_t)tag->subject >> 8 * i);
	for (int i = 0; i < 4; i++)
		entry[8 + i] = (uint8_t)(tag->row >> 8 * i);
	return db_run(t->c->db, t->e,
		      "INSERT INTO batch_index (batch, seq, first_tag, last_tag, entries) VALUES (?, ?, ?, ?, ?)",
		      "iiiib", t->b.id, (int64_t)tag->row, tag->subject, tag->subject,
		      (struct bytes){ entry, sizeof(entry) });
}

static void tag_take(void *arg, const struct rows_tag *tag)
{
	struct taking *t = arg;
	bool first = true;
	if (!t->ok)
		return;
	if (t->schema->keyed) {
		t->ok = db_run(t->c->db, t->e,
			       "INSERT INTO batch_key (batch, high, low) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			       "iii", t->b.id, (int64_t)tag->key.high, (int64_t)tag->key.low);
		first = t->ok && db_changes(t->c->db) == 1;
	}
	if (t->ok && !first)
		t->ok = duplicate_put(t, tag->row);
	else if (t->ok && tag->subject != 0)
		t->ok = index_put(t, tag);
}

/* A message is a file of its own but for its rows' numbers, which go on. */
static bool rows_put(struct taking *t, int64_t now_s, struct err *e)
{
	struct intake_state *s = &t->b.intake;
	struct batch before = t->b;
	struct buf rows;
	uint64_t size = s->offset;
	t->first = s->row;
	s->offset = 0;
	s->skip = false;
	s->encoding = ENCODING_AUTO;
	buf_init(&rows, MESSAGE_ROWS_MAX + 1);
	buf_add(&rows, t->m->rows.data, t->m->rows.len);
	if (rows.len > 0 && rows.data[rows.len - 1] != '\n')
		buf_add_u8(&rows, '\n');
	bool ok = batch_append(t->c, &t->b, t->schema, buf_bytes(&rows), told, t, now_s, e);
	buf_wipe(&rows);
	if (!ok)
		return false;
	s->offset = size + t->m->rows.len;
	s->cut = false;
	t->ok = true;
	t->e = e;
	if (!rows_each_tag_from(t->c->db, t->b.id, t->first + 1, tag_take, t, e) || !t->ok)
		return false;
	t->accepted = batch_rows(&t->b) - batch_rows(&before);
	t->rejected = (int64_t)(s->rejected - before.intake.rejected) + t->b.duplicates - before.duplicates;
	return true;
}

/* --- the answer --- */

static bool answer_write(struct taking *t, struct buf *out, struct err *e)
{
	struct json_out w = { .out = out };
	json_open(&w, NULL, '{');
	json_put_text(&w, "id", t->m->id);
	json_put_text(&w, "source", t->m->source);
	json_put_text(&w, "period", t->b.period);
	json_put_int(&w, "batch", t->b.id);
	json_put_int(&w, "accepted", t->accepted);
	json_put_int(&w, "rejected", t->rejected);
	json_open(&w, "rejects", '[');
	if (t->rejects.len > 0)
		json_put_raw(&w, NULL, buf_bytes(&t->rejects));
	json_close(&w, ']');
	json_close(&w, '}');
	return buf_ok(out, "the answer", e);
}

/* The batch's hash is of its messages' hashes in their order. */
static bool settled(struct taking *t, const uint8_t hash[HASH_LEN], struct buf *ack, int64_t now_s, struct err *e)
{
	uint8_t both[2 * HASH_LEN];
	memcpy(both, t->b.sha256, HASH_LEN);
	memcpy(both + HASH_LEN, hash, HASH_LEN);
	sha256((struct bytes){ both, sizeof(both) }, t->b.sha256);
	return batch_save(t->c, &t->b, e) &&
	       db_run(t->c->db, e, "UPDATE batch SET size = ?, sha256 = ? WHERE id = ?", "ibi",
		      (int64_t)t->b.intake.offset, (struct bytes){ t->b.sha256, HASH_LEN }, t->b.id) &&
	       answer_write(t, ack, e) &&
	       db_run(t->c->db, e,
		      "INSERT INTO batch_message (source, id, batch, sender, hash, answer, time_s) VALUES (?, ?, ?, "
		      "?, "
		      "?, ?, ?)",
		      "ttitbti", t->m->source, t->m->id, t->b.id, t->m->sender, (struct bytes){ hash, HASH_LEN },
		      buf_str(ack), now_s);
}

static bool taken(struct taking *t, const uint8_t hash[HASH_LEN], struct buf *ack, int64_t now_s, struct err *e)
{
	/* by the version of the source that the day began with */
	if (!day_find(t, now_s, e) ||
	    !source_load(t->c->db, t->m->source, t->b.source_version, &t->source, &t->schema, NULL, e))
		return false;
	buf_init(&t->rejects, MESSAGE_ANSWER_MAX);
	t->w = (struct json_out){ .out = &t->rejects };
	bool ok = rows_put(t, now_s, e) && buf_ok(&t->rejects, "the rejects", e) && settled(t, hash, ack, now_s, e);
	buf_clear(&t->rejects);
	return ok;
}

bool message_take(struct release_context *c, const struct message_new *m, int64_t now_s, struct buf *ack,
		  struct err *e)
{
	struct taking t = { .c = c, .m = m };
	uint8_t hash[HASH_LEN];
	bool found = false;
	if (!source_load(c->db, m->source, 0, &t.source, NULL, NULL, e))
		return false;
	if (t.source.cadence != SOURCE_MESSAGE)
		return err_set(e, ERR_INPUT, "%s comes monthly: send a file", m->source);
	if (!id_is_fine(m->id))
		return err_set(e, ERR_INPUT, "id: letters, digits, '-', '_' and '.', at most %d", MESSAGE_ID_MAX);
	if (m->rows.len == 0 || m->rows.len > MESSAGE_ROWS_MAX)
		return err_set(e, ERR_INPUT, "a message has 1 to %u bytes of NDJSON; longer ones are files",
			       MESSAGE_ROWS_MAX);
	sha256(m->rows, hash);
	if (!earlier_find(&t, hash, ack, &found, e))
		return false;
	if (found)
		return buf_ok(ack, "the answer", e);
	if (!message_close_days(c, now_s, e) || !db_begin(c->db, e))
		return false;
	bool ok = taken(&t, hash, ack, now_s, e) && db_commit(c->db, e);
	if (!ok)
		db_rollback(c->db);
	schema_free(t.schema);
	return ok;
}

/* --- the end of a day --- */

static bool day_close(struct release_context *c, int64_t id, int64_t now_s, struct err *e)
{
	struct batch b;
	char subject[64], detail[80];
	if (!batch_load(c, id, &b, e))
		return false;
	snprintf(subject, sizeof(subject), "%s %s", b.source, b.period);
	snprintf(detail, sizeof(detail), "batch %lld, %lld rows by messages", (long long)id,
		 (long long)batch_rows(&b));
	return db_run(c->db, e, "UPDATE batch SET growing = 0 WHERE id = ?", "i", id) &&
	       db_run(c->db, e, "DELETE FROM batch_key WHERE batch = ?", "i", id) &&
	       audit_add(c->db, now_s, b.created_by, "batch.closed", subject, detail, e);
}

bool message_close_days(struct release_context *c, int64_t now_s, struct err *e)
{
	char today[11];
	day_format((now_s + CHINA_S) / DAY_S, today);
	for (;;) {
		int64_t id = 0;
		if (!db_run_int(c->db, &id, e,
				"SELECT coalesce(min(id), 0) FROM batch WHERE growing = 1 AND period < ?", "t",
				today))
			return false;
		if (id == 0)
			return true;
		if (!db_begin(c->db, e))
			return false;
		if (!day_close(c, id, now_s, e) || !db_commit(c->db, e)) {
			db_rollback(c->db);
			return false;
		}
	}
}
