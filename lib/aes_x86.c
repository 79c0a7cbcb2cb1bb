/*
 * AES by the instructions of x86-64: "aesni", and "vaes" for machines whose
 * vectors hold two blocks.
 */
#include "aes_impl.h"

#ifdef AES_X86

#include <cpuid.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "secret.h"

#define AESNI  __attribute__((target("aes,sse4.1")))
#define VAES   __attribute__((target("aes,vaes,avx2")))
#define ALWAYS static inline __attribute__((always_inline))

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

#define FN(name)          aesni_##name
#define TARGET            AESNI
#define V                 __m128i
#define WIDTH             1
#define LOAD              get
#define STORE             put
#define SPREAD            get
#define GATHER(p, at)     get((p)[0] + (at))
#define SCATTER(p, at, x) put((p)[0] + (at), (x))
#define XOR               _mm_xor_si128
#define ADD64             _mm_add_epi64
#define SHUFFLE           _mm_shuffle_epi8
#define FIRST(a)          get((a)->ek[0])
#define ENC(x, a, r)      _mm_aesenc_si128((x), get((a)->ek[r]))
#define ENCLAST(x, a, k)  _mm_aesenclast_si128((x), (k))
#define DECFIRST(a)       get((a)->dk[0])
#define DEC(x, a, r)      _mm_aesdec_si128((x), get((a)->dk[r]))
#define DECLAST(x, a)     _mm_aesdeclast_si128((x), get((a)->dk[10]))
#include "aes_wide.h"

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

VAES ALWAYS __m256i
spread(const void *p)
{
	return _mm256_broadcastsi128_si256(get(p));
}

VAES ALWAYS __m256i
gather(const uint8_t *const p[2], size_t at)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(
	    get(p[0] + at)), get(p[1] + at), 1);
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
#define LOAD              get2
#define STORE             put2
#define SPREAD            spread
#define GATHER            gather
#define SCATTER           scatter
#define XOR               _mm256_xor_si256
#define ADD64             _mm256_add_epi64
#define SHUFFLE           _mm256_shuffle_epi8
#define FIRST(a)          spread((a)->ek[0])
#define ENC(x, a, r)      _mm256_aesenc_epi128((x), spread((a)->ek[r]))
#define ENCLAST(x, a, k)  _mm256_aesenclast_epi128((x), (k))
#include "aes_wide.h"

VAES static void
vaes_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block)
{
	size_t done = vaes_ctr_groups(a, dst, src, nblocks, nonce, block,
	    DEPTH);

	aesni_ctr(a, dst + 16 * done, src + 16 * done, nblocks - done, nonce,
	    block + done);
}

static int
aesni_present(void)
{
	const unsigned want = bit_AES | bit_SSE4_1;
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & want) == want;
}

/* xgetbv: whether the system saves the upper halves of the vectors. */
__attribute__((target("xsave"))) static int
vaes_present(void)
{
	const unsigned want = bit_AES | bit_SSE4_1 | bit_OSXSAVE;
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & want) == want &&
	    (_xgetbv(0) & 6) == 6 &&
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
