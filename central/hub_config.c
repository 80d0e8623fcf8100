#include "central/hub.h"

#include "protocol/base/config.h"
#include "protocol/base/file.h"
#include "protocol/base/gate.h"
#include "protocol/base/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR_LEN 90   /* a Unix socket's path has 107 bytes, and ours end in "/run/enrol.sock" */
#define PEM_MAX 8192 /* of PKI_CERT_MAX bytes DER */

static bool dir_of(const char *ini_path, struct hub_config *c, struct err *e)
{
	char *path = realpath(ini_path, NULL);
	if (path == NULL)
		return err_set(e, ERR_MISSING, "%.150s cannot be read: centralctl init makes it", ini_path);
	char *slash = strrchr(path, '/');
	if (slash != NULL)
		*slash = '\0';
	bool fits = strlen(path) <= DIR_LEN;
	snprintf(c->dir, sizeof(c->dir), "%s", path);
	free(path);
	return fits || err_set(e, ERR_INPUT, "the directory's name is too long for the sockets in it");
}

static bool text_load(const struct hub_config *c, const char *name, struct buf *out, struct err *e)
{
	char path[320];
	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	return file_read(path, out, e);
}

static void secret_clear(struct buf *b)
{
	buf_wipe(b);
}

static bool pem_load(const struct hub_config *c, const char *name, const char *label, struct buf *der, struct err *e)
{
	struct buf pem;
	buf_init(&pem, PEM_MAX);
	bool ok = text_load(c, name, &pem, e) &&
		  (pki_from_pem(buf_bytes(&pem), label, der, e) || err_wrap(e, "%s", name));
	secret_clear(&pem);
	return ok;
}

static bool seal_key_load(struct hub_config *c, struct err *e)
{
	struct buf key;
	buf_init(&key, PKI_KEY_MAX);
	bool ok = pem_load(c, "seal.key", "EC PRIVATE KEY", &key, e) &&
		  pki_key_raw(buf_bytes(&key), c->seal_scalar, c->seal_point, e);
	secret_clear(&key);
	return ok;
}

static bool vault_key_load(struct hub_config *c, struct err *e)
{
	struct buf text;
	char hex[65] = "";
	buf_init(&text, 66);
	bool ok = text_load(c, "vault.key", &text, e);
	if (ok && text.len >= 64)
		memcpy(hex, text.data, 64);
	ok = ok && (hex_decode(hex, c->vault_key, 32) || err_set(e, ERR_INPUT, "vault.key: expected 64 hex digits"));
	explicit_bzero(hex, sizeof(hex));
	secret_clear(&text);
	return ok;
}

bool hub_config_load(const char *ini_path, struct hub_config *c, struct err *e)
{
	*c = (struct hub_config){ 0 };
	const struct config_key keys[] = {
		{ "central", "host", CONFIG_TEXT, c->host, sizeof(c->host), 0, 0, true },
		{ "central", "listen", CONFIG_TEXT, c->listen, sizeof(c->listen), 0, 0, true },
		{ "central", "enrol_port", CONFIG_INT, &c->enrol_port, 0, 0, 65535, true },
		{ "central", "department_port", CONFIG_INT, &c->department_port, 0, 1, 65535, false },
		{ "broker", "connect", CONFIG_TEXT, c->broker_connect, sizeof(c->broker_connect), 0, 0, false },
		{ "broker", "port", CONFIG_INT, &c->broker_port, 0, 1, 65535, true },
	};
	buf_init(&c->ca, PKI_CERT_MAX);
	buf_init(&c->broker_cert, PKI_CERT_MAX);
	buf_init(&c->broker_key, PKI_KEY_MAX);
	buf_init(&c->central_cert, PKI_CERT_MAX);
	buf_init(&c->central_key, PKI_KEY_MAX);
	return dir_of(ini_path, c, e) && config_load(ini_path, keys, sizeof(keys) / sizeof(keys[0]), e) &&
	       pem_load(c, "ca.pem", "CERTIFICATE", &c->ca, e) &&
	       pem_load(c, "broker.pem", "CERTIFICATE", &c->broker_cert, e) &&
	       pem_load(c, "broker.key", "EC PRIVATE KEY", &c->broker_key, e) &&
	       pem_load(c, "central.pem", "CERTIFICATE", &c->central_cert, e) &&
	       pem_load(c, "central.key", "EC PRIVATE KEY", &c->central_key, e) && seal_key_load(c, e) &&
	       vault_key_load(c, e);
}

void hub_config_clear(struct hub_config *c)
{
	buf_clear(&c->ca);
	buf_clear(&c->broker_cert);
	buf_clear(&c->central_cert);
	secret_clear(&c->broker_key);
	secret_clear(&c->central_key);
	explicit_bzero(c->vault_key, sizeof(c->vault_key));
	explicit_bzero(c->seal_scalar, sizeof(c->seal_scalar));
}

/* Inward, under the name the broker has too. */
static void port_in(const struct hub_config *c, const char *name, int64_t port, const char *socket,
		    struct gate_port *out)
{
	*out = (struct gate_port){ .inward = true, .port = (int)port };
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->host, sizeof(out->host), "%s", c->listen);
	snprintf(out->socket, sizeof(out->socket), "%s", socket);
	out->cert = buf_bytes(&c->broker_cert);
	out->key = buf_bytes(&c->broker_key);
}

void hub_config_gate(const struct hub_config *c, const struct hub_sockets *s, struct gate_config *g)
{
	struct gate_port *in = &g->ports[0], *out = &g->ports[1], *departments = &g->ports[2];
	port_in(c, "enrol", c->enrol_port, s->enrol, in);
	*out = (struct gate_port){ .port = (int)c->broker_port };
	snprintf(out->name, sizeof(out->name), "mqtt");
	snprintf(out->host, sizeof(out->host), "%s", c->broker_connect[0] != '\0' ? c->broker_connect : c->host);
	snprintf(out->tls_name, sizeof(out->tls_name), "%s", c->host);
	snprintf(out->socket, sizeof(out->socket), "%s", s->mqtt);
	out->cert = buf_bytes(&c->central_cert);
	out->key = buf_bytes(&c->central_key);
	out->ca = buf_bytes(&c->ca);
	g->ports_len = 2;
	if (c->department_port == 0)
		return;
	/* Nobody gets in without a certificate of ours; whose it is the port behind judges. */
	port_in(c, "departments", c->department_port, s->departments, departments);
	departments->ca = buf_bytes(&c->ca);
	departments->peer_required = true;
	g->ports_len = 3;
}
