#include "central/ingest/batch.h"

#include "central/ingest/rows.h"
#include "central/store/store.h"
#include "protocol/base/meta.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define DAY_S     86400
#define CHINA_S   28800
#define STATE_MAX 65536U

#define COLUMNS                                                                                                      \
	"id, source, source_version, period, state, file, format, size, sha256, as_of, intake, duplicates, kept,"    \
	" kept_bytes, phase, held, created_by, created_s, finished_s, decided_by, decided_s, decided_why,"           \
	" growing, superseded_s, erased_s"

static const char *const states[][2] = {
	{ "", "" },
	{ "loading", "载入中" },
	{ "checking", "核对中" },
	{ "held", "待人工确认" },
	{ "current", "已生效" },
	{ "superseded", "已被替代" },
	{ "discarded", "已作废" },
};

const char *batch_state_name(enum batch_state s)
{
	return states[s][0];
}

const char *batch_state_zh(enum batch_state s)
{
	return states[s][1];
}

int64_t batch_rows(const struct batch *b)
{
	return (int64_t)b->intake.accepted - b->duplicates;
}

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- rows of the table --- */

static bool batch_read(const struct db_query *q, struct batch *b, struct err *e)
{
	*b = (struct batch){ .id = db_int(q, 0),
			     .source_version = db_int(q, 2),
			     .state = (enum batch_state)db_int(q, 4),
			     .format = (enum intake_format)db_int(q, 6),
			     .size = (uint64_t)db_int(q, 7),
			     .duplicates = db_int(q, 11),
			     .kept = db_int(q, 12),
			     .kept_bytes = db_int(q, 13),
			     .phase = db_int(q, 14),
			     .held = (unsigned)db_int(q, 15),
			     .created_s = db_int(q, 17),
			     .finished_s = db_int(q, 18),
			     .decided_s = db_int(q, 20),
			     .growing = db_int(q, 22) != 0,
			     .superseded_s = db_int(q, 23),
			     .erased_s = db_int(q, 24) };
	snprintf(b->source, sizeof(b->source), "%s", db_text(q, 1));
	snprintf(b->period, sizeof(b->period), "%s", db_text(q, 3));
	snprintf(b->file, sizeof(b->file), "%s", db_text(q, 5));
	snprintf(b->as_of, sizeof(b->as_of), "%s", db_text(q, 9));
	snprintf(b->created_by, sizeof(b->created_by), "%s", db_text(q, 16));
	snprintf(b->decided_by, sizeof(b->decided_by), "%s", db_text(q, 19));
	snprintf(b->decided_why, sizeof(b->decided_why), "%s", db_text(q, 21));
	struct bytes hash = db_bytes(q, 8);
	if (hash.len == HASH_LEN)
		memcpy(b->sha256, hash.data, HASH_LEN);
	return intake_state_parse(bytes_of(db_text(q, 10)), &b->intake, e) ||
	       err_wrap(e, "batch %lld", (long long)b->id);
}

bool batch_load(struct release_context *c, int64_t id, struct batch *out, struct err *e)
{
	struct db_query *q = db_query(c->db, "SELECT " COLUMNS " FROM batch WHERE id = ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, id, e) && db_next(q, &row, e) &&
		  (row ||
		   err_set(e, ERR_MISSING, "there is no batch %lld; see: centralctl batch list", (long long)id)) &&
		  batch_read(q, out, e);
	db_finish(q);
	return ok;
}

bool batch_each(struct release_context *c, const char *source, size_t limit,
		void (*each)(void *arg, const struct batch *b), void *arg, struct err *e)
{
	struct db_query *q = db_query(
		c->db, "SELECT " COLUMNS " FROM batch WHERE source = ? OR ? = '' ORDER BY id DESC LIMIT ?", e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, source, e) && db_bind_text(q, 2, source, e) &&
		  db_bind_int(q, 3, (int64_t)limit, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct batch b;
		ok = batch_read(q, &b, e);
		if (ok)
			each(arg, &b);
	}
	db_finish(q);
	return ok;
}

bool batch_current(struct release_context *c, const char *source, const char *period, struct batch *out,
		   struct err *e)
{
	struct db_query *q = db_query(c->db,
				      "SELECT " COLUMNS " FROM batch WHERE source = ? AND state = 4"
				      " AND (period <= ? OR ? = '') ORDER BY period DESC LIMIT 1",
				      e);
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, source, e) && db_bind_text(q, 2, period, e) && db_bind_text(q, 3, period, e) &&
		  db_next(q, &row, e) && (row || err_set(e, ERR_MISSING, "nothing of %s counts yet", source)) &&
		  batch_read(q, out, e);
	db_finish(q);
	return ok;
}

