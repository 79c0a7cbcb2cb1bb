/* What the kernel knows of: inodes, and the names in folders. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "mem.h"

#include "file.h"
#include "mount.h"
#include "table.h"

#define NAMES_MAX   500000 /* in folders that nobody looks at any more */
#define LISTING_MS  60000  /* who lists one goes on within that time */
#define PENDING_INO ((int64_t)1 << 48) /* no node has such a number */

#define ROOTS       (sizeof roots / sizeof *roots)

static const enum node_type roots[] = { NODE_ROOT, NODE_INBOX, NODE_RUBBISH };
static struct table inodes, dirs;
static size_t loaded; /* names in all of dirs, when they were loaded */
static int64_t last_pending = TOP;

void
inode_handle(char h[9], int64_t id)
{
	h[0] = '\0';
	if (id >= 0)
		node_handle(h, id);
}

int64_t
inode_new_id(void)
{
	return --last_pending;
}

struct inode *
inode_known(int64_t id)
{
	return table_get(&inodes, id);
}

struct inode *
inode_get(int64_t id, struct dir *d)
{
	struct inode *i = inode_known(id);

	if (i == NULL) {
		i = xcalloc(1, sizeof *i);
		i->id = id;
		i->ino = id >= 0 ? id : id == TOP ? FUSE_ROOT_ID :
		    PENDING_INO - id;
		table_put(&inodes, id, i);
	}
	if (d != NULL)
		inode_move(i, d);
	return i;
}

struct inode *
inode_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? mnt.root : (struct inode *)ino;
}

fuse_ino_t
inode_number(const struct inode *i)
{
	return i == mnt.root ? FUSE_ROOT_ID : (fuse_ino_t)i;
}

static void
drop_if_unused(struct inode *i)
{
	if (i->lookups > 0 || i->pins > 0)
		return;
	if (i->above != NULL)
		dir_unpin(i->above);
	table_remove(&inodes, i->id);
	free(i);
}

void
inode_pin(struct inode *i)
{
	i->pins++;
}

void
inode_unpin(struct inode *i)
{
	i->pins--;
	drop_if_unused(i);
}

void
inode_forget(struct inode *i, uint64_t lookups)
{
	if (i == mnt.root)
		return;
	i->lookups -= lookups < i->lookups ? lookups : i->lookups;
	drop_if_unused(i);
}

void
inode_change_id(struct inode *i, int64_t id)
{
	table_remove(&inodes, i->id);
	i->id = id;
	table_put(&inodes, id, i);
}

void
inode_move(struct inode *i, struct dir *d)
{
	if (i->above == d)
		return;
	if (d != NULL)
		dir_pin(d);
	if (i->above != NULL)
		dir_unpin(i->above);
	i->above = d;
}

/* Attributes. */

int
inode_node(const struct inode *i, struct node *n)
{
	char h[9];

	*n = (struct node){ .type = NODE_FOLDER };
	if (i->id == TOP)
		return 0;
	if (i->id < TOP)
		return err_set(ERR_NOENT, "not found");
	inode_handle(h, i->id);
	return tree_get(mnt.tree, h, n);
}

static int
count_folders(const struct inode *i, int64_t *n)
{
	const struct dir *d = dir_known(i->id);
	char h[9];

	inode_handle(h, i->id);
	if (d == NULL && i->id != TOP)
		return tree_folders(mnt.tree, h, n);
	*n = (int64_t)(d != NULL ? names_kinds(d->names) : ROOTS);
	return 0;
}

static void
set_times(struct stat *st, int64_t mtime, int64_t changed)
{
	st->st_mtim.tv_sec = st->st_atim.tv_sec = (time_t)mtime;
	st->st_ctim.tv_sec = (time_t)changed;
}

static int
stat_folder(const struct inode *i, struct stat *st, int64_t created)
{
	int64_t folders;
	int r;

	if ((r = count_folders(i, &folders)) < 0)
		return r;
	st->st_mode = S_IFDIR | (0755 & ~mnt.umask);
	st->st_nlink = 2 + (nlink_t)folders;
	st->st_size = BLOCK;
	set_times(st, i->touched > 0 ? i->touched : created, created);
	return 0;
}

static void
stat_file(struct stat *st, int64_t size, int64_t mtime, int64_t changed,
    int readable)
{
	st->st_mode = S_IFREG | (readable ? 0666 & ~mnt.umask : 0);
	st->st_nlink = 1;
	st->st_size = (off_t)size;
	set_times(st, mtime, changed);
}

static int
stat_node(const struct inode *i, struct stat *st)
{
	struct node n;
	int r;

	if ((r = inode_node(i, &n)) < 0)
		return r;
	if (n.type == NODE_FILE)
		stat_file(st, n.size, n.mtime >= 0 ? n.mtime : n.created,
		    n.created, n.keylen == KEY_FILE_SIZE);
	else
		r = stat_folder(i, st, n.created);
	node_free(&n);
	return r;
}

