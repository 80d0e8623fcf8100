/* An appliance with two slots, out of files, in the whole system of real parts: from the operator's file to the slot that boots. */
#include "tests/support/appliance.h"
#include "tests/support/world.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS   60000
#define SLOT_SIZE 6000000
#define IMAGE     5000000
#define HEALTHY_S 2

static struct world w;
static bool opened;
static struct world_branch *quay;
static struct appliance box;
static struct buf first;

static void slots_add(void)
{
	char path[200], dir[120];
	struct buf ini;
	const struct updates_config *c = &box.config;
	snprintf(dir, sizeof(dir), "%s/box", w.dir);
	CU_ASSERT_TRUE_FATAL(file_make_dir(dir, NULL));
	first = appliance_image(1, 100000, 1);
	appliance_make(&box, dir, SLOT_SIZE, buf_bytes(&first));
	world_branch_stop(quay, SIGTERM);
	buf_init(&ini, 65536);
	snprintf(path, sizeof(path), "%s/branch.ini", quay->dir);
	CU_ASSERT_TRUE_FATAL(file_read(path, &ini, NULL));
	buf_add_fmt(&ini,
		    "\n[update]\nboot = %s\na = %s\nb = %s\nrunning = %s\nimage = %s\nreboot = %s\nhealthy_s = %d\n"
		    "tries = 3\n",
		    c->boot, c->a, c->b, c->running, c->image, c->reboot, HEALTHY_S);
	CU_ASSERT_TRUE_FATAL(file_write(path, buf_bytes(&ini), 0600, NULL));
	buf_clear(&ini);
	world_branch_start(&w, quay);
}

static void setup(void)
{
	if (opened)
		return;
	opened = true;
	world_open(&w);
	quay = world_branch_add(&w, "quay");
	slots_add();
}

/* The initramfs, by the program that runs in it. */
static enum slot boot(void)
{
	enum slot slot = SLOT_NONE;
	struct buf out;
	buf_init(&out, 4096);
	CU_ASSERT_EQUAL(child_run_words(&out, "xinbian-slot boot %s", box.config.boot), 0);
	/* The slot is the last line; what it says on stderr comes before. */
	char name[2] = { out.len >= 2 ? (char)out.data[out.len - 2] : ' ', '\0' };
	CU_ASSERT_TRUE_FATAL(slot_of(name, &slot));
	appliance_run(&box, slot);
	buf_clear(&out);
	return slot;
}

static bool prints(void *arg)
{
	const char *const *words = arg;
	struct buf out;
	buf_init(&out, 1 << 20);
	int status = world_ctl(&w, NULL, &out, "%s", words[0]);
	bool is = status == 0 && strstr(buf_str(&out), words[1]) != NULL;
	buf_clear(&out);
	return is;
}
static bool central_says(const char *text)
{
	const char *words[] = { "--json branch list", text };
	return wait_until(prints, words, WAIT_MS);
}

static bool record_says(void *arg)
{
	struct buf out;
	buf_init(&out, 4096);
	bool is = child_run_words(&out, "xinbian-slot show %s", box.config.boot) == 0 &&
		  strstr(buf_str(&out), arg) != NULL;
	buf_clear(&out);
	return is;
}
static bool record_becomes(const char *line)
{
	char text[40];
	snprintf(text, sizeof(text), "%s", line);
	return wait_until(record_says, text, WAIT_MS);
}

static bool reboot_is_asked(void *arg)
{
	(void)arg;
	return access(box.config.reboot, F_OK) == 0;
}

/* From a file to published by two people. */
static void publish(int version, const struct buf *image)
{
	char path[160];
	int64_t id = 0;
	snprintf(path, sizeof(path), "%s/root-%d.squashfs", w.dir, version);
	CU_ASSERT_TRUE_FATAL(file_write(path, buf_bytes(image), 0600, NULL));
	struct json *draft = world_ctl_json(
		&w, "alice", "update import %s --version %d --arch arm64 --notes-zh 样例 --notes-en sample", path,
		version);
	CU_ASSERT_TRUE_FATAL(json_int(draft, "id", 1, INT64_MAX, &id, NULL));
	json_free(draft);
	world_release(&w, id);
}

