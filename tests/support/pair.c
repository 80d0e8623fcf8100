#include "tests/support/pair.h"

#include "central/report/requests.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct instant pair_instant(const struct pair *p)
{
	return (struct instant){ p->sim.now_ms, CENTRE_NOW_S + p->sim.now_ms / 1000 };
}

static bool central_publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s,
			    struct err *e)
{
	struct pair *p = arg;
	(void)expiry_s;
	if (set_random(&p->sim.seed) % 100 < p->sim.lose)
		return err_set(e, ERR_FULL, "too much on its way");
	sim_broadcast(&p->sim, topic, payload, retain);
	return true;
}

static bool central_subscribe(void *arg, const char *filter, struct err *e)
{
	(void)arg, (void)filter, (void)e;
	return true;
}

static bool central_sign(void *arg, struct bytes payload, struct err *e)
{
	struct pair *p = arg;
	struct head h;
	struct buf message;
	buf_init(&message, COSE_MAX);
	bool ok = head_decode(payload, &h, e) &&
		  head_sign(&h, p->centre.head_scalar, p->centre.head_point, &random_system, &message, e);
	if (ok)
		central_sync_signed(p->central, buf_bytes(&message), NULL, pair_instant(p));
	head_clear(&h);
	buf_clear(&message);
	return ok;
}

static void central_message(void *arg, const char *topic, struct bytes payload)
{
	struct pair *p = arg;
	central_sync_message(p->central, topic, payload, pair_instant(p));
}

static int64_t central_run(void *arg)
{
	struct pair *p = arg;
	return central_sync_run(p->central, pair_instant(p));
}

static void report_give(struct pair *p, const struct inquiry *q, const uint8_t question[HASH_LEN],
			const struct err *why)
{
	struct buf data;
	char number[REPORT_NUMBER] = "";
	struct err e = { 0 };
	const struct instant now = pair_instant(p);
	buf_init(&data, REPORT_BYTES_MAX);
	if (why == NULL && !report_request_answer(&p->centre.release, "haidian", q, now.s, &data, number, &e)) {
		buf_clear(&data);
		why = &e;
	}
	central_sync_reported(p->central, "haidian", question,
			      why == NULL ? buf_bytes(&data) : (struct bytes){ NULL, 0 }, number, why, now);
	buf_clear(&data);
}

static bool central_report(void *arg, const char *branch, const struct inquiry *q, const uint8_t question[HASH_LEN],
			   int64_t now_s, struct err *e)
{
	struct pair *p = arg;
	(void)branch, (void)now_s, (void)e;
	p->ordered++;
	if (!p->hold_reports) {
		report_give(p, q, question, NULL);
		return true;
	}
	p->held = *q;
	memcpy(p->held_question, question, HASH_LEN);
	return true;
}

void pair_report_give(struct pair *p, const struct err *why)
{
	report_give(p, &p->held, p->held_question, why);
}

static void central_wake(void *arg)
{
	struct pair *p = arg;
	p->sim.next_central_ms = p->sim.now_ms;
}

static struct ledger *central_ledger(void *arg, const char **path, struct err *e)
{
	struct pair *p = arg;
	snprintf(p->ledger_path, sizeof(p->ledger_path), "%s/ledger.db", p->centre.dir);
	*path = p->ledger_path;
	if (p->ledger == NULL)
		p->ledger = ledger_open(p->ledger_path, e);
	return p->ledger;
}

static void ledger_let_go(struct pair *p)
{
	ledger_close(p->ledger);
	p->ledger = NULL;
}

static void central_start(struct pair *p)
{
	struct central_sync_config c = { .release = &p->centre.release,
					 .transport = { p, central_publish, central_subscribe, central_subscribe },
					 .signer = { p, central_sign },
					 .reports = { p, central_report },
					 .wake = central_wake,
					 .wake_arg = p,
					 .push_size_max = 100000,
					 .seal_scalar = p->centre.seal_scalar,
					 .seal_point = p->centre.seal_point,
					 .ledger = central_ledger,
					 .ledger_arg = p };
	p->central = central_sync_new(&c);
	central_sync_up(p->central, pair_instant(p));
	p->sim.next_central_ms = p->sim.now_ms;
}

void pair_central_restart(struct pair *p)
{
	central_sync_free(p->central);
	ledger_let_go(p);
	centre_reopen(&p->centre);
	central_start(p);
}

/* Each at least once, in order, and none passed by. */
static bool prefetched(void *arg, const struct prefetch_item *i, struct err *e)
{
	struct pair *p = arg;
	if (p->refuse > 0) {
		p->refuse--;
		p->refusals++;
		return err_set(e, ERR_IO, "the disk is full");
	}
	CU_ASSERT_TRUE(i->seq == p->taken || i->seq == p->taken + 1);
	p->again += i->seq == p->taken;
	p->puts += i->kind == PREFETCH_PUT && i->seq > p->taken;
	p->erasures += i->kind == PREFETCH_ERASE && i->seq > p->taken;
	p->taken = i->seq;
	return true;
}

struct pair *pair_new(uint64_t seed)
{
	struct pair *p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	centre_open(&p->centre);
	sim_init(&p->sim, test_dir(), seed);
	memcpy(p->sim.head_point, p->centre.head_point, POINT_LEN);
	memcpy(p->sim.seal_point, p->centre.seal_point, POINT_LEN);
	p->sim.central = p;
	p->sim.prefetched = prefetched;
	sim_restart(&p->sim, 0);
	p->sim.silent = true;
	p->sim.central_message = central_message;
	p->sim.central_run = central_run;
	centre_enrol(&p->centre, "haidian", p->sim.branch_point);
	centre_publish_document(&p->centre, "rules");
	centre_publish_document(&p->centre, "catalogue");
	central_start(p);
	return p;
}

void pair_free(struct pair *p)
{
	central_sync_free(p->central);
	ledger_let_go(p);
	sim_clear(&p->sim);
	centre_close(&p->centre);
	free(p);
}
