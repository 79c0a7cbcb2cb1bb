/*
 * Files that are open or written to: where their contents come from, and how
 * new contents get to the service.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attr.h"
#include "change.h"
#include "err.h"
#include "mem.h"
#include "same.h"
#include "secret.h"

#include "file.h"
#include "notice.h"

#define AGAIN_MS     30000  /* between attempts to send what was refused */
#define VERSIONS_MAX 100000

static struct file *files;

struct file *
file_known(const struct inode *i)
{
	return i->file;
}

struct spool *
file_spool(const struct inode *i)
{
	return i->file != NULL ? i->file->spool : NULL;
}

struct file *
file_get(struct inode *i)
{
	struct file *f = i->file;

	if (f != NULL)
		return f;
	f = xcalloc(1, sizeof *f);
	f->inode = i;
	f->unlinked = i->above == NULL && i != mnt.root;
	inode_pin(i);
	i->file = f;
	f->next = files;
	files = f;
	return f;
}

/* From now on it is shown under its node's number. */
static void
settle_number(struct inode *i)
{
	const struct inode *folder;

	if (i->id < 0 || i->ino == i->id)
		return;
	i->ino = i->id;
	notice_attributes(i);
	if (i->above != NULL && (folder = inode_known(i->above->h)) != NULL)
		notice_list(folder);
}

static void
drop_if_unused(struct file *f)
{
	struct file **at = &files;
	struct inode *i = f->inode;

	if (f->opens > 0 || f->users > 0 || f->syncing ||
	    (f->spool != NULL && f->spool->dirty))
		return;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	if (f->content != NULL)
		content_close(f->content);
	spool_drop(f->spool);
	i->file = NULL;
	settle_number(i);
	inode_unpin(i);
	free(f);
}

void
file_enter(struct file *f)
{
	f->users++;
}

void
file_leave(struct file *f)
{
	f->users--;
	drop_if_unused(f);
}

void
file_each(void (*fn)(struct file *f))
{
	struct file *f = files, *next;

	for (; f != NULL; f = next) {
		next = f->next;
		fn(f);
	}
}

void
file_unlink(struct inode *i)
{
	struct file *f = i->file;

	inode_move(i, NULL);
	if (f == NULL)
		return;
	f->unlinked = 1;
	if (f->spool != NULL)
		spool_forget(f->spool);
	drop_if_unused(f);
}

/* Contents of the service's. */

/* The node whose contents are wanted: what is under the new ones, if there
 * are any. */
static int64_t
base_id(const struct file *f)
{
	return f->spool != NULL && f->spool->base[0] != '\0' ?
	    node_number(f->spool->base) : f->inode->id;
}

int
file_content(struct file *f, int64_t *size)
{
	int64_t id = base_id(f);
	struct node n;
	char h[9];
	int r;

	if (f->content != NULL && f->content_id == id) {
		*size = f->content_size;
		return 0;
	}
	inode_handle(h, id);
	if ((r = tree_get(mnt.tree, h, &n)) < 0)
		return r;
	if (n.keylen != KEY_FILE_SIZE) {
		r = err_set(ERR_KEY, "its key cannot be decrypted");
	} else {
		if (f->content != NULL)
			content_close(f->content);
		f->content = content_open(mnt.contents, mnt.api, &n);
		f->content_id = id;
		*size = f->content_size = n.size;
	}
	node_free(&n);
	return r;
}

int
file_content_moved(const struct file *f, int64_t id)
{
	return base_id(f) != id;
}

/* New contents. */

/* From a version that was replaced meanwhile to the one that counts. */
static int
newest(struct node *n)
{
	struct node above;
	int r;

	for (int k = 0; k < VERSIONS_MAX && n->p[0] != '\0'; k++) {
		r = tree_get(mnt.tree, n->p, &above);
		if (r < 0 || above.type != NODE_FILE) {
			node_free(&above);
			return r == ERR_NOENT ? 0 : r;
		}
		node_free(n);
		*n = above;
	}
	return 0;
}

