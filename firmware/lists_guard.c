/*
 * A release that takes away or changes too much is more likely a fault at its source than the truth, unless
 * an operator has said so (forced_version). Percentages are of one release: a branch that was away for many
 * may see as many times the change. Several deltas in a row are judged together, against the version catching
 * up started from.
 */
#include "firmware/lists_state.h"

#include <math.h>

#define ROUNDING 0.5 /* never stricter than central, which counts in whole entries */

bool list_guard(const struct list *list, const struct head_entry *entry, uint64_t to, uint64_t count_to,
		uint64_t changes, struct err *e)
{
	if (list->version == 0 || entry->forced_version > list->start_version)
		return true;
	double releases = to > list->start_version ? (double)(to - list->start_version) : 1;
	double count = (double)list->start_count;
	double least = count * pow(1 - LIST_SHRINK_PERCENT / 100.0, releases);
	double most = count * releases * LIST_CHANGE_PERCENT / 100.0;
	if (count_to <= 1 && list->start_count > 1)
		return err_set(e, ERR_DENIED, "version %llu is empty and was not forced: the old one stays",
			       (unsigned long long)to);
	uint64_t gone = list->start_count > count_to ? list->start_count - count_to : 0;
	if (gone > LIST_GUARD_ENTRIES && (double)count_to + ROUNDING < least)
		return err_set(e, ERR_DENIED,
			       "version %llu takes away %llu of %llu entries and was not forced: the old one stays",
			       (unsigned long long)to, (unsigned long long)gone,
			       (unsigned long long)list->start_count);
	if (changes > LIST_GUARD_ENTRIES && (double)changes > most + ROUNDING)
		return err_set(e, ERR_DENIED,
			       "version %llu changes %llu of %llu entries and was not forced: the old one stays",
			       (unsigned long long)to, (unsigned long long)changes,
			       (unsigned long long)list->start_count);
	return true;
}

bool lists_guard(const struct lists *l, const struct head_entry *entry, struct err *e)
{
	const struct list *list = lists_find(l, entry->name);
	return list == NULL || list_guard(list, entry, entry->version, entry->count, 0, e);
}
