#include "central/ingest/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 32768U /* then it is stored */
#define RECORD_MAX  ((size_t)12 * CSV_ROW_MAX)

/* Domain separation of the vault's keys. */
static void derive(const uint8_t vault_key[32], const char *info, uint8_t *out, size_t len)
{
	hkdf_sha256((struct bytes){ vault_key, 32 }, bytes_of("xb/1/ingest"), bytes_of(info), out, len);
}

void rows_keys_make(const uint8_t vault_key[32], struct rows_keys *k)
{
	uint8_t subject[32];
	derive(vault_key, "rows", k->seal, sizeof(k->seal));
	derive(vault_key, "rejects", k->reject, sizeof(k->reject));
	derive(vault_key, "identities", k->identity, sizeof(k->identity));
	derive(vault_key, "keys", k->sip, sizeof(k->sip));
	derive(vault_key, "subjects", subject, sizeof(subject));
	hmac_key_init(&k->subject, (struct bytes){ subject, sizeof(subject) });
	explicit_bzero(subject, sizeof(subject));
}

void rows_keys_wipe(struct rows_keys *k)
{
	explicit_bzero(k, sizeof(*k));
}

static void store32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void store64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

int64_t rows_subject_tag(const struct rows_keys *k, enum identifier_kind kind, struct bytes canonical)
{
	uint8_t text[PERSON_NAME_MAX + 2], hash[HASH_LEN];
	size_t len = canonical.len < PERSON_NAME_MAX ? canonical.len : PERSON_NAME_MAX;
	text[0] = (uint8_t)kind;
	if (len > 0)
		memcpy(text + 1, canonical.data, len);
	hmac_key_sign(&k->subject, (struct bytes){ text, len + 1 }, hash);
	return (int64_t)load_le(hash, 8);
}

/* --- writing --- */

void rows_writer_init(struct rows_writer *w)
{
	buf_init(&w->body, BLOCK_BYTES + RECORD_MAX);
	buf_init(&w->tags, (size_t)BLOCK_BYTES * ROWS_TAG_SIZE);
	buf_init(&w->key, RECORD_MAX);
}

void rows_writer_clear(struct rows_writer *w)
{
	buf_wipe(&w->body);
	buf_clear(&w->tags);
	buf_wipe(&w->key);
}

