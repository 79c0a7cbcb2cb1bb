/*
 * RSA: the blobs in which keys travel, session ids, and what to refuse.
 */
#include <string.h>

#include <tommath.h>

#include "aes.h"
#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "rsa.h"
#include "rsakey.h"
#include "tap.h"

#define HEX_P \
    "c996ec9c85654e57530c962cc2398d437941a5f51c3a7d37adf67a8cb016c9ab" \
    "c8b7dee849013da15c38ec642fec5c959a7b6d59d54668017b1c11c4b557b962" \
    "1a39b53e4427ad61d445eecf3dc16097e95802225a53451a64878e4dd0910057" \
    "d4e3ccf621b8ff200b25ceb445135cc6a3af3530a2c6ed4ba3d8d4cf6eec3fd7"
#define HEX_Q \
    "ea8de943af9b02367d572d3da93f2ece6825b8eb24397593cf411e10554d446a" \
    "5bbd27fd85163d242bc66fe869acf2f9e628b5f572dfd7c7feb3aa4be73585af" \
    "e05def0af2349c794f8f3c9fc25b4c0d8ff7248abe53d6eca5f37668e27f8e8e" \
    "25075bb66a07324be9d479cda6c8e3940c927d028fbe18dc1035a9e89ea3a91d"
#define HEX_D \
    "072fd533b2dbe6ff80ccde5c0fe78a70689da619ae56e710726eae16e9e7f2c3" \
    "471b2b2fe2611607a9978f4b72825465977e9b9a053a5c81fc59566f87ef3810" \
    "95c13e105e4bcb87bcfe9293b81666809a458a256dea3fdc8ce2a2bab4778b4c" \
    "a129a08ab5e06079aeb5bea70c16f7c12a620f7982a0f87b631ccfed12baf81e" \
    "0b004f96963853bd1642473b90f68e00877be207b02331fb1c887e5db915ed7b" \
    "f40180f1d2a68f0724de3726fa4babf53a47c461e677da09a575d42862d4f94f" \
    "41ddb0c0f535bcb2f456943840926dea805a3690a0eb3e3672dc79d32d022ed8" \
    "87bca064f7790f998017d0f1c0e88f24058c83a1b1bc4e920c9a477b44e77d11"
#define HEX_U \
    "2d6db7863cb7e617c28ff87cd823e80476ee643053ee7c6ed0c12faa33a5c584" \
    "3df3bf107f4d1a073ccb459cb3b42728db90506d6d959b118042903acc0786a9" \
    "cf4288c370fe0bf1df9849640c8df070939571f615baaa76d82f32ed59c7a645" \
    "db75363194494a6a5cad726dafcb81773935fcf002a170e7c5f3e91208953264"

#define BLOB_SIZE 656
#define MPIS_SIZE 648 /* of which numbers */

static uint8_t blob[BLOB_SIZE];
static struct rsa_private *priv;
static struct rsa_public *pub;

static size_t
put_hex(uint8_t *out, const char *hex)
{
	size_t n = unhex(out + 2, hex);

	out[0] = (uint8_t)(n * 8 >> 8);
	out[1] = (uint8_t)(n * 8);
	return 2 + n;
}

static void
test_unpack(void)
{
	static const uint8_t master[16] = {
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
	};
	uint8_t sealed[BLOB_SIZE], out[RSA_BLOB_MAX], hash[32];
	struct aes a;
	size_t n = 0;

	n += put_hex(blob + n, HEX_P);
	n += put_hex(blob + n, HEX_Q);
	n += put_hex(blob + n, HEX_D);
	n += put_hex(blob + n, HEX_U);
	ok(n == MPIS_SIZE, "four numbers");
	for (int i = 1; n < BLOB_SIZE; i++)
		blob[n++] = (uint8_t)i;
	kdf_sha256(hash, blob, BLOB_SIZE);
	ok(same(hash, 32, "c132e943c5ff535398e0e79061ec0be2"
	    "bff3aa7d3535e74d039de37621380951"), "hash of the blob");

	ok(b64_decode_exact(sealed, sizeof sealed, PRIVK, strlen(PRIVK)) == 0,
	    "privk is as long as the blob");
	aes_init(&a, master);
	aes_decrypt(&a, sealed, sealed, sizeof sealed / 16);
	ok(memcmp(sealed, blob, BLOB_SIZE) == 0, "privk decrypts to the blob");

	ok(rsa_private_unpack(&priv, blob, BLOB_SIZE) == 0,
	    "private key unpacks");
	n = rsa_private_pack(priv, out);
	ok(n == BLOB_SIZE && memcmp(out, blob, MPIS_SIZE) == 0,
	    "private key packs to the same numbers");

	n = b64_decode(sealed, PUBK, strlen(PUBK));
	ok(n == 262 && rsa_public_unpack(&pub, sealed, n) == 0,
	    "public key unpacks");
	ok(rsa_public_pack(pub, out) == n && memcmp(out, sealed, n) == 0,
	    "public key packs to the same");
}

