/*
 * What happens elsewhere: the tree takes it in, and what the kernel and we
 * remember of it is dropped.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "mem.h"
#include "name.h"

#include "events.h"
#include "file.h"
#include "notice.h"

#define CHANGES_MAX   1000000 /* beyond that everything has changed */
#define RELOAD_MIN_MS 1000
#define RELOAD_MAX_MS 60000

/* A node that changed since the last round. */
struct moved {
	int64_t h, from, to;
};

static struct {
	struct moved *list;
	size_t n, cap;
	int everything;
} changes;

static struct http_timer reload_timer;
static int64_t reload_ms = RELOAD_MIN_MS;
static int last_error;

static void
on_change(void *ctx, int64_t h, int64_t from, int64_t to)
{
	(void)ctx;
	if (h == TREE_NOWHERE || changes.n == CHANGES_MAX)
		changes.everything = 1;
	if (changes.everything)
		return;
	if (changes.n == changes.cap) {
		changes.cap = changes.cap == 0 ? 64 : 2 * changes.cap;
		changes.list = xreallocarray(changes.list, changes.cap,
		    sizeof *changes.list);
	}
	changes.list[changes.n++] = (struct moved){ h, from, to };
}

/* What is in a folder is not what it was, or may not be: where its names are
 * not known, a change that is in the cache already looks like none. */
static void
folder_changed(int64_t h)
{
	struct inode *i = inode_known(h);

	if (i == NULL)
		return;
	dir_touch(h);
	notice_list(i);
}

/* What a name in a folder means is another thing, or none. */
static void
name_changed(const struct dir *d, const char *name)
{
	const struct inode *i = inode_known(d->h);

	if (i != NULL)
		notice_name(i, name);
	folder_changed(d->h);
}

/* The name of a node as a disk has it. */
static void
local_name(const struct node *n, char out[NAME_LOCAL_MAX])
{
	char tmp[16];
	size_t len;
	const char *shown = node_name(n, tmp, &len);

	name_local(out, shown, len, n->h);
}

/* Take a name out of a folder. */
static void
lose_name(struct dir *d, int64_t h)
{
	const struct names_entry *e = names_get(d->names, h);
	struct inode *i = inode_known(h);

	if (e == NULL)
		return;
	name_changed(d, e->shown);
	names_remove(d->names, h);
	if (i != NULL && i->above == d)
		inode_move(i, NULL);
}

/* Whether a folder still has a node under the name that we know. */
static int
is_as_known(const struct dir *d, const struct node *n)
{
	const struct names_entry *e = names_get(d->names,
	    node_number(n->h));
	char name[NAME_LOCAL_MAX];

	local_name(n, name);
	return e != NULL && n->p[0] != '\0' && node_number(n->p) == d->h &&
	    strcmp(e->base, name) == 0;
}

/* The node of a change as it is now; 0 if there is none any more. */
static int
look(int64_t h, struct node *n)
{
	char handle[9];

	inode_handle(handle, h);
	return tree_get(mnt.tree, handle, n) == 0;
}

/* Take the name of a node out of a folder if it is not there any more. */
static void
check_name(struct dir *d, int64_t h)
{
	struct node n;
	int there = look(h, &n);

	if (!there || !is_as_known(d, &n))
		lose_name(d, h);
	node_free(&n);
}

/* First all names go that do not hold any longer.  Where a node was may be
 * what another process has made of it in the cache: we know better. */
static void
leave(const struct moved *c)
{
	const struct inode *i = inode_known(c->h);
	struct dir *d = c->from >= 0 ? dir_known(c->from) : NULL;

	if (i != NULL && i->above != NULL)
		check_name(i->above, c->h);
	if (d != NULL)
		check_name(d, c->h);
	else if (c->from >= 0)
		folder_changed(c->from);
}

/* The kernel's idea of a file may be wrong, or of how many folders are in one
 * that we know no better. */
static void
check_told(struct inode *i, const struct node *n)
{
	int64_t mtime = n->mtime >= 0 ? n->mtime : n->created;

	if (n->type != NODE_FILE && dir_known(i->id) == NULL)
		notice_list(i);
	if (n->type != NODE_FILE || file_spool(i) != NULL ||
	    (i->told_size == n->size && i->told_mtime == mtime))
		return;
	notice_attributes(i);
}

/* A file that is being written here was renamed or moved elsewhere. */
static void
follow(struct inode *i, const struct node *n)
{
	struct spool *s = file_spool(i);

	if (s != NULL && n->name != NULL && strcmp(s->replaces, n->h) == 0 &&
	    (s->namelen != n->namelen ||
	    memcmp(s->name, n->name, n->namelen) != 0 ||
	    strcmp(s->parent, n->p) != 0))
		spool_place(s, n->p, n->name, n->namelen, n->h);
}

