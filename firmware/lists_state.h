/* What the files lists*.c share; nobody else includes it. */
#ifndef FIRMWARE_LISTS_STATE_H
#define FIRMWARE_LISTS_STATE_H

#include "firmware/lists.h"
#include "protocol/base/file.h"
#include "protocol/base/worker.h"
#include "protocol/layers.h"

#define LISTS_PATH_MAX 256

/* A file in force. */
struct list_file {
	uint8_t hash[HASH_LEN];
	struct file_map map;
};

/* Anonymous memory that a forked child fills for us. */
struct list_memory {
	void *data;
	size_t size;
};

/* What serves: files mapped, layers over them, filters filled. Not to be copied: the layers point into it. */
struct list_view {
	size_t files_len;
	struct list_file files[LIST_LAYERS_MAX + 1]; /* 0 the base, then the deltas, oldest first */
	struct layers layers;
	struct filter filter, changed;
	struct list_memory filter_memory, changed_memory;
	bool crowded; /* a filter has no room for a delta applied since: compaction is due */
};

struct list {
	char name[NAME_MAX_LEN + 1];
	uint64_t version, count; /* 0: none yet, no row */
	uint32_t epoch;
	struct fingerprint fingerprint;
	uint8_t hash[HASH_LEN]; /* zero: not proven */
	int64_t confirmed_s;
	uint64_t canary_hit, canary_miss;
	struct list_view *view; /* NULL: none yet, or damaged */
	char fault[120];
	uint64_t head_version; /* the newest believed head's; 0 not known in this process */
	uint8_t head_hash[HASH_LEN];
	/* Where catching up started: what the guard judges against. */
	uint64_t start_version, start_count, start_changes;
	uint64_t proven_version;  /* whose merged hash has been computed, with whatever result */
	int64_t compact_after_ms; /* not before, after a failure */
};

/* What a child (or the same code run at once) found. Plain data: it comes through a pipe. */
struct lists_result {
	struct err err; /* code ERR_NONE: done */
	struct fingerprint fingerprint;
	uint64_t count, changes;
	uint8_t hash[HASH_LEN];
	uint64_t damaged; /* bit i: verify[i] */
	bool crowded;     /* the delta did not fit the filters */
};

struct lists_job {
	struct workers *workers; /* one at a time; made with the first */
	void (*work)(struct lists *l, struct lists_result *r);
	void (*done)(struct lists *l, const struct lists_result *r);
	bool running, closing;
};

/* What is being worked on; one at a time. */
struct lists_work {
	struct list *list;
	struct list_view *next; /* a view being made: of a snapshot or a compaction */
	struct head_entry entry;
	struct index_edge edge;
	bool is_delta;
	int64_t issued_s;
	char path[LISTS_PATH_MAX];
	void (*done)(void *arg, const struct err *e);
	void *arg;
};

struct lists {
	struct db *db;             /* borrowed */
	const struct vault *vault; /* borrowed */
	struct loop *loop;         /* borrowed */
	char dir[160];
	size_t len;
	struct list *items[LISTS_MAX]; /* sorted by name */
	size_t keys_len;
	struct tag_key **keys; /* owned, each of its own, so that borrowed ones stay where they are */
	struct check_source source;
	struct lists_counters counters;
	struct loop_timer *idle; /* set to idle_ms */
	int64_t idle_ms;
	struct lists_work work;
	struct lists_job job;
	int64_t verify_ms; /* when all files are looked at again */
	size_t verify_len;
	struct list *verify[LISTS_MAX]; /* what the child at work verifies */
};

/* lists.c */
struct list *lists_find(const struct lists *l, const char *name);
/* Finds or makes it; NULL above LISTS_MAX. */
struct list *lists_take(struct lists *l, const char *name);
void list_set_fault(struct list *list, const char *why);
/* DIR/lists/<hex>, or <hex><suffix>. */
void lists_path(const struct lists *l, const uint8_t hash[HASH_LEN], const char *suffix, char out[LISTS_PATH_MAX]);
/* Wipes the keys that no list needs any more. */
void lists_drop_keys(struct lists *l);
/* The canaries answer as the head says. */
bool list_canaries(const struct list_view *v, uint64_t hit, uint64_t miss, struct err *e) CHECKED;
/* It stops serving; sync fetches it afresh. */
void lists_damage(struct lists *l, struct list *list, const char *why);

/* lists_view.c */
bool list_memory_map(struct list_memory *m, size_t size, struct err *e) CHECKED;
void list_memory_unmap(struct list_memory *m);
struct list_view *list_view_new(void);
void list_view_free(struct list_view *v);
/* Shared memory for the filter of so many entries, and an empty filter of changes. */
bool list_view_reserve(struct list_view *v, uint64_t count, struct err *e) CHECKED;
/* Maps the base, or one more delta; no filter is touched. */
bool list_view_map(struct list_view *v, const char *path, const uint8_t hash[HASH_LEN], struct err *e) CHECKED;
/* Takes the newest delta off again. */
void list_view_unmap_last(struct list_view *v);
/* Adds a segment's tags. Where there is no room the filter goes out of use and the view is crowded. */
void list_view_fill(struct list_view *v, const struct segment *s);
void list_view_use_filters(struct list_view *v);
uint64_t list_view_size(const struct list_view *v);

/* lists_rows.c: what is stored. Those that write do so inside the caller's transaction. */
bool lists_load(struct lists *l, struct err *e) CHECKED;
bool lists_load_keys(struct lists *l, struct err *e) CHECKED;
bool list_store_key(struct lists *l, uint32_t epoch, uint32_t iterations, const uint8_t secret[32],
		    struct err *e) CHECKED;
bool list_store(struct lists *l, const struct list *list, struct err *e) CHECKED;
bool list_store_layer(struct lists *l, const struct list *list, size_t place, const struct list_file *file,
		      struct err *e) CHECKED;
bool list_drop_layers(struct lists *l, const struct list *list, struct err *e) CHECKED;
/* Files under DIR/lists that no row names. */
bool lists_sweep(struct lists *l, struct err *e) CHECKED;

/* lists_job.c */
/* Runs work in a child; done gets its result, or ERR_IO when the child did not come to an end. */
void lists_job_start(struct lists *l, void (*work)(struct lists *l, struct lists_result *r),
		     void (*done)(struct lists *l, const struct lists_result *r));
bool lists_job_is_running(const struct lists *l);
void lists_job_kill(struct lists *l);

/* lists_guard.c */
/* Whether the list may become count_to entries at version to by so many changed tags since where it started.
 */
bool list_guard(const struct list *list, const struct head_entry *entry, uint64_t to, uint64_t count_to,
		uint64_t changes, struct err *e) CHECKED;

/* lists_check.c: reads the fetched file of l->work and says in r whether it is what the head promises. */
void lists_check_delta(struct lists *l, struct lists_result *r);
void lists_check_snapshot(struct lists *l, struct lists_result *r);

/* lists_compact.c */
/* Starts what is due, if nothing is at work; called by a timer. */
void lists_idle(void *lists);
void lists_idle_soon(struct lists *l, int64_t after_ms);
bool list_needs_compaction(const struct list *list);

/* lists_verify.c */
/* At opening: small lists at once, the rest in a child. */
void lists_verify(struct lists *l);
/* All of them in a child; nothing else is at work. */
void lists_verify_all(struct lists *l);

#endif
