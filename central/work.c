#include "central/work.h"

#include "protocol/base/worker.h"

#include <string.h>

#define LISTS_WAITING   3 /* each holds its file in memory */
#define REPORTS_WAITING 16

/* A worker opens and seals rows, and talks to nobody. */
static void keys_forget(void *arg)
{
	struct hub_config *c = arg;
	buf_wipe(&c->broker_key);
	buf_wipe(&c->central_key);
	explicit_bzero(c->seal_scalar, sizeof(c->seal_scalar));
}

/* One list at a time, since each takes memory; of reports two, as there are cores. */
void work_open(struct central *c, struct loop *l, struct hub_config *keys)
{
	const struct workers_config lists = { 1, LISTS_WAITING, keys_forget, keys };
	const struct workers_config reports = { 2, REPORTS_WAITING, keys_forget, keys };
	c->loop = l;
	c->lists = workers_new(l, &lists);
	c->reports = workers_new(l, &reports);
}

void work_close(struct central *c)
{
	struct workers *lists = c->lists, *reports = c->reports;
	if (lists == NULL)
		return;
	c->lists = c->reports = NULL;
	workers_free(lists);
	workers_free(reports);
	for (int i = 0; i < 3; i++)
		loop_once(c->loop, 0);
}
