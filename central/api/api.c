#include "central/api/api.h"

#include "central/centrald.h"
#include "protocol/base/limits.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEGMENT_MAX 128

/* A request whose answer comes in a later turn. */
struct api_later {
	struct api *api;
	struct http_request *request;
	void (*gone)(void *arg);
	void *arg;
	struct api_later *next;
};

struct api {
	struct http_server *http;
	struct central *central;
	struct api_later *open; /* owned */
};

static int status_of(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return 200;
	case ERR_INPUT: return 400;
	case ERR_DENIED: return 403;
	case ERR_MISSING: return 404;
	case ERR_CONFLICT:
	case ERR_STALE: return 409;
	case ERR_FULL: return 507;
	case ERR_IO: return 500;
	}
	return 500;
}

static void reply_error(struct http_request *r, int status, enum err_code code, const char *message)
{
	struct buf out;
	buf_init(&out, 4096);
	struct json_out w = { .out = &out };
	json_open(&w, NULL, '{');
	json_put_text(&w, "error", err_name(code));
	json_put_text(&w, "message_zh", err_zh(code));
	json_put_text(&w, "message", message);
	json_close(&w, '}');
	http_reply(r, status, "application/json", buf_bytes(&out));
	buf_clear(&out);
}

/* The path against a route's: the one segment that stands for % goes to rest. */
static bool path_fits(const char *path, const char *route, char rest[SEGMENT_MAX])
{
	for (; *route != '\0'; route++) {
		if (*route != '%') {
			if (*path++ != *route)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");
		if (len == 0 || len >= SEGMENT_MAX)
			return false;
		memcpy(rest, path, len);
		rest[len] = '\0';
		path += len;
	}
	return *path == '\0';
}

static const struct api_route *const areas[] = {
	api_release_routes, api_branch_routes,     api_operator_routes, api_registry_routes,  api_holdings_routes,
	api_update_routes,  api_score_routes,      api_ingest_routes,   api_subject_routes,   api_ledger_routes,
	api_carbon_routes,  api_guarantee_routes,  api_subsidy_routes,  api_exchange_routes,  api_objection_routes,
	api_report_routes,  api_department_routes, api_green_routes,    api_green_own_routes, api_carbon_use_routes,
};

/* NULL when there is none; *known says whether the path exists under another method. */
static const struct api_route *route_find(const struct http_request *r, char rest[SEGMENT_MAX], bool *known)
{
	*known = false;
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		for (const struct api_route *t = areas[i]; t->method != NULL; t++) {
			if (!path_fits(http_path(r), t->path, rest))
				continue;
			if (strcmp(t->method, http_method(r)) == 0)
				return t;
			*known = true;
		}
	}
	return NULL;
}

/* Found by the hash of what was sent, so nothing about the stored ones shows in the time this takes. */
static bool operator_find(struct db *db, const char *header, char out[NAME_MAX_LEN + 1], struct err *e)
{
	static const char scheme[] = "Bearer ";
	uint8_t hash[HASH_LEN];
	bool row = false, ok = false;
	if (header == NULL || strncmp(header, scheme, sizeof(scheme) - 1) != 0)
		return err_set(e, ERR_DENIED, "this step needs an operator's token (--token-file or XINBIAN_TOKEN)");
	sha256(bytes_of(header + sizeof(scheme) - 1), hash);
	struct db_query *q = db_query(db, "SELECT name FROM operator WHERE token_hash = ? AND revoked_s IS NULL", e);
	if (q == NULL)
		return false;
	if (db_bind_bytes(q, 1, (struct bytes){ hash, HASH_LEN }, e) && db_next(q, &row, e)) {
		ok = row || err_set(e, ERR_DENIED, "the operator's token is not known or was revoked");
		if (row)
			snprintf(out, NAME_MAX_LEN + 1, "%s", db_text(q, 0));
	}
	db_finish(q);
	return ok;
}

