/*
 * Accounts and transfers as lines of JSON, one an object (NDJSON), and the answer's results. An account:
 *   {"id": "a1", "ledger": 1, "class": "issue|hold|retire", "code": 10, "limit": "none|no_overdraft|no_overpay", "name": "…"}
 * A transfer ("ref" is the pending one of a post or void, the original of a reversal; what these leave out is as there):
 *   {"id": "…", "kind": "single|pending|post|void|reversal", "debit": "a1", "credit": "a2", "amount": 1250, "ledger": 1, "code": 3,
 *    "ref": "…", "timeout_s": 86400, "effective": "2026-01-31", "data": "…", "linked": true}
 * Identifiers are hexadecimal (row.h). Unknown fields are refused; an error names the line.
 */
#ifndef CENTRAL_LEDGER_LINES_H
#define CENTRAL_LEDGER_LINES_H

#include "central/ledger/ledger.h"
#include "protocol/base/json.h"

const char *ledger_class_name(uint8_t class);
const char *ledger_limit_name(uint8_t flags);
const char *ledger_kind_name(uint8_t kind);

bool ledger_account_parse(const struct json *j, struct ledger_account *out, struct err *e) CHECKED;
bool ledger_transfer_parse(const struct json *j, struct ledger_transfer *out, struct err *e) CHECKED;

/* Every line that is not empty; at most LEDGER_BATCH_MAX. out has that much room. */
bool ledger_accounts_parse(struct bytes lines, struct ledger_account *out, size_t *n, struct err *e) CHECKED;
bool ledger_transfers_parse(struct bytes lines, struct ledger_transfer *out, size_t *n, struct err *e) CHECKED;

/* The next line of text without its end, moving *rest behind it; false when there is none. Empty lines are skipped. */
bool ledger_line_next(struct bytes *rest, struct bytes *line, size_t *number);

#endif
