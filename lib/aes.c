#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tomcrypt.h>

#include "aes.h"
#include "aes_impl.h"
#include "mem.h"
#include "secret.h"

/*
 * The portable path.
 *
 * Of struct aes it fills in the key alone.  libtomcrypt's own schedule is
 * part of a union of 4 KiB, so each call makes it anew, for the price of one
 * block or two, rather than have every key carry it around.
 */

static void
portable_init(struct aes *a, const uint8_t key[AES_KEY_SIZE])
{
	memset(a, 0, sizeof *a);
	memcpy(a->ek[0], key, AES_KEY_SIZE);
}

static void
soft_key(symmetric_key *k, const uint8_t key[AES_KEY_SIZE])
{
	if (rijndael_setup(key, AES_KEY_SIZE, 0, k) != CRYPT_OK)
		abort();
}

static void
soft_wipe(symmetric_key *k)
{
	secret_zero(&k->rijndael, sizeof k->rijndael);
}

static void
xor_block(uint8_t dst[16], const uint8_t a[16], const uint8_t b[16])
{
	for (unsigned i = 0; i < 16; i++)
		dst[i] = a[i] ^ b[i];
}

static void
portable_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (size_t i = 0; i < 16 * nblocks; i += 16)
		rijndael_ecb_encrypt(src + i, dst + i, &k);
	soft_wipe(&k);
}

static void
portable_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (size_t i = 0; i < 16 * nblocks; i += 16)
		rijndael_ecb_decrypt(src + i, dst + i, &k);
	soft_wipe(&k);
}

static void
portable_cbc_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	uint8_t x[16] = { 0 };
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (size_t i = 0; i < 16 * nblocks; i += 16) {
		xor_block(x, x, src + i);
		rijndael_ecb_encrypt(x, x, &k);
		memcpy(dst + i, x, 16);
	}
	soft_wipe(&k);
}

static void
portable_cbc_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	uint8_t prev[16] = { 0 }, here[16], x[16];
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (size_t i = 0; i < 16 * nblocks; i += 16) {
		memcpy(here, src + i, 16);
		rijndael_ecb_decrypt(here, x, &k);
		xor_block(dst + i, x, prev);
		memcpy(prev, here, 16);
	}
	secret_zero(x, sizeof x);
	soft_wipe(&k);
}

/* The keystream of a block. */
static void
soft_stream(symmetric_key *k, uint8_t stream[16], const uint8_t nonce[8],
    uint64_t block)
{
	memcpy(stream, nonce, 8);
	for (unsigned i = 0; i < 8; i++)
		stream[8 + i] = (uint8_t)(block >> (56 - 8 * i));
	rijndael_ecb_encrypt(stream, stream, k);
}

static void
portable_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block)
{
	uint8_t stream[16] = { 0 };
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (size_t i = 0; i < 16 * nblocks; i += 16) {
		soft_stream(&k, stream, nonce, block++);
		xor_block(dst + i, src + i, stream);
	}
	secret_zero(stream, sizeof stream);
	soft_wipe(&k);
}

static void
soft_lane(symmetric_key *k, const uint8_t nonce[8], struct aes_lane *l,
    int encrypt)
{
	uint8_t in[16], out[16], stream[16];

	soft_stream(k, stream, nonce, l->block++);
	memcpy(in, l->src, 16);
	xor_block(out, in, stream);
	xor_block(l->mac, l->mac, encrypt ? in : out);
	rijndael_ecb_encrypt(l->mac, l->mac, k);
	memcpy(l->dst, out, 16);
	l->src += 16;
	l->dst += 16;
}

static void
portable_ctrmac(const struct aes *a, const uint8_t nonce[8],
    struct aes_lane *lanes, unsigned nlanes, size_t nblocks, int encrypt)
{
	symmetric_key k;

	soft_key(&k, a->ek[0]);
	for (unsigned j = 0; j < nlanes; j++) {
		for (size_t i = 0; i < nblocks; i++)
			soft_lane(&k, nonce, &lanes[j], encrypt);
	}
	soft_wipe(&k);
}

static void
portable_iterate(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
    size_t nkeys, unsigned n)
{
	symmetric_key *k = xreallocarray(NULL, nkeys, sizeof *k);

	for (size_t i = 0; i < nkeys; i++)
		soft_key(&k[i], keys[i]);
	while (n-- > 0) {
		for (size_t i = 0; i < nkeys; i++)
			rijndael_ecb_encrypt(block, block, &k[i]);
	}
	for (size_t i = 0; i < nkeys; i++)
		soft_wipe(&k[i]);
	free(k);
}

static int
portable_present(void)
{
	return 1;
}

static const struct aes_impl aes_portable = {
	.name = "portable",
	.lanes = 1,
	.present = portable_present,
	.init = portable_init,
	.encrypt = portable_encrypt,
	.decrypt = portable_decrypt,
	.cbc_encrypt = portable_cbc_encrypt,
	.cbc_decrypt = portable_cbc_decrypt,
	.ctr = portable_ctr,
	.ctrmac = portable_ctrmac,
	.iterate = portable_iterate
};

/*
 * The choice of a path, and its test.
 */

static const struct aes_impl *const impls[] = {
#ifdef AES_X86
	&aes_vaes,
	&aes_aesni,
#endif
#ifdef AES_ARM
	&aes_armv8,
#endif
	&aes_portable
};

#define NIMPLS (sizeof impls / sizeof impls[0])

/* Set once by whoever needs it first; every thread would set the same. */
static const struct aes_impl *_Atomic chosen;

