/*
 * The kinds document: which kinds of certificate there are, how each names its holder, and which piece of business at the counter or in
 * credit accepts which. CBOR with text keys, made from JSON of the same shape:
 *   { "type": "kinds", "title": {"zh","en"}, "sample": bool,
 *     "kinds": [ { "code", "name": {"zh","en"}, "group": {"zh","en"} (optional), "holder": "tag"|"masked"|"none",
 *                  "holder_kinds": ["resident_id", …], "valid_months": 1 … 1200 (optional; missing = 长期) } ],
 *     "businesses": [ { "code", "name": {"zh","en"}, "channel": "counter"|"credit", "accepts": [kind codes],
 *                       "replaces": {"zh","en"} (optional: the paper it stands for) } ] }
 * A kind's code is the type part of GB/T 36904's identifier (ecert_id.h), or "hc1-v", "hc1-t", "hc1-r" of the EU's certificates. A
 * business's code is that of checks ("open_account").
 */
#ifndef PROTOCOL_KINDS_H
#define PROTOCOL_KINDS_H

#include "protocol/ecert.h"

#define KINDS_MAX           2048 /* the sample has 227 */
#define KIND_BUSINESSES_MAX 512  /* the sample has 69 */

enum kind_holder { KIND_HOLDER_NONE, KIND_HOLDER_MASKED, KIND_HOLDER_TAG };

struct kind {
	char code[ECERT_PART_MAX + 1];
	char *name_zh, *name_en;
	char *group_zh, *group_en; /* NULL: none */
	enum kind_holder holder;
	uint32_t holder_kinds; /* bit 1<<identifier kind */
	int valid_months;      /* 0: 长期 */
};
struct kind_business {
	char code[NAME_MAX_LEN + 1];
	char *name_zh, *name_en;
	bool credit; /* otherwise counter */
	size_t accepts_len;
	const struct kind **accepts;     /* owned array of borrowed kinds */
	char *replaces_zh, *replaces_en; /* NULL: nothing is said */
};
struct kinds {
	bool sample;
	char *title_zh, *title_en;
	size_t kinds_len;
	struct kind *kinds; /* sorted by code */
	size_t businesses_len;
	struct kind_business *businesses; /* sorted by code */
};
struct kinds *kinds_parse(struct bytes document, struct err *e) CHECKED;
void kinds_free(struct kinds *k);
/* NULL when there is none of this code. */
const struct kind *kinds_find(const struct kinds *k, const char *code);
const struct kind_business *kinds_business(const struct kinds *k, const char *code);
bool kind_business_accepts(const struct kind_business *b, const struct kind *kind);
/* Businesses that accept some certificate: over businesses_len, the substitution rate. */
size_t kinds_accepting(const struct kinds *k);

#endif
