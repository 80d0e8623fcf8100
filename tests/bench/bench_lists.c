/*
 * A list of ten million entries (XINBIAN_BENCH_N) as branchd searches it, beside the same tags and values in LMDB and in an
 * SQLite table. Every round asks all of them the same keys in the same random order, one after the other; what is reported
 * is the median of the rounds. Eight deltas are then applied, durably, to a branch's lists (firmware/lists.h, the code that runs
 * there) and to LMDB by turns, and searched again.
 */
#include "firmware/lists.h"
#include "firmware/state.h"
#include "protocol/base/file.h"
#include "protocol/delta.h"
#include "protocol/layers.h"
#include "protocol/segment_write.h"
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <ftw.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS  5
#define DELTAS  8
#define CHANGES 25000 /* additions, and as many removals, in a delta */

struct store { /* who is asked */
	struct layers layers;
	struct filter filter;
	struct filter changed;
	MDB_env *env;
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_dbi dbi;
	sqlite3 *db;
	sqlite3_stmt *get;
};

static char dir[64];
static size_t n;
static struct entry *entries; /* ascending */

static const char *path_of(const char *file)
{
	static char path[2][128];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, file);
	return path[turn];
}

static double file_size(const char *file)
{
	struct stat st;
	bench_must(stat(path_of(file), &st) == 0, "stat");
	return (double)st.st_size;
}

/* Making the three */

static void entries_make(void)
{
	uint64_t tags = 0, values = 1;
	size_t size = (n * sizeof(*entries) + 4095) & ~(size_t)4095;
	entries = aligned_alloc(4096, size);
	bench_must(entries != NULL, "memory");
	/* A branch has none of this, so its children need not copy it either. */
	madvise(entries, size, MADV_DONTFORK);
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry){ bench_random(&tags), (uint32_t)bench_random(&values) & ENTRY_VALUE_MAX };
	entry_sort(entries, n);
}

static uint8_t *map_new(const char *file, size_t size)
{
	int fd = open(path_of(file), O_RDWR | O_CREAT | O_TRUNC, 0600);
	bench_must(fd >= 0 && posix_fallocate(fd, 0, (off_t)size) == 0, "create file");
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	bench_must(p != MAP_FAILED, "mmap");
	close(fd);
	return p;
}

static struct segment map_segment(const char *file)
{
	struct segment s;
	size_t size = (size_t)file_size(file);
	int fd = open(path_of(file), O_RDONLY);
	uint8_t *p = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	bench_must(fd >= 0 && p != MAP_FAILED, "map segment");
	close(fd);
	bench_must(segment_open((struct bytes){ p, size }, &s, NULL), "open segment");
	return s;
}

static void segment_make(const char *file, const struct entry *from, size_t len, uint64_t version)
{
	struct segment_writer w;
	struct segment_head head = { .name = "bench", .version = version, .entries = (uint32_t)len };
	size_t size = segment_layout(head.entries, false).size;
	uint8_t *memory = map_new(file, size);
	bench_must(segment_writer_init(&w, &head, memory, NULL), "writer");
	for (size_t i = 0; i < len; i++)
		bench_must(segment_writer_add(&w, from[i], NULL), "write");
	bench_must(segment_writer_finish(&w, NULL), "finish");
	munmap(memory, size);
}

static void lmdb_open(struct store *s, unsigned flags)
{
	bench_must(mdb_env_create(&s->env) == 0 && mdb_env_set_mapsize(s->env, (size_t)16 << 30) == 0 &&
			   mdb_env_open(s->env, path_of("lmdb"), MDB_NOSUBDIR | MDB_NORDAHEAD | flags, 0600) == 0,
		   "lmdb open");
	MDB_txn *txn;
	bench_must(mdb_txn_begin(s->env, NULL, 0, &txn) == 0 &&
			   mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &s->dbi) == 0 &&
			   mdb_txn_commit(txn) == 0,
		   "lmdb database");
}

static int lmdb_put(const struct store *s, MDB_txn *txn, struct entry entry, unsigned flags)
{
	MDB_val key = { sizeof(entry.tag), &entry.tag }, value = { sizeof(entry.value), &entry.value };
	return mdb_put(txn, s->dbi, &key, &value, flags);
}

