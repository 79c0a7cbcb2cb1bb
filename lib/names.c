#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "names.h"

#define NONE     SIZE_MAX
#define CAP_MIN  8

/* A place: an entry with its links in the two tables, or a free one. */
struct place {
	struct names_entry e;   /* shown is NULL: free */
	char *text;             /* holds shown and base */
	unsigned tried;         /* its name with a number up to that is taken,
	                         * too */
	size_t next_shown;      /* also of free places */
	size_t next_id;
};

struct names {
	struct place *place;
	size_t n, cap;          /* places in use or free, and allocated */
	size_t count;           /* in use */
	size_t kinds;           /* of these, of a kind that is not 0 */
	size_t free;
	size_t *by_shown, *by_id; /* cap heads each */
	size_t renamed;         /* entries not called by their own name */
};

struct names *
names_new(void)
{
	struct names *s = xcalloc(1, sizeof *s);

	s->free = NONE;
	return s;
}

void
names_free(struct names *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->place[i].text);
	free(s->place);
	free(s->by_shown);
	free(s->by_id);
	free(s);
}

size_t
names_count(const struct names *s)
{
	return s->count;
}

size_t
names_kinds(const struct names *s)
{
	return s->kinds;
}

int
names_collide(const struct names *s)
{
	return s->renamed > 0;
}

static size_t
hash_text(const char *p)
{
	uint64_t x = 0xcbf29ce484222325;

	for (; *p != '\0'; p++)
		x = (x ^ (unsigned char)*p) * 0x100000001b3;
	return (size_t)(x ^ x >> 32);
}

static size_t
hash_id(int64_t id)
{
	uint64_t x = (uint64_t)id * 0x9e3779b97f4a7c15;

	return (size_t)(x >> 32);
}

static size_t *
shown_head(const struct names *s, const char *shown)
{
	return &s->by_shown[hash_text(shown) & (s->cap - 1)];
}

static size_t *
id_head(const struct names *s, int64_t id)
{
	return &s->by_id[hash_id(id) & (s->cap - 1)];
}

static void
link_shown(struct names *s, size_t i)
{
	size_t *head = shown_head(s, s->place[i].e.shown);

	s->place[i].next_shown = *head;
	*head = i;
}

static void
link_id(struct names *s, size_t i)
{
	size_t *head = id_head(s, s->place[i].e.id);

	s->place[i].next_id = *head;
	*head = i;
}

static void
unlink_shown(struct names *s, size_t i)
{
	size_t *at = shown_head(s, s->place[i].e.shown);

	while (*at != i)
		at = &s->place[*at].next_shown;
	*at = s->place[i].next_shown;
}

static void
unlink_id(struct names *s, size_t i)
{
	size_t *at = id_head(s, s->place[i].e.id);

	while (*at != i)
		at = &s->place[*at].next_id;
	*at = s->place[i].next_id;
}

/* Room for twice as many; cap is a power of two. */
static void
grow(struct names *s)
{
	s->cap = s->cap == 0 ? CAP_MIN : 2 * s->cap;
	s->place = xreallocarray(s->place, s->cap, sizeof *s->place);
	s->by_shown = xreallocarray(s->by_shown, s->cap,
	    sizeof *s->by_shown);
	s->by_id = xreallocarray(s->by_id, s->cap, sizeof *s->by_id);
	for (size_t i = 0; i < s->cap; i++)
		s->by_shown[i] = s->by_id[i] = NONE;
	for (size_t i = 0; i < s->n; i++) {
		if (s->place[i].e.shown == NULL)
			continue;
		link_shown(s, i);
		link_id(s, i);
	}
}

static size_t
find_shown(const struct names *s, const char *shown)
{
	size_t i;

	if (s->cap == 0)
		return NONE;
	i = *shown_head(s, shown);
	while (i != NONE && strcmp(s->place[i].e.shown, shown) != 0)
		i = s->place[i].next_shown;
	return i;
}

static size_t
find_id(const struct names *s, int64_t id)
{
	size_t i;

	if (s->cap == 0)
		return NONE;
	i = *id_head(s, id);
	while (i != NONE && s->place[i].e.id != id)
		i = s->place[i].next_id;
	return i;
}

const struct names_entry *
names_find(const struct names *s, const char *shown)
{
	size_t i = find_shown(s, shown);

	return i != NONE ? &s->place[i].e : NULL;
}

