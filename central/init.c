/* Files are written in an order that ends with central.ini: a directory without one is unfinished, and is named as such. */
#include "central/init.h"

#include "central/acl.h"
#include "protocol/base/file.h"
#include "protocol/base/limits.h"
#include "protocol/base/pki.h"
#include "protocol/crypto.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX 8192 /* of PKI_CERT_MAX bytes DER */

#define VALID_DAYS    3650
#define CLOCK_SLACK_S 86400 /* a peer's clock may be behind */

static const char *const names[] = { "ca.pem",      "ca.key",        "head.key",       "seal.key",
				     "vault.key",   "broker.pem",    "broker.key",     "central.pem",
				     "central.key", "mosquitto.acl", "mosquitto.conf", "central.ini" };

static bool path_of(const struct init_options *o, const char *name, char path[320], struct err *e)
{
	if (snprintf(path, 320, "%s/%s", o->dir, name) >= 320)
		return err_set(e, ERR_INPUT, "the directory's name is too long");
	return true;
}

static bool nothing_there(const struct init_options *o, struct err *e)
{
	char path[320];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!path_of(o, names[i], path, e))
			return false;
		if (access(path, F_OK) == 0)
			return err_set(e, ERR_CONFLICT, "%.200s is there already: nothing is overwritten", path);
	}
	return true;
}

static bool put(const struct init_options *o, const char *name, struct bytes data, struct err *e)
{
	char path[320];
	return path_of(o, name, path, e) && file_write(path, data, 0600, e);
}

static bool put_pem(const struct init_options *o, const char *name, const char *label, const struct buf *der,
		    struct err *e)
{
	struct buf pem;
	buf_init(&pem, PEM_MAX);
	bool ok = pki_to_pem(buf_bytes(der), label, &pem, e) && put(o, name, buf_bytes(&pem), e);
	buf_wipe(&pem);
	return ok;
}

static void key_clear(struct buf *key)
{
	buf_wipe(key);
}

static bool put_key(const struct init_options *o, const char *name, struct err *e)
{
	struct buf key;
	buf_init(&key, PKI_KEY_MAX);
	bool ok = pki_key_new(&key, e) && put_pem(o, name, "EC PRIVATE KEY", &key, e);
	key_clear(&key);
	return ok;
}

static bool put_vault_key(const struct init_options *o, struct err *e)
{
	uint8_t key[32];
	char hex[66];
	random_system.fill(random_system.arg, key, sizeof(key));
	hex_encode(key, sizeof(key), hex);
	hex[64] = '\n';
	bool ok = put(o, "vault.key", (struct bytes){ (const uint8_t *)hex, 65 }, e);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(hex, sizeof(hex));
	return ok;
}

struct ca {
	struct buf cert, key;
};

/* A key and its certificate, NAME.key and NAME.pem; made by ca, or self-signed and kept there. */
static bool put_identity(const struct init_options *o, struct ca *ca, enum pki_use use, const char *name,
			 const char *cn, struct err *e)
{
	struct buf cert, key;
	char cert_name[32], key_name[32];
	bool local = strncmp(o->host, "127.", 4) == 0;
	const char *sans[] = { o->host, "localhost" };
	int64_t days = o->valid_days > 0 ? o->valid_days : VALID_DAYS;
	buf_init(&cert, PKI_CERT_MAX);
	buf_init(&key, PKI_KEY_MAX);
	struct pki_issue p = {
		.name = cn, .use = use, .from_s = o->now_s - CLOCK_SLACK_S, .to_s = o->now_s + days * 86400
	};
	if (use != PKI_CA) {
		p.ca_cert = buf_bytes(&ca->cert);
		p.ca_key = buf_bytes(&ca->key);
	}
	if (use == PKI_SERVER) {
		p.sans = sans;
		p.sans_len = local ? 2 : 1;
	}
	random_system.fill(random_system.arg, p.serial, sizeof(p.serial));
	snprintf(cert_name, sizeof(cert_name), "%s.pem", name);
	snprintf(key_name, sizeof(key_name), "%s.key", name);
	bool ok = pki_key_new(&key, e);
	p.key = buf_bytes(&key);
	ok = ok && pki_issue(&p, &cert, e) && put_pem(o, key_name, "EC PRIVATE KEY", &key, e) &&
	     put_pem(o, cert_name, "CERTIFICATE", &cert, e);
	if (ok && use == PKI_CA) {
		buf_add(&ca->cert, cert.data, cert.len);
		buf_add(&ca->key, key.data, key.len);
	}
	buf_clear(&cert);
	key_clear(&key);
	return ok;
}

