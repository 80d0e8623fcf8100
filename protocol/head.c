#include "protocol/head.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT "xb/1/head"

bool name_is_valid(const char *name)
{
	size_t len = strnlen(name, NAME_MAX_LEN + 1);
	if (len == 0 || len > NAME_MAX_LEN || name[0] == '-' || name[0] == '_')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

bool name_get(struct cbor *c, char name[NAME_MAX_LEN + 1], struct err *e)
{
	if (!cbor_get_string(c, name, NAME_MAX_LEN + 1, e))
		return false;
	return name_is_valid(name) || err_set(e, ERR_INPUT, "a name with other characters than a-z, 0-9, - and _");
}

void head_clear(struct head *h)
{
	free(h->entries);
	*h = (struct head){ 0 };
}

const struct head_entry *head_find(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->entries_len; i++) {
		if (strcmp(h->entries[i].name, name) == 0)
			return &h->entries[i];
	}
	return NULL;
}

static void entry_encode(const struct head_entry *n, struct buf *out)
{
	cbor_put_map(out, n->kind == HEAD_LIST ? 11 : 4);
	cbor_put_uint(out, 1);
	cbor_put_text(out, n->name);
	cbor_put_uint(out, 2);
	cbor_put_uint(out, n->kind);
	cbor_put_uint(out, 3);
	cbor_put_uint(out, n->version);
	cbor_put_uint(out, 4);
	object_ref_put(out, &n->object);
	if (n->kind != HEAD_LIST)
		return;
	cbor_put_uint(out, 5);
	object_ref_put(out, &n->index);
	cbor_put_uint(out, 6);
	cbor_put_uint(out, n->epoch);
	cbor_put_uint(out, 7);
	cbor_put_uint(out, n->count);
	cbor_put_uint(out, 8);
	cbor_put_bytes(out, (struct bytes){ n->fingerprint, FINGERPRINT_BYTES });
	cbor_put_uint(out, 9);
	cbor_put_uint(out, n->forced_version);
	cbor_put_uint(out, 10);
	cbor_put_uint(out, n->canary_hit);
	cbor_put_uint(out, 11);
	cbor_put_uint(out, n->canary_miss);
}

bool head_encode(const struct head *h, struct buf *out, struct err *e)
{
	cbor_put_map(out, 4);
	cbor_put_uint(out, 1);
	cbor_put_uint(out, h->sequence);
	cbor_put_uint(out, 2);
	cbor_put_int(out, h->issued_s);
	cbor_put_uint(out, 3);
	cbor_put_int(out, h->expires_s);
	cbor_put_uint(out, 4);
	cbor_put_array(out, h->entries_len);
	for (size_t i = 0; i < h->entries_len; i++)
		entry_encode(&h->entries[i], out);
	return buf_ok(out, "head", e);
}

static bool list_part_decode(struct cbor *c, struct head_entry *n, struct err *e)
{
	uint64_t epoch = 0;
	if (!cbor_expect_key(c, 5, e) || !object_ref_get(c, &n->index, e) ||
	    !cbor_key_uint(c, 6, UINT32_MAX, &epoch, e) || !cbor_key_uint(c, 7, LIST_ENTRIES_MAX, &n->count, e) ||
	    !cbor_key_bytes_exact(c, 8, n->fingerprint, FINGERPRINT_BYTES, e) ||
	    !cbor_key_uint(c, 9, n->version, &n->forced_version, e) ||
	    !cbor_key_uint(c, 10, UINT64_MAX, &n->canary_hit, e) ||
	    !cbor_key_uint(c, 11, UINT64_MAX, &n->canary_miss, e))
		return false;
	n->epoch = (uint32_t)epoch;
	return true;
}

/* A document, or a list's index: read into memory whole. */
static bool small_object_check(const struct head_entry *n, struct err *e)
{
	uint64_t size = n->kind == HEAD_LIST ? n->index.size : n->object.size;
	return size <= DOCUMENT_MAX ||
	       err_set(e, ERR_FULL, "entry %s has a document or index above %u bytes", n->name, DOCUMENT_MAX);
}

static bool entry_decode(struct cbor *c, struct head_entry *n, struct err *e)
{
	size_t pairs = 0;
	uint64_t kind = 0;
	if (!cbor_get_map(c, 11, &pairs, e) || !cbor_expect_key(c, 1, e) || !name_get(c, n->name, e) ||
	    !cbor_key_uint(c, 2, HEAD_DOCUMENT, &kind, e) || !cbor_key_uint(c, 3, COUNTER_MAX, &n->version, e) ||
	    !cbor_expect_key(c, 4, e) || !object_ref_get(c, &n->object, e))
		return false;
	if (kind == 0 || pairs != (kind == HEAD_LIST ? 11 : 4) || n->version == 0)
		return err_set(e, ERR_INPUT, "entry %s is neither a list's nor a document's", n->name);
	n->kind = (enum head_kind)kind;
	return (n->kind == HEAD_DOCUMENT || list_part_decode(c, n, e)) && small_object_check(n, e);
}

