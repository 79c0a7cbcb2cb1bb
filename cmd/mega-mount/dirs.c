/*
 * Folders made, and names taken away or changed.
 *
 * Whatever the service has to do it has done before the kernel is answered.
 * What is removed goes to the rubbish bin, and from there for good.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "err.h"
#include "folder.h"
#include "mem.h"
#include "name.h"
#include "secret.h"

#include "dirs.h"
#include "file.h"
#include "notice.h"
#include "open.h"
#include "over.h"

#define DEPTH_MAX 100000
#define NOREPLACE 1u /* RENAME_NOREPLACE, which POSIX does not have */

/* The command's words for a name that the kernel gave. */
static void
remote_name(struct buf *b, const char *name)
{
	buf_init(b, SPOOL_NAME_MAX);
	name_remote(b, name);
}

/*
 * A new folder.
 */
struct making {
	struct folder_job job;
	struct listener_wait current;
	fuse_req_t req;
	struct dir *d;
	struct buf remote;
	char name[NAME_LOCAL_MAX];
};

static void
end_making(struct making *m, int r)
{
	struct fuse_entry_param e;
	struct inode *i;
	struct stat st;

	if (r < 0) {
		fuse_reply_err(m->req, errno_of(r));
	} else {
		i = inode_get(node_number(m->job.node.h), m->d);
		if (names_get(m->d->names, i->id) == NULL)
			names_add(m->d->names, i->id, m->name, 1);
		dir_touch(m->d->h);
		inode_stat(i, &st);
		inode_entry(i, &st, &e);
		i->lookups++;
		fuse_reply_entry(m->req, &e);
	}
	dir_unpin(m->d);
	node_free(&m->job.node);
	buf_free(&m->remote);
	free(m->job.error);
	free(m);
}

static void
on_current(struct listener_wait *w, int r)
{
	(void)r; /* it is there, whatever we know */
	end_making(w->ctx, 0);
}

static void
on_made(struct folder_job *f)
{
	struct making *m = f->ctx;

	if (f->result != TREE_BEHIND) {
		end_making(m, f->result);
		return;
	}
	m->current = (struct listener_wait){ .done = on_current, .ctx = m };
	listener_sync(mnt.listener, &m->current);
}

static void
make(fuse_req_t req, struct dir *d, const char *name)
{
	struct share shares[SHARE_NESTED_MAX];
	struct making *m = xcalloc(1, sizeof *m);

	m->req = req;
	m->d = d;
	dir_pin(d);
	snprintf(m->name, sizeof m->name, "%s", name);
	remote_name(&m->remote, name);
	inode_handle(m->job.parent, d->h);
	m->job.name = buf_str(&m->remote);
	m->job.n = m->remote.len;
	m->job.done = on_made;
	m->job.ctx = m;
	m->job.shares = shares;
	m->job.nshares = share_list(mnt.tree, m->job.parent, shares);
	if (m->job.nshares < 0)
		end_making(m, m->job.nshares);
	else
		folder_begin(&m->job, mnt.api,
		    mnt.remote.account.session.master, mnt.tree);
	secret_zero(shares, sizeof shares);
}

void
dirs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct dir *d;
	int error;

	(void)mode;
	d = dir_load(inode_of(parent)->id, &error);
	if (d != NULL)
		error = write_check(d, name);
	if (error != 0)
		fuse_reply_err(req, error);
	else
		make(req, d, name);
}

/*
 * Removal.
 */
struct removal {
	struct job job;
	struct change change;
	fuse_req_t req;
	struct dir *d;
	struct inode *i;
};

/* Whether a folder is the rubbish bin or in it. */
static int
in_bin(int64_t h)
{
	struct node n;
	char handle[9];

	for (int k = 0; k < DEPTH_MAX && h != mnt.bin; k++) {
		inode_handle(handle, h);
		if (tree_get(mnt.tree, handle, &n) < 0)
			return 0;
		h = n.p[0] != '\0' ? node_number(n.p) : TOP;
		node_free(&n);
		if (h == TOP)
			return 0;
	}
	return h == mnt.bin;
}

