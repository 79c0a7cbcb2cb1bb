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

/* The attributes of an inode. */
void notice_attributes(const struct inode *i);

/* Those of a folder, and its list of names.  A listing that is under way puts
 * what we answered before into the kernel's list all the same, unless the
 * name that changed is told first: that waits for the listing's end. */
void notice_list(const struct inode *folder);

/* What a name in a folder means. */
void notice_name(const struct inode *folder, const char *name);

#endif
