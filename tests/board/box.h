/* The one appliance under test and the central it belongs to; what was asked of it is kept, to be looked for after a cut. */
#ifndef TESTS_BOARD_BOX_H
#define TESTS_BOARD_BOX_H

#include "tests/support/vm.h"

#define LIST        "black-fraud"
#define BOX_ENTRIES 20000
#define BOX_WAIT_MS 240000 /* a whole boot and enrolment, emulated, on a busy machine */
#define BOX_LAMP_MS 30000

struct box_answer {
	char decision_id[80];
	char outcome[16];
	off_t logged; /* bytes of the write log when the answer was here */
};

struct box {
	struct vm vm;
	struct world w;
	struct world_branch *branch;
	int64_t version; /* of LIST, the newest published */
	unsigned asked, seed;
	size_t answers_len;
	struct box_answer answers[4096];
	enum { BOX_NEW, BOX_READY, BOX_FAILED } is;
	double enrolled_s; /* from power on, as good as new, to a list applied */
};
extern struct box box;

/*
 * False when there is no image or no QEMU. Otherwise the box, set up from its medium, enrolled, with a list of BOX_ENTRIES; made by the
 * first who asks, and the test fails when it could not be.
 */
bool box_ready(void);
int64_t now_ms(void);
/* Asks holds(arg) until it says yes or BOX_WAIT_MS are over, by the clock: asking takes long here. */
bool box_wait(bool (*holds)(void *arg), void *arg);
unsigned box_random(void);

/* enrol.ini with a fresh token, the board and the name that tests use; more: further lines; ca: of central's directory. */
void box_medium_put(const char *more, const char *ca);
/* Until the medium says that it enrolled; false, with what it says, when not. */
bool box_wait_enrolled(void);
/* Until the medium says that it did not, in these words. */
bool box_wait_refused(const char *why);
/* Until /healthz answers. */
bool box_wait_up(void);

/* Publishes LIST with that many entries. */
void box_publish(unsigned entries);
/* Asks for the i-th number: the outcome, or the status when there is none ("503", "0"). A static buffer. */
const char *box_check(unsigned i);
/* The same, and an answer is kept. */
void box_ask(unsigned i);
bool box_wait_check(const char *outcome);
/* Of the answers kept, those that the box does not give again, the same. */
unsigned box_count_lost(void);

bool box_central_says_tampered(void);
/* vault.key on the disk; the machine is off. */
bool box_key_is_zeros(void);
/* Where on the disk the state partition lies, in sectors of 512 bytes. */
void box_state_partition(const char *disk, uint64_t *first, uint64_t *count);

#endif
