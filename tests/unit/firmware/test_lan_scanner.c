/* Scanners, and the stream a teller's screen listens to: recorded key events and ptys, through to the verdict. */
#include "firmware/scanner_keys.h"
#include "tests/support/certificates.h"
#include "tests/support/checks.h"
#include "tests/support/lan_box.h"
#include "tests/test.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lan_box b;
static struct certificates certs;
static struct buf text;
static char read_so_far[65536];

static void setup(void)
{
	lan_box_open(&b, false);
	certificates_open(&certs, "", "['*']");
	if (!documents_apply(b.documents, DOCUMENT_ISSUERS, 1, buf_bytes(&certs.issuers_cbor), NULL) ||
	    !documents_apply(b.documents, DOCUMENT_KINDS, 1, buf_bytes(&certs.kinds_cbor), NULL))
		abort();
	struct ecert cert = certificate_of(CERT_TYPE, "1", clock_now_s(&b.clock, loop_now_ms()) - 60, &b.key);
	buf_init(&text, ECERT_TEXT_MAX);
	certificate_text(&certs, &cert, &text);
	read_so_far[0] = '\0';
}

static void teardown(void)
{
	buf_clear(&text);
	certificates_close(&certs);
	lan_box_close(&b);
}

static int stream_open(const char *token, const char *last)
{
	char head[512];
	int fd = lan_box_connect(&b, NULL);
	snprintf(head, sizeof(head), "GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s%s%s\r\n",
		 token, last != NULL ? "Last-Event-ID: " : "", last != NULL ? last : "", last != NULL ? "\r\n" : "");
	lan_box_send(fd, bytes_of(head));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Turns the loop until the stream has this many events named so, or two seconds have gone. All it gave so far is in read_so_far. */
static bool stream_has(int fd, const char *event, unsigned times)
{
	size_t len = strlen(read_so_far);
	for (int i = 0; i < 100; i++) {
		ssize_t n = read(fd, read_so_far + len, sizeof(read_so_far) - len - 1);
		if (n > 0)
			len += (size_t)n;
		read_so_far[len] = '\0';
		unsigned found = 0;
		for (const char *at = read_so_far; (at = strstr(at, event)) != NULL; at++)
			found++;
		if (found >= times)
			return true;
		loop_once(b.loop, 20);
	}
	return false;
}

static void on_scan(void *arg, const struct scanner_config *c, struct bytes raw)
{
	(void)arg;
	lan_device_scan(b.lan, c, raw);
}

static void turns(int n)
{
	for (int i = 0; i < n; i++)
		loop_once(b.loop, 10);
}

static void context_set(const char *token)
{
	CU_ASSERT_EQUAL(
		lan_box_ask(&b, "PUT", "/v1/scanning", token,
			    "{\"business\":\"open_account\",\"for_s\":60,\"holder\":{\"kind\":\"resident_id\","
			    "\"number\":\"" ADULT "\"}}")
			->status,
		200);
}

static void a_serial_scanner_gives_a_verdict_to_its_terminals_stream(void)
{
	int master, slave;
	static struct scanner_config c = { .name = "scanner-1", .terminal = "kiosk-1" };
	CU_ASSERT_EQUAL_FATAL(openpty(&master, &slave, c.device, NULL, NULL), 0);
	int fd = stream_open(b.token, NULL), other = stream_open(b.other, NULL);
	struct scanner *s = scanner_open(b.loop, &c, on_scan, NULL);
	turns(5);
	context_set(b.token);
	/* one scan in two reads, its terminator doubled */
	CU_ASSERT_TRUE(write(master, text.data, 100) == 100);
	turns(5);
	CU_ASSERT_TRUE(write(master, text.data + 100, text.len - 100) == (ssize_t)(text.len - 100));
	CU_ASSERT_TRUE(write(master, "\r\r\n", 3) == 3);
	CU_ASSERT_TRUE(stream_has(fd, "event: verdict", 1));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_so_far, "\"code\":\"ACCEPTED\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_so_far, "\"source\":\"scanner-1\""));
	/* two in one, and one without a terminator */
	struct buf two;
	buf_init(&two, 65536);
	buf_add_str(&two, "]Q1");
	buf_add(&two, text.data, text.len);
	buf_add_str(&two, "\r\n");
	buf_add(&two, text.data, text.len);
	for (size_t at = 0; at < two.len; at += 200) {
		size_t n = two.len - at < 200 ? two.len - at : 200;
		CU_ASSERT_TRUE(write(master, two.data + at, n) == (ssize_t)n);
		turns(1);
	}
	CU_ASSERT_TRUE(stream_has(fd, "\"code\":\"ACCEPTED\"", 3));
	static char others[65536];
	ssize_t n = recv(other, others, sizeof(others) - 1, 0);
	others[n > 0 ? n : 0] = '\0';
	CU_ASSERT_TRUE(n > 0);
	CU_ASSERT_PTR_NULL(strstr(others, "verdict")); /* each terminal sees its own */
	struct scanner_info i;
	scanner_info(s, &i);
	CU_ASSERT_TRUE(i.connected && i.scans == 3);
	/* unplugged */
	close(slave);
	close(master);
	turns(20);
	scanner_info(s, &i);
	CU_ASSERT_TRUE(!i.connected && i.fault[0] != '\0');
	scanner_close(s);
	close(fd);
	close(other);
	buf_clear(&two);
}

