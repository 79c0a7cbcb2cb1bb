#include <sys/stat.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "err.h"
#include "mem.h"
#include "mirror.h"
#include "name.h"

/*
 * Sides.
 */

static struct mirror_item *
add(struct mirror_side *s, const char *name, enum mirror_kind kind)
{
	struct mirror_item *i;

	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : 2 * s->cap;
		s->v = xreallocarray(s->v, s->cap, sizeof *s->v);
	}
	i = &s->v[s->n++];
	*i = (struct mirror_item){ .name = xstrdup(name), .kind = kind };
	return i;
}

void
mirror_side_free(struct mirror_side *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		node_free(&s->v[i].node);
	}
	free(s->v);
	*s = (struct mirror_side){ .v = NULL };
}

static enum mirror_kind
kind_of(const char *path, const struct stat *st)
{
	struct stat to;

	if (S_ISDIR(st->st_mode))
		return MIRROR_FOLDER;
	if (S_ISREG(st->st_mode))
		return MIRROR_FILE;
	if (S_ISLNK(st->st_mode) && stat(path, &to) == 0 &&
	    S_ISREG(to.st_mode))
		return MIRROR_LINK;
	return MIRROR_OTHER;
}

int
mirror_local(struct mirror_side *s, const char *path)
{
	struct dir d;
	int r = dir_list(&d, path);

	*s = (struct mirror_side){ .v = NULL };
	for (size_t i = 0; i < d.n && r == 0; i++) {
		char *full = dir_join(path, d.name[i]);
		struct stat st;

		if (lstat(full, &st) == 0)
			add(s, d.name[i], kind_of(full, &st));
		else if (errno != ENOENT)
			r = err_local("%s", d.name[i]);
		free(full);
	}
	dir_free(&d);
	if (r < 0)
		mirror_side_free(s);
	return r;
}

static int
add_node(void *ctx, const struct node *n)
{
	struct mirror_side *s = ctx;
	char name[NAME_LOCAL_MAX];

	if (n->name == NULL) {
		s->unnamed++;
		return 0;
	}
	name_local(name, n->name, n->namelen, n->h);
	node_copy(&add(s, name, n->type == NODE_FILE ? MIRROR_FILE :
	    MIRROR_FOLDER)->node, n);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct mirror_item *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c != 0)
		return c;
	if (x->node.created != y->node.created)
		return x->node.created > y->node.created ? -1 : 1;
	return strcmp(x->node.h, y->node.h);
}

int
mirror_remote(struct mirror_side *s, struct tree *t, const char h[9])
{
	int r;

	*s = (struct mirror_side){ .v = NULL };
	if ((r = tree_children(t, h, add_node, s)) < 0) {
		mirror_side_free(s);
		return r;
	}
	if (s->n > 0)
		qsort(s->v, s->n, sizeof *s->v, by_name);
	for (size_t i = 1; i < s->n; i++)
		s->v[i].twin = strcmp(s->v[i - 1].name, s->v[i].name) == 0;
	return 0;
}

void
mirror_join(const struct mirror_side *local,
    const struct mirror_side *remote, void (*fn)(void *ctx,
    const struct mirror_item *l, const struct mirror_item *r), void *ctx)
{
	size_t i = 0, k = 0;

	while (i < local->n || k < remote->n) {
		const struct mirror_item *l = i < local->n ? &local->v[i] :
		    NULL;
		const struct mirror_item *r = k < remote->n ? &remote->v[k] :
		    NULL;
		int c = l == NULL ? 1 : r == NULL ? -1 : strcmp(l->name,
		    r->name);

		i += c <= 0;
		k += c >= 0;
		fn(ctx, c <= 0 ? l : NULL, c >= 0 ? r : NULL);
	}
}

/*
 * Filters.
 */

struct mirror_pattern {
	char *text;         /* without a slash at its end */
	int include;
	int folders;        /* it had one */
	int whole;          /* it is compared with the whole path */
};

void
mirror_filter_add(struct mirror_filter *f, const char *pattern, int include)
{
	size_t n = strlen(pattern);
	struct mirror_pattern *p;

	f->v = xreallocarray(f->v, f->n + 1, sizeof *f->v);
	p = &f->v[f->n++];
	*p = (struct mirror_pattern){ .include = include };
	p->folders = n > 0 && pattern[n - 1] == '/';
	p->text = xstrndup(pattern, p->folders ? n - 1 : n);
	p->whole = strchr(p->text, '/') != NULL;
	if (p->text[0] == '/') /* from the top: as every path is */
		memmove(p->text, p->text + 1, strlen(p->text));
}

void
mirror_filter_free(struct mirror_filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].text);
	free(f->v);
	*f = (struct mirror_filter){ NULL, 0 };
}

int
mirror_excluded(const struct mirror_filter *f, const char *path, int folder)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;

	for (size_t i = 0; i < f->n; i++) {
		const struct mirror_pattern *p = &f->v[i];

		if ((folder || !p->folders) && fnmatch(p->text, p->whole ?
		    path : base, p->whole ? FNM_PATHNAME : 0) == 0)
			return !p->include;
	}
	return 0;
}

/* A search below a folder that filters may protect parts of. */
struct search {
	const struct mirror_filter *f;
	const char *path;
	struct buf at;
};

#define FOUND 1

static int
is_excluded(struct search *s, const char *name, size_t n, int folder)
{
	buf_reset(&s->at);
	buf_printf(&s->at, "%s/%.*s", s->path, (int)n, name);
	return mirror_excluded(s->f, buf_str(&s->at), folder);
}

static int
search_local(void *ctx, const char *name, const struct stat *st)
{
	return is_excluded(ctx, name, strlen(name), S_ISDIR(st->st_mode)) ?
	    FOUND : 0;
}

int
mirror_holds_excluded_local(const struct mirror_filter *f, const char *top,
    const char *path)
{
	struct search s = { f, path, BUF_MAX(1 << 20) };
	char *full;
	int r;

	if (f->n == 0)
		return 0;
	full = dir_join(top, path);
	r = dir_walk(full, search_local, &s);
	buf_free(&s.at);
	free(full);
	return r;
}

/* tree_walk ends with an error only; this one is found again by the caller. */
static int
search_remote(void *ctx, const struct node *n, const char *path, size_t len)
{
	return is_excluded(ctx, path, len, n->type != NODE_FILE) ?
	    ERR_EXIST : 0;
}

int
mirror_holds_excluded_remote(const struct mirror_filter *f, struct tree *t,
    const char h[9], const char *path)
{
	struct search s = { f, path, BUF_MAX(1 << 20) };
	int r;

	if (f->n == 0)
		return 0;
	r = tree_walk(t, h, search_remote, &s);
	buf_free(&s.at);
	return r == ERR_EXIST ? 1 : r;
}