static uint8_t *varint_write(uint8_t *p, size_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static uint8_t *text_write(uint8_t *p, struct bytes t)
{
	if (t.len > 0)
		memcpy(p, t.data, t.len);
	return p + t.len;
}

static size_t record_most(const struct rows_writer *w, const struct intake_row *row)
{
	size_t n = 16;
	for (size_t i = 0; i < w->schema->fields_len; i++)
		n += row->cells[i].len + 5;
	for (size_t i = 0; i < row->repairs_len; i++)
		n += row->repairs[i].given.len + 7;
	return n;
}

static bool record_write(struct rows_writer *w, const struct intake_row *row, struct err *e)
{
	size_t from = w->body.len, most = record_most(w, row);
	uint8_t *at = buf_grow(&w->body, most), *p = at;
	if (at == NULL)
		return err_set(e, ERR_FULL, "row %u is too large to be kept", row->number);
	store32(p + 4, row->number);
	p += 8;
	for (size_t i = 0; i < w->schema->fields_len; i++) {
		bool there = row->cells[i].data != NULL;
		p = varint_write(p, there ? row->cells[i].len + 1 : 0);
		if (there)
			p = text_write(p, row->cells[i]);
	}
	p = varint_write(p, row->repairs_len);
	for (size_t i = 0; i < row->repairs_len; i++) {
		*p++ = (uint8_t)row->repairs[i].field;
		*p++ = (uint8_t)row->repairs[i].repair;
		p = varint_write(p, row->repairs[i].given.len);
		p = text_write(p, row->repairs[i].given);
	}
	store32(at, (uint32_t)(p - at));
	w->body.len = from + (size_t)(p - at);
	return true;
}

static struct siphash key_hash(struct rows_writer *w, const struct intake_row *row)
{
	uint8_t len[4];
	buf_reset(&w->key);
	for (size_t i = 0; i < w->schema->fields_len; i++) {
		if (!w->schema->fields[i].key)
			continue;
		store32(len, (uint32_t)row->cells[i].len);
		buf_add(&w->key, len, sizeof(len));
		buf_add(&w->key, row->cells[i].data, row->cells[i].len);
	}
	return siphash_of(w->keys->sip, buf_bytes(&w->key));
}

static void tag_write(struct rows_writer *w, const struct intake_row *row)
{
	int subject = w->schema->subject;
	uint8_t *p = buf_grow(&w->tags, ROWS_TAG_SIZE);
	if (p == NULL)
		return; /* body is full before tags are */
	memset(p, 0, ROWS_TAG_SIZE);
	store32(p, row->number);
	if (subject >= 0 && row->cells[subject].data != NULL)
		store64(p + 4, (uint64_t)rows_subject_tag(w->keys, w->schema->fields[subject].identifier,
							  row->cells[subject]));
	if (w->schema->keyed) {
		struct siphash h = key_hash(w, row);
		store64(p + 12, h.high);
		store64(p + 20, h.low);
	}
}

size_t rows_aad(char out[64], int64_t batch, uint32_t first_row)
{
	return (size_t)snprintf(out, 64, "%lld/%u", (long long)batch, first_row);
}

bool rows_flush(struct rows_writer *w, struct err *e)
{
	char aad[64];
	struct buf sealed;
	if (w->body.len == 0)
		return true;
	size_t aad_len = rows_aad(aad, w->batch, w->first_row);
	buf_init(&sealed, w->body.len + AEAD_OVERHEAD);
	bool ok = aead_seal(w->keys->seal, w->random, (struct bytes){ (const uint8_t *)aad, aad_len },
			    buf_bytes(&w->body), &sealed, e) &&
		  db_run(w->db, e, "INSERT INTO batch_block (batch, first_row, tags, sealed) VALUES (?, ?, ?, ?)",
			 "iibb", w->batch, (int64_t)w->first_row, buf_bytes(&w->tags), buf_bytes(&sealed));
	buf_clear(&sealed);
	buf_reset(&w->body);
	buf_reset(&w->tags);
	return ok;
}

bool rows_add(struct rows_writer *w, const struct intake_row *row, struct err *e)
{
	if (w->body.len == 0)
		w->first_row = row->number;
	if (!record_write(w, row, e))
		return false;
	tag_write(w, row);
	return w->body.len < BLOCK_BYTES || rows_flush(w, e);
}

/* --- reading --- */

struct reader {
	const uint8_t *at, *end;
};

static bool varint_read(struct reader *r, size_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 32; shift += 7) {
		if (r->at == r->end)
			return false;
		uint8_t b = *r->at++;
		*out |= (size_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

static bool text_read(struct reader *r, size_t len, struct bytes *out)
{
	if (len > (size_t)(r->end - r->at))
		return false;
	*out = (struct bytes){ r->at, len };
	r->at += len;
	return true;
}

static bool record_read(struct reader r, size_t fields, struct rows_record *out)
{
	size_t len = 0;
	out->row = (uint32_t)load_le(r.at + 4, 4);
	r.at += 8;
	for (size_t i = 0; i < fields; i++) {
		out->cells[i] = (struct bytes){ NULL, 0 };
		if (!varint_read(&r, &len) || (len > 0 && !text_read(&r, len - 1, &out->cells[i])))
			return false;
	}
	if (!varint_read(&r, &out->repairs_len) || out->repairs_len > SCHEMA_FIELDS_MAX + 1)
		return false;
	for (size_t i = 0; i < out->repairs_len; i++) {
		struct row_repair *p = &out->repairs[i];
		if (r.end - r.at < 2)
			return false;
		p->field = *r.at++;
		p->repair = (enum repair) * r.at++;
		if (!varint_read(&r, &len) || !text_read(&r, len, &p->given))
			return false;
	}
	return true;
}

static bool record_find(struct bytes body, uint32_t row, size_t fields, struct rows_record *out, struct err *e)
{
	for (size_t at = 0; body.len - at >= 8;) {
		size_t len = (size_t)load_le(body.data + at, 4);
		if (len < 8 || len > body.len - at)
			break;
		if (load_le(body.data + at + 4, 4) == row)
			return record_read((struct reader){ body.data + at, body.data + at + len }, fields, out) ||
			       err_set(e, ERR_IO, "a stored record cannot be read");
		at += len;
	}
	return err_set(e, ERR_MISSING, "there is no accepted row %u", row);
}

bool rows_load(struct db *db, const struct rows_keys *k, int64_t batch, uint32_t row, size_t fields,
	       struct buf *memory, struct rows_record *out, struct err *e)
{
	struct db_query *q = db_query(db,
				      "SELECT first_row, sealed FROM batch_block WHERE batch = ? AND first_row <= ?"
				      " ORDER BY first_row DESC LIMIT 1",
				      e);
	char aad[64];
	bool there = false;
	if (q == NULL)
		return false;
	buf_reset(memory);
	bool ok = db_bind_int(q, 1, batch, e) && db_bind_int(q, 2, row, e) && db_next(q, &there, e) &&
		  (there || err_set(e, ERR_MISSING, "there is no accepted row %u", row));
	if (ok) {
		size_t len = rows_aad(aad, batch, (uint32_t)db_int(q, 0));
		ok = aead_open(k->seal, (struct bytes){ (const uint8_t *)aad, len }, db_bytes(q, 1), memory, e) &&
		     record_find(buf_bytes(memory), row, fields, out, e);
	}
	db_finish(q);
	return ok;
}

#define ENTRY_SIZE 12 /* as batch_check.c writes them */

static int row_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void entries_find(struct bytes entries, int64_t tag, uint32_t *rows, size_t max, size_t *len)
{
	size_t from = 0, to = entries.len / ENTRY_SIZE;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if ((int64_t)load_le(entries.data + mid * ENTRY_SIZE, 8) < tag)
			from = mid + 1;
		else
			to = mid;
	}
	for (; (from + 1) * ENTRY_SIZE <= entries.len && *len < max; from++) {
		const uint8_t *p = entries.data + from * ENTRY_SIZE;
		if ((int64_t)load_le(p, 8) != tag)
			break;
		rows[(*len)++] = (uint32_t)load_le(p + 8, 4);
	}
}

/* Backwards from the last block that begins at or before the tag, as long as a block reaches it. */
bool rows_of_subject(struct db *db, int64_t batch, int64_t tag, uint32_t *rows, size_t max, size_t *len,
		     struct err *e)
{
	struct db_query *q = db_query(db,
				      "SELECT last_tag, entries FROM batch_index WHERE batch = ? AND first_tag <= ?"
				      " ORDER BY first_tag DESC, seq DESC",
				      e);
	bool row = false;
	*len = 0;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, batch, e) && db_bind_int(q, 2, tag, e);
	while (ok && (ok = db_next(q, &row, e)) && row && db_int(q, 0) >= tag)
		entries_find(db_bytes(q, 1), tag, rows, max, len);
	db_finish(q);
	if (*len > 1)
		qsort(rows, *len, sizeof(*rows), row_compare);
	return ok;
}

bool rows_each_tag(struct db *db, int64_t batch, void (*each)(void *arg, const struct rows_tag *t), void *arg,
		   struct err *e)
{
	return rows_each_tag_from(db, batch, 0, each, arg, e);
}

bool rows_each_tag_from(struct db *db, int64_t batch, uint32_t from,
			void (*each)(void *arg, const struct rows_tag *t), void *arg, struct err *e)
{
	struct db_query *q =
		db_query(db, "SELECT tags FROM batch_block WHERE batch = ? AND first_row >= ? ORDER BY first_row", e);
	bool row = false, ok = q != NULL && db_bind_int(q, 1, batch, e) && db_bind_int(q, 2, (int64_t)from, e);
	while (ok && (ok = db_next(q, &row, e)) && row) {
		struct bytes tags = db_bytes(q, 0);
		for (size_t at = 0; tags.len - at >= ROWS_TAG_SIZE; at += ROWS_TAG_SIZE) {
			const uint8_t *p = tags.data + at;
			struct rows_tag t = { .row = (uint32_t)load_le(p, 4),
					      .subject = (int64_t)load_le(p + 4, 8),
					      .key = { load_le(p + 12, 8), load_le(p + 20, 8) } };
			each(arg, &t);
		}
	}
	db_finish(q);
	return ok;
}

bool rows_key(struct db *db, int64_t batch, uint32_t row, uint8_t out[16], struct err *e)
{
	struct db_query *q = db_query(
		db, "SELECT tags FROM batch_block WHERE batch = ? AND first_row <= ? ORDER BY first_row DESC LIMIT 1",
		e);
	bool there = false, found = false;
	if (q == NULL)
		return false;
	bool ok = db_bind_int(q, 1, batch, e) && db_bind_int(q, 2, row, e) && db_next(q, &there, e);
	struct bytes tags = ok && there ? db_bytes(q, 0) : (struct bytes){ NULL, 0 };
	for (size_t at = 0; !found && tags.len - at >= ROWS_TAG_SIZE; at += ROWS_TAG_SIZE) {
		found = (uint32_t)load_le(tags.data + at, 4) == row;
		if (found)
			memcpy(out, tags.data + at + 12, 16);
	}
	db_finish(q);
	return ok && (found || err_set(e, ERR_MISSING, "batch %lld has no row %u", (long long)batch, row));
}
