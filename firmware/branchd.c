/* branchd -c DIR/branch.ini: the branch's daemon, in the foreground, logging to stderr. "branchd gate" is its own child. */
#include "firmware/branch.h"
#include "firmware/scan_image.h"
#include "protocol/base/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void stop(void *arg)
{
	log_info("stopping", "pid=%d", (int)getpid());
	loop_stop(arg);
}

static int fail(const struct err *e)
{
	log_error("cannot start", "why=\"%s\"", e->text);
	return 1;
}

static int serve(const char *ini)
{
	struct branch_config config;
	struct err e = { 0 };
	if (!branch_config_load(ini, &config, &e))
		return fail(&e);
	log_init("branchd", config.log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	struct loop *loop = loop_new();
	struct loop_signal *term = loop_signal_new(loop, SIGTERM, stop, loop);
	struct loop_signal *intr = loop_signal_new(loop, SIGINT, stop, loop);
	struct branch *b = branch_open(loop, &config, &e);
	int status = b != NULL ? 0 : fail(&e);
	if (b != NULL) {
		log_info("started", "dir=%s branch=%s", config.dir,
			 b->membership.is_member ? b->membership.sync.branch : "(not enrolled)");
		loop_run(loop);
		status = b->failed ? 1 : 0;
		branch_close(b);
		log_info("stopped", "status=%d", status);
	}
	loop_signal_free(term);
	loop_signal_free(intr);
	loop_free(loop);
	return status;
}

int main(int argc, char **argv)
{
	umask(077);
	log_init("branchd", LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "gate") == 0)
		return gate_main();
	if (argc == 2 && strcmp(argv[1], SCAN_IMAGE_ROLE) == 0)
		return scan_image_main();
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return serve(argv[2]);
	fprintf(stderr, "用法 usage: branchd -c DIR/branch.ini\n");
	return 2;
}
