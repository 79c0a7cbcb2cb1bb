#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "b64.h"
#include "cache.h"
#include "err.h"
#include "mem.h"
#include "secret.h"

#define VERSION     1
#define BUSY_MS     120000  /* for another command's transaction */
#define LOCK_MS     600000  /* for another command's building */
#define HOST_MAX    100
#define TARGET_MAX  256     /* a file's name */
#define BUILD_KIB   "-16000" /* page cache while a tree is built */

/* Statements that are prepared once, at first use. */
enum {
	BEGIN_WRITE, BEGIN_READ, COMMIT, ROLLBACK,
	STATE_GET, STATE_PUT,
	NODE_PUT, NODE_GET, NODE_CHILD, NODE_CHILDREN,
	NODE_RELINK, NODE_DELETE,
	RAW_PUT, RAW_DROP, RAW_GET, RAW_NEXT,
	LINK_PUT, LINK_DROP,
	KEY_PUT, KEY_ALL,
	SHARE_PUT, SHARE_DROP, SHARE_ANY,
	INSHARE_PUT, INSHARE_DROP, INSHARE_PLACE, INSHARE_GET,
	USER_PUT, USER_GET,
	STATEMENTS
};

struct cache {
	sqlite3 *db;
	sqlite3_stmt *stmt[STATEMENTS];
	char *place;               /* NULL: private to this process */
	char target[TARGET_MAX];   /* name of the file, in the place's folder */
	int depth;                 /* of snapshots */
	int cursor_busy;           /* NODE_CHILDREN is in use by a cursor */
	int doomed;                /* the table of cache_delete exists */
	int building;              /* the file is not yet anybody's */
	struct buf kept;           /* what was borrowed last */
};

#define KEPT_MAX (1 << 20)

#define COLUMNS "node.h, node.parent, node.name, node.kind, node.size, " \
	"node.created, node.mtime, node.owner, node.key, node.c, " \
	"(SELECT ph FROM link WHERE link.h = node.h)"

