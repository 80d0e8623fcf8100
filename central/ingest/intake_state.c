#include "central/ingest/intake.h"

#include <string.h>

void intake_state_init(struct intake_state *s, enum encoding encoding)
{
	*s = (struct intake_state){ .encoding = encoding, .content_from = INT64_MAX, .content_to = INT64_MIN };
}

void intake_state_put(const struct intake_state *s, struct buf *out)
{
	struct json_out w = { out, false };
	json_open(&w, NULL, '{');
	json_put_int(&w, "offset", (int64_t)s->offset);
	json_put_int(&w, "row", s->row);
	json_put_bool(&w, "skip", s->skip);
	json_put_bool(&w, "labelled", s->labelled);
	json_put_bool(&w, "cut", s->cut);
	json_put_text(&w, "encoding", encoding_name(s->encoding));
	json_put_int(&w, "accepted", (int64_t)s->accepted);
	json_put_int(&w, "rejected", (int64_t)s->rejected);
	json_put_int(&w, "repaired", (int64_t)s->repaired);
	json_put_int(&w, "content_from", s->content_from);
	json_put_int(&w, "content_to", s->content_to);
	json_open(&w, "map", '[');
	for (size_t i = 0; i < s->labels_len; i++)
		json_put_int(&w, NULL, s->map[i]);
	json_close(&w, ']');
	json_open(&w, "drift", '[');
	for (size_t i = 0; i < s->drift_len; i++) {
		json_put_int(&w, NULL, s->drift[i].field);
		json_put_int(&w, NULL, s->drift[i].fault);
	}
	json_close(&w, ']');
	json_open(&w, "scale", '[');
	for (size_t i = 0; i < SCHEMA_FIELDS_MAX; i++) {
		json_put_int(&w, NULL, (int64_t)s->scale[i].n);
		json_put_int(&w, NULL, s->scale[i].sum);
	}
	json_close(&w, ']');
	json_close(&w, '}');
}

/* An array of whole numbers; *len of them. */
static bool numbers(const struct json *j, const char *key, int64_t *out, size_t max, size_t *len, struct err *e)
{
	const struct json *all = json_get(j, key);
	*len = all != NULL && json_kind(all) == JSON_KIND_ARRAY ? json_len(all) : max + 1;
	if (*len > max)
		return err_set(e, ERR_INPUT, "%s: expected at most %zu numbers", key, max);
	for (size_t i = 0; i < *len; i++) {
		const struct json *one = json_at(all, i);
		if (json_kind(one) != JSON_KIND_INT)
			return err_set(e, ERR_INPUT, "%s: expected numbers", key);
		out[i] = json_int_value(one);
	}
	return true;
}

static bool tables_parse(const struct json *j, struct intake_state *s, struct err *e)
{
	int64_t v[2 * INTAKE_FAULTS_MAX];
	size_t len = 0;
	if (!numbers(j, "map", v, CSV_FIELDS_MAX, &s->labels_len, e))
		return false;
	for (size_t i = 0; i < s->labels_len; i++)
		s->map[i] = (int16_t)(v[i] >= 0 && v[i] < SCHEMA_FIELDS_MAX ? v[i] : -1);
	if (!numbers(j, "drift", v, (size_t)2 * INTAKE_FAULTS_MAX, &len, e))
		return false;
	for (s->drift_len = 0; s->drift_len < len / 2; s->drift_len++)
		s->drift[s->drift_len] =
			(struct row_fault){ (uint32_t)v[2 * s->drift_len], (unsigned)v[2 * s->drift_len + 1] };
	if (!numbers(j, "scale", v, (size_t)2 * SCHEMA_FIELDS_MAX, &len, e))
		return false;
	for (size_t i = 0; i < len / 2; i++)
		s->scale[i] = (struct intake_scale){ (uint64_t)v[2 * i], v[2 * i + 1] };
	return true;
}

static bool count(const struct json *j, const char *key, uint64_t *out, struct err *e)
{
	int64_t v = 0;
	if (!json_int(j, key, 0, INT64_MAX, &v, e))
		return false;
	*out = (uint64_t)v;
	return true;
}

bool intake_state_parse(struct bytes json, struct intake_state *s, struct err *e)
{
	struct json *j = json_parse(json, e);
	const char *encoding = NULL;
	uint64_t row = 0;
	intake_state_init(s, ENCODING_AUTO);
	if (j == NULL)
		return false;
	bool ok = count(j, "offset", &s->offset, e) && count(j, "row", &row, e) &&
		  json_bool(j, "skip", &s->skip, e) && json_bool(j, "labelled", &s->labelled, e) &&
		  json_bool(j, "cut", &s->cut, e) && json_text(j, "encoding", 16, &encoding, e) &&
		  count(j, "accepted", &s->accepted, e) && count(j, "rejected", &s->rejected, e) &&
		  count(j, "repaired", &s->repaired, e) &&
		  json_int(j, "content_from", INT64_MIN, INT64_MAX, &s->content_from, e) &&
		  json_int(j, "content_to", INT64_MIN, INT64_MAX, &s->content_to, e) && tables_parse(j, s, e);
	if (ok && !encoding_of(encoding, &s->encoding))
		ok = err_set(e, ERR_INPUT, "encoding: '%.16s' is not known", encoding);
	s->row = (uint32_t)row;
	json_free(j);
	return ok;
}
