/*
 * The ledger's head, signed once a day in China: taken, signed by the signer, written to DIR/ledger.heads (central/ledger/dailies.h). What
 * keeps it from being signed is an alarm: the clock went back, ledger.db is not the one that was signed, or the signer is down for a day.
 */
#ifndef CENTRAL_DAY_HEAD_H
#define CENTRAL_DAY_HEAD_H

#include "central/ledger/dailies.h"
#include "central/signer/signer.h"

struct central;
struct day_head;

/* central is borrowed; its ledger may still be NULL, then nothing is done. */
struct day_head *day_head_new(const struct central *central);
void day_head_free(struct day_head *d); /* NULL is fine */
/* To be called often; does what is due. False: nothing can be signed today, and why. */
bool day_head_run(struct day_head *d, int64_t now_s, struct err *e) CHECKED;

#endif
