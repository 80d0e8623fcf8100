#include "tests/support/simulation.h"

#include "firmware/state.h"
#include "protocol/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRANCH "haidian"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void *grown(void *p, size_t len, size_t size)
{
	void *q = reallocarray(p, len, size);
	if (q == NULL)
		abort();
	return q;
}

static bool odds(struct sim *s, unsigned percent)
{
	return set_random(&s->seed) % 100 < percent;
}

static void fill(void *arg, uint8_t *out, size_t len)
{
	struct sim *s = arg;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)set_random(&s->seed);
}

/* The line and the broker */

static void put_on_line(struct sim *s, bool to_branch, const char *topic, struct bytes payload)
{
	int64_t at_ms = s->now_ms + 1 + (int64_t)(set_random(&s->seed) % (uint64_t)(s->delay_ms + 1));
	if (to_branch && s->chunk_ms > 0) {
		if (s->busy_until_ms < s->now_ms)
			s->busy_until_ms = s->now_ms;
		s->busy_until_ms += s->chunk_ms * (int64_t)payload.len / OBJECT_CHUNK;
		at_ms = s->busy_until_ms + 1;
	}
	s->messages = grown(s->messages, s->messages_len + 1, sizeof(s->messages[0]));
	struct sim_message *m = &s->messages[s->messages_len++];
	*m = (struct sim_message){ .at_ms = at_ms, .to_branch = to_branch };
	snprintf(m->topic, sizeof(m->topic), "%s", topic);
	buf_init(&m->payload, OBJECT_MAX);
	buf_add(&m->payload, payload.data, payload.len);
	s->chunks_sent += to_branch && strncmp(topic, "xb/1/o/", 7) == 0;
	if (to_branch && payload.len > 0 && odds(s, s->bend)) {
		m->payload.data[set_random(&s->seed) % payload.len] ^= 16;
		if (odds(s, 50))
			m->payload.len--;
	}
}

static void send_over(struct sim *s, bool to_branch, const char *topic, struct bytes payload)
{
	if (!s->up || odds(s, s->lose))
		return;
	put_on_line(s, to_branch, topic, payload);
	if (odds(s, s->twice))
		put_on_line(s, to_branch, topic, payload);
}

static bool is_subscribed(const struct sim *s, const char *topic)
{
	for (size_t i = 0; i < s->filters_len; i++)
		if (strcmp(s->filters[i], topic) == 0)
			return true;
	return false;
}

static struct sim_retained *retained_find(const struct sim *s, const char *topic)
{
	for (size_t i = s->retained_len; i-- > 0;)
		if (strcmp(s->retained[i].topic, topic) == 0)
			return &s->retained[i];
	return NULL;
}

static void retain(struct sim *s, const char *topic, struct bytes payload)
{
	struct sim_retained *r = retained_find(s, topic);
	if (r == NULL) {
		s->retained = grown(s->retained, s->retained_len + 1, sizeof(s->retained[0]));
		r = &s->retained[s->retained_len++];
		snprintf(r->topic, sizeof(r->topic), "%s", topic);
		buf_init(&r->payload, OBJECT_MAX);
	}
	buf_reset(&r->payload);
	buf_add(&r->payload, payload.data, payload.len);
}

void sim_broadcast(struct sim *s, const char *topic, struct bytes payload, bool keep)
{
	if (keep)
		retain(s, topic, payload);
	if (is_subscribed(s, topic))
		send_over(s, true, topic, payload);
}

void sim_forget(struct sim *s)
{
	for (size_t i = 0; i < s->retained_len; i++)
		buf_clear(&s->retained[i].payload);
	s->retained_len = 0;
}

static bool branch_publish(void *arg, const char *topic, struct bytes payload, bool keep, uint32_t expiry_s,
			   struct err *e)
{
	struct sim *s = arg;
	(void)keep, (void)expiry_s;
	must(s->up); /* nothing is queued while the line is down */
	must(payload.len <= MQTT_PACKET_MAX);
	if (odds(s, s->lose))
		return err_set(e, ERR_FULL, "too much on its way");
	send_over(s, false, topic, payload);
	return true;
}

static bool branch_subscribe(void *arg, const char *filter, struct err *e)
{
	struct sim *s = arg;
	(void)e;
	must(s->up && strchr(filter, '#') == NULL);
	if (!is_subscribed(s, filter)) {
		s->filters = grown(s->filters, s->filters_len + 1, sizeof(s->filters[0]));
		snprintf(s->filters[s->filters_len++], TOPIC_MAX, "%s", filter);
	}
	const struct sim_retained *r = retained_find(s, filter);
	if (r != NULL)
		send_over(s, true, filter, buf_bytes(&r->payload));
	return true;
}

