/* centrald: the daemon; also, by its first argument, its children. Stays in the foreground, ends cleanly on SIGTERM. */
#include "central/api/report.h"
#include "central/hub.h"
#include "central/signer/signer.h"
#include "protocol/base/gate.h"
#include "protocol/base/log.h"
#include "protocol/base/notify.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void on_stop(void *arg)
{
	loop_stop(arg);
}

/* One centrald a directory. The descriptor stays open until the process ends. */
static bool dir_lock(const struct hub_config *c, struct err *e)
{
	char path[320];
	snprintf(path, sizeof(path), "%s/centrald.lock", c->dir);
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_IO, "%.200s cannot be written", path);
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ||
	       err_set(e, ERR_CONFLICT, "another centrald runs in %.150s", c->dir);
}

static bool serve(struct hub_config *c, struct err *e)
{
	if (!dir_lock(c, e))
		return false;
	struct loop *l = loop_new();
	struct loop_signal *term = loop_signal_new(l, SIGTERM, on_stop, l);
	struct loop_signal *interrupt = loop_signal_new(l, SIGINT, on_stop, l);
	struct notify *notify = notify_new(l);
	struct hub *h = hub_open(l, c, e);
	if (h != NULL) {
		log_info("centrald serves", "dir=%s", c->dir);
		notify_ready(notify);
		loop_run(l);
		log_info("centrald ends", "dir=%s", c->dir);
	}
	notify_stopping(notify);
	bool ok = h != NULL;
	hub_close(h);
	notify_free(notify);
	loop_signal_free(term);
	loop_signal_free(interrupt);
	loop_free(l);
	return ok;
}

static int usage(void)
{
	fprintf(stderr, "用法 / usage: centrald -c DIR/central.ini\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct hub_config c;
	struct err e = { 0 };
	if (argc == 2 && strcmp(argv[1], "gate") == 0)
		return gate_main();
	if (argc == 2 && strcmp(argv[1], "signer") == 0)
		return signer_main();
	if (argc == 2 && strcmp(argv[1], REPORT_WORKER) == 0)
		return report_worker_main();
	if (argc != 3 || strcmp(argv[1], "-c") != 0)
		return usage();
	log_init("centrald", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	bool ok = hub_config_load(argv[2], &c, &e) && serve(&c, &e);
	if (!ok)
		log_error("centrald cannot start", "why=%s", e.text);
	hub_config_clear(&c);
	return ok ? 0 : 1;
}
