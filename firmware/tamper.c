/*
 * A box that was opened. What has to be secret here is sealed under the vault (vault.h), so wiping that key in place is what ends it, on
 * a full disk too; that it was wiped is what says, after any restart, that the box is locked. It can still speak to central, to upload
 * its journal and what happened. Enrolling again unlocks it, once central has all of the old journal: the next has a key of its own.
 */
#include "firmware/branch.h"
#include "protocol/base/log.h"
#include "protocol/base/meta.h"

#include <stdio.h>
#include <string.h>

#define SINCE_KEY     "tamper.since_s" /* set with the journal's row, so that there is one a time */
#define TAMPER_RUN_MS 1000

void tamper_locked(const struct branch *b, char *out, size_t size)
{
	const struct membership *m = &b->membership;
	const char *why = "";
	if (b->vault.wiped)
		why = "the box was opened and has wiped its keys: look at it, then enrol it again";
	else if (!b->vault.has_key)
		why = "the box's vault.key cannot be used; the log says why";
	else if (m->is_member && !m->has_seal)
		why = "the box's keys are gone with its vault.key: enrol it again";
	else if (m->is_member && !record_has_key(b->record))
		why = "the box was enrolled again: its old journal is on the way to central";
	snprintf(out, size, "%s", why);
}

/* The row that central reads, and the mark that it was written, in one transaction. */
static bool event_append(struct branch *b, int64_t now_s, struct err *e)
{
	char point[2 * POINT_LEN + 1] = "";
	struct buf body;
	if (b->membership.is_member)
		hex_encode(b->membership.sync.seal_point, POINT_LEN, point);
	const struct journal_event v = { bytes_of(JOURNAL_EVENT_TAMPER), bytes_of(point) };
	buf_init(&body, 512);
	bool ok = journal_event_encode(&v, &body, e) &&
		  record_append(b->record, now_s, JOURNAL_EVENT, buf_bytes(&body), NULL, e) &&
		  meta_put_int(b->db, SINCE_KEY, now_s > 0 ? now_s : 1, e);
	buf_clear(&body);
	return ok;
}

static bool event_record(struct branch *b, struct err *e)
{
	int64_t now_s = branch_clock_s(b);
	if (!record_reload(b->record, e) || !db_begin(b->db, e))
		return false;
	if (event_append(b, now_s, e) && db_commit(b->db, e)) {
		b->tamper.since_s = now_s > 0 ? now_s : 1;
		return true;
	}
	db_rollback(b->db);
	(void)!record_reload(b->record, NULL); /* and again before the next try */
	return false;
}

static bool event_forget(struct branch *b, struct err *e)
{
	if (!db_begin(b->db, e))
		return false;
	if (meta_put_int(b->db, SINCE_KEY, 0, e) && db_commit(b->db, e)) {
		b->tamper.since_s = 0;
		return true;
	}
	db_rollback(b->db);
	return false;
}

static bool step(struct branch *b, struct err *e)
{
	if (b->vault.wiped) {
		if (b->tamper.since_s != 0)
			return true;
		if (!event_record(b, e))
			return false;
		line_recorded(b);
		return true;
	}
	if (!b->vault.has_key || (b->membership.is_member && !b->membership.has_seal))
		return true;
	if (!record_has_key(b->record)) {
		if (b->lists == NULL)
			return err_set(e, ERR_STALE, "still loading");
		if (!record_renew(b->record, e))
			return false;
		log_info("another journal begins", "branch=%s", b->membership.sync.branch);
		if (b->membership.is_member && !line_hello(b, e))
			return false;
	}
	return b->tamper.since_s == 0 || event_forget(b, e);
}

static void run(void *arg)
{
	struct branch *b = arg;
	struct err e = { 0 };
	if (step(b, &e))
		return;
	if (e.code != ERR_STALE && strcmp(b->tamper.fault, e.text) != 0)
		log_error("the box is locked", "why=\"%s\"", e.text);
	snprintf(b->tamper.fault, sizeof(b->tamper.fault), "%.119s", e.text);
	loop_timer_set(b->tamper.due, TAMPER_RUN_MS);
}

void tamper_trip(struct branch *b)
{
	struct err e = { 0 };
	if (b->vault.wiped)
		return;
	if (!vault_wipe(&b->vault, &e))
		log_error("the vault's key was not written over", "why=\"%s\"", e.text);
	if (b->lists != NULL)
		lists_wipe(b->lists);
	if (b->line.sync != NULL)
		sync_forget_seal(b->line.sync);
	explicit_bzero(b->membership.sync.seal_scalar, SCALAR_LEN);
	b->membership.has_seal = false;
	record_forget_key(b->record);
	lan_forget(b->lan);
	log_error("the box was opened: its keys are wiped, checks are refused until it is enrolled again",
		  "branch=%s", b->membership.sync.branch);
	/* Of no use any more; without it they would only take room. */
	if (!cache_wipe(&b->cache, &e))
		log_warn("what was kept of customers is unreadable but still there", "why=\"%s\"", e.text);
	loop_timer_set(b->tamper.due, 0);
}

bool tamper_may_enrol(const struct branch *b, struct err *e)
{
	return b->box == NULL || !box_is_tampered(b->box) ||
	       err_set(e, ERR_CONFLICT, "the tamper line says the box is open: close it, then enrol");
}

void tamper_enrolled(struct branch *b)
{
	loop_timer_set(b->tamper.due, 0);
}

bool tamper_open(struct branch *b, struct err *e)
{
	struct err missing = { 0 };
	b->tamper.due = loop_timer_new(b->loop, run, b);
	if (!meta_get_int(b->db, SINCE_KEY, &b->tamper.since_s, &missing) && missing.code != ERR_MISSING)
		return err_set(e, missing.code, "%s", missing.text);
	loop_timer_set(b->tamper.due, 0);
	return true;
}

void tamper_close(struct branch *b)
{
	loop_timer_free(b->tamper.due);
}
