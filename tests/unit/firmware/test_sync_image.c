/* An appliance's image over the simulated line. */
#include "protocol/base/file.h"
#include "tests/support/appliance.h"
#include "tests/support/simulation.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)
#define NAME   "update-arm64"
#define SIZE   2000000 /* of a slot */
#define IMAGE  2000000 /* 31 chunks: with a slot of 32 */
#define CHUNKS 31

static struct sim s;
static struct appliance box;
static struct buf first, second;

static void setup(void)
{
	first = appliance_image(1, 1000000, 1);
	second = appliance_image(2, IMAGE, 2);
	sim_init(&s, test_dir(), 1);
	appliance_make(&box, s.dir, SIZE, buf_bytes(&first));
	s.slots = box.config;
	sim_restart(&s, 0);
}

static void teardown(void)
{
	sim_clear(&s);
	buf_clear(&first);
	buf_clear(&second);
}

static struct status_update status(const struct sim *sim)
{
	struct updates_info i;
	updates_info(sim->updates, &i);
	return i.status;
}

/* The document, and beside it the image's object. */
static void publish(const char *arch, uint64_t document_version, uint64_t version, const struct buf *image)
{
	struct buf document = appliance_document(arch, version, buf_bytes(image));
	(void)publisher_put(&s.objects, buf_bytes(image));
	sim_document(&s, NAME, document_version, buf_bytes(&document));
	sim_publish(&s);
	buf_clear(&document);
}

static bool asked_for_reboot(struct sim *sim)
{
	return status(sim).state == UPDATE_REBOOT;
}

static bool is_refused(struct sim *sim)
{
	return status(sim).state == UPDATE_REFUSED;
}

static bool is_whole(void)
{
	struct slots record = appliance_record(&box);
	return record.good == SLOT_A && record.trying == SLOT_B && record.tries_left == 3 &&
	       record.tried.version == 2 && appliance_holds(&box, SLOT_B, buf_bytes(&second)) &&
	       appliance_holds(&box, SLOT_A, buf_bytes(&first));
}

static bool is_untouched(void)
{
	static const uint8_t nothing[SIZE];
	struct slots record = appliance_record(&box);
	return record.good == SLOT_A && record.trying == SLOT_NONE && !appliance_reboot_asked(&box) &&
	       appliance_holds(&box, SLOT_B, (struct bytes){ nothing, sizeof(nothing) }) &&
	       appliance_holds(&box, SLOT_A, buf_bytes(&first));
}

static void an_image_ends_whole_in_the_other_slot_and_a_reboot_is_asked_for(void)
{
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, 5 * MINUTE));
	CU_ASSERT_TRUE(is_whole());
	CU_ASSERT_TRUE(appliance_reboot_asked(&box));
	sim_run(&s, 10000);
	CU_ASSERT_EQUAL(s.status.update.state, UPDATE_REBOOT); /* central hears of it */
	CU_ASSERT_EQUAL(s.status.update.version, 1);
	CU_ASSERT_EQUAL(s.status.update.wanted, 2);
	CU_ASSERT_EQUAL(sim_info(&s).faults, 0);
	CU_ASSERT_EQUAL(appliance_boot(&box), SLOT_B);
	sim_restart(&s, 0);
	sim_run(&s, 10000);
	CU_ASSERT_EQUAL(s.status.update.state, UPDATE_TRIAL);
	CU_ASSERT_EQUAL(s.status.update.version, 2);
	CU_ASSERT_TRUE(s.status.update.slot_b);
}

static void over_a_line_that_loses_bends_and_breaks_it_ends_whole(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		uint64_t dice = seed;
		if (seed > 1) {
			teardown();
			setup();
		}
		s.lose = (unsigned)(set_random(&dice) % 30);
		s.twice = (unsigned)(set_random(&dice) % 30);
		s.bend = (unsigned)(set_random(&dice) % 20);
		s.delay_ms = (int64_t)(set_random(&dice) % 2000);
		publish("arm64", 1, 2, &second);
		for (int i = 0; i < 12; i++) {
			sim_line(&s, i % 3 != 2);
			sim_run(&s, (int64_t)(set_random(&dice) % (2 * MINUTE)));
			if (set_random(&dice) % 3 == 0)
				sim_restart(&s, 0);
			if (set_random(&dice) % 4 == 0)
				sim_forget(&s);
			sim_publish(&s);
		}
		sim_line(&s, true);
		CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, 6 * HOUR));
		CU_ASSERT_TRUE(is_whole());
	}
}

static uint64_t chunks_wanted;

static bool some_chunks(struct sim *sim)
{
	return sim_info(sim).chunks >= chunks_wanted;
}

static void after_a_restart_only_what_is_missing_comes(void)
{
	s.chunk_ms = 1000;
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	chunks_wanted = 20;
	CU_ASSERT_TRUE(sim_until(&s, some_chunks, HOUR));
	sim_restart(&s, 0);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, HOUR));
	CU_ASSERT_TRUE(sim_info(&s).chunks <= CHUNKS + 2 - 17);
	CU_ASSERT_TRUE(is_whole());
}

