/* A batch as the APIs give it: place, counts, drift, holds. No row's content. */
#ifndef CENTRAL_INGEST_BATCH_JSON_H
#define CENTRAL_INGEST_BATCH_JSON_H

#include "central/ingest/batch.h"
#include "protocol/base/json.h"

/* An object, written as a value of its own. */
void batch_json_put(struct json_out *w, const struct batch *b);

#endif
