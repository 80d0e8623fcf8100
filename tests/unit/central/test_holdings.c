/* Consents, bookings and what branches are given, through the queries a branch really sends. */
#include "central/registry/holdings.h"
#include "central/registry/revocation.h"
#include "tests/support/centre.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDER   "330802185001010013" /* nobody's */
#define OTHER    "330802187001010020"
#define PERMIT   "11330000SAMPLE0000X002"
#define DAY      86400
#define BRANCHES 2

static struct centre centre;
static struct central_sync *sync_of;
static struct instant now;
static const char *const names[BRANCHES] = { "quay", "hill" };
static uint8_t scalars[BRANCHES][SCALAR_LEN], points[BRANCHES][POINT_LEN];
static struct {
	char topic[TOPIC_MAX];
	uint8_t data[MQTT_PACKET_MAX];
	size_t len;
	unsigned count;
} sent; /* the last one */

static bool publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s, struct err *e)
{
	(void)arg, (void)retain, (void)expiry_s, (void)e;
	if (strstr(topic, "/down/") == NULL)
		return true;
	CU_ASSERT_TRUE_FATAL(payload.len <= sizeof(sent.data));
	snprintf(sent.topic, sizeof(sent.topic), "%s", topic);
	memcpy(sent.data, payload.data, payload.len);
	sent.len = payload.len;
	sent.count++;
	return true;
}

static bool subscribe(void *arg, const char *filter, struct err *e)
{
	(void)arg, (void)filter, (void)e;
	return true;
}

static bool sign(void *arg, struct bytes payload, struct err *e)
{
	(void)arg, (void)payload;
	return err_set(e, ERR_IO, "no signer here");
}

static void setup(void)
{
	const struct central_sync_config c = {
		.release = &centre.release,
		.transport = { NULL, publish, subscribe, subscribe },
		.signer = { NULL, sign },
		.seal_scalar = centre.seal_scalar,
		.seal_point = centre.seal_point,
	};
	centre_open(&centre);
	centre_issuer(&centre);
	for (size_t i = 0; i < BRANCHES; i++) {
		key_new(&random_system, scalars[i], points[i]);
		centre_enrol(&centre, names[i], points[i]);
	}
	now = (struct instant){ 1000, CENTRE_NOW_S };
	sync_of = central_sync_new(&c);
	central_sync_up(sync_of, now);
}

static void teardown(void)
{
	central_sync_free(sync_of);
	centre_close(&centre);
}

/* Each test begins with nobody's consents, bookings and certificates. */
static void fresh(void)
{
	const char *tables[] = { "DELETE FROM consent", "DELETE FROM prefetch", "DELETE FROM body_access",
				 "DELETE FROM certificate" };
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		CU_ASSERT_TRUE_FATAL(db_exec(centre.db, tables[i], NULL));
	now.s = CENTRE_NOW_S;
}

/* Issued to a holder of a kind; a ring of four. */
static const char *issued(const char *holder, const char *more)
{
	static char ring[4][ECERT_ID_MAX + 1];
	static unsigned next;
	char json[90000];
	struct err e = { 0 };
	char *id = ring[next++ % 4];
	snprintf(json, sizeof(json), "'holder':{'kind':'resident_id','number':'%s','name':'示例甲'}%s", holder, more);
	bool ok = centre_issue(&centre, json, now.s, id, &e);
	if (!ok)
		fprintf(stderr, "[%s] ", e.text);
	CU_ASSERT_TRUE_FATAL(ok);
	return id;
}

static int64_t consent(const char *kinds, const char *purposes, const char *branches, int64_t from_s, int64_t to_s)
{
	struct consent_new n = { .holder_kind = IDENTIFIER_RESIDENT_ID,
				 .holder = HOLDER,
				 .kinds = kinds,
				 .purposes = purposes,
				 .branches = branches,
				 .from_s = from_s,
				 .to_s = to_s };
	int64_t id = 0;
	CU_ASSERT_TRUE(consent_add(&centre.release, &n, "alice", now.s, &id, NULL));
	return id;
}

static int64_t consent_to_all(void)
{
	return consent("*", "*", "*", now.s, INT64_MAX);
}

