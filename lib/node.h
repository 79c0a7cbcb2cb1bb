/*
 * One node of an account or of a folder link, as the service describes it:
 * read, its key unwrapped, its attributes decrypted.
 *
 * Source: mega-protocol(7), "Nodes" and "Key strings"; meganz/sdk
 * src/node.cpp.
 */
#ifndef NODE_H
#define NODE_H

#include <stddef.h>
#include <stdint.h>

#include "aes.h"
#include "fingerprint.h"
#include "json.h"
#include "key.h"
#include "rsa.h"
#include "shape.h"

enum node_type {
	NODE_FILE,
	NODE_FOLDER,
	NODE_ROOT,     /* Cloud Drive */
	NODE_INBOX,
	NODE_RUBBISH
};

/* A secret: it holds the key.  Owns its name; node_free. */
struct node {
	char h[9];              /* handle */
	char p[9];              /* parent's handle, or "" */
	char owner[12];         /* user handle, or "" if not said */
	enum node_type type;
	int64_t size;           /* of a file, else 0 */
	int64_t created;        /* Unix seconds */
	int64_t mtime;          /* from the fingerprint, -1 if none */
	char *name;             /* bytes, NUL-terminated; NULL if it cannot be
	                         * decrypted */
	size_t namelen;         /* a NUL may be inside */
	uint8_t key[KEY_FILE_SIZE];
	size_t keylen;          /* 32 file, 16 folder, 0: no usable key */
	char fingerprint[FINGERPRINT_TEXT_MAX]; /* attribute "c", or "" */
	char ph[9];             /* public handle if exported, or "" */
	int64_t link_ends;      /* when that dies, Unix seconds; 0: never */
};

void node_free(struct node *n);
void node_copy(struct node *to, const struct node *from);

/* The name to show: its own, "Cloud Drive" and so on for the three roots, or
 * "H:xxxxxxxx" where it cannot be decrypted (into tmp, 16 bytes). */
const char *node_name(const struct node *n, char tmp[16], size_t *len);

/* The same for a component of a path: "H:xxxxxxxx" also for names that no
 * path can hold, which are empty or have a slash or NUL inside. */
const char *node_component(const struct node *n, char tmp[16], size_t *len);

/* Handles as numbers, and back: of nodes (8 characters, 48 bits) and of
 * users (11 characters, 64 bits).  The text must be base64. */
int64_t node_number(const char h[8]);
char *node_handle(char h[9], int64_t number);
int64_t node_user_number(const char u[11]);
char *node_user_handle(char u[12], int64_t number);

/*
 * One record of a reply, before its key is known.  The slices borrow from
 * the reader.
 */
struct node_wire {
	char h[9], p[9];        /* p is "" if it has no parent */
	char u[12];             /* owner, or "" */
	int64_t t, s, ts;
	struct slice a, k;      /* attributes and key string */
	char su[12];            /* a folder shared with us: who shares it */
	int64_t r;              /* with which rights (0 to 2), else -1 */
	struct slice sk;        /* its share key, as sent */
};

/*
 * node_read: read the record v of j.
 *
 * A record that is wrong in parts that only its contents need is read as one
 * whose contents cannot be had; ERR_PROTO if not even its place is known.
 */
int node_read(struct node_wire *w, struct json *j, int v);

/*
 * The same for a record that a splitter takes apart: node_begin, node_member
 * for each member, node_end.  One scan serves many records; zeroed is valid,
 * and freed by node_scan_free.
 */
struct node_scan {
	struct node_wire wire;
	struct shape_reader reader;
	struct buf a, k, sk;    /* the text that wire borrows */
	int damaged;
};

void node_begin(struct node_scan *s);
void node_member(struct node_scan *s, struct slice key, struct slice text);
/* Fills in w, which borrows from s until the next node_begin. */
int node_end(struct node_scan *s, struct node_wire *w);
void node_scan_free(struct node_scan *s);

/* The keys that open records: the account's, and those of shares.  A secret;
 * node_keys_free. */
struct node_keys {
	struct aes master;          /* of a folder link: its key */
	char user[12];              /* "" in a folder link */
	const char *privk;          /* borrowed from the session, or NULL */
	struct rsa_private *rsa;    /* once it was needed */
	int rsa_tried;
	struct node_share *shares;  /* by handle */
	size_t nshares, capshares;
	struct json json;           /* of attributes */
	struct buf plain;
};

void node_keys_init(struct node_keys *k, const uint8_t master[KEY_SIZE],
    const char *user, const char *privk);
void node_keys_free(struct node_keys *k);

/* Take in a share key.  1 if it is new or another than before, else 0. */
int node_keys_add(struct node_keys *k, int64_t h, const uint8_t key[KEY_SIZE]);

/* A share's key: 1 with key set, or 0. */
int node_keys_find(const struct node_keys *k, int64_t h,
    uint8_t key[KEY_SIZE]);

/* A share key as the service sends it to its user: under the master key or
 * under RSA.  0, or ERR_KEY without a text. */
int node_keys_unwrap(struct node_keys *k, uint8_t key[KEY_SIZE],
    struct slice text);

/* What a record's key opened.  A secret; the slices borrow from the keys
 * until the next node_open. */
struct node_clear {
	uint8_t key[KEY_FILE_SIZE];
	size_t keylen;          /* 0: no key fits */
	struct slice name;      /* p is NULL if it cannot be had */
	struct slice c;         /* fingerprint, p is NULL if none */
	int64_t mtime;          /* -1 if none */
	int more;               /* there are other attributes */
};

/*
 * node_open: find the part of the key string that opens the record, and
 * decrypt its attributes.
 *
 * Parts are tried in order; the first one that the attributes agree with
 * wins.
 */
void node_open(struct node_keys *k, const struct node_wire *w,
    struct node_clear *out);

/* Whether its key is there for a share as well. */
int node_is_shared(const struct node_wire *w);

/* node_made: the handle of the node that a "p" has made, the first of those in
 * its reply (an array, v in j).  0 or ERR_PROTO. */
int node_made(char h[9], struct json *j, int v);

#endif
