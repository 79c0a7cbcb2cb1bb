/*
 * AES by the instructions of x86-64: "aesni", and "vaes" for machines whose
 * vectors hold two blocks.
 *
 * An AES unit starts two rounds a cycle and ends each four cycles later
 * (three on some), so that eight vectors under way keep it busy.
 */
#include "aes_impl.h"

#ifdef AES_X86

#include <cpuid.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "secret.h"

#define DEPTH  8 /* vectors under way at a time */
#define STITCH 4 /* of those that carry MACs, in ctrmac */

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Makes the compiler load what p points to when it is needed: it would keep
 * round keys in registers and in exchange MACs in memory, on whose latency
 * everything waits. */
#define FORGET(p) __asm__ volatile("" : "+r"(p) : : "memory")

#define AESNI     __attribute__((target("aes,sse4.1")))
#define VAES      __attribute__((target("aes,vaes,avx2")))
#define ALWAYS    static inline __attribute__((always_inline))

AESNI ALWAYS __m128i
get(const void *p)
{
	return _mm_loadu_si128(p);
}

AESNI ALWAYS void
put(void *p, __m128i x)
{
	_mm_storeu_si128(p, x);
}

/* A counter block, its number in the order of this machine so that it can be
 * counted; counter_order shuffles it into the order of the wire. */
AESNI ALWAYS __m128i
counter(const uint8_t nonce[8], uint64_t block)
{
	return _mm_insert_epi64(_mm_loadl_epi64((const void *)nonce),
	    (long long)block, 1);
}

AESNI ALWAYS __m128i
counter_order(void)
{
	return _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15,
	    7, 6, 5, 4, 3, 2, 1, 0);
}

#define FN(name)          aesni_##name
#define TARGET            AESNI
#define V                 __m128i
#define WIDTH             1
#define ENC               _mm_aesenc_si128
#define ENCLAST           _mm_aesenclast_si128
#define XOR               _mm_xor_si128
#define ADD64             _mm_add_epi64
#define SHUFFLE           _mm_shuffle_epi8
#define SPREAD(x)         (x)
#define SERIES(x)         (x)
#define LOAD              get
#define STORE             put
#define GATHER(p, at)     get((p)[0] + (at))
#define SCATTER(p, at, x) put((p)[0] + (at), (x))
#include "aes_x86_wide.h"

VAES ALWAYS __m256i
get2(const void *p)
{
	return _mm256_loadu_si256(p);
}

VAES ALWAYS void
put2(void *p, __m256i x)
{
	_mm256_storeu_si256(p, x);
}

VAES ALWAYS void
scatter(uint8_t *const p[2], size_t at, __m256i x)
{
	put(p[0] + at, _mm256_castsi256_si128(x));
	put(p[1] + at, _mm256_extracti128_si256(x, 1));
}

#define FN(name)          vaes_##name
#define TARGET            VAES
#define V                 __m256i
#define WIDTH             2
#define ENC               _mm256_aesenc_epi128
#define ENCLAST           _mm256_aesenclast_epi128
#define XOR               _mm256_xor_si256
#define ADD64             _mm256_add_epi64
#define SHUFFLE           _mm256_shuffle_epi8
#define SPREAD            _mm256_broadcastsi128_si256
#define SERIES(x)         _mm256_add_epi64(SPREAD(x), \
    _mm256_set_epi64x(1, 0, 0, 0))
#define LOAD              get2
#define STORE             put2
#define GATHER(p, at)     _mm256_inserti128_si256(_mm256_castsi128_si256( \
    get((p)[0] + (at))), get((p)[1] + (at)), 1)
#define SCATTER           scatter
#include "aes_x86_wide.h"

/*
 * The schedule of FIPS 197, 5.2.  The last round does SubBytes and adds the
 * round constant; its ShiftRows changes nothing as all columns are equal.
 */
AESNI static void
aesni_init(struct aes *a, const uint8_t key[AES_KEY_SIZE])
{
	static const int rcon[10] = {
		0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36
	};
	const __m128i rot = _mm_set1_epi32(0x0c0f0e0d);
	__m128i k = get(key), t;

	put(a->ek[0], k);
	put(a->dk[10], k);
	for (unsigned r = 1; r <= 10; r++) {
		t = _mm_aesenclast_si128(_mm_shuffle_epi8(k, rot),
		    _mm_set1_epi32(rcon[r - 1]));
		k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
		k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
		k = _mm_xor_si128(k, t);
		put(a->ek[r], k);
		put(a->dk[10 - r], r < 10 ? _mm_aesimc_si128(k) : k);
	}
}

/* n blocks by themselves. */
AESNI ALWAYS void
encrypt_n(const struct aes *a, uint8_t *dst, const uint8_t *src,
    const unsigned n)
{
	const __m128i key0 = aesni_key(a, 0);
	__m128i x[DEPTH];

	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = _mm_xor_si128(get(src + 16 * j), key0);
	aesni_rounds(x, n, a);
	UNROLL
	for (unsigned j = 0; j < n; j++)
		put(dst + 16 * j, x[j]);
}

