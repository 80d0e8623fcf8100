/* What the API says of the branch itself: ready or not, what it holds, how it does. */
#include "firmware/lan_inner.h"
#include "firmware/state.h"
#include "protocol/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERT_SOON_S (30LL * 86400) /* time enough to enrol again */
#define METRICS_MAX 262144U        /* 64 lists of 4 lines, and about 100 more */

/* Ready or not */

struct health {
	size_t reasons, warnings;
	char texts[2 * LISTS_MAX + 8][96]; /* reasons from the front, warnings from the back */
};
#define HEALTH_TEXTS (2 * LISTS_MAX + 8)

static void health_reason(struct health *h, const char *what, const char *list)
{
	if (h->reasons + h->warnings < HEALTH_TEXTS)
		snprintf(h->texts[h->reasons++], sizeof(h->texts[0]), "%s%s%.60s", what, *list != '\0' ? ":" : "",
			 list);
}

static void health_warning(struct health *h, const char *what, const char *list)
{
	if (h->reasons + h->warnings < HEALTH_TEXTS)
		snprintf(h->texts[HEALTH_TEXTS - ++h->warnings], sizeof(h->texts[0]), "%s%s%.60s", what,
			 *list != '\0' ? ":" : "", list);
}

static void health_list(const struct lan *l, const struct catalogue_list *list, struct health *h)
{
	struct check_list state = { .confirmed_s = -1 };
	enum lookup_result r = l->source->list(l->source->arg, list->name, &state);
	void (*say)(struct health * h, const char *what, const char *list) =
		list->white ? health_warning : health_reason;
	if (r == LOOKUP_NOT_COVERED)
		say(h, "list_not_held", list->name);
	else if (r != LOOKUP_NOT_LISTED || state.key == NULL)
		say(h, "list_damaged", list->name);
	else if (state.confirmed_s < 0 || lan_clock_s(l) - state.confirmed_s > list->max_age_s)
		health_warning(h, "list_stale", list->name);
}

/* While the last write failed, or none came for a while, one is tried; not at the caller's pace. */
static bool writable(struct lan *l)
{
	struct err e = { 0 };
	int64_t now_ms = loop_now_ms();
	bool proven = !l->write_failed && l->written_ms != INT64_MIN && now_ms - l->written_ms < LAN_PROVEN_MS;
	if (proven || (l->probed_ms != INT64_MIN && now_ms - l->probed_ms < LAN_PROBE_MS))
		return !l->write_failed;
	l->probed_ms = now_ms;
	bool ok =
		db_begin(l->c.db, &e) && meta_put_int(l->c.db, "health.probe", now_ms, &e) && db_commit(l->c.db, &e);
	if (!ok)
		db_rollback(l->c.db);
	lan_written(l, ok, &e);
	return ok;
}

static void health_gather(struct lan *l, struct health *h)
{
	struct lan_around around = { .branch = "" };
	const struct check_policy *policy = documents_policy(l->c.documents);
	l->c.around(l->c.arg, &around);
	h->reasons = h->warnings = 0;
	if (around.branch[0] == '\0')
		health_reason(h, "not_enrolled", "");
	if (around.locked[0] != '\0')
		health_reason(h, "locked", "");
	if (l->source == NULL)
		health_reason(h, "loading", "");
	if (policy->rules == NULL)
		health_reason(h, "no_rules", "");
	if (policy->catalogue == NULL)
		health_reason(h, "no_catalogue", "");
	for (size_t i = 0; l->source != NULL && policy->catalogue != NULL && i < policy->catalogue->lists_len; i++)
		health_list(l, &policy->catalogue->lists[i], h);
	if (around.board_fault[0] != '\0')
		health_warning(h, "board", "");
	if (around.branch[0] != '\0' && around.cert_to_s - lan_clock_s(l) < CERT_SOON_S)
		health_warning(h, "certificate_ends", "");
	if (!writable(l))
		health_reason(h, "journal_not_writable", "");
}

void lan_well(struct lan *l, struct lan_well *out)
{
	struct health h;
	health_gather(l, &h);
	*out = (struct lan_well){ .well = l->source != NULL && !l->write_failed, .ready = h.reasons == 0 };
	snprintf(out->why, sizeof(out->why), "%s", h.reasons > 0 ? h.texts[0] : "");
}

bool lan_lists_old(struct lan *l)
{
	const struct check_policy *policy = documents_policy(l->c.documents);
	struct health h = { .reasons = 0 };
	if (l->source == NULL || policy->catalogue == NULL)
		return false;
	for (size_t i = 0; i < policy->catalogue->lists_len; i++)
		health_list(l, &policy->catalogue->lists[i], &h);
	return h.reasons + h.warnings > 0;
}

