#include "central/ledger/snapshot.h"
#include "central/ledger/verify_inner.h"

#include <stdlib.h>
#include <string.h>

#define TRIALS       64 /* rejected batches tried, each over another pair of accounts */
#define TRIALS_LEAST 8
#define TRIALS_BYTES 2000000000U

static const struct {
	const char *name, *zh, *en;
} invariants[INVARIANT_COUNT] = {
	[INVARIANT_CHAIN] = { "chain", "哈希链完整，行号连续",
			      "every batch's hash is that of its rows on the one before" },
	[INVARIANT_TIME] = { "time", "记账时间不倒退", "a batch is never known before the one before it" },
	[INVARIANT_ROWS] = { "rows", "每行格式正确", "a row is well formed and links to its accounts' rows before" },
	[INVARIANT_IDS] = { "ids", "编号只用一次", "an identifier is used once" },
	[INVARIANT_ZERO] = { "zero", "每个账本借贷合计为零", "the balances of a ledger sum to zero" },
	[INVARIANT_LIMITS] = { "limits", "有限额的账户从不越限（含预留）",
			       "no account passes its limit, net of what is pending" },
	[INVARIANT_ISSUED] = { "issued", "任一时点：发行 = 持有 + 注销",
			       "issued = held + retired as of any row and any effective day" },
	[INVARIANT_PENDING] = { "pending", "预留只了结一次", "a pending transfer ends once, in time" },
	[INVARIANT_REVERSAL] = { "reversal", "更正只经冲正，且只一次", "what is corrected is reversed, once" },
	[INVARIANT_REJECTED] = { "rejected", "被拒批次不留痕迹", "a rejected batch leaves the state byte-identical" },
	[INVARIANT_BALANCES] = { "balances", "内存余额与逐行重算一致",
				 "the daemon's way of loading gives the rows' balances" },
	[INVARIANT_SIGNED] = { "signed", "每日签名的链头与链一致", "each signed daily head is what the chain says" },
};

const char *ledger_invariant_name(enum ledger_invariant i)
{
	return invariants[i].name;
}

const char *ledger_invariant_zh(enum ledger_invariant i)
{
	return invariants[i].zh;
}

const char *ledger_invariant_en(enum ledger_invariant i)
{
	return invariants[i].en;
}

bool ledger_verdict_is_clean(const struct ledger_verdict *v)
{
	for (size_t i = 0; i < INVARIANT_COUNT; i++)
		if (v->broken[i] > 0)
			return false;
	return true;
}

/* --- accounts --- */

static uint32_t ledger_index(struct walk *w, uint32_t number)
{
	for (size_t i = w->ledgers_len; i-- > 0;)
		if (w->ledgers[i].number == number)
			return (uint32_t)i;
	w->ledgers = realloc(w->ledgers, (w->ledgers_len + 1) * sizeof(*w->ledgers));
	if (w->ledgers == NULL)
		abort();
	memset(&w->ledgers[w->ledgers_len], 0, sizeof(*w->ledgers));
	w->ledgers[w->ledgers_len].number = number;
	return (uint32_t)w->ledgers_len++;
}

/* The next n accounts, behind number at; false only when the file cannot be read. */
static bool accounts_take(struct walk *w, struct db_query *q, uint32_t at, uint32_t n, struct sha256_stream *s,
			  struct err *e)
{
	struct ledger_account a;
	uint8_t bytes[ACCOUNT_LEN_MAX];
	bool row = false;
	for (uint32_t i = 1; i <= n; i++) {
		if (!db_next(q, &row, e))
			return false;
		if (!row || at + i > w->v->accounts)
			return true; /* the hash will not be that of the batch */
		if (!ledger_account_read(q, &a, e))
			return false;
		size_t len = ledger_account_encode(&a, bytes);
		sha256_add(s, (struct bytes){ bytes, len });
		bool fine = a.class >= ACCOUNT_ISSUE && a.class <= ACCOUNT_RETIRE;
		walk_look(w, INVARIANT_ROWS, fine, "account number %u is malformed", at + i);
		w->accounts[at + i] = (struct seen_account){ .ledger = ledger_index(w, a.ledger),
							     .class = fine ? a.class : ACCOUNT_HOLD,
							     .flags = a.flags };
	}
	return true;
}

