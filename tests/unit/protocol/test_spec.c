/*
 * The worked bytes of protocol/README.md: each block ```hex-NAME is computed again and compared, so neither the text nor
 * the code moves alone. What holds randomness (a signature, a sealed key) is verified or opened instead.
 * Run from the repository's root.
 */
#include "protocol/decision.h"
#include "protocol/delta.h"
#include "protocol/message.h"
#include "protocol/segment_write.h"
#include "protocol/tag.h"
#include "tests/support/documents.h"
#include "tests/support/spec.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <assert.h>
#include <string.h>

#define SPEC    "protocol/README.md"
#define ISSUED  1780286400 /* 2026-06-01T04:00:00Z */
#define ENTRIES 3

static struct err e;
static struct spec spec;
static uint8_t secret[32], epoch[JOURNAL_EPOCH_LEN], id[16];
static uint8_t scalar[SCALAR_LEN], point[POINT_LEN];

/* RFC 6979, A.2.5: a key everybody knows. */
static void setup(void)
{
	static const char key[] = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
	static const char open[] = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
				   "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
	e = (struct err){ 0 };
	spec_open(&spec, SPEC);
	CU_ASSERT_TRUE_FATAL(hex_decode(key, scalar, SCALAR_LEN) && hex_decode(open, point, POINT_LEN));
	bytes_fill(secret, sizeof(secret), 0);
	bytes_fill(epoch, sizeof(epoch), 0x10);
	bytes_fill(id, sizeof(id), 0x20);
}

static void teardown(void)
{
	spec_close(&spec);
}

/* Keys and tags */

static void make_secret(struct buf *out)
{
	buf_add(out, secret, sizeof(secret));
}

static void make_scalar(struct buf *out)
{
	buf_add(out, scalar, SCALAR_LEN);
}

static void make_point(struct buf *out)
{
	buf_add(out, point, POINT_LEN);
}

static void put_u64(struct buf *out, uint64_t v)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_add_u8(out, (uint8_t)(v >> shift));
}

static void make_tag_input(struct buf *out)
{
	buf_add_u8(out, IDENTIFIER_RESIDENT_ID);
	buf_add_str(out, "330802185001010013");
}

static uint64_t tag_with(uint32_t iterations)
{
	struct tag_key key;
	struct identifier subject;
	tag_key_init(&key, 7, iterations, secret);
	bool ok = identifier_parse(IDENTIFIER_RESIDENT_ID, "330802185001010013", 18, 0, &subject, NULL, &e);
	assert(ok);
	return tag_of(&key, &subject);
}

static uint64_t canary(unsigned n)
{
	struct tag_key key;
	tag_key_init(&key, 7, 1, secret);
	return tag_canary(&key, "black", n);
}

static void make_tag(struct buf *out)
{
	put_u64(out, tag_with(1));
}

static void make_tag_worked(struct buf *out)
{
	put_u64(out, tag_with(1000));
}

static void make_canary(struct buf *out)
{
	put_u64(out, canary(0));
}

/* A list: version 1 holds the first three entries, version 2 the last three. */

static void entries_make(struct entry all[ENTRIES + 1])
{
	all[0] = (struct entry){ 0x1122334455667788, entry_value(1, ENTRY_NO_END) };
	all[1] = (struct entry){ canary(0), entry_value(0, ENTRY_NO_END) };
	all[2] = (struct entry){ tag_with(1), entry_value(3, 9982) };
	all[3] = (struct entry){ 0xfedcba9876543210, entry_value(2, 10000) };
}

static void make_entries(struct buf *out)
{
	struct entry all[ENTRIES + 1];
	entries_make(all);
	for (size_t i = 0; i <= ENTRIES; i++) {
		put_u64(out, all[i].tag);
		for (int shift = 16; shift >= 0; shift -= 8)
			buf_add_u8(out, (uint8_t)(all[i].value >> shift));
	}
}

static void snapshot_make(uint64_t version, struct buf *out)
{
	struct entry all[ENTRIES + 1];
	struct segment_head head = { .name = "black", .epoch = 7, .version = version, .entries = ENTRIES };
	entries_make(all);
	bool ok = segment_build(&head, all + (version - 1), out, &e);
	assert(ok);
}

static void make_segment(struct buf *out)
{
	snapshot_make(2, out);
}

static void make_delta(struct buf *out)
{
	struct buf old_bytes, new_bytes;
	struct segment old, new;
	buf_init(&old_bytes, 4096);
	buf_init(&new_bytes, 4096);
	snapshot_make(1, &old_bytes);
	snapshot_make(2, &new_bytes);
	bool ok = segment_open(buf_bytes(&old_bytes), &old, &e) && segment_open(buf_bytes(&new_bytes), &new, &e) &&
		  delta_build(&old, &new, out, &e);
	assert(ok);
	buf_clear(&old_bytes);
	buf_clear(&new_bytes);
}

