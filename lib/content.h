/*
 * Contents of files by ranges: from memory, from a folder of blocks, or from
 * the service, with many readers at a time and reading ahead.
 *
 * Data comes in whole chunks.  A file's key authenticates all its chunks'
 * MACs together: so each chunk is checked from the moment on when all of
 * them have been seen, and what came before is found out then.
 *
 * Source: mega-protocol(7), "Chunks and MACs".
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "api.h"
#include "blocks.h"
#include "http.h"
#include "node.h"

#define CONTENT_READ_MAX CHUNK_MAX /* of one read, bytes */

struct contents; /* all files being read */
struct content;  /* one of them */

struct contents_options {
	unsigned connections;  /* in all; 0: the default */
	int64_t limit_rate;    /* bytes a second for all together, 0: none */
	int64_t timeout_s;     /* a read fails after so long */
	int plain_http;        /* ask for http URLs */
};

/* blocks is borrowed, or NULL. */
struct contents *contents_new(struct http *h, struct blocks *blocks,
    const struct contents_options *o);
/* Nothing may be open or being read. */
void contents_free(struct contents *cs);

/*
 * content_open: begin to read a file node whose key is known.
 *
 * Asks for nothing yet.  One that is open already is opened once more; each
 * needs a content_close, by which all its reads have ended.
 */
struct content *content_open(struct contents *cs, struct api *api,
    const struct node *n);
void content_close(struct content *c);
/* Once more, to be closed once more. */
void content_hold(struct content *c);

/* One read.  The caller zeroes it, fills in the first part and owns it until
 * done is called or it is cancelled. */
struct content_read {
	int64_t offset;
	size_t n;             /* at most CONTENT_READ_MAX, inside the file */
	uint8_t *p;           /* where to */
	/* The end: 0 with all bytes there, or ERR_* (ERR_MAC: the data does
	 * not authenticate). */
	void (*done)(struct content_read *r, int result);
	void *ctx;            /* the caller's */

	struct content *c;    /* private, as what follows */
	uint64_t first;
	unsigned missing;     /* chunks, one bit each */
	int64_t until_ms;
	int result;
	struct err_kept *error;
	struct content_read *next;
};

/* Read.  done may be called before this returns. */
void content_read(struct content *c, struct content_read *r);

/* End a read without done. */
void content_cancel(struct content_read *r);

/* What is likely to be read soon: fetch it if it is not here. */
void content_ahead(struct content *c, int64_t offset, int64_t n);

#endif
