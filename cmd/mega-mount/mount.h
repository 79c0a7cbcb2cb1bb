/*
 * mega-mount: what its parts share.
 *
 * One thread, one loop: requests of the kernel, transfers and events take
 * turns, and nothing waits inside a request.  What cannot be answered at once
 * is answered from a callback.
 */
#ifndef MOUNT_H
#define MOUNT_H

#include <sys/stat.h>
#include <sys/types.h>

#include <fuse_lowlevel.h>

#include "blocks.h"
#include "content.h"
#include "listen.h"
#include "names.h"
#include "path.h"
#include "spool.h"
#include "upload.h"

#define FOREVER_S   86400.0 /* how long the kernel may keep what it knows:
                             * changes are told to it */
#define NEGATIVE_S  1.0     /* likewise that a name does not exist */
#define BLOCK       4096

/* The folder above the three roots, which the service does not have. */
#define TOP         (-1)

struct file;

/* A folder whose names are known. */
struct dir {
	int64_t h;              /* number, or TOP */
	struct names *names;    /* kind is 1 for folders */
	unsigned pins;          /* known inodes in it, and who changes it */
	size_t loaded;          /* names, at first */
	int64_t listed_ms;      /* when somebody was told a part of it that
	                         * was not the last; or 0 */
	int listed_short;       /* and not with all attributes */
};

/* Something that the kernel knows, or that we work on. */
struct inode {
	int64_t id;             /* number of its node; TOP; or below TOP: not
	                         * a node yet */
	int64_t ino;            /* the number that is shown */
	uint64_t lookups;       /* the kernel's */
	unsigned pins;          /* ours */
	struct dir *above;      /* the folder that it is in; NULL: of none */
	struct file *file;      /* where it is open or being written */
	int64_t touched;        /* a folder's contents changed then; 0: never
	                         * seen */
	int64_t told_size, told_mtime; /* what the kernel last heard */
};

extern struct mount {
	struct fuse_session *se;
	struct remote remote;
	struct place place;     /* what is mounted; unset: the account */
	struct tree *tree;
	struct api *api;
	struct http *http;
	struct blocks *blocks;  /* NULL: none are kept */
	struct contents *contents;
	struct uploads *uploads;
	struct listener *listener;
	struct inode *root;
	char *spool;            /* folder; NULL: nothing is written */
	int64_t bin;            /* number of the rubbish bin, or TOP */
	int64_t timeout_s;
	int64_t moved_ms;       /* when something was sent last */
	int64_t since;          /* Unix seconds */
	uid_t uid;
	gid_t gid;
	mode_t umask;
	int whole;              /* the account, not one folder */
	int read_only;
	int foreground;
	int tells_opendir;      /* the kernel cannot do without */
	volatile int stop;      /* a signal wants the end */
} mnt;

/* inode.c: inodes and the names in folders. */

struct inode *inode_of(fuse_ino_t ino);
fuse_ino_t inode_number(const struct inode *i);

/* The inode of an id, made if need be and unless it is somewhere else already
 * in the folder d.  inode_known: NULL if there is none. */
struct inode *inode_get(int64_t id, struct dir *d);
struct inode *inode_known(int64_t id);
void inode_pin(struct inode *i);
void inode_unpin(struct inode *i);
void inode_forget(struct inode *i, uint64_t lookups);
/* It is another node, or in another folder (or none) from now on. */
void inode_change_id(struct inode *i, int64_t id);
void inode_move(struct inode *i, struct dir *d);
void inode_free_all(void);

/* A new id for what is not yet a node. */
int64_t inode_new_id(void);

/* The node of an inode.  0 or ERR_*. */
int inode_node(const struct inode *i, struct node *n);
void inode_handle(char h[9], int64_t id);

/* What stat shows.  0 or an errno. */
int inode_stat(struct inode *i, struct stat *st);
/* Attributes of a node that is not (or not only) what the file is now. */
void inode_entry(struct inode *i, const struct stat *st,
    struct fuse_entry_param *e);

/* A folder's names, loaded if need be; NULL with *error, an errno. */
struct dir *dir_load(int64_t h, int *error);
struct dir *dir_known(int64_t h);
void dir_pin(struct dir *d);
void dir_unpin(struct dir *d);
/* Call fn for each; it may not load any. */
void dir_each(void (*fn)(struct dir *d, void *ctx), void *ctx);
/* The contents of a folder have changed now. */
void dir_touch(int64_t h);

/* main.c: take another tree for the one in use, which is closed. */

void mount_use_tree(struct tree *t);

/* errors.c: the errno for one of our codes, and a line in the log for what
 * no errno can tell. */

int errno_of(int code);
void log_line(const char *fmt, ...) COMPAT_PRINTF(1, 2);

/* look.c: what only looks. */

void look_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void look_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void look_forget_many(fuse_req_t req, size_t n, struct fuse_forget_data *f);
void look_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void look_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void look_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);
void look_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);
void look_statfs(fuse_req_t req, fuse_ino_t ino);
void look_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    size_t size);
void look_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);

#endif
