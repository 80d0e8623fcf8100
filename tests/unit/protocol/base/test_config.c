#include "protocol/base/config.h"
#include "protocol/base/file.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static char path[128], host[16];
static int64_t port;
static bool verbose;

static bool load(const char *text, struct err *e)
{
	const struct config_key keys[] = {
		{ .section = "api", .name = "host", .kind = CONFIG_TEXT, .out = host, .size = sizeof(host) },
		{ .section = "api",
		  .name = "port",
		  .kind = CONFIG_INT,
		  .out = &port,
		  .least = 1,
		  .most = 65535,
		  .required = true },
		{ .section = "log", .name = "verbose", .kind = CONFIG_BOOL, .out = &verbose },
	};
	snprintf(path, sizeof(path), "%s/x.ini", test_dir());
	snprintf(host, sizeof(host), "default");
	port = 0;
	verbose = false;
	CU_ASSERT_TRUE(file_write(path, bytes_of(text), 0600, NULL));
	return config_load(path, keys, 3, e);
}

static void known_keys_are_read_and_defaults_stay(void)
{
	struct err e = { 0 };
	CU_ASSERT_TRUE(load("; a comment\n[api]\nport = 8443\n\n[log]\nverbose = yes\n", &e));
	CU_ASSERT_STRING_EQUAL(host, "default");
	CU_ASSERT_TRUE(port == 8443 && verbose);
	CU_ASSERT_TRUE(load("[api]\nhost = 127.0.0.1\nport=1\n[log]\nverbose=off\n", &e));
	CU_ASSERT_STRING_EQUAL(host, "127.0.0.1");
	CU_ASSERT_FALSE(verbose);
}

static void an_error_names_file_line_and_what_to_do(void)
{
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{ "[api]\nport = 1\nprot = 2\n", ":3:", "prot is not known" },
		{ "[apx]\nport = 1\n", ":2:", "not known" },
		{ "[api]\nport = 1\nport = 2\n", ":3:", "twice" },
		{ "[api]\nport = 70000\n", ":2:", "from 1 to 65535" },
		{ "[api]\nport = 12x\n", ":2:", "whole number" },
		{ "[api]\nport = 1\nhost = 123456789012345678\n", ":3:", "longer than 15" },
		{ "[api]\nport = 1\n[log]\nverbose = maybe\n", ":4:", "yes or no" },
		{ "[api]\nhost = a\n", "x.ini", "port is missing" },
		{ "[api]\nnonsense\nport = 1\n", ":2:", "neither" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		CU_ASSERT_FALSE(load(cases[i].text, &e));
		CU_ASSERT_EQUAL(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i].where) == NULL || strstr(e.text, cases[i].what) == NULL)
			printf("\n    %s", e.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].where));
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].what));
	}
	struct err e = { 0 };
	CU_ASSERT_FALSE(config_load("/nowhere.ini", NULL, 0, &e));
	CU_ASSERT_EQUAL(e.code, ERR_MISSING);
}

static CU_TestInfo tests[] = {
	{ "known keys are read and defaults stay", known_keys_are_read_and_defaults_stay },
	{ "an error names file, line and what to do", an_error_names_file_line_and_what_to_do },
	CU_TEST_INFO_NULL,
};
SUITE(config, NULL, NULL, tests);
