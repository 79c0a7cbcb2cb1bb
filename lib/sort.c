#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "sort.h"

#define HEADER      4           /* a record's length before it, in the file */
#define READ_BUFFER (1 << 16)   /* of each run while merging, at first */
#define PREFIX_SIZE 8           /* of a record, for quick comparisons */

/* A record in memory. */
struct entry {
	uint64_t prefix; /* its first bytes, big-endian */
	const uint8_t *p;
	uint32_t n;
};

/* A sorted run in the file, while it is read. */
struct run {
	off_t at, end;   /* what was not read into buf yet */
	uint8_t *buf;
	size_t pos, len, cap;
	struct entry head; /* its next record, in buf */
};

struct sort {
	char *prefix;
	int fd;             /* the file; -1: none yet */
	off_t size;         /* of the file */
	uint8_t *block;     /* records one after the other */
	size_t used, memory;
	struct entry *entries;
	size_t n, cap;
	struct run *runs;
	size_t nruns;
	int reading;
	size_t *heap;       /* of runs, by their heads */
	size_t nheap;
	size_t next;        /* entry, where everything fits into memory */
};

struct sort *
sort_new(const char *prefix, size_t memory)
{
	struct sort *s = xcalloc(1, sizeof *s);

	assert(memory >= SORT_RECORD_MAX);
	s->prefix = xstrdup(prefix);
	s->fd = -1;
	s->memory = memory;
	s->block = xmalloc(memory);
	return s;
}

void
sort_free(struct sort *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nruns; i++)
		free(s->runs[i].buf);
	if (s->fd != -1)
		close(s->fd);
	free(s->runs);
	free(s->heap);
	free(s->entries);
	free(s->block);
	free(s->prefix);
	free(s);
}

static uint64_t
prefix_of(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < PREFIX_SIZE; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static int
compare(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int r;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	r = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
	return r != 0 ? r : (a->n > b->n) - (a->n < b->n);
}

/* Sort what is in memory.  Often it came in order. */
static void
sort_block(struct sort *s)
{
	size_t i = 1;

	while (i < s->n && compare(&s->entries[i - 1], &s->entries[i]) <= 0)
		i++;
	if (i < s->n)
		qsort(s->entries, s->n, sizeof *s->entries, compare);
}

static int
write_all(struct sort *s, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(s->fd, p, n);

		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_local("temporary file %ssort", s->prefix);
		p += w;
		n -= (size_t)w;
		s->size += w;
	}
	return 0;
}

/* A file that has no name any more. */
static int
make_file(struct sort *s)
{
	char *path = xasprintf("%ssort.XXXXXX", s->prefix);
	int r = 0;

	if ((s->fd = mkstemp(path)) == -1)
		r = err_local("temporary file %ssort", s->prefix);
	else
		unlink(path);
	free(path);
	return r;
}

/* Write the sorted records of the block to the file, as it is packed. */
static int
write_block(struct sort *s)
{
	uint8_t *out = xmalloc(READ_BUFFER + HEADER + SORT_RECORD_MAX);
	size_t len = 0;
	int r = 0;

	for (size_t i = 0; i < s->n && r == 0; i++) {
		const struct entry *e = &s->entries[i];

		for (int k = 0; k < HEADER; k++)
			out[len++] = (uint8_t)(e->n >> (8 * k));
		memcpy(out + len, e->p, e->n);
		len += e->n;
		if (len >= READ_BUFFER) {
			r = write_all(s, out, len);
			len = 0;
		}
	}
	if (r == 0)
		r = write_all(s, out, len);
	free(out);
	return r;
}

/* The block is full: sort it and make a run of it. */
static int
spill(struct sort *s)
{
	off_t from = s->size;
	int r;

	if (s->fd == -1 && (r = make_file(s)) < 0)
		return r;
	sort_block(s);
	if ((r = write_block(s)) < 0)
		return r;
	s->runs = xreallocarray(s->runs, s->nruns + 1, sizeof *s->runs);
	s->runs[s->nruns++] = (struct run){ .at = from, .end = s->size };
	s->n = s->used = 0;
	return 0;
}

