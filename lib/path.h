/*
 * From what a user typed to a node: paths, handles, links.
 *
 * Grammar: mega-operands(7).
 */
#ifndef PATH_H
#define PATH_H

#include "account.h"
#include "buf.h"
#include "link.h"
#include "tree.h"

/* What operands are looked up in.  Opens the tree and folder links only when
 * one needs them; a folder link that is named again is not fetched again. */
struct remote {
	struct account account;
	struct tree *tree;          /* the account's, once needed */
	struct api *nobody;         /* channel without a session, for public
	                             * links, once needed */
	struct path_link *links;    /* open folder links; private */
	struct path_part *parts;    /* the same of handles */
	int flags;                  /* TREE_* */
	enum {
		REMOTE_ALL,         /* with a handle, what is around it */
		REMOTE_BELOW,       /* it and what is below it will do, */
		REMOTE_INTO         /* also to put something into it */
	} handles;                  /* what is wanted of the account */
	int shallow;                /* a link to a whole folder is not opened */
	struct buf password;        /* for locked links; empty: not known */
};

/* account_open_any happens here: operands decide whether a session is
 * needed.  path is --session's operand. */
int remote_open(struct remote *r, const char *session_path);
void remote_close(struct remote *r);

/* The password for locked links, from a file's first line (NULL: later, from
 * the terminal, if there is such a link).  0 or what password_get says. */
int remote_password(struct remote *r, const char *file);

/* The account's tree; ERR_LOGIN if there is no session. */
int remote_tree(struct remote *r, struct tree **t);

enum place_kind {
	PLACE_NODE,      /* a node of the account */
	PLACE_LINK,      /* a file that a link leads to, with its key; if
	                  * shallow, also a public folder */
	PLACE_IN_LINK    /* a node in a folder link */
};

/* Where an operand leads.  A secret; place_free. */
struct place {
	enum place_kind kind;
	struct node node;     /* PLACE_LINK: h, key and keylen are set; name,
	                       * size and mtime are not known before the
	                       * service is asked */
	int is_public;        /* node.h is a public handle ("p" of "g") */
	struct tree *tree;    /* borrowed from the remote; NULL: PLACE_LINK */
	struct api *api;      /* channel to ask for it; borrowed */
	struct link link;     /* of the two link kinds */
	char *missing;        /* path_target, path_reach: a component that
	                       * does not exist; node is the folder it would
	                       * be in */
};

/*
 * path_find: the node that an operand names.
 *
 * ERR_NOENT, ERR_LOGIN, ERR_USAGE, ERR_KEY …, with a text.
 */
int path_find(struct remote *r, const char *operand, struct place *p);

/*
 * path_target: where something is to be put.
 *
 * Like path_find for paths, handles (and folder links), but a last component
 * that does not exist is given back in missing.  A path that ends in a slash
 * has to be a folder.
 */
int path_target(struct remote *r, const char *operand, struct place *p);

/*
 * path_reach: as far along a path as it exists.
 *
 * The first component that does not exist is given back in missing; rest is
 * what comes behind it (part of operand), "" if nothing does.
 */
int path_reach(struct remote *r, const char *operand, struct place *p,
    const char **rest);

void place_free(struct place *p);

/* Ask the service for the name, size and times of a file (PLACE_LINK).
 * ERR_KEY if the link's key does not fit. */
int place_ask(struct place *p);

/* The same in two halves, for those who ask for many at a time: begin the
 * command, and read its reply.  n has the key; a gets all attributes
 * (attr_free); err is what the command ended with. */
struct json_out place_question(const struct place *p, struct api_cmd *c);
int place_reply(struct node *n, struct attr *a, struct json *j, int v,
    int err);

/* What the service says against a link, in our words: err, or what it means
 * there, with a text. */
int place_refused(int err);

/* Open the attributes of what a link leads to, and fill in what they say.
 * ERR_KEY if the link's key does not fit. */
int place_attributes(struct node *n, struct attr *a, struct slice at,
    const uint8_t key[KEY_SIZE]);

/* The text of a place as an operand or for a record: path of a node,
 * "LINK:/path" in a folder link. */
int place_print(const struct place *p, struct buf *out);

/* Of that, what stands before the path: "LINK:", or nothing. */
int place_print_link(const struct place *p, struct buf *out);

#endif
