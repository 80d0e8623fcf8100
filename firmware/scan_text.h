/*
 * What a scanner or a keyboard delivered → the text that stood in the code, or why there is none.
 *
 * Taken away: a symbology identifier (AIM, "]Q1" "]d2" "]L0" …), a byte order mark, terminators (CR, LF, Tab, NUL) at the ends. Put right
 * where the way back is certain: full-width forms, lower case (caps lock), and text typed under another layout than the US one that
 * scanners send keys for. A space is a character of base45: none is ever taken away, wherever it stands.
 */
#ifndef FIRMWARE_SCAN_TEXT_H
#define FIRMWARE_SCAN_TEXT_H

#include "protocol/base/buf.h"
#include "protocol/base/limits.h"

enum scan_text_result {
	SCAN_TEXT_CLEAN,    /* as it came, but for what is around it */
	SCAN_TEXT_REPAIRED, /* hint says by what */
	SCAN_TEXT_DAMAGED,  /* a certificate's text that cannot be restored; hint says why */
	SCAN_TEXT_FOREIGN,  /* begins as no certificate does under any layout: another code */
};

enum scan_text_hint {
	SCAN_HINT_NONE,
	SCAN_HINT_EMPTY,
	SCAN_HINT_TOO_LONG,
	SCAN_HINT_CUT_OFF,    /* the end is missing */
	SCAN_HINT_LETTERS,    /* letters were changed or lost */
	SCAN_HINT_LAYOUT,     /* a keyboard layout changed letters */
	SCAN_HINT_CAPS_LOCK,  /* caps lock, or a scanner set to lower case */
	SCAN_HINT_FULL_WIDTH, /* an input method was on */
};
#define SCAN_HINT_LAST SCAN_HINT_FULL_WIDTH

struct scan_text {
	enum scan_text_result result;
	enum scan_text_hint hint;
	const char *layout; /* of SCAN_HINT_LAYOUT when repaired: "de", "fr", "ru" …; otherwise "" */
};

/* Whether a candidate could be what stood in the code (its check sum fits): asked where more than one is possible. */
struct scan_text_judge {
	bool (*plausible)(void *arg, struct bytes text);
	void *arg;
};
/* The text is appended to out unless the result is DAMAGED. raw is at most SCAN_RAW_MAX bytes; more is TOO_LONG. */
#define SCAN_RAW_MAX ((size_t)4 * ECERT_TEXT_MAX)
void scan_text_repair(struct bytes raw, const struct scan_text_judge *judge, struct buf *out,
		      struct scan_text *result);

#endif
