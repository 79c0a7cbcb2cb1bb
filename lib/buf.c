#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

struct slice
slice_str(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_MAX(max);
}

void *
buf_reserve(struct buf *b, size_t n)
{
	size_t cap;

	if (b->over || n > b->max - b->len) {
		b->over = 1;
		buf_check(b);
		return NULL;
	}
	/* One byte more than asked for, so that buf_str has room. */
	if (b->cap - b->len <= n) {
		cap = b->cap < 64 ? 64 : b->cap;
		while (cap - b->len <= n)
			cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
		if (cap > b->max && b->max < SIZE_MAX)
			cap = b->max + 1;
		b->p = xrealloc(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->len;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	void *to = buf_reserve(b, n);

	if (to == NULL)
		return ERR_TOOBIG;
	if (n > 0)
		memcpy(to, p, n);
	b->len += n;
	return 0;
}

int
buf_addch(struct buf *b, int ch)
{
	char c = (char)ch;

	return buf_add(b, &c, 1);
}

int
buf_addstr(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (to = buf_reserve(b, (size_t)n)) == NULL)
		return ERR_TOOBIG;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int
buf_check(const struct buf *b)
{
	return b->over ? err_set(ERR_TOOBIG, "more than %zu bytes", b->max) : 0;
}

const char *
buf_str(struct buf *b)
{
	if (b->p == NULL)
		return "";
	b->p[b->len] = '\0';
	return b->p;
}

char *
buf_steal(struct buf *b)
{
	char *s = b->p;

	if (s == NULL)
		return xstrdup("");
	s[b->len] = '\0';
	buf_init(b, b->max);
	return s;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n > 0 && n < b->len)
		memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->over = 0;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		secret_zero(b->p, b->cap);
	buf_free(b);
}
