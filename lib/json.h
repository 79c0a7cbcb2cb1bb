/*
 * JSON: a reader for values of bounded size, a splitter for streams of any
 * length, and a writer.
 *
 * The reader tokenizes with jsmn.  A whole reply never goes through it: the
 * splitter cuts a stream into values as it arrives, and each of those is
 * read on its own.  Nothing here recurses.
 */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define JSON_TOKENS_MAX 1000000 /* of one value */
#define JSON_DEPTH_MAX  128

enum json_type {
	JSON_NONE,   /* no such value */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

/*
 * A reader.  Zeroed is valid; values are named by small ints: 0 is the
 * root, negative is "no such value", which every function here accepts.
 * The text is borrowed until the next json_parse or json_free.
 */
struct json {
	const char *text;
	void *tok;          /* jsmn's tokens */
	size_t ntok, captok;
	struct json_arena *arena; /* unescaped strings */
	char *owned;        /* the text, where it is a copy */
};

/* json_parse: tokenize n characters, which must be one value.  ERR_PROTO if
 * they are none, are nested too deeply or have too many tokens.  Reuse one
 * reader for many values: it keeps its memory. */
int json_parse(struct json *j, const char *text, size_t n);
/* The same for a copy of the text, which the reader keeps. */
int json_parse_copy(struct json *j, const char *text, size_t n);
void json_free(struct json *j);

enum json_type json_type(const struct json *j, int v);

/* The value as it stands in the text; a string without its quotes, escapes
 * not undone. */
struct slice json_raw(const struct json *j, int v);

/* A member of an object by name (the first, if repeated), or -1. */
int json_member(const struct json *j, int v, const char *name);

/*
 * The elements of an array in order: first and next, -1 at the end.  Of an
 * object: the keys; json_value gives a key's value.
 */
int json_first(const struct json *j, int v);
int json_next(const struct json *j, int v);
int json_value(const struct json *j, int key);
size_t json_count(const struct json *j, int v);

/* An integer (in a number, or with lax in a string).  0, or ERR_PROTO if v
 * is none or does not fit. */
int json_int(const struct json *j, int v, int lax, int64_t *out);

/* The same from text: an integer as it stands in a number. */
int json_integer(struct slice text, int64_t *out);

/* A string with its escapes undone (UTF-8, surrogates paired; lone ones
 * become U+FFFD), NUL-terminated, owned by the reader until its next parse.
 * p is NULL if v is no string. */
struct slice json_text(struct json *j, int v);

/* Add n characters with JSON escapes undone to out. 0 or ERR_TOOBIG. */
int json_unescape(struct buf *out, const char *p, size_t n);

/*
 * The splitter: fed with a stream, it calls back for every value that its
 * owner has not asked to descend into.
 *
 * depth is the number of containers around a value (the root's is 0); key
 * is the member's name (raw), or p == NULL in arrays.  Callbacks return 0 or
 * an error that ends json_split_feed.
 */
struct json_split {
	/* An object ('{') or array ('[') begins: return 1 to descend (its
	 * members come one by one, then leave), 0 to get it whole. */
	int (*enter)(void *ctx, int depth, struct slice key, int open);
	/* A value: a scalar, or a container not descended into. */
	int (*value)(void *ctx, int depth, struct slice key,
	    struct slice text);
	/* The end of a container that was descended into. */
	int (*leave)(void *ctx, int depth);
	void *ctx;
	size_t max;          /* ceiling of one value, bytes; ERR_TOOBIG */

	/* private */
	struct buf part;     /* of a value that crosses two feeds */
	char key[256];
	size_t keylen;
	char stack[JSON_DEPTH_MAX];
	int depth, state, nest, instr, esc, scalar, haskey;
};

void json_split_init(struct json_split *s, void *ctx, size_t max);
int json_split_feed(struct json_split *s, const char *p, size_t n);
/* 0 if exactly one complete value has passed; ERR_PROTO otherwise. */
int json_split_end(struct json_split *s);
void json_split_free(struct json_split *s);

/*
 * The writer: compact JSON added to a buffer.  key is NULL inside arrays
 * and for the root.  Errors are the buffer's: buf_check at the end.
 */
struct json_out {
	struct buf *b;       /* borrowed */
	int comma;           /* the next value needs one */
};

void json_open(struct json_out *o, const char *key, int open); /* { or [ */
void json_close(struct json_out *o, int close);                /* } or ] */
void json_put(struct json_out *o, const char *key, const char *text);
void json_put_n(struct json_out *o, const char *key, const char *text,
    size_t n);
void json_put_int(struct json_out *o, const char *key, int64_t v);
void json_put_b64(struct json_out *o, const char *key, const void *p,
    size_t n);
/* Text that is JSON already. */
void json_put_raw(struct json_out *o, const char *key, const char *text,
    size_t n);

/* A quoted string.  Bytes that are no UTF-8 become U+FFFD: JSON has no other
 * way; whoever must not lose them sends base64 beside it. */
void json_quote(struct buf *b, const char *p, size_t n);

/* Whether n bytes are well-formed UTF-8. */
int json_utf8(const char *p, size_t n);

#endif
