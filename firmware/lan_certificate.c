/*
 * Look-ups of a holder's certificates: asked of central while the line is up, out of the cache otherwise. Each has a row in the journal
 * before anything of it is shown, refused ones too. What came from central is verified here like a scan, and only then kept.
 */
#include "firmware/lan_inner.h"
#include "protocol/base/log.h"
#include "protocol/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLY_MAX  2097152U /* BODIES_MAX files in base64, and words */
#define LOOKUP_503 "not in the cache, and central cannot be asked: %s; try again when the line is back"

struct lan_lookup {
	struct lan *lan;
	struct lan_pending *pending;
	struct lan_lookup *next; /* of those that wait for central */
	struct body_query query;
	struct identifier holder;
	char number[PERSON_NAME_MAX + 1]; /* as the terminal gave it */
	struct scan_lookup row;
	bool offline;
	struct json_out out; /* the certificates so far, into the pending's reply */
};

/* --- the row --- */

static bool lookup_decide(struct lan *l, struct lan_pending *p, struct err *e)
{
	const struct lan_lookup *k = p->request;
	return lan_lookup_record(l, p, &k->row, e);
}

static void lookup_done(struct lan *l, const struct lan_pending *p)
{
	const struct lan_lookup *k = p->request;
	if (!p->decided)
		return;
	l->n.lookups_central += strcmp(k->row.source, "central") == 0;
	l->n.lookups_cache += strcmp(k->row.source, "cache") == 0;
	l->n.lookups_none += strcmp(k->row.source, "none") == 0;
}

static void lookup_free(void *request)
{
	explicit_bzero(request, sizeof(struct lan_lookup));
	free(request);
}

static const struct lan_kind lookup_kind = { lookup_decide, NULL, lookup_done, lookup_free, NULL };

/* Joins the turn: what was found, or why nothing is shown. */
static void lookup_end(struct lan_lookup *k, const char *source, int status, const struct err *why)
{
	struct lan_pending *p = k->pending;
	snprintf(k->row.source, sizeof(k->row.source), "%s", source);
	k->row.result = why->code;
	p->status = status;
	p->error = *why;
	lan_pending_add(k->lan, p);
}

/* --- one certificate --- */

/* What became of the file: its digest stands in what was signed. */
static const char *file_state(const struct verdict *v, const struct body *b)
{
	uint8_t hash[HASH_LEN];
	if (b->file.data == NULL)
		return b->file_left_out ? "left_out" : "none";
	sha256(b->file, hash);
	return v->cert.has_digest && memcmp(hash, v->cert.digest, HASH_LEN) == 0 ? "whole" : "damaged";
}

static void file_put(struct json_out *w, const struct verdict *v, const struct body *b)
{
	const char *state = file_state(v, b);
	struct buf text;
	json_put_text(w, "file_state", state);
	if (strcmp(state, "whole") != 0) {
		json_put_null(w, "file");
		return;
	}
	buf_init(&text, (size_t)2 * BODY_FILE_MAX);
	base64_encode(b->file, &text);
	json_open(w, "file", '{');
	json_put_text(w, "media_type", b->media_type);
	json_put_text_n(w, "data", buf_bytes(&text));
	json_close(w, '}');
	buf_clear(&text);
}

static bool has_finding(const struct verdict *v, enum scan_code code)
{
	for (size_t i = 0; i < v->findings_len; i++)
		if (v->findings[i].code == code)
			return true;
	return false;
}

/* As a scan of it would be judged now. The purpose is the business, where the document knows it as one. */
static void body_verify(const struct lan_lookup *k, const struct body *b, struct verdict *v)
{
	const struct lan *l = k->lan;
	const struct verify_policy *policy = documents_verify_policy(l->c.documents);
	const struct verify_setting s = {
		.policy = policy, .source = l->source, .now_s = lan_clock_s(l), .clock_trusted = l->c.clock->trusted
	};
	const char *purpose = k->query.purpose;
	struct verify_request r = {
		.business = policy->kinds != NULL && kinds_business(policy->kinds, purpose) != NULL ? purpose : "",
		.has_holder = true,
		.holder = { .kind = k->holder.kind, .birth_day = INT64_MIN },
	};
	snprintf(r.holder.number, sizeof(r.holder.number), "%s", k->number);
	verify_cose(&s, ECERT_XB1, b->cose, &r, v);
	explicit_bzero(&r, sizeof(r));
}