int
inode_stat(struct inode *i, struct stat *st)
{
	const struct spool *s = file_spool(i);
	int r = 0;

	memset(st, 0, sizeof *st);
	if (s != NULL)
		stat_file(st, s->size, s->mtime, s->mtime, 1);
	else if (i->id == TOP)
		r = stat_folder(i, st, mnt.since);
	else if ((r = stat_node(i, st)) == ERR_NOENT && i->file != NULL) {
		/* Deleted while it is open. */
		stat_file(st, i->told_size, i->told_mtime, i->told_mtime, 1);
		r = 0;
	}
	st->st_ino = (ino_t)i->ino;
	st->st_uid = mnt.uid;
	st->st_gid = mnt.gid;
	st->st_blksize = BLOCK;
	st->st_blocks = (st->st_size + BLOCK - 1) / BLOCK * (BLOCK / 512);
	i->told_size = st->st_size;
	i->told_mtime = st->st_mtim.tv_sec;
	return r < 0 ? errno_of(r) : 0;
}

void
inode_entry(struct inode *i, const struct stat *st,
    struct fuse_entry_param *e)
{
	*e = (struct fuse_entry_param){ .ino = inode_number(i), .attr = *st,
	    .attr_timeout = FOREVER_S, .entry_timeout = FOREVER_S };
}

/* Folders. */

struct dir *
dir_known(int64_t h)
{
	return table_get(&dirs, h);
}

static void
free_dir(struct dir *d)
{
	loaded -= d->loaded;
	names_free(d->names);
	free(d);
}

/* Whether nobody misses it, and it would come out the same again. */
static int
can_forget(const struct dir *d)
{
	return d->pins == 0 && !names_collide(d->names) &&
	    (d->listed_ms == 0 || http_now_ms() - d->listed_ms > LISTING_MS);
}

static void
forget_dirs(void)
{
	struct dir *d;
	size_t at = 0;

	if (loaded < NAMES_MAX)
		return;
	while ((d = table_next(&dirs, &at)) != NULL) {
		if (!can_forget(d))
			continue;
		table_remove(&dirs, d->h);
		free_dir(d);
		at--;
	}
}

void
dir_pin(struct dir *d)
{
	d->pins++;
}

void
dir_unpin(struct dir *d)
{
	d->pins--;
}

void
dir_each(void (*fn)(struct dir *d, void *ctx), void *ctx)
{
	struct dir *d;
	size_t at = 0;

	while ((d = table_next(&dirs, &at)) != NULL)
		fn(d, ctx);
}

void
dir_touch(int64_t h)
{
	struct inode *i = inode_known(h);

	if (i != NULL)
		i->touched = (int64_t)time(NULL);
}

/* The children of a folder as they come from the tree. */
struct child {
	int64_t id, created;
	char *name;
	int folder;
};

struct children {
	struct child *list;
	size_t n, cap;
};

static int
add_child(void *ctx, const struct node *n)
{
	struct children *c = ctx;
	char name[NAME_LOCAL_MAX], tmp[16];
	const char *shown;
	size_t len;

	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : 2 * c->cap;
		c->list = xreallocarray(c->list, c->cap, sizeof *c->list);
	}
	shown = node_name(n, tmp, &len);
	name_local(name, shown, len, n->h);
	c->list[c->n++] = (struct child){ node_number(n->h), n->created,
	    xstrdup(name), n->type != NODE_FILE };
	return 0;
}

/* The oldest first: what comes later takes no name away. */
static int
by_age(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void
fill(struct names *s, struct children *c)
{
	struct names_item *items = xcalloc(c->n, sizeof *items);

	qsort(c->list, c->n, sizeof *c->list, by_age);
	for (size_t i = 0; i < c->n; i++)
		items[i] = (struct names_item){ c->list[i].id,
		    c->list[i].name, c->list[i].folder };
	names_fill(s, items, c->n);
	free(items);
}

static int
add_root(struct names *s, enum node_type type)
{
	char tmp[16];
	size_t len;
	struct node n;
	int r;

	if ((r = tree_root(mnt.tree, type, &n)) < 0)
		return r;
	names_add(s, node_number(n.h), node_name(&n, tmp, &len), 1);
	node_free(&n);
	return 0;
}

static int
fill_top(struct names *s)
{
	int r = 0;

	for (size_t i = 0; i < ROOTS && r == 0; i++)
		r = add_root(s, roots[i]);
	return r;
}

static int
fill_folder(struct names *s, int64_t h)
{
	struct children c = { 0 };
	char handle[9];
	int r;

	inode_handle(handle, h);
	r = tree_children(mnt.tree, handle, add_child, &c);
	if (r == 0 && c.n > 0)
		fill(s, &c);
	for (size_t i = 0; i < c.n; i++)
		free(c.list[i].name);
	free(c.list);
	return r;
}

struct dir *
dir_load(int64_t h, int *error)
{
	struct dir *d = dir_known(h);
	struct names *names;
	int r;

	*error = 0;
	if (d != NULL)
		return d;
	forget_dirs();
	names = names_new();
	r = h == TOP ? fill_top(names) : fill_folder(names, h);
	if (r < 0) {
		names_free(names);
		*error = errno_of(r);
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	d->h = h;
	d->names = names;
	d->loaded = names_count(names);
	loaded += d->loaded;
	table_put(&dirs, h, d);
	return d;
}

void
inode_free_all(void)
{
	struct inode *i;
	struct dir *d;
	size_t at = 0;

	while ((i = table_next(&inodes, &at)) != NULL)
		free(i);
	at = 0;
	while ((d = table_next(&dirs, &at)) != NULL)
		free_dir(d);
	table_free(&inodes);
	table_free(&dirs);
}
