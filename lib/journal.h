/*
 * What happens in an account, told by paths, for those who want to show it
 * or to act on it.
 *
 * A tree that keeps a journal adds to it what events tell.  The journal is
 * complete if no other process changes the tree's cache (TREE_PRIVATE).
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "tree.h"

#define JOURNAL_MAX 1000000 /* entries; beyond, they come down to one */

enum journal_kind {
	JOURNAL_NONE,      /* nothing worth an entry */
	JOURNAL_ADDED,     /* a new node; for a folder that comes with all in
	                    * it, one for each */
	JOURNAL_CHANGED,   /* another node has the path now, such as a new
	                    * version of a file, or other attributes */
	JOURNAL_MOVED,     /* to another folder or name, with all in it */
	JOURNAL_REMOVED,   /* for good, with all in it */
	JOURNAL_LINKED,    /* it has a public link now */
	JOURNAL_UNLINKED,
	JOURNAL_SHARED,    /* with another user */
	JOURNAL_UNSHARED,
	JOURNAL_RELOADED   /* anything may have happened: the service did not
	                    * know any more what */
};

/* A secret, as its node is.  node and path are as they are now; those of what
 * was removed, as they were.  JOURNAL_RELOADED has neither. */
struct journal_entry {
	enum journal_kind kind;
	struct node node;
	char *path;
	char *from;        /* JOURNAL_MOVED: the path before, else NULL */
};

struct journal {
	struct journal_entry *e;
	size_t n, cap;
	size_t sure;       /* private: what will not be taken back */
};

/* From now on the tree adds to j (NULL: to none), which is borrowed. */
void journal_keep(struct tree *t, struct journal *j);

/* Empty it. */
void journal_clear(struct journal *j);

/* The word for a kind: "added" and so on. */
const char *journal_word(enum journal_kind kind);

/*
 * For those who change the tree.  A mark remembers a node and its path; a
 * change then becomes an entry by what is different.  Nothing happens where
 * no journal is kept.
 */
struct journal_mark {
	int64_t h;         /* -1: none */
	int was;           /* there was such a node */
	struct node node;
	char *path;
	int old;           /* it was an older version of a file */
};
/* h is a handle, or anything else, which is none. */
int journal_before(struct tree *t, struct slice h, struct journal_mark *m);
/* otherwise: what it is if nothing is different. */
int journal_after(struct tree *t, const struct journal_mark *m,
    enum journal_kind otherwise);
/* In any case. */
void journal_done(struct journal_mark *m);

void journal_reloaded(struct tree *t);

/* What was noted since the last time is true, or never happened. */
void journal_commit(struct tree *t);
void journal_rollback(struct tree *t);

#endif
