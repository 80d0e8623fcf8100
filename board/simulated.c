/*
 * A board of files, in the directory that is its chip: DIR/lamps has a line "NAME 0|1" for each output that is used, written anew
 * when one changes; DIR/inputs is a FIFO that takes lines "tamper 0|1", "confirm 0|1", and "chip 0|1": without its chip nothing can be
 * set or read. What was written last is kept in DIR/wires, so that an input stays as it is over a restart, as a switch does.
 */
#include "board/backend.h"

#include "protocol/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM (BOARD_CHIP_MAX + 16)

struct files {
	const struct board_config *config; /* lives as long as the board */
	int fifo;
	bool chip, on[BOARD_OUTS], active[BOARD_INS];
	char line[64]; /* that has not ended yet */
	size_t line_len;
};

static void line_take(struct files *f)
{
	size_t len = f->line_len;
	f->line_len = 0;
	if (len < 3 || f->line[len - 2] != ' ' || (f->line[len - 1] != '0' && f->line[len - 1] != '1'))
		return;
	bool value = f->line[len - 1] == '1';
	f->line[len - 2] = '\0';
	if (strcmp(f->line, "chip") == 0)
		f->chip = value;
	for (enum board_in i = 0; i < BOARD_INS; i++)
		if (strcmp(f->line, board_in_name(i)) == 0)
			f->active[i] = value;
}

static void text_take(struct files *f, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n')
			line_take(f);
		else if (f->line_len + 1 < sizeof(f->line))
			f->line[f->line_len++] = (char)text.data[i];
	}
}

static void path_of(const struct files *f, const char *name, char out[PATH_ROOM])
{
	snprintf(out, PATH_ROOM, "%s/%s", f->config->chip, name);
}

static bool wires_read(struct files *f, struct err *e)
{
	char path[PATH_ROOM];
	struct buf text;
	path_of(f, "wires", path);
	if (access(path, F_OK) != 0)
		return true;
	buf_init(&text, 512);
	bool ok = file_read(path, &text, e);
	text_take(f, buf_bytes(&text));
	buf_clear(&text);
	return ok;
}

static bool wires_write(const struct files *f, struct err *e)
{
	char path[PATH_ROOM];
	struct buf text;
	path_of(f, "wires", path);
	buf_init(&text, 512);
	buf_add_fmt(&text, "chip %d\n", f->chip);
	for (enum board_in i = 0; i < BOARD_INS; i++)
		buf_add_fmt(&text, "%s %d\n", board_in_name(i), f->active[i]);
	bool ok = file_write(path, buf_bytes(&text), 0600, e);
	buf_clear(&text);
	return ok;
}

static bool chip_check(const struct files *f, struct err *e)
{
	return f->chip || err_set(e, ERR_IO, "%s: %s", f->config->chip, strerror(ENODEV));
}

/* What has been written since, and whether there is still a chip. */
static bool fifo_take(struct files *f, struct err *e)
{
	uint8_t data[256];
	bool some = false;
	ssize_t n;
	while ((n = read(f->fifo, data, sizeof(data))) > 0) {
		text_take(f, (struct bytes){ data, (size_t)n });
		some = true;
	}
	return (!some || wires_write(f, e)) && chip_check(f, e);
}

static void files_close(void *self)
{
	free(self);
}

/* Stays open when the board is closed, until another directory's is wanted: what is written while there is no chip is not lost. */
static bool fifo_open(struct files *f, struct err *e)
{
	static struct {
		char path[PATH_ROOM];
		int fd;
	} kept = { "", -1 };
	char path[PATH_ROOM];
	path_of(f, "inputs", path);
	f->fifo = kept.fd;
	if (kept.fd >= 0 && strcmp(kept.path, path) == 0 && access(path, F_OK) == 0)
		return true;
	if (kept.fd >= 0)
		close(kept.fd);
	kept.fd = -1;
	if (mkfifo(path, 0600) == 0 || errno == EEXIST)
		f->fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC); /* for writing too: it never ends */
	else
		f->fifo = -1;
	if (f->fifo < 0)
		return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
	kept.fd = f->fifo;
	memcpy(kept.path, path, sizeof(path));
	return true;
}

static void *files_open(const struct board_config *c, struct err *e)
{
	struct files *f = calloc(1, sizeof(*f));
	if (f == NULL)
		abort();
	*f = (struct files){ .config = c, .fifo = -1, .chip = true };
	if (wires_read(f, e) && fifo_open(f, e) && fifo_take(f, e))
		return f;
	files_close(f);
	return NULL;
}

static bool files_set(void *self, enum board_out out, bool on, struct err *e)
{
	struct files *f = self;
	char path[PATH_ROOM];
	struct buf text;
	if (!fifo_take(f, e))
		return false;
	f->on[out] = on;
	buf_init(&text, 512);
	for (enum board_out o = 0; o < BOARD_OUTS; o++)
		if (f->config->outs[o].used)
			buf_add_fmt(&text, "%s %d\n", board_out_name(o), f->on[o]);
	path_of(f, "lamps", path);
	bool ok = file_write(path, buf_bytes(&text), 0600, e);
	buf_clear(&text);
	return ok;
}

static bool files_read(void *self, enum board_in in, bool *active, struct err *e)
{
	struct files *f = self;
	*active = f->active[in];
	return chip_check(f, e);
}

static int files_fd(const void *self, enum board_in in)
{
	(void)in;
	return ((const struct files *)self)->fifo;
}

static bool files_take(void *self, enum board_in in, struct err *e)
{
	(void)in;
	return fifo_take(self, e);
}

const struct board_backend board_simulated = { files_open, files_close, files_set, files_read, files_fd, files_take };
