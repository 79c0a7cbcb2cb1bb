/*
 * What each request and reply must look like, as tables.
 *
 * A table names the members of one JSON object, their types and bounds, and
 * where in a C struct each goes.  shape_read fills the struct and says
 * exactly what was wrong: reply to "g": member "s": want a size, got a
 * string.  Members that a table does not name are ignored.
 */
#ifndef SHAPE_H
#define SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"

enum shape_kind {
	SHAPE_INT,     /* int64_t; min <= value <= max */
	SHAPE_STRING,  /* struct slice: raw text; min <= length <= max */
	SHAPE_TEXT,    /* struct slice: escapes undone, NUL-terminated */
	SHAPE_B64,     /* struct slice: raw text of the URL alphabet; min, max
	                * are its length in characters */
	SHAPE_BYTES,   /* uint8_t[max]: base64 of exactly max bytes */
	SHAPE_HANDLE,  /* char[max + 1]: base64 text of exactly max chars (8 or
	                * 11), with a NUL */
	SHAPE_OBJECT,  /* int: the value's number in the reader */
	SHAPE_ARRAY,   /* int: likewise; at most max elements if max > 0 */
	SHAPE_ANY      /* int: a value of any type */
};

#define SHAPE_REQUIRED 1 /* must be there */
#define SHAPE_LAX      2 /* an INT may come as a string of digits */
#define SHAPE_EMPTY    4 /* null and "" count as absent */

struct shape {
	const char *name;      /* member; NULL ends the table */
	enum shape_kind kind;
	unsigned flags;
	size_t offset;         /* in the struct */
	int64_t min, max;
};

/* The usual entries. */
#define SHAPE_SIZE_MAX ((int64_t)1 << 50) /* of one file: a pebibyte */
#define SHAPE(s, f, name, kind, flags, min, max) \
	{ name, kind, flags, offsetof(struct s, f), min, max }
#define SHAPE_END { NULL, SHAPE_ANY, 0, 0, 0, 0 }

/*
 * shape_read: fill out from the object v of j.
 *
 * what names the message for errors, for example: reply to "g".  The caller
 * zeroes out and sets defaults first; members that are absent leave it
 * alone, except that OBJECT, ARRAY and ANY become -1.  Slices borrow from j.
 * 0 or ERR_PROTO with a text.
 */
int shape_read(const char *what, const struct shape *table, struct json *j,
    int v, void *out);

/*
 * The same for an object that a splitter takes apart: shape_begin (out is
 * zeroed and has its defaults), shape_member for each member as the splitter
 * gives it, shape_end.
 *
 * For tables of INT, STRING, B64, BYTES and HANDLE.  Strings borrow from the
 * member's text, so for longer than the call they have to be copied.  A
 * member that is wrong gives ERR_PROTO and counts as absent.
 */
struct shape_reader {
	const char *what;
	const struct shape *table;
	void *out;
	uint64_t seen, present; /* bits of entries */
};

void shape_begin(struct shape_reader *r, const char *what,
    const struct shape *table, void *out);
int shape_member(struct shape_reader *r, struct slice key, struct slice text);
int shape_end(struct shape_reader *r);

#endif