/* Somebody else's, of another kind, or not genuine: no word of it is shown. */
static bool is_his(const struct lan_lookup *k, const struct verdict *v)
{
	return v->authentic && !has_finding(v, SCAN_HOLDER_MISMATCH) && strcmp(v->cert.type, k->query.type) == 0;
}

static void body_show(struct lan_lookup *k, const struct body *b, const struct verdict *v, int64_t fetched_s)
{
	struct json_out *w = &k->out;
	json_open(w, NULL, '{');
	json_put_int(w, "fetched_s", fetched_s);
	verify_json(v, w);
	file_put(w, v, b);
	json_close(w, '}');
	k->row.given++;
}

static void reply_open(struct lan_lookup *k)
{
	struct lan_pending *p = k->pending;
	buf_clear(&p->reply);
	buf_init(&p->reply, REPLY_MAX);
	k->out = (struct json_out){ &p->reply, false };
	json_open(&k->out, NULL, '{');
	json_put_text(&k->out, "source", k->offline ? "cache" : "central");
	json_put_bool(&k->out, "offline", k->offline);
	if (k->offline) {
		json_open(&k->out, "note", '{');
		json_put_text(&k->out, "zh", "线路不通，以下为本机所存；撤销情况以本机名单为准");
		json_put_text(&k->out, "en",
			      "The line is down: these are the copies kept here, judged by the lists kept here");
		json_close(&k->out, '}');
	}
	json_put_text(&k->out, "holder_masked", k->row.holder_masked);
	json_put_text(&k->out, "kind", k->query.type);
	json_put_text(&k->out, "purpose", k->query.purpose);
	json_open(&k->out, "certificates", '[');
}

/* False: the answer does not fit, which cannot be. */
static bool reply_close(struct lan_lookup *k, bool more, struct err *e)
{
	json_close(&k->out, ']');
	json_put_bool(&k->out, "more", more);
	json_close(&k->out, '}');
	return buf_ok(&k->pending->reply, "the answer", e);
}

static struct cache_key key_of(const struct lan_lookup *k)
{
	return (struct cache_key){ k->holder.kind, k->holder.canonical, k->query.type, k->query.purpose };
}

/* --- out of the cache --- */

static void on_cached(void *arg, const struct body *b, int64_t fetched_s)
{
	struct lan_lookup *k = arg;
	struct verdict v;
	body_verify(k, b, &v);
	if (is_his(k, &v))
		body_show(k, b, &v, fetched_s);
}

static void lookup_cached(struct lan_lookup *k, const struct err *why)
{
	struct lan *l = k->lan;
	const struct cache_key key = key_of(k);
	struct err e = { 0 };
	k->offline = true;
	reply_open(k);
	bool ok = l->c.cache == NULL || cache_each(l->c.cache, &key, lan_clock_s(l), on_cached, k, &e);
	ok = ok && reply_close(k, false, &e);
	if (ok && k->row.given == 0)
		ok = err_set(&e, ERR_IO, LOOKUP_503, why->text);
	lookup_end(k, k->row.given > 0 ? "cache" : "none", ok ? 200 : 503, &e);
}

/* --- from central --- */

static void body_keep(const struct lan_lookup *k, const struct body *b, const struct verdict *v)
{
	struct lan *l = k->lan;
	const struct cache_key key = key_of(k);
	struct err e = { 0 };
	bool dead = has_finding(v, SCAN_EXPIRED) || has_finding(v, SCAN_REVOKED) || has_finding(v, SCAN_SUPERSEDED) ||
		    has_finding(v, SCAN_SUSPENDED);
	if (l->c.cache == NULL || dead || b->status != ECERT_VALID)
		return;
	if (!cache_put(l->c.cache, &key, v->identity.canonical, b, v->cert.to_s, lan_clock_s(l), &e))
		log_warn("a certificate could not be kept", "why=\"%s\"", e.text);
}

static void lookup_given(struct lan_lookup *k, const struct body_reply *r)
{
	struct err e = { 0 };
	uint64_t others = 0;
	reply_open(k);
	for (size_t i = 0; i < r->bodies_len; i++) {
		struct verdict v;
		body_verify(k, &r->bodies[i], &v);
		if (is_his(k, &v)) {
			body_show(k, &r->bodies[i], &v, lan_clock_s(k->lan));
			body_keep(k, &r->bodies[i], &v);
		} else {
			others++;
		}
	}
	if (others > 0)
		log_warn("central gave certificates that do not verify here", "count=%llu",
			 (unsigned long long)others);
	bool ok = reply_close(k, r->more, &e);
	if (ok && k->row.given == 0)
		ok = err_set(&e, ERR_MISSING, "central gave no certificate that verifies here");
	lookup_end(k, "central", ok ? 200 : e.code == ERR_MISSING ? 404 : 500, &e);
}

