#include "central/report/requests.h"

#include "central/report/pdf.h"

#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define CHINA_S 28800

struct stored {
	bool there;
	uint8_t question[HASH_LEN];
	int64_t day;
	char number[REPORT_NUMBER];
};

bool report_question_hash(const struct inquiry *q, uint8_t hash[HASH_LEN], struct err *e)
{
	struct inquiry whole = *q;
	struct buf text;
	memset(whole.id, 0, sizeof(whole.id));
	whole.part = 0;
	buf_init(&text, QUERY_BODY_MAX);
	bool ok = inquiry_encode(&whole, &text, e);
	if (ok)
		sha256(buf_bytes(&text), hash);
	buf_wipe(&text);
	explicit_bzero(&whole, sizeof(whole));
	return ok;
}

static struct bytes request_of(const struct inquiry *q)
{
	return (struct bytes){ q->request, sizeof(q->request) };
}

static bool stored_find(struct release_context *c, const char *branch, const struct inquiry *q, struct stored *s,
			struct err *e)
{
	struct db_query *d = db_query(
		c->db, "SELECT question, day, number FROM report_request WHERE branch = ? AND request = ?", e);
	*s = (struct stored){ 0 };
	if (d == NULL)
		return false;
	bool ok = db_bind_text(d, 1, branch, e) && db_bind_bytes(d, 2, request_of(q), e) && db_next(d, &s->there, e);
	if (ok && s->there) {
		struct bytes question = db_bytes(d, 0);
		if (question.len == HASH_LEN)
			memcpy(s->question, question.data, HASH_LEN);
		s->day = db_int(d, 1);
		snprintf(s->number, sizeof(s->number), "%s", db_text(d, 2));
	}
	db_finish(d);
	return ok;
}

static bool stored_put(struct release_context *c, const char *branch, const struct inquiry *q, const struct stored *s,
		       int64_t now_s, struct err *e)
{
	if (db_begin(c->db, e) &&
	    db_run(c->db, e, "DELETE FROM report_request WHERE made_s < ?", "i", now_s - REPORT_REQUEST_KEPT_S) &&
	    db_run(c->db, e,
		   "INSERT INTO report_request (branch, request, question, day, number, made_s) VALUES (?, ?, ?, ?, "
		   "?, ?)"
		   " ON CONFLICT (branch, request) DO UPDATE SET number = excluded.number, made_s = excluded.made_s",
		   "tbbiti", branch, request_of(q), (struct bytes){ s->question, HASH_LEN }, s->day, s->number,
		   now_s) &&
	    db_commit(c->db, e))
		return true;
	db_rollback(c->db);
	return false;
}

static bool report_write(const struct report *r, enum inquiry_format format, struct buf *out, struct err *e)
{
	bool ok = format == INQUIRY_PDF ? report_pdf(r, PDF_FONT, out, e) : report_html(r, out, e);
	return ok && (out->len <= INQUIRY_BYTES_MAX ||
		      err_set(e, ERR_FULL,
			      "the report has %zu bytes, more than a branch is sent (%u): ask for it at central",
			      out->len, INQUIRY_BYTES_MAX));
}

static bool subject_of(const struct inquiry *q, struct identifier *subject, struct err *e)
{
	if (q->kind != IDENTIFIER_USCC && q->kind != IDENTIFIER_ORG_CODE)
		return err_set(e, ERR_INPUT, "this report is of enterprises: uscc or org_code");
	return identifier_parse(q->kind, q->number, strlen(q->number), 0, subject, NULL, e);
}

bool report_request_answer(struct release_context *c, const char *branch, const struct inquiry *q, int64_t now_s,
			   struct buf *out, char number[REPORT_NUMBER], struct err *e)
{
	char who[REPORT_WHO_MAX];
	struct identifier subject;
	struct stored s;
	uint8_t question[HASH_LEN];
	snprintf(who, sizeof(who), "branch %s / %s / %s", branch, q->terminal, q->officer);
	if (!subject_of(q, &subject, e) || !report_question_hash(q, question, e) || !stored_find(c, branch, q, &s, e))
		return false;
	/* A number can be found out from a plain hash. */
	hmac_sha256((struct bytes){ c->vault_key, 32 }, (struct bytes){ question, HASH_LEN }, question);
	if (s.there && memcmp(s.question, question, HASH_LEN) != 0)
		return err_set(e, ERR_CONFLICT, "request_id: used before with another question");
	memcpy(s.question, question, HASH_LEN);
	if (!s.there)
		s.day = q->day != INQUIRY_TODAY ? q->day : (now_s + CHINA_S) / DAY_S;
	const struct report_request asked = {
		.subject = &subject, .purpose = q->purpose, .who = who, .day = s.day, .given = s.number
	};
	struct report *r = report_collect(c, &asked, now_s, e);
	bool ok = r != NULL && report_write(r, q->format, out, e);
	if (ok) {
		snprintf(number, REPORT_NUMBER, "%s", r->number);
		snprintf(s.number, sizeof(s.number), "%s", r->number);
		ok = stored_put(c, branch, q, &s, now_s, e);
	}
	report_free(r);
	explicit_bzero(&subject, sizeof(subject));
	return ok;
}
