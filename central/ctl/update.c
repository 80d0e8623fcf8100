/* centralctl: update. The image goes to centrald in pieces, so that neither side holds it in memory. */
#include "central/ctl/ctl.h"
#include "central/release/updates.h"
#include "protocol/base/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool piece_send(struct ctl *c, const char *arch, int64_t offset, struct bytes piece, struct err *e)
{
	char path[120];
	struct buf out;
	snprintf(path, sizeof(path), "/v1/updates/%.40s/upload?offset=%lld", arch, (long long)offset);
	buf_init(&out, 65536);
	bool ok = ctl_fetch(c, "POST", path, piece, &out, e);
	buf_clear(&out);
	return ok;
}

static bool pieces_send(struct ctl *c, const char *arch, int fd, const char *name, struct err *e)
{
	uint8_t *piece = malloc(UPDATE_PIECE_MAX);
	int64_t offset = 0;
	ssize_t n = 0;
	if (piece == NULL)
		abort();
	bool ok = true;
	while (ok && (n = read(fd, piece, UPDATE_PIECE_MAX)) > 0) {
		ok = piece_send(c, arch, offset, (struct bytes){ piece, (size_t)n }, e);
		offset += n;
	}
	if (ok && n < 0)
		ok = err_set(e, ERR_IO, "%.150s: %s", name, strerror(errno));
	else if (ok && offset == 0)
		ok = err_set(e, ERR_INPUT, "%.150s is empty", name);
	free(piece);
	return ok;
}

static bool draft_make(struct ctl *c, const char *arch, const char *version, struct err *e)
{
	static const char *const options[][2] = { { "title-zh", "title_zh" },
						  { "title-en", "title_en" },
						  { "notes-zh", "notes_zh" },
						  { "notes-en", "notes_en" } };
	const char *slash = strrchr(c->argv[0], '/');
	bool printed = false;
	struct buf path;
	buf_init(&path, 14000);
	buf_add_fmt(&path, "/v1/updates/%.40s/import", arch);
	http_query_add(&path, "version", version);
	http_query_add(&path, "source", slash != NULL ? slash + 1 : c->argv[0]);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ctl_option(c, options[i][0]) != NULL)
			http_query_add(&path, options[i][1], ctl_option(c, options[i][0]));
	struct json *r = buf_ok(&path, "the arguments", e)
				 ? ctl_call(c, "POST", buf_str(&path), (struct bytes){ NULL, 0 }, &printed, e)
				 : NULL;
	buf_clear(&path);
	if (r == NULL)
		return false;
	if (!printed)
		printf("已导入为草稿 / imported as a draft\n  发布单 %lld · %s · 镜像版本 / image version %s\n",
		       (long long)ctl_int(r, "id"), ctl_text(r, "name"), version);
	json_free(r);
	return true;
}

static bool update_import(struct ctl *c, struct err *e)
{
	const char *arch = ctl_option(c, "arch"), *version = ctl_option(c, "version");
	if (arch == NULL || version == NULL)
		return err_set(e, ERR_INPUT,
			       "请给出 --version 与 --arch / say --version N and --arch arm64 or amd64");
	int fd = open(c->argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_MISSING, "%.150s: %s", c->argv[0], strerror(errno));
	bool ok = pieces_send(c, arch, fd, c->argv[0], e);
	close(fd);
	return ok && draft_make(c, arch, version, e);
}

const struct ctl_command ctl_update_commands[] = {
	{ "update", "import", 1,
	  "FILE.squashfs --version N --arch arm64|amd64 [--title-zh T --title-en T] [--notes-zh T --notes-en T]",
	  "version arch title-zh title-en notes-zh notes-en", update_import },
	{ 0 },
};
