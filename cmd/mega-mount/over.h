/* A file put over another: a copy of it becomes the other's newest version. */
#ifndef OVER_H
#define OVER_H

#include "mount.h"

/* The caller zeroes it, fills in the first part, and keeps it in place until
 * done is called. */
struct over {
	char h[9];              /* the file */
	char parent[9];         /* the folder of the other, */
	char replaces[9];       /* and its handle */
	const char *name;       /* n bytes; borrowed until over_begin returns */
	size_t n;
	/* 0, TREE_BEHIND, or ERR_*. */
	void (*done)(struct over *o, int result);
	void *ctx;

	char made[9];           /* the new node */

	struct api_cmd cmd;     /* private */
};

/* Begin: 0, or ERR_* without done. */
int over_begin(struct over *o);

#endif
