/*
 * Invariants: region_changes is sorted by code; a code stands in it once; months count from year 0.
 * Source of the changes: the State Council's decisions on administrative divisions, by the month they took
 * effect.
 */
#include "protocol/region.h"

#include <stddef.h>
#include <stdint.h>

#define MONTH(year, month) ((year)*12 + (month)-1)
#define ALWAYS             0
#define STILL              INT32_MAX

struct region_change {
	int code;
	int from_month;  /* in use from this month */
	int until_month; /* out of use from this month */
};

static const struct region_change region_changes[] = {
	{ 110103, ALWAYS, MONTH(2010, 7) },         /* Chongwen */
	{ 110104, ALWAYS, MONTH(2010, 7) },         /* Xuanwu */
	{ 110111, MONTH(1986, 11), STILL },         /* Fangshan, county to district, and so on below */
	{ 110112, MONTH(1997, 4), STILL },          /* Tongzhou */
	{ 110113, MONTH(1998, 3), STILL },          /* Shunyi */
	{ 110114, MONTH(1999, 9), STILL },          /* Changping */
	{ 110115, MONTH(2001, 1), STILL },          /* Daxing */
	{ 110116, MONTH(2001, 12), STILL },         /* Huairou */
	{ 110117, MONTH(2001, 12), STILL },         /* Pinggu */
	{ 110118, MONTH(2015, 10), STILL },         /* Miyun */
	{ 110119, MONTH(2015, 10), STILL },         /* Yanqing */
	{ 110201, ALWAYS, MONTH(1986, 1) },         /* the first edition counted Beijing's counties from 01 */
	{ 110228, ALWAYS, MONTH(2015, 10) },        /* Miyun county */
	{ 110229, ALWAYS, MONTH(2015, 10) },        /* Yanqing county */
	{ 120107, ALWAYS, MONTH(2009, 11) },        /* Tanggu */
	{ 120108, ALWAYS, MONTH(2009, 11) },        /* Hangu */
	{ 120109, ALWAYS, MONTH(2009, 11) },        /* Dagang */
	{ 120116, MONTH(2009, 11), STILL },         /* Binhai */
	{ 310103, ALWAYS, MONTH(2011, 5) },         /* Luwan */
	{ 310108, ALWAYS, MONTH(2015, 10) },        /* Zhabei */
	{ 310115, MONTH(1992, 10), STILL },         /* Pudong */
	{ 310119, MONTH(2001, 1), MONTH(2009, 4) }, /* Nanhui, the district */
	{ 310151, MONTH(2016, 6), STILL },          /* Chongming */
	{ 310230, ALWAYS, MONTH(2016, 6) },         /* Chongming county */
};

bool region_is_province(int province)
{
	/* 11-15, 21-23, 31-37, 41-46, 50-54, 61-65, 71, 81-83 */
	static const uint8_t last_of_area[] = { 0, 5, 3, 7, 6, 4, 5, 1, 3 };
	int area = province / 10, at = province % 10;
	if (area < 1 || area > 8)
		return false;
	return at >= (area == 5 ? 0 : 1) && at <= last_of_area[area];
}

/* The standard's plan for the middle two digits: cities 01-20 and 51-70, prefectures and leagues 21-50, 90
   for counties right under the province; municipalities have 01 districts, 02 counties and 03 towns. */
static bool region_is_prefecture(int province, int prefecture)
{
	if (province >= 71)
		return true;
	if (province == 11 || province == 12 || province == 31 || province == 50)
		return prefecture >= 1 && prefecture <= 3;
	return (prefecture >= 1 && prefecture <= 70) || prefecture == 90;
}

static const struct region_change *region_find(int code)
{
	size_t low = 0, high = sizeof(region_changes) / sizeof(region_changes[0]);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (region_changes[mid].code == code)
			return &region_changes[mid];
		if (region_changes[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

enum region_state region_at(int code, int year, int month)
{
	int province = code / 10000;
	if (!region_is_province(province) || !region_is_prefecture(province, code / 100 % 100))
		return REGION_UNKNOWN;
	const struct region_change *change = region_find(code);
	if (change == NULL)
		return REGION_KNOWN;
	int at = MONTH(year, month);
	if (at < change->from_month)
		return REGION_NOT_YET;
	return at >= change->until_month ? REGION_RETIRED : REGION_KNOWN;
}
