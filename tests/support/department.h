/* A central with one source (a made-up tax department's revenue: code, month, revenue, note; key: code and month) and files for it, of
   made-up enterprises. */
#ifndef TESTS_SUPPORT_DEPARTMENT_H
#define TESTS_SUPPORT_DEPARTMENT_H

#include "central/ingest/batch.h"
#include "tests/support/centre.h"

extern struct centre centre;
extern struct release_context *department; /* the centre's */
extern struct err department_err;          /* of the last call here */

/* As a suite's setup and teardown. */
void department_open(void);
void department_close(void);
/* The catalogue once more, with the first `from` in it replaced by `to`; ' stands for ". */
bool department_import(const char *from, const char *to);

/* The code of the i-th enterprise (GB 32100-2015). */
void department_uscc(unsigned i, char out[19]);
/* Initialises out: labels and n rows, of the enterprises from `first` on; unit stands behind each revenue. */
void department_file(struct buf *out, unsigned first, unsigned n, const char *month, const char *unit);
struct batch_new department_new(const char *period, struct bytes file);
/* Opened, in parts of so many bytes, checked to the end: the batch, or 0 and department_err. */
int64_t department_load_parts(const struct batch_new *n, struct bytes file, size_t part);
int64_t department_load(const char *period, struct bytes file);
int64_t department_load_text(const char *period, const char *text);
int64_t department_load_made(const char *period, unsigned first, unsigned n, const char *month, const char *unit);
struct batch department_batch(int64_t id);

#endif