static void lmdb_make(struct store *s)
{
	MDB_txn *txn;
	lmdb_open(s, MDB_NOSYNC);
	bench_must(mdb_txn_begin(s->env, NULL, 0, &txn) == 0, "lmdb begin");
	for (size_t i = 0; i < n; i++)
		bench_must(lmdb_put(s, txn, entries[i], MDB_APPEND) == 0, "lmdb put");
	bench_must(mdb_txn_commit(txn) == 0 && mdb_env_sync(s->env, 1) == 0, "lmdb commit");
	mdb_env_close(s->env);
	lmdb_open(s, 0);
}

static void lmdb_read(struct store *s)
{
	bench_must(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->txn) == 0 &&
			   mdb_cursor_open(s->txn, s->dbi, &s->cursor) == 0,
		   "lmdb read");
	MDB_val key, value;
	while (mdb_cursor_get(s->cursor, &key, &value, MDB_NEXT) == 0) /* warm every page */
		;
}

static void lmdb_read_end(struct store *s)
{
	mdb_cursor_close(s->cursor);
	mdb_txn_abort(s->txn);
}

static void sql(sqlite3 *db, const char *text)
{
	bench_must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static void sqlite_make(struct store *s, const char *file, int page_size)
{
	char text[128];
	sqlite3_stmt *put;
	bench_must(sqlite3_open(path_of(file), &s->db) == SQLITE_OK, "sqlite open");
	snprintf(text, sizeof(text), "PRAGMA page_size=%d", page_size);
	sql(s->db, text);
	sql(s->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA mmap_size=8589934592;"
		   "PRAGMA cache_size=-65536; PRAGMA locking_mode=EXCLUSIVE;"
		   "CREATE TABLE list (tag INTEGER PRIMARY KEY, value INTEGER NOT NULL); BEGIN");
	bench_must(sqlite3_prepare_v2(s->db, "INSERT INTO list VALUES (?, ?)", -1, &put, NULL) == SQLITE_OK,
		   "insert");
	for (size_t i = 0; i < n; i++) { /* ascending as signed numbers, so that pages fill up */
		struct entry entry = entries[i];
		sqlite3_bind_int64(put, 1, (sqlite3_int64)(entry.tag ^ UINT64_C(1) << 63));
		sqlite3_bind_int(put, 2, (int)entry.value);
		bench_must(sqlite3_step(put) == SQLITE_DONE && sqlite3_reset(put) == SQLITE_OK, "insert row");
	}
	sqlite3_finalize(put);
	sql(s->db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);"
		   "PRAGMA synchronous=FULL; BEGIN; SELECT sum(value) FROM list");
	bench_must(sqlite3_prepare_v3(s->db, "SELECT value FROM list WHERE tag = ?", -1, SQLITE_PREPARE_PERSISTENT,
				      &s->get, NULL) == SQLITE_OK,
		   "select");
}

static void sqlite_close(struct store *s)
{
	sqlite3_finalize(s->get);
	sql(s->db, "COMMIT");
	bench_must(sqlite3_close(s->db) == SQLITE_OK, "sqlite close");
}

/* Asking. Each returns the number found plus the sum of their values, so that all answers can be compared. */

typedef uint64_t ask(const struct store *s, const uint64_t *tags, size_t len);

static uint64_t ask_layers(const struct store *s, const uint64_t *tags, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		uint32_t value = 0;
		bool found = layers_find(&s->layers, tags[i], &value);
		sum += found ? value + 1 : 0;
	}
	return sum;
}

static uint64_t ask_lmdb_cursor(const struct store *s, const uint64_t *tags, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		uint64_t tag = tags[i];
		uint32_t got = 0;
		MDB_val key = { sizeof(tag), &tag }, value;
		if (mdb_cursor_get(s->cursor, &key, &value, MDB_SET) == 0) {
			memcpy(&got, value.mv_data, sizeof(got));
			sum += got + UINT64_C(1);
		}
	}
	return sum;
}

static uint64_t ask_lmdb_get(const struct store *s, const uint64_t *tags, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		uint64_t tag = tags[i];
		uint32_t got = 0;
		MDB_val key = { sizeof(tag), &tag }, value;
		if (mdb_get(s->txn, s->dbi, &key, &value) == 0) {
			memcpy(&got, value.mv_data, sizeof(got));
			sum += got + UINT64_C(1);
		}
	}
	return sum;
}

