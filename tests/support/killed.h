/* A child killed before its n-th write to the disk, for whoever must be whole after it. */
#ifndef TESTS_SUPPORT_KILLED_H
#define TESTS_SUPPORT_KILLED_H

#include <stdbool.h>

/* False where writes cannot be counted (it says so): the test is skipped. */
bool killed_can(void);
/* run returns whether it did what it should; then the child ends at once. False when it got to its end. */
bool killed_at(unsigned n, bool (*run)(void));

#endif
