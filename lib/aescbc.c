#include <assert.h>
#include <string.h>

#include <tomcrypt.h>

#include "aescbc.h"
#include "secret.h"

#define BLOCK AESCBC_BLOCK_SIZE

static void
xor_block(uint8_t dst[BLOCK], const uint8_t a[BLOCK], const uint8_t b[BLOCK])
{
	for (size_t i = 0; i < BLOCK; i++)
		dst[i] = a[i] ^ b[i];
}

/* Lengths are ours, so the schedule cannot fail. */
static void
schedule(symmetric_key *s, const uint8_t *key, size_t keylen)
{
	int r = aes_setup(key, (int)keylen, 0, s);

	assert(r == CRYPT_OK);
	(void)r;
}

void
aescbc_encrypt(const uint8_t *key, size_t keylen, const uint8_t iv[BLOCK],
    uint8_t *dst, const uint8_t *src, size_t n)
{
	symmetric_key s;
	uint8_t chain[BLOCK];

	schedule(&s, key, keylen);
	memcpy(chain, iv, BLOCK);
	for (; n >= BLOCK; n -= BLOCK, dst += BLOCK, src += BLOCK) {
		xor_block(chain, chain, src);
		aes_ecb_encrypt(chain, chain, &s);
		memcpy(dst, chain, BLOCK);
	}
	secret_zero(&s, sizeof s);
}

void
aescbc_decrypt(const uint8_t *key, size_t keylen, const uint8_t iv[BLOCK],
    uint8_t *dst, const uint8_t *src, size_t n)
{
	symmetric_key s;
	uint8_t chain[BLOCK], next[BLOCK], plain[BLOCK];

	schedule(&s, key, keylen);
	memcpy(chain, iv, BLOCK);
	for (; n >= BLOCK; n -= BLOCK, dst += BLOCK, src += BLOCK) {
		memcpy(next, src, BLOCK);
		aes_ecb_decrypt(src, plain, &s);
		xor_block(dst, plain, chain);
		memcpy(chain, next, BLOCK);
	}
	secret_zero(&s, sizeof s);
	secret_zero(plain, sizeof plain);
}
