/*
 * Scores a second: XINBIAN_BENCH_SUBJECTS (100,000) made-up enterprises with twelve indicators each, some missing, scored by a card of
 * twelve characteristics with knock-outs, points, the reason codes of each and the state of every input (fast_run), beside
 * SQLite adding up the same points in one SELECT of CASE expressions over a table in memory, without reasons, states or
 * knock-outs. Both sums are compared before anything is timed; these two
 * are measured in processor time. score.plain is the interpreter; score.durable is scores_run
 * as central does it: read from CSV, inputs sealed, rows with reasons committed to disk in transactions of SCORES_RUN_MAX subjects.
 */
#include "central/score/fast.h"
#include "central/score/pmml.h"
#include "central/score/scores.h"
#include "central/store/store.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <sqlite3.h>
#include <unistd.h>

#define ROUNDS     9
#define INDICATORS 12
#define CATEGORIES 4 /* the last so many are text */
#define BINS       5
#define NOW_S      1780286400 /* 2026-06-01 */

static const char *const words[BINS] = { "excellent", "good", "fair", "poor", "bad" };
static const double cuts[BINS - 1] = { 20, 40, 60, 80 };
static size_t n;
static struct value *table;
static struct card *card;
static struct fast *fast;
static struct score score;

static int points_of(size_t indicator, size_t bin)
{
	return (int)((indicator * 7 + bin * 13) % 50) - 10;
}

static bool is_text(size_t indicator)
{
	return indicator >= INDICATORS - CATEGORIES;
}

/* --- the card --- */

static void attribute_put(struct buf *b, size_t i, size_t bin)
{
	buf_add_fmt(b, "<Attribute partialScore='%d'>", points_of(i, bin));
	if (is_text(i))
		buf_add_fmt(b, "<SimplePredicate field='i%zu' operator='equal' value='%s'/>", i, words[bin]);
	else if (bin == 0)
		buf_add_fmt(b, "<SimplePredicate field='i%zu' operator='lessThan' value='%g'/>", i, cuts[0]);
	else if (bin == BINS - 1)
		buf_add_fmt(b, "<SimplePredicate field='i%zu' operator='greaterOrEqual' value='%g'/>", i,
			    cuts[BINS - 2]);
	else
		buf_add_fmt(b,
			    "<CompoundPredicate booleanOperator='and'><SimplePredicate field='i%zu' "
			    "operator='greaterOrEqual' "
			    "value='%g'/><SimplePredicate field='i%zu' operator='lessThan' "
			    "value='%g'/></CompoundPredicate>",
			    i, cuts[bin - 1], i, cuts[bin]);
	buf_add_str(b, "</Attribute>");
}

static void document_put(struct buf *b)
{
	buf_add_str(b, "<PMML xmlns='http://www.dmg.org/PMML-4_4' version='4.4'><Header/><DataDictionary>");
	for (size_t i = 0; i < INDICATORS; i++)
		buf_add_fmt(b, "<DataField name='i%zu' optype='%s' dataType='%s'/>", i,
			    is_text(i) ? "categorical" : "continuous", is_text(i) ? "string" : "double");
	buf_add_str(b, "</DataDictionary><Scorecard functionName='regression' initialScore='300'>"
		       "<Extension extender='xinbian' name='knockout' value='K'><SimplePredicate field='i11' "
		       "operator='equal' "
		       "value='bad'/></Extension><MiningSchema>");
	for (size_t i = 0; i < INDICATORS; i++)
		buf_add_fmt(b, "<MiningField name='i%zu'/>", i);
	buf_add_str(b, "</MiningSchema><Characteristics>");
	for (size_t i = 0; i < INDICATORS; i++) {
		buf_add_fmt(b, "<Characteristic name='c%zu' reasonCode='R%zu' baselineScore='39'>", i, i);
		for (size_t bin = 0; bin < BINS; bin++)
			attribute_put(b, i, bin);
		buf_add_fmt(b,
			    "<Attribute partialScore='-3'><SimplePredicate field='i%zu' "
			    "operator='isMissing'/></Attribute>"
			    "</Characteristic>",
			    i);
	}
	buf_add_str(b, "</Characteristics></Scorecard></PMML>");
}

static void prepare(struct buf *document)
{
	struct err e = { 0 };
	uint64_t state = 42;
	buf_init(document, 1 << 20);
	document_put(document);
	card = pmml_read(buf_bytes(document), &e);
	bench_must(card != NULL, e.text);
	fast = fast_new(card);
	n = bench_env("XINBIAN_BENCH_SUBJECTS", 100000);
	table = calloc(n * INDICATORS, sizeof(*table));
	bench_must(table != NULL && n > 0, "XINBIAN_BENCH_SUBJECTS");
	for (size_t i = 0; i < n * INDICATORS; i++) {
		uint64_t x = bench_random(&state);
		if (x % 20 == 0)
			continue; /* missing */
		if (is_text(i % INDICATORS))
			table[i] = (struct value){ .kind = VALUE_TEXT, .text = bytes_of(words[x / 20 % BINS]) };
		else
			table[i] = (struct value){ .kind = VALUE_NUMBER, .number = (double)(x / 20 % 1000) / 10 };
	}
}

