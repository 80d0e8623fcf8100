#include "firmware/lists_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Room for the deltas until a compaction: a fifth of the list, and enough for small ones. */
#define FILTER_SPARE 20000

bool list_memory_map(struct list_memory *m, size_t size, struct err *e)
{
	// cppcheck-suppress invalidFunctionArg ; anonymous memory has no file
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return err_set(e, ERR_FULL, "lists: no memory for %zu bytes: %s", size, strerror(errno));
	madvise(data, size, MADV_HUGEPAGE); /* where the kernel has none, small pages do */
	*m = (struct list_memory){ data, size };
	return true;
}

void list_memory_unmap(struct list_memory *m)
{
	if (m->size > 0)
		munmap(m->data, m->size);
	*m = (struct list_memory){ NULL, 0 };
}

static bool filter_map(struct list_memory *m, uint64_t capacity, struct filter *f, struct err *e)
{
	if (!list_memory_map(m, filter_size(capacity), e))
		return false;
	filter_init(f, m->data, capacity);
	return true;
}

struct list_view *list_view_new(void)
{
	struct list_view *v = calloc(1, sizeof(*v));
	if (v == NULL)
		abort();
	return v;
}

void list_view_free(struct list_view *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->files_len; i++)
		file_unmap(&v->files[i].map);
	list_memory_unmap(&v->filter_memory);
	list_memory_unmap(&v->changed_memory);
	free(v);
}

bool list_view_reserve(struct list_view *v, uint64_t count, struct err *e)
{
	if (count > LIST_ENTRIES_MAX)
		return err_set(e, ERR_FULL, "lists: %llu entries are more than a list may have",
			       (unsigned long long)count);
	uint64_t spare = count / 5 + FILTER_SPARE;
	return filter_map(&v->filter_memory, count + spare, &v->filter, e) &&
	       filter_map(&v->changed_memory, spare, &v->changed, e);
}

bool list_view_map(struct list_view *v, const char *path, const uint8_t hash[HASH_LEN], struct err *e)
{
	struct segment s;
	struct file_map map;
	if (v->files_len > LIST_LAYERS_MAX)
		return err_set(e, ERR_FULL, "lists: %d deltas already", LIST_LAYERS_MAX);
	if (!file_map(path, &map, e))
		return false;
	if (!segment_open(map.bytes, &s, e) ||
	    !(v->files_len == 0 ? layers_init(&v->layers, &s, e) : layers_push(&v->layers, &s, e))) {
		file_unmap(&map);
		return false;
	}
	struct list_file *file = &v->files[v->files_len++];
	memcpy(file->hash, hash, HASH_LEN);
	file->map = map;
	return true;
}

void list_view_unmap_last(struct list_view *v)
{
	v->layers.deltas_len--;
	file_unmap(&v->files[--v->files_len].map);
}

void list_view_fill(struct list_view *v, const struct segment *s)
{
	if (!filter_add_segment(&v->filter, s, NULL) || (s->head.delta && !filter_add_changes(&v->changed, s, NULL)))
		v->crowded = true;
}

void list_view_use_filters(struct list_view *v)
{
	v->layers.filter = v->crowded ? NULL : &v->filter;
	v->layers.changed = v->crowded ? NULL : &v->changed;
}

uint64_t list_view_size(const struct list_view *v)
{
	uint64_t size = 0;
	for (size_t i = 0; i < v->files_len; i++)
		size += v->files[i].map.bytes.len;
	return size;
}