/* The keys of a US keyboard for these characters, as the kernel records them. */
static void key_events(const char *chars, size_t len, struct buf *out)
{
	static const struct {
		const char *plain, *shifted;
		unsigned short first;
	} rows[] = { { "1234567890-=", "!@#$%^&*()_+", KEY_1 },
		     { "qwertyuiop[]", "QWERTYUIOP{}", KEY_Q },
		     { "asdfghjkl;'`", "ASDFGHJKL:\"~", KEY_A },
		     { "zxcvbnm,./", "ZXCVBNM<>?", KEY_Z } };
	for (size_t i = 0; i < len; i++) {
		unsigned short code = chars[i] == ' ' ? KEY_SPACE : KEY_ENTER;
		bool shift = false;
		for (size_t r = 0; r < 4 && chars[i] != '\r'; r++) {
			const char *p = strchr(rows[r].plain, chars[i]), *q = strchr(rows[r].shifted, chars[i]);
			if (p != NULL || q != NULL) {
				code = (unsigned short)(rows[r].first +
							(p != NULL ? p - rows[r].plain : q - rows[r].shifted));
				shift = p == NULL;
			}
		}
		struct input_event v[] = {
			{ .type = EV_KEY, .code = KEY_LEFTSHIFT, .value = 1 },
			{ .type = EV_KEY, .code = code, .value = 1 },
			{ .type = EV_KEY, .code = code, .value = 2 },
			{ .type = EV_KEY, .code = code, .value = 0 },
			{ .type = EV_KEY, .code = KEY_LEFTSHIFT, .value = 0 },
			{ .type = EV_SYN, .code = SYN_REPORT },
		};
		if (shift)
			buf_add(out, v, sizeof(v));
		else
			buf_add(out, v + 1, 3 * sizeof(v[0]));
	}
}

static void a_keyboard_wedge_is_decoded_as_us_whatever_the_hosts_layout(void)
{
	static struct scanner_config c = {
		.name = "scanner-2", .keyboard = true, .shared = true, .terminal = "kiosk-1"
	};
	struct buf events;
	snprintf(c.device, sizeof(c.device), "%s/keys", b.dir);
	CU_ASSERT_EQUAL_FATAL(mkfifo(c.device, 0600), 0);
	int keys = open(c.device, O_RDWR | O_CLOEXEC), fd = stream_open(b.token, NULL);
	CU_ASSERT_TRUE_FATAL(keys >= 0);
	struct scanner *s = scanner_open(b.loop, &c, on_scan, NULL);
	turns(5);
	context_set(b.token);
	buf_init(&events, 1 << 20);
	key_events((const char *)text.data, text.len, &events);
	key_events("\r", 1, &events);
	for (size_t at = 0; at < events.len; at += 60 * sizeof(struct input_event)) {
		size_t n = events.len - at < 60 * sizeof(struct input_event) ? events.len - at
									     : 60 * sizeof(struct input_event);
		CU_ASSERT_TRUE(write(keys, events.data + at, n) == (ssize_t)n);
		turns(2);
	}
	CU_ASSERT_TRUE(stream_has(fd, "\"code\":\"ACCEPTED\"", 1));
	scanner_close(s);
	close(keys);
	close(fd);
	buf_clear(&events);
}

static struct buf typed;
static void on_typed(void *arg, struct bytes raw)
{
	(void)arg;
	buf_add(&typed, raw.data, raw.len);
	buf_add_str(&typed, "|");
}

static void lost_events_damage_the_scan_and_numbers_on_the_keypad_are_characters(void)
{
	struct scanner_frames f;
	struct scanner_keys k;
	struct buf events;
	buf_init(&typed, 4096);
	buf_init(&events, 65536);
	scanner_frames_init(&f, on_typed, NULL);
	scanner_keys_init(&k, &f);
	key_events("XB1:A", 5, &events);
	const struct input_event more[] = {
		{ .type = EV_KEY, .code = KEY_LEFTALT, .value = 1 },
		{ .type = EV_KEY, .code = KEY_KP0, .value = 1 },
		{ .type = EV_KEY, .code = KEY_KP3, .value = 1 },
		{ .type = EV_KEY, .code = KEY_KP6, .value = 1 },
		{ .type = EV_KEY, .code = KEY_LEFTALT, .value = 0 },
		{ .type = EV_KEY, .code = KEY_KP7, .value = 1 },
		{ .type = EV_KEY, .code = KEY_CAPSLOCK, .value = 1 },
		{ .type = EV_KEY, .code = KEY_KPENTER, .value = 1 },
		{ .type = EV_SYN, .code = SYN_DROPPED },
		{ .type = EV_KEY, .code = KEY_A, .value = 1 },
		{ .type = EV_KEY, .code = KEY_ENTER, .value = 1 },
	};
	buf_add(&events, more, sizeof(more));
	for (size_t at = 0; at < events.len; at += sizeof(struct input_event)) {
		struct input_event v;
		memcpy(&v, events.data + at, sizeof(v));
		scanner_keys_event(&k, &v);
	}
	CU_ASSERT_STRING_EQUAL(buf_str(&typed), "XB1:A$7|a\x7f|");
	scanner_frames_clear(&f);
	buf_clear(&typed);
	buf_clear(&events);
}

