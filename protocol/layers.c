#include "protocol/layers.h"

#include <string.h>

bool layers_init(struct layers *l, const struct segment *base, struct err *e)
{
	if (base->head.delta)
		return err_set(e, ERR_INPUT, "layers: the base is a delta");
	l->filter = NULL;
	l->changed = NULL;
	l->base = *base;
	l->deltas_len = 0;
	return true;
}

uint64_t layers_version(const struct layers *l)
{
	return l->deltas_len == 0 ? l->base.head.version : l->deltas[l->deltas_len - 1].head.version;
}

uint64_t layers_count(const struct layers *l)
{
	uint64_t count = l->base.head.entries;
	for (size_t i = 0; i < l->deltas_len; i++) {
		const struct segment_head *head = &l->deltas[i].head;
		count += head->entries - head->removals;
		count -= head->removals < count ? head->removals : count;
	}
	return count;
}

static bool delta_belongs(const struct layers *l, const struct segment_head *head, struct err *e)
{
	if (!head->delta || strcmp(head->name, l->base.head.name) != 0)
		return err_set(e, ERR_CONFLICT, "layers: not a delta of list %s", l->base.head.name);
	if (head->epoch != l->base.head.epoch)
		return err_set(e, ERR_CONFLICT, "layers: delta of epoch %u, list has epoch %u", head->epoch,
			       l->base.head.epoch);
	if (head->from != layers_version(l))
		return err_set(e, ERR_CONFLICT, "layers: delta from version %llu, list has version %llu",
			       (unsigned long long)head->from, (unsigned long long)layers_version(l));
	return true;
}

bool layers_push(struct layers *l, const struct segment *delta, struct err *e)
{
	if (!delta_belongs(l, &delta->head, e))
		return false;
	if (l->deltas_len == LIST_LAYERS_MAX)
		return err_set(e, ERR_FULL, "layers: %d deltas already", LIST_LAYERS_MAX);
	l->deltas[l->deltas_len++] = *delta;
	return true;
}

bool layers_search(const struct layers *l, uint64_t tag, uint32_t *value)
{
	bool in_deltas = l->changed == NULL || filter_may_contain(l->changed, tag);
	for (size_t i = in_deltas ? l->deltas_len : 0; i-- > 0;)
		if (segment_find(&l->deltas[i], tag, value))
			return (*value & ENTRY_REMOVED) == 0;
	return segment_find(&l->base, tag, value);
}

/* Whether the delta's changes to one tag, an addition, a removal or both, fit what is there. */
static bool change_fits(const struct layers *l, uint64_t tag, bool removes, uint32_t removed)
{
	uint32_t value;
	if (!removes)
		return !layers_find(l, tag, &value);
	return layers_search(l, tag, &value) && value == (removed & ENTRY_VALUE_MAX);
}

bool layers_check_delta(const struct layers *l, const struct segment *delta, struct err *e)
{
	struct segment_cursor c;
	struct entry entry, next;
	segment_cursor_init(&c, delta);
	bool more = delta_belongs(l, &delta->head, e);
	if (!more)
		return false;
	more = segment_cursor_next(&c, &entry);
	while (more) {
		more = segment_cursor_next(&c, &next);
		if (more && next.tag == entry.tag) { /* the old value behind the new one */
			entry = next;
			more = segment_cursor_next(&c, &next);
		}
		if (!change_fits(l, entry.tag, entry_is_removal(entry), entry.value))
			return err_set(e, ERR_CONFLICT, "layers: delta to version %llu was made from another set",
				       (unsigned long long)delta->head.version);
		entry = next;
	}
	return true;
}

void layers_fingerprint(const struct layers *l, struct fingerprint *f)
{
	*f = (struct fingerprint){ { 0, 0 } };
	fingerprint_apply(f, &l->base);
	for (size_t i = 0; i < l->deltas_len; i++)
		fingerprint_apply(f, &l->deltas[i]);
}

/* Merging */

static void merge_look(struct layers_merge *m)
{
	m->delta_more = false;
	for (size_t i = 1; i <= m->layers->deltas_len; i++) {
		if (!m->more[i] || (m->delta_more && m->heads[i].tag >= m->delta_tag))
			continue;
		m->delta_tag = m->heads[i].tag;
		m->delta_more = true;
	}
}

static void merge_step(struct layers_merge *m, size_t i)
{
	m->more[i] = segment_cursor_next(&m->cursors[i], &m->heads[i]);
}

void layers_merge_init(struct layers_merge *m, const struct layers *l)
{
	*m = (struct layers_merge){ .layers = l };
	for (size_t i = 0; i <= l->deltas_len; i++) {
		segment_cursor_init(&m->cursors[i], i == 0 ? &l->base : &l->deltas[i - 1]);
		merge_step(m, i);
	}
	merge_look(m);
}

/* Takes the lowest tag of the deltas from every layer that has it; the newest decides. Returns whether it is in the set. */
static bool merge_delta_tag(struct layers_merge *m, struct entry *out)
{
	uint64_t tag = m->delta_tag;
	bool decided = false;
	for (size_t i = m->layers->deltas_len + 1; i-- > 0;) {
		if (!m->more[i] || m->heads[i].tag != tag)
			continue;
		if (!decided)
			*out = m->heads[i];
		decided = true;
		while (m->more[i] && m->heads[i].tag == tag)
			merge_step(m, i);
	}
	merge_look(m);
	return !entry_is_removal(*out);
}

bool layers_merge_next(struct layers_merge *m, struct entry *out, size_t max, size_t *got)
{
	size_t len = 0;
	for (size_t work = 0; work < max && (m->more[0] || m->delta_more); work++) {
		if (!m->delta_more || (m->more[0] && m->heads[0].tag < m->delta_tag)) {
			out[len++] = m->heads[0];
			merge_step(m, 0);
		} else {
			len += merge_delta_tag(m, &out[len]);
		}
	}
	*got = len;
	return len > 0 || m->more[0] || m->delta_more;
}
