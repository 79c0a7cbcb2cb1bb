/* mega-serve: a local server that speaks the service's protocol. */

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#include "account.h"
#include "populate.h"
#include "web.h"

#define SECRET_FILE_MAX 4096
#define PEM_MAX         (1 << 20)

enum {
	OPT_ACCOUNT = 256, OPT_BLOCK, OPT_FAULT, OPT_GZIP, OPT_LOG, OPT_MAIL,
	OPT_POPULATE, OPT_PUBLIC, OPT_RAID, OPT_STORAGE, OPT_SYNC,
	OPT_TAKE_DOWN, OPT_TLS, OPT_TRANSFER, OPT_URL_LIFE
};

#define SYNOPSIS "[OPTION ...] [-- COMMAND [ARG ...]]"

static const struct cmd_opt options[] = {
	{ 'd', "directory", "DIR", "keep state there, not in a temporary"
	    " folder" },
	{ OPT_SYNC, "sync", NULL, "let nothing be lost with the power" },
	{ 'l', "listen", "ADDR[:PORT]", "127.0.0.1, at a free port" },
	{ OPT_PUBLIC, "public", NULL, "ADDR may be reachable from outside" },
	{ OPT_TLS, "tls", "CERT KEY", "speak https, with these PEM files" },
	{ OPT_ACCOUNT, "account", "EMAIL:PASSFILE[:v1|v2][:SEEDFILE]",
	    "make an account" },
	{ OPT_POPULATE, "populate", "EMAIL:N", "give it N generated nodes" },
	{ OPT_BLOCK, "block", "EMAIL:CODE", "block it, for that reason" },
	{ OPT_TAKE_DOWN, "take-down", "HANDLE", "take a public link down" },
	{ OPT_MAIL, "mail", "DIR", "write confirmation mails there" },
	{ OPT_STORAGE, "storage", "SIZE", "what an account may store" },
	{ OPT_TRANSFER, "transfer", "SIZE", "what may be downloaded in an"
	    " hour" },
	{ OPT_URL_LIFE, "url-life", "SECONDS", "how long data URLs work" },
	{ OPT_RAID, "raid", NULL, "offer downloads in six parts" },
	{ OPT_GZIP, "gzip", NULL, "compress answers for clients that take"
	    " it" },
	{ OPT_FAULT, "fault", "SPEC", "make something go wrong" },
	{ OPT_LOG, "log", "FILE", "one JSON object a request" },
	CMD_END
};

/* An --account, until the store is open. */
struct account_option {
	char *email, *file, *seed;
	int version;
};

/* An option that is EMAIL:NUMBER, until the store is open. */
struct number_option {
	char *email;
	int64_t number;
};

struct options {
	struct web_options web;
	const char *dir;
	struct account_option *account;
	size_t naccount;
	struct number_option *populate, *block;
	size_t npopulate, nblock;
	const char **down;    /* public handles */
	size_t ndown;
	int public, sync;
};

static volatile sig_atomic_t got_signal;
static volatile int stop;
static pid_t child;

static void
on_signal(int sig)
{
	if (sig == SIGCHLD)
		return;
	got_signal = sig;
	stop = 1;
}

/* A whole small file, or its first line. */
static int
read_file(struct buf *b, const char *path, int line)
{
	FILE *f = fopen(path, "re");
	int ch, r = 0;

	if (f == NULL)
		return err_local("%s", path);
	while (r == 0 && (ch = getc(f)) != EOF && !(line && ch == '\n'))
		r = buf_addch(b, ch);
	if (ferror(f))
		r = err_local("%s", path);
	else if (r < 0)
		err_set(r, "%s: too long", path);
	fclose(f);
	return r;
}

/* EMAIL:PASSFILE[:v1|v2][:SEEDFILE] */
static int
read_account(struct account_option *a, const char *text)
{
	char *p = xstrdup(text), *mark;

	*a = (struct account_option){ .version = 2, .email = p };
	if ((mark = strchr(p, ':')) == NULL || mark == p || mark[1] == '\0')
		return err_set(ERR_USAGE, "--account %s: want"
		    " email:passfile", text);
	*mark++ = '\0';
	a->file = mark;
	if ((mark = strchr(mark, ':')) == NULL)
		return 0;
	*mark++ = '\0';
	if (strncmp(mark, "v1", 2) == 0 || strncmp(mark, "v2", 2) == 0) {
		a->version = mark[1] - '0';
		mark += 2;
		if (*mark == '\0')
			return 0;
		if (*mark++ != ':')
			return err_set(ERR_USAGE, "--account %s: want v1"
			    " or v2", text);
	}
	a->seed = mark;
	return 0;
}

/* EMAIL:NUMBER, added to a list. */
static int
read_number(struct number_option **list, size_t *n, const char *text)
{
	struct number_option o = { .email = xstrdup(text) };
	char *mark = strrchr(o.email, ':');
	char *end = NULL;

	if (mark != NULL) {
		*mark = '\0';
		o.number = strtoll(mark + 1, &end, 10);
	}
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = o;
	if (mark == NULL || end == mark + 1 || *end != '\0' || o.number < 0)
		return err_set(ERR_USAGE, "%s: want email:number", text);
	return 0;
}

