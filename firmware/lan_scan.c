/* Scans: what a turn (lan_turn.c) does with one, looks at old ones, and the duties. */
#include "firmware/lan_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUTY_MS      2000
#define DUTIES_SHOWN 100

static void scan_free(void *request)
{
	scan_request_clear(request);
	free(request);
}

static bool scan_append(struct lan *l, struct lan_pending *p, const struct scan *s, const struct verdict *v,
			struct err *e)
{
	struct buf body;
	const struct record_name name = { s->id, s->terminal, s->request_id, p->hash };
	buf_init(&body, LAN_ROW_MAX);
	bool ok = true;
	if (!scan_encode(s, &body, e)) {
		lan_pending_fail(p, 500, e);
	} else {
		ok = record_append(l->c.record, s->time_s, JOURNAL_SCAN, buf_bytes(&body), &name, e) &&
		     (s->outcome != SCAN_ACCEPT_WITH_DUTY || duties_add(&l->duties, s, &v->identity, e));
		p->decided = ok;
		p->outcome = s->outcome;
		p->code = s->code;
	}
	buf_clear(&body);
	return ok;
}

static bool scan_show(struct lan *l, struct lan_pending *p, struct bytes body, struct err *e)
{
	struct scan s;
	enum scan_code turned;
	if (!scan_decode(body, &s, e) || !duties_code(&l->duties, s.id, &turned, e))
		return false;
	scan_json(&s, record_key(l->c.record), turned, &p->reply);
	p->outcome = s.outcome;
	p->status = 200;
	return buf_ok(&p->reply, "scan", e);
}

static bool scan_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	const struct verify_setting setting = { .policy = documents_verify_policy(l->c.documents),
						.source = l->source,
						.now_s = lan_clock_s(l),
						.clock_trusted = l->c.clock->trusted };
	const struct scan_context context = { setting.now_s, l->c.random, record_key(l->c.record) };
	struct verdict v;
	struct scan s;
	struct buf sealed;
	bool ok = true;
	buf_init(&sealed, SCAN_SEALED_MAX);
	scan_run(&setting, p->request, &v);
	if (!scan_fill(&v, p->request, &context, &s, &sealed, e)) {
		lan_pending_fail(p, 500, e);
	} else if ((ok = scan_append(l, p, &s, &v, e)) && p->decided) {
		scan_json(&s, context.journal_key, 0, &p->reply);
		p->status = 200;
	}
	buf_clear(&sealed);
	return ok;
}

static void scan_done(struct lan *l, const struct lan_pending *p)
{
	if (!p->decided)
		return;
	l->n.scans[p->code]++;
	l->n.scan_outcomes[p->outcome]++;
	streams_publish(l->streams, p->terminal, "verdict", buf_bytes(&p->reply));
	if (p->outcome != SCAN_ACCEPT_WITH_DUTY)
		return;
	l->duties.open++;
	loop_timer_set(l->duty_timer, DUTY_MS);
}

/* --- pictures: the text is looked for in a process of its own, and the scan joins the turn in which it is found --- */

struct lan_image {
	struct lan *lan;
	struct lan_pending *pending;
	struct scan_image *work;
	struct lan_image *next;
};

static void image_unlink(struct lan_image *i)
{
	struct lan_image **at = &i->lan->images;
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	i->lan->images_open--;
}

static void image_fail(struct lan *l, struct lan_pending *p, int status, const struct err *e)
{
	lan_reply_error(l, p->http, status, e);
	lan_pending_free(p);
}

static void on_image(void *arg, enum scan_image_fault fault, struct bytes text)
{
	struct lan_image *i = arg;
	struct lan_pending *p = i->pending;
	struct scan_request *r = p->request;
	struct err e = { 0 };
	image_unlink(i);
	if (fault == SCAN_IMAGE_OK) {
		buf_reset(&r->text);
		buf_add(&r->text, text.data, text.len);
		lan_pending_add(i->lan, p);
	} else {
		bool ours = fault == SCAN_IMAGE_FAILED;
		(void)err_set(&e, ours ? ERR_IO : ERR_INPUT, "image: %s", scan_image_fault_text(fault));
		image_fail(i->lan, p, ours ? 500 : 400, &e);
	}
	free(i);
}

static void image_start(struct lan *l, struct lan_pending *p)
{
	struct scan_request *r = p->request;
	struct err e = { 0 };
	if (l->images_open == LAN_IMAGES_MAX) {
		(void)err_set(&e, ERR_FULL, "%d pictures are being read; try again", LAN_IMAGES_MAX);
		image_fail(l, p, 503, &e);
		return;
	}
	struct lan_image *i = calloc(1, sizeof(*i));
	if (i == NULL)
		abort();
	*i = (struct lan_image){ l, p, NULL, l->images };
	i->work = scan_image_start(l->c.loop, buf_bytes(&r->image), on_image, i, &e);
	if (i->work == NULL) {
		free(i);
		image_fail(l, p, 500, &e);
		return;
	}
	buf_clear(&r->image);
	l->images = i;
	l->images_open++;
}

void lan_images_end(struct lan *l)
{
	while (l->images != NULL) {
		struct lan_image *i = l->images;
		l->images = i->next;
		scan_image_cancel(i->work);
		lan_pending_free(i->pending);
		free(i);
	}
}

