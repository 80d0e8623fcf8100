/* Statuses, queries, their bodies, replies and topics: what is taken is written again byte for byte. */
#include "protocol/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf again;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_equal(bool encoded, struct bytes all)
{
	must(encoded && cbor_check(all, NULL) && bytes_equal(buf_bytes(&again), all));
	buf_reset(&again);
}

static void topics(struct bytes all)
{
	char topic[256] = { 0 }, back[TOPIC_MAX], branch[NAME_MAX_LEN + 1];
	uint8_t hash[HASH_LEN];
	const char *what = NULL;
	int64_t chunk = 0;
	if (all.len > 0)
		memcpy(topic, all.data, all.len < sizeof(topic) ? all.len : sizeof(topic) - 1);
	if (topic_up_parse(topic, branch, &what)) {
		topic_up(branch, what, back);
		must(strcmp(topic, back) == 0);
	}
	if (object_topic_parse(topic, hash, &chunk)) {
		object_topic(hash, chunk, back);
		must(strcmp(topic, back) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct status status;
	struct bytes all = { data, size };
	struct query query;
	struct reply reply;
	uint8_t hash[HASH_LEN];
	int64_t first = 0;
	uint32_t count = 0;
	buf_init(&again, 1 << 17);
	if (status_decode(all, &status, NULL))
		must_equal(status_encode(&status, &again, NULL), all);
	if (query_decode(all, &query, NULL))
		must_equal(query_encode(&query, &again, NULL), all);
	if (reply_decode(all, &reply, NULL))
		must_equal(reply_encode(&reply, &again, NULL), all);
	if (query_object_decode(all, hash, &first, &count, NULL))
		must_equal(query_object_encode(hash, first, count, &again, NULL), all);
	topics(all);
	buf_clear(&again);
	return 0;
}
