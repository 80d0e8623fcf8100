/*
 * The port at which departments leave files. gate ends the TLS and lets nobody in without a certificate of our CA; who it is comes with the
 * connection's own address (protocol/base/http.h), and everything is bound to the sources of that department.
 *
 *   POST or PUT /v1/sources/CODE/upload?period=2026-10&sha256=HEX[&format=csv|ndjson][&encoding=…][&as_of=DAY][&file=NAME]
 *   GET /v1/batches/ID · GET /v1/batches/ID/rejects
 *
 * A file is streamed: what waits in memory is a part, whatever its length, and the department is not read from while its part is stored.
 * An upload that does not end, for whatever reason, leaves nothing; the same file sent again is the same batch. When the check takes longer
 * than the answer may, the answer is 202 and the check goes on. One request a connection.
 */
#ifndef CENTRAL_DEPARTMENT_PORT_H
#define CENTRAL_DEPARTMENT_PORT_H

#include "central/release/release.h"
#include "protocol/base/loop.h"

#define DEPARTMENT_UPLOADS_MAX  4      /* at once: 5 MiB and a quarter of the loop each */
#define DEPARTMENT_VISITORS_MAX 64     /* connections; those beyond are told to come later */
#define DEPARTMENT_SLOW_BYTES   65536U /* less in slow_ms, and the line is given up */
#define DEPARTMENT_ANSWER_MAX   67108864U

struct department_port;

struct department_port_config {
	const char *path; /* Unix socket that gate connects to; copied */
	struct release_context *release;
	int64_t (*now_s)(void);
	int64_t slow_ms;   /* 0: 30000 */
	int64_t answer_ms; /* for the check; 0: 20000 */
};
/* What an earlier run left unfinished is erased, what it left unchecked is checked. NULL on failure. */
struct department_port *department_port_open(struct loop *l, const struct department_port_config *c,
					     struct err *e) CHECKED;
/* NULL is fine. */
void department_port_close(struct department_port *p);

#endif
