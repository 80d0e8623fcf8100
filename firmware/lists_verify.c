/* At opening: each file still has the hash it is named by. What was bent while the power was off must not
 * answer checks. */
#include "firmware/lists_state.h"

#include <string.h>

#define DAY_MS        86400000
#define AT_ONCE_BYTES 4194304U /* some 20 ms; larger lists answer while a child reads them */

static bool view_is_whole(const struct list_view *v)
{
	uint8_t hash[HASH_LEN];
	for (size_t i = 0; i < v->files_len; i++) {
		sha256(v->files[i].map.bytes, hash);
		if (memcmp(hash, v->files[i].hash, HASH_LEN) != 0)
			return false;
	}
	return true;
}

static void verify_work(struct lists *l, struct lists_result *r)
{
	for (size_t i = 0; i < l->verify_len; i++)
		if (!view_is_whole(l->verify[i]->view))
			r->damaged |= UINT64_C(1) << i;
}

static void verify_done(struct lists *l, const struct lists_result *r)
{
	if (r->err.code != ERR_NONE)
		l->counters.faults++;
	for (size_t i = 0; i < l->verify_len; i++)
		if ((r->damaged >> i & 1) != 0 && l->verify[i]->view != NULL)
			lists_damage(l, l->verify[i], "a file is damaged");
	l->verify_len = 0;
	lists_idle_soon(l, 0);
}

void lists_verify_all(struct lists *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->items[i]->view != NULL)
			l->verify[l->verify_len++] = l->items[i];
	l->verify_ms = loop_now_ms() + DAY_MS;
	if (l->verify_len > 0)
		lists_job_start(l, verify_work, verify_done);
}

void lists_verify(struct lists *l)
{
	l->verify_ms = loop_now_ms() + DAY_MS;
	for (size_t i = 0; i < l->len; i++) {
		struct list *list = l->items[i];
		if (list->view == NULL)
			continue;
		if (list_view_size(list->view) > AT_ONCE_BYTES)
			l->verify[l->verify_len++] = list;
		else if (!view_is_whole(list->view))
			lists_damage(l, list, "a file is damaged");
	}
	if (l->verify_len > 0)
		lists_job_start(l, verify_work, verify_done);
	else
		lists_idle_soon(l, 0);
}
