#include "protocol/journal.h"

#include <string.h>

void journal_start_hash(const uint8_t epoch[JOURNAL_EPOCH_LEN], uint8_t hash[HASH_LEN])
{
	struct sha256_stream s;
	sha256_start(&s);
	sha256_add(&s, bytes_of("xb/1/journal"));
	sha256_add(&s, (struct bytes){ epoch, JOURNAL_EPOCH_LEN });
	sha256_finish(&s, hash);
}

void journal_next_hash(const uint8_t before[HASH_LEN], struct bytes row, uint8_t after[HASH_LEN])
{
	struct sha256_stream s;
	sha256_start(&s);
	sha256_add(&s, (struct bytes){ before, HASH_LEN });
	sha256_add(&s, row);
	sha256_finish(&s, after);
}

bool journal_row_encode(const struct journal_row *r, struct buf *out, struct err *e)
{
	size_t before = out->len;
	cbor_put_array(out, 4);
	cbor_put_uint(out, r->seq);
	cbor_put_int(out, r->time_s);
	cbor_put_uint(out, r->kind);
	cbor_put_bytes(out, r->body);
	if (out->len - before > JOURNAL_ROW_MAX)
		return err_set(e, ERR_FULL, "a journal row of %zu bytes, above %u", out->len - before,
			       JOURNAL_ROW_MAX);
	return buf_ok(out, "journal row", e);
}

bool journal_row_decode(struct bytes data, struct journal_row *r, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t kind = 0;
	if (data.len > JOURNAL_ROW_MAX)
		return err_set(e, ERR_FULL, "a journal row of %zu bytes, above %u", data.len, JOURNAL_ROW_MAX);
	if (!cbor_expect_array(&c, 4, e) || !cbor_get_uint_max(&c, COUNTER_MAX, &r->seq, e) ||
	    !cbor_get_time(&c, &r->time_s, e) || !cbor_get_uint_max(&c, JOURNAL_KIND_LAST, &kind, e) ||
	    !cbor_get_bytes(&c, &r->body, e) || !cbor_end(&c, e))
		return err_wrap(e, "journal row");
	if (r->seq == 0 || kind == 0)
		return err_set(e, ERR_INPUT, "journal row: of sequence or kind 0");
	if (!cbor_check(r->body, e))
		return err_wrap(e, "journal row: body");
	r->kind = (enum journal_kind)kind;
	return true;
}

bool journal_event_encode(const struct journal_event *v, struct buf *out, struct err *e)
{
	cbor_put_map(out, 2);
	cbor_put_uint(out, 1);
	cbor_put_text_n(out, v->code);
	cbor_put_uint(out, 2);
	cbor_put_text_n(out, v->detail);
	return buf_ok(out, "journal event", e);
}

bool journal_event_decode(struct bytes body, struct journal_event *v, struct err *e)
{
	struct cbor c = cbor_over(body);
	return (cbor_expect_map(&c, 2, e) && cbor_expect_key(&c, 1, e) && cbor_get_text(&c, &v->code, e) &&
		cbor_expect_key(&c, 2, e) && cbor_get_text(&c, &v->detail, e) && cbor_end(&c, e)) ||
	       err_wrap(e, "journal event");
}

bool journal_batch_fits(const struct journal_batch *b, struct bytes row)
{
	size_t size = 128 + 3 + row.len;
	for (size_t i = 0; i < b->rows_len; i++)
		size += 3 + b->rows[i].len;
	return b->rows_len < JOURNAL_BATCH && size <= OBJECT_CHUNK;
}

bool journal_batch_encode(const struct journal_batch *b, struct buf *out, struct err *e)
{
	cbor_put_map(out, 4);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ b->epoch, JOURNAL_EPOCH_LEN });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, b->first);
	cbor_put_uint(out, 3);
	cbor_put_bytes(out, (struct bytes){ b->before, HASH_LEN });
	cbor_put_uint(out, 4);
	cbor_put_array(out, b->rows_len);
	for (size_t i = 0; i < b->rows_len; i++)
		cbor_put_bytes(out, b->rows[i]);
	return buf_ok(out, "journal batch", e);
}

bool journal_batch_decode(struct bytes data, struct journal_batch *b, struct err *e)
{
	struct cbor c = cbor_over(data);
	if (data.len > OBJECT_CHUNK)
		return err_set(e, ERR_FULL, "a journal batch of %zu bytes, above %u", data.len, OBJECT_CHUNK);
	if (!cbor_expect_map(&c, 4, e) || !cbor_key_bytes_exact(&c, 1, b->epoch, JOURNAL_EPOCH_LEN, e) ||
	    !cbor_key_uint(&c, 2, COUNTER_MAX - JOURNAL_BATCH, &b->first, e) ||
	    !cbor_key_bytes_exact(&c, 3, b->before, HASH_LEN, e) ||
	    !cbor_key_array(&c, 4, JOURNAL_BATCH, &b->rows_len, e))
		return err_wrap(e, "journal batch");
	for (size_t i = 0; i < b->rows_len; i++) {
		if (!cbor_get_bytes(&c, &b->rows[i], e))
			return err_wrap(e, "journal batch");
	}
	if (!cbor_end(&c, e))
		return err_wrap(e, "journal batch");
	if (b->first == 0 || b->rows_len == 0)
		return err_set(e, ERR_INPUT, "journal batch: no rows, or from row 0 on");
	return true;
}

bool journal_ack_encode(const struct journal_ack *a, struct buf *out, struct err *e)
{
	cbor_put_map(out, 3);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ a->epoch, JOURNAL_EPOCH_LEN });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, a->seq);
	cbor_put_uint(out, 3);
	cbor_put_bytes(out, (struct bytes){ a->hash, HASH_LEN });
	return buf_ok(out, "acknowledgement", e);
}

bool journal_ack_decode(struct bytes data, struct journal_ack *a, struct err *e)
{
	struct cbor c = cbor_over(data);
	if (!cbor_expect_map(&c, 3, e) || !cbor_key_bytes_exact(&c, 1, a->epoch, JOURNAL_EPOCH_LEN, e) ||
	    !cbor_key_uint(&c, 2, COUNTER_MAX, &a->seq, e) || !cbor_key_bytes_exact(&c, 3, a->hash, HASH_LEN, e) ||
	    !cbor_end(&c, e))
		return err_wrap(e, "acknowledgement");
	return true;
}
