#include "protocol/hcert.h"

#include "protocol/cbor_normal.h"

#include <math.h>
#include <string.h>

enum { CLAIM_ISS = 1, CLAIM_EXP = 4, CLAIM_NBF = 5, CLAIM_IAT = 6, CLAIM_HCERT = -260, HCERT_DGC = 1 };
#define CLAIMS_MAX  32
#define TEXT_MAX    80 /* the schema's longest members */
#define ENTRIES_MAX 16

/* --- the CWT --- */

struct cwt {
	struct bytes iss, dgc; /* data NULL: missing */
	int64_t exp_s, nbf_s, iat_s;
	bool has_exp, has_iat, has_nbf;
};

/* NumericDate (RFC 8392 section 2): whole or not. */
static bool time_get(struct cbor *c, bool *has, int64_t *time_s, struct err *e)
{
	double v;
	if (!cbor_get_real(c, &v, e))
		return false;
	if (!(v >= 0 && v <= (double)TIME_MAX_S))
		return err_set(e, ERR_INPUT, "a time beyond all years");
	*time_s = (int64_t)floor(v);
	return *has = true;
}

static bool dgc_get(struct cbor *c, struct bytes *dgc, struct err *e)
{
	size_t pairs;
	int64_t key;
	struct bytes item;
	if (!cbor_get_map(c, CLAIMS_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--) {
		if (!cbor_get_int(c, &key, e) || !cbor_get_item(c, &item, e))
			return false;
		if (key == HCERT_DGC)
			*dgc = item;
	}
	return dgc->data != NULL || err_set(e, ERR_INPUT, "claim -260 holds no certificate");
}

/* Some put the certificate's CBOR into a byte string: inner then holds it, normal. */
static bool dgc_unwrap(struct bytes *dgc, struct buf *inner, struct err *e)
{
	struct cbor c = cbor_over(*dgc);
	struct bytes run;
	enum cbor_type t;
	if (cbor_peek(&c, &t) && t == CBOR_BYTES) {
		if (!cbor_get_bytes(&c, &run, e) || !cbor_normalise(run, inner, e))
			return false;
		*dgc = buf_bytes(inner);
		c = cbor_over(*dgc);
	}
	return (cbor_peek(&c, &t) && t == CBOR_MAP) || err_set(e, ERR_INPUT, "claim -260 holds no certificate");
}

static bool claim_get(struct cbor *c, struct cwt *out, struct err *e)
{
	enum cbor_type t;
	struct bytes skipped;
	int64_t key = 0;
	/* A claim may be named by text; none of ours is. */
	bool named = cbor_peek(c, &t) && t == CBOR_TEXT;
	if (named ? !cbor_get_text(c, &skipped, e) : !cbor_get_int(c, &key, e))
		return false;
	switch (named ? 0 : key) {
	case CLAIM_ISS: return cbor_get_text(c, &out->iss, e);
	case CLAIM_EXP: return time_get(c, &out->has_exp, &out->exp_s, e);
	case CLAIM_NBF: return time_get(c, &out->has_nbf, &out->nbf_s, e);
	case CLAIM_IAT: return time_get(c, &out->has_iat, &out->iat_s, e);
	case CLAIM_HCERT: return dgc_get(c, &out->dgc, e);
	default: return cbor_get_item(c, &skipped, e);
	}
}

static bool cwt_read(struct bytes data, struct cwt *out, struct buf *inner, struct err *e)
{
	struct cbor c = cbor_over(data);
	size_t pairs;
	*out = (struct cwt){ 0 };
	if (!cbor_get_map(&c, CLAIMS_MAX, &pairs, e))
		return false;
	for (; pairs > 0; pairs--)
		if (!claim_get(&c, out, e))
			return false;
	if (!cbor_end(&c, e))
		return false;
	if (out->dgc.data == NULL || !out->has_exp || !out->has_iat)
		return err_set(e, ERR_INPUT, "%s is missing",
			       out->dgc.data == NULL ? "claim -260"
			       : out->has_exp        ? "iat"
						     : "exp");
	return dgc_unwrap(&out->dgc, inner, e);
}

/* --- the certificate in it --- */

static bool is_null(struct bytes item)
{
	return item.len == 1 && item.data[0] == 0xf6;
}

/* The member, or data NULL when it is missing or null. */
static bool member_get(struct bytes map, const char *key, struct bytes *item, struct err *e)
{
	if (!cbor_find(map, key, item, e))
		return false;
	if (item->data != NULL && is_null(*item))
		item->data = NULL;
	return true;
}

/* Whether the member is there and says nothing: some issuers write null for what they do not know of a vaccine or a test. */
static bool member_is_null(struct bytes map, const char *key)
{
	struct bytes item;
	return cbor_find(map, key, &item, NULL) && item.data != NULL && is_null(item);
}

/* A text of at most TEXT_MAX characters; with must, one that is there. */
static bool text_get(struct bytes map, const char *key, bool must, char *out, size_t size, struct err *e)
{
	struct bytes item, text;
	out[0] = '\0';
	if (!member_get(map, key, &item, e))
		return false;
	if (item.data == NULL)
		return !must || err_set(e, ERR_INPUT, "%s is missing", key);
	struct cbor c = cbor_over(item);
	if (!cbor_get_text(&c, &text, e))
		return err_wrap(e, "%s", key);
	size_t letters = 0;
	for (size_t i = 0; i < text.len; i++)
		letters += (text.data[i] & 0xc0) != 0x80;
	if (letters > TEXT_MAX || text.len >= size || memchr(text.data, '\0', text.len) != NULL)
		return err_set(e, ERR_INPUT, "%s is longer than %d characters", key, TEXT_MAX);
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return true;
}

/* 0 is a digit, every other letter itself. */
static bool has_form(const char *text, const char *form)
{
	for (; *form != '\0'; form++, text++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return *text == '\0';
}

/* A whole day, as some write it with a time behind (RFC 3339 section 5.6, with T or t between). */
static bool is_day(const char *text)
{
	char day[11];
	if (strlen(text) < 10)
		return false;
	memcpy(day, text, 10);
	day[10] = '\0';
	return has_form(day, "0000-00-00") && (text[10] == '\0' || text[10] == 'T' || text[10] == 't');
}

static bool day_get(struct bytes map, const char *key, struct err *e)
{
	char text[4 * TEXT_MAX + 1];
	if (member_is_null(map, key))
		return true;
	if (!text_get(map, key, true, text, sizeof(text), e))
		return false;
	return is_day(text) || err_set(e, ERR_INPUT, "%s is no date", key);
}

static bool date_time_get(struct bytes map, const char *key, struct err *e)
{
	char text[4 * TEXT_MAX + 1];
	if (member_is_null(map, key))
		return true;
	if (!text_get(map, key, true, text, sizeof(text), e))
		return false;
	return (is_day(text) && text[10] != '\0' && strlen(text) >= 16) ||
	       err_set(e, ERR_INPUT, "%s is no date with a time", key);
}

/* From 0, since version 1.0.0 allows it; whole, however it is written. */
static bool dose_get(struct bytes map, const char *key, struct err *e)
{
	struct bytes item;
	double v;
	if (member_is_null(map, key))
		return true;
	if (!member_get(map, key, &item, e))
		return false;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "%s is missing", key);
	struct cbor c = cbor_over(item);
	if (!cbor_get_real(&c, &v, e))
		return err_wrap(e, "%s", key);
	return (v >= 0 && v <= 99 && floor(v) >= v) || err_set(e, ERR_INPUT, "%s is no count of doses", key);
}

static bool texts_get(struct bytes map, const char *const *keys, struct err *e)
{
	char text[4 * TEXT_MAX + 1];
	for (; *keys != NULL; keys++)
		if (!member_is_null(map, *keys) && !text_get(map, *keys, true, text, sizeof(text), e))
			return false;
	return true;
}

static bool vaccination_check(struct bytes v, struct err *e)
{
	static const char *const texts[] = { "tg", "vp", "mp", "ma", NULL };
	return texts_get(v, texts, e) && dose_get(v, "dn", e) && dose_get(v, "sd", e) && day_get(v, "dt", e);
}

static bool test_check(struct bytes t, struct err *e)
{
	static const char *const texts[] = { "tg", "tt", "tr", NULL };
	char text[4 * TEXT_MAX + 1];
	return texts_get(t, texts, e) && date_time_get(t, "sc", e) &&
	       text_get(t, "nm", false, text, sizeof(text), e) && text_get(t, "ma", false, text, sizeof(text), e) &&
	       text_get(t, "tc", false, text, sizeof(text), e);
}

static bool recovery_check(struct bytes r, struct err *e)
{
	static const char *const texts[] = { "tg", NULL };
	return texts_get(r, texts, e) && day_get(r, "fr", e) && day_get(r, "df", e) && day_get(r, "du", e);
}

/* The member's array; none when it is missing, null or empty. */
static bool entries_get(struct bytes dgc, const char *key, size_t most, struct cbor *entries, size_t *len,
			struct err *e)
{
	struct bytes item;
	*len = 0;
	if (!member_get(dgc, key, &item, e) || item.data == NULL)
		return item.data == NULL;
	*entries = cbor_over(item);
	return cbor_get_array(entries, most, len, e) || err_wrap(e, "%s", key);
}

static const struct {
	const char *key, *type;
	bool (*check)(struct bytes entry, struct err *e);
} groups[] = {
	{ "v", "hc1-v", vaccination_check },
	{ "t", "hc1-t", test_check },
	{ "r", "hc1-r", recovery_check },
};

/* Of several the last one, the newest, names the certificate. */
static bool group_read(struct cbor *entries, size_t len, size_t group, struct ecert *out, struct err *e)
{
	static const char *const texts[] = { "co", "is", NULL };
	struct bytes entry;
	for (; len > 0; len--)
		if (!cbor_get_item(entries, &entry, e) || !groups[group].check(entry, e) ||
		    !texts_get(entry, texts, e) || !text_get(entry, "ci", true, out->id, sizeof(out->id), e))
			return err_wrap(e, "%s", groups[group].key);
	return true;
}

/* Exactly one entry since version 1.2; before it a group could have several. */
static bool entry_read(struct bytes dgc, struct ecert *out, struct err *e)
{
	static const size_t len_of_groups = sizeof(groups) / sizeof(groups[0]);
	bool several = strncmp(out->version, "1.0.", 4) == 0 || strncmp(out->version, "1.1.", 4) == 0;
	struct cbor entries[sizeof(groups) / sizeof(groups[0])];
	size_t len, only_len = 0, group = 0;
	for (size_t i = 0; i < len_of_groups; i++) {
		if (!entries_get(dgc, groups[i].key, several ? ENTRIES_MAX : 1, &entries[i], &len, e))
			return false;
		if (len == 0)
			continue;
		if (only_len > 0)
			return err_set(e, ERR_INPUT, "more than one of v, t and r");
		only_len = len;
		group = i;
	}
	if (only_len == 0)
		return err_set(e, ERR_INPUT, "none of v, t and r");
	memcpy(out->type, groups[group].type, strlen(groups[group].type) + 1);
	return group_read(&entries[group], only_len, group, out, e);
}

static bool standard_is_good(const char *name)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ<") == strlen(name);
}

