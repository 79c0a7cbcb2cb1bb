/* Whether a local file and a node hold the same. */
#ifndef SAME_H
#define SAME_H

#include "node.h"

/*
 * same_file: compare a local file with a file node whose key is known.
 *
 * Sizes first, then size, time and fingerprint; where these do not settle it
 * (no fingerprint, another time), the file is read and its meta-MAC compared,
 * which proves equality.  1 same, 0 different, or ERR_LOCAL.
 */
int same_file(const char *path, const struct node *n);

/* The same for an open file, which is left at no certain offset. */
int same_fd(int fd, const struct node *n);

#endif
