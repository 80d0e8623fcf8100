/* Lines of a GPIO chip through libgpiod (its v1 API, Debian 12's). */
#include "board/backend.h"

#include <errno.h>
#include <gpiod.h>
#include <stdlib.h>
#include <string.h>

#define CONSUMER   "xinbian"
#define EVENTS_MAX 16

struct lines {
	struct gpiod_chip *chip;
	struct gpiod_line *outs[BOARD_OUTS], *ins[BOARD_INS]; /* NULL: not used */
};

static bool fail(struct err *e, const char *name, const struct board_line *l, const char *what)
{
	return err_set(e, ERR_IO, "[%s] line %d: %s: %s", name, l->offset, what, strerror(errno));
}

static struct gpiod_line *line_get(struct gpiod_chip *chip, const struct board_line *l, const char *name,
				   struct err *e)
{
	if ((unsigned)l->offset >= gpiod_chip_num_lines(chip)) {
		(void)err_set(e, ERR_INPUT, "[%s] line %d: the chip has %u lines, from 0", name, l->offset,
			      gpiod_chip_num_lines(chip));
		return NULL;
	}
	struct gpiod_line *line = gpiod_chip_get_line(chip, (unsigned)l->offset);
	if (line == NULL)
		(void)fail(e, name, l, "get");
	return line;
}

static bool out_open(struct lines *s, enum board_out o, const struct board_line *l, struct err *e)
{
	int flags = l->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	struct gpiod_line *line = line_get(s->chip, l, board_out_name(o), e);
	if (line == NULL)
		return false;
	if (gpiod_line_request_output_flags(line, CONSUMER, flags, 0) != 0)
		return fail(e, board_out_name(o), l, "request");
	s->outs[o] = line;
	return true;
}

static bool in_open(struct lines *s, enum board_in i, const struct board_line *l, struct err *e)
{
	int flags = l->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	struct gpiod_line *line = line_get(s->chip, l, board_in_name(i), e);
	if (line == NULL)
		return false;
	if (gpiod_line_request_both_edges_events_flags(line, CONSUMER, flags) != 0)
		return fail(e, board_in_name(i), l, "request");
	s->ins[i] = line;
	return true;
}

static void lines_close(void *self)
{
	struct lines *s = self;
	if (s->chip != NULL)
		gpiod_chip_close(s->chip); /* its lines with it */
	free(s);
}

static void *lines_open(const struct board_config *c, struct err *e)
{
	struct lines *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	s->chip = gpiod_chip_open(c->chip);
	bool ok = s->chip != NULL || err_set(e, ERR_IO, "%s: %s", c->chip, strerror(errno));
	for (enum board_out o = 0; ok && o < BOARD_OUTS; o++)
		ok = !c->outs[o].used || out_open(s, o, &c->outs[o], e);
	for (enum board_in i = 0; ok && i < BOARD_INS; i++)
		ok = !c->ins[i].used || in_open(s, i, &c->ins[i], e);
	if (ok)
		return s;
	lines_close(s);
	return NULL;
}

static bool lines_set(void *self, enum board_out out, bool on, struct err *e)
{
	struct lines *s = self;
	return gpiod_line_set_value(s->outs[out], on) == 0 ||
	       err_set(e, ERR_IO, "[%s] set: %s", board_out_name(out), strerror(errno));
}

static bool lines_read(void *self, enum board_in in, bool *active, struct err *e)
{
	struct lines *s = self;
	int value = gpiod_line_get_value(s->ins[in]);
	*active = value > 0;
	return value >= 0 || err_set(e, ERR_IO, "[%s] read: %s", board_in_name(in), strerror(errno));
}

static int lines_fd(const void *self, enum board_in in)
{
	const struct lines *s = self;
	return gpiod_line_event_get_fd(s->ins[in]);
}

static bool lines_take(void *self, enum board_in in, struct err *e)
{
	struct lines *s = self;
	struct gpiod_line_event events[EVENTS_MAX];
	return gpiod_line_event_read_multiple(s->ins[in], events, EVENTS_MAX) >= 0 ||
	       err_set(e, ERR_IO, "[%s] event: %s", board_in_name(in), strerror(errno));
}

const struct board_backend board_gpiod = { lines_open, lines_close, lines_set, lines_read, lines_fd, lines_take };
