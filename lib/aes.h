/*
 * AES-128: one interface over the paths that this machine has.
 *
 * Paths are "vaes" (x86-64 whose vectors hold two blocks), "aesni" (x86-64),
 * "armv8" (64-bit ARM) and "portable" (libtomcrypt).  The best one that passes
 * its self-test against the portable path is chosen at first use; a path that
 * fails it is never used.
 *
 * Source: mega-protocol(7), "Ciphers"; FIPS 197, SP 800-38A.
 */
#ifndef AES_H
#define AES_H

#include <stddef.h>
#include <stdint.h>

#define AES_BLOCK_SIZE 16
#define AES_KEY_SIZE   16
#define AES_LANES_MAX  8 /* the most lanes of one aes_ctrmac call */

/* A key's schedule for both directions, good for the path that was in use at
 * aes_init.  May be copied.  A secret: wipe it with aes_wipe at its last
 * use. */
struct aes {
	_Alignas(16) uint8_t ek[11][16]; /* round keys, encryption */
	_Alignas(16) uint8_t dk[11][16]; /* equivalent inverse cipher */
};

void aes_init(struct aes *a, const uint8_t key[AES_KEY_SIZE]);
void aes_wipe(struct aes *a);

/* Blocks of 16 bytes, each for itself (ECB).  dst may be src. */
void aes_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks);
void aes_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks);

/* CBC with a zero IV, n a multiple of 16.  dst may be src. */
void aes_cbc_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t n);
void aes_cbc_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t n);

/*
 * CTR over n bytes (any number) from file offset 16 * block: the counter
 * block is nonce, then the block number as 64 bits, big-endian.  dst may be
 * src.
 */
void aes_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t nonce[8], uint64_t block);

/*
 * One run of consecutive blocks inside one MAC chunk: what aes_ctrmac works
 * on.  Different lanes are different chunks (or files under the same key).
 */
struct aes_lane {
	const uint8_t *src;  /* advanced by aes_ctrmac */
	uint8_t *dst;        /* may equal src; advanced likewise */
	uint64_t block;      /* number of the next block; advanced */
	uint8_t mac[16];     /* running CBC-MAC of the chunk's plaintext */
};

/*
 * aes_ctrmac: encrypt or decrypt nblocks whole blocks of each of nlanes
 * lanes by CTR and continue each lane's CBC-MAC over the plaintext, in one
 * pass.
 *
 * One lane is bound by the latency of the MAC; aes_lanes of them saturate the
 * unit.  nlanes is 1 to AES_LANES_MAX.
 */
void aes_ctrmac(const struct aes *a, const uint8_t nonce[8],
    struct aes_lane *lanes, unsigned nlanes, size_t nblocks, int encrypt);

/* How many lanes aes_ctrmac wants at a time for full speed. */
unsigned aes_lanes(void);

/*
 * aes_iterate: encrypt one block in place n times under keys[0], keys[1] …
 * keys[nkeys-1] in turn: n rounds of nkeys encryptions (old accounts' key
 * derivation).  nkeys passed a ceiling: memory is taken for each.
 */
void aes_iterate(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
    size_t nkeys, unsigned n);

/* The name of the path in use. */
const char *aes_path(void);

/* The names of all paths that this machine can run, best first, NULL at the
 * end.  The last one is "portable". */
const char *const *aes_paths(void);

/* Use the path of that name from now on (tests, benchmarks): 0, or -1 if
 * this machine cannot run it or it failed its self-test.  Keys made before
 * must be made anew. */
int aes_select(const char *name);

#endif