static void
test_wide_exponent(void)
{
	uint8_t b[264], out[RSA_BLOB_MAX];
	struct rsa_public *k;

	b64_decode(b, PUBK, strlen(PUBK));
	memcpy(b + 258, "\0\x20\0\0\1\1", 6);
	ok(rsa_public_unpack(&k, b, sizeof b) == 0,
	    "exponent with zeros before it");
	ok(rsa_public_pack(k, out) == 262 && out[259] == 16,
	    "packs without them");
	rsa_public_free(k);
}

static void
test_sid(void)
{
	uint8_t c[258], m[256];
	char text[59];
	size_t len;
	int r;

	ok(b64_decode_exact(c, sizeof c, CSID, strlen(CSID)) == 0, "csid");
	r = rsa_decrypt(priv, m, sizeof m, &len, c, sizeof c);
	ok(r == 0 && len == 255 && eq(b64_encode(text, m, 43), SID), "sid");
	r = rsa_decrypt(priv, m, 43, &len, c, sizeof c);
	ok(r == 0 && len == 255 && eq(b64_encode(text, m, 43), SID),
	    "sid alone");

	ok(b64_decode_exact(c, sizeof c, EDGE, strlen(EDGE)) == 0,
	    "csid whose sid begins with a zero byte");
	r = rsa_decrypt(priv, m, sizeof m, &len, c, sizeof c);
	ok(r == 0 && len == 254 &&
	    memcmp(m, "\0BCDEFGHIJKLMNOPAQIDBAUGBwgabcdefghijklmnop", 43) == 0,
	    "sid keeps its zero byte");
}

/* How a message of n bytes as MPI (its first two bytes are set here) reads. */
static int
decrypt(uint8_t m[256], size_t *len, uint8_t *c, size_t n, size_t trailing)
{
	c[0] = (uint8_t)(n * 8 >> 8);
	c[1] = (uint8_t)(n * 8);
	return rsa_decrypt(priv, m, 256, len, c, 2 + n + trailing);
}

static void
test_decrypt_bounds(void)
{
	uint8_t c[2 + 1024], m[257], n[262], zero[254] = { 0 };
	size_t len;

	memset(c, 0, sizeof c);
	ok(decrypt(m, &len, c, 0, 0) == 0 && len == 254 &&
	    memcmp(m, zero, 254) == 0, "0 is 254 zero bytes");
	c[2] = 1;
	ok(decrypt(m, &len, c, 1, 0) == 0 && len == 254 && m[253] == 1 &&
	    memcmp(m, zero, 253) == 0, "1 is 1");
	ok(decrypt(m, &len, c, 1, 15) == 0, "15 bytes may follow");
	ok(decrypt(m, &len, c, 1, 16) == ERR_PROTO, "16 may not");

	b64_decode(n, PUBK, strlen(PUBK));
	memcpy(c + 2, n + 2, 256);
	ok(decrypt(m, &len, c, 256, 0) == ERR_PROTO, "not the modulus");
	c[257]--;
	m[43] = 0xa5;
	ok(rsa_decrypt(priv, m, 43, &len, c, 258) == 0 && len == 256 &&
	    m[43] == 0xa5, "the message stays within its room");
	ok(decrypt(m, &len, c, 256, 0) == 0 && len == 256 &&
	    memcmp(m, c + 2, 256) == 0, "the modulus - 1 is itself");
	memset(c + 2, 0xff, 1024);
	ok(decrypt(m, &len, c, 256, 0) == ERR_PROTO, "nothing above it");
	ok(decrypt(m, &len, c, 512, 0) == ERR_PROTO, "nor twice as long");
	ok(decrypt(m, &len, c, 513, 0) == ERR_PROTO, "nor over our ceiling");
	ok(rsa_decrypt(priv, m, 256, &len, c, 0) == ERR_PROTO &&
	    rsa_decrypt(priv, m, 256, &len, c, 1) == ERR_PROTO &&
	    rsa_decrypt(priv, m, 256, &len, c, 257) == ERR_PROTO,
	    "nor cut short");
}