static const char *const sql[STATEMENTS] = {
	[BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[BEGIN_READ] = "BEGIN",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[STATE_GET] = "SELECT version, sn, check_value FROM state",
	[STATE_PUT] = "REPLACE INTO state VALUES (0, ?, ?, ?)",
	[NODE_PUT] = "REPLACE INTO node VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[NODE_GET] = "SELECT " COLUMNS " FROM node WHERE h = ?",
	[NODE_CHILD] = "SELECT " COLUMNS " FROM node"
	    " WHERE parent = ? AND name = ?"
	    " ORDER BY created DESC, h DESC LIMIT 1",
	[NODE_CHILDREN] = "SELECT " COLUMNS " FROM node"
	    " WHERE parent = ? AND (name, h) > (?, ?) ORDER BY name, h",
	[NODE_RELINK] = "UPDATE node SET parent ="
	    " (SELECT parent FROM node AS gone WHERE gone.h = ?1)"
	    " WHERE parent = ?1",
	[NODE_DELETE] = "DELETE FROM node WHERE h = ?",
	[RAW_PUT] = "REPLACE INTO raw VALUES (?, ?, ?)",
	[RAW_DROP] = "DELETE FROM raw WHERE h = ?",
	[RAW_GET] = "SELECT h, k, a FROM raw WHERE h = ?",
	[RAW_NEXT] = "SELECT h, k, a FROM raw"
	    " WHERE h > ? AND k IS NOT NULL ORDER BY h LIMIT 1",
	[LINK_PUT] = "REPLACE INTO link VALUES (?, ?)",
	[LINK_DROP] = "DELETE FROM link WHERE h = ?",
	[KEY_PUT] = "REPLACE INTO sharekey VALUES (?, ?)",
	[KEY_ALL] = "SELECT h, key FROM sharekey",
	[SHARE_PUT] = "REPLACE INTO share VALUES (?, ?)",
	[SHARE_DROP] = "DELETE FROM share WHERE h = ? AND peer = ?",
	[SHARE_ANY] = "SELECT 1 FROM share WHERE h = ? LIMIT 1",
	[INSHARE_PUT] = "REPLACE INTO inshare VALUES (?, ?, ?)",
	[INSHARE_DROP] = "DELETE FROM inshare WHERE h = ?",
	[INSHARE_PLACE] = "UPDATE node SET parent = ifnull((SELECT i.parent"
	    " FROM inshare AS i, node AS above"
	    " WHERE i.h = node.h AND above.h = i.parent"
	    " AND above.h <> i.h), -2)"
	    " WHERE h IN (SELECT h FROM inshare)",
	[INSHARE_GET] = "SELECT user FROM inshare WHERE h = ?",
	[USER_PUT] = "REPLACE INTO user VALUES (?, ?)",
	[USER_GET] = "SELECT mail FROM user WHERE h = ?",
};

static const char schema[] =
    "CREATE TABLE state (id INTEGER PRIMARY KEY, version, sn, check_value);"
    "CREATE TABLE node (parent INTEGER NOT NULL, name BLOB NOT NULL,"
    " h INTEGER NOT NULL, kind, size, created, mtime, owner, key, c,"
    " PRIMARY KEY (parent, name, h)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX node_h ON node (h);"
    "CREATE TABLE raw (h INTEGER PRIMARY KEY, k, a);"
    "CREATE TABLE link (h INTEGER PRIMARY KEY, ph);"
    "CREATE TABLE sharekey (h INTEGER PRIMARY KEY, key);"
    "CREATE TABLE share (h INTEGER, peer, PRIMARY KEY (h, peer))"
    " WITHOUT ROWID;"
    "CREATE TABLE inshare (h INTEGER PRIMARY KEY, parent, user);"
    "CREATE TABLE user (h INTEGER PRIMARY KEY, mail);";

/* What SQLite said, as one of our codes. */
static int
fail(struct cache *c, int rc)
{
	const char *text = c->db != NULL ? sqlite3_errmsg(c->db) :
	    sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_ERROR:  /* a table is not there */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return err_set(CACHE_DAMAGED, "the cache is damaged: %s",
		    text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(ERR_AGAIN, "another command is changing the "
		    "cache");
	default:
		return err_set(ERR_LOCAL, "the cache: %s", text);
	}
}

/* The statement, ready to be bound; NULL with *r set. */
static sqlite3_stmt *
statement(struct cache *c, int which, int *r)
{
	int rc;

	*r = 0;
	if (c->stmt[which] != NULL) {
		sqlite3_reset(c->stmt[which]);
		return c->stmt[which];
	}
	rc = sqlite3_prepare_v3(c->db, sql[which], -1,
	    SQLITE_PREPARE_PERSISTENT, &c->stmt[which], NULL);
	if (rc != SQLITE_OK)
		*r = fail(c, rc);
	return c->stmt[which];
}

/* Run a statement that gives no rows. */
static int
run(struct cache *c, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s), r = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		r = fail(c, rc);
	sqlite3_reset(s);
	return r;
}

/* The first row: 0, or ERR_NOENT without a text.  The statement stays at the
 * row; it has to be reset, since an open one holds up other processes. */
static int
first_row(struct cache *c, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 0;
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? ERR_NOENT : fail(c, rc);
}

static int
run_plain(struct cache *c, int which)
{
	int r;
	sqlite3_stmt *s = statement(c, which, &r);

	return s != NULL ? run(c, s) : r;
}

/* Run a statement with one number. */
static int
run_number(struct cache *c, int which, int64_t v)
{
	int r;
	sqlite3_stmt *s = statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, v);
	return run(c, s);
}

static int
exec(struct cache *c, const char *text)
{
	int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(c, rc);
}

/* Make a folder and those above it, for nobody else. */
static int
make_folder(char *path)
{
	char *p = path;

	do {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return -1;
		if (p != NULL)
			*p = '/';
	} while (p != NULL);
	return 0;
}

int
cache_forbidden(void)
{
	const char *env = getenv("MEGA_CACHE");

	return env != NULL && *env == '\0';
}

static char *
cache_folder(void)
{
	const char *env = getenv("MEGA_CACHE");

	if (env != NULL && *env != '\0')
		return xstrdup(env);
	if ((env = getenv("XDG_CACHE_HOME")) != NULL && *env == '/')
		return xasprintf("%s/megapipe", env);
	if ((env = getenv("HOME")) != NULL && *env != '\0')
		return xasprintf("%s/.cache/megapipe", env);
	return NULL;
}

