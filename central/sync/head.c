/*
 * Idle → (due) a sequence is taken and committed → the signer has it → signed: it goes out → idle until a minute has passed.
 * A sequence taken is never taken again, whatever becomes of its head: it stands in the database before anyone signs it, and is
 * never below the clock's seconds, so that a database restored from an old copy does not fall behind the branches either.
 */
#include "central/store/store.h"
#include "central/sync/inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE_KEY    "head.sequence"
#define SIGN_BACKOFF_MS 2000

static bool sequence_stored(struct db *db, uint64_t *out, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	char *end = NULL;
	buf_init(&text, 32);
	bool ok = meta_get(db, SEQUENCE_KEY, &text, &why);
	*out = 0;
	if (ok) {
		*out = strtoull(buf_str(&text), &end, 10);
		ok = *end == '\0' || err_set(e, ERR_IO, "the stored head sequence is no number");
	} else {
		ok = why.code == ERR_MISSING || err_set(e, why.code, "%s", why.text);
	}
	buf_clear(&text);
	return ok;
}

/* The next sequence, durable when this returns. */
static bool sequence_take(struct db *db, int64_t now_s, uint64_t *out, struct err *e)
{
	uint64_t stored = 0;
	char text[32];
	if (!db_begin(db, e))
		return false;
	if (!sequence_stored(db, &stored, e))
		goto fail;
	*out = stored + 1;
	if (now_s > 0 && *out < (uint64_t)now_s)
		*out = (uint64_t)now_s;
	snprintf(text, sizeof(text), "%" PRIu64, *out);
	if (meta_put(db, SEQUENCE_KEY, bytes_of(text), e) && db_commit(db, e))
		return true;
fail:
	db_rollback(db);
	return false;
}

static bool head_ask(struct central_sync *s, struct instant now, struct err *e)
{
	struct head h = { 0 };
	bool ok = release_head_fill(s->config.release, &h, e) &&
		  sequence_take(s->config.release->db, now.s, &h.sequence, e);
	if (ok) {
		h.issued_s = now.s;
		h.expires_s = now.s + CENTRAL_HEAD_S;
		s->signing_sequence = h.sequence;
		s->signing_issued_s = h.issued_s;
		buf_reset(&s->payload);
		ok = head_encode(&h, &s->payload, e);
	}
	head_clear(&h);
	if (!ok)
		return false;
	s->signing_ms = now.ms;
	if (s->config.signer.sign(s->config.signer.arg, buf_bytes(&s->payload), e))
		return true;
	s->signing_ms = INT64_MIN;
	return false;
}

void central_sync_signed(struct central_sync *s, struct bytes message, const struct err *why, struct instant now)
{
	struct cose c;
	if (s->signing_ms == INT64_MIN)
		return; /* an answer nobody waits for any more */
	if (message.data == NULL) {
		s->signing_ms = INT64_MIN;
		s->info.sign_failures++;
		snprintf(s->info.last_fault, sizeof(s->info.last_fault), "signer: %.200s",
			 why != NULL ? why->text : "");
		s->head_next_ms = now.ms + SIGN_BACKOFF_MS;
		return;
	}
	if (!cose_parse(message, &c, NULL) || !bytes_equal(c.payload, buf_bytes(&s->payload)))
		return; /* of an earlier question */
	s->signing_ms = INT64_MIN;
	buf_reset(&s->head);
	buf_add(&s->head, message.data, message.len);
	s->head_unsent = true;
	s->info.head_sequence = s->signing_sequence;
	s->info.head_issued_s = s->signing_issued_s;
	s->head_next_ms = now.ms + CENTRAL_HEAD_EVERY_MS;
}

static bool head_publish(struct central_sync *s)
{
	const struct transport *t = &s->config.transport;
	if (!t->publish(t->arg, TOPIC_HEAD, buf_bytes(&s->head), true, 0, NULL))
		return false;
	s->head_unsent = false;
	s->info.heads++;
	return true;
}

bool sync_head_run(struct central_sync *s, struct instant now)
{
	struct err e = { 0 };
	if (s->signing_ms != INT64_MIN && now.ms - s->signing_ms > CENTRAL_SIGN_WAIT_MS) {
		s->signing_ms = INT64_MIN;
		s->info.sign_failures++;
	}
	if (s->signing_ms == INT64_MIN && (s->head_due || now.ms >= s->head_next_ms)) {
		s->head_due = false;
		s->head_next_ms = now.ms + SIGN_BACKOFF_MS; /* until it is signed */
		if (!head_ask(s, now, &e))
			sync_fault(s, &e, "head");
	}
	return !s->head_unsent || head_publish(s);
}

int64_t sync_head_next_ms(const struct central_sync *s)
{
	if (s->signing_ms != INT64_MIN)
		return s->signing_ms + CENTRAL_SIGN_WAIT_MS + 1;
	return s->head_due || s->head_unsent ? 0 : s->head_next_ms;
}
