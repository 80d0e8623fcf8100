/* What of the green library other areas' tests need. */
#ifndef TESTS_SUPPORT_GREEN_H
#define TESTS_SUPPORT_GREEN_H

#include "tests/support/department.h"

/* A rating of the sample's agency A for 2026, "G1" … "G4"; the document "green" is published. */
void green_rating_made(const char *uscc, const char *grade, int64_t now_s);
/* A label of the months up to October 2026, as though computed then; the document "carbon-label" is published. */
void green_label_made(const char *uscc, const char *code, int64_t now_s);

#endif
