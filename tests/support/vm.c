#include "tests/support/vm.h"
#include "tests/test.h"

#include "protocol/base/file.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU      "qemu-system-aarch64"
#define MACHINE   "virt"
#define MEMORY_MB "512"
#define OUT_MAX   1048576U
#define SAY_MS    30000 /* the monitor of a busy machine */

static void fail(const struct vm *v, const char *what, const char *detail)
{
	printf("\n    %s: %s\n", what, detail);
	vm_tail(v);
	fflush(stdout);
	CU_FAIL_FATAL("the machine is not as it should be");
	abort();
}

static void run(const struct vm *v, const char *const *argv)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	if (child_run(argv, &out) != 0)
		fail(v, argv[0], buf_str(&out));
	buf_clear(&out);
}

bool vm_is_there(void)
{
	const char *image = getenv("XINBIAN_IMAGE");
	char disk[300];
	snprintf(disk, sizeof(disk), "%s/disk.img", image != NULL ? image : "");
	struct buf out;
	buf_init(&out, OUT_MAX);
	bool there = image != NULL && access(disk, R_OK) == 0 && child_run_words(&out, QEMU " --version") == 0;
	buf_clear(&out);
	if (!there)
		test_skip("the appliance's image (make image) or QEMU");
	return there;
}

/* QEMU's own device tree, without the button that holds line 3. */
static void tree_make(struct vm *v)
{
	char machine[200];
	snprintf(machine, sizeof(machine), MACHINE ",dumpdtb=%s", v->dtb);
	run(v, (const char *const[]){ QEMU, "-machine", machine, "-cpu", "cortex-a72", "-m", MEMORY_MB, "-smp", "2",
				      "-display", "none", NULL });
	run(v, (const char *const[]){ "fdtput", "-r", v->dtb, "/gpio-keys", NULL });
}

void vm_open(struct vm *v, unsigned disk_mb)
{
	char from[300], size[24];
	*v = (struct vm){ .api_port = free_port(), .qmp = -1 };
	snprintf(v->dir, sizeof(v->dir), "%s", test_dir());
	snprintf(v->image, sizeof(v->image), "%s", getenv("XINBIAN_IMAGE"));
	snprintf(v->dtb, sizeof(v->dtb), "%s/machine.dtb", v->dir);
	snprintf(v->disk, sizeof(v->disk), "%s/disk.img", v->dir);
	snprintf(v->medium, sizeof(v->medium), "%s/medium.img", v->dir);
	snprintf(v->log, sizeof(v->log), "%s/writes.log", v->dir);
	snprintf(from, sizeof(from), "%s/disk.img", v->image);
	snprintf(size, sizeof(size), "%uM", disk_mb);
	tree_make(v);
	run(v, (const char *const[]){ "cp", "--sparse=always", from, v->disk, NULL });
	run(v, (const char *const[]){ "truncate", "-s", size, v->disk, NULL });
	run(v, (const char *const[]){ "truncate", "-s", "8M", v->medium, NULL });
	run(v, (const char *const[]){ "mformat", "-i", v->medium, "-v", "XB-ENROL", "-T", "16384", "-h", "2", "-s",
				      "32", "::", NULL });
}

/* Starting and stopping */

#define ARGS_MAX 60
struct args {
	const char *of[ARGS_MAX + 1];
	size_t len;
};
static void add(struct args *a, const char *one, const char *two)
{
	if (a->len + 2 > ARGS_MAX)
		abort();
	a->of[a->len++] = one;
	a->of[a->len++] = two;
}

/* The lines of QMP, one at a time, until one answers; events are passed over. */
static void qmp_read(struct vm *v, const char *awaited, struct buf *out)
{
	struct buf line;
	buf_init(&line, OUT_MAX);
	for (;;) {
		char c = '\0';
		struct pollfd p = { .fd = v->qmp, .events = POLLIN };
		if (poll(&p, 1, SAY_MS) <= 0 || read(v->qmp, &c, 1) != 1)
			fail(v, "QMP", "no answer");
		if (c != '\n') {
			buf_add_u8(&line, (uint8_t)c);
			continue;
		}
		if (strstr(buf_str(&line), "{\"error\"") != NULL)
			fail(v, "QMP", buf_str(&line));
		if (strstr(buf_str(&line), awaited) != NULL)
			break;
		line.len = 0;
	}
	if (out != NULL)
		buf_add(out, line.data, line.len);
	buf_clear(&line);
}

