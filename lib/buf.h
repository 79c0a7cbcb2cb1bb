/*
 * Bytes that grow up to a ceiling.
 *
 * A buffer is made with the most it may ever hold.  Adding past that sets
 * ERR_TOOBIG, leaves the contents as they were and makes every later
 * addition fail too (until buf_reset), so that a run of additions needs one
 * check at its end: buf_check.
 */
#ifndef BUF_H
#define BUF_H

#include "compat.h"

/* Somebody else's bytes, borrowed.  p is NULL where there are none. */
struct slice {
	const char *p;
	size_t n;
};

/* All of a text. */
struct slice slice_str(const char *s);

struct buf {
	char *p;     /* contents; not NUL-terminated, see buf_str */
	size_t len;  /* bytes in use */
	size_t cap;  /* bytes allocated */
	size_t max;  /* ceiling for len */
	int over;    /* an addition was refused */
};

#define BUF_MAX(n) { .max = (n) } /* initialiser */

void buf_init(struct buf *b, size_t max);

/* Each returns 0 or ERR_TOOBIG. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_addch(struct buf *b, int ch);
int buf_addstr(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) COMPAT_PRINTF(2, 3);

/* Room for n more bytes behind the contents: the place, or NULL (ERR_TOOBIG).
 * The caller writes there and adds to len what it wrote. */
void *buf_reserve(struct buf *b, size_t n);

/* 0, or ERR_TOOBIG if any addition since the last reset was refused. */
int buf_check(const struct buf *b);

/* The contents with a NUL behind them (not counted in len); "" if empty.
 * Borrowed until the next change. */
const char *buf_str(struct buf *b);

/* The contents as a string of its own, which the caller frees; b is empty
 * afterwards. */
char *buf_steal(struct buf *b);

/* Take n bytes (at most len) from the front. */
void buf_drop(struct buf *b, size_t n);

void buf_reset(struct buf *b); /* empty, memory kept */
void buf_free(struct buf *b);  /* empty, memory given back, max kept */
void buf_wipe(struct buf *b);  /* buf_free for secrets */

#endif