static uint64_t ask_sqlite(const struct store *s, const uint64_t *tags, size_t len)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		sqlite3_bind_int64(s->get, 1, (sqlite3_int64)(tags[i] ^ UINT64_C(1) << 63));
		if (sqlite3_step(s->get) == SQLITE_ROW)
			sum += (uint64_t)sqlite3_column_int64(s->get, 0) + 1;
		sqlite3_reset(s->get);
	}
	return sum;
}

static ask *ask_lmdb = ask_lmdb_cursor;

/* Nanoseconds a search on one half of the tags, after a pass over the other half: who was asked before has used the caches. */
static double time_ask(ask *who, const struct store *s, const uint64_t *tags, size_t len, uint64_t *sum)
{
	who(s, tags, len / 2);
	double start = bench_now_s();
	*sum = who(s, tags + len / 2, len / 2);
	return (bench_now_s() - start) / (double)(len / 2) * 1e9;
}

static void tags_choose(uint64_t *tags, size_t len, bool hits, const struct entry *from, size_t from_len,
			uint64_t seed)
{
	uint64_t absent = (seed + 1000) << 40; /* numbers that no entry was made of */
	for (size_t i = 0; i < len; i++)
		tags[i] = hits ? from[bench_random(&seed) % from_len].tag : bench_random(&absent);
}

/* Times all on the same keys, round by round, and prints a row for each peer. */
static void compare(const char *name, const struct store *s, bool hits, const struct entry *from, size_t from_len,
		    bool with_sqlite)
{
	size_t len = bench_env("XINBIAN_BENCH_LOOKUPS", 2000000);
	uint64_t *tags = malloc(len * sizeof(*tags)), sums[3] = { 0 };
	double us[ROUNDS], lmdb[ROUNDS], sqlite[ROUNDS];
	char row[64];
	bench_must(tags != NULL, "memory");
	for (size_t i = 0; i < ROUNDS; i++) {
		tags_choose(tags, len, hits, from, from_len, 77 + i);
		us[i] = time_ask(ask_layers, s, tags, len, &sums[0]);
		lmdb[i] = time_ask(ask_lmdb, s, tags, len, &sums[1]);
		sums[2] = sums[1];
		if (with_sqlite)
			sqlite[i] = time_ask(ask_sqlite, s, tags, len, &sums[2]);
		bench_must(sums[0] == sums[1] && sums[0] == sums[2] && (sums[0] > 0) == hits, "all answers agree");
	}
	free(tags);
	double ours = bench_median(us, ROUNDS);
	bench_row(name, ours, "ns", "LMDB", bench_median(lmdb, ROUNDS), true);
	snprintf(row, sizeof(row), "%s.sqlite", name);
	if (with_sqlite)
		bench_row(row, ours, "ns", "SQLite", bench_median(sqlite, ROUNDS), true);
}

static void lmdb_tune(const struct store *s)
{
	uint64_t tags[100000], sum;
	tags_choose(tags, 100000, true, entries, n, 5);
	double get = time_ask(ask_lmdb_get, s, tags, 100000, &sum);
	double cursor = time_ask(ask_lmdb_cursor, s, tags, 100000, &sum);
	ask_lmdb = get < cursor ? ask_lmdb_get : ask_lmdb_cursor;
	printf("LMDB asked by %s (mdb_get %.0f ns, cursor %.0f ns)\n", get < cursor ? "mdb_get" : "cursor", get,
	       cursor);
}

/* The page size with which SQLite answers fastest. */
static void sqlite_tune(struct store *s)
{
	static const int page_sizes[] = { 4096, 8192, 16384 };
	uint64_t tags[100000], sum;
	double best = 0;
	int chosen = 0;
	tags_choose(tags, 100000, true, entries, n, 6);
	for (size_t i = 0; i < sizeof(page_sizes) / sizeof(page_sizes[0]); i++) {
		char file[32];
		snprintf(file, sizeof(file), "sqlite%d", page_sizes[i]);
		sqlite_make(s, file, page_sizes[i]);
		double t = time_ask(ask_sqlite, s, tags, 100000, &sum);
		printf("SQLite with pages of %d bytes: %.0f ns, %.2f bytes an entry\n", page_sizes[i], t,
		       file_size(file) / (double)n);
		sqlite_close(s);
		unlink(path_of(file));
		if (chosen == 0 || t < best)
			best = t, chosen = page_sizes[i];
	}
	sqlite_make(s, "sqlite", chosen);
}

