/* centralctl: what is done with a model's file alone: model lint, score, from-card, monitor. None needs centrald. */
#include "central/ctl/ctl.h"

#include "central/score/card_csv.h"
#include "central/score/lint.h"
#include "central/score/monitor.h"
#include "central/score/pmml.h"
#include "central/score/table.h"
#include "protocol/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 1073741824U

static bool file_take(const char *path, size_t max, struct buf *out, struct err *e)
{
	buf_init(out, max);
	if (strcmp(path, "-") == 0)
		path = "/dev/stdin";
	if (file_read(path, out, e))
		return true;
	buf_clear(out);
	return false;
}

static struct card *model_take(const char *path, struct err *e)
{
	struct buf text;
	if (!file_take(path, DOCUMENT_MAX, &text, e))
		return NULL;
	struct card *c = pmml_read(buf_bytes(&text), e);
	buf_clear(&text);
	if (c == NULL)
		err_wrap(e, "%.120s", path);
	return c;
}

static bool number_option(const struct ctl *c, const char *name, long long most, long long otherwise, long long *out,
			  struct err *e)
{
	const char *text = ctl_option(c, name);
	char *end = NULL;
	*out = text != NULL ? strtoll(text, &end, 10) : otherwise;
	return text == NULL || (end != text && *end == '\0' && *out >= 0 && *out <= most) ||
	       err_set(e, ERR_INPUT, "--%s: 应为 0 到 %lld 的整数 / a number from 0 to %lld", name, most, most);
}

/* --- lint --- */

struct lint_print {
	const struct card *card;
	struct json_out *json; /* NULL: as text */
};

static void finding_print(void *arg, const struct lint_finding *f)
{
	const struct lint_print *p = arg;
	const char *name = p->card->characteristics[f->characteristic].name;
	if (p->json == NULL) {
		printf("  %s %s · %zu %s%s%s · %s / %s\n", lint_kind_zh(f->kind), lint_kind_name(f->kind),
		       f->characteristic + 1, name != NULL ? name : "", f->where[0] != '\0' ? " · " : "", f->where,
		       f->what_zh, f->what);
		return;
	}
	json_open(p->json, NULL, '{');
	json_put_text(p->json, "kind", lint_kind_name(f->kind));
	json_put_bool(p->json, "fault", lint_is_fault(f->kind));
	json_put_int(p->json, "characteristic", (int64_t)f->characteristic + 1);
	json_put_text(p->json, "name", name);
	json_put_text(p->json, "where", f->where);
	json_put_text(p->json, "text_zh", f->what_zh);
	json_put_text(p->json, "text", f->what);
	json_close(p->json, '}');
}

static size_t lint_json(const struct card *card, const char *hash)
{
	struct buf out;
	struct json_out w = { &out, false };
	buf_init(&out, 1 << 24);
	json_open(&w, NULL, '{');
	json_put_text(&w, "model", card->name);
	json_put_text(&w, "hash", hash);
	json_open(&w, "findings", '[');
	struct lint_print p = { card, &w };
	size_t faults = lint_run(card, finding_print, &p);
	json_close(&w, ']');
	json_put_int(&w, "faults", (int64_t)faults);
	json_close(&w, '}');
	printf("%s\n", buf_str(&out));
	buf_clear(&out);
	return faults;
}

static bool model_lint(struct ctl *c, struct err *e)
{
	uint8_t hash[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	struct card *card = model_take(c->argv[0], e);
	if (card == NULL)
		return false;
	bool ok = pmml_hash(card, hash, e);
	size_t faults = 0;
	if (ok) {
		hex_encode(hash, HASH_LEN, hex);
		if (!c->json)
			printf("%s%s · %zu 项特征 / characteristics · %zu 条一票否决 / knock-outs · %s\n",
			       card->name != NULL ? card->name : "-", card->sample ? "（样例 sample）" : "",
			       card->characteristics_len, card->knockouts_len, hex);
		struct lint_print p = { card, NULL };
		faults = c->json ? lint_json(card, hex) : lint_run(card, finding_print, &p);
		if (!c->json && faults == 0)
			printf("没有缺陷 / no faults\n");
	}
	card_free(card);
	return ok && (faults == 0 || err_set(e, ERR_DENIED, "%zu 处缺陷 / faults", faults));
}

/* --- score --- */

static bool model_score(struct ctl *c, struct err *e)
{
	struct table_options o = { .keep = ctl_option(c, "keep"), .points = ctl_option(c, "points") != NULL };
	const char *input = ctl_option(c, "input");
	struct buf table, out;
	uint64_t rows = 0, invalid = 0;
	long long reasons = 0;
	if (input == NULL)
		return err_set(e, ERR_INPUT, "缺少 / missing: --input CSV");
	if (!number_option(c, "reasons", TABLE_REASONS_MAX, 4, &reasons, e))
		return false;
	o.reasons = (size_t)reasons;
	struct card *card = model_take(c->argv[0], e);
	if (card == NULL)
		return false;
	if (!file_take(input, TABLE_MAX, &table, e)) {
		card_free(card);
		return false;
	}
	buf_init(&out, TABLE_MAX);
	bool ok = table_score(card, buf_bytes(&table), &o, &out, &rows, &invalid, e) || err_wrap(e, "%.120s", input);
	if (ok) {
		fwrite(out.data, 1, out.len, stdout);
		fprintf(stderr,
			"评分 %llu 行，其中 %llu 行无有效分数 / rows scored, and those without a valid score\n",
			(unsigned long long)rows, (unsigned long long)invalid);
	}
	buf_clear(&out);
	buf_clear(&table);
	card_free(card);
	return ok;
}

/* --- from-card --- */

static bool model_from_card(struct ctl *c, struct err *e)
{
	struct buf text, out;
	const char *name = ctl_option(c, "name");
	if (!file_take(c->argv[0], DOCUMENT_MAX, &text, e))
		return false;
	struct card *card = card_from_csv(buf_bytes(&text), name != NULL ? name : "scorecard", e);
	buf_clear(&text);
	if (card == NULL)
		return err_wrap(e, "%.120s", c->argv[0]);
	buf_init(&out, DOCUMENT_MAX);
	bool ok = pmml_write(card, &out, e);
	if (ok)
		fwrite(out.data, 1, out.len, stdout);
	buf_clear(&out);
	card_free(card);
	return ok;
}

const struct ctl_command ctl_model_commands[] = {
	{ "model", "lint", 1, "FILE.pmml", "", model_lint },
	{ "model", "score", 1, "FILE.pmml --input CSV [--keep COLUMN,…] [--reasons N] [--points]",
	  "input keep reasons|points", model_score },
	{ "model", "from-card", 1, "CARD.csv [--name NAME]", "name", model_from_card },
	{ "model", "monitor", 1,
	  "SCORES.csv [--score COLUMN] [--outcome COLUMN --good VALUE] [--reference SCORES.csv] [--bins N], or "
	  "FAMILY --months [--model HASH | --all] [--bins N] [--svg FILE]",
	  "score outcome good reference bins model svg|months all", ctl_model_monitor },
	{ 0 },
};
