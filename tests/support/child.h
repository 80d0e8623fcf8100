/* Processes of a test: started with their output in a file, stopped by pid, all of them killed when the runner ends. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include "protocol/base/buf.h"

#include <sys/types.h>

/* argv ends with NULL; a program without a slash is looked up in $XINBIAN_BIN first. Output is appended to log_path. */
pid_t child_start(const char *const *argv, const char *log_path);
/* Sends signo and waits at most 10 s, then kills. Returns the wait status, -1 when it was not running. */
int child_stop(pid_t pid, int signo);
bool child_is_running(pid_t pid);
/* Runs to the end, killed when it is silent for 60 s; stdout and stderr go to out (NUL-terminated by buf_str). Returns the exit status, 128+n for a signal. */
int child_run(const char *const *argv, struct buf *out);
/* The same, for what may be silent for longer. */
int child_run_for(const char *const *argv, struct buf *out, int silent_ms);
/* The same for words separated by single spaces. */
int child_run_words(struct buf *out, const char *fmt, ...) PRINTF(2, 3);

/* A TCP port of 127.0.0.1 that was free a moment ago. */
int free_port(void);
void sleep_ms(int ms);
/* Asks holds(arg) every 20 ms until it says yes or the time is over. */
bool wait_until(bool (*holds)(void *arg), void *arg, int timeout_ms);

#endif
