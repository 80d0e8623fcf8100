/*
 * The broker's access list. Who connects is who its certificate says (use_identity_as_username), so: a branch reads the head, the
 * objects and its own down/, and writes its own up/; a department's certificate writes its own in/ and reads its own ack/, and has nothing
 * of a branch's; central writes head, objects, down/ and ack/, and reads up/ and in/; nothing else. Patterns go for every name, so
 * departments stand there one by one. Who was revoked is denied all. mosquitto reads the file anew on SIGHUP, for new connections only: that, and ending the
 * session a revoked branch still has, is the operator's; central itself stops listening at once.
 */
#ifndef CENTRAL_ACL_H
#define CENTRAL_ACL_H

#include "protocol/base/db.h"

/* Names, one a line: revoked ones, and departments' certificates that are not. */
struct acl {
	struct bytes revoked, departments;
};
void acl_text(const struct acl *a, struct buf *out);
/* DIR/mosquitto.acl, replaced as one step. */
bool acl_store(const char *dir, const struct acl *a, struct err *e) CHECKED;
/* The same of what the database says. */
bool acl_refresh(struct db *db, const char *dir, struct err *e) CHECKED;

#endif
