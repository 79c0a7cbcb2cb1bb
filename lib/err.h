/*
 * What went wrong: a code that travels up as the return value, and a text
 * that is recorded where the fact is known and printed once, by the command.
 *
 * A function that can fail returns 0 (or a count) or one of these.  The
 * service's own codes keep their wire values: mega-protocol(7), "Errors".
 */
#ifndef ERR_H
#define ERR_H

#include <stdint.h>

#include "compat.h"

enum {
	ERR_INTERNAL = -1,
	ERR_ARGS = -2,
	ERR_AGAIN = -3,
	ERR_RATELIMIT = -4,
	ERR_FAILED = -5,
	ERR_TOOMANY = -6,
	ERR_RANGE = -7,
	ERR_EXPIRED = -8,
	ERR_NOENT = -9,
	ERR_CIRCULAR = -10,
	ERR_ACCESS = -11,
	ERR_EXIST = -12,
	ERR_INCOMPLETE = -13,
	ERR_KEY = -14,
	ERR_SID = -15,
	ERR_BLOCKED = -16,
	ERR_OVERQUOTA = -17,
	ERR_TEMPUNAVAIL = -18,
	ERR_TOOMANYCONN = -19,
	ERR_GOINGOVERQUOTA = -24,
	ERR_ROLLEDBACK = -25,
	ERR_MFAREQUIRED = -26,
	ERR_MASTERONLY = -27,
	ERR_BUSINESSPASTDUE = -28,
	ERR_PAYWALL = -29,
	ERR_SUBUSERKEY = -30,

	ERR_PROTO = -1000,  /* a reply or format that we do not understand */
	ERR_MAC = -1001,    /* data or key does not authenticate */
	ERR_LOCAL = -1002,  /* a local file or the system */
	ERR_NET = -1003,    /* no connection, cut, timed out, 5xx */
	ERR_USAGE = -1004,  /* an operand that cannot mean anything */
	ERR_LOGIN = -1005,  /* no session, wrong password, second factor */
	ERR_QUOTA = -1006,  /* transfer quota; err_retry_after tells */
	ERR_STORAGE = -1007, /* storage quota */
	ERR_SLOW = -1008,   /* slowed down: proof of work not solved in time */
	ERR_TAKEN = -1009,  /* the name is taken and the policy says fail */
	ERR_TOOBIG = -1010, /* over one of our ceilings */
	ERR_REFUSED = -1011, /* blocked, taken down, not permitted */
	ERR_MANY = -1012,   /* several different failures, told already */
	ERR_PIPE = -1013    /* nobody reads our output any more */
};

/*
 * err_set: record the text of a failure and return its code.
 *
 * Replaces what was recorded before.  A code above -1000 is remembered as
 * the service's answer (err_api) until err_clear, so that a caller may
 * translate it (ERR_NOENT at login is ERR_LOGIN) and lose nothing.
 */
int err_set(int code, const char *fmt, ...) COMPAT_PRINTF(2, 3);

/* The same for ERR_LOCAL, with ": " and strerror(errno) behind the text. */
int err_local(const char *fmt, ...) COMPAT_PRINTF(1, 2);

/* Put a context before the recorded text; returns code unchanged. */
int err_prefix(int code, const char *fmt, ...) COMPAT_PRINTF(2, 3);

/*
 * What is recorded, kept for later: the text, the service's code and the time
 * to wait.  One block, which free() frees.  err_again records it anew, in the
 * place of all that is recorded by then, and returns code.
 */
struct err_kept;
struct err_kept *err_keep(void);
int err_again(int code, const struct err_kept *k);

/* err_service: record the usual words for a code of the service. */
int err_service(int code);

/* The words for a code of the service, for example "not found". */
const char *err_words(int code);

const char *err_text(void);        /* the recorded text, "" if none */
int err_api(void);                 /* the service's last code, 0 if none */
int64_t err_retry_after(void);     /* seconds, -1 if not known */
void err_set_retry_after(int64_t seconds);
void err_clear(void);

#endif