static bool book(const char *branch, const char *holder, const char *purpose, uint64_t *items, struct err *e)
{
	struct booking_new n = { .branch = branch,
				 .holder_kind = IDENTIFIER_RESIDENT_ID,
				 .kinds = "*",
				 .purpose = purpose,
				 .until_s = now.s + DAY };
	snprintf(n.holder, sizeof(n.holder), "%s", holder);
	return booking_add(&centre.release, &n, "alice", now.s, items, e);
}

/* --- a branch --- */

static struct bytes context_of(const char *what, size_t branch)
{
	static char text[96];
	snprintf(text, sizeof(text), "%s%s", what, names[branch]);
	return bytes_of(text);
}

/* Sends a query and decodes central's reply, which borrows from sent. */
static struct reply asked(size_t branch, const struct query *q)
{
	struct buf out;
	struct reply r = { .status = ERR_IO };
	char topic[TOPIC_MAX], down[TOPIC_MAX];
	buf_init(&out, MQTT_PACKET_MAX);
	CU_ASSERT_TRUE_FATAL(query_encode(q, &out, NULL));
	snprintf(topic, sizeof(topic), "xb/1/up/%s/query", names[branch]);
	topic_down(names[branch], "reply", down);
	sent.topic[0] = '\0';
	central_sync_message(sync_of, topic, buf_bytes(&out), now);
	for (int i = 0; i < 20 && strcmp(sent.topic, down) != 0; i++, now.ms += 20)
		(void)central_sync_run(sync_of, now);
	buf_clear(&out);
	CU_ASSERT_STRING_EQUAL_FATAL(sent.topic, down);
	CU_ASSERT_TRUE_FATAL(reply_decode((struct bytes){ sent.data, sent.len }, &r, NULL));
	CU_ASSERT_EQUAL(memcmp(r.id, q->id, sizeof(q->id)), 0);
	return r;
}

static bool reply_open(size_t branch, const char *what, const struct reply *r, struct buf *plain)
{
	struct cbor c = cbor_over(r->body);
	struct bytes sealed;
	return cbor_get_bytes(&c, &sealed, NULL) && cbor_end(&c, NULL) &&
	       seal_open(scalars[branch], points[branch], context_of(what, branch), sealed, plain, NULL);
}

static struct buf opened; /* what the last reply held */

static void opened_fresh(void)
{
	buf_clear(&opened);
	buf_init(&opened, MQTT_PACKET_MAX);
}

/* Sealed by `as`, sent by `branch`, with the id inside changed by `twist`. */
static struct reply certificates_raw(size_t branch, size_t as, uint8_t twist, const char *kind, const char *purpose)
{
	struct query q = { .type = QUERY_CERTIFICATE };
	struct body_query b = { .holder_kind = IDENTIFIER_RESIDENT_ID, .holder = HOLDER, .terminal = "kiosk-1" };
	struct buf plain, sealed, body;
	snprintf(b.type, sizeof(b.type), "%s", kind);
	snprintf(b.purpose, sizeof(b.purpose), "%s", purpose);
	random_system.fill(random_system.arg, q.id, sizeof(q.id));
	memcpy(b.id, q.id, sizeof(q.id));
	b.id[0] ^= twist;
	buf_init(&plain, QUERY_BODY_MAX);
	buf_init(&sealed, QUERY_BODY_MAX);
	buf_init(&body, QUERY_BODY_MAX);
	CU_ASSERT_TRUE_FATAL(body_query_encode(&b, &plain, NULL) &&
			     seal_to(centre.seal_point, &random_system, context_of(BODY_QUERY_CONTEXT, as),
				     buf_bytes(&plain), &sealed, NULL));
	cbor_put_bytes(&body, buf_bytes(&sealed));
	q.body = buf_bytes(&body);
	struct reply r = asked(branch, &q);
	buf_clear(&plain);
	buf_clear(&sealed);
	buf_clear(&body);
	return r;
}