static void route_run(struct api *a, const struct api_route *t, struct http_request *r, const char *rest)
{
	struct buf out;
	struct err e = { .code = ERR_IO };
	struct api_call call = { .central = a->central,
				 .request = r,
				 .now_s = time(NULL),
				 .path_rest = rest,
				 .out = &out,
				 .content_type = "application/json" };
	buf_init(&out, API_ANSWER_MAX);
	call.json.out = &out;
	call.api = a;
	bool ok = (!t->operator_needed ||
		   operator_find(a->central->release.db, http_header(r, "Authorization"), call.operator, & e)) &&
		  t->handle(&call, &e) && buf_ok(&out, "the answer", &e);
	if (ok && call.later) {
		; /* api_finish answers */
	} else if (ok) {
		http_reply(r, 200, call.content_type, buf_bytes(&out));
	} else {
		log_warn("a step was refused", "method=%s path=%s operator=%s error=%s message=%s", t->method,
			 t->path, call.operator, err_name(e.code), e.text);
		reply_error(r, status_of(e.code), e.code, e.text);
	}
	buf_clear(&out);
}

static void handle(struct http_request *r, void *arg)
{
	char rest[SEGMENT_MAX] = "";
	bool known = false;
	const struct api_route *t = route_find(r, rest, &known);
	if (t != NULL)
		route_run(arg, t, r, rest);
	else if (known)
		reply_error(r, 405, ERR_INPUT, "this address does not take that method");
	else
		reply_error(r, 404, ERR_MISSING, "there is no such address");
}

struct api *api_open(struct loop *l, struct central *central, const char *socket_path, struct err *e)
{
	const struct http_config c = { .path = socket_path, .body_max = HTTP_UPLOAD_MAX, .idle_timeout_s = 60 };
	struct api *a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	a->central = central;
	a->http = http_listen(l, &c, handle, a, e);
	if (a->http != NULL)
		return a;
	free(a);
	return NULL;
}

void api_close(struct api *a)
{
	if (a == NULL)
		return;
	http_close(a->http);
	while (a->open != NULL) {
		struct api_later *l = a->open;
		a->open = l->next;
		l->gone(l->arg);
		free(l);
	}
	free(a);
}

struct api_later *api_later(struct api_call *call, void (*gone)(void *arg), void *arg)
{
	struct api_later *l = calloc(1, sizeof(*l));
	if (l == NULL)
		abort();
	*l = (struct api_later){ call->api, call->request, gone, arg, call->api->open };
	call->api->open = l;
	call->later = true;
	return l;
}

static void later_unlink(struct api_later *l)
{
	struct api_later **at = &l->api->open;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
}

void api_finish_as(struct api_later *l, const char *content_type, struct bytes answer)
{
	later_unlink(l);
	http_reply(l->request, 200, content_type, answer);
	free(l);
}

void api_finish(struct api_later *l, const struct buf *json, const struct err *why)
{
	if (json != NULL) {
		api_finish_as(l, "application/json", buf_bytes(json));
		return;
	}
	later_unlink(l);
	log_warn("a step was refused", "path=later error=%s message=%s", err_name(why->code), why->text);
	reply_error(l->request, status_of(why->code), why->code, why->text);
	free(l);
}

static bool number_parse(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end = NULL;
	if (strlen(text) > 18)
		return false;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *out >= least && *out <= most;
}

bool api_query_int(const struct api_call *call, const char *key, int64_t least, int64_t most, int64_t otherwise,
		   int64_t *out, struct err *e)
{
	const char *text = http_query(call->request, key);
	*out = otherwise;
	return text == NULL || number_parse(text, least, most, out) ||
	       err_set(e, ERR_INPUT, "%s: expected a number from %lld to %lld", key, (long long)least,
		       (long long)most);
}

bool api_id(const struct api_call *call, int64_t *id, struct err *e)
{
	return number_parse(call->path_rest, 1, INT64_MAX, id) ||
	       err_set(e, ERR_INPUT, "expected a number in the address");
}
