/*
 * File attributes: thumbnails and previews.
 *
 * Source: mega-protocol(7), "File attributes".
 */
#ifndef FATTR_H
#define FATTR_H

#include "web.h"

#define FATTR_CLUSTER "924" /* this server, where real ones have many */

/* The attributes of a node that had old ("" for none) and gets new ones,
 * which lack the cluster.  The caller frees the text. */
char *fattr_merge(const char *old, struct slice new);

/* Whether text can be such a list. */
int fattr_ok(struct slice fa);

extern const struct route fattr_route;

#endif
