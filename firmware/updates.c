#include "firmware/updates.h"

#include "protocol/base/file.h"
#include "protocol/base/log.h"
#include "protocol/base/meta.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_IMAGE "update.image" /* hash of the image that runs and is good, in hex */
#define KEY_READY "update.ready" /* it could answer checks before the update */
#define TEXT_MAX  4096

struct updates {
	struct updates_config config;
	struct db *db;
	char name[NAME_MAX_LEN + 1]; /* of the document; "" unknown */
	enum slot running;
	uint64_t version; /* of the running image */
	struct slots record;
	bool has_record;
	bool broken; /* it cannot be updated; the fault says why */
	char installed[2 * HASH_LEN + 1];
	bool was_ready, is_ready;
	uint64_t document_version;
	struct update wanted; /* version 0: none */
	enum update_state state;
	char fault[120];
	uint32_t got, of;
	/* Reading back: */
	int fd;
	uint64_t checked; /* bytes */
	struct sha256_stream hash;
	bool proven; /* the slot holds what is wanted */
	/* By time: */
	int64_t started_ms, well_ms; /* well since; INT64_MIN not now */
	bool asked;                  /* for a reboot */
};

/* What box this is */

static void fault_set(struct updates *u, const char *text)
{
	snprintf(u->fault, sizeof(u->fault), "%.119s", text);
}

static bool text_read(const char *path, struct buf *out, struct err *e)
{
	buf_init(out, TEXT_MAX);
	return file_read(path, out, e);
}

