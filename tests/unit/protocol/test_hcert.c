#include "protocol/hcert.h"
#include "protocol/base/utf8.h"
#include "tests/support/documents.h"
#include "tests/support/wire.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Made-up persons; shapes as in the schema's own examples. */
#define NAM "'nam':{'fn':'Muster','gn':'Erika','fnt':'MUSTER','gnt':'ERIKA'}"
#define V                                                                                                            \
	"{'tg':'840539006','vp':'J07BX03','mp':'EU/1/20/1507','ma':'ORG-100031184','dn':1,'sd':2,'dt':'2021-05-29'," \
	"'co':'XX','is':'Ministry','ci':'URN:UVCI:01:XX:1#A'}"
#define T                                                                                                            \
	"{'tg':'840539006','tt':'LP6464-4','sc':'2021-05-30T10:12:22Z','tr':'260415000','tc':'Centre','co':'XX',"    \
	"'is':'Ministry','ci':'URN:UVCI:01:XX:2#B'}"
#define R                                                                                                            \
	"{'tg':'840539006','fr':'2021-04-21','df':'2021-05-01','du':'2021-10-21','co':'XX','is':'Ministry',"         \
	"'ci':'URN:UVCI:01:XX:3#C'}"
#define DGC(groups) "{'ver':'1.3.0'," NAM ",'dob':'1998-02-26'," groups "}"

static struct err e;
static struct buf cwt;
static struct ecert c;
static enum hcert_layer layer;

static void setup(void)
{
	e = (struct err){ 0 };
	buf_init(&cwt, 16384);
}

static void teardown(void)
{
	buf_clear(&cwt);
}

/* iss, exp and iat in hex, then claim -260 with a certificate of this JSON. */
static struct bytes cwt_of(uint8_t head, const char *claims, const char *json)
{
	struct buf dgc = cbor_of(json, NULL);
	buf_reset(&cwt);
	buf_add_u8(&cwt, head);
	hex_read(bytes_of(claims), &cwt);
	hex_read(bytes_of("390103 a1 01"), &cwt);
	buf_add(&cwt, dgc.data, dgc.len);
	buf_clear(&dgc);
	return buf_bytes(&cwt);
}

#define CLAIMS "01625858 041a61f39fa9 061a60b29429"

static bool decode(struct bytes data, struct err *why)
{
	bool ok = hcert_decode(data, &c, &layer, why);
	CU_ASSERT_TRUE(ok || (c.id[0] == '\0' && c.holder_name[0] == '\0'));
	return ok;
}

static bool reads(const char *json)
{
	e = (struct err){ 0 };
	return decode(cwt_of(0xa4, CLAIMS, json), &e);
}

static void each_of_the_three_kinds_is_read_with_what_it_says(void)
{
	static const struct {
		const char *json, *type, *id;
	} kinds[] = {
		{ DGC("'v':[" V "]"), "hc1-v", "URN:UVCI:01:XX:1#A" },
		{ DGC("'t':[" T "]"), "hc1-t", "URN:UVCI:01:XX:2#B" },
		{ DGC("'r':[" R "]"), "hc1-r", "URN:UVCI:01:XX:3#C" },
		{ DGC("'v':[" V "],'r':[]"), "hc1-v", "URN:UVCI:01:XX:1#A" },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		CU_ASSERT_TRUE_FATAL(reads(kinds[i].json));
		CU_ASSERT_TRUE(c.profile == ECERT_HC1 && strcmp(c.type, kinds[i].type) == 0 &&
			       strcmp(c.id, kinds[i].id) == 0);
		CU_ASSERT_TRUE(strcmp(c.issuer, "XX") == 0 && strcmp(c.version, "1.3.0") == 0);
		CU_ASSERT_STRING_EQUAL(c.holder_name, "Erika Muster");
		CU_ASSERT_STRING_EQUAL(c.standard_name, "MUSTER<<ERIKA");
		CU_ASSERT_STRING_EQUAL(c.birth_date, "1998-02-26");
		CU_ASSERT_TRUE(c.issued_s == 0x60b29429 && c.from_s == c.issued_s && c.to_s == 0x61f39fa9);
		CU_ASSERT_TRUE(c.holder_kind == 0 && !c.holder_is_tagged && !c.has_digest);
		CU_ASSERT_TRUE(refuses_cut_and_longer(buf_bytes(&cwt), decode));
	}
}

