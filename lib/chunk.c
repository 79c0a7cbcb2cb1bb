#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define GROWING 7 /* chunks before the first of CHUNK_MAX */

int64_t
chunk_start(uint64_t i)
{
	if (i <= GROWING)
		return (int64_t)(i * (i + 1) / 2) * CHUNK_UNIT;
	return chunk_start(GROWING) + (int64_t)(i - GROWING) * CHUNK_MAX;
}

uint64_t
chunk_index(int64_t offset)
{
	const int64_t last = chunk_start(GROWING);
	uint64_t i = GROWING;

	if (offset >= last)
		return i + (uint64_t)(offset - last) / CHUNK_MAX;
	while (chunk_start(i) > offset)
		i--;
	return i;
}

uint64_t
chunk_count(int64_t size)
{
	return size <= 0 ? 0 : chunk_index(size - 1) + 1;
}

int64_t
chunk_end(int64_t offset, int64_t size)
{
	const uint64_t i = chunk_index(offset);
	const int64_t start = chunk_start(i);
	const int64_t len = i < GROWING ? (int64_t)(i + 1) * CHUNK_UNIT :
	    CHUNK_MAX;

	return size - start <= len ? size : start + len;
}

/* The MAC of a chunk starts out as the nonce, twice. */
static void
mac_init(uint8_t mac[16], const uint8_t nonce[8])
{
	memcpy(mac, nonce, 8);
	memcpy(mac + 8, nonce, 8);
}

static void
mac_add(uint8_t mac[16], const struct aes *aes, const uint8_t block[16])
{
	for (unsigned i = 0; i < 16; i++)
		mac[i] ^= block[i];
	aes_encrypt(aes, mac, mac, 1);
}

/*
 * The whole blocks of each job.
 *
 * Jobs take the lanes that become free, from the last job on: chunks do not
 * get shorter towards the end of a file, and the long ones first leaves the
 * lanes busy together for longest.
 */
static void
crypt_whole_blocks(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *jobs, unsigned njobs, int encrypt)
{
	const unsigned most = aes_lanes();
	struct aes_lane lane[AES_LANES_MAX];
	struct chunk_job *job[AES_LANES_MAX];
	size_t left[AES_LANES_MAX], step;
	unsigned n = 0;

	for (;;) {
		while (n < most && njobs > 0) {
			struct chunk_job *j = &jobs[--njobs];

			if (j->n < 16)
				continue;
			job[n] = j;
			left[n] = j->n / 16;
			lane[n].src = lane[n].dst = j->p;
			lane[n].block = (uint64_t)j->start / 16;
			memcpy(lane[n].mac, j->mac, 16);
			n++;
		}
		if (n == 0)
			return;
		step = left[0];
		for (unsigned i = 1; i < n; i++) {
			if (left[i] < step)
				step = left[i];
		}
		aes_ctrmac(aes, nonce, lane, n, step, encrypt);
		for (unsigned i = n; i-- > 0;) {
			left[i] -= step;
			if (left[i] > 0)
				continue;
			memcpy(job[i]->mac, lane[i].mac, 16);
			n--;
			job[i] = job[n];
			left[i] = left[n];
			lane[i] = lane[n];
		}
	}
}

/* The bytes of a job behind its last whole block. */
static void
crypt_rest(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *job, int encrypt)
{
	const size_t whole = job->n / 16 * 16, rest = job->n % 16;
	const uint64_t block = (uint64_t)job->start / 16 + job->n / 16;
	uint8_t plain[16] = { 0 };

	if (rest == 0)
		return;
	if (encrypt)
		memcpy(plain, job->p + whole, rest);
	aes_ctr(aes, job->p + whole, job->p + whole, rest, nonce, block);
	if (!encrypt)
		memcpy(plain, job->p + whole, rest);
	mac_add(job->mac, aes, plain);
}

void
chunk_crypt_jobs(const struct aes *aes, const uint8_t nonce[8],
    struct chunk_job *jobs, unsigned njobs, int encrypt)
{
	for (unsigned i = 0; i < njobs; i++)
		mac_init(jobs[i].mac, nonce);
	crypt_whole_blocks(aes, nonce, jobs, njobs, encrypt);
	for (unsigned i = 0; i < njobs; i++)
		crypt_rest(aes, nonce, &jobs[i], encrypt);
}

static void
fold(uint8_t meta[KEY_META_SIZE], const uint8_t m[16])
{
	for (unsigned i = 0; i < 4; i++) {
		meta[i] = m[i] ^ m[4 + i];
		meta[4 + i] = m[8 + i] ^ m[12 + i];
	}
}

static int
folds_to(const uint8_t m[16], const uint8_t meta[KEY_META_SIZE])
{
	uint8_t got[KEY_META_SIZE];

	fold(got, m);
	return secret_equal(got, meta, sizeof got);
}

static void
condense(uint8_t m[16], const struct aes *aes, const uint8_t (*macs)[16],
    uint64_t n)
{
	memset(m, 0, 16);
	for (uint64_t i = 0; i < n; i++)
		mac_add(m, aes, macs[i]);
}

void
chunk_condense(uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t (*macs)[16], uint64_t n)
{
	uint8_t m[16];

	condense(m, aes, macs, n);
	fold(meta, m);
}

/*
 * What old clients got wrong: mega-protocol(7), "Wrong MACs".
 *
 * An upload could end while its last chunks were still being acknowledged,
 * and their MACs were left out: one run of chunks near the end, or two.  How
 * far from the end a run may start and how long it may be is what meganz/sdk
 * tries.
 */
