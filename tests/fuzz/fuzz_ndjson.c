/* One line of NDJSON: what we take jansson takes too, with the same texts, but for numbers that it has no room for. */
#include "central/ingest/ndjson.h"
#include "protocol/base/json.h"
#include "protocol/base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_large(const struct ndjson_member *m)
{
	return m->value.len > 15 || (m->value.len > 0 && memchr(m->value.data, 'e', m->value.len) != NULL) ||
	       (m->value.len > 0 && memchr(m->value.data, 'E', m->value.len) != NULL);
}

static void compare(const struct json *j, const struct ndjson_member *members, size_t len)
{
	if (json_len(j) != len)
		abort();
	for (size_t i = 0; i < len; i++) {
		char *key = strndup((const char *)members[i].key.data, members[i].key.len);
		const struct json *v = key != NULL ? json_get(j, key) : NULL;
		free(key);
		if (v == NULL || (json_kind(v) == JSON_KIND_NULL) != (members[i].value.data == NULL) ||
		    (json_kind(v) == JSON_KIND_TEXT && !bytes_equal(json_text_value(v), members[i].value)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ndjson_member members[NDJSON_MEMBERS_MAX];
	struct buf scratch;
	struct bytes line = { data, size };
	size_t len = 0;
	bool large = false;
	if (!utf8_is_valid(line) || memchr(data, '\n', size) != NULL)
		return 0;
	buf_init(&scratch, 1U << 20);
	if (ndjson_parse(line, &scratch, members, &len)) {
		for (size_t i = 0; i < len; i++)
			large = large || is_large(&members[i]);
		struct json *j = json_parse(line, NULL);
		if (j == NULL && !large)
			abort();
		if (j != NULL)
			compare(j, members, len);
		json_free(j);
	}
	buf_clear(&scratch);
	return 0;
}
