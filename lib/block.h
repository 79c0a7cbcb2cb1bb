/*
 * Blocks: sorted records packed behind each other, so that a table of
 * millions of them needs only thousands of rows.
 *
 * A record is a string of bytes; the map that it belongs to says how many of
 * them, at its front, are its key.  In a block, each has its length in 3
 * bytes, big-endian, before it.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include <stddef.h>

#include "buf.h"

#define BLOCK_RECORD_MAX (1 << 18) /* bytes of one record */
#define BLOCK_HEAD       3         /* bytes before each */

/* Add a record to the end of a block.  ERR_TOOBIG is the buffer's. */
int block_add(struct buf *b, struct slice record);

/*
 * The record at the front of rest, which moves behind it: 1, 0 at the end,
 * or -1 if the block is damaged.
 */
int block_next(struct slice *rest, struct slice *record);

/* The order of records, and of keys: that of memcmp, shorter ones first. */
int block_compare(struct slice a, struct slice b);

/* Whether a record begins with a key. */
int block_has_key(struct slice record, struct slice key);

/*
 * block_change: copy a block to out, with a record added where it belongs
 * (if record.p is not NULL), and without those that begin with key.
 *
 * The number of records left out, or -1 if the block is damaged.
 */
int block_change(struct buf *out, struct slice block, struct slice key,
    struct slice record);

#endif
