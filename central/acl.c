#include "central/acl.h"

#include "protocol/base/file.h"

#include <stdio.h>
#include <string.h>

#define ACL_MAX 16777216U

void acl_text(struct bytes revoked, struct buf *out)
{
	buf_add_str(out, "# Written by centrald: changes are lost. After a revocation send mosquitto SIGHUP.\n"
			 "user central\n"
			 "topic write xb/1/head\n"
			 "topic write xb/1/o/#\n"
			 "topic write xb/1/down/#\n"
			 "topic read xb/1/up/#\n");
	for (size_t at = 0; at < revoked.len;) {
		const char *name = (const char *)revoked.data + at;
		const char *end = memchr(name, '\n', revoked.len - at);
		size_t len = end != NULL ? (size_t)(end - name) : revoked.len - at;
		buf_add_fmt(out, "\nuser %.*s\ntopic deny #\ntopic deny xb/1/#\n", (int)len, name);
		at += len + 1;
	}
	buf_add_str(out, "\npattern read xb/1/head\n"
			 "pattern read xb/1/o/#\n"
			 "pattern read xb/1/down/%u/#\n"
			 "pattern write xb/1/up/%u/+\n");
}

bool acl_store(const char *dir, struct bytes revoked, struct err *e)
{
	char path[320];
	struct buf text;
	snprintf(path, sizeof(path), "%s/mosquitto.acl", dir);
	buf_init(&text, ACL_MAX);
	acl_text(revoked, &text);
	bool ok = buf_ok(&text, "access list", e) && file_write(path, buf_bytes(&text), 0600, e);
	buf_clear(&text);
	return ok;
}