/* Deltas */

struct change {
	struct buf delta;
	struct fingerprint result;
};

/* The changes of one release, and entries with them made. The new tags come from a counter of their own. */
static void release_make(struct change *c, uint64_t release, struct fingerprint *f)
{
	static uint64_t seed = 4242, fresh = UINT64_C(7) << 50;
	struct entry *changes = malloc(2 * CHANGES * sizeof(*changes));
	struct segment_head head = {
		.name = "bench", .delta = true, .version = release + 1, .from = release, .entries = 2 * CHANGES
	};
	bench_must(changes != NULL, "memory");
	for (size_t i = 0; i < CHANGES; i++) {
		size_t at = bench_random(&seed) % n;
		while (entries[at].value & ENTRY_REMOVED)
			at = (at + 1) % n;
		entries[at].value |= ENTRY_REMOVED;
		changes[2 * i] = entries[at];
		changes[2 * i + 1] = (struct entry){ bench_random(&fresh), (uint32_t)i };
		fingerprint_remove(f, entries[at].tag, entries[at].value & ENTRY_VALUE_MAX);
		fingerprint_add(f, changes[2 * i + 1].tag, (uint32_t)i);
	}
	for (size_t i = 0, fill = 1; i < n; i++) /* each removed entry makes room for a new one */
		if (entries[i].value & ENTRY_REMOVED)
			entries[i] = changes[fill], fill += 2;
	entry_sort(entries, n);
	entry_sort(changes, 2 * CHANGES);
	buf_init(&c->delta, OBJECT_MAX);
	bench_must(segment_build(&head, changes, &c->delta, NULL), "build delta");
	c->result = *f;
	free(changes);
}

/* A branch that holds the list. */
struct branch {
	struct loop *loop;
	struct db *db;
	struct lists *lists;
	struct head_entry
		entry; /* of a head that is further on than all the deltas, so that no snapshot is compared here */
	bool done;
	struct err e;
};

static void step_done(void *arg, const struct err *e)
{
	struct branch *b = arg;
	b->done = true;
	b->e = *e;
}

/* Until the version is in force, and what a child did for it is over. */
static void branch_apply(struct branch *b, const struct index_edge *edge, const char *file)
{
	const struct lists_step step = { &b->entry, edge, 1, file, step_done, b };
	b->done = false;
	lists_apply(b->lists, &step);
	while (!b->done)
		loop_once(b->loop, 1000);
	bench_must(b->e.code == ERR_NONE, b->e.text);
}

static void branch_open(struct branch *b, const struct store *s, const struct fingerprint *f)
{
	char file[128];
	struct bytes base = s->layers.base.bytes;
	snprintf(file, sizeof(file), "%s", path_of("fetched"));
	b->loop = loop_new();
	b->db = state_open(path_of("branch"), NULL);
	bench_must(b->db != NULL, "branch.db");
	static const uint8_t secret[32];
	static struct vault vault;
	bench_must(vault_open(&vault, path_of("branch"), &random_system, NULL), "vault");
	b->lists = lists_open(b->db, &vault, path_of("branch"), b->loop, NULL);
	bench_must(b->lists != NULL && lists_add_epoch(b->lists, 0, 1, secret, NULL) &&
			   file_write(file, base, 0600, NULL),
		   "lists");
	b->entry = (struct head_entry){
		.name = "bench", .kind = HEAD_LIST, .version = 1, .count = n, .forced_version = 1
	};
	b->entry.canary_hit = entries[0].tag;
	b->entry.canary_miss = entries[0].tag + 1;
	object_refer(base, &b->entry.object, NULL);
	fingerprint_encode(f, b->entry.fingerprint);
	branch_apply(b, NULL, file);
	b->entry.version = 1000;
}

