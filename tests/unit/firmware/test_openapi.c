/* firmware/openapi.json holds for what the server really answers: every route, every status. */
#include "protocol/base/file.h"
#include "tests/support/certificates.h"
#include "tests/support/lan_box.h"
#include "tests/support/schema.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ONLINE "\"verified_online\":true"

static struct json *api;
static struct lan_box b;
static char seen[160][64]; /* "post /v1/checks 200" */
static size_t seen_len;

static void setup(void)
{
	struct buf text;
	struct err e = { 0 };
	buf_init(&text, 1048576);
	if (file_read("firmware/openapi.json", &text, &e))
		api = json_parse(buf_bytes(&text), &e);
	buf_clear(&text);
	if (api == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(api);
}

static void teardown(void)
{
	json_free(api);
	api = NULL;
}

static const struct json *at(const struct json *j, const char *key)
{
	const struct json *found = j != NULL ? json_get(j, key) : NULL;
	if (found == NULL)
		fprintf(stderr, "[no %s in openapi.json] ", key);
	return found;
}

static const struct json *operation(const char *method, const char *path)
{
	char lower[16] = "";
	for (size_t i = 0; method[i] != '\0' && i < sizeof(lower) - 1; i++)
		lower[i] = (char)(method[i] | 0x20);
	return at(at(at(api, "paths"), path), lower);
}

static void note(const char *method, const char *path, int status)
{
	char text[64];
	snprintf(text, sizeof(text), "%s %s %d", method, path, status);
	for (size_t i = 0; i < seen_len; i++)
		if (strcmp(seen[i], text) == 0)
			return;
	CU_ASSERT_TRUE_FATAL(seen_len < sizeof(seen) / sizeof(seen[0]));
	memcpy(seen[seen_len++], text, sizeof(text));
}

static void header_of(const struct lan_box_answer *a, const char *name, char *out, size_t size)
{
	char start[64];
	snprintf(start, sizeof(start), "\r\n%s: ", name);
	const char *found = strcasestr(a->head, start);
	out[0] = '\0';
	if (found != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(found + strlen(start), "\r"), found + strlen(start));
}

static bool body_holds(const struct json *media, const struct lan_box_answer *a)
{
	struct buf why;
	struct err e = { 0 };
	char content_type[128];
	header_of(a, "Content-Type", content_type, sizeof(content_type));
	const struct json *type = json_get(media, content_type);
	if (type == NULL)
		return false;
	if (strcmp(content_type, "application/json") != 0)
		return true;
	struct json *body = json_parse(bytes_of(a->body), &e);
	buf_init(&why, 4096);
	bool ok = body != NULL && schema_holds(api, at(type, "schema"), body, &why);
	if (!ok)
		fprintf(stderr, "[%s%s in %s] ", e.text, buf_str(&why), a->body);
	buf_clear(&why);
	json_free(body);
	return ok;
}

static bool headers_hold(const struct json *response, const struct lan_box_answer *a)
{
	const struct json *headers = json_get(response, "headers");
	for (size_t i = 0; headers != NULL && i < json_len(headers); i++) {
		const char *name;
		char value[128];
		(void)json_member(headers, i, &name);
		header_of(a, name, value, sizeof(value));
		if (value[0] == '\0')
			return false;
	}
	return true;
}

/* The answer to an operation (of the method documented) is one that the document knows. */
static void holds(const char *method, const char *path, int status, const struct lan_box_answer *a)
{
	char number[12];
	snprintf(number, sizeof(number), "%d", status);
	const struct json *response = at(at(operation(method, path), "responses"), number);
	CU_ASSERT_EQUAL(a->status, status);
	CU_ASSERT_PTR_NOT_NULL(response);
	if (response == NULL)
		return;
	const struct json *media = json_get(response, "content");
	CU_ASSERT_TRUE(headers_hold(response, a));
	CU_ASSERT_TRUE(media == NULL || body_holds(media, a));
	note(method, path, status);
}

static void checked(int status, const char *token, const char *json)
{
	holds("POST", "/v1/checks", status, lan_box_ask(&b, "POST", "/v1/checks", token, json));
}

static void got(int status, const char *path, const char *token)
{
	holds("GET", path, status, lan_box_ask(&b, "GET", path, token, NULL));
}

static void other_method(const char *method, const char *path)
{
	holds(method, path, 405, lan_box_ask(&b, "PUT", path, b.token, "{}"));
}

/* Every kind of answer of POST /v1/checks, decisions of many shapes among them. */
static void checks_hold(void)
{
	static char big[HTTP_BODY_MAX + 2];
	checked(200, b.token, lan_box_check("pass", ONLINE));
	checked(200, b.token, lan_box_check("enhanced", ""));
	b.found = LOOKUP_HIT;
	checked(200, b.token, lan_box_check("hit", ONLINE));
	b.found = LOOKUP_NOT_LISTED;
	b.held = LOOKUP_NOT_COVERED;
	checked(200, b.token, lan_box_check("unheld", ONLINE));
	b.held = LOOKUP_NOT_LISTED;
	b.confirmed_s = -1;
	checked(200, b.token, lan_box_check("never", ONLINE));
	checked(200, b.token,
		"{\"request_id\":\"two\",\"business\":\"transfer\",\"subject\":{\"kind\":\"resident_id\",\"number\":"
		"\"1\","
		"\"name\":\"\xe5\xbc\xa0\xe4\xb8\x89\",\"birth_date\":\"1990-01-31\"},\"counterparty\":{\"kind\":"
		"\"name\","
		"\"name\":\"A\"},\"facts\":{\"amount_yuan\":5000.5,\"note\":\"x\",\"phone_match\":false}}");
	checked(400, b.token, "{");
	checked(400, b.token, "{\"request_id\":7}");
	checked(401, NULL, lan_box_check("x", ""));
	checked(401, "wrong", lan_box_check("x", ""));
	checked(409, b.token, lan_box_check("pass", ""));
	memset(big, ' ', HTTP_BODY_MAX + 1);
	checked(413, b.token, big);
	int fd = lan_box_connect(&b, NULL);
	char text[256];
	snprintf(text, sizeof(text),
		 "POST /v1/checks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}",
		 b.token);
	lan_box_send(fd, bytes_of(text));
	holds("POST", "/v1/checks", 415, lan_box_answer(&b, fd));
	close(fd);
	other_method("POST", "/v1/checks");
}

static void decision_id(const char *request_id, char out[33])
{
	const struct lan_box_answer *a =
		lan_box_ask(&b, "POST", "/v1/checks", b.token, lan_box_check(request_id, ONLINE));
	const char *found = strstr(a->body, "\"decision_id\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	snprintf(out, 33, "%.32s", found + strlen("\"decision_id\":\""));
}

