/* What ctl/ledger.c and ctl/ledger_verify.c share. */
#ifndef CENTRAL_CTL_LEDGER_H
#define CENTRAL_CTL_LEDGER_H

#include "central/ctl/ctl.h"
#include "central/ledger/reader.h"

/* Over DIR/ledger.db; NULL on failure. */
struct ledger_reader *ctl_ledger_reader(const struct ctl *c, struct err *e) CHECKED;
bool ctl_ledger_verify(struct ctl *c, struct err *e) CHECKED;
bool ctl_ledger_heads(struct ctl *c, struct err *e) CHECKED;
bool ctl_ledger_sign(struct ctl *c, struct err *e) CHECKED;

#endif
