/* mega-api: send the service's own commands, and print what it answers. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define SYNOPSIS "[-jqv] [--anonymous] [--session=FILE]"

#define BATCH_MAX    10000      /* commands in one array */
#define ARRAY_MAX    (32 << 20) /* bytes of one */
#define WORD_MAX     32         /* of a command's name, for messages */

enum { OPT_ANONYMOUS = 256 };

static const struct cmd_opt options[] = {
	{ OPT_ANONYMOUS, "anonymous", NULL, "without a session" },
	CMD_JSON, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

/* A command under way. */
struct call {
	struct api_cmd cmd;
	char name[WORD_MAX];
	struct buf result;  /* JSON; empty: there was no answer */
	int err;
	char *text;         /* of err */
	int *pending;       /* calls of the batch that wait */
};

static struct account account;
static int over;            /* no use in asking any more */

static void
answered(struct api_cmd *c, struct json *j, int v, int err)
{
	struct call *call = c->ctx;
	struct slice raw = json_raw(j, v);
	size_t quote = json_type(j, v) == JSON_STRING;

	--*call->pending;
	buf_init(&call->result, API_REPLY_MAX + 2);
	call->err = err;
	if (err == 0) {
		buf_add(&call->result, raw.p - quote, raw.n + 2 * quote);
		return;
	}
	call->text = xstrdup(err_text());
	if (err > ERR_PROTO)
		buf_printf(&call->result, "%d", err);
}

/* Make a call of the command v in j. */
static int
prepare(struct call *call, struct json *j, int v, int *pending)
{
	struct slice raw = json_raw(j, v);
	struct slice name = json_text(j, json_member(j, v, "a"));

	if (json_type(j, v) != JSON_OBJECT || name.p == NULL)
		return err_set(ERR_USAGE, "a command is an object with a "
		    "member \"a\"");
	for (size_t i = 0; i < name.n && i < sizeof call->name - 1; i++)
		call->name[i] = name.p[i];
	call->pending = pending;
	call->cmd.name = call->name;
	call->cmd.ctx = call;
	call->cmd.done = answered;
	/* Without its last brace, which api_send adds. */
	buf_init(&call->cmd.json, ARRAY_MAX);
	return buf_add(&call->cmd.json, raw.p, raw.n - 1);
}

static void
send_all(struct call *calls, size_t n, int *pending)
{
	struct json_out o = { 0 };

	for (size_t i = 0; i < n; i++) {
		++*pending;
		o.b = &calls[i].cmd.json;
		api_send(account.api, &calls[i].cmd, &o);
	}
	while (*pending > 0)
		http_turn(account.http, -1);
}

/* Tell a failure.  One that concerns all commands is told once. */
static void
tell(const struct call *call, size_t number)
{
	int whole = call->err <= ERR_PROTO || call->err == ERR_SID ||
	    call->err == ERR_BLOCKED;

	if (call->err == 0 || over)
		return;
	over = whole;
	err_clear();
	err_set(call->err, "%s", call->text);
	if (!whole)
		err_prefix(call->err, "command %zu (%s): ", number,
		    call->name);
	cmd_fail(NULL, call->err);
}

/* The results, in the order of the commands, as one array; nothing if there
 * was no answer. */
static void
print(const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].result.len == 0)
			return;
	putchar('[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			putchar(',');
		fwrite(calls[i].result.p, 1, calls[i].result.len, stdout);
	}
	fputs("]\n", stdout);
	fflush(stdout);
}

static int
run_batch(struct json *j)
{
	size_t n = json_count(j, 0), i = 0;
	struct call *calls;
	int pending = 0, r = 0;

	if (json_type(j, 0) != JSON_ARRAY || n > BATCH_MAX)
		return err_set(ERR_USAGE, "want an array of at most %d "
		    "commands", BATCH_MAX);
	calls = xcalloc(n + 1, sizeof *calls);
	for (int v = json_first(j, 0); v >= 0 && r == 0; v = json_next(j, v))
		r = prepare(&calls[i++], j, v, &pending);
	if (r == 0) {
		send_all(calls, n, &pending);
		print(calls, n);
	}
	for (i = 0; i < n; i++) {
		if (r == 0)
			tell(&calls[i], i + 1);
		buf_wipe(&calls[i].cmd.json);
		buf_wipe(&calls[i].result);
		free(calls[i].text);
	}
	free(calls);
	return r;
}

/* One value of standard input. */
struct input {
	struct json_split split;
	struct json json;
	int begun, ended;
};

static int
enter(void *ctx, int depth, struct slice key, int open)
{
	(void)ctx;
	(void)depth;
	(void)key;
	(void)open;
	return 0;
}

static int
value(void *ctx, int depth, struct slice key, struct slice text)
{
	struct input *in = ctx;
	int r;

	(void)depth;
	(void)key;
	in->ended = 1;
	if ((r = json_parse(&in->json, text.p, text.n)) < 0)
		return r;
	return run_batch(&in->json);
}

static void
begin(struct input *in)
{
	json_split_free(&in->split);
	json_split_init(&in->split, in, ARRAY_MAX);
	in->split.enter = enter;
	in->split.value = value;
	in->begun = in->ended = 0;
}

/* Arrays follow each other, with blanks between them or without. */
static int
feed(struct input *in, const char *p, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0 && !over; i++) {
		in->begun |= strchr(" \t\r\n", p[i]) == NULL;
		if ((r = json_split_feed(&in->split, p + i, 1)) == 0 &&
		    in->ended)
			begin(in);
	}
	return r;
}

static int
read_all(struct input *in)
{
	char chunk[4096];
	ssize_t n;
	int r = 0;

	begin(in);
	while (r == 0 && !over && (n = read(STDIN_FILENO, chunk,
	    sizeof chunk)) != 0) {
		if (n > 0)
			r = feed(in, chunk, (size_t)n);
		else if (errno != EINTR)
			r = err_local("standard input");
	}
	secret_zero(chunk, sizeof chunk);
	if (r == 0 && !over && in->begun)
		r = json_split_end(&in->split);
	/* What is no JSON here is the caller's fault, not the service's. */
	return r == ERR_PROTO ? ERR_USAGE : r;
}

int
main(int argc, char *argv[])
{
	struct input in = { 0 };
	int anonymous = 0, r;

	cmd_init("mega-api", SYNOPSIS, options);
	while (cmd_option(argc, argv) != -1)
		anonymous = 1;
	if (optind < argc)
		cmd_usage("no operands are taken; commands come on standard "
		    "input");
	r = anonymous ? account_open_none(&account) :
	    account_open(&account, cmd.session);
	if (r == 0)
		r = read_all(&in);
	if (r < 0)
		cmd_fail(NULL, r);
	json_split_free(&in.split);
	json_free(&in.json);
	account_close(&account);
	return cmd_finish();
}