static void decisions_hold(void)
{
	static const char route[] = "/v1/decisions/{id}";
	char id[33], path[64];
	decision_id("kept", id);
	snprintf(path, sizeof(path), "/v1/decisions/%s", id);
	holds("GET", route, 200, lan_box_ask(&b, "GET", path, b.token, NULL));
	holds("GET", route, 401, lan_box_ask(&b, "GET", path, NULL, NULL));
	holds("GET", route, 404, lan_box_ask(&b, "GET", "/v1/decisions/nope", b.token, NULL));
	holds("GET", route, 405, lan_box_ask(&b, "PUT", path, b.token, "{}"));
	/* A damaged row fails whoever asks for it, and nobody else. */
	CU_ASSERT_TRUE_FATAL(db_begin(b.db, NULL) &&
			     db_run(b.db, NULL, "UPDATE journal SET row = x'00' WHERE request_id = ?", "t", "kept") &&
			     db_commit(b.db, NULL));
	holds("GET", route, 500, lan_box_ask(&b, "GET", path, b.token, NULL));
	checked(500, b.token, lan_box_check("kept", ONLINE));
	checked(200, b.token, lan_box_check("kept-2", ONLINE));
}

static void scanned(int status, const char *token, const char *json)
{
	holds("POST", "/v1/scans", status, lan_box_ask(&b, "POST", "/v1/scans", token, json));
}

