/* A box with a simulated board, in the whole system of real parts: what its lamps show, and what becomes of it once it is opened. */
#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define WAIT_MS 15000
#define ENTRIES 20000
#define CLEAR   "330802185001010013" /* nobody's: order 001 of a day in 1850 */

static struct world w;
static bool opened;
static unsigned asked;

struct box {
	struct world_branch *branch;
	char dir[140]; /* the board's */
};
static struct box quay;

/* The branch is stopped, given a board whose files lie in `dir`, and started again. */
static void board_add(struct box *b)
{
	char path[200], text[1200];
	struct buf ini;
	snprintf(b->dir, sizeof(b->dir), "%s/board-%s", w.dir, b->branch->name);
	CU_ASSERT_TRUE_FATAL(file_make_dir(b->dir, NULL));
	snprintf(path, sizeof(path), "%s/board.conf", b->dir);
	snprintf(text, sizeof(text),
		 "[board]\nbackend = simulated\nchip = %s\n[green]\nline = 0\n[amber]\nline = 1\n[red]\nline = 2\n"
		 "[tamper]\nline = 3\ndebounce_ms = 20\n[link]\nline = 4\n[heartbeat]\nline = 5\n[confirm]\nline = "
		 "6\n",
		 b->dir);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0600, NULL));
	world_branch_stop(b->branch, SIGTERM);
	buf_init(&ini, 65536);
	snprintf(text, sizeof(text), "%s/branch.ini", b->branch->dir);
	CU_ASSERT_TRUE_FATAL(file_read(text, &ini, NULL));
	buf_add_fmt(&ini, "\n[board]\nfile = %s\n", path);
	CU_ASSERT_TRUE_FATAL(file_write(text, buf_bytes(&ini), 0600, NULL));
	buf_clear(&ini);
	world_branch_start(&w, b->branch);
}

static void setup(void)
{
	if (opened)
		return;
	opened = true;
	char csv[160];
	world_open(&w);
	quay.branch = world_branch_add(&w, "quay");
	snprintf(csv, sizeof(csv), "%s/list.csv", w.dir);
	world_csv(csv, 0, ENTRIES);
	int64_t version = world_publish(&w, "black-fraud", csv, "");
	CU_ASSERT_TRUE_FATAL(world_wait_version(quay.branch, "black-fraud", version, WAIT_MS));
	board_add(&quay);
}

static void wire(const struct box *b, const char *line)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/inputs", b->dir);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	close(fd);
}

struct lamp {
	const struct box *box;
	const char *line; /* "red 1\n" */
};
static bool lamp_is(void *arg)
{
	const struct lamp *l = arg;
	char path[200];
	struct buf text;
	snprintf(path, sizeof(path), "%s/lamps", l->box->dir);
	buf_init(&text, 1024);
	bool is = file_read(path, &text, NULL) && strstr(buf_str(&text), l->line) != NULL;
	buf_clear(&text);
	return is;
}
static bool shows(const struct box *b, const char *line)
{
	struct lamp l = { b, line };
	return wait_until(lamp_is, &l, WAIT_MS);
}

/* The check's outcome, or its status: "503". */
static const char *check(const struct box *b, const char *number)
{
	static char outcome[16];
	char id[40];
	snprintf(id, sizeof(id), "b-%u", asked++);
	int status = world_check(&w, b->branch, id, "resident_id", number, outcome);
	if (status != 200)
		snprintf(outcome, sizeof(outcome), "%d", status);
	return outcome;
}

struct wanted {
	const struct box *box;
	const char *outcome;
};
static bool check_is(void *arg)
{
	const struct wanted *x = arg;
	return strcmp(check(x->box, CLEAR), x->outcome) == 0;
}
static bool check_becomes(const struct box *b, const char *outcome)
{
	struct wanted x = { b, outcome };
	bool is = wait_until(check_is, &x, WAIT_MS);
	if (!is)
		printf("\n    %s instead of %s ", check(b, CLEAR), outcome);
	return is;
}

static bool vault_is_zeros(void *arg)
{
	static const uint8_t zeros[32];
	const struct box *b = arg;
	char path[200];
	struct buf key;
	snprintf(path, sizeof(path), "%s/vault.key", b->branch->dir);
	buf_init(&key, 64);
	bool is = file_read(path, &key, NULL) && bytes_equal(buf_bytes(&key), (struct bytes){ zeros, sizeof(zeros) });
	buf_clear(&key);
	return is;
}

/* A member of the status's box. */
static bool box_says(const struct box *b, const char *part)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	bool says = world_https(&w, b->branch, "GET", "/v1/status", NULL, &out) == 200 &&
		    strstr(buf_str(&out), part) != NULL;
	buf_clear(&out);
	return says;
}

