/* What requests to central through a branch have in common: words, a number that is masked in the journal, and a request id. */
#include "firmware/lan_inner.h"
#include "protocol/base/utf8.h"

#include <stdio.h>
#include <string.h>

bool lan_word_take(const struct json *j, const char *key, size_t max, char *out, struct err *e)
{
	const char *text = NULL;
	if (!json_text(j, key, max, &text, e))
		return false;
	if (text[0] == '\0' || !utf8_is_valid(bytes_of(text)))
		return err_set(e, ERR_INPUT, "%s: missing, or not UTF-8", key);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			return err_set(e, ERR_INPUT, "%s: a control character", key);
	snprintf(out, max + 1, "%s", text);
	return true;
}

bool lan_request_take(const struct json *j, const char *terminal, uint8_t request[INQUIRY_REQUEST_LEN], struct err *e)
{
	struct sha256_stream s;
	uint8_t hash[HASH_LEN];
	char id[REQUEST_ID_MAX_LEN + 1];
	if (!lan_word_take(j, "request_id", REQUEST_ID_MAX_LEN, id, e))
		return false;
	if (!request_id_is_valid(id))
		return err_set(e, ERR_INPUT, "request_id: 1 to %d of A-Z a-z 0-9 _ . : -", REQUEST_ID_MAX_LEN);
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ (const uint8_t *)terminal, strlen(terminal) + 1 });
	sha256_add(&s, bytes_of(id));
	sha256_finish(&s, hash);
	memcpy(request, hash, INQUIRY_REQUEST_LEN);
	return true;
}

bool lan_number_take(const struct json *j, const char *key, struct identifier *id, struct scan_lookup *row,
		     struct err *e)
{
	const struct json *of = json_get(j, key);
	const char *kind = NULL, *number = NULL;
	if (of == NULL || !json_is_object(of))
		return err_set(e, ERR_INPUT, "%s: expected an object with kind and number", key);
	if (!json_only(of, "kind number", e) || !json_text(of, "kind", NAME_MAX_LEN, &kind, e) ||
	    !json_text(of, "number", PERSON_NAME_MAX, &number, e))
		return err_wrap(e, "%s", key);
	enum identifier_kind is = IDENTIFIER_NAME;
	if (!identifier_kind_of(kind, &is) || is == IDENTIFIER_NAME)
		return err_set(e, ERR_INPUT, "%s.kind: there is no kind of number '%.32s'", key, kind);
	if (!identifier_parse(is, number, strlen(number), 0, id, NULL, e))
		return err_wrap(e, "%s.number", key);
	snprintf(row->holder_kind, sizeof(row->holder_kind), "%s", identifier_kind_name(is));
	identifier_mask(id, row->holder_masked, sizeof(row->holder_masked));
	return true;
}
