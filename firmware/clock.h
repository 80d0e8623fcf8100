/*
 * The trusted clock: there is no battery clock, so time is the newest signed head's issue time plus the
 * monotonic time since it came, and never less than the last value stored. Stored at most once a minute, and
 * whenever a head moves it. Before the first head there is only the system's clock, untrusted and never
 * stored; the first head replaces it, whichever way. After that nothing moves the clock back, and the
 * system's clock being set changes nothing.
 */
#ifndef FIRMWARE_CLOCK_H
#define FIRMWARE_CLOCK_H

#include "protocol/base/db.h"

#define CLOCK_STORE_S 60

struct clock {
	int64_t base_s;  /* trusted time … */
	int64_t base_ms; /* … at this monotonic time */
	int64_t stored_s;
	bool trusted; /* a head has been believed in this process or before */
};
bool clock_load(struct clock *c, struct db *db, int64_t monotonic_ms, int64_t system_s, struct err *e) CHECKED;
int64_t clock_now_s(const struct clock *c, int64_t monotonic_ms);
/* A head issued at issued_s has been believed. Inside the caller's transaction; should that be rolled back,
 * the clock in memory stays where the head put it. */
bool clock_head(struct clock *c, struct db *db, int64_t issued_s, int64_t monotonic_ms, struct err *e) CHECKED;
/* Stores it, in a transaction of its own, if a minute has passed. */
bool clock_tick(struct clock *c, struct db *db, int64_t monotonic_ms, struct err *e) CHECKED;

#endif
