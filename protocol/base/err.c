#include "protocol/base/err.h"

#include <stdarg.h>
#include <stdio.h>

int err_record(struct err *e, enum err_code code, const char *fmt, ...)
{
	if (e == NULL)
		return 0;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->code = code;
	return 0;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	if (e == NULL)
		return 0;
	struct err inner = *e;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s", inner.text);
	return 0;
}

const char *err_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return "none";
	case ERR_INPUT: return "input";
	case ERR_DENIED: return "denied";
	case ERR_STALE: return "stale";
	case ERR_MISSING: return "missing";
	case ERR_CONFLICT: return "conflict";
	case ERR_FULL: return "full";
	case ERR_IO: return "io";
	}
	return "unknown";
}
