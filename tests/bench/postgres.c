/*
 * What PostgreSQL is spared: it gives no status a transfer, keeps no hash chain, no pending ones and no history by account, and its time counts
 * only the function and its commit, not the way there (COPY). Settings: what its manual advises for bulk on such a machine; durability as
 * it comes (fsync, synchronous_commit, full_page_writes on).
 */
#include "tests/bench/postgres.h"

#include "tests/bench/bench.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIN   "/usr/lib/postgresql/15/bin/"
#define BATCH 8190
#define FUNDS 1000000000000

static char home[256];

/* A program as the user postgres (or nobody) when we are root: the server refuses to be run by root. */
static pid_t start(const char *const argv[], const char *output)
{
	pid_t pid = fork();
	bench_must(pid >= 0, "fork");
	if (pid > 0)
		return pid;
	const struct passwd *user = getpwnam("postgres");
	if (user == NULL)
		user = getpwnam("nobody");
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (geteuid() == 0 && (user == NULL || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 ||
			       setuid(user->pw_uid) != 0 || chdir(home) != 0))
		_exit(126);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static bool run(const char *const argv[], const char *output)
{
	int status = 0;
	pid_t pid = start(argv, output);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool psql(const char *script, const char *output)
{
	const char *const argv[] = {
		"/usr/bin/psql", "-X", "-q",   "-v", "ON_ERROR_STOP=1", "-h", home, "-U", "postgres", "-d",
		"postgres",      "-f", script, NULL
	};
	return run(argv, output);
}

/* --- scripts --- */

static const char schema[] =
	"CREATE TABLE account (id uuid PRIMARY KEY, ledger int NOT NULL, limited bool NOT NULL, debits bigint NOT "
	"NULL,"
	" credits bigint NOT NULL, CHECK (NOT limited OR debits <= credits)) WITH (fillfactor = 60);\n"
	"CREATE TABLE transfer (seq bigint GENERATED ALWAYS AS IDENTITY, id uuid PRIMARY KEY, debit uuid NOT NULL,"
	" credit uuid NOT NULL, amount bigint NOT NULL CHECK (amount > 0), ledger int NOT NULL, code int NOT NULL,"
	" effective date NOT NULL DEFAULT current_date, known timestamptz NOT NULL DEFAULT now());\n"
	"CREATE UNLOGGED TABLE stage (id uuid, debit uuid, credit uuid, amount bigint, ledger int, code int);\n"
	"CREATE FUNCTION apply() RETURNS bigint LANGUAGE sql AS $$\n"
	" WITH new AS (INSERT INTO transfer (id, debit, credit, amount, ledger, code)\n"
	"  SELECT s.id, s.debit, s.credit, s.amount, s.ledger, s.code FROM stage s\n"
	"  JOIN account d ON d.id = s.debit AND d.ledger = s.ledger JOIN account c ON c.id = s.credit AND c.ledger = "
	"s.ledger\n"
	"  WHERE s.debit <> s.credit ON CONFLICT (id) DO NOTHING RETURNING debit, credit, amount),\n"
	" sums AS (SELECT account, sum(d)::bigint AS d, sum(c)::bigint AS c FROM (\n"
	"  SELECT debit AS account, amount AS d, 0 AS c FROM new UNION ALL SELECT credit, 0, amount FROM new) x "
	"GROUP BY account),\n"
	" done AS (UPDATE account SET debits = debits + d, credits = credits + c FROM sums WHERE id = account "
	"RETURNING 1)\n"
	" SELECT count(*) FROM done $$;\n";

static uint64_t seed = 42;

static void uuid_put(FILE *f, uint64_t hi, uint64_t lo)
{
	fprintf(f, "%016llx%016llx", (unsigned long long)hi, (unsigned long long)lo);
}

static void account_put(FILE *f, size_t i)
{
	uint64_t s = 7 + i;
	uuid_put(f, bench_random(&s), i + 1);
}

static void script_accounts(FILE *f, size_t accounts)
{
	fputs(schema, f);
	fputs("COPY account FROM stdin;\n", f);
	for (size_t i = 0; i < accounts; i++) {
		account_put(f, i);
		fprintf(f, "\t1\tt\t0\t%lld\n", (long long)FUNDS);
	}
	fputs("\\.\n", f);
}

/* As many transfers as accounts, in place of the funds ours were given one by one. */
static void script_fill(FILE *f)
{
	fputs("INSERT INTO transfer (id, debit, credit, amount, ledger, code)"
	      " SELECT gen_random_uuid(), id, id, 1, 1, 1 FROM account;\n"
	      "VACUUM (ANALYZE) account, transfer; CHECKPOINT;\n",
	      f);
}

static void script_batches(FILE *f, size_t accounts, size_t batches, bool hot)
{
	for (size_t b = 0; b < batches; b++) {
		fputs("TRUNCATE stage;\nCOPY stage FROM stdin;\n", f);
		for (size_t i = 0; i < BATCH; i++) {
			size_t debit = hot ? 0 : bench_random(&seed) % accounts, credit;
			while ((credit = bench_random(&seed) % accounts) == debit)
				;
			uint64_t hi = bench_random(&seed);
			uuid_put(f, hi, bench_random(&seed));
			fputc('\t', f);
			account_put(f, debit);
			fputc('\t', f);
			account_put(f, credit);
			fprintf(f, "\t%d\t1\t1\n", (int)(1 + bench_random(&seed) % 100));
		}
		fputs("\\.\nANALYZE stage;\n\\timing on\nSELECT apply();\n\\timing off\n", f);
	}
}

static FILE *script_open(const char *path)
{
	FILE *f = fopen(path, "w");
	bench_must(f != NULL && fchmod(fileno(f), 0644) == 0, path);
	return f;
}

/* Milliseconds that psql says the timed statements took. */
static double timed_ms(const char *output)
{
	double sum = 0, ms = 0;
	char line[256];
	FILE *f = fopen(output, "r");
	bench_must(f != NULL, output);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Time: %lf ms", &ms) == 1)
			sum += ms;
	fclose(f);
	return sum;
}

static double batches_rate(size_t accounts, size_t batches, bool hot)
{
	char script[300], output[300];
	snprintf(script, sizeof(script), "%s.sql", home);
	snprintf(output, sizeof(output), "%s.out", home);
	FILE *f = script_open(script);
	script_batches(f, accounts, batches, hot);
	fclose(f);
	bench_must(psql(script, output), "psql: batches; see its output beside the data");
	double ms = timed_ms(output);
	unlink(script);
	return (double)(batches * BATCH) / (ms * 1e-3);
}

/* --- the server --- */

static pid_t server_start(const char *output)
{
	char sockets[300];
	const char *const init[] = { BIN "initdb", "-D", home,   "-U",          "postgres",          "-A",
				     "trust",      "-E", "UTF8", "--no-locale", "--no-instructions", NULL };
	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", home);
	const char *const serve[] = { BIN "postgres",
				      "-D",
				      home,
				      "-c",
				      "listen_addresses=",
				      "-c",
				      sockets,
				      "-c",
				      "shared_buffers=2GB",
				      "-c",
				      "max_wal_size=8GB",
				      "-c",
				      "checkpoint_timeout=30min",
				      "-c",
				      "wal_buffers=64MB",
				      "-c",
				      "work_mem=64MB",
				      "-c",
				      "effective_cache_size=8GB",
				      "-c",
				      "random_page_cost=1.1",
				      NULL };
	const char *const ready[] = { BIN "pg_isready", "-q", "-h", home, NULL };
	const struct passwd *user = getpwnam("postgres");
	if (user == NULL)
		user = getpwnam("nobody");
	bench_must(mkdir(home, 0700) == 0, home);
	if (geteuid() == 0)
		bench_must(user != NULL && chown(home, user->pw_uid, user->pw_gid) == 0, home);
	bench_must(run(init, output), "initdb");
	pid_t pid = start(serve, output);
	for (int i = 0; i < 100; i++) {
		char other[300];
		snprintf(other, sizeof(other), "%s.ready", home);
		if (run(ready, other))
			return pid;
		usleep(100000);
	}
	kill(pid, SIGINT);
	bench_must(false, "PostgreSQL did not start");
	return -1;
}

bool postgres_run(const char *dir, size_t accounts, size_t batches, double *random_rate, double *hot_rate)
{
	char script[300], output[300];
	*random_rate = *hot_rate = 0;
	if (access(BIN "postgres", X_OK) != 0) {
		printf("PostgreSQL 15 is not installed: no peer\n");
		return false;
	}
	snprintf(home, sizeof(home), "%.200s/pg", dir);
	snprintf(script, sizeof(script), "%s.sql", home);
	snprintf(output, sizeof(output), "%s.log", home);
	bench_must(chmod(dir, 0711) == 0, dir);
	pid_t server = server_start(output);
	FILE *f = script_open(script);
	script_accounts(f, accounts);
	script_fill(f);
	fclose(f);
	bool ok = psql(script, output);
	if (ok) {
		batches_rate(accounts, 8, false); /* warm: most pages have had their first image in the log */
		*random_rate = batches_rate(accounts, batches, false);
		*hot_rate = batches_rate(accounts, batches, true);
	}
	kill(server, SIGINT); /* its fast shutdown */
	waitpid(server, NULL, 0);
	bench_must(ok, "psql: the accounts");
	return true;
}