static void qmp_say(struct vm *v, const char *line, struct buf *out)
{
	if (write(v->qmp, line, strlen(line)) != (ssize_t)strlen(line))
		fail(v, "QMP", "closed");
	qmp_read(v, "{\"return\"", out);
}

static bool qmp_connected(void *arg)
{
	struct vm *v = arg;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof(to.sun_path), "%.90s/qmp", v->dir);
	v->qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(v->qmp, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	close(v->qmp);
	v->qmp = -1;
	return !child_is_running(v->pid);
}

void vm_start(struct vm *v)
{
	char kernel[220], initrd[220], append[400], disk[200], log[200], medium[160], net[100], qmp[140], serial[140],
		path[240];
	struct buf options;
	struct args a = { .len = 0 };
	buf_init(&options, OUT_MAX);
	snprintf(path, sizeof(path), "%s/cmdline", v->image);
	if (!file_read(path, &options, NULL))
		fail(v, path, "cannot be read");
	snprintf(kernel, sizeof(kernel), "%s/vmlinuz", v->image);
	snprintf(initrd, sizeof(initrd), "%s/initrd", v->image);
	snprintf(append, sizeof(append), "%.*s console=ttyAMA0 systemd.journald.forward_to_console=1",
		 (int)strcspn(buf_str(&options), "\n"), buf_str(&options));
	buf_clear(&options);
	snprintf(net, sizeof(net), "user,id=net,hostfwd=tcp:127.0.0.1:%d-:8443", v->api_port);
	snprintf(disk, sizeof(disk), "driver=raw,node-name=%s,file.driver=file,file.filename=%s",
		 v->is_logging ? "below" : "disk", v->disk);
	snprintf(log, sizeof(log), "driver=blklogwrites,node-name=disk,file=below,log.driver=file,log.filename=%s",
		 v->log);
	snprintf(medium, sizeof(medium), "driver=raw,node-name=medium,file.driver=file,file.filename=%s", v->medium);
	snprintf(qmp, sizeof(qmp), "unix:%s/qmp,server=on,wait=off", v->dir);
	snprintf(serial, sizeof(serial), "file:%s/serial.log", v->dir);
	a.of[a.len++] = QEMU;
	add(&a, "-machine", MACHINE);
	add(&a, "-dtb", v->dtb);
	add(&a, "-cpu", "cortex-a72");
	add(&a, "-m", MEMORY_MB);
	add(&a, "-smp", "2");
	add(&a, "-display", "none");
	add(&a, "-serial", serial);
	add(&a, "-qmp", qmp);
	add(&a, "-kernel", kernel);
	add(&a, "-initrd", initrd);
	add(&a, "-append", append);
	add(&a, "-blockdev", disk);
	if (v->is_logging)
		add(&a, "-blockdev", log);
	add(&a, "-device", "virtio-blk-pci,drive=disk");
	add(&a, "-blockdev", medium);
	add(&a, "-device", "virtio-blk-pci,drive=medium");
	add(&a, "-netdev", net);
	add(&a, "-device", "virtio-net-pci,netdev=net,romfile=");
	add(&a, "-device", "virtio-rng-pci");
	a.of[a.len++] = "-nodefaults";
	a.of[a.len] = NULL;
	snprintf(path, sizeof(path), "%s/qemu.log", v->dir);
	v->pid = child_start(a.of, path);
	if (!wait_until(qmp_connected, v, SAY_MS) || v->qmp < 0)
		fail(v, "QEMU", "does not start");
	qmp_read(v, "\"QMP\"", NULL);
	qmp_say(v, "{\"execute\":\"qmp_capabilities\"}\n", NULL);
}

bool vm_is_running(const struct vm *v)
{
	return v->pid > 0 && kill(v->pid, 0) == 0;
}

