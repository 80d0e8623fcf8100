/* centralctl: a department's file loaded, or only looked at. */
#include "central/ctl/ingest.h"
#include "central/ingest/batch.h"
#include "protocol/base/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PART_SIZE  2097152U
#define CHECK_ROWS 1000 /* faults that batch check prints; all are counted */
#define CHINA_S    28800

static const struct bytes nothing = { NULL, 0 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* A file sent piece by piece. */
struct sending {
	int fd;
	struct stat st;
	uint8_t *piece;
	struct timespec told;
};

static bool piece_read(struct sending *s, uint64_t at, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(s->fd, s->piece + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO, "the file cannot be read to its end; it must not change meanwhile");
		done += (size_t)n;
	}
	return true;
}

static bool sending_open(struct sending *s, const char *path, struct err *e)
{
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &s->st) != 0 || !S_ISREG(s->st.st_mode))
		return err_set(e, ERR_MISSING, "%.120s: cannot be opened, or is no file", path);
	s->piece = malloc(PART_SIZE);
	if (s->piece == NULL)
		abort();
	return true;
}

static void sending_close(struct sending *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->piece);
}

static size_t piece_len(const struct sending *s, uint64_t at)
{
	uint64_t left = (uint64_t)s->st.st_size - at;
	return left < PART_SIZE ? (size_t)left : PART_SIZE;
}

static bool file_hash(struct sending *s, char hex[2 * HASH_LEN + 1], struct err *e)
{
	struct sha256_stream stream;
	uint8_t hash[HASH_LEN];
	sha256_start(&stream);
	for (uint64_t at = 0; at < (uint64_t)s->st.st_size; at += PART_SIZE) {
		size_t len = piece_len(s, at);
		if (!piece_read(s, at, len, e))
			return false;
		sha256_add(&stream, (struct bytes){ s->piece, len });
	}
	sha256_finish(&stream, hash);
	hex_encode(hash, HASH_LEN, hex);
	return true;
}

static bool file_is_the_same(const struct sending *s)
{
	struct stat now;
	return fstat(s->fd, &now) == 0 && now.st_size == s->st.st_size &&
	       now.st_mtim.tv_sec == s->st.st_mtim.tv_sec && now.st_mtim.tv_nsec == s->st.st_mtim.tv_nsec;
}

/* To stderr, once a second. */
static void progress(struct sending *s, const struct json *b)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec <= s->told.tv_sec)
		return;
	s->told = now;
	int64_t offset = ctl_int(b, "offset"), size = ctl_int(b, "size");
	int64_t rows = ctl_int(b, "accepted") + ctl_int(b, "rejected");
	fprintf(stderr, "  %lld %% · %lld 行 / rows%s\n", (long long)(size > 0 ? offset * 100 / size : 0),
		(long long)rows, strcmp(ctl_text(b, "state"), "checking") == 0 ? " · 核对中 / checking" : "");
}

static bool in_state(const struct json *b, const char *state)
{
	return strcmp(ctl_text(b, "state"), state) == 0;
}

/* From where the batch is to its end. *b is replaced by its newest answer; NULL after a failure. */
static bool batch_drive(struct ctl *c, struct sending *s, struct json **b, struct err *e)
{
	char path[128];
	while (*b != NULL && in_state(*b, "loading")) {
		uint64_t at = (uint64_t)ctl_int(*b, "offset");
		size_t len = piece_len(s, at);
		if (!piece_read(s, at, len, e))
			return false;
		if (at + len == (uint64_t)s->st.st_size && !file_is_the_same(s))
			return err_set(e, ERR_CONFLICT, "the file changed while it was read; send it again");
		snprintf(path, sizeof(path), "/v1/batches/%lld/parts?offset=%llu", (long long)ctl_int(*b, "id"),
			 (unsigned long long)at);
		json_free(*b);
		*b = ctl_quiet(c, "POST", path, (struct bytes){ s->piece, len }, e);
		if (*b != NULL)
			progress(s, *b);
	}
	while (*b != NULL && in_state(*b, "checking")) {
		snprintf(path, sizeof(path), "/v1/batches/%lld/check", (long long)ctl_int(*b, "id"));
		json_free(*b);
		*b = ctl_quiet(c, "POST", path, nothing, e);
		if (*b != NULL)
			progress(s, *b);
	}
	return *b != NULL;
}

static const char *format_of(struct ctl *c, const char *file)
{
	const char *dot = strrchr(file, '.'), *given = ctl_option(c, "format");
	bool json = dot != NULL && (strcmp(dot, ".ndjson") == 0 || strcmp(dot, ".jsonl") == 0);
	return given != NULL ? given : json ? "ndjson" : "csv";
}

static struct json *batch_begin(struct ctl *c, struct sending *s, struct err *e)
{
	char hash[2 * HASH_LEN + 1], size[24];
	struct buf path;
	if (!file_hash(s, hash, e))
		return NULL;
	snprintf(size, sizeof(size), "%lld", (long long)s->st.st_size);
	buf_init(&path, 2048);
	buf_add_fmt(&path, "/v1/sources/%.40s/batches", c->argv[0]);
	http_query_add(&path, "period", ctl_option(c, "period") != NULL ? ctl_option(c, "period") : "");
	http_query_add(&path, "size", size);
	http_query_add(&path, "sha256", hash);
	http_query_add(&path, "file", base_name(c->argv[1]));
	http_query_add(&path, "format", format_of(c, c->argv[1]));
	ctl_option_send(c, &path, "encoding", "encoding");
	ctl_option_send(c, &path, "as-of", "as_of");
	struct json *b = buf_ok(&path, "the arguments", e) ? ctl_quiet(c, "POST", buf_str(&path), nothing, e) : NULL;
	buf_clear(&path);
	return b;
}

