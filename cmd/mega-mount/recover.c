/* What is left at the end, and what others have left. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "name.h"
#include "same.h"

#include "file.h"

#define TURN_MS 500

/* Sending all before the end. */

static unsigned left, failed;

static void
on_last(struct sync_wait *w, int error)
{
	left--;
	failed += error != 0;
	free(w);
}

static void
sync_last(struct file *f)
{
	struct sync_wait *w;

	if (f->spool == NULL || !f->spool->dirty)
		return;
	w = xcalloc(1, sizeof *w);
	w->done = on_last;
	left++;
	file_sync(f, w);
}

void
file_finish_all(void)
{
	left = failed = 0;
	mnt.moved_ms = http_now_ms();
	file_each(sync_last);
	while (left > 0 && http_now_ms() - mnt.moved_ms <
	    mnt.timeout_s * 1000)
		http_turn(mnt.http, TURN_MS);
	if (left + failed > 0)
		log_line("%u files have not been sent; the next mount will "
		    "do it", left + failed);
}

/* Taking up. */

/* The node that has the name now. */
static int
present(const struct spool *s, struct node *n)
{
	return tree_child(mnt.tree, s->parent, s->name, s->namelen, n);
}

/* Whether the service has it after all: only its answer was lost. */
static int
is_there(const struct spool *s, const struct node *n)
{
	int fd, r;

	if (s->base_end > 0 || n->type != NODE_FILE ||
	    (fd = spool_open(s)) < 0)
		return 0;
	r = same_fd(fd, n);
	close(fd);
	return r == 1;
}

/* Where it belongs now: over what has its name, if that is a file. */
static int
place(struct spool *s, const struct node *n)
{
	struct node folder;
	char parent[9];
	int r = 0;

	memcpy(parent, s->parent, sizeof parent);
	if (tree_get(mnt.tree, parent, &folder) < 0 &&
	    (r = tree_root(mnt.tree, NODE_ROOT, &folder)) == 0)
		memcpy(parent, folder.h, sizeof parent);
	node_free(&folder);
	if (r < 0)
		return r;
	return spool_place(s, parent, s->name, s->namelen,
	    n->type == NODE_FILE ? n->h : spool_none);
}

static struct inode *
show(const struct spool *s)
{
	char name[NAME_LOCAL_MAX];
	struct inode *i;
	struct dir *d;
	int64_t id;
	int error;

	if ((d = dir_load(node_number(s->parent), &error)) == NULL)
		return NULL;
	if (s->replaces[0] != '\0') {
		i = inode_get(node_number(s->replaces), d);
		if (i->file == NULL)
			return i;
	}
	id = inode_new_id();
	name_local(name, s->name, s->namelen, "unsent");
	names_add(d->names, id, name, 0);
	return inode_get(id, d);
}

static void
take_up(void *ctx, struct spool *s)
{
	struct node n = { .type = NODE_FOLDER };
	unsigned *count = ctx;
	struct inode *i;

	if (present(s, &n) == 0 && is_there(s, &n)) {
		spool_drop(s);
	} else if (place(s, &n) < 0 || (i = show(s)) == NULL) {
		spool_keep(s);
	} else {
		file_get(i)->spool = s;
		++*count;
	}
	node_free(&n);
}

void
file_recover(void)
{
	unsigned count = 0;

	if (mnt.spool == NULL)
		return;
	spool_recover(mnt.spool, take_up, &count);
	if (count > 0)
		log_line("%u files that an earlier mount could not send are "
		    "being sent", count);
	file_try_again();
}
