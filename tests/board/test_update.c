/* The signed update on the emulated board: an image that does well becomes the good one; one that does not come up falls back by itself. */
#include "tests/board/box.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OUT_MAX 1048576U

static char dir[140]; /* what images are made from */

static void run(const char *const *argv)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	int status = child_run(argv, &out);
	if (status != 0)
		printf("\n    %s: %d %s\n", argv[0], status, buf_str(&out));
	CU_ASSERT_EQUAL_FATAL(status, 0);
	buf_clear(&out);
}

/* The version that the image under test bears, and the next ones. */
static int64_t version_of_image(int64_t more)
{
	char path[260];
	struct buf facts;
	buf_init(&facts, OUT_MAX);
	snprintf(path, sizeof(path), "%s/facts", box.vm.image);
	CU_ASSERT_TRUE_FATAL(file_read(path, &facts, NULL));
	const char *at = strstr(buf_str(&facts), "version=");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	int64_t version = strtoll(at + 8, NULL, 10) + more;
	buf_clear(&facts);
	return version;
}

static void put_version(const char *root, int64_t version)
{
	char path[200], text[80];
	snprintf(path, sizeof(path), "%s/etc/xinbian-image", root);
	snprintf(text, sizeof(text), "version = %lld\narch = arm64\n", (long long)version);
	CU_ASSERT_TRUE_FATAL(file_write(path, bytes_of(text), 0644, NULL));
}

static void pack(const char *root, const char *image)
{
	run((const char *const[]){ "mksquashfs", root, image, "-noappend", "-comp", "lz4", "-quiet", "-no-progress",
				   NULL });
}

/* The image that runs, but for its version. */
static void make_next(const char *image, int64_t version)
{
	char root[160], from[260];
	snprintf(root, sizeof(root), "%s/next", dir);
	snprintf(from, sizeof(from), "%s/root.squashfs", box.vm.image);
	run((const char *const[]){ "unsquashfs", "-q", "-n", "-f", "-d", root, from, NULL });
	put_version(root, version);
	pack(root, image);
	run((const char *const[]){ "rm", "-rf", root, NULL });
}

/* An image with its version and no system. */
static void make_empty(const char *image, int64_t version)
{
	char root[160], etc[180];
	snprintf(root, sizeof(root), "%s/empty", dir);
	snprintf(etc, sizeof(etc), "%s/etc", root);
	CU_ASSERT_TRUE_FATAL(file_make_dir(root, NULL) && file_make_dir(etc, NULL));
	put_version(root, version);
	pack(root, image);
}

static void publish(const char *image, int64_t version)
{
	int64_t id = 0;
	struct json *draft = world_ctl_json(
		&box.w, "alice", "update import %s --version %lld --arch arm64 --notes-zh 样例 --notes-en sample",
		image, (long long)version);
	CU_ASSERT_TRUE_FATAL(json_int(draft, "id", 1, INT64_MAX, &id, NULL));
	json_free(draft);
	world_release(&box.w, id);
}

struct state {
	const char *state, *slot;
	int64_t version, failed;
};
static bool status_is(void *arg)
{
	const struct state *wanted = arg;
	struct buf out;
	const char *state = "", *slot = "";
	int64_t version = 0, failed = 0;
	buf_init(&out, OUT_MAX);
	int status = world_https(&box.w, box.branch, "GET", "/v1/status", NULL, &out);
	struct json *j = status == 200 ? json_parse(buf_bytes(&out), NULL) : NULL;
	const struct json *u = j != NULL ? json_get(j, "update") : NULL;
	bool is = u != NULL && json_text(u, "state", 20, &state, NULL) && json_text(u, "slot", 4, &slot, NULL) &&
		  json_int(u, "version", 0, INT64_MAX, &version, NULL) &&
		  json_int(u, "failed", 0, INT64_MAX, &failed, NULL) && strcmp(state, wanted->state) == 0 &&
		  strcmp(slot, wanted->slot) == 0 && version == wanted->version && failed == wanted->failed;
	json_free(j);
	buf_clear(&out);
	return is;
}
static bool status_becomes(const char *state, const char *slot, int64_t version, int64_t failed)
{
	struct state s = { state, slot, version, failed };
	bool is = false;
	for (int i = 0; i < 2 && !is; i++) /* a boot and a minute of doing well */
		is = box_wait(status_is, &s);
	if (!is)
		vm_tail(&box.vm);
	return is;
}

static bool central_says(void *arg)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	bool is = world_ctl(&box.w, NULL, &out, "--json branch list") == 0 && strstr(buf_str(&out), arg) != NULL;
	buf_clear(&out);
	return is;
}

static void an_update_is_written_tried_and_kept(void)
{
	char image[180];
	if (!box_ready())
		return;
	snprintf(dir, sizeof(dir), "%s", test_dir());
	snprintf(image, sizeof(image), "%s/next.squashfs", dir);
	make_next(image, version_of_image(1));
	int64_t began_ms = now_ms();
	publish(image, version_of_image(1));
	CU_ASSERT_TRUE_FATAL(status_becomes("current", "b", version_of_image(1), 0));
	printf("[%.0f s from published to proven] ", (double)(now_ms() - began_ms) / 1000);
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse");
}

static void an_image_that_does_not_come_up_falls_back_by_itself_and_central_hears_of_it(void)
{
	char image[180], alarm[] = "\"code\":\"update.failed\"";
	if (!box_ready())
		return;
	snprintf(image, sizeof(image), "%s/empty.squashfs", dir);
	make_empty(image, version_of_image(2));
	publish(image, version_of_image(2));
	CU_ASSERT_TRUE_FATAL(status_becomes("refused", "b", version_of_image(1), version_of_image(2)));
	CU_ASSERT_STRING_EQUAL(box_check(0), "refuse");
	CU_ASSERT_TRUE(box_wait(central_says, alarm));
}

static CU_TestInfo tests[] = {
	{ "an update is written, tried and kept", an_update_is_written_tried_and_kept },
	{ "an image that does not come up falls back by itself, and central hears of it",
	  an_image_that_does_not_come_up_falls_back_by_itself_and_central_hears_of_it },
	CU_TEST_INFO_NULL,
};
SUITE(image_update, NULL, NULL, tests);
