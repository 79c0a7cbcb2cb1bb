/* New folders.  Source: mega-protocol(7), "Putting nodes". */
#ifndef FOLDER_H
#define FOLDER_H

#include "api.h"
#include "node.h"
#include "share.h"

/* One folder to make.  The caller zeroes it and fills in the first part. */
struct folder_job {
	char parent[9];       /* handle */
	const char *name;     /* n bytes; borrowed */
	size_t n;
	const struct share *shares; /* that cover the parent; borrowed */
	int nshares;

	/* For folder_begin: the end.  The caller's, as ctx. */
	void (*done)(struct folder_job *f);
	void *ctx;

	struct node node;     /* set, if it was made; node_free */
	int result;           /* 0 or ERR_*; in done also TREE_BEHIND */
	struct err_kept *error; /* of that; the caller frees it */

	struct api_cmd cmd;   /* private */
	struct tree *tree;
};

/*
 * folder_make_all: make folders in the account, in few requests.
 *
 * master is the account's key, or NULL for a writable link, where only the
 * shares' keys count; tree, if not NULL, takes the nodes in.  The
 * service allows several of one name: look first.
 */
void folder_make_all(struct folder_job *jobs, size_t n, struct api *api,
    const uint8_t master[16], struct tree *tree);

/* The same for one, without waiting: done is called, at once or later. */
void folder_begin(struct folder_job *f, struct api *api,
    const uint8_t master[16], struct tree *tree);

/* The same for one, waiting: 0 with out filled in (node_free), or ERR_*. */
int folder_make(struct node *out, struct api *api, const uint8_t master[16],
    const char parent[9], const char *name, size_t n, struct tree *tree);

#endif
