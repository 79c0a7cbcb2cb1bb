/*
 * A range of a file that the service keeps in six parts (raid.h): five of
 * them are fetched at a time, put together, and passed on in order.
 *
 * The sixth takes the place of one that fails, or that the others have to
 * wait for.  If a second one fails, so does the whole, and it is the caller's
 * to begin anew from where it was.
 */
#ifndef PARTS_H
#define PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "raid.h"

#define PARTS_CONNECTIONS (RAID_PARTS - 1)

struct parts_job {
	struct http *http;     /* borrowed, as what follows */
	char *const *url;      /* RAID_PARTS of them */
	int64_t size;          /* of the whole file */
	int64_t from, to;      /* bytes wanted, at least one */
	int spare;             /* the part that is not asked for at first */

	/* The next bytes: 0, or an error that ends it. */
	int (*data)(void *ctx, const uint8_t *p, size_t n);

	/* The end: r is 0 (all is there, or status says why not), what data
	 * returned, or ERR_NET with a text.  req is the request that decided.
	 * parts_free may be called. */
	void (*done)(void *ctx, int r, const struct http_req *req);
	void *ctx;
};

struct parts *parts_start(const struct parts_job *j);

/* End it without done, if it is under way.  NULL is none. */
void parts_free(struct parts *p);

/* Stop and resume taking in data. */
void parts_pause(struct parts *p, int pause);

/* The part that is not asked for now: one that was worse than others, if any
 * was. */
int parts_spare(const struct parts *p);

#endif
