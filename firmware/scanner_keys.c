#include "firmware/scanner_keys.h"

#include <string.h>

#define LOST 0x7f /* stands in no code: the scan is told to be damaged */

/* Plain and with shift. */
static const char keys[][2] = {
	[KEY_1] = { '1', '!' },          [KEY_2] = { '2', '@' },           [KEY_3] = { '3', '#' },
	[KEY_4] = { '4', '$' },          [KEY_5] = { '5', '%' },           [KEY_6] = { '6', '^' },
	[KEY_7] = { '7', '&' },          [KEY_8] = { '8', '*' },           [KEY_9] = { '9', '(' },
	[KEY_0] = { '0', ')' },          [KEY_MINUS] = { '-', '_' },       [KEY_EQUAL] = { '=', '+' },
	[KEY_Q] = { 'q', 'Q' },          [KEY_W] = { 'w', 'W' },           [KEY_E] = { 'e', 'E' },
	[KEY_R] = { 'r', 'R' },          [KEY_T] = { 't', 'T' },           [KEY_Y] = { 'y', 'Y' },
	[KEY_U] = { 'u', 'U' },          [KEY_I] = { 'i', 'I' },           [KEY_O] = { 'o', 'O' },
	[KEY_P] = { 'p', 'P' },          [KEY_LEFTBRACE] = { '[', '{' },   [KEY_RIGHTBRACE] = { ']', '}' },
	[KEY_A] = { 'a', 'A' },          [KEY_S] = { 's', 'S' },           [KEY_D] = { 'd', 'D' },
	[KEY_F] = { 'f', 'F' },          [KEY_G] = { 'g', 'G' },           [KEY_H] = { 'h', 'H' },
	[KEY_J] = { 'j', 'J' },          [KEY_K] = { 'k', 'K' },           [KEY_L] = { 'l', 'L' },
	[KEY_SEMICOLON] = { ';', ':' },  [KEY_APOSTROPHE] = { '\'', '"' }, [KEY_GRAVE] = { '`', '~' },
	[KEY_BACKSLASH] = { '\\', '|' }, [KEY_Z] = { 'z', 'Z' },           [KEY_X] = { 'x', 'X' },
	[KEY_C] = { 'c', 'C' },          [KEY_V] = { 'v', 'V' },           [KEY_B] = { 'b', 'B' },
	[KEY_N] = { 'n', 'N' },          [KEY_M] = { 'm', 'M' },           [KEY_COMMA] = { ',', '<' },
	[KEY_DOT] = { '.', '>' },        [KEY_SLASH] = { '/', '?' },       [KEY_SPACE] = { ' ', ' ' },
	[KEY_KPASTERISK] = { '*', '*' }, [KEY_KPMINUS] = { '-', '-' },     [KEY_KPPLUS] = { '+', '+' },
	[KEY_KPDOT] = { '.', '.' },      [KEY_KPSLASH] = { '/', '/' },     [KEY_TAB] = { '\t', '\t' },
};

static int keypad_digit(unsigned code)
{
	static const unsigned digits[] = { KEY_KP0, KEY_KP1, KEY_KP2, KEY_KP3, KEY_KP4,
					   KEY_KP5, KEY_KP6, KEY_KP7, KEY_KP8, KEY_KP9 };
	for (int i = 0; i < 10; i++)
		if (digits[i] == code)
			return i;
	return -1;
}

void scanner_keys_init(struct scanner_keys *k, struct scanner_frames *frames)
{
	*k = (struct scanner_keys){ .frames = frames };
}

static void put(struct scanner_keys *k, uint8_t c)
{
	scanner_frames_add(k->frames, (struct bytes){ &c, 1 });
}

static void enter(struct scanner_keys *k)
{
	if (k->lost)
		put(k, LOST);
	k->lost = false;
	put(k, '\r');
}

static void pressed(struct scanner_keys *k, unsigned code)
{
	int digit = keypad_digit(code);
	if (code == KEY_ENTER || code == KEY_KPENTER) {
		enter(k);
	} else if (digit >= 0 && k->alt) {
		k->alt_number = (k->alt_number * 10 + (unsigned)digit) % 100000;
		k->alt_digits++;
	} else if (digit >= 0) {
		put(k, (uint8_t)('0' + digit));
	} else if (code < sizeof(keys) / sizeof(keys[0]) && keys[code][0] != 0) {
		put(k, (uint8_t)keys[code][k->shift_left || k->shift_right]);
	}
}

/* Alt let go of: the number typed meanwhile. */
static void alt_end(struct scanner_keys *k)
{
	if (k->alt_digits > 0)
		put(k, k->alt_number > 0 && k->alt_number < 0x7f ? (uint8_t)k->alt_number : LOST);
	k->alt_number = k->alt_digits = 0;
}

static void key(struct scanner_keys *k, unsigned code, bool down)
{
	switch (code) {
	case KEY_LEFTSHIFT: k->shift_left = down; return;
	case KEY_RIGHTSHIFT: k->shift_right = down; return;
	case KEY_LEFTALT:
		k->alt = down;
		if (!down)
			alt_end(k);
		return;
	default:
		if (down)
			pressed(k, code);
	}
}

void scanner_keys_event(struct scanner_keys *k, const struct input_event *v)
{
	if (v->type == EV_SYN && v->code == SYN_DROPPED) {
		k->lost = true;
		k->shift_left = k->shift_right = k->alt = false;
		k->alt_number = k->alt_digits = 0;
	} else if (v->type == EV_KEY && (v->value == 0 || v->value == 1)) {
		key(k, v->code, v->value == 1);
	}
}
