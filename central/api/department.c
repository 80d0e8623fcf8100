/* Certificates of departments that send by themselves. */
#include "central/acl.h"
#include "central/centrald.h"
#include "central/department/certificates.h"

#include <string.h>

static bool token(struct api_call *call, struct err *e)
{
	const struct release_context *release = &call->central->release;
	char text[BRANCH_TOKEN_LEN + 1];
	struct department d;
	int64_t hours = 0;
	if (!api_query_int(call, "valid_hours", 1, 2160, BRANCH_TOKEN_S / 3600, &hours, e) ||
	    !department_token_new(release->db, release->random, call->path_rest, call->operator, call->now_s,
				  hours * 3600, &d, text, e) ||
	    !acl_refresh(release->db, call->central->dir, e))
		return false;
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "certificate", d.name);
	json_put_text(&call->json, "department", d.code);
	json_put_text(&call->json, "token", text);
	json_put_int(&call->json, "expires_s", call->now_s + hours * 3600);
	json_close(&call->json, '}');
	explicit_bzero(text, sizeof(text));
	return true;
}

static void each(void *arg, const struct department_certificate *c)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_text(w, "certificate", c->department.name);
	json_put_text(w, "department", c->department.code);
	json_put_text(w, "serial", c->serial);
	json_put_int(w, "made_s", c->made_s);
	json_put_int(w, "enrolled_s", c->enrolled_s);
	json_put_int(w, "revoked_s", c->revoked_s);
	json_close(w, '}');
}

static bool list(struct api_call *call, struct err *e)
{
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "certificates", '[');
	bool ok = department_each(call->central->release.db, each, &call->json, e);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	return ok;
}

static bool revoke(struct api_call *call, struct err *e)
{
	struct db *db = call->central->release.db;
	if (!department_revoke(db, call->path_rest, call->operator, call->now_s, e))
		return false;
	if (!acl_refresh(db, call->central->dir, e))
		return err_wrap(e, "the certificate is revoked, but the broker's access list could not be written");
	json_open(&call->json, NULL, '{');
	json_put_text(&call->json, "certificate", call->path_rest);
	json_close(&call->json, '}');
	return true;
}

const struct api_route api_department_routes[] = {
	{ "GET", "/v1/departments", false, list },
	{ "POST", "/v1/departments/%/token", true, token },
	{ "DELETE", "/v1/departments/certificates/%", true, revoke },
	{ 0 },
};