/* A certificate's scan as JSON; static. */
static const char *scan_json_of(const struct certificates *certs, const char *request_id, const char *serial)
{
	static char json[16384];
	int64_t now_s = clock_now_s(&b.clock, loop_now_ms());
	struct ecert cert = certificate_of(CERT_TYPE, serial, now_s - 60, &b.key);
	struct buf text, out;
	buf_init(&text, ECERT_TEXT_MAX);
	buf_init(&out, sizeof(json));
	certificate_text(certs, &cert, &text);
	struct json_out w = { &out, false };
	json_open(&w, NULL, '{');
	json_put_text(&w, "request_id", request_id);
	json_put_text_n(&w, "text", buf_bytes(&text));
	json_put_text(&w, "business", CERT_BUSINESS);
	json_close(&w, '}');
	snprintf(json, sizeof(json), "%s", buf_str(&out));
	buf_clear(&text);
	buf_clear(&out);
	return json;
}

static void found(int status, const struct lan_box_answer *a)
{
	holds("GET", "/v1/certificates", status, a);
}

static void certificates_hold(const struct certificates *certs)
{
	static const char path[] = "/v1/certificates?holder=" BOX_NUMBER "&kind=" CERT_TYPE "&purpose=" CERT_BUSINESS;
	struct ecert cert = certificate_of(CERT_TYPE, "2", clock_now_s(&b.clock, loop_now_ms()) - 60, &b.key);
	struct body_reply r = { .bodies_len = 1 };
	struct err why = { 0 };
	struct buf cose;
	static uint8_t file[] = "made-up picture";
	buf_init(&cose, ECERT_COSE_MAX);
	cert.has_digest = true;
	sha256((struct bytes){ file, sizeof(file) }, cert.digest);
	certificate_sign(certs, &cert, &cose);
	r.bodies[0] = (struct body){ .cose = buf_bytes(&cose),
				     .media_type = "image/png",
				     .file = { file, sizeof(file) },
				     .consent_to_s = INT64_MAX };
	b.line_up = true;
	found(200, lan_box_look_up(&b, path, &r, &why));
	b.line_up = false;
	found(200, lan_box_ask(&b, "GET", path, b.token, NULL));
	b.line_up = true;
	(void)err_set(&why, ERR_DENIED, "central says no");
	found(403, lan_box_look_up(&b, path, NULL, &why));
	(void)err_set(&why, ERR_MISSING, "central has none");
	found(404, lan_box_look_up(&b, path, NULL, &why));
	b.line_up = false;
	found(503, lan_box_ask(&b, "GET", path, b.token, NULL));
	found(400, lan_box_ask(&b, "GET", "/v1/certificates?holder=1", b.token, NULL));
	found(401, lan_box_ask(&b, "GET", path, NULL, NULL));
	found(405, lan_box_ask(&b, "PUT", "/v1/certificates", b.token, "{}"));
	buf_clear(&cose);
}

static void reported(int status, const struct lan_box_answer *a)
{
	holds("POST", "/v1/reports", status, a);
}

