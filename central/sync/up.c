/* What comes up from a branch: its journal, its queries, its status. The sender has been judged. */
#include "central/branch/journals.h"
#include "central/sync/inner.h"
#include "protocol/tag.h"

#include <stdio.h>
#include <string.h>

static void ack_answer(struct central_sync *s, const char *branch, const struct journal_ack *ack)
{
	struct buf out;
	buf_init(&out, 256);
	if (journal_ack_encode(ack, &out, NULL))
		sync_answer(s, branch, "ack", buf_bytes(&out));
	buf_clear(&out);
}

static void journal_count(struct central_sync_info *info, const struct journals_result *r)
{
	switch (r->verdict) {
	case JOURNALS_STORED: info->batches++; break;
	case JOURNALS_DUPLICATE: info->duplicates++; break;
	case JOURNALS_GAP: info->gaps++; break;
	case JOURNALS_CONFLICT: info->conflicts++; break;
	}
	info->rows += r->stored;
	info->dead += r->dead;
}

static void journal_take(struct central_sync *s, const struct branch *b, struct bytes payload, struct instant now)
{
	struct journal_batch batch;
	struct journals_result r;
	struct err e = { 0 };
	if (!journal_batch_decode(payload, &batch, &e)) {
		s->info.malformed++;
		return;
	}
	if (!journals_store(s->config.release->db, b->name, &batch, now.s, &r, &e)) {
		sync_fault(s, &e, "journal"); /* not stored, so not acknowledged: it comes again */
		return;
	}
	journal_count(&s->info, &r);
	ack_answer(s, b->name, &r.ack);
}

static bool query_epoch_key(struct central_sync *s, const struct branch *b, struct bytes body, struct buf *out,
			    struct err *e)
{
	struct release_context *release = s->config.release;
	struct cbor c = cbor_over(body);
	uint64_t epoch = 0;
	uint32_t iterations = 0;
	uint8_t secret[32];
	if (!cbor_get_uint_max(&c, UINT32_MAX, &epoch, e) || !cbor_end(&c, e) ||
	    !release_epoch_load(release, (uint32_t)epoch, &iterations, secret, e))
		return false;
	bool ok = tag_key_seal((uint32_t)epoch, iterations, secret, b->name, b->seal_key, release->random, out, e);
	explicit_bzero(secret, sizeof(secret));
	return ok;
}

static bool query_object(struct central_sync *s, struct bytes body, struct instant now, struct err *e)
{
	uint8_t hash[HASH_LEN];
	int64_t first = 0;
	uint32_t count = 0;
	return query_object_decode(body, hash, &first, &count, e) && sync_objects_ask(s, hash, first, count, now, e);
}

static bool query_ack(struct central_sync *s, const struct branch *b, struct bytes body, struct err *e)
{
	struct cbor c = cbor_over(body);
	uint8_t epoch[JOURNAL_EPOCH_LEN];
	struct journal_ack ack;
	if (!cbor_get_bytes_exact(&c, epoch, sizeof(epoch), e) || !cbor_end(&c, e) ||
	    !journals_ack(s->config.release->db, b->name, epoch, &ack, e))
		return false;
	ack_answer(s, b->name, &ack);
	return true;
}

void sync_reply(struct central_sync *s, const char *branch, const uint8_t id[16], struct bytes body,
		const struct err *why)
{
	struct reply r = { .status = why->code };
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, MQTT_PACKET_MAX);
	memcpy(r.id, id, sizeof(r.id));
	if (why->code == ERR_NONE)
		r.body = body;
	else
		snprintf(r.text, sizeof(r.text), "%.190s", why->text);
	if (why->code == ERR_IO)
		sync_fault(s, why, "query");
	if (reply_encode(&r, &out, &e))
		sync_answer(s, branch, "reply", buf_bytes(&out));
	buf_clear(&out);
}

static void query_take(struct central_sync *s, const struct branch *b, struct bytes payload, struct instant now)
{
	struct query q;
	struct buf body;
	struct err e = { 0 };
	bool ok = false, later = false;
	if (!query_decode(payload, &q, &e)) {
		s->info.malformed++;
		return;
	}
	s->info.queries++;
	buf_init(&body, MQTT_PACKET_MAX);
	switch (q.type) {
	case QUERY_OBJECT: ok = query_object(s, q.body, now, &e); break;
	case QUERY_ACK: ok = query_ack(s, b, q.body, &e); break;
	case QUERY_EPOCH_KEY: ok = branches_may_hold_keys(b, &e) && query_epoch_key(s, b, q.body, &body, &e); break;
	case QUERY_CERTIFICATE:
		ok = branches_may_hold_keys(b, &e) && sync_certificate(s, b, &q, now, &body, &e);
		break;
	case QUERY_REPORT: ok = branches_may_hold_keys(b, &e) && sync_report(s, b, &q, now, &body, &later, &e); break;
	case QUERY_ACCOUNT: ok = branches_may_hold_keys(b, &e) && sync_account(s, b, &q, now, &body, &e); break;
	case QUERY_PREFETCH: ok = branches_may_hold_keys(b, &e) && sync_prefetch(s, b, &q, now, &body, &e); break;
	}
	if (ok)
		e = (struct err){ 0 };
	if (!ok || !later)
		sync_reply(s, b->name, q.id, buf_bytes(&body), &e);
	buf_clear(&body);
}

/* False: it is not what a branch seals. */
static bool journal_key_open(struct central_sync *s, const struct branch *b, struct bytes sealed, uint8_t key[32])
{
	char context[64 + NAME_MAX_LEN];
	struct buf plain;
	snprintf(context, sizeof(context), "xb/1/journal-key/%s", b->name);
	buf_init(&plain, 64);
	bool ok = seal_open(s->config.seal_scalar, s->config.seal_point, bytes_of(context), sealed, &plain, NULL) &&
		  plain.len == 32;
	if (ok)
		memcpy(key, plain.data, 32);
	buf_wipe(&plain);
	return ok;
}

static void status_take(struct central_sync *s, const struct branch *b, struct bytes payload, struct instant now)
{
	struct release_context *release = s->config.release;
	struct status_vault vault = { release->vault_key, release->random };
	struct status status;
	uint8_t key[32];
	struct err e = { 0 };
	if (!status_decode(payload, &status, &e)) {
		s->info.malformed++;
		return;
	}
	bool keyed = status.hello && journal_key_open(s, b, status.journal_key, key);
	if (status.hello && !keyed)
		s->info.malformed++; /* the rest of it is still true */
	if (branches_status(release->db, b->name, &status, keyed ? key : NULL, &vault, now.s, &e))
		s->info.statuses++;
	else
		sync_fault(s, &e, "status");
	explicit_bzero(key, sizeof(key));
}

void sync_up_message(struct central_sync *s, const struct branch *b, const char *what, struct bytes payload,
		     struct instant now)
{
	if (strcmp(what, "journal") == 0)
		journal_take(s, b, payload, now);
	else if (strcmp(what, "query") == 0)
		query_take(s, b, payload, now);
	else if (strcmp(what, "status") == 0)
		status_take(s, b, payload, now);
	else
		s->info.malformed++;
}
