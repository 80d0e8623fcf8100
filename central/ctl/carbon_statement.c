/* centralctl: carbon statement. */
#include "central/carbon/statement.h"
#include "central/ctl/carbon.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

bool ctl_carbon_statement(struct ctl *c, struct err *e)
{
	struct buf body, page;
	struct json_out w = { &body, false };
	const char *out = ctl_option(c, "out"), *as_of = ctl_option(c, "as-of");
	if (out == NULL || as_of == NULL || (!ends_with(out, ".html") && !ends_with(out, ".csv")))
		return err_set(e, ERR_INPUT,
			       "say the day and the file: --as-of 2026-01-31 --out FILE.html, or FILE.csv");
	buf_init(&body, 4096);
	buf_init(&page, STATEMENT_BYTES);
	json_open(&w, NULL, '{');
	ctl_holder_put(c, &w, "holder", c->argv[0]);
	json_put_text(&w, "purpose", c->argv[1]);
	json_put_text(&w, "as_of", as_of);
	json_put_text(&w, "format", ends_with(out, ".csv") ? "csv" : "html");
	json_close(&w, '}');
	bool ok = buf_ok(&body, "the request", e) &&
		  ctl_fetch(c, "POST", "/v1/carbon/statements", buf_bytes(&body), &page, e) &&
		  file_write(out, buf_bytes(&page), 0600, e);
	if (ok)
		printf("  对账单已写入 / statement written: %s（%zu 字节 / bytes）\n", out, page.len);
	buf_wipe(&body);
	buf_wipe(&page);
	return ok;
}
