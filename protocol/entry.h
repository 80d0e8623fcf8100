/*
 * One entry of a list: a 64-bit tag and 24 bits of value, the reason code (8 bits) above the last day in force (16).
 * In a delta a 25th bit above the value says that the entry is taken away; it then carries the value it had.
 */
#ifndef PROTOCOL_ENTRY_H
#define PROTOCOL_ENTRY_H

#include "protocol/base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRY_VALUE_MAX ((1U << LIST_VALUE_BITS) - 1)
#define ENTRY_REMOVED   (1U << LIST_VALUE_BITS) /* in a delta: this entry goes */
#define ENTRY_NO_END    0xffffU                 /* last day: in force until taken off the list */
#define ENTRY_DAY_ZERO  10957                   /* 2000-01-01 in days since 1970-01-01 */

struct entry {
	uint64_t tag;
	uint32_t value;
};

/* last_day is in days since 2000-01-01 (day 0 … 65,534, which lies in the year 2179), or ENTRY_NO_END. */
static inline uint32_t entry_value(uint8_t reason, uint16_t last_day)
{
	return (uint32_t)reason << 16 | last_day;
}

static inline uint8_t entry_reason(uint32_t value)
{
	return (uint8_t)(value >> 16);
}

static inline uint16_t entry_last_day(uint32_t value)
{
	return (uint16_t)value;
}

/* Whether a value is still in force on a day given since 2000-01-01. The last day itself counts. */
static inline bool entry_in_force(uint32_t value, uint16_t today)
{
	return entry_last_day(value) == ENTRY_NO_END || today <= entry_last_day(value);
}

static inline bool entry_is_removal(struct entry a)
{
	return (a.value & ENTRY_REMOVED) != 0;
}

/* Whether b may follow a in a segment: a higher tag, or, in a delta, the old value of a tag behind its new one. */
static inline bool entry_ascends(struct entry a, struct entry b)
{
	if (a.tag != b.tag)
		return a.tag < b.tag;
	return !entry_is_removal(a) && entry_is_removal(b) && (b.value & ENTRY_VALUE_MAX) != a.value;
}

/* Ascending by tag; equal tags by value, in which a removal comes after an addition. */
void entry_sort(struct entry *entries, size_t len);

#endif
