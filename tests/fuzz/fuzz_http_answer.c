/* A platform's answer: what is whole stays whole, with the same body, when more bytes come behind a bounded one or it is read once more. */
#include "central/exchange/http_answer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_answer a, b;
	struct err e = { 0 };
	http_answer_init(&a, 1U << 20);
	http_answer_init(&b, 1U << 20);
	enum http_answer_step cut = http_answer_read((struct bytes){ data, size }, false, &a, &e);
	enum http_answer_step ended = http_answer_read((struct bytes){ data, size }, true, &b, &e);
	if (ended == HTTP_ANSWER_MORE || (cut == HTTP_ANSWER_BROKEN) > (ended == HTTP_ANSWER_BROKEN))
		abort();
	if (cut == HTTP_ANSWER_WHOLE && (ended != HTTP_ANSWER_WHOLE || a.status != b.status ||
					 !bytes_equal(buf_bytes(&a.body), buf_bytes(&b.body))))
		abort();
	http_answer_clear(&a);
	http_answer_clear(&b);
	return 0;
}
