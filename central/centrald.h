/* centrald's state, shared by the areas of its API. One process, one thread, one writer. */
#ifndef CENTRAL_CENTRALD_H
#define CENTRAL_CENTRALD_H

#include "central/api/api.h"

struct central_sync;
struct day_head;
struct ledger;
struct exchange_port;
struct signer;

struct central {
	struct release_context release; /* db, objects, vault key, randomness */
	struct central_sync *sync;      /* central/sync/sync.h */
	struct signer *signer;          /* central/signer/signer.h: frames to the child that holds the keys */
	void (*revoked)(void *arg);     /* the registry changed: the list is due soon */
	void *revoked_arg;
	struct exchange_port *exchange; /* central/exchange/port.h */
	const char *dir;
	struct ledger *
		ledger; /* DIR/ledger.db; opened at the start if it is there, else when it is needed: central/api/ledger.c */
	struct day_head *day_head; /* central/day_head.h */
};

/* Something was published: a new head is due now. */
void central_sync_released(struct central_sync *s);
/* A branch has bodies to fetch or to erase: it is told now, and otherwise finds out by itself. */
void central_sync_nudge(struct central_sync *s, const char *branch);

#endif
