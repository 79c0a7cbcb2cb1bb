/* What one open of a file remembers. */
#ifndef OPEN_H
#define OPEN_H

#include "file.h"

struct open {
	struct file *f;
	int writes;            /* it was opened to write */
	int64_t next;          /* where the last read ended */
	int64_t ahead;         /* how far to read ahead: more, the longer
	                        * it goes on */
};

/* Make one for an inode's file: the value for fi->fh. */
struct open *open_new(struct inode *i, int flags);
struct open *open_of(const struct fuse_file_info *fi);
void open_free(struct open *o);

void read_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi);

void write_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void write_release(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi);
void write_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi);
void write_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t dev);
void write_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
    off_t off, struct fuse_file_info *fi);
void write_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void write_fsync(fuse_req_t req, fuse_ino_t ino, int data,
    struct fuse_file_info *fi);
void write_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int set,
    struct fuse_file_info *fi);

/* Whether a name can be given to a node, and whether something new may be
 * called that in a folder. 0 or an errno. */
int write_check_name(const char *name);
int write_check(struct dir *d, const char *name);

#endif
