/* Departments that send by themselves: their certificates' names, the head of a request, a file that comes in pieces. */
#include "central/department/upload.h"
#include "tests/support/department.h"
#include "tests/support/identity.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct department tax;
static struct err err;

static void setup(void)
{
	department_open();
	err = (struct err){ 0 };
	CU_ASSERT_TRUE_FATAL(department_name_parse("dept.tax.1", &tax));
	CU_ASSERT_TRUE_FATAL(db_exec(department->db,
				     "INSERT INTO department_certificate (name, department, token_hash, made_s,"
				     " expires_s, serial, enrolled_s, revoked_s) VALUES ('dept.tax.1', 'tax', x'00',"
				     " 1, 2, 'ab', 1, 0)",
				     &err));
}

/* --- names --- */

static void a_certificates_name_is_dept_code_number_and_no_branchs(void)
{
	static const char *const wrong[] = {
		"tax",         "dept.tax",       "dept.tax.",    "dept.tax.0", "dept.tax.01",
		"dept..1",     "dept.Tax.1",     "dept.tax.1.1", "dept.a/b.1", "central",
		"dept.tax.1x", "dept.tax.12345", "Dept.tax.1",   "",           "dept.a-code-that-is-much-too-long.1"
	};
	struct department d;
	CU_ASSERT_STRING_EQUAL(tax.code, "tax");
	CU_ASSERT_STRING_EQUAL(tax.name, "dept.tax.1");
	CU_ASSERT_FALSE(branch_name_check("dept.tax.1", &err));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_FALSE(department_name_parse(wrong[i], &d));
}

static void a_token_is_for_the_next_number_and_buys_one_certificate(void)
{
	char token[BRANCH_TOKEN_LEN + 1], header[BRANCH_TOKEN_LEN + 16];
	struct department d;
	struct enrolment r, other;
	struct buf cert, key, csr, pem;
	CU_ASSERT_FALSE(department_token_new(department->db, department->random, "no-such", "alice", CENTRE_NOW_S, 60,
					     &d, token, &err));
	CU_ASSERT_EQUAL(err.code, ERR_MISSING);
	CU_ASSERT_TRUE_FATAL(department_token_new(department->db, department->random, "tax", "alice", CENTRE_NOW_S,
						  60, &d, token, &err));
	CU_ASSERT_STRING_EQUAL(d.name, "dept.tax.2");
	CU_ASSERT_FALSE(department_may_send(department->db, "dept.tax.2", &d, &err));
	buf_init(&cert, PKI_CERT_MAX);
	buf_init(&key, PKI_KEY_MAX);
	buf_init(&csr, PKI_CERT_MAX);
	buf_init(&pem, 8192);
	CU_ASSERT_TRUE_FATAL(pki_key_new(&key, NULL) && pki_csr_new(buf_bytes(&key), "x", &csr, NULL) &&
			     pki_to_pem(buf_bytes(&csr), "CERTIFICATE REQUEST", &pem, NULL));
	struct identity ca, bought;
	identity_ca(&ca, "tests");
	identity_issue(&ca, &bought, "dept.tax.2", PKI_CLIENT, IDENTITY_FROM_S, IDENTITY_TO_S);
	buf_add(&cert, bought.cert.data, bought.cert.len);
	identity_clear(&ca);
	identity_clear(&bought);
	snprintf(header, sizeof(header), "Bearer %s", token);
	struct buf found;
	buf_init(&found, PKI_CERT_MAX);
	CU_ASSERT_TRUE(
		department_enrol_begin(department->db, header, buf_bytes(&pem), CENTRE_NOW_S, &r, &found, &err));
	CU_ASSERT_TRUE(r.department && found.len == 0 && strcmp(r.branch, "dept.tax.2") == 0);
	CU_ASSERT_TRUE(department_enrol_finish(department->db, &r, buf_bytes(&cert), CENTRE_NOW_S, &err));
	CU_ASSERT_FALSE(department_enrol_finish(department->db, &r, buf_bytes(&cert), CENTRE_NOW_S, &err));
	CU_ASSERT_TRUE(department_may_send(department->db, "dept.tax.2", &d, &err));
	/* the same request gets the same answer, another none */
	CU_ASSERT_TRUE(
		department_enrol_begin(department->db, header, buf_bytes(&pem), CENTRE_NOW_S, &other, &found, &err));
	CU_ASSERT_EQUAL(found.len, cert.len);
	enrolment_clear(&other);
	buf_reset(&csr);
	buf_reset(&pem);
	buf_reset(&found);
	CU_ASSERT_TRUE(pki_csr_new(buf_bytes(&key), "y", &csr, NULL) &&
		       pki_to_pem(buf_bytes(&csr), "CERTIFICATE REQUEST", &pem, NULL));
	CU_ASSERT_FALSE(
		department_enrol_begin(department->db, header, buf_bytes(&pem), CENTRE_NOW_S, &other, &found, &err));
	CU_ASSERT_EQUAL(err.code, ERR_DENIED);
	enrolment_clear(&other);
	CU_ASSERT_TRUE(department_revoke(department->db, "dept.tax.2", "alice", CENTRE_NOW_S, &err));
	CU_ASSERT_FALSE(department_may_send(department->db, "dept.tax.2", &d, &err));
	CU_ASSERT_EQUAL(err.code, ERR_DENIED);
	enrolment_clear(&r);
	buf_clear(&found);
	buf_clear(&cert);
	buf_clear(&key);
	buf_clear(&csr);
	buf_clear(&pem);
}

