/* Credit reports. */
#include "central/api/args.h"
#include "central/centrald.h"
#include "central/report/pdf.h"
#include "central/report/report.h"
#include "protocol/rule.h"

#include <string.h>

static bool written(struct api_call *call, const struct report *r, const char *format, struct err *e)
{
	if (strcmp(format, "pdf") == 0) {
		call->content_type = "application/pdf";
		return report_pdf(r, PDF_FONT, call->out, e);
	}
	call->content_type = "text/html; charset=utf-8";
	return report_html(r, call->out, e);
}

/* What is asked; strings point into j. */
static bool asked(const struct json *j, struct identifier *subject, struct report_request *q, const char **format,
		  struct err *e)
{
	const char *as_of = NULL;
	if (!json_only(j, "subject purpose as_of format", e) ||
	    !json_text(j, "purpose", REPORT_TEXT_MAX - 1, &q->purpose, e) || !json_text(j, "as_of", 10, &as_of, e) ||
	    !json_text(j, "format", 8, format, e) || !api_holder(j, "subject", subject, e))
		return false;
	if (!day_parse(bytes_of(as_of), &q->day, e))
		return err_wrap(e, "as_of");
	if (strcmp(*format, "html") != 0 && strcmp(*format, "pdf") != 0)
		return err_set(e, ERR_INPUT, "format: expected html or pdf");
	return subject->kind == IDENTIFIER_USCC || subject->kind == IDENTIFIER_ORG_CODE ||
	       err_set(e, ERR_INPUT, "subject: this report is of enterprises: uscc or org_code");
}

static bool enterprise(struct api_call *call, struct err *e)
{
	struct json *j = json_parse(http_body(call->request), e);
	struct identifier subject;
	struct report_request q = { .subject = &subject, .who = call->operator};
	struct report *r = NULL;
	const char *format = NULL;
	bool ok = j != NULL && asked(j, &subject, &q, &format, e) &&
		  (r = report_collect(&call->central->release, &q, call->now_s, e)) != NULL &&
		  written(call, r, format, e);
	report_free(r);
	json_free(j);
	return ok;
}

const struct api_route api_report_routes[] = {
	{ "POST", "/v1/reports/enterprise", true, enterprise },
	{ 0 },
};
