/* Requests that look and change nothing. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "link.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"
#include "share.h"

#include "notice.h"

#define QUOTA_MS 60000 /* how long the service's answer is good */

static void
reply_stat(fuse_req_t req, struct inode *i)
{
	struct stat st;
	int e = inode_stat(i, &st);

	if (e != 0)
		fuse_reply_err(req, e);
	else
		fuse_reply_attr(req, &st, FOREVER_S);
}

void
look_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	reply_stat(req, inode_of(ino));
}

/* The inode of an entry, with its attributes; one more look-up of it.  0 or
 * an errno. */
static int
look_up(struct dir *d, const struct names_entry *e,
    struct fuse_entry_param *out)
{
	struct inode *i;
	struct stat st;
	int error, r;

	if ((r = tree_snapshot(mnt.tree)) < 0)
		return errno_of(r);
	i = inode_get(e->id, d);
	inode_pin(i);
	if ((error = inode_stat(i, &st)) == 0) {
		inode_entry(i, &st, out);
		i->lookups++;
	}
	inode_unpin(i);
	tree_release(mnt.tree);
	return error;
}

void
look_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param none = { .entry_timeout = NEGATIVE_S };
	const struct names_entry *e;
	struct fuse_entry_param out;
	struct dir *d;
	int error;

	if ((d = dir_load(inode_of(parent)->id, &error)) == NULL) {
		fuse_reply_err(req, error);
		return;
	}
	if ((e = names_find(d->names, name)) == NULL) {
		fuse_reply_entry(req, &none);
		return;
	}
	if ((error = look_up(d, e, &out)) != 0)
		fuse_reply_err(req, error);
	else
		fuse_reply_entry(req, &out);
}

void
look_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	inode_forget(inode_of(ino), n);
	fuse_reply_none(req);
}

void
look_forget_many(fuse_req_t req, size_t n, struct fuse_forget_data *f)
{
	for (size_t k = 0; k < n; k++)
		inode_forget(inode_of(f[k].ino), f[k].nlookup);
	fuse_reply_none(req);
}

/* Folders. */

/* Who lists a folder need not tell us before and after, and what was listed
 * stays with the kernel until we tell it otherwise. */
void
look_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	if (mnt.tells_opendir) {
		fi->keep_cache = fi->cache_readdir = 1;
		fuse_reply_open(req, fi);
	} else {
		fuse_reply_err(req, ENOSYS);
	}
}

/* A reply to readdir as it grows. */
struct listing {
	fuse_req_t req;
	char *p;
	size_t n, max;
	int plus;
};

/* Add one entry; 0 if there is no room for it. */
static int
put(struct listing *l, const char *name, const struct fuse_entry_param *e,
    off_t next)
{
	size_t n = l->plus ? fuse_add_direntry_plus(l->req, l->p + l->n,
	    l->max - l->n, name, e, next) : fuse_add_direntry(l->req,
	    l->p + l->n, l->max - l->n, name, &e->attr, next);

	if (n > l->max - l->n)
		return 0;
	l->n += n;
	return 1;
}

static int
put_dots(struct listing *l, struct inode *i, off_t at)
{
	static const char *const dots[] = { ".", ".." };
	struct fuse_entry_param e = { .attr.st_mode = S_IFDIR,
	    .attr.st_ino = (ino_t)i->ino };

	for (; at < 2; at++) {
		if (at == 1 && i->above != NULL)
			e.attr.st_ino = (ino_t)i->above->h;
		if (!put(l, dots[at], &e, at + 1))
			return 0;
	}
	return 1;
}

/* An entry as plain readdir shows it. */
static void
short_entry(const struct names_entry *n, struct fuse_entry_param *e)
{
	struct inode *i = inode_known(n->id);

	*e = (struct fuse_entry_param){ .attr.st_ino = (ino_t)(i != NULL ?
	    i->ino : n->id), .attr.st_mode = n->kind ? S_IFDIR : S_IFREG };
}

static void
list(struct listing *l, struct inode *i, struct dir *d, off_t off)
{
	struct fuse_entry_param e;
	const struct names_entry *n;
	size_t at = off > 2 ? (size_t)off - 2 : 0;

	if (!put_dots(l, i, off))
		return;
	while ((n = names_next(d->names, &at)) != NULL) {
		if (!l->plus)
			short_entry(n, &e);
		else if (look_up(d, n, &e) != 0)
			continue; /* it is gone */
		if (!put(l, n->shown, &e, (off_t)at + 2)) {
			if (l->plus)
				inode_forget(inode_of(e.ino), 1);
			return;
		}
	}
}

/* If the kernel kept a list without attributes, it would have to ask for those
 * of each name; when it lists anew it gets them all together. */
static void
note_listing(const struct inode *i, struct dir *d, const struct listing *l)
{
	if (l->n == 0 && d->listed_short)
		notice_list(i);
	d->listed_short = l->n > 0 && (d->listed_short || !l->plus);
	d->listed_ms = l->n > 0 ? http_now_ms() : 0;
}

static void
read_folder(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    int plus)
{
	struct listing l = { .req = req, .max = size, .plus = plus };
	struct inode *i = inode_of(ino);
	struct dir *d;
	int error, r;

	if ((d = dir_load(i->id, &error)) == NULL) {
		fuse_reply_err(req, error);
		return;
	}
	if ((r = tree_snapshot(mnt.tree)) < 0) {
		fuse_reply_err(req, errno_of(r));
		return;
	}
	l.p = xmalloc(size);
	list(&l, i, d, off);
	tree_release(mnt.tree);
	fuse_reply_buf(req, l.p, l.n);
	note_listing(i, d, &l);
	free(l.p);
}

void
look_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	read_folder(req, ino, size, off, 0);
}