/* --- heads --- */

static const char whole[] = "POST /v1/sources/s/upload?period=2026-10&file=a%20b%2f.csv&x=%0A HTTP/1.1\r\n"
			    "Host: x\r\nContent-Length: 12 \r\nExpect: 100-Continue\r\n\r\nbody";

static void a_head_is_read_once_it_is_whole(void)
{
	struct asked h;
	size_t used = 1, len = strlen(whole) - 4;
	char value[ASKED_VALUE_MAX + 1];
	for (size_t n = 0; n < len; n++) {
		CU_ASSERT_TRUE(asked_parse((struct bytes){ (const uint8_t *)whole, n }, &h, &used, &err));
		CU_ASSERT_EQUAL(used, 0);
	}
	CU_ASSERT_TRUE(asked_parse(bytes_of(whole), &h, &used, &err));
	CU_ASSERT_EQUAL(used, len);
	CU_ASSERT_STRING_EQUAL(h.method, "POST");
	CU_ASSERT_STRING_EQUAL(h.path, "/v1/sources/s/upload");
	CU_ASSERT_TRUE(h.sized && h.size == 12 && h.expects && !h.chunked);
	CU_ASSERT_TRUE(asked_query(&h, "period", value) && strcmp(value, "2026-10") == 0);
	CU_ASSERT_TRUE(asked_query(&h, "file", value) && strcmp(value, "a b/.csv") == 0);
	CU_ASSERT_FALSE(asked_query(&h, "x", value));
	CU_ASSERT_FALSE(asked_query(&h, "eriod", value));
}

static void a_head_that_is_none_is_refused(void)
{
	static const char *const wrong[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET / SPDY/1\r\n\r\n",
		"GET x HTTP/1.1\r\n\r\n",
		"LONGMETHOD / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	};
	struct asked h;
	size_t used = 0;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err = (struct err){ 0 };
		CU_ASSERT_FALSE(asked_parse(bytes_of(wrong[i]), &h, &used, &err));
		CU_ASSERT_EQUAL(err.code, ERR_INPUT);
	}
}

/* --- files --- */

static struct asked asked_of(struct bytes file, const char *period)
{
	struct asked h = { .sized = true, .size = file.len };
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	sha256(file, hash);
	hex_encode(hash, HASH_LEN, hex);
	snprintf(h.query, sizeof(h.query), "period=%s&sha256=%s", period, hex);
	return h;
}

/* In pieces of so many bytes, the first `up_to` of them; the batch, 0 when it was refused. */
static int64_t send_file(struct bytes file, const struct asked *h, size_t piece, size_t up_to)
{
	struct upload u;
	struct batch_new n;
	char name[ASKED_VALUE_MAX + 1], as_of[ASKED_VALUE_MAX + 1];
	int64_t id = 0;
	bool wanted = false;
	err = (struct err){ 0 };
	upload_init(&u, department, &tax);
	bool ok = upload_read(&u, "tax-revenue", h, &n, name, as_of, &err) &&
		  upload_begin(&u, &n, CENTRE_NOW_S, &id, &wanted, &err);
	for (size_t at = 0; ok && wanted && at < up_to; at += piece)
		ok = upload_bytes(&u, (struct bytes){ file.data + at, up_to - at < piece ? up_to - at : piece },
				  CENTRE_NOW_S, &err);
	upload_clear(&u, "cut", CENTRE_NOW_S);
	while (ok && up_to == file.len && department_batch(id).state == BATCH_CHECKING)
		ok = batch_check(department, id, CENTRE_NOW_S, &err);
	return ok ? id : 0;
}

static int64_t rows_stored(void)
{
	return centre_count(&centre, "SELECT (SELECT COUNT(*) FROM batch) + (SELECT COUNT(*) FROM batch_block) +"
				     " (SELECT COUNT(*) FROM batch_reject)");
}

