#include "central/centrald.h"
#include "central/release/document.h"
#include "central/score/models.h"
#include "protocol/base/log.h"
#include "protocol/ecert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_EVERY 16 /* releases */

static const char *kind_name(const struct release *r)
{
	if (r->kind != RELEASE_CENTRAL)
		return r->kind == RELEASE_LIST ? "list" : "document";
	return release_family_of(r->name, RELEASE_MODEL) != NULL ? "model" : "inputs";
}

static void release_put(struct json_out *w, const struct release *r)
{
	char why[200];
	bool guarded = release_guard(r, why, sizeof(why));
	json_open(w, NULL, '{');
	json_put_int(w, "id", r->id);
	json_put_text(w, "name", r->name);
	json_put_text(w, "kind", kind_name(r));
	json_put_text(w, "state", release_state_name(r->state));
	json_put_text(w, "state_zh", release_state_zh(r->state));
	json_put_int(w, "version", (int64_t)r->version);
	json_put_int(w, "base_version", (int64_t)r->base_version);
	json_put_bool(w, "forced", r->forced);
	json_put_text(w, "guard", guarded ? why : "");
	json_put_text(w, "source", r->source);
	json_put_text(w, "created_by", r->created_by);
	json_put_int(w, "created_s", r->created_s);
	json_put_text(w, "submitted_by", r->submitted_by);
	json_put_text(w, "decided_by", r->decided_by);
	json_put_text(w, "published_by", r->published_by);
	json_put_int(w, "published_s", r->published_s);
	json_put_int(w, "rows", (int64_t)r->import.rows);
	json_put_int(w, "imported", (int64_t)r->import.entries);
	json_put_int(w, "rejects", (int64_t)r->import.rejects);
	json_put_int(w, "ignored", (int64_t)r->import.ignored);
	json_put_int(w, "duplicates", (int64_t)r->duplicates);
	json_put_int(w, "count", (int64_t)r->count);
	json_put_int(w, "base_count", (int64_t)r->base_count);
	json_put_int(w, "added", (int64_t)r->added);
	json_put_int(w, "removed", (int64_t)r->removed);
	json_put_int(w, "changed", (int64_t)r->changed);
	json_put_int(w, "size_bytes", (int64_t)r->content.size);
	json_put_int(w, "delta_bytes", (int64_t)r->delta.size);
	char hex[2 * HASH_LEN + 1];
	hex_encode(r->content.hash, HASH_LEN, hex);
	json_put_text(w, "content_sha256", hex);
	json_close(w, '}');
}

bool api_release_answer(struct api_call *call, int64_t id, struct err *e)
{
	struct release r;
	if (!release_load(&call->central->release, id, &r, e))
		return false;
	release_put(&call->json, &r);
	return true;
}

/* The registry alone says what stands in its list. */
static bool operators_list(const char *name, struct err *e)
{
	return strcmp(name, ECERT_LIST) != 0 ||
	       err_set(e, ERR_DENIED, "%s is made from the registry: revoke or suspend certificates there", name);
}

static bool list_import(struct api_call *call, struct err *e)
{
	struct http_request *r = call->request;
	const char *format = http_query(r, "format"), *mode = http_query(r, "mode"),
		   *source = http_query(r, "source");
	struct list_draft d = { .name = call->path_rest,
				.source = source != NULL ? source : "",
				.operator= call->operator,
				.now_s = call->now_s };
	int64_t reason = 0, id = 0;
	if (!operators_list(d.name, e))
		return false;
	if (!import_format_of(format != NULL ? format : "auto", &d.format))
		return err_set(e, ERR_INPUT, "format: expected auto, csv or ofac-sdn");
	if (!draft_mode_of(mode != NULL ? mode : "replace", &d.mode))
		return err_set(e, ERR_INPUT, "mode: expected replace, add or remove");
	if (!api_query_int(call, "reason", 1, 255, 1, &reason, e))
		return false;
	d.reason = (uint8_t)reason;
	return list_draft_import(&call->central->release, &d, http_body(r), &id, e) &&
	       api_release_answer(call, id, e);
}

static bool document_import(struct api_call *call, struct err *e)
{
	const char *source = http_query(call->request, "source");
	int64_t id = 0;
	return document_draft_import(&call->central->release, call->path_rest, source != NULL ? source : "",
				     http_body(call->request), call->operator, call->now_s, &id, e) &&
	       api_release_answer(call, id, e);
}

static bool rollback(struct api_call *call, struct err *e)
{
	int64_t version = 0, id = 0;
	if (!operators_list(call->path_rest, e))
		return false;
	if (!api_query_int(call, "version", 1, INT64_MAX, 0, &version, e))
		return false;
	if (version == 0)
		return err_set(e, ERR_INPUT, "version: say which one to go back to");
	return release_rollback(&call->central->release, call->path_rest, (uint64_t)version, call->operator,
				call->now_s, &id, e) &&
	       api_release_answer(call, id, e);
}

static void each_put(void *arg, const struct release *r)
{
	release_put(arg, r);
}

