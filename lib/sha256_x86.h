/*
 * SHA-256 by the instructions of x86-64, for one purpose: the proof of work,
 * where a few blocks repeat many thousand times.  What a block contributes
 * is expanded once and used again in every turn, for two messages at a time,
 * since a single one leaves the unit idle half of the time.
 *
 * Private to hashcash.  Source: FIPS 180-4.
 */
#ifndef SHA256_X86_H
#define SHA256_X86_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define SHA256_X86

#define SHA256_X86_LANES 2

/* Whether this processor can run sha256_x86_repeat. */
int sha256_x86_usable(void);

/* The message schedule of a block, round constants added. */
void sha256_x86_expand(uint32_t schedule[64], const uint8_t block[64]);

/* Feed nblocks blocks to both states, taking from n schedules in turn. */
void sha256_x86_repeat(uint32_t state[SHA256_X86_LANES][8],
    const uint32_t (*schedule)[64], size_t n, size_t nblocks);

#endif
#endif
