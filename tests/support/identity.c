#include "tests/support/identity.h"

#include "protocol/base/file.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t serial;

static void identity_make(const struct identity *ca, struct identity *id, const struct pki_issue *order)
{
	struct pki_issue p = *order;
	struct err e;
	buf_init(&id->cert, PKI_CERT_MAX);
	buf_init(&id->key, PKI_KEY_MAX);
	bool ok = pki_key_new(&id->key, &e);
	p.key = buf_bytes(&id->key);
	p.serial[0] = ++serial;
	if (ca != NULL) {
		p.ca_cert = buf_bytes(&ca->cert);
		p.ca_key = buf_bytes(&ca->key);
	}
	if (ok && pki_issue(&p, &id->cert, &e))
		return;
	fprintf(stderr, "identity: %s\n", e.text);
	abort();
}

void identity_ca(struct identity *ca, const char *name)
{
	identity_make(
		NULL, ca,
		&(struct pki_issue){ .name = name, .use = PKI_CA, .from_s = IDENTITY_FROM_S, .to_s = IDENTITY_TO_S });
}

void identity_issue(const struct identity *ca, struct identity *id, const char *name, enum pki_use use,
		    int64_t from_s, int64_t to_s)
{
	static const char *const sans[] = { "localhost", "127.0.0.1" };
	identity_make(ca, id,
		      &(struct pki_issue){ .name = name,
					   .sans = sans,
					   .sans_len = use == PKI_SERVER || use == PKI_SERVER_CLIENT ? 2 : 0,
					   .use = use,
					   .from_s = from_s,
					   .to_s = to_s });
}

void identity_clear(struct identity *id)
{
	buf_clear(&id->cert);
	buf_clear(&id->key);
}

static void store_one(const struct buf *der, const char *label, const char *path)
{
	struct buf pem;
	struct err e;
	buf_init(&pem, 4 * (size_t)PKI_CERT_MAX);
	if (!pki_to_pem(buf_bytes(der), label, &pem, &e) || !file_write(path, buf_bytes(&pem), 0600, &e)) {
		fprintf(stderr, "identity: %s\n", e.text);
		abort();
	}
	buf_clear(&pem);
}

void identity_store(const struct identity *id, const char *dir, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s.crt", dir, name);
	store_one(&id->cert, "CERTIFICATE", path);
	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	store_one(&id->key, "EC PRIVATE KEY", path);
}