static bool release_list(struct api_call *call, struct err *e)
{
	const char *name = http_query(call->request, "name");
	int64_t limit = 0;
	if (!api_query_int(call, "limit", 1, 10000, 50, &limit, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "releases", '[');
	bool ok = release_each(&call->central->release, name != NULL ? name : "", (size_t)limit, each_put,
			       &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool release_show(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) && api_release_answer(call, id, e);
}

static void change_put(void *arg, const struct release_change *v)
{
	static const char *const kinds[] = { "", "added", "removed", "changed" };
	struct json_out *w = arg;
	char tag[17];
	snprintf(tag, sizeof(tag), "%016llx", (unsigned long long)v->tag);
	json_open(w, NULL, '{');
	json_put_text(w, "change", kinds[v->kind]);
	json_put_text(w, "tag", tag);
	json_put_text(w, "shown", v->shown);
	json_put_int(w, "reason", entry_reason(v->value));
	if (entry_last_day(v->value) != ENTRY_NO_END)
		json_put_int(w, "until_day", entry_last_day(v->value) + ENTRY_DAY_ZERO);
	if (v->kind == CHANGE_CHANGED)
		json_put_int(w, "old_reason", entry_reason(v->old_value));
	json_close(w, '}');
}

/* A document's content as JSON text, or a model's PMML, to be compared line by line. "" for version 0. */
static bool document_text(struct release_context *c, const struct release *r, struct buf *out, struct err *e)
{
	struct file_map map;
	if (r->content.size == 0)
		return true;
	if (r->kind == RELEASE_CENTRAL && release_family_of(r->name, RELEASE_MODEL) != NULL) {
		char hash[MODEL_HEX + 1];
		hex_encode(r->content.hash, HASH_LEN, hash);
		return model_document(c, hash, out, e);
	}
	if (!objects_map(c->objects, r->content.hash, &map, e))
		return false;
	bool ok = document_to_json(map.bytes, out, e);
	file_unmap(&map);
	return ok;
}

static bool document_diff(struct api_call *call, const struct release *r, struct err *e)
{
	struct release now;
	struct buf before, after;
	buf_init(&before, (size_t)4 * DOCUMENT_MAX);
	buf_init(&after, (size_t)4 * DOCUMENT_MAX);
	bool ok = release_current(&call->central->release, r->name, &now, e) &&
		  document_text(&call->central->release, &now, &before, e) &&
		  document_text(&call->central->release, r, &after, e);
	if (ok) {
		json_put_text_n(&call->json, "before", buf_bytes(&before));
		json_put_text_n(&call->json, "after", buf_bytes(&after));
	}
	buf_clear(&before);
	buf_clear(&after);
	return ok;
}

static bool diff_show(struct api_call *call, struct err *e)
{
	struct release r;
	int64_t id = 0, limit = 0;
	if (!api_id(call, &id, e) || !api_query_int(call, "limit", 0, 100000, 20, &limit, e) ||
	    !release_load(&call->central->release, id, &r, e))
		return false;
	struct json_out *w = &call->json;
	json_open(w, NULL, '{');
	json_put_int(w, "id", id);
	json_put_text(w, "name", r.name);
	json_put_int(w, "base_version", (int64_t)r.base_version);
	json_put_int(w, "version", (int64_t)r.version);
	json_put_int(w, "base_count", (int64_t)r.base_count);
	json_put_int(w, "count", (int64_t)r.count);
	json_put_int(w, "added", (int64_t)r.added);
	json_put_int(w, "removed", (int64_t)r.removed);
	json_put_int(w, "changed", (int64_t)r.changed);
	char why[200];
	json_put_text(w, "guard", release_guard(&r, why, sizeof(why)) ? why : "");
	bool ok;
	if (r.kind != RELEASE_LIST) {
		ok = document_diff(call, &r, e);
	} else {
		json_open(w, "changes", '[');
		ok = release_diff(&call->central->release, id, (size_t)limit, change_put, w, e);
		json_close(w, ']');
	}
	json_close(w, '}');
	return ok;
}

static bool rejects_show(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	call->content_type = "text/csv; charset=utf-8";
	return api_id(call, &id, e) && release_rejects_csv(&call->central->release, id, call->out, e);
}

static bool submit(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	const char *force = http_query(call->request, "force");
	return api_id(call, &id, e) &&
	       release_submit(&call->central->release, id, call->operator, force != NULL && strcmp(force, "1") == 0,
			      call->now_s, e) &&
	       api_release_answer(call, id, e);
}

static bool approve(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) && release_approve(&call->central->release, id, call->operator, call->now_s, e) &&
	       api_release_answer(call, id, e);
}

static bool reject(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	return api_id(call, &id, e) && release_reject(&call->central->release, id, call->operator, call->now_s, e) &&
	       api_release_answer(call, id, e);
}

/* What it can't remove now it removes another time. */
static void sweep_sometimes(const struct api_call *call, int64_t id)
{
	struct err e = { 0 };
	if (id % SWEEP_EVERY == 0 && !release_sweep(&call->central->release, call->now_s, &e))
		log_warn("old objects could not be removed", "why=\"%s\"", e.text);
}

static bool publish(struct api_call *call, struct err *e)
{
	int64_t id = 0;
	if (!api_id(call, &id, e) || !release_publish(&call->central->release, id, call->operator, call->now_s, e))
		return false;
	if (call->central->sync != NULL)
		central_sync_released(call->central->sync);
	sweep_sometimes(call, id);
	return api_release_answer(call, id, e);
}

const struct api_route api_release_routes[] = {
	{ "POST", "/v1/lists/%/import", true, list_import },
	{ "POST", "/v1/documents/%/import", true, document_import },
	{ "POST", "/v1/rollback/%", true, rollback },
	{ "GET", "/v1/releases", false, release_list },
	{ "GET", "/v1/releases/%", false, release_show },
	{ "GET", "/v1/releases/%/diff", false, diff_show },
	{ "GET", "/v1/releases/%/rejects", true, rejects_show },
	{ "POST", "/v1/releases/%/submit", true, submit },
	{ "POST", "/v1/releases/%/approve", true, approve },
	{ "POST", "/v1/releases/%/reject", true, reject },
	{ "POST", "/v1/releases/%/publish", true, publish },
	{ 0 },
};
