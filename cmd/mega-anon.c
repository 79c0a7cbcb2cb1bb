/* mega-anon: an account without a name, or files published through one. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "name.h"
#include "progress.h"
#include "record.h"
#include "send.h"
#include "shape.h"

#define SYNOPSIS "[-qv] [--session=FILE]\n" \
	"[-j0qv] [--keep] [--name=NAME] [--size=N] [--http] FILE ...\n" \
	"[-j0qv] [--keep] --name=NAME [--size=N] [--http] -"

enum { OPT_KEEP = 256, OPT_NAME, OPT_SIZE };

static const struct cmd_opt options[] = {
	CMD_JSON, CMD_NULL, CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_PROGRESS,
	{ OPT_KEEP, "keep", NULL, "with files: write the session file too" },
	{ OPT_NAME, "name", "NAME", "the remote name of the one file" },
	{ OPT_SIZE, "size", "N", "so many bytes come: nothing is spooled" },
	CMD_RATE, CMD_HTTP, CMD_END
};

static struct {
	const char *name;
	int keep;
	int64_t size;
} opt = { .size = -1 };

struct root_node {
	char h[9];
	int64_t type;
};

static const struct shape node_shape[] = {
	SHAPE(root_node, h, "h", SHAPE_HANDLE, SHAPE_REQUIRED, 0, 8),
	SHAPE(root_node, type, "t", SHAPE_INT, SHAPE_REQUIRED, 0, 255),
	SHAPE_END
};

/* The handle of a new account's Cloud Drive. */
static int
find_root(struct account *a, char root[9])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "f");
	struct json j = { 0 };
	int r, v;

	json_put_int(&o, "c", 1);
	json_put_int(&o, "r", 1);
	if ((r = api_wait(a->api, &c, &o, &j)) < 0)
		goto out;
	v = json_first(&j, json_member(&j, r, "f"));
	for (r = ERR_PROTO; v >= 0 && r != 0; v = json_next(&j, v)) {
		struct root_node n = { "", -1 };

		if (shape_read("reply to \"f\"", node_shape, &j, v, &n) == 0 &&
		    n.type == NODE_ROOT) {
			memcpy(root, n.h, sizeof n.h);
			r = 0;
		}
	}
	if (r < 0)
		err_set(r, "the new account has no Cloud Drive");
out:
	json_free(&j);
	return r;
}

/* Open one file and begin to send it. */
static int
publish(struct sending *s, const char *root, const char *local)
{
	struct send_item *i;
	struct buf name = BUF_MAX(4096);
	const char *base = strrchr(local, '/');
	int r;

	if ((r = send_open(&i, local, opt.size)) < 0)
		return r;
	if (opt.name != NULL)
		buf_addstr(&name, opt.name);
	else
		name_remote(&name, base != NULL ? base + 1 : local);
	send_name(i, buf_str(&name), name.len);
	i->path = xasprintf("/%s", buf_str(&name));
	memcpy(i->parent, root, sizeof i->parent);
	buf_free(&name);
	progress_file(i->local, i->up.size);
	send_add(s, i);
	return 0;
}

/* Without --keep nobody can use handles any more. */
static void
ended(void *ctx, struct send_item *i, int result)
{
	if (!opt.keep)
		i->node.h[0] = i->node.p[0] = '\0';
	record_sent(ctx, i, result);
}

static int
publish_all(struct account *a, char **argv)
{
	struct send_options o = {
		.up = { .moved = progress_moved,
		    .limit_rate = cmd.limit_rate, .plain_http = cmd.http },
		.link = 1,
		.ended = ended,
	};
	struct sending *s;
	char root[9];
	int r;

	if ((r = find_root(a, root)) < 0)
		return r;
	progress_begin("put");
	s = send_new(a->api, a->session.master, &o);
	for (; *argv != NULL; argv++) {
		err_clear();
		if ((r = publish(s, root, *argv)) < 0)
			cmd_fail(*argv, r);
	}
	send_run(s);
	progress_end();
	send_free(s);
	return 0;
}

/* A session that is there may be all that somebody has of an account. */
static int
check_free(const char *path)
{
	if (access(path, F_OK) == 0)
		return err_set(ERR_TAKEN, "%s: there is a session already; "
		    "mega-logout ends it, --session names another", path);
	return 0;
}

static int
run(char **argv)
{
	struct account a = { 0 };
	char *path = session_path(cmd.session);
	int r, keep = opt.keep || *argv == NULL;

	if (path == NULL)
		return ERR_LOCAL;
	if ((keep && (r = check_free(path)) < 0) ||
	    (r = account_open_any(&a, cmd.session)) < 0 ||
	    (r = account_ephemeral(&a)) < 0)
		goto out;
	if (keep && (r = session_save(&a.session, path)) < 0)
		goto out;
	cmd_verbose("account %s", a.session.user);
	if (*argv != NULL)
		r = publish_all(&a, argv);
out:
	account_close(&a);
	free(path);
	return r;
}

int
main(int argc, char *argv[])
{
	int ch, r;

	cmd_init("mega-anon", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case OPT_KEEP:
			opt.keep = 1;
			break;
		case OPT_NAME:
			opt.name = optarg;
			break;
		case OPT_SIZE:
			opt.size = cmd_number(optarg, "--size", 1);
			break;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc > 1 && (opt.name != NULL || opt.size >= 0))
		cmd_usage("--name and --size are for one file");
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "-") == 0 && opt.name == NULL)
			cmd_usage("standard input has no name; --name gives "
			    "it one");
	if (opt.name != NULL && *opt.name == '\0')
		cmd_usage("--name: an empty name");
	if ((r = run(argv)) < 0)
		cmd_fail(NULL, r);
	return cmd_finish();
}
