#include "protocol/message.h"

#include "protocol/base/utf8.h"
#include "protocol/head.h"

#include <stdio.h>
#include <string.h>

void topic_up(const char *branch, const char *what, char out[TOPIC_MAX])
{
	snprintf(out, TOPIC_MAX, "xb/1/up/%s/%s", branch, what);
}

void topic_down(const char *branch, const char *what, char out[TOPIC_MAX])
{
	snprintf(out, TOPIC_MAX, "xb/1/down/%s/%s", branch, what);
}

bool topic_up_parse(const char *topic, char branch[NAME_MAX_LEN + 1], const char **what)
{
	static const char prefix[] = "xb/1/up/";
	if (strncmp(topic, prefix, sizeof(prefix) - 1) != 0)
		return false;
	const char *name = topic + sizeof(prefix) - 1, *slash = strchr(name, '/');
	if (slash == NULL || slash - name > NAME_MAX_LEN)
		return false;
	size_t len = (size_t)(slash - name);
	memcpy(branch, name, len);
	branch[len] = '\0';
	*what = slash + 1;
	return name_is_valid(branch) &&
	       (strcmp(*what, "journal") == 0 || strcmp(*what, "query") == 0 || strcmp(*what, "status") == 0);
}

/* What a fixed buffer may have cut in the middle of a character. */
static void put_sentence(struct buf *out, const char *text)
{
	struct bytes t = bytes_of(text);
	while (!utf8_is_valid(t))
		t.len--;
	cbor_put_text_n(out, t);
}

static void list_encode(const struct status_list *l, struct buf *out)
{
	cbor_put_array(out, 6);
	cbor_put_text(out, l->name);
	cbor_put_uint(out, l->version);
	cbor_put_bytes(out, (struct bytes){ l->hash, HASH_LEN });
	cbor_put_uint(out, l->count);
	cbor_put_int(out, l->confirmed_s);
	put_sentence(out, l->fault);
}

static void update_encode(const struct status_update *u, struct buf *out)
{
	cbor_put_uint(out, 12);
	cbor_put_array(out, 6);
	cbor_put_uint(out, u->state);
	cbor_put_text(out, u->slot_b ? "b" : "a");
	cbor_put_uint(out, u->version);
	cbor_put_uint(out, u->wanted);
	cbor_put_uint(out, u->failed);
	put_sentence(out, u->fault);
}

bool status_encode(const struct status *s, struct buf *out, struct err *e)
{
	bool update = s->update.state != UPDATE_NONE;
	cbor_put_map(out, (size_t)10 + s->hello + update);
	cbor_put_uint(out, 1);
	cbor_put_bool(out, s->hello);
	cbor_put_uint(out, 2);
	put_sentence(out, s->software);
	cbor_put_uint(out, 3);
	cbor_put_int(out, s->clock_s);
	cbor_put_uint(out, 4);
	cbor_put_uint(out, s->head_sequence);
	cbor_put_uint(out, 5);
	cbor_put_bytes(out, (struct bytes){ s->journal_epoch, JOURNAL_EPOCH_LEN });
	cbor_put_uint(out, 6);
	cbor_put_uint(out, s->journal_first);
	cbor_put_uint(out, 7);
	cbor_put_uint(out, s->journal_last);
	cbor_put_uint(out, 8);
	cbor_put_uint(out, s->checks);
	cbor_put_uint(out, 9);
	cbor_put_uint(out, s->faults);
	cbor_put_uint(out, 10);
	cbor_put_array(out, s->lists_len);
	for (size_t i = 0; i < s->lists_len; i++)
		list_encode(&s->lists[i], out);
	if (s->hello) {
		cbor_put_uint(out, 11);
		cbor_put_bytes(out, s->journal_key);
	}
	if (update)
		update_encode(&s->update, out);
	return buf_ok(out, "status", e);
}