/* ERR_NONE with what was given in *out, which borrows from opened. */
static enum err_code certificates(size_t branch, const char *kind, const char *purpose, struct body_reply *out)
{
	struct reply r = certificates_raw(branch, branch, 0, kind, purpose);
	struct body_reply mine;
	if (r.status != ERR_NONE)
		return r.status;
	opened_fresh();
	CU_ASSERT_TRUE_FATAL(reply_open(branch, BODY_REPLY_CONTEXT, &r, &opened));
	CU_ASSERT_TRUE_FATAL(body_reply_decode(buf_bytes(&opened), &mine, NULL));
	CU_ASSERT_EQUAL(memcmp(mine.id, r.id, sizeof(r.id)), 0);
	if (out != NULL)
		*out = mine;
	return ERR_NONE;
}

static struct prefetch_item prefetched(size_t branch, uint64_t after)
{
	struct query q = { .type = QUERY_PREFETCH };
	struct prefetch_item i = { .kind = PREFETCH_NONE };
	struct buf body;
	random_system.fill(random_system.arg, q.id, sizeof(q.id));
	buf_init(&body, 16);
	cbor_put_uint(&body, after);
	q.body = buf_bytes(&body);
	struct reply r = asked(branch, &q);
	buf_clear(&body);
	CU_ASSERT_EQUAL_FATAL(r.status, ERR_NONE);
	opened_fresh();
	CU_ASSERT_TRUE_FATAL(reply_open(branch, BODY_PREFETCH_CONTEXT, &r, &opened));
	CU_ASSERT_TRUE_FATAL(prefetch_item_decode(buf_bytes(&opened), &i, NULL));
	CU_ASSERT_EQUAL(memcmp(i.id, q.id, sizeof(q.id)), 0);
	return i;
}

/* --- consents --- */

static void without_consent_nothing_is_given_and_every_question_leaves_a_row(void)
{
	fresh();
	(void)issued(HOLDER, "");
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", NULL), ERR_DENIED);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM body_access WHERE branch = 'quay' AND terminal ="
					      " 'kiosk-1' AND purpose = 'loan' AND given = 0"),
			1);
	(void)consent_to_all();
	CU_ASSERT_EQUAL(certificates(0, PERMIT, "loan", NULL), ERR_MISSING);
	struct body_reply r;
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL(r.bodies_len, 1);
	CU_ASSERT_EQUAL(r.bodies[0].consent_to_s, INT64_MAX);
	CU_ASSERT_EQUAL(r.bodies[0].status, ECERT_VALID);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT given FROM body_access ORDER BY id DESC LIMIT 1"), 1);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM body_access"), 3);
}

static void a_consent_covers_its_kinds_purposes_branches_and_time_and_nothing_else(void)
{
	fresh();
	(void)issued(HOLDER, "");
	(void)consent(CENTRE_CARD ",X", "loan,open_account", "quay", now.s, now.s + DAY);
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", NULL), ERR_NONE);
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "open_account", NULL), ERR_NONE);
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "open", NULL),
			ERR_DENIED); /* a part of a word is not the word */
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "account", NULL), ERR_DENIED);
	CU_ASSERT_EQUAL(certificates(0, PERMIT, "loan", NULL), ERR_DENIED);
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_DENIED);
	now.s += DAY - 1;
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", NULL), ERR_NONE);
	now.s += 1;
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", NULL), ERR_DENIED);
	(void)consent("*", "loan", "*", now.s + DAY, INT64_MAX);
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_DENIED); /* it has not begun */
	now.s += DAY;
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_NONE);
}

