/*
 * AES by vectors, whatever the machine calls its instructions.  Included
 * once for each kind of vector, by the file that defines these:
 *
 * FN(name)            the name of a function for this kind
 * TARGET              the attribute that allows the instructions
 * V                   a vector of WIDTH blocks
 * LOAD, STORE         WIDTH blocks in a row
 * SPREAD(p)           one block, WIDTH times
 * GATHER(p, at)       a block each from p[0] + at, p[1] + at ...
 * SCATTER(p, at, x)   and back
 * XOR, ADD64          bitwise; 64 bits at a time
 * SHUFFLE(x, order)   the bytes of each block
 * FIRST(a)            what is added before the first round
 * ENC(x, a, r)        round r, 1 to 9
 * ENCLAST(x, a, k)    the last round with k for its key
 * DECFIRST, DEC, DECLAST  the same to decrypt; of kinds of WIDTH 1
 *
 * An AES unit starts one round or two a cycle and ends each two to four
 * cycles later, so that eight vectors under way keep it busy.
 */

#define INLINE TARGET static inline __attribute__((always_inline))

#ifndef AES_WIDE_H
#define AES_WIDE_H

#define DEPTH  8 /* vectors under way at a time */
#define STITCH 4 /* of those that carry MACs, in ctrmac */

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Makes the compiler load what p points to when it is needed: it would keep
 * round keys in registers and in exchange MACs in memory, on whose latency
 * everything waits. */
#define FORGET(p) __asm__ volatile("" : "+r"(p) : : "memory")

/* A counter block with the number in the order of this machine, little end
 * first, so that it can be counted; counter_order shuffles it into the order
 * of the wire. */
static inline void
counter(uint64_t c[2], const uint8_t nonce[8], uint64_t block)
{
	memcpy(&c[0], nonce, 8);
	c[1] = block;
}

static const uint8_t counter_order[16] = {
	0, 1, 2, 3, 4, 5, 6, 7, 15, 14, 13, 12, 11, 10, 9, 8
};

#endif

/* Adds n to the counters. */
INLINE V
FN(step)(uint64_t n)
{
	const uint64_t c[2] = { 0, n };

	return SPREAD(c);
}

/* All rounds for n vectors to which FIRST was added already. */
INLINE void
FN(rounds)(V *x, const unsigned n, const struct aes *a)
{
	FORGET(a);
	UNROLL
	for (unsigned r = 1; r < 10; r++) {
		UNROLL
		for (unsigned j = 0; j < n; j++)
			x[j] = ENC(x[j], a, r);
	}
	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = ENCLAST(x[j], a, SPREAD(a->ek[10]));
}

/* CTR over as many whole groups of n vectors as there are; returns the number
 * of blocks in them. */
INLINE size_t
FN(ctr_groups)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block, const unsigned n)
{
	const V order = SPREAD(counter_order), step = FN(step)(WIDTH);
	const V first = FIRST(a);
	uint64_t start[WIDTH][2];
	V ctr, x[DEPTH];
	size_t done;

	for (unsigned j = 0; j < WIDTH; j++)
		counter(start[j], nonce, block + j);
	ctr = LOAD(start);
	for (done = 0; nblocks - done >= n * WIDTH; done += n * WIDTH) {
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			x[j] = XOR(SHUFFLE(ctr, order), first);
			ctr = ADD64(ctr, step);
		}
		FN(rounds)(x, n, a);
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			STORE(dst, XOR(x[j], LOAD(src)));
			src += 16 * WIDTH;
			dst += 16 * WIDTH;
		}
	}
	return done;
}

/*
 * ctrmac for the lanes of n vectors.
 *
 * Each round of the MACs goes with a round of the keystream of the block
 * after, which waits for nothing and so fills the time in which the MACs wait
 * for themselves.  The last keystream is made in vain.  A lane that has its
 * vector to itself is in it twice: both halves read before either writes, so
 * they write the same.
 *
 * The MACs of the loop have FIRST added, which came with the last key of the
 * block before and shortens the chain by a step.  The registers are for the
 * MACs and the keystreams; the rest stays in memory, in s.
 */
