/*
 * The proof of work that a 402 answer asks for.
 *
 * Source: mega-protocol(7), "Proof of work"; meganz/sdk src/hashcash.cpp.
 */
#ifndef HASHCASH_H
#define HASHCASH_H

#include <stdint.h>

#define HASHCASH_TOKEN_SIZE  48
#define HASHCASH_PREFIX_SIZE 4
/* "1:" token ":" prefix, with a NUL */
#define HASHCASH_ANSWER_SIZE (2 + 64 + 1 + 6 + 1)

struct hashcash {
	unsigned easiness;  /* 0 to 255 */
	int64_t time;       /* Unix seconds, as the server said */
	uint8_t token[HASHCASH_TOKEN_SIZE];
};

/* hashcash_parse: the value of an X-Hashcash header of a reply.  ERR_PROTO
 * if it is not "1:easiness:time:token". */
int hashcash_parse(struct hashcash *h, const char *value);

/* The expected number of hashes (each of 12 MiB). */
double hashcash_work(const struct hashcash *h);

/*
 * hashcash_solve: search on threads threads (0: one per processor) for at
 * most timeout_ms; writes the value of the answering header.
 *
 * stop, if not NULL, is polled between hashes: non-zero ends the search.
 * ERR_SLOW if there was no solution in time or the search was stopped.
 */
int hashcash_solve(const struct hashcash *h, unsigned threads,
    int64_t timeout_ms, int (*stop)(void), char answer[HASHCASH_ANSWER_SIZE]);

/* hashcash_check: whether an answer ("1:token:prefix") solves h: 1 or 0.
 * Costs one hash.  For servers. */
int hashcash_check(const struct hashcash *h, const char *answer);

/* The name of the way to compute SHA-256 in use: "shani", where this machine
 * has it and it passed its self-test, or "portable" (libtomcrypt). */
const char *hashcash_path(void);

/* Use that one from now on (tests, benchmarks): 0, or -1 if it cannot be. */
int hashcash_select(const char *name);

#endif
