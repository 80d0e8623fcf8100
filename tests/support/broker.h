/* A mosquitto of a test, in a directory of its own. */
#ifndef TESTS_SUPPORT_BROKER_H
#define TESTS_SUPPORT_BROKER_H

#include <stdbool.h>
#include <sys/types.h>

struct broker {
	const char *dir; /* holds mosquitto.conf, the log and whatever the configuration names */
	pid_t pid;
};

/* False (and the test says it was skipped) where mosquitto is not installed. config: lines of mosquitto.conf, in which %d stands
   for the directory; NULL: an open listener on the Unix socket %d/mqtt. */
bool broker_prepare(struct broker *b, const char *config);
/* Starts it and waits until it listens where broker_path says, or on port. */
void broker_start(struct broker *b, int port);
void broker_stop(struct broker *b, int signo); /* SIGKILL: as when the power goes */
/* dir/name; a static buffer */
const char *broker_path(const struct broker *b, const char *name);

#endif
