/* Once a second the image that runs is told how the branch does. */
#include "firmware/branch.h"

#include <stdio.h>

#define TICK_MS 1000

static void tick(void *arg)
{
	struct branch *b = arg;
	struct updates_health h = { 0 };
	struct lan_well lan;
	struct sync_info sync = { .up = false };
	bool gate = !b->membership.is_member || b->line.https_port != 0;
	lan_well(b->lan, &lan);
	if (b->line.sync != NULL)
		sync_info(b->line.sync, &sync);
	h.well = lan.well && gate;
	h.ready = lan.ready && gate;
	h.heard = sync.heads > 0;
	snprintf(h.why, sizeof(h.why), "%s", gate ? lan.why : "gate_not_listening");
	updates_tick(b->updates, &h, loop_now_ms());
	loop_timer_set(b->update_due, TICK_MS);
}

void update_open(struct branch *b)
{
	if (b->config.update.boot[0] == '\0')
		return;
	b->updates = updates_open(&b->config.update, b->db, loop_now_ms());
	b->update_due = loop_timer_new(b->loop, tick, b);
	loop_timer_set(b->update_due, TICK_MS);
}

void update_close(struct branch *b)
{
	if (b->updates == NULL)
		return;
	loop_timer_free(b->update_due);
	updates_close(b->updates);
}
