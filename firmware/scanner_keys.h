/*
 * A keyboard-wedge scanner's key events → characters, as a US keyboard means them: decoded by ourselves, so neither the host's layout
 * nor an input method touches the text. Pure: events as the kernel gives them (linux/input.h). Lock keys count for nothing, a key
 * that repeats by itself counts once, Enter (either) ends a scan; Alt held while digits are typed on the keypad is the character of that
 * number, as some scanners send what has no key.
 */
#ifndef FIRMWARE_SCANNER_KEYS_H
#define FIRMWARE_SCANNER_KEYS_H

#include "firmware/scanner_frames.h"

#include <linux/input.h>

struct scanner_keys {
	struct scanner_frames *frames; /* borrowed */
	bool shift_left, shift_right, alt;
	unsigned alt_number, alt_digits;
	bool lost; /* the kernel dropped events: the scan is not whole */
};
void scanner_keys_init(struct scanner_keys *k, struct scanner_frames *frames);
void scanner_keys_event(struct scanner_keys *k, const struct input_event *v);

#endif
