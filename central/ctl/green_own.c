/* centralctl: green label, labels, rate and verify. */
#include "central/ctl/subject.h"

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
static struct json *asked(struct ctl *c, const char *path, const char *option, const char *key, bool *printed,
			  struct err *e)
{
	struct buf body;
	struct json_out w = { &body, false };
	struct json *j = NULL;
	buf_init(&body, 4096);
	json_open(&w, NULL, '{');
	ctl_subject_put(c, &w, "subject", "kind", c->argv[0]);
	json_put_text(&w, "purpose", c->argv[1]);
	if (ctl_option(c, option) != NULL)
		json_put_text(&w, key, ctl_option(c, option));
	json_close(&w, '}');
	if (buf_ok(&body, "the request", e))
		j = ctl_call(c, "POST", path, buf_bytes(&body), printed, e);
	buf_wipe(&body);
	return j;
}

static bool green_label(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, "/v1/green/label", "month", "month", &printed, e);
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

static bool green_labels(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, "/v1/green/labels", "as-of", "as_of", &printed, e);
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

static bool green_rate(struct ctl *c, struct err *e)
{
	bool printed = false;
	struct json *j = asked(c, "/v1/green/rate", "project", "project", &printed, e);
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
	{ "green", "label", 2, "NUMBER PURPOSE [--month 2026-10] [--kind uscc|org_code]", "month kind", green_label },
	{ "green", "labels", 2, "NUMBER PURPOSE [--as-of DAY] [--kind uscc|org_code]", "as-of kind", green_labels },
	{ "green", "rate", 2, "NUMBER PURPOSE [--project CODE] [--kind uscc|org_code]", "project kind", green_rate },
	{ "green", "verify", 0, "", "", green_verify },
	{ 0 },
};