static bool branch_unsubscribe(void *arg, const char *filter, struct err *e)
{
	struct sim *s = arg;
	(void)e;
	must(s->up);
	for (size_t i = 0; i < s->filters_len; i++)
		if (strcmp(s->filters[i], filter) == 0)
			memcpy(s->filters[i], s->filters[--s->filters_len], TOPIC_MAX);
	return true;
}

/* Central */

static const struct published_object *object_find(const struct sim *s, const uint8_t hash[HASH_LEN])
{
	const struct published_object *o = publisher_object(&s->objects, hash);
	for (size_t i = 0; o == NULL && i < s->publishers_len; i++)
		o = publisher_object(s->publishers[i], hash);
	return o;
}

static void publish_chunk(struct sim *s, const struct published_object *o, int64_t chunk)
{
	char topic[OBJECT_TOPIC_MAX];
	object_topic(o->ref.hash, chunk, topic);
	struct bytes data = buf_bytes(&o->chunks);
	if (chunk >= 0)
		data = (struct bytes){ o->data.data + (size_t)chunk * OBJECT_CHUNK,
				       object_chunk_size(o->ref.size, (uint32_t)chunk) };
	sim_broadcast(s, topic, data, true);
}

static void answer(struct sim *s, const struct query *q, enum err_code status, struct bytes body)
{
	char topic[TOPIC_MAX];
	struct buf out;
	struct reply r = { .status = status, .body = body };
	memcpy(r.id, q->id, sizeof(r.id));
	if (status != ERR_NONE)
		snprintf(r.text, sizeof(r.text), "no");
	topic_down(BRANCH, "reply", topic);
	buf_init(&out, MQTT_PACKET_MAX);
	must(reply_encode(&r, &out, NULL));
	sim_broadcast(s, topic, buf_bytes(&out), false);
	buf_clear(&out);
}

static void answer_object(struct sim *s, const struct query *q)
{
	uint8_t hash[HASH_LEN];
	int64_t first;
	uint32_t count;
	must(query_object_decode(q->body, hash, &first, &count, NULL));
	const struct published_object *o = object_find(s, hash);
	for (uint32_t i = 0; o != NULL && i < count; i++)
		if (first < 0 || first + i < object_chunks(o->ref.size)) {
			publish_chunk(s, o, first < 0 ? -1 : first + i);
			s->asked_chunks++;
		}
	answer(s, q, o == NULL ? ERR_MISSING : ERR_NONE, (struct bytes){ NULL, 0 });
}

static void answer_key(struct sim *s, const struct query *q)
{
	struct cbor c = cbor_over(q->body);
	uint64_t epoch;
	struct buf sealed;
	buf_init(&sealed, 1024);
	must(cbor_get_uint(&c, &epoch, NULL));
	for (size_t i = 0; i < s->publishers_len && !s->no_keys && sealed.len == 0; i++)
		if (s->publishers[i]->epoch == epoch)
			must(tag_key_seal((uint32_t)epoch, 1, s->publishers[i]->secret, BRANCH, s->branch_point,
					  &s->random, &sealed, NULL));
	answer(s, q, sealed.len == 0 ? ERR_DENIED : ERR_NONE, buf_bytes(&sealed));
	buf_clear(&sealed);
}

static void send_ack(struct sim *s)
{
	struct journal_ack a = { .seq = s->rows_len };
	char topic[TOPIC_MAX];
	struct buf out;
	memcpy(a.epoch, s->epoch, sizeof(a.epoch));
	journal_start_hash(s->epoch, a.hash);
	if (s->rows_len > 0)
		memcpy(a.hash, s->rows[s->rows_len - 1].hash, HASH_LEN);
	buf_init(&out, 256);
	must(journal_ack_encode(&a, &out, NULL));
	topic_down(BRANCH, "ack", topic);
	sim_broadcast(s, topic, buf_bytes(&out), false);
	buf_clear(&out);
}

static void store_row(struct sim *s, struct bytes bytes)
{
	uint8_t before[HASH_LEN];
	journal_start_hash(s->epoch, before);
	if (s->rows_len > 0)
		memcpy(before, s->rows[s->rows_len - 1].hash, HASH_LEN);
	s->rows = grown(s->rows, s->rows_len + 1, sizeof(s->rows[0]));
	struct sim_row *row = &s->rows[s->rows_len++];
	buf_init(&row->bytes, JOURNAL_ROW_MAX);
	buf_add(&row->bytes, bytes.data, bytes.len);
	journal_next_hash(before, bytes, row->hash);
}

