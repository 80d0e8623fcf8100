#include "tests/support/certificates.h"

#include "central/release/document.h"
#include "protocol/cose.h"
#include "protocol/ecert_id.h"
#include "tests/support/checks.h"
#include "tests/support/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

static uint64_t seed;

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "certificates: %s\n", e->text);
	abort();
}

void document_of(const char *json, const char *type, struct buf *cbor)
{
	struct err e = { 0 };
	char *text = strdup(json);
	if (text == NULL)
		abort();
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	must(document_from_json(bytes_of(text), type, cbor, &e), &e);
	free(text);
}

void certificates_issuers(const struct certificates *c, const char *key_members, const char *issuer_kinds,
			  struct buf *out)
{
	char json[4096], kid[17];
	struct buf der, base64;
	struct err e = { 0 };
	buf_init(&der, TEXT_MAX);
	buf_init(&base64, TEXT_MAX);
	must(public_key_der(c->point, &der, &e), &e);
	base64_encode(buf_bytes(&der), &base64);
	hex_encode(c->kid, sizeof(c->kid), kid);
	snprintf(json, sizeof(json),
		 "{'type':'issuers','title':{'zh':'测试','en':'test'},'sample':true,'issuers':[{'code':'" CERT_ISSUER
		 "','profile':'xb1','name':{'zh':'示例局','en':'Sample "
		 "Bureau'},'kinds':%s,'keys':[{'kid':'%s','alg':'ES256',"
		 "'key':'%s'%s}]}]}",
		 issuer_kinds, kid, buf_str(&base64), key_members);
	document_of(json, "issuers", out);
	buf_clear(&der);
	buf_clear(&base64);
}

static const char kinds_json[] =
	"{'type':'kinds','title':{'zh':'测试','en':'test'},'sample':true,'kinds':["
	"{'code':'" CERT_TYPE
	"','name':{'zh':'示例证','en':'Sample permit'},'holder':'tag','holder_kinds':['resident_id'],"
	"'valid_months':12},"
	"{'code':'" CERT_MASKED "','name':{'zh':'示例照','en':'Sample licence'},'holder':'masked','holder_kinds':"
	"['resident_id','uscc']},"
	"{'code':'" CERT_NOBODY "','name':{'zh':'示例牌','en':'Sample plate'},'holder':'none','holder_kinds':[]}],"
	"'businesses':[{'code':'open_account','name':{'zh':'开户','en':'account "
	"opening'},'channel':'counter','accepts':['" CERT_TYPE "']},"
	"{'code':'loan','name':{'zh':'贷款','en':'loan'},'channel':'credit','accepts':['" CERT_TYPE "','" CERT_MASKED
	"','" CERT_NOBODY "']},"
	"{'code':'transfer','name':{'zh':'转账','en':'transfer'},'channel':'counter','accepts':[]}]}";

void certificates_open(struct certificates *c, const char *key_members, const char *issuer_kinds)
{
	struct err e = { 0 };
	seed = 20261125;
	struct random seeded = random_seeded(&seed);
	memset(c, 0, sizeof(*c));
	key_new(&seeded, c->scalar, c->point);
	cose_kid(c->point, c->kid);
	buf_init(&c->issuers_cbor, TEXT_MAX);
	buf_init(&c->kinds_cbor, TEXT_MAX);
	certificates_issuers(c, key_members, issuer_kinds, &c->issuers_cbor);
	document_of(kinds_json, "kinds", &c->kinds_cbor);
	c->issuers = issuers_parse(buf_bytes(&c->issuers_cbor), &e);
	must(c->issuers != NULL, &e);
	c->kinds = kinds_parse(buf_bytes(&c->kinds_cbor), &e);
	must(c->kinds != NULL, &e);
}

void certificates_close(struct certificates *c)
{
	issuers_free(c->issuers);
	kinds_free(c->kinds);
	buf_clear(&c->issuers_cbor);
	buf_clear(&c->kinds_cbor);
}

void certificates_apply(const struct certificates *c, struct documents *d)
{
	struct err e = { 0 };
	must(documents_apply(d, DOCUMENT_ISSUERS, 2, buf_bytes(&c->issuers_cbor), &e) &&
		     documents_apply(d, DOCUMENT_KINDS, 2, buf_bytes(&c->kinds_cbor), &e),
	     &e);
}

struct ecert certificate_of(const char *type, const char *serial, int64_t now_s, const struct tag_key *key)
{
	struct ecert c = { .profile = ECERT_XB1, .issued_s = now_s, .from_s = now_s, .to_s = now_s + 365LL * 86400 };
	struct ecert_id id = { .version = "001" };
	struct identifier holder;
	struct err e = { 0 };
	snprintf(id.type, sizeof(id.type), "%s", type);
	snprintf(id.issuer, sizeof(id.issuer), "%s", CERT_ISSUER);
	snprintf(id.serial, sizeof(id.serial), "%s", serial);
	must(ecert_id_compose(&id, c.id, &e), &e);
	snprintf(c.issuer, sizeof(c.issuer), "%s", CERT_ISSUER);
	snprintf(c.type, sizeof(c.type), "%s", type);
	snprintf(c.version, sizeof(c.version), "%s", id.version);
	snprintf(c.number, sizeof(c.number), "示例%s号", serial);
	if (strcmp(type, CERT_NOBODY) == 0)
		return c;
	must(identifier_parse(IDENTIFIER_RESIDENT_ID, ADULT, strlen(ADULT), 0, &holder, NULL, &e), &e);
	snprintf(c.holder_name, sizeof(c.holder_name), "示例甲");
	c.holder_kind = IDENTIFIER_RESIDENT_ID;
	c.holder_is_tagged = key != NULL;
	if (key != NULL) {
		c.holder_epoch = key->epoch;
		c.holder_tag = tag_of(key, &holder);
	} else {
		identifier_mask(&holder, c.holder_masked, sizeof(c.holder_masked));
	}
	return c;
}

void certificate_sign(const struct certificates *c, const struct ecert *cert, struct buf *cose)
{
	struct random seeded = random_seeded(&seed);
	struct buf cwt;
	struct err e = { 0 };
	buf_init(&cwt, TEXT_MAX);
	must(ecert_encode(cert, &cwt, &e), &e);
	must(sign1_sign(c->scalar, (struct bytes){ c->kid, sizeof(c->kid) }, &seeded, (struct bytes){ NULL, 0 },
			buf_bytes(&cwt), cose, &e),
	     &e);
	buf_clear(&cwt);
}

void certificate_text(const struct certificates *c, const struct ecert *cert, struct buf *text)
{
	struct buf cose;
	struct err e = { 0 };
	buf_init(&cose, TEXT_MAX);
	certificate_sign(c, cert, &cose);
	must(envelope_seal(ECERT_XB1, buf_bytes(&cose), text, &e), &e);
	buf_clear(&cose);
}
