#include "central/day_head.h"

#include "central/alarm.h"
#include "central/centrald.h"
#include "protocol/base/log.h"

#include <stdio.h>
#include <stdlib.h>

struct day_head {
	const struct central *central;
	char file[300];
	bool asked;       /* the signer has a question of ours */
	bool written;     /* the file has what ledger.db has */
	int32_t done_day; /* today's is signed and written */
};

struct day_head *day_head_new(const struct central *central)
{
	struct day_head *d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->central = central;
	d->done_day = INT32_MIN;
	snprintf(d->file, sizeof(d->file), "%.280s/ledger.heads", central->dir);
	return d;
}

void day_head_free(struct day_head *d)
{
	free(d);
}

static void alarm_add(struct day_head *d, int64_t now_s, const char *why)
{
	struct db *db = d->central->release.db;
	struct err e = { 0 };
	log_error("the ledger's head of the day is not signed", "why=\"%s\"", why);
	if (!db_begin(db, &e))
		return;
	if (!alarm_raise(db, now_s, "", "ledger.head", why, &e) || !db_commit(db, &e))
		db_rollback(db);
}

static void on_signed(void *arg, struct bytes message, const struct err *why)
{
	struct day_head *d = arg;
	struct ledger *l = d->central->ledger;
	struct err e = { 0 };
	d->asked = false;
	if (message.data == NULL) {
		log_warn("the ledger's head of the day was not signed", "why=\"%s\"", why->text);
		return;
	}
	d->written = false;
	if (!dailies_put(l, message, signer_head_key(d->central->signer), &e) || !dailies_write(l, d->file, &e))
		log_error("the ledger's signed head was not stored", "why=\"%s\"", e.text);
	else
		d->written = true;
}

/* Asks for the oldest that has no signature. */
static bool sign_ask(struct day_head *d, int64_t now_s, struct err *e)
{
	struct buf payload;
	struct daily_head h;
	struct ledger *l = d->central->ledger;
	buf_init(&payload, DAILY_PAYLOAD_MAX);
	bool ok = dailies_unsigned(l, &payload, e);
	if (ok && payload.len == 0) {
		if (!d->written)
			ok = d->written = dailies_write(l, d->file, e);
		if (ok && ledger_head(l).batches > 0)
			d->done_day = ledger_day_of(now_s);
	} else if (ok) {
		ok = daily_decode(buf_bytes(&payload), &h, e);
		if (ok && h.day < ledger_day_of(now_s))
			alarm_add(d, now_s,
				  "a head taken on an earlier day has no signature yet: is the signer running?");
		d->asked = ok && signer_is_ready(d->central->signer) &&
			   signer_daily(d->central->signer, buf_bytes(&payload), on_signed, d, e);
	}
	buf_clear(&payload);
	return ok;
}

bool day_head_run(struct day_head *d, int64_t now_s, struct err *e)
{
	struct err why = { 0 };
	if (d->central->ledger == NULL || d->asked || d->done_day == ledger_day_of(now_s))
		return true;
	if (dailies_take(d->central->ledger, d->file, now_s, &why) && sign_ask(d, now_s, &why))
		return true;
	alarm_add(d, now_s, why.text);
	return err_set(e, why.code, "%s", why.text);
}
