#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <tomcrypt.h>

#include "aes.h"
#include "kdf.h"
#include "mem.h"
#include "secret.h"

#define HASH_MAX        64  /* bytes of the longest hash, SHA-512 */
#define HASH_BLOCK_MAX  128

#define V1_KEY_ROUNDS   65536
#define V1_HASH_ROUNDS  16384
#define V2_ROUNDS       100000
#define V2_LABEL        "mega.nz"
#define V2_LABEL_WIDTH  200 /* of address and label, padded */

/*
 * HMAC as its two hash states with the key absorbed.  They are kept, so that
 * one key serves many messages; any key length is good, also zero.
 */
struct keyed {
	const struct ltc_hash_descriptor *hash;
	hash_state inner, outer;
};

/* libtomcrypt ends the process over a NULL, even of no bytes. */
static void
feed(const struct ltc_hash_descriptor *hash, hash_state *s, const void *p,
    size_t n)
{
	if (n > 0)
		hash->process(s, p, n);
}

/* The state of a hash that has absorbed the padded key, each byte XOR x. */
static void
keyed_absorb(hash_state *s, const struct ltc_hash_descriptor *hash,
    const uint8_t *key, size_t n, uint8_t x)
{
	uint8_t block[HASH_BLOCK_MAX];

	memset(block, x, sizeof block);
	for (size_t i = 0; i < n; i++)
		block[i] ^= key[i];
	hash->init(s);
	hash->process(s, block, hash->blocksize);
	secret_zero(block, sizeof block);
}

static void
keyed_init(struct keyed *h, const struct ltc_hash_descriptor *hash,
    const void *key, size_t n)
{
	uint8_t digest[HASH_MAX];

	h->hash = hash;
	if (n > hash->blocksize) {
		hash->init(&h->inner);
		hash->process(&h->inner, key, n);
		hash->done(&h->inner, digest);
		key = digest;
		n = hash->hashsize;
	}
	keyed_absorb(&h->inner, hash, key, n, 0x36);
	keyed_absorb(&h->outer, hash, key, n, 0x5c);
	secret_zero(digest, sizeof digest);
}

/* HMAC of a message in two pieces. */
static void
keyed_hash(uint8_t *out, const struct keyed *h, const void *a, size_t alen,
    const void *b, size_t blen)
{
	hash_state s = h->inner;

	feed(h->hash, &s, a, alen);
	feed(h->hash, &s, b, blen);
	h->hash->done(&s, out);
	s = h->outer;
	h->hash->process(&s, out, h->hash->hashsize);
	h->hash->done(&s, out);
	secret_zero(&s, sizeof s);
}

void
kdf_sha256(uint8_t out[32], const void *p, size_t n)
{
	hash_state s;

	sha256_init(&s);
	feed(&sha256_desc, &s, p, n);
	sha256_done(&s, out);
	secret_zero(&s, sizeof s);
}

void
kdf_hmac_sha256(uint8_t out[32], const void *key, size_t keylen,
    const void *p, size_t n)
{
	struct keyed h;

	keyed_init(&h, &sha256_desc, key, keylen);
	keyed_hash(out, &h, p, n, NULL, 0);
	secret_zero(&h, sizeof h);
}

/* RFC 5869: extract, then the first block of expand, which is all of it. */
void
kdf_hkdf_sha256(uint8_t *out, size_t outlen, const void *ikm, size_t ikmlen,
    const void *info, size_t infolen)
{
	uint8_t block[32];
	struct keyed h;

	assert(outlen <= sizeof block);
	kdf_hmac_sha256(block, NULL, 0, ikm, ikmlen);
	keyed_init(&h, &sha256_desc, block, sizeof block);
	keyed_hash(block, &h, info, infolen, "\1", 1);
	memcpy(out, block, outlen);
	secret_zero(block, sizeof block);
	secret_zero(&h, sizeof h);
}

/* A copy with ASCII capitals made small, which the caller frees. */
static char *
lowercase(const char *text)
{
	char *s = xstrdup(text);

	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return s;
}

/* The character at s, and how many bytes it takes: one, standing for
 * itself, where s is no UTF-8. */
