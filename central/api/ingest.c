/* Sources of departments and their batches. */
#include "central/centrald.h"
#include "central/ingest/batch_json.h"
#include "central/ingest/expire.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UPLOAD_MAX 16777216U /* in one request, about 200 ms; longer files come in parts */
#define SCHEMA_MAX 65536U
#define DAY_S      86400
#define CHINA_S    28800

/* --- sources --- */

static void day_put(struct json_out *w, const char *key, int64_t day, bool there)
{
	char text[11] = "";
	if (there)
		day_format(day, text);
	json_put_text(w, key, text);
}

static int64_t months_of(const char *period)
{
	return strtol(period, NULL, 10) * 12 + (strlen(period) >= 7 ? strtol(period + 5, NULL, 10) : 0);
}

/* Whether the month that should be here by today is not. */
static bool is_overdue(const struct source *s, const char *newest, int64_t now_s)
{
	char today[11];
	day_format((now_s + CHINA_S) / DAY_S, today);
	int64_t due = months_of(today) - (strtol(today + 8, NULL, 10) > s->due_day ? 1 : 2);
	return s->cadence == SOURCE_MONTHLY && months_of(newest) < due;
}

struct source_list {
	struct api_call *call;
	struct err *e;
	bool ok;
};

/* What counts now, how old it says it is and how old its content is. */
static bool freshness_put(struct api_call *call, const struct source *s, struct err *e)
{
	struct json_out *w = &call->json;
	struct batch b;
	struct err none = { 0 };
	int64_t claimed = 0, today = (call->now_s + CHINA_S) / DAY_S;
	bool there = batch_current(&call->central->release, s->code, "", &b, &none);
	if (!there && none.code != ERR_MISSING)
		return err_set(e, none.code, "%s", none.text);
	bool shown = there && b.intake.content_from <= b.intake.content_to;
	json_put_text(w, "period", there ? b.period : "");
	json_put_int(w, "batch", there ? b.id : 0);
	json_put_int(w, "rows", there ? batch_rows(&b) : 0);
	json_put_int(w, "loaded_s", there ? b.finished_s : 0);
	json_put_text(w, "claimed_day", there ? b.as_of : "");
	day_put(w, "content_day", there ? b.intake.content_to : 0, shown);
	if (there && day_parse(bytes_of(b.as_of), &claimed, NULL))
		json_put_int(w, "claimed_age_days", today - claimed);
	if (shown)
		json_put_int(w, "content_age_days", today - b.intake.content_to);
	json_put_bool(w, "overdue", is_overdue(s, there ? b.period : "0", call->now_s));
	return true;
}

static bool source_put(struct api_call *call, const struct source *s, bool schema, struct err *e)
{
	struct json_out *w = &call->json;
	json_open(w, NULL, '{');
	json_put_text(w, "code", s->code);
	json_put_int(w, "version", s->version);
	json_put_bool(w, "sample", s->sample);
	json_put_text(w, "department", s->department);
	json_put_text(w, "department_zh", s->department_zh);
	json_put_text(w, "department_en", s->department_en);
	json_put_text(w, "category", s->category);
	json_put_text(w, "category_zh", s->category_zh);
	json_put_text(w, "category_en", s->category_en);
	json_put_text(w, "indicator", s->indicator);
	json_put_text(w, "indicator_zh", s->indicator_zh);
	json_put_text(w, "indicator_en", s->indicator_en);
	json_put_text(w, "cadence", source_cadence_name(s->cadence));
	json_put_text(w, "owner", s->owner);
	json_put_int(w, "drop_percent", s->drop_percent);
	json_put_int(w, "due_day", s->due_day);
	json_put_int(w, "keep_days", s->keep_days);
	if (schema)
		json_put_raw(w, "schema", bytes_of(s->schema));
	bool ok = freshness_put(call, s, e);
	json_close(w, '}');
	return ok;
}

