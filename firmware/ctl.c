/*
 * DIR/ctl.sock, which branchctl speaks: HTTP with JSON, mode 0600; who can open it owns the box, so nobody is asked for a
 * credential. Errors are those of lan.h.
 *
 *   GET  /v1/status, /healthz, /metrics, /v1/decisions/{id}    as in lan.h
 *   POST /v1/checks                        as there, as the terminal "local"
 *   POST /v1/cache/wipe                    → 200 {"wiped"}: all that is kept of customers, overwritten
 *   GET  /v1/terminals                     {"terminals": [{"name","enabled","certificate","added_s","revoked_s"}]}
 *   POST /v1/terminals                     {"name","certificate"} → 201 {"name","token"}, shown this once; null by certificate
 *   POST /v1/terminals/{name}/revoke       → 200 {"name"}
 *   POST /enrol/begin                      {"host","port","ca"} → {"csr","seal_key","socket"}
 *   GET  /enrol                            {"enrolling","fault"}: why gate could not reach central
 *   POST /enrol/finish                     central's answer → {"branch"}
 */
#include "firmware/branch.h"
#include "protocol/base/json.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <string.h>

struct call {
	struct branch *branch;
	struct http_request *http;
	char name[NAME_MAX_LEN + 1]; /* what stands for the % in the route */
	struct json *body;           /* of a POST that needs one */
	struct json_out out;
	int status; /* 200 unless the handler says otherwise */
};

typedef bool call_handler(struct call *c, struct err *e);

static void put_terminal(struct json_out *w, const struct terminal_info *t)
{
	json_open(w, NULL, '{');
	json_put_text(w, "name", t->name);
	json_put_bool(w, "enabled", t->enabled);
	json_put_bool(w, "certificate", t->by_certificate);
	json_put_int(w, "added_s", t->added_s);
	json_put_int(w, "revoked_s", t->revoked_s);
	json_close(w, '}');
}

static bool terminals_get(struct call *c, struct err *e)
{
	const struct terminals *t = c->branch->terminals;
	(void)e;
	json_open(&c->out, "terminals", '[');
	for (size_t i = 0; i < terminals_len(t); i++)
		put_terminal(&c->out, terminals_at(t, i));
	json_close(&c->out, ']');
	return true;
}

static bool terminals_post(struct call *c, struct err *e)
{
	const char *name;
	bool by_certificate = false;
	char token[TERMINAL_TOKEN_LEN + 1];
	if (!json_only(c->body, "name certificate", e) || !json_text(c->body, "name", NAME_MAX_LEN, &name, e) ||
	    (json_get(c->body, "certificate") != NULL && !json_bool(c->body, "certificate", &by_certificate, e)) ||
	    !terminal_add(c->branch->terminals, name, by_certificate, branch_clock_s(c->branch), &random_system,
			  token, e))
		return false;
	c->status = 201;
	json_put_text(&c->out, "name", name);
	json_put_text(&c->out, "token", by_certificate ? NULL : token);
	explicit_bzero(token, sizeof(token));
	log_info("terminal added", "name=%s", name);
	return true;
}

static bool terminals_revoke(struct call *c, struct err *e)
{
	if (!terminal_revoke(c->branch->terminals, c->name, branch_clock_s(c->branch), e))
		return false;
	json_put_text(&c->out, "name", c->name);
	log_info("terminal revoked", "name=%s", c->name);
	return true;
}

static bool cache_wipe_post(struct call *c, struct err *e)
{
	struct branch *b = c->branch;
	uint64_t items = b->cache.items;
	if (!cache_wipe(&b->cache, e))
		return false;
	json_put_int(&c->out, "wiped", (int64_t)items);
	log_info("the cache was wiped", "items=%llu", (unsigned long long)items);
	return true;
}

