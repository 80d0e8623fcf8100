#include "protocol/ecert_id.h"

#include <stdio.h>
#include <string.h>

#define PARTS 5
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static const char *const faults[ECERT_ID_BAD_CHECK + 1][2] = {
	[ECERT_ID_OK] = { "有效", "is valid" },
	[ECERT_ID_BAD_OID] = { "不是电子证照标识", "does not begin as an e-certificate's identifier does" },
	[ECERT_ID_BAD_PARTS] = { "电子证照标识的各段不符",
				 "has a part that is missing, too long or of other characters" },
	[ECERT_ID_BAD_CHECK] = { "电子证照标识校验位错误", "has a check character that does not match" },
};

const char *ecert_id_fault_zh(enum ecert_id_fault f)
{
	return faults[f][0];
}

const char *ecert_id_fault_en(enum ecert_id_fault f)
{
	return faults[f][1];
}

/* ISO/IEC 7064, hybrid system MOD 37,36. */
static int check_add(int p, const char *part)
{
	for (; *part != '\0'; part++) {
		int s = (p + (int)(strchr(alphabet, *part) - alphabet)) % 36;
		p = (s == 0 ? 36 : s) * 2 % 37;
	}
	return p;
}

char ecert_id_check(const struct ecert_id *id)
{
	int p = check_add(check_add(check_add(check_add(36, id->type), id->issuer), id->serial), id->version);
	return alphabet[(37 - p) % 36];
}

static bool part_is_good(const char *part)
{
	size_t len = strlen(part);
	return len > 0 && strspn(part, alphabet) == len;
}

static bool parts_are_good(const struct ecert_id *id)
{
	return part_is_good(id->type) && part_is_good(id->issuer) && part_is_good(id->serial) &&
	       strspn(id->version, "0123456789") == 3 && id->version[3] == '\0';
}

/* One part of at most size - 1 characters, and the dot behind it. */
static bool part_take(struct bytes *text, char *out, size_t size)
{
	const uint8_t *dot = memchr(text->data, '.', text->len);
	size_t len = dot == NULL ? text->len : (size_t)(dot - text->data);
	if (len >= size || memchr(text->data, '\0', len) != NULL)
		return false;
	memcpy(out, text->data, len);
	out[len] = '\0';
	size_t used = dot == NULL ? len : len + 1;
	*text = (struct bytes){ text->data + used, text->len - used };
	return true;
}

static enum ecert_id_fault parse(struct bytes text, struct ecert_id *out)
{
	size_t dots = 0, oid = strlen(ECERT_ID_OID);
	char check[2];
	if (text.len < oid || memcmp(text.data, ECERT_ID_OID, oid) != 0)
		return ECERT_ID_BAD_OID;
	text = (struct bytes){ text.data + oid, text.len - oid };
	for (size_t i = 0; i < text.len; i++)
		dots += text.data[i] == '.';
	if (dots != PARTS - 1 || !part_take(&text, out->type, sizeof(out->type)) ||
	    !part_take(&text, out->issuer, sizeof(out->issuer)) ||
	    !part_take(&text, out->serial, sizeof(out->serial)) ||
	    !part_take(&text, out->version, sizeof(out->version)) || !part_take(&text, check, sizeof(check)) ||
	    !parts_are_good(out) || !part_is_good(check))
		return ECERT_ID_BAD_PARTS;
	out->check = check[0];
	return ecert_id_check(out) == check[0] ? ECERT_ID_OK : ECERT_ID_BAD_CHECK;
}

bool ecert_id_parse(struct bytes text, struct ecert_id *out, enum ecert_id_fault *fault, struct err *e)
{
	memset(out, 0, sizeof(*out));
	enum ecert_id_fault found = parse(text, out);
	if (fault != NULL)
		*fault = found;
	if (found == ECERT_ID_OK)
		return true;
	memset(out, 0, sizeof(*out));
	return err_set(e, ERR_INPUT, "the identifier %s", faults[found][1]);
}

bool ecert_id_compose(struct ecert_id *id, char out[ECERT_ID_MAX + 1], struct err *e)
{
	if (!parts_are_good(id))
		return err_set(e, ERR_INPUT, "the identifier %s", faults[ECERT_ID_BAD_PARTS][1]);
	id->check = ecert_id_check(id);
	snprintf(out, ECERT_ID_MAX + 1, "%s%s.%s.%s.%s.%c", ECERT_ID_OID, id->type, id->issuer, id->serial,
		 id->version, id->check);
	return true;
}
