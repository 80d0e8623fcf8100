/* centrald alone, without broker or branches, set up and asked by the programs' own commands; one operator, alice. */
#ifndef TESTS_SUPPORT_LONE_CENTRAL_H
#define TESTS_SUPPORT_LONE_CENTRAL_H

#include "protocol/base/json.h"
#include "tests/support/child.h"

struct lone_central {
	char dir[100], token[128];
	pid_t pid;
	int broker_port, enrol_port, department_port; /* of 127.0.0.1 */
};
/* Initialised, running, with alice's token in the file `token`. Fails the test when it cannot. */
void lone_central_open(struct lone_central *c);
void lone_central_start(struct lone_central *c);
void lone_central_stop(struct lone_central *c, int signo);
/* centralctl with alice's token; what it prints goes to out, which is emptied first. Words are separated by single spaces. */
int lone_central_ctl(struct lone_central *c, struct buf *out, const char *fmt, ...) PRINTF(3, 4);
/* The same with --json, parsed from the first brace on; NULL when the tool failed. Release with json_free. */
struct json *lone_central_json(struct lone_central *c, const char *fmt, ...) PRINTF(2, 3);

#endif
