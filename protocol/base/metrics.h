/* Prometheus text exposition format 0.0.4, written straight into a buffer; the numbers live with their owners. */
#ifndef PROTOCOL_BASE_METRICS_H
#define PROTOCOL_BASE_METRICS_H

#include "protocol/base/buf.h"

/* HELP and TYPE lines; kind is "counter", "gauge" or "histogram". */
void metrics_head(struct buf *out, const char *name, const char *kind, const char *help);
/* One sample; label_name NULL for none. The label's value is escaped. */
void metrics_value(struct buf *out, const char *name, const char *label_name, const char *label, double v);

/* Durations in fixed buckets (50 µs … 10 s), summed. */
struct metrics_histogram {
	uint64_t counts[18];
	uint64_t count;
	double sum_s;
};
void metrics_observe(struct metrics_histogram *h, double seconds);
void metrics_histogram(struct buf *out, const char *name, const char *help, const struct metrics_histogram *h);

#endif