static void reports_hold(void)
{
	static const char json[] = "{\"request_id\":\"r-1\",\"subject\":{\"kind\":\"uscc\",\"number\":"
				   "\"91330800MA2DH00A72\"},\"purpose\":\"loan\",\"officer\":\"E1024\"%s}";
	static char long_body[HTTP_BODY_MAX + 2];
	char text[600];
	struct err why = { 0 };
	snprintf(text, sizeof(text), json, "");
	reported(200, lan_box_report(&b, text, "<html>", NULL));
	snprintf(text, sizeof(text), json, ",\"format\":\"pdf\",\"as_of\":\"2026-01-31\"");
	reported(200, lan_box_report(&b, text, "%PDF", NULL));
	static const struct {
		enum err_code code;
		int status;
	} refusals[] = { { ERR_INPUT, 400 },   { ERR_DENIED, 403 }, { ERR_CONFLICT, 409 },
			 { ERR_MISSING, 503 }, { ERR_FULL, 503 },   { ERR_IO, 503 } };
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		(void)err_set(&why, refusals[i].code, "central's words");
		reported(refusals[i].status, lan_box_report(&b, text, NULL, &why));
	}
	reported(503, lan_box_ask(&b, "POST", "/v1/reports", b.token, text));
	reported(400, lan_box_ask(&b, "POST", "/v1/reports", b.token, "{}"));
	reported(401, lan_box_ask(&b, "POST", "/v1/reports", NULL, text));
	other_method("POST", "/v1/reports");
	memset(long_body, ' ', HTTP_BODY_MAX + 1);
	reported(413, lan_box_ask(&b, "POST", "/v1/reports", b.token, long_body));
	snprintf(text, sizeof(text),
		 "POST /v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}",
		 b.token);
	int fd = lan_box_connect(&b, NULL);
	lan_box_send(fd, bytes_of(text));
	reported(415, lan_box_answer(&b, fd));
	close(fd);
}

#define WHOSE                                                                                                        \
	"\"request_id\":\"c-1\",\"holder\":{\"kind\":\"resident_id\",\"number\":\"" BOX_NUMBER                       \
	"\"},\"purpose\":\"redeem\",\"officer\":\"E1024\""

static void account_route_holds(const char *route, const char *path, const char *json,
				const struct account_answer *told)
{
	static char long_body[HTTP_BODY_MAX + 2];
	char text[300];
	struct err why = { 0 };
	static const struct {
		enum err_code code;
		int status;
	} refusals[] = { { ERR_INPUT, 400 },    { ERR_DENIED, 403 }, { ERR_MISSING, 404 },
			 { ERR_CONFLICT, 409 }, { ERR_FULL, 409 },   { ERR_IO, 503 } };
	holds("POST", route, 200, lan_box_account(&b, path, json, told, NULL));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		(void)err_set(&why, refusals[i].code, "central's words");
		holds("POST", route, refusals[i].status, lan_box_account(&b, path, json, NULL, &why));
	}
	holds("POST", route, 503, lan_box_ask(&b, "POST", path, b.token, json));
	holds("POST", route, 400, lan_box_ask(&b, "POST", path, b.token, "{}"));
	holds("POST", route, 401, lan_box_ask(&b, "POST", path, NULL, json));
	holds("POST", route, 405, lan_box_ask(&b, "PUT", path, b.token, json));
	memset(long_body, ' ', HTTP_BODY_MAX + 1);
	holds("POST", route, 413, lan_box_ask(&b, "POST", path, b.token, long_body));
	snprintf(text, sizeof(text),
		 "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}", path,
		 b.token);
	int fd = lan_box_connect(&b, NULL);
	lan_box_send(fd, bytes_of(text));
	holds("POST", route, 415, lan_box_answer(&b, fd));
	close(fd);
}

