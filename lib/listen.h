/*
 * A tree kept current: the event channel asked, its answers taken in, and
 * waited for where they say to wait.
 *
 * Source: mega-protocol(7), "Events".
 */
#ifndef LISTEN_H
#define LISTEN_H

#include "api.h"
#include "tree.h"

struct listener;

/* The tree cannot be brought up to date: it has to be opened anew. */
#define LISTEN_RELOAD 1

/*
 * listener_new: begin to listen.
 *
 * t and api are borrowed.  api has to be the channel that the caller's own
 * commands go through: so no answer can be older than what a command before
 * it has changed.  round is called from the loop, with 0 when an answer has
 * been taken in; LISTEN_RELOAD, after which nothing happens until
 * listener_resume; ERR_SID, after which nothing happens; or another ERR_*
 * with a text, which is tried again.  It may send commands, but not wait for
 * them.
 */
struct listener *listener_new(struct tree *t, struct api *api,
    void (*round)(void *ctx, int result), void *ctx);
void listener_free(struct listener *l);

/* Go on, with another tree. */
void listener_resume(struct listener *l, struct tree *t);

/* Somebody who waits for the tree to be current.  The caller fills in the
 * first part and owns it until done is called. */
struct listener_wait {
	void (*done)(struct listener_wait *w, int result);
	void *ctx;

	unsigned long need;         /* private */
	struct listener_wait *next; /* private */
};

/* Ask now.  w->done is called when all that had happened before has been
 * taken in, or with ERR_*. */
void listener_sync(struct listener *l, struct listener_wait *w);

#endif
