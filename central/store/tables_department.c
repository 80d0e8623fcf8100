#include "central/store/tables.h"

/* Never changed once released: a change is one more script. */
const char tables_department[] =
	"CREATE TABLE department_certificate (name TEXT PRIMARY KEY, department TEXT NOT NULL, token_hash BLOB NOT "
	"NULL UNIQUE,"
	" made_s BIGINT NOT NULL, expires_s BIGINT NOT NULL, request BLOB, certificate BLOB, serial TEXT NOT NULL,"
	" enrolled_s BIGINT NOT NULL, revoked_s BIGINT NOT NULL);";
