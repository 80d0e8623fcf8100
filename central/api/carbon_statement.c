/* A person's carbon statement. */
#include "central/api/args.h"
#include "central/api/carbon.h"
#include "central/carbon/statement.h"
#include "central/centrald.h"
#include "central/ingest/subject.h"
#include "central/store/store.h"
#include "protocol/rule.h"

#include <stdlib.h>
#include <string.h>

struct asked {
	struct identifier holder;
	char masked[96];
	const char *purpose, *format; /* borrowed */
	int64_t day;
};

static bool asked_parse(const struct json *j, struct asked *a, struct err *e)
{
	const char *as_of = NULL;
	if (!api_holder(j, "holder", &a->holder, e) ||
	    !json_text(j, "purpose", STATEMENT_TEXT_MAX / 2, &a->purpose, e) ||
	    !json_text(j, "as_of", 10, &as_of, e) || !json_text(j, "format", 8, &a->format, e))
		return false;
	if (!day_parse(bytes_of(as_of), &a->day, e))
		return err_wrap(e, "as_of");
	if (a->day < 0 || a->day >= INT32_MAX)
		return err_set(e, ERR_INPUT, "as_of: expected a day such as 2026-01-31");
	if (strcmp(a->format, "html") != 0 && strcmp(a->format, "csv") != 0)
		return err_set(e, ERR_INPUT, "format: expected html or csv");
	identifier_mask(&a->holder, a->masked, sizeof(a->masked));
	return true;
}

/* In the log of whoever's account it is and in the audit, before anything is handed out. */
static bool read_log(struct api_call *call, const struct asked *a, struct err *e)
{
	struct release_context *c = &call->central->release;
	struct subject_group *g = calloc(1, sizeof(*g));
	if (g == NULL)
		abort();
	bool ok = subject_group(c, &a->holder, g, e) && db_begin(c->db, e);
	if (ok && !(subject_read_note(c, g, a->purpose, call->operator, call->now_s, e) &&
		    audit_add(c->db, call->now_s, call->operator, "carbon.statement", a->masked, a->purpose, e) &&
		    db_commit(c->db, e))) {
		db_rollback(c->db);
		ok = false;
	}
	explicit_bzero(g, sizeof(*g));
	free(g);
	return ok;
}

static bool written(struct api_call *call, const struct statement *s, const struct asked *a, struct err *e)
{
	const struct statement_head head = { a->masked, call->operator, a->purpose };
	bool csv = strcmp(a->format, "csv") == 0;
	call->content_type = csv ? "text/csv; charset=utf-8" : "text/html; charset=utf-8";
	return csv ? statement_csv(s, call->out, e) : statement_html(s, &head, call->out, e);
}

/* POST {"holder": {"kind","number"}, "purpose", "as_of": "2026-01-31", "format": "html" or "csv"} */
bool api_carbon_statement(struct api_call *call, struct err *e)
{
	struct carbon_desk d;
	struct asked a;
	struct statement *s = NULL;
	struct json *j = api_body(call, "holder purpose as_of format", e);
	bool ok = j != NULL && asked_parse(j, &a, e) && api_carbon_open(call, &d, e) && read_log(call, &a, e) &&
		  (s = statement_load(&d.carbon, a.holder.kind, a.holder.canonical, (int32_t)a.day, e)) != NULL &&
		  written(call, s, &a, e);
	statement_free(s);
	json_free(j);
	return ok;
}
