/*
 * A change of one tag is a pair of states, each absent or a value: what it was and what it becomes. Both ways of making a
 * delta are a walk over two sorted sources that yields such changes; they are walked twice, to count and then to write.
 */
#include "protocol/delta.h"
#include "protocol/segment_write.h"

#include <string.h>

#define ABSENT UINT32_MAX

struct change {
	uint64_t tag;
	uint32_t old; /* value or ABSENT */
	uint32_t new;
};

/* A segment read in order, one entry ahead. */
struct source {
	struct segment_cursor cursor;
	struct entry head;
	bool more;
};

static void source_init(struct source *s, const struct segment *segment)
{
	segment_cursor_init(&s->cursor, segment);
	s->more = segment_cursor_next(&s->cursor, &s->head);
}

static struct entry source_take(struct source *s)
{
	struct entry entry = s->head;
	s->more = segment_cursor_next(&s->cursor, &s->head);
	return entry;
}

/* The change a delta makes to a tag; none there: old and new are ABSENT. */
static struct change source_change(struct source *s, uint64_t tag)
{
	struct change change = { tag, ABSENT, ABSENT };
	while (s->more && s->head.tag == tag) {
		struct entry entry = source_take(s);
		if (entry_is_removal(entry))
			change.old = entry.value & ENTRY_VALUE_MAX;
		else
			change.new = entry.value;
	}
	return change;
}

struct walk {
	struct source a;
	struct source b;
	bool merging;  /* a and b are deltas in a row, else the old and the new snapshot */
	bool conflict; /* the second delta does not start from what the first left */
};

static void walk_init(struct walk *w, const struct segment *a, const struct segment *b)
{
	source_init(&w->a, a);
	source_init(&w->b, b);
	w->merging = a->head.delta;
	w->conflict = false;
}

static struct change walk_merge(struct walk *w, uint64_t tag)
{
	bool in_a = w->a.more && w->a.head.tag == tag, in_b = w->b.more && w->b.head.tag == tag;
	struct change first = source_change(&w->a, tag), second = source_change(&w->b, tag);
	if (in_a && in_b && first.new != second.old)
		w->conflict = true;
	return (struct change){ tag, in_a ? first.old : second.old, in_b ? second.new : first.new };
}

static struct change walk_compare(struct walk *w, uint64_t tag)
{
	struct change change = { tag, ABSENT, ABSENT };
	if (w->a.more && w->a.head.tag == tag)
		change.old = source_take(&w->a).value;
	if (w->b.more && w->b.head.tag == tag)
		change.new = source_take(&w->b).value;
	return change;
}

/* The next tag that really changes; false at the end. */
static bool walk_next(struct walk *w, struct change *out)
{
	while (w->a.more || w->b.more) {
		bool a_first = w->a.more && (!w->b.more || w->a.head.tag < w->b.head.tag);
		uint64_t tag = a_first ? w->a.head.tag : w->b.head.tag;
		*out = w->merging ? walk_merge(w, tag) : walk_compare(w, tag);
		if (out->old != out->new)
			return true;
	}
	return false;
}

static bool count_changes(const struct segment *a, const struct segment *b, uint32_t *entries, struct err *e)
{
	struct walk w;
	struct change change;
	uint64_t count = 0;
	walk_init(&w, a, b);
	while (walk_next(&w, &change))
		count += (change.old != ABSENT ? 1U : 0U) + (change.new != ABSENT ? 1U : 0U);
	if (w.conflict)
		return err_set(e, ERR_CONFLICT, "delta: the second step does not start from what the first leaves");
	if (count > LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "delta: %llu entries, at most %u allowed", (unsigned long long)count,
			       LIST_ENTRIES_MAX);
	*entries = (uint32_t)count;
	return true;
}

static bool change_write(struct segment_writer *w, struct change change, struct err *e)
{
	struct entry added = { change.tag, change.new }, removed = { change.tag, change.old | ENTRY_REMOVED };
	if (change.new != ABSENT && !segment_writer_add(w, added, e))
		return false;
	return change.old == ABSENT || segment_writer_add(w, removed, e);
}

static bool write_changes(const struct segment *a, const struct segment *b, const struct segment_head *head,
			  uint8_t *memory, struct err *e)
{
	struct segment_writer writer;
	struct walk w;
	struct change change;
	if (!segment_writer_init(&writer, head, memory, e))
		return false;
	walk_init(&w, a, b);
	while (walk_next(&w, &change))
		if (!change_write(&writer, change, e))
			return false;
	return segment_writer_finish(&writer, e);
}

static bool make(const struct segment *a, const struct segment *b, uint64_t from, struct buf *out, struct err *e)
{
	struct segment_head head = b->head;
	head.delta = true;
	head.from = from;
	if (strcmp(a->head.name, b->head.name) != 0 || a->head.epoch != b->head.epoch || from >= head.version)
		return err_set(e, ERR_CONFLICT,
			       "delta: from list %s epoch %u version %llu to %s epoch %u version %llu", a->head.name,
			       a->head.epoch, (unsigned long long)from, head.name, head.epoch,
			       (unsigned long long)head.version);
	if (!count_changes(a, b, &head.entries, e))
		return false;
	size_t start = out->len;
	uint8_t *memory = buf_grow(out, segment_layout(head.entries, true).size);
	if (memory == NULL)
		return buf_ok(out, "delta", e);
	if (write_changes(a, b, &head, memory, e))
		return true;
	out->len = start;
	return false;
}

bool delta_build(const struct segment *old, const struct segment *new, struct buf *out, struct err *e)
{
	if (old->head.delta || new->head.delta)
		return err_set(e, ERR_CONFLICT, "delta: is built from two snapshots");
	return make(old, new, old->head.version, out, e);
}

bool delta_merge(const struct segment *a, const struct segment *b, struct buf *out, struct err *e)
{
	if (!a->head.delta || !b->head.delta || a->head.version != b->head.from)
		return err_set(e, ERR_CONFLICT, "delta: these are not two deltas in a row");
	return make(a, b, a->head.from, out, e);
}
