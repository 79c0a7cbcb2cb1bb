/*
 * The cipher and its MACs: ratios to what others would do with the same
 * data, and to the cipher alone.  Processor time; medians of turns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tomcrypt.h>

#ifdef __has_include
#if __has_include(<openssl/evp.h>)
#define HAVE_OPENSSL
#include <openssl/evp.h>
#endif
#endif

#include "aes.h"
#include "chunk.h"
#include "mem.h"

#define TURNS  9
#define SIZE   (16 * CHUNK_MAX)
#define LITTLE CHUNK_MAX /* for libtomcrypt, which takes its time */

static uint8_t *data;
static const uint8_t key[16] = { 1 }, nonce[8] = { 2 };
static struct aes aes;
static unsigned nlanes;
static int64_t filesize;

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

/* Something that works on data and returns how many bytes it did. */
typedef size_t way(void);

static double
seconds_a_byte(way *f)
{
	double begin = seconds();
	size_t n = f();

	return (seconds() - begin) / (double)n;
}

/* How many times the speed of g the speed of f is. */
static double
ratio(way *f, way *g)
{
	double r[TURNS], mine;

	for (int i = 0; i < TURNS; i++) {
		mine = seconds_a_byte(f);
		r[i] = seconds_a_byte(g) / mine;
	}
	qsort(r, TURNS, sizeof *r, compare);
	return r[TURNS / 2];
}

static size_t
ctr_alone(void)
{
	aes_ctr(&aes, data, data, SIZE, nonce, 0);
	return SIZE;
}

static size_t
kernel(void)
{
	struct aes_lane lane[AES_LANES_MAX] = { 0 };

	for (size_t at = 0; at < SIZE; at += nlanes * CHUNK_MAX) {
		for (unsigned j = 0; j < nlanes; j++) {
			lane[j].dst = data + at + j * CHUNK_MAX;
			lane[j].src = lane[j].dst;
			lane[j].block = (at + j * CHUNK_MAX) / 16;
		}
		aes_ctrmac(&aes, nonce, lane, nlanes, CHUNK_MAX / 16, 0);
	}
	return SIZE;
}

static size_t
chunks(void)
{
	struct chunk_job jobs[64];
	const unsigned n = (unsigned)chunk_count(filesize);

	for (unsigned i = 0; i < n; i++) {
		int64_t start = chunk_start(i);

		jobs[i] = (struct chunk_job){ .p = data + start,
		    .start = start,
		    .n = (size_t)(chunk_end(start, filesize) - start) };
	}
	chunk_crypt_jobs(&aes, nonce, jobs, n, 0);
	return (size_t)filesize;
}

static size_t
checksum(void)
{
	struct chunk_sum s = { 0 };

	chunk_sum_add(&s, data, SIZE);
	return SIZE;
}

/* A chunk decrypted by one call, its MAC block by block. */
static size_t
libtomcrypt(void)
{
	uint8_t iv[16] = { 0 }, mac[16] = { 0 };
	symmetric_CTR ctr;
	symmetric_key k;

	if (ctr_start(register_cipher(&aes_desc), iv, key, 16, 0,
	    CTR_COUNTER_BIG_ENDIAN, &ctr) != CRYPT_OK ||
	    rijndael_setup(key, 16, 0, &k) != CRYPT_OK)
		abort();
	ctr_decrypt(data, data, LITTLE, &ctr);
	for (size_t i = 0; i < LITTLE; i += 16) {
		for (unsigned b = 0; b < 16; b++)
			mac[b] ^= data[i + b];
		rijndael_ecb_encrypt(mac, mac, &k);
	}
	ctr_done(&ctr);
	return LITTLE;
}

#ifdef HAVE_OPENSSL
/* A chunk decrypted by one call, its MAC computed by another. */
static size_t
openssl(void)
{
	static uint8_t scratch[CHUNK_MAX];
	EVP_CIPHER_CTX *ctr = EVP_CIPHER_CTX_new();
	EVP_CIPHER_CTX *cbc = EVP_CIPHER_CTX_new();
	const uint8_t iv[16] = { 0 };
	int n;

	if (ctr == NULL || cbc == NULL ||
	    EVP_EncryptInit_ex(ctr, EVP_aes_128_ctr(), NULL, key, iv) != 1 ||
	    EVP_EncryptInit_ex(cbc, EVP_aes_128_cbc(), NULL, key, iv) != 1)
		abort();
	for (size_t at = 0; at < SIZE; at += CHUNK_MAX) {
		uint8_t *p = data + at;

		if (EVP_EncryptInit_ex(cbc, NULL, NULL, NULL, iv) != 1 ||
		    EVP_EncryptUpdate(ctr, p, &n, p, CHUNK_MAX) != 1 ||
		    EVP_EncryptUpdate(cbc, scratch, &n, p, CHUNK_MAX) != 1)
			abort();
	}
	EVP_CIPHER_CTX_free(ctr);
	EVP_CIPHER_CTX_free(cbc);
	return SIZE;
}
#endif

/* One figure; beside it the target, if there is one. */
static void
tell(const char *what, const char *whom, double figure, double target)
{
	printf("%-24s vs %-11s %7.2fx", what, whom, figure);
	if (target > 0)
		printf("  (>= %g)  %s", target, figure >= target ? "PASS" :
		    "MISS");
	putchar('\n');
}

/* The targets are for a path that is not the portable one, at full speed. */
static void
compare_all(const char *what, way *f, int full)
{
#ifdef HAVE_OPENSSL
	tell(what, "OpenSSL", ratio(f, openssl), full ? 3 : 0);
#endif
	tell(what, "libtomcrypt", ratio(f, libtomcrypt), full ? 25 : 0);
	tell(what, "CTR alone", ratio(f, ctr_alone), full ? 0.45 : 0);
}

static void
bench_path(const char *path)
{
	char what[40];
	int full;

	if (aes_select(path) < 0)
		abort();
	aes_init(&aes, key);
	for (nlanes = 1; nlanes <= AES_LANES_MAX; nlanes *= 2) {
		full = nlanes == aes_lanes() && nlanes > 1;
		snprintf(what, sizeof what, "kernel %s x%u", path, nlanes);
		compare_all(what, kernel, full);
	}
	filesize = chunk_start(8);
	snprintf(what, sizeof what, "chunks %s 4.5 MiB", path);
	compare_all(what, chunks, 0);
	filesize = SIZE;
	snprintf(what, sizeof what, "chunks %s 16 MiB", path);
	compare_all(what, chunks, aes_lanes() > 1);
}

int
main(void)
{
	const char *const *path;

	data = xmalloc(SIZE);
	memset(data, 3, SIZE);
	for (path = aes_paths(); strcmp(*path, "portable") != 0; path++)
		bench_path(*path);
	aes_select(aes_paths()[0]);
	aes_init(&aes, key);
	nlanes = aes_lanes();
	printf("%-24s vs kernel       %6.1fx\n", "checksum of a POST",
	    ratio(checksum, kernel));
	free(data);
	return 0;
}