/* Begin to take a node away that is in a folder. */
static int
take_away(struct change *c, int64_t id, const struct dir *d)
{
	char handle[9];
	struct node n;
	int r;

	c->api = mnt.api;
	c->tree = mnt.tree;
	inode_handle(handle, id);
	if ((r = tree_get(mnt.tree, handle, &n)) < 0)
		return r;
	if (in_bin(d->h))
		change_delete(c, &n, 0);
	else
		r = change_trash(c, &n);
	node_free(&n);
	return r;
}

/* A name has gone from a folder, and with it what it named. */
static void
lose(struct dir *d, struct inode *i)
{
	names_remove(d->names, i->id);
	file_unlink(i);
	dir_touch(d->h);
}

static void
end_removal(struct removal *m, int r)
{
	/* What is gone already is gone. */
	if (r < 0 && r != ERR_NOENT) {
		fuse_reply_err(m->req, errno_of(r));
	} else {
		lose(m->d, m->i);
		fuse_reply_err(m->req, 0);
	}
	inode_unpin(m->i);
	dir_unpin(m->d);
	free(m);
}

static void
on_removed(struct change *c, int r)
{
	if (r == 0)
		change_tell(c);
	change_free(c);
	end_removal(c->ctx, r);
}

static void
run_removal(struct job *j)
{
	struct removal *m = (struct removal *)j;
	const struct spool *s = file_spool(m->i);
	int64_t id = m->i->id;
	int r;

	/* What is not a node yet may be meant to replace one. */
	if (id < TOP && s != NULL && s->replaces[0] != '\0')
		id = node_number(s->replaces);
	if (id < TOP) {
		end_removal(m, 0);
		return;
	}
	m->change.done = on_removed;
	m->change.ctx = m;
	if ((r = take_away(&m->change, id, m->d)) < 0)
		end_removal(m, r);
}

static void
begin_removal(fuse_req_t req, struct dir *d, const struct names_entry *e)
{
	struct removal *m = xcalloc(1, sizeof *m);

	m->job.run = run_removal;
	m->req = req;
	m->d = d;
	m->i = inode_get(e->id, d);
	dir_pin(d);
	inode_pin(m->i);
	if (m->i->file != NULL)
		file_do(m->i->file, &m->job);
	else
		run_removal(&m->job);
}

/* Whether a folder has nothing in it. 0 or an errno. */
static int
check_empty(int64_t h)
{
	struct dir *d;
	int error;

	if ((d = dir_load(h, &error)) == NULL)
		return error;
	return names_count(d->names) > 0 ? ENOTEMPTY : 0;
}

/* What may be taken out of a folder. 0 or an errno. */
static int
check_change(const struct dir *d)
{
	return mnt.spool == NULL ? EROFS : d->h == TOP ? EPERM : 0;
}

void
dirs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct names_entry *e = NULL;
	struct dir *d;
	int error;

	if ((d = dir_load(inode_of(parent)->id, &error)) == NULL)
		goto out;
	if ((error = check_change(d)) != 0)
		goto out;
	if ((e = names_find(d->names, name)) == NULL)
		error = ENOENT;
	else if (e->kind)
		error = check_empty(e->id);
out:
	if (error != 0)
		fuse_reply_err(req, error);
	else
		begin_removal(req, d, e);
}

/*
 * Renaming.
 *
 * A file over another becomes its newest version: a copy (which costs the
 * service nothing) that replaces it, whereupon the original goes.  At every
 * moment the name means one or the other.
 */
struct renaming {
	struct job job;
	struct change change;
	struct over over_it;
	fuse_req_t req;
	struct dir *from, *to;
	struct inode *i, *over;     /* over: what has the new name; NULL */
	int folder;
	char name[NAME_LOCAL_MAX];
};

static void
end_renaming(struct renaming *m, int r)
{
	fuse_reply_err(m->req, r < 0 ? errno_of(r) : 0);
	if (m->over != NULL)
		inode_unpin(m->over);
	inode_unpin(m->i);
	dir_unpin(m->from);
	dir_unpin(m->to);
	free(m);
}

