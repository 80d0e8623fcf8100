#include "central/alarm.h"

bool alarm_raise(struct db *db, int64_t time_s, const char *branch, const char *code, const char *detail,
		 struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO alarm (branch, code, first_s, last_s, times, detail) VALUES (?, ?, ?, ?, 1, ?)"
		      " ON CONFLICT (branch, code) DO UPDATE SET last_s = excluded.last_s,"
		      " times = alarm.times + 1, detail = excluded.detail",
		      "ttiit", branch, code, time_s, time_s, detail);
}
