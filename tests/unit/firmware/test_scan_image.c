/* Pictures: what the process of its own finds in them, and what it makes of the rest. */
#include "firmware/scan_image.h"

#include "central/registry/qr.h"
#include "firmware/scans.h"
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/lan_box.h"
#include "tests/support/sets.h"
#include "tests/test.h"

#include <jpeglib.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ROLE(scan_image, SCAN_IMAGE_ROLE, scan_image_main);

static struct loop *loop;
static struct buf png, found;
static enum scan_image_fault fault;
static bool ended;

static void setup(void)
{
	loop = loop_new();
	buf_init(&png, SCAN_IMAGE_MAX);
	buf_init(&found, ECERT_TEXT_MAX);
}

static void teardown(void)
{
	buf_clear(&png);
	buf_clear(&found);
	for (int i = 0; i < 20; i++) /* the processes are reaped */
		loop_once(loop, 20);
	loop_free(loop);
}

static void on_done(void *arg, enum scan_image_fault f, struct bytes text)
{
	(void)arg;
	fault = f;
	buf_reset(&found);
	buf_add(&found, text.data, text.len);
	ended = true;
}

static enum scan_image_fault look(struct bytes picture)
{
	struct err e = { 0 };
	ended = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(scan_image_start(loop, picture, on_done, NULL, &e));
	for (int i = 0; i < 1000 && !ended; i++)
		loop_once(loop, 20);
	CU_ASSERT_TRUE(ended);
	return fault;
}

static void draw(const char *text, unsigned scale)
{
	struct err e = { 0 };
	buf_reset(&png);
	CU_ASSERT_TRUE_FATAL(qr_png(bytes_of(text), scale, &png, &e));
}

/* The picture as grey pixels. */
struct pixels {
	uint8_t *at;
	unsigned width, height;
};

static struct pixels pixels_of(const struct buf *in)
{
	png_image p;
	memset(&p, 0, sizeof(p));
	p.version = PNG_IMAGE_VERSION;
	CU_ASSERT_TRUE_FATAL(png_image_begin_read_from_memory(&p, in->data, in->len) != 0);
	p.format = PNG_FORMAT_GRAY;
	struct pixels out = { malloc((size_t)p.width * p.height), p.width, p.height };
	CU_ASSERT_PTR_NOT_NULL_FATAL(out.at);
	CU_ASSERT_TRUE_FATAL(png_image_finish_read(&p, NULL, out.at, (png_int_32)p.width, NULL) != 0);
	return out;
}

static void png_of(const struct pixels *in, struct buf *out)
{
	png_image p;
	png_alloc_size_t size = 0;
	memset(&p, 0, sizeof(p));
	p.version = PNG_IMAGE_VERSION;
	p.width = in->width;
	p.height = in->height;
	p.format = PNG_FORMAT_GRAY;
	buf_reset(out);
	CU_ASSERT_TRUE_FATAL(png_image_write_get_memory_size(p, size, 0, in->at, (png_int_32)in->width, NULL) != 0);
	uint8_t *to = buf_grow(out, size);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	CU_ASSERT_TRUE_FATAL(png_image_write_to_memory(&p, to, &size, 0, in->at, (png_int_32)in->width, NULL) != 0);
}

static void jpeg_of(const struct pixels *in, int quality, struct buf *out)
{
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	j.err = jpeg_std_error(&errors);
	jpeg_create_compress(&j);
	jpeg_mem_dest(&j, &bytes, &size);
	j.image_width = in->width;
	j.image_height = in->height;
	j.input_components = 1;
	j.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&j);
	jpeg_set_quality(&j, quality, TRUE);
	jpeg_start_compress(&j, TRUE);
	for (unsigned y = 0; y < in->height; y++) {
		JSAMPROW row = in->at + (size_t)y * in->width;
		jpeg_write_scanlines(&j, &row, 1);
	}
	jpeg_finish_compress(&j);
	jpeg_destroy_compress(&j);
	buf_reset(out);
	buf_add(out, bytes, size);
	free(bytes);
}

#define TEXT "XB1:6BFOXN%TSMAHN-HISCJ*0CQ8EK3OE3D 7 $%*+-./:"