static bool rows_take(struct walk *w, struct db_query *q, const struct ledger_batch *b, struct sha256_stream *s,
		      struct err *e)
{
	struct ledger_row r;
	uint8_t bytes[ROW_LEN];
	bool row = false;
	for (uint32_t i = 0; i < b->rows; i++) {
		if (!db_next(q, &row, e))
			return false;
		if (!row)
			return true;
		if (!ledger_row_read(q, &r, e))
			return false;
		ledger_row_encode(&r, bytes);
		sha256_add(s, (struct bytes){ bytes, sizeof(bytes) });
		if (!walk_look(w, INVARIANT_ROWS, r.seq == b->first + i && r.seq <= w->v->rows,
			       "row %u is not where its number says", r.seq))
			continue;
		if (!walk_row(w, &r, b->time_s, e))
			return false;
	}
	return true;
}

/* --- batches --- */

struct streams {
	struct db_query *batches, *accounts, *rows;
	uint64_t next_account, next_row; /* numbers expected */
};

static bool batch_take(struct walk *w, struct streams *from, struct err *e)
{
	struct ledger_batch b;
	struct sha256_stream s;
	struct ledger_head *head = &w->v->head;
	uint8_t stored[HASH_LEN], computed[HASH_LEN];
	if (!ledger_batch_read(from->batches, &b, stored, e))
		return false;
	bool of_accounts = b.kind == BATCH_ACCOUNTS;
	uint64_t *next = of_accounts ? &from->next_account : &from->next_row;
	bool in_place = b.no == head->batches + 1 && b.first == *next && b.rows > 0;
	walk_look(w, INVARIANT_TIME, head->batches == 0 || b.time_s >= head->time_s,
		  "batch %llu is known before batch %llu", (unsigned long long)b.no,
		  (unsigned long long)head->batches);
	ledger_chain_start(&s, head->hash, &b);
	if (!(of_accounts ? accounts_take(w, from->accounts, (uint32_t)b.first - 1, b.rows, &s, e)
			  : rows_take(w, from->rows, &b, &s, e)))
		return false;
	sha256_finish(&s, computed);
	walk_look(w, INVARIANT_CHAIN, in_place && memcmp(stored, computed, HASH_LEN) == 0,
		  "batch %llu is not what was recorded", (unsigned long long)b.no);
	*next = b.first + b.rows;
	*head = (struct ledger_head){ .batches = b.no, .time_s = b.time_s };
	memcpy(head->hash, stored, HASH_LEN);
	heads_look(w, from->next_account - 1, from->next_row - 1);
	return true;
}

static bool walk_all(struct walk *w, struct err *e)
{
	struct streams from = { .next_account = 1, .next_row = 1 };
	bool row = false;
	from.batches = db_query(w->db, LEDGER_SELECT_BATCHES "ORDER BY no", e);
	from.accounts = from.batches != NULL ? db_query(w->db, LEDGER_SELECT_ACCOUNTS "ORDER BY no", e) : NULL;
	from.rows = from.accounts != NULL ? db_query(w->db, LEDGER_SELECT_ROWS "ORDER BY seq", e) : NULL;
	bool ok = from.rows != NULL;
	while (ok && (ok = db_next(from.batches, &row, e)) && row)
		ok = batch_take(w, &from, e);
	if (ok)
		walk_look(w, INVARIANT_CHAIN,
			  from.next_account == (uint64_t)w->v->accounts + 1 &&
				  from.next_row == (uint64_t)w->v->rows + 1,
			  "there are accounts or rows that no batch has recorded");
	db_finish(from.rows);
	db_finish(from.accounts);
	db_finish(from.batches);
	return ok;
}

/* --- against the core --- */

/* digest: of the state before, and after. */
static bool rejected_one(struct walk *w, struct ledger_core *c, uint32_t debit, uint8_t digest[HASH_LEN],
			 struct err *e)
{
	const uint32_t credit = debit + 1;
	const struct core_account d = core_account_at(c, debit), k = core_account_at(c, credit);
	uint8_t after[HASH_LEN];
	enum ledger_status status[2];
	struct ledger_transfer t[2] = {
		{ .id = { 1, debit }, .debit = d.id, .credit = k.id, .amount = 1, .kind = TRANSFER_SINGLE },
		{ .id = { 2, debit }, .debit = d.id, .credit = k.id, .amount = 0, .kind = TRANSFER_SINGLE },
	};
	t[0].ledger = t[1].ledger = d.ledger;
	t[0].flags = TRANSFER_LINKED;
	bool ok = core_transfers(c, INT64_MIN, t, 2, status, e);
	core_rollback(c);
	core_digest(c, after);
	if (ok)
		walk_look(w, INVARIANT_REJECTED, memcmp(digest, after, HASH_LEN) == 0,
			  "a rejected batch over accounts %u and %u changed the state", debit, credit);
	memcpy(digest, after, HASH_LEN);
	return ok;
}