static bool put_identities(const struct init_options *o, struct err *e)
{
	struct ca ca;
	buf_init(&ca.cert, PKI_CERT_MAX);
	buf_init(&ca.key, PKI_KEY_MAX);
	bool ok = put_identity(o, &ca, PKI_CA, "ca", "Xinbian CA", e) &&
		  put_identity(o, &ca, PKI_SERVER, "broker", "broker", e) &&
		  put_identity(o, &ca, PKI_CLIENT, "central", "central", e);
	buf_clear(&ca.cert);
	key_clear(&ca.key);
	return ok;
}

static bool is_address(const char *host)
{
	uint8_t to[16];
	return inet_pton(AF_INET, host, to) == 1 || inet_pton(AF_INET6, host, to) == 1;
}

/* A name is for branches to look up; we listen on every address then. */
static bool put_broker(const struct init_options *o, struct err *e)
{
	struct buf text;
	buf_init(&text, 8192);
	buf_add_str(
		&text,
		"# The broker between central and its branches. It is disposable: every guarantee is end to end.\n");
	if (geteuid() == 0)
		buf_add_str(&text, "user root\n");
	buf_add_fmt(&text, "per_listener_settings false\nlistener %d%s%s\n", o->broker_port,
		    is_address(o->host) ? " " : "", is_address(o->host) ? o->host : "");
	buf_add_fmt(&text,
		    "cafile %s/ca.pem\ncertfile %s/broker.pem\nkeyfile %s/broker.key\ntls_version tlsv1.2\n"
		    "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
		    "acl_file %s/mosquitto.acl\n",
		    o->dir, o->dir, o->dir, o->dir);
	buf_add_fmt(&text,
		    "persistence false\n"
		    "max_packet_size %u\n"
		    "max_inflight_messages 64\n"
		    "max_queued_messages 1000\n"
		    "max_queued_bytes 67108864\n"
		    "max_keepalive 120\n"
		    "set_tcp_nodelay true\n"
		    "sys_interval 0\n",
		    MQTT_PACKET_MAX);
	bool ok = buf_ok(&text, "mosquitto.conf", e) && put(o, "mosquitto.conf", buf_bytes(&text), e);
	buf_clear(&text);
	return ok;
}

static bool put_ini(const struct init_options *o, struct err *e)
{
	struct buf text;
	buf_init(&text, 4096);
	buf_add_fmt(&text,
		    "; host: the name or address under which branches reach the broker and the enrolment port; both\n"
		    "; certificates carry it. listen: where the enrolment port is opened.\n"
		    "[central]\nhost = %s\nlisten = %s\nenrol_port = %d\n\n"
		    "; The broker as branches reach it, and centrald too unless connect names another address.\n"
		    "[broker]\nport = %d\n",
		    o->host, is_address(o->host) ? o->host : "0.0.0.0", o->api_port, o->broker_port);
	if (o->department_port != 0)
		buf_add_fmt(&text,
			    "\n; Where departments leave their files, by HTTPS with a certificate of ours.\n"
			    "[central]\ndepartment_port = %d\n",
			    o->department_port);
	bool ok = buf_ok(&text, "central.ini", e) && put(o, "central.ini", buf_bytes(&text), e);
	buf_clear(&text);
	return ok;
}

static bool host_check(const char *host, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-";
	if (host[0] == '\0' || strlen(host) > 63 || strspn(host, allowed) != strlen(host))
		return err_set(e, ERR_INPUT, "--host: a host name or an address");
	return true;
}

static bool port_check(const char *name, int port, struct err *e)
{
	return (port > 0 && port < 65536) || err_set(e, ERR_INPUT, "%s: a port is 1 to 65535", name);
}

/* o->dir is absolute and there. */
static bool put_all(const struct init_options *o, struct err *e)
{
	return nothing_there(o, e) && put_identities(o, e) && put_key(o, "head.key", e) &&
	       put_key(o, "seal.key", e) && put_vault_key(o, e) && acl_store(o->dir, &(struct acl){ 0 }, e) &&
	       put_broker(o, e) && put_ini(o, e);
}

bool init_run(const struct init_options *o, struct err *e)
{
	struct init_options absolute = *o;
	if (!host_check(o->host, e) || !port_check("--broker-port", o->broker_port, e) ||
	    !port_check("--api-port", o->api_port, e) ||
	    (o->department_port != 0 && !port_check("--department-port", o->department_port, e)) ||
	    !file_make_dir(o->dir, e))
		return false;
	char *dir = realpath(o->dir, NULL);
	if (dir == NULL)
		return err_set(e, ERR_IO, "%.200s cannot be reached", o->dir);
	absolute.dir = dir;
	bool ok = put_all(&absolute, e);
	free(dir);
	return ok;
}
