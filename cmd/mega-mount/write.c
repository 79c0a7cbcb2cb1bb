/* Opening, writing, and what makes the service have what was written. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr.h"
#include "change.h"
#include "download.h"
#include "err.h"
#include "fingerprint.h"
#include "json.h"
#include "mem.h"
#include "name.h"

#include "open.h"

struct open *
open_new(struct inode *i, int flags)
{
	struct open *o = xcalloc(1, sizeof *o);

	o->f = file_get(i);
	o->f->opens++;
	o->writes = (flags & O_ACCMODE) != O_RDONLY;
	return o;
}

struct open *
open_of(const struct fuse_file_info *fi)
{
	return (struct open *)(uintptr_t)fi->fh;
}

void
open_free(struct open *o)
{
	struct file *f = o->f;

	free(o);
	file_enter(f);
	if (--f->opens == 0)
		f->made[0] = '\0';
	file_leave(f);
}

/*
 * Opening.
 */

/* An open that has to wait until the file may be cut. */
struct opening {
	struct job job;
	fuse_req_t req;
	struct fuse_file_info fi;
	struct open *o;
};

static int
cut(struct file *f, int64_t size)
{
	int r = file_write_to(f, size == 0);

	return r < 0 ? r : spool_truncate(f->spool, size);
}

static void
run_opening(struct job *j)
{
	struct opening *op = (struct opening *)j;
	int r = cut(op->o->f, 0);

	if (r < 0 || fuse_reply_open(op->req, &op->fi) != 0) {
		if (r < 0)
			fuse_reply_err(op->req, errno_of(r));
		open_free(op->o);
	}
	free(op);
}

static void
open_empty(fuse_req_t req, struct fuse_file_info *fi, struct open *o)
{
	struct opening *op = xcalloc(1, sizeof *op);

	op->job.run = run_opening;
	op->req = req;
	op->fi = *fi;
	op->o = o;
	file_do(o->f, &op->job);
}

/* Whether there is something to read. 0 or an errno. */
static int
check_readable(struct inode *i)
{
	struct node n;
	int r;

	if (file_spool(i) != NULL)
		return 0;
	if ((r = inode_node(i, &n)) < 0)
		return errno_of(r);
	r = n.keylen == KEY_FILE_SIZE ? 0 : EACCES;
	node_free(&n);
	return r;
}

void
write_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode *i = inode_of(ino);
	struct open *o;
	int error = check_readable(i);

	if (error == 0 && (fi->flags & O_ACCMODE) != O_RDONLY &&
	    mnt.spool == NULL)
		error = EROFS;
	if (error != 0) {
		fuse_reply_err(req, error);
		return;
	}
	o = open_new(i, fi->flags);
	fi->fh = (uint64_t)(uintptr_t)o;
	fi->keep_cache = 1; /* a node's contents never change */
	if (fi->flags & O_TRUNC)
		open_empty(req, fi, o);
	else if (fuse_reply_open(req, fi) != 0)
		open_free(o);
}

void
write_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	open_free(open_of(fi));
	fuse_reply_err(req, 0);
}

/*
 * New files.
 */

int
write_check_name(const char *name)
{
	size_t n = strlen(name);

	if (n >= NAME_LOCAL_MAX)
		return ENAMETOOLONG;
	return json_utf8(name, n) ? 0 : EILSEQ;
}

int
write_check(struct dir *d, const char *name)
{
	int error = write_check_name(name);

	if (error != 0)
		return error;
	if (mnt.spool == NULL)
		return EROFS;
	if (d->h == TOP)
		return EPERM;
	return names_find(d->names, name) != NULL ? EEXIST : 0;
}

static int
new_spool(struct spool **s, const struct dir *d, const char *name)
{
	struct buf remote = BUF_MAX(SPOOL_NAME_MAX);
	char parent[9];
	int r;

	inode_handle(parent, d->h);
	name_remote(&remote, name);
	if ((r = spool_new(s, mnt.spool)) == 0 &&
	    (r = spool_place(*s, parent, buf_str(&remote), remote.len,
	    spool_none)) == 0)
		r = spool_truncate(*s, 0);
	if (r < 0) {
		spool_drop(*s);
		*s = NULL;
	}
	buf_free(&remote);
	return r;
}

/* An empty file that only we know of.  NULL with an errno. */
static struct inode *
make_file(fuse_ino_t parent, const char *name, int *error)
{
	struct dir *d = dir_load(inode_of(parent)->id, error);
	struct inode *i;
	struct spool *s;
	int r;

	if (d == NULL || (*error = write_check(d, name)) != 0)
		return NULL;
	if ((r = new_spool(&s, d, name)) < 0) {
		*error = errno_of(r);
		return NULL;
	}
	i = inode_get(inode_new_id(), d);
	names_add(d->names, i->id, name, 0);
	dir_touch(d->h);
	file_get(i)->spool = s;
	return i;
}

static void
entry_of(struct inode *i, struct fuse_entry_param *e)
{
	struct stat st;

	inode_stat(i, &st);
	inode_entry(i, &st, e);
	i->lookups++;
}

