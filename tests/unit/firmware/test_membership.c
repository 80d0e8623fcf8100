#include "firmware/membership.h"
#include "firmware/state.h"
#include "protocol/base/json.h"
#include "tests/support/identity.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#define NOW_S (IDENTITY_FROM_S + 86400)

struct world {
	struct db *db;
	struct vault vault;
	struct identity ca, other_ca;
	struct buf ca_pem;
	struct membership_request request;
};
static struct world w;

static void fresh(void)
{
	struct err e = { 0 };
	w = (struct world){ .db = state_open(test_dir(), NULL) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.db);
	CU_ASSERT_TRUE_FATAL(vault_open(&w.vault, test_dir(), &random_system, &e));
	identity_ca(&w.ca, "test CA");
	identity_ca(&w.other_ca, "test CA");
	buf_init(&w.ca_pem, 8192);
	CU_ASSERT_TRUE_FATAL(pki_to_pem(buf_bytes(&w.ca.cert), "CERTIFICATE", &w.ca_pem, &e));
	CU_ASSERT_TRUE_FATAL(membership_begin(&random_system, buf_bytes(&w.ca_pem), &w.request, &e));
}

static void done(void)
{
	membership_request_clear(&w.request);
	identity_clear(&w.ca);
	identity_clear(&w.other_ca);
	buf_clear(&w.ca_pem);
	db_close(w.db);
}

/* What central would answer; a NULL key means the request's own. */
struct offer {
	const char *branch, *certified; /* the name in the answer, and in the certificate */
	const struct identity *ca, *shown_ca;
	struct bytes key;
	enum pki_use use;
	int64_t time_s;
	const char *more;
};

static struct offer good(void)
{
	return (struct offer){ "haidian", "haidian", &w.ca, &w.ca, { NULL, 0 }, PKI_SERVER_CLIENT, NOW_S, "" };
}

static void certificate_put(const struct offer *o, struct json_out *out)
{
	struct buf csr, cert, pem;
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&cert, PKI_CERT_MAX);
	buf_init(&pem, 8192);
	struct pki_issue p = { .ca_cert = buf_bytes(&o->ca->cert),
			       .ca_key = buf_bytes(&o->ca->key),
			       .key = o->key,
			       .name = o->certified,
			       .use = o->use,
			       .from_s = IDENTITY_FROM_S,
			       .to_s = IDENTITY_TO_S,
			       .serial = { 1 } };
	if (o->key.data == NULL) {
		CU_ASSERT_TRUE_FATAL(pki_from_pem(buf_bytes(&w.request.csr), "CERTIFICATE REQUEST", &csr, NULL));
		p.csr = buf_bytes(&csr);
	}
	CU_ASSERT_TRUE_FATAL(pki_issue(&p, &cert, NULL));
	CU_ASSERT_TRUE_FATAL(pki_to_pem(buf_bytes(&cert), "CERTIFICATE", &pem, NULL));
	json_put_text_n(out, "certificate", buf_bytes(&pem));
	buf_reset(&pem);
	CU_ASSERT_TRUE_FATAL(pki_to_pem(buf_bytes(&o->shown_ca->cert), "CERTIFICATE", &pem, NULL));
	json_put_text_n(out, "ca", buf_bytes(&pem));
	buf_clear(&csr);
	buf_clear(&cert);
	buf_clear(&pem);
}

static bool finish(const struct offer *o, struct err *e)
{
	struct buf text;
	struct json_out out = { .out = &text };
	char point[2 * POINT_LEN + 1];
	hex_encode(w.request.seal_point, POINT_LEN, point);
	buf_init(&text, 32768);
	json_open(&out, NULL, '{');
	json_put_text(&out, "branch", o->branch);
	certificate_put(o, &out);
	json_put_text(&out, "head_key", point);
	json_put_text(&out, "central_seal_key", point);
	json_open(&out, "broker", '{');
	json_put_text(&out, "host", "127.0.0.1");
	json_put_int(&out, "port", 8883);
	json_close(&out, '}');
	json_put_int(&out, "time_s", o->time_s);
	buf_add_str(&text, o->more);
	json_close(&out, '}');
	*e = (struct err){ 0 };
	bool ok = membership_finish(w.db, &w.vault, &w.request, buf_bytes(&text), e);
	buf_clear(&text);
	return ok;
}

static bool is_member(const char *branch)
{
	struct membership m;
	CU_ASSERT_TRUE_FATAL(membership_load(w.db, &w.vault, &m, NULL));
	bool is = m.is_member && strcmp(m.sync.branch, branch) == 0;
	membership_clear(&m);
	return is;
}

static void a_box_is_no_member_before_it_is_enrolled_and_one_afterwards(void)
{
	struct err e;
	struct membership m;
	struct offer o;
	fresh();
	o = good();
	CU_ASSERT_FALSE(is_member("haidian"));
	CU_ASSERT_TRUE(finish(&o, &e));
	CU_ASSERT_TRUE_FATAL(membership_load(w.db, &w.vault, &m, &e));
	CU_ASSERT_TRUE(m.is_member);
	CU_ASSERT_STRING_EQUAL(m.sync.branch, "haidian");
	CU_ASSERT_STRING_EQUAL(m.broker_host, "127.0.0.1");
	CU_ASSERT_EQUAL(m.broker_port, 8883);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&m.key), buf_bytes(&w.request.key)));
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&m.ca), buf_bytes(&w.ca.cert)));
	CU_ASSERT_EQUAL(memcmp(m.sync.seal_scalar, w.request.seal_scalar, SCALAR_LEN), 0);
	CU_ASSERT_EQUAL(memcmp(m.sync.head_key, w.request.seal_point, POINT_LEN), 0);
	membership_clear(&m);
	done();
}