void
look_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	read_folder(req, ino, size, off, 1);
}

/* Quota. */

static struct quota {
	int64_t total, used;
	int64_t until_ms;   /* 0: not known */
} quota;

struct uq {
	int64_t mstrg, cstrg;
};

static const struct shape uq_shape[] = {
	SHAPE(uq, mstrg, "mstrg", SHAPE_INT, SHAPE_LAX, 0, SHAPE_SIZE_MAX),
	SHAPE(uq, cstrg, "cstrg", SHAPE_INT, SHAPE_LAX, 0, SHAPE_SIZE_MAX),
	SHAPE_END
};

static void
reply_quota(fuse_req_t req)
{
	int64_t left = quota.total > quota.used ? quota.total - quota.used : 0;
	struct statvfs st = { .f_bsize = BLOCK, .f_frsize = BLOCK,
	    .f_blocks = (fsblkcnt_t)(quota.total / BLOCK),
	    .f_bfree = (fsblkcnt_t)(left / BLOCK),
	    .f_bavail = (fsblkcnt_t)(left / BLOCK),
	    .f_namemax = NAME_LOCAL_MAX - 1 };

	fuse_reply_statfs(req, &st);
}

/* A request that waits for the service's word. */
struct asking {
	struct api_cmd cmd;
	fuse_req_t req;
};

static void
on_quota(struct api_cmd *c, struct json *j, int v, int err)
{
	struct asking *a = c->ctx;
	struct uq uq = { .mstrg = 0 };

	if (err == 0 && shape_read("reply to \"uq\"", uq_shape, j, v,
	    &uq) == 0)
		quota = (struct quota){ .total = uq.mstrg, .used = uq.cstrg,
		    .until_ms = http_now_ms() + QUOTA_MS };
	/* What is known may be old, but to fail helps nobody. */
	if (quota.until_ms > 0)
		reply_quota(a->req);
	else
		fuse_reply_err(a->req, EIO);
	free(a);
}

void
look_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct asking *a;
	struct json_out o;

	(void)ino;
	if (mnt.place.kind != PLACE_NODE || http_now_ms() < quota.until_ms) {
		reply_quota(req);
		return;
	}
	a = xcalloc(1, sizeof *a);
	a->req = req;
	a->cmd.done = on_quota;
	a->cmd.ctx = a;
	o = api_begin(&a->cmd, "uq");
	json_put_int(&o, "strg", 1);
	json_put_int(&o, "xfer", 1);
	api_send(mnt.api, &a->cmd, &o);
}

/* Extended attributes. */

/* The key that a node's public link holds. */
static int
link_key(const struct node *n, struct link *l)
{
	struct share s[SHARE_NESTED_MAX];
	int r = 0;

	if (n->type == NODE_FILE) {
		l->kind = LINK_FILE;
		l->keylen = KEY_FILE_SIZE;
		memcpy(l->key, n->key, KEY_FILE_SIZE);
		return n->keylen == KEY_FILE_SIZE;
	}
	if (share_list(mnt.tree, n->h, s) > 0 && strcmp(s[0].h, n->h) == 0) {
		l->kind = LINK_FOLDER;
		l->keylen = KEY_SIZE;
		memcpy(l->key, s[0].key, KEY_SIZE);
		r = 1;
	}
	secret_zero(s, sizeof s);
	return r;
}

static int
get_link(const struct node *n, char out[LINK_TEXT_MAX])
{
	struct link l = { .ph = "" };
	int r = n->ph[0] != '\0' && link_key(n, &l);

	if (r) {
		memcpy(l.ph, n->ph, sizeof l.ph);
		link_print(out, &l, 0);
	}
	secret_zero(&l, sizeof l);
	return r;
}

static int
get_handle(const struct node *n, char out[LINK_TEXT_MAX])
{
	strcpy(out, n->h);
	return n->h[0] != '\0';
}

static const struct {
	const char *name;
	int (*get)(const struct node *n, char out[LINK_TEXT_MAX]);
} attributes[] = {
	{ "user.mega.handle", get_handle },
	{ "user.mega.link", get_link },
};

#define ATTRIBUTES (sizeof attributes / sizeof *attributes)
#define NAMESPACE  "user."

static void
reply_bytes(fuse_req_t req, const char *p, size_t n, size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, n);
	else if (n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, p, n);
}

void
look_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char text[LINK_TEXT_MAX];
	struct node n;
	size_t k = 0;

	/* Programs that hear that there are no ACLs or labels here do not ask
	 * for those of every file. */
	if (strncmp(name, NAMESPACE, strlen(NAMESPACE)) != 0) {
		fuse_reply_err(req, ENOTSUP);
		return;
	}
	while (k < ATTRIBUTES && strcmp(attributes[k].name, name) != 0)
		k++;
	if (k == ATTRIBUTES || inode_node(inode_of(ino), &n) < 0) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	if (attributes[k].get(&n, text))
		reply_bytes(req, text, strlen(text), size);
	else
		fuse_reply_err(req, ENODATA);
	node_free(&n);
	secret_zero(text, sizeof text);
}

void
look_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char text[LINK_TEXT_MAX], names[ATTRIBUTES * 32];
	struct node n;
	size_t len = 0;

	if (inode_node(inode_of(ino), &n) < 0) {
		reply_bytes(req, names, 0, size);
		return;
	}
	for (size_t k = 0; k < ATTRIBUTES; k++) {
		if (!attributes[k].get(&n, text))
			continue;
		memcpy(names + len, attributes[k].name,
		    strlen(attributes[k].name) + 1);
		len += strlen(attributes[k].name) + 1;
	}
	node_free(&n);
	secret_zero(text, sizeof text);
	reply_bytes(req, names, len, size);
}
