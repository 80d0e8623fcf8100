/* centralctl: report. */
#include "central/ctl/ctl.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <string.h>

#define RULES_FILE_MAX 65536U
#define REPORT_MAX     67108864U

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool report_enterprise(struct ctl *c, struct err *e)
{
	struct buf body, report;
	struct json_out w = { &body, false };
	const char *out = ctl_option(c, "out"), *as_of = ctl_option(c, "as-of");
	if (out == NULL || as_of == NULL || (!ends_with(out, ".html") && !ends_with(out, ".pdf")))
		return err_set(e, ERR_INPUT,
			       "say the day and the file: --as-of 2026-01-31 --out FILE.html, or FILE.pdf");
	buf_init(&body, 4096);
	buf_init(&report, REPORT_MAX);
	json_open(&w, NULL, '{');
	json_open(&w, "subject", '{');
	json_put_text(&w, "kind", ctl_option(c, "kind") != NULL ? ctl_option(c, "kind") : "uscc");
	json_put_text(&w, "number", c->argv[0]);
	json_close(&w, '}');
	json_put_text(&w, "purpose", c->argv[1]);
	json_put_text(&w, "as_of", as_of);
	json_put_text(&w, "format", ends_with(out, ".pdf") ? "pdf" : "html");
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) &&
		  ctl_fetch(c, "POST", "/v1/reports/enterprise", buf_bytes(&body), &report, e) &&
		  file_write(out, buf_bytes(&report), 0600, e);
	if (ok)
		printf("  报告已写入 / report written: %s（%zu 字节 / bytes）\n", out, report.len);
	buf_wipe(&body);
	buf_wipe(&report);
	return ok;
}

static bool report_rules(struct ctl *c, struct err *e)
{
	struct buf file;
	bool printed = false;
	struct json *j = NULL;
	buf_init(&file, RULES_FILE_MAX);
	if (file_read(c->argv[0], &file, e))
		j = ctl_call(c, "POST", "/v1/credit-rules", buf_bytes(&file), &printed, e);
	buf_clear(&file);
	if (j == NULL)
		return false;
	const struct json *sample = json_get(j, "sample");
	if (!printed)
		printf("  规则 / rules %lld%s · 异议期限 / objections due in %lld 个工作日 / working days\n",
		       (long long)ctl_int(j, "rules"),
		       sample != NULL && json_kind(sample) == JSON_KIND_BOOL && json_bool_value(sample)
			       ? " · 样例 / sample"
			       : "",
		       (long long)ctl_int(j, "due_working_days"));
	json_free(j);
	return true;
}

const struct ctl_command ctl_report_commands[] = {
	{ "report", "enterprise", 2, "NUMBER PURPOSE --as-of DAY --out FILE.html|FILE.pdf [--kind uscc|org_code]",
	  "as-of out kind", report_enterprise },
	{ "report", "rules", 1, "FILE.json", "", report_rules },
	{ 0 },
};
