/*
 * What branchctl's commands share: options, calls to branchd over ctl.sock, and text for people: Chinese first, English second.
 * Exit codes: 0 done, 1 failed, 2 used wrongly.
 */
#ifndef FIRMWARE_TOOL_H
#define FIRMWARE_TOOL_H

#include "protocol/base/buf.h"
#include "protocol/base/json.h"

enum tool_exit { TOOL_DONE = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

struct tool {
	const char *dir;
	bool raw; /* print the API's JSON as it is */
	int argc; /* what the command's words left; options are taken out as they are read */
	char **argv;
	bool used_wrongly; /* an option without its value */
};

/* The value behind the option, taken out; NULL when it does not stand there. Call again for a further one. */
const char *tool_option(struct tool *t, const char *name);
bool tool_flag(struct tool *t, const char *name);
/* Exactly n words are left, and no option. */
bool tool_words(const struct tool *t, int n);

/* One call of ctl.sock; the answer's JSON is appended to out. False on any status but 2xx, with the API's message. */
bool tool_call(const struct tool *t, const char *method, const char *path, struct bytes body, struct buf *out,
	       struct err *e) CHECKED;
/* The same on another socket of HTTP with JSON. */
bool tool_call_at(const char *socket, const char *method, const char *path, struct bytes body, struct buf *out,
		  struct err *e) CHECKED;
/* Says why on stderr and returns TOOL_FAILED. */
int tool_fail(const struct err *e);
/* Calls; prints the JSON raw, and *j is NULL, or parses it. Release with json_free. */
bool tool_fetch(const struct tool *t, const char *method, const char *path, struct bytes body, struct json **j,
		struct err *e) CHECKED;
/* The same, and shows it with show. */
int tool_show(const struct tool *t, const char *method, const char *path, struct bytes body,
	      void (*show)(const struct json *j));

/* Members for printing; "" and 0 where they are missing or of another kind. */
const char *tool_text(const struct json *j, const char *key);
long long tool_int(const struct json *j, const char *key);
bool tool_bool(const struct json *j, const char *key);
const struct json *tool_item(const struct json *j, const char *key, size_t i); /* of an array; NULL past its end */

/* tool_scan.c: what a verdict says, as lines; of a scan or of a look-up. And the command; TOOL_FAILED too when a verdict does not accept. */
void tool_show_verdict(const struct json *j);
int tool_scan(struct tool *t);

/* tool_certificate.c */
int tool_certificate(struct tool *t);
int tool_cache_show(struct tool *t);
int tool_cache_wipe(struct tool *t);

/* tool_report.c */
int tool_report(struct tool *t);

/* tool_carbon.c */
int tool_carbon_show(struct tool *t);
int tool_carbon_redeem(struct tool *t);
int tool_carbon_post(struct tool *t);
int tool_carbon_void(struct tool *t);

/* tool_show.c */
void tool_show_status(const struct json *j);
void tool_show_decision(const struct json *j);
void tool_show_terminals(const struct json *j);
/* Only the list called so, in full, or (NULL) all in brief; how many were shown. */
size_t tool_show_lists(const struct json *j, const char *wanted);

#endif
