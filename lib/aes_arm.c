/*
 * AES by the instructions of 64-bit ARM, "armv8".
 *
 * These add the key before a round instead of after it, so that nothing is
 * left to add first, and the last key is added by hand.
 */
#include "aes_impl.h"

#ifdef AES_ARM

#include <arm_neon.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "secret.h"

#ifdef __ARM_FEATURE_AES
#define ARMV8
#else
#define ARMV8  __attribute__((target("+crypto")))
#endif
#define ALWAYS static inline __attribute__((always_inline))

ARMV8 ALWAYS uint8x16_t
get(const void *p)
{
	return vld1q_u8(p);
}

ARMV8 ALWAYS void
put(void *p, uint8x16_t x)
{
	vst1q_u8(p, x);
}

ARMV8 ALWAYS uint8x16_t
add64(uint8x16_t x, uint8x16_t y)
{
	return vreinterpretq_u8_u64(vaddq_u64(vreinterpretq_u64_u8(x),
	    vreinterpretq_u64_u8(y)));
}

/* SubWord of FIPS 197, 5.2: ShiftRows changes nothing as all columns are
 * equal. */
ARMV8 ALWAYS uint32_t
sub_word(uint32_t w)
{
	return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(
	    vreinterpretq_u8_u32(vdupq_n_u32(w)), vdupq_n_u8(0))), 0);
}

ARMV8 static void
armv8_init(struct aes *a, const uint8_t key[AES_KEY_SIZE])
{
	static const uint8_t rcon[10] = {
		0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36
	};
	uint32_t w[4];

	memcpy(w, key, sizeof w);
	put(a->ek[0], get(w));
	put(a->dk[10], get(w));
	for (unsigned r = 1; r <= 10; r++) {
		w[0] ^= sub_word(w[3] >> 8 | w[3] << 24) ^ rcon[r - 1];
		for (unsigned i = 1; i < 4; i++)
			w[i] ^= w[i - 1];
		put(a->ek[r], get(w));
		put(a->dk[10 - r], r < 10 ? vaesimcq_u8(get(w)) : get(w));
	}
	secret_zero(w, sizeof w);
}

#define FN(name)          armv8_##name
#define TARGET            ARMV8
#define V                 uint8x16_t
#define WIDTH             1
#define LOAD              get
#define STORE             put
#define SPREAD            get
#define GATHER(p, at)     get((p)[0] + (at))
#define SCATTER(p, at, x) put((p)[0] + (at), (x))
#define XOR               veorq_u8
#define ADD64             add64
#define SHUFFLE           vqtbl1q_u8
#define FIRST(a)          vdupq_n_u8(0)
#define ENC(x, a, r)      vaesmcq_u8(vaeseq_u8((x), get((a)->ek[(r) - 1])))
#define ENCLAST(x, a, k)  veorq_u8(vaeseq_u8((x), get((a)->ek[9])), (k))
#define DECFIRST(a)       vdupq_n_u8(0)
#define DEC(x, a, r)      vaesimcq_u8(vaesdq_u8((x), get((a)->dk[(r) - 1])))
#define DECLAST(x, a)     veorq_u8(vaesdq_u8((x), get((a)->dk[9])), \
    get((a)->dk[10]))
#include "aes_wide.h"

static int
armv8_present(void)
{
#ifdef __linux__
	return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
	return 1; /* or AES_ARM would not be defined */
#endif
}

const struct aes_impl aes_armv8 = {
	.name = "armv8",
	.lanes = STITCH,
	.present = armv8_present,
	.init = armv8_init,
	.encrypt = armv8_encrypt,
	.decrypt = armv8_decrypt,
	.cbc_encrypt = armv8_cbc_encrypt,
	.cbc_decrypt = armv8_cbc_decrypt,
	.ctr = armv8_ctr,
	.ctrmac = armv8_ctrmac,
	.iterate = armv8_iterate
};

#endif
