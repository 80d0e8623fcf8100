/* UTF-8 (RFC 3629) as it comes from outside: no overlong forms, no surrogates, nothing above U+10FFFF, and no NUL. */
#ifndef PROTOCOL_BASE_UTF8_H
#define PROTOCOL_BASE_UTF8_H

#include "protocol/base/buf.h"

bool utf8_is_valid(struct bytes text);
/* The next character of strict UTF-8 (no overlong forms, no surrogates; NUL is one), or -1. *at < end; it moves on in either case. */
int32_t utf8_next(const char **at, const char *end);

#endif