/* How many of its bytes fit, in whole characters. */
static size_t text_fit(const char *text, size_t room)
{
	size_t fit = 0, i = 0;
	for (; i <= room && text[i] != '\0'; i++)
		if ((text[i] & 0xc0) != 0x80)
			fit = i;
	return i <= room ? i : fit;
}

/* Both parts of a name as far as they fit: 80 letters each may take more bytes than a name of ours. */
static void name_join(char *out, const char *first, const char *between, const char *last)
{
	size_t n = 0;
	const char *parts[] = { first, first[0] != '\0' && last[0] != '\0' ? between : "", last };
	for (size_t i = 0; i < 3; i++) {
		size_t len = text_fit(parts[i], PERSON_NAME_MAX - n);
		memcpy(out + n, parts[i], len);
		n += len;
	}
	out[n] = '\0';
}

static bool name_read(struct bytes dgc, struct ecert *out, struct err *e)
{
	char fn[4 * TEXT_MAX + 1], gn[4 * TEXT_MAX + 1], fnt[TEXT_MAX + 1], gnt[TEXT_MAX + 1];
	struct bytes nam;
	if (!member_get(dgc, "nam", &nam, e))
		return false;
	if (nam.data == NULL)
		return err_set(e, ERR_INPUT, "nam is missing");
	if (!text_get(nam, "fn", false, fn, sizeof(fn), e) || !text_get(nam, "gn", false, gn, sizeof(gn), e) ||
	    !text_get(nam, "fnt", false, fnt, sizeof(fnt), e) || !text_get(nam, "gnt", false, gnt, sizeof(gnt), e))
		return err_wrap(e, "nam");
	if (fnt[0] == '\0' && gnt[0] == '\0' && fn[0] == '\0' && gn[0] == '\0')
		return err_set(e, ERR_INPUT, "nam has no name");
	if (!standard_is_good(fnt) || !standard_is_good(gnt))
		return err_set(e, ERR_INPUT, "nam: a standardised name of other letters than A to Z and <");
	name_join(out->holder_name, gn, " ", fn);
	name_join(out->standard_name, fnt, "<<", gnt);
	return true;
}

