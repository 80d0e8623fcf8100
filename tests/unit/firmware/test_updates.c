#include "firmware/state.h"
#include "protocol/base/file.h"
#include "tests/support/appliance.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE   200000
#define SECOND ((int64_t)1000)

static struct appliance box;
static struct db *db;
static struct updates *u;
static struct buf first, second;
static int64_t now_ms;
static uint64_t document_version;
static const struct updates_health fine = { true, true, true, "" };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void branch_start(void)
{
	db = state_open(box.dir, NULL);
	must(db != NULL);
	u = updates_open(&box.config, db, now_ms);
}

static void branch_stop(void)
{
	updates_close(u);
	db_close(db);
}

static enum slot reboot(void)
{
	branch_stop();
	enum slot slot = appliance_boot(&box);
	now_ms += 30 * SECOND;
	branch_start();
	return slot;
}

static void setup(void)
{
	now_ms = 1000;
	document_version = 0;
	first = appliance_image(1, 150000, 1);
	second = appliance_image(2, 180000, 2);
	appliance_make(&box, test_dir(), SIZE, buf_bytes(&first));
	branch_start();
}

static void teardown(void)
{
	branch_stop();
	buf_clear(&first);
	buf_clear(&second);
}

static struct status_update status(void)
{
	struct updates_info i;
	updates_info(u, &i);
	return i.status;
}

static void say(const char *arch, uint64_t version, const struct buf *image)
{
	struct buf document = appliance_document(arch, version, buf_bytes(image));
	updates_document(u, ++document_version, buf_bytes(&document));
	buf_clear(&document);
}

/* Writes it as sync does. */
static void slot_write(const char *path, struct bytes image)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && pwrite(fd, image.data, image.len, 0) == (ssize_t)image.len);
	close(fd);
}

static bool check_all(struct err *e)
{
	bool done = false, ok = true;
	while (ok && !done)
		ok = updates_check(u, &done, e);
	return ok;
}

