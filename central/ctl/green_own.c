/* centralctl: green label, labels, rate and verify. */
#include "central/ctl/subject.h"
#include "protocol/base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct bytes nothing = { NULL, 0 };

/* A number of grams or thousandths as a decimal; whole above 0. */
static const char *thousandths(int64_t v)
{
	static char text[4][32];
	static unsigned next;
	char *out = text[next++ % 4];
	snprintf(out, sizeof(text[0]), "%" PRId64 ".%03" PRId64, v / 1000, v % 1000);
	return out;
}

static void faults_print(const struct json *result)
{
	const struct json *all = json_get(result, "faults");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *f = json_at(all, i);
		printf("    %s %s %s: %s / %s\n", ctl_text(f, "of"), ctl_text(f, "month"), ctl_text(f, "code"),
		       ctl_text(f, "zh"), ctl_text(f, "en"));
	}
}

static void carriers_print(const struct json *result)
{
	const struct json *all = json_get(result, "carriers");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *c = json_at(all, i);
		printf("    %s / %s: %s %s → %s kg CO2e\n", ctl_text(c, "zh"), ctl_text(c, "carrier"),
		       thousandths(ctl_int(c, "used_thousandths")), ctl_text(c, "unit"),
		       thousandths(ctl_int(c, "grams")));
	}
}

static void label_print(const struct json *j)
{
	const struct json *r = json_get(json_get(j, "computed"), "result");
	const char *label = ctl_text(j, "label");
	printf("  %lld · %s 至 / to %s · %s %s · 规则 / document %lld %.16s… · %s %s\n", (long long)ctl_int(j, "id"),
	       ctl_text(r, "from"), ctl_text(r, "to"), label[0] != '\0' ? ctl_text(j, "label_zh") : "无标识 / none",
	       label, (long long)ctl_int(j, "version"), ctl_text(j, "document"), ctl_time(ctl_int(j, "computed_s")),
	       ctl_text(j, "computed_by"));
	carriers_print(r);
	if (label[0] != '\0')
		printf("    排放 / emissions %s kg CO2e · 产出 / output %s %s · 强度 / intensity %s kg/%s · 行业 / "
		       "industry %s %s 基准 / benchmark %s kg · %lld‰\n",
		       thousandths(ctl_int(r, "grams")), thousandths(ctl_int(r, "output_thousandths")),
		       ctl_text(r, "output_unit"), thousandths(ctl_int(r, "intensity_grams")),
		       ctl_text(r, "output_unit"), ctl_text(r, "industry"), ctl_text(r, "industry_zh"),
		       thousandths(ctl_int(r, "benchmark_grams")), (long long)ctl_int(r, "of_benchmark_thousandths"));
	faults_print(r);
}

/* The body of a question about an enterprise, with up to one member more. */
static struct json *asked(struct ctl *c, const char *number, const char *path, const char *option, const char *key,
			  bool *printed, struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	struct json *j = NULL;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", number);
	json_put_text(&w, "purpose", c->argv[1]);
	if (ctl_option(c, option) != NULL)
		json_put_text(&w, key, ctl_option(c, option));
	json_close(&w, '}');
	if (buf_ok(&body, "the request", e))
		j = ctl_call(c, "POST", path, buf_bytes(&body), printed, e);
	buf_wipe(&body);
	return j;
}

/* --- many --- */

#define FILE_BYTES_MAX 16777216U

static bool is_file(const char *text)
{
	size_t n = strlen(text);
	return n >= 4 && strcmp(text + n - 4, ".csv") == 0;
}

/* Asked of each enterprise in a file of one column, "subject"; what fails is named by its line and the others go on. */
static bool each(struct ctl *c, bool (*one)(struct ctl *c, const char *number, struct err *e), struct err *e)
{
	struct buf file;
	uint64_t line = 0, done = 0, none = 0;
	buf_init(&file, FILE_BYTES_MAX);
	bool ok = file_read(c->argv[0], &file, e);
	for (const char *at = ok ? buf_str(&file) : ""; *at != '\0';) {
		char number[64];
		struct err why = { 0 };
		size_t len = strcspn(at, "\r\n");
		snprintf(number, sizeof(number), "%.*s", (int)(len < sizeof(number) ? len : 0), at);
		at += len + strspn(at + len, "\r");
		at += *at == '\n';
		if (++line == 1 && strcmp(number, "subject") != 0) {
			ok = err_set(e, ERR_INPUT, "line 1: expected the one column 'subject'");
			break;
		}
		if (line == 1 || number[0] == '\0')
			continue;
		bool given = one(c, number, &why);
		if (!given)
			printf("  行 / line %llu: %s\n", (unsigned long long)line, why.text);
		done += given;
		none += !given;
	}
	buf_wipe(&file);
	if (ok && !c->json)
		printf("  有 / given %llu · 无 / none %llu\n", (unsigned long long)done, (unsigned long long)none);
	return ok;
}

static bool label_one(struct ctl *c, const char *number, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, number, "/v1/green/label", "month", "month", &printed, e);
	if (j == NULL)
		return false;
	bool none = ctl_text(j, "label")[0] == '\0';
	if (!printed) {
		printf("  %s\n", json_get(j, "fresh") != NULL && json_bool_value(json_get(j, "fresh"))
					 ? "已计算并保存 / computed and kept"
					 : "与已保存的相同 / as it was kept before");
		label_print(j);
	}
	json_free(j);
	return !none || err_set(e, ERR_INPUT, "没有标识 / no label could be given: see why");
}

