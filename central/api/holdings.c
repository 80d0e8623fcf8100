/* Holders' consents, bookings, and who was given what, for operators. */
#include "central/api/args.h"
#include "central/centrald.h"
#include "central/registry/holdings.h"

#include <stdlib.h>
#include <string.h>

#define ACCESSES_MAX 1000

/* A time that may be missing or null: otherwise. */
static bool time_take(const struct json *j, const char *key, int64_t otherwise, int64_t *out, struct err *e)
{
	const struct json *v = json_get(j, key);
	*out = otherwise;
	return v == NULL || json_kind(v) == JSON_KIND_NULL || json_int(j, key, 0, INT64_MAX - 1, out, e);
}

static void time_put(struct json_out *w, const char *key, int64_t time_s)
{
	if (time_s == INT64_MAX)
		json_put_null(w, key);
	else
		json_put_int(w, key, time_s);
}

/* --- consents --- */

static bool consent_take(struct api_call *call, const struct json *j, struct buf sets[3], int64_t *id, struct err *e)
{
	static const char *const names[] = { "kinds", "purposes", "branches" };
	static const size_t longest[] = { ECERT_PART_MAX, PURPOSE_MAX, NAME_MAX_LEN };
	struct consent_new n = { 0 };
	struct identifier holder;
	if (!api_holder(j, "holder", &holder, e))
		return false;
	n.holder_kind = holder.kind;
	memcpy(n.holder, holder.canonical, sizeof(n.holder));
	for (size_t i = 0; i < 3; i++)
		if (!api_set(j, names[i], longest[i], &sets[i], e))
			return false;
	n.kinds = buf_str(&sets[0]);
	n.purposes = buf_str(&sets[1]);
	n.branches = buf_str(&sets[2]);
	return time_take(j, "from_s", call->now_s, &n.from_s, e) && time_take(j, "to_s", INT64_MAX, &n.to_s, e) &&
	       consent_add(&call->central->release, &n, call->operator, call->now_s, id, e);
}

/* POST {"holder": {"kind","number"}, "kinds", "purposes", "branches": sets, "from_s", "to_s": null until withdrawn} */
static bool consent_create(struct api_call *call, struct err *e)
{
	struct buf sets[3];
	int64_t id = 0;
	struct json *j = api_body(call, "holder kinds purposes branches from_s to_s", e);
	if (j == NULL)
		return false;
	for (size_t i = 0; i < 3; i++)
		buf_init(&sets[i], HOLDINGS_SET_MAX + 1);
	bool ok = consent_take(call, j, sets, &id, e);
	for (size_t i = 0; i < 3; i++)
		buf_clear(&sets[i]);
	json_free(j);
	if (!ok)
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "consent", id);
	json_close(&call->json, '}');
	return true;
}

static void consent_put(void *arg, const struct consent_row *r)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_int(w, "consent", r->id);
	json_put_text(w, "kinds", r->kinds);
	json_put_text(w, "purposes", r->purposes);
	json_put_text(w, "branches", r->branches);
	json_put_int(w, "from_s", r->from_s);
	time_put(w, "to_s", r->to_s);
	json_put_text(w, "created_by", r->created_by);
	json_put_int(w, "created_s", r->created_s);
	json_close(w, '}');
}

static bool consents_show(struct api_call *call, struct err *e)
{
	struct identifier holder;
	if (!api_holder_asked(call, "consent.search", &holder, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "consents", '[');
	bool ok = consent_each(&call->central->release, holder.kind, holder.canonical, consent_put, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

/* Who is to be told, after the commit: each once. */
struct told {
	size_t len;
	char (*branches)[NAME_MAX_LEN + 1]; /* owned */
};

static void told_add(void *arg, const char *branch)
{
	struct told *t = arg;
	if (t->len > 0 && strcmp(t->branches[t->len - 1], branch) == 0) /* they come in order */
		return;
	t->branches = realloc(t->branches, (t->len + 1) * sizeof(*t->branches));
	if (t->branches == NULL)
		abort();
	strncpy(t->branches[t->len], branch, NAME_MAX_LEN);
	t->branches[t->len++][NAME_MAX_LEN] = '\0';
}

static bool consent_end(struct api_call *call, struct err *e)
{
	struct told told = { 0 };
	int64_t id = 0;
	bool ok = api_id(call, &id, e) &&
		  consent_withdraw(&call->central->release, id, call->operator, call->now_s, told_add, &told, e);
	for (size_t i = 0; ok && call->central->sync != NULL && i < told.len; i++)
		central_sync_nudge(call->central->sync, told.branches[i]);
	free(told.branches);
	if (!ok)
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "consent", id);
	json_put_int(&call->json, "branches", (int64_t)told.len);
	json_close(&call->json, '}');
	return true;
}

/* --- bookings --- */

static bool booking_take(struct api_call *call, const struct json *j, struct buf *kinds, struct booking_new *n,
			 uint64_t *items, struct err *e)
{
	struct identifier holder;
	if (!json_text(j, "branch", NAME_MAX_LEN, &n->branch, e) || !api_holder(j, "holder", &holder, e) ||
	    !api_set(j, "kinds", ECERT_PART_MAX, kinds, e) || !json_text(j, "purpose", PURPOSE_MAX, &n->purpose, e) ||
	    !json_int(j, "until_s", 0, INT64_MAX - 1, &n->until_s, e))
		return false;
	n->holder_kind = holder.kind;
	memcpy(n->holder, holder.canonical, sizeof(n->holder));
	n->kinds = buf_str(kinds);
	return booking_add(&call->central->release, n, call->operator, call->now_s, items, e);
}

/* POST {"branch", "holder": {"kind","number"}, "kinds": set, "purpose", "until_s"} */
static bool booking_create(struct api_call *call, struct err *e)
{
	struct booking_new n = { 0 };
	struct buf kinds;
	uint64_t items = 0;
	struct json *j = api_body(call, "branch holder kinds purpose until_s", e);
	if (j == NULL)
		return false;
	buf_init(&kinds, HOLDINGS_SET_MAX + 1);
	bool ok = booking_take(call, j, &kinds, &n, &items, e);
	if (ok && call->central->sync != NULL)
		central_sync_nudge(call->central->sync, n.branch);
	if (ok) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "branch", n.branch);
		json_put_int(&call->json, "certificates", (int64_t)items);
		json_close(&call->json, '}');
	}
	buf_clear(&kinds);
	json_free(j);
	return ok;
}

/* --- accesses --- */

static void access_put(void *arg, const struct access_row *r)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_int(w, "time_s", r->time_s);
	json_put_text(w, "branch", r->branch);
	json_put_text(w, "terminal", r->terminal);
	json_put_text(w, "kind", r->kind);
	json_put_text(w, "purpose", r->purpose);
	json_put_text(w, "result", r->result == ERR_NONE ? "given" : err_name(r->result));
	json_put_int(w, "given", r->given);
	json_close(w, '}');
}

static bool accesses_show(struct api_call *call, struct err *e)
{
	struct identifier holder;
	if (!api_holder_asked(call, "access.search", &holder, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "accesses", '[');
	bool ok = access_each(&call->central->release, holder.kind, holder.canonical, ACCESSES_MAX, access_put,
			      &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

const struct api_route api_holdings_routes[] = {
	{ "POST", "/v1/consents", true, consent_create },         { "GET", "/v1/consents", true, consents_show },
	{ "POST", "/v1/consents/%/withdraw", true, consent_end }, { "POST", "/v1/bookings", true, booking_create },
	{ "GET", "/v1/accesses", true, accesses_show },           { 0 },
};