void lan_health(struct lan *l, struct http_request *r)
{
	struct health h;
	struct buf out;
	struct json_out w = { .out = &out };
	health_gather(l, &h);
	buf_init(&out, LAN_REPLY_MAX);
	json_open(&w, NULL, '{');
	json_put_bool(&w, "ready", h.reasons == 0);
	json_open(&w, "reasons", '[');
	for (size_t i = 0; i < h.reasons; i++)
		json_put_text(&w, NULL, h.texts[i]);
	json_close(&w, ']');
	json_open(&w, "warnings", '[');
	for (size_t i = 0; i < h.warnings; i++)
		json_put_text(&w, NULL, h.texts[HEALTH_TEXTS - 1 - i]);
	json_close(&w, ']');
	json_close(&w, '}');
	lan_reply(l, r, h.reasons == 0 ? 200 : 503, &out);
	buf_clear(&out);
}

/* Status */

static int64_t age_s(const struct lan *l, int64_t since_s)
{
	int64_t age = lan_clock_s(l) - since_s;
	return age > 0 ? age : 0;
}

static void put_list(const struct lan *l, struct json_out *w, const struct list_info *i)
{
	char hash[2 * HASH_LEN + 1];
	hex_encode(i->hash, HASH_LEN, hash);
	json_open(w, NULL, '{');
	json_put_text(w, "name", i->name);
	json_put_int(w, "version", (int64_t)i->version);
	json_put_int(w, "count", (int64_t)i->count);
	json_put_int(w, "epoch", i->epoch);
	if (i->confirmed_s < 0)
		json_put_null(w, "age_s");
	else
		json_put_int(w, "age_s", age_s(l, i->confirmed_s));
	json_put_text(w, "hash", hash);
	json_put_int(w, "layers", (int64_t)i->layers);
	json_put_int(w, "size_bytes", (int64_t)i->size_bytes);
	json_put_text(w, "fault", i->fault);
	json_close(w, '}');
}

static void put_lists(struct lan *l, struct json_out *w)
{
	struct list_info lists[LISTS_MAX];
	size_t len = l->source != NULL ? l->c.lists(l->c.arg, lists) : 0;
	json_open(w, "lists", '[');
	for (size_t i = 0; i < len; i++)
		put_list(l, w, &lists[i]);
	json_close(w, ']');
}

static void put_journal(struct lan *l, struct json_out *w)
{
	struct record_info i;
	char epoch[2 * JOURNAL_EPOCH_LEN + 1];
	record_info(l->c.record, &i);
	hex_encode(i.epoch, sizeof(i.epoch), epoch);
	json_open(w, "journal", '{');
	json_put_text(w, "epoch", epoch);
	json_put_int(w, "first", (int64_t)i.first);
	json_put_int(w, "last", (int64_t)i.last);
	json_put_int(w, "acknowledged", (int64_t)i.acknowledged);
	json_put_bool(w, "writable", !l->write_failed);
	json_close(w, '}');
}

static void put_central(struct json_out *w, const struct sync_info *s)
{
	json_open(w, "central", '{');
	json_put_bool(w, "up", s->up);
	json_put_int(w, "head_sequence", (int64_t)s->head_sequence);
	json_put_int(w, "head_issued_s", s->head_issued_s);
	json_put_int(w, "head_expires_s", s->head_expires_s);
	json_put_int(w, "heads_refused", (int64_t)s->heads_refused);
	json_put_int(w, "chunks_refused", (int64_t)s->chunks_refused);
	json_put_text(w, "last_fault", s->last_fault);
	json_close(w, '}');
}

static void put_cache(struct lan *l, struct json_out *w)
{
	const struct cache *c = l->c.cache;
	json_open(w, "cache", '{');
	json_put_int(w, "items", c != NULL ? (int64_t)c->items : 0);
	json_put_int(w, "size_bytes", c != NULL ? c->size : 0);
	json_put_int(w, "size_max_bytes", c != NULL ? c->size_max : 0);
	json_put_int(w, "evicted", c != NULL ? (int64_t)c->evicted : 0);
	json_put_int(w, "erased", c != NULL ? (int64_t)c->erased : 0);
	json_close(w, '}');
}

static void put_checks(struct json_out *w, const struct lan_counts *n)
{
	json_open(w, "checks", '{');
	for (enum outcome o = OUTCOME_PASS; o <= OUTCOME_REFUSE; o++)
		json_put_int(w, outcome_name(o), (int64_t)n->outcomes[o]);
	json_close(w, '}');
}