static bool state_text(const struct intake_state *s, struct buf *out, struct err *e)
{
	buf_init(out, STATE_MAX);
	intake_state_put(s, out);
	return buf_ok(out, "the state of a load", e);
}

bool batch_save(struct release_context *c, const struct batch *b, struct err *e)
{
	struct buf intake;
	const struct intake_state *s = &b->intake;
	bool ok =
		state_text(s, &intake, e) &&
		db_run(c->db, e,
		       "UPDATE batch SET state = ?, intake = ?, accepted = ?, rejected = ?, duplicates = ?, kept = ?,"
		       " kept_bytes = ?, phase = ?, held = ?, finished_s = ?, decided_by = ?, decided_s = ?, "
		       "decided_why = ?"
		       " WHERE id = ?",
		       "itiiiiiiiititi", (int64_t)b->state, buf_str(&intake), (int64_t)s->accepted,
		       (int64_t)s->rejected, b->duplicates, b->kept, b->kept_bytes, b->phase, (int64_t)b->held,
		       b->finished_s, b->decided_by, b->decided_s, b->decided_why, b->id) &&
		(s->content_from > s->content_to ||
		 db_run(c->db, e, "UPDATE batch SET content_to = ? WHERE id = ?", "ii", s->content_to, b->id));
	buf_clear(&intake);
	return ok;
}

/* Its rows; the batch's own row stays. */
bool batch_rows_drop(struct release_context *c, int64_t id, struct err *e)
{
	return db_run(c->db, e, "DELETE FROM batch_block WHERE batch = ?", "i", id) &&
	       db_run(c->db, e, "DELETE FROM batch_index WHERE batch = ?", "i", id) &&
	       db_run(c->db, e, "DELETE FROM batch_reject WHERE batch = ?", "i", id);
}

bool batch_erase(struct release_context *c, int64_t id, struct err *e)
{
	return batch_rows_drop(c, id, e) && db_run(c->db, e, "DELETE FROM batch WHERE id = ?", "i", id);
}

/* --- opening --- */

static bool period_is_fine(const struct source *s, const char *period)
{
	char day[11] = "";
	int64_t n = 0;
	size_t len = strlen(period);
	if (len != (s->cadence == SOURCE_MONTHLY ? 7U : 10U))
		return false;
	snprintf(day, sizeof(day), "%s%s", period, len == 7 ? "-01" : "");
	return day_parse(bytes_of(day), &n, NULL);
}

/* The last day of a period that is fine. */
static void period_end(const char *period, char out[11])
{
	char day[16] = "";
	int64_t n = 0;
	for (int last = 31; last >= 28; last--) {
		snprintf(day, sizeof(day), "%.7s-%02d", period, last);
		if (day_parse(bytes_of(day), &n, NULL))
			break;
	}
	snprintf(out, 11, "%.10s", strlen(period) == 10 ? period : day);
}

static bool new_is_fine(const struct batch_new *n, const struct source *s, char as_of[11], int64_t now_s,
			struct err *e)
{
	int64_t day = 0;
	if (!period_is_fine(s, n->period))
		return err_set(e, ERR_INPUT, "period: %s comes %s; expected %s", s->code,
			       source_cadence_name(s->cadence),
			       s->cadence == SOURCE_MONTHLY ? "a month, as 2026-10" : "a day, as 2026-10-31");
	if (n->size == 0)
		return err_set(e, ERR_INPUT, "the file is empty");
	if (n->size > BATCH_SIZE_MAX)
		return err_set(e, ERR_FULL, "the file is longer than a tebibyte");
	if (n->as_of == NULL)
		period_end(n->period, as_of);
	else
		snprintf(as_of, 11, "%.10s", n->as_of);
	if (!day_parse(bytes_of(n->as_of != NULL ? n->as_of : as_of), &day, NULL))
		return err_set(e, ERR_INPUT, "as_of: expected a day, as 2026-10-31");
	return n->as_of == NULL || day <= (now_s + CHINA_S) / DAY_S ||
	       err_set(e, ERR_INPUT, "as_of: that day is still to come");
}

/* A batch of the period that makes another one needless: the same file, read by the same schema and in the same way, in or on its way;
   0 none. */
