/*
 * Downloads: any number of files over a bounded number of connections, with
 * bounded memory, each verified by its meta-MAC.
 *
 * A file is fetched in runs of whole chunks.  Chunks are decrypted several
 * at a time (different ones, so that the AES unit is kept busy), written, and
 * recorded, so that an interrupted download goes on where it was.
 *
 * Source: mega-protocol(7), "Downloads"; meganz/sdk src/transferslot.cpp.
 */
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include <stdint.h>

#include "api.h"
#include "attr.h"
#include "chunk.h"
#include "http.h"
#include "key.h"
#include "out.h"

#define DOWNLOAD_SIZE_MAX ((int64_t)1 << 44) /* of one file */

struct downloads; /* the engine */

struct download_options {
	unsigned connections;  /* in all and for a file; 0: as pace.h says */
	int64_t limit_rate;    /* bytes a second for all together, 0: none */
	int64_t wait_max;      /* seconds to wait for transfer quota at most;
	                        * 0: do not wait */
	int plain_http;        /* ask for http URLs */
	/* n more bytes of file data have arrived. */
	void (*moved)(void *ctx, int64_t n);
	void *ctx;
};

/*
 * One download.  The caller zeroes it, fills in the first part and owns it
 * until done is called.
 */
struct download {
	struct api *api;          /* channel to ask on; borrowed */
	char h[9];                /* handle, or public handle */
	int is_public;            /* the latter */
	uint8_t key[KEY_FILE_SIZE]; /* a secret; wiped before done */
	int64_t from, to;         /* bytes wanted, to exclusive; both 0: all.
	                           * A part cannot be verified */
	void *ctx;                /* the caller's */

	/*
	 * Size and attributes are known; the caller says where the data
	 * goes, by out or emit.  0: go on.  1: not wanted, done is called
	 * with 0 at once.  ERR_*: likewise with that.
	 */
	int (*begin)(struct download *d);

	/* The end.  0: complete, verified and still without its name:
	 * out_commit is the caller's. */
	void (*done)(struct download *d, int result);

	/* From begin on. */
	int64_t size;             /* of the whole file */
	struct attr attr;
	int64_t modified;         /* from the fingerprint, -1 if none */

	/* Set by begin: one of them. */
	struct out *out;          /* a file under way */
	int (*emit)(struct download *d, const uint8_t *p, size_t n);
	                          /* data in order; 0 or ERR_* */

	/*
	 * Set before downloads_add, instead of both: chunks come as
	 * download_want asks for them, in any order, each with its MAC, which
	 * is the caller's to check.  p is borrowed for the call; 0, or ERR_*
	 * to end it all.
	 */
	int (*chunk)(struct download *d, uint64_t i, const uint8_t *p,
	    size_t n, const uint8_t mac[16]);
	uint64_t urgent;          /* this chunk does not wait for others */

	const char *historic;     /* done: words if the MAC is right only as
	                           * old clients got it wrong */
	int64_t resumed;          /* bytes that were there already */

	struct fetch *fetch;      /* private */
};

struct downloads *downloads_new(struct http *h,
    const struct download_options *o);
void downloads_free(struct downloads *ds);

/* Begin one; everything else comes through its callbacks. */
void downloads_add(struct downloads *ds, struct download *d);

/* Of a download by chunks, from begin on: fetch this one, if that is not
 * under way already.  It may be fetched any number of times. */
void download_want(struct download *d, uint64_t chunk);

/* End a download by chunks: done is called with 0, from the loop. */
void download_stop(struct download *d);

/* Whether it makes sense to add more now (the caller has a long list). */
int downloads_want(const struct downloads *ds);

/* The number of those under way. */
unsigned downloads_count(const struct downloads *ds);

/* Run the loop until all are done. */
void downloads_run(struct downloads *ds);

#endif
