/* What happens elsewhere. */
#ifndef EVENTS_H
#define EVENTS_H

#include "mount.h"

/* Begin to listen. */
void events_start(void);
void events_stop(void);

/* What the tree has taken in, of others or of our own, is made true of the
 * names that we know: before each look at them. */
void events_apply(void);

#endif
