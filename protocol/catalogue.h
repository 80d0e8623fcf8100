/*
 * The list catalogue: a document saying what each list is, whom it covers and when it is asked. CBOR with text keys:
 *   { "type": "catalogue", "title": {"zh","en"}, "sample": bool, "lists": [ { "name": "black-dishonest", "title": {"zh","en"},
 *     "kind": "black"|"white", "covers": ["resident_id", "uscc", "name", …], "businesses": ["open_account", …] ("*" = all),
 *     "roles": ["subject","counterparty"], "max_age_s": 259200, "reasons": {"1": {"zh","en"}, …} (optional) } ] }
 * A list in the head that the catalogue does not name is synced and not asked; one named that the branch does not hold
 * answers NOT_COVERED.
 */
#ifndef PROTOCOL_CATALOGUE_H
#define PROTOCOL_CATALOGUE_H

#include "protocol/identifier.h"
#include "protocol/cbor.h"
#include "protocol/base/limits.h"

#define BUSINESSES_MAX          32
#define CATALOGUE_QUESTIONS_MAX 40 /* lists times their roles: what one check may have to ask and journal */

struct catalogue_list {
	char name[NAME_MAX_LEN + 1];
	char *title_zh, *title_en;
	bool white;
	uint32_t covers;            /* bit 1<<kind */
	bool subject, counterparty; /* roles it is asked for */
	bool every_business;
	size_t businesses_len;
	char businesses[BUSINESSES_MAX][NAME_MAX_LEN + 1];
	int64_t max_age_s;
	char *reason_zh[256], *reason_en[256]; /* by reason code, NULL unnamed */
};
struct catalogue {
	bool sample;
	size_t lists_len;
	struct catalogue_list *lists;
};
struct catalogue *catalogue_parse(struct bytes document, struct err *e) CHECKED;
void catalogue_free(struct catalogue *c);
const struct catalogue_list *catalogue_find(const struct catalogue *c, const char *name);
bool catalogue_list_applies(const struct catalogue_list *l, const char *business, bool counterparty);

#endif