char *
cache_place(const char *user, const char *url)
{
	char host[HOST_MAX + 1], *dir, *place;
	const char *p = strstr(url, "://");
	size_t n = 0;

	if (cache_forbidden() || (dir = cache_folder()) == NULL)
		return NULL;
	if (make_folder(dir) == -1) {
		free(dir);
		return NULL;
	}
	for (p = p != NULL ? p + 3 : url; *p != '\0' && *p != '/' &&
	    n < HOST_MAX; p++)
		host[n++] = (char)(isalnum((unsigned char)*p) ||
		    *p == '.' || *p == '-' ? *p : '_');
	host[n] = '\0';
	place = xasprintf("%s/%s@%s", dir, user, host);
	free(dir);
	return place;
}

/* The name of the file that a place links to. 0 or -1. */
static int
read_target(const char *place, char target[TARGET_MAX])
{
	ssize_t n = readlink(place, target, TARGET_MAX);

	if (n <= 0 || n == TARGET_MAX)
		return -1;
	target[n] = '\0';
	return strchr(target, '/') == NULL ? 0 : -1;
}

/* The path of a file in the place's folder. */
static char *
beside(const char *place, const char *name)
{
	return xasprintf("%.*s/%s", (int)(strrchr(place, '/') - place), place,
	    name);
}

/* Open the SQLite file of that name. */
static int
open_db(struct cache *c, const char *path)
{
	int rc = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE * (c->place == NULL) | SQLITE_OPEN_NOMUTEX,
	    NULL);

	if (rc != SQLITE_OK)
		return fail(c, rc);
	sqlite3_busy_timeout(c->db, BUSY_MS);
	return 0;
}

static struct cache *
alloc(const char *place)
{
	struct cache *c = xcalloc(1, sizeof *c);

	buf_init(&c->kept, KEPT_MAX);
	if (place != NULL)
		c->place = xstrdup(place);
	return c;
}

/* Open what the place links to now.  ERR_NOENT if nothing is there. */
static int
open_target(struct cache *c)
{
	char *path;
	int r = ERR_NOENT;

	if (read_target(c->place, c->target) == -1)
		return r;
	path = beside(c->place, c->target);
	if (access(path, F_OK) == 0)
		r = open_db(c, path);
	free(path);
	return r;
}

int
cache_open(struct cache **out, const char *place)
{
	struct cache *c = alloc(place);
	struct cache_state s;
	int r;

	/* It may be replaced between our looking and opening. */
	for (int tries = 0; tries < 3; tries++) {
		r = open_target(c);
		if (r == 0 || !cache_replaced(c))
			break;
		sqlite3_close(c->db);
		c->db = NULL;
	}
	if (r == 0)
		r = exec(c, "PRAGMA synchronous=NORMAL");
	if (r == 0)
		r = cache_get_state(c, &s);
	if (r < 0) {
		cache_close(c);
		c = NULL;
	}
	*out = c;
	return r;
}

int
cache_replaced(const struct cache *c)
{
	char now[TARGET_MAX];

	return c->place != NULL && read_target(c->place, now) == 0 &&
	    strcmp(now, c->target) != 0;
}

/* Make an empty file that nobody else can open, and name it in target. */
static int
make_file(struct cache *c)
{
	uint8_t random[9];
	char tag[B64_LEN(sizeof random) + 1], *path;
	int fd, r = 0;

	secret_random(random, sizeof random);
	b64_encode(tag, random, sizeof random);
	snprintf(c->target, sizeof c->target, "%s.%s.db",
	    strrchr(c->place, '/') + 1, tag);
	path = beside(c->place, c->target);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		r = err_local("%s", path);
	} else {
		close(fd);
		c->building = 1;
		r = open_db(c, path);
	}
	free(path);
	return r;
}

int
cache_new(struct cache **out, const char *place, int memory)
{
	struct cache *c = alloc(place);
	int r;

	r = place != NULL ? make_file(c) : open_db(c, memory ? ":memory:" : "");
	if (r == 0)
		r = exec(c, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		    "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA cache_size=" BUILD_KIB);
	if (r == 0 && memory)
		r = exec(c, "PRAGMA temp_store=MEMORY");
	if (r == 0)
		r = exec(c, schema);
	if (r == 0)
		r = exec(c, "BEGIN");
	if (r < 0) {
		cache_close(c);
		c = NULL;
	}
	*out = c;
	return r;
}