static bool running_read(struct updates *u, struct err *e)
{
	struct buf text;
	bool ok = text_read(u->config.running, &text, e);
	if (ok && text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	ok = ok && (slot_of(buf_str(&text), &u->running) ||
		    err_set(e, ERR_INPUT, "%.80s says neither a nor b", u->config.running));
	buf_clear(&text);
	return ok;
}

/* Lines "version = N" and "arch = A"; others are for other readers. */
static bool image_read(struct updates *u, struct err *e)
{
	struct buf text;
	char arch[UPDATE_ARCH_MAX] = "";
	unsigned long long version = 0;
	bool ok = text_read(u->config.image, &text, e);
	for (const char *at = ok ? buf_str(&text) : ""; *at != '\0';) {
		if (strncmp(at, "version =", 9) == 0)
			version = strtoull(at + 9, NULL, 10);
		else if (strncmp(at, "arch = ", 7) == 0)
			snprintf(arch, sizeof(arch), "%.*s", (int)strcspn(at + 7, " \r\n"), at + 7);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	buf_clear(&text);
	if (!ok)
		return false;
	if (version == 0 || version > COUNTER_MAX || !update_arch_is_valid(arch))
		return err_set(e, ERR_INPUT, "%.60s: expected version = N and arch = arm64 or amd64",
			       u->config.image);
	u->version = version;
	snprintf(u->name, sizeof(u->name), UPDATE_PREFIX "%s", arch);
	return true;
}

static bool record_read(struct updates *u, struct err *e)
{
	int fd = -1;
	if (!slots_open(u->config.boot, false, &fd, e))
		return false;
	u->has_record = slots_read(fd, &u->record, e);
	close(fd);
	return u->has_record;
}

static bool record_write(struct updates *u, const struct slots *next, struct err *e)
{
	int fd = -1;
	struct slots s = *next;
	if (!slots_open(u->config.boot, false, &fd, e))
		return false;
	bool ok = slots_write(fd, &s, e);
	close(fd);
	if (!ok)
		return false;
	u->record = s;
	u->has_record = true;
	return true;
}

static bool value_store(struct db *db, const char *key, const char *value, struct err *e)
{
	if (!db_begin(db, e))
		return false;
	if (meta_put(db, key, bytes_of(value), e) && db_commit(db, e))
		return true;
	db_rollback(db);
	return false;
}

static void installed_load(struct updates *u)
{
	struct buf text;
	int64_t ready = 0;
	buf_init(&text, sizeof(u->installed));
	if (meta_get(u->db, KEY_IMAGE, &text, NULL) && text.len == sizeof(u->installed) - 1)
		memcpy(u->installed, buf_str(&text), sizeof(u->installed));
	buf_clear(&text);
	u->was_ready = meta_get_int(u->db, KEY_READY, &ready, NULL) && ready != 0;
}

static bool on_trial(const struct updates *u)
{
	return u->has_record && u->running != u->record.good && u->running == u->record.trying;
}

struct updates *updates_open(const struct updates_config *c, struct db *db, int64_t now_ms)
{
	struct err e = { 0 };
	struct updates *u = calloc(1, sizeof(*u));
	if (u == NULL)
		abort();
	u->config = *c;
	u->db = db;
	u->fd = -1;
	u->started_ms = now_ms;
	u->well_ms = INT64_MIN;
	u->state = UPDATE_CURRENT;
	installed_load(u);
	if (!image_read(u, &e) || !running_read(u, &e) || (!record_read(u, &e) && e.code != ERR_INPUT)) {
		u->broken = true;
		u->state = UPDATE_REFUSED;
		fault_set(u, e.text);
		log_warn("this box cannot be updated", "why=\"%s\"", e.text);
	} else if (on_trial(u)) {
		u->state = UPDATE_TRIAL;
		log_info("a new image is on trial", "version=%llu slot=%s tries_left=%u",
			 (unsigned long long)u->version, slot_name(u->running), u->record.tries_left);
	} else if (u->has_record && u->record.failed.version != 0) {
		log_warn("an image has fallen back", "version=%llu running=%llu",
			 (unsigned long long)u->record.failed.version, (unsigned long long)u->version);
	}
	return u;
}

static void check_end(struct updates *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	u->checked = 0;
	u->proven = false;
}

void updates_close(struct updates *u)
{
	if (u == NULL)
		return;
	check_end(u);
	update_clear(&u->wanted);
	free(u);
}

const char *updates_name(const struct updates *u)
{
	return u->name;
}

uint64_t updates_document_version(const struct updates *u)
{
	return u->document_version;
}

/* What is in force, for this box */

static const char *other_path(const struct updates *u)
{
	return u->running == SLOT_A ? u->config.b : u->config.a;
}

static bool slot_size(const char *path, uint64_t *size, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "open %.80s: %s", path, strerror(errno));
	bool ok = fstat(fd, &st) == 0;
	*size = ok ? (uint64_t)st.st_size : 0;
	if (ok && S_ISBLK(st.st_mode))
		ok = ioctl(fd, BLKGETSIZE64, size) == 0;
	if (!ok)
		err_set(e, ERR_IO, "the size of %.80s: %s", path, strerror(errno));
	close(fd);
	return ok;
}

static bool same_image(const struct updates *u, const struct slots_image *v)
{
	return v->version != 0 && memcmp(v->hash, u->wanted.object.hash, HASH_LEN) == 0;
}

static bool is_installed(const struct updates *u)
{
	char hex[2 * HASH_LEN + 1];
	hex_encode(u->wanted.object.hash, HASH_LEN, hex);
	return strcmp(hex, u->installed) == 0;
}

/* ERR_STALE with no text: this very image runs. */
static bool wanted_judge(struct updates *u, struct err *e)
{
	const struct update *w = &u->wanted;
	unsigned long long version = u->version, wanted = w->version;
	uint64_t size = 0;
	if (strcmp(w->arch, u->name + strlen(UPDATE_PREFIX)) != 0)
		return err_set(e, ERR_DENIED, "it is for %s, this box is %s", w->arch,
			       u->name + strlen(UPDATE_PREFIX));
	if (u->has_record && same_image(u, &u->record.failed))
		return err_set(e, ERR_DENIED, "version %llu has fallen back here before", wanted);
	if (is_installed(u) && wanted != version)
		return err_set(e, ERR_CONFLICT, "this image runs, but calls itself version %llu, not %llu", version,
			       wanted);
	if (wanted == version)
		return err_set(e, ERR_STALE, "%s", "");
	if (wanted < version)
		return err_set(e, ERR_DENIED, "version %llu is older than version %llu, which runs", wanted, version);
	if (!slot_size(other_path(u), &size, e))
		return false;
	return w->object.size <= size || err_set(e, ERR_DENIED, "its %llu bytes do not fit a slot of %llu",
						 (unsigned long long)w->object.size, (unsigned long long)size);
}

/* Where the box stands by what it runs and what is in force; not while it is at it. */
static void state_judge(struct updates *u)
{
	struct err e = { 0 };
	if (u->broken)
		return;
	u->fault[0] = '\0';
	if (on_trial(u))
		u->state = UPDATE_TRIAL;
	else if (u->wanted.version == 0)
		u->state = UPDATE_CURRENT;
	else if (!wanted_judge(u, &e))
		u->state = e.code == ERR_STALE ? UPDATE_CURRENT : UPDATE_REFUSED;
	else if (u->has_record && u->record.trying == slot_other(u->running) && same_image(u, &u->record.tried))
		u->state = UPDATE_REBOOT;
	else
		u->state = UPDATE_WAITING;
	fault_set(u, e.text);
	if (u->state == UPDATE_REFUSED)
		log_warn("the update is not for this box", "version=%llu why=\"%s\"",
			 (unsigned long long)u->wanted.version, e.text);
}

void updates_document(struct updates *u, uint64_t document_version, struct bytes document)
{
	struct err e = { 0 };
	struct update next;
	u->document_version = document_version;
	check_end(u);
	u->got = u->of = 0;
	if (u->broken)
		return;
	if (!update_parse(document, &next, &e)) {
		fault_set(u, e.text);
		log_warn("the update cannot be read", "why=\"%s\"", e.text);
		return;
	}
	update_clear(&u->wanted);
	u->wanted = next;
	u->asked = false;
	state_judge(u);
}

const struct object_ref *updates_wanted(const struct updates *u)
{
	bool at_it = u->state == UPDATE_WAITING || u->state == UPDATE_FETCHING || u->state == UPDATE_CHECKING;
	return at_it ? &u->wanted.object : NULL;
}

/* Into the other slot */

bool updates_begin(struct updates *u, const char **path, struct err *e)
{
	assert(updates_wanted(u) != NULL);
	/* What runs but is not good may be all that boots: it has to prove itself first. */
	if (!record_read(u, e))
		return false;
	if (u->record.good != u->running)
		return err_set(e, ERR_CONFLICT, "slot %s runs, the boot record says %s", slot_name(u->running),
			       slot_name(u->record.good));
	if (u->record.trying != SLOT_NONE) {
		struct slots next = u->record;
		slots_drop(&next);
		if (!record_write(u, &next, e))
			return false;
	}
	check_end(u);
	u->state = UPDATE_FETCHING;
	u->fault[0] = '\0';
	*path = other_path(u);
	return true;
}

void updates_progress(struct updates *u, uint32_t got, uint32_t of)
{
	u->got = got;
	u->of = of;
}

/* From the device, not from memory: what is cached of it is let go of first. */
static bool check_begin(struct updates *u, struct err *e)
{
	u->state = UPDATE_CHECKING;
	u->fd = open(other_path(u), O_RDWR | O_CLOEXEC);
	if (u->fd < 0 || fsync(u->fd) != 0)
		return err_set(e, ERR_IO, "%.80s: %s", other_path(u), strerror(errno));
	(void)!posix_fadvise(u->fd, 0, 0, POSIX_FADV_DONTNEED);
	sha256_start(&u->hash);
	u->checked = 0;
	return true;
}

static bool slice_read(struct updates *u, struct err *e)
{
	static uint8_t slice[UPDATES_SLICE];
	uint64_t left = u->wanted.object.size - u->checked;
	size_t len = left < sizeof(slice) ? (size_t)left : sizeof(slice);
	ssize_t n = pread(u->fd, slice, len, (off_t)u->checked);
	if (n <= 0)
		return err_set(e, ERR_IO, "%.80s: %s", other_path(u), n == 0 ? "it ends too early" : strerror(errno));
	sha256_add(&u->hash, (struct bytes){ slice, (size_t)n });
	u->checked += (uint64_t)n;
	return true;
}

bool updates_check(struct updates *u, bool *done, struct err *e)
{
	uint8_t hash[HASH_LEN];
	*done = false;
	if ((u->fd < 0 && !check_begin(u, e)) || !slice_read(u, e)) {
		check_end(u);
		return false;
	}
	if (u->checked < u->wanted.object.size)
		return true;
	sha256_finish(&u->hash, hash);
	check_end(u);
	u->proven = memcmp(hash, u->wanted.object.hash, HASH_LEN) == 0;
	*done = u->proven;
	return u->proven || err_set(e, ERR_DENIED, "what the slot holds does not have the hash it should have");
}

static void reboot_ask(struct updates *u)
{
	struct err e = { 0 };
	char dir[UPDATES_PATH_MAX];
	if (u->asked)
		return;
	snprintf(dir, sizeof(dir), "%s", u->config.reboot);
	char *slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir)
		*slash = '\0';
	u->asked = (slash == NULL || slash == dir || file_make_dir(dir, &e)) &&
		   file_write(u->config.reboot, bytes_of("update\n"), 0644, &e);
	if (u->asked)
		log_info("a reboot is asked for", "file=%s", u->config.reboot);
	else
		fault_set(u, e.text);
}