/* Each costs a hash of the whole state, so of a large one fewer are tried. */
static bool rejected_look(struct walk *w, struct ledger_core *c, struct err *e)
{
	uint64_t state = (uint64_t)core_accounts_len(c) * 64 + core_rows_len(c), most = TRIALS_BYTES / (state + 1);
	uint32_t trials = most < TRIALS_LEAST ? TRIALS_LEAST : most > TRIALS ? TRIALS : (uint32_t)most;
	uint32_t n = core_accounts_len(c), step = n / trials + 1;
	uint8_t digest[HASH_LEN];
	bool ok = true;
	core_digest(c, digest);
	for (uint32_t i = 1; ok && i < n; i += step)
		ok = rejected_one(w, c, i, digest, e);
	return ok;
}

/* The state that comes of the snapshot and what is behind it, against that of every row. */
static void snapshot_look(struct walk *w, const uint8_t digest[HASH_LEN], uint64_t ids)
{
	const struct core_source source = { ledger_source_row, ledger_source_named, w->db };
	struct ledger_core *c = core_new(&source);
	struct ledger_head head;
	char path[SNAPSHOT_PATH_MAX];
	uint8_t other[HASH_LEN];
	snapshot_path(w->path, path);
	/* One that is not used harms nobody. */
	if (snapshot_read(path, w->db, c, &head, NULL) && ledger_load_rest(w->db, c, &head, NULL)) {
		core_digest(c, other);
		walk_look(w, INVARIANT_BALANCES, memcmp(digest, other, HASH_LEN) == 0 && core_ids_sum(c) == ids,
			  "the snapshot gives another state than the rows: remove ledger.db.snapshot and restart");
	}
	core_free(c);
}

static bool core_look(struct walk *w, struct err *e)
{
	const struct core_source source = { ledger_source_row, ledger_source_named, w->db };
	struct ledger_core *c = core_new(&source);
	struct ledger_head head;
	struct err why = { 0 };
	uint8_t digest[HASH_LEN];
	uint64_t ids = 0;
	bool ok = true, loaded = false;
	if (!ledger_load(w->db, c, &head, &why)) {
		walk_look(w, INVARIANT_BALANCES, false, "the daemon would not open it: %.100s", why.text);
	} else {
		for (uint32_t i = 1; i <= core_accounts_len(c); i++) {
			struct core_account a = core_account_at(c, i);
			walk_look(w, INVARIANT_BALANCES,
				  i <= w->v->accounts && a.last == w->accounts[i].last &&
					  memcmp(&a.sums, &w->accounts[i].sums, sizeof(a.sums)) == 0,
				  "account number %u has another balance in memory", i);
		}
		ok = rejected_look(w, c, e);
		core_digest(c, digest);
		ids = core_ids_sum(c);
		loaded = true;
	}
	core_free(c);
	if (loaded)
		snapshot_look(w, digest, ids);
	return ok;
}

static void *zeros(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (p == NULL)
		abort();
	return p;
}

bool ledger_verify(struct ledger_reader *r, struct ledger_verdict *v, struct err *e)
{
	return ledger_verify_signed(r, NULL, v, e);
}

bool ledger_verify_signed(struct ledger_reader *r, struct ledger_signed *s, struct ledger_verdict *v, struct err *e)
{
	struct walk w = { .v = v, .db = ledger_reader_db(r), .path = ledger_reader_path(r) };
	memset(v, 0, sizeof(*v));
	if (!ledger_reader_count(r, &v->accounts, &v->rows, e))
		return false;
	w.accounts = zeros((size_t)v->accounts + 1, sizeof(*w.accounts));
	w.ended = zeros((size_t)v->rows + 1, 1);
	w.due = zeros((size_t)v->rows + 1, sizeof(*w.due));
	w.ids = zeros((size_t)v->rows + 1, sizeof(*w.ids));
	heads_start(&w, s);
	bool ok = walk_all(&w, e);
	if (ok) {
		heads_end(&w);
		walk_end(&w);
		ok = core_look(&w, e);
	}
	free(w.accounts);
	free(w.ledgers);
	free(w.days);
	free(w.ended);
	free(w.due);
	free(w.ids);
	return ok;
}
