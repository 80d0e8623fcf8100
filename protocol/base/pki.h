/*
 * Keys and X.509 on mbedTLS: P-256 keys, CSRs, and the certificates our own CA issues (RFC 5280; ECDSA with SHA-256).
 * Everything is DER inside; PEM only in files. randomness is the kernel's.
 */
#ifndef PROTOCOL_BASE_PKI_H
#define PROTOCOL_BASE_PKI_H

#include "protocol/base/buf.h"

#define PKI_CERT_MAX 4096
#define PKI_KEY_MAX  512

/* A new P-256 private key, SEC1 DER. */
bool pki_key_new(struct buf *key, struct err *e) CHECKED;
/* The raw forms crypto.h works on: 32-byte scalar, 65-byte uncompressed point. */
bool pki_key_raw(struct bytes key, uint8_t scalar[32], uint8_t point[65], struct err *e) CHECKED;

/* CSR (PKCS#10, DER) for CN=name, signed by key. */
bool pki_csr_new(struct bytes key, const char *name, struct buf *csr, struct err *e) CHECKED;

enum pki_use { PKI_CA, PKI_SERVER, PKI_CLIENT, PKI_SERVER_CLIENT };

struct pki_issue {
	struct bytes ca_cert, ca_key; /* ca_cert empty: self-signed */
	struct bytes csr;             /* its signature is checked, its name ignored; or empty, then: */
	struct bytes key;             /* private key whose public half is certified */
	const char *name;             /* CN */
	const char *const *sans;      /* DNS names and IP addresses, "localhost", "127.0.0.1" */
	size_t sans_len;
	enum pki_use use;
	int64_t from_s, to_s; /* Unix seconds */
	uint8_t serial[16];
};
bool pki_issue(const struct pki_issue *p, struct buf *cert, struct err *e) CHECKED;

struct pki_info {
	char name[65]; /* CN */
	char issuer[65];
	char serial[41]; /* hex */
	int64_t from_s, to_s;
	uint8_t point[65]; /* P-256 public key, zero when of another kind */
	bool is_ca;
};
bool pki_read(struct bytes cert, struct pki_info *out, struct err *e) CHECKED;
/* cert was issued by ca, for this use, and now_s lies in its period (ERR_STALE when not). */
bool pki_verify(struct bytes cert, struct bytes ca, enum pki_use use, int64_t now_s, struct err *e) CHECKED;

/* label is "CERTIFICATE", "EC PRIVATE KEY", "CERTIFICATE REQUEST". */
bool pki_to_pem(struct bytes der, const char *label, struct buf *pem, struct err *e) CHECKED;
bool pki_from_pem(struct bytes pem, const char *label, struct buf *der, struct err *e) CHECKED;

#endif