static bool lists_decode(struct cbor *c, struct status *s, struct err *e)
{
	if (!cbor_key_array(c, 10, LISTS_MAX, &s->lists_len, e))
		return false;
	for (size_t i = 0; i < s->lists_len; i++) {
		struct status_list *l = &s->lists[i];
		if (!cbor_expect_array(c, 6, e) || !name_get(c, l->name, e) ||
		    !cbor_get_uint_max(c, COUNTER_MAX, &l->version, e) ||
		    !cbor_get_bytes_exact(c, l->hash, HASH_LEN, e) ||
		    !cbor_get_uint_max(c, LIST_ENTRIES_MAX, &l->count, e) || !cbor_get_int(c, &l->confirmed_s, e) ||
		    !cbor_get_string(c, l->fault, sizeof(l->fault), e))
			return false;
		if (l->confirmed_s < -1 || l->confirmed_s > TIME_MAX_S)
			return err_set(e, ERR_INPUT, "list %s was confirmed at no time", l->name);
		if (i > 0 && strcmp(s->lists[i - 1].name, l->name) >= 0)
			return err_set(e, ERR_INPUT, "lists out of order or there twice");
	}
	return true;
}

static bool journal_key_decode(struct cbor *c, struct status *s, struct err *e)
{
	if (!cbor_key_bytes(c, 11, &s->journal_key, e))
		return false;
	return (s->journal_key.len > 0 && s->journal_key.len <= JOURNAL_KEY_MAX) ||
	       err_set(e, ERR_INPUT, "a journal key of %zu bytes", s->journal_key.len);
}

/* Keys 2 to 9. */
static bool figures_decode(struct cbor *c, struct status *s, struct err *e)
{
	return cbor_key_string(c, 2, s->software, sizeof(s->software), e) && cbor_key_time(c, 3, &s->clock_s, e) &&
	       cbor_key_uint(c, 4, COUNTER_MAX, &s->head_sequence, e) &&
	       cbor_key_bytes_exact(c, 5, s->journal_epoch, JOURNAL_EPOCH_LEN, e) &&
	       cbor_key_uint(c, 6, COUNTER_MAX, &s->journal_first, e) &&
	       cbor_key_uint(c, 7, COUNTER_MAX, &s->journal_last, e) &&
	       cbor_key_uint(c, 8, COUNTER_MAX, &s->checks, e) && cbor_key_uint(c, 9, COUNTER_MAX, &s->faults, e);
}

static bool update_decode(struct cbor *c, struct status_update *u, struct err *e)
{
	uint64_t state = 0;
	char slot[2];
	if (!cbor_expect_key(c, 12, e) || !cbor_expect_array(c, 6, e) ||
	    !cbor_get_uint_max(c, UPDATE_STATE_LAST, &state, e) || !cbor_get_string(c, slot, sizeof(slot), e) ||
	    !cbor_get_uint_max(c, COUNTER_MAX, &u->version, e) || !cbor_get_uint_max(c, COUNTER_MAX, &u->wanted, e) ||
	    !cbor_get_uint_max(c, COUNTER_MAX, &u->failed, e) || !cbor_get_string(c, u->fault, sizeof(u->fault), e))
		return false;
	u->state = (enum update_state)state;
	u->slot_b = slot[0] == 'b';
	return (u->state != UPDATE_NONE && (u->slot_b || slot[0] == 'a')) ||
	       err_set(e, ERR_INPUT, "an update in no state or of no slot");
}

static bool status_get(struct cbor *c, struct status *s, struct err *e)
{
	size_t pairs = 0;
	if (!cbor_get_map(c, 12, &pairs, e) || !cbor_key_bool(c, 1, &s->hello, e))
		return false;
	size_t least = s->hello ? 11 : 10;
	if (pairs != least && pairs != least + 1)
		return err_set(e, ERR_INPUT, "%zu fields", pairs);
	return figures_decode(c, s, e) && lists_decode(c, s, e) && (!s->hello || journal_key_decode(c, s, e)) &&
	       (pairs == least || update_decode(c, &s->update, e));
}