/* Central: the branch's state "tampered", and the alarm. */
static bool central_knows(void *arg)
{
	const struct box *b = arg;
	struct buf out;
	char line[160];
	bool knows = false;
	buf_init(&out, 1 << 20);
	world_ctl(&w, NULL, &out, "branch list");
	snprintf(line, sizeof(line), "%s", b->branch->name);
	const char *at = strstr(buf_str(&out), line);
	knows = at != NULL && strstr(at, "已被拆动 tampered") != NULL && strstr(at, "board.tamper") != NULL;
	buf_clear(&out);
	return knows;
}

/* Enrolled again; what the tool printed goes to out when it refuses. */
static int enrol(const struct box *b, struct buf *out)
{
	buf_reset(out);
	return world_enrol(&w, b->branch, out);
}

static void lamps_show_decisions_and_the_line(void)
{
	char listed[20];
	world_number(7, listed);
	CU_ASSERT_TRUE(shows(&quay, "link 1\n"));
	CU_ASSERT_TRUE(check_becomes(&quay, "enhanced"));
	CU_ASSERT_TRUE(shows(&quay, "amber 1\n"));
	CU_ASSERT_STRING_EQUAL(check(&quay, listed), "refuse");
	CU_ASSERT_TRUE(shows(&quay, "red 1\n"));
	wire(&quay, "confirm 1\n");
	CU_ASSERT_TRUE(shows(&quay, "red 0\n"));
	wire(&quay, "confirm 0\n");
	CU_ASSERT_TRUE(shows(&quay, "heartbeat 0\n") && shows(&quay, "heartbeat 1\n"));
	world_broker_stop(&w, SIGKILL);
	CU_ASSERT_TRUE(shows(&quay, "link 0\n"));
	CU_ASSERT_STRING_EQUAL(check(&quay, listed), "refuse");
	CU_ASSERT_TRUE(shows(&quay, "red 1\n"));
	world_broker_start(&w);
	CU_ASSERT_TRUE(shows(&quay, "link 1\n"));
}

static bool fault_is_said(void *arg)
{
	return box_says(arg, "\"board\":true,\"board_fault\":\"/");
}

static void a_chip_that_goes_away_is_said_and_stops_no_check(void)
{
	wire(&quay, "chip 0\n");
	CU_ASSERT_TRUE(wait_until(fault_is_said, &quay, WAIT_MS));
	CU_ASSERT_STRING_EQUAL(check(&quay, CLEAR), "enhanced");
	wire(&quay, "chip 1\n"); /* within BOARD_UNREADABLE_MS */
	CU_ASSERT_TRUE(shows(&quay, "amber 1\n"));
	CU_ASSERT_TRUE(box_says(&quay, "\"locked\":\"\""));
	CU_ASSERT_FALSE(vault_is_zeros(&quay));
}

static void a_box_that_is_opened_wipes_its_keys_answers_nothing_says_so_and_enrols_again(void)
{
	char listed[20];
	struct buf out;
	buf_init(&out, 1 << 20);
	world_number(7, listed);
	world_broker_stop(&w, SIGTERM);                          /* the line is down */
	CU_ASSERT_STRING_EQUAL(check(&quay, CLEAR), "enhanced"); /* and this row waits for it */
	wire(&quay, "tamper 1\n");
	CU_ASSERT_TRUE(wait_until(vault_is_zeros, &quay, 2000));
	CU_ASSERT_TRUE(check_becomes(&quay, "503"));
	CU_ASSERT_TRUE(box_says(&quay, "wiped its keys"));
	CU_ASSERT_TRUE(shows(&quay, "red 1\n") && shows(&quay, "red 0\n")); /* it blinks */
	/* over a restart, and with the box closed again */
	world_branch_stop(quay.branch, SIGKILL);
	world_branch_start(&w, quay.branch);
	CU_ASSERT_STRING_EQUAL(check(&quay, listed), "503");
	/* central hears of it once the line is back */
	world_broker_start(&w);
	CU_ASSERT_TRUE(wait_until(central_knows, &quay, WAIT_MS));
	/* not while it is open */
	CU_ASSERT_NOT_EQUAL(enrol(&quay, &out), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "tamper line"));
	wire(&quay, "tamper 0\n");
	sleep_ms(200);
	CU_ASSERT_STRING_EQUAL(check(&quay, CLEAR), "503");
	CU_ASSERT_EQUAL(enrol(&quay, &out), 0);
	CU_ASSERT_TRUE(check_becomes(&quay, "enhanced"));
	CU_ASSERT_STRING_EQUAL(check(&quay, listed), "refuse");
	CU_ASSERT_FALSE(vault_is_zeros(&quay));
	CU_ASSERT_FALSE(central_knows(&quay));
	buf_clear(&out);
}

