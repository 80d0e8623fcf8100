#include "central/department/messages.h"

#include "central/department/certificates.h"
#include "central/ingest/message.h"
#include "protocol/base/json.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "xb/1/in/"

/* A level of a topic; *at goes behind the slash that ends it. */
static bool level_take(const char **at, char *out, size_t size)
{
	size_t len = strcspn(*at, "/");
	if (len == 0 || len >= size)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + ((*at)[len] == '/');
	return true;
}

static bool take(struct release_context *c, const struct message_new *m, int64_t now_s, struct buf *answer,
		 struct err *e)
{
	struct department d;
	return department_may_send(c->db, m->sender, &d, e) && department_owns(c->db, &d, m->source, e) &&
	       message_take(c, m, now_s, answer, e);
}

static void refusal_write(const struct message_new *m, const struct err *e, struct buf *out)
{
	struct json_out w = { .out = out };
	json_open(&w, NULL, '{');
	json_put_text(&w, "id", m->id);
	json_put_text(&w, "source", m->source);
	json_put_text(&w, "error", err_name(e->code));
	json_put_text(&w, "message_zh", err_zh(e->code));
	json_put_text(&w, "message", e->text);
	json_close(&w, '}');
}

bool department_message(struct release_context *c, const char *topic, struct bytes payload, int64_t now_s,
			char answer_topic[DEPARTMENT_TOPIC_MAX], struct buf *answer)
{
	char sender[NAME_MAX_LEN + 1], source[NAME_MAX_LEN + 1], id[MESSAGE_ID_MAX + 1];
	const char *at = topic + strlen(PREFIX);
	struct err e = { 0 };
	if (strncmp(topic, PREFIX, strlen(PREFIX)) != 0 || !level_take(&at, sender, sizeof(sender)) ||
	    !level_take(&at, source, sizeof(source)) || !level_take(&at, id, sizeof(id)) || *at != '\0')
		return false;
	const struct message_new m = { .source = source, .id = id, .sender = sender, .rows = payload };
	snprintf(answer_topic, DEPARTMENT_TOPIC_MAX, "xb/1/ack/%s/%s/%s", sender, source, id);
	if (!take(c, &m, now_s, answer, &e)) {
		buf_reset(answer);
		refusal_write(&m, &e, answer);
	}
	return true;
}
