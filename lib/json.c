#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <jsmn.h>
#pragma GCC diagnostic pop

#include "b64.h"
#include "err.h"
#include "json.h"
#include "mem.h"

#define USUAL_NAME_MAX 16 /* characters of a member's name */

/* Unescaped strings, in blocks that never move. */
struct json_arena {
	struct json_arena *next;
	size_t used, size;
	char p[];
};

static const jsmntok_t *
token(const struct json *j, int v)
{
	if (v < 0 || (size_t)v >= j->ntok)
		return NULL;
	return (const jsmntok_t *)j->tok + v;
}

static void
arena_reset(struct json *j)
{
	struct json_arena *a = j->arena;

	if (a == NULL)
		return;
	/* Keep the newest block, which is the largest in use. */
	while (a->next != NULL) {
		struct json_arena *old = a->next;

		a->next = old->next;
		free(old);
	}
	a->used = 0;
}

static char *
arena_alloc(struct json *j, size_t n)
{
	struct json_arena *a = j->arena;
	char *p;

	if (a == NULL || a->size - a->used < n) {
		size_t size = n > 4000 ? n : 4000;

		a = xmalloc(sizeof *a + size);
		a->next = j->arena;
		a->used = 0;
		a->size = size;
		j->arena = a;
	}
	p = a->p + a->used;
	a->used += n;
	return p;
}

/* The quote that ends a string which begins at p[i]; n if there is none. */
static size_t
skip_string(const char *p, size_t i, size_t n)
{
	const char *quote = memchr(p + i + 1, '"', n - i - 1);
	size_t end = quote != NULL ? (size_t)(quote - p) : n;

	/* Most strings have no escapes. */
	if (memchr(p + i, '\\', end - i) == NULL)
		return end;
	for (i++; i < n && p[i] != '"'; i++) {
		if (p[i] == '\\')
			i++;
	}
	return i;
}

/*
 * jsmn does not bound the depth, and takes time by its square: so look
 * first.  It would take a quote in the middle of a word for a part of that,
 * and we for the begin of a string: it is no JSON.
 */
static int
check_depth(const char *p, size_t n)
{
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"') {
			if (i > 0 && (p[i - 1] == '\0' ||
			    strchr("[{,: \t\r\n", p[i - 1]) == NULL))
				return err_set(ERR_PROTO, "not JSON");
			i = skip_string(p, i, n);
		} else if (p[i] == '[' || p[i] == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return err_set(ERR_PROTO,
				    "JSON nested too deeply");
		} else if (p[i] == ']' || p[i] == '}') {
			depth--;
		}
	}
	return 0;
}

/* A number, true, false or null alone: jsmn waits for what comes behind. */
static int
parse_scalar(struct json *j, const char *text, size_t n)
{
	jsmntok_t *t = j->tok;

	if (n > 0 && text[0] != 't' && text[0] != 'f' && text[0] != 'n' &&
	    text[0] != '-' && !(text[0] >= '0' && text[0] <= '9'))
		return err_set(ERR_PROTO, "not JSON");
	for (size_t i = 0; i < n; i++)
		if (strchr("+-.0123456789Eaeflnrstu", text[i]) == NULL ||
		    text[i] == '\0')
			return err_set(ERR_PROTO, "not JSON");
	*t = (jsmntok_t){ JSMN_PRIMITIVE, 0, (int)n, 0, -1 };
	j->ntok = 1;
	return 0;
}