static void each_source(void *arg, const struct source *s)
{
	struct source_list *l = arg;
	const char *category = http_query(l->call->request, "category");
	const char *department = http_query(l->call->request, "department");
	if ((category != NULL && strcmp(category, s->category) != 0) ||
	    (department != NULL && strcmp(department, s->department) != 0))
		return;
	l->ok = l->ok && source_put(l->call, s, false, l->e);
}

static bool source_list(struct api_call *call, struct err *e)
{
	struct source_list l = { call, e, true };
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "sources", '[');
	bool ok = source_each(call->central->release.db, each_source, &l, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok && l.ok;
}

static bool source_show(struct api_call *call, struct err *e)
{
	struct source s;
	struct buf text;
	buf_init(&text, SCHEMA_MAX);
	bool ok = source_load(call->central->release.db, call->path_rest, 0, &s, NULL, &text, e) &&
		  source_put(call, &s, true, e);
	buf_clear(&text);
	return ok;
}

static bool catalogue_import(struct api_call *call, struct err *e)
{
	struct source_changes n;
	if (!source_import(call->central->release.db, http_body(call->request), call->operator, call->now_s, &n, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "added", n.added);
	json_put_int(&call->json, "changed", n.changed);
	json_put_int(&call->json, "same", n.same);
	json_close(&call->json, '}');
	return true;
}

/* --- batches --- */

static bool batch_answer(struct api_call *call, int64_t id, struct err *e)
{
	struct batch b;
	if (!batch_load(&call->central->release, id, &b, e))
		return false;
	batch_json_put(&call->json, &b);
	return true;
}

/* What both ways in have in their query; size and hash are the caller's. */
static bool new_read(struct api_call *call, struct batch_new *n, struct err *e)
{
	struct http_request *r = call->request;
	const char *format = http_query(r, "format"), *encoding = http_query(r, "encoding"),
		   *file = http_query(r, "file");
	*n = (struct batch_new){ .source = call->path_rest,
				 .period = http_query(r, "period"),
				 .as_of = http_query(r, "as_of"),
				 .file = file != NULL ? file : "" };
	if (n->period == NULL)
		return err_set(e, ERR_INPUT, "period: say which one the file is of, as 2026-10");
	if (!intake_format_of(format != NULL ? format : "csv", &n->format))
		return err_set(e, ERR_INPUT, "format: expected csv or ndjson");
	return encoding_of(encoding != NULL ? encoding : "auto", &n->encoding) ||
	       err_set(e, ERR_INPUT, "encoding: expected auto, utf-8 or gb18030");
}

static bool open_batch(struct api_call *call, struct err *e)
{
	struct batch_new n;
	const char *hash = http_query(call->request, "sha256");
	int64_t size = 0, id = 0;
	bool again = false;
	if (!new_read(call, &n, e) || !api_query_int(call, "size", 0, (int64_t)BATCH_SIZE_MAX, 0, &size, e))
		return false;
	if (hash == NULL || strlen(hash) != 2 * (size_t)HASH_LEN || !hex_decode(hash, n.sha256, HASH_LEN))
		return err_set(e, ERR_INPUT, "sha256: expected the file's SHA-256 in hexadecimal");
	n.size = (uint64_t)size;
	return batch_open(&call->central->release, &n, call->operator, call->now_s, &id, &again, e) &&
	       batch_answer(call, id, e);
}

static bool part_add(struct api_call *call, struct err *e)
{
	int64_t id = 0, offset = 0;
	return api_id(call, &id, e) && api_query_int(call, "offset", 0, INT64_MAX, 0, &offset, e) &&
	       batch_part(&call->central->release, id, (uint64_t)offset, http_body(call->request), call->now_s, e) &&
	       batch_answer(call, id, e);
}

static bool check_slice(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) && batch_check(&call->central->release, id, call->now_s, e) &&
	       batch_answer(call, id, e);
}

