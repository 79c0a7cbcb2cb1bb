/* Open addressing: what is removed leaves no gap that a search would end
 * at. */

#include <stdlib.h>

#include "mem.h"

#include "table.h"

#define CAP_MIN 1024

struct table_slot {
	int64_t id;
	void *p;               /* NULL: free */
};

static size_t
home(const struct table *t, int64_t id)
{
	return (size_t)((uint64_t)id * 0x9e3779b97f4a7c15 >> 32) &
	    (t->cap - 1);
}

static size_t
after(const struct table *t, size_t i)
{
	return (i + 1) & (t->cap - 1);
}

/* The slot of a number, or the free one where it belongs. */
static size_t
find(const struct table *t, int64_t id)
{
	size_t i = home(t, id);

	while (t->slot[i].p != NULL && t->slot[i].id != id)
		i = after(t, i);
	return i;
}

static void
grow(struct table *t)
{
	struct table_slot *old = t->slot;
	size_t n = t->cap;

	t->cap = n == 0 ? CAP_MIN : 2 * n;
	t->slot = xcalloc(t->cap, sizeof *t->slot);
	for (size_t i = 0; i < n; i++)
		if (old[i].p != NULL)
			t->slot[find(t, old[i].id)] = old[i];
	free(old);
}

void *
table_get(const struct table *t, int64_t id)
{
	return t->cap > 0 ? t->slot[find(t, id)].p : NULL;
}

void
table_put(struct table *t, int64_t id, void *p)
{
	if (2 * t->n >= t->cap)
		grow(t);
	t->slot[find(t, id)] = (struct table_slot){ id, p };
	t->n++;
}

void
table_remove(struct table *t, int64_t id)
{
	size_t gap = find(t, id), i = gap;

	t->n--;
	for (;;) {
		t->slot[gap].p = NULL;
		/* What a search would not find across the gap fills it. */
		do {
			i = after(t, i);
			if (t->slot[i].p == NULL)
				return;
		} while (((i - home(t, t->slot[i].id)) & (t->cap - 1)) <
		    ((i - gap) & (t->cap - 1)));
		t->slot[gap] = t->slot[i];
		gap = i;
	}
}

void *
table_next(const struct table *t, size_t *at)
{
	while (*at < t->cap) {
		void *p = t->slot[(*at)++].p;

		if (p != NULL)
			return p;
	}
	return NULL;
}

void
table_free(struct table *t)
{
	free(t->slot);
	*t = (struct table){ 0 };
}
