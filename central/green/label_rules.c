#include "central/green/label_rules.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_FACTOR_MAX    1000000000 /* grams: with all the energy there can be, products stay far below 127 bits */
#define LABEL_BENCHMARK_MIN 1000 /* grams: rounding an intensity to whole ones is then below a thousandth of it */
#define UP_TO_MAX           100000

/* The number's source is for persons: it must be there, and is not kept. */
static bool source_check(const struct json *j, struct err *e)
{
	char text[LABEL_SOURCE_MAX + 1];
	return green_text_take(j, "source", text, sizeof(text), e);
}

static bool carrier_take(const struct json *j, struct label_carrier *out, struct err *e)
{
	return json_only(j, "code zh en unit grams per must source", e) && green_word_take(j, &out->word, e) &&
	       green_text_take(j, "unit", out->unit, sizeof(out->unit), e) &&
	       json_int(j, "grams", 0, LABEL_FACTOR_MAX, &out->grams, e) &&
	       json_int(j, "per", 1, LABEL_FACTOR_MAX, &out->per, e) && json_bool(j, "must", &out->must, e) &&
	       source_check(j, e);
}

static bool carriers_take(const struct json *j, struct label_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "carriers", 1, LABEL_CARRIERS_MAX, e);
	if (all == NULL)
		return false;
	for (; r->carriers_len < json_len(all); r->carriers_len++) {
		struct label_carrier *one = &r->carriers[r->carriers_len];
		if (!carrier_take(json_at(all, r->carriers_len), one, e))
			return err_wrap(e, "carriers[%zu]", r->carriers_len);
		if (label_carrier_find(r, one->word.code) != NULL)
			return err_set(e, ERR_INPUT, "carriers[%zu]: '%s' stands there twice", r->carriers_len,
				       one->word.code);
	}
	return true;
}

static bool industries_take(const struct json *j, struct label_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "industries", 1, LABEL_INDUSTRIES_MAX, e);
	if (all == NULL)
		return false;
	for (; r->industries_len < json_len(all); r->industries_len++) {
		struct label_industry *one = &r->industries[r->industries_len];
		const struct json *at = json_at(all, r->industries_len);
		if (!json_only(at, "code zh en unit benchmark source", e) || !green_word_take(at, &one->word, e) ||
		    !green_text_take(at, "unit", one->unit, sizeof(one->unit), e) ||
		    !json_int(at, "benchmark", LABEL_BENCHMARK_MIN, LABEL_FACTOR_MAX, &one->benchmark, e) ||
		    !source_check(at, e))
			return err_wrap(e, "industries[%zu]", r->industries_len);
		if (label_industry_find(r, one->word.code) != NULL)
			return err_set(e, ERR_INPUT, "industries[%zu]: '%s' stands there twice", r->industries_len,
				       one->word.code);
	}
	return true;
}

static bool colour_take(const struct json *j, bool last, int64_t above, struct label_colour *out, struct err *e)
{
	out->up_to = INT64_MAX;
	if (!json_only(j, last ? "code zh en" : "code zh en up_to", e) || !green_word_take(j, &out->word, e))
		return false;
	return last || json_int(j, "up_to", above + 1, UP_TO_MAX, &out->up_to, e);
}

static bool colours_take(const struct json *j, struct label_rules *r, struct err *e)
{
	const struct json *all = green_array(j, "labels", 2, LABEL_LABELS_MAX, e);
	if (all == NULL)
		return false;
	for (; r->labels_len < json_len(all); r->labels_len++) {
		struct label_colour *one = &r->labels[r->labels_len];
		bool last = r->labels_len + 1 == json_len(all);
		if (!colour_take(json_at(all, r->labels_len), last, r->labels_len > 0 ? one[-1].up_to : 0, one, e))
			return err_wrap(e, "labels[%zu]", r->labels_len);
		for (size_t k = 0; k < r->labels_len; k++)
			if (strcmp(r->labels[k].word.code, one->word.code) == 0)
				return err_set(e, ERR_INPUT, "labels[%zu]: '%s' stands there twice", r->labels_len,
					       one->word.code);
	}
	return true;
}

struct label_rules *label_rules_decode(struct bytes cbor, struct err *e)
{
	struct label_rules *r = calloc(1, sizeof(*r));
	struct json *j = green_document_json(cbor, e);
	if (r == NULL)
		abort();
	bool ok = j != NULL &&
		  json_only(j, "type title sample months readings outputs carriers industries labels", e) &&
		  green_head_take(j, CARBON_LABEL_DOCUMENT, &r->sample, e) &&
		  json_int(j, "months", 1, LABEL_MONTHS_MAX, &r->months, e) &&
		  green_text_take(j, "readings", r->readings, sizeof(r->readings), e) &&
		  green_text_take(j, "outputs", r->outputs, sizeof(r->outputs), e) && carriers_take(j, r, e) &&
		  industries_take(j, r, e) && colours_take(j, r, e);
	json_free(j);
	if (ok)
		return r;
	free(r);
	return NULL;
}

const struct label_carrier *label_carrier_find(const struct label_rules *r, const char *code)
{
	for (size_t i = 0; i < r->carriers_len; i++)
		if (strcmp(r->carriers[i].word.code, code) == 0)
			return &r->carriers[i];
	return NULL;
}

const struct label_industry *label_industry_find(const struct label_rules *r, const char *code)
{
	for (size_t i = 0; i < r->industries_len; i++)
		if (strcmp(r->industries[i].word.code, code) == 0)
			return &r->industries[i];
	return NULL;
}
