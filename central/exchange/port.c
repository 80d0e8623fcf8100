/*
 * A lane is a platform's port: its socket and at most one request under way. Lanes are made anew with gate's configuration; what was
 * under way then has no answer, which the line knows how to mend.
 */
#include "central/exchange/port.h"

#include "protocol/base/file.h"
#include "protocol/base/gate.h"
#include "protocol/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS  60000
#define ANSWER_MAX (EXCHANGE_PAGE_MAX + HTTP_HEADERS_MAX)
#define WORD_MS    100    /* gate's word on a lost connection may come a little later than its end */
#define CHUNKS_MAX 65536U /* what chunked coding adds to a page */

struct lane {
	struct exchange_port *port;
	char name[NAME_MAX_LEN + 1];
	char socket[108];
	char why[160]; /* gate's last word on it */
	int fd;        /* -1: nothing is under way */
	struct loop_fd *watch;
	struct loop_timer *deadline;
	struct buf out, in;
	size_t put;
	bool left; /* without an answer */
};

struct exchange_port {
	struct loop *loop;
	struct exchange_port_config config;
	struct exchange_line *line;
	struct loop_timer *timer;
	struct proc *gate;
	struct lane lanes[EXCHANGES_MAX];
	size_t lanes_len;
};

static void step_soon(struct exchange_port *p)
{
	loop_timer_set(p->timer, 0);
}

static void on_timer(void *arg)
{
	struct exchange_port *p = arg;
	int64_t now = p->config.now_s(), next = exchange_line_step(p->line, now);
	if (next == EXCHANGE_NEVER_S)
		return;
	int64_t wait_s = next > now ? next - now : 0;
	loop_timer_set(p->timer, wait_s > 3600 ? 3600000 : wait_s * 1000);
}

/* --- one request and its answer --- */

static void lane_shut(struct lane *l)
{
	loop_fd_free(l->watch);
	l->watch = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	loop_timer_stop(l->deadline);
	buf_wipe(&l->out);
	buf_wipe(&l->in);
}

static void lane_done(struct lane *l, const struct http_answer *answer, const struct err *why)
{
	struct exchange_port *p = l->port;
	lane_shut(l);
	exchange_line_answered(p->line, l->name, answer, why, p->config.now_s());
	step_soon(p);
}

static void lane_failed(struct lane *l, const char *what)
{
	struct err why = { 0 };
	err_set(&why, ERR_IO, "%s%s%s", what, l->why[0] != '\0' ? ": " : "", l->why);
	lane_done(l, NULL, &why);
}

static void on_deadline(void *arg)
{
	struct lane *l = arg;
	lane_failed(l, l->left ? "the platform was not reached, or left without an answer" : "no answer in time");
}

static void lane_write(struct lane *l)
{
	ssize_t n = send(l->fd, l->out.data + l->put, l->out.len - l->put, MSG_NOSIGNAL);
	if (n > 0)
		l->put += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		l->put = l->out.len; /* an answer may stand there already */
	if (l->put == l->out.len)
		loop_fd_set(l->watch, LOOP_READ);
}

static void answer_look(struct lane *l, bool ended)
{
	struct http_answer a;
	struct err why = { 0 };
	http_answer_init(&a, EXCHANGE_PAGE_MAX);
	switch (http_answer_read(buf_bytes(&l->in), ended, &a, &why)) {
	case HTTP_ANSWER_MORE: break;
	case HTTP_ANSWER_WHOLE: lane_done(l, &a, NULL); break;
	case HTTP_ANSWER_BROKEN:
		l->left = l->in.len == 0;
		if (!l->left) {
			lane_failed(l, why.text);
			break;
		}
		loop_fd_set(l->watch, 0);
		loop_timer_set(l->deadline, WORD_MS);
		break;
	}
	http_answer_clear(&a);
}

static void lane_read(struct lane *l)
{
	uint8_t part[65536];
	ssize_t n = recv(l->fd, part, sizeof(part), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !buf_add(&l->in, part, (size_t)n)) {
		lane_failed(l, "the answer is longer than a page may be");
		return;
	}
	answer_look(l, n <= 0);
}

