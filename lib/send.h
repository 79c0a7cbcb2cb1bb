/*
 * Local files on their way into an account: opened, uploaded, and, where
 * asked for, given a public link.  Ends are told in the order of beginning.
 */
#ifndef SEND_H
#define SEND_H

#include <stdint.h>

#include "link.h"
#include "node.h"
#include "tree.h"
#include "upload.h"

#define SEND_SPOOL_MAX ((int64_t)64 << 30) /* of input of unknown length */

/* One file.  Made by send_open; send owns it from send_add on. */
struct send_item {
	char *local;          /* as the user named it */
	char *path;           /* the remote path, for the record */
	char parent[9];       /* handle of the folder */
	char replaces[9];     /* private: send_replace sets it */
	struct upload up;
	struct node node;     /* what was made; owns the name */
	char link[LINK_TEXT_MAX]; /* its public link, or "" */
	int unchanged;        /* nothing was sent: it is there already */

	struct api_cmd cmd;   /* private, as what follows */
	char *state;
	struct sending *s;
	struct send_item *next;
	int over, result;
	struct err_kept *error;
};

struct sending;

struct send_options {
	struct upload_options up;
	int link;             /* make a public link of each */
	const char *states;   /* folder for what a later run needs to go on
	                       * with an interrupted upload; NULL: none */
	/* An item has ended: 0, or ERR_* with its text recorded. */
	void (*ended)(void *ctx, struct send_item *i, int result);
	void *ctx;
};

struct sending *send_new(struct api *api, const uint8_t master[16],
    const struct send_options *o);
void send_free(struct sending *s);

/*
 * send_open: open a local file for sending.
 *
 * local is a name, or "-" for standard input.  size, unless negative, is
 * what a pipe will bring; without it a pipe is spooled first.  ERR_LOCAL;
 * ERR_USAGE for a folder; ERR_TOOBIG over UPLOAD_SIZE_MAX.
 */
int send_open(struct send_item **i, const char *local, int64_t size);

/* Begin.  parent and the name (send_name) have been set.  Turns the
 * loop while too many are under way. */
void send_add(struct sending *s, struct send_item *i);

/* Nothing has to be sent for this one: its node is set. */
void send_add_unchanged(struct sending *s, struct send_item *i);

/* Name it: n bytes. */
void send_name(struct send_item *i, const char *name, size_t n);

/* Make it the new version of a file of the tree's, from which it takes over
 * what people have said of it.  0 or ERR_*. */
int send_replace(struct send_item *i, struct tree *t, const struct node *old);

void send_item_free(struct send_item *i);

/* Run the loop until all have ended. */
void send_run(struct sending *s);

#endif
