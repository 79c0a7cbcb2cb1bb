/*
 * Copies of nodes, within the account and out of public links.
 *
 * Nothing is transferred: a copy of a file has the same key and the same
 * data on the service, only under another node.  Folders get new keys.
 * Source: mega-protocol(7), "Putting nodes"; meganz/sdk src/treeproc.cpp,
 * TreeProcCopy.
 */
#ifndef COPY_H
#define COPY_H

#include "api.h"
#include "attr.h"
#include "tree.h"

#define COPY_TOP SIZE_MAX /* parent of what goes into the target folder */

enum copy_state {
	COPY_NEW,     /* is to be made */
	COPY_THERE,   /* was there before: the caller sets its handle */
	COPY_DONE,    /* has been made */
	COPY_FAILED   /* will not be, nor anything below it */
};

/* One node of what is copied. */
struct copy_item {
	char from[9];       /* the source's handle; a public file's public one */
	char to[9];         /* the copy's handle, if it is there */
	char old[9];        /* for the caller: what it replaces, or "" */
	int is_folder;
	enum copy_state state;
	size_t parent;      /* index of the item around it, or COPY_TOP */
};

/* The caller zeroes it, fills in the first part, adds items, and keeps it in
 * place until done is called. */
struct copy {
	struct api *api;            /* the account's channel; borrowed */
	struct tree *tree;          /* its tree; borrowed, only read */
	const uint8_t *master;      /* its key; borrowed */
	struct tree *source;        /* borrowed; NULL for a public file */
	int import;                 /* the source is not the account's */
	struct node file;           /* of a public file: its key, and */
	struct attr attr;           /* its attributes */
	char folder[9];             /* where the copies go */
	char *name;                 /* for the first item; NULL: its own */
	size_t namelen;

	/* It is over: 0, or the first failure, with a text.  Items say what
	 * there is. */
	void (*done)(struct copy *c, int err);
	void *ctx;

	struct copy_item *items;
	size_t n;
	int64_t created;            /* of the first item, if it was made */

	/* private */
	size_t cap, at;
	unsigned flying;
	int result;
	struct err_kept *error;
};

/* Add a node, after the one around it: its index. */
size_t copy_add(struct copy *c, const struct node *n, size_t parent);

/* Make what is to be made; returns at once.  done can be called from here,
 * if there is nothing to ask for. */
void copy_start(struct copy *c);

void copy_free(struct copy *c);

#endif
