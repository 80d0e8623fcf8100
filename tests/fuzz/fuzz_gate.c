#include "protocol/base/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is encoded to the same bytes again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct gate_config c;
	struct gate_event v;
	struct buf out;
	buf_init(&out, FRAME_MAX);
	if (gate_config_decode(in, &c, NULL) &&
	    (!gate_config_encode(&c, &out, NULL) || !bytes_equal(buf_bytes(&out), in)))
		__builtin_trap();
	buf_reset(&out);
	if (gate_event_decode(in, &v, NULL) &&
	    (!gate_event_encode(&v, &out, NULL) || !bytes_equal(buf_bytes(&out), in)))
		__builtin_trap();
	buf_clear(&out);
	return 0;
}
