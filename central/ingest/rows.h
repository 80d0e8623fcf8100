/*
 * Records at rest: accepted rows in their canonical form, some hundred of them sealed in one block (AES-256-GCM under a key of the vault's,
 * bound to batch and first row), so that a million rows cost some thousand inserts. Beside each block stand, unsealed, what its records are
 * found by: row number, subject's tag (HMAC-SHA-256 under another key of the vault's, 64 bits), key's hash (SipHash under a third).
 *
 *   record: length(4) row(4) · a cell a field: varint 0 missing, else length+1 and text · repairs: varint count, each field(1) repair(1)
 *           varint length, the cell as it came
 *   tags:   row(4) subject(8) key(16) a record; numbers little-endian
 */
#ifndef CENTRAL_INGEST_ROWS_H
#define CENTRAL_INGEST_ROWS_H

#include "central/ingest/intake.h"
#include "central/ingest/siphash.h"
#include "protocol/base/db.h"
#include "protocol/crypto.h"

#define ROWS_TAG_SIZE 28

struct rows_keys {
	uint8_t seal[32], reject[32], identity[32], sip[16];
	struct hmac_key subject;
};
void rows_keys_make(const uint8_t vault_key[32], struct rows_keys *k);
void rows_keys_wipe(struct rows_keys *k);
/* The tag a subject's records are found by; ordered as a signed number. */
int64_t rows_subject_tag(const struct rows_keys *k, enum identifier_kind kind, struct bytes canonical);
/* What a sealed block, or rejected row, is bound to. */
size_t rows_aad(char out[64], int64_t batch, uint32_t row);

struct rows_writer {
	struct db *db;
	const struct random *random;
	const struct rows_keys *keys;
	const struct schema *schema;
	int64_t batch;
	uint32_t first_row;
	struct buf body, tags, key; /* owned */
};
void rows_writer_init(struct rows_writer *w);
void rows_writer_clear(struct rows_writer *w);
bool rows_add(struct rows_writer *w, const struct intake_row *row, struct err *e) CHECKED;
/* Stores what is gathered. */
bool rows_flush(struct rows_writer *w, struct err *e) CHECKED;

struct rows_record {
	uint32_t row;
	struct bytes cells[SCHEMA_FIELDS_MAX]; /* data NULL: missing */
	struct row_repair repairs[SCHEMA_FIELDS_MAX + 1];
	size_t repairs_len;
};
/* One record; memory is reset and holds it. ERR_MISSING. */
bool rows_load(struct db *db, const struct rows_keys *k, int64_t batch, uint32_t row, size_t fields,
	       struct buf *memory, struct rows_record *out, struct err *e) CHECKED;

/* The accepted rows of a batch whose subject has this tag, in order; keys given twice among them. At most max. */
bool rows_of_subject(struct db *db, int64_t batch, int64_t tag, uint32_t *rows, size_t max, size_t *len,
		     struct err *e) CHECKED;

/* The hash of the row's key. ERR_MISSING. */
bool rows_key(struct db *db, int64_t batch, uint32_t row, uint8_t out[16], struct err *e) CHECKED;

struct rows_tag {
	uint32_t row;
	int64_t subject;
	struct siphash key;
};
/* Of every record of a batch, in order; from: of those in blocks that begin at this row or behind it. */
bool rows_each_tag_from(struct db *db, int64_t batch, uint32_t from,
			void (*each)(void *arg, const struct rows_tag *t), void *arg, struct err *e) CHECKED;
bool rows_each_tag(struct db *db, int64_t batch, void (*each)(void *arg, const struct rows_tag *t), void *arg,
		   struct err *e) CHECKED;

#endif
