/*
 * The nodes of an account, or of a folder link: looked up, listed, walked.
 *
 * They live in one SQLite database: on disk for an account (the cache, kept
 * current by events), in memory for a folder link or where MEGA_CACHE is
 * empty.  Results are copies; nothing here hands out pointers into it.
 */
#ifndef TREE_H
#define TREE_H

#include "api.h"
#include "attr.h"
#include "link.h"
#include "node.h"
#include "session.h"

struct tree;

#define TREE_CACHED  1 /* trust the cache, ask nobody */
#define TREE_PRIVATE 2 /* a copy of its own, which no other process changes;
                        * all is loaded for it */

#define TREE_AT_HAND 4 /* only from the cache, made current by events;
                        * ERR_NOENT if all would have to be loaded */

/* What some functions that change the tree give back when another process
 * has changed the cache meanwhile: what it says now may include the change,
 * or may not.  tree_refresh makes sure. */
#define TREE_BEHIND 1

/*
 * tree_open: the account's tree, current.
 *
 * Loads it by "f" the first time, catches up by events later.  api and s are
 * borrowed.  *t is NULL on error.
 */
int tree_open(struct tree **t, struct api *api, const struct session *s,
    int flags);

/* The tree below a folder link; api is a channel with n=PH. ERR_KEY if the
 * link's key does not fit, ERR_NOENT if the link is dead. */
int tree_open_link(struct tree **t, struct api *api, const struct link *l);

/*
 * tree_open_part: one node and what is below it, where the account's tree is
 * not at hand and loading it for that would be much.
 *
 * Nothing around it is known, and it is not kept.  into: something is to be
 * put into it; then it has to be a folder, and no share may have to do with
 * what is in it.  ERR_NOENT if it cannot be had so, or that is not the case:
 * the account's tree knows.
 */
int tree_open_part(struct tree **t, struct api *api, const struct session *s,
    const char h[9], int into);
void tree_close(struct tree *t);

/* Each fills in n (node_free), or returns ERR_NOENT or ERR_LOCAL.  A parent
 * "" stands for the folders that others share with the account, whose names
 * are MAIL:NAME. */
int tree_get(struct tree *t, const char h[9], struct node *n);
int tree_root(struct tree *t, enum node_type type, struct node *n);
/* A child by name; of several, the newest.  "H:xxxxxxxx" is also the child of
 * that handle. */
int tree_child(struct tree *t, const char parent[9], const char *name,
    size_t len, struct node *n);

/*
 * tree_children: call fn for each child, by name.  tree_walk: for each
 * descendant, parents first, siblings by name; path is relative to the
 * start, without a leading slash, of components as node_component makes
 * them.  n and path are borrowed for the call; fn returns 0 to go on, 1 to
 * leave out what is below (walk), or ERR_* to end.  It may read the tree,
 * but not change it.  A file's only child is its older version, which no
 * walk visits.
 */
int tree_children(struct tree *t, const char parent[9],
    int (*fn)(void *ctx, const struct node *n), void *ctx);
int tree_walk(struct tree *t, const char start[9],
    int (*fn)(void *ctx, const struct node *n, const char *path, size_t len),
    void *ctx);

/* The version of a file that it replaced, if it is kept. */
int tree_version(struct tree *t, const char h[9], struct node *n);

/* Call fn for each node that has a public link, by handle. */
int tree_exported(struct tree *t, int (*fn)(void *ctx, const struct node *n),
    void *ctx);

/* Add the full path of a node: "/a/b", "//bin/x", "//from/MAIL:NAME/x"; in a
 * folder link "/a/b" from its root.  An older version has its file's path
 * and "#" with the time when it was made.  What hangs on nothing that we can
 * see begins with "H:xxxxxxxx". */
int tree_path(struct tree *t, const char h[9], struct buf *out);

/* Call fn for a node and for those above it, upwards, as far as we can see.
 * It returns 0 to go on; what else it returns ends the climb, and is the
 * result. */
int tree_above(struct tree *t, const char h[9],
    int (*fn)(void *ctx, const struct node *n), void *ctx);

/* All that is read between these is of one moment, and quicker to be had.
 * Nothing may be changed there.  0 or ERR_*; they nest. */
int tree_snapshot(struct tree *t);
void tree_release(struct tree *t);

/* How many of a folder's children are folders. */
int tree_folders(struct tree *t, const char h[9], int64_t *n);

/* All attributes of a node, also those that struct node has no place for
 * (attr_free).  ERR_KEY if they cannot be had. */
int tree_attributes(struct tree *t, const char h[9], struct attr *a);

/*
 * Take in what a command of ours has changed, before the events arrive: new
 * nodes (an array of nodes, v in j, as the command's reply holds them); a
 * node's new place, which for an older version is the newer one; new
 * attributes (base64); or an end, for the node alone if only is set.
 *
 * 0, TREE_BEHIND, or ERR_*.  None of them waits for the service.
 */
int tree_take(struct tree *t, struct json *j, int v);
int tree_move(struct tree *t, const char h[9], const char parent[9]);
int tree_alter(struct tree *t, const char h[9], const char *attrs, size_t n);
int tree_remove(struct tree *t, const char h[9], int only);

/* What is taken in between these is one transaction, from the first of it on:
 * many cost little more than one.  Others cannot change the cache meanwhile,
 * so that nobody may wait for anything.  tree_settle: 0, or ERR_* if nothing
 * of it stays. */
void tree_gather(struct tree *t);
int tree_settle(struct tree *t);

/* Ask for what happened meanwhile, and take it in. */
int tree_refresh(struct tree *t);

/*
 * tree_watch: be told of each node that changes, comes or goes as the tree
 * takes it in, by its number and those of its parents before and after;
 * TREE_NOWHERE is a parent that there is not.  A node TREE_NOWHERE: anything
 * may have changed.  What is below a node that goes is not told.  fn is
 * called before the change is complete: it may remember, but not look.
 */
#define TREE_NOWHERE INT64_MIN
typedef void tree_watcher(void *ctx, int64_t h, int64_t from, int64_t to);
void tree_watch(struct tree *t, tree_watcher *fn, void *ctx);

/* Remove what is cached for an account (logout). */
int tree_forget(const struct session *s);

/* The handle of the folder that a folder link shares; "" for an account. */
const char *tree_link_root(const struct tree *t);

#endif
