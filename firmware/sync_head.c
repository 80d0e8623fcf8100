/*
 * Which head is believed. In this order: central's signature; a sequence above the stored one; then, in one transaction, the
 * sequence is stored, even of a head that has expired, the clock moves, and each list held in the version named is
 * confirmed, unless the head has expired. A head below the stored sequence changes nothing and is counted.
 */
#include "firmware/state.h"
#include "firmware/sync_state.h"

#define KEY_SEQUENCE "sync.head_sequence"
#define KEY_ISSUED   "sync.head_issued_s"
#define KEY_EXPIRES  "sync.head_expires_s"

static bool load_int(struct db *db, const char *key, int64_t *out, struct err *e)
{
	struct err why = { 0 };
	*out = 0;
	if (meta_get_int(db, key, out, &why) || why.code == ERR_MISSING)
		return true;
	return err_set(e, why.code, "%.200s", why.text);
}

bool sync_load_head(struct sync *s, struct err *e)
{
	int64_t sequence;
	if (!load_int(s->config.db, KEY_SEQUENCE, &sequence, e) ||
	    !load_int(s->config.db, KEY_ISSUED, &s->info.head_issued_s, e) ||
	    !load_int(s->config.db, KEY_EXPIRES, &s->info.head_expires_s, e))
		return false;
	s->info.head_sequence = (uint64_t)sequence;
	return true;
}

static bool head_store(struct sync *s, const struct head *h, bool *expired, struct err *e)
{
	struct db *db = s->config.db;
	if (!meta_put_int(db, KEY_SEQUENCE, (int64_t)h->sequence, e) ||
	    !meta_put_int(db, KEY_ISSUED, h->issued_s, e) || !meta_put_int(db, KEY_EXPIRES, h->expires_s, e) ||
	    !clock_head(s->config.clock, db, h->issued_s, s->now_ms, e))
		return false;
	*expired = h->expires_s < clock_now_s(s->config.clock, s->now_ms);
	for (size_t i = 0; i < h->entries_len; i++) {
		const struct head_entry *entry = &h->entries[i];
		bool ok = entry->kind == HEAD_LIST
				  ? lists_head(s->config.lists, entry, *expired ? -1 : h->issued_s, e)
				  : *expired || documents_confirm(s->config.documents, entry->name, entry->version,
								  h->issued_s, e);
		if (!ok)
			return false;
	}
	return true;
}

static void head_adopt(struct sync *s, const struct head *h)
{
	struct err e = { 0 };
	bool expired = false;
	if (!db_begin(s->config.db, &e) || !head_store(s, h, &expired, &e) || !db_commit(s->config.db, &e)) {
		db_rollback(s->config.db);
		sync_note(s, "head", &e); /* the next one, or this one again, is another chance */
		return;
	}
	if (h->sequence > s->info.head_sequence)
		report_head(s);
	s->info.heads++;
	s->info.head_sequence = h->sequence;
	s->info.head_issued_s = h->issued_s;
	s->info.head_expires_s = h->expires_s;
	s->has_head = true;
	if (expired) {
		err_set(&e, ERR_STALE, "head %llu has expired; it confirms nothing", (unsigned long long)h->sequence);
		sync_note(s, "head", &e);
	}
	targets_set(s, h, expired);
}

void sync_take_head(struct sync *s, struct bytes message)
{
	struct head h = { 0 };
	struct err e = { 0 };
	if (!head_open(message, s->config.identity.head_key, &h, &e)) {
		s->info.heads_refused++;
		sync_note(s, "head", &e);
		return;
	}
	/* After a restart the stored sequence comes again, and with it what it wants of us. */
	bool again = h.sequence == s->info.head_sequence;
	if (h.sequence < s->info.head_sequence || h.sequence > INT64_MAX) {
		s->info.heads_refused++;
		err_set(&e, ERR_STALE, "head %llu is older than head %llu", (unsigned long long)h.sequence,
			(unsigned long long)s->info.head_sequence);
		sync_note(s, "head", &e);
	} else if (!again || !s->has_head) {
		head_adopt(s, &h);
	}
	s->subscribe_ms = SYNC_NEVER;
	head_clear(&h);
}