static bool green_label(struct ctl *c, struct err *e)
{
	return is_file(c->argv[0]) ? each(c, label_one, e) : label_one(c, c->argv[0], e);
}

static bool green_labels(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, c->argv[0], "/v1/green/labels", "as-of", "as_of", &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "labels");
	if (!printed)
		printf("  现标识 / label: %s %s\n", ctl_text(j, "label_zh"),
		       ctl_text(j, "label")[0] != '\0' ? ctl_text(j, "label") : "无 / none");
	for (size_t i = 0; !printed && all != NULL && i < json_len(all); i++)
		label_print(json_at(all, i));
	json_free(j);
	return true;
}

static void missing_print(const struct json *result)
{
	const struct json *all = json_get(result, "missing");
	for (size_t i = 0; all != NULL && i < json_len(all); i++)
		printf("    缺少 / missing: %.*s\n", (int)json_text_value(json_at(all, i)).len,
		       (const char *)json_text_value(json_at(all, i)).data);
}

static void rule_print(const struct json *result)
{
	const struct json *rule = json_get(result, "rule"), *stuck = json_get(result, "undecided");
	if (rule != NULL && json_is_object(rule))
		printf("    理由 / reason %s: %s / %s\n", ctl_text(rule, "code"), ctl_text(rule, "zh"),
		       ctl_text(rule, "en"));
	if (stuck != NULL && json_is_object(stuck))
		printf("    无法判断 / cannot be decided: %s %s / %s\n", ctl_text(stuck, "code"),
		       ctl_text(stuck, "zh"), ctl_text(stuck, "en"));
}

static void facts_print(const struct json *facts)
{
	const struct json *all = json_get(facts, "facts");
	for (size_t i = 0; all != NULL && i < json_len(all); i++) {
		const struct json *f = json_at(all, i), *yes = json_get(f, "bool");
		const char *value = yes != NULL                     ? (json_bool_value(yes) ? "true" : "false")
				    : json_get(f, "number") != NULL ? ctl_text(f, "number")
				    : json_get(f, "text") != NULL   ? ctl_text(f, "text")
								    : "-";
		printf("    %s = %s · %s\n", ctl_text(f, "name"), value, ctl_text(f, "from"));
	}
}

static bool rate_one(struct ctl *c, const char *number, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, number, "/v1/green/rate", "project", "project", &printed, e);
	if (j == NULL)
		return false;
	const struct json *computed = json_get(j, "computed");
	bool none = ctl_text(j, "level")[0] == '\0';
	if (!printed) {
		printf("  自评 / our own rating: %s %s\n", none ? "无 / none" : ctl_text(j, "level_zh"),
		       ctl_text(j, "level"));
		rule_print(json_get(computed, "result"));
		facts_print(json_get(computed, "facts"));
		if (none)
			missing_print(json_get(computed, "result"));
		if (json_get(j, "ended") != NULL && json_bool_value(json_get(j, "ended")))
			printf("    原自评自今日起不再有效 / the one before ends today\n");
	}
	json_free(j);
	return !none || err_set(e, ERR_INPUT, "没有评级 / no rule decides: see why");
}

static bool green_rate(struct ctl *c, struct err *e)
{
	return is_file(c->argv[0]) ? each(c, rate_one, e) : rate_one(c, c->argv[0], e);
}

struct verifying {
	int64_t label, rating, labels, ratings, wrong;
};

static bool verify_some(struct ctl *c, struct verifying *v, bool *more, struct err *e)
{
	char path[120];
	bool printed = false;
	snprintf(path, sizeof(path), "/v1/green/verify?label=%lld&rating=%lld", (long long)v->label,
		 (long long)v->rating);
	struct json *j = ctl_call(c, "GET", path, nothing, &printed, e);
	if (j == NULL)
		return false;
	const struct json *all = json_get(j, "wrong");
	for (size_t i = 0; all != NULL && i < json_len(all); i++, v->wrong++)
		if (!printed)
			printf("  %s %lld: %s\n", ctl_text(json_at(all, i), "what"),
			       (long long)ctl_int(json_at(all, i), "id"), ctl_text(json_at(all, i), "why"));
	v->labels += ctl_int(j, "labels");
	v->ratings += ctl_int(j, "ratings");
	v->label = ctl_int(j, "label");
	v->rating = ctl_int(j, "rating");
	*more = ctl_int(j, "labels") > 0 || ctl_int(j, "ratings") > 0;
	json_free(j);
	return true;
}

static bool green_verify(struct ctl *c, struct err *e)
{
	struct verifying v = { 0 };
	bool more = true;
	while (more)
		if (!verify_some(c, &v, &more, e))
			return false;
	if (!c->json)
		printf("  重算 / computed once more: 标识 / labels %lld · 自评 / own ratings %lld · 不符 / wrong "
		       "%lld\n",
		       (long long)v.labels, (long long)v.ratings, (long long)v.wrong);
	return v.wrong == 0 || err_set(e, ERR_CONFLICT, "%lld 条与重算不符 / come out otherwise", (long long)v.wrong);
}

const struct ctl_command ctl_green_own_commands[] = {
	{ "green", "label", 2, "NUMBER|FILE.csv PURPOSE [--month 2026-10] [--kind uscc|org_code]", "month kind",
	  green_label },
	{ "green", "labels", 2, "NUMBER PURPOSE [--as-of DAY] [--kind uscc|org_code]", "as-of kind", green_labels },
	{ "green", "rate", 2, "NUMBER|FILE.csv PURPOSE [--project CODE] [--kind uscc|org_code]", "project kind",
	  green_rate },
	{ "green", "verify", 0, "", "", green_verify },
	{ 0 },
};
