/* What cache.c (files, transactions, small tables) and cachetree.c (nodes)
 * share.  Only these two know SQLite. */
#ifndef CACHE_IMPL_H
#define CACHE_IMPL_H

#include <sqlite3.h>

#include "cache.h"
#include "sort.h"

#define CACHE_FILE_MAX    256 /* characters of a file's name */
#define CACHE_SORT_MEMORY (10 << 20)
#define CACHE_BLOCK_MAX   (2 << 20) /* bytes of a block, however odd */

/* Statements that are prepared once, at first use. */
enum cache_sql {
	SQL_BEGIN_WRITE, SQL_BEGIN_READ, SQL_COMMIT, SQL_ROLLBACK,
	SQL_STATE_GET, SQL_STATE_PUT,
	SQL_NODE_FIND, SQL_NODE_FROM, SQL_NODE_PUT, SQL_NODE_DROP,
	SQL_HANDLE_FIND, SQL_HANDLE_FROM, SQL_HANDLE_PUT, SQL_HANDLE_DROP,
	SQL_RAW_PUT, SQL_RAW_DROP, SQL_RAW_GET, SQL_RAW_NEXT,
	SQL_LINK_PUT, SQL_LINK_DROP, SQL_LINK_GET, SQL_LINK_ANY, SQL_LINK_NEXT,
	SQL_KEY_PUT, SQL_KEY_ALL,
	SQL_SHARE_PUT, SQL_SHARE_DROP, SQL_SHARE_ANY, SQL_SHARE_END,
	SQL_INSHARE_PUT, SQL_INSHARE_DROP, SQL_INSHARE_NEXT, SQL_INSHARE_GET,
	SQL_USER_PUT, SQL_USER_GET,
	SQL_COUNT
};

struct cache {
	sqlite3 *db;
	sqlite3_stmt *stmt[SQL_COUNT];
	char *place;                  /* NULL: private to this process */
	char target[CACHE_FILE_MAX];  /* name of the file beside the place */
	int building;                 /* the file is not yet anybody's */
	int depth;                    /* of snapshots */
	int cursor_busy;              /* SQL_NODE_FROM is in use */
	struct buf kept;              /* what was borrowed last */

	/* While it is built: what is put, until it is sorted. */
	struct sort *nodes;
	char *prefix;                 /* of temporary files */

	struct buf first, block, change, key, record; /* of cachetree */
};

/* What SQLite said, as one of our codes, with a text. */
int cache_fail(struct cache *c, int rc);
/* CACHE_DAMAGED, for a value that cannot be. */
int cache_damaged(void);

/* A statement, ready to be bound; NULL with *r set. */
sqlite3_stmt *cache_statement(struct cache *c, enum cache_sql which, int *r);

/* Run a statement that gives no rows; one with a number. */
int cache_run(struct cache *c, sqlite3_stmt *s);
int cache_run_number(struct cache *c, enum cache_sql which, int64_t v);

/* The next row: 0, or ERR_NOENT (then it is reset) without a text.  At a row,
 * it has to be reset: an open one holds up other processes. */
int cache_row(struct cache *c, sqlite3_stmt *s);

/* A column's bytes, or p NULL; borrowed until the statement moves. */
struct slice cache_column(sqlite3_stmt *s, int i);
void cache_bind(sqlite3_stmt *s, int i, struct slice v);

/* Another statement of the same text, to be finalized; NULL with *r set. */
sqlite3_stmt *cache_prepare(struct cache *c, enum cache_sql which, int *r);

/* The first inshare behind *h, and its real parent: 1, or 0. */
int cache_next_inshare(struct cache *c, int64_t *h, int64_t *parent);

#endif