static int
begin_spool(struct file *f, const struct node *n, int empty)
{
	struct spool *s;
	int r;

	if ((r = spool_new(&s, mnt.spool)) < 0)
		return r;
	if (n->size > 0 && !empty)
		r = spool_over(s, n->h, n->size);
	s->mtime = n->mtime >= 0 ? n->mtime : n->created;
	f->spool = s;
	return r;
}

int
file_write_to(struct file *f, int empty)
{
	struct node n;
	int r;

	if (f->spool != NULL)
		return 0;
	if (mnt.spool == NULL)
		return err_set(ERR_ACCESS, "nothing can be written here");
	if ((r = inode_node(f->inode, &n)) < 0)
		return r;
	if (n.keylen != KEY_FILE_SIZE || n.name == NULL)
		r = err_set(ERR_KEY, "its key cannot be decrypted");
	if (r == 0 && (r = begin_spool(f, &n, empty)) == 0 &&
	    (r = newest(&n)) == 0)
		r = spool_place(f->spool, n.p, n.name, n.namelen, n.h);
	if (r == 0 && f->unlinked)
		r = spool_forget(f->spool);
	if (r < 0) {
		spool_drop(f->spool);
		f->spool = NULL;
	}
	node_free(&n);
	return r;
}

/* Jobs. */

