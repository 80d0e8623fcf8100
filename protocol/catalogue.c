#include "protocol/catalogue.h"
#include "protocol/fields.h"
#include "protocol/head.h"

#include <stdlib.h>
#include <string.h>

enum list_key {
	LIST_NAME,
	LIST_TITLE,
	LIST_KIND,
	LIST_COVERS,
	LIST_BUSINESSES,
	LIST_ROLES,
	LIST_AGE,
	LIST_REASONS,
	LIST_KEYS
};
static const char *const list_keys[LIST_KEYS] = {
	"name", "title", "kind", "covers", "businesses", "roles", "max_age_s", "reasons",
};
#define AGE_MAX_S (366 * INT64_C(86400)) /* a list older than a year has no one who looks after it */

void catalogue_free(struct catalogue *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->lists_len; i++) {
		struct catalogue_list *l = &c->lists[i];
		free(l->title_zh);
		free(l->title_en);
		for (size_t r = 0; r < 256; r++) {
			free(l->reason_zh[r]);
			free(l->reason_en[r]);
		}
	}
	free(c->lists);
	free(c);
}

/* Each text of an array, not empty, at most max. */
static bool names_each(struct bytes item, const char *what, size_t max, struct catalogue_list *l,
		       bool (*take)(struct catalogue_list *l, const char *name), struct err *e)
{
	size_t len;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	struct cbor c = cbor_over(item);
	if (!cbor_get_array(&c, max, &len, e))
		return err_wrap(e, "%s", what);
	if (len == 0)
		return err_set(e, ERR_INPUT, "%s is empty", what);
	for (; len > 0; len--) {
		char name[NAME_MAX_LEN + 1];
		if (!cbor_get_string(&c, name, sizeof(name), e))
			return err_wrap(e, "%s", what);
		if (!take(l, name))
			return err_set(e, ERR_INPUT, "%s: unknown or repeated '%s'", what, name);
	}
	return true;
}

static bool take_cover(struct catalogue_list *l, const char *name)
{
	enum identifier_kind kind;
	if (!identifier_kind_of(name, &kind) || (l->covers & 1U << kind) != 0)
		return false;
	l->covers |= 1U << kind;
	return true;
}

static bool take_business(struct catalogue_list *l, const char *name)
{
	if (l->every_business)
		return false;
	if (strcmp(name, "*") == 0) {
		l->every_business = true;
		return l->businesses_len == 0;
	}
	for (size_t i = 0; i < l->businesses_len; i++)
		if (strcmp(l->businesses[i], name) == 0)
			return false;
	if (!name_is_valid(name))
		return false;
	memcpy(l->businesses[l->businesses_len++], name, strlen(name) + 1);
	return true;
}

static bool take_role(struct catalogue_list *l, const char *name)
{
	bool *role = strcmp(name, "subject") == 0 ? &l->subject : &l->counterparty;
	if (*role || (role == &l->counterparty && strcmp(name, "counterparty") != 0))
		return false;
	*role = true;
	return true;
}

/* "1" to "255", written in one way only. */
static bool reason_of(const char *text, unsigned *reason)
{
	size_t len = strspn(text, "0123456789");
	*reason = 0;
	if (len == 0 || len > 3 || text[len] != '\0' || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++)
		*reason = *reason * 10 + (unsigned)(text[i] - '0');
	return *reason <= 255;
}

static bool reasons_parse(struct bytes item, struct catalogue_list *l, struct err *e)
{
	struct cbor c = cbor_over(item);
	size_t pairs;
	if (!cbor_get_map(&c, 255, &pairs, e))
		return err_wrap(e, "reasons");
	for (; pairs > 0; pairs--) {
		char key[8];
		struct bytes value;
		unsigned reason;
		if (!cbor_get_string(&c, key, sizeof(key), e) || !cbor_get_item(&c, &value, e))
			return err_wrap(e, "reasons");
		if (!reason_of(key, &reason) || l->reason_zh[reason] != NULL)
			return err_set(e, ERR_INPUT, "reasons: '%s' is no code from 1 to 255", key);
		if (!field_zh_en(value, "reasons", &l->reason_zh[reason], &l->reason_en[reason], e))
			return false;
	}
	return true;
}

static bool kind_parse(struct bytes item, struct catalogue_list *l, struct err *e)
{
	char kind[8];
	if (!field_text(item, "kind", kind, sizeof(kind), e))
		return false;
	l->white = strcmp(kind, "white") == 0;
	return l->white || strcmp(kind, "black") == 0 || err_set(e, ERR_INPUT, "unknown kind '%s'", kind);
}