#define ONE_RUN_CHUNKS 96
#define ONE_RUN_LEN    64
#define TWO_RUN_CHUNKS 40
#define TWO_RUN_LEN    16

/* A search for the chunks that were left out. */
struct search {
	const uint8_t *meta;
	const struct aes *aes;
	const uint8_t (*macs)[16];
	uint64_t n;                /* chunks of the file */
	uint8_t (*tries)[16];      /* ONE_RUN_CHUNKS * ONE_RUN_LEN */
};

/*
 * Whether leaving out one run of up to most chunks, from chunk `from` on,
 * gives the MAC; m is that of the chunks before, as far as they count.
 *
 * All places and lengths advance together, a chunk at a time, so that AES
 * has many blocks to work on at once: a try begins behind its run, with what
 * the chunks before the run had given.
 */
static int
search_run(const struct search *s, const uint8_t m[16], uint64_t from,
    uint64_t most)
{
	uint8_t before[ONE_RUN_CHUNKS + 1][16];
	size_t n = 0;

	memcpy(before[0], m, 16);
	for (uint64_t i = from;; i++) {
		const size_t at = (size_t)(i - from);

		for (size_t k = at > most ? at - (size_t)most : 0; k < at; k++)
			memcpy(s->tries[n++], before[k], 16);
		if (i == s->n)
			break;
		for (size_t k = 0; k < n; k++)
			for (unsigned b = 0; b < 16; b++)
				s->tries[k][b] ^= s->macs[i][b];
		aes_encrypt(s->aes, s->tries[0], s->tries[0], n);
		memcpy(before[at + 1], before[at], 16);
		mac_add(before[at + 1], s->aes, s->macs[i]);
	}
	for (size_t k = 0; k < n; k++) {
		if (folds_to(s->tries[k], s->meta))
			return 1;
	}
	return 0;
}

static int
search_one_run(const struct search *s)
{
	uint64_t from = s->n < ONE_RUN_CHUNKS ? 0 : s->n - ONE_RUN_CHUNKS;
	uint8_t m[16];

	condense(m, s->aes, s->macs, from);
	return search_run(s, m, from, ONE_RUN_LEN);
}

/* The second run is what search_run finds behind the first, from which at
 * least one chunk separates it. */
static int
search_two_runs(const struct search *s)
{
	uint64_t from = s->n < TWO_RUN_CHUNKS ? 0 : s->n - TWO_RUN_CHUNKS;
	uint8_t m[16], next[16];

	condense(m, s->aes, s->macs, from);
	for (; from < s->n; from++) {
		for (uint64_t len = 1; len <= TWO_RUN_LEN &&
		    from + len + 1 < s->n; len++) {
			memcpy(next, m, 16);
			mac_add(next, s->aes, s->macs[from + len]);
			if (search_run(s, next, from + len + 1, TWO_RUN_LEN))
				return 1;
		}
		mac_add(m, s->aes, s->macs[from]);
	}
	return 0;
}

static int
is_left_out(const uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t (*macs)[16], uint64_t n)
{
	struct search s = { .meta = meta, .aes = aes, .macs = macs, .n = n };
	int r;

	s.tries = xreallocarray(NULL, ONE_RUN_CHUNKS * ONE_RUN_LEN, 16);
	r = search_one_run(&s) || search_two_runs(&s);
	free(s.tries);
	return r;
}

/* megajs counts one more chunk, of no blocks, when the last block of a file
 * ends where a chunk does. */
static int
is_surplus(const uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t nonce[8], const uint8_t (*macs)[16], int64_t size)
{
	const uint64_t n = chunk_count(size);
	uint8_t m[16], none[16];

	if (chunk_start(n) - size >= 16)
		return 0;
	mac_init(none, nonce);
	condense(m, aes, macs, n);
	mac_add(m, aes, none);
	return folds_to(m, meta);
}

int
chunk_verify(const uint8_t meta[KEY_META_SIZE], const struct aes *aes,
    const uint8_t nonce[8], const uint8_t (*macs)[16], int64_t size,
    const char **how)
{
	const uint64_t n = chunk_count(size);
	uint8_t m[16];

	condense(m, aes, macs, n);
	if (size == 0 || folds_to(m, meta))
		return 0;
	if (is_surplus(meta, aes, nonce, macs, size)) {
		*how = "right, but for its MAC, in which megajs "
		    "counted a chunk too many";
		return 1;
	}
	if (is_left_out(meta, aes, macs, n)) {
		*how = "right, but for its MAC, in which an old "
		    "client left out chunks";
		return 1;
	}
	return err_set(ERR_MAC, "MAC mismatch");
}

static uint64_t
word(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

void
chunk_sum_add(struct chunk_sum *s, const uint8_t *p, size_t n)
{
	uint64_t sum[3] = { 0 };
	uint8_t bytes[sizeof sum];

	for (; n >= sizeof sum; n -= sizeof sum) {
		sum[0] ^= word(p);
		sum[1] ^= word(p + 8);
		sum[2] ^= word(p + 16);
		p += sizeof sum;
	}
	memcpy(bytes, sum, sizeof bytes);
	for (unsigned i = 0; i < sizeof bytes; i++)
		s->sum[(s->at + i) % CHUNK_SUM_SIZE] ^= bytes[i];
	while (n-- > 0) {
		s->sum[s->at] ^= *p++;
		s->at = (s->at + 1) % CHUNK_SUM_SIZE;
	}
}
