/* What ctl/ingest.c and ctl/batch.c share. */
#ifndef CENTRAL_CTL_INGEST_H
#define CENTRAL_CTL_INGEST_H

#include "central/ctl/ctl.h"

/* As ctl_call, and prints nothing. */
struct json *ctl_quiet(struct ctl *c, const char *method, const char *path, struct bytes body, struct err *e) CHECKED;
/* The option, when it was given, as a member of the query. */
void ctl_option_send(struct ctl *c, struct buf *path, const char *option, const char *as);
/* Calls and prints a batch; more: all that is to be said of it. */
bool ctl_batch_call(struct ctl *c, const char *method, const char *path, bool more, struct err *e) CHECKED;
/* Rejected rows into a file of mode 0600; to NULL: to standard output. */
bool ctl_rejects_save(struct ctl *c, int64_t id, const char *to, struct err *e) CHECKED;

bool ctl_batch_load(struct ctl *c, struct err *e) CHECKED;
bool ctl_batch_check(struct ctl *c, struct err *e) CHECKED;

#endif
