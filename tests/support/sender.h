/* A department that sends by itself to a real central: its key and certificate as files, its requests by curl. */
#ifndef TESTS_SUPPORT_SENDER_H
#define TESTS_SUPPORT_SENDER_H

#include "protocol/base/buf.h"

struct sender {
	char dir[100], name[33]; /* files DIR/NAME.key, .csr, .pem */
	const char *ca;
	int port; /* where files go */
};
/* Makes a key and a request, and buys the certificate with the token at that enrolment port of 127.0.0.1. The status; what came goes to
   out. */
int sender_enrol(struct sender *s, int enrol_port, const char *token, struct buf *out);
/* One request with the certificate; file NULL sends no body. extra: one more option of curl and its value, or NULL. The HTTP status, 0 when
   none came; the body goes to out, which is emptied first. */
int sender_ask(const struct sender *s, const char *method, const char *path, const char *file,
	       const char *const *extra, struct buf *out);
/* POST of a file with its true hash. */
int sender_upload(const struct sender *s, const char *source, const char *period, const char *file,
		  const char *const *extra, struct buf *out);

#endif
