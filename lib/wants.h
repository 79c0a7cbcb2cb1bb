/*
 * Keys of nodes that others with a share lack, which the service asks us for.
 *
 * Not every client sends the keys that a share needs along with what it puts
 * there.  The service then asks those who have them: in "cr" of "f", and in
 * packets "k".
 * Source: mega-protocol(7), "Shares"; meganz/sdk src/megaclient.cpp, proccr,
 * sc_keys and cr_response.
 */
#ifndef WANTS_H
#define WANTS_H

#include "json.h"

struct tree;

/* What is wanted.  Zeroed is none; wants_free. */
struct wants {
	struct want {
		int64_t share, node;
	} *w;
	size_t n, cap;
	size_t sure;            /* of those, so many are not taken back */
	struct handles {
		int64_t *h;
		size_t n;
	} lists[2];             /* shares and nodes of a matrix under way */
	int part;               /* which part of it comes next */
};

/*
 * Take in what asks.  wants_part: one of the three parts of a "cr", which come
 * in their order; a key that is in it opens a node of ours that no key
 * opened.  wants_packet: a packet "k", the whole of j.  0, ERR_LOCAL …
 */
int wants_part(struct tree *t, struct json *j, int v);
int wants_packet(struct tree *t, struct json *j);

/* What came since the last time is true, or never happened. */
void wants_commit(struct wants *w);
void wants_rollback(struct wants *w);

/*
 * Answer, as far as that is ours to do: keys are given for nodes below a
 * folder that the account shares, and nothing else.  wants_answer waits until
 * the service has them, wants_send does not.  That it fails is no failure: the
 * service will ask again.
 */
void wants_answer(struct tree *t);
void wants_send(struct tree *t);

void wants_free(struct wants *w);

#endif