int
json_parse(struct json *j, const char *text, size_t n)
{
	jsmn_parser p;
	int r;

	arena_reset(j);
	j->text = text;
	j->ntok = 0;
	if (n > INT32_MAX)
		return err_set(ERR_TOOBIG, "JSON of %zu bytes", n);
	if (j->captok == 0) {
		j->captok = 64;
		j->tok = xreallocarray(NULL, j->captok, sizeof(jsmntok_t));
	}
	if (n > 0 && strchr("{[\" \t\r\n", text[0]) == NULL)
		return parse_scalar(j, text, n);
	if ((r = check_depth(text, n)) < 0)
		return r;
	jsmn_init(&p);
	while ((r = jsmn_parse(&p, text, n, j->tok, (unsigned)j->captok)) ==
	    JSMN_ERROR_NOMEM) {
		if (j->captok >= JSON_TOKENS_MAX)
			return err_set(ERR_TOOBIG, "JSON of over %d values",
			    JSON_TOKENS_MAX);
		j->captok *= 4;
		j->tok = xreallocarray(j->tok, j->captok, sizeof(jsmntok_t));
	}
	if (r <= 0)
		return err_set(ERR_PROTO, "%s", r == JSMN_ERROR_PART || r == 0 ?
		    "JSON ends in the middle" : "not JSON");
	j->ntok = (size_t)r;
	/* jsmn takes several values in a row; we want one. */
	for (size_t i = 1; i < j->ntok; i++) {
		if (((jsmntok_t *)j->tok)[i].parent == -1) {
			j->ntok = 0;
			return err_set(ERR_PROTO, "more than one JSON value");
		}
	}
	return 0;
}

void
json_free(struct json *j)
{
	arena_reset(j);
	free(j->arena);
	free(j->tok);
	free(j->owned);
	*j = (struct json){ 0 };
}

int
json_parse_copy(struct json *j, const char *text, size_t n)
{
	char *copy = xmalloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	free(j->owned);
	j->owned = copy;
	return json_parse(j, copy, n);
}

