#include "tests/support/centre.h"
#include "central/branch/branches.h"
#include "central/registry/issuer_keys.h"
#include "central/store/store.h"
#include "protocol/cose.h"
#include "protocol/sign1.h"
#include "tests/support/documents.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t vault_key[32] = "the vault key of a test central";

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", e->text);
	abort();
}

void centre_reopen(struct centre *c)
{
	struct err e = { 0 };
	char objects[128];
	if (c->db != NULL)
		db_close(c->db);
	snprintf(objects, sizeof(objects), "%s/objects", c->dir);
	c->db = store_open(c->dir, &e);
	must(c->db != NULL && objects_open(&c->objects, objects, &e), &e);
	c->release = (struct release_context){ c->db, &c->objects, vault_key, &random_system };
}

void centre_open(struct centre *c)
{
	*c = (struct centre){ 0 };
	snprintf(c->dir, sizeof(c->dir), "%s", test_dir());
	key_new(&random_system, c->head_scalar, c->head_point);
	key_new(&random_system, c->seal_scalar, c->seal_point);
	centre_reopen(c);
}

void centre_close(struct centre *c)
{
	db_close(c->db);
	c->db = NULL;
}

static void publish(struct centre *c, int64_t id)
{
	struct err e = { 0 };
	must(release_submit(&c->release, id, "alice", true, CENTRE_NOW_S, &e) &&
		     release_approve(&c->release, id, "bob", CENTRE_NOW_S, &e) &&
		     release_publish(&c->release, id, "bob", CENTRE_NOW_S, &e),
	     &e);
}

/* The check digit of a made-up resident ID. */
static char check_digit(const char *id)
{
	static const int weights[] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	int sum = 0;
	for (int k = 0; k < 17; k++)
		sum += (id[k] - '0') * weights[k];
	return "10X98765432"[sum % 11];
}

void centre_publish_list(struct centre *c, unsigned first, unsigned n)
{
	struct list_draft d = { .name = "black-test",
				.source = "test.csv",
				.operator= "alice",
				.format = IMPORT_AUTO,
				.mode = DRAFT_REPLACE,
				.reason = 1,
				.now_s = CENTRE_NOW_S };
	struct buf csv;
	struct err e = { 0 };
	int64_t id = 0;
	buf_init(&csv, 1 << 24);
	buf_add_str(&csv, "kind,number,name,reason,until,note\n");
	for (unsigned i = first; i < first + n; i++) {
		char number[24];
		snprintf(number, sizeof(number), "330802%04u%02u%02u%03u", 1950 + i / 300000, 1 + i / 25000 % 12,
			 1 + i / 1000 % 25, i % 1000);
		buf_add_fmt(&csv, "resident_id,%s%c,,1,,\n", number, check_digit(number));
	}
	must(list_draft_import(&c->release, &d, buf_bytes(&csv), &id, &e), &e);
	buf_clear(&csv);
	publish(c, id);
}

void centre_publish_document(struct centre *c, const char *type)
{
	char path[64];
	struct err e = { 0 };
	int64_t id = 0;
	snprintf(path, sizeof(path), "central/sample/%s.json", type);
	struct buf json = file_text(path);
	must(document_draft_import(&c->release, type, path, buf_bytes(&json), "alice", CENTRE_NOW_S, &id, &e), &e);
	buf_clear(&json);
	publish(c, id);
}

void centre_enrol(struct centre *c, const char *branch, const uint8_t seal_point[POINT_LEN])
{
	char token[BRANCH_TOKEN_LEN + 1];
	struct err e = { 0 };
	must(branches_token_new(c->db, &random_system, branch, "alice", CENTRE_NOW_S, 60, token, &e) &&
		     db_run(c->db, &e, "UPDATE branch SET enrolled_s = 1, seal_key = ? WHERE name = ?", "bt",
			    (struct bytes){ seal_point, POINT_LEN }, branch),
	     &e);
}

void centre_issuer(struct centre *c)
{
	struct err e = { 0 };
	uint8_t kid[COSE_KID_LEN];
	struct buf der;
	const struct issuer_new n = { CENTRE_ISSUER, "示例局", "Sample bureau", ECERT_XB1, "*" };
	centre_publish_document(c, "kinds");
	key_new(&random_system, c->issuer_scalar, c->issuer_point);
	cose_kid(c->issuer_point, kid);
	buf_init(&der, 4096);
	must(public_key_der(c->issuer_point, &der, &e) && issuer_add(c->db, &n, "alice", CENTRE_NOW_S, &e), &e);
	const struct issuer_key_new key = { .issuer = CENTRE_ISSUER,
					    .kid = kid,
					    .kid_len = sizeof(kid),
					    .alg = alg_name(ALG_ES256),
					    .der = buf_bytes(&der),
					    .sealed = bytes_of("sealed by a signer"),
					    .from_s = CENTRE_NOW_S,
					    .to_s = INT64_MAX };
	must(issuer_key_add(c->db, &key, "alice", CENTRE_NOW_S, &e), &e);
	buf_clear(&der);
}

static bool issue_finish(struct centre *c, const struct registry_issue *i, int64_t now_s, struct err *e)
{
	uint8_t kid[COSE_KID_LEN];
	struct buf cose;
	cose_kid(c->issuer_point, kid);
	buf_init(&cose, (size_t)2 * ECERT_COSE_MAX);
	bool ok = sign1_sign(c->issuer_scalar, (struct bytes){ kid, sizeof(kid) }, &random_system,
			     (struct bytes){ NULL, 0 }, buf_bytes(&i->cwt), &cose, e) &&
		  registry_finish(&c->release, i, buf_bytes(&cose), "alice", now_s, e);
	buf_clear(&cose);
	return ok;
}

bool centre_issue(struct centre *c, const char *json, int64_t now_s, char id[ECERT_ID_MAX + 1], struct err *e)
{
	struct registry_issue i = { 0 };
	struct buf text;
	bool again = false;
	buf_init(&text, 1 << 20);
	buf_init(&i.file, (size_t)2 * BODY_FILE_MAX);
	buf_init(&i.cwt, ECERT_COSE_MAX);
	buf_add_fmt(&text, "{'issuer':'" CENTRE_ISSUER "','kind':'" CENTRE_CARD "',%s}", json);
	for (size_t k = 0; k < text.len; k++)
		if (text.data[k] == '\'')
			text.data[k] = '"';
	bool ok = registry_request_parse(buf_bytes(&text), &i.request, &i.file, e) &&
		  registry_begin(&c->release, &i, now_s, id, &again, e);
	if (ok && !again) {
		snprintf(id, ECERT_ID_MAX + 1, "%s", i.cert.id);
		ok = issue_finish(c, &i, now_s, e);
	}
	registry_issue_clear(&i);
	buf_clear(&text);
	return ok;
}

int64_t centre_count(struct centre *c, const char *sql)
{
	int64_t n = -1;
	struct err e = { 0 };
	must(db_run_int(c->db, &n, &e, sql, ""), &e);
	return n;
}
