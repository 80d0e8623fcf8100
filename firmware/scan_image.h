/*
 * A picture's bytes → the text of the one QR code in it. PNG and JPEG are read and searched in a process of their own: this program run
 * again as "image", with nothing of the branch's memory, no files, no sockets, bounded memory and time. What comes in from outside as
 * a picture can break that process and no more. Nothing here blocks the loop.
 */
#ifndef FIRMWARE_SCAN_IMAGE_H
#define FIRMWARE_SCAN_IMAGE_H

#include "protocol/base/buf.h"
#include "protocol/base/limits.h"
#include "protocol/base/loop.h"

#define SCAN_IMAGE_ROLE       "image" /* argv[1] of the child */
#define SCAN_IMAGE_PIXELS_MAX 40000000U
#define SCAN_IMAGE_WAIT_MS    8000

enum scan_image_fault {
	SCAN_IMAGE_OK,
	SCAN_IMAGE_NOT_ONE, /* neither PNG nor JPEG, or damaged */
	SCAN_IMAGE_TOO_LARGE,
	SCAN_IMAGE_NO_CODE,
	SCAN_IMAGE_SEVERAL, /* codes that differ */
	SCAN_IMAGE_FAILED,  /* the process ended or took too long */
};
#define SCAN_IMAGE_FAULT_LAST SCAN_IMAGE_FAILED
const char *scan_image_fault_text(enum scan_image_fault f); /* Chinese, then English */

struct scan_image;
typedef void scan_image_done(void *arg, enum scan_image_fault fault, struct bytes text);
/* Calls done once, in a later turn, unless it is cancelled; the scan_image is gone then. NULL on failure. image is copied. */
struct scan_image *scan_image_start(struct loop *l, struct bytes image, scan_image_done *done, void *arg,
				    struct err *e) CHECKED;
void scan_image_cancel(struct scan_image *s); /* NULL is fine */

/* The child's main: the picture on descriptor 0, the answer to CHANNEL_FD, a socket as of all our children. */
int scan_image_main(void);

#endif
