/* centralctl: the operators' tool. Exit 0: done, 1: refused or failed, 2: not understood. */
#include "central/ctl/ctl.h"
#include "protocol/base/file.h"
#include "protocol/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_command *const areas[] = {
	ctl_init_commands,      ctl_operator_commands,   ctl_release_commands,    ctl_branch_commands,
	ctl_registry_commands,  ctl_holdings_commands,   ctl_update_commands,     ctl_model_commands,
	ctl_score_commands,     ctl_ingest_commands,     ctl_subject_commands,    ctl_ledger_commands,
	ctl_carbon_commands,    ctl_guarantee_commands,  ctl_subsidy_commands,    ctl_exchange_commands,
	ctl_objection_commands, ctl_report_commands,     ctl_department_commands, ctl_green_commands,
	ctl_green_own_commands, ctl_carbon_use_commands,
};
#define AREAS (sizeof(areas) / sizeof(areas[0]))

/* All commands, or only those of the group that was named. */
static int usage(const char *why, const char *group)
{
	bool known = false;
	for (size_t i = 0; i < AREAS; i++)
		for (const struct ctl_command *t = areas[i]; t->group != NULL; t++)
			known = known || (group != NULL && strcmp(t->group, group) == 0);
	if (why != NULL)
		fprintf(stderr, "centralctl: %s\n", why);
	fprintf(stderr,
		"用法 / usage: centralctl [-d DIR] [--json] [--token-file FILE] 命令 …\n"
		"  DIR 默认 / default: /var/lib/xinbian-central。改变状态的命令需要操作员令牌：--token-file 或 "
		"XINBIAN_TOKEN\n"
		"  Commands that change something need an operator's token: --token-file or $XINBIAN_TOKEN\n");
	for (size_t i = 0; i < AREAS; i++) {
		for (const struct ctl_command *t = areas[i]; t->group != NULL; t++)
			if (group == NULL || !known || strcmp(t->group, group) == 0)
				fprintf(stderr, "  %s%s%s %s\n", t->group, t->verb[0] != '\0' ? " " : "", t->verb,
					t->usage);
	}
	return 2;
}

static const struct ctl_command *command_find(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < AREAS; i++) {
		for (const struct ctl_command *t = areas[i]; t->group != NULL; t++) {
			bool two = t->verb[0] != '\0';
			if (argc < (two ? 2 : 1) || strcmp(argv[0], t->group) != 0 ||
			    (two && strcmp(argv[1], t->verb) != 0))
				continue;
			*words = two ? 2 : 1;
			return t;
		}
	}
	return NULL;
}

/* Whether name is among the options with a value ('v') or the flags ('f') of the command; 0 when it is neither. */
static char option_kind(const char *options, const char *name)
{
	const char *bar = strchr(options, '|');
	size_t len = strlen(name);
	for (const char *at = options; len > 0 && (at = strstr(at, name)) != NULL; at++) {
		bool starts = at == options || at[-1] == ' ' || at[-1] == '|';
		if (starts && (at[len] == '\0' || at[len] == ' ' || at[len] == '|'))
			return bar != NULL && at > bar ? 'f' : 'v';
	}
	return 0;
}

static bool token_read(struct ctl *c, const char *path, struct err *e)
{
	struct buf text;
	buf_init(&text, sizeof(c->token) - 1);
	bool ok = file_read(path, &text, e);
	if (ok) {
		const char *s = buf_str(&text);
		snprintf(c->token, sizeof(c->token), "%.*s", (int)strcspn(s, " \r\n"), s);
	}
	buf_clear(&text);
	return ok;
}

/* What stands before the command. Returns how many words that was, or -1. */
static int globals_read(struct ctl *c, int argc, char **argv, struct err *e)
{
	int at = 1;
	for (; at < argc && argv[at][0] == '-'; at++) {
		bool value = at + 1 < argc;
		if (strcmp(argv[at], "--json") == 0) {
			c->json = true;
		} else if (strcmp(argv[at], "-d") == 0 && value) {
			c->dir = argv[++at];
		} else if (strcmp(argv[at], "--token-file") == 0 && value) {
			if (!token_read(c, argv[++at], e))
				return -1;
		} else {
			err_set(e, ERR_INPUT, "%.60s is not understood", argv[at]);
			return -1;
		}
	}
	return at;
}

static bool one_option(struct ctl *c, const struct ctl_command *t, int *at, int argc, char **argv, struct err *e)
{
	const char *name = argv[*at] + 2;
	bool has_value = *at + 1 < argc;
	if (strcmp(name, "json") == 0) {
		c->json = true;
		return true;
	}
	if (strcmp(name, "token-file") == 0 && has_value)
		return token_read(c, argv[++*at], e);
	char kind = option_kind(t->options, name);
	if (kind == 0 || c->options_len == CTL_ARGS_MAX || (kind == 'v' && !has_value))
		return err_set(e, ERR_INPUT, "--%.60s is not understood here", name);
	c->option_names[c->options_len] = name;
	c->option_values[c->options_len++] = kind == 'v' ? argv[++*at] : "";
	return true;
}

static bool arguments_read(struct ctl *c, const struct ctl_command *t, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0) {
			if (!one_option(c, t, &i, argc, argv, e))
				return false;
		} else if (c->argc == t->args) {
			return err_set(e, ERR_INPUT, "%.60s is one argument too many", argv[i]);
		} else {
			c->argv[c->argc++] = argv[i];
		}
	}
	return c->argc == t->args ||
	       err_set(e, ERR_INPUT, "%s %s: arguments are missing: %s", t->group, t->verb, t->usage);
}

/* A name goes into an address, and a slash would make it another one. */
static bool name_is_fine(const struct ctl *c, const struct ctl_command *t, struct err *e)
{
	bool named = strncmp(t->usage, "NAME", 4) == 0 || strstr(t->usage, "|NAME ") != NULL;
	return !named || t->args == 0 || name_is_valid(c->argv[0]) ||
	       err_set(e, ERR_INPUT, "%.60s: a name is made of a-z, 0-9, - and _, at most %d of them", c->argv[0],
		       NAME_MAX_LEN);
}

int main(int argc, char **argv)
{
	struct ctl c = { .dir = "/var/lib/xinbian-central" };
	struct err e = { 0 };
	int words = 0;
	if (getenv("XINBIAN_TOKEN") != NULL)
		snprintf(c.token, sizeof(c.token), "%s", getenv("XINBIAN_TOKEN"));
	int at = globals_read(&c, argc, argv, &e);
	if (at < 0)
		return usage(e.text, NULL);
	const struct ctl_command *t = command_find(argc - at, argv + at, &words);
	if (t == NULL)
		return usage(at < argc ? "没有这个命令 / there is no such command" : NULL, argv[at]);
	if (!arguments_read(&c, t, argc - at - words, argv + at + words, &e))
		return usage(e.text, t->group);
	if (name_is_fine(&c, t, &e) && t->run(&c, &e))
		return 0;
	fprintf(stderr, "失败 failed（%s）: %s\n", err_zh(e.code), e.text);
	return 1;
}