static void times_may_have_fractions_and_nbf_is_when_it_begins(void)
{
	CU_ASSERT_TRUE_FATAL(decode(
		cwt_of(0xa5, "01625858 04fb41d87ce7ea600000 051a60b29430 06fb41d82ca50a4ccccd", DGC("'r':[" R "]")),
		&e));
	CU_ASSERT_TRUE(c.to_s == 0x61f39fa9 && c.from_s == 0x60b29430 && c.issued_s == 0x60b29429);
	CU_ASSERT_FALSE(decode(cwt_of(0xa4, "01625858 04f97e00 061a60b29429", DGC("'r':[" R "]")), &e)); /* NaN */
	CU_ASSERT_EQUAL(layer, HCERT_CWT);
	CU_ASSERT_FALSE(decode(cwt_of(0xa4, "01625858 0420 061a60b29429", DGC("'r':[" R "]")), &e));
	CU_ASSERT_FALSE(decode(cwt_of(0xa4, "01625858 04f97c00 061a60b29429", DGC("'r':[" R "]")), &e));
}

static void what_is_missing_from_the_cwt_is_named(void)
{
	CU_ASSERT_FALSE(decode(cwt_of(0xa3, "01625858 061a60b29429", DGC("'r':[" R "]")), &e));
	CU_ASSERT_TRUE(layer == HCERT_CWT && strstr(e.text, "exp") != NULL);
	CU_ASSERT_FALSE(decode(cwt_of(0xa3, "01625858 041a61f39fa9", DGC("'r':[" R "]")), &e));
	CU_ASSERT_TRUE(layer == HCERT_CWT && strstr(e.text, "iat") != NULL);
	buf_reset(&cwt);
	hex_read(bytes_of("a3" CLAIMS), &cwt);
	CU_ASSERT_FALSE(decode(buf_bytes(&cwt), &e));
	CU_ASSERT_TRUE(layer == HCERT_CWT && strstr(e.text, "-260") != NULL);
	hex_read(bytes_of("390103 a0"), &cwt);
	cwt.data[0] = 0xa4;
	CU_ASSERT_FALSE(decode(buf_bytes(&cwt), &e));
	CU_ASSERT_EQUAL(layer, HCERT_CWT);
	CU_ASSERT_TRUE(decode(cwt_of(0xa3, "041a61f39fa9 061a60b29429", DGC("'r':[" R "]")), &e)); /* iss may be */
	CU_ASSERT_STRING_EQUAL(c.issuer, "");
	/* claims that nobody asks for, one of them named by a text */
	CU_ASSERT_TRUE(decode(cwt_of(0xa6, CLAIMS "1903e8 80 6178 00", DGC("'r':[" R "]")), &e));
}

