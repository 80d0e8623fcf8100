#include "firmware/picture.h"

#include <stdio.h>
/* after stdio.h, which it needs and does not include */
#include <jpeglib.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zbar.h>

#define SIDE_MAX   2400 /* a photo is scaled down to about this: a code fills a good part of what people photograph */
#define SMALL_SIDE 500  /* one below this is tried at twice its size too */

struct grey {
	uint8_t *at; /* owned */
	unsigned width, height;
};

static bool size_is_good(uint64_t width, uint64_t height)
{
	return width > 0 && height > 0 && width <= 65535 && height <= 65535 &&
	       width * height <= SCAN_IMAGE_PIXELS_MAX;
}

static uint8_t *pixels_new(size_t n)
{
	uint8_t *p = malloc(n);
	if (p == NULL)
		abort();
	return p;
}

static enum scan_image_fault png_read(struct bytes image, struct grey *out)
{
	png_image png;
	memset(&png, 0, sizeof(png));
	png.version = PNG_IMAGE_VERSION;
	if (png_image_begin_read_from_memory(&png, image.data, image.len) == 0)
		return SCAN_IMAGE_NOT_ONE;
	if (!size_is_good(png.width, png.height)) {
		png_image_free(&png);
		return SCAN_IMAGE_TOO_LARGE;
	}
	static const png_color white = { 255, 255, 255 };
	png.format = PNG_FORMAT_GRAY;
	*out = (struct grey){ pixels_new((size_t)png.width * png.height), png.width, png.height };
	if (png_image_finish_read(&png, &white, out->at, (png_int_32)png.width, NULL) != 0)
		return SCAN_IMAGE_OK;
	free(out->at);
	return SCAN_IMAGE_NOT_ONE;
}

/* libjpeg's way of failing. */
struct jpeg_failure {
	struct jpeg_error_mgr mgr;
	jmp_buf jump;
};

static void jpeg_fail(j_common_ptr c)
{
	struct jpeg_failure *f = (struct jpeg_failure *)(void *)c->err;
	longjmp(f->jump, 1);
}

static void jpeg_silent(j_common_ptr c)
{
	(void)c;
}

static void jpeg_rows(struct jpeg_decompress_struct *j, struct grey *out)
{
	while (j->output_scanline < j->output_height) {
		JSAMPROW row = out->at + (size_t)j->output_scanline * j->output_width;
		(void)jpeg_read_scanlines(j, &row, 1);
	}
}

static enum scan_image_fault jpeg_read(struct bytes image, struct grey *out)
{
	struct jpeg_decompress_struct j;
	struct jpeg_failure f;
	volatile enum scan_image_fault fault = SCAN_IMAGE_NOT_ONE;
	out->at = NULL;
	j.err = jpeg_std_error(&f.mgr);
	f.mgr.error_exit = jpeg_fail;
	f.mgr.output_message = jpeg_silent;
	if (setjmp(f.jump) != 0) {
		jpeg_destroy_decompress(&j);
		free(out->at);
		out->at = NULL;
		return fault;
	}
	jpeg_create_decompress(&j);
	jpeg_mem_src(&j, image.data, image.len);
	(void)jpeg_read_header(&j, TRUE);
	if (!size_is_good(j.image_width, j.image_height)) {
		fault = SCAN_IMAGE_TOO_LARGE;
		jpeg_fail((j_common_ptr)&j);
	}
	j.out_color_space = JCS_GRAYSCALE;
	j.scale_num = 1;
	j.scale_denom = 1;
	while (j.scale_denom < 8 && j.image_width / j.scale_denom > SIDE_MAX &&
	       j.image_height / j.scale_denom > SIDE_MAX)
		j.scale_denom *= 2;
	(void)jpeg_start_decompress(&j);
	out->width = j.output_width;
	out->height = j.output_height;
	out->at = pixels_new((size_t)out->width * out->height);
	jpeg_rows(&j, out);
	(void)jpeg_finish_decompress(&j);
	jpeg_destroy_decompress(&j);
	return SCAN_IMAGE_OK;
}

/* --- the same picture in other ways --- */