static void
test_encrypt(void)
{
	static const struct {
		size_t n, total, len;
	} good[] = {
		{ 0, 0, 254 }, { 1, 0, 254 }, { 43, 255, 255 },
		{ 254, 0, 254 }, { 255, 255, 255 }, { 16, 16, 254 },
	};
	uint8_t msg[256], c[RSA_BYTES_MAX + 2], again[RSA_BYTES_MAX + 2];
	uint8_t m[256];
	size_t len, at;
	int n;

	memset(msg, 'm', sizeof msg);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		n = rsa_encrypt(pub, c, msg, good[i].n, good[i].total);
		/* A short message is a small number, and reads padded. */
		at = good[i].total == 16 ? 238 : 0;
		ok(n > 0 && rsa_decrypt(priv, m, sizeof m, &len, c,
		    (size_t)n) == 0 && len == good[i].len &&
		    memcmp(m + at, msg, good[i].n) == 0,
		    "%zu bytes in %zu there and back", good[i].n,
		    good[i].total);
	}
	n = rsa_encrypt(pub, c, msg, 43, 0);
	ok(rsa_encrypt(pub, again, msg, 43, 0) > 0 &&
	    memcmp(c, again, (size_t)n) != 0, "random bytes differ");
	msg[0] = msg[1] = '\0';
	n = rsa_encrypt(pub, c, msg, 43, 0);
	ok(rsa_decrypt(priv, m, sizeof m, &len, c, (size_t)n) == 0 &&
	    len == 254 && memcmp(m, msg, 43) == 0,
	    "zero bytes in front survive");
	ok(rsa_encrypt(pub, c, msg, 255, 0) == ERR_ARGS &&
	    rsa_encrypt(pub, c, msg, 44, 43) == ERR_ARGS &&
	    rsa_encrypt(pub, c, msg, 43, 256) == ERR_ARGS,
	    "messages that are too long");
}

static size_t
put_int(uint8_t *out, const mp_int *a)
{
	size_t n;

	if (mp_to_ubin(a, out + 2, RSA_BLOB_MAX, &n) != MP_OKAY)
		abort();
	out[0] = (uint8_t)(n * 8 >> 8);
	out[1] = (uint8_t)(n * 8);
	return 2 + n;
}

/* Unpack a private key forged from p, q and d in hexadecimal, with u as it
 * must be, plus a multiple of q. */
static int
forge(struct rsa_private **k, const char *p, const char *q, const char *d,
    unsigned times)
{
	uint8_t b[2 * RSA_BLOB_MAX];
	mp_int v[4], x;
	size_t n = 0;
	int bad;

	bad = mp_init_multi(&v[0], &v[1], &v[2], &v[3], &x, NULL) != MP_OKAY ||
	    mp_read_radix(&v[0], p, 16) != MP_OKAY ||
	    mp_read_radix(&v[1], q, 16) != MP_OKAY ||
	    mp_read_radix(&v[2], d, 16) != MP_OKAY ||
	    mp_invmod(&v[0], &v[1], &v[3]) != MP_OKAY ||
	    mp_mul_d(&v[1], times, &x) != MP_OKAY ||
	    mp_add(&v[3], &x, &v[3]) != MP_OKAY;
	if (bad)
		abort();
	for (int i = 0; i < 4; i++)
		n += put_int(b + n, &v[i]);
	mp_clear_multi(&v[0], &v[1], &v[2], &v[3], &x, NULL);
	return rsa_private_unpack(k, b, n);
}

/* n hexadecimal digits: first, then fill, then last. */
static const char *
digits(char *out, size_t n, char first, char fill, char last)
{
	memset(out, fill, n);
	out[0] = first;
	out[n - 1] = last;
	out[n] = '\0';
	return out;
}

