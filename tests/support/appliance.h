/* A box with two slots out of files, for tests: slots, boot record, and what the running image says of itself. All abort on failure. */
#ifndef TESTS_SUPPORT_APPLIANCE_H
#define TESTS_SUPPORT_APPLIANCE_H

#include "firmware/updates.h"

struct appliance {
	char dir[200];
	struct updates_config config;
};

/* In dir: slots of size bytes each, a holding `first` (version 1, arm64), the record saying that a is good, a running. */
void appliance_make(struct appliance *a, const char *dir, size_t size, struct bytes first);
/* What the initramfs does: counts a try down, and says what runs. An image of these tests says its version in its first bytes
   ("hsqs", then the version as one byte), and the file that the config names says it then. */
enum slot appliance_boot(struct appliance *a);
/* The second half of it: this slot runs now. */
void appliance_run(struct appliance *a, enum slot slot);
struct slots appliance_record(const struct appliance *a);
void appliance_record_set(const struct appliance *a, const struct slots *s);
/* Whether this slot holds just this image. */
bool appliance_holds(const struct appliance *a, enum slot slot, struct bytes image);
bool appliance_reboot_asked(const struct appliance *a); /* and takes the file away */
/* An image of this version, made from a seed. */
struct buf appliance_image(uint8_t version, size_t size, uint64_t seed);
/* The document that names it. */
struct buf appliance_document(const char *arch, uint64_t version, struct bytes image);

#endif
