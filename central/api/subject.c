/* Subjects across departments' sources. */
#include "central/api/args.h"
#include "central/centrald.h"
#include "central/ingest/subject.h"
#include "protocol/rule.h"

#include <stdlib.h>
#include <string.h>

#define REASON_MAX 256

static void identifier_put(struct json_out *w, const struct identifier *id)
{
	char masked[96];
	identifier_mask(id, masked, sizeof(masked));
	json_open(w, NULL, '{');
	json_put_text(w, "kind", identifier_kind_name(id->kind));
	json_put_text(w, "masked", masked);
	json_close(w, '}');
}

static void value_put(struct json_out *w, const struct schema_field *f, struct bytes v)
{
	if (v.data == NULL)
		json_put_null(w, f->name);
	else if (f->type == SCHEMA_BOOLEAN)
		json_put_bool(w, f->name, bytes_equal(v, bytes_of("true")));
	else if (f->type == SCHEMA_INTEGER || f->type == SCHEMA_NUMBER)
		json_put_raw(w, f->name, v);
	else
		json_put_text_n(w, f->name, v);
}

/* The subject's own number is masked, whatever else the row says of it. */
static void fields_put(struct json_out *w, const struct subject_record *r, const struct identifier *id)
{
	char masked[96];
	identifier_mask(id, masked, sizeof(masked));
	json_open(w, "fields", '{');
	for (size_t i = 0; i < r->schema->fields_len; i++) {
		if ((int)i == r->schema->subject)
			json_put_text(w, r->schema->fields[i].name, masked);
		else
			value_put(w, &r->schema->fields[i], r->record->cells[i]);
	}
	json_close(w, '}');
	json_open(w, "repairs", '[');
	for (size_t i = 0; i < r->record->repairs_len; i++)
		json_put_text(w, NULL, repair_name(r->record->repairs[i].repair));
	json_close(w, ']');
}

static void objections_put(struct json_out *w, const struct objection_view *v)
{
	char due[11];
	json_put_bool(w, "held", v->held);
	json_put_bool(w, "withdrawn", v->withdrawn);
	json_put_bool(w, "corrected", v->corrected);
	json_open(w, "objections", '[');
	for (size_t i = 0; i < v->marks_len; i++) {
		day_format(v->marks[i]->due_day, due);
		json_open(w, NULL, '{');
		json_put_int(w, "objection", v->marks[i]->id);
		json_put_text(w, "state", objection_state_name(v->marks[i]->state));
		json_put_text(w, "state_zh", objection_state_zh(v->marks[i]->state));
		json_put_text(w, "field", v->marks[i]->field);
		json_put_text(w, "due", due);
		json_close(w, '}');
	}
	json_close(w, ']');
}

struct showing {
	struct json_out *w;
	const struct subject_group *group;
};

static void record_put(void *arg, const struct subject_record *r)
{
	struct showing *s = arg;
	json_open(s->w, NULL, '{');
	json_put_text(s->w, "source", r->source->code);
	json_put_text(s->w, "department_zh", r->source->department_zh);
	json_put_text(s->w, "indicator_zh", r->source->indicator_zh);
	json_put_text(s->w, "indicator_en", r->source->indicator_en);
	json_put_text(s->w, "period", r->batch->period);
	json_put_int(s->w, "batch", r->batch->id);
	json_put_int(s->w, "row", r->record->row);
	fields_put(s->w, r, &s->group->members[r->member]);
	objections_put(s->w, r->objections);
	json_close(s->w, '}');
}

static bool show(struct api_call *call, const struct identifier *id, const char *purpose, struct err *e)
{
	struct release_context *c = &call->central->release;
	struct json_out *w = &call->json;
	struct subject_group *g = calloc(1, sizeof(*g));
	struct showing s = { w, g };
	bool more = false;
	if (g == NULL)
		abort();
	bool ok = subject_group(c, id, g, e);
	if (ok) {
		json_open(w, NULL, '{');
		json_open(w, "numbers", '[');
		for (size_t i = 0; i < g->len; i++)
			identifier_put(w, &g->members[i]);
		json_close(w, ']');
		json_open(w, "records", '[');
		ok = subject_read(c, g, purpose, call->operator, call->now_s, record_put, &s, &more, e);
		json_close(w, ']');
		json_put_bool(w, "more", more);
		json_close(w, '}');
	}
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok;
}

/* A person's number stands in a body, never in an address that a log might keep. */
static bool subject_show(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "subject purpose", e);
	struct identifier id;
	const char *purpose = NULL;
	bool ok = j != NULL && json_text(j, "purpose", REASON_MAX, &purpose, e) && api_holder(j, "subject", &id, e) &&
		  show(call, &id, purpose, e);
	json_free(j);
	return ok;
}

static void read_put(void *arg, int64_t time_s, const char *who, const char *purpose)
{
	struct json_out *w = arg;
	json_open(w, NULL, '{');
	json_put_int(w, "time_s", time_s);
	json_put_text(w, "who", who);
	json_put_text(w, "purpose", purpose);
	json_close(w, '}');
}

static bool reads_show(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "subject", e);
	struct identifier id;
	bool ok = j != NULL && api_holder(j, "subject", &id, e);
	if (ok) {
		json_open(&call->json, NULL, '{');
		json_open(&call->json, "reads", '[');
		ok = subject_reads(&call->central->release, &id, 1000, read_put, &call->json, e);
		json_close(&call->json, ']');
		json_close(&call->json, '}');
	}
	json_free(j);
	return ok;
}

static bool group_answer(struct api_call *call, const struct identifier *id, struct err *e)
{
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	bool ok = subject_group(&call->central->release, id, g, e);
	json_open(&call->json, NULL, '{');
	json_open(&call->json, "numbers", '[');
	for (size_t i = 0; ok && i < g->len; i++)
		identifier_put(&call->json, &g->members[i]);
	json_close(&call->json, ']');
	json_close(&call->json, '}');
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok;
}

static bool merge(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "subject alias reason", e);
	struct identifier id, alias;
	const char *why = NULL;
	bool ok = j != NULL && json_text(j, "reason", REASON_MAX, &why, e) && api_holder(j, "subject", &id, e) &&
		  api_holder(j, "alias", &alias, e) &&
		  subject_merge(&call->central->release, &id, &alias, why, call->operator, call->now_s, e) &&
		  group_answer(call, &id, e);
	json_free(j);
	return ok;
}

static bool unmerge(struct api_call *call, struct err *e)
{
	struct json *j = api_body(call, "alias reason", e);
	struct identifier alias;
	const char *why = NULL;
	bool ok = j != NULL && json_text(j, "reason", REASON_MAX, &why, e) && api_holder(j, "alias", &alias, e) &&
		  subject_unmerge(&call->central->release, &alias, why, call->operator, call->now_s, e) &&
		  group_answer(call, &alias, e);
	json_free(j);
	return ok;
}

const struct api_route api_subject_routes[] = {
	{ "POST", "/v1/subjects/show", true, subject_show },
	{ "POST", "/v1/subjects/reads", true, reads_show },
	{ "POST", "/v1/subjects/merge", true, merge },
	{ "POST", "/v1/subjects/unmerge", true, unmerge },
	{ 0 },
};