static void install(const struct buf *image)
{
	const char *path = NULL;
	struct err e = { 0 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(updates_wanted(u));
	CU_ASSERT_TRUE_FATAL(updates_begin(u, &path, &e));
	slot_write(path, buf_bytes(image));
	bool ok = check_all(&e) && updates_install(u, &e);
	if (!ok)
		printf("\n    %s\n", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
}

static void seconds(int n, struct updates_health h)
{
	for (int i = 0; i < n; i++) {
		now_ms += SECOND;
		updates_tick(u, &h, now_ms);
	}
}

static void an_update_is_tried_and_stays_once_it_was_well_long_enough(void)
{
	CU_ASSERT_STRING_EQUAL(updates_name(u), "update-arm64");
	CU_ASSERT_EQUAL(status().state, UPDATE_CURRENT);
	say("arm64", 2, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_WAITING);
	CU_ASSERT_EQUAL(status().wanted, 2);
	install(&second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REBOOT);
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	CU_ASSERT_TRUE(appliance_reboot_asked(&box));
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_B);
	CU_ASSERT_EQUAL(appliance_record(&box).tries_left, 3);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	say("arm64", 2, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_TRIAL);
	CU_ASSERT_TRUE(status().slot_b && status().version == 2);
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	seconds(60, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	seconds(1, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_NONE);
	CU_ASSERT_EQUAL(status().state, UPDATE_CURRENT);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(reboot(), SLOT_B);
	/* And the next one goes to the other slot. */
	struct buf third = appliance_image(3, 100000, 3);
	say("arm64", 3, &third);
	install(&third);
	CU_ASSERT_EQUAL(reboot(), SLOT_A);
	seconds(61, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	CU_ASSERT_EQUAL(status().version, 3);
	buf_clear(&third);
}

static void one_that_is_never_well_falls_back_and_is_not_taken_again(void)
{
	struct updates_health ill = { false, false, true, "database cannot be written" };
	say("arm64", 2, &second);
	install(&second);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(reboot(), SLOT_B);
		seconds(1199, ill);
		CU_ASSERT_FALSE(appliance_reboot_asked(&box));
		CU_ASSERT_STRING_EQUAL(status().fault, ill.why);
		seconds(1, ill);
		CU_ASSERT_TRUE(appliance_reboot_asked(&box));
	}
	CU_ASSERT_EQUAL(reboot(), SLOT_A);
	CU_ASSERT_EQUAL(status().failed, 2);
	CU_ASSERT_EQUAL(status().version, 1);
	say("arm64", 2, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(status().fault, "fallen back here before"));
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	/* Also under another version: it is the image that failed. */
	say("arm64", 3, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	/* A mended one is taken, and once it is good the failure is past. */
	struct buf mended = appliance_image(4, 170000, 9);
	say("arm64", 4, &mended);
	CU_ASSERT_EQUAL(status().state, UPDATE_WAITING);
	install(&mended);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	CU_ASSERT_EQUAL(status().failed, 2);
	seconds(61, fine);
	CU_ASSERT_EQUAL(status().failed, 0);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
	buf_clear(&mended);
}

static void what_is_not_for_this_box_is_refused_with_the_reason(void)
{
	struct buf large = appliance_image(2, SIZE + 1, 4), fits = appliance_image(2, SIZE, 5);
	say("amd64", 2, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(status().fault, "for amd64, this box is arm64"));
	say("arm64", 2, &large);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(status().fault, "do not fit"));
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	say("arm64", 2, &fits);
	CU_ASSERT_EQUAL(status().state, UPDATE_WAITING);
	say("arm64", 1, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_CURRENT);
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	say("arm64", 2, &second);
	install(&second);
	reboot();
	seconds(61, fine);
	say("arm64", 1, &first);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(status().fault, "older than version 2"));
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	/* The very image that runs, published under a version that it does not bear, is not fetched for ever. */
	say("arm64", 5, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(status().fault, "calls itself version 2"));
	updates_document(u, 99, bytes_of("no document"));
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	buf_clear(&large);
	buf_clear(&fits);
}

static void a_slot_that_does_not_hold_the_image_is_not_tried(void)
{
	const char *path = NULL;
	struct err e = { 0 };
	struct buf damaged = appliance_image(2, second.len, 2);
	damaged.data[second.len - 1] ^= 1;
	say("arm64", 2, &second);
	CU_ASSERT_TRUE_FATAL(updates_begin(u, &path, &e));
	slot_write(path, buf_bytes(&damaged));
	CU_ASSERT_FALSE(check_all(&e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	updates_wait(u, &e);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_NONE);
	CU_ASSERT_FALSE(appliance_reboot_asked(&box));
	CU_ASSERT_EQUAL(status().state, UPDATE_WAITING);
	CU_ASSERT_NOT_EQUAL(status().fault[0], 0);
	/* Short of its end. */
	must(truncate(box.config.b, 1000) == 0);
	CU_ASSERT_TRUE_FATAL(updates_begin(u, &path, &e));
	CU_ASSERT_FALSE(check_all(&e));
	CU_ASSERT_EQUAL(e.code, ERR_IO);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_NONE);
	buf_clear(&damaged);
}

static void nothing_is_being_tried_while_the_slot_is_written_to(void)
{
	const char *path = NULL;
	struct err e = { 0 };
	struct buf third = appliance_image(3, 100000, 3);
	say("arm64", 2, &second);
	install(&second);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_B);
	say("arm64", 3, &third); /* before anybody has rebooted */
	CU_ASSERT_EQUAL(status().state, UPDATE_WAITING);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_B);
	CU_ASSERT_TRUE_FATAL(updates_begin(u, &path, &e));
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_NONE);
	CU_ASSERT_STRING_EQUAL(path, box.config.b);
	/* While it is on trial nothing is fetched: the other slot is the good one. */
	install(&third);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	struct buf fourth = appliance_image(4, 100000, 4);
	say("arm64", 4, &fourth);
	CU_ASSERT_EQUAL(status().state, UPDATE_TRIAL);
	CU_ASSERT_PTR_NULL(updates_wanted(u));
	seconds(61, fine);
	CU_ASSERT_PTR_NOT_NULL(updates_wanted(u));
	CU_ASSERT_TRUE_FATAL(updates_begin(u, &path, &e));
	CU_ASSERT_STRING_EQUAL(path, box.config.a);
	buf_clear(&third);
	buf_clear(&fourth);
}

static void with_the_line_down_a_good_image_stays(void)
{
	struct updates_health deaf = fine;
	deaf.heard = false;
	say("arm64", 2, &second);
	install(&second);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	seconds(599, deaf);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	seconds(1, deaf);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
	CU_ASSERT_FALSE(appliance_reboot_asked(&box));
}

