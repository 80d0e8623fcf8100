/*
 * The scanners on this box: serial ones (CDC-ACM, the recommended mode: the code's bytes as they are) and keyboard wedges, taken from the
 * rest of the system (EVIOCGRAB) and decoded here. One that is missing, unplugged, not permitted or held by another program is tried
 * again each second and said in the status; it never stops anything else. firmware/udev/60-xinbian-scanner.rules keeps ModemManager away.
 */
#ifndef FIRMWARE_SCANNER_H
#define FIRMWARE_SCANNER_H

#include "protocol/base/buf.h"
#include "protocol/base/limits.h"
#include "protocol/base/loop.h"

#define SCANNERS_MAX     8
#define SCANNER_RETRY_MS 1000

/* branch.ini: [scanner-1] … [scanner-8] device = /dev/ttyACM0, type = serial|keyboard, terminal = kiosk-1, business = open_account */
struct scanner_config {
	char name[NAME_MAX_LEN + 1]; /* the section's */
	char device[108];            /* "" not used */
	bool keyboard;
	bool shared; /* a keyboard is not grabbed: for recorded events in tests */
	char terminal[NAME_MAX_LEN + 1];
	char business[NAME_MAX_LEN + 1]; /* "" said by the terminal */
};

struct scanner_info {
	const struct scanner_config *config; /* borrowed */
	bool connected;
	uint64_t scans;
	char fault[120]; /* "" while connected */
};

struct scanner;
/* config is borrowed. scanned: the bytes as they came, without their terminator. */
struct scanner *scanner_open(struct loop *l, const struct scanner_config *config,
			     void (*scanned)(void *arg, const struct scanner_config *c, struct bytes raw), void *arg);
void scanner_close(struct scanner *s); /* NULL is fine */
void scanner_info(const struct scanner *s, struct scanner_info *out);

#endif
