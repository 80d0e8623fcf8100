#include "protocol/entry.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

void entry_sort(struct entry *entries, size_t len)
{
	if (len > 1)
		qsort(entries, len, sizeof(*entries), compare);
}
