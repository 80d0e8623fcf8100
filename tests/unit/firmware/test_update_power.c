/*
 * Power cuts: a child lives through an update (fetched over the simulated line, tried, booted, marked good) while its parent counts what it
 * writes to the boot record and the slots, by ptrace, and kills it before the n-th write or fsync, for each n there is. What was
 * written and not yet synced may be lost, or be rubbish. Then whatever boots, as often as it boots, must be a whole image.
 */
#include "protocol/base/file.h"
#include "tests/support/appliance.h"
#include "tests/support/simulation.h"
#include "tests/test.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MINUTE    ((int64_t)60000)
#define SIZE      400000
#define WRITE_MAX 200

static struct appliance box;
static struct buf images[3]; /* of versions 1, 2, 3 */
static char dir[128];
static unsigned runs;

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Slot a good with version 1; pending: b is to be tried with version 2 already, and nobody has rebooted. */
static void box_make(bool pending)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/box-%u", dir, runs++);
	must(file_make_dir(path, NULL));
	appliance_make(&box, path, SIZE, buf_bytes(&images[0]));
	if (!pending)
		return;
	struct slots s = appliance_record(&box);
	struct slots_image two = { .version = 2 };
	int fd = open(box.config.b, O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && pwrite(fd, images[1].data, images[1].len, 0) == (ssize_t)images[1].len);
	close(fd);
	sha256(buf_bytes(&images[1]), two.hash);
	slots_try(&s, &two, 3);
	appliance_record_set(&box, &s);
}

static bool asked_for_reboot(struct sim *s)
{
	struct updates_info i;
	updates_info(s->updates, &i);
	return i.status.state == UPDATE_REBOOT && i.status.wanted == 3;
}

static bool three_is_good(void)
{
	struct slots record = appliance_record(&box);
	return appliance_holds(&box, record.good, buf_bytes(&images[2])) && record.trying == SLOT_NONE;
}

/* From the box as it is (or as it boots) to version 3 being good; the sync state is made anew, it is not what is at stake. */
static void live(unsigned run, bool boots_first)
{
	static const struct updates_health fine = { true, true, true, "" };
	static struct sim s;
	char path[160];
	struct buf document = appliance_document("arm64", 3, buf_bytes(&images[2]));
	struct slots record;
	snprintf(path, sizeof(path), "%s/state-%u", dir, run);
	sim_init(&s, path, 1);
	s.slots = box.config;
	enum slot slot = boots_first ? appliance_boot(&box) : SLOT_A;
	sim_restart(&s, 0);
	(void)publisher_put(&s.objects, buf_bytes(&images[2]));
	sim_document(&s, "update-arm64", 1, buf_bytes(&document));
	sim_publish(&s);
	sim_line(&s, true);
	for (int boots = 0; boots < 4; boots++) {
		record = appliance_record(&box);
		for (int i = 0; slot != record.good && i < 70; i++) {
			s.now_ms += 1000;
			updates_tick(s.updates, &fine, s.now_ms);
		}
		if (three_is_good() || !sim_until(&s, asked_for_reboot, 30 * MINUTE))
			break;
		slot = appliance_boot(&box);
		sim_restart(&s, 0);
	}
	buf_clear(&document);
}

/* What was written to a file and not synced yet. */
struct unsynced {
	char path[160];
	off_t at;
	size_t len;
};
static struct unsynced lost[WRITE_MAX];
static size_t lost_len;

static bool is_ours(const char *path)
{
	return strcmp(path, box.config.boot) == 0 || strcmp(path, box.config.a) == 0 ||
	       strcmp(path, box.config.b) == 0;
}

static bool fd_path(pid_t pid, uint64_t fd, char out[160])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, (int)fd);
	ssize_t n = readlink(link, out, 159);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return is_ours(out);
}

static bool is_sync(uint64_t nr)
{
	return nr == SYS_fsync || nr == SYS_fdatasync;
}

/* A system call of the child begins: whether it is one that counts. */
static bool call_counts(pid_t pid, const struct __ptrace_syscall_info *i, char path[160])
{
	return (i->entry.nr == SYS_pwrite64 || is_sync(i->entry.nr)) && fd_path(pid, i->entry.args[0], path);
}