/* ADDR[:PORT], [ADDR6][:PORT] or :PORT. */
static int
read_address(struct web_options *o, char *text)
{
	char *mark = strrchr(text, ':');
	char *end;
	long port;

	if (text[0] == '[') {
		char *close = strchr(text, ']');

		if (close == NULL)
			return err_set(ERR_USAGE, "%s: no address", text);
		*close = '\0';
		o->addr = text + 1;
		mark = close[1] == ':' ? close + 1 : NULL;
	} else {
		if (mark != NULL)
			*mark = '\0';
		o->addr = *text == '\0' ? NULL : text;
	}
	if (o->addr != NULL && strcmp(o->addr, "localhost") == 0)
		o->addr = "127.0.0.1";
	if (mark == NULL)
		return 0;
	port = strtol(mark + 1, &end, 10);
	if (end == mark + 1 || *end != '\0' || port < 0 || port > 65535)
		return err_set(ERR_USAGE, "%s: no port", mark + 1);
	o->port = (uint16_t)port;
	return 0;
}

static int
is_loopback(const char *addr)
{
	return addr == NULL || strncmp(addr, "127.", 4) == 0 ||
	    strcmp(addr, "::1") == 0;
}

static int
read_tls(struct options *o, int argc, char **argv)
{
	struct buf cert = BUF_MAX(PEM_MAX), key = BUF_MAX(PEM_MAX);
	int r;

	if (optind >= argc)
		cmd_usage("--tls: want CERT and KEY");
	if ((r = read_file(&cert, optarg, 0)) < 0 ||
	    (r = read_file(&key, argv[optind++], 0)) < 0) {
		buf_free(&cert);
		buf_wipe(&key);
		return r;
	}
	o->web.cert = buf_steal(&cert);
	o->web.key = buf_steal(&key);
	return 0;
}

static int
open_log(struct server *s, const char *path)
{
	s->journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    0600);
	return s->journal < 0 ? err_local("%s", path) : 0;
}

static int
one_option(struct server *s, struct options *o, int ch, int argc,
    char **argv)
{
	switch (ch) {
	case 'd':
		o->dir = optarg;
		return 0;
	case 'l':
		return read_address(&o->web, optarg);
	case OPT_PUBLIC:
		o->public = 1;
		return 0;
	case OPT_TLS:
		s->scheme = "https";
		return read_tls(o, argc, argv);
	case OPT_ACCOUNT:
		o->account = xreallocarray(o->account, o->naccount + 1,
		    sizeof *o->account);
		return read_account(&o->account[o->naccount++], optarg);
	case OPT_LOG:
		return open_log(s, optarg);
	case OPT_FAULT:
		return fault_add(&s->faults, optarg);
	case OPT_MAIL:
		s->mail = optarg;
		return 0;
	case OPT_GZIP:
		s->gzip = 1;
		return 0;
	case OPT_RAID:
		s->raid = 1;
		return 0;
	case OPT_POPULATE:
		return read_number(&o->populate, &o->npopulate, optarg);
	case OPT_BLOCK:
		return read_number(&o->block, &o->nblock, optarg);
	case OPT_TAKE_DOWN:
		o->down = xreallocarray(o->down, o->ndown + 1,
		    sizeof *o->down);
		o->down[o->ndown++] = optarg;
		return 0;
	case OPT_SYNC:
		o->sync = 1;
		return 0;
	case OPT_STORAGE:
		s->storage = cmd_number(optarg, "--storage", 1);
		return 0;
	case OPT_TRANSFER:
		s->transfer = cmd_number(optarg, "--transfer", 1);
		return 0;
	case OPT_URL_LIFE:
		s->url_life = cmd_number(optarg, "--url-life", 0);
		return 0;
	default:
		cmd_usage("unexpected option");
	}
}

static int
read_options(struct server *s, struct options *o, int argc, char **argv)
{
	int ch, r;

	while ((ch = cmd_option(argc, argv)) != -1)
		if ((r = one_option(s, o, ch, argc, argv)) < 0)
			return r;
	o->web.strangers = !is_loopback(o->web.addr);
	if (o->web.strangers && !o->public)
		return err_set(ERR_USAGE, "%s: not this machine alone;"
		    " say --public if that is meant", o->web.addr);
	return 0;
}

static void
free_numbers(struct number_option *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].email);
	free(list);
}

static void
free_options(struct options *o)
{
	for (size_t i = 0; i < o->naccount; i++)
		free(o->account[i].email);
	free(o->account);
	free_numbers(o->populate, o->npopulate);
	free_numbers(o->block, o->nblock);
	free(o->down);
	free(o->web.cert);
	if (o->web.key != NULL)
		secret_zero(o->web.key, strlen(o->web.key));
	free(o->web.key);
}

