#include "central/ledger/row.h"

#include <string.h>

#define CHINA_S 28800
#define DAY_S   86400

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 8-4-4-4-12 */
static bool dash_belongs(size_t at, size_t len)
{
	return len == 36 && (at == 8 || at == 13 || at == 18 || at == 23);
}

bool id128_parse(const char *text, struct id128 *out, struct err *e)
{
	size_t len = strlen(text);
	*out = (struct id128){ 0, 0 };
	if (len == 0 || (len > 32 && len != 36))
		return err_set(e, ERR_INPUT, "an identifier has 1 to 32 hexadecimal digits, or is a UUID");
	for (size_t i = 0; i < len; i++) {
		if (dash_belongs(i, len) && text[i] == '-')
			continue;
		int digit = dash_belongs(i, len) ? -1 : digit_of(text[i]);
		if (digit < 0)
			return err_set(e, ERR_INPUT,
				       "'%.40s' is no identifier: 1 to 32 hexadecimal digits, or a UUID", text);
		out->hi = out->hi << 4 | out->lo >> 60;
		out->lo = out->lo << 4 | (uint64_t)digit;
	}
	return true;
}

static uint8_t *put(uint8_t *at, uint64_t v, size_t len)
{
	for (size_t i = len; i-- > 0; v >>= 8)
		at[i] = (uint8_t)v;
	return at + len;
}

void id128_encode(struct id128 id, uint8_t out[16])
{
	put(put(out, id.hi, 8), id.lo, 8);
}

struct id128 id128_decode(const uint8_t in[16])
{
	struct id128 id = { 0, 0 };
	for (size_t i = 0; i < 8; i++) {
		id.hi = id.hi << 8 | in[i];
		id.lo = id.lo << 8 | in[i + 8];
	}
	return id;
}

void id128_format(struct id128 id, char out[33])
{
	uint8_t bytes[16];
	id128_encode(id, bytes);
	hex_encode(bytes, sizeof(bytes), out);
}

void ledger_row_encode(const struct ledger_row *r, uint8_t out[ROW_LEN])
{
	uint8_t *at = out;
	id128_encode(r->id, at);
	id128_encode(r->data, at + 16);
	at = put(at + 32, (uint64_t)r->amount, 8);
	at = put(at, (uint64_t)r->released, 8);
	at = put(at, r->seq, 4);
	at = put(at, r->debit, 4);
	at = put(at, r->credit, 4);
	at = put(at, r->ref, 4);
	at = put(at, r->prev_debit, 4);
	at = put(at, r->prev_credit, 4);
	at = put(at, r->timeout_s, 4);
	at = put(at, (uint32_t)r->effective_day, 4);
	at = put(at, r->code, 2);
	at = put(at, r->kind, 1);
	at = put(at, r->flags, 1);
	put(at, 0, 4); /* to a whole number of words */
}

size_t ledger_account_encode(const struct ledger_account *a, uint8_t out[ACCOUNT_LEN_MAX])
{
	size_t len = strlen(a->name);
	id128_encode(a->id, out);
	uint8_t *at = put(out + 16, a->ledger, 4);
	at = put(at, a->code, 2);
	at = put(at, a->class, 1);
	at = put(at, a->flags, 1);
	at = put(at, len, 1);
	memcpy(at, a->name, len);
	return (size_t)(at - out) + len;
}

void ledger_chain_start(struct sha256_stream *s, const uint8_t head[HASH_LEN], const struct ledger_batch *b)
{
	uint8_t fixed[30], *at = fixed;
	sha256_start(s);
	sha256_add(s, bytes_of("xb/ledger/1"));
	sha256_add(s, (struct bytes){ head, HASH_LEN });
	at = put(at, b->no, 8);
	at = put(at, b->kind, 1);
	at = put(at, b->first, 8);
	at = put(at, b->rows, 4);
	at = put(at, (uint64_t)b->time_s, 8);
	put(at, strlen(b->operator), 1);
	sha256_add(s, (struct bytes){ fixed, sizeof(fixed) });
	sha256_add(s, bytes_of(b->operator));
}

int32_t ledger_day_of(int64_t time_s)
{
	int64_t t = time_s + CHINA_S;
	return (int32_t)(t >= 0 ? t / DAY_S : -((DAY_S - 1 - t) / DAY_S));
}

static void sums_add(int64_t *posted, int64_t *pending, const struct ledger_row *r, int sign)
{
	switch (r->kind) {
	case TRANSFER_SINGLE:
	case TRANSFER_REVERSAL: *posted += sign * r->amount; break;
	case TRANSFER_PENDING: *pending += sign * r->amount; break;
	case TRANSFER_POST:
		*posted += sign * r->amount;
		*pending -= sign * r->released;
		break;
	default: *pending -= sign * r->released; break;
	}
}

void ledger_sums_debit(struct ledger_sums *s, const struct ledger_row *r, int sign)
{
	sums_add(&s->debits_posted, &s->debits_pending, r, sign);
}

void ledger_sums_credit(struct ledger_sums *s, const struct ledger_row *r, int sign)
{
	sums_add(&s->credits_posted, &s->credits_pending, r, sign);
}

bool ledger_sums_allowed(const struct ledger_sums *s, uint8_t flags)
{
	/* Each is at most INT64_MAX: posted and pending together are kept below it. */
	if ((flags & ACCOUNT_NO_OVERDRAFT) != 0 && s->debits_posted + s->debits_pending > s->credits_posted)
		return false;
	return (flags & ACCOUNT_NO_OVERPAY) == 0 || s->credits_posted + s->credits_pending <= s->debits_posted;
}
