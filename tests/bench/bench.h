/*
 * What every bench shares: time, medians, random numbers, and rows of the table. A row goes to standard output for people
 * and, as a line of JSON, to the file named by XINBIAN_BENCH_ROWS, from which bench.sh makes build/bench.json. A ratio says
 * how many times better we are than the peer; a row without a peer has none.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline void bench_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: failed: %s\n", what);
	exit(1);
}

static inline double bench_now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15U; /* a bijection of the counter: no number comes twice */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static inline int bench_compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Sorts the values. */
static inline double bench_median(double *values, size_t len)
{
	qsort(values, len, sizeof(*values), bench_compare);
	return len % 2 == 1 ? values[len / 2] : (values[len / 2 - 1] + values[len / 2]) / 2;
}

static inline size_t bench_env(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	return text != NULL && *text != '\0' ? (size_t)strtoull(text, NULL, 10) : otherwise;
}

/* peer may be NULL. Of times and sizes the smaller is better, of rates (lower_is_better false) the larger. */
static inline void bench_row(const char *name, double value, const char *unit, const char *peer, double peer_value,
			     bool lower_is_better)
{
	double ratio = lower_is_better ? peer_value / value : value / peer_value;
	const char *path = getenv("XINBIAN_BENCH_ROWS");
	FILE *rows = path != NULL ? fopen(path, "a") : NULL;
	if (peer != NULL)
		printf("%-28s %14.6g %-8s %-24s %14.6g %9.2fx\n", name, value, unit, peer, peer_value, ratio);
	else
		printf("%-28s %14.6g %-8s\n", name, value, unit);
	fflush(stdout);
	if (rows == NULL)
		return;
	fprintf(rows, "{\"name\":\"%s\",\"value\":%.9g,\"unit\":\"%s\",", name, value, unit);
	if (peer != NULL)
		fprintf(rows, "\"peer\":\"%s\",\"peer_value\":%.9g,\"ratio\":%.4g}\n", peer, peer_value, ratio);
	else
		fprintf(rows, "\"peer\":null,\"peer_value\":null,\"ratio\":null}\n");
	fclose(rows);
}

#endif
