/* One write(2) a line, so that lines of a daemon and its children never mix. */
#include "protocol/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

static const char *program = "xinbian";
static enum log_level shown = LOG_LEVEL_INFO;

void log_init(const char *name, enum log_level least)
{
	program = name;
	shown = least;
}

/* Copies s without anything that could start a line or drive a terminal; returns where it ends. */
static size_t add_clean(char *line, size_t at, const char *s)
{
	for (; *s != 0 && at + 8 < LINE_SIZE; s++) {
		unsigned char c = (unsigned char)*s;
		if (c >= 0x20 && c != 0x7f)
			line[at++] = *s;
		else
			at += (size_t)snprintf(line + at, LINE_SIZE - at, "\\x%02x", c);
	}
	return at;
}

static void PRINTF(3, 0) log_line(enum log_level level, const char *sentence, const char *pairs, va_list ap)
{
	static const char *const words[] = { "debug", "info", "warn", "error" };
	char line[LINE_SIZE], text[LINE_SIZE], when[32];
	if (level < shown)
		return;
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(line, sizeof(line), "%s.%03ldZ %s %.40s: ", when, now.tv_nsec / 1000000, words[level],
			 program);
	size_t at = add_clean(line, (size_t)n, sentence);
	vsnprintf(text, sizeof(text), pairs, ap);
	if (text[0] != 0 && at + 8 < LINE_SIZE)
		line[at++] = ' ';
	at = add_clean(line, at, text);
	line[at++] = '\n';
	ssize_t written = write(STDERR_FILENO, line, at);
	(void)written; /* there is nowhere to say that the log is gone */
}

#define LOG_FUNCTION(name, level)                                                                                    \
	void name(const char *sentence, const char *pairs, ...)                                                      \
	{                                                                                                            \
		va_list ap;                                                                                          \
		va_start(ap, pairs);                                                                                 \
		log_line(level, sentence, pairs, ap);                                                                \
		va_end(ap);                                                                                          \
	}

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