static void
test_unsound(void)
{
	char x[1100], y[1100];
	struct rsa_private *k;

	ok(forge(&k, HEX_P, HEX_Q, HEX_D, 0) == 0, "the good key, forged");
	rsa_private_free(k);
	ok(forge(&k, HEX_P, HEX_Q, HEX_D, 1) == ERR_KEY && k == NULL,
	    "u above q");
	ok(forge(&k, HEX_P, HEX_Q, HEX_U, 0) == ERR_KEY, "d too short");
	ok(forge(&k, digits(x, 250, 'f', '0', '7'), HEX_Q, HEX_D, 0) ==
	    ERR_KEY, "p of 1000 bits");
	ok(forge(&k, HEX_P, digits(x, 250, 'f', '0', '7'), HEX_D, 0) ==
	    ERR_KEY, "q of 1000 bits");
	/* p = (2 q + 1) / 3, hence u = 3. */
	ok(forge(&k, digits(x, 256, 'a', 'a', '9'),
	    digits(y, 256, 'f', 'f', 'd'), HEX_D, 0) == ERR_KEY,
	    "u too short");
	ok(forge(&k, digits(x, 256, 'f', '3', '2'), HEX_Q, HEX_D, 0) ==
	    ERR_KEY, "p even");
	ok(forge(&k, HEX_P, digits(x, 256, 'f', '3', '2'), HEX_D, 0) ==
	    ERR_KEY, "q even");
	ok(forge(&k, digits(x, 513, 'f', '3', '1'),
	    digits(y, 513, 'f', '5', '7'), HEX_D, 0) == ERR_KEY,
	    "a modulus over our ceiling");
}

/* Keys that pass but are no keys: decrypting must end, no more. */
static void
test_weird(void)
{
	static const struct {
		size_t p, q;
		char fill[2][3];
	} shape[] = {
		{ 256, 256, { "fff", "ff1" } },
		{ 256, 257, { "fff", "ffd" } },
		{ 251, 773, { "103", "105" } },
		{ 773, 251, { "f0f", "f0d" } },
		{ 512, 512, { "f03", "f0d" } },
	};
	char p[1100], q[1100], d[1100];
	uint8_t c[2 + 240], m[RSA_BYTES_MAX];
	struct rsa_private *k;
	size_t len;

	c[0] = 240 * 8 >> 8;
	c[1] = 240 * 8 & 0xff;
	memset(c + 2, 0x5a, 240);
	digits(d, 1024, 'f', 'f', 'e');
	for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
		const char *a = shape[i].fill[0], *b = shape[i].fill[1];

		ok(forge(&k, digits(p, shape[i].p, a[0], a[1], a[2]),
		    digits(q, shape[i].q, b[0], b[1], b[2]), d, 0) == 0 &&
		    rsa_decrypt(k, m, sizeof m, &len, c, sizeof c) == 0 &&
		    len <= RSA_BYTES_MAX, "key without primes %zu", i);
		rsa_private_free(k);
	}
}

static void
test_truncated(void)
{
	uint8_t b[BLOB_SIZE + 16] = { 0 }, k262[262 + 16] = { 0 };
	struct rsa_private *k;
	struct rsa_public *e;
	int wrong = 0;

	memcpy(b, blob, BLOB_SIZE);
	for (size_t n = 0; n <= sizeof b; n++) {
		int r = rsa_private_unpack(&k, b, n);

		if (r != (n >= 648 && n < 664 ? 0 : ERR_KEY))
			wrong++;
		rsa_private_free(k);
	}
	ok(wrong == 0, "private key of every length");

	b64_decode(k262, PUBK, strlen(PUBK));
	wrong = 0;
	for (size_t n = 0; n <= sizeof k262; n++) {
		int r = rsa_public_unpack(&e, k262, n);

		if (r != (n >= 262 && n < 278 ? 0 : ERR_PROTO))
			wrong++;
		rsa_public_free(e);
	}
	ok(wrong == 0, "public key of every length");
}

static void
test_bad_public(void)
{
	static const struct {
		const char *what, *hex;
	} bad[] = {
		{ "zeros", "0000 0000" },
		{ "no exponent", "0008 0f" },
		{ "a tiny modulus", "0008 0f 0002 03" },
		{ "a huge count", "ffff 0f 0002 03" },
	};
	uint8_t b[516];
	struct rsa_public *k;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t n = unhex(b, bad[i].hex);

		ok(rsa_public_unpack(&k, b, n) == ERR_PROTO && k == NULL,
		    "public key: %s", bad[i].what);
	}
	b64_decode(b, PUBK, strlen(PUBK));
	b[257] &= 0xfe;
	ok(rsa_public_unpack(&k, b, 262) == ERR_PROTO, "an even modulus");
	b[257] |= 1;
	b[261] = 0;
	ok(rsa_public_unpack(&k, b, 262) == ERR_PROTO, "an even exponent");
	b[260] = 0;
	b[261] = 1;
	ok(rsa_public_unpack(&k, b, 262) == ERR_PROTO, "an exponent of 1");
	memcpy(b + 258, b, 258);
	ok(rsa_public_unpack(&k, b, 516) == ERR_PROTO,
	    "an exponent as large as the modulus");
}