/* Remove the files of a place that nobody needs: all but those of keep. */
static void
sweep(const char *place, const char *keep)
{
	char *dir = beside(place, ".");
	const char *base = strrchr(place, '/') + 1;
	size_t n = strlen(base), k = strlen(keep);
	DIR *d = opendir(dir);
	struct dirent *e;

	free(dir);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		char *path;

		if (strncmp(e->d_name, base, n) != 0 || e->d_name[n] != '.' ||
		    strcmp(e->d_name + n, ".lock") == 0 ||
		    (k > 0 && strncmp(e->d_name, keep, k) == 0))
			continue;
		path = beside(place, e->d_name);
		unlink(path);
		free(path);
	}
	closedir(d);
}

/* Write a file's contents through to the disk. */
static int
flush(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd == -1 || fsync(fd) == -1)
		r = err_local("%s", path);
	if (fd != -1)
		close(fd);
	return r;
}

/* Let the place link to this cache's file. */
static int
relink(struct cache *c)
{
	char *temporary = xasprintf("%s.new", c->place);
	int r = 0;

	unlink(temporary);
	if (symlink(c->target, temporary) == -1 ||
	    rename(temporary, c->place) == -1)
		r = err_local("%s", c->place);
	free(temporary);
	return r;
}

int
cache_publish(struct cache *c)
{
	char *path;
	int r;

	if ((r = exec(c, "COMMIT")) < 0)
		return r;
	if (c->place == NULL)
		return exec(c, "PRAGMA journal_mode=MEMORY");
	/* From here on several processes use it; WAL lets them read while
	 * one of them writes. */
	if ((r = exec(c, "PRAGMA locking_mode=NORMAL;"
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
	    "PRAGMA cache_size=-2000")) < 0)
		return r;
	path = beside(c->place, c->target);
	if ((r = flush(path)) == 0 && (r = relink(c)) == 0) {
		c->building = 0;
		sweep(c->place, c->target);
	}
	free(path);
	return r;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(c->stmt[i]);
	sqlite3_close(c->db);
	if (c->building) {
		char *path = beside(c->place, c->target);

		unlink(path);
		free(path);
	}
	buf_free(&c->kept);
	free(c->place);
	free(c);
}

int
cache_lock(const char *place)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec pause = { 0, 50 * 1000 * 1000 };
	char *path = xasprintf("%s.lock", place);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r = fd, waited;

	if (fd == -1)
		r = err_local("%s", path);
	for (waited = 0; r >= 0 && fcntl(fd, F_SETLK, &whole) == -1;
	    waited += 50) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			r = err_local("%s", path);
		else if (waited >= LOCK_MS)
			r = err_set(ERR_AGAIN, "another command has been "
			    "loading the account for too long");
		else
			nanosleep(&pause, NULL);
	}
	if (r < 0 && fd != -1)
		close(fd);
	free(path);
	return r;
}

int
cache_remove(const char *place)
{
	char *lock = xasprintf("%s.lock", place);
	int r = 0;

	if (unlink(place) == -1 && errno != ENOENT)
		r = err_local("%s", place);
	sweep(place, "");
	unlink(lock);
	free(lock);
	return r;
}

int
cache_begin(struct cache *c)
{
	return run_plain(c, BEGIN_WRITE);
}

int
cache_commit(struct cache *c)
{
	return run_plain(c, COMMIT);
}

void
cache_rollback(struct cache *c)
{
	if (!sqlite3_get_autocommit(c->db))
		run_plain(c, ROLLBACK);
}

int
cache_snapshot(struct cache *c)
{
	int r = 0;

	if (c->depth == 0)
		r = run_plain(c, BEGIN_READ);
	if (r == 0)
		c->depth++;
	return r;
}

void
cache_release(struct cache *c)
{
	if (--c->depth == 0)
		run_plain(c, COMMIT);
}

/* A column's bytes, or p NULL. */
static struct slice
column(sqlite3_stmt *s, int i)
{
	struct slice v = { sqlite3_column_blob(s, i), 0 };

	v.n = (size_t)sqlite3_column_bytes(s, i);
	if (v.p == NULL && sqlite3_column_type(s, i) != SQLITE_NULL)
		v.p = "";
	return v;
}

/* A column that must have n bytes, copied. 0 or -1. */
static int
column_exact(sqlite3_stmt *s, int i, void *to, size_t n)
{
	struct slice v = column(s, i);

	if (v.n != n)
		return -1;
	memcpy(to, v.p, n);
	return 0;
}

