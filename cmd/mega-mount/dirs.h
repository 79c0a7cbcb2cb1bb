/* Requests that change folders. */
#ifndef DIRS_H
#define DIRS_H

#include "mount.h"

void dirs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode);
void dirs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void dirs_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags);

#endif
