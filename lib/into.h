/* Where nodes go: the last operand of mega-mv and mega-cp. */
#ifndef INTO_H
#define INTO_H

#include "path.h"
#include "set.h"

struct into {
	struct tree *tree;    /* borrowed from the remote, as what follows */
	struct api *api;
	struct node folder;
	char *name;           /* the new name; NULL: each keeps its own */
	char *path;           /* of the folder, without a slash at its end */
	int force;            /* files in the way are to be replaced */

	struct set above;     /* private: the folder, and those around it */
	struct set given;     /* private: names that earlier operands got */
};

/*
 * into_open: look the operand up.
 *
 * A folder takes nodes under their own names; what does not exist, or is a
 * file, is the new name for one.  several: there may be more than one.
 * ERR_USAGE, ERR_NOENT, ERR_REFUSED …, with a text; into_close in any case.
 */
int into_open(struct into *to, struct remote *r, const char *operand,
    int several, int force);
void into_close(struct into *to);

/* Whether the folder is the node h, or below it. */
int into_is_below(const struct into *to, const char h[9]);

/*
 * into_take: claim a name of n bytes in the folder.
 *
 * 0 if it is free; 1 with old (node_free) if a node has it; ERR_TAKEN if an
 * earlier operand of this run got it.
 */
int into_take(struct into *to, const char *name, size_t n, struct node *old);

/* Whether old, which is at path, may make way for a node of that type: 0, or
 * ERR_TAKEN. */
int into_may_replace(const struct into *to, const char *path,
    const struct node *old, enum node_type type);

/* The path of a name in the folder; the caller frees it. */
char *into_path(const struct into *to, const char *name, size_t n);

#endif
