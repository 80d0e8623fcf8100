#include "protocol/inquiry.h"

#include <string.h>

static const char *const formats[] = { [INQUIRY_HTML] = "html", [INQUIRY_PDF] = "pdf" };

const char *inquiry_format_name(enum inquiry_format f)
{
	return formats[f];
}

bool inquiry_format_of(const char *name, enum inquiry_format *f)
{
	for (unsigned i = INQUIRY_HTML; i <= INQUIRY_FORMAT_LAST; i++) {
		if (strcmp(formats[i], name) != 0)
			continue;
		*f = (enum inquiry_format)i;
		return true;
	}
	return false;
}

/* map 1 id · 2 request · 3 part · 4 number's kind · 5 number · 6 purpose · 7 [] or [day] · 8 format · 9 terminal · 10 officer */
bool inquiry_encode(const struct inquiry *q, struct buf *out, struct err *e)
{
	cbor_put_map(out, 10);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ q->id, sizeof(q->id) });
	cbor_put_uint(out, 2);
	cbor_put_bytes(out, (struct bytes){ q->request, sizeof(q->request) });
	cbor_put_uint(out, 3);
	cbor_put_uint(out, q->part);
	cbor_put_uint(out, 4);
	cbor_put_uint(out, q->kind);
	cbor_put_uint(out, 5);
	cbor_put_text(out, q->number);
	cbor_put_uint(out, 6);
	cbor_put_text(out, q->purpose);
	cbor_put_uint(out, 7);
	cbor_put_array(out, q->day != INQUIRY_TODAY);
	if (q->day != INQUIRY_TODAY)
		cbor_put_int(out, q->day);
	cbor_put_uint(out, 8);
	cbor_put_uint(out, q->format);
	cbor_put_uint(out, 9);
	cbor_put_text(out, q->terminal);
	cbor_put_uint(out, 10);
	cbor_put_text(out, q->officer);
	return buf_ok(out, "report query", e);
}

static bool day_get(struct cbor *c, int64_t *day, struct err *e)
{
	size_t len = 0;
	*day = INQUIRY_TODAY;
	if (!cbor_key_array(c, 7, 1, &len, e) || (len == 1 && !cbor_get_int(c, day, e)))
		return false;
	return len == 0 || (*day >= 0 && *day < INT32_MAX) || err_set(e, ERR_INPUT, "a day out of range");
}

static bool words_get(struct cbor *c, struct inquiry *q, struct err *e)
{
	uint64_t format = 0;
	if (!cbor_key_string(c, 6, q->purpose, sizeof(q->purpose), e) || !day_get(c, &q->day, e) ||
	    !cbor_key_uint(c, 8, INQUIRY_FORMAT_LAST, &format, e) ||
	    !cbor_key_string(c, 9, q->terminal, sizeof(q->terminal), e) ||
	    !cbor_key_string(c, 10, q->officer, sizeof(q->officer), e))
		return false;
	q->format = (enum inquiry_format)format;
	return (format != 0 && q->purpose[0] != '\0' && q->terminal[0] != '\0' && q->officer[0] != '\0') ||
	       err_set(e, ERR_INPUT, "purpose, format, terminal or officer is missing");
}

bool inquiry_decode(struct bytes data, struct inquiry *q, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t kind = 0;
	memset(q, 0, sizeof(*q));
	if (!cbor_expect_map(&c, 10, e) || !cbor_key_bytes_exact(&c, 1, q->id, sizeof(q->id), e) ||
	    !cbor_key_bytes_exact(&c, 2, q->request, sizeof(q->request), e) ||
	    !cbor_key_uint(&c, 3, INQUIRY_PARTS_MAX - 1, &q->part, e) ||
	    !cbor_key_uint(&c, 4, IDENTIFIER_KIND_LAST, &kind, e) ||
	    !cbor_key_string(&c, 5, q->number, sizeof(q->number), e) || !words_get(&c, q, e) || !cbor_end(&c, e))
		return err_wrap(e, "report query");
	q->kind = (enum identifier_kind)kind;
	return kind != 0 || err_set(e, ERR_INPUT, "report query: a number of kind 0");
}

size_t inquiry_part_len(uint64_t size, uint64_t part)
{
	if (size > INQUIRY_BYTES_MAX || part >= INQUIRY_PARTS_MAX || part * INQUIRY_PART >= size)
		return 0;
	uint64_t left = size - part * INQUIRY_PART;
	return left < INQUIRY_PART ? (size_t)left : INQUIRY_PART;
}

bool inquiry_part_encode(const struct inquiry_part *p, struct buf *out, struct err *e)
{
	cbor_put_map(out, 6);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ p->id, sizeof(p->id) });
	cbor_put_uint(out, 2);
	cbor_put_bytes(out, (struct bytes){ p->hash, HASH_LEN });
	cbor_put_uint(out, 3);
	cbor_put_uint(out, p->size);
	cbor_put_uint(out, 4);
	cbor_put_uint(out, p->part);
	cbor_put_uint(out, 5);
	cbor_put_text(out, p->number);
	cbor_put_uint(out, 6);
	cbor_put_bytes(out, p->data);
	return buf_ok(out, "report's part", e);
}

bool inquiry_part_decode(struct bytes data, struct inquiry_part *p, struct err *e)
{
	struct cbor c = cbor_over(data);
	memset(p, 0, sizeof(*p));
	if (!cbor_expect_map(&c, 6, e) || !cbor_key_bytes_exact(&c, 1, p->id, sizeof(p->id), e) ||
	    !cbor_key_bytes_exact(&c, 2, p->hash, HASH_LEN, e) ||
	    !cbor_key_uint(&c, 3, INQUIRY_BYTES_MAX, &p->size, e) ||
	    !cbor_key_uint(&c, 4, INQUIRY_PARTS_MAX - 1, &p->part, e) ||
	    !cbor_key_string(&c, 5, p->number, sizeof(p->number), e) || !cbor_key_bytes(&c, 6, &p->data, e) ||
	    !cbor_end(&c, e))
		return err_wrap(e, "report's part");
	return (p->data.len > 0 && p->data.len == inquiry_part_len(p->size, p->part)) ||
	       err_set(e, ERR_INPUT, "report's part: %zu bytes where others belong", p->data.len);
}
