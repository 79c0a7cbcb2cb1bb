/*
 * Faults: what goes wrong on purpose.
 *
 * A rule is WHERE:WHAT[=ARG][@N][xTIMES], see mega-serve(1).  Every request
 * is shown to every rule; those that apply are merged into one struct fault.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum fault_where {
	FAULT_CS = 1,
	FAULT_SC = 2,
	FAULT_UP = 4,
	FAULT_DL = 8,
	FAULT_ANY = 15,
	FAULT_NEVER = 0
};

/* What shall happen to one request.  Zeroed is nothing. */
struct fault {
	int http;            /* this status instead of an answer */
	int64_t left;        /* with 509: X-MEGA-Time-Left; 0: none */
	int code;            /* bare error number as the whole answer */
	int cmd_code;        /* error of the commands named cmd */
	char cmd[16];
	int64_t cut;         /* drop the connection after this many bytes of
	                      * data; -1: do not */
	int cut_percent;     /* cut is per cent of the data */
	int drop;            /* cut the connection and do nothing */
	int flip;            /* one wrong bit in the data */
	int64_t slow;        /* bytes a second, 0: full speed */
	int64_t delay_ms;    /* before the answer */
	int lost;            /* do it, but drop the connection for an answer */
	int easiness;        /* ask for proof of work, if >= 0 */
	int expire;          /* data URLs count as expired */
};

struct fault_rule;

struct faults {
	struct fault_rule *rule;
	size_t n;
};

/* Add a rule.  ERR_USAGE with a text if it is none. */
int fault_add(struct faults *f, const char *spec);

/*
 * fault_pick: what shall happen to this request.
 *
 * names are the commands of a cs request (n of them), or of a download the
 * part that is asked for, "part0" to "part5".
 */
void fault_pick(struct faults *f, struct fault *out, enum fault_where where,
    const struct slice *names, size_t n);

void fault_free(struct faults *f);

#endif