static void what_was_ready_before_has_to_be_ready_again(void)
{
	struct updates_health unready = fine;
	unready.ready = false;
	seconds(1, fine);
	say("arm64", 2, &second);
	install(&second);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	seconds(300, unready);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	seconds(61, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
	/* A box that was not ready before, for want of a list say, is not held to it. */
	struct buf third = appliance_image(3, 100000, 3);
	seconds(1, unready);
	say("arm64", 3, &third);
	install(&third);
	CU_ASSERT_EQUAL(reboot(), SLOT_A);
	seconds(61, unready);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	buf_clear(&third);
}

static void one_lapse_begins_the_time_anew(void)
{
	struct updates_health ill = fine;
	ill.well = false;
	say("arm64", 2, &second);
	install(&second);
	reboot();
	seconds(59, fine);
	seconds(1, ill);
	seconds(60, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	seconds(1, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
}

static void a_reboot_is_asked_for_again_after_a_restart(void)
{
	say("arm64", 2, &second);
	install(&second);
	CU_ASSERT_TRUE(appliance_reboot_asked(&box));
	branch_stop();
	branch_start();
	say("arm64", 2, &second);
	CU_ASSERT_EQUAL(status().state, UPDATE_REBOOT);
	seconds(1, fine);
	CU_ASSERT_TRUE(appliance_reboot_asked(&box));
	seconds(5, fine);
	CU_ASSERT_FALSE(appliance_reboot_asked(&box)); /* once is enough */
}

static void a_broken_record_is_mended_by_what_runs_and_is_well(void)
{
	const char *path = NULL;
	struct err e = { 0 };
	must(file_write(box.config.boot, bytes_of("nothing"), 0600, NULL));
	branch_stop();
	branch_start();
	say("arm64", 2, &second);
	CU_ASSERT_FALSE(updates_begin(u, &path, &e)); /* nobody knows which slot boots */
	seconds(61, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_A);
	install(&second);
	CU_ASSERT_EQUAL(reboot(), SLOT_B);
	/* The initramfs had to take the other one than the record says. */
	struct slots s = { .good = SLOT_A };
	appliance_record_set(&box, &s);
	branch_stop();
	branch_start();
	say("arm64", 3, &first);
	CU_ASSERT_FALSE(updates_begin(u, &path, &e));
	seconds(61, fine);
	CU_ASSERT_EQUAL(appliance_record(&box).good, SLOT_B);
}

static void a_box_that_does_not_know_itself_takes_no_update(void)
{
	static const char *const bad[] = { "",
					   "version = 0\narch = arm64\n",
					   "version = 2\n",
					   "arch = arm64\n",
					   "version = 2\narch = mips\n",
					   "version = x\narch = arm64\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		must(file_write(box.config.image, bytes_of(bad[i]), 0600, NULL));
		branch_stop();
		branch_start();
		CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
		CU_ASSERT_NOT_EQUAL(status().fault[0], 0);
		CU_ASSERT_STRING_EQUAL(updates_name(u), "");
		say("arm64", 2, &second);
		CU_ASSERT_PTR_NULL(updates_wanted(u));
		seconds(100, fine);
	}
	must(file_write(box.config.image, bytes_of("version = 1\narch = arm64\n"), 0600, NULL));
	must(file_write(box.config.running, bytes_of("c\n"), 0600, NULL));
	branch_stop();
	branch_start();
	CU_ASSERT_EQUAL(status().state, UPDATE_REFUSED);
	must(file_write(box.config.running, bytes_of("a"), 0600, NULL));
	branch_stop();
	branch_start();
	CU_ASSERT_EQUAL(status().state, UPDATE_CURRENT);
}

static CU_TestInfo tests[] = {
	{ "an update is tried and stays once it was well long enough",
	  an_update_is_tried_and_stays_once_it_was_well_long_enough },
	{ "one that is never well falls back and is not taken again",
	  one_that_is_never_well_falls_back_and_is_not_taken_again },
	{ "what is not for this box is refused with the reason",
	  what_is_not_for_this_box_is_refused_with_the_reason },
	{ "a slot that does not hold the image is not tried", a_slot_that_does_not_hold_the_image_is_not_tried },
	{ "nothing is being tried while the slot is written to",
	  nothing_is_being_tried_while_the_slot_is_written_to },
	{ "with the line down a good image stays", with_the_line_down_a_good_image_stays },
	{ "what was ready before has to be ready again", what_was_ready_before_has_to_be_ready_again },
	{ "one lapse begins the time anew", one_lapse_begins_the_time_anew },
	{ "a reboot is asked for again after a restart", a_reboot_is_asked_for_again_after_a_restart },
	{ "a broken record is mended by what runs and is well", a_broken_record_is_mended_by_what_runs_and_is_well },
	{ "a box that does not know itself takes no update", a_box_that_does_not_know_itself_takes_no_update },
	CU_TEST_INFO_NULL,
};

SUITE(branch_updates, setup, teardown, tests);
