#include "tests/support/broker.h"

#include "protocol/base/file.h"
#include "tests/support/child.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *broker_path(const struct broker *b, const char *name)
{
	static char path[108];
	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return path;
}

bool broker_prepare(struct broker *b, const char *config)
{
	struct buf text;
	struct err e;
	*b = (struct broker){ 0 };
	if (access("/usr/sbin/mosquitto", X_OK) != 0) {
		test_skip("mosquitto");
		return false;
	}
	b->dir = test_dir();
	buf_init(&text, 16384);
	if (config == NULL)
		config = "listener 0 %d/mqtt\nallow_anonymous true\n";
	buf_add_str(&text, getuid() == 0 ? "user root\n" : "");
	for (const char *c = config; *c != 0; c++) {
		if (c[0] == '%' && c[1] == 'd') {
			buf_add_str(&text, b->dir);
			c++;
		} else {
			buf_add_u8(&text, (uint8_t)*c);
		}
	}
	if (!file_write(broker_path(b, "mosquitto.conf"), buf_bytes(&text), 0600, &e))
		abort();
	buf_clear(&text);
	return true;
}

struct where {
	const char *path;
	int port;
};

static bool answers(void *arg)
{
	const struct where *w = arg;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)w->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", w->path);
	int fd = socket(w->port != 0 ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = connect(fd, w->port != 0 ? (struct sockaddr *)&in : (struct sockaddr *)&un,
			  w->port != 0 ? sizeof(in) : sizeof(un)) == 0;
	close(fd);
	return ok;
}

void broker_start(struct broker *b, int port)
{
	char config[128], log[128];
	snprintf(config, sizeof(config), "%s", broker_path(b, "mosquitto.conf"));
	snprintf(log, sizeof(log), "%s", broker_path(b, "mosquitto.log"));
	const char *argv[] = { "mosquitto", "-c", config, NULL };
	b->pid = child_start(argv, log);
	struct where w = { broker_path(b, "mqtt"), port };
	if (!wait_until(answers, &w, 10000)) {
		fprintf(stderr, "mosquitto does not listen; see %s\n", log);
		abort();
	}
}

void broker_stop(struct broker *b, int signo)
{
	if (b->pid > 0) {
		kill(b->pid, SIGCONT);
		child_stop(b->pid, signo);
	}
	b->pid = 0;
}
