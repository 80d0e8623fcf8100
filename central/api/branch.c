/* Routes of the line: branches and their tokens, journals, decisions, and what centrald itself is doing. */
#include "central/acl.h"
#include "central/api/decision.h"
#include "central/branch/branches.h"
#include "central/centrald.h"
#include "protocol/base/worker.h"
#include "central/signer/signer.h"
#include "central/sync/sync.h"

#include <string.h>

#define DEAD_MAX 10000

static bool branch_token(struct api_call *call, struct err *e)
{
	const struct release_context *release = &call->central->release;
	char token[BRANCH_TOKEN_LEN + 1];
	int64_t hours = 0;
	if (!api_query_int(call, "valid_hours", 1, 2160, BRANCH_TOKEN_S / 3600, &hours, e) ||
	    !branches_token_new(release->db, release->random, call->path_rest, call->operator, call->now_s,
				hours * 3600, token, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "branch", call->path_rest);
	json_put_text(&call->json, "token", token);
	json_put_int(&call->json, "expires_s", call->now_s + hours * 3600);
	json_close(&call->json, '}');
	explicit_bzero(token, sizeof(token));
	return true;
}

static bool branch_revoke(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	if (!branches_revoke(db, call->path_rest, call->operator, call->now_s, e))
		return false;
	if (!acl_refresh(db, call->central->dir, e))
		return err_wrap(e, "the branch is revoked, but the broker's access list could not be written");
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "branch", call->path_rest);
	json_put_text(&call->json, "next",
		      "send mosquitto SIGHUP, or restart it to end a session that is still open");
	json_close(&call->json, '}');
	return true;
}

/* Of one branch; q2 is kept by the statement cache. */
static bool lists_put(struct api_call *call, const char *branch, struct err *e)
{
	bool row = false, ok = false;
	char hex[2 * HASH_LEN + 1];
	struct db_query *q = db_query(call->central->release.db,
				      "SELECT list, version, hash, count, confirmed_s, fault FROM branch_list"
				      " WHERE branch = ? ORDER BY list",
				      e);
	if (q == NULL)
		return false;
	json_open(&call->json, "lists", '[');
	ok = db_bind_text(q, 1, branch, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct bytes hash = db_bytes(q, 2);
		hex_encode(hash.data, hash.len < HASH_LEN ? hash.len : HASH_LEN, hex);
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "name", db_text(q, 0));
		json_put_int(&call->json, "version", db_int(q, 1));
		json_put_text(&call->json, "hash", hex);
		json_put_int(&call->json, "count", db_int(q, 3));
		json_put_int(&call->json, "confirmed_s", db_int(q, 4));
		json_put_text(&call->json, "fault", db_text(q, 5));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	db_finish(q);
	return ok;
}

