/* Whatever an enrolled branch may send up: the first byte says on which topic. Only faults of its own making, never ours. */
#include "central/branch/branches.h"
#include "central/store/store.h"
#include "central/sync/sync.h"

#include <stdlib.h>

static struct release_context release;
static struct objects objects;
static struct central_sync *sync_core;

static bool publish(void *arg, const char *topic, struct bytes payload, bool retain, uint32_t expiry_s, struct err *e)
{
	(void)arg, (void)topic, (void)payload, (void)retain, (void)expiry_s, (void)e;
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
	return err_set(e, ERR_IO, "no signer");
}

static void start(void)
{
	static char dir[] = "/tmp/xb-fuzz-XXXXXX";
	static uint8_t vault_key[32], scalar[SCALAR_LEN], point[POINT_LEN];
	char token[BRANCH_TOKEN_LEN + 1];
	key_new(&random_system, scalar, point);
	if (mkdtemp(dir) == NULL || (release.db = store_open(dir, NULL)) == NULL ||
	    !objects_open(&objects, dir, NULL))
		abort();
	release.objects = &objects;
	release.vault_key = vault_key;
	release.random = &random_system;
	if (!branches_token_new(release.db, &random_system, "b1", "alice", 1, 60, token, NULL) ||
	    !db_run(release.db, NULL, "UPDATE branch SET enrolled_s = 1, seal_key = ?", "b",
		    (struct bytes){ point, POINT_LEN }))
		abort();
	struct central_sync_config c = {
		.release = &release,
		.transport = { NULL, publish, subscribe, subscribe },
		.signer = { NULL, sign },
		.seal_scalar = scalar,
		.seal_point = point,
	};
	sync_core = central_sync_new(&c);
	central_sync_up(sync_core, (struct instant){ 1, 1 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const topics[] = { "xb/1/up/b1/journal", "xb/1/up/b1/query", "xb/1/up/b1/status",
					      "xb/1/up/b1/x" };
	static struct instant now = { 1, 1 };
	struct central_sync_info before, after;
	if (sync_core == NULL)
		start();
	if (size == 0)
		return 0;
	central_sync_info(sync_core, &before);
	central_sync_message(sync_core, topics[data[0] % 4], (struct bytes){ data + 1, size - 1 }, now);
	central_sync_info(sync_core, &after);
	if (after.faults != before.faults)
		abort();
	now.ms += 20;
	central_sync_run(sync_core, now); /* no signer: counted as a fault of that, not of the message */
	return 0;
}