static int
make_account(struct store *db, const struct account_option *a)
{
	struct buf password = BUF_MAX(SECRET_FILE_MAX);
	struct buf seed = BUF_MAX(SECRET_FILE_MAX);
	int r;

	if ((r = read_file(&password, a->file, 1)) == 0 && a->seed != NULL)
		r = read_file(&seed, a->seed, 1);
	if (r == 0)
		r = account_create(db, a->email, buf_str(&password),
		    a->version, a->seed != NULL ? buf_str(&seed) : NULL);
	buf_wipe(&password);
	buf_wipe(&seed);
	return r;
}

/* Fill an account, with the password that its --account has. */
static int
fill_account(struct store *db, const struct options *o,
    const struct number_option *n)
{
	struct buf password = BUF_MAX(SECRET_FILE_MAX);
	uint8_t master[16];
	int r;

	for (size_t i = 0; i < o->naccount; i++) {
		if (strcmp(o->account[i].email, n->email) != 0)
			continue;
		r = read_file(&password, o->account[i].file, 1);
		if (r == 0)
			r = account_master(db, master, n->email,
			    buf_str(&password));
		if (r == 0)
			r = populate(db, n->email, master, n->number);
		buf_wipe(&password);
		secret_zero(master, sizeof master);
		return r;
	}
	return err_set(ERR_USAGE, "--populate %s: the account needs an"
	    " --account as well", n->email);
}

/* What the options want to be in the store. */
static int
prepare(struct store *db, const struct options *o)
{
	size_t i;
	int r = 0;

	for (i = 0; i < o->naccount && r == 0; i++)
		r = make_account(db, &o->account[i]);
	for (i = 0; i < o->npopulate && r == 0; i++)
		r = fill_account(db, o, &o->populate[i]);
	for (i = 0; i < o->nblock && r == 0; i++) {
		if (sql_do(db, "UPDATE user SET blocked = ?"
		    " WHERE email = lower(?)", "it", o->block[i].number,
		    o->block[i].email) != 1)
			r = err_set(ERR_USAGE, "--block %s: no such account",
			    o->block[i].email);
	}
	for (i = 0; i < o->ndown && r == 0; i++) {
		if (sql_do(db, "UPDATE link SET down = 1 WHERE ph = ?", "t",
		    o->down[i]) != 1)
			r = err_set(ERR_USAGE, "--take-down %s: no such"
			    " link", o->down[i]);
	}
	return r;
}

/* Signals are let in only while the server waits. */
static void
catch_signals(sigset_t *unblocked)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&sa.sa_mask);
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaddset(&block, signals[i]);
		sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, unblocked);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigdelset(unblocked, signals[i]);
}

static int
start_command(char **argv, const sigset_t *unblocked)
{
	child = fork();
	if (child < 0)
		return err_local("fork");
	if (child > 0)
		return 0;
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, unblocked, NULL);
	setenv("MEGA_API_URL", web_url(), 1);
	execvp(argv[0], argv);
	fprintf(stderr, "mega-serve: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Serve until the command ends; what it ended with. */
static int
serve_command(const sigset_t *unblocked)
{
	int status = 0;

	for (;;) {
		web_turn(unblocked);
		if (got_signal != 0) {
			kill(child, got_signal);
			got_signal = 0;
		}
		if (waitpid(child, &status, WNOHANG) == child)
			break;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

/* The exit status of the command, or 0; or ERR_*. */
static int
serve(struct server *s, const struct options *o, char **argv)
{
	sigset_t unblocked;
	int r;

	catch_signals(&unblocked);
	if ((r = prepare(&s->store, o)) < 0 ||
	    (r = web_start(s, &o->web)) < 0)
		return r;
	if (*argv != NULL) {
		r = start_command(argv, &unblocked);
		return r < 0 ? r : serve_command(&unblocked);
	}
	printf("%s\n", web_url());
	if (fflush(stdout) != 0)
		return err_local("standard output");
	while (!stop)
		web_turn(&unblocked);
	return 0;
}

/* A folder for a server that shall not outlive its process. */
static char *
temporary(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/mega-serve.XXXXXX", tmp != NULL &&
	    *tmp != '\0' ? tmp : "/tmp");

	if (mkdtemp(dir) != NULL)
		return dir;
	err_local("%s", dir);
	free(dir);
	return NULL;
}

int
main(int argc, char *argv[])
{
	struct server s = { .store = { .lock = -1 }, .scheme = "http",
	    .journal = -1,
	    .url_life = 48 * 3600, .storage = (int64_t)1 << 40,
	    .transfer = -1 };
	struct options o = { 0 };
	char *tmp = NULL;
	int r;

	cmd_init("mega-serve", SYNOPSIS, options);
	if ((r = read_options(&s, &o, argc, argv)) < 0)
		goto out;
	if (o.dir == NULL && (o.dir = tmp = temporary()) == NULL)
		r = ERR_LOCAL;
	else if ((r = store_open(&s.store, o.dir, o.sync)) == 0)
		r = serve(&s, &o, argv + optind);
	web_stop();
	store_close(&s.store);
	if (tmp != NULL)
		store_remove(tmp);
out:
	fault_free(&s.faults);
	free_options(&o);
	free(tmp);
	if (r > 0)
		return r;
	if (r < 0)
		cmd_fail(NULL, r);
	return cmd_finish();
}
