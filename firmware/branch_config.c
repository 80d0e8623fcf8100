#include "firmware/branch.h"
#include "protocol/base/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_KEYS   14 /* besides the scanners' */
#define UPDATE_KEYS   8  /* of those */
#define CACHE_MB_MAX  4096
#define ADDRESS_USAGE "expected ADDRESS:PORT, such as 127.0.0.1:8443"

bool branch_address(const char *text, char host[256], int *port, struct err *e)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	long number = colon != NULL ? strtol(colon + 1, &end, 10) : -1;
	if (colon == NULL || colon == text || end == colon + 1 || *end != '\0' || number < 0 || number > 65535)
		return err_set(e, ERR_INPUT, ADDRESS_USAGE);
	size_t len = (size_t)(colon - text);
	if (text[0] == '[' && colon[-1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len > 255)
		return err_set(e, ERR_INPUT, ADDRESS_USAGE);
	memcpy(host, text, len);
	host[len] = '\0';
	*port = (int)number;
	return true;
}

static bool dir_of(const char *path, char *dir, size_t size, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
	if (len >= size)
		return err_set(e, ERR_INPUT, "the directory's name is longer than %zu bytes", size - 1);
	memcpy(dir, slash == NULL ? "." : path, len);
	dir[len] = '\0';
	return true;
}

static bool one_of(const char *text, const char *plain, const char *other, bool *is_other)
{
	*is_other = strcmp(text, other) == 0;
	return *is_other || strcmp(text, plain) == 0;
}

/* Four keys for each scanner; names are the sections'. */
static void scanner_keys_name(struct scanner_config scanners[SCANNERS_MAX], char types[SCANNERS_MAX][16],
			      struct config_key *keys)
{
	for (size_t i = 0; i < SCANNERS_MAX; i++) {
		struct scanner_config *s = &scanners[i];
		snprintf(s->name, sizeof(s->name), "scanner-%zu", i + 1);
		snprintf(types[i], sizeof(types[i]), "serial");
		const struct config_key all[] = {
			{ s->name, "device", CONFIG_TEXT, s->device, sizeof(s->device), 0, 0, false },
			{ s->name, "type", CONFIG_TEXT, types[i], sizeof(types[i]), 0, 0, false },
			{ s->name, "terminal", CONFIG_TEXT, s->terminal, sizeof(s->terminal), 0, 0, false },
			{ s->name, "business", CONFIG_TEXT, s->business, sizeof(s->business), 0, 0, false },
		};
		memcpy(keys + 4 * i, all, sizeof(all));
	}
}

static bool scanner_check(struct scanner_config *s, const char *type, struct err *e)
{
	s->keyboard = strcmp(type, "keyboard") == 0;
	if (s->device[0] == '\0')
		return (s->terminal[0] == '\0' && s->business[0] == '\0') ||
		       err_set(e, ERR_INPUT, "device: say which, such as /dev/ttyACM0");
	if (!s->keyboard && strcmp(type, "serial") != 0)
		return err_set(e, ERR_INPUT, "type must be serial or keyboard");
	if (s->device[0] != '/')
		return err_set(e, ERR_INPUT, "device must be a path, such as /dev/ttyACM0");
	if (!name_is_valid(s->terminal))
		return err_set(e, ERR_INPUT, "terminal: say whose scanner it is, such as kiosk-1");
	return s->business[0] == '\0' || name_is_valid(s->business) ||
	       err_set(e, ERR_INPUT, "business: it is no name");
}

static bool board_take(const char *file, struct branch_config *c, struct err *e)
{
	c->has_board = file[0] != '\0';
	if (c->board_terminal[0] != '\0' && (!c->has_board || !name_is_valid(c->board_terminal)))
		return err_set(e, ERR_INPUT, "terminal: expected a terminal's name, and file");
	return !c->has_board || board_config_load(file, &c->board, e);
}

/* As the initramfs and the image's build lay them out. */
static const struct updates_config update_usual = { .a = "/dev/disk/by-partlabel/xinbian-a",
						    .b = "/dev/disk/by-partlabel/xinbian-b",
						    .running = "/run/xinbian/slot",
						    .image = "/etc/xinbian-image",
						    .reboot = "/run/xinbian-branch/reboot",
						    .healthy_s = 60,
						    .tries = 3 };

