#include "board/board.h"

#include "protocol/base/config.h"

#include <stdio.h>
#include <string.h>

#define UNUSED   (-1)
#define LINES    (BOARD_OUTS + BOARD_INS)
#define KEYS_MAX (2 + 2 * LINES + BOARD_INS + 1)

static const char *const out_names[] = { "green", "amber", "red", "link", "buzzer", "heartbeat" };
static const char *const in_names[] = { "tamper", "confirm" };

const char *board_out_name(enum board_out o)
{
	return out_names[o];
}

const char *board_in_name(enum board_in i)
{
	return in_names[i];
}

/* What stands in the file of one line. */
struct entry {
	int64_t offset, debounce_ms;
	char active[8];
};

static const char *name_of(size_t line)
{
	return line < BOARD_OUTS ? out_names[line] : in_names[line - BOARD_OUTS];
}

static bool word_take(const char *word, const char *plain, const char *other, const char *section, const char *key,
		      bool *is_other, struct err *e)
{
	*is_other = strcmp(word, other) == 0;
	return *is_other || strcmp(word, plain) == 0 ||
	       err_set(e, ERR_INPUT, "[%s] %s must be %s or %s", section, key, plain, other);
}

static bool line_take(const struct entry *entries, size_t i, struct board_line *out, struct err *e)
{
	*out = (struct board_line){ .used = entries[i].offset != UNUSED,
				    .offset = (int)entries[i].offset,
				    .debounce_ms = (int)entries[i].debounce_ms };
	if (!word_take(entries[i].active, "high", "low", name_of(i), "active", &out->active_low, e))
		return false;
	for (size_t k = 0; out->used && k < i; k++)
		if (entries[k].offset == entries[i].offset)
			return err_set(e, ERR_INPUT, "[%s] line: %d is [%s]'s already", name_of(i), out->offset,
				       name_of(k));
	return true;
}

static size_t keys_name(struct entry entries[LINES], struct config_key *keys)
{
	size_t n = 0;
	for (size_t i = 0; i < LINES; i++) {
		struct entry *x = &entries[i];
		*x = (struct entry){ UNUSED, BOARD_DEBOUNCE_MS, "high" };
		keys[n++] = (struct config_key){ .section = name_of(i),
						 .name = "line",
						 .kind = CONFIG_INT,
						 .out = &x->offset,
						 .least = 0,
						 .most = BOARD_OFFSET_MAX };
		keys[n++] = (struct config_key){ .section = name_of(i),
						 .name = "active",
						 .kind = CONFIG_TEXT,
						 .out = x->active,
						 .size = sizeof(x->active) };
		if (i >= BOARD_OUTS)
			keys[n++] = (struct config_key){ .section = name_of(i),
							 .name = "debounce_ms",
							 .kind = CONFIG_INT,
							 .out = &x->debounce_ms,
							 .least = 0,
							 .most = 1000 };
	}
	return n;
}

static bool config_take(const struct entry entries[LINES], const char *backend, const char *fail,
			struct board_config *c, struct err *e)
{
	bool simulated = false;
	if (!word_take(backend, "gpiod", "simulated", "board", "backend", &simulated, e) ||
	    !word_take(fail, "closed", "open", "tamper", "fail", &c->tamper_open, e))
		return false;
	c->backend = simulated ? BOARD_SIMULATED : BOARD_GPIOD;
	for (size_t i = 0; i < LINES; i++)
		if (!line_take(entries, i, i < BOARD_OUTS ? &c->outs[i] : &c->ins[i - BOARD_OUTS], e))
			return false;
	return c->chip[0] == '/' || err_set(e, ERR_INPUT, "[board] chip must be a path, such as /dev/gpiochip0");
}

bool board_config_load(const char *path, struct board_config *c, struct err *e)
{
	struct config_key keys[KEYS_MAX];
	struct entry entries[LINES];
	char backend[16] = "gpiod", fail[16] = "closed";
	memset(c, 0, sizeof(*c));
	size_t n = keys_name(entries, keys);
	keys[n++] = (struct config_key){
		.section = "board", .name = "backend", .kind = CONFIG_TEXT, .out = backend, .size = sizeof(backend)
	};
	keys[n++] = (struct config_key){ .section = "board",
					 .name = "chip",
					 .kind = CONFIG_TEXT,
					 .out = c->chip,
					 .size = sizeof(c->chip),
					 .required = true };
	keys[n++] = (struct config_key){
		.section = "tamper", .name = "fail", .kind = CONFIG_TEXT, .out = fail, .size = sizeof(fail)
	};
	if (!config_load(path, keys, n, e))
		return false;
	return config_take(entries, backend, fail, c, e) || err_wrap(e, "%.100s", path);
}
