#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "into.h"
#include "mem.h"

/* The operand is a file: its folder takes one under that name. */
static int
go_up(struct into *to, struct place *p, int several)
{
	struct node parent;
	int r;

	if (several)
		return err_set(ERR_USAGE, "is a file; several operands go "
		    "into a folder");
	if ((r = tree_get(p->tree, p->node.p, &parent)) < 0)
		return r;
	if (parent.type == NODE_FILE) {
		node_free(&parent);
		return err_set(ERR_REFUSED, "is an older version, which "
		    "cannot be replaced");
	}
	if (p->node.name != NULL)
		to->name = xstrdup(p->node.name);
	node_free(&p->node);
	p->node = parent;
	return 0;
}

/* What the operand leads to, made into a folder and perhaps a name. */
static int
choose(struct into *to, struct place *p, int several)
{
	if (p->kind != PLACE_NODE)
		return err_set(ERR_USAGE, "nothing can be put into a link");
	if (p->missing != NULL && several)
		return err_set(ERR_NOENT, "no such folder");
	if (p->node.h[0] == '\0')
		return err_set(ERR_REFUSED, "only others can share their "
		    "folders with the account");
	if (p->missing == NULL)
		return p->node.type == NODE_FILE ? go_up(to, p, several) : 0;
	if (strcmp(p->missing, ".") == 0 || strcmp(p->missing, "..") == 0)
		return err_set(ERR_USAGE, "nothing should be called \"%s\"",
		    p->missing);
	to->name = p->missing;
	p->missing = NULL;
	return 0;
}

static int
note_above(void *ctx, const struct node *n)
{
	set_add(ctx, n->h);
	return 0;
}

static int
describe(struct into *to, struct place *p)
{
	struct buf path = BUF_MAX(1 << 20);
	int r;

	if ((r = place_print(p, &path)) < 0) {
		buf_free(&path);
		return r;
	}
	while (path.len > 0 && path.p[path.len - 1] == '/')
		path.len--;
	to->path = buf_steal(&path);
	return tree_above(to->tree, to->folder.h, note_above, &to->above);
}

int
into_open(struct into *to, struct remote *remote, const char *operand,
    int several, int force)
{
	struct place p;
	int r;

	*to = (struct into){ .force = force };
	if ((r = path_target(remote, operand, &p)) < 0)
		return r;
	if ((r = choose(to, &p, several)) == 0) {
		to->tree = p.tree;
		to->api = p.api;
		node_copy(&to->folder, &p.node);
		r = describe(to, &p);
	}
	place_free(&p);
	return r;
}

void
into_close(struct into *to)
{
	node_free(&to->folder);
	free(to->name);
	free(to->path);
	set_free(&to->above);
	set_free(&to->given);
}

int
into_is_below(const struct into *to, const char h[9])
{
	return set_has(&to->above, h);
}

int
into_take(struct into *to, const char *name, size_t n, struct node *old)
{
	char *path;
	int r;

	if (!set_add(&to->given, name)) {
		path = into_path(to, name, n);
		r = err_set(ERR_TAKEN, "%s is where an earlier operand went",
		    path);
		free(path);
		return r;
	}
	r = tree_child(to->tree, to->folder.h, name, n, old);
	if (r == ERR_NOENT) {
		err_clear();
		return 0;
	}
	return r < 0 ? r : 1;
}

int
into_may_replace(const struct into *to, const char *path,
    const struct node *old, enum node_type type)
{
	if (old->type != NODE_FILE)
		return err_set(ERR_TAKEN, "%s is a folder", path);
	if (type != NODE_FILE)
		return err_set(ERR_TAKEN, "%s is a file", path);
	if (!to->force)
		return err_set(ERR_TAKEN, "%s exists (-f replaces it)", path);
	return 0;
}

char *
into_path(const struct into *to, const char *name, size_t n)
{
	return xasprintf("%s/%.*s", to->path, (int)n, name);
}