/* The keys certificates are verified with: what is held, how old, and which are left out and why. */
static void put_issuers(const struct lan *l, struct json_out *w)
{
	const struct verify_policy *policy = documents_verify_policy(l->c.documents);
	const struct issuers *s = policy->issuers;
	json_open(w, "issuers", '{');
	json_put_int(w, "version", (int64_t)policy->issuers_version);
	if (policy->issuers_confirmed_s < 0)
		json_put_null(w, "age_s");
	else
		json_put_int(w, "age_s", age_s(l, policy->issuers_confirmed_s));
	json_put_int(w, "keys_accepted", s != NULL ? (int64_t)s->keys_len : 0);
	json_put_int(w, "keys_total", s != NULL ? (int64_t)s->keys_total : 0);
	json_open(w, "keys_left_out", '[');
	for (size_t i = 0; s != NULL && i < s->faults_len; i++) {
		json_open(w, NULL, '{');
		json_put_text(w, "issuer", s->faults[i].issuer);
		json_put_text(w, "kid", s->faults[i].kid);
		json_put_text(w, "why", s->faults[i].why);
		json_close(w, '}');
	}
	json_close(w, ']');
	json_close(w, '}');
	json_put_int(w, "duties_open", (int64_t)l->duties.open);
}

/* Whether it answers checks at all, and the lamps and lines. */
static void put_box(struct json_out *w, const struct lan_around *around)
{
	json_open(w, "box", '{');
	json_put_text(w, "locked", around->locked);
	json_put_int(w, "tampered_s", around->tampered_s);
	json_put_bool(w, "board", around->has_board);
	json_put_text(w, "board_fault", around->board_fault);
	json_close(w, '}');
}

void lan_status(struct lan *l, struct http_request *r)
{
	struct lan_around around = { .branch = "" };
	struct buf out;
	struct json_out w = { .out = &out };
	l->c.around(l->c.arg, &around);
	buf_init(&out, LAN_REPLY_MAX);
	json_open(&w, NULL, '{');
	json_put_text(&w, "branch", around.branch);
	json_put_text(&w, "software", LAN_SOFTWARE);
	json_put_bool(&w, "enrolled", around.branch[0] != '\0');
	json_put_bool(&w, "loading", l->source == NULL);
	json_put_int(&w, "time_s", lan_clock_s(l));
	json_put_bool(&w, "clock_trusted", l->c.clock->trusted);
	put_lists(l, &w);
	json_open(&w, "documents", '{');
	json_put_int(&w, DOCUMENT_RULES, (int64_t)documents_version(l->c.documents, DOCUMENT_RULES));
	json_put_int(&w, DOCUMENT_CATALOGUE, (int64_t)documents_version(l->c.documents, DOCUMENT_CATALOGUE));
	json_put_int(&w, DOCUMENT_ISSUERS, (int64_t)documents_version(l->c.documents, DOCUMENT_ISSUERS));
	json_put_int(&w, DOCUMENT_KINDS, (int64_t)documents_version(l->c.documents, DOCUMENT_KINDS));
	json_close(&w, '}');
	put_issuers(l, &w);
	lan_put_scanners(l, &w);
	put_cache(l, &w);
	put_journal(l, &w);
	put_central(&w, &around.sync);
	put_checks(&w, &l->n);
	json_put_int(&w, "terminals", (int64_t)terminals_len(l->c.terminals));
	json_put_int(&w, "certificate_to_s", around.cert_to_s);
	json_put_int(&w, "gate_restarts", (int64_t)around.gate_restarts);
	json_put_text(&w, "gate_fault", around.gate_fault);
	put_box(&w, &around);
	lan_put_update(&w, &around.update);
	json_close(&w, '}');
	lan_reply(l, r, 200, &out);
	buf_clear(&out);
}

/* Metrics */

struct metric {
	const char *name, *kind, *help;
	double value;
};

static void put_metrics(struct buf *out, const struct metric *all, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		metrics_head(out, all[i].name, all[i].kind, all[i].help);
		metrics_value(out, all[i].name, NULL, NULL, all[i].value);
	}
}