static void accounts_hold(void)
{
	struct account_answer account = { .step = ACCOUNT_SHOW,
					  .points = 120,
					  .expiring = 7,
					  .expires_day = 20484,
					  .offers_len = 1,
					  .offers = { { "tree_planting", "认养植树", "a tree", "tree", 50, 1, 2 } } };
	struct account_answer redemption = { .step = ACCOUNT_REDEEM, .redemption = "br.01", .state = "pending" };
	account_route_holds("/v1/carbon/account", "/v1/carbon/account", "{" WHOSE "}", &account);
	account_route_holds("/v1/carbon/redemptions", "/v1/carbon/redemptions",
			    "{" WHOSE ",\"kind\":\"tree_planting\",\"quantity\":1,\"reference\":\"o\"}", &redemption);
	redemption.step = ACCOUNT_VOID;
	account_route_holds("/v1/carbon/redemptions/{redemption}", "/v1/carbon/redemptions/br.01",
			    "{\"request_id\":\"c-2\",\"officer\":\"E1\",\"end\":\"void\"}", &redemption);
	account.expiring = 0;
	holds("POST", "/v1/carbon/account", 200,
	      lan_box_account(&b, "/v1/carbon/account", "{" WHOSE "}", &account, NULL));
}

static void scans_hold(void)
{
	struct certificates certs;
	char path[64];
	certificates_open(&certs, "", "['*']");
	CU_ASSERT_TRUE_FATAL(
		documents_apply(b.documents, DOCUMENT_ISSUERS, 1, buf_bytes(&certs.issuers_cbor), NULL) &&
		documents_apply(b.documents, DOCUMENT_KINDS, 1, buf_bytes(&certs.kinds_cbor), NULL));
	b.held = LOOKUP_NOT_LISTED;
	b.found = LOOKUP_NOT_LISTED;
	b.confirmed_s = clock_now_s(&b.clock, loop_now_ms()) - 7200;
	const struct lan_box_answer *a =
		lan_box_ask(&b, "POST", "/v1/scans", b.token, scan_json_of(&certs, "scan-1", "1"));
	holds("POST", "/v1/scans", 200, a);
	const char *id = strstr(a->body, "\"scan_id\":\"");
	CU_ASSERT_PTR_NOT_NULL_FATAL(id);
	snprintf(path, sizeof(path), "/v1/scans/%.32s", id + strlen("\"scan_id\":\""));
	holds("GET", "/v1/scans/{id}", 200, lan_box_ask(&b, "GET", path, b.token, NULL));
	holds("GET", "/v1/scans/{id}", 401, lan_box_ask(&b, "GET", path, NULL, NULL));
	holds("GET", "/v1/scans/{id}", 404, lan_box_ask(&b, "GET", "/v1/scans/nope", b.token, NULL));
	holds("GET", "/v1/scans/{id}", 405, lan_box_ask(&b, "PUT", path, b.token, "{}"));
	certificates_hold(&certs);
	reports_hold();
	accounts_hold();
	got(200, "/v1/duties", b.token);
	got(401, "/v1/duties", NULL);
	other_method("GET", "/v1/duties");
	static const char context[] = "{\"business\":\"loan\",\"for_s\":60}";
	holds("PUT", "/v1/scanning", 200, lan_box_ask(&b, "PUT", "/v1/scanning", b.token, context));
	holds("PUT", "/v1/scanning", 400, lan_box_ask(&b, "PUT", "/v1/scanning", b.token, "{\"for_s\":601}"));
	holds("PUT", "/v1/scanning", 401, lan_box_ask(&b, "PUT", "/v1/scanning", NULL, context));
	holds("PUT", "/v1/scanning", 405, lan_box_ask(&b, "GET", "/v1/scanning", b.token, NULL));
	char put[256];
	snprintf(put, sizeof(put),
		 "PUT /v1/scanning HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}",
		 b.token);
	int raw = lan_box_connect(&b, NULL);
	lan_box_send(raw, bytes_of(put));
	holds("PUT", "/v1/scanning", 415, lan_box_answer(&b, raw));
	close(raw);
	static char long_body[HTTP_BODY_MAX + 2];
	memset(long_body, ' ', HTTP_BODY_MAX + 1);
	holds("PUT", "/v1/scanning", 413, lan_box_ask(&b, "PUT", "/v1/scanning", b.token, long_body));
	got(401, "/v1/stream", NULL);
	other_method("GET", "/v1/stream");
	note("get", "/v1/stream", 200); /* it has no end: test_lan_scanner.c reads it */
	scanned(200, b.token, "{\"request_id\":\"scan-2\",\"text\":\"XB1:AB\"}");
	scanned(200, b.token, "{\"request_id\":\"scan-3\",\"text\":\"https://example.org\"}");
	scanned(400, b.token, "{\"request_id\":7}");
	scanned(401, NULL, "{}");
	scanned(409, b.token, "{\"request_id\":\"scan-2\",\"text\":\"XB1:AC\"}");
	int fd = lan_box_connect(&b, NULL);
	char text[256];
	snprintf(text, sizeof(text),
		 "POST /v1/scans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}",
		 b.token);
	lan_box_send(fd, bytes_of(text));
	holds("POST", "/v1/scans", 415, lan_box_answer(&b, fd));
	close(fd);
	fd = lan_box_connect(&b, NULL);
	snprintf(text, sizeof(text),
		 "POST /v1/scans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %u\r\n\r\n",
		 b.token, HTTP_SCAN_MAX + 1);
	lan_box_send(fd, bytes_of(text));
	holds("POST", "/v1/scans", 413, lan_box_answer(&b, fd));
	close(fd);
	other_method("POST", "/v1/scans");
	CU_ASSERT_TRUE_FATAL(
		db_begin(b.db, NULL) &&
		db_run(b.db, NULL, "UPDATE journal SET row = x'00' WHERE request_id = ?", "t", "scan-1") &&
		db_commit(b.db, NULL));
	holds("GET", "/v1/scans/{id}", 500, lan_box_ask(&b, "GET", path, b.token, NULL));
	scanned(500, b.token, scan_json_of(&certs, "scan-1", "1"));
	certificates_close(&certs);
}

