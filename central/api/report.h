/* The worker that makes credit reports: centrald run again with this role, which takes its order from a descriptor (protocol/base/worker.h). */
#ifndef CENTRAL_API_REPORT_H
#define CENTRAL_API_REPORT_H

#define REPORT_WORKER "report"
int report_worker_main(void);

#endif