static bool birth_read(struct bytes dgc, struct ecert *out, struct err *e)
{
	char dob[4 * TEXT_MAX + 1] = "";
	struct bytes item;
	if (!member_get(dgc, "dob", &item, e))
		return false;
	if (item.data == NULL)
		return err_set(e, ERR_INPUT, "dob is missing");
	if (!text_get(dgc, "dob", true, dob, sizeof(dob), e))
		return false;
	if (dob[0] != '\0' && !has_form(dob, "0000") && !has_form(dob, "0000-00") && !is_day(dob))
		return err_set(e, ERR_INPUT, "dob is no date");
	dob[10] = '\0'; /* a time behind it says nothing */
	memcpy(out->birth_date, dob, sizeof(out->birth_date));
	return true;
}

static bool version_read(struct bytes dgc, struct ecert *out, struct err *e)
{
	char ver[4 * TEXT_MAX + 1];
	if (!text_get(dgc, "ver", true, ver, sizeof(ver), e))
		return false;
	size_t digits = strspn(ver, "0123456789."), dots = 0;
	for (const char *c = ver; *c != '\0'; c++)
		dots += *c == '.';
	if (ver[digits] != '\0' || dots != 2 || digits >= sizeof(out->version))
		return err_set(e, ERR_INPUT, "ver is no version");
	memcpy(out->version, ver, digits + 1);
	return true;
}