static bool age_parse(struct bytes item, struct catalogue_list *l, struct err *e)
{
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "max_age_s is missing");
	struct cbor c = cbor_over(item);
	if (!cbor_get_int(&c, &l->max_age_s, e))
		return err_wrap(e, "max_age_s");
	return (l->max_age_s >= 60 && l->max_age_s <= AGE_MAX_S) ||
	       err_set(e, ERR_INPUT, "max_age_s is not between a minute and a year");
}

static bool list_fields(const struct bytes *v, struct catalogue_list *l, struct err *e)
{
	return kind_parse(v[LIST_KIND], l, e) &&
	       names_each(v[LIST_COVERS], "covers", IDENTIFIER_KIND_LAST, l, take_cover, e) &&
	       names_each(v[LIST_BUSINESSES], "businesses", BUSINESSES_MAX, l, take_business, e) &&
	       names_each(v[LIST_ROLES], "roles", 2, l, take_role, e) && age_parse(v[LIST_AGE], l, e) &&
	       field_zh_en(v[LIST_TITLE], "title", &l->title_zh, &l->title_en, e) &&
	       (v[LIST_REASONS].data == NULL || reasons_parse(v[LIST_REASONS], l, e));
}

static bool list_parse(const struct catalogue *c, struct bytes item, struct catalogue_list *l, struct err *e)
{
	struct bytes v[LIST_KEYS];
	if (!fields_read(item, list_keys, LIST_KEYS, v, e) ||
	    !field_text(v[LIST_NAME], "name", l->name, sizeof(l->name), e))
		return err_wrap(e, "list %zu", c->lists_len);
	if (!name_is_valid(l->name))
		return err_set(e, ERR_INPUT, "list %zu: its name is none", c->lists_len);
	for (size_t i = 0; i + 1 < c->lists_len; i++)
		if (strcmp(c->lists[i].name, l->name) == 0)
			return err_set(e, ERR_INPUT, "list %s stands there twice", l->name);
	return list_fields(v, l, e) || err_wrap(e, "list %s", l->name);
}

static bool lists_parse(struct catalogue *c, struct bytes item, struct err *e)
{
	size_t len, questions = 0;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "lists is missing");
	struct cbor at = cbor_over(item);
	if (!cbor_get_array(&at, LISTS_MAX, &len, e))
		return err_wrap(e, "lists");
	c->lists = calloc(len > 0 ? len : 1, sizeof(*c->lists));
	if (c->lists == NULL)
		abort();
	for (; len > 0; len--) {
		struct bytes one;
		if (!cbor_get_item(&at, &one, e))
			return false;
		struct catalogue_list *l = &c->lists[c->lists_len++];
		if (!list_parse(c, one, l, e))
			return false;
		questions += (size_t)l->subject + (size_t)l->counterparty;
	}
	return questions <= CATALOGUE_QUESTIONS_MAX ||
	       err_set(e, ERR_FULL, "the lists are asked %zu times, at most %d are", questions,
		       CATALOGUE_QUESTIONS_MAX);
}

static bool document_parse(struct catalogue *c, struct bytes document, struct err *e)
{
	enum { TYPE, TITLE, SAMPLE, LISTS, KEYS };
	static const char *const keys[KEYS] = { "type", "title", "sample", "lists" };
	struct bytes v[KEYS];
	char *zh = NULL, *en = NULL;
	if (document.len > DOCUMENT_MAX)
		return err_set(e, ERR_FULL, "a document is at most %u bytes", DOCUMENT_MAX);
	if (!cbor_check(document, e) || !fields_read(document, keys, KEYS, v, e) ||
	    !field_type(v[TYPE], "catalogue", e) || !field_bool(v[SAMPLE], "sample", &c->sample, e) ||
	    !field_zh_en(v[TITLE], "title", &zh, &en, e))
		return false;
	free(zh);
	free(en);
	return lists_parse(c, v[LISTS], e);
}

struct catalogue *catalogue_parse(struct bytes document, struct err *e)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	if (document_parse(c, document, e))
		return c;
	catalogue_free(c);
	return NULL;
}

const struct catalogue_list *catalogue_find(const struct catalogue *c, const char *name)
{
	for (size_t i = 0; i < c->lists_len; i++)
		if (strcmp(c->lists[i].name, name) == 0)
			return &c->lists[i];
	return NULL;
}

bool catalogue_list_applies(const struct catalogue_list *l, const char *business, bool counterparty)
{
	if (counterparty ? !l->counterparty : !l->subject)
		return false;
	for (size_t i = 0; i < l->businesses_len; i++)
		if (strcmp(l->businesses[i], business) == 0)
			return true;
	return l->every_business;
}
