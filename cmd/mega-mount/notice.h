/*
 * Telling the kernel what it may no longer believe.
 *
 * The kernel takes the locks that its own requests to us hold: whoever tells
 * it may have to wait until we have answered one.  So this is done by a
 * thread of its own, which does nothing else.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "mount.h"

int notice_start(void);
/* After the file system was unmounted. */
void notice_stop(void);

/* The attributes of an inode, and a folder's list of names. */
void notice_attributes(const struct inode *i);

/* That a name in a folder means what it meant. */
void notice_name(const struct inode *folder, const char *name);

#endif
