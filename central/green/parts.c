#include "central/green/parts.h"

#include "central/release/document.h"
#include "protocol/head.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

bool green_text_take(const struct json *j, const char *key, char *out, size_t size, struct err *e)
{
	const char *text = NULL;
	if (!json_text(j, key, size - 1, &text, e))
		return false;
	snprintf(out, size, "%s", text);
	return text[0] != '\0' || err_set(e, ERR_INPUT, "%s: it is empty", key);
}

bool green_word_take(const struct json *j, struct green_word *out, struct err *e)
{
	if (!green_text_take(j, "code", out->code, sizeof(out->code), e) ||
	    !green_text_take(j, "zh", out->zh, sizeof(out->zh), e) ||
	    !green_text_take(j, "en", out->en, sizeof(out->en), e))
		return false;
	return name_is_valid(out->code) || err_set(e, ERR_INPUT, "code: '%.40s' is no name", out->code);
}

const struct json *green_array(const struct json *j, const char *key, size_t least, size_t most, struct err *e)
{
	const struct json *all = json_get(j, key);
	bool ok = all != NULL && json_kind(all) == JSON_KIND_ARRAY && json_len(all) >= least && json_len(all) <= most;
	for (size_t i = 0; ok && i < json_len(all); i++)
		ok = json_is_object(json_at(all, i));
	if (ok)
		return all;
	(void)err_set(e, ERR_INPUT, "%s: expected %zu to %zu objects", key, least, most);
	return NULL;
}

bool green_head_take(const struct json *j, const char *type, bool *sample, struct err *e)
{
	const char *text = NULL;
	char word[GREEN_TITLE_MAX + 1];
	const struct json *title = json_get(j, "title");
	if (!json_text(j, "type", NAME_MAX_LEN, &text, e) || !json_bool(j, "sample", sample, e))
		return false;
	if (strcmp(text, type) != 0)
		return err_set(e, ERR_INPUT, "type: expected %s", type);
	if (title == NULL || !json_is_object(title))
		return err_set(e, ERR_INPUT, "title: expected {\"zh\", \"en\"}");
	return (json_only(title, "zh en", e) && green_text_take(title, "zh", word, sizeof(word), e) &&
		green_text_take(title, "en", word, sizeof(word), e)) ||
	       err_wrap(e, "title");
}

bool green_month_parse(const char *text, int32_t *month, struct err *e)
{
	char first[16];
	int64_t day = 0;
	struct err none = { 0 };
	snprintf(first, sizeof(first), "%.7s-01", text);
	if (strlen(text) != 7 || !day_parse(bytes_of(first), &day, &none))
		return err_set(e, ERR_INPUT, "'%.16s' is no month; write it as 2026-01", text);
	*month = 0;
	for (const char *at = text; at < text + 4; at++)
		*month = *month * 10 + (*at - '0');
	*month = *month * 12 + (text[5] - '0') * 10 + text[6] - '0' - 1;
	return true;
}

void green_month_format(int32_t month, char out[8])
{
	snprintf(out, 8, "%04u-%02u", (unsigned)month / 12 % 10000, (unsigned)month % 12 + 1);
}

int32_t green_month_of_day(int64_t day)
{
	char text[11];
	int32_t month = 0;
	day_format(day, text);
	text[7] = '\0';
	(void)!green_month_parse(text, &month, NULL);
	return month;
}

int64_t green_month_end(int32_t month)
{
	char text[16];
	int64_t day = 0;
	green_month_format(month + 1, text);
	memcpy(text + 7, "-01", 4);
	return day_parse(bytes_of(text), &day, NULL) ? day - 1 : 0;
}

/* --- documents --- */

bool green_document_current(struct release_context *c, const char *name, struct green_document *out, struct err *e)
{
	struct release now;
	struct file_map map;
	*out = (struct green_document){ 0 };
	buf_init(&out->cbor, DOCUMENT_MAX);
	if (!release_current(c, name, &now, e))
		return false;
	if (now.version == 0)
		return err_set(e, ERR_MISSING, "no document '%s' was published yet (document import %s FILE)", name,
			       name);
	if (!objects_map(c->objects, now.content.hash, &map, e))
		return false;
	out->version = (int64_t)now.version;
	hex_encode(now.content.hash, HASH_LEN, out->hash);
	buf_add(&out->cbor, map.bytes.data, map.bytes.len);
	file_unmap(&map);
	return buf_ok(&out->cbor, name, e);
}