static bool same_find(struct release_context *c, const struct batch_new *n, const struct source *s, const char *as_of,
		      int64_t *same, struct err *e)
{
	struct err none = { 0 };
	struct batch b;
	*same = 0;
	if (!db_run_int(
		    c->db, same, &none,
		    "SELECT id FROM batch WHERE source = ? AND period = ? AND state <= 4 AND sha256 = ? AND size = ?"
		    " AND source_version = ? AND format = ? AND as_of = ? ORDER BY id DESC LIMIT 1",
		    "ttbiiit", n->source, n->period, (struct bytes){ n->sha256, HASH_LEN }, (int64_t)n->size,
		    s->version, (int64_t)n->format, as_of))
		return none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
	if (n->encoding == ENCODING_AUTO)
		return true;
	if (!batch_load(c, *same, &b, e))
		return false;
	if (b.intake.encoding != n->encoding)
		*same = 0; /* it was taken for another, which is why it comes again */
	return true;
}

/* Loads of other files for the period that were not finished are dropped. */
static bool others_settle(struct release_context *c, const struct batch_new *n, const char *operator, int64_t now_s,
			  int64_t same, struct err *e)
{
	int64_t stale = 0;
	struct err none = { 0 };
	while (db_run_int(c->db, &stale, &none,
			  "SELECT id FROM batch WHERE source = ? AND period = ? AND state <= 2 AND id <> ? LIMIT 1",
			  "tti", n->source, n->period, same)) {
		if (!batch_erase(c, stale, e) ||
		    !audit_add(c->db, now_s, operator, "batch.abandoned", n->source, n->period, e))
			return false;
	}
	return none.code == ERR_MISSING || err_set(e, none.code, "%s", none.text);
}

