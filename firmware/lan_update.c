/* What the API says of the box's image. */
#include "firmware/lan_inner.h"
#include "protocol/base/json.h"

void lan_put_update(struct json_out *w, const struct updates_info *i)
{
	const struct status_update *u = &i->status;
	if (u->state == UPDATE_NONE) {
		json_put_null(w, "update");
		return;
	}
	json_open(w, "update", '{');
	json_put_text(w, "state", update_state_name(u->state));
	json_put_text(w, "slot", u->slot_b ? "b" : "a");
	json_put_int(w, "version", (int64_t)u->version);
	json_put_int(w, "wanted", (int64_t)u->wanted);
	json_put_int(w, "failed", (int64_t)u->failed);
	json_put_text(w, "fault", u->fault);
	json_put_int(w, "chunks_got", i->got);
	json_put_int(w, "chunks", i->of);
	json_close(w, '}');
}

static void one(struct buf *out, const char *name, const char *help, double value)
{
	metrics_head(out, name, "gauge", help);
	metrics_value(out, name, NULL, NULL, value);
}

void lan_update_metrics(struct buf *out, const struct updates_info *i)
{
	const struct status_update *u = &i->status;
	if (u->state == UPDATE_NONE)
		return;
	metrics_head(out, "xinbian_update_state", "gauge", "1 for the state that the box's update is in");
	for (enum update_state s = UPDATE_CURRENT; s <= UPDATE_STATE_LAST; s++)
		metrics_value(out, "xinbian_update_state", "state", update_state_name(s), s == u->state);
	one(out, "xinbian_update_version", "Version of the image that runs", (double)u->version);
	one(out, "xinbian_update_wanted_version", "Version in force for this box; 0 none", (double)u->wanted);
	one(out, "xinbian_update_failed_version", "Version that last fell back here; 0 none", (double)u->failed);
}
