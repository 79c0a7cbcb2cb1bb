/* mega-cp: copy nodes, and import what links lead to. */

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "copy.h"
#include "err.h"
#include "into.h"
#include "mem.h"
#include "operand.h"
#include "record.h"
#include "secret.h"
#include "task.h"

#define SYNOPSIS "[-fjnqrv0] [--password-file=F] SOURCE ... TARGET"

static const struct cmd_opt options[] = {
	{ 'r', "recursive", NULL, "folders with all that is in them" },
	{ 'f', "force", NULL, "replace files; they go into the bin" },
	CMD_JSON, CMD_NULL, CMD_DRY, CMD_QUIET, CMD_VERBOSE, CMD_SESSION,
	CMD_PASSWORD, CMD_END
};

static struct {
	int recursive, force;
} opt;

static struct remote remote;
static struct into to;

/* One operand on its way. */
struct copying {
	struct task task;
	struct copy copy;
	struct api_cmd ask;     /* about a public file */
	struct node node;       /* the copy, as far as it is known */
	char *source;           /* the path of a folder; a secret */
	char *path;             /* where it will be */
	int unchanged;          /* nothing is done: it is there already */
	struct change *trash;   /* of the files that were replaced */
	size_t ntrash, left;
	int result;
	struct err_kept *error;
};

static void
tell(struct task *t)
{
	const struct copying *m = (struct copying *)t;

	record_change(&m->node, m->path, m->unchanged ? "unchanged" : "done");
}

static void
drop(struct task *t)
{
	struct copying *m = (struct copying *)t;

	for (size_t i = 0; i < m->ntrash; i++)
		change_free(&m->trash[i]);
	free(m->trash);
	copy_free(&m->copy);
	node_free(&m->node);
	if (m->source != NULL)
		secret_zero(m->source, strlen(m->source));
	free(m->source);
	free(m->path);
	free(m->error);
	free(m);
}

static struct tasks tasks = { .tell = tell, .drop = drop };

/*
 * After the copy.
 */

static void
end(struct copying *m, int err)
{
	if (err < 0 && m->result == 0) {
		m->result = err;
		m->error = err_keep();
	}
	if (--m->left > 0)
		return;
	if (m->result < 0)
		err_again(m->result, m->error);
	task_end(&tasks, &m->task, m->result);
}

static void
on_trashed(struct change *c, int err)
{
	if (err < 0)
		err_prefix(err, "copied, but what was there is still there: ");
	end(c->ctx, err);
}

/* Throw away a file whose place has been taken. */
static int
trash(struct copying *m, const char h[9])
{
	struct change *c = &m->trash[m->ntrash];
	struct node old;
	int r;

	if ((r = tree_get(to.tree, h, &old)) < 0)
		return r;
	*c = (struct change){ .api = to.api, .tree = to.tree,
	    .done = on_trashed, .ctx = m };
	m->ntrash++;
	m->left++;
	if ((r = change_trash(c, &old)) < 0)
		m->left--;
	node_free(&old);
	return r;
}

static void
on_copied(struct copy *c, int err)
{
	struct copying *m = c->ctx;
	size_t n = 0;

	m->left = 1;
	if (c->n > 0) {
		memcpy(m->node.h, c->items[0].to, sizeof m->node.h);
		if (c->created > 0)
			m->node.created = c->created;
	}
	for (size_t i = 0; i < c->n; i++)
		n += c->items[i].old[0] != '\0';
	if (n > 0)
		m->trash = xcalloc(n, sizeof *m->trash);
	for (size_t i = 0; i < c->n && err == 0; i++)
		if (c->items[i].old[0] != '\0' &&
		    c->items[i].state == COPY_DONE)
			err = trash(m, c->items[i].old);
	end(m, err);
}

/*
 * What is there already.
 */

/* Copies have the key of what they are copies of, which is random and holds
 * the MAC of the data. */
static int
is_same_file(const struct node *a, const struct node *b)
{
	return a->type == NODE_FILE && b->type == NODE_FILE &&
	    a->keylen == KEY_FILE_SIZE && b->keylen == KEY_FILE_SIZE &&
	    memcmp(a->key, b->key, KEY_FILE_SIZE) == 0;
}