static void a_code_is_found_in_a_png_and_in_a_poor_jpeg(void)
{
	struct buf other;
	buf_init(&other, SCAN_IMAGE_MAX);
	draw(TEXT, 4);
	CU_ASSERT_EQUAL(look(buf_bytes(&png)), SCAN_IMAGE_OK);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&found), bytes_of(TEXT)));
	struct pixels p = pixels_of(&png);
	jpeg_of(&p, 50, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_OK);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&found), bytes_of(TEXT)));
	free(p.at);
	buf_clear(&other);
}

static void inverted_turned_and_noisy_ones_are_found_too(void)
{
	struct buf other;
	uint64_t seed = 3;
	buf_init(&other, SCAN_IMAGE_MAX);
	draw(TEXT, 4);
	struct pixels p = pixels_of(&png);
	size_t n = (size_t)p.width * p.height;
	for (size_t i = 0; i < n; i++)
		p.at[i] = (uint8_t)~p.at[i];
	png_of(&p, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_OK);
	for (size_t i = 0; i < n / 2; i++) { /* back, and upside down */
		uint8_t a = p.at[i];
		p.at[i] = (uint8_t)~p.at[n - 1 - i];
		p.at[n - 1 - i] = (uint8_t)~a;
	}
	png_of(&p, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_OK);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&found), bytes_of(TEXT)));
	for (size_t i = 0; i < n; i++)
		p.at[i] = (uint8_t)(p.at[i] / 2 + 40 + set_random(&seed) % 60);
	png_of(&p, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_OK);
	free(p.at);
	buf_clear(&other);
}

static void two_codes_that_differ_are_several_and_none_is_none(void)
{
	struct buf other;
	buf_init(&other, SCAN_IMAGE_MAX);
	draw("XB1:FIRST", 4);
	struct pixels a = pixels_of(&png);
	draw("XB1:SECOND", 4);
	struct pixels b = pixels_of(&png);
	struct pixels both = { calloc((size_t)a.width * 2, a.height), a.width * 2, a.height };
	if (both.at == NULL)
		abort();
	CU_ASSERT_TRUE_FATAL(a.width == b.width);
	for (size_t y = 0; y < a.height; y++) {
		memcpy(both.at + y * both.width, a.at + y * a.width, a.width);
		memcpy(both.at + y * both.width + a.width, b.at + y * b.width, b.width);
	}
	png_of(&both, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_SEVERAL);
	memset(both.at, 255, (size_t)both.width * both.height);
	png_of(&both, &other);
	CU_ASSERT_EQUAL(look(buf_bytes(&other)), SCAN_IMAGE_NO_CODE);
	free(a.at);
	free(b.at);
	free(both.at);
	buf_clear(&other);
}

