/*
 * The whole tree: the reply of "f", written while it is read from the
 * database, which other requests may change meanwhile.
 */
#ifndef LIST_H
#define LIST_H

#include <sys/types.h>

#include "cs.h"

/* Begin a listing for whoever asks: sets c->list.  part: of an account, only
 * this node and what is below it; 0: all.  0 or ERR_TOOMANY if the batch has
 * one already. */
int list_open(struct cs *c, int64_t part);

/* Take over the reply in b, whose listing belongs at offset at.  Returns
 * the context of list_read and list_free. */
void *list_splice(struct list *l, struct buf *b, size_t at);

ssize_t list_read(void *ctx, char *p, size_t n);
void list_free(void *ctx);

#endif
