/* The ledger as the API's areas share it. */
#ifndef CENTRAL_API_LEDGER_H
#define CENTRAL_API_LEDGER_H

#include "central/api/api.h"
#include "central/fund/book.h"
#include "central/ledger/ledger.h"

/* DIR/ledger.db, opened by the first who needs it: a damaged ledger stops nothing else. NULL on failure. */
struct ledger *api_ledger(struct api_call *call, struct err *e) CHECKED;
/* The same for an area on the ledger, in the operator's name. */
bool api_book(struct api_call *call, struct book *b, struct err *e) CHECKED;
/* {"name"}: what was done. */
void api_done(struct api_call *call, const char *name);
void api_ledger_path(const struct api_call *call, char out[300]);
/* Who is about to send what, in the audit before it is done: the body's hash, so that the file he keeps can be shown to be it. */
bool api_ledger_audit(struct api_call *call, const char *what, const char *detail, struct err *e) CHECKED;

#endif