static void metrics_of_checks(const struct lan_counts *n, struct buf *out)
{
	const struct metric plain[] = {
		{ "xinbian_check_repeats_total", "counter", "Repeated request ids, given the stored answer",
		  (double)n->repeats },
		{ "xinbian_check_conflicts_total", "counter", "Request ids used again with another body",
		  (double)n->conflicts },
		{ "xinbian_follow_ups_total", "counter", "Decisions that central verifies later",
		  (double)n->follow_ups },
		{ "xinbian_device_scans_lost_total", "counter", "Scans of scanners that could not be taken",
		  (double)n->device_scans_lost },
		{ "xinbian_reports_total", "counter", "Credit reports of central's that were handed out",
		  (double)n->reports },
		{ "xinbian_duties_closed_total", "counter", "Scans looked at again", (double)n->duties_closed },
		{ "xinbian_duties_turned_total", "counter", "Of those, no longer valid", (double)n->duties_turned },
		{ "xinbian_commits_total", "counter", "Transactions of checks", (double)n->commits },
		{ "xinbian_commit_failures_total", "counter", "Transactions of checks that failed",
		  (double)n->commit_failures },
		{ "xinbian_commit_checks_total", "counter", "Checks in those transactions",
		  (double)n->commit_checks },
		{ "xinbian_commit_checks_max", "gauge", "Most checks in one transaction",
		  (double)n->commit_checks_max },
		{ "xinbian_unauthorised_total", "counter", "Requests without a valid credential",
		  (double)n->unauthorised },
	};
	metrics_head(out, "xinbian_carbon_total", "counter", "Questions about carbon accounts that central answered");
	for (enum account_step s = ACCOUNT_SHOW; s <= ACCOUNT_STEP_LAST; s++)
		metrics_value(out, "xinbian_carbon_total", "step", account_step_name(s), (double)n->accounts[s]);
	metrics_head(out, "xinbian_checks_total", "counter", "Checks decided, by outcome");
	for (enum outcome o = OUTCOME_PASS; o <= OUTCOME_REFUSE; o++)
		metrics_value(out, "xinbian_checks_total", "outcome", outcome_name(o), (double)n->outcomes[o]);
	metrics_head(out, "xinbian_scans_total", "counter", "Certificates scanned, by the verdict's code");
	for (enum scan_code c = SCAN_DAMAGED; c <= SCAN_CODE_LAST; c++)
		metrics_value(out, "xinbian_scans_total", "code", scan_code_name(c), (double)n->scans[c]);
	metrics_head(out, "xinbian_scan_outcomes_total", "counter", "Certificates scanned, by outcome");
	for (enum scan_outcome o = SCAN_ACCEPT; o <= SCAN_REFUSE; o++)
		metrics_value(out, "xinbian_scan_outcomes_total", "outcome", scan_outcome_name(o),
			      (double)n->scan_outcomes[o]);
	metrics_head(out, "xinbian_lookups_total", "counter",
		     "Look-ups of certificates, by where the answer came from");
	metrics_value(out, "xinbian_lookups_total", "source", "central", (double)n->lookups_central);
	metrics_value(out, "xinbian_lookups_total", "source", "cache", (double)n->lookups_cache);
	metrics_value(out, "xinbian_lookups_total", "source", "none", (double)n->lookups_none);
	metrics_histogram(out, "xinbian_check_seconds", "From a check's arrival to its answer, commit included",
			  &n->latency);
	put_metrics(out, plain, sizeof(plain) / sizeof(plain[0]));
	metrics_head(out, "xinbian_http_responses_total", "counter", "Answers by status");
	for (size_t i = 0; i < LAN_STATUSES && n->statuses[i].status != 0; i++) {
		char status[12];
		snprintf(status, sizeof(status), "%d", n->statuses[i].status);
		metrics_value(out, "xinbian_http_responses_total", "status", status, (double)n->statuses[i].count);
	}
}

static void metrics_of_lists(struct lan *l, struct buf *out)
{
	struct list_info lists[LISTS_MAX];
	size_t len = l->source != NULL ? l->c.lists(l->c.arg, lists) : 0;
	metrics_head(out, "xinbian_list_version", "gauge", "Version in force");
	for (size_t i = 0; i < len; i++)
		metrics_value(out, "xinbian_list_version", "list", lists[i].name, (double)lists[i].version);
	metrics_head(out, "xinbian_list_entries", "gauge", "Entries of that version");
	for (size_t i = 0; i < len; i++)
		metrics_value(out, "xinbian_list_entries", "list", lists[i].name, (double)lists[i].count);
	metrics_head(out, "xinbian_list_age_seconds", "gauge", "Since central last confirmed the version");
	for (size_t i = 0; i < len; i++)
		if (lists[i].confirmed_s >= 0)
			metrics_value(out, "xinbian_list_age_seconds", "list", lists[i].name,
				      (double)age_s(l, lists[i].confirmed_s));
	metrics_head(out, "xinbian_list_fault", "gauge", "1 while the list is behind or damaged");
	for (size_t i = 0; i < len; i++)
		metrics_value(out, "xinbian_list_fault", "list", lists[i].name, lists[i].fault[0] != '\0' ? 1 : 0);
}

