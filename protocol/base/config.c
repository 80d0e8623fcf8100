#include "protocol/base/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 64

struct reading {
	const char *path;
	FILE *file;
	int line; /* being read */
	const struct config_key *keys;
	size_t keys_len;
	bool seen[KEYS_MAX];
	struct err *e;
	bool failed;
};

static bool int_read(const struct config_key *k, const char *value)
{
	char *end = NULL;
	errno = 0;
	long long v = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || v < k->least || v > k->most)
		return false;
	*(int64_t *)k->out = v;
	return true;
}

static bool bool_read(const struct config_key *k, const char *value)
{
	static const char *const yes[] = { "yes", "true", "1", "on" }, *const no[] = { "no", "false", "0", "off" };
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)k->out = strcmp(value, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

static bool fail(struct reading *r, const char *section, const char *name, const char *what)
{
	r->failed = true;
	return err_set(r->e, ERR_INPUT, "%.100s:%d: [%.30s] %.30s %s", r->path, r->line, section, name, what);
}

static bool value_read(struct reading *r, const struct config_key *k, const char *value)
{
	char what[100];
	switch (k->kind) {
	case CONFIG_TEXT:
		if (strlen(value) >= k->size) {
			snprintf(what, sizeof(what), "is longer than %zu bytes", k->size - 1);
			return fail(r, k->section, k->name, what);
		}
		memcpy(k->out, value, strlen(value) + 1);
		return true;
	case CONFIG_INT:
		if (int_read(k, value))
			return true;
		snprintf(what, sizeof(what), "must be a whole number from %lld to %lld", (long long)k->least,
			 (long long)k->most);
		return fail(r, k->section, k->name, what);
	case CONFIG_BOOL: return bool_read(k, value) || fail(r, k->section, k->name, "must be yes or no");
	}
	return false;
}

static int one_line(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	if (r->failed)
		return 0;
	for (size_t i = 0; i < r->keys_len; i++) {
		if (strcmp(r->keys[i].section, section) != 0 || strcmp(r->keys[i].name, name) != 0)
			continue;
		if (r->seen[i])
			return fail(r, section, name, "is set twice: remove one");
		r->seen[i] = true;
		return value_read(r, &r->keys[i], value);
	}
	return fail(r, section, name, "is not known: remove it or correct its name");
}

/* inih does not tell the line a pair stands in, so it reads through here. */
static char *line_read(char *to, int size, void *arg)
{
	struct reading *r = arg;
	r->line++;
	return fgets(to, size, r->file);
}

bool config_load(const char *path, const struct config_key *keys, size_t keys_len, struct err *e)
{
	struct reading r = { .path = path, .keys = keys, .keys_len = keys_len, .e = e };
	if (keys_len > KEYS_MAX)
		abort();
	r.file = fopen(path, "re");
	if (r.file == NULL)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "%.100s cannot be read: %s", path,
			       strerror(errno));
	int line = ini_parse_stream(line_read, &r, one_line, &r);
	fclose(r.file);
	if (r.failed)
		return false;
	if (line != 0)
		return err_set(e, ERR_INPUT, "%.100s:%d: neither [section], name = value nor a comment (;)", path,
			       line);
	for (size_t i = 0; i < keys_len; i++) {
		if (keys[i].required && !r.seen[i])
			return err_set(e, ERR_INPUT, "%.100s: [%s] %s is missing: set it", path, keys[i].section,
				       keys[i].name);
	}
	return true;
}