bool updates_install(struct updates *u, struct err *e)
{
	struct slots next = u->record;
	struct slots_image image = { .version = u->wanted.version };
	assert(u->proven && u->record.good == u->running);
	memcpy(image.hash, u->wanted.object.hash, HASH_LEN);
	slots_try(&next, &image, (unsigned)u->config.tries);
	if (!value_store(u->db, KEY_READY, u->is_ready ? "1" : "0", e) || !record_write(u, &next, e))
		return false;
	u->proven = false;
	u->was_ready = u->is_ready;
	u->state = UPDATE_REBOOT;
	u->fault[0] = '\0';
	log_info("an image is ready to be tried", "version=%llu slot=%s", (unsigned long long)image.version,
		 slot_name(next.trying));
	reboot_ask(u);
	return true;
}

void updates_wait(struct updates *u, const struct err *e)
{
	check_end(u);
	if (updates_wanted(u) == NULL)
		return;
	u->state = UPDATE_WAITING;
	if (e != NULL)
		fault_set(u, e->text);
}

/* By time */

/* Well for long enough: what runs is good, whatever the record said. */
static void good_set(struct updates *u)
{
	struct err e = { 0 };
	struct slots next = u->record;
	char hex[2 * HASH_LEN + 1] = "";
	if (on_trial(u)) {
		hex_encode(u->record.tried.hash, HASH_LEN, hex);
		slots_good(&next);
	} else {
		slots_drop(&next);
		next.good = u->running;
	}
	if (!record_write(u, &next, &e) || (hex[0] != '\0' && !value_store(u->db, KEY_IMAGE, hex, &e))) {
		fault_set(u, e.text);
		return;
	}
	if (hex[0] != '\0')
		memcpy(u->installed, hex, sizeof(hex));
	log_info("the running image is good", "version=%llu slot=%s", (unsigned long long)u->version,
		 slot_name(u->running));
	state_judge(u);
}

