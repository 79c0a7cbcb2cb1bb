#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tommath.h>

#include "err.h"
#include "mem.h"
#include "rsa.h"
#include "secret.h"

#define EXPONENT      257
#define PADDING       16   /* bytes behind a blob's last number stay below */
#define BITS_MAX      (8 * RSA_BYTES_MAX)
#define PRIME_BITS    1000 /* p, q and u have more */
#define D_BITS        2000 /* d has more */
#define PUBLIC_BITS   1024 /* a modulus has at least */
/* Room for a product of two numbers of the largest size. */
#define DIGITS        (2 * BITS_MAX / MP_DIGIT_BIT + 3)

enum { P, Q, D, U, PRIVATE_INTS }; /* as in a private blob */
enum { N, E, PUBLIC_INTS };        /* as in a public blob */

struct rsa_private {
	mp_int v[PRIVATE_INTS];
	mp_int n;
};

struct rsa_public {
	mp_int v[PUBLIC_INTS];
};

/* Numbers are checked before anything is computed with them, which leaves
 * libtommath nothing to fail of but lack of memory. */
static void
must(mp_err e)
{
	if (e == MP_OKAY)
		return;
	fprintf(stderr, "%s\n", mp_error_to_string(e));
	exit(1);
}

/* Numbers with all the room they will need: growing would leave copies. */
static void
ints_init(mp_int *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(mp_init_size(&v[i], DIGITS));
}

/* mp_clear, as compiled, need not wipe. */
static void
ints_wipe(mp_int *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].dp != NULL)
			secret_zero(v[i].dp,
			    (size_t)v[i].alloc * sizeof *v[i].dp);
		mp_clear(&v[i]);
	}
}

/*
 * Read n numbers: each 16 bits that count its bits, then as many bytes as
 * those need.  -1 if the blob is too short, has PADDING bytes or more behind
 * the last number, or a number is too large for us.
 */
static int
mpis_get(mp_int *v, size_t n, const uint8_t *p, size_t len)
{
	size_t bytes;

	for (size_t i = 0; i < n; i++) {
		if (len < 2)
			return -1;
		bytes = (size_t)(p[0] << 8 | p[1]);
		bytes = (bytes + 7) / 8;
		p += 2;
		len -= 2;
		if (bytes > len || bytes > RSA_BYTES_MAX)
			return -1;
		must(mp_from_ubin(&v[i], p, bytes));
		p += bytes;
		len -= bytes;
	}
	return len < PADDING ? 0 : -1;
}

/* Write one number with the given count of bits; returns the length. */
static size_t
mpi_put(uint8_t *out, const mp_int *a, size_t bits)
{
	size_t bytes;

	out[0] = (uint8_t)(bits >> 8);
	out[1] = (uint8_t)bits;
	must(mp_to_ubin(a, out + 2, RSA_BYTES_MAX, &bytes));
	return 2 + bytes;
}

/* Write n numbers as official clients do, their bits rounded up to bytes. */
static size_t
mpis_put(uint8_t *out, const mp_int *v, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += mpi_put(out + len, &v[i], 8 * mp_ubin_size(&v[i]));
	return len;
}

/* Whether u = 1/p mod q. */
static int
is_inverse(const mp_int *u, const mp_int *p, const mp_int *q)
{
	mp_int x;
	int r;

	if (mp_cmp(u, q) != MP_LT)
		return 0;
	ints_init(&x, 1);
	must(mp_mulmod(p, u, q, &x));
	r = mp_cmp_d(&x, 1) == MP_EQ;
	ints_wipe(&x, 1);
	return r;
}

/*
 * Whether a private key is what official clients accept.  A server that
 * may alter the encrypted key could otherwise learn it from what we decrypt
 * with it ("MEGA: Malleable Encryption Goes Awry", 2022).
 */
static int
is_sound(const mp_int *v)
{
	return mp_count_bits(&v[P]) > PRIME_BITS &&
	    mp_count_bits(&v[Q]) > PRIME_BITS &&
	    mp_count_bits(&v[U]) > PRIME_BITS &&
	    mp_count_bits(&v[D]) > D_BITS &&
	    mp_count_bits(&v[P]) + mp_count_bits(&v[Q]) <= BITS_MAX &&
	    mp_isodd(&v[P]) && mp_isodd(&v[Q]) &&
	    is_inverse(&v[U], &v[P], &v[Q]);
}

