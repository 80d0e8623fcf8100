#include "central/ledger/lines.h"

#include "protocol/rule.h"

#include <stdio.h>
#include <string.h>

#define ID_TEXT_MAX 36

static const char *const classes[] = { "", "issue", "hold", "retire" };
static const char *const limits[] = { "none", "no_overdraft", "no_overpay" };
static const char *const kinds[] = { "", "single", "pending", "post", "void", "reversal", "expire" };
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

const char *ledger_class_name(uint8_t class)
{
	return class < LEN(classes) ? classes[class] : "";
}

const char *ledger_limit_name(uint8_t flags)
{
	return flags < LEN(limits) ? limits[flags] : "";
}

const char *ledger_kind_name(uint8_t kind)
{
	return kind < LEN(kinds) ? kinds[kind] : "";
}

/* One of the words behind the first `from`. */
static bool word_parse(const struct json *j, const char *key, const char *const *words, size_t from, size_t n,
		       uint8_t *out, struct err *e)
{
	const char *text;
	if (!json_text(j, key, 32, &text, e))
		return false;
	for (size_t i = from; i < n; i++)
		if (strcmp(words[i], text) == 0) {
			*out = (uint8_t)i;
			return true;
		}
	return err_set(e, ERR_INPUT, "%s: '%.32s' is none of those there are", key, text);
}

/* Missing is zero. */
static bool id_parse(const struct json *j, const char *key, struct id128 *out, struct err *e)
{
	const char *text = NULL;
	*out = (struct id128){ 0, 0 };
	if (!json_text_opt(j, key, ID_TEXT_MAX, &text, e))
		return false;
	return text == NULL || id128_parse(text, out, e) || err_wrap(e, "%s", key);
}

static bool int_parse(const struct json *j, const char *key, int64_t least, int64_t most, int64_t *out, struct err *e)
{
	*out = 0;
	return json_get(j, key) == NULL || json_int(j, key, least, most, out, e);
}

bool ledger_account_parse(const struct json *j, struct ledger_account *a, struct err *e)
{
	int64_t ledger, code;
	const char *name = NULL;
	memset(a, 0, sizeof(*a));
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	if (!json_only(j, "id ledger class code limit name", e) || !id_parse(j, "id", &a->id, e) ||
	    !json_int(j, "ledger", 0, UINT32_MAX, &ledger, e) || !int_parse(j, "code", 0, UINT16_MAX, &code, e) ||
	    !word_parse(j, "class", classes, 1, LEN(classes), &a->class, e) ||
	    !json_text_opt(j, "name", LEDGER_NAME_MAX, &name, e) ||
	    (json_get(j, "limit") != NULL && !word_parse(j, "limit", limits, 0, LEN(limits), &a->flags, e)))
		return false;
	a->ledger = (uint32_t)ledger;
	a->code = (uint16_t)code;
	snprintf(a->name, sizeof(a->name), "%s", name != NULL ? name : "");
	return true;
}

static bool transfer_ids(const struct json *j, struct ledger_transfer *t, struct err *e)
{
	return id_parse(j, "id", &t->id, e) && id_parse(j, "debit", &t->debit, e) &&
	       id_parse(j, "credit", &t->credit, e) && id_parse(j, "ref", &t->ref, e) &&
	       id_parse(j, "data", &t->data, e);
}

static bool transfer_numbers(const struct json *j, struct ledger_transfer *t, struct err *e)
{
	int64_t timeout_s, ledger, code;
	if (!int_parse(j, "amount", INT64_MIN, INT64_MAX, &t->amount, e) ||
	    !int_parse(j, "timeout_s", 0, UINT32_MAX, &timeout_s, e) ||
	    !int_parse(j, "ledger", 0, UINT32_MAX, &ledger, e) || !int_parse(j, "code", 0, UINT16_MAX, &code, e))
		return false;
	t->timeout_s = (uint32_t)timeout_s;
	t->ledger = (uint32_t)ledger;
	t->code = (uint16_t)code;
	return true;
}

static bool transfer_flags(const struct json *j, struct ledger_transfer *t, struct err *e)
{
	bool linked = false;
	const char *day = NULL;
	int64_t number = 0;
	if ((json_get(j, "linked") != NULL && !json_bool(j, "linked", &linked, e)) ||
	    !json_text_opt(j, "effective", 10, &day, e))
		return false;
	if (linked)
		t->flags |= TRANSFER_LINKED;
	if (day == NULL)
		return true;
	if (!day_parse(bytes_of(day), &number, e))
		return err_wrap(e, "effective");
	t->flags |= TRANSFER_EFFECTIVE_GIVEN;
	t->effective_day = (int32_t)number;
	return true;
}

bool ledger_transfer_parse(const struct json *j, struct ledger_transfer *t, struct err *e)
{
	memset(t, 0, sizeof(*t));
	if (!json_is_object(j))
		return err_set(e, ERR_INPUT, "expected an object");
	return json_only(j, "id kind debit credit amount ledger code ref timeout_s effective data linked", e) &&
	       word_parse(j, "kind", kinds, 1, TRANSFER_EXPIRE, &t->kind, e) && transfer_ids(j, t, e) &&
	       transfer_numbers(j, t, e) && transfer_flags(j, t, e);
}

bool ledger_line_next(struct bytes *rest, struct bytes *line, size_t *number)
{
	while (rest->len > 0) {
		const uint8_t *end = memchr(rest->data, '\n', rest->len);
		size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len, skip = end != NULL ? len + 1 : len;
		*line = (struct bytes){ rest->data, len > 0 && rest->data[len - 1] == '\r' ? len - 1 : len };
		*rest = (struct bytes){ rest->data + skip, rest->len - skip };
		++*number;
		if (line->len > 0)
			return true;
	}
	return false;
}

/* take parses the JSON into place i of the caller's array. */
static bool lines_parse(struct bytes lines, bool (*take)(void *out, size_t i, const struct json *j, struct err *e),
			void *out, size_t *n, struct err *e)
{
	struct bytes line;
	size_t number = 0;
	for (*n = 0; ledger_line_next(&lines, &line, &number); ++*n) {
		if (*n == LEDGER_BATCH_MAX)
			return err_set(e, ERR_INPUT, "a batch has at most %d lines: split it", LEDGER_BATCH_MAX);
		struct json *j = json_parse(line, e);
		bool ok = j != NULL && take(out, *n, j, e);
		json_free(j);
		if (!ok)
			return err_wrap(e, "line %zu", number);
	}
	return *n > 0 || err_set(e, ERR_INPUT, "there is no line: one JSON object a line");
}

static bool account_take(void *out, size_t i, const struct json *j, struct err *e)
{
	return ledger_account_parse(j, (struct ledger_account *)out + i, e);
}

static bool transfer_take(void *out, size_t i, const struct json *j, struct err *e)
{
	return ledger_transfer_parse(j, (struct ledger_transfer *)out + i, e);
}

bool ledger_accounts_parse(struct bytes lines, struct ledger_account *out, size_t *n, struct err *e)
{
	return lines_parse(lines, account_take, out, n, e);
}

bool ledger_transfers_parse(struct bytes lines, struct ledger_transfer *out, size_t *n, struct err *e)
{
	return lines_parse(lines, transfer_take, out, n, e);
}
