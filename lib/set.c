#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "set.h"

/* FNV-1a. */
static uint64_t
hash(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 1099511628211u;
	return h ^ h >> 32;
}

/* Where text is, or the free slot where it would be. */
static size_t
find(const struct set *s, const char *text)
{
	size_t i = (size_t)hash(text) & (s->cap - 1);

	while (s->slot[i] != NULL && strcmp(s->slot[i], text) != 0)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void
grow(struct set *s)
{
	struct set old = *s;

	s->cap = old.cap == 0 ? 64 : 2 * old.cap;
	s->slot = xcalloc(s->cap, sizeof *s->slot);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i] != NULL)
			s->slot[find(s, old.slot[i])] = old.slot[i];
	free(old.slot);
}

int
set_add(struct set *s, const char *text)
{
	size_t i;

	if (s->n >= s->cap / 2)
		grow(s);
	i = find(s, text);
	if (s->slot[i] != NULL)
		return 0;
	s->slot[i] = xstrdup(text);
	s->n++;
	return 1;
}

int
set_has(const struct set *s, const char *text)
{
	return s->n > 0 && s->slot[find(s, text)] != NULL;
}

void
set_free(struct set *s)
{
	for (size_t i = 0; i < s->cap; i++)
		free(s->slot[i]);
	free(s->slot);
	*s = (struct set){ 0 };
}
