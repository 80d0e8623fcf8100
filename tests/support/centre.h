/* A central for tests: its directory with a list and two documents published, branches enrolled without ceremony, and a line to
   them that is made of arrays. Any failure aborts. */
#ifndef TESTS_SUPPORT_CENTRE_H
#define TESTS_SUPPORT_CENTRE_H

#include "central/registry/registry.h"
#include "central/sync/sync.h"

#define CENTRE_NOW_S 1795500000 /* 2026-11-24 */

struct centre {
	char dir[64];
	struct db *db;
	struct objects objects;
	struct release_context release;
	uint8_t head_scalar[SCALAR_LEN], head_point[POINT_LEN];
	uint8_t seal_scalar[SCALAR_LEN], seal_point[POINT_LEN];
	uint8_t issuer_scalar[SCALAR_LEN], issuer_point[POINT_LEN];
};
void centre_open(struct centre *c);
/* The same directory once more, as after a crash. */
void centre_reopen(struct centre *c);
void centre_close(struct centre *c);

/* Lists n made-up residents as a new version of the list "black-test". */
void centre_publish_list(struct centre *c, unsigned first, unsigned n);
/* The shipped sample: "rules" or "catalogue". */
void centre_publish_document(struct centre *c, const char *type);
/* Enrolled, with this seal key. */
void centre_enrol(struct centre *c, const char *branch, const uint8_t seal_point[POINT_LEN]);

/* An issuer that may sign every kind of the sample, and its key. */
#define CENTRE_ISSUER "11330800SAMPLE0001"
#define CENTRE_CARD   "11330000SAMPLE0000X001" /* a resident's; holder by tag, no end */
void centre_issuer(struct centre *c);
/* Begins, signs and finishes; false says why. json has ' for " and lacks issuer and kind (CENTRE_CARD): "'number':'1'". */
bool centre_issue(struct centre *c, const char *json, int64_t now_s, char id[ECERT_ID_MAX + 1], struct err *e);

int64_t centre_count(struct centre *c, const char *sql);

#endif