static unsigned
utf8_next(const uint8_t *s, size_t *len)
{
	static const struct {
		uint8_t mask, lead;
		unsigned least;
	} form[] = {
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	unsigned c;

	*len = 1;
	for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
		if ((s[0] & form[i].mask) != form[i].lead)
			continue;
		c = s[0] & (unsigned)(uint8_t)~form[i].mask;
		for (size_t j = 1; j <= i + 1; j++) {
			if ((s[j] & 0xc0) != 0x80)
				return s[0];
			c = c << 6 | (s[j] & 0x3f);
		}
		if (c < form[i].least || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return s[0];
		*len = i + 2;
		return c;
	}
	return s[0];
}

/*
 * Put a UTF-16 code unit into slot i.  Old clients shifted it whole into a
 * 32-bit word: its high byte spills into the slot to the left, and is lost
 * where the word begins.
 */
static void
slot_add(uint8_t *slots, size_t i, unsigned unit)
{
	slots[i] |= (uint8_t)unit;
	if (i % 4 != 0)
		slots[i - 1] |= (uint8_t)(unit >> 8);
}

/* Fill zeroed slots, one per byte of the password at most.  Returns how many
 * were filled. */
static size_t
slots_fill(uint8_t *slots, const char *password)
{
	const uint8_t *s = (const uint8_t *)password;
	size_t n = 0, len;

	for (; *s != '\0'; s += len) {
		unsigned c = utf8_next(s, &len);

		if (c >= 0x10000) {
			slot_add(slots, n++, 0xd7c0 + (c >> 10));
			c = 0xdc00 | (c & 0x3ff);
		}
		slot_add(slots, n++, c);
	}
	return n;
}

void
kdf_v1_key(uint8_t key[KDF_KEY_SIZE], const char *password)
{
	static const uint8_t start[KDF_KEY_SIZE] = {
		0x93, 0xc4, 0x67, 0xe3, 0x7d, 0xb0, 0xc7, 0xa4,
		0xd1, 0xbe, 0x3f, 0x81, 0x01, 0x52, 0xcb, 0x56,
	};
	size_t max = strlen(password) / AES_KEY_SIZE + 1, n;
	uint8_t (*slots)[AES_KEY_SIZE] = xcalloc(max, sizeof *slots);

	n = slots_fill(slots[0], password);
	memcpy(key, start, sizeof start);
	aes_iterate(key, (const uint8_t (*)[AES_KEY_SIZE])slots,
	    (n + AES_KEY_SIZE - 1) / AES_KEY_SIZE, V1_KEY_ROUNDS);
	secret_zero(slots, max * sizeof *slots);
	free(slots);
}

void
kdf_v1_uh(uint8_t uh[KDF_UH1_SIZE], const uint8_t key[KDF_KEY_SIZE],
    const void *text, size_t n)
{
	const uint8_t *p = text;
	uint8_t block[16] = { 0 }, keys[1][AES_KEY_SIZE];

	for (size_t i = 0; i < n; i++)
		block[i % sizeof block] ^= p[i];
	memcpy(keys[0], key, sizeof keys[0]);
	aes_iterate(block, (const uint8_t (*)[AES_KEY_SIZE])keys, 1,
	    V1_HASH_ROUNDS);
	memcpy(uh, block, 4);
	memcpy(uh + 4, block + 8, 4);
	secret_zero(keys, sizeof keys);
	secret_zero(block, sizeof block);
}

void
kdf_v1(uint8_t key[KDF_KEY_SIZE], uint8_t uh[KDF_UH1_SIZE],
    const char *password, const char *email)
{
	char *lower = lowercase(email);

	kdf_v1_key(key, password);
	kdf_v1_uh(uh, key, lower, strlen(lower));
	free(lower);
}

/* u becomes HMAC(u), and is added to sum.  Copies no more of a state than
 * SHA-512 uses, half of hash_state: it shows in the time of a login. */
static void
pbkdf2_round(uint8_t sum[64], uint8_t u[64], const struct keyed *h)
{
	hash_state s;

	s.sha512 = h->inner.sha512;
	sha512_process(&s, u, 64);
	sha512_done(&s, u);
	s.sha512 = h->outer.sha512;
	sha512_process(&s, u, 64);
	sha512_done(&s, u);
	for (int i = 0; i < 64; i++)
		sum[i] ^= u[i];
}

void
kdf_pbkdf2_sha512(uint8_t *out, size_t outlen, const void *password,
    size_t passlen, const void *salt, size_t saltlen, unsigned rounds)
{
	static const uint8_t first[4] = { 0, 0, 0, 1 };
	uint8_t sum[64], u[64];
	struct keyed h;

	assert(outlen <= sizeof sum && rounds > 0);
	keyed_init(&h, &sha512_desc, password, passlen);
	keyed_hash(u, &h, salt, saltlen, first, sizeof first);
	memcpy(sum, u, sizeof sum);
	for (unsigned i = 1; i < rounds; i++)
		pbkdf2_round(sum, u, &h);
	memcpy(out, sum, outlen);
	secret_zero(sum, sizeof sum);
	secret_zero(u, sizeof u);
	secret_zero(&h, sizeof h);
}

void
kdf_v2(uint8_t key[16], uint8_t uh[16], const char *password,
    const uint8_t salt[KDF_SALT_SIZE])
{
	uint8_t dk[32];

	kdf_pbkdf2_sha512(dk, sizeof dk, password, strlen(password), salt,
	    KDF_SALT_SIZE, V2_ROUNDS);
	memcpy(key, dk, 16);
	memcpy(uh, dk + 16, 16);
	secret_zero(dk, sizeof dk);
}

/* SHA-256 of the address and the label, filled up with 'P', and a tail. */
static void
labelled_hash(uint8_t out[32], const char *email, const void *tail, size_t n)
{
	size_t len = strlen(email);
	hash_state s;

	sha256_init(&s);
	feed(&sha256_desc, &s, email, len);
	sha256_process(&s, (const uint8_t *)V2_LABEL, strlen(V2_LABEL));
	for (len += strlen(V2_LABEL); len < V2_LABEL_WIDTH; len++)
		sha256_process(&s, (const uint8_t *)"P", 1);
	feed(&sha256_desc, &s, tail, n);
	sha256_done(&s, out);
	secret_zero(&s, sizeof s);
}

void
kdf_v2_salt(uint8_t salt[KDF_SALT_SIZE], const uint8_t crv[KDF_CRV_SIZE])
{
	labelled_hash(salt, "", crv, KDF_CRV_SIZE);
}

void
kdf_v2_fake_salt(uint8_t salt[KDF_SALT_SIZE], const char *email,
    const uint8_t *secret, size_t secretlen)
{
	/* Addresses that exist are found whatever their case, so those that
	 * do not must answer alike, too. */
	char *lower = lowercase(email);

	labelled_hash(salt, lower, secret, secretlen);
	free(lower);
}

void
kdf_v2_hak(uint8_t hak[16], const uint8_t uh[16])
{
	uint8_t hash[32];

	kdf_sha256(hash, uh, 16);
	memcpy(hak, hash, 16);
	secret_zero(hash, sizeof hash);
}
