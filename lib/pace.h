/*
 * How many connections transfers use: fewer when the service or the way to it
 * fails, more as long as that brings more.
 */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

#define PACE_FIRST 4    /* for one file, at first */
#define PACE_EACH  6    /* for one file, at most */
#define PACE_ALL   16   /* for all together, at most */
#define PACE_MAX   32   /* of either, where the user says so */
#define PACE_MS    2000 /* between two looks */

struct pace {
	unsigned all, each;            /* so many now */
	unsigned all_most, each_most;

	int64_t moved, since_ms;       /* private: bytes since the last look */
	int64_t before;                /* bytes a second before it was raised */
	unsigned *raised, by;          /* what is on trial; NULL: nothing */
	int64_t rest_ms;               /* no trial until then */
	int64_t failed_ms;             /* when it was lowered */
	int64_t told_ms;               /* when something was said */
};

/* connections is the user's number for both, or 0. */
void pace_init(struct pace *p, unsigned connections, int64_t now_ms);

/* n more bytes have been moved. */
void pace_moved(struct pace *p, int64_t n);

/* One of busy connections has failed, why is in the recorded error.  What
 * befalls many at once counts once. */
void pace_failed(struct pace *p, unsigned busy, int64_t now_ms);

/* Look how it goes, with busy connections in use.  1 if there may be more
 * from now on. */
int pace_look(struct pace *p, unsigned busy, int64_t now_ms);

/* Tell, not too often, that the recorded error is not the end of it: there
 * will be another try in pause_ms. */
void pace_tell(struct pace *p, int64_t pause_ms, int64_t now_ms);

#endif
