#include "firmware/branch.h"
#include "firmware/state.h"
#include "protocol/base/file.h"
#include "protocol/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS     5000
#define PRUNE_MS    60000
#define HTTP_IDLE_S 60
#define CLEAN_MS    2000 /* between two looks at what has to go */
#define CLEAN_TURN  20   /* while there is more */

int64_t branch_clock_s(const struct branch *b)
{
	return clock_now_s(&b->clock, loop_now_ms());
}

/* What lan shows and tells */

static void around(void *arg, struct lan_around *out)
{
	const struct branch *b = arg;
	memset(out, 0, sizeof(*out));
	if (b->membership.is_member)
		snprintf(out->branch, sizeof(out->branch), "%s", b->membership.sync.branch);
	out->cert_to_s = b->membership.cert_to_s;
	if (b->line.sync != NULL)
		sync_info(b->line.sync, &out->sync);
	if (b->line.gate != NULL)
		out->gate_restarts = proc_restarts(b->line.gate);
	snprintf(out->gate_fault, sizeof(out->gate_fault), "%s", b->line.gate_fault);
	tamper_locked(b, out->locked, sizeof(out->locked));
	out->tampered_s = b->tamper.since_s;
	if (b->updates != NULL)
		updates_info(b->updates, &out->update);
	out->has_board = b->box != NULL;
	if (b->box != NULL)
		snprintf(out->board_fault, sizeof(out->board_fault), "%s", box_fault(b->box));
}

static size_t infos(void *arg, struct list_info out[LISTS_MAX])
{
	const struct branch *b = arg;
	return b->lists != NULL ? lists_info(b->lists, out) : 0;
}

static void recorded(void *arg)
{
	line_recorded(arg);
}

static bool ask(void *arg, struct body_query *q, sync_bodies_done *done, void *done_arg, struct err *e)
{
	return line_ask(arg, q, done, done_arg, e);
}

static bool inquire(void *arg, const struct inquiry *q, sync_inquiry_done *done, void *done_arg, struct err *e)
{
	return line_inquire(arg, q, done, done_arg, e);
}

static bool account(void *arg, const struct account_query *q, sync_account_done *done, void *done_arg, struct err *e)
{
	return line_account(arg, q, done, done_arg, e);
}

static void forget(void *arg, const void *done_arg)
{
	line_forget(arg, done_arg);
}

/* The box */

static void shown(void *arg, const char *terminal, enum lan_sign sign)
{
	static const enum box_sign signs[] = { [LAN_PASS] = BOX_PASS, [LAN_CARE] = BOX_CARE, [LAN_STOP] = BOX_STOP };
	struct branch *b = arg;
	const char *whose = b->config.board_terminal;
	if (b->box != NULL && (*whose == '\0' || strcmp(whose, terminal) == 0))
		box_show(b->box, signs[sign]);
}

static void box_state(void *arg, struct box_state *out)
{
	struct branch *b = arg;
	char locked[sizeof(((struct lan_around *)0)->locked)];
	tamper_locked(b, locked, sizeof(locked));
	*out = (struct box_state){ .link_up = b->line.mqtt != NULL && mqtt_is_up(b->line.mqtt),
				   .lists_old = lan_lists_old(b->lan),
				   .locked = locked[0] != '\0' };
}

static void tampered(void *arg)
{
	tamper_trip(arg);
}

static void open_box(struct branch *b)
{
	const struct box_hooks hooks = { box_state, tampered, b };
	if (b->config.has_board)
		b->box = box_open(b->loop, &b->config.board, &hooks);
}

/* What is kept of customers */