static void branch_close(struct branch *b)
{
	lists_close(b->lists);
	db_close(b->db);
	loop_free(b->loop);
}

/* Returns milliseconds: from a file that is there to a version that is in force and survives a power cut. */
static double delta_apply(struct branch *b, const struct change *c, size_t i)
{
	struct index_edge edge = { .from = i + 1, .to = i + 2, .count_to = n };
	char file[128];
	snprintf(file, sizeof(file), "%s", path_of("fetched"));
	object_refer(buf_bytes(&c->delta), &edge.object, NULL);
	fingerprint_encode(&c->result, edge.fingerprint_to);
	bench_must(file_write(file, buf_bytes(&c->delta), 0600, NULL), "fetched");
	double start = bench_now_s();
	branch_apply(b, &edge, file);
	return (bench_now_s() - start) * 1e3;
}

/* The same delta for what is searched here afterwards. Returns the milliseconds of the checks alone. */
static double delta_push(struct store *s, const struct change *c, size_t i)
{
	struct segment delta;
	char name[32];
	double start = bench_now_s();
	bench_must(segment_open(buf_bytes(&c->delta), &delta, NULL) && segment_check(&delta, NULL) &&
			   layers_check_delta(&s->layers, &delta, NULL),
		   "delta is right");
	double checks_ms = (bench_now_s() - start) * 1e3;
	snprintf(name, sizeof(name), "delta%zu", i);
	bench_must(file_write(path_of(name), buf_bytes(&c->delta), 0600, NULL), "delta file");
	delta = map_segment(name);
	bench_must(filter_add_segment(&s->filter, &delta, NULL) && filter_add_changes(&s->changed, &delta, NULL) &&
			   layers_push(&s->layers, &delta, NULL),
		   "push");
	return checks_ms;
}

static void delta_apply_lmdb(const struct store *s, const struct change *c)
{
	struct segment delta;
	struct segment_cursor at;
	struct entry entry;
	MDB_txn *txn;
	bench_must(segment_open(buf_bytes(&c->delta), &delta, NULL), "delta");
	segment_cursor_init(&at, &delta);
	bench_must(mdb_txn_begin(s->env, NULL, 0, &txn) == 0, "lmdb begin");
	while (segment_cursor_next(&at, &entry)) {
		MDB_val key = { sizeof(entry.tag), &entry.tag };
		if (entry_is_removal(entry))
			bench_must(mdb_del(txn, s->dbi, &key, NULL) == 0, "lmdb del");
		else
			bench_must(lmdb_put(s, txn, entry, 0) == 0, "lmdb put");
	}
	bench_must(mdb_txn_commit(txn) == 0, "lmdb commit");
}

static void deltas_apply(struct store *s)
{
	static struct change changes[DELTAS];
	double ms[DELTAS], checks[DELTAS], lmdb[DELTAS];
	struct fingerprint f = { { 0, 0 } };
	struct branch b = { 0 };
	fingerprint_apply(&f, &s->layers.base);
	branch_open(&b, s, &f);
	for (size_t i = 0; i < DELTAS; i++)
		release_make(&changes[i], i + 1, &f);
	for (size_t i = 0; i < DELTAS; i++) {
		ms[i] = delta_apply(&b, &changes[i], i);
		double start = bench_now_s();
		delta_apply_lmdb(s, &changes[i]);
		lmdb[i] = (bench_now_s() - start) * 1e3;
		checks[i] = delta_push(s, &changes[i], i);
	}
	bench_row("list.delta_bytes", (double)changes[0].delta.len, "B", NULL, 0, true);
	bench_row("list.delta_apply", bench_median(ms, DELTAS), "ms", "LMDB", bench_median(lmdb, DELTAS), true);
	bench_row("list.delta_checks", bench_median(checks, DELTAS), "ms", NULL, 0, true);
	for (size_t i = 0; i < DELTAS; i++)
		buf_clear(&changes[i].delta);
	branch_close(&b);
}

