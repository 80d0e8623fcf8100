/*
 * Models in central's database: canonical PMML named by its SHA-256, never changed. A family ("enterprise", "personal") has at most
 * one champion, whose scores count, and challengers, which are scored beside it on the same inputs. An imported model is a
 * challenger, and a draft of the release "model-FAMILY" (release.h): submitted, approved by somebody else and published it is the
 * champion, and the champion before becomes a challenger. Rolling back is a new version with an older model.
 */
#ifndef CENTRAL_SCORE_MODELS_H
#define CENTRAL_SCORE_MODELS_H

#include "central/release/release.h"
#include "central/score/card.h"

#define MODEL_HEX        64 /* digits of a SHA-256 */
#define MODEL_ACTIVE_MAX 8  /* champion and challengers of one family */

enum model_role { MODEL_CHAMPION = 1, MODEL_CHALLENGER, MODEL_RETIRED };
const char *model_role_name(enum model_role r); /* "champion" … */
const char *model_role_zh(enum model_role r);

struct model {
	char family[NAME_MAX_LEN + 1], hash[MODEL_HEX + 1];
	enum model_role role;
	const char *name, *description; /* valid inside each */
	bool sample;
	uint64_t faults; /* lint's, when it was imported */
	const char *imported_by, *set_by;
	int64_t imported_s, set_s;
};

/* ERR_DENIED when lint finds faults and force is not given. Importing a model again is no failure: a retired one is a challenger
   again, and *release is the one under way, or in force, if there is one. hash has MODEL_HEX + 1 bytes. */
bool model_import(struct release_context *c, const char *family, struct bytes pmml, bool force, const char *source,
		  const char *operator, int64_t now_s, char *hash, int64_t *release, struct err *e) CHECKED;
/* Champions of before models had releases become version 1, by those who made them champions. Done at every start. */
bool models_adopt(struct release_context *c, struct err *e) CHECKED;
/* hash may be a prefix of eight digits or more that only one model of the family has. Not of the champion. */
bool model_retire(struct release_context *c, const char *family, const char *hash, const char *operator,
		  int64_t now_s, struct err *e) CHECKED;
/* The whole hash of the model of the family that begins so, and what it is there. hash has MODEL_HEX + 1 bytes. */
bool model_find(struct release_context *c, const char *family, const char *prefix, char *hash, enum model_role *role,
		struct err *e) CHECKED;
/* All, or one family's; champion first. */
bool model_each(struct release_context *c, const char *family, void (*each)(void *arg, const struct model *m),
		void *arg, struct err *e) CHECKED;
/* The document of the model with that hash or prefix, proven by its hash, appended to out. */
bool model_document(struct release_context *c, const char *hash, struct buf *out, struct err *e) CHECKED;
/* The same, read. Release with card_free. */
struct card *model_card(struct release_context *c, const char *hash, struct err *e) CHECKED;

#endif
