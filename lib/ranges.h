/* A set of byte ranges, kept sorted and joined.  Zeroed is empty. */
#ifndef RANGES_H
#define RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
	int64_t from, to; /* to is exclusive */
};

struct ranges {
	struct range *r;
	size_t n, cap;
};

/* Add a range.  1 if some of it is new, else 0. */
int ranges_add(struct ranges *s, int64_t from, int64_t to);

/* Take away all from an offset on. */
void ranges_cut(struct ranges *s, int64_t at);

/* The first part of a range that is not in the set: 1 with *gap set, or 0. */
int ranges_gap(const struct ranges *s, int64_t from, int64_t to,
    struct range *gap);

void ranges_free(struct ranges *s); /* empty */

#endif
