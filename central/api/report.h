/* The worker that makes credit reports: centrald run again with this role, which takes its order from a descriptor (protocol/base/worker.h). */
#ifndef CENTRAL_API_REPORT_H
#define CENTRAL_API_REPORT_H

#include "central/sync/sync.h"

#define REPORT_WORKER "report"
int report_worker_main(void);

/* central/sync's report_maker; arg: struct central. */
bool report_inquire(void *arg, const char *branch, const struct inquiry *q, const uint8_t question[HASH_LEN],
		    int64_t now_s, struct err *e) CHECKED;

#endif
