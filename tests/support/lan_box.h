/*
 * A branch's API in one process: real database, journal, terminals and sample documents, a loop over a Unix socket, and raw
 * clients that are written to and read in turns. Only the lists and what is around are made up.
 */
#ifndef TESTS_SUPPORT_LAN_BOX_H
#define TESTS_SUPPORT_LAN_BOX_H

#include "firmware/lan.h"

/* Of nobody: the order 001 of a day in 1850. */
#define BOX_NUMBER "330802185001010013"

struct lan_box {
	const char *dir;
	struct loop *loop;
	struct db *db;
	struct record *record;
	struct terminals *terminals;
	struct documents *documents;
	struct clock clock;
	struct lan *lan;
	struct http_server *server;
	char path[128];
	char token[TERMINAL_TOKEN_LEN + 1]; /* of terminal kiosk-1 */
	char other[TERMINAL_TOKEN_LEN + 1]; /* of kiosk-2 */
	struct lan_around around;
	struct tag_key key;
	struct check_source source;
	enum lookup_result held;  /* what every list answers when asked for its state, */
	enum lookup_result found; /* and for a tag */
	int64_t confirmed_s;
	unsigned recorded;
	struct vault vault;
	struct cache cache;
	/* central, as far as look-ups ask it */
	bool line_up;
	struct body_query asked;
	sync_bodies_done *asked_done; /* NULL: nobody waits */
	void *asked_arg;
	struct inquiry inquired; /* the same, of reports */
	sync_inquiry_done *inquired_done;
	void *inquired_arg;
	struct account_query accounted; /* the same, of carbon accounts */
	sync_account_done *accounted_done;
	void *accounted_arg;
	unsigned forgotten;
};
/* Ready, enrolled, every list held, fresh and empty; the line is down. */
void lan_box_open(struct lan_box *b, bool commit_each);
void lan_box_close(struct lan_box *b);

struct lan_box_answer {
	int status; /* 0: the connection closed without an answer */
	char head[2048];
	char body[262144];
};

/* bind_to: the abstract address of the client's end, or NULL. */
int lan_box_connect(const struct lan_box *b, const char *bind_to);
void lan_box_send(int fd, struct bytes data);
/* A request with a credential: token NULL sends none. json NULL sends no body. */
void lan_box_request(int fd, const char *method, const char *path, const char *token, const char *json);
/* Turns the loop until the answer is complete; a static one for each of 4 calls in turn. */
struct lan_box_answer *lan_box_answer(struct lan_box *b, int fd);
/* One request on a connection of its own. */
struct lan_box_answer *lan_box_ask(struct lan_box *b, const char *method, const char *path, const char *token,
				   const char *json);
/* The text of a check; request_id and more facts as given. In turn one of 4 static texts. */
const char *lan_box_check(const char *request_id, const char *facts);
/* A look-up that waits for central, and central's answer, or (r NULL) why there is none. */
struct lan_box_answer *lan_box_look_up(struct lan_box *b, const char *path, const struct body_reply *r,
				       const struct err *why);
/* Turns the loop until one waits. */
void lan_box_asked_wait(struct lan_box *b);
/* A sample of /metrics; -1 when there is none of this name ("xinbian_commits_total"). */
double lan_box_metric(struct lan_box *b, const char *name);

/* POST with the line up to a path of carbon accounts, which central answers with that, or (a NULL) with why not. */
struct lan_box_answer *lan_box_account(struct lan_box *b, const char *path, const char *json,
				       const struct account_answer *a, const struct err *why);
/* POST /v1/reports with the line up, which central answers with the report, or with why not. */
struct lan_box_answer *lan_box_report(struct lan_box *b, const char *json, const char *report, const struct err *why);

#endif