/* Where a file's new contents belong from now on. */
static int
replace_spool(struct renaming *m, const char replaces[9])
{
	struct spool *s = file_spool(m->i);
	struct buf remote;
	char parent[9];
	int r;

	if (s == NULL)
		return 0;
	remote_name(&remote, m->name);
	inode_handle(parent, m->to->h);
	r = spool_place(s, parent, buf_str(&remote), remote.len, replaces);
	buf_free(&remote);
	return r;
}

/* The name is the inode's now, which has a new id if that is another. */
static void
give_name(struct renaming *m, int64_t id)
{
	if (m->over != NULL)
		lose(m->to, m->over);
	names_remove(m->from->names, m->i->id);
	if (id != m->i->id)
		inode_change_id(m->i, id);
	names_remove(m->to->names, id);
	names_add(m->to->names, id, m->name, m->folder);
	inode_move(m->i, m->to);
	dir_touch(m->from->h);
	dir_touch(m->to->h);
}

/* The node in the way: what has the name, or what that was to replace.  TOP
 * if there is none. */
static int64_t
node_in_the_way(const struct renaming *m)
{
	const struct spool *s;

	if (m->over == NULL)
		return TOP;
	s = file_spool(m->over);
	if (m->over->id < TOP && s != NULL && s->replaces[0] != '\0')
		return node_number(s->replaces);
	return m->over->id >= 0 ? m->over->id : TOP;
}

/* A file that is not a node yet will replace what is in its way. */
static int
rename_pending(struct renaming *m)
{
	char replaces[9];
	int r;

	inode_handle(replaces, node_in_the_way(m));
	if ((r = replace_spool(m, replaces)) == 0)
		give_name(m, m->i->id);
	return r;
}

static void
begin_change(struct renaming *m, void (*done)(struct change *c, int r))
{
	m->change = (struct change){ .api = mnt.api, .tree = mnt.tree,
	    .done = done, .ctx = m };
}

/* What stood in the way or was left over has gone, or not: the name is
 * given. */
static void
on_cleared(struct change *c, int r)
{
	struct renaming *m = c->ctx;

	if (r == 0)
		change_tell(c);
	else
		log_line("%s: what was there before could not be removed: %s",
		    m->name, err_text());
	change_free(c);
	end_renaming(m, 0);
}

static int
has_versions(const struct node *n)
{
	struct node older;
	int r = tree_version(mnt.tree, n->h, &older);

	node_free(&older);
	return r == 0;
}

/* Remove the original of a copy; versions that only it has are not lost. */
static int
drop_original(struct renaming *m, const char h[9])
{
	struct node n;
	int r;

	begin_change(m, on_cleared);
	if ((r = tree_get(mnt.tree, h, &n)) < 0)
		return r;
	if (has_versions(&n))
		r = change_trash(&m->change, &n);
	else
		change_delete(&m->change, &n, 0);
	node_free(&n);
	return r;
}

/* New contents that stand over the original's stand over the copy's now. */
static void
rebase_spool(struct renaming *m, const struct over *o)
{
	struct spool *s = file_spool(m->i);

	if (s != NULL && strcmp(s->base, o->h) == 0)
		spool_rebase(s, o->made);
}

static void
on_copied(struct over *o, int r)
{
	struct renaming *m = o->ctx;

	if (r < 0) {
		end_renaming(m, r);
		return;
	}
	give_name(m, node_number(o->made));
	replace_spool(m, o->made);
	rebase_spool(m, o);
	if (m->i->file != NULL)
		m->i->file->made[0] = '\0';
	if (drop_original(m, o->h) < 0)
		end_renaming(m, 0);
}

static int
copy_over(struct renaming *m)
{
	struct over *o = &m->over_it;
	struct buf remote;
	int r;

	remote_name(&remote, m->name);
	*o = (struct over){ .name = buf_str(&remote), .n = remote.len,
	    .done = on_copied, .ctx = m };
	inode_handle(o->h, m->i->id);
	inode_handle(o->parent, m->to->h);
	inode_handle(o->replaces, node_in_the_way(m));
	r = over_begin(o);
	buf_free(&remote);
	return r;
}