const struct names_entry *
names_get(const struct names *s, int64_t id)
{
	size_t i = find_id(s, id);

	return i != NONE ? &s->place[i].e : NULL;
}

const struct names_entry *
names_next(const struct names *s, size_t *at)
{
	while (*at < s->n) {
		const struct names_entry *e = &s->place[(*at)++].e;

		if (e->shown != NULL)
			return e;
	}
	return NULL;
}

/* Where the extension of a name starts; dots at its front begin none. */
static size_t
stem_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL || strspn(name, ".") > (size_t)(dot - name) ?
	    strlen(name) : (size_t)(dot - name);
}

/* base with " (k)" before its extension, its stem cut if that is too long. */
static void
tell_apart(char out[NAME_LOCAL_MAX], const char *base, unsigned k)
{
	char mark[16];
	size_t stem = stem_length(base), end = strlen(base) - stem;
	size_t m = (size_t)snprintf(mark, sizeof mark, " (%u)", k);

	if (stem + m + end >= NAME_LOCAL_MAX) {
		if (end > NAME_LOCAL_MAX / 2) {
			stem += end;
			end = 0;
		}
		stem = NAME_LOCAL_MAX - 1 - m - end;
		while (stem > 0 && ((unsigned char)base[stem] & 0xc0) == 0x80)
			stem--;
	}
	snprintf(out, NAME_LOCAL_MAX, "%.*s%s%s", (int)stem, base, mark,
	    base + strlen(base) - end);
}

/* An entry in a free place, or a new one. */
static const char *
put(struct names *s, int64_t id, const char *shown, const char *base,
    int kind)
{
	size_t n = strlen(shown) + 1, i;
	int same = strcmp(shown, base) == 0;
	char *text;

	if (s->free == NONE) {
		if (s->n == s->cap)
			grow(s);
		i = s->n++;
	} else {
		i = s->free;
		s->free = s->place[i].next_shown;
	}
	text = xmalloc(same ? n : n + strlen(base) + 1);
	memcpy(text, shown, n);
	if (!same)
		memcpy(text + n, base, strlen(base) + 1);
	s->place[i].text = text;
	s->place[i].tried = 0;
	s->place[i].e = (struct names_entry){ .id = id, .shown = text,
	    .base = same ? text : text + n, .kind = kind };
	link_shown(s, i);
	link_id(s, i);
	s->count++;
	s->kinds += kind != 0;
	s->renamed += !same;
	return text;
}

const char *
names_add(struct names *s, int64_t id, const char *base, int kind)
{
	size_t first = find_shown(s, base);
	char shown[NAME_LOCAL_MAX];
	unsigned k;

	if (first == NONE)
		return put(s, id, base, base, kind);
	k = s->place[first].tried;
	do
		tell_apart(shown, base, ++k);
	while (find_shown(s, shown) != NONE);
	s->place[first].tried = k;
	return put(s, id, shown, base, kind);
}

void
names_fill(struct names *s, const struct names_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (find_shown(s, items[i].base) == NONE)
			put(s, items[i].id, items[i].base, items[i].base,
			    items[i].kind);
	if (s->count == n)
		return;
	for (size_t i = 0; i < n; i++)
		if (find_id(s, items[i].id) == NONE)
			names_add(s, items[i].id, items[i].base,
			    items[i].kind);
}

void
names_remove(struct names *s, int64_t id)
{
	size_t i = find_id(s, id);
	struct names_entry *e;
	size_t first;

	if (i == NONE)
		return;
	e = &s->place[i].e;
	if ((first = find_shown(s, e->base)) != NONE)
		s->place[first].tried = 0;
	unlink_shown(s, i);
	unlink_id(s, i);
	s->renamed -= e->shown != e->base;
	s->kinds -= e->kind != 0;
	free(s->place[i].text);
	s->place[i].text = NULL;
	e->shown = e->base = NULL;
	s->place[i].next_shown = s->free;
	s->free = i;
	s->count--;
}

void
names_change_id(struct names *s, int64_t id, int64_t new_id)
{
	size_t i = find_id(s, id);

	if (i == NONE)
		return;
	unlink_id(s, i);
	s->place[i].e.id = new_id;
	link_id(s, i);
}
