/*
 * Every path of AES against FIPS 197, SP 800-38A and libtomcrypt itself.
 */
#include <tomcrypt.h>

#include "aes.h"
#include "tap.h"

#define KEY "2b7e151628aed2a6abf7158809cf4f3c"

/* SP 800-38A, appendix F: the plaintext of all examples. */
#define PLAIN "6bc1bee22e409f96e93d7e117393172a" \
              "ae2d8a571e03ac9c9eb76fac45af8e51" \
              "30c81c46a35ce411e5fbc1191a0a52ef" \
              "f69f2445df4f9b17ad2b417be66c3710"

#define BLOCKS 70 /* more than four groups of the widest path */
#define SPARE  16 /* room to misalign */

static uint32_t seed = 1;

static unsigned
random_below(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (unsigned)((uint64_t)seed * n >> 32);
}

static void
fill(uint8_t *p, size_t n)
{
	while (n-- > 0)
		*p++ = (uint8_t)random_below(256);
}

/* A block the plain way. */
static void
reference(uint8_t dst[16], const uint8_t src[16], const uint8_t key[16])
{
	symmetric_key k;

	if (rijndael_setup(key, 16, 0, &k) != CRYPT_OK)
		abort();
	rijndael_ecb_encrypt(src, dst, &k);
}

static void
xor16(uint8_t *p, const uint8_t *q)
{
	for (int i = 0; i < 16; i++)
		p[i] ^= q[i];
}

static void
fips_197(const char *path)
{
	uint8_t key[16], x[16];
	struct aes a;

	unhex(key, "000102030405060708090a0b0c0d0e0f");
	unhex(x, "00112233445566778899aabbccddeeff");
	aes_init(&a, key);
	aes_encrypt(&a, x, x, 1);
	ok(same(x, 16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
	    "%s: FIPS 197 C.1", path);
	aes_decrypt(&a, x, x, 1);
	ok(same(x, 16, "00112233445566778899aabbccddeeff"),
	    "%s: FIPS 197 C.1, backwards", path);

	unhex(key, KEY);
	unhex(x, "3243f6a8885a308d313198a2e0370734");
	aes_init(&a, key);
	aes_encrypt(&a, x, x, 1);
	ok(same(x, 16, "3925841d02dc09fbdc118597196a0b32"),
	    "%s: FIPS 197 B", path);
	aes_wipe(&a);
	ok(a.ek[0][0] == 0 && memcmp(&a, (uint8_t *)&a + 1, sizeof a - 1) == 0,
	    "%s: a wiped key is zero", path);
}

static void
sp_800_38a(const char *path)
{
	uint8_t key[16], iv[16], plain[64], x[64];
	struct aes a;

	unhex(key, KEY);
	unhex(plain, PLAIN);
	aes_init(&a, key);

	aes_encrypt(&a, x, plain, 4);
	ok(same(x, 64, "3ad77bb40d7a3660a89ecaf32466ef97"
	    "f5d3d58503b9699de785895a96fdbaaf43b1cd7f598ece23881b00e3ed030688"
	    "7b0c785e27e8ad3f8223207104725dd4"),
	    "%s: SP 800-38A F.1.1, ECB", path);
	aes_decrypt(&a, x, x, 4);
	ok(same(x, 64, PLAIN), "%s: SP 800-38A F.1.2", path);

	/* Their IV, added to the first block, since ours is zero. */
	unhex(iv, "000102030405060708090a0b0c0d0e0f");
	memcpy(x, plain, 64);
	xor16(x, iv);
	aes_cbc_encrypt(&a, x, x, 64);
	ok(same(x, 64, "7649abac8119b246cee98e9b12e9197d"
	    "5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e22229516"
	    "3ff1caa1681fac09120eca307586e1a7"),
	    "%s: SP 800-38A F.2.1, CBC", path);
	aes_cbc_decrypt(&a, x, x, 64);
	xor16(x, iv);
	ok(same(x, 64, PLAIN), "%s: SP 800-38A F.2.2", path);

	unhex(iv, "f0f1f2f3f4f5f6f7");
	aes_ctr(&a, x, plain, 64, iv, 0xf8f9fafbfcfdfeff);
	ok(same(x, 64, "874d6191b620e3261bef6864990db6ce"
	    "9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab"
	    "1e031dda2fbe03d1792170a0f3009cee"),
	    "%s: SP 800-38A F.5.1, CTR", path);
}

/* mega-protocol(7), "Test vectors": the keystream at file offsets. */
static void
keystream(const char *path)
{
	static const struct {
		uint64_t offset;
		const char *want;
	} at[] = {
		{ 0, "34e88a45873407546895945eba522db8" },
		{ 131072, "17141ae721ee008ada384efdac36fc7f" },
		{ 64ULL << 30, "2d44d7ad88668f2ed29daf1871a580f2" },
		{ 1ULL << 40, "c744dc0713cbf9717cc8d33c8dd5a1c3" },
	};
	uint8_t key[16], nonce[8], wide[64 * 16], x[16] = { 0 };
	struct aes a;
	size_t before = 24;

	unhex(key, KEY);
	unhex(nonce, "f0e1d2c3b4a59687");
	aes_init(&a, key);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		memset(x, 0, 16);
		aes_ctr(&a, x, x, 16, nonce, at[i].offset / 16);
		ok(same(x, 16, at[i].want), "%s: keystream at %llu", path,
		    (unsigned long long)at[i].offset);
	}

	memset(wide, 0, sizeof wide);
	aes_ctr(&a, wide, wide, sizeof wide, nonce,
	    (64ULL << 30) / 16 - before);
	ok(same(wide + 16 * before, 16, at[2].want),
	    "%s: keystream across 64 GiB", path);
	memset(wide, 0, sizeof wide);
	aes_ctr(&a, wide, wide, sizeof wide, nonce, 0 - (uint64_t)before);
	ok(same(wide + 16 * before, 16, at[0].want),
	    "%s: the block number does not carry into the nonce", path);
}

