/* Scans, rechecks and look-ups out of a journal, bodies and reports on their way: what is taken is written again byte for byte. */
#include "protocol/account.h"
#include "protocol/inquiry.h"
#include "protocol/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf again;

static void must_equal(bool encoded, struct bytes all)
{
	if (!encoded || !cbor_check(all, NULL) || !bytes_equal(buf_bytes(&again), all))
		abort();
	buf_reset(&again);
}

static void journal(struct bytes all)
{
	static struct scan scan;
	struct scan_recheck recheck;
	struct scan_lookup lookup;
	if (scan_decode(all, &scan, NULL))
		must_equal(scan_encode(&scan, &again, NULL), all);
	if (scan_recheck_decode(all, &recheck, NULL))
		must_equal(scan_recheck_encode(&recheck, &again, NULL), all);
	if (scan_lookup_decode(all, &lookup, NULL))
		must_equal(scan_lookup_encode(&lookup, &again, NULL), all);
}

static void bodies(struct bytes all)
{
	static struct body_reply reply;
	static struct prefetch_item item;
	struct body_query query;
	enum down_command command;
	if (body_query_decode(all, &query, NULL))
		must_equal(body_query_encode(&query, &again, NULL), all);
	if (body_reply_decode(all, &reply, NULL))
		must_equal(body_reply_encode(&reply, &again, NULL), all);
	if (prefetch_item_decode(all, &item, NULL))
		must_equal(prefetch_item_encode(&item, &again, NULL), all);
	if (down_command_decode(all, &command, NULL))
		must_equal(down_command_encode(command, &again, NULL), all);
}

static void inquiries(struct bytes all)
{
	struct inquiry question;
	struct inquiry_part part;
	if (inquiry_decode(all, &question, NULL))
		must_equal(inquiry_encode(&question, &again, NULL), all);
	if (inquiry_part_decode(all, &part, NULL))
		must_equal(inquiry_part_encode(&part, &again, NULL), all);
}

static void accounts(struct bytes all)
{
	static struct account_answer answer;
	struct account_query question;
	if (account_query_decode(all, &question, NULL))
		must_equal(account_query_encode(&question, &again, NULL), all);
	if (account_answer_decode(all, &answer, NULL))
		must_equal(account_answer_encode(&answer, &again, NULL), all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_init(&again, 1 << 17);
	journal((struct bytes){ data, size });
	bodies((struct bytes){ data, size });
	inquiries((struct bytes){ data, size });
	accounts((struct bytes){ data, size });
	buf_clear(&again);
	return 0;
}