/* Never one that was used before, whatever was erased. */
static bool id_next(struct release_context *c, int64_t *id, struct err *e)
{
	struct err none = { 0 };
	*id = 0;
	if (!meta_get_int(c->db, "batch_id", id, &none) && none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	return meta_put_int(c->db, "batch_id", ++*id, e);
}

bool batch_insert(struct release_context *c, const struct batch_new *n, const struct source *s, const char *as_of,
		  const char *operator, int64_t now_s, int64_t *id, struct err *e)
{
	struct intake_state state;
	struct buf text;
	intake_state_init(&state, n->encoding);
	bool ok = id_next(c, id, e) && state_text(&state, &text, e) &&
		  db_run(c->db, e,
			 "INSERT INTO batch (id, source, source_version, period, state, file, format, size, sha256, "
			 "as_of,"
			 " intake, accepted, rejected, duplicates, kept, kept_bytes, phase, held, created_by, "
			 "created_s,"
			 " finished_s, decided_by, decided_s, decided_why)"
			 " VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, ?, 0, '', 0, '')",
			 "itittiibttti", *id, n->source, s->version, n->period, n->file, (int64_t)n->format,
			 (int64_t)n->size, (struct bytes){ n->sha256, HASH_LEN }, as_of, buf_str(&text), operator,
			 now_s) &&
		  audit_add(c->db, now_s, operator, "batch.open", n->source, n->period, e);
	buf_clear(&text);
	return ok;
}

/* Messages and a file for one day would push each other out. */
static bool day_is_over(struct release_context *c, const struct batch_new *n, struct err *e)
{
	int64_t growing = 0;
	return db_run_int(c->db, &growing, e,
			  "SELECT count(*) FROM batch WHERE source = ? AND period = ? AND growing = 1", "tt",
			  n->source, n->period) &&
	       (growing == 0 ||
		err_set(e, ERR_CONFLICT, "%s %s still grows by messages: send a file once the day is over", n->source,
			n->period));
}

bool batch_open(struct release_context *c, const struct batch_new *n, const char *operator, int64_t now_s,
		int64_t *id, bool *again, struct err *e)
{
	struct source s;
	char as_of[11];
	*again = false;
	if (!source_load(c->db, n->source, 0, &s, NULL, NULL, e) || !new_is_fine(n, &s, as_of, now_s, e) ||
	    !db_begin(c->db, e))
		return false;
	bool ok = day_is_over(c, n, e) && same_find(c, n, &s, as_of, id, e) &&
		  others_settle(c, n, operator, now_s, *id, e);
	*again = ok && *id != 0;
	if (ok && !*again)
		ok = batch_insert(c, n, &s, as_of, operator, now_s, id, e);
	return finish(c, ok, e);
}

/* --- parts --- */

struct loading {
	struct release_context *c;
	struct batch *b;
	struct rows_keys keys;
	struct rows_writer rows;
	void (*told)(void *arg, uint32_t number, const struct row_fault *faults, size_t len); /* NULL: nobody is */
	void *arg;
};

static bool accept(void *arg, const struct intake_row *row, struct err *e)
{
	struct loading *l = arg;
	return rows_add(&l->rows, row, e);
}

static bool reject(void *arg, uint32_t number, const struct row_fault *faults, size_t len, struct bytes raw,
		   struct err *e)
{
	struct loading *l = arg;
	struct batch *b = l->b;
	uint8_t codes[3 * INTAKE_FAULTS_MAX];
	char aad[64];
	struct buf sealed;
	if (l->told != NULL)
		l->told(l->arg, number, faults, len);
	if (raw.len > CSV_ROW_MAX)
		raw.len = CSV_ROW_MAX;
	if (b->kept == BATCH_REJECTS_KEPT || b->kept_bytes + (int64_t)raw.len > BATCH_REJECTS_BYTES)
		return true;
	for (size_t i = 0; i < len; i++) {
		codes[3 * i] = (uint8_t)faults[i].field;
		codes[3 * i + 1] = (uint8_t)(faults[i].field >> 8);
		codes[3 * i + 2] = (uint8_t)faults[i].fault;
	}
	size_t aad_len = rows_aad(aad, b->id, number);
	buf_init(&sealed, raw.len + AEAD_OVERHEAD);
	bool ok = aead_seal(l->keys.reject, l->c->random, (struct bytes){ (const uint8_t *)aad, aad_len }, raw,
			    &sealed, e) &&
		  db_run(l->c->db, e, "INSERT INTO batch_reject (batch, row, faults, raw) VALUES (?, ?, ?, ?)",
			 "iibb", b->id, (int64_t)number, (struct bytes){ codes, 3 * len }, buf_bytes(&sealed));
	buf_clear(&sealed);
	b->kept++;
	b->kept_bytes += (int64_t)raw.len;
	return ok;
}

static bool part_take(struct loading *l, const struct schema *schema, struct bytes part, bool last, int64_t now_s,
		      struct err *e)
{
	const struct intake_sink sink = { accept, reject, l };
	size_t used = 0;
	struct intake *in = intake_new(schema, l->b->format, (now_s + CHINA_S) / DAY_S);
	rows_keys_make(l->c->vault_key, &l->keys);
	l->rows = (struct rows_writer){
		.db = l->c->db, .random = l->c->random, .keys = &l->keys, .schema = schema, .batch = l->b->id
	};
	rows_writer_init(&l->rows);
	bool ok = intake_feed(in, &l->b->intake, part, last, &sink, &used, e) && rows_flush(&l->rows, e);
	rows_writer_clear(&l->rows);
	rows_keys_wipe(&l->keys);
	intake_free(in);
	return ok;
}

bool batch_append(struct release_context *c, struct batch *b, const struct schema *schema, struct bytes rows,
		  void (*told)(void *arg, uint32_t number, const struct row_fault *faults, size_t len), void *arg,
		  int64_t now_s, struct err *e)
{
	struct loading l = { .c = c, .b = b, .told = told, .arg = arg };
	return part_take(&l, schema, rows, true, now_s, e);
}

/* The file is none of the source's: nothing of it stays but the audit's row. */
static void batch_refuse(struct release_context *c, const struct batch *b, int64_t now_s, const char *why)
{
	if (!db_begin(c->db, NULL))
		return;
	(void)finish(c,
		     batch_erase(c, b->id, NULL) &&
			     audit_add(c->db, now_s, b->created_by, "batch.refused", b->source, why, NULL),
		     NULL);
}

bool batch_part(struct release_context *c, int64_t id, uint64_t offset, struct bytes part, int64_t now_s,
		struct err *e)
{
	struct batch b;
	struct source s;
	struct schema *schema = NULL;
	struct err why = { 0 };
	if (!batch_load(c, id, &b, e))
		return false;
	if (b.state != BATCH_LOADING)
		return err_set(e, ERR_CONFLICT, "batch %lld is %s and takes no more bytes", (long long)id,
			       batch_state_name(b.state));
	if (offset != b.intake.offset)
		return err_set(e, ERR_CONFLICT, "offset: batch %lld goes on at %llu", (long long)id,
			       (unsigned long long)b.intake.offset);
	if (part.len > b.size - offset || part.len > BATCH_PART_MAX)
		return err_set(e, ERR_INPUT, "a part has at most %u bytes and ends with the file", BATCH_PART_MAX);
	if (!source_load(c->db, b.source, b.source_version, &s, &schema, NULL, e))
		return false;
	bool last = offset + part.len == b.size;
	struct loading l = { .c = c, .b = &b };
	b.state = last ? BATCH_CHECKING : BATCH_LOADING;
	bool ok = db_begin(c->db, &why);
	if (ok)
		ok = finish(c, part_take(&l, schema, part, last, now_s, &why) && batch_save(c, &b, &why), &why);
	schema_free(schema);
	if (!ok && why.code == ERR_INPUT)
		batch_refuse(c, &b, now_s, why.text);
	return ok || err_set(e, why.code, "%s", why.text);
}
