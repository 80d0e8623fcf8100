/*
 * Fresh → (SIGNER_CONFIG) the keys are read, then the sandbox is entered → signing. A second configuration, a question before
 * the first, or anything that is no question ends the process: its parent starts another.
 */
#include "central/branch/branches.h"
#include "central/branch/enrol.h"
#include "central/ledger/daily.h"
#include "central/signer/signer.h"
#include "central/signer/wire.h"
#include "protocol/base/file.h"
#include "protocol/base/log.h"
#include "protocol/base/pki.h"
#include "protocol/base/sandbox.h"
#include "protocol/ecert.h"
#include "protocol/head.h"
#include "protocol/sign1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX 8192 /* of PKI_CERT_MAX bytes DER */

struct child {
	struct loop *loop;
	struct channel *channel;
	bool ready;
	int status;
	struct buf ca_cert, ca_key; /* DER */
	uint8_t head_scalar[SCALAR_LEN], head_point[POINT_LEN];
	uint64_t last_sequence;
	struct daily_head daily; /* the last signed; batches 0: none */
};

static void child_fail(struct child *c, const struct err *e)
{
	log_error(e->text, "code=%s", err_name(e->code));
	c->status = 1;
	loop_stop(c->loop);
}

static bool pem_load(const char *dir, const char *name, const char *label, struct buf *der, struct err *e)
{
	char path[320];
	struct buf pem;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_init(&pem, PEM_MAX);
	bool ok = (file_read(path, &pem, e) && pki_from_pem(buf_bytes(&pem), label, der, e)) ||
		  err_wrap(e, "%.100s", path);
	buf_wipe(&pem);
	return ok;
}

static bool keys_load(struct child *c, const char *dir, struct err *e)
{
	struct buf head_key;
	buf_init(&head_key, PKI_KEY_MAX);
	bool ok = pem_load(dir, "ca.pem", "CERTIFICATE", &c->ca_cert, e) &&
		  pem_load(dir, "ca.key", "EC PRIVATE KEY", &c->ca_key, e) &&
		  pem_load(dir, "head.key", "EC PRIVATE KEY", &head_key, e) &&
		  pki_key_raw(buf_bytes(&head_key), c->head_scalar, c->head_point, e);
	buf_wipe(&head_key);
	return ok;
}

static bool configure(struct child *c, struct cbor *in, struct err *e)
{
	char dir[256];
	struct sandbox_report how;
	struct buf out;
	if (c->ready)
		return err_set(e, ERR_CONFLICT, "the signer is configured already");
	if (!cbor_expect_array(in, 1, e) || !cbor_get_string(in, dir, sizeof(dir), e) || !cbor_end(in, e) ||
	    !keys_load(c, dir, e) || !sandbox_enter(SANDBOX_SIGNER, NULL, 0, NULL, 0, &how, e))
		return false;
	c->ready = true;
	buf_init(&out, 512);
	cbor_put_array(&out, 2);
	cbor_put_bytes(&out, (struct bytes){ c->head_point, POINT_LEN });
	cbor_put_text(&out, how.text);
	bool ok = channel_send(c->channel, SIGNER_READY, buf_bytes(&out)) ||
		  err_set(e, ERR_IO, "the parent takes no more");
	buf_clear(&out);
	return ok;
}

static bool head_answer(struct child *c, struct bytes payload, struct buf *result, struct err *why)
{
	struct head h = { 0 };
	bool ok = head_decode(payload, &h, why);
	if (ok && h.sequence <= c->last_sequence)
		ok = err_set(why, ERR_STALE, "a head of sequence %llu, after %llu", (unsigned long long)h.sequence,
			     (unsigned long long)c->last_sequence);
	if (ok) {
		c->last_sequence = h.sequence;
		ok = head_sign(&h, c->head_scalar, c->head_point, &random_system, result, why);
	}
	head_clear(&h);
	return ok;
}

/* One head a day; the same one again, whose first signature was lost, is no second. */
static bool daily_answer(struct child *c, struct bytes payload, struct buf *result, struct err *why)
{
	struct daily_head h;
	const struct daily_head *last = &c->daily;
	if (!daily_decode(payload, &h, why))
		return false;
	if (last->batches > 0 && !daily_same(&h, last)) {
		if (h.day == last->day)
			return err_set(why, ERR_CONFLICT, "another head of the ledger was signed for this day");
		if (h.day < last->day || h.batches < last->batches)
			return err_set(why, ERR_STALE, "a head of the ledger from before the last that was signed");
	}
	if (!daily_sign(payload, c->head_scalar, c->head_point, &random_system, result, why))
		return false;
	c->daily = h;
	return true;
}

