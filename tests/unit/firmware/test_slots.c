#include "firmware/slots.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct slots_image seven = { 7, { 0x77 } };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int record_new(const char *name, const struct slots *s)
{
	char path[300];
	int fd = -1;
	struct slots first = *s;
	snprintf(path, sizeof(path), "%s/%s", test_dir(), name);
	must(slots_open(path, true, &fd, NULL) && slots_write(fd, &first, NULL));
	return fd;
}

static struct slots record_of(int fd)
{
	struct slots s;
	must(slots_read(fd, &s, NULL));
	return s;
}

static bool same(const struct slots *a, const struct slots *b)
{
	uint8_t x[SLOTS_SECTOR], y[SLOTS_SECTOR];
	struct slots c = *a, d = *b;
	c.sequence = d.sequence = 0;
	slots_encode(&c, x);
	slots_encode(&d, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

static void each_state_boots_as_it_should(void)
{
	static const struct {
		struct slots before;
		enum slot boots, trying;
		uint8_t tries_left;
		uint64_t failed;
		bool changed;
	} cases[] = {
		{ { .good = SLOT_A }, SLOT_A, SLOT_NONE, 0, 0, false },
		{ { .good = SLOT_B }, SLOT_B, SLOT_NONE, 0, 0, false },
		{ { .good = SLOT_A, .failed = { 3, { 1 } } }, SLOT_A, SLOT_NONE, 0, 3, false },
		{ { .good = SLOT_A, .trying = SLOT_B, .tries_left = 3, .tried = { 7, { 1 } } },
		  SLOT_B,
		  SLOT_B,
		  2,
		  0,
		  true },
		{ { .good = SLOT_B, .trying = SLOT_A, .tries_left = 1, .tried = { 7, { 1 } } },
		  SLOT_A,
		  SLOT_A,
		  0,
		  0,
		  true },
		{ { .good = SLOT_A, .trying = SLOT_B, .tries_left = 0, .tried = { 7, { 1 } } },
		  SLOT_A,
		  SLOT_NONE,
		  0,
		  7,
		  true },
		{ { .good = SLOT_B, .trying = SLOT_A, .tried = { 7, { 1 } }, .failed = { 6, { 2 } } },
		  SLOT_B,
		  SLOT_NONE,
		  0,
		  7,
		  true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slots s = cases[i].before;
		bool changed = !cases[i].changed;
		CU_ASSERT_EQUAL(slots_boot(&s, &changed), cases[i].boots);
		CU_ASSERT_EQUAL(changed, cases[i].changed);
		CU_ASSERT_EQUAL(s.good, cases[i].before.good);
		CU_ASSERT_EQUAL(s.trying, cases[i].trying);
		CU_ASSERT_EQUAL(s.tries_left, cases[i].tries_left);
		CU_ASSERT_EQUAL(s.failed.version, cases[i].failed);
	}
}

static void an_image_is_tried_as_often_as_said_and_then_falls_back(void)
{
	struct slots s = { .good = SLOT_B };
	bool changed = false;
	slots_try(&s, &seven, 3);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(slots_boot(&s, &changed), SLOT_A);
	CU_ASSERT_EQUAL(slots_boot(&s, &changed), SLOT_B);
	CU_ASSERT_EQUAL(s.failed.version, 7);
	CU_ASSERT_EQUAL(memcmp(s.failed.hash, seven.hash, HASH_LEN), 0);
	CU_ASSERT_EQUAL(slots_boot(&s, &changed), SLOT_B);
	CU_ASSERT_FALSE(changed);
	CU_ASSERT_EQUAL(s.failed.version, 7);
}

static void an_image_that_has_proven_itself_stays(void)
{
	struct slots s = { .good = SLOT_A, .failed = { 6, { 2 } } };
	bool changed = false;
	slots_try(&s, &seven, 1);
	CU_ASSERT_EQUAL(slots_boot(&s, &changed), SLOT_B);
	slots_good(&s);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(slots_boot(&s, &changed), SLOT_B);
	CU_ASSERT_EQUAL(s.failed.version, 0);
}

static void a_record_is_read_as_it_was_written(void)
{
	struct slots s = { .good = SLOT_B, .failed = { 0x1122334455667788, { 9, 8, 7 } } };
	slots_try(&s, &seven, 5);
	int fd = record_new("whole", &s);
	struct slots back = record_of(fd);
	CU_ASSERT_TRUE(same(&s, &back));
	CU_ASSERT_EQUAL(back.sequence, 1);
	close(fd);
}

/* Whatever part of a write has reached the disk: a sector of old and new bytes, in either order, or of neither. */
static void a_write_torn_anywhere_leaves_the_old_record_or_the_new_one(void)
{
	for (int turn = 0; turn < 3; turn++) {
		struct slots old = { .good = SLOT_A }, new;
		int fd = record_new("torn", &old);
		for (int i = 0; i < turn; i++)
			must(slots_write(fd, &old, NULL));
		uint8_t before[SLOTS_SIZE], after[SLOTS_SIZE], torn[SLOTS_SIZE];
		must(pread(fd, before, sizeof(before), 0) == SLOTS_SIZE);
		new = record_of(fd);
		slots_try(&new, &seven, 3);
		must(slots_write(fd, &new, NULL));
		must(pread(fd, after, sizeof(after), 0) == SLOTS_SIZE);
		size_t at = memcmp(before, after, SLOTS_SECTOR) != 0 ? 0 : SLOTS_APART;
		for (size_t cut = 0; cut <= SLOTS_SECTOR; cut++)
			for (int kind = 0; kind < 3; kind++) {
				memcpy(torn, before, sizeof(torn));
				if (kind == 0) /* the beginning */
					memcpy(torn + at, after + at, cut);
				else if (kind == 1) /* the end */
					memcpy(torn + at + cut, after + at + cut, SLOTS_SECTOR - cut);
				else /* what was never a record */
					memset(torn + at + cut, 0xff, SLOTS_SECTOR - cut);
				must(pwrite(fd, torn, sizeof(torn), 0) == SLOTS_SIZE);
				struct slots s = record_of(fd);
				CU_ASSERT_TRUE(same(&s, &old) || same(&s, &new));
			}
		close(fd);
	}
}

static void a_bit_that_fell_over_leaves_the_other_record(void)
{
	struct slots s = { .good = SLOT_A }, second = { .good = SLOT_B };
	int fd = record_new("bits", &s);
	must(slots_write(fd, &second, NULL));
	for (off_t bit = 0; bit < SLOTS_SECTOR * 8; bit++) {
		uint8_t byte;
		off_t at = SLOTS_APART + bit / 8;
		must(pread(fd, &byte, 1, at) == 1);
		byte ^= (uint8_t)(1 << bit % 8);
		must(pwrite(fd, &byte, 1, at) == 1);
		struct slots found = record_of(fd);
		CU_ASSERT_TRUE(same(&found, &s));
		byte ^= (uint8_t)(1 << bit % 8);
		must(pwrite(fd, &byte, 1, at) == 1);
	}
	struct slots found = record_of(fd);
	CU_ASSERT_TRUE(same(&found, &second));
	close(fd);
}

static void what_is_no_record_is_refused(void)
{
	uint8_t sector[SLOTS_SECTOR] = { 0 };
	struct slots s;
	static const struct slots bad[] = {
		{ .good = SLOT_NONE },
		{ .good = SLOT_A, .trying = SLOT_A, .tries_left = 1 },
		{ .good = SLOT_A, .trying = (enum slot)3, .tries_left = 1 },
		{ .good = SLOT_A, .tries_left = 1 },
		{ .good = SLOT_A, .trying = SLOT_B, .tries_left = 101 },
	};
	struct err e = { 0 };
	CU_ASSERT_FALSE(slots_decode(sector, &s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		slots_encode(&bad[i], sector);
		CU_ASSERT_FALSE(slots_decode(sector, &s, NULL));
	}
	char path[300];
	int fd = -1;
	snprintf(path, sizeof(path), "%s/none", test_dir());
	CU_ASSERT_FALSE(slots_open(path, false, &fd, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	must(slots_open(path, true, &fd, NULL));
	CU_ASSERT_FALSE(slots_read(fd, &s, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	must(ftruncate(fd, 100) == 0);
	CU_ASSERT_FALSE(slots_read(fd, &s, &e));
	close(fd);
}

static void a_write_goes_to_the_record_that_does_not_count(void)
{
	struct slots s = { .good = SLOT_A };
	int fd = record_new("turns", &s);
	for (uint64_t i = 2; i < 10; i++) {
		struct slots old = record_of(fd), next = old;
		next.failed.version = i;
		must(slots_write(fd, &next, NULL));
		CU_ASSERT_EQUAL(next.sequence, i);
		/* Were the new one lost, the old one would be there. */
		static const uint8_t nothing[SLOTS_SECTOR];
		uint8_t sector[SLOTS_SECTOR];
		off_t at = i % 2 == 0 ? SLOTS_APART : 0;
		must(pread(fd, sector, sizeof(sector), at) == SLOTS_SECTOR);
		must(pwrite(fd, nothing, sizeof(nothing), at) == SLOTS_SECTOR);
		struct slots found = record_of(fd);
		CU_ASSERT_TRUE(same(&found, &old));
		must(pwrite(fd, sector, sizeof(sector), at) == SLOTS_SECTOR);
	}
	close(fd);
}

static CU_TestInfo tests[] = {
	{ "each state boots as it should", each_state_boots_as_it_should },
	{ "an image is tried as often as said and then falls back",
	  an_image_is_tried_as_often_as_said_and_then_falls_back },
	{ "an image that has proven itself stays", an_image_that_has_proven_itself_stays },
	{ "a record is read as it was written", a_record_is_read_as_it_was_written },
	{ "a write torn anywhere leaves the old record or the new one",
	  a_write_torn_anywhere_leaves_the_old_record_or_the_new_one },
	{ "a bit that fell over leaves the other record", a_bit_that_fell_over_leaves_the_other_record },
	{ "what is no record is refused", what_is_no_record_is_refused },
	{ "a write goes to the record that does not count", a_write_goes_to_the_record_that_does_not_count },
	CU_TEST_INFO_NULL,
};

SUITE(branch_slots, NULL, NULL, tests);