static void fingerprint_make(uint8_t out[FINGERPRINT_BYTES])
{
	struct fingerprint f = { { 0, 0 } };
	struct entry all[ENTRIES + 1];
	entries_make(all);
	for (size_t i = 1; i <= ENTRIES; i++)
		fingerprint_add(&f, all[i].tag, all[i].value);
	fingerprint_encode(&f, out);
}

static void make_fingerprint(struct buf *out)
{
	fingerprint_make(buf_grow(out, FINGERPRINT_BYTES));
}

/* Objects and heads */

static struct object_ref ref_made(void (*make)(struct buf *out), struct buf *chunk_list)
{
	struct object_ref ref;
	struct buf bytes;
	buf_init(&bytes, 65536);
	make(&bytes);
	object_refer(buf_bytes(&bytes), &ref, chunk_list);
	buf_clear(&bytes);
	return ref;
}

static void make_chunk_list(struct buf *out)
{
	(void)ref_made(make_segment, out);
}

static void make_reference(struct buf *out)
{
	struct object_ref ref = ref_made(make_segment, NULL);
	object_ref_put(out, &ref);
}

static void make_index(struct buf *out)
{
	struct index_edge edge = { .from = 1, .to = 2, .object = ref_made(make_delta, NULL), .count_to = ENTRIES };
	struct list_index x = { .name = "black", .version = 2, .epoch = 7, .edges_len = 1, .edges = &edge };
	fingerprint_make(edge.fingerprint_to);
	bool ok = list_index_encode(&x, out, &e);
	assert(ok);
}

static void make_document(struct buf *out)
{
	cbor_put_map(out, 0);
}

static void make_head(struct buf *out)
{
	struct head_entry entries[2] = {
		{ .name = "black",
		  .kind = HEAD_LIST,
		  .version = 2,
		  .object = ref_made(make_segment, NULL),
		  .index = ref_made(make_index, NULL),
		  .epoch = 7,
		  .count = ENTRIES,
		  .canary_hit = canary(0),
		  .canary_miss = canary(1) },
		{ .name = "rules", .kind = HEAD_DOCUMENT, .version = 1, .object = ref_made(make_document, NULL) },
	};
	struct head h = {
		.sequence = 41, .issued_s = ISSUED, .expires_s = ISSUED + 86400, .entries_len = 2, .entries = entries
	};
	fingerprint_make(entries[0].fingerprint);
	bool ok = head_encode(&h, out, &e);
	assert(ok);
}

/* What is signed, up to the signature. */
static void make_signed_structure(struct buf *out)
{
	struct buf payload;
	uint8_t kid[COSE_KID_LEN];
	buf_init(&payload, 65536);
	make_head(&payload);
	cose_kid(point, kid);
	cbor_put_array(out, 4);
	cbor_put_text(out, "Signature1");
	buf_add(out, "\x4d\xa2\x01\x26\x04\x48", 6);
	buf_add(out, kid, COSE_KID_LEN);
	cbor_put_bytes(out, bytes_of("xb/1/head"));
	cbor_put_bytes(out, buf_bytes(&payload));
	buf_clear(&payload);
}

/* The journal */

static void make_epoch(struct buf *out)
{
	buf_add(out, epoch, sizeof(epoch));
}

static void make_start_hash(struct buf *out)
{
	journal_start_hash(epoch, buf_grow(out, HASH_LEN));
}

static void make_row(struct buf *out)
{
	struct buf body;
	buf_init(&body, 256);
	cbor_put_map(&body, 2);
	cbor_put_uint(&body, 1);
	cbor_put_text(&body, "STARTED");
	cbor_put_uint(&body, 2);
	cbor_put_text(&body, "xinbian 0.1");
	struct journal_row row = { .seq = 1, .time_s = ISSUED, .kind = JOURNAL_EVENT, .body = buf_bytes(&body) };
	bool ok = journal_row_encode(&row, out, &e);
	assert(ok);
	buf_clear(&body);
}

static void row_hash(uint8_t hash[HASH_LEN])
{
	struct buf row;
	buf_init(&row, 256);
	make_row(&row);
	journal_start_hash(epoch, hash);
	journal_next_hash(hash, buf_bytes(&row), hash);
	buf_clear(&row);
}

static void make_row_hash(struct buf *out)
{
	row_hash(buf_grow(out, HASH_LEN));
}

static void make_batch(struct buf *out)
{
	static struct journal_batch batch;
	struct buf row;
	buf_init(&row, 256);
	make_row(&row);
	batch = (struct journal_batch){ .first = 1, .rows_len = 1, .rows = { buf_bytes(&row) } };
	memcpy(batch.epoch, epoch, sizeof(epoch));
	journal_start_hash(epoch, batch.before);
	bool ok = journal_batch_encode(&batch, out, &e);
	assert(ok);
	buf_clear(&row);
}

