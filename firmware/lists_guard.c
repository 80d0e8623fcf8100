/*
 * A release that takes away or changes too much is more likely a fault at its source than the truth, unless an operator
 * has said so (forced_version). The limits are of one release, as central keeps them: 2 % and 5 %, or LIST_GUARD_ENTRIES entries if that
 * is more. A branch that was away for many may see what so many releases in a row could do at most. Several deltas in
 * a row are judged together, against the version catching up started from.
 */
#include "firmware/lists_state.h"

static uint64_t most_of(uint64_t count, unsigned percent)
{
	uint64_t part = count * percent / 100;
	return part > LIST_GUARD_ENTRIES ? part : LIST_GUARD_ENTRIES;
}

/* Whether so many releases in a row, each within its limits, can lead from count to as few, and make so many changes. */
static bool releases_can(uint64_t releases, uint64_t count, uint64_t count_to, uint64_t changes)
{
	uint64_t least = count, grown = count, changed = 0;
	for (uint64_t i = 0; i < releases && (count_to < least || changes > changed); i++) {
		uint64_t shrink = most_of(least, LIST_SHRINK_PERCENT), change = most_of(grown, LIST_CHANGE_PERCENT);
		least = least > shrink ? least - shrink : 0;
		grown += change;
		changed += change;
	}
	return count_to >= least && changes <= changed;
}

bool list_guard(const struct list *list, const struct head_entry *entry, uint64_t to, uint64_t count_to,
		uint64_t changes, struct err *e)
{
	if (list->version == 0 || entry->forced_version > list->start_version)
		return true;
	if (count_to <= 1 && list->start_count > 1) /* the canary alone */
		return err_set(e, ERR_DENIED, "version %llu is empty and was not forced: the old version stays",
			       (unsigned long long)to);
	uint64_t releases = to > list->start_version ? to - list->start_version : 1;
	if (releases_can(releases, list->start_count, count_to, changes))
		return true;
	return err_set(e, ERR_DENIED,
		       "version %llu would leave %llu of %llu entries and change %llu, too much to believe, and was "
		       "not forced: the old "
		       "version stays",
		       (unsigned long long)to, (unsigned long long)count_to, (unsigned long long)list->start_count,
		       (unsigned long long)changes);
}

bool lists_guard(const struct lists *l, const struct head_entry *entry, struct err *e)
{
	const struct list *list = lists_find(l, entry->name);
	return list == NULL || list_guard(list, entry, entry->version, entry->count, 0, e);
}
