/* What an operator asks to be issued: JSON with days of China's calendar.
   { "request_id" (optional), "issuer", "kind", "number" (optional), "holder": { "kind", "number", "name" (optional) } (per kind),
     "from": "2026-01-31" (optional: now), "to": its last day in force (optional: by the kind's months, or without end),
     "digest": SHA-256 in hex (optional), "file": base64, "media_type" (optional, together), "supersedes": identifier (optional) } */
#include "central/registry/registry.h"

#include "protocol/base/json.h"
#include "protocol/decision.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

static bool text_take(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text = NULL;
	if (!json_text_opt(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text != NULL ? text : "");
	return true;
}

static bool day_take(const struct json *j, const char *key, int64_t add_days, int64_t otherwise, int64_t *time_s,
		     struct err *e)
{
	const char *text = NULL;
	int64_t day;
	*time_s = otherwise;
	if (!json_text_opt(j, key, 10, &text, e))
		return false;
	if (text == NULL)
		return true;
	if (!day_parse(bytes_of(text), &day, e))
		return err_wrap(e, "%s", key);
	*time_s = (day + add_days) * DAY_S - CHINA_S;
	return true;
}

static bool holder_take(const struct json *j, struct registry_request *r, struct err *e)
{
	const char *kind = NULL;
	if (j == NULL)
		return true;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "holder: expected an object");
	if (!json_only(j, "kind number name", e) || !json_text(j, "kind", NAME_MAX_LEN, &kind, e) ||
	    !text_take(j, "number", r->holder, sizeof(r->holder), e) ||
	    !text_take(j, "name", r->holder_name, sizeof(r->holder_name), e))
		return err_wrap(e, "holder");
	if (!identifier_kind_of(kind, &r->holder_kind) || r->holder_kind > IDENTIFIER_PARTY_LAST)
		return err_set(e, ERR_INPUT, "holder.kind: there is no kind of document '%s'", kind);
	if (r->holder[0] == '\0')
		return err_set(e, ERR_INPUT, "holder.number is missing");
	return true;
}

static bool file_take(const struct json *j, struct registry_request *r, struct buf *file, struct err *e)
{
	const char *hex = NULL, *base64 = NULL;
	if (!json_text_opt(j, "digest", (size_t)2 * HASH_LEN, &hex, e) ||
	    !json_text_opt(j, "file", (size_t)2 * BODY_FILE_MAX, &base64, e))
		return false;
	if (hex != NULL && (strlen(hex) != (size_t)2 * HASH_LEN || !hex_decode(hex, r->digest, HASH_LEN)))
		return err_set(e, ERR_INPUT, "digest: expected 64 lower-case hex digits, a SHA-256");
	r->has_digest = hex != NULL;
	if ((base64 != NULL) != (r->media_type[0] != '\0'))
		return err_set(e, ERR_INPUT, "file and media_type come together");
	if (base64 == NULL)
		return true;
	if (!base64_decode(bytes_of(base64), file, e))
		return err_wrap(e, "file");
	if (file->len == 0 || file->len > BODY_FILE_MAX)
		return err_set(e, ERR_INPUT, "file: %zu bytes, where 1 to %u are kept: give its digest instead",
			       file->len, BODY_FILE_MAX);
	r->file = buf_bytes(file);
	uint8_t hash[HASH_LEN];
	sha256(r->file, hash);
	if (r->has_digest && memcmp(hash, r->digest, HASH_LEN) != 0)
		return err_set(e, ERR_INPUT, "digest: it is not the file's");
	memcpy(r->digest, hash, HASH_LEN);
	return r->has_digest = true;
}

static bool request_read(const struct json *j, struct registry_request *r, struct buf *file, struct err *e)
{
	const char *issuer = NULL, *kind = NULL;
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "request_id issuer kind number holder from to digest file media_type supersedes", e) ||
	    !json_text(j, "issuer", ECERT_PART_MAX, &issuer, e) || !json_text(j, "kind", ECERT_PART_MAX, &kind, e) ||
	    !text_take(j, "request_id", r->request_id, sizeof(r->request_id), e) ||
	    !text_take(j, "number", r->number, sizeof(r->number), e) ||
	    !text_take(j, "media_type", r->media_type, sizeof(r->media_type), e) ||
	    !text_take(j, "supersedes", r->supersedes, sizeof(r->supersedes), e) ||
	    !holder_take(json_get(j, "holder"), r, e) || !day_take(j, "from", 0, 0, &r->from_s, e) ||
	    !day_take(j, "to", 1, 0, &r->to_s, e) || !file_take(j, r, file, e))
		return false;
	snprintf(r->issuer, sizeof(r->issuer), "%s", issuer);
	snprintf(r->kind, sizeof(r->kind), "%s", kind);
	if (r->request_id[0] != '\0' && !request_id_is_valid(r->request_id))
		return err_set(e, ERR_INPUT, "request_id: letters, digits and ._:- only");
	return true;
}

bool registry_request_parse(struct bytes text, struct registry_request *r, struct buf *file, struct err *e)
{
	memset(r, 0, sizeof(*r));
	struct json *j = json_parse(text, e);
	if (j == NULL)
		return false;
	bool ok = request_read(j, r, file, e);
	json_free(j);
	return ok;
}