/* ECB and CBC of any number of blocks, anywhere, in place or not. */
static void
blocks(const char *path)
{
	static uint8_t in[16 * BLOCKS], want[16 * BLOCKS], chain[16];
	static uint8_t from[16 * BLOCKS + SPARE], to[16 * BLOCKS + SPARE];
	int ecb = 1, ecb_back = 1, cbc = 1, cbc_back = 1;
	uint8_t key[16];
	struct aes a;

	for (size_t n = 0; n <= BLOCKS; n++) {
		uint8_t *src = from + random_below(SPARE);
		uint8_t *dst = n % 2 == 0 ? src : to + random_below(SPARE);

		fill(key, 16);
		fill(in, sizeof in);
		aes_init(&a, key);

		for (size_t i = 0; i < n; i++)
			reference(want + 16 * i, in + 16 * i, key);
		memcpy(src, in, 16 * n);
		aes_encrypt(&a, dst, src, n);
		ecb &= memcmp(dst, want, 16 * n) == 0;
		aes_decrypt(&a, src, dst, n);
		ecb_back &= memcmp(src, in, 16 * n) == 0;

		memset(chain, 0, 16);
		for (size_t i = 0; i < n; i++) {
			xor16(chain, in + 16 * i);
			reference(chain, chain, key);
			memcpy(want + 16 * i, chain, 16);
		}
		aes_cbc_encrypt(&a, dst, src, 16 * n);
		cbc &= memcmp(dst, want, 16 * n) == 0;
		aes_cbc_decrypt(&a, src, dst, 16 * n);
		cbc_back &= memcmp(src, in, 16 * n) == 0;
	}
	ok(ecb, "%s: ECB of 0 to %d blocks", path, BLOCKS);
	ok(ecb_back, "%s: and back", path);
	ok(cbc, "%s: CBC of 0 to %d blocks", path, BLOCKS);
	ok(cbc_back, "%s: and back", path);
}

/* The keystream block by block. */
static void
reference_ctr(uint8_t *p, size_t n, const uint8_t key[16],
    const uint8_t nonce[8], uint64_t block)
{
	uint8_t x[16];

	for (size_t i = 0; i < n; i++) {
		if (i % 16 == 0) {
			memcpy(x, nonce, 8);
			for (int b = 15; b >= 8; b--)
				x[b] = (uint8_t)(block >> 8 * (15 - b));
			reference(x, x, key);
			block++;
		}
		p[i] ^= x[i % 16];
	}
}

static uint64_t
random_block(void)
{
	static const uint64_t from[] = {
		0, 250, 65530, UINT32_MAX - 9, UINT64_MAX - 9
	};

	return from[random_below(5)] + random_below(20);
}

static void
ctr(const char *path)
{
	static uint8_t in[16 * BLOCKS], want[16 * BLOCKS];
	static uint8_t from[16 * BLOCKS + SPARE], to[16 * BLOCKS + SPARE];
	uint8_t key[16], nonce[8];
	struct aes a;
	int good = 1, beyond = 1;

	for (size_t n = 0; n <= 16 * (BLOCKS - 1); n += 1 + n / 64) {
		uint8_t *src = from + random_below(SPARE);
		uint8_t *dst = n % 3 == 0 ? src : to + random_below(SPARE);
		uint64_t block = random_block();

		fill(key, 16);
		fill(nonce, 8);
		fill(in, sizeof in);
		memcpy(want, in, n);
		reference_ctr(want, n, key, nonce, block);
		memcpy(src, in, n);
		dst[n] = 0x5a;
		aes_init(&a, key);
		aes_ctr(&a, dst, src, n, nonce, block);
		good &= memcmp(dst, want, n) == 0;
		beyond &= dst[n] == 0x5a;
	}
	ok(good, "%s: CTR of any length", path);
	ok(beyond, "%s: CTR writes no further", path);
}

