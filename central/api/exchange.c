/* Exchange with other platforms, for operators. */
#include "central/api/args.h"
#include "central/centrald.h"
#include "central/exchange/port.h"

#include <stdio.h>
#include <string.h>

#define DEAD_SHOWN_MAX 1000

static bool exchange_put(struct api_call *call, const struct exchange *x, struct err *e)
{
	struct json_out *w = &call->json;
	struct exchange_counts n;
	if (!exchange_count(&call->central->release, x->name, &n, e))
		return false;
	json_open(w, NULL, '{');
	json_put_text(w, "name", x->name);
	json_put_text(w, "url", x->url);
	json_put_text(w, "direction", x->direction == EXCHANGE_PUSH ? "push" : "pull");
	json_put_text(w, "kind", exchange_kind_name(x->kind));
	json_put_text(w, "of", x->what);
	json_put_text(w, "subject", exchange_subject_name(x->subject));
	json_put_int(w, "waiting", n.waiting);
	json_put_int(w, "taken", n.taken);
	json_put_int(w, "dead", n.dead);
	json_put_text(w, "period", x->period);
	json_put_int(w, "pages", x->pages);
	json_put_int(w, "tries", x->tries);
	json_put_int(w, "next_s", x->tries > 0 && x->next_s != EXCHANGE_NEVER_S ? x->next_s : 0);
	json_put_int(w, "ok_s", x->ok_s);
	json_put_text(w, "fault", x->fault);
	json_put_text(w, "created_by", x->created_by);
	json_put_int(w, "created_s", x->created_s);
	json_close(w, '}');
	return true;
}

static bool exchange_answer(struct api_call *call, const char *name, struct err *e)
{
	struct exchange x;
	return exchange_load(&call->central->release, name, &x, e) && exchange_put(call, &x, e);
}

static bool exchanges_show(struct api_call *call, struct err *e)
{
	static struct exchange all[EXCHANGES_MAX];
	size_t len = 0;
	bool ok = exchange_all(&call->central->release, all, &len, e);
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "platforms", '[');
	for (size_t i = 0; ok && i < len; i++)
		ok = exchange_put(call, &all[i], e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool text_copy(const struct json *j, const char *key, bool needed, char *out, size_t size, struct err *e)
{
	const char *v = NULL;
	if (!(needed ? json_text(j, key, size - 1, &v, e) : json_text_opt(j, key, size - 1, &v, e)))
		return false;
	snprintf(out, size, "%s", v != NULL ? v : "");
	return true;
}

static bool kind_read(const char *text, struct exchange *x, struct err *e)
{
	for (enum exchange_kind k = EXCHANGE_SCORES; k <= EXCHANGE_RECORDS; k++) {
		if (strcmp(exchange_kind_name(k), text) == 0) {
			x->kind = k;
			return true;
		}
	}
	return err_set(e, ERR_INPUT, "kind: expected scores, releases or records");
}

static bool subject_read(const char *text, struct exchange *x, struct err *e)
{
	for (enum exchange_subject s = EXCHANGE_SUBJECT_NONE; s <= EXCHANGE_SUBJECT_SEALED; s++) {
		if (text[0] == '\0' || strcmp(exchange_subject_name(s), text) == 0) {
			x->subject = s;
			return true;
		}
	}
	return err_set(e, ERR_INPUT, "subject: expected hash or sealed");
}

static bool where_read(const struct json *j, struct exchange *x, struct err *e)
{
	return text_copy(j, "name", true, x->name, sizeof(x->name), e) &&
	       text_copy(j, "url", true, x->url, sizeof(x->url), e) &&
	       text_copy(j, "certificate", true, x->certificate, sizeof(x->certificate), e) &&
	       text_copy(j, "key", true, x->key, sizeof(x->key), e) &&
	       text_copy(j, "ca", true, x->ca, sizeof(x->ca), e);
}

static bool exchange_parse(const struct json *j, struct exchange *x, struct err *e)
{
	char direction[8], kind[16], subject[16];
	if (!json_only(j, "name url certificate key ca direction kind of subject subject_key", e) ||
	    !where_read(j, x, e) || !text_copy(j, "direction", true, direction, sizeof(direction), e) ||
	    !text_copy(j, "kind", true, kind, sizeof(kind), e) ||
	    !text_copy(j, "of", false, x->what, sizeof(x->what), e) ||
	    !text_copy(j, "subject", false, subject, sizeof(subject), e) ||
	    !text_copy(j, "subject_key", false, x->subject_key, sizeof(x->subject_key), e))
		return false;
	if (strcmp(direction, "push") != 0 && strcmp(direction, "pull") != 0)
		return err_set(e, ERR_INPUT, "direction: expected push or pull");
	x->direction = strcmp(direction, "push") == 0 ? EXCHANGE_PUSH : EXCHANGE_PULL;
	return kind_read(kind, x, e) && subject_read(subject, x, e);
}

static bool exchange_new(struct api_call *call, struct err *e)
{
	struct exchange x = { 0 };
	struct json *j = json_parse(http_body(call->request), e);
	if (j == NULL)
		return false;
	bool ok = exchange_parse(j, &x, e) &&
		  exchange_add(&call->central->release, call->central->dir, &x, call->operator, call->now_s, e);
	json_free(j);
	if (!ok)
		return false;
	exchange_port_changed(call->central->exchange);
	return exchange_answer(call, x.name, e);
}

static bool exchange_stop(struct api_call *call, struct err *e)
{
	if (!exchange_end(&call->central->release, call->path_rest, call->operator, call->now_s, e))
		return false;
	exchange_port_changed(call->central->exchange);
	return exchanges_show(call, e);
}

static bool push(struct api_call *call, struct err *e)
{
	struct exchange_pushed p;
	if (!exchange_push(&call->central->release, call->central->dir, call->path_rest, call->operator, call->now_s,
			   &p, e))
		return false;
	exchange_port_due(call->central->exchange);
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "queued", p.queued);
	json_put_int(&call->json, "skipped", p.skipped);
	json_put_bool(&call->json, "more", p.more);
	json_close(&call->json, '}');
	return true;
}