static struct rsa_private *
private_new(void)
{
	struct rsa_private *k = xcalloc(1, sizeof *k);

	ints_init(k->v, PRIVATE_INTS);
	ints_init(&k->n, 1);
	return k;
}

static struct rsa_public *
public_new(void)
{
	struct rsa_public *k = xcalloc(1, sizeof *k);

	ints_init(k->v, PUBLIC_INTS);
	return k;
}

int
rsa_private_unpack(struct rsa_private **out, const uint8_t *blob, size_t n)
{
	struct rsa_private *k = private_new();

	*out = NULL;
	if (mpis_get(k->v, PRIVATE_INTS, blob, n) == -1 || !is_sound(k->v)) {
		rsa_private_free(k);
		return err_set(ERR_KEY, "the private key is damaged");
	}
	must(mp_mul(&k->v[P], &k->v[Q], &k->n));
	*out = k;
	return 0;
}

size_t
rsa_private_pack(const struct rsa_private *k, uint8_t *out)
{
	size_t n = mpis_put(out, k->v, PRIVATE_INTS);
	size_t pad = (PADDING - n % PADDING) % PADDING;

	secret_random(out + n, pad);
	return n + pad;
}

void
rsa_private_free(struct rsa_private *k)
{
	if (k == NULL)
		return;
	ints_wipe(k->v, PRIVATE_INTS);
	ints_wipe(&k->n, 1);
	free(k);
}

int
rsa_public_unpack(struct rsa_public **out, const uint8_t *blob, size_t n)
{
	struct rsa_public *k = public_new();

	*out = NULL;
	if (mpis_get(k->v, PUBLIC_INTS, blob, n) == -1 ||
	    mp_count_bits(&k->v[N]) < PUBLIC_BITS || mp_iseven(&k->v[N]) ||
	    mp_cmp_d(&k->v[E], 1) != MP_GT || mp_iseven(&k->v[E]) ||
	    mp_cmp(&k->v[E], &k->v[N]) != MP_LT) {
		rsa_public_free(k);
		return err_set(ERR_PROTO, "the public key is damaged");
	}
	*out = k;
	return 0;
}

size_t
rsa_public_pack(const struct rsa_public *k, uint8_t *out)
{
	return mpis_put(out, k->v, PUBLIC_INTS);
}

void
rsa_public_free(struct rsa_public *k)
{
	if (k == NULL)
		return;
	ints_wipe(k->v, PUBLIC_INTS);
	free(k);
}

/* A random prime of exactly so many bits, the two highest set, such that the
 * product of two has twice as many, and with p - 1 prime to EXPONENT. */
static void
prime_new(mp_int *p, int bits)
{
	uint8_t b[RSA_BYTES_MAX];
	size_t n = (size_t)bits / 8;
	mp_digit rest;
	mp_bool prime;

	do {
		secret_random(b, n);
		b[0] |= 0xc0;
		b[n - 1] |= 1;
		must(mp_from_ubin(p, b, n));
		must(mp_mod_d(p, EXPONENT, &rest));
		must(mp_prime_is_prime(p, mp_prime_rabin_miller_trials(bits),
		    &prime));
	} while (prime == MP_NO || rest == 1);
	secret_zero(b, sizeof b);
}

/* d = 1/EXPONENT mod lcm(p - 1, q - 1), u and n, from p and q. */
static void
private_fill(struct rsa_private *k)
{
	mp_int x[3];

	ints_init(x, 3);
	must(mp_sub_d(&k->v[P], 1, &x[0]));
	must(mp_sub_d(&k->v[Q], 1, &x[1]));
	must(mp_lcm(&x[0], &x[1], &x[2]));
	mp_set(&x[0], EXPONENT);
	must(mp_invmod(&x[0], &x[2], &k->v[D]));
	must(mp_invmod(&k->v[P], &k->v[Q], &k->v[U]));
	must(mp_mul(&k->v[P], &k->v[Q], &k->n));
	ints_wipe(x, 3);
}