/* Central has said no: what is kept here goes. */
static void lookup_refused(struct lan_lookup *k, const struct err *why)
{
	struct lan *l = k->lan;
	const struct cache_key key = key_of(k);
	struct err e = { 0 };
	int status = why->code == ERR_DENIED ? 403 : 404;
	if (l->c.cache != NULL && !cache_drop(l->c.cache, &key, &e))
		log_warn("kept certificates could not be erased", "why=\"%s\"", e.text);
	lookup_end(k, "central", status, why);
}

static void on_bodies(void *arg, const struct body_reply *r, const struct err *why)
{
	struct lan_lookup *k = arg;
	struct lan_lookup **at = &k->lan->lookups;
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if (r != NULL)
		lookup_given(k, r);
	else if (why->code == ERR_DENIED || why->code == ERR_MISSING)
		lookup_refused(k, why);
	else
		lookup_cached(k, why);
}

void lan_lookups_end(struct lan *l)
{
	while (l->lookups != NULL) {
		struct lan_lookup *k = l->lookups;
		l->lookups = k->next;
		l->c.forget(l->c.arg, k);
		lan_pending_free(k->pending);
	}
}

/* --- the request --- */

static bool word_take(struct http_request *r, const char *key, size_t max, char *out, struct err *e)
{
	const char *text = http_query(r, key);
	if (text == NULL || text[0] == '\0')
		return err_set(e, ERR_INPUT, "%s: missing", key);
	if (strlen(text) > max || !utf8_is_valid(bytes_of(text)))
		return err_set(e, ERR_INPUT, "%s: longer than %zu bytes, or not UTF-8", key, max);
	snprintf(out, max + 1, "%s", text);
	return true;
}

static bool lookup_parse(struct lan_lookup *k, struct http_request *r, const char *terminal, struct err *e)
{
	const char *kind = http_query(r, "holder_kind");
	enum identifier_kind of = IDENTIFIER_RESIDENT_ID;
	if (kind != NULL && (!identifier_kind_of(kind, &of) || of > IDENTIFIER_PARTY_LAST || of == IDENTIFIER_NAME))
		return err_set(e, ERR_INPUT, "holder_kind: there is no kind of document '%.32s'", kind);
	if (!word_take(r, "holder", PERSON_NAME_MAX, k->number, e) ||
	    !word_take(r, "kind", ECERT_PART_MAX, k->query.type, e) ||
	    !word_take(r, "purpose", PURPOSE_MAX, k->query.purpose, e))
		return false;
	if (!identifier_parse(of, k->number, strlen(k->number), 0, &k->holder, NULL, e))
		return err_wrap(e, "holder");
	k->query.holder_kind = of;
	memcpy(k->query.holder, k->holder.canonical, sizeof(k->query.holder));
	snprintf(k->query.terminal, sizeof(k->query.terminal), "%s", terminal);
	struct scan_lookup *row = &k->row;
	snprintf(row->terminal, sizeof(row->terminal), "%s", terminal);
	snprintf(row->holder_kind, sizeof(row->holder_kind), "%s", identifier_kind_name(of));
	identifier_mask(&k->holder, row->holder_masked, sizeof(row->holder_masked));
	snprintf(row->type, sizeof(row->type), "%s", k->query.type);
	snprintf(row->purpose, sizeof(row->purpose), "%s", k->query.purpose);
	return lan_can_answer(k->lan, e);
}

void lan_certificates(struct lan *l, struct http_request *r, const char *terminal)
{
	struct err e = { 0 };
	struct lan_pending *p = lan_pending_new(r, &lookup_kind);
	struct lan_lookup *k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	*k = (struct lan_lookup){ .lan = l, .pending = p };
	p->request = k;
	lan_pending_name(p, terminal, "");
	if (!lookup_parse(k, r, terminal, &e)) {
		lan_reply_error(l, r, e.code == ERR_IO ? 503 : lan_status_of(e.code), &e);
		lan_pending_free(p);
	} else if (l->c.ask(l->c.arg, &k->query, on_bodies, k, &e)) {
		k->next = l->lookups;
		l->lookups = k;
	} else {
		lookup_cached(k, &e);
	}
}
