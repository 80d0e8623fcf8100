#include "central/signer/signer.h"

#include "central/signer/wire.h"
#include "protocol/base/limits.h"
#include "protocol/cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question {
	uint64_t id; /* 0: free */
	signer_done *done;
	void *arg;
};

struct signer {
	struct proc *proc;
	struct signer_events on;
	void *arg;
	char dir[256];
	bool ready, known;
	uint8_t head_key[POINT_LEN];
	uint64_t last_id;
	struct question questions[SIGNER_QUESTIONS_MAX];
};

static struct question *question_find(struct signer *s, uint64_t id)
{
	for (size_t i = 0; i < SIGNER_QUESTIONS_MAX; i++) {
		if (s->questions[i].id == id)
			return &s->questions[i];
	}
	return NULL;
}

static void question_end(struct question *q, struct bytes result, const struct err *why)
{
	struct question ended = *q;
	*q = (struct question){ 0 };
	ended.done(ended.arg, result, why);
}

static void on_started(void *arg)
{
	struct signer *s = arg;
	struct buf out;
	buf_init(&out, 512);
	cbor_put_array(&out, 1);
	cbor_put_text(&out, s->dir);
	proc_send(s->proc, SIGNER_CONFIG, buf_bytes(&out));
	buf_clear(&out);
}

static bool take_ready(struct signer *s, struct cbor *c)
{
	char how[160];
	if (!cbor_expect_array(c, 2, NULL) || !cbor_get_bytes_exact(c, s->head_key, POINT_LEN, NULL) ||
	    !cbor_get_string(c, how, sizeof(how), NULL) || !cbor_end(c, NULL))
		return false;
	s->ready = s->known = true;
	s->on.ready(s->arg, how);
	return true;
}

static bool take_answer(struct signer *s, struct cbor *c)
{
	uint64_t id = 0, code = 0;
	struct err why = { 0 };
	struct bytes result;
	if (!cbor_expect_array(c, 4, NULL) || !cbor_get_uint(c, &id, NULL) ||
	    !cbor_get_uint_max(c, ERR_IO, &code, NULL) || !cbor_get_string(c, why.text, sizeof(why.text), NULL) ||
	    !cbor_get_bytes(c, &result, NULL) || !cbor_end(c, NULL) || id == 0)
		return false;
	why.code = (enum err_code)code;
	struct question *q = question_find(s, id);
	if (q != NULL)
		question_end(q, code == ERR_NONE ? result : (struct bytes){ NULL, 0 },
			     code == ERR_NONE ? NULL : &why);
	return true;
}

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct signer *s = arg;
	struct cbor c = cbor_over(payload);
	bool ok = type == SIGNER_READY ? take_ready(s, &c) : type == SIGNER_ANSWER && take_answer(s, &c);
	if (!ok)
		proc_restart(s->proc);
}

static void on_stopped(void *arg, const char *why)
{
	struct signer *s = arg;
	struct err e = { .code = ERR_IO };
	snprintf(e.text, sizeof(e.text), "the signer stopped: %.180s", why);
	s->ready = false;
	for (size_t i = 0; i < SIGNER_QUESTIONS_MAX; i++) {
		if (s->questions[i].id != 0)
			question_end(&s->questions[i], (struct bytes){ NULL, 0 }, &e);
	}
	s->on.stopped(s->arg, why);
}

struct signer *signer_start(struct loop *l, const char *role, const char *dir, const struct signer_events *on,
			    void *arg)
{
	static const struct proc_events events = { on_started, on_frame, on_stopped };
	struct signer *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->on = *on;
	s->arg = arg;
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	s->proc = proc_start(l, role, &events, s);
	return s;
}

void signer_stop(struct signer *s)
{
	if (s == NULL)
		return;
	memset(s->questions, 0, sizeof(s->questions));
	proc_stop(s->proc);
	free(s);
}

bool signer_is_ready(const struct signer *s)
{
	return s->ready;
}

const uint8_t *signer_head_key(const struct signer *s)
{
	return s->known ? s->head_key : NULL;
}

int signer_pid(const struct signer *s)
{
	return proc_pid(s->proc);
}