bool green_document_load(struct release_context *c, const char *hash, struct green_document *out, struct err *e)
{
	bool row = false;
	uint8_t is[HASH_LEN];
	*out = (struct green_document){ 0 };
	buf_init(&out->cbor, DOCUMENT_MAX);
	struct db_query *q = db_query(c->db, "SELECT version, content FROM green_document WHERE hash = ?", e);
	if (q == NULL)
		return false;
	bool ok = db_bind_text(q, 1, hash, e) && db_next(q, &row, e) &&
		  (row || err_set(e, ERR_MISSING, "the document %.16s… is not kept here", hash));
	if (ok) {
		out->version = db_int(q, 0);
		buf_add(&out->cbor, db_bytes(q, 1).data, db_bytes(q, 1).len);
	}
	db_finish(q);
	if (!ok)
		return false;
	sha256(buf_bytes(&out->cbor), is);
	hex_encode(is, HASH_LEN, out->hash);
	return strcmp(out->hash, hash) == 0 || err_set(e, ERR_IO, "the document %.16s… is damaged", hash);
}

bool green_document_keep(struct release_context *c, const char *name, const struct green_document *d, struct err *e)
{
	return db_run(
		c->db, e,
		"INSERT INTO green_document (hash, name, version, content) VALUES (?, ?, ?, ?) ON CONFLICT (hash) "
		"DO NOTHING",
		"ttib", d->hash, name, d->version, buf_bytes(&d->cbor));
}

void green_document_clear(struct green_document *d)
{
	buf_clear(&d->cbor);
}

struct json *green_document_json(struct bytes cbor, struct err *e)
{
	struct buf text;
	buf_init(&text, (size_t)8 * DOCUMENT_MAX);
	struct json *j = document_to_json(cbor, &text, e) ? json_parse(buf_bytes(&text), e) : NULL;
	buf_clear(&text);
	if (j == NULL || json_is_object(j))
		return j;
	json_free(j);
	(void)err_set(e, ERR_INPUT, "expected an object");
	return NULL;
}

/* --- what is sealed --- */

bool green_subject_keep(struct release_context *c, const struct identifier *id, int64_t *tag, struct err *e)
{
	char masked[96];
	struct buf sealed;
	struct rows_keys keys;
	int64_t n = 0;
	rows_keys_make(c->vault_key, &keys);
	*tag = rows_subject_tag(&keys, id->kind, bytes_of(id->canonical));
	rows_keys_wipe(&keys);
	if (!db_run_int(c->db, &n, e, "SELECT COUNT(*) FROM green_subject WHERE tag = ?", "i", *tag))
		return false;
	if (n > 0)
		return true;
	identifier_mask(id, masked, sizeof(masked));
	buf_init(&sealed, PERSON_NAME_MAX + AEAD_OVERHEAD);
	bool ok = green_seal(c, "green", *tag, 0, bytes_of(id->canonical), &sealed, e) &&
		  db_run(c->db, e, "INSERT INTO green_subject (tag, kind, masked, sealed) VALUES (?, ?, ?, ?)",
			 "iitb", *tag, (int64_t)id->kind, masked, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

#define AAD_MAX 64

static struct bytes aad_of(char aad[AAD_MAX], const char *what, int64_t of, int64_t at)
{
	int len = snprintf(aad, AAD_MAX, "%s/%lld/%lld", what, (long long)of, (long long)at);
	return (struct bytes){ (const uint8_t *)aad, (size_t)len };
}

bool green_seal(struct release_context *c, const char *what, int64_t of, int64_t at, struct bytes plain,
		struct buf *out, struct err *e)
{
	char aad[AAD_MAX];
	struct rows_keys keys;
	rows_keys_make(c->vault_key, &keys);
	bool ok = aead_seal(keys.identity, c->random, aad_of(aad, what, of, at), plain, out, e);
	rows_keys_wipe(&keys);
	return ok;
}

bool green_open(struct release_context *c, const char *what, int64_t of, int64_t at, struct bytes sealed,
		struct buf *out, struct err *e)
{
	char aad[AAD_MAX];
	struct rows_keys keys;
	rows_keys_make(c->vault_key, &keys);
	bool ok = aead_open(keys.identity, aad_of(aad, what, of, at), sealed, out, e);
	rows_keys_wipe(&keys);
	return ok;
}

bool green_finish(struct release_context *c, bool ok, struct err *e)
{
	if (ok && db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

int64_t green_day_of_s(int64_t time_s)
{
	return (time_s + CHINA_S) / DAY_S;
}

int64_t green_day_end_s(int64_t day)
{
	return (day + 1) * DAY_S - CHINA_S;
}
