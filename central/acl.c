#include "central/acl.h"

#include "central/branch/branches.h"
#include "central/department/certificates.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <string.h>

#define ACL_MAX 16777216U

/* Each name of the list with these lines, in which %u is the name. */
static void users_put(struct bytes names, const char *const *lines, struct buf *out)
{
	for (size_t at = 0; at < names.len;) {
		const char *name = (const char *)names.data + at;
		const char *end = memchr(name, '\n', names.len - at);
		size_t len = end != NULL ? (size_t)(end - name) : names.len - at;
		buf_add_fmt(out, "\nuser %.*s\n", (int)len, name);
		for (const char *const *l = lines; *l != NULL; l++) {
			const char *mark = strstr(*l, "%u");
			size_t before = mark != NULL ? (size_t)(mark - *l) : strlen(*l);
			buf_add_fmt(out, "topic %.*s%.*s%s\n", (int)before, *l, mark != NULL ? (int)len : 0, name,
				    mark != NULL ? mark + 2 : "");
		}
		at += len + 1;
	}
}

void acl_text(const struct acl *a, struct buf *out)
{
	static const char *const nothing[] = { "deny #", "deny xb/1/#", NULL };
	static const char *const department[] = { "write xb/1/in/%u/+/+",
						  "read xb/1/ack/%u/#",
						  "deny xb/1/head",
						  "deny xb/1/o/#",
						  "deny xb/1/up/#",
						  "deny xb/1/down/#",
						  NULL };
	buf_add_str(out,
		    "# Written by centrald: changes are lost. After a revocation, or a department's first token, "
		    "send mosquitto SIGHUP.\n"
		    "user central\n"
		    "topic write xb/1/head\n"
		    "topic write xb/1/o/#\n"
		    "topic write xb/1/down/#\n"
		    "topic write xb/1/ack/#\n"
		    "topic read xb/1/up/#\n"
		    "topic read xb/1/in/#\n");
	users_put(a->revoked, nothing, out);
	users_put(a->departments, department, out);
	buf_add_str(out, "\npattern read xb/1/head\n"
			 "pattern read xb/1/o/#\n"
			 "pattern read xb/1/down/%u/#\n"
			 "pattern write xb/1/up/%u/+\n");
}

bool acl_store(const char *dir, const struct acl *a, struct err *e)
{
	char path[320];
	struct buf text;
	snprintf(path, sizeof(path), "%s/mosquitto.acl", dir);
	buf_init(&text, ACL_MAX);
	acl_text(a, &text);
	bool ok = buf_ok(&text, "access list", e) && file_write(path, buf_bytes(&text), 0600, e);
	buf_clear(&text);
	return ok;
}

bool acl_refresh(struct db *db, const char *dir, struct err *e)
{
	struct buf revoked, departments;
	buf_init(&revoked, ACL_MAX);
	buf_init(&departments, ACL_MAX);
	bool ok = branches_revoked(db, &revoked, e) && department_names(db, true, &revoked, e) &&
		  department_names(db, false, &departments, e) &&
		  acl_store(dir, &(struct acl){ buf_bytes(&revoked), buf_bytes(&departments) }, e);
	buf_clear(&revoked);
	buf_clear(&departments);
	return ok;
}
