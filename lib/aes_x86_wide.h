/*
 * The parts of aes_x86.c that exist for two widths of vector.  Included once
 * for each, with these defined:
 *
 * FN(name)           the name of a function for this width
 * TARGET             the attribute that allows the instructions
 * V                  a vector of WIDTH blocks
 * ENC, ENCLAST       a round, the last round
 * XOR, ADD64         bitwise; 64 bits at a time
 * SHUFFLE            the bytes of each block
 * SPREAD(x)          a block, WIDTH times
 * SERIES(x)          the counters x, x + 1 ... as WIDTH blocks need them
 * LOAD, STORE        WIDTH blocks in a row
 * GATHER(p, at)      a block each from p[0] + at, p[1] + at ...
 * SCATTER(p, at, x)  and back
 */

#define INLINE TARGET static inline __attribute__((always_inline))

/* The key of round r. */
INLINE V
FN(key)(const struct aes *a, unsigned r)
{
	return SPREAD(_mm_load_si128((const void *)a->ek[r]));
}

/* All rounds for n vectors to which the first key was added already. */
INLINE void
FN(rounds)(V *x, const unsigned n, const struct aes *a)
{
	FORGET(a);
	UNROLL
	for (unsigned r = 1; r < 10; r++) {
		UNROLL
		for (unsigned j = 0; j < n; j++)
			x[j] = ENC(x[j], FN(key)(a, r));
	}
	UNROLL
	for (unsigned j = 0; j < n; j++)
		x[j] = ENCLAST(x[j], FN(key)(a, 10));
}

/* CTR over as many whole groups of n vectors as there are; returns the number
 * of blocks in them. */
INLINE size_t
FN(ctr_groups)(const struct aes *a, uint8_t *dst, const uint8_t *src,
    size_t nblocks, const uint8_t nonce[8], uint64_t block, const unsigned n)
{
	const V order = SPREAD(counter_order());
	const V step = SPREAD(_mm_set_epi64x(WIDTH, 0));
	const V key0 = FN(key)(a, 0);
	V ctr = SERIES(counter(nonce, block));
	V x[DEPTH];
	size_t done;

	for (done = 0; nblocks - done >= n * WIDTH; done += n * WIDTH) {
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			x[j] = XOR(SHUFFLE(ctr, order), key0);
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
 * The MACs of the loop have the first key added, which came with the last
 * key of the block before and shortens the chain by a step.  The registers
 * are for the MACs and the keystreams; the rest stays in memory, in s.
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
	__m128i ctr[STITCH * WIDTH];
	V ks[STITCH], m[STITCH];

	for (unsigned j = 0; j < n * WIDTH; j++) {
		const struct aes_lane *l = &lanes[j < nlanes ? j : nlanes - 1];

		src[j] = l->src;
		dst[j] = l->dst;
		memcpy(mac[j], l->mac, 16);
		ctr[j] = counter(nonce, l->block);
	}
	s->order = SPREAD(counter_order());
	s->step = SPREAD(_mm_set_epi64x(1, 0));
	s->first = FN(key)(a, 0);
	s->last = XOR(s->first, FN(key)(a, 10));
	UNROLL
	for (unsigned j = 0; j < n; j++) {
		m[j] = XOR(LOAD(mac[j * WIDTH]), s->first);
		s->ctr[j] = LOAD(&ctr[j * WIDTH]);
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
				ks[j] = ENC(ks[j], FN(key)(a, r));
				m[j] = ENC(m[j], FN(key)(a, r));
			}
		}
		UNROLL
		for (unsigned j = 0; j < n; j++) {
			ks[j] = ENCLAST(ks[j], FN(key)(a, 10));
			m[j] = ENCLAST(m[j], s->last);
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

#undef INLINE
#undef FN
#undef TARGET
#undef V
#undef WIDTH
#undef ENC
#undef ENCLAST
#undef XOR
#undef ADD64
#undef SHUFFLE
#undef SPREAD
#undef SERIES
#undef LOAD
#undef STORE
#undef GATHER
#undef SCATTER
