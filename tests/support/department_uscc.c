/* A made-up enterprise's code (GB 32100-2015). Apart from department.c for programs without CUnit. */
#include "tests/support/department.h"

#include <stdio.h>
#include <string.h>

void department_uscc(unsigned i, char out[19])
{
	static const char digits[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
	static const int weights[] = { 1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28 };
	static const int org[] = { 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	snprintf(out, 19, "91330802%08u00", i);
	for (int k = 0; k < 8; k++)
		sum += (int)(strchr(digits, out[8 + k]) - digits) * org[k];
	out[16] = "0123456789X"[(11 - sum % 11) % 11];
	sum = 0;
	for (int k = 0; k < 17; k++)
		sum += (int)(strchr(digits, out[k]) - digits) * weights[k];
	out[17] = digits[(31 - sum % 31) % 31];
}
