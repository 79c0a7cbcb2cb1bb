/*
 * What a path of AES provides.  For aes.c and the paths alone; see aes.h for
 * what the functions mean.
 */
#ifndef AES_IMPL_H
#define AES_IMPL_H

#include "aes.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define AES_X86
#endif

/* Where the compiler has the instructions without being told to, or where the
 * system can tell whether the machine has them. */
#if defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && \
    (defined(__ARM_FEATURE_AES) || (defined(__linux__) && \
    defined(__GNUC__) && !defined(__clang__)))
#define AES_ARM
#endif

/*
 * Lengths are in blocks.  A struct aes belongs to the path whose init filled
 * it in.
 */
struct aes_impl {
	const char *name;
	unsigned lanes;
	int (*present)(void); /* whether this machine can run it */
	void (*init)(struct aes *a, const uint8_t key[AES_KEY_SIZE]);
	void (*encrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
	    size_t nblocks);
	void (*decrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
	    size_t nblocks);
	void (*cbc_encrypt)(const struct aes *a, uint8_t *dst,
	    const uint8_t *src, size_t nblocks);
	void (*cbc_decrypt)(const struct aes *a, uint8_t *dst,
	    const uint8_t *src, size_t nblocks);
	void (*ctr)(const struct aes *a, uint8_t *dst, const uint8_t *src,
	    size_t nblocks, const uint8_t nonce[8], uint64_t block);
	void (*ctrmac)(const struct aes *a, const uint8_t nonce[8],
	    struct aes_lane *lanes, unsigned nlanes, size_t nblocks,
	    int encrypt);
	void (*iterate)(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
	    size_t nkeys, unsigned n);
};

#ifdef AES_X86
extern const struct aes_impl aes_vaes;
extern const struct aes_impl aes_aesni;
#endif
#ifdef AES_ARM
extern const struct aes_impl aes_armv8;
#endif

#endif
