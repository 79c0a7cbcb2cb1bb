#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "ranges.h"

/* The first range that ends at or behind an offset. */
static size_t
find(const struct ranges *s, int64_t offset)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->r[mid].to < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Put n ranges at i in place of old ones. */
static void
splice(struct ranges *s, size_t i, size_t old, const struct range *new,
    size_t n)
{
	if (s->n - old + n > s->cap) {
		s->cap = s->cap == 0 ? 8 : 2 * s->cap;
		s->r = xreallocarray(s->r, s->cap, sizeof *s->r);
	}
	if (s->n > i + old && n != old)
		memmove(&s->r[i + n], &s->r[i + old],
		    (s->n - i - old) * sizeof *s->r);
	if (n > 0)
		memcpy(&s->r[i], new, n * sizeof *new);
	s->n += n;
	s->n -= old;
}

int
ranges_add(struct ranges *s, int64_t from, int64_t to)
{
	struct range all = { from, to };
	size_t i = find(s, from), end = i;

	if (from >= to)
		return 0;
	if (i < s->n && s->r[i].from <= from && s->r[i].to >= to)
		return 0;
	for (; end < s->n && s->r[end].from <= to; end++) {
		if (s->r[end].from < all.from)
			all.from = s->r[end].from;
		if (s->r[end].to > all.to)
			all.to = s->r[end].to;
	}
	splice(s, i, end - i, &all, 1);
	return 1;
}

void
ranges_cut(struct ranges *s, int64_t at)
{
	size_t i = find(s, at);

	if (i < s->n && s->r[i].from < at) {
		s->r[i].to = at;
		i++;
	}
	s->n = i < s->n ? i : s->n;
}

int
ranges_gap(const struct ranges *s, int64_t from, int64_t to,
    struct range *gap)
{
	size_t i = find(s, from);

	if (i < s->n && s->r[i].from <= from) {
		from = s->r[i].to;
		i++;
	}
	if (from >= to)
		return 0;
	gap->from = from;
	gap->to = i < s->n && s->r[i].from < to ? s->r[i].from : to;
	return 1;
}

void
ranges_free(struct ranges *s)
{
	free(s->r);
	*s = (struct ranges){ 0 };
}
