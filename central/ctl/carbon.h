/* Between the files of the commands of carbon accounts. */
#ifndef CENTRAL_CTL_CARBON_H
#define CENTRAL_CTL_CARBON_H

#include "central/ctl/ctl.h"

/* {"kind", "number"}, the kind from --holder-kind. */
void ctl_holder_put(struct ctl *c, struct json_out *w, const char *key, const char *number);
/* carbon_statement.c */
bool ctl_carbon_statement(struct ctl *c, struct err *e);

#endif
