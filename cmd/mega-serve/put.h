/* New nodes, and the keys and packets that come with them. */
#ifndef PUT_H
#define PUT_H

#include "cs.h"

/*
 * Tell a channel of nodes: its packet "t".  root is as for node_put;
 * with_index numbers them.
 */
int put_tell(struct cs *c, int64_t channel, const char *root,
    const int64_t *h, size_t n, int with_index);

/* Store the keys of a "cr" member.  Nodes are handles, or (n > 0) places
 * in the list of new ones, by number or by their temporary names. */
struct put_name {
	struct slice name;
	int64_t h;           /* 0: was not made */
};
int put_cr(struct cs *c, int cr, const struct put_name *new, size_t n);

#endif