static void the_rest_holds(void)
{
	got(200, "/v1/status", b.token);
	got(401, "/v1/status", NULL);
	other_method("GET", "/v1/status");
	got(200, "/healthz", NULL);
	other_method("GET", "/healthz");
	got(200, "/metrics", NULL);
	other_method("GET", "/metrics");
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = ON", NULL));
	checked(503, b.token, lan_box_check("full", ONLINE));
	scanned(503, b.token, "{\"request_id\":\"full-2\",\"text\":\"XB1:AB\"}");
	got(503, "/healthz", NULL);
	CU_ASSERT_TRUE_FATAL(db_exec(b.db, "PRAGMA query_only = OFF", NULL));
	checked(200, b.token, lan_box_check("full", ONLINE));
	lan_ready(b.lan, NULL);
	b.around.branch[0] = '\0';
	got(503, "/healthz", NULL);
	got(200, "/v1/status", b.token);
	b.around.update.status = (struct status_update){ .state = UPDATE_TRIAL, .version = 2, .wanted = 2 };
	got(200, "/v1/status", b.token);
	checked(503, b.token, lan_box_check("loading", ONLINE));
}

static size_t documented(const struct json *item, const char *path)
{
	size_t missing = 0;
	for (size_t i = 0; i < json_len(item); i++) {
		const char *method;
		const struct json *responses = at(json_member(item, i, &method), "responses");
		for (size_t j = 0; j < json_len(responses); j++) {
			const char *status;
			char text[64];
			bool found = false;
			(void)json_member(responses, j, &status);
			snprintf(text, sizeof(text), "%s %s %s", method, path, status);
			for (size_t k = 0; k < seen_len; k++)
				found |= strcasecmp(seen[k], text) == 0;
			if (!found)
				fprintf(stderr, "[never seen: %s] ", text);
			missing += !found;
		}
	}
	return missing;
}