/* The JSON with one member's name spoilt, so that it is missing. */
static bool reads_without(const char *json, const char *member)
{
	char text[2048], name[32];
	snprintf(text, sizeof(text), "%s", json);
	snprintf(name, sizeof(name), "'%s':", member);
	char *at = strstr(text, name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	at[1] = '_';
	return reads(text);
}

static void a_member_that_must_be_there_is_missed_by_name(void)
{
	static const char *const all[] = { "ver", "nam", "dob", "tg", "co", "is", "ci", NULL };
	static const char *const v[] = { "vp", "mp", "ma", "dn", "sd", "dt", NULL };
	static const char *const t[] = { "tt", "sc", "tr", NULL };
	static const char *const r[] = { "fr", "df", "du", NULL };
	static const struct {
		const char *json;
		const char *const *own;
	} kinds[] = { { DGC("'v':[" V "]"), v }, { DGC("'t':[" T "]"), t }, { DGC("'r':[" R "]"), r } };
	for (size_t i = 0; i < 3; i++) {
		for (size_t group = 0; group < 2; group++) {
			for (const char *const *m = group == 0 ? all : kinds[i].own; *m != NULL; m++) {
				CU_ASSERT_FALSE(reads_without(kinds[i].json, *m));
				CU_ASSERT_TRUE(layer == HCERT_CLAIMS && e.code == ERR_INPUT &&
					       strstr(e.text, *m) != NULL);
			}
		}
	}
	CU_ASSERT_TRUE(reads_without(DGC("'t':[" T "]"), "tc")); /* missing in some of the real ones */
}

static void there_is_exactly_one_entry(void)
{
	CU_ASSERT_FALSE(reads(DGC("'x':1")));
	CU_ASSERT_FALSE(reads(DGC("'v':[]")));
	CU_ASSERT_FALSE(reads(DGC("'v':[" V "," V "]")));
	CU_ASSERT_FALSE(reads(DGC("'v':[" V "],'r':[" R "]")));
	CU_ASSERT_FALSE(reads(DGC("'v':" V)));
	CU_ASSERT_FALSE(reads(DGC("'v':['x']")));
	CU_ASSERT_FALSE(reads(DGC("'v':[[]]")));
	CU_ASSERT_EQUAL(layer, HCERT_CLAIMS);
}

#define V2                                                                                                           \
	"{'tg':'840539006','vp':'J07BX03','mp':'EU/1/20/1507','ma':'ORG-100031184','dn':2,'sd':2,'dt':'2021-06-29'," \
	"'co':'XX','is':'Ministry','ci':'URN:UVCI:01:XX:1#B'}"
#define OLD(ver, groups) "{'ver':'" ver "'," NAM ",'dob':'1998-02-26'," groups "}"

static void before_version_1_2_a_group_may_have_several_and_the_last_names_the_certificate(void)
{
	CU_ASSERT_TRUE(reads(OLD("1.0.0", "'v':[" V "," V2 "]")));
	CU_ASSERT_STRING_EQUAL(c.id, "URN:UVCI:01:XX:1#B");
	CU_ASSERT_STRING_EQUAL(c.type, "hc1-v");
	CU_ASSERT_TRUE(reads(OLD("1.1.0", "'v':[" V "," V2 "],'t':[]")));
	CU_ASSERT_FALSE(reads(OLD("1.2.1", "'v':[" V "," V2 "]")));
	CU_ASSERT_FALSE(reads(OLD("1.10.0", "'v':[" V "," V2 "]")));
	CU_ASSERT_FALSE(reads(OLD("1.0.0", "'v':[" V "],'t':[" T "]")));
	CU_ASSERT_FALSE(reads(OLD("1.0.0", "'v':[" V ",{'tg':'1'}]"))); /* each of them is whole */
}

static void a_member_that_is_null_passes_but_for_the_identifier(void)
{
	static const char *const nulls[] = { "'tg':'840539006'", "'fr':'2021-04-21'", "'df':'2021-05-01'",
					     "'co':'XX'",        "'is':'Ministry'",   "'ci':'URN:UVCI:01:XX:3#C'" };
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		struct buf dgc = cbor_of(DGC("'r':[" R "]"), NULL);
		char json[64];
		/* The member's key and value in CBOR, the value made null. */
		snprintf(json, sizeof(json), "{%s}", nulls[i]);
		struct buf given = cbor_of(json, NULL);
		uint8_t *at = memmem(dgc.data, dgc.len, given.data + 1, given.len - 1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		size_t value = given.len - 1 - 3; /* a key of two letters takes three bytes */
		at[3] = 0xf6;
		memmove(at + 4, at + 3 + value, (size_t)(dgc.data + dgc.len - (at + 3 + value)));
		dgc.len -= value - 1;
		buf_reset(&cwt);
		buf_add_u8(&cwt, 0xa4);
		hex_read(bytes_of(CLAIMS "390103 a1 01"), &cwt);
		buf_add(&cwt, dgc.data, dgc.len);
		CU_ASSERT_EQUAL(decode(buf_bytes(&cwt), NULL), i + 1 < sizeof(nulls) / sizeof(nulls[0]));
		buf_clear(&dgc);
		buf_clear(&given);
	}
}

static void a_certificate_in_a_byte_string_is_read_as_one_outside(void)
{
	struct buf dgc = cbor_of(DGC("'t':[" T "]"), NULL);
	for (int bad = 0; bad < 3; bad++) {
		buf_reset(&cwt);
		buf_add_u8(&cwt, 0xa4);
		hex_read(bytes_of(CLAIMS "390103 a1 01"), &cwt);
		cbor_put_bytes(&cwt, (struct bytes){ dgc.data, dgc.len - (bad == 1) });
		if (bad == 2) /* a byte string of a byte string */
			cwt.data[cwt.len - dgc.len] = 0x41;
		CU_ASSERT_EQUAL(decode(buf_bytes(&cwt), NULL), bad == 0);
	}
	buf_clear(&dgc);
}

#define REST(dob, nam) "{'ver':'1.0.0','nam':" nam ",'dob':'" dob "','r':[" R "]}"
#define SOMEBODY       "{'fnt':'A'}"

static void dates_of_birth_are_as_much_as_is_known(void)
{
	static const struct {
		const char *json, *date; /* NULL: refused */
	} dates[] = {
		{ REST("1998-02", SOMEBODY), "1998-02" },
		{ REST("1998", SOMEBODY), "1998" },
		{ REST("", SOMEBODY), "" },
		{ REST("1998-02-26T00:00:00", SOMEBODY), "1998-02-26" },
		{ REST("26.02.1998", SOMEBODY), NULL },
		{ REST("1998-2-26", SOMEBODY), NULL },
		{ REST("98", SOMEBODY), NULL },
		{ REST("1998-02-26 ", SOMEBODY), NULL },
	};
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		bool ok = reads(dates[i].json);
		CU_ASSERT_EQUAL(ok, dates[i].date != NULL);
		CU_ASSERT_TRUE(!ok || dates[i].date == NULL || strcmp(c.birth_date, dates[i].date) == 0);
	}
}

