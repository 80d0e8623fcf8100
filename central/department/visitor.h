/*
 * One connection of a department and the port it came to; for port.c and visitor.c alone. HEAD → BODY → CHECKING → ANSWERING → DRAINING →
 * gone; any state but the last may go to ANSWERING with an error. DRAINING reads what the other side still sends and drops it: a socket
 * closed over unread bytes would take the answer with it.
 */
#ifndef CENTRAL_DEPARTMENT_VISITOR_H
#define CENTRAL_DEPARTMENT_VISITOR_H

#include "central/department/port.h"
#include "central/department/upload.h"

struct visitor {
	struct department_port *port;
	int fd;
	struct loop_fd *watch;
	struct loop_timer *timer;
	enum { HEAD, BODY, CHECKING, ANSWERING, DRAINING } state;
	struct department department;
	bool known;
	struct buf head, out;
	struct upload upload;
	int64_t batch; /* that is checked */
	size_t put;
	uint64_t moved; /* bytes since the timer was set */
	struct visitor *next;
};

struct department_port {
	struct department_port_config config;
	struct loop *loop;
	char path[108];
	int fd;
	struct loop_fd *watch;
	struct loop_timer *check;
	struct visitor *visitors; /* owned */
	size_t visitors_len;
};

int64_t visitor_now_s(const struct visitor *v);
/* Acts on a whole head; what it asks for is answered, or the body is due. */
void visitor_route(struct visitor *v, const struct asked *h);
/* The batch is answered once it is checked. */
void visitor_check_wait(struct visitor *v, int64_t id);
/* late: it is still being checked. */
void visitor_answer_batch(struct visitor *v, int64_t id, bool late);
/* What is under way is dropped. */
void visitor_refuse(struct visitor *v, const struct err *e);
void visitor_refuse_as(struct visitor *v, int status, const struct err *e);

#endif