/* Of a box with two slots; otherwise nothing is said. */
static bool update_put(struct api_call *call, const char *branch, struct err *e)
{
	bool row = false;
	struct db_query *q =
		db_query(call->central->release.db,
			 "SELECT state, slot, version, wanted, failed, fault FROM branch_update WHERE branch = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, branch, e) && db_next(q, &row, e);
	if (ok && row) {
		enum update_state state = (enum update_state)db_int(q, 0);
		json_open(&call->json, "update", '{');
		json_put_text(&call->json, "state", update_state_name(state));
		json_put_text(&call->json, "state_zh", update_state_zh(state));
		json_put_text(&call->json, "slot", db_text(q, 1));
		json_put_int(&call->json, "version", db_int(q, 2));
		json_put_int(&call->json, "wanted", db_int(q, 3));
		json_put_int(&call->json, "failed", db_int(q, 4));
		json_put_text(&call->json, "fault", db_text(q, 5));
		json_close(&call->json, '}');
	}
	db_finish(q);
	return ok;
}

static bool alarms_put(struct api_call *call, const char *branch, struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q = db_query(call->central->release.db,
				      "SELECT branch, code, first_s, last_s, times, detail FROM alarm"
				      " WHERE ? IS NULL OR branch = ? ORDER BY last_s DESC LIMIT 1000",
				      e);
	if (q == NULL)
		return false;
	json_open(&call->json, "alarms", '[');
	ok = db_bind_text(q, 1, branch, e) && db_bind_text(q, 2, branch, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "branch", db_text(q, 0));
		json_put_text(&call->json, "code", db_text(q, 1));
		json_put_int(&call->json, "first_s", db_int(q, 2));
		json_put_int(&call->json, "last_s", db_int(q, 3));
		json_put_int(&call->json, "times", db_int(q, 4));
		json_put_text(&call->json, "detail", db_text(q, 5));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	db_finish(q);
	return ok;
}

static bool branch_put(struct api_call *call, const struct db_query *q, struct err *e)
{
	static const char *const numbers[] = { "enrolled_s",    "revoked_s", "last_seen_s",   "clock_s",
					       "head_sequence", "checks",    "journal_first", "journal_last",
					       "faults",        "status_s",  "tampered_s" };
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "name", db_text(q, 0));
	json_put_text(&call->json, "software", db_text(q, 1));
	for (int i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++)
		json_put_int(&call->json, numbers[i], db_int(q, i + 2));
	bool ok = lists_put(call, db_text(q, 0), e) && update_put(call, db_text(q, 0), e) &&
		  alarms_put(call, db_text(q, 0), e);
	json_close(&call->json, '}');
	return ok;
}

static bool branch_list(struct api_call *call, struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q = db_query(
		call->central->release.db,
		"SELECT name, software, enrolled_s, revoked_s, last_seen_s, clock_s, head_sequence,"
		" checks, journal_first, journal_last, faults, status_s, tampered_s FROM branch ORDER BY name",
		e);
	if (q == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "branches", '[');
	while ((ok = db_next(q, &row, e)) && row) {
		ok = branch_put(call, q, e);
		if (!ok)
			break;
	}
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

static void epoch_put(struct json_out *w, const struct db_query *q, int at)
{
	char hex[2 * JOURNAL_EPOCH_LEN + 1];
	struct bytes epoch = db_bytes(q, at);
	hex_encode(epoch.data, epoch.len < JOURNAL_EPOCH_LEN ? epoch.len : JOURNAL_EPOCH_LEN, hex);
	json_put_text(w, "epoch", hex);
}

static bool journal_list(struct api_call *call, struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q =
		db_query(call->central->release.db,
			 "SELECT j.branch, j.epoch, j.seq, j.first_s, j.last_s, b.epoch = j.epoch,"
			 " (SELECT count(*) FROM journal_dead d WHERE d.epoch_id = j.id)"
			 " FROM journal_epoch j JOIN branch b ON b.name = j.branch ORDER BY j.branch, j.id",
			 e);
	if (q == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "journals", '[');
	while ((ok = db_next(q, &row, e)) && row) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "branch", db_text(q, 0));
		epoch_put(&call->json, q, 1);
		json_put_int(&call->json, "stored", db_int(q, 2));
		json_put_int(&call->json, "first_s", db_int(q, 3));
		json_put_int(&call->json, "last_s", db_int(q, 4));
		json_put_bool(&call->json, "current", db_int(q, 5) != 0);
		json_put_int(&call->json, "dead", db_int(q, 6));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

static bool journal_dead(struct api_call *call, struct err *e)
{
	bool row = false, ok = false;
	struct db_query *q = db_query(call->central->release.db,
				      "SELECT j.branch, j.epoch, d.seq, d.reason, length(r.row), r.received_s"
				      " FROM journal_dead d JOIN journal_epoch j ON j.id = d.epoch_id"
				      " JOIN journal_row r ON r.epoch_id = d.epoch_id AND r.seq = d.seq"
				      " ORDER BY r.received_s DESC LIMIT ?",
				      e);
	if (q == NULL)
		return false;
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "dead", '[');
	ok = db_bind_int(q, 1, DEAD_MAX, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		json_open(&call->json, NULL, '{');
		json_put_text(&call->json, "branch", db_text(q, 0));
		epoch_put(&call->json, q, 1);
		json_put_int(&call->json, "seq", db_int(q, 2));
		json_put_text(&call->json, "reason", db_text(q, 3));
		json_put_int(&call->json, "size_bytes", db_int(q, 4));
		json_put_int(&call->json, "received_s", db_int(q, 5));
		json_close(&call->json, '}');
	}
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	db_finish(q);
	return ok;
}

