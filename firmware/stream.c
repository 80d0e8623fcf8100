#include "firmware/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct streams *streams;
	struct http_request *http;
	struct reader *next;
};

struct kept {
	uint64_t number; /* 0: none */
	struct buf text; /* as it is sent */
};

struct screen {
	char terminal[NAME_MAX_LEN + 1];
	uint64_t last;                 /* event's number */
	struct kept kept[STREAM_KEPT]; /* a ring: number % STREAM_KEPT */
	struct reader *readers;        /* owned, newest first */
};

struct streams {
	struct loop_timer *alive;
	char run[9];
	size_t screens_len;
	struct screen screens[TERMINALS_MAX + 1];
};

static void on_alive(void *arg);

struct streams *streams_new(struct loop *l, const struct random *random)
{
	uint8_t run[4];
	struct streams *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	random->fill(random->arg, run, sizeof(run));
	hex_encode(run, sizeof(run), s->run);
	s->alive = loop_timer_new(l, on_alive, s);
	return s;
}

void streams_free(struct streams *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->screens_len; i++) {
		struct screen *c = &s->screens[i];
		for (size_t k = 0; k < STREAM_KEPT; k++)
			buf_clear(&c->kept[k].text);
		while (c->readers != NULL) {
			struct reader *r = c->readers;
			c->readers = r->next;
			http_stream_end(r->http);
			free(r);
		}
	}
	loop_timer_free(s->alive);
	free(s);
}

static void reader_unlink(struct streams *s, const struct reader *gone)
{
	for (size_t i = 0; i < s->screens_len; i++)
		for (struct reader **at = &s->screens[i].readers; *at != NULL; at = &(*at)->next)
			if (*at == gone) {
				*at = gone->next;
				return;
			}
}

static void on_closed(void *arg)
{
	struct reader *r = arg;
	reader_unlink(r->streams, r);
	free(r);
}

static struct screen *screen_of(struct streams *s, const char *terminal)
{
	for (size_t i = 0; i < s->screens_len; i++)
		if (strcmp(s->screens[i].terminal, terminal) == 0)
			return &s->screens[i];
	if (s->screens_len == sizeof(s->screens) / sizeof(s->screens[0]))
		return NULL;
	struct screen *c = &s->screens[s->screens_len++];
	snprintf(c->terminal, sizeof(c->terminal), "%s", terminal);
	return c;
}

/* One that reads too slowly is cut off. */
static void screen_send(struct screen *c, struct bytes text)
{
	for (struct reader **at = &c->readers; *at != NULL;) {
		struct reader *r = *at;
		if (http_stream_send(r->http, text)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free(r);
	}
}

static void on_alive(void *arg)
{
	struct streams *s = arg;
	bool any = false;
	for (size_t i = 0; i < s->screens_len; i++) {
		screen_send(&s->screens[i], bytes_of(":\n\n"));
		any |= s->screens[i].readers != NULL;
	}
	if (any)
		loop_timer_set(s->alive, STREAM_ALIVE_MS);
}

/* "<run>-<number>" of this run; otherwise everything kept is new to him. */
static uint64_t last_seen(const struct streams *s, const struct screen *c, const char *id)
{
	size_t len = strlen(s->run);
	if (id == NULL || strncmp(id, s->run, len) != 0 || id[len] != '-' || strspn(id + len + 1, "0123456789") == 0)
		return id == NULL ? c->last : 0;
	return strtoull(id + len + 1, NULL, 10);
}

static bool replay(struct screen *c, struct http_request *http, uint64_t seen)
{
	for (uint64_t n = c->last > STREAM_KEPT ? c->last - STREAM_KEPT + 1 : 1; n <= c->last; n++) {
		const struct kept *k = &c->kept[n % STREAM_KEPT];
		if (k->number == n && n > seen && !http_stream_send(http, buf_bytes(&k->text)))
			return false;
	}
	return true;
}

bool streams_open(struct streams *s, struct http_request *r, const char *terminal, struct err *e)
{
	struct screen *c = screen_of(s, terminal);
	if (c == NULL)
		return err_set(e, ERR_FULL, "more than %d terminals", TERMINALS_MAX);
	uint64_t seen = last_seen(s, c, http_header(r, "Last-Event-ID"));
	struct reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		abort();
	*reader = (struct reader){ s, r, c->readers };
	http_reply_header(r, "Cache-Control", "no-store");
	http_stream_start(r, "text/event-stream", on_closed, reader);
	c->readers = reader;
	if (!http_stream_send(r, bytes_of(":\n\n")) || !replay(c, r, seen)) {
		c->readers = reader->next;
		free(reader);
		return true;
	}
	unsigned n = 0;
	for (struct reader **at = &c->readers; *at != NULL; n++) {
		struct reader *old = *at;
		if (n < STREAM_READERS) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		http_stream_end(old->http);
		free(old);
	}
	if (!loop_timer_is_set(s->alive))
		loop_timer_set(s->alive, STREAM_ALIVE_MS);
	return true;
}

static struct kept *kept_new(struct screen *c, uint64_t number)
{
	struct kept *k = &c->kept[number % STREAM_KEPT];
	buf_clear(&k->text);
	buf_init(&k->text, STREAM_EVENT_MAX);
	k->number = number;
	return k;
}

void streams_publish(struct streams *s, const char *terminal, const char *event, struct bytes data)
{
	struct screen *c = screen_of(s, terminal);
	if (c == NULL)
		return;
	uint64_t number = ++c->last;
	struct kept *k = kept_new(c, number);
	buf_add_fmt(&k->text, "id: %s-%llu\nevent: %s\ndata: ", s->run, (unsigned long long)number, event);
	buf_add(&k->text, data.data, data.len);
	buf_add_str(&k->text, "\n\n");
	if (!k->text.failed)
		screen_send(c, buf_bytes(&k->text));
	else
		k->number = 0;
}
