/*
 * A daemon's ini file against a table of the keys it knows. An unknown section or key, a missing required key or a bad
 * value is ERR_INPUT naming file, line and what to do.
 */
#ifndef PROTOCOL_BASE_CONFIG_H
#define PROTOCOL_BASE_CONFIG_H

#include "protocol/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum config_kind { CONFIG_TEXT, CONFIG_INT, CONFIG_BOOL };

struct config_key {
	const char *section, *name;
	enum config_kind kind;
	void *out;           /* char[size] for text, int64_t, bool; holds the default beforehand */
	size_t size;         /* of the text's array */
	int64_t least, most; /* of an int */
	bool required;
};

bool config_load(const char *path, const struct config_key *keys, size_t keys_len, struct err *e) CHECKED;

#endif
