/* Local folders: listed, walked, removed.  Links in them are never
 * followed. */
#ifndef DIR_H
#define DIR_H

#include <sys/stat.h>

#include <stddef.h>

/* The names in a folder, without "." and "..", as strcmp sorts them.  Zeroed
 * is an empty list. */
struct dir {
	char **name;
	size_t n;
};

/* 0, or ERR_LOCAL: then nothing is listed, not even what could be read. */
int dir_list(struct dir *d, const char *path);
void dir_free(struct dir *d);

/* An entry of a folder: "path/name", without doubling a slash. */
char *dir_join(const char *path, const char *name);

/*
 * dir_walk: call fn for all that is below a folder, each folder before what
 * is in it.
 *
 * name is the path from there, borrowed for the call; st is lstat's.  fn
 * returns 0 to go on, or what ends the walk and is the result.
 */
int dir_walk(const char *path, int (*fn)(void *ctx, const char *name,
    const struct stat *st), void *ctx);

/* Remove a file, a link, or a folder with all that is in it.  0, also if
 * nothing is there, or ERR_LOCAL. */
int dir_remove(const char *path);

#endif
