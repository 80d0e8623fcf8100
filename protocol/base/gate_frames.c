/*
 * gate's frames, as deterministic CBOR arrays (no field is optional; parent and child are the same program, so there is no other
 * version to talk to):
 *   GATE_CONFIG  [now_s, run_dir, deadline_ms, idle_ms, conns_max, [port …]]
 *   port         [inward, name, host, port, socket, tls_name, cert, key, ca, peer_required]
 *   GATE_EVENT   [kind, port_name, number, text]
 *   GATE_CLOCK   8 bytes, big-endian
 */
#include "protocol/base/gate.h"

#include "protocol/base/pki.h"
#include "protocol/cbor.h"

#include <string.h>

#define CONFIG_FIELDS 6
#define PORT_FIELDS   10
#define EVENT_FIELDS  4
#define MS_MAX        3600000

static void port_put(struct buf *out, const struct gate_port *p)
{
	cbor_put_array(out, PORT_FIELDS);
	cbor_put_bool(out, p->inward);
	cbor_put_text(out, p->name);
	cbor_put_text(out, p->host);
	cbor_put_uint(out, (uint64_t)p->port);
	cbor_put_text(out, p->socket);
	cbor_put_text(out, p->tls_name);
	cbor_put_bytes(out, p->cert);
	cbor_put_bytes(out, p->key);
	cbor_put_bytes(out, p->ca);
	cbor_put_bool(out, p->peer_required);
}

bool gate_config_encode(const struct gate_config *c, struct buf *out, struct err *e)
{
	cbor_put_array(out, CONFIG_FIELDS);
	cbor_put_int(out, c->now_s);
	cbor_put_text(out, c->run_dir);
	cbor_put_uint(out, (uint64_t)c->deadline_ms);
	cbor_put_uint(out, (uint64_t)c->idle_ms);
	cbor_put_uint(out, (uint64_t)c->conns_max);
	cbor_put_array(out, c->ports_len);
	for (size_t i = 0; i < c->ports_len; i++)
		port_put(out, &c->ports[i]);
	return buf_ok(out, "gate's configuration", e);
}

static bool get_array(struct cbor *c, size_t want, struct err *e)
{
	size_t len = 0;
	if (!cbor_get_array(c, want, &len, e))
		return false;
	return len == want || err_set(e, ERR_INPUT, "an array of %zu where %zu are due", len, want);
}

static bool get_int(struct cbor *c, uint64_t max, int *out, struct err *e)
{
	uint64_t v = 0;
	if (!cbor_get_uint(c, &v, e))
		return false;
	*out = (int)v;
	return v <= max || err_set(e, ERR_INPUT, "a number above %llu", (unsigned long long)max);
}

static bool get_der(struct cbor *c, size_t max, struct bytes *out, struct err *e)
{
	if (!cbor_get_bytes(c, out, e))
		return false;
	return out->len <= max || err_set(e, ERR_INPUT, "a certificate or key of %zu bytes", out->len);
}

static bool port_is_whole(const struct gate_port *p)
{
	return p->name[0] != 0 && p->socket[0] == '/' && (p->inward || (p->host[0] != 0 && p->port > 0));
}

static bool port_get(struct cbor *c, struct gate_port *p, struct err *e)
{
	if (!get_array(c, PORT_FIELDS, e) || !cbor_get_bool(c, &p->inward, e) ||
	    !cbor_get_string(c, p->name, sizeof(p->name), e) || !cbor_get_string(c, p->host, sizeof(p->host), e) ||
	    !get_int(c, 65535, &p->port, e) || !cbor_get_string(c, p->socket, sizeof(p->socket), e) ||
	    !cbor_get_string(c, p->tls_name, sizeof(p->tls_name), e))
		return false;
	if (!get_der(c, PKI_CERT_MAX, &p->cert, e) || !get_der(c, PKI_KEY_MAX, &p->key, e) ||
	    !get_der(c, PKI_CERT_MAX, &p->ca, e) || !cbor_get_bool(c, &p->peer_required, e))
		return false;
	return port_is_whole(p) || err_set(e, ERR_INPUT, "port '%s' lacks its name, socket or host", p->name);
}

bool gate_config_decode(struct bytes payload, struct gate_config *c, struct err *e)
{
	struct cbor in = cbor_over(payload);
	*c = (struct gate_config){ 0 };
	if (!get_array(&in, CONFIG_FIELDS, e) || !cbor_get_int(&in, &c->now_s, e) ||
	    !cbor_get_string(&in, c->run_dir, sizeof(c->run_dir), e) || !get_int(&in, MS_MAX, &c->deadline_ms, e) ||
	    !get_int(&in, MS_MAX, &c->idle_ms, e) || !get_int(&in, HTTP_CONNS_MAX, &c->conns_max, e) ||
	    !cbor_get_array(&in, GATE_PORTS_MAX, &c->ports_len, e))
		return err_wrap(e, "gate's configuration");
	for (size_t i = 0; i < c->ports_len; i++) {
		if (!port_get(&in, &c->ports[i], e))
			return err_wrap(e, "gate's port %zu", i);
	}
	return cbor_end(&in, e);
}

bool gate_event_encode(const struct gate_event *v, struct buf *out, struct err *e)
{
	cbor_put_array(out, EVENT_FIELDS);
	cbor_put_uint(out, (uint64_t)v->kind);
	cbor_put_text(out, v->port_name);
	cbor_put_int(out, v->number);
	cbor_put_text(out, v->text);
	return buf_ok(out, "gate's event", e);
}

bool gate_event_decode(struct bytes payload, struct gate_event *v, struct err *e)
{
	struct cbor in = cbor_over(payload);
	uint64_t kind = 0;
	*v = (struct gate_event){ 0 };
	if (!get_array(&in, EVENT_FIELDS, e) || !cbor_get_uint(&in, &kind, e) ||
	    !cbor_get_string(&in, v->port_name, sizeof(v->port_name), e) || !cbor_get_int(&in, &v->number, e) ||
	    !cbor_get_string(&in, v->text, sizeof(v->text), e) || !cbor_end(&in, e))
		return err_wrap(e, "gate's event");
	if (kind < GATE_LISTENING || kind > GATE_SANDBOX)
		return err_set(e, ERR_INPUT, "gate's event is of kind %llu", (unsigned long long)kind);
	v->kind = (enum gate_event_kind)kind;
	return true;
}

void gate_clock_send(struct proc *p, int64_t now_s)
{
	uint8_t be[8];
	for (size_t i = 0; i < 8; i++)
		be[i] = (uint8_t)((uint64_t)now_s >> (56 - 8 * i));
	proc_send(p, GATE_CLOCK, (struct bytes){ be, sizeof(be) });
}

bool gate_clock_decode(struct bytes payload, int64_t *now_s, struct err *e)
{
	if (payload.len != 8)
		return err_set(e, ERR_INPUT, "gate's clock has %zu bytes", payload.len);
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | payload.data[i];
	*now_s = (int64_t)v;
	return true;
}