static void a_consent_that_says_nothing_or_has_ended_is_refused(void)
{
	static const struct {
		const char *kinds, *purposes, *branches;
		int64_t from_s, to_s;
	} bad[] = {
		{ "", "loan", "*", CENTRE_NOW_S, INT64_MAX },     { "*", "", "*", CENTRE_NOW_S, INT64_MAX },
		{ "*", "loan", "", CENTRE_NOW_S, INT64_MAX },     { ",a", "loan", "*", CENTRE_NOW_S, INT64_MAX },
		{ "a,", "loan", "*", CENTRE_NOW_S, INT64_MAX },   { "a,,b", "loan", "*", CENTRE_NOW_S, INT64_MAX },
		{ "*", "loan", "*", CENTRE_NOW_S, CENTRE_NOW_S }, { "*", "loan", "*", 1, CENTRE_NOW_S - 1 },
	};
	fresh();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct consent_new n = { .holder_kind = IDENTIFIER_RESIDENT_ID,
					       .holder = HOLDER,
					       .kinds = bad[i].kinds,
					       .purposes = bad[i].purposes,
					       .branches = bad[i].branches,
					       .from_s = bad[i].from_s,
					       .to_s = bad[i].to_s };
		struct err e = { 0 };
		int64_t id;
		CU_ASSERT_FALSE(consent_add(&centre.release, &n, "alice", now.s, &id, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	}
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM consent"), 0);
}

/* --- answers --- */

static void an_answer_opens_for_the_branch_that_asked_and_a_question_counts_for_its_own_query(void)
{
	struct buf plain;
	fresh();
	(void)issued(HOLDER, "");
	(void)consent_to_all();
	buf_init(&plain, MQTT_PACKET_MAX);
	struct reply r = certificates_raw(0, 0, 0, CENTRE_CARD, "loan");
	CU_ASSERT_EQUAL(r.status, ERR_NONE);
	CU_ASSERT_FALSE(reply_open(1, BODY_REPLY_CONTEXT, &r, &plain));
	CU_ASSERT_FALSE(reply_open(0, BODY_PREFETCH_CONTEXT, &r, &plain));
	CU_ASSERT_TRUE(reply_open(0, BODY_REPLY_CONTEXT, &r, &plain));
	buf_clear(&plain);
	/* Sealed by another branch, or for another query. */
	CU_ASSERT_NOT_EQUAL(certificates_raw(0, 1, 0, CENTRE_CARD, "loan").status, ERR_NONE);
	CU_ASSERT_EQUAL(certificates_raw(0, 0, 1, CENTRE_CARD, "loan").status, ERR_DENIED);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM body_access"), 1);
}

/* ,'file': n bytes that are made up, and their media type; static. */
static const char *file_of(size_t n)
{
	static char text[80000];
	uint8_t *bytes = malloc(n);
	struct buf base64;
	if (bytes == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 7);
	buf_init(&base64, sizeof(text));
	base64_encode((struct bytes){ bytes, n }, &base64);
	snprintf(text, sizeof(text), ",'media_type':'image/png','file':'%s'", buf_str(&base64));
	buf_clear(&base64);
	free(bytes);
	return text;
}

static void an_answer_fits_one_message_the_newest_first_and_says_what_it_leaves_out(void)
{
	struct body_reply r;
	fresh();
	(void)consent_to_all();
	(void)issued(HOLDER, file_of(BODY_FILE_MAX));
	now.s++;
	(void)issued(HOLDER, file_of(20000));
	now.s++;
	(void)issued(HOLDER, "");
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL_FATAL(r.bodies_len, 3);
	CU_ASSERT_FALSE(r.more);
	CU_ASSERT_TRUE(r.bodies[0].file.data == NULL && !r.bodies[0].file_left_out);
	CU_ASSERT_EQUAL(r.bodies[1].file.len, 20000);
	CU_ASSERT_TRUE(r.bodies[2].file.data == NULL && r.bodies[2].file_left_out);
	for (int i = 0; i < BODIES_MAX; i++, now.s++)
		(void)issued(HOLDER, file_of(3000));
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL(r.bodies_len, BODIES_MAX);
	CU_ASSERT_TRUE(r.more);
}

static void what_has_ended_or_was_revoked_is_not_given(void)
{
	fresh();
	(void)consent_to_all();
	const char *id = issued(HOLDER, "");
	(void)issued(HOLDER, ",'to':'2026-11-30'");
	struct body_reply r;
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL(r.bodies_len, 2);
	now.s += 10 * DAY;
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL(r.bodies_len, 1);
	CU_ASSERT_TRUE(registry_set(&centre.release, id, ECERT_SUSPENDED, "asked", "alice", now.s, NULL));
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_NONE);
	CU_ASSERT_EQUAL(r.bodies[0].status, ECERT_SUSPENDED); /* the branch may know that there is one */
	CU_ASSERT_TRUE(registry_set(&centre.release, id, ECERT_REVOKED, "lost", "alice", now.s, NULL));
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", &r), ERR_MISSING);
}

/* --- bookings --- */