/* A country's code as a rule; what is longer is cut. */
static void issuer_read(const struct cwt *cwt, struct ecert *out)
{
	size_t len = cwt->iss.len < sizeof(out->issuer) ? cwt->iss.len : sizeof(out->issuer) - 1;
	while (len > 0 && len < cwt->iss.len && (cwt->iss.data[len] & 0xc0) == 0x80)
		len--;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = cwt->iss.data[i];
		out->issuer[i] = '?';
		if (c != 0)
			out->issuer[i] = (char)c;
	}
}

static bool decode(struct bytes cwt_bytes, struct ecert *out, struct buf *inner, enum hcert_layer *layer,
		   struct err *e)
{
	struct cwt cwt;
	*layer = HCERT_CWT;
	if (!cwt_read(cwt_bytes, &cwt, inner, e))
		return err_wrap(e, "CWT");
	out->profile = ECERT_HC1;
	out->issued_s = cwt.iat_s;
	out->from_s = cwt.has_nbf ? cwt.nbf_s : cwt.iat_s;
	out->to_s = cwt.exp_s;
	issuer_read(&cwt, out);
	*layer = HCERT_CLAIMS;
	return (version_read(cwt.dgc, out, e) && name_read(cwt.dgc, out, e) && birth_read(cwt.dgc, out, e) &&
		entry_read(cwt.dgc, out, e)) ||
	       err_wrap(e, "certificate");
}

bool hcert_decode(struct bytes cwt, struct ecert *out, enum hcert_layer *layer, struct err *e)
{
	struct buf normal, inner;
	memset(out, 0, sizeof(*out));
	*layer = HCERT_CWT;
	if (cwt.len > ECERT_COSE_MAX)
		return err_set(e, ERR_FULL, "CWT: %zu bytes, above %u", cwt.len, ECERT_COSE_MAX);
	buf_init(&normal, CBOR_NORMAL_MAX(ECERT_COSE_MAX));
	buf_init(&inner, CBOR_NORMAL_MAX(ECERT_COSE_MAX));
	bool ok = cbor_normalise(cwt, &normal, e);
	if (!ok)
		ok = err_wrap(e, "CWT");
	else
		ok = decode(buf_bytes(&normal), out, &inner, layer, e);
	buf_clear(&normal);
	buf_clear(&inner);
	if (!ok)
		memset(out, 0, sizeof(*out));
	return ok;
}

unsigned hcert_uses(char (*uses)[48], size_t uses_len)
{
	static const char *const arcs[] = { "1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1." };
	static const unsigned bits[] = { HCERT_TEST, HCERT_VACCINATION, HCERT_RECOVERY };
	unsigned found = 0;
	for (size_t i = 0; i < uses_len; i++) {
		for (size_t a = 0; a < sizeof(arcs) / sizeof(arcs[0]); a++) {
			size_t len = strlen(arcs[a]);
			const char *last = uses[i] + len;
			if (strncmp(uses[i], arcs[a], len) == 0 && last[0] >= '1' && last[0] <= '3' &&
			    last[1] == '\0')
				found |= bits[last[0] - '1'];
		}
	}
	return found != 0 ? found : HCERT_VACCINATION | HCERT_TEST | HCERT_RECOVERY;
}
