#include "central/department/upload.h"

#include "central/store/store.h"

#include <stdio.h>
#include <string.h>

void upload_init(struct upload *u, struct release_context *c, const struct department *d)
{
	*u = (struct upload){ .c = c, .department = *d };
	buf_init(&u->in, UPLOAD_PART + CSV_WINDOW_MIN);
}

void upload_clear(struct upload *u, const char *why, int64_t now_s)
{
	struct err e = { 0 };
	/* One that cannot be erased now is at the next start. */
	if (u->batch != 0 && why != NULL)
		(void)!batch_abandon(u->c, u->batch, why, now_s, &e);
	u->batch = 0;
	buf_clear(&u->in);
}

static bool hash_read(struct upload *u, const struct asked *h, struct err *e)
{
	char text[ASKED_VALUE_MAX + 1];
	bool there = asked_query(h, "sha256", text);
	for (char *p = text; there && *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'F')
			*p = "abcdef"[*p - 'A'];
	}
	return (there && strlen(text) == 2 * (size_t)HASH_LEN && hex_decode(text, u->sha256, HASH_LEN)) ||
	       err_set(e, ERR_INPUT, "sha256: say the file's SHA-256 in hexadecimal (sha256sum FILE)");
}

static bool size_read(struct upload *u, const struct asked *h, struct err *e)
{
	if (h->chunked || !h->sized)
		return err_set(e, ERR_INPUT, "send the file with a Content-Length, not in chunks (curl -T FILE)");
	u->size = h->size;
	return h->size <= UPLOAD_SIZE_MAX ||
	       err_set(e, ERR_FULL, "the file is longer than %llu bytes", (unsigned long long)UPLOAD_SIZE_MAX);
}

static bool way_read(const struct asked *h, struct batch_new *n, struct err *e)
{
	char format[ASKED_VALUE_MAX + 1], encoding[ASKED_VALUE_MAX + 1];
	bool json = asked_query(h, "format", format);
	bool coded = asked_query(h, "encoding", encoding);
	if (!intake_format_of(json ? format : "csv", &n->format))
		return err_set(e, ERR_INPUT, "format: expected csv or ndjson");
	return encoding_of(coded ? encoding : "auto", &n->encoding) ||
	       err_set(e, ERR_INPUT, "encoding: expected auto, utf-8 or gb18030");
}

bool upload_read(struct upload *u, const char *source, const struct asked *h, struct batch_new *n,
		 char file[ASKED_VALUE_MAX + 1], char as_of[ASKED_VALUE_MAX + 1], struct err *e)
{
	char period[ASKED_VALUE_MAX + 1];
	*n = (struct batch_new){ .source = u->source, .period = u->period, .file = file };
	if (!department_owns(u->c->db, &u->department, source, e))
		return false;
	if (!asked_query(h, "period", period) || strlen(period) > BATCH_PERIOD_MAX)
		return err_set(e, ERR_INPUT, "period: say which one the file is of, as 2026-10");
	snprintf(u->source, sizeof(u->source), "%s", source);
	snprintf(u->period, sizeof(u->period), "%s", period);
	if (!size_read(u, h, e) || !hash_read(u, h, e) || !way_read(h, n, e))
		return false;
	n->as_of = asked_query(h, "as_of", as_of) ? as_of : NULL;
	if (!asked_query(h, "file", file))
		file[0] = '\0';
	n->size = u->size;
	memcpy(n->sha256, u->sha256, HASH_LEN);
	return strlen(file) < sizeof(((struct batch *)0)->file) ||
	       err_set(e, ERR_INPUT, "file: its name has at most 127 bytes");
}

static bool noted(struct upload *u, int64_t id, int64_t now_s, struct err *e)
{
	char detail[160];
	snprintf(detail, sizeof(detail), "department %s, certificate %s, batch %lld, period %s, %llu bytes",
		 u->department.code, u->department.name, (long long)id, u->period, (unsigned long long)u->size);
	if (!db_begin(u->c->db, e))
		return false;
	if (audit_add(u->c->db, now_s, u->department.name, "department.upload", u->source, detail, e) &&
	    db_commit(u->c->db, e))
		return true;
	db_rollback(u->c->db);
	return false;
}

bool upload_begin(struct upload *u, const struct batch_new *n, int64_t now_s, int64_t *id, bool *wanted,
		  struct err *e)
{
	struct batch b;
	bool again = false;
	*wanted = false;
	if (!batch_open(u->c, n, u->department.name, now_s, id, &again, e) || !batch_load(u->c, *id, &b, e) ||
	    !noted(u, *id, now_s, e))
		return false;
	if (again)
		return b.state != BATCH_LOADING ||
		       err_set(e, ERR_CONFLICT, "this file is being loaded already, as batch %lld: ask for it later",
			       (long long)*id);
	u->batch = *id;
	*wanted = true;
	sha256_start(&u->stream);
	return true;
}

/* What stands in `in` as far as it is whole rows. */
static bool part_send(struct upload *u, bool last, int64_t now_s, struct err *e)
{
	struct batch b;
	struct department d;
	uint64_t from = u->got - u->in.len;
	if (!department_may_send(u->c->db, u->department.name, &d, e) ||
	    !batch_part(u->c, u->batch, from, buf_bytes(&u->in), now_s, e) || !batch_load(u->c, u->batch, &b, e))
		return false;
	size_t used = last ? u->in.len : (size_t)(b.intake.offset - from);
	memmove(u->in.data, u->in.data + used, u->in.len - used);
	u->in.len -= used;
	return true;
}

static bool hash_is_right(struct upload *u, struct err *e)
{
	uint8_t hash[HASH_LEN];
	sha256_finish(&u->stream, hash);
	return memcmp(hash, u->sha256, HASH_LEN) == 0 ||
	       err_set(e, ERR_INPUT, "the bytes that came do not have this sha256: the file changed, send it again");
}

static bool bytes_take(struct upload *u, struct bytes piece, int64_t now_s, struct err *e)
{
	if (piece.len > u->size - u->got)
		return err_set(e, ERR_INPUT, "more bytes came than the request's Content-Length says");
	sha256_add(&u->stream, piece);
	u->got += piece.len;
	while (piece.len > 0) {
		size_t room = UPLOAD_PART > u->in.len ? UPLOAD_PART - u->in.len : 0;
		size_t n = piece.len < room ? piece.len : room;
		buf_add(&u->in, piece.data, n);
		piece.data += n;
		piece.len -= n;
		u->got -= piece.len; /* part_send counts what stands in `in` back from here */
		bool ok = u->in.len < UPLOAD_PART || u->got == u->size || part_send(u, false, now_s, e);
		u->got += piece.len;
		if (!ok)
			return false;
	}
	return u->got < u->size || (hash_is_right(u, e) && part_send(u, true, now_s, e));
}

bool upload_bytes(struct upload *u, struct bytes piece, int64_t now_s, struct err *e)
{
	struct err why = { 0 };
	int64_t id = u->batch;
	if (!bytes_take(u, piece, now_s, &why)) {
		upload_clear(u, why.text, now_s);
		if (why.code == ERR_MISSING) /* gone: its place was taken, or the file was none */
			return err_set(e, ERR_CONFLICT, "batch %lld gave way to another file for this period",
				       (long long)id);
		return err_set(e, why.code, "%s", why.text);
	}
	if (u->got == u->size)
		u->batch = 0;
	return true;
}
