#include "central/sync/inner.h"

#include <string.h>

bool sync_question_open(const struct central_sync *s, const struct branch *b, const char *what, const struct query *q,
			struct buf *plain, struct err *e)
{
	return sealed_get(s->config.seal_scalar, s->config.seal_point, what, b->name, q->body, plain, e);
}

bool sync_question_is(const struct query *q, const uint8_t id[16], struct err *e)
{
	return memcmp(id, q->id, sizeof(q->id)) == 0 ||
	       err_set(e, ERR_DENIED, "the question was sealed for another query");
}

bool sync_answer_seal(const struct central_sync *s, const struct branch *b, const char *what, const struct buf *plain,
		      struct buf *out, struct err *e)
{
	return sealed_put(b->seal_key, s->config.release->random, what, b->name, buf_bytes(plain), out, e);
}