/* n blocks, each added to one of prev afterwards. */
AESNI ALWAYS void
decrypt_n(const struct aes *a, uint8_t *dst, const uint8_t *src,
    const __m128i *prev, const unsigned n)
{
	__m128i x[DEPTH];

	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = _mm_xor_si128(get(src + 16 * j), get(a->dk[0]));
	UNROLL
	for (unsigned r = 1; r < 10; r++) {
		UNROLL
		for (unsigned j = 0; j < n; j++)
			x[j] = _mm_aesdec_si128(x[j], get(a->dk[r]));
	}
	UNROLL
	for (unsigned j = 0; j < n; j++) {
		x[j] = _mm_aesdeclast_si128(x[j], get(a->dk[10]));
		put(dst + 16 * j, _mm_xor_si128(x[j], prev[j]));
	}
}

AESNI static void
aesni_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	size_t i;

	for (i = 0; nblocks - i >= DEPTH; i += DEPTH)
		encrypt_n(a, dst + 16 * i, src + 16 * i, DEPTH);
	for (; i < nblocks; i++)
		encrypt_n(a, dst + 16 * i, src + 16 * i, 1);
}

AESNI static void
aesni_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	const __m128i none[DEPTH] = { 0 };
	size_t i;

	for (i = 0; nblocks - i >= DEPTH; i += DEPTH)
		decrypt_n(a, dst + 16 * i, src + 16 * i, none, DEPTH);
	for (; i < nblocks; i++)
		decrypt_n(a, dst + 16 * i, src + 16 * i, none, 1);
}

AESNI static void
aesni_cbc_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	const __m128i key0 = aesni_key(a, 0);
	__m128i x = _mm_setzero_si128();

	for (size_t i = 0; i < nblocks; i++) {
		x = _mm_xor_si128(x, _mm_xor_si128(get(src + 16 * i), key0));
		aesni_rounds(&x, 1, a);
		put(dst + 16 * i, x);
	}
}

AESNI static void
aesni_cbc_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	__m128i prev[DEPTH + 1];
	size_t i;

	prev[0] = _mm_setzero_si128();
	for (i = 0; nblocks - i >= DEPTH; i += DEPTH) {
		UNROLL
		for (unsigned j = 0; j < DEPTH; j++)
			prev[j + 1] = get(src + 16 * (i + j));
		decrypt_n(a, dst + 16 * i, src + 16 * i, prev, DEPTH);
		prev[0] = prev[DEPTH];
	}
	for (; i < nblocks; i++) {
		prev[1] = get(src + 16 * i);
		decrypt_n(a, dst + 16 * i, src + 16 * i, prev, 1);
		prev[0] = prev[1];
	}
}

AESNI static void
aesni_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block)
{
	size_t done = aesni_ctr_groups(a, dst, src, nblocks, nonce, block,
	    DEPTH);

	aesni_ctr_groups(a, dst + 16 * done, src + 16 * done, nblocks - done,
	    nonce, block + done, 1);
}

VAES static void
vaes_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block)
{
	size_t done = vaes_ctr_groups(a, dst, src, nblocks, nonce, block,
	    DEPTH);

	aesni_ctr(a, dst + 16 * done, src + 16 * done, nblocks - done, nonce,
	    block + done);
}

AESNI static void
aesni_iterate(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
    size_t nkeys, unsigned n)
{
	struct aes *a = xreallocarray(NULL, nkeys, sizeof *a);
	__m128i x = get(block);

	for (size_t i = 0; i < nkeys; i++)
		aesni_init(&a[i], keys[i]);
	while (n-- > 0) {
		for (size_t i = 0; i < nkeys; i++) {
			x = _mm_xor_si128(x, aesni_key(&a[i], 0));
			aesni_rounds(&x, 1, &a[i]);
		}
	}
	put(block, x);
	secret_zero(a, nkeys * sizeof *a);
	free(a);
}

static int
aesni_present(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) &&
	    (c & bit_AES) != 0 && (c & bit_SSE4_1) != 0;
}

/* Whether the system saves and restores the upper halves of the vectors. */
__attribute__((target("xsave"))) static int
keeps_ymm(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) != 0 &&
	    (_xgetbv(0) & 6) == 6;
}

static int
vaes_present(void)
{
	unsigned a, b, c, d;

	return aesni_present() && keeps_ymm() &&
	    __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
	    (b & bit_AVX2) != 0 && (c & bit_VAES) != 0;
}

const struct aes_impl aes_aesni = {
	.name = "aesni",
	.lanes = STITCH,
	.present = aesni_present,
	.init = aesni_init,
	.encrypt = aesni_encrypt,
	.decrypt = aesni_decrypt,
	.cbc_encrypt = aesni_cbc_encrypt,
	.cbc_decrypt = aesni_cbc_decrypt,
	.ctr = aesni_ctr,
	.ctrmac = aesni_ctrmac,
	.iterate = aesni_iterate
};

/* What is not for bulk data has no use for the width. */
const struct aes_impl aes_vaes = {
	.name = "vaes",
	.lanes = 2 * STITCH,
	.present = vaes_present,
	.init = aesni_init,
	.encrypt = aesni_encrypt,
	.decrypt = aesni_decrypt,
	.cbc_encrypt = aesni_cbc_encrypt,
	.cbc_decrypt = aesni_cbc_decrypt,
	.ctr = vaes_ctr,
	.ctrmac = vaes_ctrmac,
	.iterate = aesni_iterate
};

#endif
