#include "central/registry/qr.h"

#include <errno.h>
#include <png.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define QUIET 4

static bool png_put(const uint8_t *pixels, unsigned side, struct buf *out, struct err *e)
{
	png_image png;
	png_alloc_size_t size = 0;
	memset(&png, 0, sizeof(png));
	png.version = PNG_IMAGE_VERSION;
	png.width = png.height = side;
	png.format = PNG_FORMAT_GRAY;
	if (png_image_write_get_memory_size(png, size, 0, pixels, (png_int_32)side, NULL) == 0)
		return err_set(e, ERR_IO, "PNG: %.60s", png.message);
	uint8_t *to = buf_grow(out, size);
	if (to == NULL)
		return err_set(e, ERR_FULL, "no room for a picture of %zu bytes", (size_t)size);
	return png_image_write_to_memory(&png, to, &size, 0, pixels, (png_int_32)side, NULL) != 0 ||
	       err_set(e, ERR_IO, "PNG: %.60s", png.message);
}

static bool code_put(const QRcode *code, unsigned scale, struct buf *out, struct err *e)
{
	unsigned modules = (unsigned)code->width, side = (modules + 2 * QUIET) * scale;
	uint8_t *pixels = malloc((size_t)side * side);
	if (pixels == NULL)
		abort();
	memset(pixels, 255, (size_t)side * side);
	uint8_t *at = pixels + (size_t)QUIET * scale * ((size_t)side + 1); /* inside the quiet zone */
	for (unsigned y = 0; y < modules * scale; y++)
		for (unsigned x = 0; x < modules * scale; x++)
			if ((code->data[(size_t)(y / scale) * modules + x / scale] & 1) != 0)
				at[(size_t)y * side + x] = 0;
	bool ok = png_put(pixels, side, out, e);
	free(pixels);
	return ok;
}

bool qr_png(struct bytes text, unsigned scale, struct buf *png, struct err *e)
{
	QRinput *input = QRinput_new2(0, QR_ECLEVEL_M);
	if (input == NULL)
		abort();
	/* base45 and its prefix are characters of the alphanumeric mode: two in eleven bits. */
	QRcode *code = NULL;
	if (QRinput_append(input, QR_MODE_AN, (int)text.len, text.data) == 0)
		code = QRcode_encodeInput(input);
	QRinput_free(input);
	if (code == NULL)
		return err_set(e, ERR_INPUT, "a text of %zu characters does not fit one QR code at level M",
			       text.len);
	bool ok = code_put(code, scale >= 1 && scale <= 32 ? scale : 4, png, e);
	QRcode_free(code);
	return ok;
}
