/*
 * Departments that send by themselves: who may, by which certificate. A certificate is bought with a one-time token, as a branch's is, and
 * named "dept.CODE.N": CODE is the department's in the catalogue of sources, N counts its certificates from 1. No branch's name has a dot
 * (branch_name_check), so what the broker or a port gives to one kind of name it gives to no other. A revoked name is never used again.
 */
#ifndef CENTRAL_DEPARTMENT_CERTIFICATES_H
#define CENTRAL_DEPARTMENT_CERTIFICATES_H

#include "central/branch/enrol.h"

#define DEPARTMENT_PREFIX "dept."
#define DEPARTMENT_PATH   "/v1/departments/enrol" /* at the enrolment port */

struct department {
	char name[NAME_MAX_LEN + 1]; /* of the certificate */
	char code[NAME_MAX_LEN + 1];
};
/* Whether it has the form of one. */
bool department_name_parse(const char *name, struct department *out) CHECKED;

/* The next certificate's name and the token that buys it, stored hashed; a transaction of its own, audited. ERR_MISSING: the catalogue of
   sources has no such department. */
bool department_token_new(struct db *db, const struct random *random, const char *code, const char *operator,
			  int64_t now_s, int64_t valid_s, struct department *out, char token[BRANCH_TOKEN_LEN + 1],
			  struct err *e) CHECKED;

/* header: "Bearer TOKEN", or NULL; csr: PEM. As enrol_begin and enrol_finish; r->branch is the certificate's name. */
bool department_enrol_begin(struct db *db, const char *header, struct bytes csr, int64_t now_s, struct enrolment *r,
			    struct buf *cert, struct err *e) CHECKED;
bool department_enrol_finish(struct db *db, const struct enrolment *r, struct bytes cert, int64_t now_s,
			     struct err *e) CHECKED;

/* Whose certificate this is, enrolled and not revoked; otherwise ERR_DENIED. */
bool department_may_send(struct db *db, const char *name, struct department *out, struct err *e) CHECKED;
/* A source of this department; ERR_DENIED, in one sentence for a source of another and for none. */
bool department_owns(struct db *db, const struct department *d, const char *source, struct err *e) CHECKED;

/* From the commit on nothing it sends is taken. A transaction of its own, audited. */
bool department_revoke(struct db *db, const char *name, const char *operator, int64_t now_s, struct err *e) CHECKED;

/* Names, one a line, appended to out: the revoked ones, or the others. */
bool department_names(struct db *db, bool revoked, struct buf *out, struct err *e) CHECKED;

struct department_certificate {
	struct department department;
	char serial[41];
	int64_t made_s, enrolled_s, revoked_s; /* 0: not (yet) */
};
/* All, by name. The query is open meanwhile. */
bool department_each(struct db *db, void (*each)(void *arg, const struct department_certificate *c), void *arg,
		     struct err *e) CHECKED;

#endif
