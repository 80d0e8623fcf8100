/*
 * The broker's access list. Who connects is who its certificate says (use_identity_as_username), so: a branch reads the head, the
 * objects and its own down/, and writes its own up/; central writes head, objects and down/, and reads up/; nothing else.
 * Revoked branches are denied all. mosquitto reads the file anew on SIGHUP, for new connections only: that, and ending the
 * session a revoked branch still has, is the operator's; central itself stops listening at once.
 */
#ifndef CENTRAL_ACL_H
#define CENTRAL_ACL_H

#include "protocol/base/buf.h"

/* revoked: names, one a line. */
void acl_text(struct bytes revoked, struct buf *out);
/* DIR/mosquitto.acl, replaced as one step. */
bool acl_store(const char *dir, struct bytes revoked, struct err *e) CHECKED;

#endif