/* --- the peer --- */

static void peer_must(sqlite3 *db, int rc)
{
	bench_must(rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW, sqlite3_errmsg(db));
}

static void peer_sql(struct buf *b)
{
	buf_add_str(b, "SELECT sum(300");
	for (size_t i = 0; i < INDICATORS; i++) {
		buf_add_str(b, " + CASE");
		for (size_t bin = 0; bin < BINS; bin++) {
			if (is_text(i))
				buf_add_fmt(b, " WHEN i%zu = '%s'", i, words[bin]);
			else if (bin + 1 < BINS) /* in order, so that one comparison a bin is enough */
				buf_add_fmt(b, " WHEN i%zu < %g", i, cuts[bin]);
			else
				buf_add_fmt(b, " WHEN i%zu >= %g", i, cuts[bin - 1]);
			buf_add_fmt(b, " THEN %d", points_of(i, bin));
		}
		buf_add_str(b, " ELSE -3 END");
	}
	buf_add_str(b, ") FROM t");
}

static sqlite3 *peer_open(sqlite3_stmt **sum)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *insert = NULL;
	struct buf sql;
	buf_init(&sql, 65536);
	peer_must(db, sqlite3_open(":memory:", &db));
	buf_add_str(&sql, "CREATE TABLE t (");
	for (size_t i = 0; i < INDICATORS; i++)
		buf_add_fmt(&sql, "%si%zu %s", i > 0 ? ", " : "", i, is_text(i) ? "TEXT" : "REAL");
	buf_add_str(&sql, ")");
	peer_must(db, sqlite3_exec(db, buf_str(&sql), NULL, NULL, NULL));
	peer_must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
	peer_must(db, sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", -1, &insert, NULL));
	for (size_t r = 0; r < n; r++) {
		for (int i = 0; i < INDICATORS; i++) {
			const struct value *v = &table[r * INDICATORS + (size_t)i];
			if (v->kind == VALUE_NUMBER)
				sqlite3_bind_double(insert, i + 1, v->number);
			else if (v->kind == VALUE_TEXT)
				sqlite3_bind_text(insert, i + 1, (const char *)v->text.data, (int)v->text.len,
						  SQLITE_STATIC);
			else
				sqlite3_bind_null(insert, i + 1);
		}
		peer_must(db, sqlite3_step(insert));
		sqlite3_reset(insert);
	}
	sqlite3_finalize(insert);
	peer_must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	buf_reset(&sql);
	peer_sql(&sql);
	peer_must(db, sqlite3_prepare_v2(db, buf_str(&sql), -1, sum, NULL));
	buf_clear(&sql);
	return db;
}

/* Of this thread: both sides are pure computing, and the machine has other things to do. */
static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double peer_round(sqlite3_stmt *sum, double *total)
{
	double start = cpu_s();
	bench_must(sqlite3_step(sum) == SQLITE_ROW, "the peer's sum");
	*total = sqlite3_column_double(sum, 0);
	double rate = (double)n / (cpu_s() - start);
	sqlite3_reset(sum);
	return rate;
}

/* --- ours --- */

static double our_round(void (*run)(const void *engine, const struct value *given, struct score *out),
			const void *engine, double *total, size_t *reasons)
{
	double start = cpu_s();
	*total = 0;
	*reasons = 0;
	for (size_t r = 0; r < n; r++) {
		run(engine, &table[r * INDICATORS], &score);
		*total += score.value;
		*reasons += score.reasons_len;
	}
	return (double)n / (cpu_s() - start);
}

static void fast_call(const void *engine, const struct value *given, struct score *out)
{
	fast_run(engine, given, out);
}

static void plain_call(const void *engine, const struct value *given, struct score *out)
{
	score_run(engine, given, out);
}

static void engines(void)
{
	double ours[ROUNDS], peer[ROUNDS], plain[ROUNDS], a = 0, b = 0, c = 0;
	size_t reasons = 0, plain_reasons = 0;
	sqlite3_stmt *sum = NULL;
	sqlite3 *db = peer_open(&sum);
	for (int i = -1; i < ROUNDS; i++) { /* the first warms and proves */
		int at = i < 0 ? 0 : i;
		ours[at] = our_round(fast_call, fast, &a, &reasons);
		peer[at] = peer_round(sum, &b);
		plain[at] = our_round(plain_call, card, &c, &plain_reasons);
		bench_must(fabs(a - b) < 0.5 && fabs(a - c) < 0.5 && reasons == plain_reasons, "the same sums");
	}
	printf("%zu subjects of %d indicators, %zu of %zu characteristics as tables, %.1f reasons each\n", n,
	       INDICATORS, fast_tables(fast), card->characteristics_len, (double)reasons / (double)n);
	bench_row("score.engine", bench_median(ours, ROUNDS), "1/s", "SQLite CASE, no reasons",
		  bench_median(peer, ROUNDS), false);
	bench_row("score.plain", bench_median(plain, ROUNDS), "1/s", NULL, 0, false);
	sqlite3_finalize(sum);
	sqlite3_close(db);
}

