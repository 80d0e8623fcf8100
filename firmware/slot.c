/*
 * xinbian-slot: the boot record of the appliance's two root slots, for its initramfs and for making its disk. Static, and nothing of
 * the branch in it but slots.c. What "boot" prints is the slot to mount, always: a record that is of no use, or that cannot be
 * counted down, must not keep a box from booting. Why is said on stderr.
 */
#include "firmware/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct err *e)
{
	fprintf(stderr, "xinbian-slot: %s\n", e->text);
	return 1;
}

/* Of a record that cannot be written the good slot, since no try can be counted. */
static enum slot boot_good(const char *path)
{
	struct slots s = { .good = SLOT_A };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return SLOT_A;
	bool ok = slots_read(fd, &s, NULL);
	close(fd);
	return ok ? s.good : SLOT_A;
}

/* A try that could not be counted durably is not made: it might be made for ever. */
static enum slot boot_choose(const char *path, struct err *e)
{
	struct slots s, next;
	bool changed = false;
	int fd = -1;
	if (!slots_open(path, false, &fd, e))
		return boot_good(path);
	enum slot slot = SLOT_A;
	if (slots_read(fd, &s, e)) {
		next = s;
		slot = slots_boot(&next, &changed);
		if (changed && !slots_write(fd, &next, e))
			slot = s.good;
		else if (changed && slot == s.good)
			err_set(e, ERR_STALE, "version %llu has fallen back to slot %s",
				(unsigned long long)next.failed.version, slot_name(slot));
	}
	close(fd);
	return slot;
}

static int boot(const char *path)
{
	struct err e = { 0 };
	enum slot slot = boot_choose(path, &e);
	if (e.code != ERR_NONE)
		fprintf(stderr, "xinbian-slot: %s; slot %s boots\n", e.text, slot_name(slot));
	printf("%s\n", slot_name(slot));
	return fflush(stdout) == 0 ? 0 : 1;
}

static void image_print(const char *what, const struct slots_image *v)
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(v->hash, HASH_LEN, hex);
	printf("%s_version = %llu\n%s_sha256 = %s\n", what, (unsigned long long)v->version, what, hex);
}

static int show(const char *path)
{
	struct slots s;
	struct err e = { 0 };
	int fd = -1;
	if (!slots_open(path, false, &fd, &e))
		return fail(&e);
	bool ok = slots_read(fd, &s, &e);
	close(fd);
	if (!ok)
		return fail(&e);
	printf("good = %s\ntrying = %s\ntries_left = %u\n", slot_name(s.good), slot_name(s.trying), s.tries_left);
	if (s.trying != SLOT_NONE)
		image_print("tried", &s.tried);
	if (s.failed.version != 0)
		image_print("failed", &s.failed);
	printf("sequence = %llu\n", (unsigned long long)s.sequence);
	return 0;
}

/* Both sectors alike, so that neither holds what was there before. */
static int init(const char *path, const char *slot)
{
	struct slots s = { .sequence = 0 };
	struct err e = { 0 };
	int fd = -1;
	if (!slot_of(slot, &s.good)) {
		err_set(&e, ERR_INPUT, "--slot: expected a or b");
		return fail(&e);
	}
	if (!slots_open(path, true, &fd, &e))
		return fail(&e);
	bool ok = true;
	for (int i = 0; ok && i < 2; i++)
		ok = slots_write(fd, &s, &e);
	close(fd);
	return ok ? 0 : fail(&e);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "boot") == 0)
		return boot(argv[2]);
	if (argc == 3 && strcmp(argv[1], "show") == 0)
		return show(argv[2]);
	if (argc == 3 && strcmp(argv[1], "init") == 0)
		return init(argv[2], "a");
	if (argc == 5 && strcmp(argv[1], "init") == 0 && strcmp(argv[3], "--slot") == 0)
		return init(argv[2], argv[4]);
	fprintf(stderr, "用法 usage: xinbian-slot boot FILE | show FILE | init FILE [--slot a|b]\n");
	return 2;
}
