#include "tests/board/box.h"
#include "tests/test.h"

#include "protocol/base/file.h"
#include "protocol/base/loop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISK_MB  1024
#define OUT_MAX  1048576U
#define HOST     "10.0.2.2" /* of QEMU's user network: 127.0.0.1 outside */
#define TERMINAL "kiosk-1"

struct box box;

int64_t now_ms(void)
{
	return loop_now_ms();
}

bool box_wait(bool (*holds)(void *arg), void *arg)
{
	for (int64_t until_ms = now_ms() + BOX_WAIT_MS; now_ms() < until_ms; sleep_ms(100))
		if (holds(arg))
			return true;
	return false;
}

/* xorshift: the same sequence from the same seed. */
unsigned box_random(void)
{
	static unsigned state;
	if (state == 0)
		state = box.seed;
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Setting up */

void box_medium_put(const char *more, const char *ca_name)
{
	char token[200], path[200];
	struct buf text, ca;
	buf_init(&text, OUT_MAX);
	buf_init(&ca, OUT_MAX);
	world_enrol_token(&box.w, box.branch->name, token);
	buf_add_fmt(&text,
		    "central = " HOST
		    ":%d\r\ntoken = %s\r\nsan = 127.0.0.1 localhost\r\nboard = qemu-virt.conf\r\n%s",
		    box.w.central_port, token, more);
	snprintf(path, sizeof(path), "%s/%s", box.w.central_dir, ca_name);
	CU_ASSERT_TRUE_FATAL(file_read(path, &ca, NULL));
	vm_medium_put(&box.vm, "enrol.ini", buf_str(&text));
	vm_medium_put(&box.vm, "ca.pem", buf_str(&ca));
	vm_medium_put(&box.vm, "result.txt", "");
	buf_clear(&text);
	buf_clear(&ca);
}

static bool medium_says(const char *file, const char *word, char *rest, size_t size)
{
	struct buf text;
	buf_init(&text, OUT_MAX);
	const char *at = vm_medium_get(&box.vm, file, &text) ? strstr(buf_str(&text), word) : NULL;
	if (at != NULL && rest != NULL)
		snprintf(rest, size, "%.*s", (int)strcspn(at + strlen(word), "\r\n"), at + strlen(word));
	buf_clear(&text);
	return at != NULL;
}

static bool is_enrolled(void *arg)
{
	(void)arg;
	return medium_says("result.txt", "enrolled", NULL, 0) || medium_says("result.txt", "failed", NULL, 0) ||
	       !vm_is_running(&box.vm);
}

bool box_wait_enrolled(void)
{
	char why[300];
	(void)!box_wait(is_enrolled, NULL);
	if (medium_says("result.txt", "enrolled", NULL, 0))
		return true;
	if (medium_says("result.txt", "failed", why, sizeof(why)))
		printf("\n    enrolling failed%s\n", why);
	vm_tail(&box.vm);
	return false;
}

bool box_wait_refused(const char *why)
{
	(void)!box_wait(is_enrolled, NULL);
	return medium_says("result.txt", why, NULL, 0);
}

static bool is_up(void *arg)
{
	(void)arg;
	return world_https(&box.w, box.branch, "GET", "/healthz", NULL, NULL) == 200;
}

bool box_wait_up(void)
{
	bool up = box_wait(is_up, NULL);
	if (!up)
		vm_tail(&box.vm);
	return up;
}

/* Asking */

void box_publish(unsigned entries)
{
	char csv[160];
	snprintf(csv, sizeof(csv), "%s/list.csv", box.w.dir);
	world_csv(csv, 0, entries);
	box.version = world_publish(&box.w, LIST, csv, "");
}

static bool opened(void)
{
	const char *seed = getenv("XINBIAN_SEED");
	box.seed = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	world_open_as(&box.w, HOST);
	vm_open(&box.vm, DISK_MB);
	box.branch = world_branch_remote(&box.w, "quay", box.vm.api_port);
	box_publish(BOX_ENTRIES);
	box_medium_put("terminals = " TERMINAL "\r\n", "ca.pem");
	int64_t began_ms = now_ms();
	vm_start(&box.vm);
	bool ok = box_wait_enrolled() &&
		  medium_says("terminals.txt", TERMINAL " ", box.branch->terminal_token,
			      sizeof(box.branch->terminal_token)) &&
		  world_wait_applied(&box.w, box.branch, LIST, box.version, BOX_WAIT_MS);
	box.enrolled_s = (double)(now_ms() - began_ms) / 1000;
	return ok;
}

bool box_ready(void)
{
	if (box.is == BOX_NEW) {
		if (!vm_is_there())
			return false;
		box.is = BOX_FAILED; /* until it is not */
		if (opened())
			box.is = BOX_READY;
	}
	if (box.is == BOX_FAILED)
		CU_FAIL_FATAL("there is no enrolled box");
	return true;
}

static struct json *ask(unsigned i, int *status)
{
	char body[400], number[20];
	struct buf out;
	world_number(i, number);
	snprintf(body, sizeof(body),
		 "{\"request_id\":\"vm-%u\",\"business\":\"open_account\",\"subject\":{\"kind\":\"resident_id\","
		 "\"number\":\"%s\"}}",
		 box.asked++, number);
	buf_init(&out, OUT_MAX);
	*status = world_https(&box.w, box.branch, "POST", "/v1/checks", body, &out);
	struct json *j = *status == 200 ? json_parse(buf_bytes(&out), NULL) : NULL;
	buf_clear(&out);
	return j;
}

static const char *text_of(const struct json *j, const char *key)
{
	const char *text = "";
	struct err e;
	return j != NULL && json_text(j, key, 79, &text, &e) ? text : "";
}

const char *box_check(unsigned i)
{
	static char outcome[16];
	int status;
	struct json *j = ask(i, &status);
	snprintf(outcome, sizeof(outcome), "%s", text_of(j, "outcome"));
	if (status != 200)
		snprintf(outcome, sizeof(outcome), "%d", status);
	json_free(j);
	return outcome;
}

static off_t logged(void)
{
	struct stat st;
	return box.vm.is_logging && stat(box.vm.log, &st) == 0 ? st.st_size : 0;
}

void box_ask(unsigned i)
{
	int status;
	struct json *j = ask(i, &status);
	size_t max = sizeof(box.answers) / sizeof(box.answers[0]);
	if (j != NULL && box.answers_len < max) {
		struct box_answer *a = &box.answers[box.answers_len++];
		snprintf(a->decision_id, sizeof(a->decision_id), "%s", text_of(j, "decision_id"));
		snprintf(a->outcome, sizeof(a->outcome), "%s", text_of(j, "outcome"));
		a->logged = logged();
	}
	json_free(j);
}

struct wanted {
	const char *outcome;
};
static bool outcome_is(void *arg)
{
	const struct wanted *x = arg;
	return strcmp(box_check(0), x->outcome) == 0;
}
bool box_wait_check(const char *outcome)
{
	struct wanted x = { outcome };
	return box_wait(outcome_is, &x);
}

static bool is_lost(const struct box_answer *a)
{
	char path[160];
	struct buf out;
	snprintf(path, sizeof(path), "/v1/decisions/%s", a->decision_id);
	buf_init(&out, OUT_MAX);
	int status = world_https(&box.w, box.branch, "GET", path, NULL, &out);
	struct json *j = status == 200 ? json_parse(buf_bytes(&out), NULL) : NULL;
	bool lost = strcmp(text_of(j, "outcome"), a->outcome) != 0 || a->outcome[0] == '\0';
	if (lost)
		printf("\n    %s: %d, %s instead of %s", a->decision_id, status, text_of(j, "outcome"), a->outcome);
	json_free(j);
	buf_clear(&out);
	return lost;
}

unsigned box_count_lost(void)
{
	unsigned lost = 0;
	for (size_t i = 0; i < box.answers_len; i++)
		lost += is_lost(&box.answers[i]);
	return lost;
}

/* Opened */

static bool central_says_tampered(void *arg)
{
	(void)arg;
	struct json *j = world_ctl_json(&box.w, NULL, "branch list");
	const struct json *branches = json_get(j, "branches");
	int64_t at_s = 0;
	bool is = branches != NULL && json_len(branches) > 0 &&
		  json_int(json_at(branches, 0), "tampered_s", 1, INT64_MAX, &at_s, NULL);
	json_free(j);
	return is;
}

bool box_central_says_tampered(void)
{
	return box_wait(central_says_tampered, NULL);
}

/* GPT (UEFI 2.10, 5.3): the header in sector 1, entries from the sector it names. */
static bool partition_find(const char *disk, const char *name, uint64_t *first, uint64_t *count)
{
	uint8_t sector[512], entry[128];
	uint64_t at = 0, last = 0;
	uint32_t entries = 0;
	bool found = false;
	int fd = open(disk, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && pread(fd, sector, sizeof(sector), 512) == 512 && memcmp(sector, "EFI PART", 8) == 0) {
		memcpy(&at, sector + 72, 8);
		memcpy(&entries, sector + 80, 4);
	}
	for (uint32_t i = 0; i < entries && i < 128 && !found; i++) {
		char is[37] = "";
		if (pread(fd, entry, sizeof(entry), (off_t)(at * 512 + i * 128U)) != (ssize_t)sizeof(entry))
			break;
		for (size_t k = 0; k < 36; k++)
			is[k] = (char)entry[56 + 2 * k];
		memcpy(first, entry + 32, 8);
		memcpy(&last, entry + 40, 8);
		*count = last - *first + 1;
		found = strcmp(is, name) == 0;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

void box_state_partition(const char *disk, uint64_t *first, uint64_t *count)
{
	CU_ASSERT_TRUE_FATAL(partition_find(disk, "xinbian-state", first, count));
}

bool box_key_is_zeros(void)
{
	static const uint8_t zeros[32];
	char state[140], key[140], command[200];
	uint64_t first = 0, count = 0;
	struct buf out;
	box_state_partition(box.vm.disk, &first, &count);
	snprintf(state, sizeof(state), "%s/state.img", box.vm.dir);
	snprintf(key, sizeof(key), "%s/vault.key", box.vm.dir);
	buf_init(&out, OUT_MAX);
	bool ok = child_run_words(&out, "dd if=%s of=%s bs=512 skip=%llu count=%llu conv=sparse status=none",
				  box.vm.disk, state, (unsigned long long)first, (unsigned long long)count) == 0 &&
		  child_run_words(&out, "e2fsck -fy %s", state) <= 1; /* the journal, as a mount would */
	snprintf(command, sizeof(command), "dump /vault.key %s", key);
	ok = ok && child_run((const char *const[]){ "debugfs", "-R", command, state, NULL }, &out) == 0;
	out.len = 0;
	ok = ok && file_read(key, &out, NULL);
	bool is = ok && bytes_equal(buf_bytes(&out), (struct bytes){ zeros, sizeof(zeros) });
	buf_clear(&out);
	unlink(state);
	return is;
}