static void a_box_whose_vault_was_wiped_is_a_member_without_a_seal_until_it_enrols_again(void)
{
	struct err e;
	struct membership m;
	struct offer o;
	fresh();
	o = good();
	CU_ASSERT_TRUE(finish(&o, &e));
	CU_ASSERT_TRUE(vault_wipe(&w.vault, NULL));
	CU_ASSERT_TRUE_FATAL(membership_load(w.db, &w.vault, &m, &e));
	CU_ASSERT_TRUE(m.is_member); /* it can still say so */
	CU_ASSERT_FALSE(m.has_seal);
	CU_ASSERT_TRUE(bytes_equal(buf_bytes(&m.key), buf_bytes(&w.request.key)));
	CU_ASSERT_NOT_EQUAL(memcmp(m.sync.seal_scalar, w.request.seal_scalar, SCALAR_LEN), 0);
	membership_clear(&m);
	CU_ASSERT_TRUE(finish(&o, &e));
	CU_ASSERT_TRUE(w.vault.has_key && !w.vault.wiped);
	CU_ASSERT_TRUE_FATAL(membership_load(w.db, &w.vault, &m, &e));
	CU_ASSERT_TRUE(m.has_seal);
	CU_ASSERT_EQUAL(memcmp(m.sync.seal_scalar, w.request.seal_scalar, SCALAR_LEN), 0);
	membership_clear(&m);
	done();
}

static void refused(const struct offer *o, enum err_code code)
{
	struct err e;
	CU_ASSERT_FALSE(finish(o, &e));
	CU_ASSERT_EQUAL(e.code, code);
	CU_ASSERT_FALSE(is_member(o->branch));
}

static void an_answer_that_is_not_proven_changes_nothing(void)
{
	struct offer o;
	struct identity mine;
	fresh();
	identity_issue(&w.ca, &mine, "haidian", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	o = good(), o.ca = &w.other_ca, refused(&o, ERR_DENIED);
	o = good(), o.shown_ca = &w.other_ca, refused(&o, ERR_DENIED);
	o = good(), o.ca = &w.other_ca, o.shown_ca = &w.other_ca, refused(&o, ERR_DENIED);
	o = good(), o.certified = "chaoyang", refused(&o, ERR_DENIED);
	o = good(), o.key = buf_bytes(&mine.key), refused(&o, ERR_DENIED);
	o = good(), o.use = PKI_CLIENT, refused(&o, ERR_DENIED);
	o = good(), o.time_s = IDENTITY_TO_S + 1, refused(&o, ERR_STALE);
	o = good(), o.branch = "Hai/Dian", refused(&o, ERR_INPUT);
	o = good(), o.more = ",\"extra\":1", refused(&o, ERR_INPUT);
	identity_clear(&mine);
	done();
}

static void a_member_may_renew_under_its_name_alone(void)
{
	struct err e;
	struct offer o;
	fresh();
	o = good();
	CU_ASSERT_TRUE(finish(&o, &e));
	CU_ASSERT_TRUE(finish(&o, &e));
	o.branch = o.certified = "chaoyang";
	refused(&o, ERR_CONFLICT);
	CU_ASSERT_TRUE(is_member("haidian"));
	done();
}

static void when_it_cannot_be_stored_nothing_is(void)
{
	struct err e;
	struct offer o;
	fresh();
	o = good();
	CU_ASSERT_TRUE_FATAL(db_exec(w.db, "PRAGMA query_only = ON", NULL));
	CU_ASSERT_FALSE(finish(&o, &e));
	CU_ASSERT_FALSE(is_member("haidian"));
	CU_ASSERT_TRUE_FATAL(db_exec(w.db, "PRAGMA query_only = OFF", NULL));
	CU_ASSERT_TRUE(finish(&o, &e));
	done();
}

static void a_ca_that_is_none_is_refused_at_once(void)
{
	struct membership_request q;
	struct err e = { 0 };
	CU_ASSERT_FALSE(membership_begin(&random_system, bytes_of("no PEM"), &q, &e));
	CU_ASSERT_EQUAL(e.code, ERR_INPUT);
}

static CU_TestInfo tests[] = {
	{ "a box is no member before it is enrolled, and one afterwards",
	  a_box_is_no_member_before_it_is_enrolled_and_one_afterwards },
	{ "a box whose vault was wiped is a member without a seal until it enrols again",
	  a_box_whose_vault_was_wiped_is_a_member_without_a_seal_until_it_enrols_again },
	{ "an answer that is not proven changes nothing", an_answer_that_is_not_proven_changes_nothing },
	{ "a member may renew, under its name alone", a_member_may_renew_under_its_name_alone },
	{ "when it cannot be stored nothing is", when_it_cannot_be_stored_nothing_is },
	{ "a CA that is none is refused at once", a_ca_that_is_none_is_refused_at_once },
	CU_TEST_INFO_NULL,
};
SUITE(membership, NULL, NULL, tests);
