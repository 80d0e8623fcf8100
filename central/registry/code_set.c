#include "central/registry/code_set.h"

#include <string.h>

bool code_set_is_valid(const char *set, size_t max)
{
	size_t len = strlen(set);
	return len > 0 && len <= max && set[0] != ',' && set[len - 1] != ',' && strstr(set, ",,") == NULL;
}

bool code_set_has(const char *set, const char *word)
{
	size_t len = strlen(word);
	if (len == 0 || strchr(word, ',') != NULL)
		return false;
	if (strcmp(set, "*") == 0)
		return true;
	for (const char *at = set; (at = strstr(at, word)) != NULL; at++)
		if ((at == set || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
			return true;
	return false;
}