static void a_name_is_somebodys_and_of_whole_letters(void)
{
	char json[2048], wide[4 * 80 + 1] = "";
	CU_ASSERT_TRUE(reads(REST("", SOMEBODY)) && c.holder_name[0] == '\0' && strcmp(c.standard_name, "A") == 0);
	CU_ASSERT_TRUE(reads(REST("", "{'gn':'B'}")) && strcmp(c.holder_name, "B") == 0);
	CU_ASSERT_FALSE(reads(REST("", "{}")));
	CU_ASSERT_FALSE(reads(REST("", "{'fn':''}")));
	CU_ASSERT_FALSE(reads(REST("", "{'fnt':'Muster'}")));
	CU_ASSERT_FALSE(reads(REST("", "{'fn':7}")));
	CU_ASSERT_FALSE(reads(REST("", "'A'")));
	for (int i = 0; i < 80; i++)
		strcat(wide, "证");
	snprintf(json, sizeof(json), REST("", "{'gn':'%s','fn':'%s'}"), wide, wide);
	CU_ASSERT_TRUE_FATAL(reads(json));
	CU_ASSERT_TRUE(strlen(c.holder_name) > PERSON_NAME_MAX - 4 && utf8_is_valid(bytes_of(c.holder_name)));
	snprintf(json, sizeof(json), REST("", "{'fn':'%sx'}"), wide); /* 81 letters */
	CU_ASSERT_FALSE(reads(json));
}

