/*
 * Changes to nodes that exist: renamed, moved, thrown away, deleted.
 *
 * Each sends its commands without waiting for an answer; what is sent before
 * the loop turns travels together.  Attributes that we do not know are kept.
 * What comes below a shared folder gets what the share needs.
 * Source: mega-protocol(7), "Changing nodes"; meganz/sdk
 * src/megaclient.cpp, setattr and rename.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "api.h"
#include "tree.h"

/* One change.  The caller zeroes it, fills in the first part, and keeps it in
 * place until done is called. */
struct change {
	struct api *api;      /* the account's channel; borrowed */
	struct tree *tree;    /* its tree; borrowed, only read */

	/* It is over: 0, or ERR_* with a text.  It may begin other changes,
	 * but not wait for them.  change_free is still to be called. */
	void (*done)(struct change *c, int err);
	void *ctx;

	/* What has been done so far, for change_tell. */
	char h[9];            /* the node */
	char to[9];           /* its new folder, or "" */
	char *attrs;          /* its new attributes in base64, or NULL */
	enum { CHANGE_NONE, CHANGE_NODE, CHANGE_ONLY } gone;

	/* private */
	struct api_cmd move, alter;
	char target[9];
	char *later;          /* attributes on their way */
	int rename, only, left, result;
	struct err_kept *error;
};

/*
 * Each begins a change to a node: 0, and done comes later; or ERR_*, nothing
 * was sent and done will not be called.
 *
 * change_move: into the folder to (NULL: where it is) and under a name of n
 * bytes (NULL: its own).  CHANGE_NOTHING, as with an error, if all that is so
 * already.
 * change_trash: into the rubbish bin.  Where it was is noted in the attribute
 * "rr", as official clients do, who use it to restore; and links to it and to
 * what is below it end, since nobody expects those to go on.
 * change_alter: other attributes.
 * change_delete: for good, with all below it and all older versions; with
 * only set, this one version of a file.
 */
#define CHANGE_NOTHING 1
int change_move(struct change *c, const struct node *node, const char *to,
    const char *name, size_t n);
int change_trash(struct change *c, const struct node *node);
int change_alter(struct change *c, const struct node *node,
    const struct attr *a);
void change_delete(struct change *c, const struct node *node, int only);

/* Run the loop until it is over: what done would have been told.  For a
 * change that was begun with done NULL. */
int change_wait(struct change *c);

/* Let the tree know of what the service has done: 0, TREE_BEHIND, ERR_*.
 * For those who go on looking at it; events tell it anyway. */
int change_tell(struct change *c);

void change_free(struct change *c);

#endif