static void gone(struct vm *v)
{
	char from[140], to[140];
	struct buf text;
	if (v->qmp >= 0)
		close(v->qmp);
	v->qmp = -1;
	v->pid = 0;
	/* QEMU begins its console afresh each time. */
	buf_init(&text, 64 * OUT_MAX);
	snprintf(from, sizeof(from), "%s/serial.log", v->dir);
	snprintf(to, sizeof(to), "%s/console.log", v->dir);
	(void)!file_read(to, &text, NULL);
	if (file_read(from, &text, NULL))
		(void)!file_write(to, buf_bytes(&text), 0600, NULL);
	buf_clear(&text);
}

void vm_cut(struct vm *v)
{
	if (v->pid <= 0)
		return;
	child_stop(v->pid, SIGKILL);
	gone(v);
}

static bool has_ended(void *arg)
{
	const struct vm *v = arg;
	return !child_is_running(v->pid);
}

bool vm_wait_end(struct vm *v, int timeout_ms)
{
	bool ended = wait_until(has_ended, v, timeout_ms);
	if (ended)
		gone(v);
	return ended;
}

/* Lines */

void vm_monitor(struct vm *v, const char *command, struct buf *out)
{
	char line[300];
	snprintf(line, sizeof(line),
		 "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}\n", command);
	qmp_say(v, line, out);
}

/* PL061 on this machine: its base and the data register with all eight lines unmasked (ARM DDI 0190, 3.3.1). */
#define LINES_AT "0x90303fc"

unsigned vm_lines(struct vm *v)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	vm_monitor(v, "xp /1xw " LINES_AT, &out);
	const char *value = strstr(buf_str(&out), ": 0x");
	if (value == NULL)
		fail(v, "the GPIO controller", buf_str(&out));
	unsigned lines = (unsigned)strtoul(value + 4, NULL, 16);
	buf_clear(&out);
	return lines;
}

void vm_pulse(struct vm *v)
{
	qmp_say(v, "{\"execute\":\"system_powerdown\"}\n", NULL);
}

uint64_t vm_written(struct vm *v)
{
	struct buf out;
	int64_t written = -1;
	buf_init(&out, OUT_MAX);
	qmp_say(v, "{\"execute\":\"query-blockstats\"}\n", &out);
	struct json *j = json_parse(buf_bytes(&out), NULL);
	const struct json *devices = j != NULL ? json_get(j, "return") : NULL;
	for (size_t i = 0; devices != NULL && i < json_len(devices); i++) {
		const struct json *device = json_at(devices, i), *stats = json_get(device, "stats");
		const char *node = "";
		if (json_text(device, "node-name", 40, &node, NULL) && strcmp(node, "disk") == 0 && stats != NULL &&
		    !json_int(stats, "wr_bytes", 0, INT64_MAX, &written, NULL))
			written = -1;
	}
	if (written < 0)
		fail(v, "query-blockstats", buf_str(&out));
	json_free(j);
	buf_clear(&out);
	return (uint64_t)written;
}

/* The medium */

void vm_medium_put(struct vm *v, const char *name, const char *text)
{
	char from[140], to[80];
	struct err e = { 0 };
	snprintf(from, sizeof(from), "%s/put", v->dir);
	snprintf(to, sizeof(to), "::/%s", name);
	if (!file_write(from, bytes_of(text), 0600, &e))
		fail(v, name, e.text);
	run(v, (const char *const[]){ "mcopy", "-o", "-i", v->medium, from, to, NULL });
}

bool vm_medium_get(struct vm *v, const char *name, struct buf *out)
{
	char from[80], to[140];
	struct buf said;
	snprintf(from, sizeof(from), "::/%s", name);
	snprintf(to, sizeof(to), "%s/got", v->dir);
	buf_init(&said, OUT_MAX);
	bool got = child_run((const char *const[]){ "mcopy", "-n", "-o", "-i", v->medium, from, to, NULL }, &said) ==
			   0 &&
		   file_read(to, out, NULL);
	buf_clear(&said);
	return got;
}

void vm_tail(const struct vm *v)
{
	struct buf out;
	buf_init(&out, OUT_MAX);
	if (child_run_words(&out, "tail -n 40 %s/serial.log %s/qemu.log", v->dir, v->dir) == 0)
		printf("\n%s", buf_str(&out));
	buf_clear(&out);
}
