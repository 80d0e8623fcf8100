/*
 * centralctl's commands: a table, one file an area. A command asks centrald over DIR/ctl.sock and prints the answer: as text,
 * Chinese first, or with --json as it came.
 */
#ifndef CENTRAL_CTL_CTL_H
#define CENTRAL_CTL_CTL_H

#include "protocol/base/buf.h"
#include "protocol/base/json.h"

#define CTL_ARGS_MAX 8

struct ctl {
	const char *dir;
	char token[128]; /* the operator's; "" none */
	bool json;
	int argc; /* positional arguments behind the command's words */
	const char *argv[CTL_ARGS_MAX];
	/* options given: --name value, and --name for a flag ("" then) */
	const char *option_names[CTL_ARGS_MAX], *option_values[CTL_ARGS_MAX];
	int options_len;
};

struct ctl_command {
	const char *group, *verb; /* verb "" when the group stands alone */
	int args;                 /* positional arguments it needs */
	const char *
		usage; /* a first argument called NAME is held to the rule of names: "NAME FILE [--format auto|csv|ofac-sdn]" */
	const char *options; /* with a value, then, behind a '|', flags: "format mode|force" */
	bool (*run)(struct ctl *c, struct err *e);
};
/* Each ends with a NULL group. */
extern const struct ctl_command ctl_release_commands[], ctl_operator_commands[], ctl_branch_commands[],
	ctl_init_commands[], ctl_registry_commands[], ctl_holdings_commands[], ctl_update_commands[],
	ctl_model_commands[], ctl_score_commands[], ctl_ingest_commands[], ctl_subject_commands[],
	ctl_ledger_commands[], ctl_carbon_commands[], ctl_guarantee_commands[], ctl_subsidy_commands[],
	ctl_exchange_commands[], ctl_objection_commands[], ctl_report_commands[], ctl_department_commands[],
	ctl_green_commands[], ctl_green_own_commands[], ctl_carbon_use_commands[];
/* Of ctl_model_commands and ctl_score_commands; in ctl/monitor.c and ctl/months.c. */
bool ctl_model_monitor(struct ctl *c, struct err *e);
bool ctl_model_months(struct ctl *c, size_t bins, struct err *e);
bool ctl_score_outcome(struct ctl *c, struct err *e);
/* A table in slices of so many rows, each with the header; each is taken whole or not at all. answered gets each slice's answer. */
bool ctl_slices_send(struct ctl *c, const char *path, struct bytes table, size_t slice_rows,
		     void (*answered)(void *arg, const struct json *j), void *arg, struct err *e) CHECKED;

/* The option's value, or NULL when it was not given. */
const char *ctl_option(const struct ctl *c, const char *name);
/* One call; an answer other than 2xx becomes the error it carries. NULL on failure. body.data NULL: none. With --json the
   answer has been printed already and *printed is set. Release with json_free. */
struct json *ctl_call(struct ctl *c, const char *method, const char *path, struct bytes body, bool *printed,
		      struct err *e) CHECKED;
/* POST, and what is done in words unless --json printed the answer. */
bool ctl_post(struct ctl *c, const char *path, struct bytes body, const char *done, struct err *e) CHECKED;
/* The same of an object: text members keys[0 … n-1] from the arguments in their order, and "fen" out of fen_text. */
bool ctl_post_fen(struct ctl *c, const char *path, const char *const *keys, int n, const char *fen_text,
		  const char *done, struct err *e) CHECKED;
/* Calls for one release, and prints it as text or JSON. */
bool ctl_release_call(struct ctl *c, const char *method, const char *path, struct bytes body, struct err *e) CHECKED;
/* A whole number; what: "fen", for the error. */
bool ctl_number(const char *text, const char *what, int64_t *out, struct err *e) CHECKED;
/* The same for answers that are no JSON (CSV): appended to out. */
bool ctl_fetch(struct ctl *c, const char *method, const char *path, struct bytes body, struct buf *out,
	       struct err *e) CHECKED;

/* Of an answer, for printing: 0 and "" when missing. */
int64_t ctl_int(const struct json *j, const char *key);
const char *ctl_text(const struct json *j, const char *key);
/* "2026-01-31 09:30:00", China's time; "-" for 0. Static ring of four. */
const char *ctl_time(int64_t time_s);

#endif
