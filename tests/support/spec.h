/*
 * Worked bytes of a document: blocks ```hex-NAME and ```text-NAME that a test computes again or opens, so that neither the text
 * nor the code moves alone. Run from the repository's root.
 */
#ifndef TESTS_SUPPORT_SPEC_H
#define TESTS_SUPPORT_SPEC_H

#include "protocol/base/buf.h"

struct spec {
	struct buf text;
};
/* make appends what the block should show; NULL: a test of its own opens it, since it holds randomness. */
struct spec_block {
	const char *name; /* with "hex-" or "text-" */
	void (*make)(struct buf *out);
};

void spec_open(struct spec *s, const char *path);
void spec_close(struct spec *s);
/* The text between a block's fence lines; data NULL when there is no such block. */
struct bytes spec_text(struct spec *s, const char *name);
/* out is initialised here; empty when the block is missing or is not hex. */
void spec_read(struct spec *s, const char *name, struct buf *out);
/* Prints what a block should show. */
void spec_show(const char *name, struct bytes want);
/* CUnit assertions: each block with a make is what it gives; every block of the document is one of these, and each stands there. */
void spec_check(struct spec *s, const struct spec_block *blocks, size_t len);
void spec_check_complete(struct spec *s, const struct spec_block *blocks, size_t len);

#endif
