/* Things by their numbers. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed is an empty one. */
struct table {
	struct table_slot *slot;
	size_t n, cap;
};

/* NULL if there is none. */
void *table_get(const struct table *t, int64_t id);
/* p is not NULL; nothing has the number yet.  table_remove: something has. */
void table_put(struct table *t, int64_t id, void *p);
void table_remove(struct table *t, int64_t id);

/* The next thing from place *at on, which moves behind it; NULL at the end.
 * Begin with 0.  What table_next gave last may be removed if then *at is
 * moved back by one. */
void *table_next(const struct table *t, size_t *at);

/* The table alone. */
void table_free(struct table *t);

#endif
