/* mega-watch: tell what changes in the account, as it happens. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "err.h"
#include "journal.h"
#include "listen.h"
#include "mem.h"
#include "path.h"
#include "record.h"
#include "secret.h"
#include "share.h"

#define SYNOPSIS "[-jqv0] [--once] [--timeout=S] [PATH]"

enum { OPT_ONCE = 256, OPT_TIMEOUT };

static const struct cmd_opt options[] = {
	{ OPT_ONCE, "once", NULL, "end after the first change" },
	{ OPT_TIMEOUT, "timeout", "S", "end after so many seconds" },
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_END
};

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
#define READER_MS    1000   /* how often to look for one */

static struct {
	int once;
	int64_t timeout;    /* seconds, -1: none */
} opt = { .timeout = -1 };

static struct remote remote;
static char *base;          /* the path that is watched, NULL: all */
static uint64_t told;       /* entries */

/* Whether a path is the other one, or below it. */
static int
is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	/* "//bin" is not below "/". */
	if (strcmp(top, "/") == 0)
		return path[0] == '/' && path[1] != '/';
	return strncmp(path, top, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

/* Whether what is watched was moved with what e tells: then it is watched in
 * its new place. */
static int
follow(const struct journal_entry *e)
{
	char *new;

	if (e->kind != JOURNAL_MOVED || !is_below(base, e->from))
		return 0;
	new = xasprintf("%s%s", e->path, base + strlen(e->from));
	free(base);
	base = new;
	return 1;
}

static int
is_wanted(const struct journal_entry *e)
{
	if (base == NULL || e->kind == JOURNAL_RELOADED)
		return 1;
	return follow(e) || is_below(e->path, base) ||
	    (e->from != NULL && is_below(e->from, base)) ||
	    (e->kind == JOURNAL_REMOVED && is_below(base, e->path));
}

static void
print_json(struct tree *t, const struct journal_entry *e)
{
	struct buf b = BUF_MAX(8 << 20);
	struct json_out o = { &b, 0 };
	char text[LINK_TEXT_MAX];
	struct link link;
	int linked = e->path != NULL && share_link(&link, t, &e->node) == 0;

	json_open(&o, NULL, '{');
	json_put(&o, "event", journal_word(e->kind));
	if (e->from != NULL)
		record_bytes(&o, "from", e->from, strlen(e->from));
	if (e->path != NULL)
		record_node(&o, &e->node, e->path, strlen(e->path),
		    linked ? link_print(text, &link, 0) : NULL);
	json_close(&o, '}');
	cmd_record_json(&b);
	buf_wipe(&b);
	secret_zero(text, sizeof text);
	secret_zero(&link, sizeof link);
	err_clear();
}

static void
print(struct tree *t, const struct journal_entry *e)
{
	struct buf b = BUF_MAX(8 << 20);

	if (cmd.json) {
		print_json(t, e);
		return;
	}
	buf_addstr(&b, journal_word(e->kind));
	if (e->path != NULL)
		buf_printf(&b, " %s", e->path);
	cmd_record(buf_str(&b), b.len);
	buf_free(&b);
}

/* Tell what is in the journal, and empty it.  ERR_NOENT when what is watched
 * is no more. */
static int
tell(struct tree *t, struct journal *j)
{
	int r = 0;

	for (size_t i = 0; i < j->n && r == 0; i++) {
		const struct journal_entry *e = &j->e[i];

		if (!is_wanted(e))
			continue;
		print(t, e);
		told++;
		if (base != NULL && e->kind == JOURNAL_REMOVED &&
		    is_below(base, e->path))
			r = err_set(ERR_NOENT, "has been removed");
	}
	journal_clear(j);
	if (fflush(stdout) == EOF) {
		if (errno == EPIPE)
			cmd_pipe();
		r = err_local("standard output");
	}
	return r;
}

/*
 * Time.
 */

static COMPAT_NORETURN void
on_timeout(struct http_timer *t)
{
	(void)t;
	if (told == 0) {
		err_set(ERR_AGAIN, "nothing has changed");
		cmd_fail(base, ERR_AGAIN);
	}
	exit(cmd_finish());
}

/* Nobody may be reading any more, long before there is anything to write. */
static void
check_reader(struct http_timer *t)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))
		cmd_pipe();
	http_timer_set(remote.account.http, t, READER_MS);
}

