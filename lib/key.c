#include <assert.h>
#include <string.h>

#include "aes.h"
#include "key.h"
#include "secret.h"

/* Layout of a packed file key: the AES key hidden under what follows it, the
 * nonce, the meta-MAC. */
#define AT_NONCE KEY_SIZE
#define AT_MAC   (KEY_SIZE + KEY_NONCE_SIZE)

static void
xor_halves(uint8_t out[KEY_SIZE], const uint8_t blob[KEY_FILE_SIZE])
{
	for (size_t i = 0; i < KEY_SIZE; i++)
		out[i] = blob[i] ^ blob[KEY_SIZE + i];
}

void
key_unpack_file(struct filekey *k, const uint8_t blob[KEY_FILE_SIZE])
{
	xor_halves(k->key, blob);
	memcpy(k->nonce, blob + AT_NONCE, KEY_NONCE_SIZE);
	memcpy(k->mac, blob + AT_MAC, KEY_META_SIZE);
}

void
key_pack_file(uint8_t blob[KEY_FILE_SIZE], const struct filekey *k)
{
	memcpy(blob, k->key, KEY_SIZE);
	memcpy(blob + AT_NONCE, k->nonce, KEY_NONCE_SIZE);
	memcpy(blob + AT_MAC, k->mac, KEY_META_SIZE);
	xor_halves(blob, blob);
}

void
key_new_file(struct filekey *k)
{
	secret_random(k->key, sizeof k->key);
	secret_random(k->nonce, sizeof k->nonce);
	memset(k->mac, 0, sizeof k->mac);
}

void
key_fold(uint8_t out[KEY_SIZE], const uint8_t *key, size_t n)
{
	assert(n == KEY_SIZE || n == KEY_FILE_SIZE);
	if (n == KEY_FILE_SIZE)
		xor_halves(out, key);
	else
		memmove(out, key, KEY_SIZE);
}

int
key_is_zero(const uint8_t *key, size_t n)
{
	static const uint8_t zero[KEY_SIZE];
	uint8_t folded[KEY_SIZE];
	int r;

	key_fold(folded, key, n);
	r = secret_equal(folded, zero, sizeof zero);
	secret_zero(folded, sizeof folded);
	return r;
}

void
key_wrap(uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t by[KEY_SIZE])
{
	struct aes a;

	assert(n % AES_BLOCK_SIZE == 0);
	aes_init(&a, by);
	aes_encrypt(&a, dst, src, n / AES_BLOCK_SIZE);
	aes_wipe(&a);
}

void
key_unwrap(uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t by[KEY_SIZE])
{
	struct aes a;

	assert(n % AES_BLOCK_SIZE == 0);
	aes_init(&a, by);
	aes_decrypt(&a, dst, src, n / AES_BLOCK_SIZE);
	aes_wipe(&a);
}

void
key_share_auth(uint8_t ha[KEY_SIZE], const char handle[8],
    const uint8_t master[KEY_SIZE])
{
	memcpy(ha, handle, 8);
	memcpy(ha + 8, handle, 8);
	key_wrap(ha, ha, KEY_SIZE, master);
}