static void what_the_server_answers_is_what_the_document_says_and_all_of_it_was_seen(void)
{
	size_t missing = 0;
	lan_box_open(&b, false);
	checks_hold();
	decisions_hold();
	scans_hold();
	the_rest_holds();
	lan_box_close(&b);
	const struct json *paths = at(api, "paths");
	for (size_t i = 0; i < json_len(paths); i++) {
		const char *path;
		const struct json *item = json_member(paths, i, &path);
		missing += documented(item, path);
	}
	CU_ASSERT_EQUAL(missing, 0);
	CU_ASSERT_TRUE(seen_len >= 20);
}

static bool request_holds(const char *text)
{
	struct buf why;
	struct json *j = json_parse(bytes_of(text), NULL);
	const struct json *schema = at(at(at(api, "components"), "schemas"), "CheckRequest");
	buf_init(&why, 4096);
	bool ok = j != NULL && schema_holds(api, schema, j, &why);
	buf_clear(&why);
	json_free(j);
	return ok;
}

static bool parser_takes(const char *text)
{
	static struct check_request r;
	return check_request_parse(bytes_of(text), &r, NULL);
}

static void the_document_and_the_parser_agree_on_requests(void)
{
#define SUBJECT "\"subject\":{\"kind\":\"resident_id\",\"number\":\"1\"}"
	static const struct {
		const char *text;
		bool ok;
	} requests[] = {
		{ "{\"request_id\":\"r\",\"business\":\"loan\"," SUBJECT "}", true },
		{ "{\"request_id\":\"r\",\"business\":\"loan\"," SUBJECT
		  ",\"facts\":{\"a\":1,\"b\":\"t\",\"c\":true}}",
		  true },
		{ "{\"request_id\":\"r\",\"business\":\"loan\"," SUBJECT ",\"facts\":{\"a\":null}}", false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\"," SUBJECT ",\"facts\":[]}", false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\"," SUBJECT ",\"more\":1}", false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\"}", false },
		{ "{\"request_id\":\"r\"," SUBJECT "}", false },
		{ "{\"business\":\"loan\"," SUBJECT "}", false },
		{ "{\"request_id\":\"\",\"business\":\"loan\"," SUBJECT "}", false },
		{ "{\"request_id\":\"a b\",\"business\":\"loan\"," SUBJECT "}", false },
		{ "{\"request_id\":\"r\",\"business\":\"Loan\"," SUBJECT "}", false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\",\"subject\":{\"kind\":\"licence\",\"number\":\"1\"}}",
		  false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\",\"subject\":{\"kind\":\"uscc\",\"number\":1}}",
		  false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\",\"subject\":{\"kind\":\"uscc\",\"number\":\"1\",\"x\":"
		  "1}}",
		  false },
		{ "{\"request_id\":\"r\",\"business\":\"loan\",\"subject\":{\"kind\":\"uscc\",\"number\":\"1\","
		  "\"birth_date\":\"1990-1-1\"}}",
		  false },
		{ "[]", false },
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		CU_ASSERT_EQUAL(request_holds(requests[i].text), requests[i].ok);
		CU_ASSERT_EQUAL(parser_takes(requests[i].text), requests[i].ok);
	}
	for (int kind = 1; kind <= IDENTIFIER_PARTY_LAST; kind++) {
		char text[256];
		const char *value = kind == IDENTIFIER_NAME ? "name" : "number";
		snprintf(text, sizeof(text),
			 "{\"request_id\":\"r\",\"business\":\"loan\",\"subject\":{\"kind\":\"%s\",\"%s\":\"1\"}}",
			 identifier_kind_name((enum identifier_kind)kind), value);
		CU_ASSERT_TRUE(request_holds(text));
		CU_ASSERT_TRUE(parser_takes(text));
	}
}

static CU_TestInfo tests[] = {
	{ "what the server answers is what the document says, and all of it was seen",
	  what_the_server_answers_is_what_the_document_says_and_all_of_it_was_seen },
	{ "the document and the parser agree on requests", the_document_and_the_parser_agree_on_requests },
	CU_TEST_INFO_NULL,
};
SUITE(openapi, setup, teardown, tests);