static void on_ready(void *arg, unsigned what)
{
	struct lane *l = arg;
	if ((what & LOOP_WRITE) != 0)
		lane_write(l);
	if ((what & LOOP_READ) != 0)
		lane_read(l);
}

static bool lane_connect(struct lane *l, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", l->socket);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && connect(l->fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	err_set(e, ERR_IO, "gate is not there yet: %s", strerror(errno));
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	return false;
}

static struct lane *lane_of(struct exchange_port *p, const char *name)
{
	for (size_t i = 0; i < p->lanes_len; i++)
		if (strcmp(p->lanes[i].name, name) == 0)
			return &p->lanes[i];
	return NULL;
}

static bool lane_send(void *arg, const char *name, struct bytes request, struct err *e)
{
	struct exchange_port *p = arg;
	struct lane *l = lane_of(p, name);
	if (l == NULL)
		return err_set(e, ERR_IO, "gate was not told of it yet");
	if (!lane_connect(l, e))
		return false;
	l->why[0] = '\0';
	l->put = 0;
	l->left = false;
	buf_init(&l->out, request.len);
	buf_init(&l->in, ANSWER_MAX + CHUNKS_MAX);
	buf_add(&l->out, request.data, request.len);
	l->watch = loop_fd_new(p->loop, l->fd, LOOP_READ | LOOP_WRITE, on_ready, l);
	loop_timer_set(l->deadline, p->config.answer_ms != 0 ? p->config.answer_ms : ANSWER_MS);
	return true;
}

/* --- gate --- */

static bool gate_port_set(struct exchange_port *p, const struct exchange *x, const struct exchange_identity *id,
			  struct gate_port *g, struct err *e)
{
	struct exchange_url u;
	const struct lane *l = lane_of(p, x->name);
	if (l == NULL || !exchange_url_read(x->url, &u, e))
		return false;
	*g = (struct gate_port){ .port = u.port };
	snprintf(g->name, sizeof(g->name), "%s", x->name);
	snprintf(g->host, sizeof(g->host), "%s", u.host);
	snprintf(g->socket, sizeof(g->socket), "%s", l->socket);
	g->cert = buf_bytes(&id->certificate);
	g->key = buf_bytes(&id->key);
	g->ca = buf_bytes(&id->ca);
	return true;
}

static void gate_config_send(struct exchange_port *p, const struct gate_config *g)
{
	struct buf payload;
	struct err e = { 0 };
	buf_init(&payload, FRAME_MAX - 1);
	if (!gate_config_encode(g, &payload, &e) || !proc_send(p->gate, GATE_CONFIG, buf_bytes(&payload)))
		log_error("the exchange's gate was not configured", "why=\"%s\"", e.text);
	buf_wipe(&payload);
}

/* A platform whose files are gone or spoilt is left out; the others go on. */
static void on_started(void *arg)
{
	struct exchange_port *p = arg;
	struct exchange *all = calloc(EXCHANGES_MAX, sizeof(*all));
	struct exchange_identity ids[EXCHANGES_MAX];
	struct gate_config *g = calloc(1, sizeof(*g));
	struct err e = { 0 };
	size_t len = 0, ids_len = 0;
	if (all == NULL || g == NULL)
		abort();
	g->now_s = p->config.now_s();
	snprintf(g->run_dir, sizeof(g->run_dir), "%s", p->config.run_dir);
	if (!exchange_all(p->config.release, all, &len, &e))
		log_error("the exchange's gate was not configured", "why=\"%s\"", e.text);
	for (size_t i = 0; i < len; i++) {
		if (!exchange_identity_load(&all[i], p->config.dir, &ids[ids_len], &e)) {
			log_error("a platform is left out", "platform=%s why=\"%s\"", all[i].name, e.text);
			continue;
		}
		if (gate_port_set(p, &all[i], &ids[ids_len++], &g->ports[g->ports_len], &e))
			g->ports_len++;
	}
	gate_config_send(p, g);
	for (size_t i = 0; i < ids_len; i++)
		exchange_identity_clear(&ids[i]);
	free(all);
	free(g);
}

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct exchange_port *p = arg;
	struct gate_event v;
	struct err e = { 0 };
	if (type != GATE_EVENT || !gate_event_decode(payload, &v, &e)) {
		log_warn("the exchange's gate said something else", "type=%u why=%s", type, e.text);
		return;
	}
	struct lane *l = lane_of(p, v.port_name);
	switch (v.kind) {
	case GATE_LISTENING: step_soon(p); break;
	case GATE_CONNECTED: break;
	case GATE_FAILED:
		log_warn("exchange", "platform=%s why=\"%s\"", v.port_name, v.text);
		if (l != NULL)
			snprintf(l->why, sizeof(l->why), "%s", v.text);
		break;
	case GATE_SANDBOX: log_info("the exchange's gate is sandboxed", "how=%s", v.text); break;
	}
}

