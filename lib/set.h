/* A set of strings.  Zeroed is an empty one. */
#ifndef SET_H
#define SET_H

#include <stddef.h>

struct set {
	char **slot;
	size_t n, cap;
};

/* Add a copy of text: 1, or 0 if it is in there already. */
int set_add(struct set *s, const char *text);
int set_has(const struct set *s, const char *text);
void set_free(struct set *s);

#endif
