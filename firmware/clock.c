#include "firmware/clock.h"
#include "firmware/state.h"

#define CLOCK_KEY "clock.time_s"

bool clock_load(struct clock *c, struct db *db, int64_t monotonic_ms, int64_t system_s, struct err *e)
{
	struct err missing = { 0 };
	int64_t stored_s = 0;
	bool trusted = meta_get_int(db, CLOCK_KEY, &stored_s, &missing);
	if (!trusted && missing.code != ERR_MISSING)
		return err_set(e, missing.code, "clock: %.200s", missing.text);
	*c = (struct clock){ .base_s = trusted ? stored_s : system_s,
			     .base_ms = monotonic_ms,
			     .stored_s = stored_s,
			     .trusted = trusted };
	return true;
}

int64_t clock_now_s(const struct clock *c, int64_t monotonic_ms)
{
	int64_t elapsed_ms = monotonic_ms - c->base_ms;
	return c->base_s + (elapsed_ms > 0 ? elapsed_ms / 1000 : 0);
}

static bool clock_store(struct clock *c, struct db *db, int64_t now_s, struct err *e)
{
	if (!meta_put_int(db, CLOCK_KEY, now_s, e))
		return err_wrap(e, "clock");
	c->stored_s = now_s;
	return true;
}

bool clock_head(struct clock *c, struct db *db, int64_t issued_s, int64_t monotonic_ms, struct err *e)
{
	if (!c->trusted || issued_s > clock_now_s(c, monotonic_ms)) {
		c->base_s = issued_s;
		c->base_ms = monotonic_ms;
	}
	c->trusted = true;
	return clock_store(c, db, clock_now_s(c, monotonic_ms), e);
}

bool clock_tick(struct clock *c, struct db *db, int64_t monotonic_ms, struct err *e)
{
	int64_t now_s = clock_now_s(c, monotonic_ms);
	if (!c->trusted || now_s < c->stored_s + CLOCK_STORE_S)
		return true;
	if (!db_begin(db, e))
		return false;
	if (clock_store(c, db, now_s, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}