struct issue {
	char name[NAME_MAX_LEN + 1];
	struct bytes csr;
	int64_t from_s, to_s;
	size_t sans_len;
	char sans[ENROL_SANS_MAX][64];
};

static bool issue_decode(struct cbor *in, struct issue *i, struct err *e)
{
	if (!cbor_get_string(in, i->name, sizeof(i->name), e) || !cbor_get_bytes(in, &i->csr, e) ||
	    !cbor_get_int(in, &i->from_s, e) || !cbor_get_int(in, &i->to_s, e) ||
	    !cbor_get_array(in, ENROL_SANS_MAX, &i->sans_len, e))
		return false;
	for (size_t n = 0; n < i->sans_len; n++) {
		if (!cbor_get_string(in, i->sans[n], sizeof(i->sans[n]), e))
			return false;
	}
	return cbor_end(in, e);
}

static bool issue_answer(struct child *c, const struct issue *i, struct buf *result, struct err *why)
{
	const char *sans[ENROL_SANS_MAX];
	if (!branch_name_check(i->name, why))
		return false;
	if (i->csr.len == 0)
		return err_set(why, ERR_INPUT, "no request to certify");
	for (size_t n = 0; n < i->sans_len; n++)
		sans[n] = i->sans[n];
	struct pki_issue p = {
		.ca_cert = buf_bytes(&c->ca_cert),
		.ca_key = buf_bytes(&c->ca_key),
		.csr = i->csr,
		.name = i->name,
		.sans = sans,
		.sans_len = i->sans_len,
		.use = PKI_SERVER_CLIENT,
		.from_s = i->from_s,
		.to_s = i->to_s,
	};
	random_system.fill(random_system.arg, p.serial, sizeof(p.serial));
	return pki_issue(&p, result, why);
}

/* --- issuers of e-certificates --- */

/* What their keys are sealed under outside this process. */
static void seal_key_derive(const struct child *c, uint8_t key[32])
{
	hkdf_sha256((struct bytes){ c->head_scalar, SCALAR_LEN }, (struct bytes){ NULL, 0 },
		    bytes_of("xb/1/issuer-keys"), key, 32);
}

static struct bytes seal_context(const char *issuer, char text[80])
{
	snprintf(text, 80, "xb/1/issuer-key/%s", issuer);
	return bytes_of(text);
}

static bool key_answer(struct child *c, struct cbor *in, struct buf *result, struct err *why)
{
	char issuer[ECERT_PART_MAX + 1], context[80];
	uint8_t scalar[SCALAR_LEN], point[POINT_LEN], key[32];
	struct buf sealed;
	if (!cbor_get_string(in, issuer, sizeof(issuer), why) || !cbor_end(in, why))
		return false;
	buf_init(&sealed, 256);
	key_new(&random_system, scalar, point);
	seal_key_derive(c, key);
	bool ok = aead_seal(key, &random_system, seal_context(issuer, context), (struct bytes){ scalar, SCALAR_LEN },
			    &sealed, why);
	explicit_bzero(scalar, sizeof(scalar));
	explicit_bzero(key, sizeof(key));
	cbor_put_array(result, 2);
	cbor_put_bytes(result, (struct bytes){ point, POINT_LEN });
	cbor_put_bytes(result, buf_bytes(&sealed));
	buf_clear(&sealed);
	return ok;
}

static bool certificate_sign(struct child *c, const struct signer_certificate *q, struct buf *result, struct err *why)
{
	char context[80];
	uint8_t key[32];
	struct buf scalar;
	buf_init(&scalar, 64);
	seal_key_derive(c, key);
	bool ok = aead_open(key, seal_context(q->issuer, context), q->sealed, &scalar, why) &&
		  (scalar.len == SCALAR_LEN || err_set(why, ERR_INPUT, "a key of another length")) &&
		  sign1_sign(scalar.data, q->kid, &random_system, (struct bytes){ NULL, 0 }, q->cwt, result, why);
	explicit_bzero(key, sizeof(key));
	buf_wipe(&scalar);
	return ok;
}