/* Opened, sent, checked: the batch and how many rows were rejected. */
static bool load(struct ctl *c, struct sending *s, int64_t *id, int64_t *rejected, struct err *e)
{
	struct json *b = NULL;
	bool ok = sending_open(s, c->argv[1], e) && (b = batch_begin(c, s, e)) != NULL;
	if (ok && ctl_int(b, "offset") > 0)
		fprintf(stderr, in_state(b, "loading") || in_state(b, "checking")
					? "  接续上次未完成的载入 / an earlier load goes on\n"
					: "  该文件已载入过 / this file is in already\n");
	if (ok && !batch_drive(c, s, &b, e))
		ok = err_wrap(e, "未完成；重新执行同一命令即可接续 / not finished; the same command goes on");
	if (ok) {
		*id = ctl_int(b, "id");
		*rejected = ctl_int(b, "rejected");
	}
	json_free(b);
	return ok;
}

bool ctl_batch_load(struct ctl *c, struct err *e)
{
	struct sending s = { .fd = -1 };
	char path[80];
	int64_t id = 0, rejected = 0;
	if (ctl_option(c, "period") == NULL)
		return err_set(e, ERR_INPUT, "--period: say which one the file is of, as 2026-10");
	bool ok = load(c, &s, &id, &rejected, e);
	sending_close(&s);
	if (!ok)
		return false;
	snprintf(path, sizeof(path), "/v1/batches/%lld", (long long)id);
	if (!ctl_batch_call(c, "GET", path, true, e))
		return false;
	if (ctl_option(c, "rejects") != NULL)
		return ctl_rejects_save(c, id, ctl_option(c, "rejects"), e);
	if (rejected > 0 && !c->json)
		printf("    退回行 / rejected rows: centralctl batch rejects %lld --out FILE.csv\n", (long long)id);
	return true;
}

/* --- a file looked at without storing anything --- */

static bool check_accept(void *arg, const struct intake_row *row, struct err *e)
{
	(void)arg, (void)row, (void)e;
	return true;
}

static bool check_reject(void *arg, uint32_t number, const struct row_fault *faults, size_t len, struct bytes raw,
			 struct err *e)
{
	uint64_t *printed = arg;
	(void)raw, (void)e;
	for (size_t i = 0; i < len && *printed < CHECK_ROWS; i++, ++*printed)
		printf("  行 row %u 列 column %u · %s · %s / %s\n", number, faults[i].field,
		       fault_code(faults[i].fault), fault_zh(faults[i].fault), fault_en(faults[i].fault));
	return true;
}

static void check_print(const struct intake_state *s)
{
	for (size_t i = 0; i < s->drift_len; i++)
		printf("  列 column %u · %s · %s / %s\n", s->drift[i].field, fault_code(s->drift[i].fault),
		       fault_zh(s->drift[i].fault), fault_en(s->drift[i].fault));
	printf("  编码 / encoding %s · 合格 / good %llu · 不合格 / bad %llu · 修复 / repaired %llu%s\n",
	       encoding_name(s->encoding), (unsigned long long)s->accepted, (unsigned long long)s->rejected,
	       (unsigned long long)s->repaired, s->cut ? " · 文件在行中间断开 / the file was cut" : "");
}

static bool check_run(struct sending *s, struct intake *in, struct intake_state *state, struct err *e)
{
	uint64_t printed = 0;
	const struct intake_sink sink = { check_accept, check_reject, &printed };
	uint64_t size = (uint64_t)s->st.st_size;
	bool ok = size > 0 || err_set(e, ERR_INPUT, "the file is empty");
	while (ok && state->offset < size) {
		uint64_t at = state->offset;
		size_t len = piece_len(s, at), used = 0;
		ok = piece_read(s, at, len, e) &&
		     intake_feed(in, state, (struct bytes){ s->piece, len }, at + len == size, &sink, &used, e);
	}
	return ok;
}

bool ctl_batch_check(struct ctl *c, struct err *e)
{
	struct sending s = { .fd = -1 };
	struct intake_state state;
	struct schema *schema = NULL;
	struct json *j = NULL;
	char path[96];
	enum intake_format format = INTAKE_CSV;
	enum encoding encoding = ENCODING_AUTO;
	if (!intake_format_of(format_of(c, c->argv[0]), &format) ||
	    (ctl_option(c, "encoding") != NULL && !encoding_of(ctl_option(c, "encoding"), &encoding)))
		return err_set(e, ERR_INPUT, "--format csv|ndjson, --encoding auto|utf-8|gb18030");
	if (ctl_option(c, "source") != NULL) {
		snprintf(path, sizeof(path), "/v1/sources/%.40s", ctl_option(c, "source"));
		j = ctl_quiet(c, "GET", path, nothing, e);
		if (j == NULL)
			return false;
		schema = json_get(j, "schema") != NULL ? schema_parse(json_get(j, "schema"), e) : NULL;
		json_free(j);
		if (schema == NULL)
			return false;
	}
	intake_state_init(&state, encoding);
	struct intake *in = intake_new(schema, format, (time(NULL) + CHINA_S) / 86400);
	bool ok = sending_open(&s, c->argv[0], e) && check_run(&s, in, &state, e);
	if (ok)
		check_print(&state);
	intake_free(in);
	schema_free(schema);
	sending_close(&s);
	return ok && ((state.rejected == 0 && state.drift_len == 0 && !state.cut) ||
		      err_set(e, ERR_INPUT, "%.120s: 有不合格之处，见上 / there are faults, see above", c->argv[0]));
}