enum json_type
json_type(const struct json *j, int v)
{
	const jsmntok_t *t = token(j, v);

	if (t == NULL)
		return JSON_NONE;
	switch (t->type) {
	case JSMN_OBJECT:
		return JSON_OBJECT;
	case JSMN_ARRAY:
		return JSON_ARRAY;
	case JSMN_STRING:
		return JSON_STRING;
	default:
		break;
	}
	switch (j->text[t->start]) {
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

struct slice
json_raw(const struct json *j, int v)
{
	const jsmntok_t *t = token(j, v);

	if (t == NULL)
		return (struct slice){ NULL, 0 };
	return (struct slice){ j->text + t->start, (size_t)(t->end - t->start) };
}

/* The first token behind v's whole subtree, or -1. */
static int
after(const struct json *j, int v)
{
	const jsmntok_t *t = j->tok;
	size_t i = (size_t)v + 1;
	int end = t[v].end;

	while (i < j->ntok && t[i].start < end)
		i++;
	return i < j->ntok ? (int)i : -1;
}

int
json_first(const struct json *j, int v)
{
	const jsmntok_t *t = token(j, v);

	if (t == NULL || t->size == 0 ||
	    (t->type != JSMN_OBJECT && t->type != JSMN_ARRAY))
		return -1;
	return v + 1;
}

int
json_next(const struct json *j, int v)
{
	const jsmntok_t *t = token(j, v);
	int n;

	if (t == NULL)
		return -1;
	/* Behind a key comes its value's subtree. */
	n = t->size == 1 && t->type == JSMN_STRING ? after(j, v + 1) :
	    after(j, v);
	return n >= 0 && token(j, n)->parent == t->parent ? n : -1;
}

int
json_value(const struct json *j, int key)
{
	const jsmntok_t *t = token(j, key);

	return t != NULL && t->size == 1 && t->type == JSMN_STRING ?
	    key + 1 : -1;
}

int
json_member(const struct json *j, int v, const char *name)
{
	size_t n = strlen(name);

	if (json_type(j, v) != JSON_OBJECT)
		return -1;
	for (int k = json_first(j, v); k >= 0; k = json_next(j, k)) {
		struct slice s = json_raw(j, k);

		if (s.n == n && memcmp(s.p, name, n) == 0)
			return json_value(j, k);
	}
	return -1;
}

size_t
json_count(const struct json *j, int v)
{
	const jsmntok_t *t = token(j, v);

	return t != NULL && (t->type == JSMN_ARRAY || t->type == JSMN_OBJECT) ?
	    (size_t)t->size : 0;
}

/* The usual number: digits alone, and few enough not to overflow.  0 or -1. */
static int
read_digits(struct slice s, int64_t *out)
{
	int64_t n = 0;

	if (s.n == 0 || s.n > 18)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		n = 10 * n + (s.p[i] - '0');
	}
	*out = n;
	return 0;
}

int
json_integer(struct slice s, int64_t *out)
{
	char text[24], *end;
	long long n;

	if (read_digits(s, out) == 0)
		return 0;
	if (s.n == 0 || s.n >= sizeof text)
		return ERR_PROTO;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return ERR_PROTO;
	*out = n;
	return 0;
}

int
json_int(const struct json *j, int v, int lax, int64_t *out)
{
	enum json_type type = json_type(j, v);

	if (type != JSON_NUMBER && !(lax && type == JSON_STRING))
		return ERR_PROTO;
	return json_integer(json_raw(j, v), out);
}

static int
hex4(const char *p, unsigned *out)
{
	int v = b64_hex(p, 4);

	*out = (unsigned)v;
	return v >= 0;
}

static size_t
put_utf8(char *d, unsigned c)
{
	if (c < 0x80) {
		d[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		d[0] = (char)(0xc0 | c >> 6);
		d[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		d[0] = (char)(0xe0 | c >> 12);
		d[1] = (char)(0x80 | (c >> 6 & 0x3f));
		d[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	d[0] = (char)(0xf0 | c >> 18);
	d[1] = (char)(0x80 | (c >> 12 & 0x3f));
	d[2] = (char)(0x80 | (c >> 6 & 0x3f));
	d[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The \uXXXX at p (n characters are left): its UTF-8 into d, the characters
 * used into *used. */
static size_t
unescape_u(char *d, const char *p, size_t n, size_t *used)
{
	unsigned c, low;

	*used = n < 6 ? n : 6;
	if (n < 6 || !hex4(p + 2, &c))
		return put_utf8(d, 0xfffd);
	if (c >= 0xd800 && c < 0xdc00 && n >= 12 && p[6] == '\\' &&
	    p[7] == 'u' && hex4(p + 8, &low) && low >= 0xdc00 && low < 0xe000) {
		*used = 12;
		return put_utf8(d, 0x10000 + ((c - 0xd800) << 10) +
		    (low - 0xdc00));
	}
	return put_utf8(d, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
}

/* Undo escapes; d has room for n bytes (no escape is shorter than what it
 * stands for). */
static size_t
unescape(char *d, const char *p, size_t n)
{
	char *start = d;

	while (n > 0) {
		const char *bs = memchr(p, '\\', n);
		size_t plain = bs != NULL ? (size_t)(bs - p) : n, used = 2;

		memcpy(d, p, plain);
		d += plain;
		p += plain;
		n -= plain;
		if (n < 2)
			break;
		switch (p[1]) {
		case 'b':
			*d++ = '\b';
			break;
		case 'f':
			*d++ = '\f';
			break;
		case 'n':
			*d++ = '\n';
			break;
		case 'r':
			*d++ = '\r';
			break;
		case 't':
			*d++ = '\t';
			break;
		case 'u':
			d += unescape_u(d, p, n, &used);
			break;
		default:
			*d++ = p[1];
			break;
		}
		p += used;
		n -= used;
	}
	return (size_t)(d - start);
}

struct slice
json_text(struct json *j, int v)
{
	struct slice s = json_raw(j, v);
	char *p;

	if (json_type(j, v) != JSON_STRING)
		return (struct slice){ NULL, 0 };
	p = arena_alloc(j, s.n + 1);
	s.n = unescape(p, s.p, s.n);
	p[s.n] = '\0';
	s.p = p;
	return s;
}

int
json_unescape(struct buf *out, const char *p, size_t n)
{
	char *to = buf_reserve(out, n);

	if (to == NULL)
		return ERR_TOOBIG;
	out->len += unescape(to, p, n);
	return 0;
}

/*
 * The splitter.  Between values it is a small machine over states; inside a
 * value that is collected whole it only counts brackets and watches strings.
 */
enum {
	WANT_VALUE,  /* a value must come */
	WANT_FIRST,  /* a value (or key), or the end of the container */
	WANT_KEY,    /* a key must come */
	IN_KEY,
	WANT_COLON,
	WANT_COMMA,  /* a comma, or the end of the container */
	IN_VALUE,    /* collecting */
	THE_END
};

void
json_split_init(struct json_split *s, void *ctx, size_t max)
{
	*s = (struct json_split){ .ctx = ctx, .max = max };
	buf_init(&s->part, max);
}

void
json_split_free(struct json_split *s)
{
	buf_free(&s->part);
}

static int
bad(const char *what)
{
	return err_set(ERR_PROTO, "not JSON: %s", what);
}

static int
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice
split_key(const struct json_split *s)
{
	if (!s->haskey)
		return (struct slice){ NULL, 0 };
	return (struct slice){ s->key, s->keylen };
}

/* A value or container at the present depth is over. */
static void
split_after(struct json_split *s)
{
	s->haskey = 0;
	s->state = s->depth == 0 ? THE_END : WANT_COMMA;
}

static int
split_close(struct json_split *s, char c)
{
	if (s->depth == 0 || s->stack[s->depth - 1] != (c == '}' ? '{' : '['))
		return bad("a bracket without its partner");
	s->depth--;
	split_after(s);
	return s->leave != NULL ? s->leave(s->ctx, s->depth) : 0;
}

/* A value begins with c.  1 if c was consumed, 0 if collecting starts with
 * it, negative on error. */
static int
split_open(struct json_split *s, char c)
{
	int r;

	s->nest = s->instr = s->esc = s->scalar = 0;
	s->state = IN_VALUE;
	if (c == '{' || c == '[') {
		r = s->enter == NULL ? 0 :
		    s->enter(s->ctx, s->depth, split_key(s), c);
		if (r < 0)
			return r;
		if (r == 0)
			return 0;
		if (s->depth == JSON_DEPTH_MAX)
			return bad("nested too deeply");
		s->stack[s->depth++] = c;
		s->haskey = 0;
		s->state = WANT_FIRST;
		return 1;
	}
	if (c != '"' && c != '-' && !(c >= '0' && c <= '9') && c != 't' &&
	    c != 'f' && c != 'n')
		return bad("a value begins with a strange character");
	s->scalar = c != '"';
	return 0;
}

/* One character between values. */
static int
split_between(struct json_split *s, char c)
{
	int object = s->depth > 0 && s->stack[s->depth - 1] == '{';

	switch (s->state) {
	case WANT_FIRST:
		if (c == '}' || c == ']') {
			int r = split_close(s, c);

			return r < 0 ? r : 1;
		}
		/* FALLTHROUGH */
	case WANT_KEY:
		if (!object)
			return split_open(s, c);
		if (c != '"')
			return bad("a member without a name");
		s->keylen = 0;
		s->esc = 0;
		s->state = IN_KEY;
		return 1;
	case WANT_VALUE:
		return split_open(s, c);
	case WANT_COLON:
		if (c != ':')
			return bad("a name without a colon");
		s->state = WANT_VALUE;
		return 1;
	case WANT_COMMA:
		if (c == ',') {
			s->state = object ? WANT_KEY : WANT_VALUE;
			return 1;
		}
		if (c == '}' || c == ']') {
			int r = split_close(s, c);

			return r < 0 ? r : 1;
		}
		return bad("no comma between values");
	default:
		return bad("something behind the value");
	}
}

static int
split_in_key(struct json_split *s, char c)
{
	if (!s->esc && c == '"') {
		s->haskey = 1;
		s->state = WANT_COLON;
		return 0;
	}
	s->esc = !s->esc && c == '\\';
	if (s->keylen == sizeof s->key)
		return bad("a name of over 256 characters");
	s->key[s->keylen++] = c;
	return 0;
}

/* How many of n characters inside a string are dealt with: up to the next
 * quote, which may end it (instr is then 0). */
static size_t
split_string(struct json_split *s, const char *p, size_t n)
{
	const char *quote = memchr(p, '"', n);
	size_t end = quote != NULL ? (size_t)(quote - p) + 1 : n;

	/* Most strings have no escapes, and memchr is many times quicker than
	 * a loop. */
	if (!s->esc && memchr(p, '\\', end) == NULL) {
		s->instr = quote == NULL;
		return end;
	}
	for (size_t i = 0; i < end; i++) {
		if (s->esc)
			s->esc = 0;
		else if (p[i] == '\\')
			s->esc = 1;
		else if (p[i] == '"')
			s->instr = 0;
	}
	return end;
}

/* How many of n characters belong to the value being collected; *whole tells
 * whether it ends there. */
static size_t
split_scan(struct json_split *s, const char *p, size_t n, int *whole)
{
	size_t i = 0;

	*whole = 0;
	if (s->scalar) {
		while (i < n && p[i] != ',' && p[i] != '}' && p[i] != ']' &&
		    !is_space(p[i]))
			i++;
		*whole = i < n;
		return i;
	}
	while (i < n) {
		char c;

		if (s->instr) {
			i += split_string(s, p + i, n - i);
			if (!s->instr && s->nest == 0)
				goto end;
			continue;
		}
		c = p[i++];
		if (c == '"') {
			s->instr = 1;
		} else if (c == '{' || c == '[') {
			s->nest++;
		} else if ((c == '}' || c == ']') && --s->nest == 0) {
			goto end;
		}
	}
	return i;
end:
	*whole = 1;
	return i;
}

/* Hand over a value. */
static int
split_deliver(struct json_split *s, struct slice key, struct slice v)
{
	int r = v.n > s->max ? err_set(ERR_TOOBIG,
	    "a JSON value of over %zu bytes", s->max) :
	    s->value(s->ctx, s->depth, key, v);

	split_after(s);
	return r;
}

/* The rest of a value that was collected. */
static int
split_value(struct json_split *s, const char *p, size_t n)
{
	struct slice v = { p, n };
	int r;

	if (s->part.len > 0) {
		if ((r = buf_add(&s->part, p, n)) < 0)
			return r;
		v = (struct slice){ s->part.p, s->part.len };
	}
	r = split_deliver(s, split_key(s), v);
	buf_reset(&s->part);
	return r;
}

/*
 * How many of n characters are a member of the usual kind: a short name and
 * a string or number without escapes or spaces, all of it at hand.  0 if it
 * is another, or does not end here: then the machine goes through it.
 */
static size_t
usual_member(const char *p, size_t n, struct slice *key, struct slice *v)
{
	size_t i = 1, from;
	const char *quote;

	while (i < n && i <= USUAL_NAME_MAX && p[i] != '"' && p[i] != '\\')
		i++;
	if (*p != '"' || n - i < 4 || p[i] != '"' || p[i + 1] != ':')
		return 0;
	*key = (struct slice){ p + 1, i - 1 };
	from = i + 2;
	if (p[from] == '"') {
		quote = memchr(p + from + 1, '"', n - from - 1);
		if (quote == NULL || memchr(p + from, '\\',
		    (size_t)(quote - p) - from) != NULL)
			return 0;
		i = (size_t)(quote - p) + 1;
	} else {
		for (i = from; i < n && p[i] >= '0' && p[i] <= '9'; i++)
			continue;
		if (i == from || i == n || (p[i] != ',' && p[i] != '}'))
			return 0;
	}
	*v = (struct slice){ p + from, i - from };
	return i;
}

/* Whether a member's name may come now. */
static int
wants_member(const struct json_split *s)
{
	return s->state == WANT_KEY || (s->state == WANT_FIRST &&
	    s->stack[s->depth - 1] == '{');
}

int
json_split_feed(struct json_split *s, const char *p, size_t n)
{
	const char *end = p + n;
	struct slice key, v;
	size_t used;
	int r, whole;

	while (p < end) {
		if (wants_member(s) && (used = usual_member(p,
		    (size_t)(end - p), &key, &v)) > 0) {
			if ((r = split_deliver(s, key, v)) < 0)
				return r;
			p += used;
		} else if (s->state == IN_VALUE) {
			used = split_scan(s, p, (size_t)(end - p), &whole);
			r = whole ? split_value(s, p, used) :
			    buf_add(&s->part, p, used);
			if (r < 0)
				return r;
			p += used;
		} else if (s->state == IN_KEY) {
			if ((r = split_in_key(s, *p++)) < 0)
				return r;
		} else if (is_space(*p)) {
			p++;
		} else {
			if ((r = split_between(s, *p)) < 0)
				return r;
			p += r;
		}
	}
	return 0;
}

int
json_split_end(struct json_split *s)
{
	int r;

	if (s->state == IN_VALUE && s->scalar && s->depth == 0) {
		/* A bare number ends with the stream. */
		if ((r = split_value(s, "", 0)) < 0)
			return r;
	}
	if (s->state != THE_END)
		return err_set(ERR_PROTO, "JSON ends in the middle");
	return 0;
}

/* The writer. */

static void
put_key(struct json_out *o, const char *key)
{
	if (o->comma)
		buf_addch(o->b, ',');
	if (key != NULL) {
		json_quote(o->b, key, strlen(key));
		buf_addch(o->b, ':');
	}
	o->comma = 1;
}

void
json_open(struct json_out *o, const char *key, int open)
{
	put_key(o, key);
	buf_addch(o->b, open);
	o->comma = 0;
}

void
json_close(struct json_out *o, int close)
{
	buf_addch(o->b, close);
	o->comma = 1;
}

void
json_put(struct json_out *o, const char *key, const char *text)
{
	json_put_n(o, key, text, strlen(text));
}

void
json_put_n(struct json_out *o, const char *key, const char *text, size_t n)
{
	put_key(o, key);
	json_quote(o->b, text, n);
}

void
json_put_int(struct json_out *o, const char *key, int64_t v)
{
	char digits[20], *end = digits + sizeof digits, *p = end;
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	put_key(o, key);
	/* A listing is half numbers, and printf takes four times as long. */
	do {
		*--p = (char)('0' + u % 10);
	} while ((u /= 10) > 0);
	if (v < 0)
		*--p = '-';
	buf_add(o->b, p, (size_t)(end - p));
}

void
json_put_b64(struct json_out *o, const char *key, const void *p, size_t n)
{
	char *to;

	put_key(o, key);
	buf_addch(o->b, '"');
	if ((to = buf_reserve(o->b, B64_LEN(n) + 1)) != NULL) {
		b64_encode(to, p, n);
		o->b->len += B64_LEN(n);
	}
	buf_addch(o->b, '"');
}

void
json_put_raw(struct json_out *o, const char *key, const char *text, size_t n)
{
	put_key(o, key);
	buf_add(o->b, text, n);
}

/* The length of the UTF-8 sequence at p (n > 0 bytes left), or 0. */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	unsigned c = p[0], min;
	size_t len;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is beyond U+10FFFF. */
	min = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	if (p[1] < min || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

int
json_utf8(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	while (n > 0) {
		size_t len = utf8_len(u, n);

		if (len == 0)
			return 0;
		u += len;
		n -= len;
	}
	return 1;
}

void
json_quote(struct buf *b, const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	buf_addch(b, '"');
	while (n > 0) {
		size_t plain = 0, len;

		while (plain < n && u[plain] >= 0x20 && u[plain] < 0x7f &&
		    u[plain] != '"' && u[plain] != '\\')
			plain++;
		buf_add(b, u, plain);
		u += plain;
		n -= plain;
		if (n == 0)
			break;
		if (*u == '"' || *u == '\\')
			buf_printf(b, "\\%c", *u);
		else if (*u == '\n')
			buf_addstr(b, "\\n");
		else if (*u == '\r')
			buf_addstr(b, "\\r");
		else if (*u == '\t')
			buf_addstr(b, "\\t");
		else if (*u < 0x20 || *u == 0x7f)
			buf_printf(b, "\\u%04x", *u);
		else if ((len = utf8_len(u, n)) > 0) {
			/* Controls as well, for terminals. */
			if (*u == 0xc2 && u[1] < 0xa0)
				buf_printf(b, "\\u%04x", u[1]);
			else
				buf_add(b, u, len);
			u += len;
			n -= len;
			continue;
		} else
			buf_addstr(b, "\xef\xbf\xbd");
		u++;
		n--;
	}
	buf_addch(b, '"');
}