static void a_booking_needs_consent_a_branch_a_certificate_and_a_time_to_come(void)
{
	struct err e = { 0 };
	uint64_t items = 9;
	fresh();
	(void)issued(HOLDER, "");
	CU_ASSERT_FALSE(book("quay", HOLDER, "loan", &items, &e));
	CU_ASSERT_EQUAL(e.code, ERR_DENIED);
	(void)consent_to_all();
	CU_ASSERT_FALSE(book("nowhere", HOLDER, "loan", &items, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_FALSE(book("quay", OTHER, "loan", &items, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_FALSE(book("quay", HOLDER, "", &items, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	struct booking_new over = { .branch = "quay",
				    .holder_kind = IDENTIFIER_RESIDENT_ID,
				    .holder = HOLDER,
				    .kinds = "*",
				    .purpose = "loan",
				    .until_s = now.s };
	CU_ASSERT_FALSE(booking_add(&centre.release, &over, "alice", now.s, &items, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM prefetch"), 0);
}

static void what_is_booked_comes_in_sequence_to_its_branch_alone(void)
{
	uint64_t items = 0;
	fresh();
	(void)consent("*", "*", "*", now.s, now.s + 10 * DAY);
	(void)issued(HOLDER, file_of(BODY_FILE_MAX));
	(void)issued(HOLDER, "");
	(void)issued(OTHER, "");
	CU_ASSERT_TRUE(book("quay", HOLDER, "loan", &items, NULL));
	CU_ASSERT_EQUAL(items, 2);
	struct prefetch_item a = prefetched(0, 0);
	CU_ASSERT_EQUAL(a.kind, PREFETCH_PUT);
	CU_ASSERT_EQUAL(a.seq, 1);
	CU_ASSERT_STRING_EQUAL(a.holder, HOLDER);
	CU_ASSERT_STRING_EQUAL(a.type, CENTRE_CARD);
	CU_ASSERT_STRING_EQUAL(a.purpose, "loan");
	CU_ASSERT_EQUAL(a.body.consent_to_s, now.s + DAY); /* the booking's end, which is before the consent's */
	struct prefetch_item b = prefetched(0, 1);
	CU_ASSERT_EQUAL(b.seq, 2);
	struct prefetch_item end = prefetched(0, 2);
	CU_ASSERT_EQUAL(end.kind, PREFETCH_NONE);
	CU_ASSERT_EQUAL(end.seq, 2);
	CU_ASSERT_EQUAL(prefetched(0, 77).seq, 2); /* central was restored: the branch learns how far it is */
	CU_ASSERT_EQUAL(prefetched(1, 0).kind, PREFETCH_NONE);
	CU_ASSERT_EQUAL(prefetched(1, 0).seq, 0);
	now.s += DAY; /* over: passed by */
	CU_ASSERT_EQUAL(prefetched(0, 0).kind, PREFETCH_NONE);
}

static void what_was_revoked_or_no_longer_consented_to_since_it_was_booked_comes_as_an_erasure(void)
{
	struct registry_row row;
	uint64_t items = 0;
	fresh();
	(void)consent("*", "loan", "*", now.s, now.s + DAY / 2);
	const char *id = issued(HOLDER, "");
	(void)issued(HOLDER, "");
	CU_ASSERT_TRUE(book("quay", HOLDER, "loan", &items, NULL));
	CU_ASSERT_EQUAL(items, 2);
	CU_ASSERT_TRUE(registry_set(&centre.release, id, ECERT_REVOKED, "lost", "alice", now.s, NULL));
	CU_ASSERT_TRUE_FATAL(registry_load(&centre.release, id, &row, NULL, NULL, NULL));
	unsigned erased = 0, put = 0;
	for (uint64_t seq = 0; seq < 2; seq++) {
		struct prefetch_item i = prefetched(0, seq);
		erased += i.kind == PREFETCH_ERASE && strcmp(i.identity, row.identity) == 0;
		put += i.kind == PREFETCH_PUT;
	}
	CU_ASSERT_EQUAL(erased, 1);
	CU_ASSERT_EQUAL(put, 1);
	now.s += DAY / 2;
	CU_ASSERT_EQUAL(prefetched(0, 0).kind, PREFETCH_ERASE);
	CU_ASSERT_EQUAL(prefetched(0, 1).kind, PREFETCH_ERASE);
}

/* --- withdrawing --- */

static char told[64]; /* "quay,hill," */
static void touched(void *arg, const char *branch)
{
	(void)arg;
	size_t len = strlen(told);
	snprintf(told + len, sizeof(told) - len, "%s,", branch);
}

static bool withdrawn(int64_t id, struct err *e)
{
	told[0] = '\0';
	return consent_withdraw(&centre.release, id, "alice", now.s, touched, NULL, e);
}

static void withdrawing_erases_wherever_it_was_given_or_set_aside_and_nowhere_else(void)
{
	uint64_t items = 0;
	struct err e = { 0 };
	fresh();
	int64_t id = consent_to_all();
	(void)issued(HOLDER, "");
	CU_ASSERT_FALSE(withdrawn(id + 1000, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_NONE); /* hill asked for it */
	CU_ASSERT_TRUE(withdrawn(id, &e));
	CU_ASSERT_STRING_EQUAL(told, "hill,");
	CU_ASSERT_EQUAL(prefetched(1, 0).kind, PREFETCH_ERASE);
	CU_ASSERT_EQUAL(prefetched(0, 0).kind, PREFETCH_NONE);
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_DENIED);
	CU_ASSERT_FALSE(withdrawn(id, &e));
	CU_ASSERT_EQUAL(e.code, ERR_CONFLICT);
	/* Booked at quay under a new consent, and that is withdrawn too. */
	id = consent_to_all();
	CU_ASSERT_TRUE(book("quay", HOLDER, "loan", &items, NULL));
	now.s++;
	CU_ASSERT_TRUE(withdrawn(id, &e));
	CU_ASSERT_STRING_EQUAL(told, "hill,quay,");
	CU_ASSERT_EQUAL(prefetched(0, 0).kind, PREFETCH_ERASE); /* the booking itself */
	CU_ASSERT_EQUAL(prefetched(0, 1).kind, PREFETCH_ERASE);
	CU_ASSERT_EQUAL(prefetched(0, 2).kind, PREFETCH_NONE);
}

static void what_another_consent_covers_stays(void)
{
	uint64_t items = 0;
	fresh();
	int64_t loans = consent("*", "loan", "*", now.s, INT64_MAX);
	(void)consent("*", "open_account", "*", now.s, INT64_MAX);
	(void)issued(HOLDER, "");
	CU_ASSERT_TRUE(book("quay", HOLDER, "loan", &items, NULL));
	CU_ASSERT_TRUE(book("quay", HOLDER, "open_account", &items, NULL));
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "open_account", NULL), ERR_NONE);
	now.s++;
	CU_ASSERT_TRUE(withdrawn(loans, NULL));
	CU_ASSERT_STRING_EQUAL(told, "quay,");
	/* An erasure is of the certificate, so what is still consented to comes again. */
	CU_ASSERT_EQUAL(prefetched(0, 2).kind, PREFETCH_ERASE);
	struct prefetch_item again = prefetched(0, 3);
	CU_ASSERT_EQUAL(again.kind, PREFETCH_PUT);
	CU_ASSERT_STRING_EQUAL(again.purpose, "open_account");
	CU_ASSERT_EQUAL(prefetched(0, 4).kind, PREFETCH_NONE);
	CU_ASSERT_EQUAL(prefetched(1, 0).kind, PREFETCH_NONE);
}

/* --- looking --- */

static unsigned seen;
static void see_access(void *arg, const struct access_row *r)
{
	(void)arg;
	seen++;
	CU_ASSERT_STRING_EQUAL(r->branch, seen == 1 ? "hill" : "quay"); /* newest first */
	CU_ASSERT_EQUAL(r->result, seen == 1 ? ERR_NONE : ERR_DENIED);
	CU_ASSERT_EQUAL(r->given, seen == 1);
}

static void see_consent(void *arg, const struct consent_row *r)
{
	(void)arg;
	seen++;
	CU_ASSERT_STRING_EQUAL(r->branches, "hill");
	CU_ASSERT_STRING_EQUAL(r->created_by, "alice");
	CU_ASSERT_EQUAL(r->to_s, INT64_MAX);
}

static void a_holders_consents_and_who_asked_for_his_certificates_are_shown_and_nobody_elses(void)
{
	struct release_context *c = &centre.release;
	fresh();
	(void)issued(HOLDER, "");
	(void)consent("*", "*", "hill", now.s, INT64_MAX);
	CU_ASSERT_EQUAL(certificates(0, CENTRE_CARD, "loan", NULL), ERR_DENIED);
	CU_ASSERT_EQUAL(certificates(1, CENTRE_CARD, "loan", NULL), ERR_NONE);
	seen = 0;
	CU_ASSERT_TRUE(access_each(c, IDENTIFIER_RESIDENT_ID, HOLDER, 10, see_access, NULL, NULL));
	CU_ASSERT_EQUAL(seen, 2);
	seen = 0;
	CU_ASSERT_TRUE(access_each(c, IDENTIFIER_RESIDENT_ID, HOLDER, 1, see_access, NULL, NULL));
	CU_ASSERT_EQUAL(seen, 1);
	seen = 0;
	CU_ASSERT_TRUE(consent_each(c, IDENTIFIER_RESIDENT_ID, HOLDER, see_consent, NULL, NULL));
	CU_ASSERT_EQUAL(seen, 1);
	CU_ASSERT_TRUE(access_each(c, IDENTIFIER_RESIDENT_ID, OTHER, 10, see_access, NULL, NULL) &&
		       consent_each(c, IDENTIFIER_RESIDENT_ID, OTHER, see_consent, NULL, NULL));
	CU_ASSERT_EQUAL(seen, 1);
}

static void a_branch_is_nudged_on_its_own_topic(void)
{
	char topic[TOPIC_MAX];
	enum down_command command;
	fresh();
	topic_down("hill", "command", topic);
	unsigned before = sent.count;
	central_sync_nudge(sync_of, "hill");
	for (int i = 0; i < 20 && sent.count == before; i++, now.ms += 20)
		(void)central_sync_run(sync_of, now);
	CU_ASSERT_STRING_EQUAL(sent.topic, topic);
	CU_ASSERT_TRUE(down_command_decode((struct bytes){ sent.data, sent.len }, &command, NULL));
	CU_ASSERT_EQUAL(command, COMMAND_PREFETCH);
	buf_clear(&opened);
}

static CU_TestInfo tests[] = {
	{ "without consent nothing is given, and every question leaves a row",
	  without_consent_nothing_is_given_and_every_question_leaves_a_row },
	{ "a consent covers its kinds, purposes, branches and time, and nothing else",
	  a_consent_covers_its_kinds_purposes_branches_and_time_and_nothing_else },
	{ "a consent that says nothing or has ended is refused",
	  a_consent_that_says_nothing_or_has_ended_is_refused },
	{ "an answer opens for the branch that asked, and a question counts for its own query",
	  an_answer_opens_for_the_branch_that_asked_and_a_question_counts_for_its_own_query },
	{ "an answer fits one message, the newest first, and says what it leaves out",
	  an_answer_fits_one_message_the_newest_first_and_says_what_it_leaves_out },
	{ "what has ended or was revoked is not given", what_has_ended_or_was_revoked_is_not_given },
	{ "a booking needs consent, a branch, a certificate, and a time to come",
	  a_booking_needs_consent_a_branch_a_certificate_and_a_time_to_come },
	{ "what is booked comes in sequence, to its branch alone",
	  what_is_booked_comes_in_sequence_to_its_branch_alone },
	{ "what was revoked or no longer consented to since it was booked comes as an erasure",
	  what_was_revoked_or_no_longer_consented_to_since_it_was_booked_comes_as_an_erasure },
	{ "withdrawing erases wherever it was given or set aside, and nowhere else",
	  withdrawing_erases_wherever_it_was_given_or_set_aside_and_nowhere_else },
	{ "what another consent covers stays", what_another_consent_covers_stays },
	{ "a holder's consents and who asked for his certificates are shown, and nobody else's",
	  a_holders_consents_and_who_asked_for_his_certificates_are_shown_and_nobody_elses },
	{ "a branch is nudged on its own topic", a_branch_is_nudged_on_its_own_topic },
	CU_TEST_INFO_NULL,
};
SUITE(holdings, setup, teardown, tests);