/* Then all that are new come in. */
static void
arrive(const struct moved *c)
{
	struct inode *i = inode_known(c->h);
	int64_t parent = TREE_NOWHERE;
	const struct names_entry *e;
	char name[NAME_LOCAL_MAX];
	struct dir *d;
	struct node n;

	if (!look(c->h, &n))
		return;
	if (n.p[0] != '\0')
		parent = node_number(n.p);
	d = dir_known(parent);
	if (i != NULL) {
		check_told(i, &n);
		follow(i, &n);
	}
	if (d != NULL && names_get(d->names, c->h) == NULL) {
		local_name(&n, name);
		/* Nor may we have heard where who has the name went. */
		if ((e = names_find(d->names, name)) != NULL && e->id >= 0)
			check_name(d, e->id);
		name_changed(d, names_add(d->names, c->h, name,
		    n.type != NODE_FILE));
		if (i != NULL)
			inode_move(i, d);
	} else if (d == NULL) {
		folder_changed(parent);
	}
	node_free(&n);
}

/* Another process has taken in what nobody told us: compare all that we
 * know of a folder with what it is. */
struct comparison {
	struct dir *d;
	size_t same;
};

static int
compare(void *ctx, const struct node *n)
{
	struct comparison *c = ctx;
	int64_t h = node_number(n->h);
	struct inode *i = inode_known(h);

	if (!is_as_known(c->d, n)) {
		on_change(NULL, h, TREE_NOWHERE, c->d->h);
		return 0;
	}
	c->same++;
	if (i != NULL)
		check_told(i, n);
	return 0;
}

static void
compare_folder(struct dir *d)
{
	struct comparison c = { .d = d };
	const struct names_entry *e;
	char handle[9];
	size_t at = 0;

	inode_handle(handle, d->h);
	if (d->h == TOP || tree_children(mnt.tree, handle, compare, &c) < 0 ||
	    c.same == names_count(d->names))
		return;
	while ((e = names_next(d->names, &at)) != NULL)
		if (e->id >= 0)
			on_change(NULL, e->id, d->h, TREE_NOWHERE);
}

static void
apply(void)
{
	for (size_t k = 0; k < changes.n; k++)
		leave(&changes.list[k]);
	for (size_t k = 0; k < changes.n; k++)
		arrive(&changes.list[k]);
	changes.n = 0;
}

static void
compare_one(struct dir *d, void *ctx)
{
	(void)ctx;
	compare_folder(d);
	changes.everything = 0;
	apply();
}

void
events_apply(void)
{
	if (changes.everything) {
		changes.everything = 0;
		changes.n = 0;
		dir_each(compare_one, NULL);
		notice_list(mnt.root);
	}
	apply();
}

/* Loading the account anew, for once, waits: requests are answered from the
 * old tree meanwhile. */
static void
on_reload(struct http_timer *t)
{
	struct tree *new = NULL;
	int r;

	if (mnt.place.kind == PLACE_NODE)
		r = tree_open(&new, mnt.api, &mnt.remote.account.session, 0);
	else
		r = tree_open_link(&new, mnt.api, &mnt.place.link);
	if (r < 0) {
		log_line("the tree cannot be loaded anew: %s", err_text());
		reload_ms = reload_ms * 2 < RELOAD_MAX_MS ? reload_ms * 2 :
		    RELOAD_MAX_MS;
		http_timer_set(mnt.http, t, reload_ms);
		return;
	}
	reload_ms = RELOAD_MIN_MS;
	tree_watch(mnt.tree, NULL, NULL);
	mount_use_tree(new);
	tree_watch(new, on_change, NULL);
	changes.everything = 1;
	events_apply();
	listener_resume(mnt.listener, new);
}

static void
on_round(void *ctx, int r)
{
	(void)ctx;
	events_apply();
	if (r == LISTEN_RELOAD) {
		reload_timer.fire = on_reload;
		http_timer_set(mnt.http, &reload_timer, 0);
	} else if (r < 0 && last_error == 0) {
		log_line("no events: %s", err_text());
	} else if (r == 0 && last_error < 0) {
		log_line("events come again");
		file_try_now();
	}
	last_error = r < 0 ? r : 0;
}

void
events_start(void)
{
	tree_watch(mnt.tree, on_change, NULL);
	mnt.listener = listener_new(mnt.tree, mnt.api, on_round, NULL);
}

void
events_stop(void)
{
	if (mnt.listener == NULL)
		return;
	http_timer_clear(mnt.http, &reload_timer);
	tree_watch(mnt.tree, NULL, NULL);
	listener_free(mnt.listener);
	mnt.listener = NULL;
	free(changes.list);
	changes.list = NULL;
}
