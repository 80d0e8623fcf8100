#include "tests/support/spec.h"
#include "protocol/base/file.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define FENCE "```"

void spec_open(struct spec *s, const char *path)
{
	struct err e = { 0 };
	buf_init(&s->text, 1 << 20);
	CU_ASSERT_TRUE_FATAL(file_read(path, &s->text, &e));
}

void spec_close(struct spec *s)
{
	buf_clear(&s->text);
}

struct bytes spec_text(struct spec *s, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = strstr(buf_str(&s->text), FENCE); at != NULL; at = strstr(at + 1, FENCE)) {
		at += strlen(FENCE);
		if (strncmp(at, name, len) != 0 || at[len] != '\n')
			continue;
		const char *from = at + len + 1, *end = strstr(from - 1, "\n" FENCE);
		if (end != NULL && end >= from)
			return (struct bytes){ (const uint8_t *)from, (size_t)(end - from) };
	}
	return (struct bytes){ NULL, 0 };
}

void spec_read(struct spec *s, const char *name, struct buf *out)
{
	struct bytes block = spec_text(s, name);
	size_t digits = 0;
	buf_init(out, 65536);
	for (size_t i = 0; i < block.len; i++) {
		if (block.data[i] == ' ' || block.data[i] == '\n')
			continue;
		if (strchr("0123456789abcdef", block.data[i]) == NULL)
			return;
		digits++;
	}
	if (digits % 2 == 0)
		hex_read(block, out);
}

void spec_show(const char *name, struct bytes want)
{
	printf("\n[%s]\n", name);
	for (size_t i = 0; i < want.len; i++)
		printf("%02x%s", want.data[i], i % 32 == 31 || i + 1 == want.len ? "\n" : "");
}

void spec_check(struct spec *s, const struct spec_block *blocks, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct buf want, got;
		if (blocks[i].make == NULL)
			continue;
		buf_init(&want, 65536);
		blocks[i].make(&want);
		spec_read(s, blocks[i].name, &got);
		if (!bytes_equal(buf_bytes(&want), buf_bytes(&got))) {
			spec_show(blocks[i].name, buf_bytes(&want));
			CU_FAIL("the spec shows other bytes");
		}
		buf_clear(&want);
		buf_clear(&got);
	}
}

static bool is_known(const char *name, size_t len, const struct spec_block *blocks, size_t blocks_len)
{
	for (size_t i = 0; i < blocks_len; i++)
		if (strlen(blocks[i].name) == len && strncmp(blocks[i].name, name, len) == 0)
			return true;
	return false;
}

void spec_check_complete(struct spec *s, const struct spec_block *blocks, size_t len)
{
	size_t found = 0;
	for (const char *at = strstr(buf_str(&s->text), FENCE); at != NULL; at = strstr(at, FENCE)) {
		at += strlen(FENCE);
		size_t name = strcspn(at, "\n");
		if (name == 0) /* the end of one */
			continue;
		CU_ASSERT_TRUE(is_known(at, name, blocks, len));
		found++;
	}
	CU_ASSERT_EQUAL(found, len);
}
