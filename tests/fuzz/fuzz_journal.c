/* Rows, batches, acknowledgements and decisions: what is taken is written again byte for byte. */
#include "protocol/decision.h"
#include "protocol/journal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf again;

static void must_equal(bool encoded, struct bytes all)
{
	if (!encoded || !cbor_check(all, NULL) || !bytes_equal(buf_bytes(&again), all))
		abort();
	buf_reset(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct journal_batch batch;
	static struct decision decision;
	struct bytes all = { data, size };
	struct journal_row row;
	struct journal_ack ack;
	buf_init(&again, 1 << 17);
	if (journal_row_decode(all, &row, NULL))
		must_equal(journal_row_encode(&row, &again, NULL), all);
	if (journal_batch_decode(all, &batch, NULL))
		must_equal(journal_batch_encode(&batch, &again, NULL), all);
	if (journal_ack_decode(all, &ack, NULL))
		must_equal(journal_ack_encode(&ack, &again, NULL), all);
	if (decision_decode(all, &decision, NULL))
		must_equal(decision_encode(&decision, &again, NULL), all);
	buf_clear(&again);
	return 0;
}