void
write_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	struct inode *i;
	struct open *o;
	int error;

	(void)mode;
	if ((i = make_file(parent, name, &error)) == NULL) {
		fuse_reply_err(req, error);
		return;
	}
	o = open_new(i, fi->flags);
	fi->fh = (uint64_t)(uintptr_t)o;
	fi->keep_cache = 1;
	entry_of(i, &e);
	if (fuse_reply_create(req, &e, fi) != 0) {
		open_free(o);
		inode_forget(i, 1);
	}
}

/* A request that is answered when a file is with the service. */
struct syncing {
	struct sync_wait wait;
	fuse_req_t req;
	struct file *f;
	struct inode *made;   /* mknod: the new entry */
	int attributes;       /* setattr: they are the answer */
};

static void
answer(struct syncing *s, int error)
{
	struct inode *i = s->f->inode;
	struct fuse_entry_param e;

	if (error != 0) {
		fuse_reply_err(s->req, error);
	} else if (s->made != NULL) {
		entry_of(i, &e);
		fuse_reply_entry(s->req, &e);
	} else if (s->attributes) {
		look_getattr(s->req, inode_number(i), NULL);
	} else {
		fuse_reply_err(s->req, 0);
	}
	file_leave(s->f);
	free(s);
}

static void
on_synced(struct sync_wait *w, int error)
{
	struct syncing *s = (struct syncing *)w;

	fuse_req_interrupt_func(s->req, NULL, NULL);
	answer(s, error);
}

/* Who waits has been killed; the sending goes on. */
static void
on_interrupt(fuse_req_t req, void *data)
{
	struct syncing *s = data;

	(void)req;
	file_sync_cancel(s->f, &s->wait);
	answer(s, EINTR);
}

static void
sync_then_answer(fuse_req_t req, struct file *f, struct inode *made,
    int attributes)
{
	struct syncing *s = xcalloc(1, sizeof *s);

	s->wait.done = on_synced;
	s->req = req;
	s->f = f;
	s->made = made;
	s->attributes = attributes;
	file_enter(f);
	fuse_req_interrupt_func(req, on_interrupt, s);
	file_sync(f, &s->wait);
}

void
write_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t dev)
{
	struct inode *i;
	int error;

	(void)dev;
	if (!S_ISREG(mode))
		fuse_reply_err(req, EPERM);
	else if ((i = make_file(parent, name, &error)) == NULL)
		fuse_reply_err(req, error);
	else
		sync_then_answer(req, i->file, i, 0);
}

/*
 * Writing.
 */

/* A write that waits until the file may be changed. */
struct writing {
	struct job job;
	fuse_req_t req;
	struct file *f;
	int64_t offset;
	size_t n;
	char p[];
};

static void
write_now(fuse_req_t req, struct file *f, const char *p, size_t n,
    int64_t off)
{
	int r;

	if (off > DOWNLOAD_SIZE_MAX - (int64_t)n)
		fuse_reply_err(req, EFBIG);
	else if ((r = file_write_to(f, 0)) < 0 ||
	    (r = spool_write(f->spool, p, n, off)) < 0)
		fuse_reply_err(req, errno_of(r));
	else
		fuse_reply_write(req, n);
}

static void
run_writing(struct job *j)
{
	struct writing *w = (struct writing *)j;

	write_now(w->req, w->f, w->p, w->n, w->offset);
	file_leave(w->f);
	free(w);
}

void
write_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
    off_t off, struct fuse_file_info *fi)
{
	struct file *f = open_of(fi)->f;
	struct writing *w;

	(void)ino;
	if (!f->busy) {
		write_now(req, f, p, n, off);
		return;
	}
	w = xcalloc(1, sizeof *w + n);
	w->job.run = run_writing;
	w->req = req;
	w->f = f;
	w->offset = off;
	w->n = n;
	memcpy(w->p, p, n);
	file_enter(f);
	file_do(f, &w->job);
}

void
write_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct open *o = open_of(fi);

	(void)ino;
	if (o->writes)
		sync_then_answer(req, o->f, NULL, 0);
	else
		fuse_reply_err(req, 0);
}

void
write_fsync(fuse_req_t req, fuse_ino_t ino, int data,
    struct fuse_file_info *fi)
{
	(void)ino;
	(void)data;
	sync_then_answer(req, open_of(fi)->f, NULL, 0);
}

/*
 * Attributes.  Owner and mode are not kept by the service: they are accepted
 * and forgotten, or nothing could be copied here.
 */
struct setting {
	struct job job;
	struct filling fill;
	struct change change;
	fuse_req_t req;
	struct file *f;
	int64_t size, mtime;  /* -1: leave it */
	int by_name;          /* no open file will send it */
};

static void
end_setting(struct setting *s, int r)
{
	struct file *f = s->f;

	if (r < 0)
		fuse_reply_err(s->req, errno_of(r));
	else if (s->by_name)
		sync_then_answer(s->req, f, NULL, 1);
	else
		look_getattr(s->req, inode_number(f->inode), NULL);
	free(s);
	file_leave(f);
}

