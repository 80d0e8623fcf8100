/* A stranger's enrolment request, judged against a database without a token. */
#include "central/branch/enrol.h"
#include "central/store/store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	static char dir[] = "/tmp/xb-fuzz-XXXXXX";
	struct enrolment r;
	struct buf cert;
	if (db == NULL && (mkdtemp(dir) == NULL || (db = store_open(dir, NULL)) == NULL))
		abort();
	buf_init(&cert, 4096);
	if (enrol_begin(db, &random_system, (struct bytes){ data, size }, 1, &r, &cert, NULL))
		abort(); /* there is no token it could know */
	enrolment_clear(&r);
	buf_clear(&cert);
	return 0;
}
