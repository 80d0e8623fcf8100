/*
 * What needs all rows of a batch: keys given twice, the index by subject, the judgement. One slice a call, over a range of hashes, so that
 * memory is bounded by SLICE_ROWS whatever the batch; a slice that was not committed is done again.
 */
#include "central/ingest/batch.h"

#include "central/ingest/rows.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_ROWS    250000 /* 8 MB while a slice is sorted */
#define INDEX_ENTRIES 512    /* in one block of the index */
#define ENTRY_SIZE    12     /* tag(8) row(4), little-endian */
#define ROWS_TO_JUDGE 10     /* fewer say nothing */

struct hashed {
	uint64_t hash; /* in unsigned order */
	uint32_t row, low;
};

struct slice {
	bool keys;
	uint64_t index, of;
	struct hashed *rows;
	size_t len, cap;
};

static uint64_t slices_of(const struct batch *b)
{
	return b->intake.accepted / SLICE_ROWS + 1;
}

int64_t batch_phases(const struct batch *b, const struct schema *s)
{
	int64_t n = (int64_t)slices_of(b);
	return (s->keyed ? n : 0) + (s->subject >= 0 ? n : 0) + 1;
}

/* A signed number as an unsigned one in the same order. */
static uint64_t ordered(int64_t v)
{
	return (uint64_t)v ^ 0x8000000000000000U;
}

static void gather(void *arg, const struct rows_tag *t)
{
	struct slice *s = arg;
	uint64_t hash = s->keys ? t->key.high : ordered(t->subject), at = hash / (UINT64_MAX / s->of);
	if ((at < s->of ? at : s->of - 1) != s->index || (!s->keys && t->subject == 0))
		return;
	if (s->len == s->cap) {
		s->cap = s->cap * 2 + 4096;
		s->rows = realloc(s->rows, s->cap * sizeof(*s->rows));
		if (s->rows == NULL)
			abort();
	}
	s->rows[s->len++] = (struct hashed){ hash, t->row, s->keys ? (uint32_t)t->key.low : 0 };
}

static bool goes_before(const struct hashed *a, const struct hashed *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash;
	return a->low != b->low ? a->low < b->low : a->row < b->row;
}

/* By the upper half, a byte at a time; what is equal there is few and is put right one by one. */
static void sort(struct slice *s)
{
	struct hashed *from = s->rows, *to = malloc((s->len + 1) * sizeof(*to));
	if (to == NULL)
		abort();
	for (unsigned shift = 32; shift < 64; shift += 8) {
		size_t at[257] = { 0 };
		for (size_t i = 0; i < s->len; i++)
			at[(from[i].hash >> shift & 255) + 1]++;
		for (size_t i = 1; i < 257; i++)
			at[i] += at[i - 1];
		for (size_t i = 0; i < s->len; i++)
			to[at[from[i].hash >> shift & 255]++] = from[i];
		struct hashed *swap = from;
		from = to;
		to = swap;
	}
	free(to); /* after four turns the rows are where they began */
}

static int hashed_compare(const void *x, const void *y)
{
	const struct hashed *a = x, *b = y;
	return goes_before(a, b) ? -1 : goes_before(b, a);
}

/* Runs of the same upper half: a subject with many rows, a key given many times. */
static void sort_runs(struct slice *s)
{
	for (size_t i = 0; i < s->len;) {
		size_t end = i + 1;
		while (end < s->len && s->rows[end].hash >> 32 == s->rows[i].hash >> 32)
			end++;
		if (end - i > 1)
			qsort(s->rows + i, end - i, sizeof(*s->rows), hashed_compare);
		i = end;
	}
}

