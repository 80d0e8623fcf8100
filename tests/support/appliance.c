#include "tests/support/appliance.h"

#include "protocol/base/file.h"
#include "tests/support/documents.h"
#include "tests/support/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void write_text(const char *path, const char *text)
{
	must(file_write(path, bytes_of(text), 0600, NULL));
}

static const char *path_of(const struct appliance *a, enum slot slot)
{
	return slot == SLOT_A ? a->config.a : a->config.b;
}

void appliance_make(struct appliance *a, const char *dir, size_t size, struct bytes first)
{
	struct updates_config *c = &a->config;
	struct slots s = { .good = SLOT_A };
	int fd = -1;
	snprintf(a->dir, sizeof(a->dir), "%s", dir);
	*c = (struct updates_config){ .healthy_s = 60, .tries = 3 };
	snprintf(c->boot, sizeof(c->boot), "%.100s/boot", dir);
	snprintf(c->a, sizeof(c->a), "%.100s/slot-a", dir);
	snprintf(c->b, sizeof(c->b), "%.100s/slot-b", dir);
	snprintf(c->running, sizeof(c->running), "%.100s/running", dir);
	snprintf(c->image, sizeof(c->image), "%.100s/image", dir);
	snprintf(c->reboot, sizeof(c->reboot), "%.100s/run/reboot", dir);
	must(file_write(c->a, first, 0600, NULL) && file_write(c->b, bytes_of(""), 0600, NULL));
	must(truncate(c->a, (off_t)size) == 0 && truncate(c->b, (off_t)size) == 0);
	must(slots_open(c->boot, true, &fd, NULL) && slots_write(fd, &s, NULL) && slots_write(fd, &s, NULL));
	close(fd);
	must(appliance_boot(a) == SLOT_A);
}

struct slots appliance_record(const struct appliance *a)
{
	struct slots s = { .good = SLOT_NONE };
	int fd = -1;
	must(slots_open(a->config.boot, false, &fd, NULL) && slots_read(fd, &s, NULL));
	close(fd);
	return s;
}

void appliance_record_set(const struct appliance *a, const struct slots *s)
{
	struct slots next = *s;
	int fd = -1;
	must(slots_open(a->config.boot, false, &fd, NULL) && slots_write(fd, &next, NULL));
	close(fd);
}

enum slot appliance_boot(struct appliance *a)
{
	struct slots s = appliance_record(a);
	bool changed = false;
	enum slot slot = slots_boot(&s, &changed);
	if (changed)
		appliance_record_set(a, &s);
	appliance_run(a, slot);
	return slot;
}

void appliance_run(struct appliance *a, enum slot slot)
{
	uint8_t head[5] = { 0 };
	char text[64];
	FILE *f = fopen(path_of(a, slot), "rb");
	must(f != NULL && fread(head, 1, sizeof(head), f) == sizeof(head) && memcmp(head, "hsqs", 4) == 0);
	fclose(f);
	snprintf(text, sizeof(text), "%s\n", slot_name(slot));
	write_text(a->config.running, text);
	snprintf(text, sizeof(text), "name = test\nversion = %u\narch = arm64\n", head[4]);
	write_text(a->config.image, text);
	(void)unlink(a->config.reboot);
}

bool appliance_holds(const struct appliance *a, enum slot slot, struct bytes image)
{
	struct file_map map;
	must(file_map(path_of(a, slot), &map, NULL));
	bool same = map.bytes.len >= image.len && memcmp(map.bytes.data, image.data, image.len) == 0;
	file_unmap(&map);
	return same;
}

bool appliance_reboot_asked(const struct appliance *a)
{
	return unlink(a->config.reboot) == 0;
}

struct buf appliance_image(uint8_t version, size_t size, uint64_t seed)
{
	struct buf out;
	buf_init(&out, size);
	uint8_t *at = buf_grow(&out, size);
	must(at != NULL);
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)set_random(&seed);
	/* The rest of a superblock as far as central looks at it: 4.0, and the bytes used. */
	memcpy(at, "hsqs", 4);
	at[4] = version;
	at[28] = 4;
	at[29] = 0;
	for (int i = 0; i < 8; i++)
		at[40 + i] = (uint8_t)(size >> (8 * i));
	return out;
}

struct buf appliance_document(const char *arch, uint64_t version, struct bytes image)
{
	struct object_ref ref;
	char json[600], hash[2 * HASH_LEN + 1], chunks[2 * HASH_LEN + 1];
	object_refer(image, &ref, NULL);
	hex_encode(ref.hash, HASH_LEN, hash);
	hex_encode(ref.chunks_hash, HASH_LEN, chunks);
	snprintf(json, sizeof(json),
		 "{'type':'update','arch':'%s','version':%llu,'object':{'sha256':'%s','chunks_sha256':'%s',"
		 "'size_bytes':%llu},'title':{'zh':'样例','en':'sample'}}",
		 arch, (unsigned long long)version, hash, chunks, (unsigned long long)ref.size);
	return cbor_of(json, NULL);
}