static void store_batch(struct sim *s, struct bytes payload)
{
	struct journal_batch *b = malloc(sizeof(*b));
	if (b == NULL)
		abort();
	must(journal_batch_decode(payload, b, NULL));
	if (s->rows_len == 0)
		memcpy(s->epoch, b->epoch, sizeof(s->epoch));
	if (memcmp(s->epoch, b->epoch, sizeof(s->epoch)) != 0) {
		s->conflicts++;
	} else {
		for (size_t i = 0; i < b->rows_len; i++) {
			uint64_t seq = b->first + i;
			if (seq == s->rows_len + 1)
				store_row(s, b->rows[i]);
			else if (seq <= s->rows_len) {
				s->doubled++;
				must(bytes_equal(b->rows[i], buf_bytes(&s->rows[seq - 1].bytes)));
			}
		}
	}
	send_ack(s);
	free(b);
}

static void take_status(struct sim *s, struct bytes payload)
{
	struct buf key, context;
	must(status_decode(payload, &s->status, NULL));
	s->statuses++;
	if (!s->status.hello)
		return;
	buf_init(&key, 32);
	buf_init(&context, 64);
	buf_add_str(&context, "xb/1/journal-key/" BRANCH);
	must(seal_open(s->seal_scalar, s->seal_point, buf_bytes(&context), s->status.journal_key, &key, NULL));
	must(key.len == 32);
	memcpy(s->journal_key, key.data, 32);
	buf_clear(&key);
	buf_clear(&context);
}