static void what_the_slot_holds_already_need_not_come(void)
{
	int fd = open(box.config.b, O_WRONLY | O_CLOEXEC);
	size_t part = 20 * OBJECT_CHUNK;
	CU_ASSERT_TRUE_FATAL(fd >= 0 && pwrite(fd, second.data, part, 0) == (ssize_t)part);
	close(fd);
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, 5 * MINUTE));
	CU_ASSERT_EQUAL(sim_info(&s).chunks, 1 + 1 + CHUNKS - 20); /* the document, the list, and the rest */
	CU_ASSERT_TRUE(is_whole());
}

/* What is no image for this box: the document comes, and nothing besides. */
static void refused(const char *arch, uint64_t version, const struct buf *image, const char *says)
{
	publish(arch, 1, version, image);
	sim_line(&s, true);
	bool ok = sim_until(&s, is_refused, 5 * MINUTE) && strstr(status(&s).fault, says) != NULL;
	if (!ok)
		printf("\n    %s\n", status(&s).fault);
	CU_ASSERT_TRUE(ok);
	sim_run(&s, 5 * MINUTE);
	CU_ASSERT_EQUAL(sim_info(&s).chunks, 1);
	CU_ASSERT_TRUE(is_untouched());
	CU_ASSERT_EQUAL(s.status.update.state, UPDATE_REFUSED); /* and central hears why */
	CU_ASSERT_PTR_NOT_NULL(strstr(s.status.update.fault, says));
}

static void an_image_for_others_is_not_fetched(void)
{
	refused("amd64", 2, &second, "for amd64");
}

static void an_image_that_does_not_fit_is_not_fetched(void)
{
	struct buf large = appliance_image(2, SIZE + 1, 3);
	refused("arm64", 2, &large, "do not fit");
	buf_clear(&large);
}

static void an_older_image_is_not_fetched(void)
{
	CU_ASSERT_TRUE(file_write(box.config.image, bytes_of("version = 3\narch = arm64\n"), 0600, NULL));
	sim_restart(&s, 0);
	refused("arm64", 2, &second, "older than version 3");
}

static void an_image_that_fell_back_here_is_not_fetched_again(void)
{
	struct slots record = appliance_record(&box);
	record.failed.version = 2;
	sha256(buf_bytes(&second), record.failed.hash);
	appliance_record_set(&box, &record);
	sim_restart(&s, 0);
	refused("arm64", 2, &second, "fallen back");
	CU_ASSERT_EQUAL(s.status.update.failed, 2);
}

static void a_head_under_another_key_brings_no_image(void)
{
	uint8_t other[SCALAR_LEN], point[POINT_LEN];
	struct buf document = appliance_document("arm64", 2, buf_bytes(&second));
	(void)publisher_put(&s.objects, buf_bytes(&second));
	sim_document(&s, NAME, 1, buf_bytes(&document));
	s.silent = true;
	sim_line(&s, true);
	struct head h = sim_head(&s);
	key_new(&random_system, other, point);
	sim_send_head(&s, &h, other);
	sim_run(&s, 5 * MINUTE);
	CU_ASSERT_EQUAL(sim_info(&s).heads_refused, 1);
	CU_ASSERT_EQUAL(sim_info(&s).chunks, 0);
	CU_ASSERT_EQUAL(status(&s).wanted, 0);
	CU_ASSERT_TRUE(is_untouched());
	head_clear(&h);
	buf_clear(&document);
}

static void bent_chunks_are_fetched_again(void)
{
	uint8_t hash[HASH_LEN];
	publish("arm64", 1, 2, &second);
	sha256(buf_bytes(&second), hash);
	struct buf *three = sim_retained_chunk(&s, hash, 3), *last = sim_retained_chunk(&s, hash, CHUNKS - 1);
	CU_ASSERT_TRUE_FATAL(three != NULL && last != NULL);
	three->data[1000] ^= 1;
	last->len -= 7;
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, 10 * MINUTE));
	CU_ASSERT_TRUE(sim_info(&s).chunks_refused >= 2);
	CU_ASSERT_TRUE(is_whole());
}

/* The chunks have the hashes that the list says, but the whole has not the one that the document says. */
static void an_image_whose_hash_is_another_is_never_tried(void)
{
	struct object_ref ref;
	struct buf list, document = appliance_document("arm64", 2, buf_bytes(&second));
	char right[2 * HASH_LEN + 1], wrong[2 * HASH_LEN + 1];
	buf_init(&list, OBJECT_LIST_MAX);
	object_refer(buf_bytes(&second), &ref, &list);
	hex_encode(ref.hash, HASH_LEN, right);
	ref.hash[0] ^= 1;
	hex_encode(ref.hash, HASH_LEN, wrong);
	uint8_t *at = memmem(document.data, document.len, right, 2 * HASH_LEN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	memcpy(at, wrong, 2 * HASH_LEN);
	sim_document(&s, NAME, 1, buf_bytes(&document));
	sim_publish(&s);
	for (int64_t chunk = -1; chunk < CHUNKS; chunk++) {
		char topic[OBJECT_TOPIC_MAX];
		struct bytes data = buf_bytes(&list);
		object_topic(ref.hash, chunk, topic);
		if (chunk >= 0)
			data = (struct bytes){ second.data + chunk * OBJECT_CHUNK,
					       object_chunk_size(ref.size, (uint32_t)chunk) };
		sim_broadcast(&s, topic, data, true);
	}
	sim_line(&s, true);
	sim_run(&s, 10 * MINUTE);
	CU_ASSERT_TRUE(sim_info(&s).chunks >= CHUNKS);
	CU_ASSERT_EQUAL(appliance_record(&box).trying, SLOT_NONE);
	CU_ASSERT_FALSE(appliance_reboot_asked(&box));
	CU_ASSERT_PTR_NOT_NULL(strstr(s.status.update.fault, "does not have the hash"));
	/* The next document is taken all the same. */
	publish("arm64", 2, 2, &second);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, HOUR));
	CU_ASSERT_TRUE(is_whole());
	buf_clear(&list);
	buf_clear(&document);
}