static void merge_time(struct store *s)
{
	struct layers_merge m;
	struct segment_writer w;
	struct entry got[1024];
	size_t len;
	struct segment_head head = s->layers.base.head;
	double start = bench_now_s();
	head.entries = (uint32_t)layers_count(&s->layers);
	head.version = layers_version(&s->layers);
	size_t size = segment_layout(head.entries, false).size;
	uint8_t *memory = map_new("merged", size);
	bench_must(segment_writer_init(&w, &head, memory, NULL), "writer");
	layers_merge_init(&m, &s->layers);
	while (layers_merge_next(&m, got, 1024, &len))
		for (size_t i = 0; i < len; i++)
			bench_must(segment_writer_add(&w, got[i], NULL), "write");
	bench_must(segment_writer_finish(&w, NULL) && msync(memory, size, MS_SYNC) == 0, "finish");
	bench_row("list.merge_s", bench_now_s() - start, "s", NULL, 0, true);
	segment_make("direct", entries, n, head.version);
	struct segment direct = map_segment("direct");
	bench_must(direct.bytes.len == size && memcmp(direct.bytes.data, memory, size) == 0, "merge is canonical");
	start = bench_now_s();
	bench_must(segment_check(&direct, NULL), "check");
	bench_row("list.check_s", bench_now_s() - start, "s", NULL, 0, true);
	munmap(memory, size);
}

static struct filter filter_new(uint64_t capacity)
{
	struct filter f;
	size_t size = (filter_size(capacity) + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1);
	void *memory = aligned_alloc(2 << 20, size);
	bench_must(memory != NULL, "memory");
	madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 0, size);
	filter_init(&f, memory, capacity);
	return f;
}

/* With room for what the deltas add. */
static void filter_make(struct store *s)
{
	uint64_t capacity = n + DELTAS * CHANGES;
	s->filter = filter_new(capacity);
	s->changed = filter_new(2 * DELTAS * CHANGES);
	double start = bench_now_s();
	bench_must(filter_add_segment(&s->filter, &s->layers.base, NULL), "fill");
	bench_row("list.filter_build_s", bench_now_s() - start, "s", NULL, 0, true);
	bench_row("list.filter_bytes_per_entry", (double)filter_size(capacity) / (double)capacity, "B", NULL, 0,
		  true);
	s->layers.filter = &s->filter;
	s->layers.changed = &s->changed;
}

static void sizes_report(MDB_env *env)
{
	double ours = file_size("segment") / (double)n;
	MDB_envinfo info;
	MDB_stat stat;
	bench_must(mdb_env_info(env, &info) == 0 && mdb_env_stat(env, &stat) == 0, "lmdb info");
	double lmdb = ((double)info.me_last_pgno + 1) * stat.ms_psize; /* the file itself is sparse */
	bench_row("list.bytes_per_entry", ours, "B", "LMDB", lmdb / (double)n, true);
	bench_row("list.bytes_per_entry.sqlite", ours, "B", "SQLite", file_size("sqlite") / (double)n, true);
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void files_remove(void)
{
	nftw(dir, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	static struct store s;
	n = bench_env("XINBIAN_BENCH_N", 10000000);
	snprintf(dir, sizeof(dir), "build/bench-lists-XXXXXX");
	bench_must(n >= 1000000 / 2 && mkdtemp(dir) != NULL, "at least 500,000 entries, and build/");
	printf("%zu entries; %s, SQLite %s\n", n, mdb_version(NULL, NULL, NULL), sqlite3_libversion());
	entries_make();
	segment_make("segment", entries, n, 1);
	struct segment base = map_segment("segment");
	bench_must(layers_init(&s.layers, &base, NULL), "layers");
	lmdb_make(&s);
	sqlite_tune(&s);
	lmdb_read(&s);
	lmdb_tune(&s);
	printf("%-28s %14s %-8s %-24s %14s %10s\n", "name", "value", "unit", "peer", "peer value", "ratio");
	sizes_report(s.env);
	filter_make(&s);
	compare("list.miss", &s, false, entries, n, true);
	compare("list.hit", &s, true, entries, n, true);
	sqlite_close(&s);
	lmdb_read_end(&s);
	deltas_apply(&s);
	lmdb_read(&s);
	compare("list.miss.layers8", &s, false, entries, n, false);
	compare("list.hit.layers8", &s, true, entries, n, false);
	lmdb_read_end(&s);
	merge_time(&s);
	mdb_env_close(s.env);
	free(entries);
	files_remove();
	return 0;
}