/* The example of FIPS 197, appendix C.1, both ways. */
static int
known_answer(const struct aes_impl *p)
{
	static const uint8_t key[16] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f
	}, plain[16] = {
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff
	}, cipher[16] = {
		0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
		0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a
	};
	uint8_t there[16], back[16];
	struct aes a;

	p->init(&a, key);
	p->encrypt(&a, there, plain, 1);
	p->decrypt(&a, back, there, 1);
	return memcmp(there, cipher, 16) == 0 && memcmp(back, plain, 16) == 0;
}

/* Blocks of the comparison: more than two groups of the widest path and an
 * odd rest, and enough for the lanes and their MACs. */
#define TRIAL      37
#define TRIAL_LANE 3

/* ctrmac over the first blocks of buf, the MACs coming from and going to
 * those behind. */
static void
trial_lanes(const struct aes_impl *p, const struct aes *a,
    const uint8_t nonce[8], uint8_t *buf, unsigned nlanes, int encrypt)
{
	uint8_t *macs = buf + 16 * TRIAL_LANE * AES_LANES_MAX;
	struct aes_lane lanes[AES_LANES_MAX];

	for (unsigned i = 0; i < nlanes; i++) {
		lanes[i].src = lanes[i].dst = buf + 16 * TRIAL_LANE * i;
		lanes[i].block = UINT32_MAX - i;
		memcpy(lanes[i].mac, macs + 16 * i, 16);
	}
	p->ctrmac(a, nonce, lanes, nlanes, TRIAL_LANE, encrypt);
	for (unsigned i = 0; i < nlanes; i++)
		memcpy(macs + 16 * i, lanes[i].mac, 16);
}

/* Everything that a path can do, one after the other to the same bytes. */
static void
trial(const struct aes_impl *p, uint8_t buf[16 * TRIAL])
{
	uint8_t nonce[8];
	struct aes a;

	for (unsigned i = 0; i < 16 * TRIAL; i++)
		buf[i] = (uint8_t)(167 * i + i / 251);
	memcpy(nonce, buf, sizeof nonce);
	p->init(&a, buf);
	p->encrypt(&a, buf, buf, TRIAL);
	p->cbc_decrypt(&a, buf, buf, TRIAL);
	p->ctr(&a, buf, buf, TRIAL, nonce, UINT32_MAX - TRIAL / 2);
	p->decrypt(&a, buf, buf, TRIAL);
	for (unsigned n = 1; n <= AES_LANES_MAX; n++) {
		trial_lanes(p, &a, nonce, buf, n, 1);
		trial_lanes(p, &a, nonce, buf, n, 0);
	}
	p->cbc_encrypt(&a, buf, buf, TRIAL);
	p->iterate(buf, (const uint8_t (*)[16])(buf + 16), 2, 3);
}

static int
works(const struct aes_impl *p)
{
	uint8_t got[16 * TRIAL], want[16 * TRIAL];

	if (!p->present() || !known_answer(p))
		return 0;
	if (p == &aes_portable)
		return 1;
	trial(p, got);
	trial(&aes_portable, want);
	return memcmp(got, want, sizeof got) == 0;
}

static const struct aes_impl *
choose(void)
{
	for (size_t i = 0; i < NIMPLS; i++) {
		if (works(impls[i])) {
			chosen = impls[i];
			return impls[i];
		}
	}
	abort();
}

static const struct aes_impl *
impl(void)
{
	const struct aes_impl *p = chosen;

	return p != NULL ? p : choose();
}

const char *
aes_path(void)
{
	return impl()->name;
}

const char *const *
aes_paths(void)
{
	static const char *names[NIMPLS + 1];
	size_t n = 0;

	for (size_t i = 0; i < NIMPLS; i++) {
		if (works(impls[i]))
			names[n++] = impls[i]->name;
	}
	names[n] = NULL;
	return names;
}

int
aes_select(const char *name)
{
	for (size_t i = 0; i < NIMPLS; i++) {
		if (strcmp(impls[i]->name, name) == 0 && works(impls[i])) {
			chosen = impls[i];
			return 0;
		}
	}
	return -1;
}

unsigned
aes_lanes(void)
{
	return impl()->lanes;
}

/*
 * The interface.
 */

void
aes_init(struct aes *a, const uint8_t key[AES_KEY_SIZE])
{
	impl()->init(a, key);
}

void
aes_wipe(struct aes *a)
{
	secret_zero(a, sizeof *a);
}

void
aes_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	impl()->encrypt(a, dst, src, nblocks);
}

void
aes_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	impl()->decrypt(a, dst, src, nblocks);
}

void
aes_cbc_encrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t n)
{
	impl()->cbc_encrypt(a, dst, src, n / 16);
}

void
aes_cbc_decrypt(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t n)
{
	impl()->cbc_decrypt(a, dst, src, n / 16);
}

void
aes_ctr(const struct aes *a, uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t nonce[8], uint64_t block)
{
	const size_t whole = n / 16, rest = n % 16;
	uint8_t last[16] = { 0 };

	impl()->ctr(a, dst, src, whole, nonce, block);
	if (rest > 0) {
		memcpy(last, src + 16 * whole, rest);
		impl()->ctr(a, last, last, 1, nonce, block + whole);
		memcpy(dst + 16 * whole, last, rest);
		secret_zero(last, sizeof last);
	}
}

void
aes_ctrmac(const struct aes *a, const uint8_t nonce[8],
    struct aes_lane *lanes, unsigned nlanes, size_t nblocks, int encrypt)
{
	impl()->ctrmac(a, nonce, lanes, nlanes, nblocks, encrypt);
}

void
aes_iterate(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
    size_t nkeys, unsigned n)
{
	impl()->iterate(block, keys, nkeys, n);
}
