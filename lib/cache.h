/*
 * The tree on disk: one SQLite file an account, which this module alone
 * knows about.
 *
 * A cache belongs to a place (a path without suffix).  The place is a
 * symbolic link to the present file; a new one is built under a name of its
 * own and the link then replaced, so that nobody ever sees half a tree and
 * nobody's journal meets another's file.  Node and share keys in it are
 * wrapped under the account's master key; names are not.
 *
 * Nodes, parents and users are numbers here: node_number.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* What functions return, beside ERR_*, when the file cannot be right. */
#define CACHE_DAMAGED (-2000)

/* Parents that are no nodes. */
#define CACHE_TOP    (-1) /* of the account's roots, or of a link's root */
#define CACHE_SHARED (-2) /* of folders that others share with the account */
#define CACHE_LOST   (-3) /* of nodes that came without a parent */

#define CACHE_C_MAX 32

/* A node's row.  Where it is read, the name borrows until the next call for
 * the same cache, or of the same cursor's. */
struct cache_node {
	int64_t h, parent;
	int type;              /* enum node_type */
	int unnamed;           /* name is not its own, but "H:…" */
	int64_t size, created;
	int64_t mtime;         /* -1: none */
	int64_t owner;         /* 0: the account's own */
	struct slice name;
	uint8_t key[32];       /* wrapped */
	size_t keylen;         /* 32, 16, or 0 */
	uint8_t c[CACHE_C_MAX]; /* fingerprint, as bytes */
	size_t clen;           /* 0: none */
	int64_t ph;            /* public handle, -1 if none; only read */
	int64_t link_ends;     /* when that dies, 0: never; only read */
};

struct cache;

/* The place for an account: below MEGA_CACHE or its default, made if need
 * be.  NULL if nothing may be kept (MEGA_CACHE is empty), or can be. */
char *cache_place(const char *user, const char *url);

/* Whether the user wants nothing on disk. */
int cache_forbidden(void);

/*
 * cache_open: the cache of a place.
 *
 * ERR_NOENT if there is none that this version can use, CACHE_DAMAGED,
 * ERR_LOCAL.
 */
int cache_open(struct cache **c, const char *place);

/*
 * cache_new: an empty cache, to be filled from scratch.
 *
 * With a place NULL it is private to the process: in memory if memory is
 * set, else in a temporary file.  Otherwise it becomes that of the place by
 * cache_publish; the caller holds the place's lock meanwhile.
 */
int cache_new(struct cache **c, const char *place, int memory);

/* Nodes that were put into a new cache can be looked up from here on. */
int cache_sort(struct cache *c);

/* What was put so far stays; with a place, it replaces the cache of the
 * place. */
int cache_publish(struct cache *c);
void cache_close(struct cache *c);

/* Only one process builds at a time.  The descriptor to close, or ERR_LOCAL,
 * or ERR_AGAIN if another held the lock for too long. */
int cache_lock(const char *place);

/* Remove what is kept for a place. */
int cache_remove(const char *place);

/* Whether there is another file at the place than the one that is open. */
int cache_replaced(const struct cache *c);

/* Changes happen between these.  cache_begin waits for other processes. */
int cache_begin(struct cache *c);
int cache_commit(struct cache *c);
void cache_rollback(struct cache *c);

/* A reading transaction: all that is read inside is of one moment. */
int cache_snapshot(struct cache *c);
void cache_release(struct cache *c);

/*
 * What the tree as a whole is: the sequence number that it is current to,
 * and a value that changes with the account's keys.
 */
#define CACHE_SN_MAX 32
struct cache_state {
	char sn[CACHE_SN_MAX];
	uint8_t check[16];
};
int cache_get_state(struct cache *c, struct cache_state *s);
int cache_put_state(struct cache *c, const struct cache_state *s);

/* Add a node, or replace that of the same handle. */
int cache_put(struct cache *c, const struct cache_node *n);
/* Remove a node and all below it; with only, what is below goes to its
 * parent (as the older versions of a file do). */
int cache_delete(struct cache *c, int64_t h, int only);

/* Each gives ERR_NOENT without a text if there is none.  Of several children
 * of one name: the newest. */
int cache_get(struct cache *c, int64_t h, struct cache_node *n);
int cache_child(struct cache *c, int64_t parent, const char *name, size_t len,
    struct cache_node *n);

/*
 * A cursor over children in the order of their names.  cache_children begins
 * behind a name and handle, or (name NULL) with the first one; cache_next
 * gives 1 and a node, or 0 at the end.  cache_done ends it in any case.
 */
struct cache_cursor {
	struct cache *cache;       /* all private */
	void *stmt;
	struct buf key;
	struct slice rest;
	int behind, links;
};
int cache_children(struct cache *c, struct cache_cursor *cur, int64_t parent,
    const char *name, size_t n, int64_t h);
int cache_next(struct cache_cursor *cur, struct cache_node *n);
void cache_done(struct cache_cursor *cur);

/*
 * What came with a node and could not be read yet, or that its row does not
 * hold: key string and attributes as they were sent.  Slices borrow until
 * the next call; p is NULL where there is none.
 */
struct cache_raw {
	int64_t h;
	struct slice k, a;
};
int cache_put_raw(struct cache *c, const struct cache_raw *raw);
int cache_drop_raw(struct cache *c, int64_t h);
/* 0, or ERR_NOENT without a text. */
int cache_get_raw(struct cache *c, int64_t h, struct cache_raw *raw);
/* The first one behind h that has a key string: 1, or 0. */
int cache_next_raw(struct cache *c, int64_t h, struct cache_raw *raw);

/* The public handle of a node, and when it dies (0: never); ph -1 removes
 * it. */
int cache_put_link(struct cache *c, int64_t h, int64_t ph, int64_t ends);
/* The first node with one behind a handle: 1 with h set, or 0. */
int cache_next_link(struct cache *c, int64_t after, int64_t *h);

/* A share's key, wrapped under the master key. */
int cache_put_key(struct cache *c, int64_t h, const uint8_t key[16]);
int cache_each_key(struct cache *c, void (*fn)(void *ctx, int64_t h,
    const uint8_t key[16]), void *ctx);

/* That a folder is shared by the account with somebody: a user's or a
 * request's handle, or "EXP" by link. */
int cache_put_share(struct cache *c, int64_t h, const char *with, size_t n);
int cache_drop_share(struct cache *c, int64_t h, const char *with, size_t n);
/* Whether a folder is shared with anybody: 1 or 0. */
int cache_is_shared(struct cache *c, int64_t h);

/* That a folder is shared with the account: its real parent, and by whom. */
int cache_put_inshare(struct cache *c, int64_t h, int64_t parent,
    int64_t user);
/* Put each such folder below its real parent if that is known, else below
 * CACHE_SHARED. */
int cache_place_inshares(struct cache *c);
/* By whom: 0 with user, or ERR_NOENT. */
int cache_get_inshare(struct cache *c, int64_t h, int64_t *user);

/* A user's mail address. */
int cache_put_user(struct cache *c, int64_t u, const char *mail, size_t n);
/* 0 with it added to out, or ERR_NOENT. */
int cache_get_user(struct cache *c, int64_t u, struct buf *out);

#endif
