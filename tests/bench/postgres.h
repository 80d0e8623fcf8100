/* A PostgreSQL server of its own for a bench: started on a Unix socket in a scratch folder, stopped by its pid. */
#ifndef TESTS_BENCH_POSTGRES_H
#define TESTS_BENCH_POSTGRES_H

#include <stdbool.h>
#include <stddef.h>

/* False (and why is printed) when there is no PostgreSQL 15 here. */
bool postgres_run(const char *dir, size_t accounts, size_t batches, double *random_rate, double *hot_rate);

#endif
