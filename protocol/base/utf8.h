/* UTF-8 (RFC 3629) as it comes from outside: no overlong forms, no surrogates, nothing above U+10FFFF, and no NUL. */
#ifndef PROTOCOL_BASE_UTF8_H
#define PROTOCOL_BASE_UTF8_H

#include "protocol/base/buf.h"

bool utf8_is_valid(struct bytes text);

#endif