/* A question's id, or 0 with e set. */
static uint64_t question_new(struct signer *s, signer_done *done, void *arg, struct err *e)
{
	struct question *q = question_find(s, 0);
	if (!s->ready) {
		err_set(e, ERR_IO, "the signer is not running");
		return 0;
	}
	if (q == NULL) {
		err_set(e, ERR_FULL, "the signer has %d questions open", SIGNER_QUESTIONS_MAX);
		return 0;
	}
	*q = (struct question){ ++s->last_id, done, arg };
	return q->id;
}

/* Its frame, an array of so many items, with the id: the caller adds the rest and clears it. 0 when there is no place. */
static uint64_t question_begin(struct signer *s, size_t items, signer_done *done, void *arg, struct buf *out,
			       struct err *e)
{
	uint64_t id = question_new(s, done, arg, e);
	if (id == 0)
		return 0;
	buf_init(out, FRAME_MAX - 1);
	cbor_put_array(out, items);
	cbor_put_uint(out, id);
	return id;
}

/* Sends what was built, or takes the question back. */
static bool question_send(struct signer *s, uint64_t id, enum signer_frame type, const struct buf *out, struct err *e)
{
	bool ok = buf_ok(out, "question to the signer", e) && (proc_send(s->proc, (uint8_t)type, buf_bytes(out)) ||
							       err_set(e, ERR_IO, "the signer is not running"));
	struct question *q = question_find(s, id);
	if (!ok && q != NULL)
		*q = (struct question){ 0 };
	return ok;
}

static bool payload_ask(struct signer *s, enum signer_frame type, struct bytes payload, signer_done *done, void *arg,
			struct err *e)
{
	struct buf out;
	uint64_t id = question_begin(s, 2, done, arg, &out, e);
	if (id == 0)
		return false;
	cbor_put_bytes(&out, payload);
	bool ok = question_send(s, id, type, &out, e);
	buf_clear(&out);
	return ok;
}

bool signer_head(struct signer *s, struct bytes payload, signer_done *done, void *arg, struct err *e)
{
	return payload_ask(s, SIGNER_HEAD, payload, done, arg, e);
}

bool signer_daily(struct signer *s, struct bytes payload, signer_done *done, void *arg, struct err *e)
{
	return payload_ask(s, SIGNER_DAILY, payload, done, arg, e);
}

bool signer_issue(struct signer *s, const struct signer_request *r, signer_done *done, void *arg, struct err *e)
{
	struct buf out;
	uint64_t id = question_begin(s, 6, done, arg, &out, e);
	if (id == 0)
		return false;
	cbor_put_text(&out, r->name);
	cbor_put_bytes(&out, r->csr);
	cbor_put_int(&out, r->from_s);
	cbor_put_int(&out, r->to_s);
	cbor_put_array(&out, r->sans_len);
	for (size_t i = 0; i < r->sans_len; i++)
		cbor_put_text(&out, r->sans[i]);
	bool ok = question_send(s, id, SIGNER_ISSUE, &out, e);
	buf_clear(&out);
	return ok;
}

bool signer_issuer_key(struct signer *s, const char *issuer, signer_done *done, void *arg, struct err *e)
{
	struct buf out;
	uint64_t id = question_begin(s, 2, done, arg, &out, e);
	if (id == 0)
		return false;
	cbor_put_text(&out, issuer);
	bool ok = question_send(s, id, SIGNER_KEY, &out, e);
	buf_clear(&out);
	return ok;
}

bool signer_certificate(struct signer *s, const struct signer_certificate *c, signer_done *done, void *arg,
			struct err *e)
{
	struct buf out;
	uint64_t id = question_begin(s, 5, done, arg, &out, e);
	if (id == 0)
		return false;
	cbor_put_text(&out, c->issuer);
	cbor_put_bytes(&out, c->kid);
	cbor_put_bytes(&out, c->sealed);
	cbor_put_bytes(&out, c->cwt);
	bool ok = question_send(s, id, SIGNER_CERT, &out, e);
	buf_clear(&out);
	return ok;
}

void signer_cancel(struct signer *s, const void *arg)
{
	for (size_t i = 0; i < SIGNER_QUESTIONS_MAX; i++) {
		if (s->questions[i].arg == arg)
			s->questions[i] = (struct question){ 0 };
	}
}
