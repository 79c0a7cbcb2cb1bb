/* mega-cat: data of files on standard output. */

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "download.h"
#include "err.h"
#include "operand.h"
#include "out.h"
#include "path.h"
#include "secret.h"

#define SYNOPSIS "[-0fqv] [--range=A-B] [--wait[=MAX]] [--limit-rate=N] " \
	"[--http] [--password-file=F] OPERAND ..."

enum { OPT_RANGE = 256 };

static const struct cmd_opt options[] = {
	{ 'f', "force", NULL, "write data even to a terminal" },
	CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_PASSWORD,
	{ OPT_RANGE, "range", "A-B", "only these bytes; not verified" },
	CMD_WAIT, CMD_RATE, CMD_HTTP, CMD_END
};

static struct cmd_range range;
static struct remote remote;
static struct downloads *engine;
static int result;

static int
emit(struct download *d, const uint8_t *p, size_t n)
{
	(void)d;
	return out_all(STDOUT_FILENO, "standard output", p, n);
}

static int
begin(struct download *d)
{
	d->emit = emit;
	return 0;
}

static void
done(struct download *d, int r)
{
	(void)d;
	result = r;
}

/* One file, to its end: data comes in the order of the operands. */
static int
cat(void *ctx, const char *operand)
{
	struct download d = { .begin = begin, .done = done,
	    .from = range.from, .to = range.to };
	struct place p;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		goto out;
	if (p.kind != PLACE_LINK && p.node.type != NODE_FILE) {
		r = err_set(ERR_USAGE, "is a folder");
		goto out;
	}
	if (p.node.keylen != KEY_FILE_SIZE) {
		r = err_set(ERR_KEY, p.kind == PLACE_LINK ?
		    "the link has no key" : "its key cannot be decrypted");
		goto out;
	}
	d.api = p.api;
	d.is_public = p.is_public;
	memcpy(d.h, p.node.h, sizeof d.h);
	memcpy(d.key, p.node.key, KEY_FILE_SIZE);
	downloads_add(engine, &d);
	downloads_run(engine);
	r = result;
	if (r == 0 && d.historic != NULL)
		cmd_note_on(operand, d.historic);
out:
	place_free(&p);
	return r;
}

int
main(int argc, char *argv[])
{
	struct download_options o = { 0 };
	int ch, force = 0, r;

	cmd_init("mega-cat", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'f':
			force = 1;
			break;
		case OPT_RANGE:
			range = cmd_parse_range(optarg);
			break;
		}
	}
	if (optind == argc)
		cmd_usage("no file given");
	if (cmd.tty && !force)
		cmd_usage("data does not go to a terminal; -f makes it");
	if ((r = remote_open(&remote, cmd.session)) < 0 ||
	    (r = remote_password(&remote, cmd.password_file)) < 0) {
		cmd_fail(NULL, r);
		return cmd_finish();
	}
	o.limit_rate = cmd.limit_rate;
	o.wait_max = cmd.wait;
	o.plain_http = cmd.http;
	remote.handles = REMOTE_BELOW;
	engine = downloads_new(remote.account.http, &o);
	operand_each(argv + optind, cat, NULL);
	downloads_free(engine);
	remote_close(&remote);
	return cmd_finish();
}
