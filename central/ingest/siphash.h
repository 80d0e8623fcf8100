/*
 * SipHash-2-4 with 128 bits of result (Aumasson, Bernstein: "SipHash: a fast short-input PRF", and its reference code): the
 * keyed hash by which rows of one file are compared. 40 ns a row where HMAC takes 600.
 */
#ifndef CENTRAL_INGEST_SIPHASH_H
#define CENTRAL_INGEST_SIPHASH_H

#include "protocol/base/buf.h"

struct siphash {
	uint64_t high, low;
};
struct siphash siphash_of(const uint8_t key[16], struct bytes data);

#endif
