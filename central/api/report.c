/*
 * Credit reports, for operators and for branches. Each is made by a worker of its own, this program again, which has a connection to the
 * database of its own: what it writes are the rows of the log, each a transaction of a few milliseconds.
 */
#include "central/api/args.h"
#include "central/api/report.h"
#include "central/centrald.h"
#include "central/report/pdf.h"
#include "central/report/requests.h"
#include "central/store/store.h"
#include "protocol/base/log.h"
#include "protocol/base/worker.h"
#include "protocol/cbor.h"
#include "protocol/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT_MS   120000     /* the longest there is takes 1 s here */
#define MEMORY_MAX 536870912U /* the longest takes 21 MB; the font, the libraries */
#define INPUT_MAX  (HTTP_BODY_MAX + 1024U)
#define KEY_LEN    32

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

/* --- the worker --- */

struct order {
	char dir[256];
	uint8_t vault_key[KEY_LEN];
	bool is_branch;
	char who[NAME_MAX_LEN + 1]; /* operator or branch */
	int64_t now_s;
	struct bytes request; /* the operator's JSON as it came, or the branch's inquiry */
};

static bool order_read(struct bytes input, struct order *o, struct err *e)
{
	struct cbor in = cbor_over(input);
	return cbor_expect_array(&in, 6, e) && cbor_get_string(&in, o->dir, sizeof(o->dir), e) &&
	       cbor_get_bytes_exact(&in, o->vault_key, KEY_LEN, e) && cbor_get_bool(&in, &o->is_branch, e) &&
	       cbor_get_string(&in, o->who, sizeof(o->who), e) && cbor_get_int(&in, &o->now_s, e) &&
	       cbor_get_bytes(&in, &o->request, e) && cbor_end(&in, e);
}

static bool operators_make(struct release_context *c, const struct order *o, struct buf *out, struct err *e)
{
	struct json *j = json_parse(o->request, e);
	struct identifier subject;
	struct report_request q = { .subject = &subject, .who = o->who };
	struct report *r = NULL;
	const char *format = NULL;
	bool ok = j != NULL && asked(j, &subject, &q, &format, e) && (r = report_collect(c, &q, o->now_s, e)) != NULL;
	if (ok)
		ok = strcmp(format, "pdf") == 0 ? report_pdf(r, PDF_FONT, out, e) : report_html(r, out, e);
	report_free(r);
	json_free(j);
	return ok;
}

/* Its number stands behind it, in REPORT_NUMBER bytes. */
static bool branchs_make(struct release_context *c, const struct order *o, struct buf *out, struct err *e)
{
	struct inquiry q;
	char number[REPORT_NUMBER] = "";
	bool ok = inquiry_decode(o->request, &q, e) &&
		  report_request_answer(c, o->who, &q, o->now_s, out, number, e) &&
		  buf_add(out, number, sizeof(number));
	explicit_bzero(&q, sizeof(q));
	return ok;
}

static bool order_run(struct bytes input, struct buf *out, struct err *e)
{
	struct order o;
	struct objects objects;
	char path[320];
	struct release_context c = { .objects = &objects, .vault_key = o.vault_key, .random = &random_system };
	log_init("report", LOG_LEVEL_INFO);
	if (!order_read(input, &o, e))
		return false;
	snprintf(path, sizeof(path), "%s/objects", o.dir);
	c.db = store_open(o.dir, e);
	bool ok = c.db != NULL && objects_open(&objects, path, e) &&
		  (o.is_branch ? branchs_make : operators_make)(&c, &o, out, e);
	db_close(c.db);
	explicit_bzero(&o, sizeof(o));
	return ok;
}

int report_worker_main(void)
{
	return worker_main(REPORT_BYTES_MAX, order_run);
}

/* --- centrald --- */

