/*
 * What a mirror has to know: the contents of a local and a remote folder
 * side by side, and which of them the user does not want to be touched.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include <stddef.h>

#include "node.h"
#include "tree.h"

enum mirror_kind {
	MIRROR_FILE,
	MIRROR_FOLDER,
	MIRROR_LINK,    /* local: a symbolic link that leads to a file */
	MIRROR_OTHER    /* local: a device, a FIFO, any other link */
};

/* An entry of a folder. */
struct mirror_item {
	char *name;         /* as it is called on the disk: name_local */
	enum mirror_kind kind;
	struct node node;   /* of a remote one */
	int twin;           /* remote: a newer one has the same name */
};

/* All entries, by name, the newest of a name first.  Zeroed is empty. */
struct mirror_side {
	struct mirror_item *v;
	size_t n, cap;
	size_t unnamed;     /* remote: left out, as their names cannot be
	                     * decrypted */
};

/* Each 0, or ERR_* with a side that is empty. */
int mirror_local(struct mirror_side *s, const char *path);
int mirror_remote(struct mirror_side *s, struct tree *t, const char h[9]);
void mirror_side_free(struct mirror_side *s);

/* Call fn for each name, in order: with both items, or with NULL for that
 * which there is not.  Twins come alone. */
void mirror_join(const struct mirror_side *local,
    const struct mirror_side *remote, void (*fn)(void *ctx,
    const struct mirror_item *l, const struct mirror_item *r), void *ctx);

/* Patterns, in the order in which they were added.  Zeroed is none. */
struct mirror_filter {
	struct mirror_pattern *v;
	size_t n;
};

/* The pattern is borrowed. */
void mirror_filter_add(struct mirror_filter *f, const char *pattern,
    int include);
void mirror_filter_free(struct mirror_filter *f);

/*
 * mirror_excluded: whether a path (from the top of the mirror) is left alone.
 *
 * The first pattern that matches decides.  fnmatch(3) compares it with the
 * whole path, or, if it has no slash but perhaps at its end, with the last
 * component; a slash at its end matches folders only.
 */
int mirror_excluded(const struct mirror_filter *f, const char *path,
    int folder);

/* The same for what is below a folder at path: 1 if any of it is excluded, 0,
 * or ERR_*.  top is the local top of the mirror; h a remote folder. */
int mirror_holds_excluded_local(const struct mirror_filter *f,
    const char *top, const char *path);
int mirror_holds_excluded_remote(const struct mirror_filter *f,
    struct tree *t, const char h[9], const char *path);

#endif