static void too_long_a_scan_is_cut_and_the_next_one_is_whole(void)
{
	struct scanner_frames f;
	buf_init(&typed, 1 << 20);
	scanner_frames_init(&f, on_typed, NULL);
	uint8_t *big = malloc(2 * SCAN_RAW_MAX);
	if (big == NULL)
		abort();
	memset(big, 'A', 2 * SCAN_RAW_MAX);
	scanner_frames_add(&f, (struct bytes){ big, 2 * SCAN_RAW_MAX });
	scanner_frames_add(&f, bytes_of("\r\nNEXT"));
	CU_ASSERT_TRUE(scanner_frames_open(&f));
	scanner_frames_silence(&f);
	CU_ASSERT_EQUAL(typed.len, SCAN_RAW_MAX + 1 + 1 + 5);
	CU_ASSERT_EQUAL(memcmp(typed.data + SCAN_RAW_MAX + 1, "|NEXT|", 6), 0);
	free(big);
	scanner_frames_clear(&f);
	buf_clear(&typed);
}

static void who_comes_back_gets_what_he_missed(void)
{
	int fd = stream_open(b.token, NULL);
	turns(5);
	for (int i = 0; i < 3; i++) {
		char json[80];
		snprintf(json, sizeof(json), "{\"request_id\":\"m-%d\",\"text\":\"XB1:A\"}", i);
		CU_ASSERT_EQUAL(lan_box_ask(&b, "POST", "/v1/scans", b.token, json)->status, 200);
	}
	CU_ASSERT_TRUE(stream_has(fd, "event: verdict", 3));
	char id[64];
	const char *at = strstr(read_so_far, "id: ");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 4, "\n"), at + 4);
	close(fd);
	turns(5);
	read_so_far[0] = '\0';
	fd = stream_open(b.token, id);
	CU_ASSERT_TRUE(stream_has(fd, "event: verdict", 2));
	CU_ASSERT_PTR_NULL(strstr(read_so_far, "m-0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(read_so_far, "m-2"));
	close(fd);
	read_so_far[0] = '\0';
	fd = stream_open(b.token, "00000000-7"); /* of another run: all that is kept */
	CU_ASSERT_TRUE(stream_has(fd, "event: verdict", 3));
	close(fd);
}

static void one_that_does_not_read_is_cut_off_and_the_rest_goes_on(void)
{
	int slow = stream_open(b.token, NULL);
	turns(5);
	for (int i = 0; i < 600; i++) {
		char json[80];
		snprintf(json, sizeof(json), "{\"request_id\":\"n-%d\",\"text\":\"XB1:A\"}", i);
		if (lan_box_ask(&b, "POST", "/v1/scans", b.token, json)->status != 200)
			break;
	}
	/* It was let go of: reading what is there comes to an end. */
	ssize_t n = 1;
	for (int i = 0; i < 5000 && n != 0; i++) {
		n = read(slow, read_so_far, sizeof(read_so_far) - 1);
		loop_once(b.loop, 0);
	}
	CU_ASSERT_EQUAL(n, 0);
	close(slow);
}

static CU_TestInfo tests[] = {
	{ "a serial scanner gives a verdict to its terminal's stream",
	  a_serial_scanner_gives_a_verdict_to_its_terminals_stream },
	{ "a keyboard wedge is decoded as US, whatever the host's layout",
	  a_keyboard_wedge_is_decoded_as_us_whatever_the_hosts_layout },
	{ "lost events damage the scan, and numbers on the keypad are characters",
	  lost_events_damage_the_scan_and_numbers_on_the_keypad_are_characters },
	{ "too long a scan is cut, and the next one is whole", too_long_a_scan_is_cut_and_the_next_one_is_whole },
	{ "who comes back gets what he missed", who_comes_back_gets_what_he_missed },
	{ "one that does not read is cut off, and the rest goes on",
	  one_that_does_not_read_is_cut_off_and_the_rest_goes_on },
	CU_TEST_INFO_NULL,
};
SUITE(lan_scanner, setup, teardown, tests);