static void make_ack(struct buf *out)
{
	struct journal_ack ack = { .seq = 1 };
	memcpy(ack.epoch, epoch, sizeof(epoch));
	row_hash(ack.hash);
	bool ok = journal_ack_encode(&ack, out, &e);
	assert(ok);
}

static void make_decision(struct buf *out)
{
	static struct decision d;
	static const uint8_t sealed[AEAD_OVERHEAD + 1];
	d = (struct decision){ .request_id = "r-1",
			       .terminal = "kiosk-1",
			       .business = "open_account",
			       .time_s = ISSUED,
			       .outcome = OUTCOME_REFUSE,
			       .rules_version = 1,
			       .catalogue_version = 1,
			       .parties_len = 1,
			       .evidence_len = 1,
			       .reasons_len = 1,
			       .facts_len = 3,
			       .sealed_subject = { sealed, sizeof(sealed) } };
	memcpy(d.id, id, sizeof(id));
	d.parties[0] = (struct decision_party){ "subject", "resident_id", "330802********0013", tag_with(1) };
	d.evidence[0] = (struct decision_evidence){ "black", "subject", 2, LOOKUP_HIT, 60, entry_value(3, 9982) };
	d.reasons[0] = (struct decision_reason){ "listed", "LISTED", OUTCOME_REFUSE };
	d.facts[0] = (struct rule_fact){ "age_years", { .kind = VALUE_NUMBER, .number = 176 } };
	d.facts[1] = (struct rule_fact){ "list.black", { .kind = VALUE_TEXT, .text = bytes_of("hit") } };
	d.facts[2] = (struct rule_fact){ "verified_online", { .kind = VALUE_BOOL, .boolean = false } };
	bool ok = decision_encode(&d, out, &e);
	assert(ok);
}

/* Messages */

/* Naming the segment of the examples as the image, which it is not. */
static void make_update(struct buf *out)
{
	struct object_ref ref = ref_made(make_segment, NULL);
	struct buf document;
	char json[600], hash[2 * HASH_LEN + 1], chunks[2 * HASH_LEN + 1];
	struct update u;
	hex_encode(ref.hash, HASH_LEN, hash);
	hex_encode(ref.chunks_hash, HASH_LEN, chunks);
	snprintf(json, sizeof(json),
		 "{'type':'update','arch':'arm64','version':3,'object':{'sha256':'%s','chunks_sha256':'%s','size_"
		 "bytes':%llu},"
		 "'title':{'zh':'第 3 版','en':'version 3'}}",
		 hash, chunks, (unsigned long long)ref.size);
	document = cbor_of(json, NULL);
	CU_ASSERT_TRUE(update_parse(buf_bytes(&document), &u, NULL));
	update_clear(&u);
	buf_add(out, document.data, document.len);
	buf_clear(&document);
}

static void make_status_update(struct buf *out)
{
	static struct status s;
	s = (struct status){ .software = "xinbian 0.1", .clock_s = ISSUED, .journal_first = 1 };
	s.update = (struct status_update){ .state = UPDATE_REFUSED,
					   .version = 3,
					   .wanted = 4,
					   .failed = 4,
					   .fault = "version 4 has fallen back here before" };
	CU_ASSERT_TRUE(status_encode(&s, out, NULL));
}

static void make_status(struct buf *out)
{
	static struct status s;
	struct object_ref ref = ref_made(make_segment, NULL);
	s = (struct status){ .software = "xinbian 0.1",
			     .clock_s = ISSUED + 5,
			     .head_sequence = 41,
			     .journal_first = 1,
			     .journal_last = 1,
			     .lists_len = 1 };
	memcpy(s.journal_epoch, epoch, sizeof(epoch));
	s.lists[0] = (struct status_list){ .name = "black", .version = 2, .count = ENTRIES, .confirmed_s = ISSUED };
	memcpy(s.lists[0].hash, ref.hash, HASH_LEN);
	bool ok = status_encode(&s, out, &e);
	assert(ok);
}

static void make_query(struct buf *out)
{
	struct query q = { .type = QUERY_EPOCH_KEY, .body = bytes_of("\x07") };
	memcpy(q.id, id, sizeof(id));
	bool ok = query_encode(&q, out, &e);
	assert(ok);
}

static void make_query_object(struct buf *out)
{
	struct buf body;
	struct object_ref ref = ref_made(make_segment, NULL);
	struct query q = { .type = QUERY_OBJECT };
	memcpy(q.id, id, sizeof(id));
	buf_init(&body, 256);
	bool ok = query_object_encode(ref.hash, 0, 1, &body, &e);
	q.body = buf_bytes(&body);
	ok = ok && query_encode(&q, out, &e);
	assert(ok);
	buf_clear(&body);
}

