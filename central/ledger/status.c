#include "central/ledger/status.h"

static const struct {
	const char *name, *zh;
} words[] = {
#define X(name, word, zh) { #word, zh },
	LEDGER_STATUSES(X)
#undef X
};

const char *ledger_status_name(enum ledger_status s)
{
	return s < LEDGER_STATUS_COUNT ? words[s].name : "unknown";
}

const char *ledger_status_zh(enum ledger_status s)
{
	return s < LEDGER_STATUS_COUNT ? words[s].zh : "未知";
}
