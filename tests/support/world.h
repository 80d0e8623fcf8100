/*
 * A whole system of real parts in a directory of its own: a broker, centrald and branches, all on free ports of 127.0.0.1,
 * set up by the programs' own commands as an operator would. Every step that fails prints its output and ends the test.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "protocol/base/json.h"
#include "tests/support/child.h"

#define WORLD_BRANCHES_MAX 3

struct world_branch {
	char name[16];
	char dir[120];
	int api_port;
	pid_t pid;
	char terminal_token[128];
};

struct world {
	char dir[80];
	char central_dir[100];
	int broker_port, central_port;
	pid_t broker, central;
	size_t branches_len;
	struct world_branch branches[WORLD_BRANCHES_MAX];
};

/* Keys, operators alice and bob; the sample rules, catalogue, black-dishonest and sanctions published; broker and centrald run. */
void world_open(struct world *w);
/* The same, for branches that reach 127.0.0.1 under another address. */
void world_open_as(struct world *w, const char *host);
/* Stops what runs; a daemon that does not end cleanly on SIGTERM fails the test. */
void world_close(struct world *w);

void world_broker_start(struct world *w);
void world_broker_stop(struct world *w, int signo);
void world_central_start(struct world *w);
void world_central_stop(struct world *w, int signo);

/* A further branch, enrolled, running and with a terminal's token; waits until it has rules and catalogue. */
struct world_branch *world_branch_add(struct world *w, const char *name);
/* A branch that runs somewhere else, its HTTPS on that port of 127.0.0.1: known here, and nothing is done for it. */
struct world_branch *world_branch_remote(struct world *w, const char *name, int api_port);
/* A fresh one-time token of central's to enrol with. */
void world_enrol_token(struct world *w, const char *name, char token[200]);
void world_branch_start(struct world *w, struct world_branch *b);
/* With a fresh token of central's; the tool's exit status, what it prints goes to out. */
int world_enrol(struct world *w, struct world_branch *b, struct buf *out);
void world_branch_stop(struct world_branch *b, int signo);

/* The tools. out (may be NULL) takes what they print; returns the exit status. who: "alice", "bob" or NULL. */
int world_ctl(struct world *w, const char *who, struct buf *out, const char *fmt, ...) PRINTF(4, 5);
int world_branchctl(struct world_branch *b, struct buf *out, const char *fmt, ...) PRINTF(3, 4);
/* centralctl with that exit status, and the words in what it prints. */
void world_expect(struct world *w, int status, const char *words, const char *who, const char *command);
/* The same, parsed from --json; fails the test when the tool does. Release with json_free. */
struct json *world_ctl_json(struct world *w, const char *who, const char *fmt, ...) PRINTF(3, 4);
struct json *world_branchctl_json(struct world_branch *b, const char *fmt, ...) PRINTF(2, 3);

/* Imports a file as the whole list and takes it through to published (alice, then bob). Returns the version. */
int64_t world_publish(struct world *w, const char *list, const char *file, const char *options);
/* A draft, submitted by alice, approved and published by bob. Returns the version. */
int64_t world_release(struct world *w, int64_t id);
/* Until the branch answers checks with that version of the list. */
bool world_wait_version(struct world_branch *b, const char *list, int64_t version, int timeout_ms);
/* Until central says the branch has it applied. */
bool world_wait_applied(struct world *w, const struct world_branch *b, const char *list, int64_t version,
			int timeout_ms);
/* Until central has stored so many decisions of the branch. */
bool world_wait_decisions(struct world *w, const struct world_branch *b, int64_t count, int timeout_ms);
int64_t world_decisions(struct world *w, const struct world_branch *b);

/* One HTTPS request to the branch with the terminal's token, by curl, the certificate checked against central's CA. Returns the
   HTTP status, 0 when none came; the body goes to out. */
int world_https(struct world *w, const struct world_branch *b, const char *method, const char *path, const char *body,
		struct buf *out);
/* POST /v1/checks for a number; returns the status, the outcome goes to outcome ("" without one). */
int world_check(struct world *w, const struct world_branch *b, const char *request_id, const char *kind,
		const char *number, char outcome[16]);

/* A CSV list of n made-up resident IDs, numbered from first; world_number gives the i-th. */
void world_csv(const char *path, unsigned first, unsigned n);
void world_number(unsigned i, char out[20]);

#endif