static void make_reply(struct buf *out)
{
	struct reply r = { .status = ERR_MISSING, .text = "no epoch 7" };
	memcpy(r.id, id, sizeof(id));
	bool ok = reply_encode(&r, out, &e);
	assert(ok);
}

static const struct spec_block blocks[] = {
	{ "hex-key-scalar", make_scalar },
	{ "hex-key-point", make_point },
	{ "hex-tag-secret", make_secret },
	{ "hex-tag-input", make_tag_input },
	{ "hex-tag", make_tag },
	{ "hex-tag-1000", make_tag_worked },
	{ "hex-tag-canary", make_canary },
	{ "hex-entries", make_entries },
	{ "hex-segment", make_segment },
	{ "hex-delta", make_delta },
	{ "hex-fingerprint", make_fingerprint },
	{ "hex-chunk-list", make_chunk_list },
	{ "hex-reference", make_reference },
	{ "hex-index", make_index },
	{ "hex-head", make_head },
	{ "hex-head-to-be-signed", make_signed_structure },
	{ "hex-journal-epoch", make_epoch },
	{ "hex-journal-start", make_start_hash },
	{ "hex-journal-row", make_row },
	{ "hex-journal-hash", make_row_hash },
	{ "hex-journal-batch", make_batch },
	{ "hex-journal-ack", make_ack },
	{ "hex-decision", make_decision },
	{ "hex-update", make_update },
	{ "hex-status", make_status },
	{ "hex-status-update", make_status_update },
	{ "hex-query", make_query },
	{ "hex-query-object", make_query_object },
	{ "hex-reply", make_reply },
	{ "hex-head-signed", NULL },
	{ "hex-sealed-key", NULL },
};
#define BLOCKS (sizeof(blocks) / sizeof(blocks[0]))

static void every_worked_example_is_what_the_code_gives(void)
{
	spec_check(&spec, blocks, BLOCKS);
}

static void no_block_of_the_spec_goes_unchecked(void)
{
	spec_check_complete(&spec, blocks, BLOCKS);
}

static void the_signed_head_of_the_spec_opens_under_its_key(void)
{
	struct buf got, want, fresh;
	struct head h;
	struct cose c;
	spec_read(&spec, "hex-head-signed", &got);
	buf_init(&want, 65536);
	buf_init(&fresh, 65536);
	make_head(&want);
	bool signed_now = cose_sign(scalar, point, &random_system, "xb/1/head", buf_bytes(&want), &fresh, &e);
	CU_ASSERT_TRUE(signed_now);
	if (!head_open(buf_bytes(&got), point, &h, &e) || !cose_parse(buf_bytes(&got), &c, &e)) {
		spec_show("head-signed", buf_bytes(&fresh));
		CU_FAIL("the spec's signed head does not verify");
	} else {
		CU_ASSERT_TRUE(bytes_equal(c.payload, buf_bytes(&want)));
		CU_ASSERT_EQUAL(got.len, fresh.len);
		CU_ASSERT_EQUAL(memcmp(got.data, fresh.data, fresh.len - SIGNATURE_LEN), 0);
	}
	head_clear(&h);
	buf_clear(&got);
	buf_clear(&want);
	buf_clear(&fresh);
}

static void the_sealed_key_of_the_spec_opens_for_its_branch(void)
{
	struct buf got, fresh;
	uint32_t number = 0, iterations = 0;
	uint8_t opened[32] = { 0 };
	spec_read(&spec, "hex-sealed-key", &got);
	buf_init(&fresh, 1024);
	bool sealed = tag_key_seal(7, 1, secret, "quzhou-01", point, &random_system, &fresh, &e);
	CU_ASSERT_TRUE(sealed);
	if (!tag_key_unseal(buf_bytes(&got), "quzhou-01", scalar, point, &number, &iterations, opened, &e)) {
		spec_show("sealed-key", buf_bytes(&fresh));
		CU_FAIL("the spec's sealed key does not open");
	} else {
		CU_ASSERT_EQUAL(number, 7);
		CU_ASSERT_EQUAL(iterations, 1);
		CU_ASSERT_EQUAL(memcmp(opened, secret, sizeof(secret)), 0);
	}
	buf_clear(&got);
	buf_clear(&fresh);
}

static CU_TestInfo tests[] = {
	{ "every worked example is what the code gives", every_worked_example_is_what_the_code_gives },
	{ "no block of the spec goes unchecked", no_block_of_the_spec_goes_unchecked },
	{ "the signed head of the spec opens under its key", the_signed_head_of_the_spec_opens_under_its_key },
	{ "the sealed key of the spec opens for its branch", the_sealed_key_of_the_spec_opens_for_its_branch },
	CU_TEST_INFO_NULL,
};

SUITE(spec, setup, teardown, tests);