/* Of the rows with one key all but the first. */
static bool duplicates_store(struct release_context *c, struct batch *b, const struct slice *s, struct err *e)
{
	static const uint8_t fault[] = { 0, 0, FAULT_PRIMARY_KEY };
	for (size_t i = 1; i < s->len; i++) {
		if (s->rows[i].hash != s->rows[i - 1].hash || s->rows[i].low != s->rows[i - 1].low)
			continue;
		if (!db_run(c->db, e, "INSERT INTO batch_reject (batch, row, faults, raw) VALUES (?, ?, ?, ?)",
			    "iibb", b->id, (int64_t)s->rows[i].row, (struct bytes){ fault, sizeof(fault) },
			    (struct bytes){ NULL, 0 }))
			return false;
		b->duplicates++;
	}
	return true;
}

static void entry_store(uint8_t *p, const struct hashed *h)
{
	uint64_t tag = h->hash ^ 0x8000000000000000U;
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(tag >> 8 * i);
	for (int i = 0; i < 4; i++)
		p[8 + i] = (uint8_t)(h->row >> 8 * i);
}

static bool index_store(struct release_context *c, const struct batch *b, const struct slice *s, struct err *e)
{
	uint8_t block[INDEX_ENTRIES * ENTRY_SIZE];
	for (size_t from = 0; from < s->len; from += INDEX_ENTRIES) {
		size_t n = s->len - from < INDEX_ENTRIES ? s->len - from : INDEX_ENTRIES;
		for (size_t i = 0; i < n; i++)
			entry_store(block + i * ENTRY_SIZE, &s->rows[from + i]);
		if (!db_run(c->db, e,
			    "INSERT INTO batch_index (batch, seq, first_tag, last_tag, entries) VALUES (?, ?, ?, ?, "
			    "?)",
			    "iiiib", b->id, (int64_t)(s->index << 32 | from / INDEX_ENTRIES),
			    (int64_t)(s->rows[from].hash ^ 0x8000000000000000U),
			    (int64_t)(s->rows[from + n - 1].hash ^ 0x8000000000000000U),
			    (struct bytes){ block, n * ENTRY_SIZE }))
			return false;
	}
	return true;
}

static bool slice_run(struct release_context *c, struct batch *b, const struct schema *schema, struct err *e)
{
	struct slice s = { .of = slices_of(b), .index = (uint64_t)b->phase };
	s.keys = schema->keyed && s.index < s.of;
	if (schema->keyed && !s.keys)
		s.index -= s.of;
	bool ok = rows_each_tag(c->db, b->id, gather, &s, e);
	if (ok && s.len > 0) {
		sort(&s);
		sort_runs(&s);
		ok = s.keys ? duplicates_store(c, b, &s, e) : index_store(c, b, &s, e);
	}
	free(s.rows);
	b->phase++;
	return ok;
}

/* --- the judgement --- */

static bool unit_changed(const struct intake_scale *now, const struct intake_scale *before)
{
	if (now->n < ROWS_TO_JUDGE || before->n < ROWS_TO_JUDGE)
		return false;
	double d = (double)now->sum / (double)now->n - (double)before->sum / (double)before->n;
	d = d < 0 ? -d : d;
	return d > 11.3 && d < 15.3; /* 10,000 is 2 to the power of 13.3 */
}

static unsigned compare(const struct batch *b, const struct batch *before, const struct source *s)
{
	unsigned held = 0;
	int64_t rows = batch_rows(b), was = batch_rows(before);
	if (was >= ROWS_TO_JUDGE && rows * 100 < was * (100 - s->drop_percent))
		held |= BATCH_HOLD_DROP;
	for (size_t i = 0; b->source_version == before->source_version && i < SCHEMA_FIELDS_MAX; i++) {
		if (unit_changed(&b->intake.scale[i], &before->intake.scale[i]))
			held |= BATCH_HOLD_UNIT;
	}
	return held;
}

static bool is_stale(const struct batch *b)
{
	char day[16];
	int64_t first = 0;
	snprintf(day, sizeof(day), "%.7s-01", b->period);
	if (strlen(b->period) == 10)
		snprintf(day, sizeof(day), "%.10s", b->period);
	return b->intake.content_from <= b->intake.content_to && day_parse(bytes_of(day), &first, NULL) &&
	       b->intake.content_to < first;
}

