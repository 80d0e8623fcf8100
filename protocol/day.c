/* Days as text and as numbers: the proleptic Gregorian calendar, years 0001 to 9999. */
#include "protocol/rule.h"

#include <string.h>

#define DAYS_ERA     146097 /* in 400 years */
#define DAY_OF_YEAR1 (-719162)
#define DAY_OF_9999  2932896

/* Years are counted from March, so that the leap day is a year's last. */
static int64_t day_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = year / 400, of_era = year % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * DAYS_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A date a row of a million: snprintf would take most of the time. */
static void digits_put(char *out, int64_t v, int n)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void day_format(int64_t day, char out[11])
{
	if (day < DAY_OF_YEAR1)
		day = DAY_OF_YEAR1;
	if (day > DAY_OF_9999)
		day = DAY_OF_9999;
	int64_t since = day + 719468, era = since / DAYS_ERA, of_era = since % DAYS_ERA;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
	month += month < 10 ? 3 : -9;
	digits_put(out, year + era * 400 + (month <= 2), 4);
	digits_put(out + 5, month, 2);
	digits_put(out + 8, of_month, 2);
	out[4] = out[7] = '-';
	out[10] = '\0';
}

bool day_parse(struct bytes text, int64_t *day, struct err *e)
{
	static const char shape[] = "0000-00-00";
	int64_t part[3] = { 0, 0, 0 };
	size_t at = 0;
	if (text.len != sizeof(shape) - 1)
		return err_set(e, ERR_INPUT, "a date is written 2026-01-31");
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		if (shape[i] == '-' ? c != '-' : c < '0' || c > '9')
			return err_set(e, ERR_INPUT, "a date is written 2026-01-31");
		if (shape[i] == '-')
			at++;
		else
			part[at] = part[at] * 10 + (c - '0');
	}
	if (part[0] < 1 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31)
		return err_set(e, ERR_INPUT, "there is no such day");
	int64_t d = day_of(part[0], part[1], part[2]);
	char back[11];
	day_format(d, back);
	if (memcmp(back, text.data, sizeof(shape) - 1) != 0)
		return err_set(e, ERR_INPUT, "there is no such day");
	*day = d;
	return true;
}
