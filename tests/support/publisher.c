#include "tests/support/publisher.h"

#include "protocol/base/file.h"
#include "protocol/delta.h"
#include "protocol/fingerprint.h"
#include "protocol/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDGES_MAX 600 /* 300 editions */

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void *grown(void *p, size_t len, size_t size)
{
	void *q = reallocarray(p, len, size);
	if (q == NULL)
		abort();
	return q;
}

void publisher_init(struct publisher *p, const char *name, uint32_t epoch)
{
	*p = (struct publisher){ .epoch = epoch };
	snprintf(p->name, sizeof(p->name), "%s", name);
	memset(p->secret, (int)epoch, sizeof(p->secret));
	tag_key_init(&p->key, epoch, 1, p->secret);
}

void publisher_clear(struct publisher *p)
{
	for (size_t i = 0; i < p->editions_len; i++) {
		set_free(&p->editions[i].set);
		made_free(&p->editions[i].snapshot);
		list_index_clear(&p->editions[i].index);
	}
	for (size_t i = 0; i < p->objects_len; i++) {
		buf_clear(&p->objects[i].data);
		buf_clear(&p->objects[i].chunks);
	}
	free(p->editions);
	free(p->objects);
}

const struct published_object *publisher_object(const struct publisher *p, const uint8_t hash[HASH_LEN])
{
	for (size_t i = p->objects_len; i-- > 0;)
		if (memcmp(p->objects[i].ref.hash, hash, HASH_LEN) == 0)
			return &p->objects[i];
	return NULL;
}

const struct published_object *publisher_put(struct publisher *p, struct bytes data)
{
	p->objects = grown(p->objects, p->objects_len + 1, sizeof(p->objects[0]));
	struct published_object *o = &p->objects[p->objects_len++];
	buf_init(&o->data, OBJECT_MAX);
	buf_init(&o->chunks, OBJECT_MAX);
	must(buf_add(&o->data, data.data, data.len));
	object_refer(data, &o->ref, &o->chunks);
	return o;
}

static struct made snapshot_of(const struct publisher *p, const struct set *s, uint64_t version)
{
	struct segment_head head = { .epoch = p->epoch, .version = version, .entries = (uint32_t)s->len };
	struct buf out;
	memcpy(head.name, p->name, sizeof(head.name));
	buf_init(&out, OBJECT_MAX);
	must(segment_build(&head, s->entries, &out, NULL));
	struct made m = made_from(buf_bytes(&out));
	buf_clear(&out);
	return m;
}

static void add_edge(struct publisher *p, struct list_index *x, const struct edition *to, const struct edition *from)
{
	struct buf delta;
	buf_init(&delta, OBJECT_MAX);
	must(delta_build(&from->snapshot.segment, &to->snapshot.segment, &delta, NULL));
	must(x->edges_len < EDGES_MAX);
	struct index_edge *edge = &x->edges[x->edges_len++];
	*edge = (struct index_edge){ .from = from->entry.version,
				     .to = to->entry.version,
				     .object = publisher_put(p, buf_bytes(&delta))->ref,
				     .count_to = to->entry.count };
	memcpy(edge->fingerprint_to, to->entry.fingerprint, FINGERPRINT_BYTES);
	buf_clear(&delta);
}

static int by_edge(const void *a, const void *b)
{
	const struct index_edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* All older edges, and the new ones. */
static void make_index(struct publisher *p, struct edition *ed)
{
	struct buf out;
	uint64_t spans[LIST_DELTA_SPANS];
	uint64_t version = ed->entry.version;
	struct list_index x = { .version = version, .epoch = p->epoch };
	memcpy(x.name, p->name, sizeof(x.name));
	x.edges = grown(NULL, EDGES_MAX, sizeof(x.edges[0]));
	if (version > 1) {
		const struct list_index *old = &p->editions[version - 2].index;
		x.edges_len = old->edges_len;
		memcpy(x.edges, old->edges, old->edges_len * sizeof(x.edges[0]));
	}
	size_t n = plan_spans(version, spans);
	for (size_t i = 0; i < n; i++)
		if (spans[i] >= 1)
			add_edge(p, &x, ed, &p->editions[spans[i] - 1]);
	qsort(x.edges, x.edges_len, sizeof(x.edges[0]), by_edge);
	buf_init(&out, OBJECT_MAX);
	must(list_index_encode(&x, &out, NULL));
	ed->entry.index = publisher_put(p, buf_bytes(&out))->ref;
	buf_clear(&out);
	ed->index = x;
}

const struct head_entry *publisher_release(struct publisher *p, const struct set *content)
{
	struct fingerprint f = { { 0, 0 } };
	p->editions = grown(p->editions, p->editions_len + 1, sizeof(p->editions[0]));
	struct edition *ed = &p->editions[p->editions_len++];
	*ed = (struct edition){ .entry = { .kind = HEAD_LIST,
					   .version = p->editions_len,
					   .epoch = p->epoch,
					   .forced_version = p->forced_version,
					   .canary_hit = tag_canary(&p->key, p->name, 0),
					   .canary_miss = tag_canary(&p->key, p->name, 1) } };
	memcpy(ed->entry.name, p->name, sizeof(ed->entry.name));
	ed->set = set_copy(content);
	if (set_find(&ed->set, ed->entry.canary_hit) == UINT32_MAX) {
		ed->set.entries = grown(ed->set.entries, ed->set.len + 1, sizeof(struct entry));
		ed->set.entries[ed->set.len++] = (struct entry){ ed->entry.canary_hit, entry_value(0, ENTRY_NO_END) };
		entry_sort(ed->set.entries, ed->set.len);
	}
	ed->snapshot = snapshot_of(p, &ed->set, ed->entry.version);
	fingerprint_apply(&f, &ed->snapshot.segment);
	fingerprint_encode(&f, ed->entry.fingerprint);
	ed->entry.count = ed->set.len;
	ed->entry.object = publisher_put(p, ed->snapshot.segment.bytes)->ref;
	make_index(p, ed);
	return &ed->entry;
}

const struct head_entry *publisher_change(struct publisher *p, size_t n, uint64_t seed)
{
	struct set next = set_change(&p->editions[p->editions_len - 1].set, n, seed);
	/* The canary stays as it is. */
	for (size_t i = 0; i < next.len; i++)
		if (next.entries[i].tag == p->editions[0].entry.canary_hit)
			next.entries[i].value = entry_value(0, ENTRY_NO_END);
	const struct head_entry *entry = publisher_release(p, &next);
	set_free(&next);
	return entry;
}

const struct head_entry *publisher_entry(const struct publisher *p, uint64_t version)
{
	return &p->editions[version - 1].entry;
}

const struct index_edge *publisher_edge(const struct publisher *p, uint64_t version, uint64_t from, uint64_t to)
{
	const struct list_index *x = &p->editions[version - 1].index;
	for (size_t i = 0; i < x->edges_len; i++)
		if (x->edges[i].from == from && x->edges[i].to == to)
			return &x->edges[i];
	return NULL;
}

void publisher_write(const struct publisher *p, const uint8_t hash[HASH_LEN], const char *path)
{
	const struct published_object *o = publisher_object(p, hash);
	must(o != NULL && file_write(path, buf_bytes(&o->data), 0600, NULL));
}
