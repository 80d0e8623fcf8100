/* Scanners on this box: what they read becomes a scan of the terminal they belong to, in the context that terminal has set. */
#include "firmware/lan_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_MAX_S 600

static struct lan_context *context_of(struct lan *l, const char *terminal)
{
	struct lan_context *spare = NULL;
	int64_t now_ms = loop_now_ms();
	for (size_t i = 0; i < LAN_CONTEXTS_MAX; i++) {
		struct lan_context *c = &l->contexts[i];
		if (c->until_ms <= now_ms && c->terminal[0] != '\0')
			explicit_bzero(c, sizeof(*c));
		if (strcmp(c->terminal, terminal) == 0)
			return c;
		if (c->terminal[0] == '\0')
			spare = c;
	}
	return spare;
}

static bool context_read(const struct json *j, struct lan_context *c, int64_t *for_s, struct err *e)
{
	const char *business = NULL;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "business holder for_s", e) || !json_int(j, "for_s", 0, CONTEXT_MAX_S, for_s, e) ||
	    !json_text_opt(j, "business", NAME_MAX_LEN, &business, e))
		return false;
	if (business != NULL && !name_is_valid(business))
		return err_set(e, ERR_INPUT, "business: it is no name");
	snprintf(c->business, sizeof(c->business), "%s", business != NULL ? business : "");
	c->has_holder = json_get(j, "holder") != NULL;
	return !c->has_holder || check_party_parse(j, "holder", &c->holder, e);
}

static bool context_set(struct lan *l, struct http_request *r, const char *terminal, int64_t *for_s, struct err *e)
{
	struct lan_context asked = { 0 };
	struct json *j = json_parse(http_body(r), e);
	if (j == NULL)
		return false;
	bool ok = context_read(j, &asked, for_s, e);
	json_free(j);
	if (!ok)
		return false;
	struct lan_context *c = context_of(l, terminal);
	if (c == NULL)
		return err_set(e, ERR_FULL, "%d terminals have set a context", LAN_CONTEXTS_MAX);
	*c = asked;
	snprintf(c->terminal, sizeof(c->terminal), "%s", terminal);
	c->until_ms = loop_now_ms() + *for_s * 1000;
	explicit_bzero(&asked, sizeof(asked));
	return true;
}

void lan_scanning(struct lan *l, struct http_request *r, const char *terminal)
{
	struct buf out;
	struct json_out w = { &out, false };
	struct err e = { 0 };
	int64_t for_s = 0;
	if (!context_set(l, r, terminal, &for_s, &e)) {
		lan_reply_error(l, r, e.code == ERR_FULL ? 503 : lan_status_of(e.code), &e);
		return;
	}
	buf_init(&out, 256);
	json_open(&w, NULL, '{');
	json_put_text(&w, "terminal", terminal);
	json_put_int(&w, "for_s", for_s);
	json_close(&w, '}');
	lan_reply(l, r, 200, &out);
	buf_clear(&out);
}

void lan_device_scan(struct lan *l, const struct scanner_config *config, struct bytes raw)
{
	struct err e = { 0 };
	struct scan_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	if (!lan_can_answer(l, &e)) {
		free(r);
		l->n.device_scans_lost++;
		return;
	}
	buf_init(&r->text, SCAN_RAW_MAX + 1);
	buf_init(&r->image, 0);
	buf_add(&r->text, raw.data, raw.len);
	snprintf(r->terminal, sizeof(r->terminal), "%s", config->terminal);
	snprintf(r->source, sizeof(r->source), "%s", config->name);
	snprintf(r->business, sizeof(r->business), "%s", config->business);
	const struct lan_context *c = context_of(l, config->terminal);
	if (c != NULL && c->terminal[0] != '\0') {
		if (c->business[0] != '\0')
			memcpy(r->business, c->business, sizeof(r->business));
		r->has_holder = c->has_holder;
		r->holder = c->holder;
	}
	lan_scan_add(l, r);
}

void lan_stream(struct lan *l, struct http_request *r, const char *terminal)
{
	struct err e = { 0 };
	if (!streams_open(l->streams, r, terminal, &e))
		lan_reply_error(l, r, 503, &e);
}

void lan_forget(struct lan *l)
{
	explicit_bzero(l->contexts, sizeof(l->contexts));
}

void lan_scanners(struct lan *l, struct scanner *const *scanners, size_t len)
{
	l->scanners = scanners;
	l->scanners_len = len;
}

void lan_put_scanners(const struct lan *l, struct json_out *w)
{
	json_open(w, "scanners", '[');
	for (size_t i = 0; i < l->scanners_len; i++) {
		struct scanner_info s;
		scanner_info(l->scanners[i], &s);
		json_open(w, NULL, '{');
		json_put_text(w, "name", s.config->name);
		json_put_text(w, "device", s.config->device);
		json_put_text(w, "terminal", s.config->terminal);
		json_put_bool(w, "connected", s.connected);
		json_put_int(w, "scans", (int64_t)s.scans);
		json_put_text(w, "fault", s.fault);
		json_close(w, '}');
	}
	json_close(w, ']');
}
