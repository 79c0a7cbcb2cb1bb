/*
 * Uploads: any number of files over a bounded number of connections, with
 * bounded memory.
 *
 * A file is read in order, a few chunks at a time, encrypted and sent in
 * pieces with checksums on several connections; the piece that completes it
 * is answered with a token, which makes a node of it.
 *
 * Source: mega-protocol(7), "Uploads"; meganz/sdk src/transferslot.cpp,
 * src/commands.cpp CommandPutNodes.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stdint.h>

#include "api.h"
#include "attr.h"
#include "http.h"
#include "key.h"
#include "share.h"

#define UPLOAD_SIZE_MAX ((int64_t)1 << 44) /* of one file */

struct uploads; /* the engine */

struct upload_options {
	unsigned connections;  /* in all and for a file; 0: as pace.h says */
	int64_t limit_rate;    /* bytes a second for all together, 0: none */
	int plain_http;        /* ask for http URLs */
	/* n more bytes have been sent and acknowledged. */
	void (*moved)(void *ctx, int64_t n);
	void *ctx;
};

/*
 * One upload.  The caller zeroes it, fills in the first part and owns it
 * until done is called.
 */
struct upload {
	struct api *api;          /* channel to ask on; borrowed */
	char parent[9];           /* handle of the folder */
	char replaces[9];         /* handle of the version before, or "" */
	int drop_old;             /* that one is deleted, not kept as a version */
	uint8_t master[16];       /* the account's key; a secret */
	const struct share *shares; /* that cover the folder; borrowed */
	int nshares;
	int by_share;             /* put by a link: only the shares' key */
	struct attr attr;         /* name and whatever else; the fingerprint
	                           * is set here.  The caller frees them */
	int fd;                   /* open for reading, at the start; stays
	                           * the caller's */
	int64_t size;             /* exactly so many bytes have to come */
	int64_t mtime;            /* for the fingerprint; negative: now */
	const char *state;        /* resume_name's, to go on after an
	                           * interruption; or NULL.  Borrowed */
	void *ctx;                /* the caller's */

	/*
	 * The end.  0: the service has made the node; handle and key say
	 * which.  v names the array of new nodes in j, or is -1.
	 */
	void (*done)(struct upload *u, int result, struct json *j, int v);

	char handle[9];
	uint8_t key[KEY_FILE_SIZE]; /* a secret, for the caller to wipe */
	int64_t resumed;          /* bytes that an earlier run had sent */

	struct push *push;        /* private */
};

struct uploads *uploads_new(struct http *h, const struct upload_options *o);
void uploads_free(struct uploads *us);

/* Begin one; the end comes through done. */
void uploads_add(struct uploads *us, struct upload *u);

int uploads_want(const struct uploads *us);
unsigned uploads_count(const struct uploads *us);
void uploads_run(struct uploads *us);

#endif