static uint32_t
random_next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	return *x ^= *x << 5;
}

static void
mutate(uint8_t *p, size_t n, uint32_t *x)
{
	for (uint32_t i = random_next(x) % 4 + 1; i > 0; i--) {
		size_t at = random_next(x) % n;

		/* Half of the changes where the counts of bits are. */
		if (random_next(x) % 2 == 0)
			at = at / 130 * 130 + at % 2;
		p[at % n] = (uint8_t)random_next(x);
	}
}

static void
test_mutated(void)
{
	uint8_t b[BLOB_SIZE], k262[262], c[258], out[RSA_BLOB_MAX];
	struct rsa_private *k;
	struct rsa_public *e;
	uint32_t x = 20250807;
	size_t len;
	int r, wrong = 0;

	for (int i = 0; i < 500; i++) {
		memcpy(b, blob, sizeof b);
		mutate(b, sizeof b, &x);
		b64_decode(c, CSID, strlen(CSID));
		mutate(c, sizeof c, &x);
		r = rsa_private_unpack(&k, b, sizeof b);
		if (r == 0) {
			wrong += rsa_private_pack(k, out) > RSA_BLOB_MAX;
			r = rsa_decrypt(k, out, sizeof out, &len, c, sizeof c);
			wrong += r != 0 && r != ERR_PROTO;
		} else {
			wrong += r != ERR_KEY || k != NULL;
		}
		rsa_private_free(k);
	}
	ok(wrong == 0, "mutated private keys and messages");

	wrong = 0;
	for (int i = 0; i < 500; i++) {
		b64_decode(k262, PUBK, strlen(PUBK));
		mutate(k262, sizeof k262, &x);
		r = rsa_public_unpack(&e, k262, sizeof k262);
		if (r == 0) {
			r = rsa_encrypt(e, out, b, 43, 0);
			wrong += r <= 2 || r > RSA_BYTES_MAX + 2;
		} else {
			wrong += r != ERR_PROTO || e != NULL;
		}
		rsa_public_free(e);
	}
	ok(wrong == 0, "mutated public keys");
}

static void
test_generate(void)
{
	uint8_t b[RSA_BLOB_MAX], c[RSA_BYTES_MAX + 2], m[256];
	struct rsa_private *k, *again;
	struct rsa_public *e;
	size_t n, len;
	int r;

	ok(rsa_generate(&k, &e, 1024) == ERR_LOCAL && k == NULL && e == NULL,
	    "no short keys");
	ok(rsa_generate(&k, &e, 2048) == 0, "generate");
	n = rsa_private_pack(k, b);
	ok(n == BLOB_SIZE && b[0] == 4 && b[1] == 0 && b[2] >= 0xc0 &&
	    b[130] == 4 && b[131] == 0 && b[132] >= 0xc0,
	    "two primes of 1024 bits");
	ok(rsa_private_unpack(&again, b, n) == 0, "unpacks");
	r = rsa_encrypt(e, c, (const uint8_t *)"hello", 5, 0);
	ok(r > 0 && rsa_decrypt(again, m, sizeof m, &len, c, (size_t)r) == 0 &&
	    len == 254 && memcmp(m, "hello", 5) == 0, "works");
	ok(rsa_public_pack(e, b) == 262 && b[0] == 8 && b[1] == 0 &&
	    b[2] >= 0x80 && memcmp(b + 258, "\0\x10\1\1", 4) == 0,
	    "2048 bits, exponent 257");
	rsa_private_free(k);
	rsa_private_free(again);
	rsa_public_free(e);
}

int
main(void)
{
	test_unpack();
	test_wide_exponent();
	test_sid();
	test_decrypt_bounds();
	test_encrypt();
	test_unsound();
	test_weird();
	test_truncated();
	test_bad_public();
	test_mutated();
	test_generate();
	rsa_private_free(priv);
	rsa_public_free(pub);
	return done();
}
