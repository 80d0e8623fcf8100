/* Keys and certificates of a test: a CA made on the spot and what it issues. Any failure aborts. */
#ifndef TESTS_SUPPORT_IDENTITY_H
#define TESTS_SUPPORT_IDENTITY_H

#include "protocol/base/pki.h"

#define IDENTITY_FROM_S 1767225600LL /* 2026-01-01 */
#define IDENTITY_TO_S   2524608000LL /* 2050-01-01: brokers judge by the machine's clock */

struct identity {
	struct buf cert, key; /* DER */
};

void identity_ca(struct identity *ca, const char *name);
/* A server is good for "localhost" and "127.0.0.1". */
void identity_issue(const struct identity *ca, struct identity *id, const char *name, enum pki_use use,
		    int64_t from_s, int64_t to_s);
void identity_clear(struct identity *id);
/* As PEM: dir/NAME.crt and dir/NAME.key. */
void identity_store(const struct identity *id, const char *dir, const char *name);

#endif
