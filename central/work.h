/* Centrald's workers (protocol/base/worker.h): who does the work that would hold up the loop, and how much of it at a time. */
#ifndef CENTRAL_WORK_H
#define CENTRAL_WORK_H

#include "central/centrald.h"
#include "central/hub.h"

/* c->loop and the pools. keys: a worker wipes those of its copy that it has no use for. */
void work_open(struct central *c, struct loop *l, struct hub_config *keys);
/* Those who wait for a result are told that it will not come, while their answers can still leave; c's pools are NULL behind it. */
void work_close(struct central *c);

#endif
