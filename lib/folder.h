/* New folders.  Source: mega-protocol(7), "Putting nodes". */
#ifndef FOLDER_H
#define FOLDER_H

#include "api.h"
#include "node.h"
#include "tree.h"

/*
 * folder_make: make a folder in the account.
 *
 * parent is a handle, name n bytes, master the account's key.  out is filled
 * in (node_free); tree, if not NULL, takes the node in.  The service allows
 * several of one name: look first.
 */
int folder_make(struct node *out, struct api *api, const uint8_t master[16],
    const char parent[9], const char *name, size_t n, struct tree *tree);

#endif
