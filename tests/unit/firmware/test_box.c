/* The lamps of a box, on a simulated board in real time. */
#include "firmware/box.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 5000

static struct {
	struct loop *loop;
	struct board_config config;
	struct box_state state;
	struct box *box;
	unsigned tampered;
} s;

static void state_get(void *arg, struct box_state *out)
{
	(void)arg;
	*out = s.state;
}

static void on_tampered(void *arg)
{
	(void)arg;
	s.tampered++;
	s.state.locked = true;
}

static void setup_box(void)
{
	const struct box_hooks hooks = { state_get, on_tampered, NULL };
	memset(&s, 0, sizeof(s));
	s.loop = loop_new();
	s.config.backend = BOARD_SIMULATED;
	snprintf(s.config.chip, sizeof(s.config.chip), "%s", test_dir());
	for (int o = 0; o < BOARD_OUTS; o++)
		s.config.outs[o] = (struct board_line){ .used = true, .offset = o };
	for (int i = 0; i < BOARD_INS; i++)
		s.config.ins[i] = (struct board_line){ .used = true, .offset = 6 + i, .debounce_ms = 10 };
	s.box = box_open(s.loop, &s.config, &hooks);
}

static void done(void)
{
	box_close(s.box);
	loop_free(s.loop);
}

/* DIR/lamps has all of these lines: "green 1,red 0". */
static bool has(const char *lines)
{
	char path[200], line[64];
	struct buf text;
	bool all = true;
	snprintf(path, sizeof(path), "%s/lamps", s.config.chip);
	buf_init(&text, 1024);
	bool there = file_read(path, &text, NULL);
	while (there && all && *lines != '\0') {
		size_t len = strcspn(lines, ",");
		snprintf(line, sizeof(line), "%.*s\n", (int)len, lines);
		all = strstr(buf_str(&text), line) != NULL;
		lines += len + (lines[len] == ',');
	}
	buf_clear(&text);
	return there && all;
}

static bool shows(const char *lines, int64_t within_ms)
{
	int64_t end = loop_now_ms() + within_ms;
	while (!has(lines) && loop_now_ms() < end)
		loop_once(s.loop, 5);
	return has(lines);
}

static void wire(const char *line)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/inputs", s.config.chip);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	close(fd);
}

static void a_decision_has_its_lamp_until_its_time_is_over_or_the_button_is_pressed(void)
{
	setup_box();
	CU_ASSERT_TRUE(shows("green 0,amber 0,red 0,buzzer 0", WAIT_MS));
	box_show(s.box, BOX_PASS);
	CU_ASSERT_TRUE(shows("green 1,amber 0,red 0,buzzer 0", 500));
	box_show(s.box, BOX_CARE);
	CU_ASSERT_TRUE(shows("green 0,amber 1,red 0,buzzer 0", 500));
	box_show(s.box, BOX_STOP);
	CU_ASSERT_TRUE(shows("green 0,amber 0,red 1,buzzer 1", 500));
	CU_ASSERT_TRUE(shows("red 1,buzzer 0", BOX_BUZZ_MS + 1000));
	wire("confirm 1\n");
	CU_ASSERT_TRUE(shows("red 0", WAIT_MS));
	box_show(s.box, BOX_PASS);
	CU_ASSERT_TRUE(shows("green 1", 500));
	CU_ASSERT_TRUE(shows("green 0", BOX_SHOW_MS + WAIT_MS));
	done();
}

static void the_link_lamp_is_the_line_and_amber_blinks_for_old_lists(void)
{
	setup_box();
	s.state.link_up = true;
	CU_ASSERT_TRUE(shows("link 1,amber 0", WAIT_MS));
	CU_ASSERT_TRUE(shows("heartbeat 1", WAIT_MS) && shows("heartbeat 0", WAIT_MS));
	s.state = (struct box_state){ .lists_old = true };
	CU_ASSERT_TRUE(shows("link 0,amber 1", WAIT_MS) && shows("amber 0", WAIT_MS));
	box_show(s.box, BOX_PASS); /* which is worth more for its time */
	CU_ASSERT_TRUE(shows("green 1,amber 0", 500));
	done();
}

static void a_tripped_line_is_told_and_a_locked_box_blinks_red_whatever_is_shown(void)
{
	setup_box();
	CU_ASSERT_TRUE(shows("red 0", WAIT_MS));
	CU_ASSERT_FALSE(box_is_tampered(s.box));
	wire("tamper 1\n");
	CU_ASSERT_TRUE(shows("red 1,buzzer 1", WAIT_MS) && shows("red 0,buzzer 0", WAIT_MS));
	CU_ASSERT_EQUAL(s.tampered, 1);
	CU_ASSERT_TRUE(box_is_tampered(s.box));
	box_show(s.box, BOX_PASS);
	CU_ASSERT_FALSE(shows("green 1", 700));
	wire("tamper 0\nconfirm 1\n"); /* quiet, and still locked */
	CU_ASSERT_TRUE(shows("red 0,buzzer 0", WAIT_MS));
	CU_ASSERT_FALSE(shows("buzzer 1", 1500));
	CU_ASSERT_TRUE(shows("red 1", WAIT_MS));
	CU_ASSERT_FALSE(box_is_tampered(s.box));
	s.state.locked = false;
	CU_ASSERT_TRUE(shows("red 0", WAIT_MS));
	CU_ASSERT_FALSE(shows("red 1", 1500));
	done();
}

static CU_TestInfo tests[] = {
	{ "a decision has its lamp until its time is over or the button is pressed",
	  a_decision_has_its_lamp_until_its_time_is_over_or_the_button_is_pressed },
	{ "the link lamp is the line, and amber blinks for old lists",
	  the_link_lamp_is_the_line_and_amber_blinks_for_old_lists },
	{ "a tripped line is told, and a locked box blinks red whatever is shown",
	  a_tripped_line_is_told_and_a_locked_box_blinks_red_whatever_is_shown },
	CU_TEST_INFO_NULL,
};
SUITE(box, NULL, NULL, tests);