static void
bind_slice(sqlite3_stmt *s, int i, struct slice v)
{
	if (v.p != NULL)
		sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, i);
}

static int
damaged(void)
{
	return err_set(CACHE_DAMAGED, "the cache is damaged: a value that "
	    "cannot be");
}

int
cache_get_state(struct cache *c, struct cache_state *out)
{
	int r;
	sqlite3_stmt *s = statement(c, STATE_GET, &r);
	struct slice sn;

	*out = (struct cache_state){ .sn = "" };
	if (s == NULL)
		return r;
	if ((r = first_row(c, s)) < 0)
		return r;
	sn = column(s, 1);
	if (sqlite3_column_int(s, 0) != VERSION)
		r = ERR_NOENT;
	else if (sn.n >= sizeof out->sn ||
	    column_exact(s, 2, out->check, sizeof out->check) < 0)
		r = damaged();
	else
		memcpy(out->sn, sn.p, sn.n);
	sqlite3_reset(s);
	return r;
}

int
cache_put_state(struct cache *c, const struct cache_state *in)
{
	int r;
	sqlite3_stmt *s = statement(c, STATE_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int(s, 1, VERSION);
	bind_slice(s, 2, (struct slice){ in->sn, strlen(in->sn) });
	bind_slice(s, 3, (struct slice){ (const char *)in->check,
	    sizeof in->check });
	return run(c, s);
}

int
cache_put(struct cache *c, const struct cache_node *n)
{
	int r;
	sqlite3_stmt *s = statement(c, NODE_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, n->parent);
	bind_slice(s, 2, n->name);
	sqlite3_bind_int64(s, 3, n->h);
	sqlite3_bind_int(s, 4, n->type | n->unnamed << 3);
	sqlite3_bind_int64(s, 5, n->size);
	sqlite3_bind_int64(s, 6, n->created);
	sqlite3_bind_int64(s, 7, n->mtime);
	sqlite3_bind_int64(s, 8, n->owner);
	bind_slice(s, 9, (struct slice){ (const char *)n->key, n->keylen });
	bind_slice(s, 10, n->c);
	return run(c, s);
}

/* A row of COLUMNS. */
static int
read_node(sqlite3_stmt *s, struct cache_node *n)
{
	int kind = sqlite3_column_int(s, 3);
	struct slice key = column(s, 8);

	n->h = sqlite3_column_int64(s, 0);
	n->parent = sqlite3_column_int64(s, 1);
	n->name = column(s, 2);
	n->type = kind & 7;
	n->unnamed = kind >> 3 & 1;
	n->size = sqlite3_column_int64(s, 4);
	n->created = sqlite3_column_int64(s, 5);
	n->mtime = sqlite3_column_int64(s, 6);
	n->owner = sqlite3_column_int64(s, 7);
	n->c = column(s, 9);
	n->ph = sqlite3_column_type(s, 10) == SQLITE_NULL ? -1 :
	    sqlite3_column_int64(s, 10);
	n->keylen = key.n;
	if (key.n > sizeof n->key || kind < 0 || (kind & 7) > 4 ||
	    n->name.p == NULL)
		return damaged();
	if (key.n > 0)
		memcpy(n->key, key.p, key.n);
	return 0;
}

/* Copy what two slices borrow from a statement that is about to be reset. */
static int
keep(struct cache *c, struct slice *a, struct slice *b)
{
	buf_reset(&c->kept);
	buf_add(&c->kept, a->p, a->n);
	if (buf_add(&c->kept, b->p, b->n) < 0)
		return damaged();
	if (a->p != NULL)
		a->p = buf_str(&c->kept);
	if (b->p != NULL)
		b->p = buf_str(&c->kept) + a->n;
	return 0;
}

/* The one row of a statement. */
static int
one_node(struct cache *c, sqlite3_stmt *s, struct cache_node *n)
{
	int r;

	if ((r = first_row(c, s)) < 0)
		return r;
	if ((r = read_node(s, n)) == 0)
		r = keep(c, &n->name, &n->c);
	sqlite3_reset(s);
	return r;
}

int
cache_get(struct cache *c, int64_t h, struct cache_node *n)
{
	int r;
	sqlite3_stmt *s = statement(c, NODE_GET, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	return one_node(c, s, n);
}

int
cache_child(struct cache *c, int64_t parent, const char *name, size_t len,
    struct cache_node *n)
{
	int r;
	sqlite3_stmt *s = statement(c, NODE_CHILD, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, parent);
	bind_slice(s, 2, (struct slice){ name, len });
	return one_node(c, s, n);
}

/* A statement for a cursor: the prepared one, or another while that one is
 * in use by an outer loop. */
static sqlite3_stmt *
cursor_statement(struct cache *c, int *r)
{
	sqlite3_stmt *s = NULL;
	int rc;

	if (!c->cursor_busy) {
		s = statement(c, NODE_CHILDREN, r);
		c->cursor_busy = s != NULL;
		return s;
	}
	rc = sqlite3_prepare_v2(c->db, sql[NODE_CHILDREN], -1, &s, NULL);
	*r = rc == SQLITE_OK ? 0 : fail(c, rc);
	return s;
}

int
cache_children(struct cache *c, struct cache_cursor *cur, int64_t parent,
    const char *name, size_t n, int64_t h)
{
	struct slice v = { name != NULL ? name : "", n };
	sqlite3_stmt *s = cur->stmt;
	int r;

	if (s == NULL && (s = cursor_statement(c, &r)) == NULL)
		return r;
	sqlite3_reset(s);
	cur->cache = c;
	cur->stmt = s;
	sqlite3_bind_int64(s, 1, parent);
	sqlite3_bind_blob64(s, 2, v.p, v.n, SQLITE_TRANSIENT);
	sqlite3_bind_int64(s, 3, name != NULL ? h : -1);
	return 0;
}

int
cache_next(struct cache_cursor *cur, struct cache_node *n)
{
	int r = first_row(cur->cache, cur->stmt);

	if (r == ERR_NOENT)
		return 0;
	if (r == 0)
		r = read_node(cur->stmt, n);
	return r < 0 ? r : 1;
}

void
cache_done(struct cache_cursor *cur)
{
	if (cur->stmt == NULL)
		return;
	if (cur->stmt == cur->cache->stmt[NODE_CHILDREN]) {
		sqlite3_reset(cur->stmt);
		cur->cache->cursor_busy = 0;
	} else {
		sqlite3_finalize(cur->stmt);
	}
	cur->stmt = NULL;
}

/* All that is below a node, with itself; what a stranger's cycle joins is
 * taken once. */
static const char doom[] =
    "INSERT INTO temp.doomed"
    " WITH RECURSIVE sub(h) AS (VALUES (%lld) UNION"
    " SELECT node.h FROM sub JOIN node ON node.parent = sub.h)"
    " SELECT h FROM sub;"
    "DELETE FROM node WHERE h IN temp.doomed;"
    "DELETE FROM raw WHERE h IN temp.doomed;"
    "DELETE FROM link WHERE h IN temp.doomed;"
    "DELETE FROM share WHERE h IN temp.doomed;"
    "DELETE FROM inshare WHERE h IN temp.doomed;"
    "DELETE FROM temp.doomed";

static int
delete_all(struct cache *c, int64_t h)
{
	char text[sizeof doom + 32];
	int r;

	if (!c->doomed && (r = exec(c, "CREATE TEMP TABLE doomed"
	    " (h INTEGER PRIMARY KEY)")) < 0)
		return r;
	c->doomed = 1;
	snprintf(text, sizeof text, doom, (long long)h);
	return exec(c, text);
}

int
cache_delete(struct cache *c, int64_t h, int only)
{
	int r;

	if (!only)
		return delete_all(c, h);
	if ((r = run_number(c, NODE_RELINK, h)) < 0 ||
	    (r = run_number(c, RAW_DROP, h)) < 0 ||
	    (r = run_number(c, LINK_DROP, h)) < 0)
		return r;
	return run_number(c, NODE_DELETE, h);
}

int
cache_put_raw(struct cache *c, const struct cache_raw *raw)
{
	int r;
	sqlite3_stmt *s = statement(c, RAW_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, raw->h);
	bind_slice(s, 2, raw->k);
	bind_slice(s, 3, raw->a);
	return run(c, s);
}

int
cache_drop_raw(struct cache *c, int64_t h)
{
	return run_number(c, RAW_DROP, h);
}

/* The row of raw that a statement with the number h gives. */
static int
read_raw(struct cache *c, int which, int64_t h, struct cache_raw *raw)
{
	int r;
	sqlite3_stmt *s = statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	if ((r = first_row(c, s)) < 0)
		return r;
	raw->h = sqlite3_column_int64(s, 0);
	raw->k = column(s, 1);
	raw->a = column(s, 2);
	r = keep(c, &raw->k, &raw->a);
	sqlite3_reset(s);
	return r;
}

int
cache_get_raw(struct cache *c, int64_t h, struct cache_raw *raw)
{
	return read_raw(c, RAW_GET, h, raw);
}

int
cache_next_raw(struct cache *c, int64_t h, struct cache_raw *raw)
{
	int r = read_raw(c, RAW_NEXT, h, raw);

	return r == ERR_NOENT ? 0 : r < 0 ? r : 1;
}

/* Run a statement with two numbers. */
static int
run_pair(struct cache *c, int which, int64_t a, int64_t b)
{
	int r;
	sqlite3_stmt *s = statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, a);
	sqlite3_bind_int64(s, 2, b);
	return run(c, s);
}

/* Run a statement with a number and bytes. */
static int
run_bytes(struct cache *c, int which, int64_t h, const void *p, size_t n)
{
	int r;
	sqlite3_stmt *s = statement(c, which, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	bind_slice(s, 2, (struct slice){ p, n });
	return run(c, s);
}

int
cache_put_link(struct cache *c, int64_t h, int64_t ph)
{
	return ph >= 0 ? run_pair(c, LINK_PUT, h, ph) :
	    run_number(c, LINK_DROP, h);
}

int
cache_put_key(struct cache *c, int64_t h, const uint8_t key[16])
{
	return run_bytes(c, KEY_PUT, h, key, 16);
}

int
cache_each_key(struct cache *c, void (*fn)(void *, int64_t, const uint8_t *),
    void *ctx)
{
	int r, rc;
	sqlite3_stmt *s = statement(c, KEY_ALL, &r);
	uint8_t key[16];

	if (s == NULL)
		return r;
	r = 0;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if (column_exact(s, 1, key, sizeof key) == 0)
			fn(ctx, sqlite3_column_int64(s, 0), key);
	if (rc != SQLITE_DONE)
		r = fail(c, rc);
	sqlite3_reset(s);
	return r;
}

int
cache_put_share(struct cache *c, int64_t h, const char *with, size_t n)
{
	return run_bytes(c, SHARE_PUT, h, with, n);
}

int
cache_drop_share(struct cache *c, int64_t h, const char *with, size_t n)
{
	return run_bytes(c, SHARE_DROP, h, with, n);
}

int
cache_is_shared(struct cache *c, int64_t h)
{
	int r;
	sqlite3_stmt *s = statement(c, SHARE_ANY, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	r = first_row(c, s);
	sqlite3_reset(s);
	return r == ERR_NOENT ? 0 : r < 0 ? r : 1;
}

int
cache_put_inshare(struct cache *c, int64_t h, int64_t parent, int64_t user)
{
	int r;
	sqlite3_stmt *s = statement(c, INSHARE_PUT, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	sqlite3_bind_int64(s, 2, parent);
	sqlite3_bind_int64(s, 3, user);
	return run(c, s);
}

int
cache_drop_inshare(struct cache *c, int64_t h)
{
	return run_number(c, INSHARE_DROP, h);
}

int
cache_place_inshares(struct cache *c)
{
	return run_plain(c, INSHARE_PLACE);
}

int
cache_get_inshare(struct cache *c, int64_t h, int64_t *user)
{
	int r;
	sqlite3_stmt *s = statement(c, INSHARE_GET, &r);

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, h);
	if ((r = first_row(c, s)) < 0)
		return r;
	*user = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return 0;
}

int
cache_put_user(struct cache *c, int64_t u, const char *mail, size_t n)
{
	return run_bytes(c, USER_PUT, u, mail, n);
}

int
cache_get_user(struct cache *c, int64_t u, struct buf *out)
{
	int r;
	sqlite3_stmt *s = statement(c, USER_GET, &r);
	struct slice mail;

	if (s == NULL)
		return r;
	sqlite3_bind_int64(s, 1, u);
	if ((r = first_row(c, s)) < 0)
		return r;
	mail = column(s, 0);
	buf_add(out, mail.p, mail.n);
	sqlite3_reset(s);
	return 0;
}