INLINE void
FN(stitch)(const struct aes *a, const uint8_t nonce[8],
    struct aes_lane *lanes, unsigned nlanes, const unsigned n, size_t nblocks,
    const int encrypt)
{
	struct {
		V order, step, first, last, ctr[STITCH];
	} state, *s = &state;
	const uint8_t *src[STITCH * WIDTH];
	uint8_t *dst[STITCH * WIDTH];
	uint8_t mac[STITCH * WIDTH][16];
	uint64_t start[STITCH * WIDTH][2];
	V ks[STITCH], m[STITCH];

	for (unsigned j = 0; j < n * WIDTH; j++) {
		const struct aes_lane *l = &lanes[j < nlanes ? j : nlanes - 1];

		src[j] = l->src;
		dst[j] = l->dst;
		memcpy(mac[j], l->mac, 16);
		counter(start[j], nonce, l->block);
	}
	s->order = SPREAD(counter_order);
	s->step = FN(step)(1);
	s->first = FIRST(a);
	s->last = XOR(s->first, SPREAD(a->ek[10]));
	UNROLL
	for (unsigned j = 0; j < n; j++) {
		m[j] = XOR(LOAD(mac[j * WIDTH]), s->first);
		s->ctr[j] = LOAD(start[j * WIDTH]);
		ks[j] = XOR(SHUFFLE(s->ctr[j], s->order), s->first);
	}
	FN(rounds)(ks, n, a);

	for (size_t at = 0; at < 16 * nblocks; at += 16) {
		FORGET(s);
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			V x = GATHER(src + j * WIDTH, at);
			V y = XOR(x, ks[j]);

			SCATTER(dst + j * WIDTH, at, y);
			m[j] = XOR(m[j], encrypt ? x : y);
			s->ctr[j] = ADD64(s->ctr[j], s->step);
			ks[j] = XOR(SHUFFLE(s->ctr[j], s->order), s->first);
		}
		FORGET(a);
		UNROLL
		for (unsigned r = 1; r < 10; r++) {
			UNROLL
			for (unsigned j = 0; j < n; j++) {
				ks[j] = ENC(ks[j], a, r);
				m[j] = ENC(m[j], a, r);
			}
		}
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			ks[j] = ENCLAST(ks[j], a, SPREAD(a->ek[10]));
			m[j] = ENCLAST(m[j], a, s->last);
		}
	}

	UNROLL
	for (unsigned j = 0; j < n; j++)
		STORE(mac[j * WIDTH], XOR(m[j], s->first));
	for (unsigned j = 0; j < nlanes; j++) {
		memcpy(lanes[j].mac, mac[j], 16);
		lanes[j].src += 16 * nblocks;
		lanes[j].dst += 16 * nblocks;
		lanes[j].block += nblocks;
	}
}

/* ctrmac for no more lanes than fit. */
INLINE void
FN(pass)(const struct aes *a, const uint8_t nonce[8], struct aes_lane *lanes,
    unsigned nlanes, size_t nblocks, const int encrypt)
{
	switch ((nlanes + WIDTH - 1) / WIDTH) {
	case 1:
		FN(stitch)(a, nonce, lanes, nlanes, 1, nblocks, encrypt);
		break;
	case 2:
		FN(stitch)(a, nonce, lanes, nlanes, 2, nblocks, encrypt);
		break;
	case 3:
		FN(stitch)(a, nonce, lanes, nlanes, 3, nblocks, encrypt);
		break;
	default:
		FN(stitch)(a, nonce, lanes, nlanes, STITCH, nblocks, encrypt);
	}
}

TARGET static void
FN(ctrmac)(const struct aes *a, const uint8_t nonce[8],
    struct aes_lane *lanes, unsigned nlanes, size_t nblocks, int encrypt)
{
	const unsigned most = STITCH * WIDTH;
	unsigned take;

	for (; nlanes > 0; nlanes -= take) {
		take = nlanes < most ? nlanes : most;
		if (encrypt)
			FN(pass)(a, nonce, lanes, take, nblocks, 1);
		else
			FN(pass)(a, nonce, lanes, take, nblocks, 0);
		lanes += take;
	}
}

/* What is not for bulk data gains nothing by more width. */
#if WIDTH == 1

