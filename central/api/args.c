#include "central/api/args.h"

#include "central/centrald.h"
#include "central/store/store.h"

#include <string.h>

bool api_set(const struct json *j, const char *key, size_t word_max, struct buf *out, struct err *e)
{
	const struct json *words = json_get(j, key);
	if (words == NULL || json_kind(words) != JSON_KIND_ARRAY || json_len(words) == 0)
		return err_set(e, ERR_INPUT, "%s: expected [\"*\"] for all, or words", key);
	for (size_t i = 0; i < json_len(words); i++) {
		const struct json *word = json_at(words, i);
		struct bytes text =
			json_kind(word) == JSON_KIND_TEXT ? json_text_value(word) : (struct bytes){ NULL, 0 };
		if (text.len == 0 || text.len > word_max || memchr(text.data, ',', text.len) != NULL ||
		    memchr(text.data, '\0', text.len) != NULL)
			return err_set(e, ERR_INPUT, "%s: expected words of at most %zu bytes without commas", key,
				       word_max);
		if (i > 0)
			buf_add_u8(out, ',');
		buf_add(out, text.data, text.len);
	}
	return buf_ok(out, key, e);
}

struct json *api_body(struct api_call *call, const char *keys, struct err *e)
{
	struct json *j = json_parse(http_body(call->request), e);
	if (j != NULL && json_only(j, keys, e))
		return j;
	json_free(j);
	return NULL;
}

static bool holder_parse(const char *kind, const char *number, const char *field, struct identifier *out,
			 struct err *e)
{
	enum identifier_kind of = IDENTIFIER_RESIDENT_ID;
	if (kind != NULL && (!identifier_kind_of(kind, &of) || of > IDENTIFIER_PARTY_LAST))
		return err_set(e, ERR_INPUT, "%s: there is no kind of document '%.32s'", field, kind);
	return identifier_parse(of, number, strlen(number), 0, out, NULL, e) || err_wrap(e, "%s", field);
}

bool api_holder(const struct json *j, const char *key, struct identifier *out, struct err *e)
{
	const char *kind = NULL, *number = NULL;
	const struct json *holder = json_get(j, key);
	if (holder == NULL || !json_is_object(holder))
		return err_set(e, ERR_INPUT, "%s: expected {\"kind\", \"number\"}", key);
	return json_only(holder, "kind number", e) && json_text_opt(holder, "kind", NAME_MAX_LEN, &kind, e) &&
	       json_text(holder, "number", PERSON_NAME_MAX, &number, e) && holder_parse(kind, number, key, out, e);
}

bool api_holder_asked(struct api_call *call, const char *what, struct identifier *out, struct err *e)
{
	struct http_request *r = call->request;
	struct db *db = call->central->release.db;
	const char *number = http_query(r, "holder"), *purpose = http_query(r, "purpose");
	char masked[96];
	if (number == NULL || purpose == NULL || purpose[0] == '\0')
		return err_set(e, ERR_INPUT, "holder and purpose: say whose, and what for");
	if (!holder_parse(http_query(r, "holder_kind"), number, "holder", out, e))
		return false;
	identifier_mask(out, masked, sizeof(masked));
	if (!db_begin(db, e))
		return false;
	if (audit_add(db, call->now_s, call->operator, what, masked, purpose, e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}
