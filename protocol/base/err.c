#include "protocol/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static const struct {
	const char *name, *zh;
} words[] = {
	[ERR_NONE] = { "none", "成功" },
	[ERR_INPUT] = { "input", "请求或文件有误" },
	[ERR_DENIED] = { "denied", "不允许，或签名、身份不符" },
	[ERR_STALE] = { "stale", "版本较旧，或已过期" },
	[ERR_MISSING] = { "missing", "没有找到" },
	[ERR_CONFLICT] = { "conflict", "与已有记录或当前状态冲突" },
	[ERR_FULL] = { "full", "已到上限，或磁盘已满" },
	[ERR_IO] = { "io", "磁盘、网络、设备或数据库故障" },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

const char *err_name(enum err_code code)
{
	return (size_t)code < WORDS ? words[code].name : "unknown";
}

const char *err_zh(enum err_code code)
{
	return (size_t)code < WORDS ? words[code].zh : "未知错误";
}

enum err_code err_named(const char *name)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strcmp(words[i].name, name) == 0)
			return (enum err_code)i;
	return ERR_IO;
}
