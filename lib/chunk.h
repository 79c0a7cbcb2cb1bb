/*
 * The chunks of a file: their boundaries, and the MAC of each and of all.
 *
 * Chunk i is min(i + 1, 8) * 128 KiB long; the last ends with the file.
 * Source: mega-protocol(7), "Chunks and MACs"; meganz/sdk
 * src/transfer.cpp, ChunkMAC.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "aes.h"
#include "key.h"

#define CHUNK_UNIT 131072          /* the first chunk */
#define CHUNK_MAX  (8 * CHUNK_UNIT) /* every chunk from the eighth on */

/* The number of chunks of a file of size bytes; 0 for an empty one. */
uint64_t chunk_count(int64_t size);
/* Where chunk i starts. */
int64_t chunk_start(uint64_t i);
/* The chunk that holds offset. */
uint64_t chunk_index(int64_t offset);
/* Where the chunk that starts at or holds offset ends, in a file of size. */
int64_t chunk_end(int64_t offset, int64_t size);

/* One whole chunk in memory of its own. */
struct chunk_job {
	uint8_t *p;                 /* its bytes, changed in place */
	size_t n;
	int64_t start;              /* where it starts in the file */
	uint8_t mac[16];            /* set: its MAC */
};

/*
 * chunk_crypt_jobs: encrypt (or decrypt) njobs whole chunks of one file,
 * interleaved.  Fastest with a multiple of aes_lanes() in the order of the
 * file.
 */
void chunk_crypt_jobs(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *jobs, unsigned njobs, int encrypt);

/* Fold chunk MACs, in order, into a file's 8-byte meta-MAC. */
void chunk_condense(uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t (*macs)[16], uint64_t n);

/*
 * chunk_verify: whether the chunk MACs of a whole file of size bytes give
 * meta.
 *
 * 0 if they do (or the file is empty); 1 if they do only in one of the ways
 * that old clients are known to have got wrong, with *how set to words for
 * it; ERR_MAC otherwise.
 */
int chunk_verify(const uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t nonce[8], const uint8_t (*macs)[16], int64_t size,
    const char **how);

/* The checksum of one POST of an upload: byte i XORed into sum[i % 12]. */
#define CHUNK_SUM_SIZE 12
struct chunk_sum {
	uint8_t sum[CHUNK_SUM_SIZE];
	unsigned at;
};
void chunk_sum_add(struct chunk_sum *s, const uint8_t *p, size_t n);

#endif
