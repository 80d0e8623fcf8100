/*
 * What passes between one branch and central, besides objects and heads. All CBOR maps with small unsigned keys; the sender's
 * name is never in the payload: the broker's ACL ties the topic to the certificate.
 * Topics: xb/1/head · xb/1/o/… (object.h) · xb/1/up/<branch>/{journal,query,status} · xb/1/down/<branch>/{ack,reply,command}
 */
#ifndef PROTOCOL_MESSAGE_H
#define PROTOCOL_MESSAGE_H

#include "protocol/head.h"
#include "protocol/journal.h"
#include "protocol/update.h"

#define TOPIC_HEAD    "xb/1/head"
#define TOPIC_OBJECTS "xb/1/o/#"
#define TOPIC_MAX     128
/* what: "journal", "query", "status", "ack", "reply", "command". */
void topic_up(const char *branch, const char *what, char out[TOPIC_MAX]);
void topic_down(const char *branch, const char *what, char out[TOPIC_MAX]);
/* Splits xb/1/up/<branch>/{journal,query,status}; false for any other topic or a bad branch name. what is borrowed. */
bool topic_up_parse(const char *topic, char branch[NAME_MAX_LEN + 1], const char **what);

/* Up, status: what the branch really has. Sent after connecting (hello set) and when something changed, at least hourly. */
struct status_list {
	char name[NAME_MAX_LEN + 1];
	uint64_t version; /* applied, i.e. answering checks */
	uint8_t hash
		[HASH_LEN]; /* the snapshot hash of that version as proven, or zero while only the fingerprint is */
	uint64_t count;
	int64_t confirmed_s; /* issue time of the newest head that named this version */
	char fault[120];     /* why it is behind, "" when it is not */
};
/* Of a box with two slots alone. Versions are images'; 0: none. */
struct status_update {
	enum update_state state; /* UPDATE_NONE: it is not sent */
	bool slot_b;             /* which slot runs */
	uint64_t version;        /* that runs */
	uint64_t wanted;         /* in force for its architecture */
	uint64_t failed;         /* the last that fell back */
	char fault[120];         /* why it is not on its way, "" when there is nothing to say */
};
struct status {
	bool hello;
	char software[32];
	int64_t clock_s;
	uint64_t head_sequence;
	uint8_t journal_epoch[JOURNAL_EPOCH_LEN];
	uint64_t journal_first, journal_last; /* kept rows; first > last when none */
	uint64_t checks, faults;              /* since the process began */
	struct bytes
		journal_key; /* hello only: the branch's journal key sealed to central (seal_to, context "xb/1/journal-key/"‖branch) */
	size_t lists_len;
	struct status_list lists[LISTS_MAX];
	struct status_update update;
};
bool status_encode(const struct status *s, struct buf *out, struct err *e) CHECKED;
bool status_decode(struct bytes data, struct status *s, struct err *e) CHECKED;

/* Up, query; down, reply with the same id. */
enum query_type {
	QUERY_EPOCH_KEY = 1, /* body: CBOR uint epoch; reply body: the sealed key (tag.h) */
	QUERY_OBJECT =
		2, /* body: [hash, first chunk, count ≤ FETCH_WINDOW], or [hash, -1, 1] for the chunk list; central publishes
				them; reply body empty */
	QUERY_ACK =
		3, /* body: journal epoch; central repeats its ack on the ack topic (or with seq 0, hash = start hash) */
	QUERY_CERTIFICATE = 4, /* bodies of a holder's certificates; body.h */
	QUERY_PREFETCH = 5,    /* the next body that central has set aside for the branch; body.h */
	QUERY_REPORT = 6,      /* a part of an enterprise's credit report; inquiry.h */
	QUERY_ACCOUNT = 7,     /* a customer's carbon account; account.h */
};
#define QUERY_LAST QUERY_ACCOUNT
struct query {
	uint8_t id[16];
	enum query_type type;
	struct bytes body; /* CBOR, borrowed */
};
struct reply {
	uint8_t id[16];
	enum err_code status; /* ERR_NONE: done */
	char text[200];       /* why not */
	struct bytes body;
};
bool query_encode(const struct query *q, struct buf *out, struct err *e) CHECKED;
bool query_decode(struct bytes data, struct query *q, struct err *e) CHECKED;
bool reply_encode(const struct reply *r, struct buf *out, struct err *e) CHECKED;
bool reply_decode(struct bytes data, struct reply *r, struct err *e) CHECKED;

bool query_object_encode(const uint8_t hash[HASH_LEN], int64_t first, uint32_t count, struct buf *body,
			 struct err *e) CHECKED;
bool query_object_decode(struct bytes body, uint8_t hash[HASH_LEN], int64_t *first, uint32_t *count,
			 struct err *e) CHECKED;

/* Enrolment, JSON over HTTPS to central (POST /v1/enrol):
     { "token", "csr" (PEM), "seal_key" (hex point), "sans": [names and addresses for its HTTPS] (optional) }
   → 200 { "branch", "certificate" (PEM), "ca" (PEM), "head_key" (hex point), "central_seal_key" (hex point),
           "broker": {"host","port"}, "time_s" }  */

#endif
