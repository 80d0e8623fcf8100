/* What is read and written again is read as the same. */
#include "protocol/base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct json_out *w, const char *key, const struct json *j)
{
	const char *member = NULL;
	switch (json_kind(j)) {
	case JSON_KIND_NULL: json_put_null(w, key); break;
	case JSON_KIND_BOOL: json_put_bool(w, key, json_bool_value(j)); break;
	case JSON_KIND_INT: json_put_int(w, key, json_int_value(j)); break;
	case JSON_KIND_REAL: json_put_real(w, key, json_double_value(j)); break;
	case JSON_KIND_TEXT: json_put_text_n(w, key, json_text_value(j)); break;
	case JSON_KIND_ARRAY:
		json_open(w, key, '[');
		for (size_t i = 0; i < json_len(j); i++)
			put(w, NULL, json_at(j, i));
		json_close(w, ']');
		break;
	case JSON_KIND_OBJECT:
		json_open(w, key, '{');
		for (size_t i = 0; i < json_len(j); i++) {
			const struct json *v = json_member(j, i, &member);
			put(w, member, v);
		}
		json_close(w, '}');
		break;
	}
}

static void written(const struct json *j, struct buf *out)
{
	struct json_out w = { .out = out };
	buf_init(out, 1 << 24);
	put(&w, NULL, j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first, second;
	struct json *j = json_parse((struct bytes){ data, size }, NULL), *again;
	if (j == NULL)
		return 0;
	written(j, &first);
	again = json_parse(buf_bytes(&first), NULL);
	if (again == NULL)
		abort();
	written(again, &second);
	if (!bytes_equal(buf_bytes(&first), buf_bytes(&second)))
		abort();
	buf_clear(&first);
	buf_clear(&second);
	json_free(j);
	json_free(again);
	return 0;
}
