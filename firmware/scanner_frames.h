/* A serial scanner's bytes → scans. Pure: the caller says when the line fell silent. */
#ifndef FIRMWARE_SCANNER_FRAMES_H
#define FIRMWARE_SCANNER_FRAMES_H

#include "firmware/scan_text.h"

#define SCANNER_GAP_MS 150 /* a scanner that sends no terminator is through after so long */

/* A scan ends with CR, LF or both, or when the line falls silent. One that is longer than SCAN_RAW_MAX is handed out cut one byte above
   it, so that it is told for what it is, and the rest up to its end is dropped. */
struct scanner_frames {
	struct buf scan; /* owned */
	bool dropping;
	void (*scanned)(void *arg, struct bytes raw);
	void *arg;
};
void scanner_frames_init(struct scanner_frames *f, void (*scanned)(void *arg, struct bytes raw), void *arg);
void scanner_frames_clear(struct scanner_frames *f);
void scanner_frames_add(struct scanner_frames *f, struct bytes data);
/* Whether silence would end a scan now. */
bool scanner_frames_open(const struct scanner_frames *f);
void scanner_frames_silence(struct scanner_frames *f);
/* What there is of a scan is lost: the device has gone. */
void scanner_frames_drop(struct scanner_frames *f);

#endif