int
rsa_generate(struct rsa_private **priv, struct rsa_public **pub, int bits)
{
	struct rsa_private *k;
	struct rsa_public *e;

	*priv = NULL;
	*pub = NULL;
	if (bits < 2048 || bits > BITS_MAX || bits % 16 != 0)
		return err_set(ERR_LOCAL, "cannot make an RSA key of %d bits",
		    bits);
	k = private_new();
	e = public_new();
	do {
		prime_new(&k->v[P], bits / 2);
		prime_new(&k->v[Q], bits / 2);
		private_fill(k);
	} while (!is_sound(k->v));
	must(mp_copy(&k->n, &e->v[N]));
	mp_set(&e->v[E], EXPONENT);
	*priv = k;
	*pub = e;
	return 0;
}

/* m = c^d mod r, for r = p or q. */
static void
power_mod_prime(mp_int *m, const mp_int *c, const mp_int *d, const mp_int *r)
{
	mp_int x[2];

	ints_init(x, 2);
	must(mp_sub_d(r, 1, &x[0]));
	must(mp_mod(d, &x[0], &x[0]));
	must(mp_mod(c, r, &x[1]));
	must(mp_exptmod(&x[1], &x[0], r, m));
	ints_wipe(x, 2);
}

/* m = c^d mod n, by way of the remainders: m = mp + p (mq - mp)/p mod q. */
static void
power_private(mp_int *m, const mp_int *c, const struct rsa_private *k)
{
	mp_int x[2];

	ints_init(x, 2);
	power_mod_prime(&x[0], c, &k->v[D], &k->v[P]);
	power_mod_prime(&x[1], c, &k->v[D], &k->v[Q]);
	must(mp_submod(&x[1], &x[0], &k->v[Q], &x[1]));
	must(mp_mulmod(&x[1], &k->v[U], &k->v[Q], &x[1]));
	must(mp_mul(&x[1], &k->v[P], &x[1]));
	must(mp_add(&x[0], &x[1], m));
	ints_wipe(x, 2);
}

/*
 * Write the first bytes, at most max, of a decrypted number, read as a
 * message of a fixed length: one that begins with zero bytes keeps them.
 * Returns the whole length.
 */
static size_t
message_put(uint8_t *out, size_t max, const mp_int *m,
    const struct rsa_private *k)
{
	uint8_t b[RSA_BYTES_MAX + 1] = { 0 };
	size_t have = mp_ubin_size(m);
	size_t len = mp_ubin_size(&k->v[P]) + mp_ubin_size(&k->v[Q]) - 2;

	if (len < have)
		len = have;
	must(mp_to_ubin(m, b + len - have, have, NULL));
	memcpy(out, b, max < len ? max : len);
	secret_zero(b, sizeof b);
	return len;
}

int
rsa_decrypt(const struct rsa_private *k, uint8_t *out, size_t max,
    size_t *len, const uint8_t *mpi, size_t n)
{
	mp_int x[2];
	int r = 0;

	ints_init(x, 2);
	if (mpis_get(x, 1, mpi, n) == -1 || mp_cmp(&x[0], &k->n) != MP_LT) {
		r = err_set(ERR_PROTO, "an RSA message that the key cannot "
		    "have made");
		goto out;
	}
	power_private(&x[1], &x[0], k);
	*len = message_put(out, max, &x[1], k);
out:
	ints_wipe(x, 2);
	return r;
}

int
rsa_encrypt(const struct rsa_public *k, uint8_t *out, const uint8_t *msg,
    size_t n, size_t total)
{
	uint8_t b[RSA_BYTES_MAX];
	size_t bytes = mp_ubin_size(&k->v[N]);
	mp_int x;
	int r;

	if (total == 0)
		total = bytes - 2;
	if (n > total || total > bytes - 1)
		return err_set(ERR_ARGS, "%zu bytes are too many for RSA", n);
	memcpy(b, msg, n);
	secret_random(b + n, total - n);
	ints_init(&x, 1);
	must(mp_from_ubin(&x, b, total));
	must(mp_exptmod(&x, &k->v[E], &k->v[N], &x));
	r = (int)mpi_put(out, &x, (size_t)mp_count_bits(&x));
	ints_wipe(&x, 1);
	secret_zero(b, sizeof b);
	return r;
}
