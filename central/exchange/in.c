/* Pages come in, sealed at rest, until the last; then they are one file of one source. */
#include "central/exchange/exchange.h"

#include "central/ingest/batch.h"
#include "central/ingest/ndjson.h"
#include "central/store/store.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tail {
	struct bytes records; /* the page without its last line */
	int64_t records_len;
	bool more;
	char cursor[EXCHANGE_CURSOR_MAX + 1];
};

static bool finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

/* --- a page --- */

static bool tail_member(const struct ndjson_member *m, struct tail *t, unsigned *seen)
{
	char text[16] = "";
	if (m->value.len < sizeof(text) && m->value.len > 0)
		memcpy(text, m->value.data, m->value.len);
	if (bytes_equal(m->key, bytes_of("records"))) {
		char *end = NULL;
		t->records_len = strtol(text, &end, 10);
		*seen |= 1;
		return end != text && *end == '\0' && t->records_len >= 0;
	}
	if (bytes_equal(m->key, bytes_of("more"))) {
		t->more = strcmp(text, "true") == 0;
		*seen |= 2;
		return t->more || strcmp(text, "false") == 0;
	}
	if (!bytes_equal(m->key, bytes_of("cursor")) || m->value.len > EXCHANGE_CURSOR_MAX)
		return false;
	for (size_t i = 0; i < m->value.len; i++)
		if (m->value.data[i] <= ' ' || m->value.data[i] > '~')
			return false;
	snprintf(t->cursor, sizeof(t->cursor), "%.*s", (int)m->value.len,
		 m->value.len > 0 ? (const char *)m->value.data : "");
	return true;
}

static bool tail_read(struct bytes line, struct tail *t)
{
	struct ndjson_member members[NDJSON_MEMBERS_MAX];
	struct buf scratch;
	unsigned seen = 0;
	size_t n = 0;
	buf_init(&scratch, EXCHANGE_RECORD_MAX);
	bool ok = ndjson_parse(line, &scratch, members, &n);
	for (size_t i = 0; ok && i < n; i++)
		ok = tail_member(&members[i], t, &seen);
	buf_clear(&scratch);
	return ok && seen == 3 && (!t->more || t->cursor[0] != '\0');
}

static bool page_read(struct bytes page, struct tail *t, struct err *e)
{
	size_t end = page.len, start, lines = 0;
	while (end > 0 && (page.data[end - 1] == '\n' || page.data[end - 1] == '\r'))
		end--;
	for (start = end; start > 0 && page.data[start - 1] != '\n';)
		start--;
	*t = (struct tail){ .records = { page.data, start } };
	if (end == start || !tail_read((struct bytes){ page.data + start, end - start }, t))
		return err_set(
			e, ERR_INPUT,
			"the page was cut or is no NDJSON: its last line is not {\"records\", \"more\", \"cursor\"}");
	for (size_t i = 0; i < start; i++)
		lines += page.data[i] == '\n';
	return (int64_t)lines == t->records_len ||
	       err_set(e, ERR_INPUT, "the page says it has %lld records and has %zu", (long long)t->records_len,
		       lines);
}

/* --- kept --- */

static void page_context(const struct exchange *x, int64_t page, char out[96])
{
	snprintf(out, 96, "%s %s %lld", x->name, x->period, (long long)page);
}