/* A node has the path that the copy of n should have.  1 if the copy is to
 * be made nevertheless, 0 if it is there already, or ERR_TAKEN. */
static int
meet(struct copy_item *item, const char *path, const struct node *n,
    const struct node *old)
{
	int r;

	if (is_same_file(n, old))
		return 0;
	if (n->type != NODE_FILE && old->type != NODE_FILE) {
		item->state = COPY_THERE;
		memcpy(item->to, old->h, sizeof item->to);
		return 1;
	}
	if ((r = into_may_replace(&to, path, old, n->type)) < 0)
		return r;
	memcpy(item->old, old->h, sizeof item->old);
	return 1;
}

/*
 * Folders: a plan of all that is in them.
 */

/* The item of the folder around n: the last one, or one around that. */
static size_t
find_parent(const struct copy *c, const struct node *n)
{
	size_t i = c->n - 1;

	while (strcmp(c->items[i].from, n->p) != 0)
		i = c->items[i].parent;
	return i;
}

/* Compare with what is in the folder that the copy is merged into: as meet,
 * 1 if nothing is. */
static int
compare(struct copy_item *item, const char *path, const struct node *n,
    const char parent[9])
{
	struct node old;
	int r;

	r = tree_child(to.tree, parent, n->name, n->namelen, &old);
	if (r == ERR_NOENT) {
		err_clear();
		return 1;
	}
	if (r < 0)
		return r;
	r = meet(item, path, n, &old);
	node_free(&old);
	return r;
}

static int
plan_node(struct copy *c, const char *path, const struct node *n)
{
	size_t parent = find_parent(c, n), i;
	int r = 1;

	if (n->keylen == 0 || n->name == NULL)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	i = copy_add(c, n, parent);
	if (c->items[parent].state == COPY_THERE)
		r = compare(&c->items[i], path, n, c->items[parent].to);
	if (r <= 0)
		c->n--;
	return r < 0 ? r : 0;
}

/* A node that cannot be copied is told, and left out with all below it. */
static int
plan_one(void *ctx, const struct node *n, const char *path, size_t len)
{
	struct copying *m = ctx;
	char *from, *full = xasprintf("%s/%.*s", m->path, (int)len, path);
	int r;

	if ((r = plan_node(&m->copy, full, n)) < 0) {
		from = xasprintf("%s/%.*s", m->source, (int)len, path);
		cmd_fail(from, r);
		secret_zero(from, strlen(from));
		free(from);
		err_clear();
	}
	free(full);
	return r < 0;
}

/*
 * Operands.
 */

/* Claim the name in the target, and go: 1, 0 if there is nothing to do, or
 * ERR_*. */
static int
claim(struct copying *m, const struct node *n, struct copy_item *item)
{
	char tmp[16];
	const char *name = to.name;
	struct node old;
	size_t len;
	int r;

	if (name == NULL)
		name = node_component(n, tmp, &len);
	else
		len = strlen(name);
	if (n->name == NULL)
		return err_set(ERR_KEY, "its key cannot be decrypted");
	m->path = into_path(&to, name, len);
	node_copy(&m->node, n);
	memcpy(m->node.p, to.folder.h, sizeof m->node.p);
	memcpy(m->node.owner, to.folder.owner, sizeof m->node.owner);
	if (to.name != NULL) {
		free(m->node.name);
		m->node.name = xstrndup(name, len);
		m->node.namelen = len;
		m->copy.name = xstrndup(name, len);
		m->copy.namelen = len;
	}
	if ((r = into_take(&to, name, len, &old)) <= 0)
		return r < 0 ? r : 1;
	r = meet(item, m->path, n, &old);
	memcpy(m->node.h, old.h, sizeof m->node.h);
	node_free(&old);
	return r;
}

