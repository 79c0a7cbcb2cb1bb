/*
 * Public links and the folders exported with them.
 *
 * Source: mega-protocol(7), "Public links" and "Exported folders".
 */
#ifndef SHARE_H
#define SHARE_H

#include "cs.h"

/* The node that a public handle names, if its link lives; else 0, with why
 * (if not NULL) set to ERR_NOENT, ERR_EXPIRED or ERR_BLOCKED. */
int64_t share_public(struct store *db, struct slice ph, int *why);

/* Whether a node is a live folder link's, or below one. */
int share_exported(struct store *db, int64_t h);

/* Let a request into the folder link that its n= names: sets c->home, and
 * c->writable.  0, or what is wrong, with details as the answer's body. */
int share_enter(struct cs *c, const char *n);

/* Drop link and share of the nodes listed in the table doomed, and tell. */
int share_drop_doomed(struct cs *c, int64_t owner);

/* Ask the owner of a shared folder, and of those around it that are shared,
 * for the keys of nodes there that came without them. */
int share_ask_keys(struct cs *c, int64_t owner, int64_t folder,
    const int64_t *h, size_t n);

#endif