static bool page_keep(struct release_context *c, const struct exchange *x, struct bytes records, struct err *e)
{
	char context[96];
	struct buf sealed;
	page_context(x, x->pages, context);
	buf_init(&sealed, EXCHANGE_PAGE_MAX + AEAD_OVERHEAD);
	bool ok = aead_seal(c->vault_key, c->random, bytes_of(context), records, &sealed, e) &&
		  db_run(c->db, e, "INSERT INTO exchange_page (exchange, page, sealed) VALUES (?, ?, ?)", "tib",
			 x->name, x->pages, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool pages_read(struct release_context *c, const struct exchange *x, struct buf *out, struct err *e)
{
	struct db_query *q =
		db_query(c->db, "SELECT page, sealed FROM exchange_page WHERE exchange = ? ORDER BY page", e);
	char context[96];
	bool row = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, x->name, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		page_context(x, db_int(q, 0), context);
		ok = aead_open(c->vault_key, bytes_of(context), db_bytes(q, 1), out, e);
	}
	db_finish(q);
	return ok && buf_ok(out, "what was pulled", e);
}

static bool pages_drop(struct release_context *c, struct exchange *x, struct err *e)
{
	x->period[0] = x->cursor[0] = '\0';
	x->pages = x->tries = 0;
	return db_run(c->db, e, "DELETE FROM exchange_page WHERE exchange = ?", "t", x->name) &&
	       exchange_save(c, x, e);
}

/* --- landed --- */

static bool batch_fill(struct release_context *c, int64_t id, struct bytes file, int64_t now_s, struct batch *b,
		       struct err *e)
{
	bool ok = batch_load(c, id, b, e);
	while (ok && b->state == BATCH_LOADING) {
		size_t at = (size_t)b->intake.offset, left = file.len - at;
		struct bytes part = { file.data + at, left < BATCH_PART_MAX ? left : BATCH_PART_MAX };
		ok = batch_part(c, id, at, part, now_s, e) && batch_load(c, id, b, e);
	}
	while (ok && b->state == BATCH_CHECKING)
		ok = batch_check(c, id, now_s, e) && batch_load(c, id, b, e);
	return ok;
}

static bool file_land(struct release_context *c, struct exchange *x, struct bytes file, int64_t now_s, struct err *e)
{
	struct batch b;
	char name[64];
	int64_t id = 0;
	bool again = false;
	snprintf(name, sizeof(name), "exchange:%s", x->name);
	struct batch_new n = { .source = x->what,
			       .period = x->period,
			       .file = name,
			       .format = INTAKE_NDJSON,
			       .encoding = ENCODING_UTF8,
			       .size = file.len };
	sha256(file, n.sha256);
	if (!batch_open(c, &n, EXCHANGE_OPERATOR, now_s, &id, &again, e) || !batch_fill(c, id, file, now_s, &b, e))
		return false;
	if (b.state == BATCH_HELD)
		snprintf(x->fault, sizeof(x->fault), "batch %lld is held: centralctl batch show %lld", (long long)id,
			 (long long)id);
	return true;
}

/* Nothing of it is kept but why. The reason in e stays. */
static void pull_give_up(struct release_context *c, struct exchange *x, const struct err *e)
{
	struct err none = { 0 };
	snprintf(x->fault, sizeof(x->fault), "%.190s", e->text);
	if (!db_begin(c->db, &none) || !finish(c, pages_drop(c, x, &none), &none))
		log_error("a pull that failed was not ended", "platform=%s why=\"%s\"", x->name, none.text);
}

/* The last page is not kept: after a crash in here it is asked for once more, and the same file is recognised by its hash. */
static bool land(struct release_context *c, struct exchange *x, struct bytes last, int64_t now_s, struct err *e)
{
	struct buf file;
	buf_init(&file, EXCHANGE_PULL_MAX);
	bool ok = pages_read(c, x, &file, e);
	x->fault[0] = '\0';
	if (ok) {
		buf_add(&file, last.data, last.len);
		ok = buf_ok(&file, "what was pulled", e) &&
		     (file.len == 0 || file_land(c, x, buf_bytes(&file), now_s, e));
	}
	buf_wipe(&file);
	x->ok_s = ok ? now_s : x->ok_s;
	return ok && db_begin(c->db, e) && finish(c, pages_drop(c, x, e), e);
}

static bool page_take(struct release_context *c, struct exchange *x, const struct tail *t, int64_t now_s,
		      struct err *e)
{
	if (!page_keep(c, x, t->records, e))
		return false;
	x->pages++;
	x->tries = 0;
	x->ok_s = x->next_s = now_s;
	x->fault[0] = '\0';
	snprintf(x->cursor, sizeof(x->cursor), "%s", t->cursor);
	return exchange_save(c, x, e);
}

static bool there_is_room(struct release_context *c, const struct exchange *x, const struct tail *t, struct err *e)
{
	int64_t held = 0;
	if (!db_run_int(c->db, &held, e,
			"SELECT coalesce(sum(length(sealed)), 0) FROM exchange_page WHERE exchange = ?", "t",
			x->name))
		return false;
	return held + (int64_t)t->records.len <= (int64_t)EXCHANGE_PULL_MAX ||
	       err_set(e, ERR_FULL, "more than %u MiB of one period; load it as a file: centralctl batch load",
		       EXCHANGE_PULL_MAX >> 20);
}

/* What cannot land or has no room ends the pull; what the disk refused is tried again, as is a page that is none. */
bool exchange_page(struct release_context *c, struct exchange *x, struct bytes page, int64_t now_s, struct err *e)
{
	struct tail t;
	if (!page_read(page, &t, e))
		return false;
	if (t.more && strcmp(t.cursor, x->cursor) == 0)
		return err_set(e, ERR_INPUT, "the page's cursor is the one that was asked with: it would never end");
	bool ok = there_is_room(c, x, &t, e);
	if (ok && t.more)
		ok = db_begin(c->db, e) && finish(c, page_take(c, x, &t, now_s, e), e);
	else if (ok)
		ok = land(c, x, t.records, now_s, e);
	if (!ok && e->code != ERR_IO)
		pull_give_up(c, x, e);
	return ok;
}

/* --- asked for --- */

static bool pull_begin(struct release_context *c, struct exchange *x, const char *period, const char *operator,
		       int64_t now_s, struct err *e)
{
	if (strcmp(x->period, period) != 0) {
		if (!pages_drop(c, x, e))
			return false;
		snprintf(x->period, sizeof(x->period), "%s", period);
	}
	snprintf(x->asked_by, sizeof(x->asked_by), "%s", operator);
	x->tries = 0;
	x->next_s = now_s;
	x->fault[0] = '\0';
	return exchange_save(c, x, e) && audit_add(c->db, now_s, operator, "exchange.pull", x->name, period, e);
}

bool exchange_pull(struct release_context *c, const char *name, const char *period, const char *operator,
		   int64_t now_s, struct err *e)
{
	struct exchange x;
	if (!exchange_load(c, name, &x, e))
		return false;
	if (x.direction != EXCHANGE_PULL)
		return err_set(e, ERR_CONFLICT, "%s: nothing is pulled from it; it is pushed to", name);
	size_t len = strspn(period, "0123456789-");
	if (period[len] != '\0' || (len != 7 && len != 10))
		return err_set(e, ERR_INPUT, "period: expected a month or a day, as 2026-10 or 2026-10-31");
	return db_begin(c->db, e) && finish(c, pull_begin(c, &x, period, operator, now_s, e), e);
}
