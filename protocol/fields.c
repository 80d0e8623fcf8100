#include "protocol/fields.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t field_index(const char *const *keys, size_t n, struct bytes key)
{
	size_t i = 0;
	while (i < n && !bytes_equal(key, bytes_of(keys[i])))
		i++;
	return i;
}

bool fields_read(struct bytes map, const char *const *keys, size_t n, struct bytes *values, struct err *e)
{
	struct cbor c = cbor_over(map);
	size_t pairs;
	assert(n <= FIELDS_MAX);
	for (size_t i = 0; i < n; i++)
		values[i] = (struct bytes){ NULL, 0 };
	if (!cbor_get_map(&c, SIZE_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		struct bytes key, item;
		if (!cbor_get_text(&c, &key, e) || !cbor_get_item(&c, &item, e))
			return false;
		size_t i = field_index(keys, n, key);
		if (i == n)
			return err_set(e, ERR_INPUT, "unknown field '%.*s'", key.len < 64 ? (int)key.len : 64,
				       (const char *)key.data);
		values[i] = item;
	}
	return cbor_end(&c, e);
}

bool field_text(struct bytes item, const char *what, char *out, size_t size, struct err *e)
{
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	struct cbor c = cbor_over(item);
	return cbor_get_string(&c, out, size, e) || err_wrap(e, "%s", what);
}

bool field_bool(struct bytes item, const char *what, bool *out, struct err *e)
{
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	struct cbor c = cbor_over(item);
	return cbor_get_bool(&c, out, e) || err_wrap(e, "%s", what);
}

bool field_type(struct bytes item, const char *type, struct err *e)
{
	char found[32];
	if (!field_text(item, "type", found, sizeof(found), e))
		return false;
	return strcmp(found, type) == 0 ||
	       err_set(e, ERR_INPUT, "a document of type '%s', where '%s' was expected", found, type);
}

static bool field_copy(struct bytes item, const char *what, char **out, struct err *e)
{
	char text[FIELD_TEXT_MAX + 1] = "";
	if (!field_text(item, what, text, sizeof(text), e))
		return false;
	if (text[0] == '\0')
		return err_set(e, ERR_INPUT, "%s is empty", what);
	*out = strdup(text);
	if (*out == NULL)
		abort();
	return true;
}

bool field_zh_en(struct bytes item, const char *what, char **zh, char **en, struct err *e)
{
	static const char *const keys[] = { "zh", "en" };
	struct bytes values[2];
	char *first = NULL;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	if (!fields_read(item, keys, 2, values, e))
		return err_wrap(e, "%s", what);
	if (!field_copy(values[0], "zh", &first, e))
		return err_wrap(e, "%s", what);
	if (!field_copy(values[1], "en", en, e)) {
		free(first);
		return err_wrap(e, "%s", what);
	}
	*zh = first;
	return true;
}