static void a_file_in_pieces_of_any_size_is_the_batch_it_would_be_at_once(void)
{
	static const size_t pieces[] = { 1000, 65536, 1048576, 4000000 };
	struct buf file;
	department_file(&file, 1, 30000, "2026-10", "");
	CU_ASSERT_TRUE(file.len > UPLOAD_PART);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		char period[8];
		snprintf(period, sizeof(period), "2026-%02zu", 6 + i);
		struct asked h = asked_of(buf_bytes(&file), period);
		int64_t id = send_file(buf_bytes(&file), &h, pieces[i], file.len);
		CU_ASSERT_TRUE_FATAL(id != 0);
		CU_ASSERT_EQUAL(batch_rows(&(struct batch[]){ department_batch(id) }[0]), 30000);
		CU_ASSERT_EQUAL(send_file(buf_bytes(&file), &h, 1000, file.len), id);
	}
	buf_clear(&file);
}

static void what_is_cut_longer_or_of_another_hash_leaves_nothing(void)
{
	struct buf file;
	department_file(&file, 1, 30000, "2026-10", "");
	struct asked good = asked_of(buf_bytes(&file), "2026-10"), longer = good, other = good;
	int64_t before = rows_stored();
	(void)send_file(buf_bytes(&file), &good, 65536, file.len - 1);
	CU_ASSERT_EQUAL(rows_stored(), before);
	longer.size -= 10;
	CU_ASSERT_EQUAL(send_file(buf_bytes(&file), &longer, 65536, file.len), 0);
	CU_ASSERT_EQUAL(rows_stored(), before);
	other.query[strlen(other.query) - 1] = other.query[strlen(other.query) - 1] == '0' ? '1' : '0';
	CU_ASSERT_EQUAL(send_file(buf_bytes(&file), &other, 65536, file.len), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "sha256"));
	CU_ASSERT_EQUAL(rows_stored(), before);
	CU_ASSERT_NOT_EQUAL(send_file(buf_bytes(&file), &good, 65536, file.len), 0);
	CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM audit WHERE what = 'batch.abandoned'"), 3);
	buf_clear(&file);
}

static void one_that_is_revoked_or_gives_way_in_the_middle_is_told(void)
{
	struct buf file;
	struct upload u;
	struct batch_new n;
	char name[ASKED_VALUE_MAX + 1], as_of[ASKED_VALUE_MAX + 1];
	int64_t id = 0;
	bool wanted = false;
	department_file(&file, 1, 30000, "2026-10", "");
	struct asked h = asked_of(buf_bytes(&file), "2026-10");
	for (int revoked = 0; revoked < 2; revoked++) {
		upload_init(&u, department, &tax);
		CU_ASSERT_TRUE_FATAL(upload_read(&u, "tax-revenue", &h, &n, name, as_of, &err) &&
				     upload_begin(&u, &n, CENTRE_NOW_S, &id, &wanted, &err));
		bool stopped = revoked == 0
				       ? department_load_made("2026-10", 1, 20, "2026-10", "") != 0
				       : department_revoke(department->db, "dept.tax.1", "alice", CENTRE_NOW_S, &err);
		CU_ASSERT_TRUE(stopped);
		CU_ASSERT_FALSE(upload_bytes(&u, buf_bytes(&file), CENTRE_NOW_S, &err));
		CU_ASSERT_EQUAL(err.code, revoked == 0 ? ERR_CONFLICT : ERR_DENIED);
		upload_clear(&u, NULL, CENTRE_NOW_S);
		CU_ASSERT_EQUAL(centre_count(&centre, "SELECT COUNT(*) FROM batch"), 1);
	}
	buf_clear(&file);
}

static CU_TestInfo tests[] = {
	{ "a certificate's name is dept, code and number, and no branch's",
	  a_certificates_name_is_dept_code_number_and_no_branchs },
	{ "a token is for the next number and buys one certificate",
	  a_token_is_for_the_next_number_and_buys_one_certificate },
	{ "a head is read once it is whole", a_head_is_read_once_it_is_whole },
	{ "a head that is none is refused", a_head_that_is_none_is_refused },
	{ "a file in pieces of any size is the batch it would be at once",
	  a_file_in_pieces_of_any_size_is_the_batch_it_would_be_at_once },
	{ "what is cut, longer or of another hash leaves nothing",
	  what_is_cut_longer_or_of_another_hash_leaves_nothing },
	{ "one that is revoked or gives way in the middle is told",
	  one_that_is_revoked_or_gives_way_in_the_middle_is_told },
	CU_TEST_INFO_NULL,
};

SUITE(department, setup, department_close, tests);
