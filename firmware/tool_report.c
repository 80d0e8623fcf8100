/* branchctl report: an enterprise's credit report from central, into a file. */
#include "firmware/tool.h"
#include "protocol/base/file.h"
#include "protocol/inquiry.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

static void request_put(struct buf *out, const struct tool *t, const char *id, const char *officer, const char *as_of,
			const char *kind, const char *file)
{
	struct json_out w = { out, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "request_id", id);
	json_open(&w, "subject", '{');
	json_put_text(&w, "kind", kind != NULL ? kind : "uscc");
	json_put_text(&w, "number", t->argv[0]);
	json_close(&w, '}');
	json_put_text(&w, "purpose", t->argv[1]);
	json_put_text(&w, "officer", officer);
	if (as_of != NULL)
		json_put_text(&w, "as_of", as_of);
	json_put_text(&w, "format", ends_with(file, ".pdf") ? "pdf" : "html");
	json_close(&w, '}');
}

static bool report_fetch(const struct tool *t, const struct buf *request, const char *file, struct err *e)
{
	struct buf report;
	buf_init(&report, INQUIRY_BYTES_MAX);
	bool ok = tool_call(t, "POST", "/v1/reports", buf_bytes(request), &report, e) &&
		  file_write(file, buf_bytes(&report), 0600, e);
	if (ok)
		printf("报告已写入 Report written: %s · %zu 字节 bytes\n", file, report.len);
	buf_wipe(&report);
	return ok;
}

int tool_report(struct tool *t)
{
	const char *officer = tool_option(t, "--officer"), *file = tool_option(t, "--out"),
		   *as_of = tool_option(t, "--as-of"), *kind = tool_option(t, "--kind"),
		   *again = tool_option(t, "--request-id");
	uint8_t random[8];
	char id[2 * sizeof(random) + 1];
	struct buf request;
	struct err e = { 0 };
	if (!tool_words(t, 2) || officer == NULL || file == NULL ||
	    (!ends_with(file, ".html") && !ends_with(file, ".pdf")))
		return TOOL_USAGE;
	random_system.fill(random_system.arg, random, sizeof(random));
	hex_encode(random, sizeof(random), id);
	buf_init(&request, 4096);
	request_put(&request, t, again != NULL ? again : id, officer, as_of, kind, file);
	bool ok = buf_ok(&request, "the request", &e) && report_fetch(t, &request, file, &e);
	buf_wipe(&request);
	if (!ok && again == NULL)
		fprintf(stderr, "重试时请加 To try again: --request-id %s\n", id);
	return ok ? TOOL_DONE : tool_fail(&e);
}
