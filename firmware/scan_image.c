#include "firmware/scan_image.h"

#include "firmware/picture.h"
#include "protocol/base/proc.h"
#include "protocol/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX (1U + ECERT_TEXT_MAX)
#define MEMORY_MAX (512UL << 20)
#define CPU_S      5

struct scan_image {
	struct loop *loop;
	pid_t pid;
	int fd; /* the answer */
	struct loop_fd *ready;
	struct loop_timer *late;
	struct buf answer;
	scan_image_done *done;
	void *arg;
};

const char *scan_image_fault_text(enum scan_image_fault f)
{
	static const char *const texts[SCAN_IMAGE_FAULT_LAST + 1] = {
		[SCAN_IMAGE_OK] = "",
		[SCAN_IMAGE_NOT_ONE] = "图片无法读取，请用 PNG 或 JPEG · it is no PNG or JPEG that can be read",
		[SCAN_IMAGE_TOO_LARGE] = "图片过大，请缩小后重试 · the picture is too large; make it smaller",
		[SCAN_IMAGE_NO_CODE] =
			"图片中没有找到二维码，请对准、对焦后重拍 · no QR code was found in it; aim and focus again",
		[SCAN_IMAGE_SEVERAL] =
			"图片中有多个二维码，请只拍一个 · there are several QR codes in it; take only one",
		[SCAN_IMAGE_FAILED] = "图片处理失败，请重试 · the picture could not be worked on; try again",
	};
	return texts[f];
}

/* --- the child --- */

static bool input_read(struct buf *out)
{
	uint8_t piece[65536];
	for (;;) {
		ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (!buf_add(out, piece, (size_t)n))
			return false;
	}
}

/* Under the sanitizers, whose shadow is larger than any bound, memory is not bounded. */
static void bounds_set(void)
{
	const struct rlimit cpu = { CPU_S, CPU_S }, none = { 0, 0 };
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	setrlimit(RLIMIT_AS, &memory);
#endif
}

int scan_image_main(void)
{
	struct buf image, answer;
	struct sandbox_report how;
	buf_init(&image, SCAN_IMAGE_MAX);
	buf_init(&answer, ANSWER_MAX);
	bounds_set();
	/* The kernel may lack what the sandbox is made of; the bounds and the empty process are there in any case. */
	if (!input_read(&image) || !sandbox_enter(SANDBOX_SIGNER, NULL, 0, NULL, 0, &how, NULL))
		return 1;
	buf_add_u8(&answer, SCAN_IMAGE_FAILED);
	enum scan_image_fault fault = picture_read(buf_bytes(&image), &answer);
	answer.data[0] = (uint8_t)fault;
	bool ok = write(CHANNEL_FD, answer.data, answer.len) == (ssize_t)answer.len;
	buf_clear(&image);
	buf_clear(&answer);
	return ok ? 0 : 1;
}

/* --- the parent --- */

/* The process is told to go, and waited for: it has ended, or is killed where it stands. */
static void leave(struct scan_image *s)
{
	loop_fd_free(s->ready);
	close(s->fd);
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	loop_timer_free(s->late);
	buf_clear(&s->answer);
	free(s);
}

/* text is borrowed from the answer. */
static void finish(struct scan_image *s, enum scan_image_fault fault, struct bytes text)
{
	s->done(s->arg, fault, text);
	leave(s);
}

static void on_late(void *arg)
{
	finish(arg, SCAN_IMAGE_FAILED, (struct bytes){ NULL, 0 });
}

static void on_ready(void *arg, unsigned what)
{
	struct scan_image *s = arg;
	uint8_t piece[8192];
	(void)what;
	ssize_t n = read(s->fd, piece, sizeof(piece));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && buf_add(&s->answer, piece, (size_t)n))
		return;
	enum scan_image_fault fault = SCAN_IMAGE_FAILED;
	if (n == 0 && s->answer.len > 0 && s->answer.data[0] <= SCAN_IMAGE_FAULT_LAST)
		fault = (enum scan_image_fault)s->answer.data[0];
	struct bytes text = { NULL, 0 };
	if (fault == SCAN_IMAGE_OK)
		text = (struct bytes){ s->answer.data + 1, s->answer.len - 1 };
	finish(s, fault, text);
}

static void child_exec(int image, int answer)
{
	static char role[] = SCAN_IMAGE_ROLE, name[] = "image";
	char *const argv[] = { name, role, NULL };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(image, STDIN_FILENO) < 0 || (answer != CHANNEL_FD && dup2(answer, CHANNEL_FD) < 0) ||
	    fcntl(CHANNEL_FD, F_SETFD, 0) != 0)
		_exit(1);
	close_range(CHANNEL_FD + 1, ~0U, 0);
	execv("/proc/self/exe", argv);
	_exit(1);
}

/* The picture in memory that the child reads. */
static int image_file(struct bytes image)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	for (size_t at = 0; fd >= 0 && at < image.len;) {
		ssize_t n = write(fd, image.data + at, image.len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

struct scan_image *scan_image_start(struct loop *l, struct bytes image, scan_image_done *done, void *arg,
				    struct err *e)
{
	int ends[2], fd = image_file(image);
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		(void)err_set(e, ERR_IO, "image: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	pid_t pid = fork();
	if (pid == 0)
		child_exec(fd, ends[1]);
	close(fd);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		(void)err_set(e, ERR_IO, "image: %s", strerror(errno));
		return NULL;
	}
	struct scan_image *s = calloc(1, sizeof(*s));
	if (s == NULL)
		abort();
	*s = (struct scan_image){ .loop = l, .pid = pid, .fd = ends[0], .done = done, .arg = arg };
	buf_init(&s->answer, ANSWER_MAX);
	s->ready = loop_fd_new(l, ends[0], LOOP_READ, on_ready, s);
	s->late = loop_timer_new(l, on_late, s);
	loop_timer_set(s->late, SCAN_IMAGE_WAIT_MS);
	return s;
}

void scan_image_cancel(struct scan_image *s)
{
	if (s != NULL)
		leave(s);
}