static void counters_put(struct json_out *w, const struct central_sync_info *i)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{ "heads", i->heads },     { "sign_failures", i->sign_failures },
		{ "pushed", i->pushed },   { "asked", i->asked },
		{ "batches", i->batches }, { "rows", i->rows },
		{ "dead", i->dead },       { "duplicates", i->duplicates },
		{ "gaps", i->gaps },       { "conflicts", i->conflicts },
		{ "queries", i->queries }, { "statuses", i->statuses },
		{ "refused", i->refused }, { "malformed", i->malformed },
		{ "dropped", i->dropped }, { "faults", i->faults },
	};
	json_open(w, "counters", '{');
	for (size_t n = 0; n < sizeof(counters) / sizeof(counters[0]); n++)
		json_put_int(w, counters[n].name, (int64_t)counters[n].value);
	json_close(w, '}');
}

static void worker_put(void *arg, const struct worker_view *v)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_text(w, "what", v->what);
	json_put_text(w, "state", v->pid != 0 ? "running" : "waiting");
	json_put_int(w, "pid", v->pid);
	json_put_int(w, "seconds", v->age_ms / 1000);
	if (v->all > 0)
		json_put_int(w, "percent", (int64_t)(100 * (v->done < v->all ? v->done : v->all) / v->all));
	json_close(w, '}');
}

static void workers_put(const struct central *central, struct json_out *w)
{
	json_open(w, "work", '[');
	workers_each(central->lists, worker_put, w);
	workers_each(central->reports, worker_put, w);
	json_close(w, ']');
}

static bool status(struct api_call *call, struct err *e)
{
	struct central_sync_info info;
	struct json_out *w = &call->json;
	int64_t branches = 0, decisions = 0;
	struct db *db = call->central->release.db;
	if (!db_run_int(db, &branches, e, "SELECT count(*) FROM branch WHERE enrolled_s <> 0 AND revoked_s = 0",
			"") ||
	    !db_run_int(db, &decisions, e, "SELECT count(*) FROM decision", ""))
		return false;
	central_sync_info(call->central->sync, &info);
	json_open(w, NULL, '{');
	json_put_int(w, "time_s", call->now_s);
	json_put_bool(w, "broker_up", info.up);
	json_put_bool(w, "signer_up", signer_is_ready(call->central->signer));
	json_put_int(w, "head_sequence", (int64_t)info.head_sequence);
	json_put_int(w, "head_issued_s", info.head_issued_s);
	json_put_int(w, "branches", branches);
	json_put_int(w, "decisions", decisions);
	json_put_text(w, "last_fault", info.last_fault);
	counters_put(w, &info);
	workers_put(call->central, w);
	bool ok = alarms_put(call, NULL, e);
	json_close(w, '}');
	return ok;
}

const struct api_route api_branch_routes[] = {
	{ "GET", "/v1/branches", false, branch_list },
	{ "POST", "/v1/branches/%/token", true, branch_token },
	{ "DELETE", "/v1/branches/%", true, branch_revoke },
	{ "GET", "/v1/journals", false, journal_list },
	{ "GET", "/v1/journals/dead", false, journal_dead },
	{ "GET", "/v1/decisions", false, api_decision_list },
	{ "GET", "/v1/decisions/%", false, api_decision_show },
	{ "POST", "/v1/decisions/%/subject", true, api_decision_subject },
	{ "GET", "/v1/status", false, status },
	{ 0 },
};
