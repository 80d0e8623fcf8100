/* Routes of the appliance's images: an image comes in pieces and becomes a draft; from there on it is a release like others. */
#include "central/api/api.h"
#include "central/centrald.h"
#include "central/release/updates.h"

static bool upload(struct api_call *call, struct err *e)
{
	int64_t offset = 0;
	struct bytes piece = http_body(call->request);
	if (!api_query_int(call, "offset", 0, OBJECT_MAX, 0, &offset, e) ||
	    !updates_upload(&call->central->release, call->path_rest, call->operator, offset, piece, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_int(&call->json, "next", offset + (int64_t)piece.len);
	json_close(&call->json, '}');
	return true;
}

static bool import(struct api_call *call, struct err *e)
{
	const struct http_request *r = call->request;
	const char *source = http_query(r, "source");
	int64_t version = 0, id = 0;
	struct update_draft d = { .arch = call->path_rest,
				  .source = source != NULL ? source : "",
				  .operator= call->operator,
				  .title_zh = http_query(r, "title_zh"),
				  .title_en = http_query(r, "title_en"),
				  .notes_zh = http_query(r, "notes_zh"),
				  .notes_en = http_query(r, "notes_en"),
				  .now_s = call->now_s };
	if (!api_query_int(call, "version", 1, INT64_MAX, 0, &version, e))
		return false;
	d.version = (uint64_t)version;
	return updates_draft(&call->central->release, &d, &id, e) && api_release_answer(call, id, e);
}

const struct api_route api_update_routes[] = {
	{ "POST", "/v1/updates/%/upload", true, upload },
	{ "POST", "/v1/updates/%/import", true, import },
	{ 0 },
};