/* A short file in one request. */
static bool upload(struct api_call *call, struct err *e)
{
	struct release_context *c = &call->central->release;
	struct bytes body = http_body(call->request);
	struct batch_new n;
	struct batch b;
	int64_t id = 0;
	bool again = false;
	if (body.len > UPLOAD_MAX)
		return err_set(e, ERR_FULL, "more than %u MiB in one request; send it with: centralctl batch load",
			       UPLOAD_MAX >> 20);
	if (!new_read(call, &n, e))
		return false;
	n.size = body.len;
	sha256(body, n.sha256);
	bool ok = batch_open(c, &n, call->operator, call->now_s, &id, &again, e) && batch_load(c, id, &b, e);
	while (ok && b.state == BATCH_LOADING) {
		size_t at = (size_t)b.intake.offset, left = body.len - at;
		struct bytes part = { body.data + at, left < BATCH_PART_MAX ? left : BATCH_PART_MAX };
		ok = batch_part(c, id, at, part, call->now_s, e) && batch_load(c, id, &b, e);
	}
	while (ok && b.state == BATCH_CHECKING)
		ok = batch_check(c, id, call->now_s, e) && batch_load(c, id, &b, e);
	return ok && batch_answer(call, id, e);
}

static void each_batch(void *arg, const struct batch *b)
{
	batch_json_put(arg, b);
}

static bool batch_list(struct api_call *call, struct err *e)
{
	const char *source = http_query(call->request, "source");
	int64_t limit = 0;
	if (!api_query_int(call, "limit", 1, 10000, 50, &limit, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "batches", '[');
	bool ok = batch_each(&call->central->release, source != NULL ? source : "", (size_t)limit, each_batch,
			     &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool batch_show(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) && batch_answer(call, id, e);
}

/* Persons' data in the clear: in the audit before it leaves. */
static bool rejects_show(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	struct batch b;
	int64_t id = 0;
	if (!api_id(call, &id, e) || !batch_load(&call->central->release, id, &b, e) || !db_begin(db, e))
		return false;
	if (!audit_add(db, call->now_s, call->operator, "batch.rejects", b.source, b.period, e) ||
	    !db_commit(db, e)) {
		db_rollback(db);
		return false;
	}
	call->content_type =
		b.intake.encoding == ENCODING_GB18030 ? "text/csv; charset=gb18030" : "text/csv; charset=utf-8";
	return batch_rejects(&call->central->release, id, call->out, e);
}

static bool release_batch(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) &&
	       batch_release(&call->central->release, id, http_query(call->request, "reason"), call->operator,
			     call->now_s, e) &&
	       batch_answer(call, id, e);
}

static bool discard_batch(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) &&
	       batch_discard(&call->central->release, id, http_query(call->request, "reason"), call->operator,
			     call->now_s, e) &&
	       batch_answer(call, id, e);
}

static bool expire(struct api_call *call, struct err *e)
{
	const char *source = http_query(call->request, "source");
	struct expiry x = { .source = source != NULL ? source : "",
			    .look = http_query(call->request, "look") != NULL };
	bool more = false;
	if (!api_query_int(call, "older_than", 1, EXPIRE_DAYS_MAX, 0, &x.older_days, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "batches", '[');
	bool ok = batch_expire(&call->central->release, &x, http_query(call->request, "reason"), call->operator,
			       call->now_s, each_batch, &call->json, &more, e);
	json_close(&call->json, ']');
	json_put_bool(&call->json, "more", more);
	json_close(&call->json, '}');
	return ok;
}

const struct api_route api_ingest_routes[] = {
	{ "GET", "/v1/sources", false, source_list },
	{ "POST", "/v1/sources", true, catalogue_import },
	{ "GET", "/v1/sources/%", false, source_show },
	{ "POST", "/v1/sources/%/batches", true, open_batch },
	{ "POST", "/v1/sources/%/upload", true, upload },
	{ "GET", "/v1/batches", false, batch_list },
	{ "GET", "/v1/batches/%", false, batch_show },
	{ "POST", "/v1/batches/expire", true, expire },
	{ "POST", "/v1/batches/%/parts", true, part_add },
	{ "POST", "/v1/batches/%/check", true, check_slice },
	{ "GET", "/v1/batches/%/rejects", true, rejects_show },
	{ "POST", "/v1/batches/%/release", true, release_batch },
	{ "POST", "/v1/batches/%/discard", true, discard_batch },
	{ 0 },
};