void
file_do(struct file *f, struct job *j)
{
	struct job **at = &f->jobs;

	if (!f->busy) {
		j->run(j);
		return;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = j;
	j->next = NULL;
}

static void
run_jobs(struct file *f)
{
	while (!f->busy && f->jobs != NULL) {
		struct job *j = f->jobs;

		f->jobs = j->next;
		j->run(j);
	}
}

/*
 * Filling in.  What has been written meanwhile stays, and reads that come
 * from memory do not nest.
 */

static void fill_on(struct filling *g);

/* Put what was read wherever it is still missing. */
static int
pour(struct filling *g)
{
	const struct content_read *c = &g->read;
	struct range gap;
	int r = 0;

	while (r == 0 && spool_gap(g->f->spool, c->offset, (int64_t)c->n,
	    &gap))
		r = spool_fill(g->f->spool, c->p + (gap.from - c->offset),
		    (size_t)(gap.to - gap.from), gap.from);
	return r;
}

static void
let_go(struct filling *g)
{
	if (g->content != NULL)
		content_close(g->content);
	g->content = NULL;
}

static void
end_filling(struct filling *g, int r)
{
	free(g->read.p);
	let_go(g);
	g->done(g, r);
}

/* A gap was read, or not.  0 to go on, also where the node has become another
 * one meanwhile; or ERR_*. */
static int
take_gap(struct filling *g, int r)
{
	if (r == 0)
		return pour(g);
	if (!file_content_moved(g->f, g->id))
		return r;
	let_go(g);
	return 0;
}

static void
on_gap(struct content_read *c, int r)
{
	struct filling *g = c->ctx;

	if (g->inside) {
		g->inside = 0;
		g->result = r;
		return;
	}
	if ((r = take_gap(g, r)) < 0)
		end_filling(g, r);
	else
		fill_on(g);
}

/* Read the next gap: 1 if it is dealt with, 0 if its bytes will come. */
static int
read_gap(struct filling *g, const struct range *gap)
{
	int64_t size, n = gap->to - gap->from;
	int r;

	if (g->content == NULL && (r = file_content(g->f, &size)) < 0)
		return r;
	if (g->content == NULL) {
		g->content = g->f->content;
		g->id = g->f->content_id;
		content_hold(g->content);
	}
	if (g->read.p == NULL)
		g->read.p = xmalloc(CONTENT_READ_MAX);
	g->read = (struct content_read){ .offset = gap->from,
	    .n = (size_t)(n < CONTENT_READ_MAX ? n : CONTENT_READ_MAX),
	    .p = g->read.p, .done = on_gap, .ctx = g };
	g->inside = 1;
	content_read(g->content, &g->read);
	if (g->inside) {
		g->inside = 0;
		return 0;
	}
	r = take_gap(g, g->result);
	return r < 0 ? r : 1;
}

static void
fill_on(struct filling *g)
{
	struct range gap;
	int r = 1;

	while (r == 1 && g->f->spool != NULL &&
	    spool_gap(g->f->spool, g->offset, g->n, &gap)) {
		if ((r = read_gap(g, &gap)) == 0)
			return;
	}
	end_filling(g, r < 0 ? r : 0);
}

void
file_fill(struct filling *g)
{
	g->content = NULL;
	g->read.p = NULL;
	g->inside = 0;
	fill_on(g);
}

/*
 * Sending.
 */

static void
end_sync(struct file *f, int r)
{
	struct sync_wait *w = f->waits;
	int error = r < 0 ? errno_of(r) : 0;

	if (r < 0 && r != f->error)
		log_line("%.*s: not sent yet: %s", (int)f->spool->namelen,
		    f->spool->name, err_text());
	if (r < 0)
		f->again_ms = http_now_ms() + AGAIN_MS;
	f->error = r;
	f->syncing = f->busy = 0;
	f->waits = NULL;
	while (w != NULL) {
		struct sync_wait *next = w->next;

		w->done(w, error);
		w = next;
	}
	run_jobs(f);
	file_leave(f);
}

/* A version that only a part of this writing had come to is of no use. */
static void
on_dropped(struct change *c, int r)
{
	if (r == 0)
		change_tell(c);
	change_free(c);
	free(c);
}

static void
drop_version(const char h[9])
{
	struct change *c;
	struct node n;

	if (tree_get(mnt.tree, h, &n) < 0)
		return;
	c = xcalloc(1, sizeof *c);
	c->api = mnt.api;
	c->tree = mnt.tree;
	c->done = on_dropped;
	change_delete(c, &n, 1);
	node_free(&n);
}

/* The node is made, and the tree knows. */
static void
adopt(struct file *f)
{
	struct inode *i = f->inode;
	int64_t id = node_number(f->up.handle);

	if (i->above != NULL) {
		/* Events may have told of it already. */
		names_remove(i->above->names, id);
		names_change_id(i->above->names, i->id, id);
	}
	inode_change_id(i, id);
	if (f->made[0] != '\0' && strcmp(f->made, f->up.replaces) == 0)
		drop_version(f->made);
	if (f->opens > 0)
		memcpy(f->made, f->up.handle, sizeof f->made);
	spool_clean(f->spool, f->up.handle);
	end_sync(f, 0);
}

static void
on_current(struct listener_wait *w, int r)
{
	(void)r; /* it is there, whatever we know */
	adopt(w->ctx);
}

static int
is_gone(const char h[9])
{
	struct node n;
	int r = tree_get(mnt.tree, h, &n);

	node_free(&n);
	return r == ERR_NOENT;
}

/* The folder, or the file that was to be replaced, is gone: the next attempt
 * will do without. */
static void
find_new_place(struct file *f)
{
	struct spool *s = f->spool;
	char parent[9], replaces[9];
	struct node root;

	memcpy(parent, s->parent, sizeof parent);
	memcpy(replaces, s->replaces, sizeof replaces);
	if (is_gone(replaces))
		replaces[0] = '\0';
	if (is_gone(parent) && tree_root(mnt.tree, NODE_ROOT, &root) == 0) {
		memcpy(parent, root.h, sizeof parent);
		node_free(&root);
	}
	spool_place(s, parent, s->name, s->namelen, replaces);
}

static void
on_sent(struct upload *u, int r, struct json *j, int v)
{
	struct file *f = u->ctx;

	close(u->fd);
	attr_free(&u->attr);
	secret_zero(u->key, sizeof u->key);
	secret_zero(u->master, sizeof u->master);
	secret_zero(f->shares, sizeof f->shares);
	if (r == ERR_NOENT)
		find_new_place(f);
	if (r < 0) {
		end_sync(f, r);
		return;
	}
	if ((r = tree_take(mnt.tree, j, v)) == 0 && u->replaces[0] != '\0')
		r = tree_move(mnt.tree, u->replaces, u->handle);
	if (r != TREE_BEHIND) {
		adopt(f);
		return;
	}
	f->current = (struct listener_wait){ .done = on_current, .ctx = f };
	listener_sync(mnt.listener, &f->current);
}

/* Its attributes: those of the version before, with the fingerprint left to
 * the upload. */
static int
describe(struct file *f, struct attr *a)
{
	const struct spool *s = f->spool;
	int r = 0;

	*a = (struct attr){ 0 };
	if (s->replaces[0] != '\0')
		r = tree_attributes(mnt.tree, s->replaces, a);
	if (r == ERR_NOENT)
		r = 0;
	attr_set(a, "n", s->name, s->namelen);
	attr_set(a, "c", NULL, 0);
	attr_set(a, "c0", NULL, 0);
	return r;
}

static int
send_file(struct file *f)
{
	struct spool *s = f->spool;
	struct upload *u = &f->up;
	int r;

	*u = (struct upload){ .api = mnt.api, .size = s->size,
	    .mtime = s->mtime, .ctx = f, .done = on_sent,
	    .shares = f->shares };
	if ((r = describe(f, &u->attr)) < 0 ||
	    (r = u->nshares = share_list(mnt.tree, s->parent,
	    f->shares)) < 0 || (r = u->fd = spool_open(s)) < 0) {
		attr_free(&u->attr);
		return r;
	}
	memcpy(u->parent, s->parent, sizeof u->parent);
	memcpy(u->replaces, s->replaces, sizeof u->replaces);
	memcpy(u->master, mnt.remote.account.session.master,
	    sizeof u->master);
	f->busy = 1;
	uploads_add(mnt.uploads, u);
	return 0;
}

static void
on_filled(struct filling *g, int r)
{
	struct file *f = g->f;

	free(g);
	if (r == 0 && f->spool->dirty)
		r = send_file(f);
	else if (r == 0)
		r = 1; /* unlinked meanwhile */
	if (r != 0)
		end_sync(f, r < 0 ? r : 0);
}

void
file_sync(struct file *f, struct sync_wait *w)
{
	struct filling *g;

	if (f->spool == NULL || !f->spool->dirty) {
		w->done(w, 0);
		return;
	}
	w->next = f->waits;
	f->waits = w;
	if (f->syncing)
		return;
	f->syncing = 1;
	file_enter(f);
	g = xcalloc(1, sizeof *g);
	g->f = f;
	g->n = f->spool->base_end;
	g->done = on_filled;
	file_fill(g);
}

void
file_sync_cancel(struct file *f, struct sync_wait *w)
{
	struct sync_wait **at = &f->waits;

	while (*at != NULL && *at != w)
		at = &(*at)->next;
	if (*at == w)
		*at = w->next;
}

/* Nobody waits for this attempt. */
static void
on_unwatched(struct sync_wait *w, int error)
{
	(void)error;
	free(w);
}

static void
sync_unwatched(struct file *f)
{
	struct sync_wait *w = xcalloc(1, sizeof *w);

	w->done = on_unwatched;
	file_sync(f, w);
}

static void
try_one(struct file *f)
{
	if (f->spool != NULL && f->spool->dirty && !f->syncing &&
	    f->opens == 0 && f->again_ms <= http_now_ms())
		sync_unwatched(f);
}

void
file_try_again(void)
{
	file_each(try_one);
}

static void
make_due(struct file *f)
{
	f->again_ms = 0;
}

void
file_try_now(void)
{
	file_each(make_due);
	file_try_again();
}

static void
free_one(struct file *f)
{
	if (f->spool != NULL && f->spool->dirty)
		spool_keep(f->spool);
	else
		spool_drop(f->spool);
	free(f);
}

void
file_free_all(void)
{
	file_each(free_one);
	files = NULL;
}