/* A PNG's head that promises this size, with nothing behind it. */
static void png_promise(uint32_t width, uint32_t height, struct buf *out)
{
	static const uint8_t start[] = { 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R' };
	uint8_t head[17] = { 'I', 'H', 'D', 'R' };
	for (int i = 0; i < 4; i++) {
		head[4 + i] = (uint8_t)(width >> (24 - 8 * i));
		head[8 + i] = (uint8_t)(height >> (24 - 8 * i));
	}
	head[12] = 8;
	uint32_t crc = 0xffffffffU;
	for (size_t i = 0; i < sizeof(head); i++) {
		crc ^= head[i];
		for (int k = 0; k < 8; k++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
	}
	crc = ~crc;
	buf_reset(out);
	buf_add(out, start, sizeof(start));
	buf_add(out, head + 4, 13);
	for (int i = 3; i >= 0; i--)
		buf_add_u8(out, (uint8_t)(crc >> 8 * i));
	buf_add_str(out, "    IDAT");
}

static void what_is_no_picture_or_too_large_a_one_is_said(void)
{
	struct buf other;
	buf_init(&other, SCAN_IMAGE_MAX);
	CU_ASSERT_EQUAL(look(bytes_of("no picture at all")), SCAN_IMAGE_NOT_ONE);
	CU_ASSERT_EQUAL(look((struct bytes){ NULL, 0 }), SCAN_IMAGE_NOT_ONE);
	CU_ASSERT_EQUAL(look(bytes_of("\xff\xd8\xff\xe0\x01\x02")), SCAN_IMAGE_NOT_ONE);
	draw(TEXT, 4);
	for (size_t cut = 5; cut < png.len; cut += png.len / 7)
		CU_ASSERT_EQUAL(look((struct bytes){ png.data, cut }), SCAN_IMAGE_NOT_ONE);
	png_promise(60000, 60000, &other);
	enum scan_image_fault f = look(buf_bytes(&other));
	CU_ASSERT_TRUE(f == SCAN_IMAGE_TOO_LARGE || f == SCAN_IMAGE_NOT_ONE);
	for (int i = 1; i <= SCAN_IMAGE_FAULT_LAST; i++)
		CU_ASSERT_TRUE(strlen(scan_image_fault_text((enum scan_image_fault)i)) > 10);
	buf_clear(&other);
}

static void one_that_is_cancelled_calls_nobody(void)
{
	struct err e = { 0 };
	draw(TEXT, 4);
	ended = false;
	struct scan_image *s = scan_image_start(loop, buf_bytes(&png), on_done, NULL, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	scan_image_cancel(s);
	for (int i = 0; i < 10; i++)
		loop_once(loop, 10);
	CU_ASSERT_FALSE(ended);
}

static void a_picture_of_a_certificate_is_scanned_over_the_api(void)
{
	static struct lan_box b;
	struct certificates certs;
	struct buf text, base64, json;
	lan_box_open(&b, false);
	certificates_open(&certs, "", "['*']");
	CU_ASSERT_TRUE_FATAL(
		documents_apply(b.documents, DOCUMENT_ISSUERS, 1, buf_bytes(&certs.issuers_cbor), NULL) &&
		documents_apply(b.documents, DOCUMENT_KINDS, 1, buf_bytes(&certs.kinds_cbor), NULL));
	struct ecert cert = certificate_of(CERT_TYPE, "1", clock_now_s(&b.clock, loop_now_ms()) - 60, &b.key);
	buf_init(&text, ECERT_TEXT_MAX);
	buf_init(&base64, SCAN_IMAGE_MAX);
	buf_init(&json, 131072);
	certificate_text(&certs, &cert, &text);
	draw(buf_str(&text), 3);
	base64_encode(buf_bytes(&png), &base64);
	buf_add_fmt(&json,
		    "{\"request_id\":\"p\",\"image\":\"%s\",\"business\":\"open_account\",\"holder\":{\"kind\":"
		    "\"resident_id\","
		    "\"number\":\"" ADULT "\"}}",
		    buf_str(&base64));
	struct lan_box_answer *a = lan_box_ask(&b, "POST", "/v1/scans", b.token, buf_str(&json));
	CU_ASSERT_EQUAL(a->status, 200);
	CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"code\":\"ACCEPTED\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"source\":\"image\""));
	a = lan_box_ask(&b, "POST", "/v1/scans", b.token, "{\"request_id\":\"q\",\"image\":\"AAAA\"}");
	CU_ASSERT_EQUAL(a->status, 400);
	CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"field\":\"image\""));
	buf_clear(&text);
	buf_clear(&base64);
	buf_clear(&json);
	certificates_close(&certs);
	lan_box_close(&b);
}

static CU_TestInfo tests[] = {
	{ "a code is found in a PNG and in a poor JPEG", a_code_is_found_in_a_png_and_in_a_poor_jpeg },
	{ "inverted, turned and noisy ones are found too", inverted_turned_and_noisy_ones_are_found_too },
	{ "two codes that differ are several, and none is none", two_codes_that_differ_are_several_and_none_is_none },
	{ "what is no picture, or too large a one, is said", what_is_no_picture_or_too_large_a_one_is_said },
	{ "one that is cancelled calls nobody", one_that_is_cancelled_calls_nobody },
	{ "a picture of a certificate is scanned over the API", a_picture_of_a_certificate_is_scanned_over_the_api },
	CU_TEST_INFO_NULL,
};
SUITE(scan_image, setup, teardown, tests);