/* What a lane of n blocks should come out as. */
static void
reference_lane(uint8_t *p, size_t n, const uint8_t key[16],
    const uint8_t nonce[8], uint64_t block, uint8_t mac[16], int encrypt)
{
	static uint8_t out[16 * BLOCKS];

	memcpy(out, p, 16 * n);
	reference_ctr(out, 16 * n, key, nonce, block);
	for (size_t i = 0; i < n; i++) {
		xor16(mac, (encrypt ? p : out) + 16 * i);
		reference(mac, mac, key);
	}
	memcpy(p, out, 16 * n);
}

/* One call with that many lanes; whether all came out right. */
static int
try_lanes(unsigned nlanes, size_t n, int encrypt, int in_place)
{
	static uint8_t want[AES_LANES_MAX][16 * BLOCKS];
	static uint8_t from[AES_LANES_MAX][16 * BLOCKS + SPARE];
	static uint8_t to[AES_LANES_MAX][16 * BLOCKS + SPARE];
	struct aes_lane lane[AES_LANES_MAX], end[AES_LANES_MAX];
	uint8_t key[16], nonce[8];
	struct aes a;
	int good = 1;

	fill(key, 16);
	fill(nonce, 8);
	for (unsigned j = 0; j < nlanes; j++) {
		uint8_t *src = from[j] + random_below(SPARE);

		fill(src, 16 * n);
		memcpy(want[j], src, 16 * n);
		lane[j].src = src;
		lane[j].dst = in_place ? src : to[j] + random_below(SPARE);
		lane[j].block = random_block();
		fill(lane[j].mac, 16);
		end[j] = lane[j];
		reference_lane(want[j], n, key, nonce, lane[j].block,
		    end[j].mac, encrypt);
	}
	aes_init(&a, key);
	aes_ctrmac(&a, nonce, lane, nlanes, n, encrypt);
	for (unsigned j = 0; j < nlanes; j++) {
		good &= memcmp(end[j].dst, want[j], 16 * n) == 0;
		good &= memcmp(end[j].mac, lane[j].mac, 16) == 0;
		good &= lane[j].src == end[j].src + 16 * n;
		good &= lane[j].dst == end[j].dst + 16 * n;
		good &= lane[j].block == end[j].block + n;
	}
	return good;
}

static void
ctrmac(const char *path)
{
	for (unsigned nlanes = 1; nlanes <= AES_LANES_MAX; nlanes++) {
		int there = 1, back = 1;

		for (size_t n = 0; n <= 20; n++) {
			there &= try_lanes(nlanes, n, 1, n % 2 == 0);
			back &= try_lanes(nlanes, n, 0, n % 2 == 0);
		}
		there &= try_lanes(nlanes, BLOCKS, 1, 0);
		back &= try_lanes(nlanes, BLOCKS, 0, 1);
		ok(there, "%s: encrypt and MAC %u lanes", path, nlanes);
		ok(back, "%s: decrypt and MAC %u lanes", path, nlanes);
	}
}

static void
iterate(const char *path)
{
	uint8_t keys[3][16], got[16], want[16];
	int good = 1;

	for (size_t nkeys = 1; nkeys <= 3; nkeys++) {
		fill(keys[0], sizeof keys);
		fill(got, 16);
		memcpy(want, got, 16);
		for (size_t i = 0; i < 10 * nkeys; i++)
			reference(want, want, keys[i % nkeys]);
		aes_iterate(got, (const uint8_t (*)[16])keys, nkeys, 10);
		good &= memcmp(got, want, 16) == 0;
	}
	ok(good, "%s: iterate under 1 to 3 keys", path);
}

int
main(void)
{
	const char *const *paths = aes_paths(), *last = NULL;
	const char *first = aes_path();

	ok(eq(first, paths[0]), "the best path is chosen: %s", first);
	ok(aes_select("abacus") == -1 && eq(aes_path(), first),
	    "a path that does not exist is not chosen");
	for (; *paths != NULL; paths++) {
		last = *paths;
		ok(aes_select(last) == 0 && eq(aes_path(), last),
		    "%s can be chosen", last);
		ok(aes_lanes() >= 1 && aes_lanes() <= AES_LANES_MAX,
		    "%s: works on %u lanes", last, aes_lanes());
		fips_197(last);
		sp_800_38a(last);
		keystream(last);
		blocks(last);
		ctr(last);
		ctrmac(last);
		iterate(last);
	}
	ok(eq(last, "portable"), "the last path is the portable one");
	return done();
}
