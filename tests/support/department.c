#include "tests/support/department.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct centre centre;
struct release_context *department;
struct err department_err;

static const char catalogue[] =
	"{'type':'sources','sample':true,'departments':[{'code':'tax','zh':'样例税务部门','en':'sample tax'}],"
	"'categories':[{'code':'operation','zh':'企业生产经营','en':'production and operation'}],"
	"'indicators':[{'code':'revenue','category':'operation','zh':'营业收入','en':'revenue','schema':{'fields':["
	"{'name':'uscc','title':'统一社会信用代码','identifier':'uscc','subject':true},"
	"{'name':'month','title':'月份','type':'yearmonth','asOf':true},"
	"{'name':'revenue','title':'营业收入','type':'number','unit':'元','constraints':{'minimum':0}},"
	"{'name':'note','title':'备注'}],'primaryKey':['uscc','month']}}],"
	"'sources':[{'code':'tax-revenue','department':'tax','indicator':'revenue','cadence':'monthly','owner':'样例'"
	"}]}";

bool department_import(const char *from, const char *to)
{
	char text[4096];
	struct source_changes changes;
	const char *at = from != NULL ? strstr(catalogue, from) : NULL;
	if (at != NULL)
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - catalogue), catalogue, to, at + strlen(from));
	else
		snprintf(text, sizeof(text), "%s", catalogue);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;
	return source_import(department->db, bytes_of(text), "alice", CENTRE_NOW_S, &changes, &department_err);
}

void department_open(void)
{
	centre_open(&centre);
	department = &centre.release;
	department_err = (struct err){ 0 };
	if (!department_import(NULL, NULL)) {
		printf("%s\n", department_err.text);
		abort();
	}
}

void department_close(void)
{
	centre_close(&centre);
}

void department_file(struct buf *out, unsigned first, unsigned n, const char *month, const char *unit)
{
	char code[19];
	buf_init(out, 1U << 24);
	buf_add_str(out, "统一社会信用代码,月份,营业收入,备注\n");
	for (unsigned i = first; n > 0; i++) {
		department_uscc(i, code);
		buf_add_fmt(out, "%s,%s,%u%s,备注 %u\n", code, month, 1000 + i % 977, unit, i);
		n--;
	}
}

struct batch_new department_new(const char *period, struct bytes file)
{
	struct batch_new n = { .source = "tax-revenue",
			       .period = period,
			       .file = "revenue.csv",
			       .format = INTAKE_CSV,
			       .encoding = ENCODING_AUTO,
			       .size = file.len };
	sha256(file, n.sha256);
	return n;
}

/* To its end, in parts of `part` bytes; 0 on failure. */
int64_t department_load_parts(const struct batch_new *n, struct bytes file, size_t part)
{
	int64_t id = 0;
	bool again = false;
	struct batch b;
	department_err = (struct err){ 0 };
	if (!batch_open(department, n, "alice", CENTRE_NOW_S, &id, &again, &department_err) ||
	    !batch_load(department, id, &b, &department_err))
		return 0;
	while (b.state == BATCH_LOADING) {
		uint64_t at = b.intake.offset;
		size_t len = file.len - at < part ? file.len - at : part;
		if (!batch_part(department, id, at, (struct bytes){ file.data + at, len }, CENTRE_NOW_S,
				&department_err) ||
		    !batch_load(department, id, &b, &department_err))
			return 0;
	}
	while (b.state == BATCH_CHECKING) {
		if (!batch_check(department, id, CENTRE_NOW_S, &department_err) ||
		    !batch_load(department, id, &b, &department_err))
			return 0;
	}
	return id;
}

int64_t department_load(const char *period, struct bytes file)
{
	struct batch_new n = department_new(period, file);
	return department_load_parts(&n, file, BATCH_PART_MAX);
}

int64_t department_load_text(const char *period, const char *text)
{
	return department_load(period, bytes_of(text));
}

struct batch department_batch(int64_t id)
{
	struct batch b = { 0 };
	CU_ASSERT_TRUE(batch_load(department, id, &b, &department_err));
	return b;
}

int64_t department_load_made(const char *period, unsigned first, unsigned n, const char *month, const char *unit)
{
	struct buf file;
	department_file(&file, first, n, month, unit);
	int64_t id = department_load(period, buf_bytes(&file));
	buf_clear(&file);
	if (id == 0)
		printf("\n    %s", department_err.text);
	return id;
}
