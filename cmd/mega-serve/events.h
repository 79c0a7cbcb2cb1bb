/*
 * Events: what changed, told to every session and folder link concerned.
 *
 * A channel is the id of a user, or the negated handle of the root of an
 * exported folder.  Events have one sequence for all channels; the last
 * number that a client has seen is its "sn".
 *
 * Source: mega-protocol(7), "Events".
 */
#ifndef EVENTS_H
#define EVENTS_H

#include "cs.h"

/* Begin a packet: its kind, the tag of the request, the sequence tag. */
void event_begin(struct cs *c, struct json_out *o, struct buf *b,
    const char *kind);
/* End it. */
void event_end(struct json_out *o);
/* Add it to a channel, as part of the command under way. */
int event_send(struct cs *c, int64_t channel, const struct buf *b);

/* Whether a client that has seen sn can be told all that came since. */
int events_since(struct store *db, struct slice sn);

extern const struct route events_sc_route, events_catchup_route,
    events_wsc_route, events_wait_route, events_old_wait_route;

#endif