static void
on_time_set(struct change *c, int r)
{
	struct setting *s = c->ctx;

	if (r == 0)
		change_tell(c);
	if (r == 0 && s->f->spool != NULL)
		s->f->spool->mtime = s->mtime;
	change_free(c);
	end_setting(s, r);
}

/* The fingerprint that the node has, or that its contents give. */
static int
get_fingerprint(struct setting *s, const struct attr *a,
    struct fingerprint *fp)
{
	size_t n;
	const char *c = attr_get(a, "c", &n);

	if (c != NULL && fingerprint_parse(fp, c, n) == 0)
		return 0;
	fp->size = s->f->spool->size;
	return fingerprint_fd(fp->crc, s->f->spool->fd, fp->size, 0);
}

/* The time of a node that is as it should be otherwise: its fingerprint
 * anew. */
static int
send_time(struct setting *s)
{
	struct change *c = &s->change;
	char text[FINGERPRINT_TEXT_MAX];
	struct fingerprint fp;
	struct attr a = { 0 };
	struct node n;
	int r;

	c->api = mnt.api;
	c->tree = mnt.tree;
	c->done = on_time_set;
	c->ctx = s;
	if ((r = inode_node(s->f->inode, &n)) == 0 &&
	    (r = tree_attributes(mnt.tree, n.h, &a)) == 0 &&
	    (r = get_fingerprint(s, &a, &fp)) == 0) {
		fp.mtime = s->mtime;
		fingerprint_print(text, &fp);
		attr_set(&a, "c", text, strlen(text));
		r = change_alter(c, &n, &a);
	}
	attr_free(&a);
	node_free(&n);
	return r;
}

static void
on_filled(struct filling *g, int r)
{
	struct setting *s = g->ctx;

	if (r == 0)
		r = send_time(s);
	if (r < 0)
		end_setting(s, r);
}

/* Without a fingerprint the whole file is needed to make one. */
static int
has_fingerprint(const struct inode *i)
{
	struct node n;
	int r = inode_node(i, &n) == 0 && n.fingerprint[0] != '\0';

	node_free(&n);
	return r;
}

static void
set_time(struct setting *s)
{
	struct file *f = s->f;
	int r = 0;

	if (f->spool != NULL && (f->spool->dirty || f->inode->id < TOP)) {
		end_setting(s, spool_set_mtime(f->spool, s->mtime));
		return;
	}
	if (has_fingerprint(f->inode)) {
		s->by_name = 0;
		if ((r = send_time(s)) < 0)
			end_setting(s, r);
		return;
	}
	if ((r = file_write_to(f, 0)) < 0) {
		end_setting(s, r);
		return;
	}
	s->by_name = 0;
	s->fill = (struct filling){ .f = f, .n = f->spool->base_end,
	    .done = on_filled, .ctx = s };
	file_fill(&s->fill);
}

static void
run_setting(struct job *j)
{
	struct setting *s = (struct setting *)j;
	struct stat st;
	int r = 0;

	if (s->size >= 0 && (inode_stat(s->f->inode, &st) != 0 ||
	    st.st_size != s->size))
		r = cut(s->f, s->size);
	if (r < 0 || s->mtime < 0)
		end_setting(s, r);
	else
		set_time(s);
}

/* What a folder's time is said to be counts as long as it is known. */
static void
set_folder(fuse_req_t req, struct inode *i, int64_t mtime)
{
	if (mtime > 0)
		i->touched = mtime;
	look_getattr(req, inode_number(i), NULL);
}

static int64_t
wanted_mtime(const struct stat *st, int set)
{
	if (set & FUSE_SET_ATTR_MTIME_NOW)
		return (int64_t)time(NULL);
	if ((set & FUSE_SET_ATTR_MTIME) == 0)
		return -1;
	return st->st_mtim.tv_sec > 0 ? st->st_mtim.tv_sec : 0;
}

void
write_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int set,
    struct fuse_file_info *fi)
{
	struct inode *i = inode_of(ino);
	int64_t mtime = wanted_mtime(st, set);
	struct setting *s;
	struct stat now;
	int error = inode_stat(i, &now);

	if (error != 0) {
		fuse_reply_err(req, error);
	} else if (S_ISDIR(now.st_mode)) {
		set_folder(req, i, mtime);
	} else if (mtime < 0 && (set & FUSE_SET_ATTR_SIZE) == 0) {
		look_getattr(req, ino, fi);
	} else if (mnt.spool == NULL) {
		fuse_reply_err(req, EROFS);
	} else {
		s = xcalloc(1, sizeof *s);
		s->job.run = run_setting;
		s->req = req;
		s->f = fi != NULL ? open_of(fi)->f : file_get(i);
		s->size = set & FUSE_SET_ATTR_SIZE ? st->st_size : -1;
		s->mtime = mtime;
		s->by_name = s->f->opens == 0;
		file_enter(s->f);
		file_do(s->f, &s->job);
	}
}