/* Signs nothing but a certificate of this issuer. */
static bool certificate_answer(struct child *c, struct cbor *in, struct buf *result, struct err *why)
{
	char issuer[ECERT_PART_MAX + 1];
	struct signer_certificate q = { .issuer = issuer };
	struct ecert cert;
	if (!cbor_get_string(in, issuer, sizeof(issuer), why) || !cbor_get_bytes(in, &q.kid, why) ||
	    !cbor_get_bytes(in, &q.sealed, why) || !cbor_get_bytes(in, &q.cwt, why) || !cbor_end(in, why) ||
	    !ecert_decode(q.cwt, &cert, why))
		return false;
	if (strcmp(cert.issuer, issuer) != 0)
		return err_set(why, ERR_DENIED, "the certificate is another issuer's");
	return certificate_sign(c, &q, result, why);
}

/* --- questions --- */

static bool head_take(struct child *c, struct cbor *in, struct buf *result, struct err *why)
{
	struct bytes payload;
	return cbor_get_bytes(in, &payload, why) && cbor_end(in, why) && head_answer(c, payload, result, why);
}

static bool daily_take(struct child *c, struct cbor *in, struct buf *result, struct err *why)
{
	struct bytes payload;
	return cbor_get_bytes(in, &payload, why) && cbor_end(in, why) && daily_answer(c, payload, result, why);
}

static bool issue_take(struct child *c, struct cbor *in, struct buf *result, struct err *why)
{
	struct issue issue = { 0 };
	return issue_decode(in, &issue, why) && issue_answer(c, &issue, result, why);
}

static const struct question_kind {
	enum signer_frame frame;
	size_t fields;
	bool (*answer)(struct child *c, struct cbor *in, struct buf *result, struct err *why);
} question_kinds[] = {
	{ SIGNER_HEAD, 2, head_take },          { SIGNER_ISSUE, 6, issue_take }, { SIGNER_KEY, 2, key_answer },
	{ SIGNER_CERT, 5, certificate_answer }, { SIGNER_DAILY, 2, daily_take },
};

static const struct question_kind *kind_of(uint8_t type)
{
	for (size_t i = 0; i < sizeof(question_kinds) / sizeof(question_kinds[0]); i++)
		if (question_kinds[i].frame == type)
			return &question_kinds[i];
	return NULL;
}

static bool question_take(struct child *c, uint8_t type, struct cbor *in, struct err *e)
{
	const struct question_kind *kind = kind_of(type);
	uint64_t id = 0;
	struct buf result, out;
	struct err why = { 0 };
	if (!c->ready || kind == NULL)
		return err_set(e, ERR_INPUT, "a frame of type %u that is no question", type);
	if (!cbor_expect_array(in, kind->fields, e) || !cbor_get_uint(in, &id, e))
		return false;
	buf_init(&result, COSE_MAX);
	buf_init(&out, FRAME_MAX - 1);
	bool done = kind->answer(c, in, &result, &why);
	cbor_put_array(&out, 4);
	cbor_put_uint(&out, id);
	cbor_put_uint(&out, done ? ERR_NONE : why.code);
	cbor_put_text(&out, why.text);
	cbor_put_bytes(&out, done ? buf_bytes(&result) : (struct bytes){ NULL, 0 });
	bool ok = buf_ok(&out, "answer", e) && (channel_send(c->channel, SIGNER_ANSWER, buf_bytes(&out)) ||
						err_set(e, ERR_IO, "the parent takes no more"));
	buf_clear(&result);
	buf_clear(&out);
	return ok;
}

static void on_frame(void *arg, uint8_t type, struct bytes payload)
{
	struct child *c = arg;
	struct cbor in = cbor_over(payload);
	struct err e = { 0 };
	bool ok = type == SIGNER_CONFIG ? configure(c, &in, &e) : question_take(c, type, &in, &e);
	if (!ok)
		child_fail(c, &e);
}

static void key_clear(struct buf *key)
{
	buf_wipe(key);
}

int signer_main(void)
{
	struct child c = { 0 };
	log_init("signer", LOG_LEVEL_INFO);
	buf_init(&c.ca_cert, PKI_CERT_MAX);
	buf_init(&c.ca_key, PKI_KEY_MAX);
	c.loop = loop_new();
	c.channel = channel_open(c.loop, CHANNEL_FD, on_frame, &c);
	loop_run(c.loop);
	channel_close(c.channel);
	loop_free(c.loop);
	buf_clear(&c.ca_cert);
	key_clear(&c.ca_key);
	explicit_bzero(c.head_scalar, sizeof(c.head_scalar));
	return c.status;
}
