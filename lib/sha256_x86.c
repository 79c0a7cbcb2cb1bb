#include "sha256_x86.h"

#ifdef SHA256_X86

#include <cpuid.h>
#include <immintrin.h>

static const uint32_t constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

int
sha256_x86_usable(void)
{
	unsigned a, b, c, d, ext;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) != 0 &&
	    __get_cpuid_count(7, 0, &a, &ext, &c, &d) && (ext & bit_SHA) != 0;
}

static uint32_t
rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

void
sha256_x86_expand(uint32_t schedule[64], const uint8_t block[64])
{
	uint32_t *w = schedule;

	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 |
		    (uint32_t)block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		    (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
		    (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
	for (int i = 0; i < 64; i++)
		w[i] += constant[i];
}

/* The instructions want the words of a state as ABEF and CDGH, A highest. */
__attribute__((target("sha,sse4.1"))) static void
load(__m128i *abef, __m128i *cdgh, const uint32_t s[8])
{
	*abef = _mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]);
	*cdgh = _mm_set_epi32((int)s[2], (int)s[3], (int)s[6], (int)s[7]);
}

__attribute__((target("sha,sse4.1"))) static void
store(uint32_t s[8], __m128i abef, __m128i cdgh)
{
	s[0] = (uint32_t)_mm_extract_epi32(abef, 3);
	s[1] = (uint32_t)_mm_extract_epi32(abef, 2);
	s[2] = (uint32_t)_mm_extract_epi32(cdgh, 3);
	s[3] = (uint32_t)_mm_extract_epi32(cdgh, 2);
	s[4] = (uint32_t)_mm_extract_epi32(abef, 1);
	s[5] = (uint32_t)_mm_extract_epi32(abef, 0);
	s[6] = (uint32_t)_mm_extract_epi32(cdgh, 1);
	s[7] = (uint32_t)_mm_extract_epi32(cdgh, 0);
}

__attribute__((target("sha,sse4.1"))) void
sha256_x86_repeat(uint32_t state[SHA256_X86_LANES][8],
    const uint32_t (*schedule)[64], size_t n, size_t nblocks)
{
	__m128i a0, c0, a1, c1, was_a0, was_c0, was_a1, was_c1, w;
	size_t at = 0;

	load(&a0, &c0, state[0]);
	load(&a1, &c1, state[1]);
	for (; nblocks > 0; nblocks--) {
		was_a0 = a0;
		was_c0 = c0;
		was_a1 = a1;
		was_c1 = c1;
		/* Two rounds a line; then the halves change their roles. */
		for (int i = 0; i < 64; i += 4) {
			w = _mm_loadl_epi64(
			    (const __m128i *)(schedule[at] + i));
			c0 = _mm_sha256rnds2_epu32(c0, a0, w);
			c1 = _mm_sha256rnds2_epu32(c1, a1, w);
			w = _mm_loadl_epi64(
			    (const __m128i *)(schedule[at] + i + 2));
			a0 = _mm_sha256rnds2_epu32(a0, c0, w);
			a1 = _mm_sha256rnds2_epu32(a1, c1, w);
		}
		a0 = _mm_add_epi32(a0, was_a0);
		c0 = _mm_add_epi32(c0, was_c0);
		a1 = _mm_add_epi32(a1, was_a1);
		c1 = _mm_add_epi32(c1, was_c1);
		at = at + 1 == n ? 0 : at + 1;
	}
	store(state[0], a0, c0);
	store(state[1], a1, c1);
}

#endif
