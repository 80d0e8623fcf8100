/* A set of words kept as one text: words with commas between, or "*" for all there are. */
#ifndef CENTRAL_REGISTRY_CODE_SET_H
#define CENTRAL_REGISTRY_CODE_SET_H

#include <stdbool.h>
#include <stddef.h>

/* Not empty, no empty word, at most max bytes. */
bool code_set_is_valid(const char *set, size_t max);
/* A word with a comma is in no set. */
bool code_set_has(const char *set, const char *word);

#endif
