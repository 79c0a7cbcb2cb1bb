/*
 * Operands on their way: many at a time, told in the order in which they
 * were begun, whichever ends first.
 */
#ifndef TASK_H
#define TASK_H

#include "http.h"

#define TASK_MAX 1000 /* under way at a time */

/* One of them; whoever uses it puts it first into a larger struct. */
struct task {
	char *operand;
	struct task *next;    /* private, as what follows */
	int over, result;
	struct err_kept *error;
};

struct tasks {
	/* A task has ended well, and it is its turn. */
	void (*tell)(struct task *t);
	/* It has been told, or failed: free what it is part of. */
	void (*drop)(struct task *t);

	struct task *list, **tail; /* private */
	unsigned count;
};

/* Begin one.  Turns the loop while too many are under way. */
void task_begin(struct tasks *all, struct http *h, struct task *t,
    const char *operand);

/* Its end: 0, or ERR_* with a text. */
void task_end(struct tasks *all, struct task *t, int result);

/* Run the loop until all have ended. */
void task_wait(struct tasks *all, struct http *h);

#endif
