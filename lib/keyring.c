#include <stdlib.h>

#include <tomcrypt.h>

#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "keyring.h"
#include "mem.h"
#include "secret.h"

/*
 * offset  length  meaning
 * 0       2       20, 0
 * 2       12      IV
 * 14      …       records, AES-128-GCM under a key made from the master key
 * -16     16      its tag
 *
 * A record is a tag (1), its length (3, big-endian) and so many bytes.
 */
#define AT_IV       2
#define IV_SIZE     12
#define AT_RECORDS  (AT_IV + IV_SIZE)
#define TAG_SIZE    16
#define RECORD_HEAD 4

/* The record of share keys: handle (6), key (16), flags (1), repeated. */
#define SHARE_KEYS  48
#define HANDLE_SIZE 6
#define KEY_BYTES   16
#define ENTRY_SIZE  (HANDLE_SIZE + KEY_BYTES + 1)

/* Decrypt n bytes in place.  ERR_MAC without a text. */
static int
decrypt(uint8_t *p, size_t n, const uint8_t iv[IV_SIZE],
    const uint8_t want[TAG_SIZE], const uint8_t master[16])
{
	static const uint8_t info[] = { 1 };
	uint8_t key[16], tag[TAG_SIZE];
	unsigned long len = sizeof tag;
	gcm_state g;
	int r;

	kdf_hkdf_sha256(key, sizeof key, master, 16, info, sizeof info);
	r = gcm_init(&g, register_cipher(&aes_desc), key, sizeof key);
	if (r == CRYPT_OK)
		r = gcm_add_iv(&g, iv, IV_SIZE);
	/* Even where there is none, it has to be told. */
	if (r == CRYPT_OK)
		r = gcm_add_aad(&g, NULL, 0);
	if (r == CRYPT_OK)
		r = gcm_process(&g, p, (unsigned long)n, p, GCM_DECRYPT);
	if (r == CRYPT_OK)
		r = gcm_done(&g, tag, &len);
	secret_zero(&g, sizeof g);
	secret_zero(key, sizeof key);
	return r == CRYPT_OK && secret_equal(tag, want, sizeof tag) ? 0 :
	    ERR_MAC;
}

static int
read_shares(const uint8_t *p, size_t n,
    int (*fn)(void *ctx, const uint8_t *h, const uint8_t *key), void *ctx)
{
	int r = 0;

	for (; n >= ENTRY_SIZE && r >= 0; p += ENTRY_SIZE, n -= ENTRY_SIZE)
		r = fn(ctx, p, p + HANDLE_SIZE);
	return r < 0 ? r : 0;
}

static int
read_records(const uint8_t *p, size_t n,
    int (*fn)(void *ctx, const uint8_t *h, const uint8_t *key), void *ctx)
{
	int r = 0;

	while (n >= RECORD_HEAD && r == 0) {
		size_t len = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (len > n - RECORD_HEAD)
			return err_set(ERR_PROTO, "key manager: a record of "
			    "%zu bytes", len);
		if (p[0] == SHARE_KEYS)
			r = read_shares(p + RECORD_HEAD, len, fn, ctx);
		p += RECORD_HEAD + len;
		n -= RECORD_HEAD + len;
	}
	return r;
}

int
keyring_open(struct slice text, const uint8_t master[16],
    int (*fn)(void *ctx, const uint8_t *h, const uint8_t *key), void *ctx)
{
	uint8_t *p;
	size_t n;
	int r;

	if (B64_BYTES(text.n) > KEYRING_MAX)
		return err_set(ERR_PROTO, "key manager: too large");
	p = xmalloc(B64_BYTES(text.n) + 1);
	n = b64_decode(p, text.p, text.n);
	if (n < AT_RECORDS + TAG_SIZE || p[0] != 20 || p[1] != 0) {
		r = err_set(ERR_PROTO, "key manager: not of a known form");
		goto out;
	}
	if ((r = decrypt(p + AT_RECORDS, n - AT_RECORDS - TAG_SIZE,
	    p + AT_IV, p + n - TAG_SIZE, master)) < 0) {
		r = err_set(r, "key manager: does not authenticate");
		goto out;
	}
	r = read_records(p + AT_RECORDS, n - AT_RECORDS - TAG_SIZE, fn, ctx);
out:
	secret_zero(p, n);
	free(p);
	return r;
}
