/*
 * What the nodes in one folder are called in a file system.
 *
 * A file system has one entry of a name; the service has any number, and
 * names that no disk can hold.  The first with a name (as name_local maps
 * it) gets it as it is, others " (1)", " (2)" and so on before the
 * extension.  A node keeps what it is called for as long as its own name
 * stays, whatever comes and goes beside it.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "name.h"

struct names; /* of one folder */

struct names *names_new(void);
void names_free(struct names *s);

/* One entry.  Its place in the order is good for going on after it; the
 * others' do not change when it goes. */
struct names_entry {
	int64_t id;           /* the caller's; not negative is a node's
	                       * number */
	const char *shown;    /* borrowed until it is removed */
	const char *base;     /* without what tells it from others */
	int kind;             /* the caller's */
};

/*
 * names_add: an entry of that id, which is not there yet, for a name as
 * name_local made it.  What it is called.
 */
const char *names_add(struct names *s, int64_t id, const char *base,
    int kind);

/*
 * names_fill: many at once into an empty folder, so that the result does not
 * depend on their order: those earlier in the array have the older right to
 * a name, and no name is given away that somebody has by himself.
 */
struct names_item {
	int64_t id;
	const char *base;     /* borrowed for the call */
	int kind;
};
void names_fill(struct names *s, const struct names_item *items, size_t n);

/* Take one out; nothing happens if it is not there. */
void names_remove(struct names *s, int64_t id);

/* Give an entry another id: it is the same file. */
void names_change_id(struct names *s, int64_t id, int64_t new_id);

/* Each is NULL if there is none.  Borrowed until the next change. */
const struct names_entry *names_find(const struct names *s,
    const char *shown);
const struct names_entry *names_get(const struct names *s, int64_t id);

/* The next entry from place *at on, which moves behind it; NULL at the end.
 * Begin with 0. */
const struct names_entry *names_next(const struct names *s, size_t *at);

size_t names_count(const struct names *s);
/* How many have a kind that is not 0. */
size_t names_kinds(const struct names *s);

/* Whether some entry is not called by its own name. */
int names_collide(const struct names *s);

#endif
