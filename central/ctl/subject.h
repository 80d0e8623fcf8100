/* How centralctl's commands say whom they mean. */
#ifndef CENTRAL_CTL_SUBJECT_H
#define CENTRAL_CTL_SUBJECT_H

#include "central/ctl/ctl.h"

/* key: {"kind", "number"}. The kind is the option's; without it uscc when the number is one, else centrald's own default. */
void ctl_subject_put(const struct ctl *c, struct json_out *w, const char *key, const char *option,
		     const char *number);

#endif
