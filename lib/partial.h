/*
 * What a part (out.h) holds of its file, for a later run: behind the data, at
 * the next page, a header and the MAC of each chunk that is there, and zeros
 * for the others.  out_end cuts it off.  A file of a single chunk has no such
 * record: it is fetched whole or not at all.
 */
#ifndef PARTIAL_H
#define PARTIAL_H

#include <stdint.h>

#include "aes.h"
#include "key.h"
#include "out.h"

/* All is borrowed. */
struct partial {
	struct out *out;
	const struct filekey *key;
	const struct aes *aes;      /* of that key */
	int64_t size;               /* of the file */
	uint8_t (*macs)[16];        /* of its chunks */
};

/* An empty record: nothing is there.  It takes all the room that it will
 * need.  Each of these gives 0 or ERR_LOCAL. */
int partial_begin(const struct partial *p);

/* A chunk has been written, and its MAC is in macs. */
int partial_add(const struct partial *p, uint64_t chunk);

/*
 * partial_resume: what did an earlier run leave?
 *
 * Sets macs: those of chunks whose data is there and right, zeros for all
 * others.  Where there is no record of this file, one is begun.
 */
int partial_resume(const struct partial *p);

/* Whether a chunk's MAC is there. */
int partial_has(const uint8_t mac[16]);

#endif