/*
 * What happens.
 */

static struct {
	struct tree *t;
	struct journal journal;
	struct listener *listener;
	struct http_timer reload;
	int64_t pause_ms;   /* before that is tried again */
	int away;           /* the service cannot be reached */
	int over, result;
} w = { .pause_ms = PAUSE_MIN_MS };

static void
end(int r)
{
	w.over = 1;
	w.result = r;
}

/* Whether it may go by itself, and is worth waiting for. */
static int
may_pass(int r)
{
	int status = cmd_status(r);

	return r == ERR_PROTO || status == EXIT_TEMPORARY ||
	    status == EXIT_SLOWED;
}

static void
failed(int r)
{
	if (!may_pass(r))
		end(r);
	else if (!w.away)
		cmd_note("%s; trying again", err_text());
	w.away = 1;
}

static void
current(void)
{
	int r;

	if (w.away)
		cmd_note("connected again");
	w.away = 0;
	if ((r = tell(w.t, &w.journal)) < 0 || (opt.once && told > 0))
		end(r);
}

/* More has happened than can be taken in at once, or all has to be loaded
 * anew.  This waits. */
static void
on_reload(struct http_timer *t)
{
	int r = tree_refresh(w.t);

	if (r == 0) {
		w.pause_ms = PAUSE_MIN_MS;
		current();
		listener_resume(w.listener, w.t);
		return;
	}
	failed(r);
	http_timer_set(remote.account.http, t, w.pause_ms);
	if (w.pause_ms < PAUSE_MAX_MS)
		w.pause_ms *= 2;
}

static void
on_round(void *ctx, int r)
{
	(void)ctx;
	if (r == LISTEN_RELOAD)
		http_timer_set(remote.account.http, &w.reload, 0);
	else if (r < 0)
		failed(r);
	else
		current();
}

static int
watch(struct tree *t)
{
	struct http *http = remote.account.http;

	w.t = t;
	w.reload.fire = on_reload;
	journal_keep(t, &w.journal);
	cmd_verbose("watching %s", base != NULL ? base : "the account");
	w.listener = listener_new(t, remote.account.api, on_round, NULL);
	while (!w.over)
		http_turn(http, -1);
	listener_free(w.listener);
	http_timer_clear(http, &w.reload);
	journal_keep(t, NULL);
	journal_clear(&w.journal);
	return w.result;
}

/* The path of what is to be watched, as it is told later. */
static int
set_base(const char *operand)
{
	struct buf b = BUF_MAX(1 << 20);
	struct place p;
	int r;

	if ((r = path_find(&remote, operand, &p)) < 0)
		return r;
	if (p.kind != PLACE_NODE)
		r = err_set(ERR_USAGE, "is a link; only the account can be "
		    "watched");
	else if ((r = place_print(&p, &b)) == 0)
		base = xstrdup(buf_str(&b));
	place_free(&p);
	buf_free(&b);
	return r;
}

static void
run(const char *operand)
{
	struct http_timer timer = { .fire = on_timeout };
	struct http_timer reader = { .fire = check_reader };
	struct tree *t;
	int r;

	if ((r = remote_open(&remote, cmd.session)) < 0) {
		cmd_fail(NULL, r);
		return;
	}
	remote.flags = TREE_PRIVATE;
	check_reader(&reader);
	if (opt.timeout >= 0)
		http_timer_set(remote.account.http, &timer,
		    opt.timeout * 1000);
	if ((r = remote_tree(&remote, &t)) == 0 && operand != NULL)
		r = set_base(operand);
	if (r == 0)
		r = watch(t);
	if (r < 0)
		cmd_fail(operand, r);
	http_timer_clear(remote.account.http, &timer);
	http_timer_clear(remote.account.http, &reader);
}

int
main(int argc, char *argv[])
{
	int ch;

	cmd_init("mega-watch", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case OPT_ONCE:
			opt.once = 1;
			break;
		case OPT_TIMEOUT:
			opt.timeout = cmd_number(optarg, "--timeout", 0);
			break;
		}
	}
	if (argc - optind > 1)
		cmd_usage("one path at most");
	run(argv[optind]);
	remote_close(&remote);
	free(base);
	return cmd_finish();
}