/* branchd's own; 0 where /proc does not say. statm counts in pages (proc(5)). */
static double resident_bytes(void)
{
	char line[128] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL)
		return 0;
	const char *resident = fgets(line, sizeof(line), f) != NULL ? strchr(line, ' ') : NULL;
	fclose(f);
	return resident != NULL ? (double)strtoull(resident, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void metrics_of_branch(struct lan *l, struct buf *out)
{
	struct lan_around around = { .branch = "" };
	struct record_info journal;
	l->c.around(l->c.arg, &around);
	record_info(l->c.record, &journal);
	const struct sync_info *s = &around.sync;
	int64_t head_age_s = s->head_issued_s > 0 ? age_s(l, s->head_issued_s) : -1;
	const struct metric plain[] = {
		{ "xinbian_enrolled", "gauge", "1 once central has enrolled this branch", around.branch[0] != '\0' },
		{ "xinbian_locked", "gauge", "1 while no check is answered: the box was opened, or its keys are gone",
		  around.locked[0] != '\0' },
		{ "xinbian_board_fault", "gauge", "1 while the lamps and lines cannot be reached",
		  around.board_fault[0] != '\0' },
		{ "xinbian_loading", "gauge", "1 until the lists are open", l->source == NULL },
		{ "xinbian_clock_trusted", "gauge", "1 once a signed head has set the clock", l->c.clock->trusted },
		{ "xinbian_journal_writable", "gauge", "0 while the journal cannot be written", !l->write_failed },
		{ "xinbian_journal_rows", "gauge", "Rows kept", (double)(journal.last + 1 - journal.first) },
		{ "xinbian_journal_backlog", "gauge", "Rows central has not acknowledged",
		  (double)(journal.last - journal.acknowledged) },
		{ "xinbian_mqtt_up", "gauge", "1 while connected to the broker", s->up },
		{ "xinbian_head_sequence", "gauge", "Of the newest head believed", (double)s->head_sequence },
		{ "xinbian_head_age_seconds", "gauge", "Of that head; -1 before the first", (double)head_age_s },
		{ "xinbian_heads_refused_total", "counter", "Heads not believed", (double)s->heads_refused },
		{ "xinbian_chunks_total", "counter", "Chunks received", (double)s->chunks },
		{ "xinbian_chunks_refused_total", "counter", "Chunks that were not what was asked for",
		  (double)s->chunks_refused },
		{ "xinbian_deltas_total", "counter", "Deltas applied", (double)s->deltas },
		{ "xinbian_snapshots_total", "counter", "Snapshots applied", (double)s->snapshots },
		{ "xinbian_sync_faults_total", "counter", "Failures of syncing", (double)s->faults },
		{ "xinbian_certificate_ends_seconds", "gauge", "Unix time when the branch's certificate ends",
		  (double)around.cert_to_s },
		{ "xinbian_gate_restarts_total", "counter", "Restarts of the gate process",
		  (double)around.gate_restarts },
		{ "xinbian_cache_items", "gauge", "Certificates kept",
		  l->c.cache != NULL ? (double)l->c.cache->items : 0 },
		{ "xinbian_cache_bytes", "gauge", "Bytes of them, sealed",
		  l->c.cache != NULL ? (double)l->c.cache->size : 0 },
		{ "xinbian_cache_evicted_total", "counter", "Certificates that made room for others",
		  l->c.cache != NULL ? (double)l->c.cache->evicted : 0 },
		{ "xinbian_cache_erased_total", "counter",
		  "Certificates that ended, were revoked or no longer consented to",
		  l->c.cache != NULL ? (double)l->c.cache->erased : 0 },
		{ "process_resident_memory_bytes", "gauge", "Of branchd, mapped lists included", resident_bytes() },
		{ "xinbian_terminals", "gauge", "Terminals known, revoked ones included",
		  (double)terminals_len(l->c.terminals) },
	};
	put_metrics(out, plain, sizeof(plain) / sizeof(plain[0]));
	lan_update_metrics(out, &around.update);
}

void lan_metrics(struct lan *l, struct http_request *r)
{
	struct buf out;
	struct err e = { 0 };
	buf_init(&out, METRICS_MAX);
	metrics_head(&out, "xinbian_build_info", "gauge", "1, and which software");
	metrics_value(&out, "xinbian_build_info", "software", LAN_SOFTWARE, 1);
	metrics_of_checks(&l->n, &out);
	metrics_of_lists(l, &out);
	metrics_of_branch(l, &out);
	if (buf_ok(&out, "metrics", &e))
		lan_reply_text(l, r, &out);
	else
		lan_reply_error(l, r, 500, &e);
	buf_clear(&out);
}