static bool list_is_new(struct sim *sim)
{
	return sim_list(sim, "black-sample").version == sim->publishers[0]->editions_len;
}

static void a_list_does_not_wait_for_an_image(void)
{
	struct publisher p;
	struct set entries = set_new(3000, 1);
	publisher_init(&p, "black-sample", 3);
	publisher_release(&p, &entries);
	sim_add(&s, &p);
	s.chunk_ms = 5000;
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	CU_ASSERT_TRUE(sim_until(&s, list_is_new, MINUTE)); /* before the first chunk of the image */
	CU_ASSERT_TRUE(sim_info(&s).chunks <= 4);
	for (uint64_t i = 0; i < 3; i++) {
		chunks_wanted = sim_info(&s).chunks + 6;
		CU_ASSERT_TRUE(sim_until(&s, some_chunks, HOUR));
		CU_ASSERT_NOT_EQUAL(status(&s).state, UPDATE_REBOOT);
		publisher_change(&p, 20, 7 + i);
		sim_publish(&s);
		/* What was asked for already may come first; then the list's index and delta. */
		CU_ASSERT_TRUE(sim_until(&s, list_is_new, (FETCH_WINDOW_IMAGE + 6) * s.chunk_ms));
		CU_ASSERT_NOT_EQUAL(status(&s).state, UPDATE_REBOOT);
	}
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, HOUR));
	CU_ASSERT_TRUE(is_whole());
	set_free(&entries);
	publisher_clear(&p);
}

static void a_newer_document_in_the_midst_of_a_fetch_is_followed(void)
{
	struct buf third = appliance_image(3, IMAGE, 3);
	s.chunk_ms = 1000;
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	chunks_wanted = 12;
	CU_ASSERT_TRUE(sim_until(&s, some_chunks, HOUR));
	publish("arm64", 2, 3, &third);
	CU_ASSERT_TRUE(sim_until(&s, asked_for_reboot, HOUR));
	CU_ASSERT_TRUE(appliance_holds(&box, SLOT_B, buf_bytes(&third)));
	CU_ASSERT_EQUAL(appliance_record(&box).tried.version, 3);
	buf_clear(&third);
}

static void without_slots_nothing_is_fetched_and_nothing_said(void)
{
	s.slots = (struct updates_config){ .boot = "" };
	sim_restart(&s, 0);
	publish("arm64", 1, 2, &second);
	sim_line(&s, true);
	sim_run(&s, 5 * MINUTE);
	CU_ASSERT_EQUAL(sim_info(&s).chunks, 1);
	CU_ASSERT_EQUAL(s.status.update.state, UPDATE_NONE);
	CU_ASSERT_TRUE(is_untouched());
}

static CU_TestInfo tests[] = {
	{ "an image ends whole in the other slot and a reboot is asked for",
	  an_image_ends_whole_in_the_other_slot_and_a_reboot_is_asked_for },
	{ "over a line that loses, bends and breaks it ends whole",
	  over_a_line_that_loses_bends_and_breaks_it_ends_whole },
	{ "after a restart only what is missing comes", after_a_restart_only_what_is_missing_comes },
	{ "what the slot holds already need not come", what_the_slot_holds_already_need_not_come },
	{ "an image for others is not fetched", an_image_for_others_is_not_fetched },
	{ "an image that does not fit is not fetched", an_image_that_does_not_fit_is_not_fetched },
	{ "an older image is not fetched", an_older_image_is_not_fetched },
	{ "an image that fell back here is not fetched again", an_image_that_fell_back_here_is_not_fetched_again },
	{ "a head under another key brings no image", a_head_under_another_key_brings_no_image },
	{ "bent chunks are fetched again", bent_chunks_are_fetched_again },
	{ "an image whose hash is another is never tried", an_image_whose_hash_is_another_is_never_tried },
	{ "a list does not wait for an image", a_list_does_not_wait_for_an_image },
	{ "a newer document in the midst of a fetch is followed",
	  a_newer_document_in_the_midst_of_a_fetch_is_followed },
	{ "without slots nothing is fetched and nothing said", without_slots_nothing_is_fetched_and_nothing_said },
	CU_TEST_INFO_NULL,
};

SUITE(branch_sync_image, setup, teardown, tests);