static void a_box_opened_while_it_starts_or_applies_a_list_is_wiped_all_the_same(void)
{
	struct buf out;
	char csv[160], path[200];
	buf_init(&out, 1 << 20);
	/* while it is off: the switch is open when it starts */
	world_branch_stop(quay.branch, SIGKILL);
	snprintf(path, sizeof(path), "%s/wires", quay.dir);
	CU_ASSERT_TRUE(file_write(path, bytes_of("chip 1\ntamper 1\nconfirm 0\n"), 0600, NULL));
	world_branch_start(&w, quay.branch);
	CU_ASSERT_TRUE(wait_until(vault_is_zeros, &quay, WAIT_MS));
	CU_ASSERT_TRUE(check_becomes(&quay, "503"));
	wire(&quay, "tamper 0\n");
	sleep_ms(200);
	CU_ASSERT_EQUAL(enrol(&quay, &out), 0);
	CU_ASSERT_TRUE(check_becomes(&quay, "enhanced"));
	/* while it applies */
	snprintf(csv, sizeof(csv), "%s/list.csv", w.dir);
	world_csv(csv, 0, ENTRIES + 2000);
	int64_t version = world_publish(&w, "black-fraud", csv, "");
	wire(&quay, "tamper 1\n");
	CU_ASSERT_TRUE(wait_until(vault_is_zeros, &quay, 5000));
	CU_ASSERT_TRUE(check_becomes(&quay, "503"));
	wire(&quay, "tamper 0\n");
	sleep_ms(200);
	CU_ASSERT_EQUAL(enrol(&quay, &out), 0);
	CU_ASSERT_TRUE(world_wait_version(quay.branch, "black-fraud", version, 2 * WAIT_MS));
	CU_ASSERT_TRUE(check_becomes(&quay, "enhanced"));
	buf_clear(&out);
}

/* Until nothing more fits. */
static void disk_fill(const char *path)
{
	static const uint8_t block[65536];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	size_t size = sizeof(block);
	while (fd >= 0 && size > 0)
		if (write(fd, block, size) <= 0)
			size /= 2;
	if (fd >= 0)
		close(fd);
}

static void a_box_opened_with_a_full_disk_is_wiped_and_tells_once_there_is_room(void)
{
	static struct box full;
	char dir[140], filler[180];
	snprintf(dir, sizeof(dir), "%s/full", w.dir);
	CU_ASSERT_TRUE_FATAL(file_make_dir(dir, NULL));
	if (mount("xinbian-test", dir, "tmpfs", 0, "size=48m,mode=0700") != 0) {
		test_skip("the right to mount a small disk");
		return;
	}
	full.branch = world_branch_add(&w, "full");
	board_add(&full);
	CU_ASSERT_TRUE(check_becomes(&full, "enhanced"));
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	disk_fill(filler);
	world_branch_stop(full.branch, SIGTERM); /* what it starts with must not need room either */
	disk_fill(filler);
	world_branch_start(&w, full.branch);
	CU_ASSERT_STRING_EQUAL(check(&full, CLEAR), "503"); /* nothing can be recorded */
	CU_ASSERT_FALSE(vault_is_zeros(&full));
	wire(&full, "tamper 1\n");
	CU_ASSERT_TRUE(wait_until(vault_is_zeros, &full, 5000));
	CU_ASSERT_TRUE(check_becomes(&full, "503"));
	unlink(filler);
	CU_ASSERT_TRUE(wait_until(central_knows, &full, 2 * WAIT_MS));
	world_branch_stop(full.branch, SIGTERM);
	CU_ASSERT_EQUAL(umount2(dir, MNT_DETACH), 0);
}

static void the_system_stops_cleanly(void)
{
	world_close(&w);
}

static CU_TestInfo tests[] = {
	{ "lamps show decisions and the line", lamps_show_decisions_and_the_line },
	{ "a chip that goes away is said and stops no check", a_chip_that_goes_away_is_said_and_stops_no_check },
	{ "a box that is opened wipes its keys, answers nothing, says so, and enrols again",
	  a_box_that_is_opened_wipes_its_keys_answers_nothing_says_so_and_enrols_again },
	{ "a box opened while it starts or applies a list is wiped all the same",
	  a_box_opened_while_it_starts_or_applies_a_list_is_wiped_all_the_same },
	{ "a box opened with a full disk is wiped, and tells once there is room",
	  a_box_opened_with_a_full_disk_is_wiped_and_tells_once_there_is_room },
	{ "the system stops cleanly", the_system_stops_cleanly },
	CU_TEST_INFO_NULL,
};
SUITE(board, setup, NULL, tests);
