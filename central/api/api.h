/*
 * Central's local API on DIR/ctl.sock (mode 0600), which centralctl speaks: HTTP with JSON. One file an area registers its
 * routes; api.c dispatches, authenticates operators and turns errors into replies:
 *   ERR_INPUT 400 · ERR_DENIED 403 · ERR_MISSING 404 · ERR_CONFLICT and ERR_STALE 409 · ERR_FULL 507 · ERR_IO 500,
 *   body {"error": code word, "message_zh": its kind, "message": sentence}.
 * Operators have tokens (random, stored hashed, shown once); what changes state needs one, and the audit names its owner.
 * Making and revoking operators needs none but the socket's own protection: who can open it owns the machine.
 */
#ifndef CENTRAL_API_API_H
#define CENTRAL_API_API_H

#include "central/release/release.h"
#include "protocol/base/http.h"
#include "protocol/base/json.h"

#define API_ANSWER_MAX 67108864U

struct central; /* centrald's whole state; centrald.h */

struct api;

struct api_call {
	struct api *api;
	struct central *central;
	struct http_request *request;    /* for query and body; the reply is api.c's */
	char operator[NAME_MAX_LEN + 1]; /* "" without a token */
	int64_t now_s;
	const char *path_rest; /* what stands for the % in the route */
	struct buf *out;       /* the answer */
	struct json_out json;  /* writes to out */
	const char *content_type;
	bool later; /* the answer comes in a later turn: see api_later */
};

struct api_route {
	const char *method, *path; /* "/v1/releases/%" or "/v1/releases/%/submit": % is one segment */
	bool operator_needed;
	bool (*handle)(struct api_call *call, struct err *e);
};
/* Arrays that end with a NULL method. */
extern const struct api_route api_release_routes[], api_branch_routes[], api_operator_routes[], api_registry_routes[],
	api_holdings_routes[], api_update_routes[], api_score_routes[], api_ingest_routes[], api_subject_routes[],
	api_ledger_routes[], api_carbon_routes[], api_guarantee_routes[], api_subsidy_routes[], api_exchange_routes[],
	api_objection_routes[], api_report_routes[], api_department_routes[], api_green_routes[],
	api_green_own_routes[], api_carbon_use_routes[];

/* NULL on failure. */
struct api *api_open(struct loop *l, struct central *central, const char *socket_path, struct err *e) CHECKED;
void api_close(struct api *a);

/* For a handler that cannot answer yet: it returns true after this, keeps what it gets, and answers through api_finish, once. When the
   API closes, what is still open is answered 503 and *l goes with it: owner is told by gone (arg as given), and must forget it. */
struct api_later;
struct api_later *api_later(struct api_call *call, void (*gone)(void *arg), void *arg);
/* json: the answer, or NULL and why. */
void api_finish(struct api_later *l, const struct buf *json, const struct err *why);
void api_finish_as(struct api_later *l, const char *content_type, struct bytes answer);

/* Lists' long steps, by workers: central/api/release_work.c. */
bool api_list_import(struct api_call *call, const struct list_draft *d, struct err *e) CHECKED;
bool api_list_rollback(struct api_call *call, const struct release *old, struct err *e) CHECKED;
bool api_list_publish(struct api_call *call, int64_t id, const struct list_joins *j, struct err *e) CHECKED;
/* After every publication. */
void api_published(struct central *central, int64_t id, int64_t now_s);
/* Answers a later call with this release, or with why not. */
void api_release_finish(struct api_later *l, struct central *central, int64_t id, const struct err *why);

/* Answers with this release. */
bool api_release_answer(struct api_call *call, int64_t id, struct err *e) CHECKED;
/* A whole number from the query, or otherwise when it is missing. */
bool api_query_int(const struct api_call *call, const char *key, int64_t least, int64_t most, int64_t otherwise,
		   int64_t *out, struct err *e) CHECKED;
/* The route's % as a number. */
bool api_id(const struct api_call *call, int64_t *id, struct err *e) CHECKED;

#endif
