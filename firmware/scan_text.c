/*
 * Scanners send the keys of a US keyboard; a host with another layout turned them into other characters. A layout is one row: for each
 * character of base45, in its order, what the same key gives under that layout. The way back is that row read the other way round.
 */
#include "firmware/scan_text.h"

#include "protocol/base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define ALPHABET     "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
#define ALPHABET_LEN 45
#define GRAVE        '`' /* a dead key on several layouts: it joins the next letter */

static const struct layout {
	const char *name;
	const char *keys; /* ALPHABET_LEN characters, UTF-8 */
	int32_t aim;      /* what the key of ']' gives */
} layouts[] = {
	/* caps lock, or a scanner that sends small letters */
	{ "caps", "0123456789abcdefghijklmnopqrstuvwxyz $%*+-./:", ']' },
	{ "de", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZY $%(`ß.-Ö", '+' },
	{ "de-caps", "0123456789abcdefghijklmnopqrstuvwxzy $%(`ß.-ö", '+' },
	{ "ch", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZY ç%(`'.-é", 0xa8 },
	{ "ch-fr", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXZY ç%(`'.-ö", 0xa8 },
	{ "fr", "à&é\"'(-è_çQBCDEFGHIJKL?NOPARSTUVZXYW 458+):!M", '$' },
	{ "be", "à&é\"'(§è!çQBCDEFGHIJKL?NOPARSTUVZXYW 458_):=M", '$' },
	{ "it", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(^'.-ç", '+' },
	{ "es", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(¿'.-Ñ", '+' },
	{ "es-caps", "0123456789abcdefghijklmnopqrstuvwxyz $%(¿'.-ñ", '+' },
	{ "latam", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(¡'.-Ñ", '+' },
	{ "pt", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(»'.-Ç", 0xb4 },
	{ "br", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-.;Ç", '[' },
	{ "se", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Ö", 0xa8 },
	{ "no", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Ø", 0xa8 },
	{ "dk", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ ¤%(`+.-Æ", 0xa8 },
	{ "tr", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ +%(_*ç.Ş", 0xfc },
	{ "jp", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%(~-./+", '[' },
	{ "ru", "0123456789ФИСВУАПРШОЛДЬТЩЗЙКЫЕГМЦЧНЯ ;%*+-ю.Ж", 0x44a },
	{ "ru-caps", "0123456789фисвуапршолдьтщзйкыегмцчня ;%*+-ю.ж", 0x44a },
	{ "ua", "0123456789ФИСВУАПРШОЛДЬТЩЗЙКІЕГМЦЧНЯ ;%*+-ю.Ж", 0x457 },
};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))
#define CAPS    0

/* The text as characters. */
struct chars {
	int32_t *at; /* owned */
	size_t len;
};

static void chars_read(struct bytes raw, struct chars *out)
{
	const char *at = (const char *)raw.data, *end = at + raw.len;
	out->len = 0;
	out->at = calloc(raw.len + 1, sizeof(*out->at));
	if (out->at == NULL)
		abort();
	while (at < end) {
		int32_t c = utf8_next(&at, end);
		out->at[out->len++] = c >= 0 ? c : 0xfffd;
	}
}

/* --- what is around the text, and forms of the same character --- */

static bool is_end(int32_t c)
{
	return c == '\r' || c == '\n' || c == '\t' || c == 0;
}

/* The same character as it stands in ASCII; an input method's punctuation included. */
static int32_t fold(int32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e)
		return c - 0xfee0;
	switch (c) {
	case 0x3000:
	case 0xa0: return ' ';
	case 0x3002: return '.'; /* 。 */
	case 0x3001: return '/'; /* 、 */
	case 0xffe5:
	case 0xa5: return '$';   /* ￥ */
	case 0xd7: return '*';   /* × */
	case 0x2014: return '-'; /* — */
	default: return c;
	}
}

static bool chars_fold(struct chars *c)
{
	bool folded = false;
	for (size_t i = 0; i < c->len; i++) {
		int32_t plain = fold(c->at[i]);
		folded |= plain != c->at[i];
		c->at[i] = plain;
	}
	return folded;
}

static void chars_drop(struct chars *c, size_t n)
{
	c->len -= n;
	memmove(c->at, c->at + n, c->len * sizeof(*c->at));
}

static size_t ends_len(const struct chars *c, size_t at)
{
	size_t n = 0;
	while (at + n < c->len && is_end(c->at[at + n]))
		n++;
	return n;
}

static size_t scan_len(const struct chars *c, size_t at)
{
	size_t n = 0;
	while (at + n < c->len && !is_end(c->at[at + n]))
		n++;
	return n;
}

/* Of the same scan sent several times only the first stays; false when several differ. */
static bool chars_trim(struct chars *c)
{
	if (c->len > 0 && c->at[0] == 0xfeff)
		chars_drop(c, 1);
	chars_drop(c, ends_len(c, 0));
	size_t first = scan_len(c, 0);
	for (size_t at = first + ends_len(c, first); at < c->len; at += ends_len(c, at)) {
		if (scan_len(c, at) != first || memcmp(c->at, c->at + at, first * sizeof(*c->at)) != 0)
			return false;
		at += first;
	}
	c->len = first;
	return true;
}

static bool is_letter(int32_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* "]Q1" and its like (ISO/IEC 15424), under the layout whose key of ']' gives aim. How many characters it takes. */
static size_t aim_len(const struct chars *c, int32_t aim)
{
	return c->len > 3 && c->at[0] == aim && is_letter(c->at[1]) ? 3 : 0;
}

/* --- back to the keys --- */

/* A layout's row as characters. */
static void layout_keys(const struct layout *l, int32_t keys[ALPHABET_LEN])
{
	const char *at = l->keys, *end = at + strlen(at);
	for (size_t i = 0; i < ALPHABET_LEN; i++)
		keys[i] = at < end ? utf8_next(&at, end) : -1;
}

/* The letter that a dead grave has joined, or 0. */
static char grave_letter(int32_t c)
{
	static const struct {
		int32_t joined;
		char letter;
	} all[] = { { 0xc0, 'A' }, { 0xc8, 'E' },  { 0xcc, 'I' },   { 0xd2, 'O' },
		    { 0xd9, 'U' }, { 0x1f8, 'N' }, { 0x1e80, 'W' }, { 0x1ef2, 'Y' } };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].joined == c)
			return all[i].letter;
	return 0;
}

static bool joins(int32_t c)
{
	return c == 'A' || c == 'E' || c == 'I' || c == 'O' || c == 'U';
}

static int key_find(const int32_t keys[ALPHABET_LEN], int32_t c)
{
	for (int i = 0; i < ALPHABET_LEN; i++)
		if (keys[i] == c)
			return ALPHABET[i];
	return -1;
}

static bool prefix_is_ours(const struct buf *text)
{
	return text->len >= 4 && (memcmp(text->data, "XB1:", 4) == 0 || memcmp(text->data, "HC1:", 4) == 0);
}

/* False when some character is no key's; *prefix: it begins as a certificate does. */
static bool keys_read(const struct chars *c, const struct layout *l, struct buf *out, bool *prefix)
{
	int32_t keys[ALPHABET_LEN];
	layout_keys(l, keys);
	bool dead = key_find(keys, GRAVE) == '+', all = true;
	for (size_t i = aim_len(c, l->aim); i < c->len && all; i++) {
		int key = key_find(keys, c->at[i]);
		if (key >= 0) {
			buf_add_u8(out, (uint8_t)key);
			/* In front of such a letter the dead key would have joined it: a space stood between, which it took along. */
			if (dead && key == '+' && i + 1 < c->len && joins(c->at[i + 1]))
				buf_add_u8(out, ' ');
		} else if (dead && grave_letter(c->at[i]) != 0) {
			buf_add_u8(out, '+');
			key = key_find(keys, grave_letter(c->at[i]));
			buf_add_u8(out, (uint8_t)(key >= 0 ? key : '+'));
		} else {
			all = false;
		}
	}
	*prefix = prefix_is_ours(out);
	return all && *prefix;
}

static void ascii_write(const struct chars *c, size_t from, struct buf *out)
{
	for (size_t i = from; i < c->len; i++)
		buf_add_u8(out, c->at[i] < 0x80 ? (uint8_t)c->at[i] : '?');
}

static bool all_base45(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] == 0 || strchr(ALPHABET, text->data[i]) == NULL)
			return false;
	return true;
}

/* --- choosing --- */

struct choice {
	struct buf text; /* the one that is taken; owned */
	size_t layout;
	unsigned found;
	bool prefix; /* some layout at least begins well */
};

static void choice_offer(struct choice *best, struct buf *candidate, size_t layout,
			 const struct scan_text_judge *judge, bool *judged)
{
	if (best->found > 0 && bytes_equal(buf_bytes(&best->text), buf_bytes(candidate)))
		return;
	best->found++;
	bool good = judge != NULL && judge->plausible(judge->arg, buf_bytes(candidate));
	if (best->found > 1 && (*judged || !good))
		return;
	buf_reset(&best->text);
	buf_add(&best->text, candidate->data, candidate->len);
	best->layout = layout;
	*judged = good;
}

static bool choose(const struct chars *c, const struct scan_text_judge *judge, struct choice *best)
{
	bool judged = false;
	struct buf candidate;
	buf_init(&candidate, SCAN_RAW_MAX);
	for (size_t i = 0; i < LAYOUTS; i++) {
		bool prefix = false;
		buf_reset(&candidate);
		if (keys_read(c, &layouts[i], &candidate, &prefix))
			choice_offer(best, &candidate, i, judge, &judged);
		best->prefix |= prefix;
	}
	buf_clear(&candidate);
	/* Several that differ are only believed when their own checksum picks one. */
	return best->found == 1 || (best->found > 1 && judged);
}

static void repair(struct chars *c, const struct scan_text_judge *judge, struct buf *out, struct scan_text *r)
{
	size_t before = out->len;
	bool folded = chars_fold(c);
	struct choice best = { 0 };
	ascii_write(c, aim_len(c, ']'), out);
	struct buf plain = { .data = out->data + before, .len = out->len - before };
	if (prefix_is_ours(&plain) && all_base45(&plain)) {
		r->result = folded ? SCAN_TEXT_REPAIRED : SCAN_TEXT_CLEAN;
		r->hint = folded ? SCAN_HINT_FULL_WIDTH : SCAN_HINT_NONE;
		return;
	}
	bool begins = prefix_is_ours(&plain);
	buf_init(&best.text, SCAN_RAW_MAX);
	if (choose(c, judge, &best)) {
		out->len = before;
		buf_add(out, best.text.data, best.text.len);
		r->result = SCAN_TEXT_REPAIRED;
		r->hint = best.layout == CAPS ? SCAN_HINT_CAPS_LOCK : SCAN_HINT_LAYOUT;
		r->layout = layouts[best.layout].name;
	} else if (begins || best.prefix) {
		out->len = before;
		r->result = SCAN_TEXT_DAMAGED;
		r->hint = begins ? SCAN_HINT_LETTERS : SCAN_HINT_LAYOUT;
	} else {
		r->result = SCAN_TEXT_FOREIGN;
	}
	buf_clear(&best.text);
}

static bool damaged(struct scan_text *r, enum scan_text_hint hint)
{
	r->result = SCAN_TEXT_DAMAGED;
	r->hint = hint;
	return false;
}

void scan_text_repair(struct bytes raw, const struct scan_text_judge *judge, struct buf *out,
		      struct scan_text *result)
{
	struct chars c;
	*result = (struct scan_text){ SCAN_TEXT_CLEAN, SCAN_HINT_NONE, "" };
	if (raw.len > SCAN_RAW_MAX) {
		(void)damaged(result, SCAN_HINT_TOO_LONG);
		return;
	}
	chars_read(raw, &c);
	bool one = chars_trim(&c);
	if (!one || c.len > ECERT_TEXT_MAX + 3)
		(void)damaged(result, SCAN_HINT_TOO_LONG);
	else if (c.len == 0)
		(void)damaged(result, SCAN_HINT_EMPTY);
	else
		repair(&c, judge, out, result);
	explicit_bzero(c.at, c.len * sizeof(*c.at));
	free(c.at);
}
