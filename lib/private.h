/* Small files that are their owner's alone. */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "buf.h"

/*
 * private_read: the whole of a file, added to b.
 *
 * 0, 1 if there is none, ERR_LOCAL if it cannot be read or others than its
 * owner may (unless it is on a read-only file system, where nobody could
 * change that), or ERR_TOOBIG if it fills b.
 */
int private_read(struct buf *b, const char *path);

/* Replace it, atomically, by n bytes (0600, missing folders 0700).
 * ERR_LOCAL. */
int private_write(const char *path, const void *p, size_t n);

/* private_ready: whether private_write could do so now, for those who would
 * lose something if it could not.  0 or ERR_LOCAL. */
int private_ready(const char *path);

#endif