bool batch_judge(struct release_context *c, struct batch *b, const struct source *s, int64_t now_s, struct err *e)
{
	struct batch before;
	struct err none = { 0 };
	char subject[64];
	bool there = batch_current(c, b->source, b->period, &before, &none);
	if (!there && none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	b->held = there ? compare(b, &before, s) : 0;
	b->held |= b->intake.drift_len > 0 ? BATCH_HOLD_DRIFT : 0;
	b->held |= b->intake.cut ? BATCH_HOLD_CUT : 0;
	b->held |= is_stale(b) ? BATCH_HOLD_STALE : 0;
	b->held |= (int64_t)b->intake.rejected + b->duplicates > batch_rows(b) || batch_rows(b) == 0
			   ? BATCH_HOLD_REJECTS
			   : 0;
	b->state = b->held != 0 ? BATCH_HELD : BATCH_CURRENT;
	b->finished_s = now_s;
	snprintf(subject, sizeof(subject), "%s %s", b->source, b->period);
	/* Of what waited for a person the newer one is meant; what counts gives way only to what counts. */
	return db_run(c->db, e,
		      "UPDATE batch SET state = 5, superseded_s = ? WHERE source = ? AND period = ? AND id < ?"
		      " AND state IN (3, ?)",
		      "ittii", now_s, b->source, b->period, b->id, (int64_t)b->state) &&
	       audit_add(c->db, now_s, b->created_by, b->held != 0 ? "batch.held" : "batch.current", subject, b->file,
			 e);
}

bool batch_check(struct release_context *c, int64_t id, int64_t now_s, struct err *e)
{
	struct batch b;
	struct source s;
	struct schema *schema = NULL;
	if (!batch_load(c, id, &b, e))
		return false;
	if (b.state != BATCH_CHECKING)
		return b.state > BATCH_CHECKING ||
		       err_set(e, ERR_CONFLICT, "batch %lld: bytes are missing from %llu on", (long long)id,
			       (unsigned long long)b.intake.offset);
	if (!source_load(c->db, b.source, b.source_version, &s, &schema, NULL, e))
		return false;
	bool ok = db_begin(c->db, e);
	if (ok) {
		bool judge = b.phase + 1 >= batch_phases(&b, schema);
		ok = (judge ? batch_judge(c, &b, &s, now_s, e) : slice_run(c, &b, schema, e)) &&
		     batch_save(c, &b, e) && db_commit(c->db, e);
		if (!ok)
			db_rollback(c->db);
	}
	schema_free(schema);
	return ok;
}

static const struct {
	const char *name, *zh, *en;
} holds[BATCH_HOLDS] = {
	{ "drift", "列名与目录不同，请核对 batch show 所列各列，确认后放行或退回部门",
	  "the labels are not the schema's: look at them in batch show, then release, or ask the department" },
	{ "drop", "行数比上期骤减，请向部门确认文件完整",
	  "far fewer rows than last time: ask whether the file is complete" },
	{ "unit", "有数值列与上期相差约一万倍，请核对单位（元、万元）",
	  "a column is some ten thousand times what it was: check the unit" },
	{ "stale", "内容的最新日期早于所报期间，疑为旧文件",
	  "the newest day in it is before the period: an old file, perhaps" },
	{ "cut", "文件在行中间断开，请重新传送", "the file ends in the middle of a row: send it again" },
	{ "rejects", "退回的行多于收录的行，请查看 batch rejects",
	  "more rows rejected than accepted: see batch rejects" },
};

static size_t hold_at(enum batch_hold h)
{
	size_t i = 0;
	while (i + 1 < BATCH_HOLDS && 1U << i != (unsigned)h)
		i++;
	return i;
}

const char *batch_hold_name(enum batch_hold h)
{
	return holds[hold_at(h)].name;
}

const char *batch_hold_zh(enum batch_hold h)
{
	return holds[hold_at(h)].zh;
}

const char *batch_hold_en(enum batch_hold h)
{
	return holds[hold_at(h)].en;
}