static bool well_enough(const struct updates *u, const struct updates_health *h)
{
	return h->well && (h->ready || !u->was_ready || !on_trial(u));
}

void updates_tick(struct updates *u, const struct updates_health *h, int64_t now_ms)
{
	int64_t healthy_ms = u->config.healthy_s * 1000, up_ms = now_ms - u->started_ms;
	u->is_ready = h->ready;
	if (u->broken)
		return;
	if (u->state == UPDATE_REBOOT)
		reboot_ask(u);
	if (u->has_record && u->record.good == u->running)
		return;
	if (!well_enough(u, h))
		u->well_ms = INT64_MIN;
	else if (u->well_ms == INT64_MIN)
		u->well_ms = now_ms;
	bool long_enough = u->well_ms != INT64_MIN && now_ms - u->well_ms >= healthy_ms;
	if (long_enough && (h->heard || up_ms >= UPDATES_OFFLINE * healthy_ms)) {
		good_set(u);
	} else if (on_trial(u)) {
		fault_set(u, well_enough(u, h) ? "" : h->why);
		if (u->well_ms == INT64_MIN && up_ms >= UPDATES_TRIAL * healthy_ms)
			reboot_ask(u);
	}
}

void updates_info(const struct updates *u, struct updates_info *out)
{
	*out = (struct updates_info){ .got = u->got, .of = u->of };
	out->status.state = u->state;
	out->status.slot_b = u->running == SLOT_B;
	out->status.version = u->version;
	out->status.wanted = u->wanted.version;
	out->status.failed = u->has_record ? u->record.failed.version : 0;
	memcpy(out->status.fault, u->fault, sizeof(u->fault));
}