static bool ctl_enrol_begin(struct call *c, struct err *e)
{
	const char *host, *ca;
	int64_t port;
	char point[2 * POINT_LEN + 1], socket[108];
	struct branch *b = c->branch;
	if (!tamper_may_enrol(b, e) || !json_only(c->body, "host port ca", e) ||
	    !json_text(c->body, "host", 255, &host, e) || !json_int(c->body, "port", 1, 65535, &port, e) ||
	    !json_text(c->body, "ca", 2UL * PKI_CERT_MAX, &ca, e) || !line_enrol(b, host, (int)port, bytes_of(ca), e))
		return false;
	hex_encode(b->line.request.seal_point, POINT_LEN, point);
	snprintf(socket, sizeof(socket), "%s/enrol.sock", b->run_dir);
	json_put_text_n(&c->out, "csr", buf_bytes(&b->line.request.csr));
	json_put_text(&c->out, "seal_key", point);
	json_put_text(&c->out, "socket", socket);
	return true;
}

static bool ctl_enrol_get(struct call *c, struct err *e)
{
	(void)e;
	json_put_bool(&c->out, "enrolling", c->branch->line.enrolling);
	json_put_text(&c->out, "fault", c->branch->line.enrol_fault);
	return true;
}

/* From here on it is that branch; HTTPS and MQTT open by themselves. */
static bool ctl_enrol_finish(struct call *c, struct err *e)
{
	struct branch *b = c->branch;
	if (!b->line.enrolling)
		return err_set(e, ERR_CONFLICT, "no enrolment has begun here");
	if (b->lists == NULL)
		return err_set(e, ERR_CONFLICT, "still loading");
	if (!tamper_may_enrol(b, e) || !membership_finish(b->db, &b->vault, &b->line.request, http_body(c->http), e))
		return false;
	line_enrol_end(b);
	membership_clear(&b->membership);
	if (!membership_load(b->db, &b->vault, &b->membership, e) || !line_join(b, e))
		return false;
	tamper_enrolled(b);
	json_put_text(&c->out, "branch", b->membership.sync.branch);
	log_info("enrolled", "branch=%s", b->membership.sync.branch);
	return true;
}

static const struct ctl_route {
	const char *method, *path; /* % is one name */
	bool body;
	call_handler *handle;
} routes[] = {
	{ "GET", "/v1/terminals", false, terminals_get },
	{ "POST", "/v1/terminals", true, terminals_post },
	{ "POST", "/v1/terminals/%/revoke", false, terminals_revoke },
	{ "POST", "/v1/cache/wipe", false, cache_wipe_post },
	{ "GET", "/enrol", false, ctl_enrol_get },
	{ "POST", "/enrol/begin", true, ctl_enrol_begin },
	{ "POST", "/enrol/finish", true, ctl_enrol_finish },
};

static bool route_match(const char *route, const char *path, char name[NAME_MAX_LEN + 1])
{
	const char *hole = strchr(route, '%');
	if (hole == NULL)
		return strcmp(route, path) == 0;
	size_t head = (size_t)(hole - route), len = strcspn(path + (strlen(path) < head ? strlen(path) : head), "/");
	if (strncmp(route, path, head) != 0 || len == 0 || len > NAME_MAX_LEN ||
	    strcmp(path + head + len, hole + 1) != 0)
		return false;
	memcpy(name, path + head, len);
	name[len] = '\0';
	return true;
}

static void call_run(struct branch *b, struct http_request *r, const struct ctl_route *route, const char *name)
{
	struct buf text;
	struct call c = { .branch = b, .http = r, .out = { .out = &text }, .status = 200 };
	struct err e = { 0 };
	buf_init(&text, 262144);
	snprintf(c.name, sizeof(c.name), "%s", name);
	c.body = route->body ? json_parse(http_body(r), &e) : NULL;
	json_open(&c.out, NULL, '{');
	bool ok = (!route->body || c.body != NULL) && route->handle(&c, &e);
	json_close(&c.out, '}');
	if (ok && buf_ok(&text, "answer", &e))
		lan_reply(b->lan, r, c.status, &text);
	else
		lan_reply_error(b->lan, r, lan_status_of(e.code), &e);
	buf_wipe(&text);
	json_free(c.body);
}

void ctl_handle(struct http_request *r, void *arg)
{
	struct branch *b = arg;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		char name[NAME_MAX_LEN + 1] = "";
		if (strcmp(http_method(r), routes[i].method) != 0 || !route_match(routes[i].path, http_path(r), name))
			continue;
		if (!routes[i].body || lan_is_json(b->lan, r))
			call_run(b, r, &routes[i], name);
		return;
	}
	lan_handle_as(b->lan, r, TERMINAL_LOCAL);
}