static struct grey half(const struct grey *g)
{
	struct grey h = { NULL, g->width / 2, g->height / 2 };
	h.at = pixels_new((size_t)h.width * h.height + 1);
	for (size_t y = 0; y < h.height; y++) {
		const uint8_t *up = g->at + 2 * y * g->width, *low = up + g->width;
		for (size_t x = 0; x < h.width; x++)
			h.at[y * h.width + x] =
				(uint8_t)((up[2 * x] + up[2 * x + 1] + low[2 * x] + low[2 * x + 1]) / 4);
	}
	return h;
}

static struct grey twice(const struct grey *g)
{
	struct grey t = { NULL, g->width * 2, g->height * 2 };
	t.at = pixels_new((size_t)t.width * t.height);
	for (size_t y = 0; y < t.height; y++)
		for (size_t x = 0; x < t.width; x++)
			t.at[y * t.width + x] = g->at[y / 2 * g->width + x / 2];
	return t;
}

static void invert(const struct grey *g)
{
	for (size_t i = 0; i < (size_t)g->width * g->height; i++)
		g->at[i] = (uint8_t)~g->at[i];
}

/* --- the codes in it --- */

/* Of several only one that is the same. */
static enum scan_image_fault codes_take(zbar_image_t *image, struct buf *out)
{
	enum scan_image_fault fault = SCAN_IMAGE_NO_CODE;
	size_t before = out->len;
	for (const zbar_symbol_t *s = zbar_image_first_symbol(image); s != NULL; s = zbar_symbol_next(s)) {
		struct bytes text = { (const uint8_t *)zbar_symbol_get_data(s), zbar_symbol_get_data_length(s) };
		if (zbar_symbol_get_type(s) != ZBAR_QRCODE)
			continue;
		struct bytes first = { out->data + before, out->len - before };
		if (fault == SCAN_IMAGE_OK && !bytes_equal(first, text))
			return SCAN_IMAGE_SEVERAL;
		if (fault == SCAN_IMAGE_NO_CODE && !buf_add(out, text.data, text.len))
			return SCAN_IMAGE_TOO_LARGE;
		fault = SCAN_IMAGE_OK;
	}
	return fault;
}

static enum scan_image_fault codes_find(zbar_image_scanner_t *scanner, const struct grey *g, struct buf *out)
{
	size_t before = out->len;
	zbar_image_t *image = zbar_image_create();
	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, g->width, g->height);
	zbar_image_set_data(image, g->at, (unsigned long)g->width * g->height, NULL);
	enum scan_image_fault fault = SCAN_IMAGE_NO_CODE;
	if (zbar_scan_image(scanner, image) > 0)
		fault = codes_take(image, out);
	if (fault != SCAN_IMAGE_OK)
		out->len = before;
	zbar_image_destroy(image);
	return fault;
}

static enum scan_image_fault tries(zbar_image_scanner_t *scanner, const struct grey *g, struct buf *out)
{
	enum scan_image_fault fault = codes_find(scanner, g, out);
	if (fault == SCAN_IMAGE_NO_CODE && g->width > 1 && g->height > 1) {
		struct grey other = g->width < SMALL_SIDE ? twice(g) : half(g);
		fault = codes_find(scanner, &other, out);
		free(other.at);
	}
	return fault;
}

static enum scan_image_fault search(const struct grey *g, struct buf *out)
{
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();
	zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	/* The code's bytes as they are: no guessing of encodings. */
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY, 1);
	enum scan_image_fault fault = tries(scanner, g, out);
	if (fault == SCAN_IMAGE_NO_CODE) {
		invert(g);
		fault = tries(scanner, g, out);
	}
	zbar_image_scanner_destroy(scanner);
	return fault;
}

enum scan_image_fault picture_read(struct bytes image, struct buf *out)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G' }, jpeg[] = { 0xff, 0xd8, 0xff };
	struct grey g = { 0 };
	enum scan_image_fault fault = SCAN_IMAGE_NOT_ONE;
	if (image.len > sizeof(png) && memcmp(image.data, png, sizeof(png)) == 0)
		fault = png_read(image, &g);
	else if (image.len > sizeof(jpeg) && memcmp(image.data, jpeg, sizeof(jpeg)) == 0)
		fault = jpeg_read(image, &g);
	if (fault != SCAN_IMAGE_OK)
		return fault;
	fault = search(&g, out);
	free(g.at);
	return fault;
}
