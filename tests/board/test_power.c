/*
 * The power of the box's disk, not only of the box: killing QEMU leaves what the host holds in its page cache, so the writes are logged
 * and the disk is put back to many points of them, with any part of what had not been flushed missing; each is mounted and opened by branchd
 * here. XINBIAN_POINTS: how many (50).
 */
#include "tests/board/box.h"
#include "tests/board/replay.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MORE    2500 /* entries a version: below what needs to be forced, more than a row */
#define OUT_MAX 1048576U

static struct world_branch opened; /* the box's state, by branchd here */
static char state[140], point[140];

static bool run(const char *const *argv)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	int status = child_run(argv, &out);
	if (status != 0)
		printf("\n    %s: %d %s\n", argv[0], status, buf_str(&out));
	buf_clear(&out);
	return status == 0;
}

/* Two versions arrive while checks are asked, every write of it in the log; `state` is the partition as it was before. */
static int64_t work_logged(void)
{
	char skip[40], count[40], from[160], to[160];
	uint64_t first = 0, sectors = 0;
	int64_t before = box.version;
	vm_cut(&box.vm);
	box_state_partition(box.vm.disk, &first, &sectors);
	snprintf(state, sizeof(state), "%s/before.img", box.vm.dir);
	snprintf(from, sizeof(from), "if=%s", box.vm.disk);
	snprintf(to, sizeof(to), "of=%s", state);
	snprintf(skip, sizeof(skip), "skip=%llu", (unsigned long long)first);
	snprintf(count, sizeof(count), "count=%llu", (unsigned long long)sectors);
	CU_ASSERT_TRUE_FATAL(run(
		(const char *const[]){ "dd", from, to, skip, count, "bs=512", "conv=sparse", "status=none", NULL }));
	CU_ASSERT_TRUE_FATAL(file_write(box.vm.log, (struct bytes){ NULL, 0 }, 0600, NULL));
	box.vm.is_logging = true;
	box.answers_len = 0;
	vm_start(&box.vm);
	CU_ASSERT_TRUE_FATAL(box_wait_up());
	for (unsigned i = 0; i < 2; i++) {
		box_publish(40000 + i * MORE);
		for (int64_t until_ms = now_ms() + 6000; now_ms() < until_ms;)
			box_ask((unsigned)(box_random() % 50000));
	}
	CU_ASSERT_TRUE(world_wait_applied(&box.w, box.branch, LIST, box.version, BOX_WAIT_MS));
	box_ask(0);
	vm_cut(&box.vm);
	box.vm.is_logging = false;
	return before;
}

/* An answer that was given before the point is there, the same. */
static unsigned count_lost(off_t logged)
{
	unsigned lost = 0;
	for (size_t i = 0; i < box.answers_len; i++) {
		struct buf out;
		if (box.answers[i].logged > logged)
			continue;
		buf_init(&out, OUT_MAX);
		if (world_branchctl(&opened, &out, "decision show %s", box.answers[i].decision_id) != 0 ||
		    strstr(buf_str(&out), box.answers[i].outcome) == NULL) {
			printf("\n    %s: %s", box.answers[i].decision_id, buf_str(&out));
			lost++;
		}
		buf_clear(&out);
	}
	return lost;
}

static int64_t list_version(void)
{
	struct json *j = world_branchctl_json(&opened, "status");
	const struct json *lists = json_get(j, "lists");
	int64_t version = -1;
	for (size_t i = 0; lists != NULL && i < json_len(lists); i++) {
		const char *name = "";
		struct err e;
		if (json_text(json_at(lists, i), "name", 40, &name, &e) && strcmp(name, LIST) == 0 &&
		    !json_int(json_at(lists, i), "version", 0, INT64_MAX, &version, &e))
			version = -1;
	}
	json_free(j);
	return version;
}

static bool has_outcome(unsigned number, const char *outcome)
{
	char text[20];
	struct buf out;
	world_number(number, text);
	buf_init(&out, OUT_MAX);
	(void)!world_branchctl(&opened, &out, "check --kind resident_id --number %s", text);
	bool is = strstr(buf_str(&out), outcome) != NULL;
	if (!is)
		printf("\n    not %s: %s", outcome, buf_str(&out));
	buf_clear(&out);
	return is;
}

