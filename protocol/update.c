#include "protocol/update.h"

#include "protocol/fields.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *en, *zh;
} states[] = {
	[UPDATE_NONE] = { "none", "无" },
	[UPDATE_CURRENT] = { "current", "已是最新" },
	[UPDATE_WAITING] = { "waiting", "等待" },
	[UPDATE_FETCHING] = { "fetching", "下载中" },
	[UPDATE_CHECKING] = { "checking", "校验中" },
	[UPDATE_REBOOT] = { "reboot", "待重启" },
	[UPDATE_TRIAL] = { "trial", "试运行" },
	[UPDATE_REFUSED] = { "refused", "不接受" },
};

const char *update_state_name(enum update_state s)
{
	return states[s].en;
}

const char *update_state_zh(enum update_state s)
{
	return states[s].zh;
}

bool update_arch_is_valid(const char *arch)
{
	return strcmp(arch, "arm64") == 0 || strcmp(arch, "amd64") == 0;
}

const char *update_arch_of(const char *name)
{
	size_t len = strlen(UPDATE_PREFIX);
	if (strncmp(name, UPDATE_PREFIX, len) != 0 || !update_arch_is_valid(name + len))
		return NULL;
	return name + len;
}

void update_clear(struct update *u)
{
	free(u->title_zh);
	free(u->title_en);
	free(u->notes_zh);
	free(u->notes_en);
	*u = (struct update){ 0 };
}

static bool number_read(struct bytes item, const char *what, uint64_t max, uint64_t *out, struct err *e)
{
	struct cbor c = cbor_over(item);
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", what);
	if (!cbor_get_uint_max(&c, max, out, e))
		return err_wrap(e, "%s", what);
	return *out > 0 || err_set(e, ERR_INPUT, "%s is 0", what);
}

static bool hash_read(struct bytes item, const char *what, uint8_t out[HASH_LEN], struct err *e)
{
	char hex[2 * HASH_LEN + 1];
	if (!field_text(item, what, hex, sizeof(hex), e))
		return false;
	return hex_decode(hex, out, HASH_LEN) || err_set(e, ERR_INPUT, "%s: expected 64 lower-case hex digits", what);
}

static bool object_read(struct bytes item, struct object_ref *ref, struct err *e)
{
	enum { SHA256, CHUNKS, SIZE, N };
	static const char *const keys[N] = { "sha256", "chunks_sha256", "size_bytes" };
	struct bytes v[N];
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "object is missing");
	return (fields_read(item, keys, N, v, e) && hash_read(v[SHA256], keys[SHA256], ref->hash, e) &&
		hash_read(v[CHUNKS], keys[CHUNKS], ref->chunks_hash, e) &&
		number_read(v[SIZE], keys[SIZE], OBJECT_MAX, &ref->size, e)) ||
	       err_wrap(e, "object");
}

static bool arch_read(struct bytes item, char arch[UPDATE_ARCH_MAX], struct err *e)
{
	if (!field_text(item, "arch", arch, UPDATE_ARCH_MAX, e))
		return false;
	return update_arch_is_valid(arch) || err_set(e, ERR_INPUT, "arch: '%s' is neither arm64 nor amd64", arch);
}

static bool fields_take(struct bytes document, struct update *u, struct err *e)
{
	enum { TYPE, ARCH, VERSION, OBJECT, TITLE, NOTES, N };
	static const char *const keys[N] = { "type", "arch", "version", "object", "title", "notes" };
	struct bytes v[N];
	return fields_read(document, keys, N, v, e) && field_type(v[TYPE], "update", e) &&
	       arch_read(v[ARCH], u->arch, e) &&
	       number_read(v[VERSION], keys[VERSION], COUNTER_MAX, &u->version, e) &&
	       object_read(v[OBJECT], &u->object, e) &&
	       field_zh_en(v[TITLE], keys[TITLE], &u->title_zh, &u->title_en, e) &&
	       (v[NOTES].data == NULL || field_zh_en(v[NOTES], keys[NOTES], &u->notes_zh, &u->notes_en, e));
}

bool update_parse(struct bytes document, struct update *u, struct err *e)
{
	*u = (struct update){ 0 };
	if (cbor_check(document, e) && fields_take(document, u, e))
		return true;
	update_clear(u);
	return err_wrap(e, "update");
}
