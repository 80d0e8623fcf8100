/*
 * Administrative division codes of GB/T 2260: province (2 digits), prefecture (2), county (2).
 * Knows every province, the structure of the prefecture codes, and a few of the codes that changed. It is no
 * full table: codes come and go every year, so what it does not know is for the caller to warn about, never
 * to refuse.
 */
#ifndef PROTOCOL_REGION_H
#define PROTOCOL_REGION_H

#include <stdbool.h>

enum region_state {
	REGION_KNOWN,
	REGION_UNKNOWN, /* no such province, or a prefecture code outside what the standard gives out */
	REGION_NOT_YET, /* came into use after that month */
	REGION_RETIRED, /* had gone out of use by that month */
};

bool region_is_province(int province);
/* The state of a six-digit code at a date. */
enum region_state region_at(int code, int year, int month);

#endif
