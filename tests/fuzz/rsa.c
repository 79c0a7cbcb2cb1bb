/*
 * RSA keys and messages from a stranger.
 *
 * Input: two bytes that count those of a key, the key's blob, and a message:
 * to be decrypted if the key is a private one, encrypted if public.
 */
#include <stdlib.h>

#include "rsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
try_private(const uint8_t *key, size_t keylen, const uint8_t *msg, size_t n)
{
	uint8_t out[RSA_BLOB_MAX];
	struct rsa_private *k, *again;
	size_t len;

	if (rsa_private_unpack(&k, key, keylen) < 0)
		return;
	len = rsa_private_pack(k, out);
	if (len > sizeof out || rsa_private_unpack(&again, out, len) < 0)
		abort();
	if (rsa_decrypt(k, out, RSA_BYTES_MAX, &len, msg, n) == 0 &&
	    len > RSA_BYTES_MAX)
		abort();
	rsa_private_free(again);
	rsa_private_free(k);
}

static void
try_public(const uint8_t *key, size_t keylen, const uint8_t *msg, size_t n)
{
	uint8_t out[2 * (RSA_BYTES_MAX + 2)];
	struct rsa_public *k, *again;
	size_t len;

	if (rsa_public_unpack(&k, key, keylen) < 0)
		return;
	len = rsa_public_pack(k, out);
	if (len > sizeof out || rsa_public_unpack(&again, out, len) < 0)
		abort();
	if (rsa_encrypt(k, out, msg, n, 0) > RSA_BYTES_MAX + 2)
		abort();
	rsa_public_free(again);
	rsa_public_free(k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t keylen;

	if (n < 2)
		return 0;
	keylen = (size_t)(p[0] << 8 | p[1]);
	p += 2;
	n -= 2;
	if (keylen > n)
		keylen = n;
	try_private(p, keylen, p + keylen, n - keylen);
	try_public(p, keylen, p + keylen, n - keylen);
	return 0;
}
