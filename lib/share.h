/*
 * Shares of folders: their keys, and what has to be said about them when
 * nodes come below one.
 *
 * A node below a shared folder needs its key under the share's key too, or
 * whoever has the share (a link, for example) cannot read it.
 * Source: mega-protocol(7), "Shares"; meganz/sdk src/share.cpp.
 */
#ifndef SHARE_H
#define SHARE_H

#include "json.h"
#include "link.h"
#include "tree.h"

#define SHARE_NESTED_MAX 16 /* shares around one node */

/* A secret: it holds the key. */
struct share {
	char h[9];               /* the folder */
	uint8_t key[KEY_SIZE];
};

/*
 * share_list: the shares, of the account and with it, that cover a node, its
 * own first, then those of the folders above it.
 *
 * Their number, or ERR_*.  Those whose key is not known are left out.
 */
int share_list(struct tree *t, const char h[9],
    struct share s[SHARE_NESTED_MAX]);

/* The key of a folder's own share: 1, 0 if it has none, or ERR_*. */
int share_find(uint8_t key[KEY_SIZE], struct tree *t, const char h[9]);

/* The public link of a node that has one, as far as the tree knows it:
 * without its locks, and what allows to write. 0, ERR_NOENT without a text if
 * it has none, or ERR_*. */
int share_link(struct link *l, struct tree *t, const struct node *n);

/* A node for share_put_cr. */
struct share_node {
	char h[9];               /* "" for one that is just being made */
	const uint8_t *key;      /* borrowed */
	size_t keylen;
};

/* Add the member "cr" for n nodes under each of ns shares; nothing if there
 * are none of either.  All nodes are new ones, or none is. */
void share_put_cr(struct json_out *o, const struct share *s, int ns,
    const struct share_node *nodes, size_t n);

/* The same for a node and all below it that are moved into the folder to:
 * under the shares that cover that. 0 or ERR_*. */
int share_put_moved(struct json_out *o, struct tree *t, const struct node *n,
    const char to[9]);

/*
 * share_put_export: the members of "s2" that make a folder and all below it
 * readable by link: key, authentication, "EXP", and the keys of all nodes.
 *
 * s is the share: that of the account, or a new one.
 */
int share_put_export(struct json_out *o, struct tree *t,
    const struct node *folder, const struct share *s,
    const uint8_t master[KEY_SIZE]);

#endif
