/* mega-mv: move and rename nodes. */

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "err.h"
#include "into.h"
#include "mem.h"
#include "record.h"
#include "task.h"

#define SYNOPSIS "[-fjnqv0] SOURCE ... TARGET"

static const struct cmd_opt options[] = {
	{ 'f', "force", NULL, "replace files; they go into the bin" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_END
};

static int force;
static struct remote remote;
static struct into to;
static struct set moved;    /* handles of what earlier operands moved */

/* One operand on its way. */
struct move {
	struct task task;
	struct change change;   /* of the node */
	struct change trash;    /* of the file that it replaces */
	struct node node;       /* as it will be */
	struct node old;        /* h is "": there is none */
	char *path;             /* where it will be */
};

static void
tell(struct task *t)
{
	const struct move *m = (struct move *)t;

	record_change(&m->node, m->path, NULL);
}

static void
drop(struct task *t)
{
	struct move *m = (struct move *)t;

	change_free(&m->change);
	change_free(&m->trash);
	node_free(&m->node);
	node_free(&m->old);
	free(m->path);
	free(m);
}

static struct tasks tasks = { .tell = tell, .drop = drop };

static void
on_trashed(struct change *c, int err)
{
	struct move *m = c->ctx;

	if (err < 0)
		err_prefix(err, "moved, but what was there is still there: ");
	task_end(&tasks, &m->task, err);
}

/* The file that was replaced goes last: at no time is there none. */
static void
on_moved(struct change *c, int err)
{
	struct move *m = c->ctx;

	if (err == 0 && m->old.h[0] != '\0') {
		m->trash = (struct change){ .api = to.api, .tree = to.tree,
		    .done = on_trashed, .ctx = m };
		if ((err = change_trash(&m->trash, &m->old)) == 0)
			return;
	}
	task_end(&tasks, &m->task, err);
}

/* What the climb from a node has met. */
struct above {
	int moved;    /* it, or a folder around it, has been moved */
	int files;    /* more than one: it is an older version */
};

static int
look(void *ctx, const struct node *n)
{
	struct above *a = ctx;

	a->moved |= set_has(&moved, n->h);
	a->files += n->type == NODE_FILE;
	return 0;
}

/* Whether an operand can be moved: 1, 0 if it has been, or ERR_*. */
static int
check(const struct place *p)
{
	struct above a = { 0 };
	int r;

	if (p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "is a link (mega-cp imports "
		    "links)");
	if (p->node.h[0] == '\0' ||
	    (p->node.type != NODE_FILE && p->node.type != NODE_FOLDER))
		return err_set(ERR_REFUSED, "cannot be moved");
	if (into_is_below(&to, p->node.h))
		return err_set(ERR_REFUSED, "cannot be moved into itself");
	if ((r = tree_above(p->tree, p->node.h, look, &a)) < 0)
		return r;
	if (a.files > 1)
		return err_set(ERR_REFUSED, "is an older version, which "
		    "cannot be moved by itself (mega-cp copies it)");
	return !a.moved;
}

/* Claim the new name: 1, 0 if the node has it already, or ERR_*. */
static int
take(const struct node *n, const char *name, size_t len, struct node *old)
{
	char *path;
	int r;

	if ((r = into_take(&to, name, len, old)) <= 0)
		return r < 0 ? r : 1;
	if (strcmp(old->h, n->h) == 0)
		return 0;
	path = into_path(&to, name, len);
	r = into_may_replace(&to, path, old, n->type);
	free(path);
	return r < 0 ? r : 1;
}

/* Begin to move a node; everything that stands against it has been seen. */
static int
begin(const char *operand, const struct place *p, const char *name,
    size_t len, struct node *old)
{
	struct move *m = xcalloc(1, sizeof *m);
	int r;

	m->path = into_path(&to, name, len);
	m->old = *old;
	*old = (struct node){ 0 };
	node_copy(&m->node, &p->node);
	memcpy(m->node.p, to.folder.h, sizeof m->node.p);
	if (to.name != NULL) {
		free(m->node.name);
		m->node.name = xstrndup(name, len);
		m->node.namelen = len;
	}
	m->change = (struct change){ .api = p->api, .tree = p->tree,
	    .done = on_moved, .ctx = m };
	task_begin(&tasks, remote.account.http, &m->task, operand);
	r = cmd.dry ? CHANGE_NOTHING : change_move(&m->change, &p->node,
	    to.folder.h, to.name, len);
	if (r != 0)
		task_end(&tasks, &m->task, r < 0 ? r : 0);
	return 0;
}

static int
move_one(void *ctx, const char *operand)
{
	struct node old = { 0 };
	char tmp[16];
	const char *name = to.name;
	struct place p;
	size_t len;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		return r;
	if ((r = check(&p)) <= 0)
		goto out;
	if (name == NULL)
		name = node_component(&p.node, tmp, &len);
	else
		len = strlen(name);
	if ((r = take(&p.node, name, len, &old)) == 1) {
		set_add(&moved, p.node.h);
		r = begin(operand, &p, name, len, &old);
	}
out:
	node_free(&old);
	place_free(&p);
	return r;
}

static void
run(char **argv, int n)
{
	const char *target = argv[n - 1];
	int several = n > 2 || strcmp(argv[0], "-") == 0, r;

	argv[n - 1] = NULL;
	if ((r = remote_open(&remote, cmd.session)) < 0) {
		cmd_fail(NULL, r);
	} else if ((r = into_open(&to, &remote, target, several,
	    force)) < 0) {
		cmd_fail(target, r);
	} else {
		cmd_each(argv, move_one, NULL);
		task_wait(&tasks, remote.account.http);
	}
	into_close(&to);
	remote_close(&remote);
	set_free(&moved);
}

int
main(int argc, char *argv[])
{
	int ch;

	cmd_init("mega-mv", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1)
		if (ch == 'f')
			force = 1;
	if (argc - optind < 2)
		cmd_usage("no %s given", argc == optind ? "source" :
		    "target");
	run(argv + optind, argc - optind);
	return cmd_finish();
}
