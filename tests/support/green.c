#include "tests/support/green.h"
#include "central/green/labels.h"
#include "central/green/library.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

void green_rating_made(const char *uscc, const char *grade, int64_t now_s)
{
	char text[300];
	struct green_import *out = calloc(1, sizeof(*out));
	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	snprintf(text, sizeof(text),
		 "rater,uscc,project,grade,from,until,reference,withdrawn\n"
		 "sample-agency-a,%s,,%s,2026-02-01,2026-12-31,R1,\n",
		 uscc, grade);
	CU_ASSERT_TRUE_FATAL(
		green_import(department, INTAKE_CSV, bytes_of(text), "alice", now_s, out, &department_err));
	CU_ASSERT_EQUAL(out->sheet.accepted, 1);
	free(out);
}

void green_label_made(const char *uscc, const char *code, int64_t now_s)
{
	struct green_document d;
	struct identifier id;
	int64_t tag = 0;
	const struct bytes zeros = { (const uint8_t[HASH_LEN]){ 0 }, HASH_LEN };
	CU_ASSERT_TRUE_FATAL(identifier_parse(IDENTIFIER_USCC, uscc, 18, 0, &id, NULL, NULL));
	CU_ASSERT_TRUE_FATAL(
		green_document_current(department, CARBON_LABEL_DOCUMENT, &d, &department_err) &&
		db_begin(department->db, NULL) && green_document_keep(department, CARBON_LABEL_DOCUMENT, &d, NULL) &&
		green_subject_keep(department, &id, &tag, NULL) &&
		db_run(department->db, &department_err,
		       "INSERT INTO carbon_label (tag, month, label, label_zh, label_en, document, version, sample,"
		       " digest, sealed, computed_by, computed_s) VALUES (?, ?, ?, '样例', 'sample', ?, ?, 1, ?, ?,"
		       " 'alice', ?)",
		       "iittibbi", tag, (int64_t)(2026 * 12 + 9), code, d.hash, d.version, zeros, zeros, now_s) &&
		db_commit(department->db, NULL));
	green_document_clear(&d);
}
