/*
 * Downloads that are complete and wait for their names: flushed to the disk
 * and renamed several at a time, which costs little more than one.  A thread
 * flushes them, and transfers go on meanwhile.
 */
#ifndef FINISH_H
#define FINISH_H

#include <stdint.h>

#include "http.h"
#include "out.h"

#define FINISH_MAX 64  /* files that wait */
#define FINISH_MS  300 /* for so long at most */

/* One file.  The caller fills it in, and keeps it until done is called. */
struct finish_item {
	struct out *out;
	int64_t size, mtime;  /* as for out_end */
	int replace;          /* as for out_name */

	/* It has its name, or ERR_* with a text.  What becomes of the part
	 * is the caller's. */
	void (*done)(struct finish_item *i, int result);
	void *ctx;

	int result;           /* private: so far */
	struct err_kept *error;
};

/* Zeroed but for the loop. */
struct finish {
	struct http *http;

	struct finish_item *item[FINISH_MAX]; /* private: those that wait */
	size_t n;
	struct http_timer timer;
	struct finish_batch *batch; /* those that are being flushed */
	int apart;            /* files are flushed one by one */
};

/* The item waits; those that have waited long enough are finished. */
void finish_add(struct finish *f, struct finish_item *i);

/* Finish all that are left, and return when that is done. */
void finish_all(struct finish *f);

#endif
