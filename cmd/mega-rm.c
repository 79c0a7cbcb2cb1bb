/* mega-rm: move nodes to the rubbish bin, or delete them for good. */

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "err.h"
#include "mem.h"
#include "path.h"
#include "record.h"
#include "set.h"
#include "task.h"

#define SYNOPSIS "[-fjnqrv0] [--purge] PATH ...\n--empty [-jn0]"

enum { OPT_PURGE = 256, OPT_EMPTY };

static const struct cmd_opt options[] = {
	{ 'r', "recursive", NULL, "folders with all that is in them" },
	{ 'f', "force", NULL, "what does not exist is no failure" },
	{ OPT_PURGE, "purge", NULL, "for good, not into the bin" },
	{ OPT_EMPTY, "empty", NULL, "empty the bin, for good" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_END
};

static struct {
	int recursive, force, purge, empty;
} opt;

static struct remote remote;
static struct set gone;     /* handles that earlier operands removed */

/* One operand on its way. */
struct removal {
	struct task task;
	struct change change;
	struct node node;
	char *path;
};

static void
tell(struct task *t)
{
	const struct removal *m = (struct removal *)t;

	record_change(&m->node, m->path, NULL);
}

static void
drop(struct task *t)
{
	struct removal *m = (struct removal *)t;

	change_free(&m->change);
	node_free(&m->node);
	free(m->path);
	free(m);
}

static struct tasks tasks = { .tell = tell, .drop = drop };

static void
on_removed(struct change *c, int err)
{
	struct removal *m = c->ctx;

	/* It is gone: whoever did it. */
	if (err == ERR_NOENT && opt.force)
		err = 0;
	task_end(&tasks, &m->task, err);
}

/*
 * Whether it makes sense.
 */

/* What the climb from a node has met. */
struct above {
	int gone;     /* it, or a folder around it, has been removed */
	int in_bin;
	int files;    /* more than one: it is an older version */
};

static int
look(void *ctx, const struct node *n)
{
	struct above *a = ctx;

	a->gone |= set_has(&gone, n->h);
	a->in_bin |= n->type == NODE_RUBBISH;
	a->files += n->type == NODE_FILE;
	return 0;
}

static int
check(const struct node *n, const struct above *a)
{
	if (n->type != NODE_FILE && n->type != NODE_FOLDER)
		return err_set(ERR_REFUSED, "cannot be removed (--empty "
		    "empties the bin)");
	if (n->h[0] == '\0')
		return err_set(ERR_REFUSED, "cannot be removed");
	if (n->type == NODE_FOLDER && !opt.recursive)
		return err_set(ERR_USAGE, "is a folder (-r removes folders)");
	if (a->files > 1 && !opt.purge)
		return err_set(ERR_USAGE, "is an older version, which cannot "
		    "be in the bin by itself (--purge removes it)");
	if (a->in_bin && !opt.purge)
		return err_set(ERR_USAGE, "is in the bin already (--purge "
		    "removes it for good)");
	return 0;
}

/* Find what to remove: 1, 0 if there is nothing to do, or ERR_*. */
static int
find(const char *operand, struct place *p, struct above *a)
{
	int r;

	if ((r = path_find(&remote, operand, p)) < 0)
		return r == ERR_NOENT && opt.force ? 0 : r;
	if (p->kind != PLACE_NODE)
		r = err_set(ERR_USAGE, "is a link (mega-link -d removes "
		    "links)");
	else if ((r = tree_above(p->tree, p->node.h, look, a)) == 0 &&
	    (r = check(&p->node, a)) == 0)
		r = a->gone ? 0 : 1;
	if (r <= 0)
		place_free(p);
	return r;
}

static int
begin(const char *operand, struct place *p, char *path, int version)
{
	struct removal *m = xcalloc(1, sizeof *m);
	int r = 0;

	m->path = path;
	node_copy(&m->node, &p->node);
	m->change = (struct change){ .api = p->api, .tree = p->tree,
	    .done = on_removed, .ctx = m };
	task_begin(&tasks, remote.account.http, &m->task, operand);
	if (opt.purge)
		change_delete(&m->change, &p->node, version);
	else
		r = change_trash(&m->change, &p->node);
	if (r < 0)
		task_end(&tasks, &m->task, r);
	return 0;
}

static int
remove_one(void *ctx, const char *operand)
{
	struct buf path = BUF_MAX(1 << 20);
	struct above a = { 0 };
	struct place p;
	int r;

	(void)ctx;
	if ((r = find(operand, &p, &a)) <= 0)
		return r;
	set_add(&gone, p.node.h);
	if ((r = place_print(&p, &path)) < 0)
		buf_free(&path);
	else if (cmd.dry)
		record_change(&p.node, buf_str(&path), NULL);
	else
		r = begin(operand, &p, buf_steal(&path), a.files > 1);
	buf_free(&path);
	place_free(&p);
	return r;
}

static int
show_binned(void *ctx, const struct node *n)
{
	struct buf path = BUF_MAX(1 << 20);
	int r;

	if ((r = tree_path(ctx, n->h, &path)) == 0)
		record_change(n, buf_str(&path), NULL);
	buf_free(&path);
	return r;
}

/* What --empty would remove. */
static int
show_bin(void)
{
	struct node bin = { 0 };
	struct tree *t;
	int r;

	if ((r = remote_tree(&remote, &t)) == 0 &&
	    (r = tree_root(t, NODE_RUBBISH, &bin)) == 0)
		r = tree_children(t, bin.h, show_binned, t);
	node_free(&bin);
	return r;
}

/* Empty the bin, in one command however much is in it. */
static int
empty_bin(void)
{
	struct api_cmd c = { 0 };
	struct json_out o;

	if (remote.account.session.sid[0] == '\0')
		return err_set(ERR_LOGIN, "not logged in");
	if (cmd.dry)
		return show_bin();
	o = api_begin(&c, "dr");
	return api_wait(remote.account.api, &c, &o, NULL);
}

static void
run(char **argv)
{
	int r;

	if ((r = remote_open(&remote, cmd.session)) == 0 && opt.empty)
		r = empty_bin();
	if (r < 0)
		cmd_fail(NULL, r);
	else if (!opt.empty)
		cmd_each(argv, remove_one, NULL);
	task_wait(&tasks, remote.account.http);
	remote_close(&remote);
	set_free(&gone);
}

int
main(int argc, char *argv[])
{
	int ch;

	cmd_init("mega-rm", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'r':
			opt.recursive = 1;
			break;
		case 'f':
			opt.force = 1;
			break;
		case OPT_PURGE:
			opt.purge = 1;
			break;
		case OPT_EMPTY:
			opt.empty = 1;
			break;
		}
	}
	if (opt.empty && optind < argc)
		cmd_usage("--empty takes no operands");
	if (!opt.empty && optind == argc)
		cmd_usage("no operand given");
	run(argv + optind);
	return cmd_finish();
}
