/*
 * Files that appear whole or not at all: written beside their final name,
 * checked, then renamed.
 */
#ifndef OUT_H
#define OUT_H

#include <sys/types.h>

#include <stdint.h>

/* One file under way.  Zeroed is valid. */
struct out {
	char *path;    /* final name */
	char *part;    /* what is written meanwhile: .NAME.TAG.part */
	int fd;        /* of the part, read and write; valid if part is set */
	int64_t old;   /* size of the part that was there, 0 if none */
};

/*
 * out_open: open or make the part of path.
 *
 * tag (a handle) tells apart parts of different files of one name.  An old
 * part is opened as it is; its size is in old.  Two processes never write
 * one part: the second gets ERR_TAKEN.  ERR_LOCAL otherwise.
 */
int out_open(struct out *o, const char *path, const char *tag);

/* Write n bytes at an offset, all of them.  ERR_LOCAL. */
int out_write(struct out *o, const void *p, size_t n, int64_t offset);

/*
 * The end comes in steps, so that many files can take each together.
 *
 * out_end: cut the part at size, set its mtime (negative: leave it).
 * out_flush: flush it to the disk.  out_name: rename it to path; with replace
 * 0 ERR_TAKEN if path exists meanwhile, and the part stays.  out_sync: make
 * the rename itself durable; once is enough for several files of one folder.
 */
int out_end(struct out *o, int64_t size, int64_t mtime);
int out_flush(struct out *o);
int out_name(struct out *o, int replace);
void out_sync(const char *path);

/* Close, keeping the part for a later run. */
void out_keep(struct out *o);

/* Close and remove the part. */
void out_discard(struct out *o);

/* Replace a small file by n bytes, atomically. */
int out_replace(const char *path, const void *p, size_t n, mode_t mode);

/*
 * out_spool: copy what comes from a descriptor into a temporary file that
 * has no name (TMPDIR), and rewind it.
 *
 * The new descriptor, which the caller closes, with its *size; ERR_LOCAL on
 * errors, or when more than max bytes come.
 */
int out_spool(int from, int64_t max, int64_t *size);

/* Write n bytes to a descriptor, all of them.  ERR_PIPE if nobody reads it
 * any more, ERR_LOCAL (naming it) otherwise. */
int out_all(int fd, const char *name, const void *p, size_t n);

#endif
