/*
 * One line on stderr: time, level, a sentence, then key=value pairs. Called at the edge (the daemons' mains and their
 * event handlers), never where an error is made. No identifier is ever logged unmasked.
 */
#ifndef PROTOCOL_BASE_LOG_H
#define PROTOCOL_BASE_LOG_H

#include "protocol/base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* The program's name in each line ("branchd", "gate"), and the least level shown. name must outlive the process. */
void log_init(const char *name, enum log_level least);
/* log_info("list applied", "list=%s version=%llu", …); pairs may be "" . Control characters are escaped. */
void log_debug(const char *sentence, const char *pairs, ...) PRINTF(2, 3);
void log_info(const char *sentence, const char *pairs, ...) PRINTF(2, 3);
void log_warn(const char *sentence, const char *pairs, ...) PRINTF(2, 3);
void log_error(const char *sentence, const char *pairs, ...) PRINTF(2, 3);

#endif
