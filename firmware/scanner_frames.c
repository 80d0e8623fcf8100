#include "firmware/scanner_frames.h"

void scanner_frames_init(struct scanner_frames *f, void (*scanned)(void *arg, struct bytes raw), void *arg)
{
	*f = (struct scanner_frames){ .scanned = scanned, .arg = arg };
	buf_init(&f->scan, SCAN_RAW_MAX + 1);
}

void scanner_frames_clear(struct scanner_frames *f)
{
	buf_clear(&f->scan);
}

static void hand_out(struct scanner_frames *f)
{
	if (f->scan.len > 0)
		f->scanned(f->arg, buf_bytes(&f->scan));
	buf_reset(&f->scan);
	f->dropping = false;
}

void scanner_frames_add(struct scanner_frames *f, struct bytes data)
{
	for (size_t i = 0; i < data.len; i++) {
		uint8_t c = data.data[i];
		if (c == '\r' || c == '\n') {
			hand_out(f);
			continue;
		}
		if (!f->dropping)
			f->dropping = !buf_add(&f->scan, &c, 1);
	}
}

bool scanner_frames_open(const struct scanner_frames *f)
{
	return f->scan.len > 0;
}

void scanner_frames_silence(struct scanner_frames *f)
{
	hand_out(f);
}

void scanner_frames_drop(struct scanner_frames *f)
{
	buf_reset(&f->scan);
	f->dropping = false;
}
