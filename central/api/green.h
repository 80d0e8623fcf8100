/* What both files of the green library's API read in the same way. */
#ifndef CENTRAL_API_GREEN_H
#define CENTRAL_API_GREEN_H

#include "central/api/args.h"

/* Today in China when it is missing. */
bool api_green_day(const struct api_call *call, const struct json *j, const char *key, int64_t *day,
		   struct err *e) CHECKED;
/* An enterprise's number, the member "subject". */
bool api_green_subject(const struct json *j, struct identifier *id, struct err *e) CHECKED;

#endif
