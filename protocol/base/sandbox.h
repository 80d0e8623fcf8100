/*
 * What a child can do without, dropped. Landlock takes the file system away except the paths given, seccomp every
 * system call outside a role's list (a denied call fails with EPERM; the ones that can only mean an attack kill). Where the
 * kernel has one of them not, that is reported in *how and the process goes on.
 */
#ifndef PROTOCOL_BASE_SANDBOX_H
#define PROTOCOL_BASE_SANDBOX_H

#include "protocol/base/err.h"

#include <stddef.h>

enum sandbox_role {
	SANDBOX_GATE,   /* sockets yes, files only below the paths given */
	SANDBOX_SIGNER, /* no sockets at all, no files */
};

struct sandbox_report {
	bool landlock, seccomp;
	char text[120]; /* for the log: "landlock abi 4, seccomp" or what is missing */
};

/* read_write: directories whose sockets the child binds or connects to; read_only: e.g. "/etc". */
bool sandbox_enter(enum sandbox_role role, const char *const *read_write, size_t read_write_len,
		   const char *const *read_only, size_t read_only_len, struct sandbox_report *how,
		   struct err *e) CHECKED;

#endif
