/*
 * What has moved, as a journal that hledger reads (https://hledger.org, journal format): one transaction a row, a debit positive, a credit
 * negative, so that a program that is not ours recomputes every posted balance. Primary date: effective day, secondary: the day it
 * was recorded. What is pending has not moved and is not there.
 */
#ifndef CENTRAL_LEDGER_EXPORT_H
#define CENTRAL_LEDGER_EXPORT_H

#include "central/ledger/reader.h"

#include <stdio.h>

#define EXPORT_ACCOUNT_MAX 64
/* "L1:hold:10:0000…00a1" */
void ledger_export_account(const struct ledger_account *a, char out[EXPORT_ACCOUNT_MAX]);
/* Of one ledger, or of all (0). */
bool ledger_export(struct ledger_reader *r, uint32_t ledger, FILE *out, struct err *e) CHECKED;

#endif