bool status_decode(struct bytes data, struct status *s, struct err *e)
{
	struct cbor c = cbor_over(data);
	*s = (struct status){ 0 };
	return (status_get(&c, s, e) && cbor_end(&c, e)) || err_wrap(e, "status");
}

bool query_encode(const struct query *q, struct buf *out, struct err *e)
{
	cbor_put_map(out, 3);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ q->id, sizeof(q->id) });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, q->type);
	cbor_put_uint(out, 3);
	cbor_put_bytes(out, q->body);
	return buf_ok(out, "query", e);
}

bool query_decode(struct bytes data, struct query *q, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t type = 0;
	*q = (struct query){ 0 };
	if (!cbor_expect_map(&c, 3, e) || !cbor_key_bytes_exact(&c, 1, q->id, sizeof(q->id), e) ||
	    !cbor_key_uint(&c, 2, QUERY_LAST, &type, e) || !cbor_key_bytes(&c, 3, &q->body, e) || !cbor_end(&c, e))
		return err_wrap(e, "query");
	if (type == 0 || q->body.len > QUERY_BODY_MAX)
		return err_set(e, ERR_INPUT, "query: of type 0, or a body of %zu bytes", q->body.len);
	if (!cbor_check(q->body, e))
		return err_wrap(e, "query: body");
	q->type = (enum query_type)type;
	return true;
}

bool reply_encode(const struct reply *r, struct buf *out, struct err *e)
{
	cbor_put_map(out, 4);
	cbor_put_uint(out, 1);
	cbor_put_bytes(out, (struct bytes){ r->id, sizeof(r->id) });
	cbor_put_uint(out, 2);
	cbor_put_uint(out, r->status);
	cbor_put_uint(out, 3);
	put_sentence(out, r->text);
	cbor_put_uint(out, 4);
	cbor_put_bytes(out, r->body);
	return buf_ok(out, "reply", e);
}

bool reply_decode(struct bytes data, struct reply *r, struct err *e)
{
	struct cbor c = cbor_over(data);
	uint64_t status = 0;
	*r = (struct reply){ 0 };
	if (!cbor_expect_map(&c, 4, e) || !cbor_key_bytes_exact(&c, 1, r->id, sizeof(r->id), e) ||
	    !cbor_key_uint(&c, 2, ERR_IO, &status, e) || !cbor_key_string(&c, 3, r->text, sizeof(r->text), e) ||
	    !cbor_key_bytes(&c, 4, &r->body, e) || !cbor_end(&c, e))
		return err_wrap(e, "reply");
	r->status = (enum err_code)status;
	return true;
}

bool query_object_encode(const uint8_t hash[HASH_LEN], int64_t first, uint32_t count, struct buf *body, struct err *e)
{
	cbor_put_array(body, 3);
	cbor_put_bytes(body, (struct bytes){ hash, HASH_LEN });
	cbor_put_int(body, first);
	cbor_put_uint(body, count);
	return buf_ok(body, "query", e);
}

bool query_object_decode(struct bytes body, uint8_t hash[HASH_LEN], int64_t *first, uint32_t *count, struct err *e)
{
	struct cbor c = cbor_over(body);
	uint64_t n = 0;
	if (!cbor_expect_array(&c, 3, e) || !cbor_get_bytes_exact(&c, hash, HASH_LEN, e) ||
	    !cbor_get_int(&c, first, e) || !cbor_get_uint_max(&c, FETCH_WINDOW, &n, e) || !cbor_end(&c, e))
		return err_wrap(e, "query for an object");
	if (*first < -1 || *first >= (int64_t)(OBJECT_MAX / OBJECT_CHUNK) || n == 0 || (*first == -1 && n > 1))
		return err_set(e, ERR_INPUT, "query for an object: chunks that no object has");
	*count = (uint32_t)n;
	return true;
}
