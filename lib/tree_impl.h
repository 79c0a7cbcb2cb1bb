/*
 * What tree, load and event share: the open tree, and how records of the
 * service get into its cache.
 */
#ifndef TREE_IMPL_H
#define TREE_IMPL_H

#include "cache.h"
#include "journal.h"
#include "tree.h"
#include "wants.h"

#define EVENT_URL_MAX 2048

struct tree {
	struct cache *cache;
	struct node_keys keys;
	struct api *api;               /* borrowed */
	const struct session *session; /* borrowed; NULL: a folder link */
	char *place;                   /* of the cache; NULL: private */
	int flags;                     /* TREE_* */
	int memory;                    /* nothing may get onto a disk */
	int64_t user;                  /* of the account */
	char link_root[9];
	char part[9];                  /* only this node and what is below it
	                                * is loaded; "": all */
	int covered;                   /* of a part: keys came that are under
	                                * a share's, too */
	struct cache_state state;      /* as it was read or written last */

	int loading;                   /* by "f": all is new */
	int new_keys;                  /* share keys came, which may open what
	                                * no key opened so far */
	int closed;                    /* nodes came that no key opens, or the
	                                * key manager changed */
	int moved_shares;              /* folders shared with us came */
	unsigned skipped;              /* records without a place */
	struct wants wants;            /* keys that we are asked for */
	enum {
		GATHER_NO,             /* each change is a transaction */
		GATHER_NEXT,           /* the next one begins one */
		GATHER_BEGUN
	} gather;
	int gathered;                  /* what became of it: 0 or ERR_* */

	tree_watcher *watcher;         /* or NULL */
	void *watch_ctx;
	struct journal *journal;       /* borrowed, or NULL */
};

/* Take over the share keys that the cache has. */
int tree_read_keys(struct tree *t);

/* Put a row into the cache, or take one out (cache_put, cache_delete), and
 * tell who watches.  from is its parent before, which tree_parent finds out
 * (TREE_NOWHERE without asking where nobody watches). */
int tree_parent(struct tree *t, int64_t h, int64_t *parent);
int tree_put_row(struct tree *t, const struct cache_node *row, int64_t from);
int tree_drop_row(struct tree *t, int64_t h, int only);

/* Records and elements of replies (the value v of j), put into the cache.
 * 0, also for those that make no sense, or ERR_*, CACHE_DAMAGED. */
int load_node(struct tree *t, struct json *j, int v);
int load_user(struct tree *t, struct json *j, int v);
int load_link(struct tree *t, struct json *j, int v);  /* of "ph" */
int load_share(struct tree *t, struct json *j, int v); /* of "s", "ps" */
int load_ok(struct tree *t, struct json *j, int v);
int load_packet_ok(struct tree *t, struct json *j, int v); /* of "s2" */

/* An owner as the cache has it: 0 for the account itself. */
int64_t load_owner(const struct tree *t, const char u[12]);

/* Other attributes for a node, as they were sent. */
int load_attributes(struct tree *t, int64_t h, struct slice a);

/* A node's key under a share's, for a node that no key opened so far. */
int load_given(struct tree *t, int64_t share, int64_t h, struct slice key);

/* A share key that authenticated. */
int load_key(struct tree *t, int64_t h, const uint8_t key[KEY_SIZE]);

/* After records and keys came: open what can be opened now, and put folders
 * that others share in their places. */
int load_settle(struct tree *t);

/* Ask for the account's key manager, and take in the share keys that it has.
 * Waits: not inside of a transaction, or of a command's end. */
int load_keyring(struct tree *t);

/* load_all: fill a new cache by "f".  fresh asks for a tree that the service
 * did not keep itself. */
int load_all(struct tree *t, int fresh);

/*
 * event_catch_up: ask for what happened since the cache's sn, and apply it.
 *
 * 0 when the cache is current, EVENT_RELOAD if it cannot become so, ERR_*,
 * CACHE_DAMAGED.
 */
#define EVENT_RELOAD 1
int event_catch_up(struct tree *t);

/* The same in steps that do not wait.  event_query: what to ask the event
 * channel.  event_apply: take in its answer, an object; 0 when more may have
 * happened, EVENT_CURRENT with where to wait if not, EVENT_RELOAD, ERR_*,
 * CACHE_DAMAGED. */
#define EVENT_QUERY_MAX 64
#define EVENT_CURRENT   2
int event_query(struct tree *t, char query[EVENT_QUERY_MAX]);
int event_apply(struct tree *t, struct slice answer,
    char wait[EVENT_URL_MAX + 1]);

#endif
