/* Board files, and the simulated board through board.h: lamps, inputs that bounce, a chip that goes away. */
#include "board/board.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 8000 /* at most, for what is expected */

static char dir[160], path[200];

/* --- board files --- */

static bool load(const char *text, struct board_config *c, struct err *e)
{
	*e = (struct err){ 0 };
	snprintf(dir, sizeof(dir), "%s", test_dir());
	snprintf(path, sizeof(path), "%s/board.conf", dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	return board_config_load(path, c, e);
}

static void refused(const char *text, const char *why)
{
	struct board_config c;
	struct err e;
	CU_ASSERT_FALSE(load(text, &c, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	if (strstr(e.text, why) == NULL || strstr(e.text, "board.conf") == NULL) {
		printf(" [%s] ", e.text);
		CU_FAIL("the error does not name what is wrong");
	}
}

static void a_board_file_says_chip_lines_levels_and_debounce(void)
{
	struct board_config c;
	struct err e;
	CU_ASSERT_TRUE_FATAL(
		load("[board]\nchip = /dev/gpiochip3\n[green]\nline = 0\n[red]\nline = 511\nactive = low\n"
		     "[tamper]\nline = 3\nactive = low\ndebounce_ms = 5\nfail = open\n[confirm]\nline = 4\n",
		     &c, &e));
	CU_ASSERT_EQUAL(c.backend, BOARD_GPIOD);
	CU_ASSERT_STRING_EQUAL(c.chip, "/dev/gpiochip3");
	CU_ASSERT_TRUE(c.outs[BOARD_GREEN].used && c.outs[BOARD_GREEN].offset == 0 &&
		       !c.outs[BOARD_GREEN].active_low);
	CU_ASSERT_TRUE(c.outs[BOARD_RED].used && c.outs[BOARD_RED].offset == 511 && c.outs[BOARD_RED].active_low);
	CU_ASSERT_FALSE(c.outs[BOARD_AMBER].used || c.outs[BOARD_HEARTBEAT].used);
	CU_ASSERT_TRUE(c.ins[BOARD_TAMPER].used && c.ins[BOARD_TAMPER].active_low);
	CU_ASSERT_EQUAL(c.ins[BOARD_TAMPER].debounce_ms, 5);
	CU_ASSERT_EQUAL(c.ins[BOARD_CONFIRM].debounce_ms, BOARD_DEBOUNCE_MS);
	CU_ASSERT_TRUE(c.tamper_open);
	CU_ASSERT_TRUE_FATAL(load("[board]\nchip = /x\n", &c, &e));
	CU_ASSERT_FALSE(c.tamper_open);
	CU_ASSERT_TRUE(board_config_load("board/boards/qemu-virt.conf", &c, &e));
	CU_ASSERT_EQUAL(c.ins[BOARD_TAMPER].offset, 3);
}

static void a_board_file_that_is_wrong_is_refused_with_file_section_and_key(void)
{
	refused("", "chip");
	refused("[board]\nchip = gpiochip0\n", "must be a path");
	refused("[board]\nchip = /x\nspeed = 3\n", "speed");
	refused("[board]\nchip = /x\n[blue]\nline = 1\n", "blue");
	refused("[board]\nchip = /x\nbackend = sysfs\n", "[board] backend must be gpiod or simulated");
	refused("[board]\nchip = /x\n[red]\nline = -1\n", "line");
	refused("[board]\nchip = /x\n[red]\nline = 512\n", "line");
	refused("[board]\nchip = /x\n[red]\nline = two\n", "line");
	refused("[board]\nchip = /x\n[red]\nline = 1\nactive = up\n", "[red] active must be high or low");
	refused("[board]\nchip = /x\n[red]\nline = 1\ndebounce_ms = 5\n", "debounce_ms");
	refused("[board]\nchip = /x\n[tamper]\nline = 1\ndebounce_ms = 1001\n", "debounce_ms");
	refused("[board]\nchip = /x\n[tamper]\nline = 1\nfail = shut\n", "[tamper] fail must be closed or open");
	refused("[board]\nchip = /x\n[confirm]\nline = 1\nfail = open\n", "fail");
	refused("[board]\nchip = /x\n[green]\nline = 2\n[tamper]\nline = 2\n",
		"[tamper] line: 2 is [green]'s already");
}

/* --- the simulated board --- */

static struct {
	struct loop *loop;
	struct board_config config;
	struct board *board;
	unsigned inputs; /* reports of the tamper line */
	char fault[200];
	unsigned faults;
	int wire; /* -1: not written to yet */
} s;

static void on_input(void *arg, enum board_in in, bool active)
{
	(void)arg, (void)active;
	s.inputs += in == BOARD_TAMPER;
}

static void on_fault(void *arg, const char *why)
{
	(void)arg;
	snprintf(s.fault, sizeof(s.fault), "%s", why);
	s.faults += *why != '\0';
}

static void board_start(void)
{
	static const struct board_events on = { on_input, on_fault };
	s.board = board_open(s.loop, &s.config, &on, NULL);
}

/* A board with every line, in a directory of its own. */
static void plug(bool tamper_open)
{
	memset(&s, 0, sizeof(s));
	s.wire = -1;
	s.loop = loop_new();
	s.config.backend = BOARD_SIMULATED;
	s.config.tamper_open = tamper_open;
	snprintf(s.config.chip, sizeof(s.config.chip), "%s", test_dir());
	for (int o = 0; o < BOARD_OUTS; o++)
		s.config.outs[o] = (struct board_line){ .used = o != BOARD_BUZZER, .offset = o };
	for (int i = 0; i < BOARD_INS; i++)
		s.config.ins[i] = (struct board_line){ .used = true, .offset = 6 + i, .debounce_ms = 60 };
	board_start();
}

static void unplug(void)
{
	board_close(s.board);
	loop_free(s.loop);
	if (s.wire >= 0)
		close(s.wire);
}

/* What stands in DIR/lamps. */
static const char *lamps(void)
{
	static char text[512];
	struct buf held;
	char file[200];
	snprintf(file, sizeof(file), "%s/lamps", s.config.chip);
	buf_init(&held, sizeof(text) - 1);
	bool there = file_read(file, &held, NULL);
	snprintf(text, sizeof(text), "%s", there ? buf_str(&held) : "");
	buf_clear(&held);
	return text;
}

/* Writes to DIR/inputs, and keeps it open: while the board is away nobody else holds what is written. */
static void wire(const char *line)
{
	char file[200];
	snprintf(file, sizeof(file), "%s/inputs", s.config.chip);
	if (s.wire < 0)
		s.wire = open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	CU_ASSERT_TRUE(s.wire >= 0);
	CU_ASSERT_EQUAL(write(s.wire, line, strlen(line)), (ssize_t)strlen(line));
}

static void turn_for(int64_t ms)
{
	int64_t end = loop_now_ms() + ms;
	while (loop_now_ms() < end)
		loop_once(s.loop, 5);
}

#define WAIT_UNTIL(what)                                                                                             \
	do {                                                                                                         \
		int64_t end = loop_now_ms() + WAIT_MS;                                                               \
		while (!(what) && loop_now_ms() < end)                                                               \
			loop_once(s.loop, 5);                                                                        \
		CU_ASSERT_TRUE(what);                                                                                \
	} while (0)

static bool tampered(void)
{
	return board_is_active(s.board, BOARD_TAMPER);
}

static void lamps_show_what_is_set_and_go_off_at_the_end(void)
{
	plug(false);
	board_set(s.board, BOARD_GREEN, true);  /* before the chip has been opened */
	board_set(s.board, BOARD_BUZZER, true); /* the box has none */
	WAIT_UNTIL(strstr(lamps(), "green 1\n") != NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(lamps(), "red 0\n"));
	CU_ASSERT_PTR_NULL(strstr(lamps(), "buzzer"));
	board_set(s.board, BOARD_RED, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(lamps(), "red 1\n"));
	board_set(s.board, BOARD_GREEN, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(lamps(), "green 0\n"));
	CU_ASSERT_TRUE(board_is_on(s.board, BOARD_RED));
	CU_ASSERT_STRING_EQUAL(board_fault(s.board), "");
	unplug();
	CU_ASSERT_PTR_NULL(strstr(lamps(), " 1"));
}

static void an_input_that_bounces_is_reported_once_it_keeps_still(void)
{
	plug(false);
	WAIT_UNTIL(lamps()[0] != '\0');
	for (int i = 0; i < 10; i++) {
		wire(i % 2 == 0 ? "tamper 1\n" : "tamper 0\n");
		turn_for(10);
	}
	CU_ASSERT_EQUAL(s.inputs, 0); /* it ended as it was */
	turn_for(200);
	CU_ASSERT_EQUAL(s.inputs, 0);
	wire("tamper 1\ntamper 0\ntamper 1\n");
	WAIT_UNTIL(tampered());
	CU_ASSERT_EQUAL(s.inputs, 1);
	wire("tamper 0\n");
	WAIT_UNTIL(!tampered());
	CU_ASSERT_EQUAL(s.inputs, 2);
	unplug();
}

static void lines_that_mean_nothing_change_nothing(void)
{
	plug(false);
	WAIT_UNTIL(lamps()[0] != '\0');
	wire("tamper\n\ntampered 1\nconfirm x\n");
	wire("a line that is far longer than any that could be meant, and goes on and on and on and on and on\n");
	wire("tam");
	turn_for(50);
	CU_ASSERT_FALSE(tampered());
	wire("per 1\n");
	WAIT_UNTIL(tampered());
	unplug();
}

static void a_chip_that_goes_away_is_said_and_shown_again_what_should_be_when_it_is_back(void)
{
	plug(true);
	WAIT_UNTIL(lamps()[0] != '\0');
	wire("chip 0\n");
	WAIT_UNTIL(s.faults == 1);
	CU_ASSERT_STRING_EQUAL(board_fault(s.board), s.fault);
	CU_ASSERT_TRUE(s.fault[0] != '\0');
	board_set(s.board, BOARD_AMBER, true);
	turn_for(BOARD_RETRY_MS + 300); /* and it is still away */
	CU_ASSERT_PTR_NULL(strstr(lamps(), "amber 1\n"));
	CU_ASSERT_EQUAL(s.faults, 1);
	wire("chip 1\n");
	WAIT_UNTIL(strstr(lamps(), "amber 1\n") != NULL);
	CU_ASSERT_STRING_EQUAL(s.fault, "");
	CU_ASSERT_STRING_EQUAL(board_fault(s.board), "");
	unplug();
}

static void a_tamper_line_that_cannot_be_read_counts_as_the_board_file_says(void)
{
	for (int open = 0; open < 2; open++) {
		plug(open);
		WAIT_UNTIL(lamps()[0] != '\0');
		wire("chip 0\n");
		turn_for(BOARD_RETRY_MS); /* a moment is no tampering */
		CU_ASSERT_FALSE(tampered());
		if (open)
			turn_for(BOARD_UNREADABLE_MS + BOARD_RETRY_MS);
		else
			WAIT_UNTIL(tampered());
		CU_ASSERT_EQUAL(tampered(), !open);
		wire("chip 1\n");
		WAIT_UNTIL(!tampered() && board_fault(s.board)[0] == '\0');
		unplug();
	}
}

static void a_chip_that_was_never_there_counts_as_one_that_cannot_be_read(void)
{
	plug(false);
	board_close(s.board);
	snprintf(s.config.chip, sizeof(s.config.chip), "/nonexistent/board");
	board_start();
	WAIT_UNTIL(s.faults == 1);
	WAIT_UNTIL(tampered());
	unplug();
	plug(false);
	board_close(s.board);
	s.config.backend = BOARD_GPIOD;
	snprintf(s.config.chip, sizeof(s.config.chip), "/dev/null");
	board_start();
	WAIT_UNTIL(s.faults == 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.fault, "/dev/null"));
	unplug();
}

static void an_input_stays_as_it_is_over_a_restart(void)
{
	plug(false);
	WAIT_UNTIL(lamps()[0] != '\0');
	wire("tamper 1\n");
	WAIT_UNTIL(tampered());
	board_close(s.board);
	board_start();
	CU_ASSERT_FALSE(tampered());
	WAIT_UNTIL(tampered());
	unplug();
}

static CU_TestInfo tests[] = {
	{ "a board file says chip, lines, levels and debounce", a_board_file_says_chip_lines_levels_and_debounce },
	{ "a board file that is wrong is refused with file, section and key",
	  a_board_file_that_is_wrong_is_refused_with_file_section_and_key },
	{ "lamps show what is set, and go off at the end", lamps_show_what_is_set_and_go_off_at_the_end },
	{ "an input that bounces is reported once it keeps still",
	  an_input_that_bounces_is_reported_once_it_keeps_still },
	{ "lines that mean nothing change nothing", lines_that_mean_nothing_change_nothing },
	{ "a chip that goes away is said, and shown again what should be when it is back",
	  a_chip_that_goes_away_is_said_and_shown_again_what_should_be_when_it_is_back },
	{ "a tamper line that cannot be read counts as the board file says",
	  a_tamper_line_that_cannot_be_read_counts_as_the_board_file_says },
	{ "a chip that was never there counts as one that cannot be read",
	  a_chip_that_was_never_there_counts_as_one_that_cannot_be_read },
	{ "an input stays as it is over a restart", an_input_stays_as_it_is_over_a_restart },
	CU_TEST_INFO_NULL,
};
SUITE(board, NULL, NULL, tests);
