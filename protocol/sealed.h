/*
 * What travels sealed between a branch and central: the CBOR byte string of seal_to(the receiver's point, context), where the context is what
 * it is ("xb/1/report-query/") and the branch's name, so that nothing sealed for one purpose or branch is taken for another.
 */
#ifndef PROTOCOL_SEALED_H
#define PROTOCOL_SEALED_H

#include "protocol/crypto.h"

/* Appends to out. */
bool sealed_put(const uint8_t point[POINT_LEN], const struct random *r, const char *what, const char *branch,
		struct bytes plain, struct buf *out, struct err *e) CHECKED;
/* data is the byte string and nothing else. ERR_DENIED when it was not sealed so, for this receiver. */
bool sealed_get(const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN], const char *what,
		const char *branch, struct bytes data, struct buf *plain, struct err *e) CHECKED;

#endif
