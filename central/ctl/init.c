/* centralctl init: the one command that needs no running centrald. */
#include "central/ctl/ctl.h"
#include "central/init.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool option_int(const struct ctl *c, const char *name, bool needed, int64_t most, int64_t *out, struct err *e)
{
	const char *text = ctl_option(c, name);
	char *end = NULL;
	if (text == NULL)
		return !needed || err_set(e, ERR_INPUT, "缺少 / missing: --%s", name);
	*out = strtoll(text, &end, 10);
	return (end != text && *end == '\0' && *out > 0 && *out <= most) ||
	       err_set(e, ERR_INPUT, "--%s: 应为 1 到 %lld 的整数 / a number from 1 to %lld", name, (long long)most,
		       (long long)most);
}

static bool init(struct ctl *c, struct err *e)
{
	int64_t broker_port = 0, api_port = 0, department_port = 0, valid_days = 0;
	struct init_options o = { .dir = c->dir, .host = ctl_option(c, "host"), .now_s = time(NULL) };
	if (o.host == NULL)
		return err_set(e, ERR_INPUT, "缺少 / missing: --host");
	if (!option_int(c, "broker-port", true, 65535, &broker_port, e) ||
	    !option_int(c, "api-port", true, 65535, &api_port, e) ||
	    !option_int(c, "department-port", false, 65535, &department_port, e) ||
	    !option_int(c, "valid-days", false, 36500, &valid_days, e))
		return false;
	o.broker_port = (int)broker_port;
	o.api_port = (int)api_port;
	o.department_port = (int)department_port;
	o.valid_days = valid_days;
	if (!init_run(&o, e))
		return false;
	printf("中心已建立 / central is ready in %s\n  mosquitto -c %s/mosquitto.conf\n  centrald -c "
	       "%s/central.ini\n",
	       c->dir, c->dir, c->dir);
	return true;
}

const struct ctl_command ctl_init_commands[] = {
	{ "init", "", 0, "--host HOST --broker-port PORT --api-port PORT [--department-port PORT] [--valid-days N]",
	  "host broker-port api-port department-port valid-days", init },
	{ 0 },
};
