#include "protocol/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_US_MAX 86400000000LL

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	socklen_t to_len;
	struct loop_timer *alive;
	int64_t every_ms; /* 0: not watched */
};

/* "/path", or "@name" in the abstract name space, which has no zero byte at its end. */
static bool address_of(const char *text, struct notify *n)
{
	size_t len = strlen(text);
	if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof(n->to.sun_path))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, text, len);
	if (text[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] == '/' ? 1 : 0));
	return true;
}

static bool number_of(const char *name, int64_t most, int64_t *out)
{
	const char *text = getenv(name);
	char *end = NULL;
	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || v > most)
		return false;
	*out = v;
	return true;
}

/* Whoever is meant by $WATCHDOG_PID is watched; without one, we are. */
static int64_t every_ms(void)
{
	int64_t us = 0, pid = getpid();
	if (!number_of("WATCHDOG_USEC", WATCHDOG_US_MAX, &us) || us == 0)
		return 0;
	if (getenv("WATCHDOG_PID") != NULL && (!number_of("WATCHDOG_PID", INT32_MAX, &pid) || pid != getpid()))
		return 0;
	return us < 6000 ? 2 : us / 3000;
}

static void tell(const struct notify *n, const char *what)
{
	if (n->fd >= 0)
		(void)!sendto(n->fd, what, strlen(what), MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->to_len);
}

static void alive(void *arg)
{
	struct notify *n = arg;
	tell(n, "WATCHDOG=1");
	loop_timer_set(n->alive, n->every_ms);
}

struct notify *notify_new(struct loop *l)
{
	struct notify *n = calloc(1, sizeof(*n));
	if (n == NULL)
		abort();
	n->fd = -1;
	const char *socket_name = getenv("NOTIFY_SOCKET");
	if (socket_name != NULL && address_of(socket_name, n))
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	n->every_ms = n->fd >= 0 ? every_ms() : 0;
	n->alive = loop_timer_new(l, alive, n);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return n;
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1");
	if (n->every_ms > 0)
		alive(n);
}

void notify_stopping(struct notify *n)
{
	loop_timer_stop(n->alive);
	tell(n, "STOPPING=1");
}

void notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	loop_timer_free(n->alive);
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}