static bool status_says(const char *text)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	bool is = world_branchctl(quay, &out, "status") == 0 && strstr(buf_str(&out), text) != NULL;
	if (!is)
		printf("\n    %s", buf_str(&out));
	buf_clear(&out);
	return is;
}

static void an_image_goes_from_the_operators_file_to_the_slot_that_is_good(void)
{
	struct buf image = appliance_image(2, IMAGE, 2);
	publish(2, &image);
	CU_ASSERT_TRUE_FATAL(wait_until(reboot_is_asked, NULL, WAIT_MS));
	CU_ASSERT_TRUE(appliance_holds(&box, SLOT_B, buf_bytes(&image)));
	CU_ASSERT_TRUE(appliance_holds(&box, SLOT_A, buf_bytes(&first)));
	CU_ASSERT_TRUE(central_says("\"update\":{\"state\":\"reboot\""));
	CU_ASSERT_TRUE(status_says("reboot"));
	world_branch_stop(quay, SIGTERM);
	CU_ASSERT_EQUAL(boot(), SLOT_B);
	world_branch_start(&w, quay);
	CU_ASSERT_TRUE(record_becomes("good = b"));
	CU_ASSERT_TRUE(central_says("\"slot\":\"b\",\"version\":2,\"wanted\":2,\"failed\":0"));
	CU_ASSERT_TRUE(status_says("版本 version 2 · 分区 slot b · current"));
	CU_ASSERT_FALSE(reboot_is_asked(NULL));
	world_branch_stop(quay, SIGTERM);
	CU_ASSERT_EQUAL(boot(), SLOT_B);
	world_branch_start(&w, quay);
	buf_clear(&image);
}

/* Somebody else has the port that terminals connect to: gate cannot listen, so the branch is not well. */
static int port_take(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)quay->api_port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CU_ASSERT_TRUE_FATAL(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
			     listen(fd, 1) == 0);
	return fd;
}

static void an_image_that_is_never_well_falls_back_and_central_hears_of_it(void)
{
	struct buf image = appliance_image(3, IMAGE - 70000, 3);
	publish(3, &image);
	CU_ASSERT_TRUE_FATAL(wait_until(reboot_is_asked, NULL, WAIT_MS));
	CU_ASSERT_TRUE(appliance_holds(&box, SLOT_A, buf_bytes(&image)));
	world_branch_stop(quay, SIGTERM);
	int port = port_take();
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(boot(), SLOT_A);
		world_branch_start(&w, quay);
		sleep_ms((HEALTHY_S + 2) * 1000);
		CU_ASSERT_TRUE(record_becomes("trying = a"));
		CU_ASSERT_TRUE(status_says("gate_not_listening"));
		world_branch_stop(quay, SIGKILL);
	}
	CU_ASSERT_EQUAL(boot(), SLOT_B);
	close(port);
	world_branch_start(&w, quay);
	CU_ASSERT_TRUE(record_becomes("failed_version = 3"));
	CU_ASSERT_TRUE(central_says("\"slot\":\"b\",\"version\":2,\"wanted\":3,\"failed\":3"));
	CU_ASSERT_TRUE(central_says("\"code\":\"update.failed\""));
	CU_ASSERT_TRUE(central_says("version 3 has fallen back here before"));
	sleep_ms(3000);
	CU_ASSERT_FALSE(reboot_is_asked(NULL)); /* nor is it tried again */
	CU_ASSERT_TRUE(status_says("已回退 fell back from 3"));
	/* What mends it is taken. */
	struct buf mended = appliance_image(4, IMAGE, 4);
	publish(4, &mended);
	CU_ASSERT_TRUE_FATAL(wait_until(reboot_is_asked, NULL, WAIT_MS));
	world_branch_stop(quay, SIGTERM);
	CU_ASSERT_EQUAL(boot(), SLOT_A);
	world_branch_start(&w, quay);
	CU_ASSERT_TRUE(record_becomes("good = a"));
	CU_ASSERT_TRUE(central_says("\"slot\":\"a\",\"version\":4,\"wanted\":4,\"failed\":0"));
	buf_clear(&mended);
	buf_clear(&image);
}