/* --- durable --- */

/* A unified social credit code of nobody, GB 32100-2015. */
static void subject_put(struct buf *b, size_t serial)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY",
			  of_code[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const int weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28 };
	static const int code_weights[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
	char text[32];
	int sum = 0;
	snprintf(text, sizeof(text), "91330800%08zu", serial);
	for (int i = 0; i < 8; i++)
		sum += (int)(strchr(of_code, text[8 + i]) - of_code) * code_weights[i];
	int check = (11 - sum % 11) % 11;
	text[16] = check == 10 ? 'X' : (char)('0' + check);
	sum = 0;
	for (int i = 0; i < 17; i++)
		sum += (int)(strchr(alphabet, text[i]) - alphabet) * weights[i];
	text[17] = alphabet[(31 - sum % 31) % 31];
	buf_add(b, text, 18);
}

static void slice_put(struct buf *b, size_t from, size_t to)
{
	buf_reset(b);
	buf_add_str(b, "subject");
	for (size_t i = 0; i < INDICATORS; i++)
		buf_add_fmt(b, ",i%zu", i);
	for (size_t r = from; r < to; r++) {
		buf_add_str(b, "\n");
		subject_put(b, r);
		for (size_t i = 0; i < INDICATORS; i++) {
			const struct value *v = &table[r * INDICATORS + i];
			buf_add_str(b, ",");
			if (v->kind == VALUE_NUMBER)
				buf_add_fmt(b, "%g", v->number);
			else if (v->kind == VALUE_TEXT)
				buf_add(b, v->text.data, v->text.len);
		}
	}
	buf_add_str(b, "\n");
}

static void durable(const struct buf *document)
{
	static const uint8_t vault_key[32] = { 1 };
	char dir[] = "/tmp/xb-bench-XXXXXX", hash[MODEL_HEX + 1], command[300];
	struct err e = { 0 };
	struct buf csv;
	struct scores_summary s;
	const struct scores_run r = { "bench", "alice", IDENTIFIER_USCC, NOW_S / 86400, NOW_S };
	size_t rows = n, slices = 0;
	double rates[64], replay[1];
	int64_t release = 0;
	bench_must(mkdtemp(dir) != NULL, "a directory");
	struct release_context c = { store_open(dir, &e), NULL, vault_key, &random_system };
	bench_must(c.db != NULL &&
			   model_import(&c, "bench", buf_bytes(document), true, "bench.pmml", "alice", NOW_S, hash,
					&release, &e) &&
			   release_submit(&c, release, "alice", true, NOW_S, &e) &&
			   release_approve(&c, release, "bob", NOW_S, &e) &&
			   release_publish(&c, release, "bob", NOW_S, &e),
		   e.text);
	buf_init(&csv, 1 << 26);
	for (size_t from = 0; from < rows && slices < 64; from += SCORES_RUN_MAX, slices++) {
		slice_put(&csv, from, from + SCORES_RUN_MAX < rows ? from + SCORES_RUN_MAX : rows);
		double start = bench_now_s();
		bench_must(scores_run(&c, &r, buf_bytes(&csv), &s, &e), e.text);
		rates[slices] = (double)s.rows / (bench_now_s() - start);
	}
	struct scores_replay again;
	double start = bench_now_s();
	uint64_t checked = 0;
	for (int64_t after = 0;; after = again.last) {
		bench_must(scores_replay(&c, after, SCORES_REPLAY_MAX, &again, &e) && again.different == 0, "replay");
		if (again.checked == 0)
			break;
		checked += again.checked;
	}
	replay[0] = (double)checked / (bench_now_s() - start);
	bench_row("score.durable", bench_median(rates, slices), "1/s", NULL, 0, false);
	bench_row("score.replay", replay[0], "1/s", NULL, 0, false);
	db_close(c.db);
	buf_clear(&csv);
	static const char *const files[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(command, sizeof(command), "%s/central.db%s", dir, files[i]);
		(void)unlink(command);
	}
	rmdir(dir);
}

int main(void)
{
	struct buf document;
	prepare(&document);
	engines();
	durable(&document);
	buf_clear(&document);
	fast_free(fast);
	card_free(card);
	free(table);
	return 0;
}