static enum lan_sign scan_sign(unsigned outcome)
{
	return outcome == SCAN_ACCEPT ? LAN_PASS : outcome == SCAN_REFUSE ? LAN_STOP : LAN_CARE;
}

static const struct lan_kind scan_kind = { scan_decide, scan_show, scan_done, scan_free, scan_sign };

void lan_scan_add(struct lan *l, struct scan_request *r)
{
	struct lan_pending *p = lan_pending_new(NULL, &scan_kind);
	p->request = r;
	lan_pending_name(p, r->terminal, "");
	lan_pending_add(l, p);
}

static bool scan_parse(struct lan *l, struct lan_pending *p, const char *terminal, struct err *e)
{
	struct scan_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	p->request = r;
	if (!scan_request_parse(http_body(p->http), r, e))
		return false;
	snprintf(r->terminal, sizeof(r->terminal), "%s", terminal);
	lan_pending_name(p, terminal, r->request_id);
	return lan_can_answer(l, e);
}

void lan_scan(struct lan *l, struct http_request *r, const char *terminal)
{
	struct err e = { 0 };
	struct lan_pending *p = lan_pending_new(r, &scan_kind);
	if (scan_parse(l, p, terminal, &e)) {
		const struct scan_request *asked = p->request;
		if (asked->image.len > 0)
			image_start(l, p);
		else
			lan_pending_add(l, p);
		return;
	}
	lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
	lan_pending_free(p);
}

void lan_scan_show(struct lan *l, struct http_request *r, const char *id)
{
	uint8_t raw[SCAN_ID_LEN];
	struct buf body;
	struct err e = { 0 };
	struct lan_pending p = { .http = r };
	buf_init(&body, JOURNAL_ROW_MAX);
	buf_init(&p.reply, LAN_REPLY_MAX);
	bool ok = (strlen(id) == sizeof(raw) * 2 && hex_decode(id, raw, sizeof(raw))) ||
		  err_set(&e, ERR_MISSING, "no such scan");
	ok = ok && record_find(l->c.record, JOURNAL_SCAN, raw, &body, &e) && scan_show(l, &p, buf_bytes(&body), &e);
	if (ok)
		lan_reply(l, r, 200, &p.reply);
	else
		lan_reply_error(l, r, e.code == ERR_MISSING ? 404 : 500, &e);
	buf_clear(&body);
	buf_clear(&p.reply);
}

/* --- duties --- */

static void duty_put(void *arg, const struct duty_turned *t, int64_t opened_s)
{
	struct json_out *w = arg;
	char id[2 * SCAN_ID_LEN + 1];
	hex_encode(t->id, SCAN_ID_LEN, id);
	json_open(w, NULL, '{');
	json_put_text(w, "scan_id", id);
	json_put_text(w, "terminal", t->terminal);
	if (opened_s > 0)
		json_put_int(w, "scanned_s", opened_s);
	json_put_text(w, "state", t->code == 0 ? "open" : "turned");
	if (t->code != 0) {
		json_put_text(w, "code", scan_code_name(t->code));
		json_open(w, "text", '{');
		json_put_text(w, "zh", verify_code_zh(t->code));
		json_put_text(w, "en", verify_code_en(t->code));
		json_close(w, '}');
	}
	json_close(w, '}');
}

void lan_duties(struct lan *l, struct http_request *r, const char *terminal)
{
	struct buf out;
	struct json_out w = { &out, false };
	struct err e = { 0 };
	buf_init(&out, LAN_REPLY_MAX);
	json_open(&w, NULL, '{');
	json_open(&w, "duties", '[');
	bool ok = duties_each(&l->duties, strcmp(terminal, TERMINAL_LOCAL) == 0 ? "" : terminal, DUTIES_SHOWN,
			      duty_put, &w, &e);
	json_close(&w, ']');
	json_close(&w, '}');
	if (ok && buf_ok(&out, "duties", &e))
		lan_reply(l, r, 200, &out);
	else
		lan_reply_error(l, r, 500, &e);
	buf_clear(&out);
}

static void on_turned(void *arg, const struct duty_turned *t)
{
	struct lan *l = arg;
	struct buf out;
	struct json_out w = { &out, false };
	l->n.duties_turned++;
	buf_init(&out, 4096);
	duty_put(&w, t, 0);
	streams_publish(l->streams, t->terminal, "turned", buf_bytes(&out));
	buf_clear(&out);
}

/* Not between a turn's rows: it has a transaction of its own. */
void lan_duty_timer(void *arg)
{
	struct lan *l = arg;
	struct err e = { 0 };
	uint64_t closed = 0;
	lan_finish(l);
	bool ok = !l->reload_due || record_reload(l->c.record, &e);
	l->reload_due = !ok;
	if (ok && !duties_run(&l->duties, l->source, lan_clock_s(l), on_turned, l, &closed, &e)) {
		l->reload_due = true;
		ok = false;
	}
	if (!ok || closed > 0)
		lan_written(l, ok, &e);
	l->n.duties_closed += closed;
	if (closed > 0)
		l->c.recorded(l->c.arg);
	if (l->duties.open > 0)
		loop_timer_set(l->duty_timer, DUTY_MS);
}
