#include "firmware/slots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A sector: magic(8) ‖ sequence(8) ‖ good(1) ‖ trying(1) ‖ tries left(1) ‖ zero(5) ‖ tried version(8) ‖ tried hash(32) ‖
 * failed version(8) ‖ failed hash(32) ‖ zero ‖ SHA-256 of all that(32). Numbers are little-endian.
 */
#define AT_SEQUENCE 8
#define AT_GOOD     16
#define AT_TRYING   17
#define AT_TRIES    18
#define AT_TRIED    24
#define AT_FAILED   64
#define AT_END      104
#define AT_SUM      (SLOTS_SECTOR - HASH_LEN)

static const uint8_t magic[8] = { 'X', 'B', 'S', 'L', 'O', 'T', 'S', '1' };

const char *slot_name(enum slot s)
{
	return s == SLOT_A ? "a" : s == SLOT_B ? "b" : "none";
}

bool slot_of(const char *name, enum slot *out)
{
	*out = strcmp(name, "a") == 0 ? SLOT_A : strcmp(name, "b") == 0 ? SLOT_B : SLOT_NONE;
	return *out != SLOT_NONE;
}

enum slot slot_other(enum slot s)
{
	return s == SLOT_A ? SLOT_B : SLOT_A;
}

/* Steps */

enum slot slots_boot(struct slots *s, bool *changed)
{
	*changed = s->trying != SLOT_NONE;
	if (s->trying == SLOT_NONE)
		return s->good;
	if (s->tries_left > 0) {
		s->tries_left--;
		return s->trying;
	}
	s->failed = s->tried;
	slots_drop(s);
	return s->good;
}

void slots_try(struct slots *s, const struct slots_image *image, unsigned tries)
{
	assert(tries >= 1 && tries <= SLOTS_TRIES_MAX);
	s->trying = slot_other(s->good);
	s->tries_left = (uint8_t)tries;
	s->tried = *image;
}

void slots_drop(struct slots *s)
{
	s->trying = SLOT_NONE;
	s->tries_left = 0;
	s->tried = (struct slots_image){ 0 };
}

void slots_good(struct slots *s)
{
	assert(s->trying != SLOT_NONE);
	s->good = s->trying;
	s->failed = (struct slots_image){ 0 };
	slots_drop(s);
}

/* Bytes */

static void put_u64(uint8_t *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_u64(const uint8_t *from)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v |= (uint64_t)from[i] << (8 * i);
	return v;
}

static void put_image(uint8_t *to, const struct slots_image *v)
{
	put_u64(to, v->version);
	memcpy(to + 8, v->hash, HASH_LEN);
}

static void get_image(const uint8_t *from, struct slots_image *v)
{
	v->version = get_u64(from);
	memcpy(v->hash, from + 8, HASH_LEN);
}

void slots_encode(const struct slots *s, uint8_t sector[SLOTS_SECTOR])
{
	memset(sector, 0, SLOTS_SECTOR);
	memcpy(sector, magic, sizeof(magic));
	put_u64(sector + AT_SEQUENCE, s->sequence);
	sector[AT_GOOD] = (uint8_t)s->good;
	sector[AT_TRYING] = (uint8_t)s->trying;
	sector[AT_TRIES] = s->tries_left;
	put_image(sector + AT_TRIED, &s->tried);
	put_image(sector + AT_FAILED, &s->failed);
	sha256((struct bytes){ sector, AT_SUM }, sector + AT_SUM);
}

/* The fields say something that slots.c writes. */
static bool is_sound(const uint8_t sector[SLOTS_SECTOR])
{
	uint8_t good = sector[AT_GOOD], trying = sector[AT_TRYING], tries = sector[AT_TRIES];
	return (good == SLOT_A || good == SLOT_B) && trying <= SLOT_B && trying != good && tries <= SLOTS_TRIES_MAX &&
	       (trying != SLOT_NONE || tries == 0);
}

bool slots_decode(const uint8_t sector[SLOTS_SECTOR], struct slots *s, struct err *e)
{
	uint8_t sum[HASH_LEN];
	sha256((struct bytes){ sector, AT_SUM }, sum);
	if (memcmp(sector, magic, sizeof(magic)) != 0)
		return err_set(e, ERR_INPUT, "it does not begin like a boot record");
	if (memcmp(sum, sector + AT_SUM, HASH_LEN) != 0)
		return err_set(e, ERR_INPUT, "its checksum is wrong");
	if (!is_sound(sector))
		return err_set(e, ERR_INPUT, "it names no slots that there are");
	*s = (struct slots){ .sequence = get_u64(sector + AT_SEQUENCE),
			     .good = (enum slot)sector[AT_GOOD],
			     .trying = (enum slot)sector[AT_TRYING],
			     .tries_left = sector[AT_TRIES] };
	get_image(sector + AT_TRIED, &s->tried);
	get_image(sector + AT_FAILED, &s->failed);
	return true;
}

/* Files */

bool slots_open(const char *path, bool create, int *fd, struct err *e)
{
	struct stat st;
	*fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
	if (*fd < 0)
		return err_set(e, errno == ENOENT ? ERR_MISSING : ERR_IO, "open %.120s: %s", path, strerror(errno));
	if (fstat(*fd, &st) == 0 &&
	    (!S_ISREG(st.st_mode) || st.st_size >= SLOTS_SIZE || !create || ftruncate(*fd, SLOTS_SIZE) == 0))
		return true;
	err_set(e, ERR_IO, "%.120s: %s", path, strerror(errno));
	close(*fd);
	return false;
}

static off_t sector_at(int i)
{
	return (off_t)i * SLOTS_APART;
}

/* Which of the two counts; -1 none, and *e says what is wrong with the first. */
static int newest_read(int fd, struct slots *s, struct err *e)
{
	int newest = -1;
	for (int i = 0; i < 2; i++) {
		uint8_t sector[SLOTS_SECTOR];
		struct slots v;
		ssize_t n = pread(fd, sector, sizeof(sector), sector_at(i));
		if (n != (ssize_t)sizeof(sector)) {
			err_set(i == 0 ? e : NULL, ERR_INPUT, "it is too short or cannot be read");
			continue;
		}
		if (!slots_decode(sector, &v, i == 0 ? e : NULL) || (newest >= 0 && v.sequence < s->sequence))
			continue;
		*s = v;
		newest = i;
	}
	return newest;
}

bool slots_read(int fd, struct slots *s, struct err *e)
{
	struct err why = { 0 };
	return newest_read(fd, s, &why) >= 0 || err_set(e, ERR_INPUT, "boot record: %s", why.text);
}

bool slots_write(int fd, struct slots *s, struct err *e)
{
	struct slots old = { 0 };
	uint8_t sector[SLOTS_SECTOR];
	int at = newest_read(fd, &old, NULL) == 0 ? 1 : 0;
	s->sequence = (old.sequence > s->sequence ? old.sequence : s->sequence) + 1;
	slots_encode(s, sector);
	ssize_t n = pwrite(fd, sector, sizeof(sector), sector_at(at));
	if (n >= 0 && n != (ssize_t)sizeof(sector))
		errno = ENOSPC;
	if (n == (ssize_t)sizeof(sector) && fsync(fd) == 0)
		return true;
	return err_set(e, ERR_IO, "the boot record cannot be written: %s", strerror(errno));
}