static void the_tool_refuses_what_no_box_could_take(void)
{
	static const struct {
		size_t cut;
		const char *arch, *version, *says;
	} bad[] = {
		{ 10, "arm64", "9", "was cut" },      { 0, "mips", "9", "neither arm64 nor amd64" },
		{ 0, "arm64", "4", "never go back" }, { 0, "arm64", "0", "version" },
		{ 0, "arm64", "x", "version" },
	};
	char path[160];
	struct buf image = appliance_image(9, 300000, 9), out;
	snprintf(path, sizeof(path), "%s/bad.squashfs", w.dir);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes part = { image.data, image.len - bad[i].cut };
		CU_ASSERT_TRUE_FATAL(file_write(path, part, 0600, NULL));
		buf_init(&out, 65536);
		CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", &out, "update import %s --version %s --arch %s", path,
					      bad[i].version, bad[i].arch),
				    0);
		CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), bad[i].says));
		buf_clear(&out);
	}
	buf_init(&out, 65536);
	CU_ASSERT_NOT_EQUAL(
		world_ctl(&w, "alice", &out, "update import central/sample/rules.json --version 9 --arch arm64"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "no squashfs"));
	buf_reset(&out);
	CU_ASSERT_NOT_EQUAL(world_ctl(&w, "alice", &out, "release rollback update-arm64 1"), 0);
	buf_clear(&out);
	buf_clear(&image);
}

/* No byte can be written: what is good boots, and nothing of the record is changed. */
static void a_try_that_cannot_be_counted_is_not_made(void)
{
	char script[200];
	struct buf out;
	struct slots before = appliance_record(&box);
	enum slot good = before.good;
	struct slots_image image = { .version = 9 };
	slots_try(&before, &image, 3);
	appliance_record_set(&box, &before);
	snprintf(script, sizeof(script),
		 "trap '' XFSZ; ulimit -f 0; \"$XINBIAN_BIN\"/xinbian-slot boot %s 2>&1 | cat", box.config.boot);
	buf_init(&out, 4096);
	CU_ASSERT_EQUAL(child_run((const char *const[]){ "/bin/sh", "-c", script, NULL }, &out), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "cannot be written"));
	CU_ASSERT_TRUE(out.len > 2 && out.data[out.len - 2] == (good == SLOT_A ? 'a' : 'b'));
	CU_ASSERT_EQUAL(appliance_record(&box).tries_left, 3);
	buf_clear(&out);
	CU_ASSERT_EQUAL(boot(), slot_other(good));
	CU_ASSERT_EQUAL(appliance_record(&box).tries_left, 2);
}

static void it_ends_cleanly(void)
{
	world_close(&w);
	buf_clear(&first);
}

static CU_TestInfo tests[] = {
	{ "an image goes from the operator's file to the slot that is good",
	  an_image_goes_from_the_operators_file_to_the_slot_that_is_good },
	{ "an image that is never well falls back and central hears of it",
	  an_image_that_is_never_well_falls_back_and_central_hears_of_it },
	{ "the tool refuses what no box could take", the_tool_refuses_what_no_box_could_take },
	{ "a try that cannot be counted is not made", a_try_that_cannot_be_counted_is_not_made },
	{ "it ends cleanly", it_ends_cleanly },
	CU_TEST_INFO_NULL,
};

SUITE(whole_update, setup, NULL, tests);
