#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "err.h"
#include "journal.h"
#include "mem.h"
#include "tree_impl.h"

void
journal_keep(struct tree *t, struct journal *j)
{
	t->journal = j;
}

static void
entry_free(struct journal_entry *e)
{
	node_free(&e->node);
	free(e->path);
	free(e->from);
}

/* Leave the first n. */
static void
cut(struct journal *j, size_t n)
{
	while (j->n > n)
		entry_free(&j->e[--j->n]);
}

void
journal_clear(struct journal *j)
{
	cut(j, 0);
	free(j->e);
	*j = (struct journal){ 0 };
}

const char *
journal_word(enum journal_kind kind)
{
	static const char *const words[] = { "", "added", "changed", "moved",
	    "removed", "linked", "unlinked", "shared", "unshared",
	    "reloaded" };

	return words[kind];
}

/* Room for one more, zeroed. */
static struct journal_entry *
append(struct journal *j, enum journal_kind kind)
{
	if (j->n == JOURNAL_MAX) {
		cut(j, 0);
		kind = JOURNAL_RELOADED;
	}
	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 16 : 2 * j->cap;
		j->e = xreallocarray(j->e, j->cap, sizeof *j->e);
	}
	j->e[j->n] = (struct journal_entry){ .kind = kind };
	return &j->e[j->n++];
}

void
journal_commit(struct tree *t)
{
	if (t->journal != NULL)
		t->journal->sure = t->journal->n;
}

void
journal_reloaded(struct tree *t)
{
	if (t->journal != NULL)
		append(t->journal, JOURNAL_RELOADED);
	journal_commit(t);
}

void
journal_rollback(struct tree *t)
{
	if (t->journal != NULL)
		cut(t->journal, t->journal->sure);
}

void
journal_done(struct journal_mark *m)
{
	node_free(&m->node);
	free(m->path);
	m->path = NULL;
}

/* Whether a node is an older version of a file. */
static int
is_old(struct tree *t, const struct node *n)
{
	struct node above;
	int r;

	if (n->type != NODE_FILE || n->p[0] == '\0' ||
	    tree_get(t, n->p, &above) < 0)
		return 0;
	r = above.type == NODE_FILE;
	node_free(&above);
	return r;
}

/* Fill in the mark for m->h. */
static int
look(struct tree *t, struct journal_mark *m)
{
	struct buf path = BUF_MAX(1 << 20);
	char h[9];
	int r;

	r = tree_get(t, node_handle(h, m->h), &m->node);
	if (r == 0 && (r = tree_path(t, h, &path)) == 0) {
		m->was = 1;
		m->path = buf_steal(&path);
		m->old = is_old(t, &m->node);
	}
	buf_free(&path);
	err_clear();
	return r == ERR_NOENT ? 0 : r;
}

int
journal_before(struct tree *t, struct slice h, struct journal_mark *m)
{
	*m = (struct journal_mark){ .h = -1 };
	if (t->journal == NULL || h.n != 8 || !b64_valid(h.p, h.n))
		return 0;
	m->h = node_number(h.p);
	return look(t, m);
}

/* Another node of the same name in the same folder: 1, 0, or ERR_*. */
static int
find_twin(struct tree *t, const struct node *n, struct node *twin)
{
	struct cache_cursor cur = { 0 };
	struct cache_node row;
	int64_t found = -1, own = node_number(n->h);
	char h[9];
	int r;

	if (n->name == NULL || n->p[0] == '\0')
		return 0;
	r = cache_children(t->cache, &cur, node_number(n->p), n->name,
	    n->namelen, 0);
	while (r == 0 && found < 0 && (r = cache_next(&cur, &row)) == 1) {
		if (row.name.n != n->namelen ||
		    memcmp(row.name.p, n->name, n->namelen) != 0)
			break;
		if (row.h != own)
			found = row.h;
		r = 0;
	}
	cache_done(&cur);
	if (r < 0 || found < 0)
		return r < 0 ? r : 0;
	r = tree_get(t, node_handle(h, found), twin);
	return r < 0 ? r : 1;
}

static enum journal_kind
compare(const struct journal_mark *m, const struct journal_mark *now,
    enum journal_kind otherwise)
{
	if (!now->was)
		return m->was ? JOURNAL_REMOVED : JOURNAL_NONE;
	if (now->old)
		return JOURNAL_NONE; /* what replaced it is told */
	if (!m->was)
		return JOURNAL_ADDED;
	if (m->old)
		return JOURNAL_CHANGED; /* what replaced it has gone */
	if (strcmp(m->path, now->path) != 0)
		return JOURNAL_MOVED;
	if (strcmp(m->node.ph, now->node.ph) != 0)
		return now->node.ph[0] != '\0' ? JOURNAL_LINKED :
		    JOURNAL_UNLINKED;
	return otherwise;
}

static void
add(struct tree *t, enum journal_kind kind, const struct node *n,
    const char *path, const char *from)
{
	struct journal_entry *e = append(t->journal, kind);

	node_copy(&e->node, n);
	e->path = xstrdup(path);
	if (from != NULL)
		e->from = xstrdup(from);
}

/* Add an entry; what comes or goes where another node of that path is changes
 * the path. */
static int
tell(struct tree *t, enum journal_kind kind, const struct journal_mark *m,
    const struct journal_mark *now)
{
	struct node twin = { 0 };
	int r = 0;

	if (kind == JOURNAL_REMOVED && !m->old)
		r = find_twin(t, &m->node, &twin);
	else if (kind == JOURNAL_ADDED)
		r = find_twin(t, &now->node, &twin);
	if (r == 1)
		kind = JOURNAL_CHANGED;
	if (r == 1 && !now->was)
		add(t, kind, &twin, m->path, NULL);
	else if (r >= 0 && !now->was)
		add(t, kind, &m->node, m->path, NULL);
	else if (r >= 0)
		add(t, kind, &now->node, now->path,
		    kind == JOURNAL_MOVED ? m->path : NULL);
	node_free(&twin);
	return r < 0 ? r : 0;
}

int
journal_after(struct tree *t, const struct journal_mark *m,
    enum journal_kind otherwise)
{
	struct journal_mark now = { .h = m->h };
	enum journal_kind kind;
	int r;

	if (m->h < 0)
		return 0;
	if ((r = look(t, &now)) == 0 &&
	    (kind = compare(m, &now, otherwise)) != JOURNAL_NONE)
		r = tell(t, kind, m, &now);
	journal_done(&now);
	return r;
}