/* All is known: make the copy of n. */
static void
go(struct copying *m, const struct node *n)
{
	struct copy *c = &m->copy;
	int r;

	copy_add(c, n, COPY_TOP);
	if ((r = claim(m, n, &c->items[0])) == 0)
		m->unchanged = 1;
	if (r == 1 && n->type != NODE_FILE)
		r = tree_walk(c->source, n->h, plan_one, m);
	if (r < 0 || m->unchanged || cmd.dry)
		task_end(&tasks, &m->task, r < 0 ? r : 0);
	else
		copy_start(c);
}

static void
on_asked(struct api_cmd *c, struct json *j, int v, int err)
{
	struct copying *m = c->ctx;
	struct node *n = &m->copy.file;

	if ((err = place_reply(n, &m->copy.attr, j, v, err)) < 0)
		task_end(&tasks, &m->task, err);
	else
		go(m, n);
}

/* A public file: its name has to be asked for first. */
static void
ask(struct copying *m, const struct place *p)
{
	struct json_out o;

	node_copy(&m->copy.file, &p->node);
	m->ask = (struct api_cmd){ .done = on_asked, .ctx = m };
	o = place_question(p, &m->ask);
	api_send(p->api, &m->ask, &o);
}

static int
check(const struct place *p)
{
	if (p->kind == PLACE_LINK)
		return 0;
	if (p->node.h[0] == '\0' ||
	    (p->node.type != NODE_FILE && p->node.type != NODE_FOLDER))
		return err_set(ERR_REFUSED, "cannot be copied as a whole");
	if (p->node.type == NODE_FOLDER && !opt.recursive)
		return err_set(ERR_USAGE, "is a folder (-r copies folders)");
	if (p->kind == PLACE_NODE && into_is_below(&to, p->node.h))
		return err_set(ERR_REFUSED, "cannot be copied into itself");
	return 0;
}

/* What messages about things in a folder begin with. */
static char *
source_path(const struct place *p)
{
	struct buf b = BUF_MAX(1 << 20);
	char *path;

	if (place_print(p, &b) < 0)
		buf_reset(&b);
	while (b.len > 0 && b.p[b.len - 1] == '/')
		b.len--;
	path = xstrdup(buf_str(&b));
	buf_wipe(&b);
	return path;
}

static int
copy_one(void *ctx, const char *operand)
{
	struct copying *m;
	struct place p;
	int r;

	(void)ctx;
	if ((r = path_find(&remote, operand, &p)) < 0)
		return r;
	if ((r = check(&p)) < 0)
		goto out;
	m = xcalloc(1, sizeof *m);
	m->copy = (struct copy){ .api = to.api, .tree = to.tree,
	    .master = remote.account.session.master,
	    .source = p.tree, .import = p.kind != PLACE_NODE,
	    .done = on_copied, .ctx = m };
	memcpy(m->copy.folder, to.folder.h, sizeof m->copy.folder);
	task_begin(&tasks, remote.account.http, &m->task, operand);
	if (p.node.type != NODE_FILE)
		m->source = source_path(&p);
	if (p.kind == PLACE_LINK)
		ask(m, &p);
	else
		go(m, &p.node);
out:
	place_free(&p);
	return r;
}

static void
run(char **argv, int n)
{
	const char *target = argv[n - 1];
	int several = n > 2 || strcmp(argv[0], "-") == 0, r;

	argv[n - 1] = NULL;
	if ((r = remote_open(&remote, cmd.session)) < 0 ||
	    (r = remote_password(&remote, cmd.password_file)) < 0) {
		cmd_fail(NULL, r);
	} else if ((r = into_open(&to, &remote, target, several,
	    opt.force)) < 0) {
		cmd_fail(target, r);
	} else {
		operand_each(argv, copy_one, NULL);
		task_wait(&tasks, remote.account.http);
	}
	into_close(&to);
	remote_close(&remote);
}

int
main(int argc, char *argv[])
{
	int ch;

	cmd_init("mega-cp", SYNOPSIS, options);
	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'r':
			opt.recursive = 1;
			break;
		case 'f':
			opt.force = 1;
			break;
		}
	}
	if (argc - optind < 2)
		cmd_usage("no %s given", argc == optind ? "source" :
		    "target");
	run(argv + optind, argc - optind);
	return cmd_finish();
}