static void on_stopped(void *arg, const char *why)
{
	(void)arg;
	log_warn("the exchange's gate stopped and is started again", "why=%s", why);
}

/* --- open and close --- */

static void lanes_clear(struct exchange_port *p)
{
	for (size_t i = 0; i < p->lanes_len; i++) {
		struct lane *l = &p->lanes[i];
		if (l->fd >= 0)
			lane_failed(l, "the platforms' gate is started afresh");
		lane_shut(l);
		loop_timer_free(l->deadline);
	}
	p->lanes_len = 0;
}

static bool lanes_make(struct exchange_port *p, struct err *e)
{
	struct exchange *all = calloc(EXCHANGES_MAX, sizeof(*all));
	size_t len = 0;
	if (all == NULL)
		abort();
	bool ok = exchange_all(p->config.release, all, &len, e);
	for (size_t i = 0; ok && i < len; i++) {
		struct lane *l = &p->lanes[i];
		*l = (struct lane){ .port = p, .fd = -1 };
		snprintf(l->name, sizeof(l->name), "%s", all[i].name);
		snprintf(l->socket, sizeof(l->socket), "%.95s/%02zu.sock", p->config.run_dir, i);
		buf_init(&l->out, 0);
		buf_init(&l->in, 0);
		l->deadline = loop_timer_new(p->loop, on_deadline, l);
		p->lanes_len = i + 1;
	}
	free(all);
	return ok;
}

static bool lanes_begin(struct exchange_port *p, struct err *e)
{
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	if (!lanes_make(p, e))
		return false;
	if (p->lanes_len > 0)
		p->gate = proc_start(p->loop, p->config.role, &events, p);
	return true;
}

void exchange_port_changed(struct exchange_port *p)
{
	struct err e = { 0 };
	proc_stop(p->gate);
	p->gate = NULL;
	lanes_clear(p);
	if (!lanes_begin(p, &e))
		log_error("the exchange was not set up", "why=\"%s\"", e.text);
}

void exchange_port_due(struct exchange_port *p)
{
	step_soon(p);
}

void exchange_port_clock(struct exchange_port *p)
{
	if (p->gate != NULL)
		gate_clock_send(p->gate, p->config.now_s());
}

struct exchange_port *exchange_port_open(struct loop *l, const struct exchange_port_config *c, struct err *e)
{
	struct exchange_port *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->loop = l;
	p->config = *c;
	p->line = exchange_line_new(&(struct exchange_line_config){ c->release, p, lane_send });
	p->timer = loop_timer_new(l, on_timer, p);
	if (file_make_dir(c->run_dir, e) && lanes_begin(p, e))
		return p;
	exchange_port_close(p);
	return NULL;
}

void exchange_port_close(struct exchange_port *p)
{
	if (p == NULL)
		return;
	proc_stop(p->gate);
	for (size_t i = 0; i < p->lanes_len; i++) { /* what is under way is sent again after the next start */
		lane_shut(&p->lanes[i]);
		loop_timer_free(p->lanes[i].deadline);
	}
	loop_timer_free(p->timer);
	exchange_line_free(p->line);
	free(p);
}
