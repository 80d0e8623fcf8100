#include "protocol/base/metrics.h"

#include <math.h>
#include <string.h>

static const double bounds_s[] = { 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
				   0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10 };
#define BOUNDS (sizeof(bounds_s) / sizeof(bounds_s[0]))

_Static_assert(BOUNDS + 1 == sizeof(((struct metrics_histogram *)0)->counts) / sizeof(uint64_t),
	       "a count for each bound, and one for what is above them all");

static void escape(struct buf *out, const char *s, bool quotes)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			buf_add_str(out, "\\\\");
		else if (*s == '\n')
			buf_add_str(out, "\\n");
		else if (*s == '"' && quotes)
			buf_add_str(out, "\\\"");
		else
			buf_add_u8(out, (uint8_t)*s);
	}
}

void metrics_head(struct buf *out, const char *name, const char *kind, const char *help)
{
	buf_add_fmt(out, "# HELP %s ", name);
	escape(out, help, false);
	buf_add_fmt(out, "\n# TYPE %s %s\n", name, kind);
}

static void number(struct buf *out, double v)
{
	if (isnan(v))
		buf_add_str(out, "NaN");
	else if (isinf(v))
		buf_add_str(out, v > 0 ? "+Inf" : "-Inf");
	else
		buf_add_fmt(out, "%.17g", v);
}

void metrics_value(struct buf *out, const char *name, const char *label_name, const char *label, double v)
{
	buf_add_str(out, name);
	if (label_name != NULL) {
		buf_add_fmt(out, "{%s=\"", label_name);
		escape(out, label, true);
		buf_add_str(out, "\"}");
	}
	buf_add_u8(out, ' ');
	number(out, v);
	buf_add_u8(out, '\n');
}

void metrics_observe(struct metrics_histogram *h, double seconds)
{
	size_t i = 0;
	while (i < BOUNDS && seconds > bounds_s[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->sum_s += seconds;
}

void metrics_histogram(struct buf *out, const char *name, const char *help, const struct metrics_histogram *h)
{
	uint64_t sum = 0;
	metrics_head(out, name, "histogram", help);
	for (size_t i = 0; i < BOUNDS; i++) {
		sum += h->counts[i];
		buf_add_fmt(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds_s[i], (unsigned long long)sum);
	}
	buf_add_fmt(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name, (unsigned long long)h->count, name);
	number(out, h->sum_s);
	buf_add_fmt(out, "\n%s_count %llu\n", name, (unsigned long long)h->count);
}
