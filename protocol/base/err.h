/*
 * Why an operation failed: a code the program acts on, and a sentence for a person.
 * The caller owns the struct and may pass NULL when it does not need the reason.
 * A verdict is not an error: "refuse" is a successful answer, failure means "cannot tell".
 */
#ifndef PROTOCOL_BASE_ERR_H
#define PROTOCOL_BASE_ERR_H

#include <stdbool.h>

enum err_code {
	ERR_NONE,
	ERR_INPUT,    /* the other side sent something malformed */
	ERR_DENIED,   /* well formed, but not allowed or not signed by us */
	ERR_STALE,    /* older than what we hold, or past its date */
	ERR_MISSING,  /* the thing asked for is not here */
	ERR_CONFLICT, /* the same id was used before with other content, or the state does not allow this step
		       */
	ERR_FULL,     /* a limit in limits.h was reached, or the disk is full */
	ERR_IO,       /* disk, socket, device or database said no */
};

struct err {
	enum err_code code;
	char text[240];
};

#define CHECKED           __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Both are false, so that "return err_set(...)" reads as one step. They are macros for the analyzers, which
   look into no function of variable arguments and would else think it might be true. */

/* Records the failure: err_set(e, code, format, …). */
#define err_set(...) err_is_false(err_record(__VA_ARGS__))
/* Puts "prefix: " before the text already there: err_wrap(e, format, …). */
#define err_wrap(...) err_is_false(err_prefix(__VA_ARGS__))

int err_record(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
int err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);
static inline bool err_is_false(int recorded)
{
	(void)recorded;
	return false;
}
/* A lower-case word for logs and replies: "input", "denied" … */
const char *err_name(enum err_code code);
/* What kind of failure it is, for a person: "没有找到". The sentence itself is English. */
const char *err_zh(enum err_code code);
/* The code of such a word; ERR_IO for any other. */
enum err_code err_named(const char *name);

#endif
