/*
 * Chunks of files, decrypted, in a folder of limited size, for whoever reads
 * them again.
 *
 * One file a block, named by the node's number and the chunk's.  A block is
 * written beside its name and renamed, and ends with its MAC and a checksum,
 * so that neither a crash nor another process in the same folder can make
 * one that is read as something else.  Those not used for longest go first.
 *
 * A cache never fails: what cannot be kept or read is not there.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "chunk.h"

#define BLOCKS_COUNT_MAX 65536 /* files in the folder */

/* Instead of a chunk's number: all chunks' MACs, one behind the other. */
#define BLOCKS_MACS UINT64_MAX

struct blocks;

/*
 * blocks_open: use a folder, made if need be, for at most max bytes.
 *
 * What earlier runs left in it counts, and goes where it is too much.
 * ERR_LOCAL if it cannot be used; *b is then NULL.
 */
int blocks_open(struct blocks **b, const char *dir, int64_t max);
void blocks_close(struct blocks *b);

/* Keep chunk i of node h: n bytes, at most CHUNK_MAX, and their MAC. */
void blocks_put(struct blocks *b, int64_t h, uint64_t i, const void *p,
    size_t n, const uint8_t mac[16]);

/* Whether a block is known to be there, without touching the disk. */
int blocks_has(const struct blocks *b, int64_t h, uint64_t i);

/*
 * blocks_get: n bytes from a block of size bytes, and its MAC.
 *
 * 1, or 0 if it is not there, damaged, or of another size.
 */
int blocks_get(struct blocks *b, int64_t h, uint64_t i, size_t size,
    size_t from, void *p, size_t n, uint8_t mac[16]);

/* Drop one block, or all blocks of a node. */
void blocks_drop(struct blocks *b, int64_t h, uint64_t i);
void blocks_drop_all(struct blocks *b, int64_t h);

/* The bytes that are kept, with their ends. */
int64_t blocks_total(const struct blocks *b);

#endif