static void what_is_no_version_date_or_count_is_refused(void)
{
	CU_ASSERT_FALSE(reads("{'ver':'1.3'," NAM ",'dob':'1998','r':[" R "]}"));
	CU_ASSERT_FALSE(reads("{'ver':'x.y.z'," NAM ",'dob':'1998','r':[" R "]}"));
	CU_ASSERT_FALSE(reads("{'ver':130," NAM ",'dob':'1998','r':[" R "]}"));
	CU_ASSERT_FALSE(
		reads(DGC("'r':[{'tg':'8','fr':'21.4.2021','df':'2021-05-01','du':'2021-10-21','co':'XX','is':'M',"
			  "'ci':'X'}]")));
	CU_ASSERT_FALSE(
		reads(DGC("'v':[{'tg':'8','vp':'J','mp':'E','ma':'O','dn':1.5,'sd':2,'dt':'2021-05-29','co':'XX',"
			  "'is':'M','ci':'X'}]")));
	CU_ASSERT_FALSE(
		reads(DGC("'t':[{'tg':'8','tt':'L','sc':'2021-05-30','tr':'2','co':'XX','is':'M','ci':'X'}]")));
}

static void what_a_key_is_for_is_read_from_both_arcs(void)
{
	static char uses[4][48] = { "1.3.6.1.4.1.1847.2021.1.1", "1.3.6.1.4.1.0.1847.2021.1.2",
				    "1.3.6.1.4.1.1847.2021.1.3", "1.3.6.1.5.5.7.3.2" };
	const unsigned all = HCERT_VACCINATION | HCERT_TEST | HCERT_RECOVERY;
	CU_ASSERT_EQUAL(hcert_uses(uses, 1), HCERT_TEST);
	CU_ASSERT_EQUAL(hcert_uses(uses, 2), HCERT_TEST | HCERT_VACCINATION);
	CU_ASSERT_EQUAL(hcert_uses(uses + 2, 2), HCERT_RECOVERY);
	CU_ASSERT_EQUAL(hcert_uses(uses, 0), all);
	CU_ASSERT_EQUAL(hcert_uses(uses + 3, 1), all);
	static char other[2][48] = { "1.3.6.1.4.1.1847.2021.1.4", "1.3.6.1.4.1.1847.2021.1.11" };
	CU_ASSERT_EQUAL(hcert_uses(other, 2), all);
}

static CU_TestInfo tests[] = {
	{ "each of the three kinds is read with what it says", each_of_the_three_kinds_is_read_with_what_it_says },
	{ "times may have fractions, and nbf is when it begins", times_may_have_fractions_and_nbf_is_when_it_begins },
	{ "what is missing from the CWT is named", what_is_missing_from_the_cwt_is_named },
	{ "a member that must be there is missed by name", a_member_that_must_be_there_is_missed_by_name },
	{ "there is exactly one entry", there_is_exactly_one_entry },
	{ "before version 1.2 a group may have several, and the last names the certificate",
	  before_version_1_2_a_group_may_have_several_and_the_last_names_the_certificate },
	{ "a member that is null passes, but for the identifier",
	  a_member_that_is_null_passes_but_for_the_identifier },
	{ "a certificate in a byte string is read as one outside",
	  a_certificate_in_a_byte_string_is_read_as_one_outside },
	{ "dates of birth are as much as is known", dates_of_birth_are_as_much_as_is_known },
	{ "a name is somebody's, and of whole letters", a_name_is_somebodys_and_of_whole_letters },
	{ "what is no version, date or count is refused", what_is_no_version_date_or_count_is_refused },
	{ "what a key is for is read from both arcs", what_a_key_is_for_is_read_from_both_arcs },
	CU_TEST_INFO_NULL,
};
SUITE(hcert, setup, teardown, tests);