static void central_take(struct sim *s, const char *topic, struct bytes payload)
{
	char branch[NAME_MAX_LEN + 1];
	const char *what;
	struct query q;
	must(topic_up_parse(topic, branch, &what) && strcmp(branch, BRANCH) == 0);
	if (s->deaf)
		return;
	if (strcmp(what, "journal") == 0)
		store_batch(s, payload);
	else if (strcmp(what, "status") == 0)
		take_status(s, payload);
	else {
		must(query_decode(payload, &q, NULL));
		s->queries++;
		if (q.type == QUERY_OBJECT)
			answer_object(s, &q);
		else if (q.type == QUERY_EPOCH_KEY)
			answer_key(s, &q);
		else
			send_ack(s);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct head_entry *x = a, *y = b;
	return strcmp(x->name, y->name);
}

struct head sim_head(struct sim *s)
{
	struct head h = { .sequence = ++s->sequence, .issued_s = SIM_START_S + s->now_ms / 1000 };
	h.expires_s = h.issued_s + 86400;
	h.entries = grown(NULL, s->publishers_len + s->documents_len + 1, sizeof(h.entries[0]));
	for (size_t i = 0; i < s->publishers_len; i++)
		h.entries[h.entries_len++] = *publisher_entry(s->publishers[i], s->publishers[i]->editions_len);
	for (size_t i = 0; i < s->documents_len; i++)
		h.entries[h.entries_len++] = s->documents[i];
	qsort(h.entries, h.entries_len, sizeof(h.entries[0]), by_name);
	return h;
}

static struct buf head_signed(struct sim *s, const struct head *h, const uint8_t scalar[SCALAR_LEN])
{
	struct buf out;
	buf_init(&out, COSE_MAX);
	must(head_sign(h, scalar, s->head_point, &s->random, &out, NULL));
	return out;
}

void sim_send_head(struct sim *s, const struct head *h, const uint8_t scalar[SCALAR_LEN])
{
	struct buf out = head_signed(s, h, scalar);
	sync_message(s->sync, TOPIC_HEAD, buf_bytes(&out), s->now_ms);
	s->next_run_ms = s->now_ms;
	buf_clear(&out);
}

static void publish_head(struct sim *s)
{
	struct head h = sim_head(s);
	struct buf out = head_signed(s, &h, s->head_scalar);
	sim_broadcast(s, TOPIC_HEAD, buf_bytes(&out), true);
	buf_clear(&out);
	head_clear(&h);
	s->next_head_ms = s->now_ms + 60000;
}

static void publish_objects(struct sim *s, const struct publisher *p)
{
	char topic[OBJECT_TOPIC_MAX];
	for (size_t i = 0; i < p->objects_len; i++) {
		const struct published_object *o = &p->objects[i];
		object_topic(o->ref.hash, -1, topic);
		if (retained_find(s, topic) != NULL)
			continue;
		for (int64_t chunk = -1; chunk < (int64_t)object_chunks(o->ref.size); chunk++)
			publish_chunk(s, o, chunk);
	}
}

void sim_publish(struct sim *s)
{
	for (size_t i = 0; i < s->publishers_len && !s->no_retained; i++)
		publish_objects(s, s->publishers[i]);
	publish_objects(s, &s->objects);
	publish_head(s);
}

void sim_add(struct sim *s, struct publisher *p)
{
	s->publishers[s->publishers_len++] = p;
}

void sim_document(struct sim *s, const char *name, uint64_t version, struct bytes data)
{
	size_t at = 0;
	while (at < s->documents_len && strcmp(s->documents[at].name, name) != 0)
		at++;
	if (at == s->documents_len)
		s->documents_len++;
	s->documents[at] = (struct head_entry){ .kind = HEAD_DOCUMENT, .version = version };
	snprintf(s->documents[at].name, sizeof(s->documents[at].name), "%s", name);
	s->documents[at].object = publisher_put(&s->objects, data)->ref;
}

struct buf *sim_retained_chunk(struct sim *s, const uint8_t hash[HASH_LEN], int64_t chunk)
{
	char topic[OBJECT_TOPIC_MAX];
	object_topic(hash, chunk, topic);
	struct sim_retained *r = retained_find(s, topic);
	return r == NULL ? NULL : &r->payload;
}

/* The branch */

static void branch_open(struct sim *s, int64_t system_s)
{
	struct err e = { 0 };
	s->db = state_open(s->dir, &e);
	must(s->db != NULL);
	s->loop = loop_new();
	must(vault_open(&s->vault, s->dir, &s->random, &e));
	s->lists = lists_open(s->db, &s->vault, s->dir, s->loop, &e);
	s->documents_held = documents_open(s->db, &e);
	s->record = record_open(s->db, &s->vault, &s->random, &e);
	must(s->lists != NULL && s->documents_held != NULL && s->record != NULL);
	must(clock_load(&s->clock, s->db, s->now_ms, system_s, &e));
	s->updates = s->slots.boot[0] != '\0' ? updates_open(&s->slots, s->db, s->now_ms) : NULL;
	struct sync_config c = { .db = s->db,
				 .dir = s->dir,
				 .lists = s->lists,
				 .documents = s->documents_held,
				 .record = s->record,
				 .clock = &s->clock,
				 .random = &s->random,
				 .transport = { s, branch_publish, branch_subscribe, branch_unsubscribe },
				 .prefetched = s->prefetched,
				 .arg = s->central,
				 .updates = s->updates };
	snprintf(c.identity.branch, sizeof(c.identity.branch), BRANCH);
	memcpy(c.identity.head_key, s->head_point, POINT_LEN);
	memcpy(c.identity.central_seal_key, s->seal_point, POINT_LEN);
	memcpy(c.identity.seal_scalar, s->branch_scalar, SCALAR_LEN);
	memcpy(c.identity.seal_point, s->branch_point, POINT_LEN);
	s->sync = sync_new(&c, &e);
	must(s->sync != NULL);
	s->next_run_ms = s->now_ms;
}

static void branch_close(struct sim *s)
{
	sync_free(s->sync);
	updates_close(s->updates);
	record_close(s->record);
	documents_close(s->documents_held);
	lists_close(s->lists);
	loop_free(s->loop);
	db_close(s->db);
}

void sim_init(struct sim *s, const char *dir, uint64_t seed)
{
	*s = (struct sim){ .seed = seed, .delay_ms = 20, .now_ms = 1000 };
	snprintf(s->dir, sizeof(s->dir), "%s", dir);
	s->random = (struct random){ fill, s };
	key_new(&s->random, s->head_scalar, s->head_point);
	key_new(&s->random, s->seal_scalar, s->seal_point);
	key_new(&s->random, s->branch_scalar, s->branch_point);
	publisher_init(&s->objects, "objects", 1);
	branch_open(s, 0);
}

void sim_clear(struct sim *s)
{
	branch_close(s);
	for (size_t i = 0; i < s->messages_len; i++)
		buf_clear(&s->messages[i].payload);
	sim_forget(s);
	for (size_t i = 0; i < s->rows_len; i++)
		buf_clear(&s->rows[i].bytes);
	publisher_clear(&s->objects);
	free(s->messages);
	free(s->retained);
	free(s->rows);
	free(s->filters);
}

void sim_line(struct sim *s, bool up)
{
	if (s->up == up)
		return;
	s->up = up;
	s->filters_len = 0;
	for (size_t i = 0; i < s->messages_len; i++)
		buf_clear(&s->messages[i].payload);
	s->messages_len = 0;
	s->busy_until_ms = 0;
	s->next_run_ms = s->now_ms;
	if (up)
		sync_up(s->sync, s->now_ms);
	else
		sync_down(s->sync, s->now_ms);
}

void sim_restart(struct sim *s, int64_t system_s)
{
	bool up = s->up;
	sim_line(s, false);
	branch_close(s);
	branch_open(s, system_s);
	sim_line(s, up);
}

static void deliver(struct sim *s)
{
	for (size_t i = 0; i < s->messages_len;) {
		struct sim_message m = s->messages[i];
		if (m.at_ms > s->now_ms) {
			i++;
			continue;
		}
		s->messages[i] = s->messages[--s->messages_len];
		if (!m.to_branch && s->central_message != NULL) {
			s->central_message(s->central, m.topic, buf_bytes(&m.payload));
			s->next_central_ms = s->now_ms;
		} else if (!m.to_branch)
			central_take(s, m.topic, buf_bytes(&m.payload));
		else {
			sync_message(s->sync, m.topic, buf_bytes(&m.payload), s->now_ms);
			s->next_run_ms = s->now_ms;
		}
		buf_clear(&m.payload);
	}
}

/* To the next thing that happens, within the time given. */
static void advance(struct sim *s, int64_t end_ms)
{
	int64_t next_ms = s->next_run_ms < end_ms ? s->next_run_ms : end_ms;
	for (size_t i = 0; i < s->messages_len; i++)
		if (s->messages[i].at_ms < next_ms)
			next_ms = s->messages[i].at_ms;
	if (!s->silent && s->up && s->next_head_ms < next_ms)
		next_ms = s->next_head_ms;
	if (s->central_run != NULL && s->next_central_ms < next_ms)
		next_ms = s->next_central_ms;
	if (next_ms > s->now_ms)
		s->now_ms = next_ms;
}

static void turn(struct sim *s, int64_t end_ms)
{
	advance(s, end_ms);
	if (!s->silent && s->up && s->sequence > 0 && s->now_ms >= s->next_head_ms)
		publish_head(s);
	else if (s->sequence == 0)
		s->next_head_ms = end_ms;
	deliver(s);
	if (s->now_ms >= s->next_run_ms)
		s->next_run_ms = sync_run(s->sync, s->now_ms);
	if (s->central_run != NULL && s->now_ms >= s->next_central_ms)
		s->next_central_ms = s->central_run(s->central);
	/* A child works in real time. */
	bool ready = true;
	for (size_t i = 0; i < s->publishers_len; i++)
		ready = ready && lists_ready(s->lists, s->publishers[i]->name);
	loop_once(s->loop, ready ? 0 : 5);
}

void sim_run(struct sim *s, int64_t ms)
{
	for (int64_t end_ms = s->now_ms + ms; s->now_ms < end_ms;)
		turn(s, end_ms);
}

bool sim_until(struct sim *s, bool (*holds)(struct sim *s), int64_t ms)
{
	for (int64_t end_ms = s->now_ms + ms; s->now_ms < end_ms;) {
		if (holds(s))
			return true;
		turn(s, end_ms);
	}
	return holds(s);
}

/* What there is to see */

void sim_record(struct sim *s, unsigned rows)
{
	static const uint8_t body[] = { 0xa2, 1, 0x61, 'c', 2, 0x61, 'd' };
	must(db_begin(s->db, NULL));
	for (unsigned i = 0; i < rows; i++)
		must(record_append(s->record, SIM_START_S, JOURNAL_EVENT, (struct bytes){ body, sizeof(body) }, NULL,
				   NULL));
	must(db_commit(s->db, NULL));
	sync_recorded(s->sync, s->now_ms);
	s->next_run_ms = s->now_ms;
}

struct sync_info sim_info(const struct sim *s)
{
	struct sync_info i;
	sync_info(s->sync, &i);
	return i;
}

struct list_info sim_list(const struct sim *s, const char *name)
{
	struct list_info all[LISTS_MAX];
	struct list_info none;
	memset(&none, 0, sizeof(none));
	size_t n = lists_info(s->lists, all);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i];
	return none;
}

bool sim_is_current(struct sim *s)
{
	uint32_t epoch;
	for (size_t i = 0; i < s->publishers_len; i++)
		if (lists_version(s->lists, s->publishers[i]->name, &epoch) != s->publishers[i]->editions_len)
			return false;
	for (size_t i = 0; i < s->documents_len; i++)
		if (documents_version(s->documents_held, s->documents[i].name) != s->documents[i].version)
			return false;
	return true;
}

bool sim_is_acknowledged(struct sim *s)
{
	struct record_info i;
	record_info(s->record, &i);
	return i.acknowledged == i.last;
}
