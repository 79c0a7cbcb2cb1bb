/*
 * Nodes: the tree, who may touch what in it, and how a node is written.
 *
 * Source: mega-protocol(7), "Nodes".
 */
#ifndef NODES_H
#define NODES_H

#include "cs.h"

#define NODES_ROOTS_MAX 64 /* exported folders above one node */

/* The columns that node_put wants, of node n and user u.  Parameter ?1 is
 * the root of the folder link that looks, as text, or null for the owner. */
#define NODE_COLUMNS \
	"n.h, n.parent, n.t, n.a, n.k, n.s, n.ts, n.fa, u.h," \
	" (SELECT group_concat(share || ':' || k, '/') FROM nodekey" \
	" WHERE node = n.h AND (?1 IS NULL OR share = ?1))"

/* Write a row of them: as the owner sees it, or (root not NULL) a folder
 * link's visitor.  index, unless negative, is the member "i". */
void node_put(struct json_out *o, sqlite3_stmt *st, const char *root,
    int64_t index);

struct node {
	int64_t h, parent, user, size, blob;
	int t, ver;
};

/* 0 or ERR_NOENT. */
int node_get(struct store *db, struct node *n, int64_t h);

/* Whether h is top or below it. */
int node_below(struct store *db, int64_t h, int64_t top);

/* A node that the session may read (or change): 0, ERR_NOENT, ERR_ACCESS. */
int node_find(struct cs *c, struct node *n, int64_t h);
int node_find_writable(struct cs *c, struct node *n, int64_t h);

/* The exported folders that hold h (or are it): their handles.  Returns how
 * many there are, NODES_ROOTS_MAX at most. */
size_t node_roots(struct store *db, int64_t h,
    int64_t roots[NODES_ROOTS_MAX]);

/* The same for shared folders. */
size_t node_shares(struct store *db, int64_t h,
    int64_t shares[NODES_ROOTS_MAX]);

/* Delete a node and what is below it, and tell so: packets "d", and for
 * links and shares that end with it.  0 or ERR_*. */
int node_remove(struct cs *c, const struct node *n);

#endif