TARGET static void
FN(ctr)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block)
{
	size_t done = FN(ctr_groups)(a, dst, src, nblocks, nonce, block,
	    DEPTH);

	FN(ctr_groups)(a, dst + 16 * done, src + 16 * done, nblocks - done,
	    nonce, block + done, 1);
}

/* n blocks by themselves. */
INLINE void
FN(encrypt_n)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    const unsigned n)
{
	V x[DEPTH];

	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = XOR(LOAD(src + 16 * j), FIRST(a));
	FN(rounds)(x, n, a);
	UNROLL
	for (unsigned j = 0; j < n; j++)
		STORE(dst + 16 * j, x[j]);
}

TARGET static void
FN(encrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	size_t i;

	for (i = 0; nblocks - i >= DEPTH; i += DEPTH)
		FN(encrypt_n)(a, dst + 16 * i, src + 16 * i, DEPTH);
	for (; i < nblocks; i++)
		FN(encrypt_n)(a, dst + 16 * i, src + 16 * i, 1);
}

/* n blocks, each added to one of prev afterwards. */
INLINE void
FN(decrypt_n)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    const V *prev, const unsigned n)
{
	V x[DEPTH];

	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = XOR(LOAD(src + 16 * j), DECFIRST(a));
	UNROLL
	for (unsigned r = 1; r < 10; r++) {
		UNROLL
		for (unsigned j = 0; j < n; j++)
			x[j] = DEC(x[j], a, r);
	}
	UNROLL
	for (unsigned j = 0; j < n; j++)
		STORE(dst + 16 * j, XOR(DECLAST(x[j], a), prev[j]));
}

TARGET static void
FN(decrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	const V none[DEPTH] = { 0 };
	size_t i;

	for (i = 0; nblocks - i >= DEPTH; i += DEPTH)
		FN(decrypt_n)(a, dst + 16 * i, src + 16 * i, none, DEPTH);
	for (; i < nblocks; i++)
		FN(decrypt_n)(a, dst + 16 * i, src + 16 * i, none, 1);
}

TARGET static void
FN(cbc_encrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	V x = { 0 };

	for (size_t i = 0; i < nblocks; i++) {
		x = XOR(x, XOR(LOAD(src + 16 * i), FIRST(a)));
		FN(rounds)(&x, 1, a);
		STORE(dst + 16 * i, x);
	}
}

TARGET static void
FN(cbc_decrypt)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks)
{
	V prev[DEPTH + 1] = { 0 };
	size_t i;

	for (i = 0; nblocks - i >= DEPTH; i += DEPTH) {
		UNROLL
		for (unsigned j = 0; j < DEPTH; j++)
			prev[j + 1] = LOAD(src + 16 * (i + j));
		FN(decrypt_n)(a, dst + 16 * i, src + 16 * i, prev, DEPTH);
		prev[0] = prev[DEPTH];
	}
	for (; i < nblocks; i++) {
		prev[1] = LOAD(src + 16 * i);
		FN(decrypt_n)(a, dst + 16 * i, src + 16 * i, prev, 1);
		prev[0] = prev[1];
	}
}

TARGET static void
FN(iterate)(uint8_t block[16], const uint8_t (*keys)[AES_KEY_SIZE],
    size_t nkeys, unsigned n)
{
	struct aes *a = xreallocarray(NULL, nkeys, sizeof *a);
	V x = LOAD(block);

	for (size_t i = 0; i < nkeys; i++)
		FN(init)(&a[i], keys[i]);
	while (n-- > 0) {
		for (size_t i = 0; i < nkeys; i++) {
			x = XOR(x, FIRST(&a[i]));
			FN(rounds)(&x, 1, &a[i]);
		}
	}
	STORE(block, x);
	secret_zero(a, nkeys * sizeof *a);
	free(a);
}

#endif

#undef INLINE
#undef FN
#undef TARGET
#undef V
#undef WIDTH
#undef LOAD
#undef STORE
#undef SPREAD
#undef GATHER
#undef SCATTER
#undef XOR
#undef ADD64
#undef SHUFFLE
#undef FIRST
#undef ENC
#undef ENCLAST
#undef DECFIRST
#undef DEC
#undef DECLAST
