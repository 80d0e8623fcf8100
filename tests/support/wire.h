/* What tests of wire formats share: randomness from a seed, hex, and the rules every decoder is held to. */
#ifndef TESTS_SUPPORT_WIRE_H
#define TESTS_SUPPORT_WIRE_H

#include "protocol/crypto.h"

/* The same bytes from the same seed, so that keys and signatures are fixed; *seed must outlive it. */
struct random random_seeded(uint64_t *seed);
/* len bytes: from, from + 1, … */
void bytes_fill(uint8_t *out, size_t len, uint8_t from);
/* Appends the bytes that hex digits of either case stand for; blanks and newlines are skipped. Aborts on others. */
void hex_read(struct bytes hex, struct buf *out);

typedef bool decoder(struct bytes data, struct err *e);
/* False for every shorter run of its first bytes, and with a byte behind, with a reason each time. */
bool refuses_cut_and_longer(struct bytes data, decoder *decode);
/* False, with a code and a sentence. */
bool refuses(struct bytes data, decoder *decode);

#endif