bool head_decode(struct bytes payload, struct head *h, struct err *e)
{
	struct cbor c = cbor_over(payload);
	size_t len = 0, lists = 0;
	*h = (struct head){ 0 };
	if (!cbor_expect_map(&c, 4, e) || !cbor_key_uint(&c, 1, COUNTER_MAX, &h->sequence, e) ||
	    !cbor_key_time(&c, 2, &h->issued_s, e) || !cbor_key_time(&c, 3, &h->expires_s, e) ||
	    !cbor_key_array(&c, 4, HEAD_ENTRIES_MAX, &len, e))
		return err_wrap(e, "head");
	h->entries = calloc(len > 0 ? len : 1, sizeof(*h->entries));
	if (h->entries == NULL)
		abort();
	for (size_t i = 0; i < len; i++) {
		struct head_entry *n = &h->entries[i];
		if (!entry_decode(&c, n, e))
			goto out;
		if (i > 0 && strcmp(h->entries[i - 1].name, n->name) >= 0) {
			err_set(e, ERR_INPUT, "entry %s is out of order or there twice", n->name);
			goto out;
		}
		lists += n->kind == HEAD_LIST;
		h->entries_len++;
	}
	if (lists > LISTS_MAX) {
		err_set(e, ERR_FULL, "%zu lists, above %d", lists, LISTS_MAX);
		goto out;
	}
	if (cbor_end(&c, e))
		return true;
out:
	head_clear(h);
	return err_wrap(e, "head");
}

bool head_sign(const struct head *h, const uint8_t scalar[SCALAR_LEN], const uint8_t point[POINT_LEN],
	       const struct random *r, struct buf *out, struct err *e)
{
	struct buf payload;
	buf_init(&payload, COSE_MAX);
	bool ok = head_encode(h, &payload, e) && cose_sign(scalar, point, r, CONTEXT, buf_bytes(&payload), out, e);
	buf_clear(&payload);
	return ok;
}

bool head_open(struct bytes message, const uint8_t point[POINT_LEN], struct head *h, struct err *e)
{
	struct cose c;
	*h = (struct head){ 0 };
	if (!cose_parse(message, &c, e) || !cose_verify(&c, point, CONTEXT, e))
		return err_wrap(e, "head");
	return head_decode(c.payload, h, e);
}

void list_index_clear(struct list_index *x)
{
	free(x->edges);
	*x = (struct list_index){ 0 };
}

bool list_index_encode(const struct list_index *x, struct buf *out, struct err *e)
{
	cbor_put_map(out, 4);
	cbor_put_uint(out, 1);
	cbor_put_text(out, x->name);
	cbor_put_uint(out, 2);
	cbor_put_uint(out, x->version);
	cbor_put_uint(out, 3);
	cbor_put_uint(out, x->epoch);
	cbor_put_uint(out, 4);
	cbor_put_array(out, x->edges_len);
	for (size_t i = 0; i < x->edges_len; i++) {
		const struct index_edge *edge = &x->edges[i];
		cbor_put_array(out, 5);
		cbor_put_uint(out, edge->from);
		cbor_put_uint(out, edge->to);
		object_ref_put(out, &edge->object);
		cbor_put_uint(out, edge->count_to);
		cbor_put_bytes(out, (struct bytes){ edge->fingerprint_to, FINGERPRINT_BYTES });
	}
	return buf_ok(out, "list index", e);
}

static bool edge_decode(struct cbor *c, uint64_t version, struct index_edge *edge, struct err *e)
{
	if (!cbor_expect_array(c, 5, e) || !cbor_get_uint(c, &edge->from, e) ||
	    !cbor_get_uint_max(c, version, &edge->to, e) || !object_ref_get(c, &edge->object, e) ||
	    !cbor_get_uint_max(c, LIST_ENTRIES_MAX, &edge->count_to, e) ||
	    !cbor_get_bytes_exact(c, edge->fingerprint_to, FINGERPRINT_BYTES, e))
		return false;
	return (edge->from > 0 && edge->from < edge->to) ||
	       err_set(e, ERR_INPUT, "a delta from version %" PRIu64 " to %" PRIu64, edge->from, edge->to);
}

static bool edge_ascends(const struct index_edge *a, const struct index_edge *b)
{
	return a->from < b->from || (a->from == b->from && a->to < b->to);
}

bool list_index_decode(struct bytes data, struct list_index *x, struct err *e)
{
	struct cbor c = cbor_over(data);
	size_t len = 0;
	uint64_t epoch = 0;
	*x = (struct list_index){ 0 };
	if (!cbor_expect_map(&c, 4, e) || !cbor_expect_key(&c, 1, e) || !name_get(&c, x->name, e) ||
	    !cbor_key_uint(&c, 2, COUNTER_MAX, &x->version, e) || !cbor_key_uint(&c, 3, UINT32_MAX, &epoch, e) ||
	    !cbor_key_array(&c, 4, INDEX_EDGES_MAX, &len, e))
		return err_wrap(e, "list index");
	x->epoch = (uint32_t)epoch;
	x->edges = calloc(len > 0 ? len : 1, sizeof(*x->edges));
	if (x->edges == NULL)
		abort();
	for (; x->edges_len < len; x->edges_len++) {
		struct index_edge *edge = &x->edges[x->edges_len];
		if (!edge_decode(&c, x->version, edge, e))
			goto out;
		if (x->edges_len > 0 && !edge_ascends(edge - 1, edge)) {
			err_set(e, ERR_INPUT, "deltas out of order or there twice");
			goto out;
		}
	}
	if (cbor_end(&c, e))
		return true;
out:
	list_index_clear(x);
	return err_wrap(e, "list index");
}