int
sort_add(struct sort *s, const void *p, size_t n)
{
	int r;

	assert(!s->reading && n <= SORT_RECORD_MAX);
	if (n > s->memory - s->used && (r = spill(s)) < 0)
		return r;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 1024 : 2 * s->cap;
		s->entries = xreallocarray(s->entries, s->cap,
		    sizeof *s->entries);
	}
	memcpy(s->block + s->used, p, n);
	s->entries[s->n++] = (struct entry){ prefix_of(p, n),
	    s->block + s->used, (uint32_t)n };
	s->used += n;
	return 0;
}

/* Have n bytes of a run in its buffer behind pos: 1, 0 at its end. */
static int
fill(struct sort *s, struct run *r, size_t n)
{
	size_t left = r->len - r->pos;

	if (left >= n)
		return 1;
	if (r->cap < n) {
		r->cap = n > READ_BUFFER ? n : READ_BUFFER;
		r->buf = xrealloc(r->buf, r->cap);
	}
	if (left > 0)
		memmove(r->buf, r->buf + r->pos, left);
	r->pos = 0;
	r->len = left;
	while (r->len < n && r->at < r->end) {
		size_t want = r->cap - r->len;
		ssize_t got;

		if ((off_t)want > r->end - r->at)
			want = (size_t)(r->end - r->at);
		got = pread(s->fd, r->buf + r->len, want, r->at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_local("temporary file %ssort", s->prefix);
		r->at += got;
		r->len += (size_t)got;
	}
	return r->len >= n;
}

/* The next record of a run becomes its head: 1, 0 at its end. */
static int
advance(struct sort *s, struct run *r)
{
	uint32_t n = 0;
	int e;

	if ((e = fill(s, r, HEADER)) <= 0)
		return e;
	for (int k = 0; k < HEADER; k++)
		n |= (uint32_t)r->buf[r->pos + (size_t)k] << (8 * k);
	if ((e = fill(s, r, HEADER + n)) <= 0)
		return e;
	r->head = (struct entry){ prefix_of(r->buf + r->pos + HEADER, n),
	    r->buf + r->pos + HEADER, n };
	r->pos += HEADER + n;
	return 1;
}

static int
less(const struct sort *s, size_t a, size_t b)
{
	return compare(&s->runs[a].head, &s->runs[b].head) < 0;
}

/* Restore the heap from place i downwards. */
static void
sift(struct sort *s, size_t i)
{
	for (;;) {
		size_t low = i, k = 2 * i + 1;
		size_t tmp;

		if (k < s->nheap && less(s, s->heap[k], s->heap[low]))
			low = k;
		if (k + 1 < s->nheap && less(s, s->heap[k + 1], s->heap[low]))
			low = k + 1;
		if (low == i)
			return;
		tmp = s->heap[i];
		s->heap[i] = s->heap[low];
		s->heap[low] = tmp;
		i = low;
	}
}

/* From adding to reading. */
static int
begin(struct sort *s)
{
	int r;

	s->reading = 1;
	if (s->nruns == 0) {
		sort_block(s);
		return 0;
	}
	if ((r = spill(s)) < 0)
		return r;
	free(s->block);
	free(s->entries);
	s->block = NULL;
	s->entries = NULL;
	s->heap = xcalloc(s->nruns, sizeof *s->heap);
	for (size_t i = 0; i < s->nruns; i++) {
		if ((r = advance(s, &s->runs[i])) < 0)
			return r;
		if (r == 1)
			s->heap[s->nheap++] = i;
	}
	for (size_t i = s->nheap; i > 0; i--)
		sift(s, i - 1);
	return 0;
}

/* The least head has been used: go on in its run. */
static int
step(struct sort *s)
{
	int r = advance(s, &s->runs[s->heap[0]]);

	if (r < 0)
		return r;
	if (r == 0)
		s->heap[0] = s->heap[--s->nheap];
	sift(s, 0);
	return 0;
}

int
sort_next(struct sort *s, struct slice *out)
{
	const struct entry *e;
	int r;

	if (!s->reading) {
		if ((r = begin(s)) < 0)
			return r;
	} else if (s->nruns > 0 && s->nheap > 0 && (r = step(s)) < 0) {
		return r;
	}
	if (s->nruns == 0) {
		if (s->next == s->n)
			return 0;
		e = &s->entries[s->next++];
	} else {
		if (s->nheap == 0)
			return 0;
		e = &s->runs[s->heap[0]].head;
	}
	*out = (struct slice){ (const char *)e->p, e->n };
	return 1;
}