/* Verified at each look; here it is only asked whose it is. One that cannot be told, now, is left to a query. */
static bool prefetched_put(struct branch *b, const struct prefetch_item *i, struct err *e)
{
	const struct verify_setting s = { .policy = documents_verify_policy(b->documents),
					  .source = b->lists != NULL ? lists_source(b->lists) : NULL,
					  .now_s = branch_clock_s(b),
					  .clock_trusted = b->clock.trusted };
	const struct verify_request r = { .business = "" };
	const struct cache_key key = { i->holder_kind, i->holder, i->type, i->purpose };
	struct verdict v;
	verify_cose(&s, ECERT_XB1, i->body.cose, &r, &v);
	if (!v.authentic || i->body.status != ECERT_VALID) {
		log_warn("a certificate set aside is not kept", "seq=%llu code=%s", (unsigned long long)i->seq,
			 scan_code_name(v.code));
		return true;
	}
	return cache_put(&b->cache, &key, v.identity.canonical, &i->body, v.cert.to_s, s.now_s, e);
}

bool branch_prefetched(void *arg, const struct prefetch_item *i, struct err *e)
{
	struct branch *b = arg;
	return i->kind == PREFETCH_PUT ? prefetched_put(b, i, e) : cache_erase(&b->cache, i->identity, e);
}

static void clean(void *arg)
{
	struct branch *b = arg;
	struct err e = { 0 };
	bool more = false;
	if (!cache_clean(&b->cache, b->lists != NULL ? lists_source(b->lists) : NULL, branch_clock_s(b), &more, &e))
		log_warn("what has ended could not be erased", "why=\"%s\"", e.text);
	loop_timer_set(b->clean, more ? CLEAN_TURN : CLEAN_MS);
}

/* By time */

static void prune(struct branch *b, int64_t now_ms)
{
	struct err e = { 0 };
	uint64_t removed = 0;
	if (!b->clock.trusted || now_ms < b->pruned_ms + PRUNE_MS)
		return;
	if (!record_prune(b->record, branch_clock_s(b), &removed, &e))
		log_warn("old journal rows could not be removed", "why=\"%s\"", e.text);
	if (removed < RECORD_PRUNE_ROWS)
		b->pruned_ms = now_ms; /* otherwise there are more: in the next turn of this timer */
}

static void minute(void *arg)
{
	struct branch *b = arg;
	struct err e = { 0 };
	int64_t now_ms = loop_now_ms();
	if (!clock_tick(&b->clock, b->db, now_ms, &e))
		log_warn("the clock could not be stored", "why=\"%s\"", e.text);
	prune(b, now_ms);
	line_tick(b);
	loop_timer_set(b->minute, TICK_MS);
}

static void load(void *arg)
{
	struct branch *b = arg;
	struct err e = { 0 };
	b->lists = lists_open(b->db, &b->vault, b->config.dir, b->loop, &e);
	if (b->lists != NULL && (!b->membership.is_member || line_join(b, &e))) {
		lan_ready(b->lan, lists_source(b->lists));
		notify_ready(b->notify);
		return;
	}
	log_error("cannot load", "why=\"%s\"", e.text);
	b->failed = true;
	loop_stop(b->loop);
}

/* Opening */