static bool pull(struct api_call *call, struct err *e)
{
	const char *period = http_query(call->request, "period");
	if (!exchange_pull(&call->central->release, call->path_rest, period != NULL ? period : "", call->operator,
			   call->now_s, e))
		return false;
	exchange_port_due(call->central->exchange);
	return exchange_answer(call, call->path_rest, e);
}

static void dead_put(void *arg, int64_t id, const char *key, int64_t tries, const char *fault, int64_t made_s)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_int(w, "id", id);
	json_put_text(w, "key", key);
	json_put_int(w, "tries", tries);
	json_put_text(w, "fault", fault);
	json_put_int(w, "made_s", made_s);
	json_close(w, '}');
}

static bool dead_show(struct api_call *call, struct err *e)
{
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "dead", '[');
	bool ok = exchange_dead_each(&call->central->release, call->path_rest, DEAD_SHOWN_MAX, dead_put, &call->json,
				     e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool requeue(struct api_call *call, struct err *e)
{
	int64_t id = 0, n = 0;
	if (!api_query_int(call, "id", 1, INT64_MAX, 0, &id, e) ||
	    !exchange_requeue(&call->central->release, call->path_rest, id, call->operator, call->now_s, &n, e))
		return false;
	exchange_port_due(call->central->exchange);
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "requeued", n);
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_exchange_routes[] = {
	{ "GET", "/v1/exchanges", false, exchanges_show },      { "POST", "/v1/exchanges", true, exchange_new },
	{ "POST", "/v1/exchanges/%/push", true, push },         { "POST", "/v1/exchanges/%/pull", true, pull },
	{ "GET", "/v1/exchanges/%/dead", false, dead_show },    { "POST", "/v1/exchanges/%/requeue", true, requeue },
	{ "POST", "/v1/exchanges/%/end", true, exchange_stop }, { 0 },
};
