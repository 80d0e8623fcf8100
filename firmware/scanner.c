#include "firmware/scanner.h"

#include "firmware/scanner_frames.h"
#include "firmware/scanner_keys.h"
#include "protocol/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct scanner {
	struct loop *loop;
	const struct scanner_config *config;
	void (*scanned)(void *arg, const struct scanner_config *c, struct bytes raw);
	void *arg;
	int fd; /* -1 while it is not there */
	struct loop_fd *ready;
	struct loop_timer *retry, *silence;
	struct scanner_frames frames;
	struct scanner_keys keys;
	uint64_t scans;
	char fault[120];
};

static void on_scan(void *arg, struct bytes raw)
{
	struct scanner *s = arg;
	s->scans++;
	s->scanned(s->arg, s->config, raw);
}

/* Said once, until it changes. */
static void fault_set(struct scanner *s, const char *what, const char *why)
{
	char text[sizeof(s->fault)];
	snprintf(text, sizeof(text), "%.60s: %.50s", what, why);
	if (strcmp(text, s->fault) != 0)
		log_warn("a scanner is not there", "scanner=%s device=%s why=\"%s\"", s->config->name,
			 s->config->device, text);
	memcpy(s->fault, text, sizeof(text));
}

static void device_close(struct scanner *s)
{
	loop_fd_free(s->ready);
	s->ready = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	loop_timer_stop(s->silence);
	scanner_frames_drop(&s->frames);
	scanner_keys_init(&s->keys, &s->frames);
}

static void device_gone(struct scanner *s, const char *what, const char *why)
{
	fault_set(s, what, why);
	device_close(s);
	loop_timer_set(s->retry, SCANNER_RETRY_MS);
}

static void keys_add(struct scanner *s, const uint8_t *data, size_t len)
{
	struct input_event v;
	for (size_t at = 0; at + sizeof(v) <= len; at += sizeof(v)) {
		memcpy(&v, data + at, sizeof(v));
		scanner_keys_event(&s->keys, &v);
	}
}

static void on_ready(void *arg, unsigned what)
{
	struct scanner *s = arg;
	_Alignas(struct input_event) uint8_t data[64 * sizeof(struct input_event)];
	(void)what;
	ssize_t n = read(s->fd, data, sizeof(data));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		device_gone(s, "read", n == 0 ? "the device has gone" : strerror(errno));
		return;
	}
	if (s->config->keyboard)
		keys_add(s, data, (size_t)n);
	else
		scanner_frames_add(&s->frames, (struct bytes){ data, (size_t)n });
	if (scanner_frames_open(&s->frames))
		loop_timer_set(s->silence, s->config->keyboard ? 10L * SCANNER_GAP_MS : SCANNER_GAP_MS);
	else
		loop_timer_stop(s->silence);
}

static void on_silence(void *arg)
{
	struct scanner *s = arg;
	scanner_frames_silence(&s->frames);
}

/* Bytes as they come: no echo, no line editing, no translation. */
static bool tty_raw(int fd)
{
	struct termios t;
	if (tcgetattr(fd, &t) != 0)
		return false;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&t, B115200);
	return tcsetattr(fd, TCSANOW, &t) == 0 && tcflush(fd, TCIFLUSH) == 0;
}

static void on_retry(void *arg)
{
	struct scanner *s = arg;
	const struct scanner_config *c = s->config;
	s->fd = open(c->device, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0) {
		device_gone(s, "open", strerror(errno));
		return;
	}
	if (c->keyboard && !c->shared && ioctl(s->fd, EVIOCGRAB, 1) != 0) {
		device_gone(s, "EVIOCGRAB", strerror(errno));
		return;
	}
	if (!c->keyboard && !tty_raw(s->fd)) {
		device_gone(s, "termios", strerror(errno));
		return;
	}
	s->fault[0] = '\0';
	log_info("a scanner is there", "scanner=%s device=%s", c->name, c->device);
	s->ready = loop_fd_new(s->loop, s->fd, LOOP_READ, on_ready, s);
}

struct scanner *scanner_open(struct loop *l, const struct scanner_config *config,
			     void (*scanned)(void *arg, const struct scanner_config *c, struct bytes raw), void *arg)
{
	struct scanner *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	*s = (struct scanner){ .loop = l, .config = config, .scanned = scanned, .arg = arg, .fd = -1 };
	scanner_frames_init(&s->frames, on_scan, s);
	scanner_keys_init(&s->keys, &s->frames);
	s->retry = loop_timer_new(l, on_retry, s);
	s->silence = loop_timer_new(l, on_silence, s);
	loop_timer_set(s->retry, 0);
	return s;
}

void scanner_close(struct scanner *s)
{
	if (s == NULL)
		return;
	device_close(s);
	loop_timer_free(s->retry);
	loop_timer_free(s->silence);
	scanner_frames_clear(&s->frames);
	free(s);
}

void scanner_info(const struct scanner *s, struct scanner_info *out)
{
	*out = (struct scanner_info){ .config = s->config, .connected = s->fd >= 0, .scans = s->scans };
	memcpy(out->fault, s->fault, sizeof(out->fault));
}
