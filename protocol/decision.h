/*
 * A decision and the evidence to reproduce it years later, as it stands in the journal and is queried at both ends.
 * Personal data: the subject's number and name only masked, as tags, and sealed (AES-256-GCM under the branch's journal key,
 * additional data = the decision's id); central holds that key.
 */
#ifndef PROTOCOL_DECISION_H
#define PROTOCOL_DECISION_H

#include "protocol/cbor.h"
#include "protocol/rule.h"
#include "protocol/base/limits.h"

#define DECISION_ID_LEN 16

enum lookup_result { LOOKUP_HIT = 1, LOOKUP_NOT_LISTED, LOOKUP_STALE, LOOKUP_NOT_COVERED, LOOKUP_ERROR };
const char *lookup_name(enum lookup_result r); /* "hit", "not_listed", "stale", "not_covered", "error" */

struct decision_party {
	char role[16]; /* "subject" or "counterparty" */
	char kind[NAME_MAX_LEN + 1];
	char masked[96];
	uint64_t tag; /* of the number, under the newest epoch; 0 when invalid */
};
struct decision_evidence {
	char list[NAME_MAX_LEN + 1];
	char role[16];
	uint64_t version;
	enum lookup_result result;
	int64_t age_s;  /* since the list was last confirmed current; -1 never */
	uint32_t value; /* of a hit: reason code and last day */
};
struct decision_reason {
	char rule[NAME_MAX_LEN + 1];
	char code[48];
	enum outcome outcome;
};
#define DECISION_PARTIES_MAX  2
#define DECISION_EVIDENCE_MAX 256
#define DECISION_REASONS_MAX  64
#define DECISION_FACTS_MAX    256 /* 40 list questions of 5 facts, 32 of the caller's, 24 more */
#define DECISION_TEXT_MAX     64  /* bytes of a fact that is text */
#define DECISION_SEALED_MAX   2048

struct decision {
	uint8_t id[DECISION_ID_LEN];
	char request_id[REQUEST_ID_MAX_LEN + 1];
	char terminal[NAME_MAX_LEN + 1]; /* a name, or "" for none */
	char business[NAME_MAX_LEN + 1];
	int64_t time_s; /* trusted clock */
	enum outcome outcome;
	bool follow_up; /* central verifies it once the line is back */
	uint64_t rules_version, catalogue_version;
	size_t parties_len, evidence_len, reasons_len, facts_len;
	struct decision_party parties[DECISION_PARTIES_MAX];
	struct decision_evidence evidence[DECISION_EVIDENCE_MAX];
	struct decision_reason reasons[DECISION_REASONS_MAX];
	struct rule_fact facts[DECISION_FACTS_MAX]; /* what the rules saw; sorted by name, each once */
	struct bytes sealed_subject;                /* borrowed */
};

/* True for [A-Za-z0-9._:-]{1,64}. */
bool request_id_is_valid(const char *id);

/* ERR_INPUT when no decoder would take the facts: they are sorted by name, each once, and numbers are finite. */
bool decision_encode(const struct decision *d, struct buf *out, struct err *e) CHECKED;
/* Borrows from data. */
bool decision_decode(struct bytes data, struct decision *d, struct err *e) CHECKED;

#endif