static bool order_start(struct central *central, const struct order *o,
			void (*done)(void *arg, struct bytes out, const struct err *why), void *arg, struct err *e)
{
	char what[80];
	struct buf input;
	snprintf(what, sizeof(what), "credit report for %s%s", o->is_branch ? "branch " : "", o->who);
	buf_init(&input, INPUT_MAX);
	cbor_put_array(&input, 6);
	cbor_put_text(&input, central->dir);
	cbor_put_bytes(&input, (struct bytes){ central->release.vault_key, KEY_LEN });
	cbor_put_bool(&input, o->is_branch);
	cbor_put_text(&input, o->who);
	cbor_put_int(&input, o->now_s);
	cbor_put_bytes(&input, o->request);
	const struct worker_job job = { .what = what,
					.role = REPORT_WORKER,
					.input = buf_bytes(&input),
					.done = done,
					.arg = arg,
					.out_max = REPORT_BYTES_MAX,
					.memory_max = MEMORY_MAX,
					.limit_ms = LIMIT_MS };
	bool ok = buf_ok(&input, "the request", e) && workers_start(central->reports, &job, e);
	buf_wipe(&input);
	return ok;
}

struct ordered {
	struct api_later *later;
	const char *content_type;
};

static void ordered_done(void *arg, struct bytes out, const struct err *why)
{
	struct ordered *o = arg;
	if (why == NULL)
		api_finish_as(o->later, o->content_type, out);
	else
		api_finish(o->later, NULL, why);
	free(o);
}

static bool operators_start(struct api_call *call, bool is_pdf, struct err *e)
{
	struct order order = { .now_s = call->now_s, .request = http_body(call->request) };
	struct ordered *o = calloc(1, sizeof(*o));
	if (o == NULL)
		abort();
	o->content_type = is_pdf ? "application/pdf" : "text/html; charset=utf-8";
	snprintf(order.who, sizeof(order.who), "%s", call->operator);
	if (!order_start(call->central, &order, ordered_done, o, e)) {
		free(o);
		return false;
	}
	o->later = api_later(call, free, o);
	return true;
}

/* What cannot be asked is refused without a worker. */
static bool enterprise(struct api_call *call, struct err *e)
{
	struct json *j = json_parse(http_body(call->request), e);
	struct identifier subject;
	struct report_request q = { 0 };
	const char *format = NULL;
	bool ok = j != NULL && asked(j, &subject, &q, &format, e) &&
		  operators_start(call, strcmp(format, "pdf") == 0, e);
	explicit_bzero(&subject, sizeof(subject));
	json_free(j);
	return ok;
}

/* --- branches --- */

struct inquired {
	struct central *central;
	char branch[NAME_MAX_LEN + 1];
	uint8_t question[HASH_LEN];
};

/* When centrald ends, the branch asks the next one. */
static void inquired_done(void *arg, struct bytes out, const struct err *why)
{
	struct inquired *i = arg;
	const struct instant now = { loop_now_ms(), time(NULL) };
	char number[REPORT_NUMBER] = "";
	struct err e = { 0 };
	if (why == NULL && out.len < sizeof(number)) {
		(void)err_set(&e, ERR_IO, "the report was cut short");
		why = &e;
	}
	if (why == NULL) {
		out.len -= sizeof(number);
		memcpy(number, out.data + out.len, sizeof(number) - 1);
	} else {
		out.data = NULL;
		log_warn("a branch's report was not made", "branch=%s error=%s message=%s", i->branch,
			 err_name(why->code), why->text);
	}
	if (i->central->reports != NULL)
		central_sync_reported(i->central->sync, i->branch, i->question, out, number, why, now);
	free(i);
}

bool report_inquire(void *arg, const char *branch, const struct inquiry *q, const uint8_t question[HASH_LEN],
		    int64_t now_s, struct err *e)
{
	struct central *central = arg;
	struct order order = { .is_branch = true, .now_s = now_s };
	struct inquired *i = calloc(1, sizeof(*i));
	struct buf request;
	if (i == NULL)
		abort();
	i->central = central;
	snprintf(i->branch, sizeof(i->branch), "%s", branch);
	memcpy(i->question, question, HASH_LEN);
	snprintf(order.who, sizeof(order.who), "%s", branch);
	buf_init(&request, QUERY_BODY_MAX);
	bool ok = inquiry_encode(q, &request, e);
	order.request = buf_bytes(&request);
	ok = ok && order_start(central, &order, inquired_done, i, e);
	buf_wipe(&request);
	if (!ok)
		free(i);
	return ok;
}

const struct api_route api_report_routes[] = {
	{ "POST", "/v1/reports/enterprise", true, enterprise },
	{ 0 },
};