static void call_done(const struct __ptrace_syscall_info *i, const char *path)
{
	if (is_sync(i->entry.nr)) {
		size_t left = 0;
		for (size_t n = 0; n < lost_len; n++)
			if (strcmp(lost[n].path, path) != 0)
				lost[left++] = lost[n];
		lost_len = left;
		return;
	}
	must(lost_len < WRITE_MAX);
	struct unsynced *u = &lost[lost_len++];
	*u = (struct unsynced){ .at = (off_t)i->entry.args[3], .len = (size_t)i->entry.args[2] };
	snprintf(u->path, sizeof(u->path), "%s", path);
}

/* Runs live() in a child killed before its n-th write; false when it came to its end before. */
static bool live_until(unsigned n, bool boots_first)
{
	char path[160];
	unsigned count = 0;
	int status = 0;
	struct __ptrace_syscall_info info;
	unsigned run = runs++;
	lost_len = 0;
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(3);
		raise(SIGSTOP);
		live(run, boots_first);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	must(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	int deliver = 0;
	for (;;) {
		must(ptrace(PTRACE_SYSCALL, pid, NULL, deliver) == 0 && waitpid(pid, &status, 0) == pid);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return false;
		}
		deliver = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (deliver != 0)
			continue;
		must(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !call_counts(pid, &info, path))
			continue;
		if (++count == n)
			break;
		call_done(&info, path);
	}
	kill(pid, SIGKILL);
	must(waitpid(pid, &status, 0) == pid);
	return true;
}

static void spoil(void)
{
	for (size_t i = 0; i < lost_len; i++) {
		int fd = open(lost[i].path, O_WRONLY | O_CLOEXEC);
		must(fd >= 0);
		for (size_t at = 0; at < lost[i].len; at++)
			must(pwrite(fd, "\xa5", 1, lost[i].at + (off_t)at) == 1);
		close(fd);
	}
}

static bool holds_whole(enum slot slot)
{
	for (size_t i = 0; i < 3; i++)
		if (appliance_holds(&box, slot, buf_bytes(&images[i])))
			return true;
	return false;
}

/* Boot after boot, until nothing changes any more. */
static bool whatever_boots_is_whole(void)
{
	struct slots s = appliance_record(&box);
	bool whole = true, changed = true;
	for (int i = 0; i < 6; i++)
		whole = whole && holds_whole(slots_boot(&s, &changed));
	return whole && !changed;
}

static void cut_everywhere(bool pending, bool spoiled)
{
	unsigned n = 1;
	for (;; n++) {
		box_make(pending);
		if (!live_until(n, false))
			break;
		if (spoiled)
			spoil();
		bool whole = whatever_boots_is_whole();
		if (!whole)
			printf("\n    cut before write %u\n", n);
		CU_ASSERT_TRUE(whole);
		/* And the box goes on from there by itself. */
		CU_ASSERT_FALSE(live_until(UINT_MAX, true));
		CU_ASSERT_TRUE(three_is_good());
	}
	CU_ASSERT_TRUE(n > 10); /* there was something to cut */
	CU_ASSERT_TRUE(three_is_good());
}

static bool may_trace(void)
{
	int status = 0;
	pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", test_dir());
	for (uint8_t i = 0; i < 3; i++)
		images[i] = appliance_image((uint8_t)(i + 1), 200000U + 50000U * i, i);
}

static void teardown(void)
{
	for (size_t i = 0; i < 3; i++)
		buf_clear(&images[i]);
}

static void a_power_cut_at_any_write_leaves_a_whole_image_to_boot(void)
{
	if (!may_trace()) {
		test_skip("ptrace is not allowed here");
		return;
	}
	cut_everywhere(false, false);
	cut_everywhere(false, true);
	cut_everywhere(true, false);
	cut_everywhere(true, true);
}

static CU_TestInfo tests[] = {
	{ "a power cut at any write leaves a whole image to boot",
	  a_power_cut_at_any_write_leaves_a_whole_image_to_boot },
	CU_TEST_INFO_NULL,
};

SUITE(branch_update_power, setup, teardown, tests);
