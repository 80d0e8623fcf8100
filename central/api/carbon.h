/* Carbon accounts as the API's files share them. */
#ifndef CENTRAL_API_CARBON_H
#define CENTRAL_API_CARBON_H

#include "central/api/api.h"
#include "central/carbon/carbon.h"

struct carbon_desk {
	struct carbon carbon; /* borrows path */
	char path[300];
};
bool api_carbon_open(struct api_call *call, struct carbon_desk *d, struct err *e) CHECKED;
/* carbon_statement.c */
bool api_carbon_statement(struct api_call *call, struct err *e) CHECKED;

#endif
