/*
 * What departments send through the broker: rows of a real-time source (central/ingest/message.h), at QoS 1.
 *
 *   xb/1/in/CERTIFICATE/SOURCE/ID    the department writes: NDJSON, one flat object a line
 *   xb/1/ack/CERTIFICATE/SOURCE/ID   central answers: {"id","source","period","batch","accepted","rejected","rejects":[…]},
 *                                    or {"id","source","error","message_zh","message"}
 *
 * The broker lets a certificate write and read under its own name alone (central/acl.h), and what comes is judged again here. What was
 * not answered is sent again, under the same ID.
 */
#ifndef CENTRAL_DEPARTMENT_MESSAGES_H
#define CENTRAL_DEPARTMENT_MESSAGES_H

#include "central/release/release.h"

#define DEPARTMENT_FILTER    "xb/1/in/+/+/+"
#define DEPARTMENT_TOPIC_MAX 192

/* False: the topic is none of these, and nothing was done. Otherwise where the answer goes, and the answer. */
bool department_message(struct release_context *c, const char *topic, struct bytes payload, int64_t now_s,
			char answer_topic[DEPARTMENT_TOPIC_MAX], struct buf *answer);

#endif