static void state_proves_whole(off_t logged, int64_t oldest)
{
	char path[200], ini[200];
	struct buf out;
	opened.api_port = free_port();
	snprintf(path, sizeof(path), "%s/branch.ini", opened.dir);
	snprintf(ini, sizeof(ini), "[branch]\nlisten = 127.0.0.1:%d\n", opened.api_port);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(ini), 0600, NULL));
	world_branch_start(&box.w, &opened);
	buf_init(&out, OUT_MAX);
	CU_ASSERT_EQUAL(world_branchctl(&opened, &out, "journal verify"), 0);
	buf_clear(&out);
	int64_t version = list_version();
	CU_ASSERT_TRUE(version >= oldest && version <= box.version);
	CU_ASSERT_TRUE(has_outcome(0, "refuse"));
	if (version == box.version)
		CU_ASSERT_TRUE(has_outcome(40000, "refuse"));
	CU_ASSERT_EQUAL(count_lost(logged), 0);
	world_branch_stop(&opened, SIGTERM);
}

/* The partition as a power cut after entry `upto` may have left it. */
static bool point_holds(const struct replay *r, size_t upto, unsigned (*chance)(void), int64_t oldest)
{
	struct err e = { 0 };
	unsigned failures = CU_get_number_of_failures();
	snprintf(point, sizeof(point), "%s/point.img", box.vm.dir);
	if (!run((const char *const[]){ "cp", "--sparse=always", state, point, NULL }) ||
	    !replay_apply(r, upto, point, chance, &e) ||
	    !run((const char *const[]){ "mount", "-o", "loop", point, opened.dir, NULL })) {
		printf("\n    point %zu: %s", upto, e.text);
		return false;
	}
	state_proves_whole(upto > 0 ? r->entries[upto - 1].end : 0, oldest);
	bool unmounted = run((const char *const[]){ "umount", opened.dir, NULL });
	unlink(point);
	if (CU_get_number_of_failures() != failures)
		printf("\n    at point %zu of %zu", upto, r->len);
	return unmounted && CU_get_number_of_failures() == failures;
}

static void at_every_point_of_its_writes_the_disk_mounts_and_no_answer_is_missing(void)
{
	if (!box_ready())
		return;
	if (geteuid() != 0) {
		test_skip("root, to mount");
		return;
	}
	const char *wanted = getenv("XINBIAN_POINTS");
	size_t points = wanted != NULL ? strtoul(wanted, NULL, 10) : 50;
	uint64_t first = 0, sectors = 0;
	struct replay r;
	struct err e = { 0 };
	int64_t oldest = work_logged();
	box_state_partition(box.vm.disk, &first, &sectors);
	bool ok = replay_open(&r, box.vm.log, first, sectors, &e);
	if (!ok)
		printf("\n    %s", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	snprintf(opened.name, sizeof(opened.name), "replayed");
	snprintf(opened.dir, sizeof(opened.dir), "%s/mounted", box.w.dir);
	CU_ASSERT_EQUAL_FATAL(mkdir(opened.dir, 0700), 0);
	for (size_t i = 0; i < points; i++) {
		size_t upto = r.len * (i + 1) / points;
		CU_ASSERT_TRUE_FATAL(point_holds(&r, upto, i % 2 != 0 ? box_random : NULL, oldest));
	}
	printf("[%zu writes, %zu points, %zu answers, seed %u] ", r.len, points, box.answers_len, box.seed);
	replay_close(&r);
	vm_start(&box.vm);
	CU_ASSERT_TRUE(box_wait_up());
}

static CU_TestInfo tests[] = {
	{ "at every point of its writes the disk mounts and no answer is missing",
	  at_every_point_of_its_writes_the_disk_mounts_and_no_answer_is_missing },
	CU_TEST_INFO_NULL,
};
SUITE(power, NULL, NULL, tests);
