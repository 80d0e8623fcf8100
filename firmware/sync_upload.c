/*
 * The journal goes up one batch at a time and again until central acknowledges it. What central says it holds is believed by
 * the chain's hash alone: forward at once; back only when it has answered two of our repetitions so, for an acknowledgement
 * may also be late.
 */
#include "firmware/sync_state.h"

#define UPLOAD_LATER_MS 1000 /* the line takes nothing more just now */

static bool upload_send(struct sync *s)
{
	struct journal_batch b;
	struct buf memory, out;
	struct err e = { 0 };
	bool ok = false;
	buf_init(&memory, RECORD_BATCH_BYTES);
	buf_init(&out, MQTT_PACKET_MAX);
	if (!record_batch(s->config.record, &b, &memory, &e) || !journal_batch_encode(&b, &out, &e)) {
		sync_note(s, "journal", &e);
		goto out;
	}
	ok = sync_publish(s, "journal", buf_bytes(&out));
out:
	buf_clear(&memory);
	buf_clear(&out);
	return ok;
}

/* What central has, should it be another than we think. */
static void upload_ask(struct sync *s, const struct record_info *info)
{
	struct buf body;
	buf_init(&body, 64);
	cbor_put_bytes(&body, (struct bytes){ info->epoch, JOURNAL_EPOCH_LEN });
	if (!ask_send(s, QUERY_ACK, buf_bytes(&body)))
		s->asks[QUERY_ACK].is_open = false;
	buf_clear(&body);
}

int64_t upload_run(struct sync *s)
{
	struct upload *u = &s->upload;
	struct record_info info;
	if (!s->info.up)
		return SYNC_NEVER;
	record_info(s->config.record, &info);
	if (info.acknowledged == info.last) {
		u->in_flight = false;
		u->tries = 0;
		return SYNC_NEVER;
	}
	if (s->now_ms < u->due_ms)
		return u->due_ms;
	if (!upload_send(s)) {
		u->due_ms = s->now_ms + UPLOAD_LATER_MS;
		return u->due_ms;
	}
	if (u->tries > 0)
		upload_ask(s, &info);
	u->in_flight = true;
	u->due_ms = s->now_ms + sync_backoff(s, SYNC_WAIT_MS, u->tries++, SYNC_WAIT_MAX_MS);
	return u->due_ms;
}

/* Central says it ends below what it once acknowledged. */
static void upload_lower(struct sync *s, const struct journal_ack *a)
{
	struct upload *u = &s->upload;
	struct err e = { 0 };
	u->lowers = u->lower_seq == a->seq ? u->lowers + 1 : 1;
	u->lower_seq = a->seq;
	if (u->tries < 2 || u->lowers < 2)
		return;
	u->lowers = 0;
	if (record_rewind(s->config.record, a, &e))
		err_set(&e, ERR_CONFLICT, "central has lost rows behind %llu; they are sent again",
			(unsigned long long)a->seq);
	else
		u->due_ms = s->now_ms + SYNC_WAIT_MAX_MS;
	sync_note(s, "journal", &e);
}

void upload_ack(struct sync *s, struct bytes payload)
{
	struct upload *u = &s->upload;
	struct journal_ack a;
	struct record_info before, after;
	struct err e = { 0 };
	record_info(s->config.record, &before);
	if (!journal_ack_decode(payload, &a, &e) || !record_acknowledge(s->config.record, &a, &e)) {
		sync_note(s, "journal", &e);
		if (e.code == ERR_CONFLICT && u->due_ms < s->now_ms + SYNC_WAIT_MAX_MS)
			u->due_ms = s->now_ms + SYNC_WAIT_MAX_MS;
		return;
	}
	record_info(s->config.record, &after);
	if (after.acknowledged > before.acknowledged) {
		s->info.acknowledgements++;
		*u = (struct upload){ .due_ms = s->now_ms };
	} else if (a.seq < before.acknowledged && u->in_flight) {
		upload_lower(s, &a);
	}
}

void upload_up(struct sync *s)
{
	s->upload = (struct upload){ .due_ms = s->now_ms };
}