/* A lock of the process, not of the descriptor: a forked child does not keep it. */
static bool lock_take(struct branch *b, struct err *e)
{
	char path[128];
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	snprintf(path, sizeof(path), "%s/lock", b->config.dir);
	b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (b->lock < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	return fcntl(b->lock, F_SETLK, &lock) == 0 ||
	       err_set(e, ERR_CONFLICT, "another branchd is running on %s", b->config.dir);
}

static bool open_state(struct branch *b, struct err *e)
{
	snprintf(b->run_dir, sizeof(b->run_dir), "%s/run", b->config.dir);
	if (!file_make_dir(b->run_dir, e) || !lock_take(b, e))
		return false;
	b->db = state_open(b->config.dir, e);
	if (b->db == NULL || !clock_load(&b->clock, b->db, loop_now_ms(), (int64_t)time(NULL), e))
		return false;
	/* Without it the box is locked, and says so. */
	if (!vault_open(&b->vault, b->config.dir, &random_system, e))
		log_error("the vault's key cannot be used", "why=\"%s\"", e->text);
	if (!cache_open(&b->cache, b->db, &b->vault, b->config.cache_size_max, e))
		return false;
	b->record = record_open(b->db, &b->vault, &random_system, e);
	b->documents = b->record != NULL ? documents_open(b->db, e) : NULL;
	b->terminals = b->documents != NULL ? terminals_open(b->db, e) : NULL;
	return b->terminals != NULL && membership_load(b->db, &b->vault, &b->membership, e) && tamper_open(b, e);
}

static bool open_servers(struct branch *b, struct err *e)
{
	char https[108], ctl[108];
	const struct lan_config lan = {
		.loop = b->loop,
		.db = b->db,
		.record = b->record,
		.terminals = b->terminals,
		.documents = b->documents,
		.clock = &b->clock,
		.random = &random_system,
		.commit_each = b->config.commit_each,
		.around = around,
		.lists = infos,
		.recorded = recorded,
		.ask = ask,
		.inquire = inquire,
		.account = account,
		.forget = forget,
		.cache = &b->cache,
		.shown = shown,
		.arg = b,
	};
	snprintf(https, sizeof(https), "%s/https.sock", b->run_dir);
	snprintf(ctl, sizeof(ctl), "%s/ctl.sock", b->config.dir);
	const struct http_config at_https = { .path = https,
					      .body_max = HTTP_SCAN_MAX,
					      .idle_timeout_s = HTTP_IDLE_S };
	const struct http_config at_ctl = { .path = ctl, .body_max = HTTP_SCAN_MAX, .idle_timeout_s = HTTP_IDLE_S };
	b->lan = lan_new(&lan);
	b->https = http_listen(b->loop, &at_https, lan_handle, b->lan, e);
	if (b->https == NULL)
		return false;
	b->ctl = http_listen(b->loop, &at_ctl, ctl_handle, b, e);
	return b->ctl != NULL;
}

static void scanned(void *arg, const struct scanner_config *config, struct bytes raw)
{
	struct branch *b = arg;
	lan_device_scan(b->lan, config, raw);
}

static void open_scanners(struct branch *b)
{
	for (size_t i = 0; i < SCANNERS_MAX; i++)
		if (b->config.scanners[i].device[0] != '\0')
			b->scanners[b->scanners_len++] = scanner_open(b->loop, &b->config.scanners[i], scanned, b);
	lan_scanners(b->lan, b->scanners, b->scanners_len);
}

struct branch *branch_open(struct loop *l, const struct branch_config *c, struct err *e)
{
	struct branch *b = calloc(1, sizeof(*b));
	if (b == NULL)
		abort();
	b->loop = l;
	b->config = *c;
	b->lock = -1;
	b->notify = notify_new(l);
	line_open(&b->line, b);
	if (!open_state(b, e) || !open_servers(b, e)) {
		branch_close(b);
		return NULL;
	}
	open_scanners(b);
	open_box(b);
	update_open(b);
	b->load = loop_timer_new(l, load, b);
	b->minute = loop_timer_new(l, minute, b);
	b->clean = loop_timer_new(l, clean, b);
	loop_timer_set(b->load, 0);
	loop_timer_set(b->minute, TICK_MS);
	loop_timer_set(b->clean, CLEAN_MS);
	return b;
}

void branch_close(struct branch *b)
{
	notify_stopping(b->notify);
	for (size_t i = 0; i < b->scanners_len; i++)
		scanner_close(b->scanners[i]);
	if (b->lan != NULL)
		lan_close(b->lan);
	http_close(b->https);
	http_close(b->ctl);
	line_close(&b->line);
	box_close(b->box);
	tamper_close(b);
	lan_free(b->lan);
	loop_timer_free(b->load);
	loop_timer_free(b->minute);
	loop_timer_free(b->clean);
	update_close(b);
	lists_close(b->lists);
	membership_clear(&b->membership);
	terminals_close(b->terminals);
	documents_close(b->documents);
	record_close(b->record);
	vault_close(&b->vault);
	db_close(b->db);
	if (b->lock >= 0)
		close(b->lock);
	notify_free(b->notify);
	free(b);
}
