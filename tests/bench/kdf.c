/*
 * What a login computes: the key derivation against OpenSSL's, and the proof
 * of work against libtomcrypt's SHA-256.  Ratios only, of medians of turns
 * taken in one run, by the processor's time: others may be at work.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __has_include
#if __has_include(<openssl/evp.h>)
#define HAVE_OPENSSL
#include <openssl/evp.h>
#endif
#endif

#include "hashcash.h"
#include "kdf.h"

#define TURNS  7
#define ROUNDS 100000

/* The fourteenth prefix solves it. */
#define CHALLENGE \
    "1:200:0:" \
    "wFqIT_wY3tYKcrm5zqwaUoWym3ZCz32cCsrJOgYBgihtpaWUhGyWJ--EY-zfwI-i"

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The median of the seconds that f and g take, over each other. */
static double
ratio(void (*f)(void), void (*g)(void))
{
	double tf[TURNS], tg[TURNS], begin;

	for (int i = 0; i < TURNS; i++) {
		begin = seconds();
		f();
		tf[i] = seconds() - begin;
		begin = seconds();
		g();
		tg[i] = seconds() - begin;
	}
	qsort(tf, TURNS, sizeof *tf, compare);
	qsort(tg, TURNS, sizeof *tg, compare);
	return tf[TURNS / 2] / tg[TURNS / 2];
}

#ifdef HAVE_OPENSSL
static void
derive(void)
{
	static const uint8_t salt[KDF_SALT_SIZE];
	uint8_t key[16], uh[16];

	kdf_v2(key, uh, "correct horse battery staple", salt);
}

static void
derive_openssl(void)
{
	static const uint8_t salt[KDF_SALT_SIZE];
	uint8_t dk[32];

	if (PKCS5_PBKDF2_HMAC("correct horse battery staple", -1, salt,
	    sizeof salt, ROUNDS, EVP_sha512(), sizeof dk, dk) != 1)
		abort();
}

static void
bench_kdf(void)
{
	printf("kdf v2 vs OpenSSL              %5.2fx  (target <= 1.2)\n",
	    ratio(derive, derive_openssl));
}
#else
static void
bench_kdf(void)
{
	printf("kdf v2 vs OpenSSL              skipped: openssl/evp.h is "
	    "missing\n");
}
#endif

static void
solve(const char *path)
{
	char answer[HASHCASH_ANSWER_SIZE];
	struct hashcash h;

	if (hashcash_select(path) < 0 || hashcash_parse(&h, CHALLENGE) < 0)
		abort();
	if (hashcash_solve(&h, 1, INT64_MAX, NULL, answer) < 0)
		abort();
}

static void
solve_shani(void)
{
	solve("shani");
}

static void
solve_portable(void)
{
	solve("portable");
}

static void
bench_hashcash(void)
{
	if (hashcash_select("shani") < 0) {
		printf("hashcash shani vs libtomcrypt  skipped: no SHA "
		    "instructions here\n");
		return;
	}
	printf("hashcash shani vs libtomcrypt  %5.1fx  (hashes per second)\n",
	    ratio(solve_portable, solve_shani));
}

int
main(void)
{
	bench_kdf();
	bench_hashcash();
	return 0;
}