static void update_keys_name(struct updates_config *u, struct config_key keys[UPDATE_KEYS])
{
	const struct config_key all[UPDATE_KEYS] = {
		{ "update", "boot", CONFIG_TEXT, u->boot, sizeof(u->boot), 0, 0, false },
		{ "update", "a", CONFIG_TEXT, u->a, sizeof(u->a), 0, 0, false },
		{ "update", "b", CONFIG_TEXT, u->b, sizeof(u->b), 0, 0, false },
		{ "update", "running", CONFIG_TEXT, u->running, sizeof(u->running), 0, 0, false },
		{ "update", "image", CONFIG_TEXT, u->image, sizeof(u->image), 0, 0, false },
		{ "update", "reboot", CONFIG_TEXT, u->reboot, sizeof(u->reboot), 0, 0, false },
		{ "update", "healthy_s", CONFIG_INT, &u->healthy_s, 0, 1, 86400, false },
		{ "update", "tries", CONFIG_INT, &u->tries, 0, 1, SLOTS_TRIES_MAX, false },
	};
	memcpy(keys, all, sizeof(all));
}

/* One that says anything of updates says where the boot record is. */
static bool update_check(const struct updates_config *u, struct err *e)
{
	const char *const paths[] = { u->a, u->b, u->running, u->image, u->reboot };
	if (u->boot[0] == '\0')
		return memcmp(u, &update_usual, sizeof(*u)) == 0 ||
		       err_set(e, ERR_INPUT,
			       "boot: say where the boot record is, such as "
			       "/dev/disk/by-partlabel/xinbian-boot");
	if (u->boot[0] != '/')
		return err_set(e, ERR_INPUT, "boot must be a whole path");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i][0] != '/')
			return err_set(e, ERR_INPUT, "a, b, running, image and reboot must be whole paths");
	return strcmp(u->a, u->b) != 0 || err_set(e, ERR_INPUT, "a and b are the same slot");
}

bool branch_config_load(const char *path, struct branch_config *c, struct err *e)
{
	char listen[256] = "127.0.0.1:8443", commit[16] = "turn", level[16] = "info", types[SCANNERS_MAX][16];
	char board[256] = "";
	int64_t cache_mb = CACHE_SIZE_DEFAULT / 1048576;
	struct config_key keys[CONFIG_KEYS + 4 * SCANNERS_MAX] = {
		{ .section = "branch", .name = "listen", .kind = CONFIG_TEXT, .out = listen, .size = sizeof(listen) },
		{ .section = "journal",
		  .name = "commit",
		  .kind = CONFIG_TEXT,
		  .out = commit,
		  .size = sizeof(commit) },
		{ .section = "log", .name = "level", .kind = CONFIG_TEXT, .out = level, .size = sizeof(level) },
		{ .section = "cache",
		  .name = "size_mb",
		  .kind = CONFIG_INT,
		  .out = &cache_mb,
		  .least = 0,
		  .most = CACHE_MB_MAX },
		{ .section = "board", .name = "file", .kind = CONFIG_TEXT, .out = board, .size = sizeof(board) },
		{ .section = "board",
		  .name = "terminal",
		  .kind = CONFIG_TEXT,
		  .out = c->board_terminal,
		  .size = sizeof(c->board_terminal) },
	};
	*c = (struct branch_config){ .listen_port = 0, .update = update_usual };
	update_keys_name(&c->update, keys + CONFIG_KEYS - UPDATE_KEYS);
	scanner_keys_name(c->scanners, types, keys + CONFIG_KEYS);
	if (!dir_of(path, c->dir, sizeof(c->dir), e) || !config_load(path, keys, sizeof(keys) / sizeof(keys[0]), e))
		return false;
	for (size_t i = 0; i < SCANNERS_MAX; i++)
		if (!scanner_check(&c->scanners[i], types[i], e))
			return err_wrap(e, "%.100s: [%s]", path, c->scanners[i].name);
	c->cache_size_max = cache_mb * 1048576;
	if (!board_take(board, c, e))
		return err_wrap(e, "%.100s: [board]", path);
	if (!update_check(&c->update, e))
		return err_wrap(e, "%.100s: [update]", path);
	if (!branch_address(listen, c->listen_host, &c->listen_port, e))
		return err_wrap(e, "%.100s: [branch] listen", path);
	if (!one_of(commit, "turn", "request", &c->commit_each))
		return err_set(e, ERR_INPUT, "%.100s: [journal] commit must be turn or request", path);
	return one_of(level, "info", "debug", &c->log_debug) ||
	       err_set(e, ERR_INPUT, "%.100s: [log] level must be info or debug", path);
}