/* All is done but for what had the name before. */
static void
finish(struct renaming *m)
{
	char own[9];
	int64_t over = node_in_the_way(m);

	give_name(m, m->i->id);
	inode_handle(own, m->i->id);
	replace_spool(m, own);
	if (over != TOP) {
		begin_change(m, on_cleared);
		if (take_away(&m->change, over, m->to) == 0)
			return;
	}
	end_renaming(m, 0);
}

static void
on_moved(struct change *c, int r)
{
	struct renaming *m = c->ctx;

	if (r == 0)
		change_tell(c);
	change_free(c);
	if (r < 0)
		end_renaming(m, r);
	else
		finish(m);
}

static void
move(struct renaming *m)
{
	struct buf remote;
	struct node n;
	char to[9];
	int r;

	begin_change(m, on_moved);
	remote_name(&remote, m->name);
	inode_handle(to, m->to->h);
	if ((r = inode_node(m->i, &n)) == 0)
		r = change_move(&m->change, &n, to, buf_str(&remote),
		    remote.len);
	node_free(&n);
	buf_free(&remote);
	if (r == CHANGE_NOTHING)
		finish(m);
	else if (r < 0)
		end_renaming(m, r);
}

static void
run_renaming(struct job *j)
{
	struct renaming *m = (struct renaming *)j;
	int r;

	/* Either of the two files may be on its way to the service. */
	if (m->i->file != NULL && m->i->file->busy) {
		file_do(m->i->file, j);
	} else if (m->over != NULL && m->over->file != NULL &&
	    m->over->file->busy) {
		file_do(m->over->file, j);
	} else if (m->i->id < TOP) {
		r = rename_pending(m);
		end_renaming(m, r);
	} else if (!m->folder && node_in_the_way(m) != TOP) {
		if ((r = copy_over(m)) < 0)
			end_renaming(m, r);
	} else {
		move(m);
	}
}

static int
check_renaming(const struct dir *from, const struct dir *to,
    const char *name, const char *new_name, unsigned flags)
{
	const struct names_entry *e = names_find(from->names, name);
	const struct names_entry *over = names_find(to->names, new_name);
	int error;

	if ((flags & ~NOREPLACE) != 0)
		return EINVAL;
	if ((error = check_change(from)) != 0 ||
	    (error = check_change(to)) != 0)
		return error;
	if (e == NULL)
		return ENOENT;
	if (over == NULL)
		return write_check_name(new_name);
	if (flags & NOREPLACE)
		return EEXIST;
	if (e->kind != over->kind)
		return e->kind ? ENOTDIR : EISDIR;
	return over->kind ? check_empty(over->id) : 0;
}

static void
begin_renaming(fuse_req_t req, struct dir *from, struct dir *to,
    const char *name, const char *new_name)
{
	const struct names_entry *e = names_find(from->names, name);
	const struct names_entry *over = names_find(to->names, new_name);
	struct renaming *m;

	if (over != NULL && over->id == e->id) {
		fuse_reply_err(req, 0);
		return;
	}
	m = xcalloc(1, sizeof *m);
	m->job.run = run_renaming;
	m->req = req;
	m->from = from;
	m->to = to;
	m->folder = e->kind;
	snprintf(m->name, sizeof m->name, "%s", new_name);
	m->i = inode_get(e->id, from);
	dir_pin(from);
	dir_pin(to);
	inode_pin(m->i);
	if (over != NULL) {
		m->over = inode_get(over->id, to);
		inode_pin(m->over);
	}
	run_renaming(&m->job);
}

void
dirs_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	struct dir *from, *to = NULL;
	int error;

	from = dir_load(inode_of(parent)->id, &error);
	if (from != NULL) {
		dir_pin(from);
		to = dir_load(inode_of(new_parent)->id, &error);
		dir_unpin(from);
	}
	if (to != NULL)
		error = check_renaming(from, to, name, new_name, flags);
	if (error != 0)
		fuse_reply_err(req, error);
	else
		begin_renaming(req, from, to, name, new_name);
}
